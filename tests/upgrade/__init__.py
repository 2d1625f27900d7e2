"""A rolling upgrade by hand: components of two releases on one ledger."""
