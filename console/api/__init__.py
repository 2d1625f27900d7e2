"""The public HTTP API under `/api/v1`: what the console's pages show and do, for programs.

`operations` lists every route with what it needs, `shapes` what it gives and takes, `openapi`
writes the document from both, `serving` runs them. It decides nothing by itself: reading is the
pages' view, acting the pages' desk. Whoever calls shows a token of the ledger (`console.tokens`).
"""
