"""What people look at, folded from the ledger in memory: pure, and in need of no projection.

`state` says what is kept, `fold` keeps it, `words` puts events in words, `origins` marks whose
words an argument's are, `plots` lays out the figures. Nothing here decides anything.
"""
