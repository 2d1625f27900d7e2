"""Connectors to real tools. From outside: which tools are declared, and serving them."""

from sidecar.connectors.opening import Surroundings, declared_tools, open_connectors
from sidecar.connectors.serving import Connectors

__all__ = ["Connectors", "Surroundings", "declared_tools", "open_connectors"]
