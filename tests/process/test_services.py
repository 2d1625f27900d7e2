"""Each component as a service of its own, from nothing but the files that `compose.yaml` gives it.

A folder for each, with links to just what is mounted there: what a component needs beside that
keeps it from coming up. Containers are not started, and that a mount is read-only is not tried.
Whoever minds a service sees that it lives: by systemd's watchdog, and by the file's health check.
"""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from bus.folder import DataFolder
from ledger.cosignature import WitnessKey
from ledger.telemetry.observed import ROOT as ROOT_SPAN
from tests.commands import ROOT, ended, said_by

SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
START_S = 90.0
EVERYTHING = """
[webhooks]
[projections]
documents = true
[[witnesses.ask]]
url = "http://127.0.0.1:1"
vkey = "{vkey}"
"""
"""What services ask for beside what `init` writes. Nobody is at the witness's address."""


def everything() -> str:
    """Settings for every service that is there to be started."""
    return EVERYTHING.format(vkey=WitnessKey("witness.example.com/w1", bytes(32)).vkey)


class Minder:
    """Who minds one service: its end of systemd's socket, and the file that its probe looks at."""

    def __init__(self, place: Path, name: str) -> None:
        place.mkdir(parents=True, exist_ok=True)
        self._file, address = place / f"{name}.beat", place / f"{name}.notify"
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.listening.bind(str(address))
        self.environment = {
            "NOTIFY_SOCKET": str(address),
            "WATCHDOG_USEC": "60000000",
            "ANYTEAM_BEAT": str(self._file),
        }

    async def until_told(self, state: str) -> None:
        """Wait for this datagram."""
        async with asyncio.timeout(START_S):
            while (
                await asyncio.get_running_loop().sock_recv(self.listening, 4096) != state.encode()
            ):
                pass

    async def healthy(self, check: list[str]) -> bool:
        """By the health check that the file has for the service, where it is started here."""
        how, line = check
        assert how == "CMD-SHELL" and SERVICES["sidecar"]["environment"]["ANYTEAM_BEAT"] in line
        asked = await asyncio.create_subprocess_shell(line.replace("/tmp/beat", str(self._file)))
        return await asked.wait() == 0


@asynccontextmanager
async def service(
    name: str, data: Path, minder: Minder
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The service's command on a data folder, up; then ended by SIGTERM, as an engine does it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console.main", *SERVICES[name]["command"]),
        env={"ANYTEAM_DATA": str(data), "PATH": os.environ["PATH"], **minder.environment},
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_S):
            line = await process.stdout.readline()
        assert line == b"ready\n" or line.startswith(b"up"), (name, line)
        yield process
        process.terminate()
        async with asyncio.timeout(START_S):
            assert await process.wait() == 0, name
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        minder.listening.close()


def seen_by(name: str, home: Path, views: Path) -> Path:
    """What the service sees at /data: the mounts that the file has for it, and nothing else."""
    view = views / name
    view.mkdir(parents=True, mode=0o700)
    for mount in SERVICES[name]["volumes"]:
        source, target, *_ = mount.split(":")
        if "/" in source:
            held = home / source.removeprefix("./data/")
            # An engine would make it as root, systemd would start nothing.
            assert held.exists(), f"{name} sees {source}, which nobody made"
        else:
            held = views / source
            held.mkdir(parents=True, mode=0o700, exist_ok=True)
        place = view / Path(target).relative_to("/data")
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.symlink_to(held)
    return view


async def projected(home: DataFolder) -> None:
    """Wait until the database has all that the ledger held when this began."""
    (first,) = await said_by(home, "projections", "status")
    end = first["postgres"]["ledger"]
    async with asyncio.timeout(START_S):
        while first["postgres"]["index"] < end:
            (first,) = await said_by(home, "projections", "status")


async def test_the_services_of_the_compose_file_come_up_and_act_from_what_it_gives_each(
    tmp_path: Path,
) -> None:
    home = DataFolder(tmp_path / "home")
    await said_by(home, "init")
    with home.settings_file.open("a") as file:
        file.write(everything())
    async with AsyncExitStack() as running:
        minders = {name: Minder(tmp_path / "minded", name) for name in SERVICES}
        await running.enter_async_context(service("bus", home.root, minders["bus"]))
        await minders["bus"].until_told("READY=1")
        for name in SERVICES:
            if name != "bus":
                view = seen_by(name, home.root, tmp_path / "views")
                await running.enter_async_context(service(name, view, minders[name]))
                assert await minders[name].healthy(SERVICES[name]["healthcheck"]["test"]), name
        for minder in minders.values():
            await minder.until_told("WATCHDOG=1")
        assert home.console_file.exists()
        healthy = SERVICES["bus"]["healthcheck"]["test"][2:]
        code, _, said = await ended(home, *healthy)
        assert code == 0, said
        asked = ("run", "example", "write a hello", "--tool", "files.write", "--effect", "mutation")
        code, said, problem = await ended(home, *asked, "--json")
        assert code == 0, said + problem
        await projected(home)
        told = tmp_path / "told.jsonl"
        await said_by(home, "telemetry", "--file", str(told))
    spans = [json.loads(line) for line in told.read_text().splitlines()]
    (outcome,) = [s["attributes"]["anyteam.outcome"] for s in spans if s.get("name") == ROOT_SPAN]
    assert outcome == "confirmed"
    assert (home.root / "files" / "hello.txt").read_text() == "hello"


async def test_a_component_that_the_settings_do_not_have_is_named_with_those_they_have(
    tmp_path: Path,
) -> None:
    home = DataFolder(tmp_path / "home")
    await said_by(home, "init")
    code, _, problem = await ended(home, "component", "webhook")
    assert code == 2 and "'webhook'" in problem and "sidecar" in problem
    code, _, problem = await ended(home, "component", "sidecar")
    assert code == 3 and "no bus is running" in problem
