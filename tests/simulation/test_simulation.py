"""Seeds hold every invariant; a planted fault is found."""

import msgspec
import pytest

from bus.decider import Draft, Effect, Input
from sidecar.decider import SidecarDecider
from sidecar.effects import Execute, Withdraw
from sidecar.state import SidecarState
from tests.simulation.scenario import play


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_seeds_hold_every_invariant(first: int) -> None:
    for seed in range(first, first + 50):
        found = play(seed)
        assert not found.violations, (seed, found.violations)


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


@pytest.mark.parametrize("faulty", [ReckEffects, DeafToHalts, Patient])
def test_a_planted_fault_breaks_an_invariant_in_some_seed(faulty: type[SidecarDecider]) -> None:
    assert any(play(seed, sidecar=faulty).violations for seed in range(1_500))
