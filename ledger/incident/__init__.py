"""What responders ask of a verified ledger after something went wrong."""
