"""`anyteam credential` as its users meet it: a prompt, a consent in the browser, taking away."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.contract.oauth_server import CLIENT_SECRET, OAuthServer, running

ROOT = Path(__file__).parents[2]
SECRET = "a-canary-for-the-vault"


@pytest.fixture
def server() -> Iterator[OAuthServer]:
    with running(OAuthServer(secret=CLIENT_SECRET)) as up:
        yield up


@pytest.fixture
def home(tmp_path: Path, server: OAuthServer) -> Path:
    """A data folder whose settings name the OAuth server."""
    made = tmp_path / "home"
    made.mkdir()
    (made / "anyteam.toml").write_text(
        f"""\
workspace = "acme"
reps = ["ann", "bob"]
admins = ["ada"]
[policy]
tools = []
[connectors.crm]
url = "{server.url}/crm"
[oauth.crm]
authorize_url = "{server.url}/authorize"
token_url = "{server.url}/token"
revoke_url = "{server.url}/revoke"
client_id = "anyteam"
scopes = ["crm.read", "crm.write"]
[oauth.crm.tools]
"crm.find_account" = ["crm.read"]
"""
    )
    return made


async def anyteam(
    home: Path, *words: str, typed: str = "", browse: bool = False
) -> tuple[int, str, str]:
    """The command's exit code and what it said; with `browse` the link it shows is opened."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console.main", "credential", *words),
        env={"ANYTEAM_DATA": str(home), "COLUMNS": "80", "PATH": os.environ["PATH"]},
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None and process.stderr is not None
    process.stdin.write(typed.encode())
    process.stdin.close()
    said = b""
    if browse:
        while not said.rpartition(b"\n")[0].rpartition(b"\n")[2].startswith(b"http"):
            line = await process.stderr.readline()
            assert line, said.decode()
            said += line
        async with httpx.AsyncClient(follow_redirects=True) as browser:
            page = await browser.get(said.decode().split()[-1])
        assert "consent has arrived" in page.text
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), said.decode() + err.decode()


async def test_a_secret_is_read_from_standard_input_and_shown_nowhere(home: Path) -> None:
    code, out, err = await anyteam(home, "add", "crm", typed=f"{SECRET}\r\n")
    assert (code, "stored crm" in out) == (0, True)
    assert SECRET not in out + err
    code, out, _ = await anyteam(home, "list", "--json")
    assert json.loads(out) == {"name": "crm", "kind": "secret", "rep": None, "scopes": []}
    found = [path for path in home.rglob("*") if path.is_file() and SECRET in _text(path)]
    assert found == []


async def test_a_rep_consents_in_the_browser_and_takes_it_back(
    home: Path, server: OAuthServer
) -> None:
    words = ("connect", "crm", "--rep", "ann", "--client-secret", "--json")
    code, out, err = await anyteam(home, *words, typed=f"{CLIENT_SECRET}\n", browse=True)
    assert code == 0, err
    assert json.loads(out)["scopes"] == ["crm.read", "crm.write"]
    tokens = [server.tokens[0].access, server.tokens[0].refresh, CLIENT_SECRET]
    assert not [token for token in tokens if token in out + err]
    code, out, _ = await anyteam(home, "revoke", "--rep", "ann")
    assert (code, out.strip()) == (0, "revoked crm of ann; its provider was told")
    assert server.live() == []
    assert (await anyteam(home, "list"))[1].strip() == "the vault is empty"


async def test_a_consent_that_does_not_come_is_not_waited_for(home: Path) -> None:
    code, _, err = await anyteam(home, "connect", "crm", "--rep", "ann", "--wait", "1")
    assert code == 1
    assert "no consent came within 1 s" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("connect", "mail", "--rep", "ann"), "no OAuth client mail"),
        (("connect", "crm", "--rep", "eve"), "no rep eve"),
        (("add", "crm", "--rep", "eve"), "no rep eve"),
        (("add", "../crm"), "credential"),
        (("revoke", "--rep", "ann"), "no such credential"),
        (("revoke",), "--rep"),
        (("add", "crm", SECRET), "unexpected extra argument"),
    ],
)
async def test_what_cannot_be_is_told_with_the_fix(
    home: Path, words: tuple[str, ...], said: str
) -> None:
    code, _, err = await anyteam(home, *words, typed="x\n")
    assert code == 2
    assert said in err
    assert "fix:" in err


async def test_an_empty_secret_is_refused(home: Path) -> None:
    code, _, err = await anyteam(home, "add", "crm", typed="\n")
    assert code == 2
    assert "empty" in err


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")
