"""What devices heard: whose it is, what is told of it, and what erasing takes away."""

from typing import Any

from bus.decider import Recorded
from schemas.captures import TranscriptSynced
from schemas.content import plain
from schemas.erasure import ContentErased, ContentField
from schemas.leases import Certificate
from schemas.names import Classification, Role
from schemas.runs import KeyCertified
from sidecar import transcripts
from sidecar.transcripts import Heard, evolve, heard_by
from tests.cases import recorded


def device(name: str, rep: str) -> Recorded:
    certificate = Certificate(
        key_id=bytes(16),
        public_key=bytes(32),
        role=Role.DEVICE,
        instance=name,
        not_before=0,
        not_after=1,
        rep=rep,
    )
    return recorded(KeyCertified(certificate=certificate), bytes(32), Role.ROOT, "root")


def spoken(
    text: str, device: str = "laptop", sensitivity: Classification = Classification.CONFIDENTIAL
) -> Recorded:
    body = TranscriptSynced(
        capture=1,
        segment=1,
        start_ms=61_000,
        end_ms=64_500,
        speaker="rep ann",
        text=plain(text),
        masked={},
        sensitivity=sensitivity,
    )
    return recorded(body, bytes(32), Role.DEVICE, device)


def folded(*entries: Recorded) -> Heard:
    heard = Heard()
    for entry in (device("laptop", "ann"), device("desk", "bob"), *entries):
        heard = evolve(heard, entry)
    return heard


def told(heard: Heard, rep: str = "ann", **arguments: Any) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = heard_by(heard, arguments, rep=rep).result["segments"]
    return result


def texts(heard: Heard, rep: str = "ann", **arguments: Any) -> list[str]:
    return [one["text"] for one in told(heard, rep, **arguments)]


def test_a_rep_is_told_what_their_own_devices_heard_and_no_more() -> None:
    heard = folded(spoken("one"), spoken("two", "desk"), spoken("three", "stranger"))
    assert texts(heard) == ["one"]
    assert texts(heard, "bob") == ["two"]
    assert texts(heard, "") == []


def test_a_segment_says_its_speaker_and_second() -> None:
    (one,) = told(folded(spoken("one")))
    assert (one["speaker"], one["start_s"], one["end_s"]) == ("rep ann", 61, 64)
    assert one["capture"] == "laptop/1"


def test_the_latest_are_told_the_oldest_first() -> None:
    heard = folded(*(spoken(str(number)) for number in range(5)))
    assert texts(heard, limit=2) == ["3", "4"]
    assert texts(heard, capture="laptop/2") == []
    assert texts(heard, capture="laptop/1", limit=1) == ["4"]


def test_what_is_restricted_is_named_and_not_told() -> None:
    heard = folded(spoken("a card number", sensitivity=Classification.RESTRICTED))
    assert texts(heard) == ["(restricted: ask a person)"]


def test_what_was_erased_is_told_no_more() -> None:
    entry = spoken("a word to be erased")
    field = ContentField(run="capture.laptop.1", event=entry.event.id, name="text")
    body = ContentErased(fields=(field,), reason="asked for")
    heard = folded(entry, recorded(body, bytes(32), Role.ADMIN, "ada"))
    assert texts(heard) == []
    assert "to be erased" not in repr(heard)


def test_the_oldest_are_let_go() -> None:
    heard = folded(*(spoken(str(number)) for number in range(transcripts.MAX_HEARD + 3)))
    assert len(heard.segments) == transcripts.MAX_HEARD
    assert texts(heard, limit=transcripts.MAX_HEARD)[0] == "3"
