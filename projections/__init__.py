"""Projections: folds over the ledger into stores that are quick to ask.

Each projector follows the ledger as a consumer of its own, keeps its position in the same
transaction as what it writes, and can be dropped and rebuilt from nothing. Nothing here is a
source of truth, and nothing here writes to the bus.
"""
