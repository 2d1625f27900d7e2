"""The local KMS: one workspace's keys open one workspace."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.errors import KeyFileError, KeyFileTooOpen, SealError
from crypto.keyfile import write_secret
from crypto.kms import LocalKms, ensure_data_key, load_data_key
from crypto.signing import verify_raw
from schemas.errors import BadName

KEY = b"k" * 32


@pytest.fixture
def kms(tmp_path: Path) -> LocalKms:
    """A KMS with two workspaces."""
    made = LocalKms(tmp_path / "kms")
    made.create("acme")
    made.create("other")
    return made


def test_a_wrapped_key_unwraps_for_its_workspace_only(kms: LocalKms) -> None:
    wrapped = kms.wrap("acme", KEY)
    assert KEY not in wrapped and kms.unwrap("acme", wrapped) == KEY
    with pytest.raises(SealError):
        kms.unwrap("other", wrapped)


@given(draw=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_wrapped_key_with_any_bit_changed_does_not_unwrap(
    kms: LocalKms, draw: st.DataObject
) -> None:
    wrapped = bytearray(kms.wrap("acme", KEY))
    wrapped[draw.draw(st.integers(0, len(wrapped) - 1))] ^= 1 << draw.draw(st.integers(0, 7))
    with pytest.raises(SealError):
        kms.unwrap("acme", bytes(wrapped))


@given(st.binary(max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_does_not_unwrap(kms: LocalKms, garbage: bytes) -> None:
    with pytest.raises(SealError):
        kms.unwrap("acme", garbage)


def test_a_wrapped_key_copied_to_another_workspaces_key_file_does_not_unwrap(
    kms: LocalKms, tmp_path: Path
) -> None:
    wrapped = kms.wrap("acme", KEY)
    write_secret(tmp_path / "kms" / "other.kek-1", (tmp_path / "kms" / "acme.kek-1").read_bytes())
    with pytest.raises(SealError):
        kms.unwrap("other", wrapped)


def test_the_root_signs_under_its_public_key(kms: LocalKms) -> None:
    verify_raw(kms.root_public("acme"), b"message", kms.sign_root("acme", b"message"))
    assert kms.root_public("acme") != kms.root_public("other")


def test_creating_a_workspace_again_keeps_its_keys(kms: LocalKms) -> None:
    wrapped, root = kms.wrap("acme", KEY), kms.root_public("acme")
    kms.create("acme")
    assert kms.unwrap("acme", wrapped) == KEY and kms.root_public("acme") == root


def test_a_data_key_is_made_once_and_lies_wrapped(kms: LocalKms, tmp_path: Path) -> None:
    path = tmp_path / "acme.datakey"
    key = ensure_data_key(kms, path, "acme")
    assert len(key) == 32 and key not in path.read_bytes()
    assert ensure_data_key(kms, path, "acme") == load_data_key(kms, path, "acme") == key


def test_a_data_key_of_another_workspace_or_length_is_refused(
    kms: LocalKms, tmp_path: Path
) -> None:
    path = tmp_path / "acme.datakey"
    ensure_data_key(kms, path, "acme")
    with pytest.raises(SealError):
        load_data_key(kms, path, "other")
    write_secret(path, kms.wrap("acme", b"short"))
    with pytest.raises(KeyFileError, match="not 32"):
        load_data_key(kms, path, "acme")


def test_a_key_encryption_key_that_others_may_read_is_not_used(
    kms: LocalKms, tmp_path: Path
) -> None:
    (tmp_path / "kms" / "acme.kek-1").chmod(0o644)
    with pytest.raises(KeyFileTooOpen):
        kms.wrap("acme", KEY)


@pytest.mark.parametrize("workspace", ["../acme", "", "Acme", "a.b"])
def test_a_name_that_is_no_workspace_reaches_no_file(kms: LocalKms, workspace: str) -> None:
    with pytest.raises(BadName):
        kms.root_public(workspace)
