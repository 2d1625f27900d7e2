"""Traces and measures of gated actions, folded from the ledger, without content or people."""
