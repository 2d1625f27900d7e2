"""Checkpoints: round trips, C2SP's own vectors, and each way a note can be out of form."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.signing import Signer, verify_raw
from ledger.checkpoint import (
    Checkpoint,
    NoteKey,
    open_checkpoint,
    origin_of,
    parse_checkpoint,
    parse_note,
    parse_vkey,
    read_checkpoint,
    sign_checkpoint,
)
from ledger.errors import BadCheckpoint

SIGNER = Signer.from_seed(b"s" * 32)
OTHER = Signer.from_seed(b"o" * 32)
STATE = Checkpoint(origin=origin_of("acme"), size=7, root=b"r" * 32, head=b"h" * 32)
GOOD = sign_checkpoint(STATE, SIGNER)

digests = st.binary(min_size=32, max_size=32)


@given(st.integers(0, 2**62), digests, digests)
def test_what_is_signed_is_what_is_opened(size: int, root: bytes, head: bytes) -> None:
    state = Checkpoint(origin=origin_of("acme"), size=size, root=root, head=head)
    assert open_checkpoint(sign_checkpoint(state, SIGNER), "acme", [SIGNER.public]) == state
    assert parse_checkpoint(state.text) == state


def test_a_note_reads_as_the_c2sp_format_says() -> None:
    root, head = base64.b64encode(b"r" * 32).decode(), base64.b64encode(b"h" * 32).decode()
    text, _, line = GOOD.rpartition("\n\n")
    assert text == f"anyteam/acme\n7\n{root}\nhead {head}"
    dash, name, signature = line.rstrip("\n").split(" ")
    data = base64.b64decode(signature)
    assert (dash, name) == ("\N{EM DASH}", "anyteam/acme")
    assert data[:4] == NoteKey("anyteam/acme", SIGNER.public).hash
    verify_raw(SIGNER.public, (text + "\n").encode(), data[4:])


def test_the_notes_of_gos_sumdb_verify_here() -> None:
    # golang.org/x/mod/sumdb/note's published verifier key and signed message.
    key = parse_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    note = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
        "\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdn"
        "gotpRZb6KE6RyyBwJnAM=\n"
    )
    text, (line,) = parse_note(note)
    assert (line.name, line.hash) == (key.name, key.hash)
    verify_raw(key.public, text.encode(), line.signature)


def test_a_verifier_key_survives_its_text() -> None:
    key = NoteKey(origin_of("acme"), SIGNER.public)
    assert parse_vkey(key.vkey) == key


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v + "=",
        lambda v: v.replace("acme", "acne"),
        lambda v: v.partition("+")[2],
        lambda v: v.rpartition("+")[0] + "+" + base64.b64encode(b"\x02" + b"k" * 32).decode(),
        lambda v: v.rpartition("+")[0] + "+" + base64.b64encode(b"\x01" + b"k" * 31).decode(),
        lambda v: v + "\n",
    ],
)
def test_a_changed_verifier_key_is_refused(change: object) -> None:
    assert callable(change)
    with pytest.raises(BadCheckpoint):
        parse_vkey(change(NoteKey(origin_of("acme"), SIGNER.public).vkey))


@given(st.data())
def test_a_changed_byte_of_a_signed_note_is_refused(draw: st.DataObject) -> None:
    data = bytearray(GOOD.encode())
    at = draw.draw(st.integers(0, len(data) - 1))
    data[at] ^= 1 << draw.draw(st.integers(0, 7))
    text = data.decode(errors="replace")
    with pytest.raises(BadCheckpoint):
        open_checkpoint(text, "acme", [SIGNER.public])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "anyteam/acme\n7\n",
        STATE.text + "more\n",
        STATE.text.rstrip("\n"),
        STATE.text.replace("\n7\n", "\n07\n"),
        STATE.text.replace("\n7\n", "\n+7\n"),
        STATE.text.replace("\n7\n", "\n-7\n"),
        STATE.text.replace("\n7\n", "\n\N{ARABIC-INDIC DIGIT SEVEN}\n"),
        STATE.text.replace("\n7\n", "\n7 \n"),
        STATE.text.replace("\n7\n", f"\n{10**19}\n"),
        STATE.text.replace("head ", "tail "),
        STATE.text.replace("head ", "head  "),
        STATE.text.replace("anyteam/acme", ""),
        STATE.text.replace("=", ""),
        STATE.text.replace(base64.b64encode(b"r" * 32).decode(), base64.b64encode(b"r").decode()),
        STATE.text.replace("nI=\n", "nJ=\n"),
    ],
)
def test_a_checkpoint_out_of_form_is_refused(text: str) -> None:
    with pytest.raises(BadCheckpoint):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "note",
    [
        "",
        STATE.text,
        STATE.text + "\n",
        GOOD.rstrip("\n"),
        GOOD.replace("\N{EM DASH} ", "-- "),
        GOOD.replace("\N{EM DASH} anyteam/acme", "\N{EM DASH} anyteam/ac+me"),
        GOOD.replace("\n\n", "\n"),
        GOOD.replace("anyteam", "any\tteam"),
        GOOD + "\n",
        GOOD + "x\n",
        GOOD * 1_000,
        STATE.text + "\n\N{EM DASH} anyteam/acme AAAA\n",
    ],
)
def test_a_note_out_of_form_is_refused(note: str) -> None:
    with pytest.raises(BadCheckpoint):
        read_checkpoint(note)


def test_a_checkpoint_of_another_workspace_is_refused() -> None:
    with pytest.raises(BadCheckpoint, match="not of"):
        open_checkpoint(GOOD, "other", [SIGNER.public])


def test_a_checkpoint_signed_by_another_key_is_refused() -> None:
    with pytest.raises(BadCheckpoint, match="no signature"):
        open_checkpoint(sign_checkpoint(STATE, OTHER), "acme", [SIGNER.public])


def test_no_key_opens_no_checkpoint() -> None:
    with pytest.raises(BadCheckpoint, match="no signature"):
        open_checkpoint(GOOD, "acme", [])


def test_lines_of_unknown_signers_beside_the_sealers_are_passed_over() -> None:
    witness = NoteKey("witness.example.com/w1", OTHER.public)
    signature = witness.hash + OTHER.sign_raw(STATE.text.encode())
    cosigned = f"{GOOD}— {witness.name} {base64.b64encode(signature).decode()}\n"
    assert open_checkpoint(cosigned, "acme", [SIGNER.public]) == STATE


def test_one_bad_signature_of_a_known_key_spoils_a_note_with_a_good_one() -> None:
    key = NoteKey(origin_of("acme"), OTHER.public)
    bad = base64.b64encode(key.hash + bytes(64)).decode()
    with pytest.raises(BadCheckpoint, match="does not verify"):
        open_checkpoint(f"{GOOD}— {key.name} {bad}\n", "acme", [SIGNER.public, OTHER.public])


def test_any_of_several_seal_keys_opens() -> None:
    assert open_checkpoint(GOOD, "acme", [OTHER.public, SIGNER.public]) == STATE
