"""Trust: a good ledger passes whole; each named change to it is refused for its own reason."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import (
    BadSignature,
    Broken,
    Forged,
    Rejected,
    Replayed,
    Unauthorised,
    Unraised,
    Unreadable,
    WrongPlace,
)
from crypto.known import EndedRuns
from crypto.signing import Signer, key_id_of
from crypto.trust import FOREVER, Trust, Verified
from ledger.ended import EndedOnDisk
from ledger.export import ExportedEntry
from schemas.actions import ProposalMade
from schemas.authority import subject_of
from schemas.content import plain
from schemas.envelope import MAX_BODY_BYTES, PAYLOAD_TYPE, Envelope, encode_envelope
from schemas.events import Actor, Event, encode_event, event_digest
from schemas.names import NO_DIGEST, SECOND, Role
from schemas.runs import (
    HaltEngaged,
    HaltScope,
    KeyCertified,
    KeyRevoked,
    LeaseGranted,
    LeaseRenewed,
    RunOutcome,
    RunStarted,
    WorkspaceCreated,
)
from tests.ledgers import event_of, small_ledger
from tests.scenery import START
from tests.stories import SignedLedger, Story

GOOD = small_ledger(runs=2)
OTHER = small_ledger("other")
EVENTS = [event_of(entry) for entry in GOOD.entries]
PROPOSAL = GOOD.events().index("proposal.made")

Entry = tuple[str, bytes]
Change = Callable[[], tuple[list[ExportedEntry], Entry]]
"""The good entries that come before, and the changed one."""


def accept_all(ledger: SignedLedger, entries: list[ExportedEntry]) -> Trust:
    """A reader's trust after these entries."""
    trust = Trust(ledger.workspace, ledger.root_public)
    for entry in entries:
        trust.accept(entry.subject, entry.body)
    return trust


def signed(event: Event, signer: Signer) -> Entry:
    """An event as it would lie on the bus, signed by anyone."""
    return subject_of(event), encode_envelope(signer.envelope(encode_event(event)))


def changed(at: int, signer: str = "", **fields: object) -> tuple[list[ExportedEntry], Entry]:
    """The entry at position `at` with other fields, signed again by its author or another."""
    event = EVENTS[at]
    author = signer or event.actor.instance
    entry = signed(msgspec.structs.replace(event, **fields), GOOD.signers[author])
    return list(GOOD.entries[:at]), entry


def bent(at: int, **parts: bytes) -> tuple[list[ExportedEntry], Entry]:
    """The entry at position `at` with other parts of its envelope, signed by nobody."""
    entry = GOOD.entries[at]
    envelope = msgspec.msgpack.decode(entry.body, type=Envelope)
    body = encode_envelope(msgspec.structs.replace(envelope, **parts))
    return list(GOOD.entries[:at]), (entry.subject, body)


def raw(body: bytes) -> Change:
    """These bytes as the last entry."""
    return lambda: (list(GOOD.entries), (GOOD.entries[-1].subject, body))


def told(tell: Callable[[Story], object]) -> Change:
    """A founded workspace and what `tell` says in it; the last thing said is the change."""

    def change() -> tuple[list[ExportedEntry], Entry]:
        story = Story()
        story.found()
        tell(story)
        *before, last = story.entries
        return before, (last.subject, last.body)

    return change


def other_version() -> tuple[list[ExportedEntry], Entry]:
    fields = msgspec.msgpack.decode(encode_event(EVENTS[PROPOSAL])) | {"v": 2}
    return bent(PROPOSAL, payload=msgspec.msgpack.encode(fields))


def unknown_field() -> tuple[list[ExportedEntry], Entry]:
    fields = msgspec.msgpack.decode(encode_event(EVENTS[PROPOSAL])) | {"extra": 1}
    return bent(PROPOSAL, payload=msgspec.msgpack.encode(fields))


def genesis_twice() -> tuple[list[ExportedEntry], Entry]:
    last = EVENTS[8]
    again = msgspec.structs.replace(EVENTS[0], n=last.n + 1, prev=event_digest(encode_event(last)))
    return list(GOOD.entries), signed(again, GOOD.signers["root"])


def certifies(**fields: object) -> Change:
    """The root certifies a new admin, but for `fields`."""

    def tell(story: Story) -> None:
        story.author("eve", Role.ADMIN)
        right = story.certificate("eve")
        story.say("root", KeyCertified(certificate=msgspec.structs.replace(right, **fields)))

    return told(tell)


def leases(**fields: object) -> Change:
    """A second lease for the run with fresh keys, but for `fields` in the lease."""

    def tell(story: Story) -> None:
        run = story.begin("r-1")
        story.author("r-1-new", Role.RUNTIME)
        key = story.certificate("r-1-new", run="r-1", until=run.lease.not_after)
        right = msgspec.structs.replace(run.lease, keys=(key,))
        run.say("orchestrator", LeaseGranted(lease=msgspec.structs.replace(right, **fields)))

    return told(tell)


def lease_key(**fields: object) -> Change:
    """A second lease for the run whose fresh key is certified but for `fields`."""

    def tell(story: Story) -> None:
        run = story.begin("r-1")
        story.author("r-1-new", Role.RUNTIME)
        key = story.certificate("r-1-new", run="r-1", until=run.lease.not_after)
        keys = (msgspec.structs.replace(key, **fields),)
        lease = msgspec.structs.replace(run.lease, keys=keys)
        run.say("orchestrator", LeaseGranted(lease=lease))

    return told(tell)


def by_a_revoked_key(story: Story) -> None:
    story.say("root", KeyRevoked(key_id=story.signers["ada"].key_id, reason="lost"))
    story.say("ada", HaltEngaged(scope=HaltScope.WORKSPACE, target="", reason="x"))


def after_the_keys_time(story: Story) -> None:
    run = story.begin("r-1")
    run.say(run.runtime, _proposal(), at=run.lease.not_after)


def before_the_keys_time(story: Story) -> None:
    run = story.begin("r-1")
    run.say(run.runtime, _proposal(), at=START - 2 * SECOND)


def in_another_run(story: Story) -> None:
    story.begin("r-2")
    run = story.begin("r-1")
    story.say(run.runtime, _proposal(), run="r-2")


def after_its_run(story: Story) -> None:
    run = story.begin("r-1")
    run.complete()
    run.propose()


def after_a_renewal(story: Story) -> None:
    run = story.begin("r-1")
    story.author("r-1-new", Role.RUNTIME)
    key = story.certificate("r-1-new", run="r-1", until=run.lease.not_after)
    lease = msgspec.structs.replace(run.lease, attempt=2, keys=(key,))
    run.say("orchestrator", LeaseRenewed(lease=lease))
    run.propose()


def by_the_wrong_role(story: Story) -> None:
    story.begin("r-1").say("sidecar", RunStarted(attempt=1))


def genesis_of_another_root() -> tuple[list[ExportedEntry], Entry]:
    body = WorkspaceCreated(name="acme", root=OTHER.root_public)
    return changed(0, body=body)


def _proposal() -> ProposalMade:
    return ProposalMade(number=1, tool="crm.update", arguments=plain({}), purpose=plain("x"))


CASES: dict[str, tuple[Change, type[Rejected]]] = {
    "no bytes": (raw(b""), Unreadable),
    "garbage": (raw(b"garbage"), Unreadable),
    "too large": (raw(bytes(MAX_BODY_BYTES + 1)), Unreadable),
    "an envelope cut short": (raw(GOOD.entries[-1].body[:-1]), Unreadable),
    "an envelope with more behind it": (raw(GOOD.entries[-1].body + b"\x00"), Unreadable),
    "a payload that is no event": (lambda: bent(PROPOSAL, payload=b"\x80"), Unreadable),
    "an unknown version": (other_version, Unraised),
    "an unknown field": (unknown_field, Unreadable),
    "another subject": (
        lambda: (list(GOOD.entries[:-1]), ("ws.acme.admin.key", GOOD.entries[-1].body)),
        WrongPlace,
    ),
    "another workspace": (
        lambda: (list(GOOD.entries), (OTHER.entries[-1].subject, OTHER.entries[-1].body)),
        WrongPlace,
    ),
    "no genesis": (lambda: ([], (GOOD.entries[1].subject, GOOD.entries[1].body)), WrongPlace),
    "a second genesis": (genesis_twice, WrongPlace),
    "genesis by another root": (lambda: changed(0, "ada"), Unauthorised),
    "genesis that names another root": (genesis_of_another_root, Unauthorised),
    "an unknown key": (lambda: bent(PROPOSAL, key_id=b"x" * 16), Unauthorised),
    "a revoked key": (told(by_a_revoked_key), Unauthorised),
    "a key past its time": (told(after_the_keys_time), Unauthorised),
    "a key before its time": (told(before_the_keys_time), Unauthorised),
    "a key claiming another role": (
        lambda: changed(PROPOSAL, actor=Actor(Role.JUDGE, "r-1-runtime")),
        Unauthorised,
    ),
    "a key claiming another instance": (
        lambda: changed(PROPOSAL, "r-1-runtime", actor=Actor(Role.RUNTIME, "r-2-runtime")),
        Unauthorised,
    ),
    "a run's key in another run": (told(in_another_run), Unauthorised),
    "a run's key after its run": (told(after_its_run), Unauthorised),
    "a run's key after a renewal": (told(after_a_renewal), Unauthorised),
    "a role that may not say it": (told(by_the_wrong_role), Unauthorised),
    "the root certifying a runtime": (certifies(role=Role.RUNTIME), Unauthorised),
    "the root certifying a root": (certifies(role=Role.ROOT), Unauthorised),
    "the root certifying for one run": (certifies(run="r-1"), Unauthorised),
    "a certificate with another's key id": (certifies(key_id=b"x" * 16), Unauthorised),
    "a key certified twice": (
        told(lambda story: story.say("root", KeyCertified(certificate=story.certificate("ada")))),
        Unauthorised,
    ),
    "a lease for another run": (leases(run="r-2"), Unauthorised),
    "a lease ending before its keys": (leases(not_after=START), Unauthorised),
    "a lease certifying a sidecar": (lease_key(role=Role.SIDECAR), Unauthorised),
    "a lease certifying for another run": (lease_key(run="r-2"), Unauthorised),
    "a lease certifying past its end": (lease_key(not_after=FOREVER), Unauthorised),
    "a signature by another key": (
        lambda: bent(
            PROPOSAL,
            signature=GOOD.signers["r-1-judge"].sign(PAYLOAD_TYPE, encode_event(EVENTS[PROPOSAL])),
        ),
        Forged,
    ),
    "no signature to speak of": (lambda: bent(PROPOSAL, signature=bytes(64)), Forged),
    "another event under an old signature": (
        lambda: bent(
            PROPOSAL, payload=encode_event(msgspec.structs.replace(EVENTS[PROPOSAL], at=START))
        ),
        Forged,
    ),
    "the same entry again": (
        lambda: (list(GOOD.entries), (GOOD.entries[1].subject, GOOD.entries[1].body)),
        Replayed,
    ),
    "another event under a number that was used": (
        lambda: (list(GOOD.entries[:4]), changed(2, seen=1)[1]),
        Replayed,
    ),
    "a number passed over": (lambda: changed(2, n=3), Broken),
    "another event before it": (lambda: changed(2, prev=b"x" * 32), Broken),
    "a first event that claims one before": (lambda: changed(PROPOSAL, n=1), Broken),
    "a chain begun anew": (lambda: changed(2, n=3, prev=NO_DIGEST), Broken),
}


def test_a_good_ledger_is_accepted_whole() -> None:
    trust = Trust(GOOD.workspace, GOOD.root_public)
    for entry, event in zip(GOOD.entries, EVENTS, strict=True):
        verified = trust.accept(entry.subject, entry.body)
        assert isinstance(verified, Verified) and verified.event == event
        assert verified.digest == event_digest(encode_event(event))
        assert verified.certificate.instance == event.actor.instance


@pytest.mark.parametrize("name", CASES)
def test_an_entry_changed_in_one_way_is_refused_for_that_reason(name: str) -> None:
    change, kind = CASES[name]
    before, (subject, body) = change()
    trust = accept_all(GOOD, before)
    with pytest.raises(Rejected) as caught:
        trust.accept(subject, body)
    assert type(caught.value) is kind, caught.value
    assert caught.value.reason.startswith(kind.__name__.lower() + ": ")


def test_every_kind_of_rejection_is_reached() -> None:
    assert {kind for _, kind in CASES.values()} == {Unraised, *Rejected.__subclasses__()}


@given(at=st.integers(0, len(GOOD.entries) - 1), draw=st.data())
def test_a_refused_entry_leaves_no_trace(at: int, draw: st.DataObject) -> None:
    trust = accept_all(GOOD, list(GOOD.entries[:at]))
    entry = GOOD.entries[at]
    body = bytearray(entry.body)
    body[draw.draw(st.integers(0, len(body) - 1))] ^= 1 << draw.draw(st.integers(0, 7))
    with pytest.raises(Rejected):
        trust.accept(entry.subject, bytes(body))
    for good in GOOD.entries[at:]:
        trust.accept(good.subject, good.body)


@given(st.binary(max_size=300), st.text(max_size=40))
def test_garbage_is_refused_and_nothing_else_happens(body: bytes, subject: str) -> None:
    with pytest.raises(Rejected):
        Trust(GOOD.workspace, GOOD.root_public).accept(subject, body)


def test_a_reason_quotes_no_content_and_is_bounded() -> None:
    error = Unreadable("x" * 2_000)
    assert len(error.reason) == 500


@pytest.mark.parametrize(("at", "suspect"), [(2, True), (PROPOSAL, False)])
def test_a_components_broken_chain_makes_the_broker_suspect_and_a_runs_does_not(
    at: int, suspect: bool
) -> None:
    before, (subject, body) = changed(at, n=EVENTS[at].n + 1)
    with pytest.raises(Broken) as caught:
        accept_all(GOOD, before).accept(subject, body)
    assert caught.value.suspect is suspect


def test_trust_knows_each_producers_head_and_certificate_while_they_count() -> None:
    trust = accept_all(GOOD, list(GOOD.entries[: PROPOSAL + 1]))
    runtime = GOOD.signers["r-1-runtime"].key_id
    head = trust.head(runtime, "r-1")
    assert head is not None
    assert (head.n, head.digest) == (0, event_digest(encode_event(EVENTS[PROPOSAL])))
    assert trust.head(runtime, None) is None
    certificate = trust.certificate(runtime)
    assert certificate is not None and certificate.run == "r-1"
    after = accept_all(GOOD, list(GOOD.entries))
    assert after.head(runtime, "r-1") is None and after.certificate(runtime) is None


def late_ledger() -> SignedLedger:
    """A run that ends, another after it, and two late words of standing components in the first."""
    story = Story()
    story.found()
    run = story.begin("r-1")
    action = run.start(run.propose())
    run.complete(outcome=RunOutcome.FAILURE)
    story.begin("r-2")
    run.receipt(action, run.finish(action))
    return story.ledger()


def on_disk() -> EndedOnDisk:
    return EndedOnDisk()


@pytest.mark.parametrize("place", [dict, on_disk])
def test_what_is_said_late_in_a_run_that_is_over_is_held_to_its_chain(
    place: Callable[[], EndedRuns],
) -> None:
    late = late_ledger()
    ended = place()
    trust = Trust(late.workspace, late.root_public, ended=ended)
    for entry in late.entries:
        trust.accept(entry.subject, entry.body)
    assert list(ended) == ["r-1"] and {run for run, _ in trust.known().heads} == {None, "r-2"}
    head = trust.head(late.signers["sidecar"].key_id, "r-1")
    assert head is not None
    last = event_of(late.entries[-1])
    assert (head.n, head.digest) == (last.n, event_digest(encode_event(last)))
    for entry in late.entries:
        before = trust.known()
        with pytest.raises(Rejected):
            trust.accept(entry.subject, entry.body)
        assert trust.known() == before


def test_a_lease_after_the_end_opens_the_run_again() -> None:
    story = Story()
    story.found()
    run = story.begin("r-1")
    run.complete(outcome=RunOutcome.FAILURE)
    over = accept_all(story.ledger(), list(story.entries)).known()
    run.say("orchestrator", LeaseGranted(lease=run.lease))
    again = accept_all(story.ledger(), list(story.entries)).known()
    assert list(over.ended) == ["r-1"] and "r-1" not in dict(over.heads)
    assert list(again.ended) == [] and "r-1" in dict(again.heads)


def test_a_gap_in_what_is_said_late_is_found() -> None:
    late = late_ledger()
    trust = accept_all(late, list(late.entries[:-2]))
    with pytest.raises(Broken):
        trust.accept(late.entries[-1].subject, late.entries[-1].body)


def test_a_trust_that_is_brought_back_knows_the_runs_that_are_over() -> None:
    late = late_ledger()
    trust = accept_all(late, list(late.entries[:-2]))
    again = Trust(late.workspace, late.root_public)
    again.resume(trust.known())
    for entry in late.entries[-2:]:
        again.accept(entry.subject, entry.body)
    assert again.known() == accept_all(late, list(late.entries)).known()


def test_the_root_is_trusted_beforehand_and_nobody_else() -> None:
    trust = Trust(GOOD.workspace, GOOD.root_public)
    assert trust.certificate(key_id_of(GOOD.root_public)) is not None
    assert all(
        trust.certificate(signer.key_id) is None
        for name, signer in GOOD.signers.items()
        if name != "root"
    )


def test_a_callers_own_signature_check_decides() -> None:
    asked: list[bytes] = []

    def refuse(public: bytes, kind: str, payload: bytes, signature: bytes) -> None:
        asked.append(public)
        raise BadSignature("not by me")

    entry = GOOD.entries[0]
    with pytest.raises(Forged):
        Trust(GOOD.workspace, GOOD.root_public, check=refuse).accept(entry.subject, entry.body)
    assert asked == [GOOD.root_public]
