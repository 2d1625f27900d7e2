"""The vault opens for its workspace, holder and key alone, and its contents show nowhere."""

import copy
import pickle
import stat
import threading
import traceback
from pathlib import Path

import msgspec
import pytest
from rich.pretty import pretty_repr

from sidecar.errors import VaultError
from sidecar.vault import Credential, Credentials, Grant, Kept, Secret, Vault

KEY = bytes(range(32))
TOKEN, PASSWORD, REFRESH = "not-a-real-token", "not-a-real-password", "not-a-real-refresh"
CONSENT = Grant(refresh_token=REFRESH, scopes=("read", "write"), client_secret="not-a-real-one")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A vault of the workspace `acme`: two secrets of its own, and what rep ann has."""
    made = Vault(tmp_path / "acme", KEY, "acme")
    made.put("crm", Secret(TOKEN))
    made.put("mail", Secret(PASSWORD))
    made.put("crm", CONSENT, "ann")
    return tmp_path / "acme"


@pytest.fixture
def vault(folder: Path) -> Vault:
    return Vault(folder, KEY, "acme")


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.sealed"))


def test_what_was_kept_is_found_by_name_and_holder(vault: Vault) -> None:
    assert vault.held(None) == {"crm": Secret(TOKEN), "mail": Secret(PASSWORD)}
    assert vault.held("ann") == {"crm": CONSENT}
    assert vault.held("bob") == {}


def test_a_reps_own_goes_before_the_workspaces(vault: Vault) -> None:
    assert vault.find("crm", "ann") == CONSENT
    assert vault.find("mail", "ann") == Secret(PASSWORD)
    assert vault.find("crm", "bob") == vault.find("crm", None) == Secret(TOKEN)
    assert vault.find("calendar", "ann") is None


def test_what_is_told_of_the_vault_holds_no_value(vault: Vault) -> None:
    assert vault.kept() == (
        Kept("crm", "secret", None),
        Kept("mail", "secret", None),
        Kept("crm", "grant", "ann", ("read", "write")),
    )


def test_the_files_are_their_owners_alone_and_hold_nothing_in_the_clear(folder: Path) -> None:
    assert [path.name for path in files(folder)] == ["rep-ann.sealed", "workspace.sealed"]
    for path in files(folder):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        data = path.read_bytes()
        assert not [word for word in (TOKEN, PASSWORD, REFRESH, "crm") if word.encode() in data]


def test_another_workspaces_vault_does_not_open(folder: Path) -> None:
    with pytest.raises(VaultError, match="globex"):
        Vault(folder, KEY, "globex").held(None)


def test_another_holders_file_does_not_open(folder: Path, vault: Vault) -> None:
    (folder / "rep-ann.sealed").rename(folder / "rep-bob.sealed")
    with pytest.raises(VaultError):
        vault.held("bob")
    (folder / "workspace.sealed").rename(folder / "rep-ann.sealed")
    with pytest.raises(VaultError):
        vault.held("ann")


def test_another_key_does_not_open_it(folder: Path) -> None:
    with pytest.raises(VaultError):
        Vault(folder, bytes(32), "acme").held(None)


@pytest.mark.parametrize("key", [b"", KEY[:16], KEY + b"x"])
def test_a_key_of_another_length_is_refused(folder: Path, vault: Vault, key: bytes) -> None:
    short = Vault(folder, key, "acme")
    with pytest.raises(VaultError, match="32"):
        short.held(None)
    with pytest.raises(VaultError, match="32"):
        short.put("more", Secret("x"), "carol")
    assert len(vault.held(None)) == 2


def test_every_single_changed_byte_is_noticed(folder: Path, vault: Vault) -> None:
    for path, holder in zip(files(folder), ("ann", None), strict=True):
        data = path.read_bytes()
        for place in range(len(data)):
            path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            with pytest.raises(VaultError):
                vault.held(holder)


@pytest.mark.parametrize("kept", [0, 11, 12, 27, -1])
def test_a_cut_vault_does_not_open(folder: Path, vault: Vault, kept: int) -> None:
    path = folder / "workspace.sealed"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(VaultError):
        vault.held(None)


def test_a_vault_that_others_may_read_is_refused(folder: Path, vault: Vault) -> None:
    (folder / "workspace.sealed").chmod(0o640)
    with pytest.raises(VaultError, match="0640"):
        vault.held(None)


def test_a_damaged_vault_is_never_written_over(folder: Path, vault: Vault) -> None:
    path = folder / "workspace.sealed"
    path.write_bytes(damaged := path.read_bytes()[:-1])
    with pytest.raises(VaultError):
        vault.put("more", Secret("x"))
    assert path.read_bytes() == damaged


def test_keeping_one_leaves_the_others_and_no_draft(folder: Path, vault: Vault) -> None:
    vault.put("crm", Secret("another-token"))
    assert vault.held(None) == {"crm": Secret("another-token"), "mail": Secret(PASSWORD)}
    assert sorted(path.name for path in folder.iterdir()) == [
        ".lock",
        "rep-ann.sealed",
        "workspace.sealed",
    ]


def test_what_is_taken_away_is_gone(vault: Vault) -> None:
    assert vault.remove("crm") == Secret(TOKEN)
    assert vault.remove("crm") is None
    assert vault.held(None) == {"mail": Secret(PASSWORD)}
    assert vault.find("crm", "ann") == CONSENT


def test_dropping_a_rep_takes_that_reps_alone(folder: Path, vault: Vault) -> None:
    vault.put("crm", Secret("bobs"), "bob")
    assert vault.drop("ann") == ("crm",)
    assert vault.drop("ann") == ()
    assert (vault.held("ann"), vault.held("bob")) == ({}, {"crm": Secret("bobs")})
    (folder / "rep-bob.sealed").write_bytes(b"damaged")
    assert vault.drop("bob") == ()
    assert vault.held("bob") == {}


def test_a_grant_is_renewed_where_nobody_came_between(vault: Vault) -> None:
    renewed = msgspec.structs.replace(CONSENT, refresh_token="rotated")
    assert vault.renew("crm", "ann", CONSENT, renewed)
    assert vault.held("ann") == {"crm": renewed}
    assert not vault.renew("crm", "ann", CONSENT, CONSENT)
    vault.remove("crm", "ann")
    assert not vault.renew("crm", "ann", renewed, CONSENT)
    assert vault.held("ann") == {}


def test_changes_at_once_lose_nothing(folder: Path, vault: Vault) -> None:
    def change(number: int) -> None:
        Vault(folder, KEY, "acme").put(f"key-{number}", Secret("x"))

    threads = [threading.Thread(target=change, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(vault.held(None)) == 14


@pytest.mark.parametrize(
    ("name", "credential", "rep"),
    [
        ("CRM", Secret("xx"), None),
        ("", Secret("xx"), None),
        ("../crm", Secret("xx"), None),
        ("crm", Secret(""), None),
        ("crm", Secret("x" * 16_385), None),
        ("crm", Grant(refresh_token=""), None),
        ("crm", Secret("xx"), "../ann"),
        ("crm", Secret("xx"), ""),
    ],
)
def test_a_credential_out_of_form_is_refused_and_not_shown(
    vault: Vault, name: str, credential: Credential, rep: str | None
) -> None:
    with pytest.raises(VaultError) as raised:
        vault.put(name, credential, rep)
    assert "xx" not in str(raised.value)
    assert len(vault.kept()) == 3


@pytest.mark.parametrize(
    "held", [Secret(TOKEN), CONSENT, Credentials({"crm": TOKEN})], ids=["secret", "grant", "all"]
)
def test_credentials_show_in_no_text_form_and_no_traceback(held: object) -> None:
    shown = [repr(held), str(held), f"{held}", f"{[held]!r}", pretty_repr(held)]
    try:
        raise RuntimeError("a failure while credentials are at hand")
    except RuntimeError as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        shown += told.format()
    assert not [text for text in shown if "not-a-real" in text]


@pytest.mark.parametrize("held", [Secret(TOKEN), CONSENT, Credentials({"crm": TOKEN})])
def test_credentials_are_not_serialised(held: object) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(held)


def test_what_one_action_may_use_is_not_changed_from_outside() -> None:
    held = {"crm": TOKEN}
    credentials = Credentials(held)
    held["crm"] = "another"
    assert (credentials.get("crm"), credentials.get("mail", "none")) == (TOKEN, "none")
    assert credentials.names() == ("crm",)
    assert ("crm" in credentials, "mail" in credentials) == (True, False)
    with pytest.raises(TypeError):
        copy.copy(credentials)
