"""Seeds hold every invariant; a planted fault is found, and told with as little as it takes."""

import random

import pytest

from sidecar.decider import SidecarDecider
from tests.simulation.planted import PLANTED, Patient
from tests.simulation.scenario import play
from tests.simulation.shrinking import kind_of, minimised, shrink


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_seeds_hold_every_invariant(first: int) -> None:
    for seed in range(first, first + 50):
        found = play(seed)
        assert not found.violations, (seed, found.violations)


@pytest.mark.parametrize("faulty", PLANTED.values(), ids=PLANTED)
def test_a_planted_fault_breaks_an_invariant_in_some_seed(faulty: type[SidecarDecider]) -> None:
    assert any(play(seed, sidecar=faulty).violations for seed in range(1_500))


def test_a_failing_seed_is_told_again_with_less_of_it() -> None:
    seed = next(s for s in range(1_500) if play(s, sidecar=Patient).violations)
    found = shrink(seed, sidecar=Patient)
    assert found.after < found.before
    # It takes an effect that is under way, and a halt.
    assert found.steps and found.halt
    whole = {kind_of(violation) for violation in play(seed, sidecar=Patient).violations}
    assert whole & {kind_of(violation) for violation in found.violations}


def test_a_seed_that_holds_has_nothing_to_shrink() -> None:
    with pytest.raises(ValueError, match="holds every invariant"):
        shrink(0)


@pytest.mark.parametrize("seed", range(50))
def test_what_is_minimal_fails_and_holds_without_any_one_part(seed: int) -> None:
    dice = random.Random(seed)
    parts = range(dice.randrange(1, 60))
    needed = set(dice.sample(parts, dice.randrange(0, min(5, len(parts)) + 1)))
    assert set(minimised(parts, lambda some: needed <= set(some))) == needed


def test_of_two_causes_one_is_left() -> None:
    left = minimised(range(40), lambda some: {3, 30} <= set(some) or 17 in some)
    assert left in ([3, 30], [17])


def test_a_violation_is_known_again_under_other_names() -> None:
    one = kind_of("effect 019e7044-88c1-7373-9152-bcd8176522dd happened 2 times")
    assert one == kind_of("effect 029e7044-88c1-7373-9152-bcd8176522dd happened 3 times")
    assert kind_of("run r1 ended 2 times") != kind_of("proposal 0a1b2c3d was undone 2 times")
