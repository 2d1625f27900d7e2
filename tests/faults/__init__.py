"""Faults on real processes, held against what clients were told, the ledger and the far side."""
