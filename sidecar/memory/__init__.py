"""The workspace's memory: claims as a fold over the ledger, and the tools that reach them."""
