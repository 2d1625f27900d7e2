"""Ownership by the DNS's facts: what passes as the same owner, what does not, and when to look."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from schemas.names import SECOND
from sidecar.destinations.fingerprint import (
    Changed,
    Ownership,
    Same,
    Unobservable,
    compare,
    fingerprint,
    ownership,
)
from sidecar.destinations.schedule import (
    GRACE_S,
    RETRY_S,
    Standing,
    allowed,
    judge,
    looked,
    next_look,
)

NOW = 1_800_000_000 * SECOND
DAY = 24 * 3600 * SECOND

OWNER = ownership(
    "boeing.example",
    "boeing.example",
    name_servers=tuple(f"ns{n}.dns-one.example" for n in (1, 2, 3, 4)),
    mname="ns1.dns-one.example",
    rname="hostmaster.boeing.example",
    mail=("mx1.post-one.example", "mx2.post-one.example"),
    signers=("12345 13 2 aa",),
)
ENTRY = allowed(OWNER, NOW, 90 * 24 * 3600)
SILENT = Unobservable("no name server answered in time")

SMALL: dict[str, dict[str, Any]] = {
    "one name server of four is another": {
        "name_servers": (*OWNER.name_servers[:3], "ns9.dns-two.example")
    },
    "two name servers of four are others": {
        "name_servers": (*OWNER.name_servers[:2], "ns8.dns-two.example", "ns9.dns-two.example")
    },
    "a name server is added": {"name_servers": (*OWNER.name_servers, "ns5.dns-one.example")},
    "the zone's primary server is another": {"mname": "ns2.dns-one.example"},
    "the zone's contact is another": {"rname": "dns.boeing.example"},
    "mail is taken in at another host of the operator": {"mail": ("mx3.post-one.example",)},
    "the signing key was rolled": {"signers": ("54321 13 2 bb",)},
    "the zone is signed with a second key": {"signers": (*OWNER.signers, "54321 13 2 bb")},
}

LARGE: dict[str, dict[str, Any]] = {
    "three name servers of four are others": {
        "name_servers": ("ns1.dns-one.example", *(f"ns{n}.dns-two.example" for n in (1, 2, 3)))
    },
    "all name servers are others, of the same operator": {
        "name_servers": tuple(f"ns{n}.dns-one.example" for n in (5, 6, 7, 8))
    },
    "one name server of four is left among three": {
        "name_servers": ("ns1.dns-one.example", "ns8.dns-two.example", "ns9.dns-two.example")
    },
    "the name servers are a registrar's parking": {
        "name_servers": ("ns1.parked.example", "ns2.parked.example")
    },
    "the zone's primary server and contact are others": {
        "mname": "ns1.dns-two.example",
        "rname": "hostmaster.dns-two.example",
    },
    "mail is taken in by another operator": {"mail": ("mx1.post-two.example",)},
    "mail is taken in by another operator as well": {"mail": (*OWNER.mail, "mx1.post-two.example")},
    "mail is no longer taken in": {"mail": ()},
    "the zone is no longer signed": {"signers": ()},
    "the name became an alias": {"alias": "tenant.host-one.example"},
    "the facts are of another domain": {"domain": "boelng.example", "zone": "boelng.example"},
}


@pytest.mark.parametrize("name", SMALL)
def test_a_small_change_is_the_same_owner_with_a_note(name: str) -> None:
    same = compare(OWNER, replace(OWNER, **SMALL[name]))
    assert isinstance(same, Same)
    assert same.drift


@pytest.mark.parametrize("name", LARGE)
def test_a_large_change_may_be_another_owner(name: str) -> None:
    changed = compare(OWNER, replace(OWNER, **LARGE[name]))
    assert isinstance(changed, Changed)
    assert changed.what


PAIRS = [
    (one, other)
    for at, one in enumerate(SMALL)
    for other in list(SMALL)[at + 1 :]
    if not set(SMALL[one]) & set(SMALL[other])
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_small_changes_at_once_may_be_another_owner(one: str, other: str) -> None:
    seen = replace(OWNER, **SMALL[one], **SMALL[other])
    assert isinstance(compare(OWNER, seen), Changed)


@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_every_change_changes_the_fingerprint(name: str) -> None:
    assert fingerprint(replace(OWNER, **(SMALL | LARGE)[name])) != fingerprint(OWNER)


def test_an_alias_may_move_within_its_operator_but_not_to_another() -> None:
    files = replace(OWNER, domain="files.boeing.example", alias="a.host-one.example")
    assert compare(files, replace(files, alias="b.host-one.example")) == Same(
        "the name is now an alias of b.host-one.example"
    )
    assert isinstance(compare(files, replace(files, alias="a.host-two.example")), Changed)
    assert isinstance(compare(files, replace(files, alias="")), Changed)


def test_one_name_server_of_three_is_too_few() -> None:
    three = replace(OWNER, name_servers=OWNER.name_servers[:3])
    left = ("ns1.dns-one.example", "ns8.dns-two.example", "ns9.dns-two.example")
    assert isinstance(compare(three, replace(three, name_servers=left)), Changed)
    left = (*OWNER.name_servers[:2], "ns9.dns-two.example")
    assert isinstance(compare(three, replace(three, name_servers=left)), Same)


def test_a_change_says_where_things_are_now() -> None:
    moved = compare(OWNER, replace(OWNER, mail=("mx.post-two.example",), signers=()))
    assert moved == Changed(
        "mail is now taken in at mx.post-two.example; the zone is no longer signed"
    )
    assert compare(OWNER, replace(OWNER, mail=())) == Changed("mail is now taken in at nowhere")


def test_a_pair_of_name_servers_may_lose_one_of_two_but_not_both() -> None:
    pair = replace(OWNER, name_servers=("ns1.dns-one.example", "ns2.dns-one.example"))
    half = replace(pair, name_servers=("ns1.dns-one.example", "ns3.dns-two.example"))
    assert isinstance(compare(pair, half), Same)
    assert isinstance(compare(half, replace(pair, name_servers=("ns2.dns-one.example",))), Changed)


HOSTS = st.lists(st.from_regex(r"[a-z]{1,5}\.(one|two)\.example", fullmatch=True), max_size=4).map(
    tuple
)
OWNERSHIPS = st.builds(
    ownership,
    st.just("boeing.example"),
    st.just("boeing.example"),
    name_servers=HOSTS,
    mname=st.sampled_from(["ns1.one.example", "ns1.two.example"]),
    rname=st.sampled_from(["dns.one.example", "dns.two.example"]),
    mail=HOSTS,
    signers=HOSTS,
    alias=st.sampled_from(["", "a.one.example"]),
)


@given(OWNERSHIPS, st.randoms())
def test_order_case_doubles_and_the_final_dot_do_not_count(facts: Ownership, chance: Any) -> None:
    fields = asdict(facts)
    for name, value in fields.items():
        if isinstance(value, tuple):
            doubled = [text.upper() + "." for text in value] + list(value)
            chance.shuffle(doubled)
            fields[name] = tuple(doubled)
        else:
            fields[name] = value.upper() + "." if value else ""
    written = ownership(fields.pop("domain"), fields.pop("zone"), **fields)
    assert written == facts
    assert fingerprint(written) == fingerprint(facts)


@given(OWNERSHIPS, OWNERSHIPS)
def test_only_the_same_facts_have_the_same_fingerprint(one: Ownership, other: Ownership) -> None:
    assert (fingerprint(one) == fingerprint(other)) == (one == other)
    assert (compare(one, other) == Same()) == (one == other)


def test_a_fingerprint_stays_what_it_was_in_earlier_versions() -> None:
    written = (
        b'["anyteam-ownership-1",{"domain":"boeing.example","zone":"boeing.example",'
        b'"name_servers":["ns1.dns-one.example","ns2.dns-one.example","ns3.dns-one.example",'
        b'"ns4.dns-one.example"],"mname":"ns1.dns-one.example",'
        b'"rname":"hostmaster.boeing.example",'
        b'"mail":["mx1.post-one.example","mx2.post-one.example"],'
        b'"signers":["12345 13 2 aa"],"alias":""}]'
    )
    assert fingerprint(OWNER) == hashlib.sha256(written).digest()


@pytest.mark.parametrize(
    "facts", [OWNER, ENTRY, SILENT, Same(), Changed("mail"), judge(ENTRY, OWNER, NOW)]
)
def test_facts_do_not_change_after_the_fact(facts: Any) -> None:
    name = facts.__struct_fields__[0]
    with pytest.raises(AttributeError):
        setattr(facts, name, getattr(facts, name))


def test_an_entry_is_alive_while_its_owner_is_seen_until_it_expires() -> None:
    assert judge(ENTRY, OWNER, ENTRY.expires - 1).standing is Standing.ALIVE
    assert judge(ENTRY, OWNER, ENTRY.expires).standing is Standing.EXPIRED


def test_a_small_change_leaves_an_entry_alive_and_is_told() -> None:
    seen = replace(OWNER, mname="ns2.dns-one.example")
    judgement = judge(ENTRY, seen, NOW + DAY)
    assert judgement.standing is Standing.ALIVE
    assert "ns2.dns-one.example" in judgement.reason


def test_small_changes_one_after_another_do_not_add_up_to_another_owner() -> None:
    first = replace(OWNER, mname="ns2.dns-one.example")
    entry = looked(ENTRY, first, NOW + DAY)
    assert entry.checked == NOW + DAY
    second = replace(first, rname="hostmaster.dns-two.example")
    assert judge(entry, second, NOW + 2 * DAY).standing is Standing.CHANGED


@pytest.mark.parametrize("name", LARGE)
def test_a_changed_owner_is_noticed_at_once_and_never_forgotten(name: str) -> None:
    seen = replace(OWNER, **LARGE[name])
    if seen.domain != ENTRY.domain:
        assert judge(ENTRY, seen, NOW + DAY).standing is Standing.UNVERIFIED
        assert looked(ENTRY, seen, NOW + DAY) == ENTRY
        return
    judgement = judge(ENTRY, seen, NOW + DAY)
    assert judgement.standing is Standing.CHANGED
    entry = looked(ENTRY, seen, NOW + DAY)
    assert entry.checked == ENTRY.checked
    assert judge(entry, SILENT, NOW + DAY) == judgement
    assert judge(entry, None, NOW + DAY) == judgement
    again = looked(entry, OWNER, NOW + 2 * DAY)
    assert judge(again, None, NOW + 2 * DAY).standing is Standing.ALIVE


def test_where_only_a_fingerprint_was_kept_no_change_is_small() -> None:
    bare = replace(ENTRY, owner=None)
    assert judge(bare, OWNER, NOW).standing is Standing.ALIVE
    seen = replace(OWNER, mname="ns2.dns-one.example")
    assert judge(bare, seen, NOW).standing is Standing.CHANGED


def test_an_entry_whose_facts_do_not_fit_its_fingerprint_trusts_the_fingerprint() -> None:
    seen = replace(OWNER, **LARGE["mail is taken in by another operator"])
    forged = replace(ENTRY, owner=seen)
    assert judge(forged, seen, NOW).standing is Standing.CHANGED


def test_who_was_not_looked_at_again_is_believed_for_the_grace_and_no_longer() -> None:
    end = ENTRY.checked + GRACE_S * SECOND
    assert judge(ENTRY, None, end).standing is Standing.ALIVE
    assert judge(ENTRY, None, end + 1).standing is Standing.UNVERIFIED
    assert judge(ENTRY, None, NOW + 2, grace_s=0).standing is Standing.UNVERIFIED


def test_a_look_that_showed_nothing_never_counts_as_unchanged() -> None:
    for judgement in (judge(ENTRY, SILENT, NOW), judge(looked(ENTRY, SILENT, NOW), None, NOW)):
        assert judgement.standing is Standing.UNVERIFIED
        assert SILENT.reason in judgement.reason
    back = looked(looked(ENTRY, SILENT, NOW), OWNER, NOW + 1)
    assert judge(back, None, NOW + 1).standing is Standing.ALIVE


def test_a_check_from_the_far_future_is_not_believed() -> None:
    ahead = replace(ENTRY, checked=NOW + 4 * DAY, expires=NOW + 99 * DAY)
    assert judge(ahead, None, NOW).standing is Standing.UNVERIFIED


@given(st.integers(-(10**6), 10**8), st.sampled_from([None, SILENT, OWNER]))
def test_an_expired_entry_is_never_alive(late: int, observed: Any) -> None:
    now = ENTRY.expires + late * SECOND
    assert (judge(ENTRY, observed, now).standing is Standing.EXPIRED) == (late >= 0)


def test_a_domain_that_was_never_looked_at_is_due_at_once() -> None:
    assert next_look(0, 0, 3600) == 0


def test_looks_come_at_the_policys_pace_and_sooner_at_first_where_they_show_nothing() -> None:
    def wait(failures: int, every_s: int = 3600) -> int:
        return (next_look(NOW, failures, every_s) - NOW) // SECOND

    assert wait(0) == 3600
    assert [wait(n) for n in (1, 2, 3)] == [RETRY_S, 2 * RETRY_S, 4 * RETRY_S]
    assert wait(7) == wait(10**6) == 3600
    assert wait(1, every_s=60) == 60
