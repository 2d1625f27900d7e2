"""A receipt on its own: verified from the root key alone, and each change to it found."""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.keyfile import write_public
from crypto.signing import Signer
from ledger import offline
from ledger.bundle import Receipts
from ledger.checkpoint import Checkpoint, origin_of, sign_checkpoint
from ledger.errors import NoReceipt
from ledger.offline import NotProved, unpack, verify
from tests.ledgers import SignedLedger, small_ledger

LEDGER = small_ledger(runs=3)
OTHER = small_ledger("globex", 2)
OTHER_KEYS = small_ledger("acme", 2)


def folded(ledger: SignedLedger) -> Receipts:
    made = Receipts(ledger.workspace, ledger.root_public)
    for entry in ledger.entries:
        made.fold(entry.index, entry.subject, entry.body)
    return made


def bundle_of(ledger: SignedLedger, which: int = 0) -> dict[str, Any]:
    receipts = folded(ledger)
    issued = list(receipts)[which]
    made: dict[str, Any] = receipts.bundle(issued, ledger.seals)
    return json.loads(json.dumps(made))


BUNDLE = bundle_of(LEDGER)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_receipt_verifies_from_the_root_key_alone(which: int) -> None:
    issued = list(folded(LEDGER))[which]
    receipt = verify(bundle_of(LEDGER, which), LEDGER.root_public)
    assert receipt == msgspec.to_builtins(issued.receipt, builtin_types=(bytes,))
    assert receipt["run"] == f"r-{which + 1}"


def test_the_hmac_is_checked_where_its_key_is_given() -> None:
    assert verify(BUNDLE, LEDGER.root_public, LEDGER.receipt_key)
    with pytest.raises(NotProved, match="HMAC"):
        verify(BUNDLE, LEDGER.root_public, bytes(32))


def changed(*path: str | int, by: Callable[[Any], Any]) -> dict[str, Any]:
    """The good file with one thing in it changed."""
    made = json.loads(json.dumps(BUNDLE))
    held = made
    for step in path[:-1]:
        held = held[step]
    held[path[-1]] = by(held[path[-1]])
    return dict(made)


def flipped(place: int) -> Callable[[str], str]:
    def flip(text: str) -> str:
        data = bytearray(base64.b64decode(text))
        data[place] ^= 1
        return base64.b64encode(data).decode()

    return flip


def of(bundle: dict[str, Any], *path: str) -> Callable[[Any], Any]:
    def other(_: Any) -> Any:
        held = bundle
        for step in path:
            held = held[step]
        return held

    return other


def resealed(note: str) -> str:
    """The checkpoint with another root, signed by a key that nobody certified."""
    size = int(note.split("\n")[1])
    other = Checkpoint(origin=origin_of("acme"), size=size, root=bytes(32), head=bytes(32))
    return sign_checkpoint(other, Signer.generate())


_B64_OF_ZEROES = base64.b64encode(bytes(32)).decode()


def misfiled(**fields: Any) -> dict[str, Any]:
    """The last receipt with something else beside it, all of it proved."""
    receipts = folded(LEDGER)
    issued = msgspec.structs.replace(list(receipts)[-1], **fields)
    return dict(receipts.bundle(issued, LEDGER.seals))


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "another format": (changed("format", by=lambda _: "v0"), "format"),
    "the receipt's bytes": (changed("receipt", "body", by=flipped(400)), "."),
    "its last byte": (changed("receipt", "body", by=flipped(-1)), "inclusion proof"),
    "its index": (changed("receipt", "index", by=lambda at: at - 1), "inclusion proof"),
    "an index beyond the ledger": (changed("receipt", "index", by=lambda _: 10**6), "index"),
    "an index that is true": (changed("receipt", "index", by=lambda _: True), "index"),
    "a shorter proof": (changed("receipt", "path", by=lambda path: path[:-1]), "inclusion proof"),
    "a longer proof": (changed("receipt", "path", by=lambda p: [*p, p[0], p[0]]), "proof"),
    "a swapped proof": (changed("receipt", "path", by=lambda p: p[::-1]), "inclusion proof"),
    "another action": (misfiled(action=list(folded(LEDGER))[1].action), "another action"),
    "the action in its place": (changed("receipt", by=of(BUNDLE, "action")), "stands where"),
    "the action's bytes": (changed("action", "body", by=flipped(200)), "."),
    "another state": (changed("checkpoint", by=lambda n: n.replace("head ", "head A")), "."),
    "another root under it": (
        changed("checkpoint", by=lambda note: note.replace(note.split("\n")[2], _B64_OF_ZEROES)),
        "signature",
    ),
    "a state sealed by nobody": (changed("checkpoint", by=resealed), "sealer"),
    "another ledger's seal": (changed("checkpoint", by=lambda _: OTHER.seals[-1]), "another"),
    "another workspace": (changed("workspace", by=lambda _: "globex"), "another"),
    "another's certificate": (changed("keys", by=of(bundle_of(OTHER_KEYS), "keys")), "another key"),
    "the sealer as receipts": (
        changed("keys", "receipts", by=of(BUNDLE, "keys", "sealer")),
        "certificate is for",
    ),
    "no certificate": (changed("keys", by=lambda _: {}), "no object"),
    "no action": (changed("action", by=lambda _: None), "no object"),
    "a text that is none": (changed("checkpoint", by=lambda _: 7), "no text"),
}


@pytest.mark.parametrize("change", BROKEN)
def test_what_was_changed_is_not_verified_and_says_why(change: str) -> None:
    bundle, said = BROKEN[change]
    with pytest.raises(NotProved, match=said):
        verify(bundle, LEDGER.root_public)


def test_another_root_verifies_nothing() -> None:
    with pytest.raises(NotProved, match="another key"):
        verify(BUNDLE, OTHER_KEYS.root_public)


@given(st.data())
def test_no_byte_of_an_entry_can_be_changed(data: st.DataObject) -> None:
    where = data.draw(st.sampled_from([("receipt",), ("action",), ("keys", "sealer")]))
    size = len(base64.b64decode(of(BUNDLE, *where, "body")(None)))
    place = data.draw(st.integers(0, size - 1))
    with pytest.raises((NotProved, KeyError, TypeError, ValueError)):
        verify(changed(*where, "body", by=flipped(place)), LEDGER.root_public)


def test_a_receipt_is_found_by_its_action_or_its_proposal() -> None:
    receipts = folded(LEDGER)
    for issued in receipts:
        assert receipts.find(issued.receipt.action.hex()[:10]) == issued
        assert receipts.find(issued.proposal.hex().upper()) == issued
    with pytest.raises(NoReceipt, match="no receipt"):
        receipts.find("zz")
    with pytest.raises(NoReceipt, match="no receipt"):
        receipts.find("")


def test_a_receipt_that_no_seal_covers_yet_is_not_taken_away() -> None:
    receipts = folded(LEDGER)
    last = list(receipts)[-1]
    early = [note for note in LEDGER.seals if int(note.split("\n")[1]) < last.index]
    with pytest.raises(NoReceipt, match="no seal covers"):
        receipts.bundle(last, early)
    with pytest.raises(NoReceipt, match="no seal covers"):
        receipts.bundle(last, [*OTHER.seals, "junk", resealed(LEDGER.seals[-1])])
    assert int(receipts.bundle(last, LEDGER.seals)["checkpoint"].split("\n")[1]) >= last.index


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text()
    | st.binary(max_size=300),
    lambda below: st.lists(below, max_size=20) | st.dictionaries(st.text(), below, max_size=20),
    max_leaves=40,
)


@given(VALUES)
def test_signed_bytes_are_read_as_they_were_written(value: Any) -> None:
    assert unpack(msgspec.msgpack.encode(value)) == value


@pytest.mark.parametrize("size", [31, 32, 255, 256, 65_535, 65_536])
def test_every_length_is_read(size: int) -> None:
    for value in ("x" * size, b"x" * size, [1] * size, {f"{n}": n for n in range(size)}):
        assert unpack(msgspec.msgpack.encode(value)) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_not_proved(data: bytes) -> None:
    try:
        value = unpack(data)
    except NotProved:
        return
    assert msgspec.msgpack.decode(data, type=Any, strict=False) == value


@pytest.mark.parametrize(
    "data", [b"", b"\x81\xa1a", b"\x82\xa1a\x01\xa1a\x02", b"\x01\x02", b"\xc1", b"\x91" * 100]
)
def test_bytes_with_two_readings_or_none_are_refused(data: bytes) -> None:
    with pytest.raises(NotProved):
        unpack(data)


def alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program as an auditor runs it: somewhere else, with none of our packages in reach."""
    program = folder / "verify_receipt.py"
    shutil.copy(offline.__file__, program)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": ""}
    return subprocess.run(
        [sys.executable, "-c", _ALONE, str(program), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


_ALONE = """
import runpy, sys
class OnlyCryptography:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"msgspec", "ledger", "schemas", "crypto", "bus", "console"}:
            raise ImportError(f"{name} is out of reach")
sys.meta_path.insert(0, OnlyCryptography())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """An auditor's desk: the receipt, the root key, the receipt key."""
    (tmp_path / "receipt.json").write_text(json.dumps(BUNDLE))
    write_public(tmp_path / "root.pub", LEDGER.root_public)
    (tmp_path / "mac.key").write_text(LEDGER.receipt_key.hex() + "\n")
    return tmp_path


def test_the_program_alone_says_what_is_proved_and_what_is_not(desk: Path) -> None:
    done = alone(desk, "receipt.json", "root.pub", "mac.key")
    assert (done.returncode, done.stderr) == (0, "")
    for said in ("VERIFIED", "ann, by agent follow-up", "confirmed", "the HMAC fits", "not shown"):
        assert said in done.stdout


def test_the_program_alone_refuses_in_words(desk: Path) -> None:
    (desk / "receipt.json").write_text(json.dumps(BROKEN["another root under it"][0]))
    done = alone(desk, "receipt.json", "root.pub")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == "NOT VERIFIED: a signature does not verify: something was changed\n"


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"format": "anyteam receipt v1"}', "{"])
def test_the_program_alone_refuses_what_is_no_receipt(desk: Path, text: str) -> None:
    (desk / "receipt.json").write_text(text)
    done = alone(desk, "receipt.json", "root.pub")
    assert (done.returncode, done.stderr) == (1, "")
    assert "NOT VERIFIED" in done.stdout


@pytest.mark.parametrize("words", [(), ("a", "b"), ("receipt.json", "receipt.json")])
def test_the_program_alone_says_how_it_is_used(desk: Path, words: tuple[str, ...]) -> None:
    done = alone(desk, *words)
    assert (done.returncode, done.stderr) == (2, "")
