"""The ledger as evidence: hashes, seals, receipts, the export, and its verification offline."""
