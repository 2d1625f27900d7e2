"""A consumer of webhooks, written from docs/webhooks.md alone; see `consumer`."""
