"""Manipulations of a ledger, generated and thought out: each is found, or why nobody could."""
