"""Each built-in pattern: a history that meets it, and histories that come near and do not."""

from collections.abc import Callable

import msgspec
import pytest

from schemas.names import SECOND, Classification
from schemas.patterns import FactKind, Pattern
from schemas.tools import Effect, Trust
from sidecar.supervision import DEFAULT_PATTERNS, Fact, SupervisionState, observe, watching

START = 1_790_000_000 * SECOND
MINUTE, HOUR = 60, 3_600

History = list[Fact]


def _fact(at_s: float, kind: FactKind, known: dict[str, object]) -> Fact:
    base = Fact(run="r-1", rep="ann", agent="bot", at=0, kind=kind, digest=b"")
    at = START + int(at_s * SECOND)
    return msgspec.structs.replace(base, at=at, digest=at.to_bytes(32, "big"), **known)


def read(at_s: float, sensitivity: str = "INTERNAL", **known: object) -> Fact:
    """A read of something inside the organisation, from a trusted source."""
    usual = {
        "effect": Effect.READ,
        "outside": False,
        "trust": Trust.TRUSTED,
        "sensitivity": Classification(sensitivity),
    }
    return _fact(at_s, FactKind.READ, usual | known)


def arrived(at_s: float, sensitivity: str = "INTERNAL", **known: object) -> Fact:
    """Something that came by itself, from outside."""
    usual = {"trust": Trust.UNTRUSTED, "sensitivity": Classification(sensitivity)}
    return _fact(at_s, FactKind.ARRIVAL, usual | known)


def send(at_s: float, to: str = "x@evil.example", **known: object) -> Fact:
    """A message outside, to somebody the rep did not name."""
    usual = {
        "effect": Effect.COMMUNICATION,
        "outside": True,
        "named": False,
        "destinations": (to,),
    }
    return _fact(at_s, FactKind.EFFECT, usual | known)


def change(at_s: float, *records: str, **known: object) -> Fact:
    """A change of records inside."""
    usual = {"effect": Effect.MUTATION, "outside": False, "objects": records}
    return _fact(at_s, FactKind.EFFECT, usual | known)


def refused(at_s: float, *layers: int, **known: object) -> Fact:
    """The gate refused."""
    return _fact(at_s, FactKind.REFUSAL, {"layers": layers} | known)


def held(at_s: float, *layers: int, **known: object) -> Fact:
    """The gate asked a person."""
    return _fact(at_s, FactKind.HOLD, {"layers": layers} | known)


def approved(at_s: float, **known: object) -> Fact:
    """A person said yes."""
    return _fact(at_s, FactKind.APPROVAL, known)


def times(count: int, every_s: float, tell: Callable[[float, int], Fact]) -> History:
    """The same told `count` times."""
    return [tell(number * every_s, number) for number in range(count)]


def met(history: History) -> set[str]:
    """The patterns that a history meets."""
    state = watching(SupervisionState(), DEFAULT_PATTERNS)
    found: set[str] = set()
    for fact in history:
        state, matches = observe(state, fact)
        found |= {match.pattern for match in matches}
    return found


MEET: dict[str, History] = {
    "retrieval-then-egress": [read(0, "CONFIDENTIAL"), send(30)],
    "secret-then-egress": [read(0, credential=True), send(9, "jane@boeing.example", named=True)],
    "secret-then-stranger": [arrived(0, credential=True), send(9)],
    "relay": [read(0, "RESTRICTED"), send(5 * MINUTE, run="r-2")],
    "fan-out": times(5, 60, lambda at, i: send(at, f"x{i}@evil.example")),
    "broadcast": times(50, 60, lambda at, i: send(at, f"x{i}@y.example", named=True)),
    "slow-drip": times(8, 2 * HOUR, lambda at, i: send(at, run=f"r-{i % 2}")),
    "common-stranger": times(3, 6 * HOUR, lambda at, i: send(at, run=f"r-{i}", agent=f"a-{i}")),
    "mass-mutation": times(40, 7, lambda at, i: change(at, f"deal-{i}")),
    "mass-mutation-by-parts": times(
        150, 3.9, lambda at, i: change(at, f"deal-{i}", run=f"r-{i % 10}")
    ),
    "effect-burst": times(200, 1.4, lambda at, i: change(at, "deal-1", run=f"r-{i % 10}")),
    "sweep-then-egress": [
        *times(50, 10, lambda at, i: read(at, objects=(f"deal-{i}",))),
        send(600, "jane@boeing.example", named=True),
    ],
    "reading-spree": [
        *times(100, 10, lambda at, i: read(at)),
        send(1_000, "ann@acme.example", outside=False),
    ],
    "probing": times(4, 100, lambda at, i: refused(at, 4 + i % 2)),
    "probing-on": times(10, 6 * MINUTE, lambda at, i: refused(at, 5, 6)),
    "probing-by-parts": times(3, 20 * MINUTE, lambda at, i: refused(at, 2, run=f"r-{i}")),
    "turned": [arrived(0), *times(3, 60, lambda at, i: refused(at + 1, 7 + i % 2))],
    "rubber-stamp": times(8, 8, lambda at, i: approved(at, run=f"r-{i}")),
    "halted-by-pattern": [refused(0, 13)],
    "often-supervised": times(3, 10 * HOUR, lambda at, i: held(at, 8, 13, run=f"r-{i}")),
}

NEAR: dict[str, list[History]] = {
    "retrieval-then-egress": [
        [send(0), read(30, "CONFIDENTIAL")],
        [read(0, "INTERNAL"), send(30)],
        [read(0, "CONFIDENTIAL"), send(30, named=True)],
        [read(0, "CONFIDENTIAL"), send(30, outside=False)],
        [read(0, "CONFIDENTIAL"), send(HOUR + 1)],
        [read(0, "CONFIDENTIAL"), send(30, run="r-2")],
        [read(0, "CONFIDENTIAL"), send(30, outside=None, named=None)],
    ],
    "secret-then-egress": [
        [read(0), send(9)],
        [read(0, credential=True), send(9, outside=False)],
        [read(0, credential=True), change(9, "deal-1")],
        [send(0), read(9, credential=True)],
    ],
    "secret-then-stranger": [
        [arrived(0, credential=True), send(9, named=True)],
        [arrived(0, credential=True), send(9, outside=False)],
        [arrived(0, credential=True), read(9, outside=True)],
    ],
    "relay": [
        [read(0, "CONFIDENTIAL"), send(60, run="r-2")],
        [read(0, "RESTRICTED"), send(60, run="r-2", agent="other")],
        [read(0, "RESTRICTED"), send(10 * MINUTE + 1, run="r-2")],
        [read(0, "RESTRICTED"), send(60, run="r-2", named=True)],
    ],
    "fan-out": [
        times(4, 60, lambda at, i: send(at, f"x{i}@evil.example")),
        times(50, 1, lambda at, i: send(at, f"x{i % 4}@evil.example")),
        times(9, 1, lambda at, i: send(at, f"x{i}@y.example", named=True)),
        times(9, 1, lambda at, i: send(at, f"x{i}@acme.example", outside=False)),
        times(9, 200, lambda at, i: send(at, f"x{i}@evil.example")),
        times(9, 1, lambda at, i: send(at, f"x{i}@evil.example", run=f"r-{i % 3}")),
    ],
    "broadcast": [
        times(49, 60, lambda at, i: send(at, f"x{i}@y.example", named=True)),
        times(90, 1, lambda at, i: send(at, f"x{i}@acme.example", outside=False)),
    ],
    "slow-drip": [
        times(7, HOUR, lambda at, i: send(at)),
        times(12, 4 * HOUR, lambda at, i: send(at)),
        times(12, HOUR, lambda at, i: send(at, "jane@boeing.example", named=True)),
        times(12, HOUR, lambda at, i: send(at, f"x{i % 2}@evil.example")),
        times(12, HOUR, lambda at, i: send(at, agent=f"a-{i % 2}")),
    ],
    "common-stranger": [
        times(9, HOUR, lambda at, i: send(at, run=f"r-{i % 2}")),
        times(3, HOUR, lambda at, i: send(at, f"x{i}@evil.example", run=f"r-{i}")),
        times(3, HOUR, lambda at, i: send(at, run=f"r-{i}", named=True)),
        times(3, 13 * HOUR, lambda at, i: send(at, run=f"r-{i}")),
    ],
    "mass-mutation": [
        times(39, 7, lambda at, i: change(at, f"deal-{i}")),
        times(99, 1, lambda at, i: change(at, f"deal-{i % 39}")),
        times(99, 9, lambda at, i: change(at, f"deal-{i}")),
        times(99, 1, lambda at, i: change(at, f"deal-{i}", run=f"r-{i % 3}")),
        times(99, 1, lambda at, i: read(at, objects=(f"deal-{i}",))),
    ],
    "mass-mutation-by-parts": [
        times(149, 3, lambda at, i: change(at, f"deal-{i}", run=f"r-{i % 10}")),
        times(200, 3, lambda at, i: change(at, f"deal-{i}", agent=f"a-{i % 2}")),
    ],
    "effect-burst": [
        times(199, 1, lambda at, i: change(at, "deal-1", run=f"r-{i % 10}")),
        times(300, 1, lambda at, i: read(at)),
        times(300, 2, lambda at, i: change(at, "deal-1", run=f"r-{i % 10}")),
    ],
    "sweep-then-egress": [
        times(90, 1, lambda at, i: read(at, objects=(f"deal-{i}",))),
        [*times(49, 1, lambda at, i: read(at, objects=(f"deal-{i}",))), send(99)],
        [*times(90, 1, lambda at, i: read(at, objects=(f"deal-{i % 9}",))), send(99)],
        [*times(90, 1, lambda at, i: read(at, objects=(f"d-{i}",))), send(99, outside=False)],
        [*times(90, 1, lambda at, i: arrived(at, objects=(f"d-{i}",))), send(99)],
    ],
    "reading-spree": [
        [*times(99, 1, lambda at, i: read(at)), send(999)],
        [*times(200, 1, lambda at, i: read(at)), change(999, "deal-1")],
    ],
    "probing": [
        times(3, 1, lambda at, i: refused(at, 5)),
        times(9, 1, lambda at, i: refused(at, 6, 14)),
        times(9, 201, lambda at, i: refused(at, 5)),
        times(9, 1, lambda at, i: refused(at, 5, run=f"r-{i % 3}")),
        times(9, 1, lambda at, i: held(at, 4, 5)),
    ],
    "probing-on": [
        times(9, 60, lambda at, i: refused(at, 5)),
        times(20, 7 * MINUTE, lambda at, i: refused(at, 5)),
    ],
    "probing-by-parts": [
        times(9, 60, lambda at, i: refused(at, 2, run=f"r-{i % 2}")),
        times(3, 60, lambda at, i: refused(at, 2, run=f"r-{i}", agent=f"a-{i}")),
        times(3, 60, lambda at, i: refused(at, 6, run=f"r-{i}")),
    ],
    "turned": [
        times(9, 60, lambda at, i: refused(at, 7)),
        [read(0), *times(9, 60, lambda at, i: refused(at, 7))],
        [arrived(0), *times(2, 60, lambda at, i: refused(at, 7))],
        [arrived(0), *times(9, 60, lambda at, i: refused(at, 6, 11, 12))],
        [*times(2, 60, lambda at, i: refused(at, 7)), arrived(200), refused(201, 7)],
    ],
    "rubber-stamp": [
        times(7, 1, lambda at, i: approved(at)),
        times(20, 9, lambda at, i: approved(at)),
        times(20, 1, lambda at, i: held(at, 14)),
        times(8, 1, lambda at, i: approved(at, agent=f"a-{i % 2}")),
    ],
    "halted-by-pattern": [[held(0, 13)], [refused(0, 3, 12, 14)]],
    "often-supervised": [
        times(9, HOUR, lambda at, i: held(at, 13, run=f"r-{i % 2}")),
        times(3, HOUR, lambda at, i: held(at, 13, run=f"r-{i}", agent=f"a-{i}")),
        times(3, HOUR, lambda at, i: held(at, 7, run=f"r-{i}")),
    ],
}


@pytest.mark.parametrize("name", [pattern.name for pattern in DEFAULT_PATTERNS])
def test_a_pattern_is_met_by_its_history_and_by_its_last_fact_only(name: str) -> None:
    assert name in met(MEET[name])
    assert name not in met(MEET[name][:-1])


@pytest.mark.parametrize(
    ("name", "number"), [(name, i) for name, told in NEAR.items() for i in range(len(told))]
)
def test_a_history_that_comes_near_does_not_meet_the_pattern(name: str, number: int) -> None:
    assert name not in met(NEAR[name][number])


def test_every_built_in_pattern_has_histories_on_both_sides() -> None:
    names = {pattern.name for pattern in DEFAULT_PATTERNS}
    assert MEET.keys() == NEAR.keys() == names
    assert len(names) == len(DEFAULT_PATTERNS)


HONEST: dict[str, History] = {
    "a rep's follow-up: mail read, deal read, one mail to the named customer, deal moved on": [
        arrived(0, "CONFIDENTIAL"),
        read(5, "CONFIDENTIAL", objects=("deal-1",)),
        send(20, "jane@boeing.example", named=True),
        change(25, "deal-1"),
    ],
    "a report inside: many records read, one message to the boss": [
        *times(40, 2, lambda at, i: read(at, "CONFIDENTIAL", objects=(f"deal-{i}",))),
        send(120, "boss@acme.example", outside=False, named=True),
    ],
    "a round of invitations to ten named customers": times(
        10, 5, lambda at, i: send(at, f"c{i}@customer.example", named=True)
    ),
    "a research task: many pages read, one note written": [
        *times(60, 3, lambda at, i: read(at, outside=True, trust=Trust.UNTRUSTED)),
        change(300, "note-1"),
    ],
    "a clumsy brain: three wrong tool names, then the right one": [
        *times(3, 2, lambda at, i: refused(at, 4, 5)),
        change(10, "deal-1"),
    ],
    "a busy day of one agent: forty runs, each a mail to its own customer": times(
        40, 10 * MINUTE, lambda at, i: send(at, f"c{i}@customer.example", run=f"r-{i}", named=True)
    ),
}


@pytest.mark.parametrize("work", HONEST)
def test_honest_work_meets_no_pattern(work: str) -> None:
    assert met(HONEST[work]) == set()


@pytest.mark.parametrize("pattern", DEFAULT_PATTERNS, ids=lambda pattern: pattern.name)
def test_a_built_in_pattern_is_told_in_words_and_survives_the_ledger(pattern: Pattern) -> None:
    assert len(pattern.description) > 40
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(pattern), type=Pattern) == pattern
