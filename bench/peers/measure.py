"""`bench peers`: ours and what a user would pick instead, on the same work in the same run.

The peers run in an environment of their own (`--peers`, or one that is made for this run from
`requirements.txt`), one after another, then ours. One fsync an entry, for all. What somebody did to
the log is found, or not, by each system's own verification, with what an auditor of it holds: an
HMAC key, a root public key, a database login; and with ours the checkpoint that an auditor kept.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench import layers, publish
from bench.peers.floor import fsync_per_s
from bench.peers.spoiling import ALL, KINDS
from bus.eventloop import quiet_tls_close
from ledger.checkpoint import read_checkpoint
from ledger.export import ExportedEntry, ExportReader, ExportWriter
from ledger.verify import verify
from projections.postgres.server import SUPERUSER, PostgresServer
from tests.ledgers import SignedLedger, small_ledger

_HERE: Final = Path(__file__).parent
_OBSERVED: Final = 1_000
ROUNDS: Final = 3
"""Peers and ours by turns, since a disk is quick at one moment and slow at the next."""
_PASSWORD: Final = "only-for-this-run"  # noqa: S105 - of a server that ends with it


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """By system: `policy_p50_us`, `append_per_s`, `tamper_found` (by kind), and `fsync_per_s`: bare
    lines of the same size with an fsync each, just before, since a disk is not always as quick.
    """
    quiet_tls_close()
    rounds = []
    with _interpreter(options.peers) as python:
        for _ in range(ROUNDS):
            peers = asyncio.run(_peers(python, options.events))
            rounds.append({"anyteam": _ours(options.events), **peers})
    return {name: _middle([one[name] for one in rounds]) for name in rounds[0]}


def _middle(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The median of each figure; what is none is the same in every round, or it is a fault."""
    figures = {}
    for name, first in rounds[0].items():
        if isinstance(first, float):
            figures[name] = statistics.median(one[name] for one in rounds)
        else:
            assert all(one[name] == first for one in rounds), name
            figures[name] = first
    return figures


def _ours(events: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="anyteam-bench-") as home:
        synced_per_s = fsync_per_s(Path(home))
    together = publish.measured(events)
    alone = publish.measured(max(events // 5, 100), in_flight=1)
    return {
        "policy_p50_us": layers.median_us(layers.history(_OBSERVED), layers.usual)[0],
        "append_per_s": alone["per_s"],
        "fsync_per_s": synced_per_s,
        "append_pipelined_per_s": together["per_s"],
        "tamper_found": tampering(checkpoint=True),
        "tamper_found_without_checkpoint": tampering(checkpoint=False),
    }


def tampering(*, checkpoint: bool) -> dict[str, bool]:
    """What `anyteam verify` finds, with nothing but the root public key and, where asked for, the
    last checkpoint that an auditor was shown.
    """
    ledger = small_ledger(runs=4)
    kept = ledger.seals[-1] if checkpoint else None
    middle = len(ledger.entries) // 2
    with tempfile.TemporaryDirectory(prefix="anyteam-bench-") as home:

        def found(name: str, entries: Sequence[ExportedEntry], of: SignedLedger = ledger) -> bool:
            """As whoever spoils it would hand it over: seals that go too far left out, and a
            manifest that agrees with the rest.
            """
            with ExportWriter(Path(home) / name, of.workspace, ledger.root_public) as writer:
                for index, entry in enumerate(entries, start=1):
                    writer.add(index, entry.subject, entry.body)
                for note in of.seals:
                    if read_checkpoint(note).size <= len(entries):
                        writer.add_seal(note)
                writer.finish(1)
            export = ExportReader(Path(home) / name)
            return not verify(export, ledger.root_public, checkpoint=kept).ok

        assert not found("whole", ledger.entries)
        edited = list(ledger.entries)
        body = bytearray(edited[middle].body)
        body[len(body) // 2] ^= 1
        edited[middle] = ExportedEntry(middle + 1, edited[middle].subject, bytes(body))
        # Whoever verifies has the root's public key: all other keys are the forger's own.
        forged = small_ledger(seed=2, runs=4)
        verdict = {"edited": found("edited", edited)}
        verdict |= {kind: found(kind, make(ledger.entries)) for kind, make in KINDS.items()}  # type: ignore[arg-type]
        verdict["rebuilt"] = found("rebuilt", forged.entries, forged)
    return {kind: verdict[kind] for kind in ALL}


async def _peers(python: Path, events: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="anyteam-bench-") as home:
        folder = Path(home)
        server = await PostgresServer.start(
            folder / "data", password=_PASSWORD, log=folder / "postgres.log"
        )
        try:
            asked = {
                "decisions": 2_000,
                "appends": max(events // 5, 100),
                "folder": home,
                "postgres": {
                    "dbname": "postgres",
                    "host": "127.0.0.1",
                    "port": server.port,
                    "user": SUPERUSER,
                    "password": _PASSWORD,
                },
            }
            worker = await asyncio.create_subprocess_exec(
                *(python, "-I", _HERE / "worker.py"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            said, problem = await worker.communicate(json.dumps(asked).encode())
        finally:
            await server.stop()
    if worker.returncode:
        raise SystemExit(f"the peers' side failed:\n{problem.decode()[-2_000:]}")
    figures: dict[str, Any] = json.loads(said.splitlines()[-1])
    return figures


@contextmanager
def _interpreter(given: Path | None) -> Iterator[Path]:
    """The peers' Python: the one that is given, or a new environment's, gone afterwards."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="anyteam-peers-") as home:
        print("installing the peers into an environment of their own", file=sys.stderr)
        venv.create(home, with_pip=True)
        python = Path(home) / "bin" / "python"
        requirements = _HERE / "requirements.txt"
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--requirement", requirements], check=True
        )
        yield python
