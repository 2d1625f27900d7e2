"""Sidecars with one fault each, which a seed must find."""

from typing import Final

import msgspec

from bus.decider import Draft, Effect, Input
from sidecar.decider import SidecarDecider
from sidecar.effects import Execute, Withdraw
from sidecar.state import SidecarState


class ReckEffects(SidecarDecider):
    """Repeats what a crash left open without asking the tool."""

    def decide(self, state: SidecarState, given: Input, now: int) -> list[Draft | Effect]:
        return [
            msgspec.structs.replace(out, reconcile=False) if isinstance(out, Execute) else out
            for out in super().decide(state, given, now)
        ]


class DeafToHalts(SidecarDecider):
    """Takes no notice of what came between its decision and its record."""

    def revise(self, state: SidecarState, effect: Effect) -> Effect:
        return effect


class Patient(SidecarDecider):
    """Waits for what is under way, whatever is halted meanwhile."""

    def decide(self, state: SidecarState, given: Input, now: int) -> list[Draft | Effect]:
        return [out for out in super().decide(state, given, now) if not isinstance(out, Withdraw)]


PLANTED: Final[dict[str, type[SidecarDecider]]] = {
    "repeats-effects": ReckEffects,
    "deaf-to-halts": DeafToHalts,
    "patient": Patient,
}
