"""The judge of the kills finds what it is there to find."""

import pytest

from schemas.actions import ActionOutcome
from tests.faults.effects import judge
from tests.faults.far_sides import FarSide
from tests.faults.kills import Tally

KEY = "0190c0de-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("outcome", "effects", "silent", "wrong"),
    [
        (ActionOutcome.CONFIRMED, ["a"], False, Tally()),
        (ActionOutcome.CONFIRMED, [], False, Tally(lost=1)),
        (ActionOutcome.CONFIRMED, ["a", "b"], False, Tally(duplicates=1)),
        (ActionOutcome.FAILED, ["a"], False, Tally(lost=1)),
        (ActionOutcome.FAILED, [], False, Tally(lost=1)),
        (None, ["a"], False, Tally(lost=1)),
        (None, [], False, Tally(lost=1)),
        (ActionOutcome.UNKNOWN, ["a"], True, Tally(unknown=1, unknown_true=1)),
        (ActionOutcome.UNKNOWN, [], True, Tally(unknown=1, unknown_true=1)),
        (ActionOutcome.UNKNOWN, ["a"], False, Tally(unknown=1)),
        (
            ActionOutcome.UNKNOWN,
            ["a", "b"],
            True,
            Tally(unknown=1, unknown_true=1, duplicates=1),
        ),
    ],
)
def test_what_the_ledger_says_is_held_against_what_was_done(
    outcome: ActionOutcome | None, effects: list[str], silent: bool, wrong: Tally
) -> None:
    side = FarSide(
        tool="crm.update_deal",
        section="",
        arguments=lambda number: {},
        effects=lambda: effects,
        silent=lambda key, number: silent,
    )
    tally = Tally()
    judge(tally, side, 0, (KEY, outcome) if outcome is not None else None, effects)
    tally.actions = 0
    assert tally == wrong
    true = wrong in (Tally(), Tally(unknown=1, unknown_true=1))
    assert (tally.wrong == 0) is true
