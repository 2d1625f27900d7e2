"""Webhooks: the ledger's events, posted in order to endpoints that others run.

The ledger is the queue. An endpoint's state is how far it has come (`progress`), so an endpoint
that is away for an hour costs nothing and loses nothing. Signed as Standard Webhooks says
(`signature`); pure but for the files named in `pyproject.toml`: `lookup` (names), `sending`
(HTTP), `store` (SQLite), `service` and `__main__`.
"""
