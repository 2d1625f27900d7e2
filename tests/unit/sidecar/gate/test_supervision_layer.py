"""Layer 13 refuses what would complete a halting pattern, and holds what is to be held."""

from schemas.actions import LayerResult
from schemas.patterns import Response
from schemas.tools import Effect
from sidecar.gate.supervisor import supervisor
from sidecar.supervision.engine import Match
from tests.cases import NOW, SEND, changed, good_case

FLAG = "probing on run r-1"


def match(response: Response, name: str = "fan-out", events: int = 5) -> Match:
    evidence = tuple(bytes([number]) * 32 for number in range(events))
    return Match(
        pattern=name,
        description="one run reaches many destinations",
        response=response,
        scope="run",
        target="r-1",
        evidence=evidence,
        at=NOW,
    )


def test_a_case_without_matches_or_flags_passes() -> None:
    assert supervisor(good_case()).result is LayerResult.PASS


def test_a_match_that_halts_is_refused_with_what_is_feared_what_met_it_and_what_to_do() -> None:
    word = supervisor(good_case(matches=(match(Response.HALT),)))
    assert word.result is LayerResult.REFUSE
    assert word.reason == "fan-out: one run reaches many destinations"
    assert "5 events" in word.evidence
    assert "04" * 6 in word.evidence
    assert "release" in word.fix


def test_a_match_that_holds_asks_a_person_and_names_the_pattern() -> None:
    word = supervisor(good_case(matches=(match(Response.HOLD),)))
    assert word.result is LayerResult.HOLD
    assert word.reason.startswith("fan-out: ")
    assert word.evidence and word.fix


def test_the_gravest_of_several_matches_speaks() -> None:
    every = (
        match(Response.FLAG, "one"),
        match(Response.HOLD, "two"),
        match(Response.HALT, "three"),
    )
    assert supervisor(good_case(matches=every)).reason.startswith("three: ")
    held = supervisor(good_case(matches=every[:2]))
    assert (held.result, held.reason[:5]) == (LayerResult.HOLD, "two: ")


def test_a_match_that_is_only_put_on_record_passes_and_is_named_in_the_evidence() -> None:
    word = supervisor(good_case(matches=(match(Response.FLAG),)))
    assert word.result is LayerResult.PASS
    assert "fan-out" in word.evidence


def test_an_effect_under_a_standing_flag_is_held_and_a_read_is_not() -> None:
    read = changed(SEND, effect=Effect.READ)
    held = supervisor(good_case(flags=(FLAG,)))
    assert held.result is LayerResult.HOLD
    assert held.evidence == FLAG
    assert supervisor(good_case(flags=(FLAG,), tool=read)).result is LayerResult.PASS
    assert supervisor(good_case(flags=(FLAG,), tool=None)).result is LayerResult.HOLD


def test_a_standing_flag_counts_beside_a_match_that_is_only_put_on_record() -> None:
    word = supervisor(good_case(flags=(FLAG,), matches=(match(Response.FLAG),)))
    assert word.result is LayerResult.HOLD
