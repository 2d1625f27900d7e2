"""Connectors to real tools. From outside: which tools are declared, and opening them."""

from sidecar.connectors.opening import declared_tools, open_connectors

__all__ = ["declared_tools", "open_connectors"]
