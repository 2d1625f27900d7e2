"""The units under systemd: all come up behind their walls, act, and are started again when hung."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.process.test_services import everything
from tests.systemd.machine import Machine, machine, missing

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
COMPONENTS = sorted(file.stem for file in UNITS.glob("anyteam-*.service"))
HUNG_S = 5
QUICK = f"[Service]\nWatchdogSec={HUNG_S}\n"
WRITE = ("run", "example", "write a hello", "--tool", "files.write", "--effect", "mutation")

MISSING = missing()
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"no machine of namespaces: {MISSING}")


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Machine]:
    async with machine(tmp_path / "machine.log") as made:
        await made.anyteam("init", "--json")
        yield made


async def acts(host: Machine) -> None:
    said = await host.anyteam(*WRITE, "--json")
    assert json.loads(said.splitlines()[-1])["body"]["outcome"] == "success", said


async def test_every_unit_comes_up_and_acts_and_ends_with_the_bus(host: Machine) -> None:
    settings = everything().replace("'", "'\\''")
    await host.does("sh", "-c", f"printf '%s' '{settings}' >>/var/lib/anyteam/anyteam.toml")
    await host.does("systemctl", "start", *COMPONENTS)
    for unit in COMPONENTS:
        await host.until(unit, "up;" if unit == "anyteam-bus" else "ready")
        assert await host.shown(unit, "NRestarts") == "0", unit
    await acts(host)
    await host.does("systemctl", "stop", "anyteam-bus")
    assert {await host.shown(unit, "ActiveState") for unit in COMPONENTS} == {"inactive"}


@pytest.mark.parametrize("unit", ["anyteam-sidecar", "anyteam-bus"])
async def test_a_unit_that_hangs_is_killed_and_started_again(host: Machine, unit: str) -> None:
    folder = f"/etc/systemd/system/{unit}.service.d"
    await host.does("sh", "-c", f"mkdir {folder} && printf '{QUICK}' >{folder}/quick.conf")
    standing = [f"anyteam-{name}" for name in ("bus", "sidecar", "orchestrator", "supervisor")]
    await host.does("systemctl", "daemon-reload")
    await host.does("systemctl", "start", *standing)
    await host.until(unit, "up;" if unit == "anyteam-bus" else "ready")
    before = await host.shown(unit, "InvocationID")
    await host.does("kill", "-STOP", await host.shown(unit, "MainPID"))
    await host.until_started_again(unit, before)
    for one in standing:
        await host.until(one, "up;" if one == "anyteam-bus" else "ready")
    await acts(host)


async def test_everything_under_one_unit_comes_up_and_acts(host: Machine) -> None:
    await host.does("systemctl", "start", "anyteam")
    await host.until("anyteam", "up,")
    await acts(host)
