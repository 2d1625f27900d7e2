"""`python -m tests.upgrade --old PYTHON [--json]`: components replaced one by one by these.

PYTHON is an interpreter with an earlier release installed. That release makes an installation and
acts; then one component after the other is ended and started from here, with an action after each,
and the bus last. In the end the ledger must verify, with nothing recorded as rejected.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.commands import ROOT

ORDER = ("sidecar", "supervisor", "orchestrator")
START_S = 120.0
ASKED = ("run", "example", "write a hello", "--tool", "files.write", "--effect", "mutation")


class Side:
    """One installation while it is upgraded: which release runs which of its parts."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._running: dict[str, asyncio.subprocess.Process] = {}

    async def say(self, python: str, *words: str) -> tuple[int, str]:
        """A command of a release: its exit code and what it said."""
        process = await self._start(python, *words)
        out, _ = await process.communicate()
        return process.returncode or 0, out.decode()

    async def start(self, python: str, name: str) -> None:
        """Start a part by a release's program, and wait until it is up."""
        words = ("up", "--bus-only") if name == "bus" else ("component", name)
        process = await self._start(python, *words)
        self._running[name] = process
        assert process.stdout is not None
        async with asyncio.timeout(START_S):
            line = await process.stdout.readline()
        if line != b"ready\n" and not line.startswith(b"up"):
            raise RuntimeError(f"{name} did not come up: {line!r}")

    async def end(self, name: str) -> None:
        """End a part by SIGTERM, as a service manager does."""
        process = self._running.pop(name)
        if process.returncode is None:
            process.terminate()
        await process.wait()

    async def end_all(self) -> None:
        """End what runs, the bus last."""
        for name in [*reversed(ORDER), "bus"]:
            if name in self._running:
                await self.end(name)

    async def _start(self, python: str, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(python, "-m", "console.main", *words),
            env={"ANYTEAM_DATA": str(self.home), "PATH": os.environ["PATH"]},
            cwd=ROOT if python == sys.executable else self.home.parent,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )


async def upgraded(old: str, folder: Path) -> dict[str, Any]:
    """What came of it; `acted` says after which step an action was confirmed."""
    side, new = Side(folder / "home"), sys.executable
    acted: dict[str, bool] = {}
    began = time.monotonic()
    code, said = await side.say(old, "init")
    if code:
        raise RuntimeError(f"the old release makes no installation: {said}")
    try:
        for name in ("bus", *ORDER):
            await side.start(old, name)
        acted["all old"] = (await side.say(old, *ASKED))[0] == 0
        for name in ORDER:
            await side.end(name)
            await side.start(new, name)
            acted[f"{name} new"] = (await side.say(new, *ASKED))[0] == 0
        await side.end_all()
        for name in ("bus", *ORDER):
            await side.start(new, name)
        acted["all new"] = (await side.say(new, *ASKED))[0] == 0
        out = folder / "export"
        await side.say(new, "export", str(out))
    finally:
        await side.end_all()
    root = str(side.home / "root.pub")
    _, told = await side.say(new, "verify", str(out), "--root", root, "--json")
    report = json.loads(told)
    return {
        "acted": acted,
        "entries": report["size"],
        "rejected": report["rejected"],
        "findings": report["findings"],
        "ok": report["ok"] and not report["rejected"] and all(acted.values()),
        "seconds": round(time.monotonic() - began, 1),
    }


def main() -> int:
    """Exit 0 where all was well, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade")
    parser.add_argument("--old", required=True, help="an interpreter with an earlier release")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(upgraded(options.old, Path(folder)))
    if options.json:
        print(json.dumps(found))
    else:
        for step, confirmed in found["acted"].items():
            print(f"{step}: {'an action is confirmed' if confirmed else 'NO ACTION'}")
        print(f"{found['entries']} entries, {found['rejected']} rejected, ok: {found['ok']}")
    return 0 if found["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
