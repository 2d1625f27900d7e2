"""The web console: pages, sessions and acts of people, served by a component of its own.

`app` puts it together, `doors` lists every route with what it needs, `sessions` says who is
there, `desk` signs what they decide, `feed` follows the ledger. It decides nothing by itself.
"""
