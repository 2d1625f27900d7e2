"""Connectors to real tools: `opening` says which are declared, `serving` serves them."""
