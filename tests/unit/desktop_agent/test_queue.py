"""The offline queue: sealed, in order, and in exactly one state whenever the process dies."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.commands import Publish
from crypto.errors import Broken, Unauthorised, WrongPlace
from crypto.sealing import field_key, open_field
from crypto.trust import FOREVER, Trust
from desktop_agent.enrolled import Enrolled, new_keys
from desktop_agent.errors import CapturesSpent, QueueDamaged
from desktop_agent.queue import Queue, opened
from schemas.captures import MAX_CAPTURES, CaptureStopped, TranscriptSynced
from schemas.content import plain, value_of
from schemas.enrolment import Admission
from schemas.envelope import decode_envelope
from schemas.events import Event, decode_event
from schemas.leases import Certificate
from schemas.names import SECOND, Classification, Role
from schemas.runs import KeyCertified, KeyRevoked
from tests.stories import Story

NOW = 1_750_000_000 * SECOND
HOLD = 30 * SECOND
KEYS = tuple(bytes([number % 251]) * 32 for number in range(MAX_CAPTURES))


def device(name: str = "laptop") -> Enrolled:
    keys, _ = new_keys(bytes(16))
    admission = Admission(
        workspace="acme",
        device=name,
        rep="ann",
        url="tls://127.0.0.1:1",
        root=bytes(32),
        jwt="",
        authority=b"",
        certificate=b"",
        token_key=bytes(32),
        captures=KEYS,
    )
    return Enrolled(keys=keys, admission=admission)


def certified(enrolled: Enrolled) -> Certificate:
    return Certificate(
        key_id=enrolled.signer.key_id,
        public_key=enrolled.signer.public,
        role=Role.DEVICE,
        instance=enrolled.admission.device,
        not_before=0,
        not_after=FOREVER,
        rep=enrolled.admission.rep,
    )


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with opened(tmp_path) as queue:
        yield queue


def said(number: int, capture: int = 1) -> TranscriptSynced:
    return TranscriptSynced(
        capture=capture,
        segment=number,
        start_ms=number * 1_000,
        end_ms=number * 1_000 + 900,
        speaker="rep ann",
        text=plain(f"words {number}"),
        masked={},
        sensitivity=Classification.INTERNAL,
    )


def drained(queue: Queue) -> list[Publish]:
    """Every signed message, each taken as arrived."""
    found = []
    while (item := queue.next()) is not None:
        found.append(item[1])
        queue.arrived(item[0], len(found) + queue.state.stands)
    return found


def event_of(message: Publish) -> Event:
    return decode_event(decode_envelope(message.body).payload)


def test_nothing_goes_before_its_time_and_nothing_overtakes(queue: Queue) -> None:
    enrolled = device()
    queue.begin("microphone", "", NOW)
    queue.note(said(1), NOW, HOLD)
    queue.note(CaptureStopped(capture=1), NOW + SECOND)
    assert queue.release(enrolled, NOW + HOLD - 1) == 1
    assert queue.counts() == (2, 1)
    assert queue.release(enrolled, NOW + HOLD) == 2
    types = [event_of(message).type for message in drained(queue)]
    assert types == ["capture.started", "transcript.synced", "capture.stopped"]


def test_a_withdrawn_segment_is_as_if_never_heard_and_is_counted(queue: Queue) -> None:
    queue.begin("microphone", "", NOW)
    queue.note(said(1), NOW, HOLD)
    queue.note(said(2), NOW, HOLD)
    queue.note(CaptureStopped(capture=1), NOW, HOLD)
    number = next(w.number for w in queue.held() if w.noted.body == said(1))
    assert queue.withdraw(number)
    assert not queue.withdraw(number)
    queue.release(device(), NOW + HOLD)
    bodies = [event_of(message).body for message in drained(queue)]
    assert [b.segment for b in bodies if isinstance(b, TranscriptSynced)] == [2]
    assert bodies[-1] == CaptureStopped(capture=1, withdrawn=1)


def test_what_has_gone_or_is_no_segment_cannot_be_withdrawn(queue: Queue) -> None:
    queue.begin("microphone", "", NOW)
    (start,) = queue.held()
    assert not queue.withdraw(start.number)
    queue.note(said(1), NOW)
    segment = queue.held()[-1].number
    queue.release(device(), NOW)
    assert not queue.withdraw(segment)


def test_what_was_signed_once_keeps_its_bytes_however_often_the_process_dies(
    tmp_path: Path,
) -> None:
    enrolled, seen = device(), []
    with opened(tmp_path) as queue:
        queue.begin("microphone", "", NOW)
        queue.note(said(1), NOW)
        queue.release(enrolled, NOW)
    for _ in range(3):
        with opened(tmp_path) as queue:
            assert queue.release(enrolled, NOW) == 0
            seen.append(queue.next())
    assert seen[0] is not None and seen == [seen[0]] * 3


def test_a_message_that_another_process_noted_moves_nothing(queue: Queue) -> None:
    queue.begin("microphone", "", NOW)
    queue.note(said(1), NOW)
    queue.release(device(), NOW)
    first = queue.next()
    assert first is not None
    queue.arrived(first[0], 10)
    queue.arrived(first[0], 7)
    assert queue.state.stands == 10


def test_the_chain_verifies_and_the_text_opens_with_the_captures_key_alone(queue: Queue) -> None:
    enrolled, story = device(), Story("acme")
    story.found()
    story.say("root", KeyCertified(certificate=certified(enrolled)))
    trust = Trust("acme", story.signers["root"].public)
    for entry in story.entries:
        trust.accept(entry.subject, entry.body)
    for capture in (1, 2):
        assert queue.begin("microphone", "", NOW) == capture
        queue.note(said(1, capture), NOW)
        queue.note(CaptureStopped(capture=capture), NOW)
    queue.release(enrolled, NOW)
    events = [trust.accept(message.subject, message.body).event for message in drained(queue)]
    texts = [event for event in events if isinstance(event.body, TranscriptSynced)]
    assert [event.classification for event in texts] == [Classification.CONFIDENTIAL] * 2
    for event, key in zip(texts, KEYS[:2], strict=True):
        assert value_of(open_field(event, "text", field_key(key, event.id, "text"))) == "words 1"


def test_a_capture_that_was_cut_off_is_stopped_before_the_next(queue: Queue) -> None:
    queue.begin("microphone", "", NOW)
    queue.begin("microphone", "", NOW)
    queue.release(device(), NOW)
    types = [event_of(message).type for message in drained(queue)]
    assert types == ["capture.started", "capture.stopped", "capture.started"]


def test_a_device_without_a_key_for_another_capture_begins_none(queue: Queue) -> None:
    for number in range(MAX_CAPTURES):
        queue.begin("microphone", "", NOW + number)
    held = queue.counts()
    with pytest.raises(CapturesSpent):
        queue.begin("microphone", "", NOW)
    assert queue.counts() == held and queue.state.open


def test_the_file_shows_no_word_and_opens_with_no_other_key(tmp_path: Path) -> None:
    with opened(tmp_path) as queue:
        queue.begin("microphone", "", NOW)
        queue.note(said(1), NOW)
    assert b"words" not in (tmp_path / "queue.sqlite").read_bytes()
    assert (tmp_path / "queue.sqlite").stat().st_mode & 0o077 == 0
    (tmp_path / "queue.key").unlink()
    with opened(tmp_path) as queue, pytest.raises(QueueDamaged):
        queue.held()


def test_a_file_that_is_no_queue_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "queue.sqlite").write_bytes(b"not a database, by any means" * 100)
    with pytest.raises(QueueDamaged), opened(tmp_path):
        pass


def test_a_revoked_device_is_not_believed_and_its_broken_chain_suspects_nobody_else(
    queue: Queue,
) -> None:
    enrolled, story = device(), Story("acme")
    story.found()
    story.say("root", KeyCertified(certificate=certified(enrolled)))
    story.say("root", KeyRevoked(key_id=enrolled.signer.key_id, reason="stolen"))
    queue.begin("microphone", "", NOW)
    queue.note(said(1), NOW)
    queue.release(enrolled, NOW)
    first, second = drained(queue)
    before = Trust("acme", story.signers["root"].public)
    for entry in story.entries[:-1]:
        before.accept(entry.subject, entry.body)
    with pytest.raises(Broken) as broken:
        before.accept(second.subject, second.body)
    assert not broken.value.suspect
    before.accept(first.subject, first.body)
    with pytest.raises(WrongPlace):
        before.accept("ws.acme.capture.other", second.body)
    revoked = story.entries[-1]
    before.accept(revoked.subject, revoked.body)
    with pytest.raises(Unauthorised):
        before.accept(second.subject, second.body)
