"""The vault opens for its workspace and key alone, and its contents show nowhere."""

import copy
import pickle
import stat
import traceback
from pathlib import Path

import pytest

from sidecar.errors import VaultError
from sidecar.vault import Credentials, open_vault, seal_vault

KEY = bytes(range(32))
HELD = {"crm": "not-a-real-token", "mail": "not-a-real-password"}


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """A sealed vault of the workspace `acme`."""
    path = tmp_path / "vault" / "acme.sealed"
    seal_vault(path, KEY, "acme", HELD)
    return path


def test_what_was_sealed_is_opened(vault: Path) -> None:
    credentials = open_vault(vault, KEY, "acme")
    assert credentials.names() == ("crm", "mail")
    assert {name: credentials.get(name) for name in credentials.names()} == HELD
    assert "crm" in credentials
    assert "model" not in credentials
    assert credentials.get("model", "none") == "none"


def test_the_file_is_its_owners_alone_and_holds_nothing_in_the_clear(vault: Path) -> None:
    assert stat.S_IMODE(vault.stat().st_mode) == 0o600
    data = vault.read_bytes()
    assert not [word for word in (*HELD, *HELD.values()) if word.encode() in data]


def test_another_workspaces_vault_does_not_open(vault: Path) -> None:
    with pytest.raises(VaultError, match="globex"):
        open_vault(vault, KEY, "globex")


def test_another_key_does_not_open_it(vault: Path) -> None:
    with pytest.raises(VaultError):
        open_vault(vault, bytes(32), "acme")


@pytest.mark.parametrize("key", [b"", KEY[:16], KEY + b"x"])
def test_a_key_of_another_length_is_refused(vault: Path, key: bytes) -> None:
    with pytest.raises(VaultError, match="32"):
        open_vault(vault, key, "acme")
    with pytest.raises(VaultError, match="32"):
        seal_vault(vault, key, "acme", HELD)
    assert open_vault(vault, KEY, "acme").names() == ("crm", "mail")


def test_every_single_changed_byte_is_noticed(vault: Path) -> None:
    data = vault.read_bytes()
    for place in range(len(data)):
        vault.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(VaultError):
            open_vault(vault, KEY, "acme")


@pytest.mark.parametrize("kept", [0, 11, 12, 27, -1])
def test_a_cut_vault_does_not_open(vault: Path, kept: int) -> None:
    vault.write_bytes(vault.read_bytes()[:kept])
    with pytest.raises(VaultError):
        open_vault(vault, KEY, "acme")


def test_a_vault_that_others_may_read_is_refused(vault: Path) -> None:
    vault.chmod(0o640)
    with pytest.raises(VaultError, match="0640"):
        open_vault(vault, KEY, "acme")


def test_a_missing_vault_is_told(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="cannot be read"):
        open_vault(tmp_path / "none", KEY, "acme")


def test_sealing_again_replaces_the_whole_and_leaves_no_draft(vault: Path) -> None:
    before = vault.read_bytes()
    seal_vault(vault, KEY, "acme", {"crm": "another-token"})
    assert open_vault(vault, KEY, "acme").names() == ("crm",)
    assert [path.name for path in vault.parent.iterdir()] == ["acme.sealed"]
    seal_vault(vault, KEY, "acme", HELD)
    assert vault.read_bytes() != before


@pytest.mark.parametrize("held", [{"CRM": "x"}, {"": "x"}, {"crm": ""}, {"crm": "x" * 16_385}])
def test_a_credential_out_of_form_is_refused_and_not_shown(
    vault: Path, held: dict[str, str]
) -> None:
    with pytest.raises(VaultError) as raised:
        seal_vault(vault, KEY, "acme", held)
    assert "xx" not in str(raised.value)
    assert open_vault(vault, KEY, "acme").names() == ("crm", "mail")


def test_credentials_show_in_no_text_form_and_no_traceback(vault: Path) -> None:
    credentials = open_vault(vault, KEY, "acme")
    shown = [repr(credentials), str(credentials), f"{credentials}", f"{[credentials]!r}"]
    try:
        raise RuntimeError("a failure while credentials are at hand")
    except RuntimeError as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        shown += told.format()
    assert any("Credentials(crm, mail)" in text for text in shown)
    assert not [text for text in shown if "not-a-real" in text]


def test_credentials_are_not_serialised() -> None:
    credentials = Credentials(HELD)
    with pytest.raises(TypeError):
        pickle.dumps(credentials)
    with pytest.raises(TypeError):
        copy.copy(credentials)


def test_credentials_are_not_changed_from_outside() -> None:
    held = dict(HELD)
    credentials = Credentials(held)
    held["crm"] = "another"
    assert credentials.get("crm") == HELD["crm"]
