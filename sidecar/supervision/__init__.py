"""Supervision: temporal patterns over a run and across runs, matched as facts come in.

The gate asks the engine before an effect; the supervisor's own process follows the ledger
and puts on record what it sees, under its own key.
"""

from sidecar.supervision.engine import (
    Fact,
    Match,
    SupervisionState,
    forget_run,
    forgive,
    observe,
    watching,
    would_match,
)
from sidecar.supervision.patterns import DEFAULT_PATTERNS, patterns_of

__all__ = [
    "DEFAULT_PATTERNS",
    "Fact",
    "Match",
    "SupervisionState",
    "forget_run",
    "forgive",
    "observe",
    "patterns_of",
    "watching",
    "would_match",
]
