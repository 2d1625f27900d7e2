"""A call's fact says where it leads and what it touches, in one canonical form."""

import msgspec
import pytest

from schemas.names import Classification
from schemas.patterns import FactKind
from schemas.tools import Effect, Reach, Tool, Trust
from sidecar.supervision.calls import call_fact, canonical
from sidecar.supervision.engine import Fact
from tests.cases import ARGUMENTS, LEASE, NOW, POLICY, SEND, changed


def called(tool: Tool = SEND, **arguments: object) -> Fact:
    given = ARGUMENTS | arguments
    return call_fact(tool, given, lease=LEASE, policy=POLICY, at=NOW, digest=b"p" * 32, named=False)


def test_an_effect_is_told_with_whose_it_is_and_where_it_leads() -> None:
    fact = called()
    assert (fact.run, fact.rep, fact.agent) == ("r-1", "ann", "follow-up")
    assert (fact.kind, fact.effect, fact.at) == (FactKind.EFFECT, Effect.COMMUNICATION, NOW)
    assert fact.destinations == ("jane@boeing.example",)
    assert fact.outside is True
    assert fact.named is False


def test_a_colleague_is_inside_and_a_mixed_circle_is_not() -> None:
    assert called(to=["bob@acme.example"]).outside is False
    assert called(to=["bob@acme.example", "jane@boeing.example"]).outside is True


def test_a_read_carries_what_it_gives_and_from_whom() -> None:
    read = changed(
        SEND,
        effect=Effect.READ,
        destinations=(),
        reach=Reach.INSIDE,
        trust=Trust.UNTRUSTED,
        classification=Classification.INTERNAL,
    )
    fact = called(read)
    assert (fact.kind, fact.trust) == (FactKind.READ, Trust.UNTRUSTED)
    assert fact.sensitivity is Classification.INTERNAL
    seen = call_fact(
        read,
        ARGUMENTS,
        lease=LEASE,
        policy=POLICY,
        at=NOW,
        digest=b"p" * 32,
        named=None,
        credential=True,
        sensitivity=Classification.RESTRICTED,
    )
    assert seen.credential
    assert seen.sensitivity is Classification.RESTRICTED


def test_the_records_of_two_tools_are_not_the_same_records() -> None:
    one = called(path="a.txt").objects
    two = called(msgspec.structs.replace(SEND, name="files.write"), path="a.txt").objects
    assert len(one) == len(two) == 1
    assert one != two


@pytest.mark.parametrize(
    "written",
    [
        "jane@boeing.example",
        "JANE@Boeing.EXAMPLE",
        "Jane Doe <jane@boeing.example>",
        "jane+a7f3@boeing.example",
        "mailto:jane@boeing.example",
    ],
)
def test_one_mailbox_is_one_destination_however_it_is_written(written: str) -> None:
    assert canonical(written) == "jane@boeing.example"


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("https://evil.example/a", "https://evil.example/b?c=d"),
        ("https://EVIL.example", "evil.example"),
        ("  #general ", "#General"),
    ],
)
def test_what_leads_to_the_same_place_is_one_destination(one: str, two: str) -> None:
    assert canonical(one) == canonical(two)


def test_different_places_stay_different() -> None:
    several = ["a@x.example", "b@x.example", "x.example", "y.example", "#general", "#random"]
    assert len({canonical(one) for one in several}) == len(several)
