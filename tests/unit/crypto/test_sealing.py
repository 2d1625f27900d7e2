"""Sealing: content opens under its own key at its own place, and nowhere else."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import SealError
from crypto.keyring import new_keyring
from crypto.sealing import (
    NoKeys,
    RunKeys,
    WorkspaceKeys,
    content_fields,
    open_event,
    seal,
    seal_body,
    unseal,
    unwrap_key,
    wrap_run_key,
)
from schemas.actions import ActionFinished, ProposalMade, VerdictGiven
from schemas.content import Plain, Sealed
from schemas.events import Event
from schemas.runs import ContentKeyWrapped, RunStarted, WrappedKey
from tests.stories import Story

KEY = b"k" * 32


def proposal() -> tuple[Story, Event]:
    """A story, and a sealed proposal from it."""
    story = Story()
    story.found()
    return story, story.begin("r-1").propose().event


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_what_is_sealed_opens_in_its_context(data: bytes, context: bytes) -> None:
    sealed = seal(Plain(data), KEY, "r-1", context)
    assert sealed.key == "r-1" and unseal(sealed, KEY, context) == Plain(data)


@given(st.sampled_from(["nonce", "ciphertext"]), st.data())
def test_sealed_content_with_any_bit_changed_does_not_open(field: str, draw: st.DataObject) -> None:
    sealed = seal(Plain(b"secret"), KEY, "r-1", b"c")
    data = bytearray(getattr(sealed, field))
    data[draw.draw(st.integers(0, len(data) - 1))] ^= 1 << draw.draw(st.integers(0, 7))
    with pytest.raises(SealError):
        unseal(msgspec.structs.replace(sealed, **{field: bytes(data)}), KEY, b"c")


def test_sealed_content_opens_under_no_other_key_or_context() -> None:
    sealed = seal(Plain(b"secret"), KEY, "r-1", b"c")
    for key, context in ((b"x" * 32, b"c"), (KEY, b"d")):
        with pytest.raises(SealError):
            unseal(sealed, key, context)


def test_the_same_content_is_never_sealed_to_the_same_bytes() -> None:
    assert len({seal(Plain(b"x"), KEY, "r-1", b"c").ciphertext for _ in range(8)}) == 8


def test_sealed_content_is_not_sealed_again() -> None:
    sealed = seal(Plain(b"x"), KEY, "r-1", b"c")
    assert seal(sealed, b"x" * 32, "r-2", b"d") is sealed


def test_a_wrapped_run_key_opens_for_its_recipient_in_its_run_only() -> None:
    exchange, other = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    wrapped = wrap_run_key(KEY, exchange.public_key().public_bytes_raw(), "acme", "r-1")
    assert unwrap_key(wrapped, exchange, b"anyteam run key for acme r-1") == KEY
    for reader, context in (
        (other, b"anyteam run key for acme r-1"),
        (exchange, b"anyteam run key for acme r-2"),
        (exchange, b"anyteam run key for other r-1"),
    ):
        with pytest.raises(SealError):
            unwrap_key(wrapped, reader, context)
    with pytest.raises(SealError):
        unwrap_key(wrapped[:10], exchange, b"anyteam run key for acme r-1")


def test_an_events_content_opens_for_who_holds_the_keyring() -> None:
    story, event = proposal()
    assert isinstance(event.body, ProposalMade) and isinstance(event.body.arguments, Sealed)
    opened = open_event(event, WorkspaceKeys(story.ring))
    assert isinstance(opened.body, ProposalMade) and isinstance(opened.body.arguments, Plain)
    sealed = seal_body(opened.body, event.id, "acme", "r-1", story.keys.run_key("r-1"))
    resealed = msgspec.structs.replace(event, body=sealed)
    assert open_event(resealed, WorkspaceKeys(story.ring)) == opened


@pytest.mark.parametrize(
    "move", [{"run": "r-2"}, {"id": "01980000-0000-7000-8000-000000000000"}, {"workspace": "b"}]
)
def test_content_moved_to_another_event_stays_sealed(move: dict[str, str]) -> None:
    story, event = proposal()
    moved = msgspec.structs.replace(event, **move)
    assert open_event(moved, WorkspaceKeys(story.ring)) is moved


def test_content_stays_sealed_for_who_holds_nothing() -> None:
    _, event = proposal()
    assert open_event(event, NoKeys()) is event
    assert open_event(event, WorkspaceKeys(new_keyring())) is event


def test_a_run_reads_with_the_key_that_was_wrapped_for_it() -> None:
    story, event = proposal()
    exchange = X25519PrivateKey.generate()
    mine, theirs = b"m" * 16, b"t" * 16
    key = story.keys.run_key("r-1")
    wrapped = wrap_run_key(key, exchange.public_key().public_bytes_raw(), "acme", "r-1")
    grant = msgspec.structs.replace(
        event,
        body=ContentKeyWrapped(keys=(WrappedKey(recipient=mine, ciphertext=wrapped),)),
    )
    reader, stranger = RunKeys(exchange, mine), RunKeys(exchange, theirs)
    for keys in (reader, stranger):
        assert keys.key_for("r-1") is None
        keys.learn(grant)
        keys.learn(event)
    assert reader.key_for("r-1") == key and reader.key_for("r-2") is None
    assert open_event(event, reader) != event and open_event(event, stranger) is event


def test_a_key_wrapped_for_a_reader_that_does_not_open_is_an_error() -> None:
    _, event = proposal()
    bad = ContentKeyWrapped(keys=(WrappedKey(recipient=b"m" * 16, ciphertext=b"x" * 80),))
    with pytest.raises(SealError):
        RunKeys(X25519PrivateKey.generate(), b"m" * 16).learn(
            msgspec.structs.replace(event, body=bad)
        )


def test_the_fields_that_hold_content_are_found_from_the_schema() -> None:
    assert content_fields(ProposalMade) == ("arguments", "purpose")
    assert content_fields(VerdictGiven) == ("change",)
    assert content_fields(ActionFinished) == ("result",)
    assert content_fields(RunStarted) == ()


def test_keys_do_not_show_in_a_readers_name() -> None:
    assert repr(WorkspaceKeys(new_keyring())) == "WorkspaceKeys()"
