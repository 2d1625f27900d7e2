"""The gate: 14 layers in front of every action. `evaluate` runs them all.

The layers are loaded when asked for: their lexicons take a quarter of a second, and a command
that only wants a domain's normal form should not wait for them (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sidecar.gate.gate import LAYERS, GateResult, evaluate

__all__ = ["LAYERS", "GateResult", "evaluate"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("sidecar.gate.gate"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
