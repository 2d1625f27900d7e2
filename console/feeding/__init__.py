"""The feeder: puts each seal of the live ledger to its witnesses, and keeps what they answer.

`following` has the tree of the ledger and the newest seal that fits it, `asking` is the
connection to a witness, `memory` what is on disk; what to ask and what an answer means is
`ledger.feeding`'s. Nothing waits for it: sealing goes on whether witnesses answer or not.
"""
