"""Key files: what others may read is refused, and no key is ever replaced."""

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from crypto.errors import KeyFileError, KeyFileTooOpen
from crypto.keyfile import (
    ensure_key,
    load_signer,
    read_key,
    read_public,
    read_secret,
    write_key,
    write_public,
    write_secret,
)
from crypto.signing import Signer

KEY = bytes(range(32))


def test_a_key_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    write_key(tmp_path / "deep" / "event.key", KEY)
    assert read_key(tmp_path / "deep" / "event.key") == KEY
    assert load_signer(tmp_path / "deep" / "event.key").public == Signer.from_seed(KEY).public


def test_a_secret_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_secret(tmp_path / "folder" / "secret", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "folder" / "secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o610, 0o644])
def test_a_key_that_others_may_touch_is_refused_with_the_fix(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "event.key"
    write_key(path, KEY)
    path.chmod(mode)
    with pytest.raises(KeyFileTooOpen, match="chmod 600"):
        read_key(path)


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    write_key(tmp_path / "event.key", KEY)
    with pytest.raises(KeyFileError, match="exists"):
        write_key(tmp_path / "event.key", bytes(32))
    assert read_key(tmp_path / "event.key") == KEY


def test_an_ensured_key_is_made_once(tmp_path: Path) -> None:
    first = ensure_key(tmp_path / "event.key")
    assert ensure_key(tmp_path / "event.key") == first
    assert ensure_key(tmp_path / "other.key") != first


def test_a_secret_can_be_replaced_and_leaves_no_draft(tmp_path: Path) -> None:
    write_secret(tmp_path / "vault", b"one")
    write_secret(tmp_path / "vault", b"two")
    assert read_secret(tmp_path / "vault") == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["vault"]


@pytest.mark.parametrize("text", [b"", b"00", b"zz" * 32, KEY.hex().encode()[:-1], b"\xff" * 64])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, text: bytes) -> None:
    write_secret(tmp_path / "event.key", text)
    with pytest.raises(KeyFileError, match="in hex"):
        read_key(tmp_path / "event.key")


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"gone\.key"):
        read_key(tmp_path / "gone.key")


def test_a_public_key_is_read_back_from_pem(tmp_path: Path) -> None:
    write_public(tmp_path / "root.pub", Signer.from_seed(KEY).public)
    assert read_public(tmp_path / "root.pub") == Signer.from_seed(KEY).public
    assert (tmp_path / "root.pub").read_bytes().startswith(b"-----BEGIN PUBLIC KEY-----")


def test_a_file_that_holds_no_ed25519_public_key_is_refused(tmp_path: Path) -> None:
    pem = (
        X25519PrivateKey.generate()
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    for name, data in (("x25519.pub", pem), ("garbage.pub", b"garbage")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(KeyFileError, match="holds no"):
            read_public(tmp_path / name)
    with pytest.raises(KeyFileError, match="cannot be read"):
        read_public(tmp_path / "gone.pub")
