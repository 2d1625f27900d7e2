"""The gate: every layer speaks on every proposal, in order, and all of it is recorded.

One refusal refuses; else one hold holds, until a person has approved exactly this proposal.
Layer 14 speaks last, since it must know whether a layer before it holds.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from schemas.actions import LayerOutcome, LayerResult
from sidecar.gate.arguments import arguments
from sidecar.gate.authenticity import authenticity
from sidecar.gate.capability import capability
from sidecar.gate.classification import classification
from sidecar.gate.cost import cost
from sidecar.gate.destination import destination
from sidecar.gate.halt import halt
from sidecar.gate.intent import intent
from sidecar.gate.lease import lease
from sidecar.gate.memory import memory
from sidecar.gate.outcome import Case, Word, outcome
from sidecar.gate.pace import pace
from sidecar.gate.provenance import provenance
from sidecar.gate.review import review
from sidecar.gate.supervisor import supervisor

Layer = Callable[[Case], Word]

LAYERS: Final[tuple[tuple[str, Layer], ...]] = (
    ("authenticity", authenticity),
    ("lease", lease),
    ("halt", halt),
    ("intent", intent),
    ("capability", capability),
    ("arguments", arguments),
    ("provenance", provenance),
    ("classification", classification),
    ("memory", memory),
    ("destination", destination),
    ("cost", cost),
    ("pace", pace),
    ("supervisor", supervisor),
)
"""Layers 1 to 13; layer 14 is `review`, which is told who holds."""


class GateResult(Struct, frozen=True):
    """All 14 outcomes in order, and the one that decided (None where nothing objects).

    A hold that a person has answered stays in the record and decides nothing.
    """

    layers: tuple[LayerOutcome, ...]
    decisive: LayerOutcome | None

    @property
    def result(self) -> LayerResult:
        """PASS, HOLD or REFUSE for the proposal as a whole."""
        return self.decisive.result if self.decisive is not None else LayerResult.PASS


def evaluate(case: Case, layers: tuple[tuple[str, Layer], ...] = LAYERS) -> GateResult:
    """Run all 14 layers over one case. `layers` is for showing what each is good for."""
    spoken: list[LayerOutcome] = []
    holds: LayerOutcome | None = None
    refused: LayerOutcome | None = None
    for number, (name, layer) in enumerate(layers, start=1):
        one = outcome(number, name, layer(case))
        spoken.append(one)
        if one.result is LayerResult.PASS:
            continue
        if one.result is LayerResult.HOLD:
            holds = holds or one
        elif one.result is LayerResult.REFUSE:
            refused = refused or one
    last = outcome(14, "review", review(case, holds))
    every = (*spoken, last)
    if refused is not None or last.result is LayerResult.REFUSE:
        return GateResult(every, refused or last)
    if last.result is LayerResult.PASS:
        return GateResult(every, None)
    return GateResult(every, holds or (last if last.result is LayerResult.HOLD else None))
