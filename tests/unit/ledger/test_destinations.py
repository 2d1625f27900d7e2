"""Watched destinations in a ledger whose signatures are all right: whose word lifted a block?"""

import hashlib
from collections.abc import Callable

import msgspec
import pytest

from ledger.verify import verify
from schemas.destinations import (
    DestinationAllowed,
    DestinationBlocked,
    DestinationReadmitted,
    DestinationRevalidated,
    DestinationUnverified,
    Ownership,
)
from schemas.runs import PolicySet
from schemas.tools import AllowedDestination
from tests.ledgers import HeldExport
from tests.scenery import POLICY
from tests.stories import Story

NAME = "boeing.example"
BOEING = AllowedDestination(destination=f"jane@{NAME}", owned=True)


def owner(mail: str) -> tuple[Ownership, bytes]:
    facts = Ownership(
        domain=NAME, zone=NAME, name_servers=("ns.example",), mname="m", rname="r", mail=(mail,)
    )
    return facts, hashlib.sha256(mail.encode()).digest()


def first(story: Story, mail: str = "one.example") -> None:
    facts, mark = owner(mail)
    story.say("sidecar", DestinationAllowed(domain=NAME, owner=facts, fingerprint=mark))


def same(story: Story, *, seen: int | None = None) -> None:
    facts, mark = owner("one.example")
    body = DestinationRevalidated(domain=NAME, owner=facts, fingerprint=mark)
    story.say("sidecar", body, seen=seen)


def other(story: Story) -> None:
    facts, mark = owner("two.example")
    body = DestinationBlocked(domain=NAME, what="mail", owner=facts, fingerprint=mark)
    story.say("sidecar", body)


def nothing(story: Story) -> None:
    story.say("sidecar", DestinationUnverified(domain=NAME, reason="silence"))


def admit(story: Story, mail: str) -> None:
    body = DestinationReadmitted(domain=NAME, fingerprint=owner(mail)[1], reason="a merger")
    story.say("ada", body)


def rule(story: Story, *entries: AllowedDestination) -> None:
    policy = msgspec.structs.replace(POLICY, version=2, destinations=entries)
    story.say("root", PolicySet(policy=policy))


def honest(story: Story) -> None:
    first(story)
    same(story)
    nothing(story)
    other(story)
    nothing(story)
    other(story)
    admit(story, "two.example")
    same(story)


def the_first_owner_admitted(story: Story) -> None:
    first(story)
    other(story)
    admit(story, "one.example")
    same(story)


def dropped_and_listed_again(story: Story) -> None:
    first(story)
    other(story)
    rule(story)
    rule(story, BOEING)
    first(story, "two.example")


def a_look_under_way_while_the_entry_is_dropped(story: Story) -> None:
    first(story)
    rule(story)
    same(story, seen=len(story.entries) - 1)


def lifted_by_a_look(story: Story) -> None:
    first(story)
    other(story)
    same(story)


def lifted_for_an_owner_nobody_saw(story: Story) -> None:
    first(story)
    other(story)
    admit(story, "three.example")
    same(story)


def replaced_by_a_look(story: Story) -> None:
    first(story)
    first(story, "two.example")


def forgotten_by_a_policy_that_keeps_it(story: Story) -> None:
    first(story)
    other(story)
    rule(story, BOEING)
    same(story)


def found(tell: Callable[[Story], None]) -> list[tuple[str, str]]:
    story = Story()
    story.found()
    rule(story, BOEING)
    tell(story)
    story.seal()
    ledger = story.ledger()
    report = verify(HeldExport(ledger), ledger.root_public, receipt_key=ledger.receipt_key)
    return [(finding.kind, finding.what) for finding in report.findings]


@pytest.mark.parametrize(
    "tell",
    [
        honest,
        the_first_owner_admitted,
        dropped_and_listed_again,
        a_look_under_way_while_the_entry_is_dropped,
    ],
)
def test_a_ledger_in_which_people_decide_on_owners_verifies(
    tell: Callable[[Story], None],
) -> None:
    assert found(tell) == []


@pytest.mark.parametrize(
    "tell",
    [
        lifted_by_a_look,
        lifted_for_an_owner_nobody_saw,
        replaced_by_a_look,
        forgotten_by_a_policy_that_keeps_it,
    ],
)
def test_a_ledger_in_which_the_sidecar_decides_on_an_owner_is_found_out(
    tell: Callable[[Story], None],
) -> None:
    [(kind, what)] = found(tell)
    assert kind == "destination"
    assert NAME in what
