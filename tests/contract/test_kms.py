"""What every key-management provider keeps: one workspace's keys open one workspace."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.errors import BadSignature, CryptoError, KeyFileError, SealError
from crypto.keyfile import read_public, read_secret, write_public, write_secret
from crypto.keyring import puncture
from crypto.kms import (
    change_keyring,
    ensure_data_key,
    ensure_keyring,
    load_data_key,
    load_keyring,
    rewrap,
)
from crypto.sealing import WorkspaceKeys, seal, unseal
from crypto.signing import verify_raw
from schemas.content import Plain
from schemas.erasure import ContentField
from schemas.errors import BadName
from sidecar.errors import VaultError
from sidecar.vault import Secret, Vault
from tests.contract.kms_benches import BENCHES, KmsBench, kms_bench

KEY = bytes(range(32))
ERASED = ContentField(run="r-1", event="01980000-0000-7000-8000-000000000001", name="result")
SAME_BENCH = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(params=list(BENCHES))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KmsBench]:
    """Every provider in turn."""
    with kms_bench(request.param, tmp_path / "kms") as made:
        yield made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where acme's data key is stored."""
    return tmp_path / "vault" / "acme.datakey"


def test_a_wrapped_key_comes_back_and_does_not_show(bench: KmsBench) -> None:
    wrapped = bench.kms("acme").wrap("acme", KEY)
    assert KEY not in wrapped
    assert bench.kms("acme").unwrap("acme", wrapped) == KEY


def test_wrapping_twice_gives_two_ciphertexts_of_one_key(bench: KmsBench) -> None:
    kms = bench.kms("acme")
    one, two = kms.wrap("acme", KEY), kms.wrap("acme", KEY)
    assert one != two
    assert kms.unwrap("acme", one) == kms.unwrap("acme", two) == KEY


@given(draw=st.data())
@SAME_BENCH
def test_a_wrapped_key_with_any_bit_changed_does_not_open(
    bench: KmsBench, draw: st.DataObject
) -> None:
    wrapped = bytearray(bench.kms("acme").wrap("acme", KEY))
    wrapped[draw.draw(st.integers(0, len(wrapped) - 1))] ^= 1 << draw.draw(st.integers(0, 7))
    with pytest.raises(SealError):
        bench.kms("acme").unwrap("acme", bytes(wrapped))


@given(garbage=st.binary(max_size=80))
@SAME_BENCH
def test_garbage_does_not_open(bench: KmsBench, garbage: bytes) -> None:
    with pytest.raises(SealError):
        bench.kms("acme").unwrap("acme", garbage)


def test_a_key_wrapped_for_one_workspace_opens_for_no_other(bench: KmsBench) -> None:
    wrapped = bench.kms("acme").wrap("acme", KEY)
    with pytest.raises(SealError):
        bench.kms("acme").unwrap("other", wrapped)
    with pytest.raises(SealError):
        bench.kms("other").unwrap("other", wrapped)


def test_a_compromised_workspace_reveals_itself_and_no_other(
    bench: KmsBench, path: Path, tmp_path: Path
) -> None:
    theirs = tmp_path / "vault" / "other.datakey"
    other_key = ensure_data_key(bench.kms("other"), theirs, "other")
    ensure_data_key(bench.kms("acme"), path, "acme")
    vault, held = tmp_path / "vault" / "other", Secret("a secret of other's")
    Vault(vault, other_key, "other").put("crm", held, "ann")
    rings = {name: tmp_path / "vault" / f"{name}.keyring" for name in ("acme", "other")}
    keys = WorkspaceKeys(ensure_keyring(bench.kms("other"), rings["other"], "other"))
    ensure_keyring(bench.kms("acme"), rings["acme"], "acme")
    content = seal(Plain(b"other's words"), keys.run_key("r-1"), "r-1", b"here")
    root = bench.kms("other").root_public("other")

    thief = bench.thief("acme")
    stolen = load_data_key(thief, path, "acme")
    stolen_keys = WorkspaceKeys(load_keyring(thief, rings["acme"], "acme"))
    for name in ("acme", "other"):
        with pytest.raises(CryptoError):
            thief.unwrap(name, read_secret(theirs))
        with pytest.raises(VaultError):
            Vault(vault, stolen, name).held("ann")
        with pytest.raises(CryptoError):
            load_keyring(thief, rings["other"], name)
        with pytest.raises(CryptoError):
            verify_raw(root, b"message", thief.sign_root(name, b"message"))
    assert Vault(vault, other_key, "other").held("ann") == {"crm": held}
    with pytest.raises(SealError):
        unseal(content, stolen_keys.run_key("r-1"), b"here")
    assert unseal(content, keys.run_key("r-1"), b"here").data == b"other's words"


def test_the_root_signs_what_it_is_given_and_its_public_key_survives_pem(
    bench: KmsBench, tmp_path: Path
) -> None:
    kms = bench.kms("acme")
    write_public(tmp_path / "root.pub", kms.root_public("acme"))
    public = read_public(tmp_path / "root.pub")
    signature = kms.sign_root("acme", b"message")
    verify_raw(public, b"message", signature)
    with pytest.raises(BadSignature):
        verify_raw(public, b"messagf", signature)
    with pytest.raises(BadSignature):
        verify_raw(bench.kms("other").root_public("other"), b"message", signature)


def test_creating_a_workspace_again_keeps_its_keys(bench: KmsBench) -> None:
    kms = bench.kms("acme")
    wrapped, root = kms.wrap("acme", KEY), kms.root_public("acme")
    kms.create("acme")
    assert kms.unwrap("acme", wrapped) == KEY
    assert kms.root_public("acme") == root


def test_a_data_key_is_made_once_and_lies_wrapped(bench: KmsBench, path: Path) -> None:
    kms = bench.kms("acme")
    key = ensure_data_key(kms, path, "acme")
    assert len(key) == 32
    assert key not in path.read_bytes() and key.hex().encode() not in path.read_bytes()
    assert ensure_data_key(kms, path, "acme") == load_data_key(kms, path, "acme") == key


def test_a_data_key_of_another_length_is_refused(bench: KmsBench, path: Path) -> None:
    write_secret(path, bench.kms("acme").wrap("acme", b"short"))
    with pytest.raises(KeyFileError, match="not 32"):
        load_data_key(bench.kms("acme"), path, "acme")


def test_a_newer_wrapping_key_opens_what_the_older_ones_wrapped(bench: KmsBench) -> None:
    kms = bench.kms("acme")
    wrapped = []
    for _ in range(3):
        wrapped.append(kms.wrap("acme", KEY))
        bench.age("acme")
    assert {kms.unwrap("acme", each) for each in wrapped} == {KEY}


def test_rewrapping_moves_the_same_key_under_a_newer_version(bench: KmsBench, path: Path) -> None:
    kms = bench.kms("acme")
    key = ensure_data_key(kms, path, "acme")
    old = path.read_bytes()
    bench.age("acme")
    done = rewrap(kms, path, "acme")
    assert done.before != done.after
    assert path.read_bytes() != old
    assert load_data_key(kms, path, "acme") == key == kms.unwrap("acme", old)
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name, f"{path.name}.lock"]


def test_readers_find_the_key_at_every_moment_of_a_rewrap(bench: KmsBench, path: Path) -> None:
    kms = bench.kms("acme")
    key = ensure_data_key(kms, path, "acme")
    done, reading, read = threading.Event(), threading.Event(), []

    def follow() -> None:
        while not done.is_set():
            read.append(load_data_key(kms, path, "acme"))
            reading.set()

    reader = threading.Thread(target=follow)
    reader.start()
    assert reading.wait(30)
    for _ in range(5):
        bench.age("acme")
        rewrap(kms, path, "acme")
    done.set()
    reader.join()
    assert set(read) == {key}


def test_a_rewrap_is_refused_while_another_one_runs(bench: KmsBench, path: Path) -> None:
    kms = bench.kms("acme")
    key = ensure_data_key(kms, path, "acme")
    inner: list[KeyFileError] = []

    class Meddling:
        """The provider, beside whose work a second rewrap is tried."""

        def __getattr__(self, name: str) -> object:
            if name == "rotate":
                with pytest.raises(KeyFileError, match="another process") as refused:
                    rewrap(kms, path, "acme")
                inner.append(refused.value)
            return getattr(kms, name)

    rewrap(Meddling(), path, "acme")  # type: ignore[arg-type]
    assert len(inner) == 1
    assert load_data_key(kms, path, "acme") == key


@pytest.mark.parametrize("workspace", ["../acme", "", "Acme", "a.b"])
def test_a_name_that_is_no_workspace_gets_nothing(bench: KmsBench, workspace: str) -> None:
    kms = bench.kms("acme")
    wrapped = kms.wrap("acme", KEY)
    with pytest.raises(BadName):
        kms.unwrap(workspace, wrapped)
    with pytest.raises(BadName):
        kms.wrap(workspace, KEY)


def test_a_keyring_is_made_once_and_opens_with_the_workspaces_kms_alone(
    bench: KmsBench, tmp_path: Path
) -> None:
    path = tmp_path / "vault" / "acme.keyring"
    ring = ensure_keyring(bench.kms("acme"), path, "acme")
    assert ensure_keyring(bench.kms("acme"), path, "acme") == ring
    assert load_keyring(bench.kms("acme"), path, "acme") == ring
    assert not any(key in path.read_bytes() for key in ring.nodes.values())
    with pytest.raises(CryptoError):
        load_keyring(bench.kms("other"), path, "other")


def test_a_changed_keyring_takes_the_place_of_the_old_one_under_another_key(
    bench: KmsBench, tmp_path: Path
) -> None:
    path = tmp_path / "vault" / "acme.keyring"
    kms = bench.kms("acme")
    before = ensure_keyring(kms, path, "acme")
    old = path.read_bytes()
    after = change_keyring(kms, path, "acme", lambda ring: puncture(ring, [ERASED], []))
    assert after != before and load_keyring(kms, path, "acme") == after
    assert [p.name for p in path.parent.iterdir() if p.read_bytes() == old] == []
    with pytest.raises(SealError):
        WorkspaceKeys(after).run_key(ERASED.run)


@pytest.mark.parametrize("at", [0, 5, -1])
def test_a_keyring_with_a_changed_byte_does_not_open(
    bench: KmsBench, tmp_path: Path, at: int
) -> None:
    path = tmp_path / "vault" / "acme.keyring"
    ensure_keyring(bench.kms("acme"), path, "acme")
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    write_secret(path, bytes(data))
    with pytest.raises(SealError):
        load_keyring(bench.kms("acme"), path, "acme")
