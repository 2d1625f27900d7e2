"""The pattern engine does what an exhaustive reading of the whole history would do."""

import random
from itertools import accumulate, pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.names import SECOND, Classification
from schemas.patterns import EffectClass, FactKind, Pattern, Property, Step, Trusted
from schemas.supervision import MAX_EVIDENCE
from schemas.tools import Effect, Trust
from sidecar.supervision import engine
from sidecar.supervision.engine import (
    Fact,
    SupervisionState,
    fits,
    forget_run,
    forgive,
    observe,
    watching,
    would_match,
)

START = 1_790_000_000 * SECOND


def fact(at_s: float, kind: FactKind = FactKind.READ, **known: object) -> Fact:
    """A fact of run r-1 of ann's agent, `at_s` seconds after the start."""
    base = Fact(
        run="r-1", rep="ann", agent="bot", at=0, kind=kind, digest=repr((at_s, known)).encode()
    )
    return msgspec.structs.replace(base, at=START + int(at_s * SECOND), **known)


def matched(patterns: tuple[Pattern, ...], facts: list[Fact]) -> list[tuple[int, str, str]]:
    """(number of the fact, pattern, target) of every match, in order."""
    state = watching(SupervisionState(), patterns)
    found = []
    for number, one in enumerate(facts):
        state, matches = observe(state, one)
        found += [(number, match.pattern, match.target) for match in matches]
    return found


def step(*kinds: FactKind, **asked: object) -> Step:
    return Step(kinds=kinds, **asked)  # type: ignore[arg-type]


def pattern(*steps: Step, within_s: int = 60, **said: object) -> Pattern:
    return Pattern(name="p", description="d", steps=steps, within_s=within_s, **said)  # type: ignore[arg-type]


READ, EFFECT, REFUSAL = FactKind.READ, FactKind.EFFECT, FactKind.REFUSAL


def met_by_exhaustion(pattern: Pattern, facts: list[Fact]) -> bool:
    """Whether the last of one run's facts completes an ungrouped pattern, found by reading back.

    Taking the latest facts that serve leaves the most room for the steps before, so reading
    back from the end finds an instance wherever there is one.
    """
    times = []
    for one in facts:
        times.append(max(one.at, times[-1] if times else 0))
    since = times[-1] - pattern.within_s * SECOND
    place = len(facts) - 1
    for number, step in reversed(list(enumerate(pattern.steps))):
        values: set[str] = set()
        count = 0
        while (len(values) if step.distinct else count) < step.at_least:
            if place < 0 or times[place] < since:
                return False
            useful = fits(step, facts[place])
            found = _values(step, facts[place])
            if useful and (found or not step.distinct):
                values.update(found)
                count += 1
            elif number == len(pattern.steps) - 1 and place == len(facts) - 1:
                return False
            place -= 1
    return True


def _values(step: Step, one: Fact) -> tuple[str, ...]:
    if step.distinct is Property.DESTINATION:
        return one.destinations
    return one.objects if step.distinct is Property.OBJECT else ()


KINDS = st.sampled_from([READ, EFFECT, REFUSAL])
STEPS = st.builds(
    Step,
    kinds=st.lists(KINDS, min_size=1, max_size=2).map(tuple),
    at_least=st.integers(1, 4),
    distinct=st.sampled_from([None, None, Property.DESTINATION, Property.OBJECT]),
    outside=st.sampled_from([None, None, True]),
)
PATTERNS = st.builds(
    Pattern,
    name=st.just("p"),
    description=st.just("d"),
    steps=st.lists(STEPS, min_size=1, max_size=3).map(tuple),
    within_s=st.integers(1, 40),
)
GROUPED = st.builds(
    msgspec.structs.replace,
    PATTERNS,
    group_by=st.sampled_from([None, Property.DESTINATION, Property.OBJECT]),
)
NAMES = st.lists(st.sampled_from("abcde"), max_size=2).map(tuple)
DATED = st.builds(
    lambda after, kind, reached, touched, outside: (
        after,
        fact(0, kind, destinations=reached, objects=touched, outside=outside),
    ),
    st.integers(-2, 9),
    KINDS,
    NAMES,
    NAMES,
    st.sampled_from([None, True, False]),
)


def _told(dated: list[tuple[int, Fact]]) -> list[Fact]:
    """Facts, each dated so many seconds after the one before it."""
    times = accumulate(after for after, _ in dated)
    return [
        msgspec.structs.replace(one, at=START + at * SECOND)
        for at, (_, one) in zip(times, dated, strict=True)
    ]


FACTS = st.lists(DATED, max_size=30).map(_told)


@settings(max_examples=1_500, deadline=None)
@given(PATTERNS, FACTS)
def test_it_finds_exactly_what_an_exhaustive_reading_of_all_facts_finds(
    pattern: Pattern, facts: list[Fact]
) -> None:
    relevant = [f for f in facts if any(fits(step, f) for step in pattern.steps)]
    expected = [
        number
        for number in range(len(relevant))
        if met_by_exhaustion(pattern, relevant[: number + 1])
    ]
    assert [number for number, _, _ in matched((pattern,), relevant)] == expected


@settings(max_examples=200, deadline=None)
@given(GROUPED, FACTS, FACTS, st.randoms(use_true_random=False))
def test_facts_of_other_runs_change_nothing_for_a_run_in_whatever_order_they_arrive(
    pattern: Pattern, mine: list[Fact], others: list[Fact], dice: random.Random
) -> None:
    strange = [msgspec.structs.replace(one, run=f"r-{2 + i % 3}") for i, one in enumerate(others)]
    mixed = [*mine, *strange]
    order = sorted(range(len(mixed)), key=lambda _: dice.random())
    own = iter(mine)
    shuffled = [next(own) if i < len(mine) else mixed[i] for i in order]
    alone = [(name, target) for _, name, target in matched((pattern,), mine)]
    among = [(name, t) for _, name, t in matched((pattern,), shuffled) if t == "r-1"]
    assert among == alone


@settings(max_examples=300, deadline=None)
@given(GROUPED, FACTS, FACTS)
def test_asking_beforehand_says_what_observing_then_says_and_changes_nothing(
    pattern: Pattern, before: list[Fact], after: list[Fact]
) -> None:
    state = watching(SupervisionState(), (pattern,))
    for one in before:
        state, _ = observe(state, one)
    for one in after:
        asked = would_match(state, one)
        state, found = observe(state, one)
        assert asked == found


def test_a_pattern_of_two_steps_needs_them_in_order() -> None:
    leak = pattern(step(READ), step(EFFECT))
    assert matched((leak,), [fact(0), fact(1, EFFECT)]) == [(1, "p", "r-1")]
    assert matched((leak,), [fact(0, EFFECT), fact(1)]) == []


def test_what_lies_further_back_than_the_window_is_forgotten_and_its_edge_is_not() -> None:
    leak = pattern(step(READ), step(EFFECT), within_s=60)
    assert matched((leak,), [fact(0), fact(60, EFFECT)]) != []
    assert matched((leak,), [fact(0), fact(60.001, EFFECT)]) == []


def test_a_flood_of_facts_between_the_steps_hides_nothing() -> None:
    leak = pattern(step(READ, credential=True), step(EFFECT, at_least=3), within_s=3_600)
    flood = [fact(i, READ, credential=True) for i in range(1, 3_000)]
    facts = [
        fact(0, READ, credential=True),
        fact(0.1, EFFECT),
        fact(0.2, EFFECT),
        *flood,
        fact(3_000, EFFECT),
    ]
    assert [number for number, _, _ in matched((leak,), facts)] == [len(facts) - 1]


def test_one_fact_is_never_two_steps_of_the_same_instance() -> None:
    twice = pattern(step(READ), step(READ))
    assert matched((twice,), [fact(0)]) == []
    assert matched((twice,), [fact(0), fact(1)]) == [(1, "p", "r-1")]


def test_repeating_one_destination_is_no_fan_out() -> None:
    fan = pattern(step(EFFECT, at_least=3, distinct=Property.DESTINATION))
    same = [fact(i, EFFECT, destinations=("a",)) for i in range(10)]
    apart = [fact(i, EFFECT, destinations=(name,)) for i, name in enumerate("aabbc")]
    assert matched((fan,), same) == []
    assert matched((fan,), apart) == [(4, "p", "r-1")]


def test_one_effect_with_many_destinations_counts_each_of_them() -> None:
    fan = pattern(step(EFFECT, at_least=3, distinct=Property.DESTINATION))
    assert matched((fan,), [fact(0, EFFECT, destinations=("a", "b", "c"))]) == [(0, "p", "r-1")]


def test_a_fact_without_the_property_that_is_counted_completes_nothing() -> None:
    fan = pattern(step(EFFECT, at_least=2, distinct=Property.DESTINATION))
    facts = [fact(0, EFFECT, destinations=("a", "b")), fact(1, EFFECT)]
    assert matched((fan,), facts) == [(0, "p", "r-1")]


def test_grouped_facts_count_only_with_those_of_their_own_group() -> None:
    drip = pattern(step(EFFECT, at_least=3), group_by=Property.DESTINATION)
    names = ("a", "b", "a", "c", "b", "a")
    facts = [fact(i, EFFECT, destinations=(name,)) for i, name in enumerate(names)]
    assert matched((drip,), facts) == [(5, "p", "r-1")]


def test_a_read_that_belongs_to_no_group_opens_the_pattern_for_every_group() -> None:
    leak = pattern(step(READ), step(EFFECT, at_least=2), group_by=Property.DESTINATION)
    one, two = (fact(i, EFFECT, destinations=("a",)) for i in (1, 2))
    assert matched((leak,), [fact(0), one, two]) == [(2, "p", "r-1")]
    assert matched((leak,), [one, two]) == []


@pytest.mark.parametrize("scope", ["run", "rep", "agent", "workspace"])
def test_a_scope_takes_together_what_it_covers_and_nothing_else(scope: str) -> None:
    twice = pattern(step(EFFECT, at_least=2), scope=scope)
    here = fact(0, EFFECT)
    other = {
        "run": {"run": "r-2"},
        "rep": {"run": "r-2", "rep": "bob"},
        "agent": {"run": "r-2", "agent": "other"},
        "workspace": {"run": "r-2", "rep": "bob", "agent": "other"},
    }
    there = fact(1, EFFECT, **other[scope])
    covered = scope == "workspace"
    assert bool(matched((twice,), [here, there])) is covered
    target = {"run": "r-1", "rep": "ann", "agent": "bot", "workspace": ""}[scope]
    assert matched((twice,), [here, fact(1, EFFECT)]) == [(1, "p", target)]


CHANGES: list[tuple[dict[str, object], dict[str, object]]] = [
    ({"effects": ("payment",)}, {"effect": Effect.MUTATION}),
    ({"effects": ("payment",)}, {"effect": None}),
    ({"tools": ("mail.send",)}, {"tool": "crm.read"}),
    ({"sensitivity": Classification.RESTRICTED}, {"sensitivity": Classification.CONFIDENTIAL}),
    ({"credential": True}, {"credential": False}),
    ({"outside": True}, {"outside": False}),
    ({"outside": True}, {"outside": None}),
    ({"named": False}, {"named": True}),
    ({"named": False}, {"named": None}),
    ({"trust": "untrusted"}, {"trust": Trust.TRUSTED}),
    ({"trust": "untrusted"}, {"trust": None}),
    ({"layers": (2, 5)}, {"layers": (6, 14)}),
    ({"layers": (2, 5)}, {"layers": ()}),
]


@pytest.mark.parametrize(("asked", "unlike"), CHANGES)
def test_a_step_is_met_by_what_has_all_it_asks_for_and_by_nothing_that_lacks_one(
    asked: dict[str, object], unlike: dict[str, object]
) -> None:
    good = fact(
        0,
        tool="mail.send",
        effect=Effect.PAYMENT,
        sensitivity=Classification.RESTRICTED,
        credential=True,
        outside=True,
        named=False,
        trust=Trust.UNTRUSTED,
        layers=(5, 7),
    )
    assert fits(step(READ), good)
    assert fits(step(READ, **asked), good)
    assert not fits(step(EFFECT, **asked), good)
    assert not fits(step(READ, **asked), msgspec.structs.replace(good, **unlike))


def test_the_values_that_patterns_know_are_those_of_tools() -> None:
    assert EffectClass.__args__ == tuple(effect.value for effect in Effect)  # type: ignore[attr-defined]
    assert Trusted.__args__ == tuple(trust.value for trust in Trust)  # type: ignore[attr-defined]


def test_evidence_is_what_met_the_pattern_in_order_and_bounded() -> None:
    leak = pattern(step(READ), step(EFFECT, at_least=2), within_s=3_600)
    facts = [fact(0), fact(1), fact(2, EFFECT), fact(3, EFFECT), fact(4, EFFECT)]
    state = watching(SupervisionState(), (leak,))
    for one in facts:
        state, matches = observe(state, one)
    assert [match.evidence for match in matches] == [tuple(facts[i].digest for i in (1, 3, 4))]
    many = pattern(step(READ, at_least=200), within_s=3_600)
    state = watching(SupervisionState(), (many,))
    for number in range(200):
        state, matches = observe(state, fact(number))
    assert len(matches[0].evidence) == MAX_EVIDENCE
    assert matches[0].evidence[0] == fact(0).digest
    assert matches[0].evidence[-1] == fact(199).digest


def test_memory_is_bounded_however_many_facts_and_groups_there_are() -> None:
    drip = pattern(
        step(EFFECT, at_least=4), group_by=Property.DESTINATION, scope="workspace", within_s=86_400
    )
    state = watching(SupervisionState(), (drip,))
    for number in range(3 * engine.MAX_GROUPS):
        state, _ = observe(state, fact(number / 10, EFFECT, destinations=(f"d{number}",)))
    (watch,) = state.watches.values()
    assert len(watch.tracks) <= engine.MAX_GROUPS
    last = 3 * engine.MAX_GROUPS
    for _ in range(3):
        state, found = observe(state, fact(last, EFFECT, destinations=(f"d{last - 1}",)))
    assert [match.pattern for match in found] == ["p"]


def test_a_clock_that_runs_behind_hides_nothing() -> None:
    leak = pattern(step(READ), step(EFFECT), within_s=10)
    facts = [fact(100), fact(0), fact(105, EFFECT)]
    assert matched((leak,), facts) == [(2, "p", "r-1")]


def test_occurrences_at_the_edge_of_the_window_count_while_older_ones_go() -> None:
    thrice = pattern(step(EFFECT, at_least=3), within_s=60)
    facts = [fact(at, EFFECT) for at in (0, 1, 61, 61)]
    assert [number for number, _, _ in matched((thrice,), facts)] == [3]


def test_an_instance_that_began_too_early_is_not_saved_by_a_later_beginning() -> None:
    leak = pattern(step(READ), step(EFFECT, at_least=2), within_s=60)
    facts = [fact(0), fact(30, EFFECT), fact(50), fact(80, EFFECT)]
    assert matched((leak,), facts) == []


def test_of_a_groups_own_beginning_and_the_shared_one_the_later_counts() -> None:
    leak = pattern(step(READ), step(EFFECT), group_by=Property.DESTINATION)
    own, shared = {"destinations": ("a",)}, {}
    sent = fact(70, EFFECT, destinations=("a",))
    for early, late in ((own, shared), (shared, own)):
        facts = [fact(0, READ, **early), fact(50, READ, **late), sent]
        assert matched((leak,), facts) == [(2, "p", "r-1")]


def test_an_effect_on_several_groups_is_one_match() -> None:
    drip = pattern(step(EFFECT, at_least=2), group_by=Property.DESTINATION)
    both = [fact(at, EFFECT, destinations=("a", "b")) for at in (0, 1)]
    state, _ = observe(watching(SupervisionState(), (drip,)), both[0])
    assert len(would_match(state, both[1])) == len(observe(state, both[1])[1]) == 1


def test_a_flood_of_groups_does_not_push_out_what_all_groups_share() -> None:
    leak = pattern(step(READ), step(EFFECT, at_least=2), group_by=Property.DESTINATION)
    leak = msgspec.structs.replace(leak, within_s=86_400)
    state, _ = observe(watching(SupervisionState(), (leak,)), fact(0))
    for number in range(2 * engine.MAX_GROUPS):
        state, _ = observe(state, fact(1, EFFECT, destinations=(f"d{number}",)))
    state, _ = observe(state, fact(2, EFFECT, destinations=("new",)))
    assert would_match(state, fact(3, EFFECT, destinations=("new",))) != ()


def test_a_run_that_is_over_leaves_nothing_behind() -> None:
    leak = pattern(step(READ), step(EFFECT))
    state, _ = observe(watching(SupervisionState(), (leak,)), fact(0))
    state = forget_run(state, "r-1")
    assert len(state.watches) == 0
    assert would_match(state, fact(1, EFFECT)) == ()


def test_what_an_admin_released_begins_anew_and_other_scopes_do_not() -> None:
    agents = pattern(step(EFFECT, at_least=2), scope="agent")
    state, _ = observe(watching(SupervisionState(), (agents,)), fact(0, EFFECT))
    assert would_match(forgive(state, "agent", "other"), fact(1, EFFECT)) != ()
    assert would_match(forgive(state, "rep", "bot"), fact(1, EFFECT)) != ()
    assert would_match(forgive(state, "agent", "bot"), fact(1, EFFECT)) == ()


def test_a_new_policy_keeps_what_is_known_of_unchanged_patterns_and_of_no_others() -> None:
    kept = pattern(step(EFFECT, at_least=2))
    changed = msgspec.structs.replace(kept, name="q", within_s=30)
    state, _ = observe(watching(SupervisionState(), (kept, changed)), fact(0, EFFECT))
    wider = msgspec.structs.replace(changed, within_s=40)
    state = watching(state, (kept, wider))
    assert [match.pattern for match in would_match(state, fact(1, EFFECT))] == ["p"]
    assert watching(state, (kept, wider)) is state


def test_of_two_patterns_with_one_name_the_later_counts() -> None:
    one, two = pattern(step(READ), step(EFFECT)), pattern(step(EFFECT), within_s=9)
    state = watching(SupervisionState(), (one, two))
    assert state.patterns == (two,)
    assert [match.pattern for match in would_match(state, fact(0, EFFECT))] == ["p"]


def test_the_work_for_a_fact_does_not_grow_with_what_went_before() -> None:
    patterns = (
        pattern(step(READ), step(EFFECT, at_least=3)),
        msgspec.structs.replace(pattern(step(READ, at_least=9)), name="q"),
    )
    state, sizes = watching(SupervisionState(), patterns), []
    for number in range(2_000):
        state, _ = observe(state, fact(number / 100))
        (watch,) = state.watches.values()
        sizes.append(sum(len(s) for track in watch.tracks.values() for s in track.steps))
    assert all(late <= 10 for late in sizes)
    assert all(one == two for one, two in pairwise(sizes[20:]))
