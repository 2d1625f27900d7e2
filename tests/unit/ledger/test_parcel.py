"""A parcel: whole or absent, listed and signed by a person of the ledger, encrypted with age."""

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import msgspec
import pyrage
import pytest

from crypto.signing import Signer
from crypto.trust import Trust
from ledger.errors import BadRecipient, ExportDamaged, ExportExists
from ledger.parcel import (
    FILES,
    FILES_TYPE,
    SIGNATURE,
    FilesSignature,
    NewFolder,
    check_recipients,
    files_problem,
    list_files,
)
from schemas.names import Role
from tests.ledgers import small_ledger, write_export

LEDGER = small_ledger()


def trusted() -> Trust:
    trust = Trust(LEDGER.workspace, LEDGER.root_public)
    for entry in LEDGER.entries:
        trust.accept(entry.subject, entry.body)
    return trust


def sign(folder: Path, signer: Signer, *, name: str = "ada", role: Role = Role.ADMIN) -> None:
    files = list_files(folder)
    signature = signer.sign(FILES_TYPE, files)
    said = FilesSignature(role=role, name=name, key_id=signer.key_id, signature=signature)
    (folder / FILES).write_bytes(files)
    (folder / SIGNATURE).write_bytes(msgspec.json.encode(said))


@pytest.fixture
def parcel(tmp_path: Path) -> Path:
    folder = write_export(LEDGER, tmp_path / "export")
    sign(folder, LEDGER.signers["ada"])
    return folder


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="there is no sha256sum here")
def test_anybody_checks_the_files_with_sha256sum(parcel: Path) -> None:
    command = [str(shutil.which("sha256sum")), "--check", "--quiet", FILES]
    listed = subprocess.run(command, cwd=parcel, capture_output=True, check=False)
    assert (listed.returncode, listed.stdout) == (0, b"")


def test_a_person_of_the_ledger_signs_every_file(parcel: Path) -> None:
    assert files_problem(parcel, trusted()) == ""


def test_a_changed_added_or_removed_file_is_noticed(parcel: Path) -> None:
    readme = (parcel / "README.md").read_text()
    (parcel / "README.md").write_text(readme + " ")
    assert "changed" in files_problem(parcel, trusted())
    (parcel / "README.md").write_text(readme)
    (parcel / "more.txt").write_text("")
    assert "added" in files_problem(parcel, trusted())
    (parcel / "more.txt").unlink()
    (parcel / "README.md").unlink()
    assert "removed" in files_problem(parcel, trusted())


@pytest.mark.parametrize(
    ("instance", "name", "role", "said"),
    [
        ("sidecar", "sidecar", Role.SIDECAR, "no rep's or admin's"),
        ("ann", "ada", Role.ADMIN, "key is ann's"),
        ("ann", "ann", Role.ADMIN, "key is ann's"),
    ],
)
def test_nobody_signs_for_another(
    parcel: Path, instance: str, name: str, role: Role, said: str
) -> None:
    sign(parcel, LEDGER.signers[instance], name=name, role=role)
    assert said in files_problem(parcel, trusted())


def test_a_stranger_or_an_edited_list_is_noticed(parcel: Path) -> None:
    listed = (parcel / FILES).read_bytes()
    (parcel / FILES).write_bytes(listed.replace(b"  README.md", b"  READ_ME.md"))
    assert "not what ada signed" in files_problem(parcel, trusted())
    sign(parcel, Signer.generate())
    assert "no rep's or admin's" in files_problem(parcel, trusted())
    (parcel / SIGNATURE).write_text("{}")
    with pytest.raises(ExportDamaged, match=SIGNATURE):
        files_problem(parcel, trusted())


def test_it_opens_with_the_auditors_key_alone(tmp_path: Path) -> None:
    auditor, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    with NewFolder(tmp_path / "audit.tar.age") as new:
        write_export(LEDGER, new.folder)
        # Larger than a pipe holds, so that packing and encrypting do go hand in hand.
        (new.folder / "large.bin").write_bytes(bytes(1_000_000))
        new.place_encrypted([str(auditor.to_public())])
    assert [path.name for path in tmp_path.iterdir()] == ["audit.tar.age"]
    sealed = (tmp_path / "audit.tar.age").read_bytes()
    assert sealed.startswith(b"age-encryption.org/v1\n")
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(sealed, [other])
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(sealed, [auditor]))) as archive:
        archive.extractall(tmp_path / "desk", filter="data")
    unpacked = tmp_path / "desk" / "audit"
    again = write_export(LEDGER, tmp_path / "again")
    (again / "large.bin").write_bytes(bytes(1_000_000))
    assert list_files(unpacked) == list_files(again)


def test_a_key_that_is_none_is_refused_before_anything_is_written() -> None:
    for text in ("", "age1", "AGE-SECRET-KEY-1", "ssh-ed25519 AAAA"):
        with pytest.raises(BadRecipient, match="no age recipient"):
            check_recipients([text])


def test_a_parcel_that_was_interrupted_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), NewFolder(tmp_path / "audit") as new:
        write_export(LEDGER, new.folder)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_parcel_never_replaces_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "audit").mkdir()
    with pytest.raises(ExportExists):
        NewFolder(tmp_path / "audit")
    with NewFolder(tmp_path / "later") as new:
        write_export(LEDGER, new.folder)
        (tmp_path / "later").write_text("mine")
        with pytest.raises(ExportExists):
            new.place()
    assert (tmp_path / "later").read_text() == "mine"
