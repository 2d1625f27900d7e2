"""What stands beside a signed ledger for other tools to read: JSON Lines, CSV, OCSF, CloudEvents.

A rendering is a convenience and no evidence: each line names the entry that it was made from.
"""
