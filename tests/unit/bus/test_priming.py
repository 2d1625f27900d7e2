"""A run's process takes in keys and policy by one signature, and not one bent entry among them."""

from collections.abc import Callable

import msgspec
import pytest

from bus.errors import LedgerDiverged
from bus.node import Node
from crypto.sealing import NoKeys
from crypto.signing import Signer, verify
from crypto.trust import SignatureCheck, Trust
from judge.decider import JudgeDecider
from schemas.envelope import decode_envelope, encode_envelope
from schemas.events import Actor, decode_event, encode_event
from schemas.names import Role
from schemas.runs import KeyCertified, RepActivated
from tests.stories import Story

PEOPLE = 6
Known = list[tuple[int, str, bytes]]


def told() -> tuple[Story, Known]:
    """A workspace of some people: genesis, certificates, policy, each person activated."""
    story = Story()
    story.found()
    for number in range(PEOPLE):
        name = f"rep-{number}"
        story.author(name, Role.REP)
        story.say("root", KeyCertified(certificate=story.certificate(name)))
        story.say("root", RepActivated(rep=name))
    return story, [(entry.index, entry.subject, entry.body) for entry in story.entries]


STORY, KNOWN = told()
LAST = len(KNOWN) - 1
STRANGER = Signer.from_seed(bytes(32))


def node(check: SignatureCheck = verify) -> Node[object]:
    return Node(  # type: ignore[return-value]
        JudgeDecider("r-1", "judge-1"),
        trust=Trust("acme", STORY.signers["root"].public, check=check),
        signer=STRANGER,
        actor=Actor(Role.JUDGE, "judge-1"),
        keys=NoKeys(),
        whole=False,
    )


def bent(at: int, signer: Signer | None) -> bytes:
    """The entry at `at` dated a second later: under its old signature, or one of `signer`'s."""
    envelope = decode_envelope(KNOWN[at][2])
    event = decode_event(envelope.payload)
    payload = encode_event(msgspec.structs.replace(event, at=event.at + 1))
    if signer is None:
        return encode_envelope(msgspec.structs.replace(envelope, payload=payload))
    forged = signer.envelope(payload)
    return encode_envelope(msgspec.structs.replace(forged, key_id=envelope.key_id))


def test_one_signature_speaks_for_a_whole_workspace() -> None:
    checked: list[bytes] = []

    def check(public: bytes, kind: str, payload: bytes, signature: bytes) -> None:
        checked.append(payload)
        verify(public, kind, payload, signature)

    primed, each = node(check), node()
    primed.prime(KNOWN)
    for index, subject, body in KNOWN:
        each.learn(index, subject, body)
    assert len(checked) == 1
    assert primed.trust.known() == each.trust.known()


@pytest.mark.parametrize("at", range(LAST + 1))
@pytest.mark.parametrize("signer", [None, STRANGER], ids=["old signature", "a stranger's"])
def test_an_entry_that_was_changed_is_found_wherever_it_stands(
    at: int, signer: Signer | None
) -> None:
    known = [*KNOWN]
    known[at] = (*KNOWN[at][:2], bent(at, signer))
    with pytest.raises(LedgerDiverged, match="does not verify"):
        node().prime(known)


@pytest.mark.parametrize(
    "change",
    [
        lambda known, at: known[:at] + known[at + 1 :],
        lambda known, at: [*known[:at], known[at + 1], known[at], *known[at + 2 :]],
        lambda known, at: [*known[: at + 1], *known[at:]],
    ],
    ids=["dropped", "swapped", "repeated"],
)
@pytest.mark.parametrize("at", [0, 3, LAST - 1])
def test_an_entry_that_is_missing_or_elsewhere_is_found(
    change: Callable[[Known, int], Known], at: int
) -> None:
    with pytest.raises(LedgerDiverged, match="does not verify"):
        node().prime(change(KNOWN, at))


def test_an_entry_of_somebody_else_keeps_its_own_check() -> None:
    """The root's word is for the root's chain alone."""
    story, known = told()
    story.say("ann", RepActivated(rep="eve"))
    entry = story.entries[-1]
    with pytest.raises(LedgerDiverged, match="may not sign"):
        node().prime([*known[:-1], (entry.index, entry.subject, entry.body), known[-1]])
    with pytest.raises(LedgerDiverged, match="may not sign"):
        node().prime([*known, (entry.index, entry.subject, entry.body)])


def test_nothing_is_known_of_nothing() -> None:
    fresh = node()
    fresh.prime([])
    assert fresh.trust.known() == node().trust.known()
