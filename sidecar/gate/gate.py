"""The gate: every layer speaks on every proposal, in order, and all of it is recorded.

One refusal refuses; else one hold holds. A seat that is not yet enforced is recorded as
such and never counted as passed.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from schemas.actions import LayerOutcome, LayerResult
from sidecar.gate.arguments import arguments
from sidecar.gate.authenticity import authenticity
from sidecar.gate.capability import capability
from sidecar.gate.halt import halt
from sidecar.gate.lease import lease
from sidecar.gate.outcome import Case, Word, absent, outcome
from sidecar.gate.review import review

LAYERS: Final[tuple[tuple[str, Callable[[Case], Word]], ...]] = (
    ("authenticity", authenticity),
    ("lease", lease),
    ("halt", halt),
    ("intent", absent),
    ("capability", capability),
    ("arguments", arguments),
    ("provenance", absent),
    ("classification", absent),
    ("memory", absent),
    ("destination", absent),
    ("cost", absent),
    ("pace", absent),
    ("supervisor", absent),
    ("review", review),
)


class GateResult(Struct, frozen=True):
    """All 14 outcomes in order, and the one that decided (None where nothing objects)."""

    layers: tuple[LayerOutcome, ...]
    decisive: LayerOutcome | None

    @property
    def result(self) -> LayerResult:
        """PASS, HOLD or REFUSE for the proposal as a whole."""
        return self.decisive.result if self.decisive is not None else LayerResult.PASS


def evaluate(case: Case) -> GateResult:
    """Run all 14 layers over one case."""
    layers = tuple(
        outcome(number, name, layer(case)) for number, (name, layer) in enumerate(LAYERS, start=1)
    )
    for result in (LayerResult.REFUSE, LayerResult.HOLD):
        for spoken in layers:
            if spoken.result is result:
                return GateResult(layers, spoken)
    return GateResult(layers, None)
