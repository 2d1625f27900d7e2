"""The gate: 14 layers in front of every action. `evaluate` runs them all."""

from sidecar.gate.gate import LAYERS, GateResult, evaluate

__all__ = ["LAYERS", "GateResult", "evaluate"]
