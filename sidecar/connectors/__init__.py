"""Connectors to real tools. From outside: which tools are declared, opening, closing."""

from sidecar.connectors.opening import close_connectors, declared_tools, open_connectors

__all__ = ["close_connectors", "declared_tools", "open_connectors"]
