"""`anyteam witness` as a process: cosigned exports, a kill, and two histories for two auditors."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from crypto.keyfile import write_public
from ledger.chain import first_head, leaf_of, next_head
from ledger.checkpoint import Checkpoint, NoteKey, origin_of, sign_checkpoint
from ledger.merkle import Frontier
from tests.ledgers import small_ledger, write_export
from tests.stories import SignedLedger

LEDGER = small_ledger(runs=2)
KEY = NoteKey(origin_of("acme"), LEDGER.signers["sealer"].public).vkey


def command(*words: str) -> tuple[int, dict[str, object], str]:
    done = subprocess.run(
        [sys.executable, "-m", "console.main", *words, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


class Serving:
    """A witness that serves; a context manager."""

    def __init__(
        self, folder: Path, name: str = "witness.example.com/w1", *, log: str = KEY
    ) -> None:
        words = ["witness", str(folder), "--name", name, "--log", log, "--json"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "console.main", *words], stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> "Serving":
        assert self.process.stdout is not None
        said = json.loads(self.process.stdout.readline())
        self.url, self.vkey = said["url"], said["vkey"]
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


def export_of(ledger: SignedLedger, folder: Path) -> str:
    write_public(folder.parent / "root.pub", LEDGER.root_public)
    return str(write_export(ledger, folder))


def other_history() -> SignedLedger:
    """The last two entries the other way round, sealed with the true seal key: a split view."""
    *rest, one, other = LEDGER.entries
    entries = [*rest, type(one)(one.index, other.subject, other.body)]
    entries.append(type(one)(other.index, one.subject, one.body))
    frontier, head = Frontier(), first_head("acme")
    for entry in entries:
        frontier.append(leaf_of(entry.body))
        head = next_head(head, leaf_of(entry.body))
    state = Checkpoint(
        origin=origin_of("acme"), size=frontier.size, root=frontier.root(), head=head
    )
    seals = (sign_checkpoint(state, LEDGER.signers["sealer"]),)
    fields = {f: getattr(LEDGER, f) for f in LEDGER.__struct_fields__}
    return SignedLedger(**fields | {"entries": tuple(entries), "seals": seals})


def test_an_export_is_cosigned_once_and_another_history_never(tmp_path: Path) -> None:
    first = export_of(LEDGER, tmp_path / "first")
    second = export_of(other_history(), tmp_path / "second")
    root = str(tmp_path / "root.pub")
    with Serving(tmp_path / "witness") as witness:
        asking = ("--vkey", KEY, "--witness", f"{witness.url}={witness.vkey}")
        code, said, err = command("cosign", first, *asking)
        assert code == 0 and said["cosigned"] == ["witness.example.com/w1"], (said, err)
    # Killed, not stopped: what it cosigned, it still knows.
    with Serving(tmp_path / "witness") as witness:
        asking = ("--vkey", KEY, "--witness", f"{witness.url}={witness.vkey}")
        code, said, _ = command("cosign", second, *asking)
        assert code == 1 and "another ledger" in str(said["refused"])
        assert (
            httpx.post(f"{witness.url}/add-checkpoint", content=b"x" * 200_000).status_code == 413
        )
        code, _, err = command("witness", str(tmp_path / "witness"), "--name", "w", "--log", KEY)
        assert code == 2 and "is running" in err
    demanded = ("--root", root, "--witness", witness.vkey)
    code, verdict, _ = command("verify", first, *demanded)
    assert code == 0 and verdict["ok"]
    code, verdict, _ = command("verify", second, *demanded)
    findings = verdict["findings"]
    assert isinstance(findings, list)
    assert code == 1 and {finding["kind"] for finding in findings} >= {"witness"}


def test_tiles_on_any_web_server_prove_entries(tmp_path: Path) -> None:
    folder = export_of(LEDGER, tmp_path / "export")
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "-d", folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().split("(")[1].split(")")[0]
        out = tmp_path / "entry.tlog-proof"
        code, said, err = command("prove", url, "--vkey", KEY, "--index", "3", "--out", str(out))
        assert code == 0 and said["entry"] is True, err
        assert out.read_text().startswith("c2sp.org/tlog-proof@v1\nindex 2\n")
        earlier = tmp_path / "earlier"
        earlier.write_text(LEDGER.seals[1])
        code, said, _ = command("prove", url, "--vkey", KEY, "--since", str(earlier))
        assert code == 0 and said["size"] == len(LEDGER.entries)
        code, _, err = command("prove", f"{url}nowhere", "--vkey", KEY, "--index", "3")
        assert code != 0 and "answers 404" in err
    finally:
        server.kill()
        server.wait()


@pytest.mark.parametrize("words", [(), ("--index", "1", "--since", "x")])
def test_prove_says_what_it_needs(tmp_path: Path, words: tuple[str, ...]) -> None:
    code, _, err = command("prove", str(tmp_path), "--vkey", KEY, *words)
    assert code == 2 and "give --index or --since" in err
