"""A part of a ledger that stands on its own: chosen, proved against a seal, verified."""
