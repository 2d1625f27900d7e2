"""What a run reads and does enters the gate's memory: whose word it is, and what went where."""

from typing import Any

import pytest

from schemas.names import Classification
from schemas.tools import Tool, Trust
from sidecar.gate.knowledge import RANKS, Knowledge, Segment, Standing
from sidecar.gate.parts import Audience
from sidecar.gate.reading import Memory, Pointed, answered, began, failed, given, points_to
from tests.cases import NOW, changed
from tests.unit.sidecar.gate.building import FETCH, LOOK, MAIL, UPDATE, knows, wish

ASKED = wish('update "Blue Harbour" by the notes of Falcon, and write to jane@boeing.example')
SECRET = "The merger with Orchid closes Thursday at dawn in Lisbon"
STRANGER = "x@collect.example"
SEARCH = changed(LOOK, name="web.search", objects=(), asked_by=("page",))


def segments(memory: Memory) -> list[Segment]:
    return [one for _, one in sorted(memory.knowledge.segments.items())]


EMPTY = Memory()


def told(content: object, tool: Tool = LOOK, memory: Memory = EMPTY, **arguments: Any) -> Memory:
    return answered(memory, ASKED, tool, arguments, content)


def started(memory: Memory, tool: Tool, seen: Audience = Audience.NONE, **arguments: Any) -> Memory:
    return began(memory, ASKED, tool, arguments, NOW, seen=seen)


KNOWING = given(EMPTY, ASKED, SECRET, trust=Trust.TRUSTED)


@pytest.mark.parametrize(
    ("trust", "standing"), [(Trust.UNTRUSTED, Standing.UNBIDDEN), (Trust.TRUSTED, Standing.OWN)]
)
def test_what_came_by_itself_is_unbidden_unless_its_source_is_trusted(
    trust: Trust, standing: Standing
) -> None:
    memory = given(EMPTY, ASKED, SECRET, trust=trust, sensitivity=Classification.RESTRICTED)
    (one,) = segments(memory)
    assert (one.standing, one.rank) == (standing, RANKS[Classification.RESTRICTED])
    assert (one.linked, one.certain) == (False, False)
    assert one.nouns == frozenset()


def test_what_came_by_itself_is_untrusted_and_confidential_unless_it_is_said() -> None:
    (one,) = segments(given(EMPTY, ASKED, SECRET))
    assert (one.standing, one.rank) == (Standing.UNBIDDEN, RANKS[Classification.CONFIDENTIAL])


@pytest.mark.parametrize(
    ("declared", "said", "rank"),
    [
        (Classification.INTERNAL, Classification.PUBLIC, Classification.INTERNAL),
        (Classification.INTERNAL, Classification.RESTRICTED, Classification.RESTRICTED),
        (Classification.CONFIDENTIAL, Classification.INTERNAL, Classification.CONFIDENTIAL),
    ],
)
def test_a_result_is_as_secret_as_its_tool_declares_or_more(
    declared: Classification, said: Classification, rank: Classification
) -> None:
    tool = changed(LOOK, classification=declared)
    (one,) = segments(answered(EMPTY, ASKED, tool, {}, SECRET, sensitivity=said))
    assert one.rank == RANKS[rank]


def test_a_result_is_as_secret_as_its_tool_declares_where_nothing_is_said() -> None:
    (one,) = segments(told(SECRET, changed(LOOK, classification=Classification.INTERNAL)))
    assert one.rank == RANKS[Classification.INTERNAL]


@pytest.mark.parametrize(
    ("tool", "arguments", "content", "standing", "certain"),
    [
        (SEARCH, {}, "plain words", Standing.READ, False),
        (changed(SEARCH, asked_by=("notes",)), {}, "plain words", Standing.POINTED, False),
        (changed(SEARCH, trust=Trust.TRUSTED), {}, "plain words", Standing.OWN, False),
        (LOOK, {"record": "Blue Harbour"}, "plain words", Standing.POINTED, True),
        (LOOK, {"record": "Blue Harbour"}, {"text": "plain words"}, Standing.POINTED, True),
        (SEARCH, {"query": "Blue Harbour"}, "plain words", Standing.POINTED, True),
        (SEARCH, {"query": "Blue Harbour"}, {"text": "plain words"}, Standing.POINTED, False),
        (SEARCH, {"query": "Red Harbour"}, "plain words", Standing.READ, False),
    ],
)
def test_a_result_has_the_standing_of_what_was_asked_for_by_the_reps_words(
    tool: Tool, arguments: dict[str, Any], content: object, standing: Standing, certain: bool
) -> None:
    (one,) = segments(told(content, tool, **arguments))
    assert (one.standing, one.certain) == (standing, certain)


def test_an_effect_that_says_its_arguments_again_tells_nothing_secret_and_a_read_does() -> None:
    said = {"record": "d-1", "text": SECRET}
    (one,) = segments(told(SECRET, UPDATE, **said))
    assert one.rank == 0
    (one,) = segments(told("Another matter", UPDATE, **said))
    assert one.rank == RANKS[Classification.CONFIDENTIAL]
    (one,) = segments(told(SECRET, LOOK, **said))
    assert one.rank == RANKS[Classification.CONFIDENTIAL]


@pytest.mark.parametrize(
    ("arguments", "pointed"),
    [
        ({}, Pointed.NOT),
        ({"query": "nothing of theirs"}, Pointed.NOT),
        ({"query": "Falcon"}, Pointed.BY_KIND),
        ({"query": "Blue Harbour"}, Pointed.BY_NAME),
        ({"query": "2031-05-07"}, Pointed.THE_THING),
        ({"to": "jane@boeing.example"}, Pointed.BY_NAME),
        ({"to": "team@orchid.example"}, Pointed.BY_KIND),
        ({"to": STRANGER}, Pointed.NOT),
        ({"to": "ann@lake.example"}, Pointed.NOT),
        ({"record": "Falcon"}, Pointed.THE_THING),
        ({"record": "Lee"}, Pointed.THE_THING),
        ({"record": "13"}, Pointed.NOT),
        ({"record": "131"}, Pointed.THE_THING),
        ({"to": "jane+x@boeing.example"}, Pointed.BY_NAME),
        ({"record": "no"}, Pointed.NOT),
        ({"record": "Blu"}, Pointed.NOT),
        ({"record": "Red Harbour"}, Pointed.NOT),
        ({"query": "no", "record": "Falcon"}, Pointed.THE_THING),
        ({"on": True, "record": "Falcon"}, Pointed.THE_THING),
        ({"true": True}, Pointed.NOT),
        ({"query": "Blue Harbour", "to": "team@orchid.example"}, Pointed.BY_NAME),
        ({"query": "Blue Harbour", "record": "Falcon"}, Pointed.THE_THING),
        ({"query": "Blue Harbour", "more": "nothing of theirs"}, Pointed.BY_NAME),
    ],
)
def test_the_reps_words_point_to_a_read_by_what_it_asks_for(
    arguments: dict[str, Any], pointed: Pointed
) -> None:
    asked = wish(
        'update "Blue Harbour" by the notes of Falcon of 2031-05-07, file 13 and file 131 of Lee, '
        "no pages, if that is true, "
        "and write to jane@boeing.example"
    )
    known = knows("the team is team@orchid.example", asked, pointed=True)
    known = knows("and ann@lake.example", asked, known)
    known = knows(STRANGER, asked, known, unbidden=True)
    tool = changed(
        SEARCH, name="web.search", asked_by=(), objects=("record",), destinations=("to",)
    )
    assert points_to(known, asked, tool, arguments) is pointed


def test_the_reps_words_point_to_a_read_by_the_kind_of_thing_that_it_gives() -> None:
    notes = changed(SEARCH, asked_by=("notes",))
    assert points_to(Knowledge(), ASKED, notes, {}) is Pointed.BY_KIND
    assert points_to(Knowledge(), ASKED, notes, {"query": "Blue Harbour"}) is Pointed.BY_NAME


def test_what_is_begun_counts_and_what_failed_may_be_done_again() -> None:
    arguments = {"record": "d-1"}
    memory = started(EMPTY, LOOK, **arguments)
    assert memory.conduct.spend.calls == 1
    assert memory.conduct.reads_at == (NOW,)
    memory = started(memory, UPDATE, **arguments)
    assert (memory.conduct.spend.calls, memory.conduct.spend.effects) == (2, 1)
    assert set(memory.conduct.repeats.values()) == {1}
    assert len(failed(memory, UPDATE, arguments).conduct.repeats) == 1


def test_a_read_that_nobody_sees_writes_and_sends_nothing() -> None:
    conduct = started(KNOWING, LOOK, record=f"{SECRET} {STRANGER}").conduct
    assert (conduct.written, len(conduct.sent), len(conduct.tainted)) == (frozenset(), 0, 0)


def test_a_read_that_others_see_sends_what_it_says() -> None:
    memory = started(KNOWING, FETCH, Audience.OUTSIDE, url="https://a.example", query="merger")
    assert dict(memory.conduct.sent) == {0: {"merger"}}


@pytest.mark.parametrize("argument", ["text", "note"])
def test_words_of_secrets_that_effects_carry_to_others_add_up(argument: str) -> None:
    memory = started(KNOWING, MAIL, Audience.INSIDE, **{argument: "the merger of Falcon"})
    assert dict(memory.conduct.sent) == {0: {"merger"}}
    memory = started(memory, MAIL, Audience.OUTSIDE, **{argument: "merger, Orchid, Lisbon, dawn"})
    assert dict(memory.conduct.sent) == {0: {"merger", "orchid", "lisbon", "dawn"}}
    assert len(memory.conduct.tainted) == 0
    apart = given(KNOWING, ASKED, "Harbour sells", trust=Trust.TRUSTED)
    memory = started(apart, MAIL, Audience.OUTSIDE, **{argument: "merger sells"})
    assert dict(memory.conduct.sent) == {0: {"merger"}, 1: {"sell"}}


def test_what_is_internal_is_no_secret_that_adds_up() -> None:
    memory = given(EMPTY, ASKED, SECRET, sensitivity=Classification.INTERNAL)
    assert not started(memory, MAIL, Audience.OUTSIDE, text="merger").conduct.sent


def test_addresses_do_not_add_up_to_a_secret() -> None:
    memory = started(KNOWING, MAIL, Audience.OUTSIDE, to="merger@orchid.example", text="hello")
    assert not memory.conduct.sent


def test_what_an_effect_writes_secrets_into_holds_them() -> None:
    plain, long = "Board Minutes", "m" * 81
    memory = started(
        KNOWING, UPDATE, record="D-1", title=plain, short="n" * 80, long=long, text=SECRET
    )
    assert dict(memory.conduct.tainted) == {
        "d-1": {0},
        "board minutes": {0},
        "n" * 80: {0},
    }
    assert not memory.conduct.sent
    more = given(memory, ASKED, "Harbour sells Falcon tomorrow, quickly", trust=Trust.TRUSTED)
    memory = started(more, UPDATE, record="d-1", text="harbour sells falcon tomorrow quickly")
    assert dict(memory.conduct.tainted)["d-1"] == {0, 1}
    memory = started(memory, UPDATE, record="d-1", text=SECRET)
    assert dict(memory.conduct.tainted)["d-1"] == {0, 1}


def test_what_carries_no_secret_holds_none() -> None:
    assert not started(KNOWING, UPDATE, record="d-1", text="hello").conduct.tainted


def test_the_identifiers_that_a_tool_gives_to_what_it_wrote_go_by_the_same_secrets() -> None:
    tool = changed(UPDATE, trusted=("id", "number", "parts"))
    arguments = {"record": "D-1", "text": SECRET}
    memory = started(KNOWING, tool, **arguments)
    result = {"id": "F-9", "number": 12, "parts": ["p"], "title": "x"}
    assert dict(told(result, tool, memory, **arguments).conduct.tainted) == {
        "d-1": {0},
        "f-9": {0},
        "12": {0},
    }


def test_what_a_read_or_a_bare_text_gives_taints_nothing() -> None:
    memory = started(KNOWING, UPDATE, record="d-1", text=SECRET)
    look = changed(LOOK, trusted=("id",))
    assert set(told({"id": "f-9"}, look, memory, record="d-1").conduct.tainted) == {"d-1"}
    assert set(told("f-9", UPDATE, memory, record="d-1").conduct.tainted) == {"d-1"}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (STRANGER, {"e:x@collect.example"}),
        ("see https://collect.example/a", {"u:collect.example/a"}),
        ("by GB29 NWBK 6016 1331 9268 19", {"a:gb29nwbk60161331926819"}),
        ("for 250 EUR on May 7", set()),
        ("to jane@boeing.example", set()),
        ("to ann@record.example", set()),
        ("to bob@pointed.example", {"e:bob@pointed.example"}),
    ],
)
def test_addresses_that_neither_rep_nor_record_gives_are_remembered_as_the_runs_own_writing(
    text: str, written: set[str]
) -> None:
    known = knows("ann@record.example", ASKED, trust=Trust.TRUSTED)
    known = knows("bob@pointed.example", ASKED, known, pointed=True)
    memory = Memory(knowledge=known)
    for after in (
        started(memory, UPDATE, text=text),
        started(memory, MAIL, Audience.OUTSIDE, text=text),
        told("done", UPDATE, memory, text=text),
    ):
        assert after.conduct.written == written
    assert told("done", LOOK, memory, text=text).conduct.written == set()


def test_what_was_written_stays_written() -> None:
    memory = started(EMPTY, UPDATE, text=STRANGER)
    memory = started(memory, UPDATE, text=f"{STRANGER}, y@other.example")
    memory = told("done", UPDATE, memory, text=f"{STRANGER}, z@third.example")
    assert len(memory.conduct.written) == 3


def test_a_system_of_record_that_gives_back_what_the_run_wrote_vouches_for_nothing() -> None:
    memory = started(EMPTY, UPDATE, text=STRANGER)
    look = changed(LOOK, trust=Trust.TRUSTED)
    assert segments(told({"mail": STRANGER}, look, memory))[0].standing is Standing.READ
    assert segments(told({"mail": STRANGER}, look))[0].standing is Standing.OWN


def test_an_effects_own_answer_does_not_vouch_for_what_it_was_given() -> None:
    update = changed(UPDATE, trust=Trust.TRUSTED)
    memory = started(EMPTY, update, text=STRANGER)
    assert segments(told(STRANGER, update, memory, text=STRANGER))[0].standing is Standing.READ
