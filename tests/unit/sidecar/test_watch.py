"""The watch over destinations: what is looked at and when, what a look does, who is let back."""

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from immutables import Map

from bus.decider import Done, Draft, Recorded, Tick
from schemas.destinations import (
    DestinationAllowed,
    DestinationBlocked,
    DestinationExpired,
    DestinationReadmitted,
    DestinationRevalidated,
    DestinationUnverified,
    Ownership,
)
from schemas.events import AnyBody, decode_event, encode_event
from schemas.names import NO_DIGEST, SECOND, Role
from schemas.runs import PolicySet
from schemas.tools import AllowedDestination, Policy
from sidecar.decider import SidecarDecider
from sidecar.destinations import looking
from sidecar.destinations.fingerprint import Unobservable, fingerprint
from sidecar.destinations.schedule import RETRY_S, Standing, judge
from sidecar.destinations.watch import Watch, evolve
from sidecar.effects import Execute, LookUp
from sidecar.state import RunState, SidecarState
from tests.cases import ARGUMENTS, NOW, POLICY, REQUEST, changed, recorded

OWNER = Ownership(
    domain="boeing.example",
    zone="boeing.example",
    name_servers=("ns1.dns-one.example", "ns2.dns-one.example"),
    mname="ns1.dns-one.example",
    rname="hostmaster.boeing.example",
    mail=("mx.post-one.example",),
)
DRIFTED = changed(OWNER, mname="ns2.dns-one.example")
SOLD = changed(OWNER, mail=("mx.parked.example",))
SILENT = Unobservable("no name server answered in time")
BOEING = AllowedDestination(destination="@boeing.example", owned=True)
DAY = 86_400 * SECOND


def policy(*entries: AllowedDestination, **changes: Any) -> Policy:
    return changed(POLICY, destinations=entries or (BOEING,), **changes)


class Place:
    """A ledger's watch as it goes on, a second an entry. `at` is the last entry's time."""

    def __init__(self, *entries: AllowedDestination, **changes: Any) -> None:
        self.watch, self.index, self.at = Watch(), 0, NOW
        self.say(PolicySet(policy=policy(*entries, **changes)))

    def say(self, body: AnyBody, *, after: int = SECOND) -> None:
        self.index, self.at = self.index + 1, self.at + after
        digest = hashlib.sha256(str(self.index).encode()).digest()
        self.watch = evolve(self.watch, entry(body, digest, self.index, self.at))

    def look(
        self, observed: Ownership | Unobservable, *, after: int = SECOND, domain: str = ""
    ) -> Draft:
        """A look at a domain, and what it put on record."""
        effect = looking.look_up(domain or "boeing.example")
        draft = looking.found(self.watch, effect, observed)
        assert draft is not None
        self.say(draft.body, after=after)
        return draft

    def standing(self, now: int | None = None) -> Standing:
        """Of the one domain, as layer 10 asks."""
        found = self.watch.owned["boeing.example"]
        return judge(found, None, now or self.at, self.watch.every_s).standing

    def outstanding(self, now: int) -> list[str]:
        """What is due: the domains to look at, the entries to be recorded as over."""
        return [
            out.domain if isinstance(out, LookUp) else getattr(out.body, "destination", "?")
            for out in looking.outstanding(self.watch, now)
        ]


def entry(body: AnyBody, digest: bytes, index: int, at: int) -> Recorded:
    made = recorded(body, digest, Role.SIDECAR, "sidecar", index=index, at=at)
    event = msgspec.structs.replace(made.event, run=None)
    return Recorded(index, digest, event, event)


def test_a_watched_entry_is_looked_at_at_once_and_one_that_is_not_never() -> None:
    other = AllowedDestination(destination="@acme.example")
    assert Place(BOEING, other).outstanding(NOW) == ["boeing.example"]
    assert Place(other).watch.due is None


def test_the_first_owner_seen_is_the_measure_and_small_changes_do_not_move_it() -> None:
    place = Place()
    assert isinstance(place.look(OWNER).body, DestinationAllowed)
    drifted = place.look(DRIFTED).body
    assert isinstance(drifted, DestinationRevalidated)
    assert "ns2.dns-one.example" in drifted.drift
    assert drifted.fingerprint == fingerprint(DRIFTED)
    assert place.watch.owned["boeing.example"].owner == OWNER
    assert place.standing() is Standing.ALIVE


def test_looks_come_by_the_policys_schedule() -> None:
    place = Place(revalidate_s=600)
    place.look(OWNER)
    looked = place.at
    assert place.watch.due == looked + 600 * SECOND
    assert place.outstanding(looked + 600 * SECOND - 1) == []
    assert place.outstanding(looked + 600 * SECOND) == ["boeing.example"]
    place.look(OWNER)
    assert place.watch.due == place.at + 600 * SECOND


def test_silence_never_counts_as_unchanged_and_is_asked_about_again_soon() -> None:
    place = Place()
    place.look(OWNER)
    body = place.look(SILENT).body
    assert body == DestinationUnverified(domain="boeing.example", reason=SILENT.reason)
    assert place.standing() is Standing.UNVERIFIED
    assert place.watch.due == place.at + RETRY_S * SECOND
    place.look(SILENT)
    assert place.watch.due == place.at + 2 * RETRY_S * SECOND
    place.look(OWNER)
    assert place.standing() is Standing.ALIVE
    assert place.watch.due == place.at + DAY


def test_a_domain_that_was_never_seen_has_no_standing_at_all() -> None:
    place = Place()
    place.look(SILENT)
    assert "boeing.example" not in place.watch.owned
    assert isinstance(place.look(OWNER).body, DestinationAllowed)


def test_another_owner_blocks_and_says_what_changed() -> None:
    place = Place()
    place.look(OWNER)
    body = place.look(SOLD).body
    assert isinstance(body, DestinationBlocked)
    assert body.what == "mail is now taken in at mx.parked.example"
    assert body.owner == SOLD
    assert place.standing() is Standing.CHANGED


@pytest.mark.parametrize("later", [OWNER, DRIFTED, SOLD, SILENT])
def test_a_blocked_domain_stays_blocked_whatever_is_seen(later: Any) -> None:
    place = Place()
    place.look(OWNER)
    place.look(SOLD)
    assert not isinstance(place.look(later).body, DestinationAllowed | DestinationRevalidated)
    assert place.standing() is Standing.CHANGED
    mark = fingerprint(OWNER)
    place.say(DestinationRevalidated(domain="boeing.example", owner=OWNER, fingerprint=mark))
    assert place.standing() is Standing.CHANGED


def readmit(place: Place, owner: Ownership) -> None:
    body = DestinationReadmitted(
        domain="boeing.example", fingerprint=fingerprint(owner), reason="a merger"
    )
    place.say(body)


@pytest.mark.parametrize("owner", [OWNER, SOLD])
def test_an_admin_admits_one_of_the_owners_seen_and_it_is_looked_at_before_it_counts(
    owner: Ownership,
) -> None:
    place = Place()
    place.look(OWNER)
    place.look(SOLD)
    readmit(place, owner)
    assert place.standing() is Standing.UNVERIFIED
    assert place.outstanding(place.at) == ["boeing.example"]
    other = SOLD if owner == OWNER else OWNER
    assert isinstance(place.look(owner).body, DestinationRevalidated)
    assert place.standing() is Standing.ALIVE
    assert isinstance(place.look(other).body, DestinationBlocked)


def test_an_owner_nobody_saw_cannot_be_admitted_nor_one_that_is_not_blocked() -> None:
    place = Place()
    readmit(place, SOLD)
    place.look(OWNER)
    before = place.watch
    readmit(place, SOLD)
    assert place.watch == before
    place.look(SOLD)
    readmit(place, DRIFTED)
    assert place.standing() is Standing.CHANGED


def test_a_policy_that_keeps_a_domain_keeps_its_owner_and_one_that_drops_it_forgets() -> None:
    place = Place()
    place.look(OWNER)
    place.look(SOLD)
    jane = AllowedDestination(destination="jane@boeing.example", owned=True)
    place.say(PolicySet(policy=policy(jane)))
    assert place.standing() is Standing.CHANGED
    other = AllowedDestination(destination="@acme.example")
    place.say(PolicySet(policy=policy(other)))
    assert place.watch.owned == Map()
    assert looking.found(place.watch, looking.look_up("boeing.example"), OWNER) is None
    place.say(PolicySet(policy=policy()))
    assert isinstance(place.look(SOLD).body, DestinationAllowed)


def test_an_entrys_end_is_recorded_once_and_ends_its_looks() -> None:
    end = NOW + 60 * SECOND
    place = Place(changed(BOEING, expires=end))
    place.look(OWNER)
    assert place.watch.due == end
    assert place.outstanding(end - 1) == []
    [draft] = looking.outstanding(place.watch, end)
    assert isinstance(draft, Draft)
    assert draft.body == DestinationExpired(destination="@boeing.example", expires=end)
    place.say(draft.body, after=60 * SECOND)
    assert place.outstanding(end + DAY) == []
    assert place.watch.due is None
    renewed = changed(BOEING, expires=end + 9 * DAY)
    place.say(PolicySet(policy=policy(renewed)))
    assert place.outstanding(end + 2 * DAY) == ["boeing.example"]
    assert isinstance(place.look(SOLD).body, DestinationBlocked)


def test_a_proposal_waits_for_a_look_unless_one_is_fresh_or_came_after_it() -> None:
    place = Place(fresh_s=60)
    hosts = ("boeing.example", "acme.example")

    def waits(since: int, now: int) -> bool:
        return bool(looking.awaited(place.watch, hosts, since, now))

    assert waits(0, NOW)
    place.look(OWNER)
    seen, later = place.at, place.index + 5
    assert not waits(later, seen + 60 * SECOND)
    assert waits(later, seen + 60 * SECOND + 1)
    assert waits(later, seen - 1)
    assert not waits(place.index - 1, seen + 9 * DAY)
    place.look(SILENT)
    assert not waits(later, place.at)
    assert waits(later, place.at + 61 * SECOND)
    place.look(SOLD)
    assert not waits(later, place.at + DAY)


def test_no_look_is_awaited_for_longer_than_the_gate_believes_it() -> None:
    place = Place(fresh_s=3600, revalidate_s=60)
    place.look(OWNER)
    late = place.at + 61 * SECOND
    assert place.standing(late) is Standing.UNVERIFIED
    assert looking.awaited(place.watch, ("boeing.example",), 99, late)


OBSERVED = st.sampled_from([OWNER, DRIFTED, SOLD, SILENT])


@given(st.lists(st.one_of(OBSERVED, st.just("admit")), max_size=12))
def test_each_look_has_its_own_cause_and_its_event_recalls_it(story: list[Any]) -> None:
    place, causes = Place(), set[tuple[bytes, ...]]()
    for told in story:
        if told == "admit":
            readmit(place, SOLD)
            continue
        before = place.watch
        draft = place.look(told)
        assert draft.causes not in causes
        causes.add(draft.causes)
        assert not isinstance(draft.body, DestinationExpired)
        effect, observed = looking.recalled(draft.body)  # type: ignore[arg-type]
        assert looking.found(before, effect, observed) == draft


def test_a_hostile_zone_of_long_names_still_makes_an_event_that_can_be_read() -> None:
    place = Place()
    place.look(OWNER)
    hosts = tuple(f"{n:04}.{'x' * 60}.{'y' * 60}.example" for n in range(500))
    body = place.look(changed(OWNER, mail=hosts)).body
    assert isinstance(body, DestinationBlocked)
    made = entry(body, NO_DIGEST, 9, NOW).event
    assert decode_event(encode_event(made)) == made


def test_a_look_that_answers_about_another_domain_shows_nothing() -> None:
    place = Place()
    body = place.look(changed(OWNER, domain="eve.example", zone="eve.example")).body
    assert isinstance(body, DestinationUnverified)


def sidecar(place: Place) -> SidecarState:
    run = RunState(request=recorded(REQUEST, b"q" * 32, Role.REP, "ann"))
    runs = Map({"r-1": run})
    return SidecarState(workspace="acme", policy=policy(), watch=place.watch, runs=runs)


def test_the_decider_asks_records_and_wakes_for_what_the_watch_owes() -> None:
    place, decider = Place(), SidecarDecider()
    state = sidecar(place)
    [asked] = [out for out in decider.decide(state, Tick(), NOW) if isinstance(out, LookUp)]
    assert decider.wake_at(state) == 0
    [draft] = decider.decide(state, Done(asked, OWNER), NOW)
    assert isinstance(draft, Draft)
    assert isinstance(draft.body, DestinationAllowed)
    assert draft.run is None
    place.look(OWNER)
    assert decider.wake_at(sidecar(place)) == place.at + DAY


def test_an_effect_whose_destination_was_blocked_before_its_record_is_forbidden() -> None:
    place, decider = Place(), SidecarDecider()
    send = Execute(
        rep="ann",
        key="k",
        run="r-1",
        proposal=b"p" * 32,
        tool="mail.send",
        arguments=ARGUMENTS,
        idempotency_key="i",
    )
    elsewhere = changed(send, arguments={"to": ["sam@other.example"]})
    place.look(OWNER)
    assert decider.revise(sidecar(place), send) == send
    place.look(SOLD)
    assert decider.revise(sidecar(place), send) == changed(send, allowed=False)
    assert decider.revise(sidecar(place), elsewhere) == elsewhere
