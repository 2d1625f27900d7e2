"""Layer 12: loops, speed and how many records, at each limit and one beyond."""

from typing import Any

import pytest

from schemas.actions import LayerResult
from schemas.names import SECOND
from schemas.tools import Pace, Tool
from sidecar.gate.conduct import Conduct, call_digest
from sidecar.gate.outcome import Case, Word
from sidecar.gate.pace import pace
from sidecar.gate.parts import parts
from tests.cases import NOW, changed
from tests.unit.sidecar.gate.building import ERASE, LOOK, UPDATE, WORKSPACE, case

LIMITS = Pace(
    same_read=3, same_effect=2, effects_per_minute=4, reads_per_minute=5, objects_per_tool=3
)
RULED = changed(WORKSPACE, pace=LIMITS)


def at(tool: Tool, record: Any = "d-1", summary: str = "work", **conduct: Any) -> Case:
    done = changed(Conduct(), **conduct)
    return case(tool, {"record": record}, summary=summary, policy=RULED, conduct=done)


def paced(tool: Tool, record: Any = "d-1", summary: str = "work", **conduct: Any) -> Word:
    return pace(at(tool, record, summary, **conduct))


def repeated(tool: Tool, times: int) -> dict[str, Any]:
    digest = call_digest(tool, tuple(parts(tool, {"record": "d-1"})))
    return {"repeats": Conduct().repeats.set(digest, times)}


def touched(tool: Tool, *records: str) -> dict[str, Any]:
    return {"objects": Conduct().objects.set(tool.name, frozenset(records))}


@pytest.mark.parametrize("lacking", ["tool", "arguments", "policy"])
def test_what_cannot_be_measured_is_refused(lacking: str) -> None:
    word = pace(changed(at(UPDATE), **{lacking: None}))
    assert word.result is LayerResult.REFUSE
    assert "nothing to measure" in word.reason


def test_the_same_read_becomes_a_loop_at_its_limit() -> None:
    for times in (0, 1, 2):
        word = paced(LOOK, **repeated(LOOK, times))
        assert word.result is LayerResult.PASS
        assert word.evidence == f"read {times + 1} of this kind"
    for times in (3, 4):
        word = paced(LOOK, **repeated(LOOK, times))
        assert word.result is LayerResult.REFUSE
        assert word.reason == f"a loop: the same read was made {times} times"


def test_another_read_is_no_repetition() -> None:
    assert paced(LOOK, "d-2", **repeated(LOOK, 9)).result is LayerResult.PASS


def test_reads_of_the_last_minute_count_and_older_ones_do_not() -> None:
    assert paced(LOOK, reads_at=(NOW,) * 4).result is LayerResult.PASS
    for count in (5, 6):
        word = paced(LOOK, reads_at=(NOW,) * count)
        assert word.result is LayerResult.REFUSE
        assert "5 reads in a minute" in word.reason
    assert paced(LOOK, reads_at=(NOW - 60 * SECOND,) * 9).result is LayerResult.PASS
    assert paced(LOOK, reads_at=(NOW - 60 * SECOND + 1,) * 5).result is LayerResult.REFUSE
    assert paced(LOOK, effects_at=(NOW,) * 9).result is LayerResult.PASS


def test_the_same_effect_is_held_at_its_limit_for_a_person() -> None:
    assert paced(UPDATE, **repeated(UPDATE, 1)).result is LayerResult.PASS
    for times in (2, 3):
        word = paced(UPDATE, **repeated(UPDATE, times))
        assert word.result is LayerResult.HOLD
        assert word.reason == f"the same was done {times} times already"
        assert "approve" in word.fix


def test_effects_of_the_last_minute_are_refused_at_their_limit() -> None:
    assert paced(UPDATE, effects_at=(NOW,) * 3).result is LayerResult.PASS
    for count in (4, 5):
        word = paced(UPDATE, effects_at=(NOW,) * count)
        assert word.result is LayerResult.REFUSE
        assert "over 4 effects" in word.reason
    assert paced(UPDATE, reads_at=(NOW,) * 99).result is LayerResult.PASS


def test_repetition_is_said_before_speed() -> None:
    word = paced(UPDATE, effects_at=(NOW,) * 9, **repeated(UPDATE, 9))
    assert word.result is LayerResult.HOLD


def test_records_are_counted_with_this_one_and_held_beyond_the_limit() -> None:
    word = paced(UPDATE, "d-3", **touched(UPDATE, "d-1", "d-2"))
    assert (word.result, word.evidence) == (LayerResult.PASS, "3 records")
    word = paced(UPDATE, "d-4", **touched(UPDATE, "d-1", "d-2", "d-3"))
    assert word.result is LayerResult.HOLD
    assert word.reason == "mass mutation: crm.update_deal on 4 records"


def test_a_record_touched_again_and_other_tools_records_do_not_add_up() -> None:
    again = paced(UPDATE, "d-3", **touched(UPDATE, "d-1", "d-2", "d-3"))
    assert (again.result, again.evidence) == (LayerResult.PASS, "3 records")
    assert paced(UPDATE, **touched(ERASE, "a", "b", "c", "d")).result is LayerResult.PASS


def test_a_second_removal_is_held_where_the_rep_spoke_of_one() -> None:
    assert paced(ERASE, "d-1", "delete the deal").result is LayerResult.PASS
    word = paced(ERASE, "d-2", "delete the deal", **touched(ERASE, "d-1"))
    assert word.result is LayerResult.HOLD
    assert "this is number 2 for crm.delete_deal" in word.reason


@pytest.mark.parametrize(
    ("tool", "summary"),
    [
        (ERASE, "delete all deals"),
        (ERASE, "delete the deals d-1 and d-2"),
        (UPDATE, "update the deal"),
    ],
)
def test_several_are_no_surprise_where_many_or_each_are_meant_or_nothing_is_removed(
    tool: Tool, summary: str
) -> None:
    assert paced(tool, "d-2", summary, **touched(tool, "d-1")).result is LayerResult.PASS


def test_one_unnamed_removal_beside_a_named_one_is_held() -> None:
    word = paced(ERASE, "d-9", "delete the deal d-1", **touched(ERASE, "d-1"))
    assert word.result is LayerResult.HOLD


def test_a_number_that_the_rep_named_as_an_identifier_is_named() -> None:
    held = touched(ERASE, "13")
    assert paced(ERASE, "14", "delete file 13 and file 14", **held).result is LayerResult.PASS
