"""MCP servers behind the whole gate: pinned by command, leased, called, changed, killed."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import anyteam
from bus.folder import DataFolder
from console.commands.credentials import store
from console.supervisor import Supervisor
from schemas.actions import ActionFinished, ActionOutcome
from schemas.sections import BadSettings
from tests.commands import allow, said_by
from tests.faults.installation import ROOT, Running, Watched, below, is_a, until, up
from tests.mcp_servers import command, installed

SETTINGS = """\
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
tools = {tools}
[agents.outside]
planner = "mcp"
[connectors.mcp.{name}]
command = {command}
env = {env}
{more}
"""
SECRET = "canary-8f2e"
NOTE = {"note": "call Jane"}
BOEING = {"entities": [{"name": "Boeing", "entityType": "account", "observations": ["pilot"]}]}


def configured(
    home: Path, name: str, words: tuple[str, ...], *tools: str, env: str = "{}", more: str = ""
) -> DataFolder:
    """A data folder with one MCP server."""
    home.mkdir(exist_ok=True)
    folder = DataFolder(home)
    text = SETTINGS.format(
        tools=json.dumps(tools), name=name, command=json.dumps(words), env=env, more=more
    )
    folder.settings_file.write_text(text)
    return folder


async def exit_code(folder: DataFolder, *words: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console.main", *words),
        env={"ANYTEAM_DATA": str(folder.root), "PATH": os.environ["PATH"]},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Path:
    """The reference servers, or the reason why they are not here."""
    return installed(request.config.cache.mkdir("mcp-servers"))


async def test_a_server_nobody_here_wrote_is_pinned_leased_called_and_read_back(
    tmp_path: Path, servers: Path
) -> None:
    home, kept = tmp_path / "home", tmp_path / "graph.json"
    words = command(servers, "server-memory")
    more = 'env_credentials = { GRAPH_KEY = "graph" }'
    env = f'{{ MEMORY_FILE_PATH = "{kept}" }}'
    folder = configured(home, "graph", words, env=env, more=more)
    store(folder, "graph", SECRET)
    [pinned] = await said_by(folder, "mcp", "pin", "graph")
    assert pinned["new"] == 9
    confirm = {
        "tool": "open_nodes",
        "arguments": {"names": "{entities[].name}"},
        "contains": ["{entities[].name}", "{entities[].observations[]}"],
    }
    create = {"effect": "mutation", "contents": ["entities"], "confirm": confirm}
    allow(folder, "graph", create_entities=create, open_nodes={"effect": "read"})
    tools = ("graph.create_entities", "graph.open_nodes")
    configured(home, "graph", words, *tools, env=env, more=more)
    async with up(folder):
        async with anyteam.run(
            "outside",
            "create the Boeing entities in the graph",
            tools=tools,
            effects=["mutation"],
            data=home,
        ) as given:
            done = await given.call("graph.create_entities", BOEING)
            found = await given.call("graph.open_nodes", {"names": ["Boeing"]})
            with pytest.raises(anyteam.CallRefused):
                await given.call("graph.read_graph", {})
        for process in below(os.getpid()):
            assert SECRET not in "".join(process.argv)
        [replayed] = await said_by(folder, "replay", "--check")
    assert given.ended[0] == "success"
    assert "Boeing" in found.result["text"]
    assert "Boeing" in kept.read_text()
    assert done.receipt
    assert replayed["differences"] == []
    assert SECRET not in "".join(log.read_text() for log in home.rglob("*.log"))


class Rude:
    """The server with bad manners, pinned and allowed."""

    def __init__(self, home: Path) -> None:
        self.log, self.manners = home / "calls.log", home / "manners"
        script = ROOT / "tests" / "contract" / "rude_mcp_server.py"
        self.words = (
            *(sys.executable, str(script)),
            *("--log", str(self.log), "--manners", str(self.manners)),
            *("--bell", str(home / "bell")),
        )
        os.mkfifo(home / "bell")
        self._bell = os.open(home / "bell", os.O_RDONLY | os.O_NONBLOCK)
        self.folder = configured(home / "home", "rude", self.words)

    async def prepare(self, **keep: Any) -> None:
        await said_by(self.folder, "mcp", "pin", "rude")
        chosen = {"effect": "mutation", "contents": ["note"], **keep}
        allow(self.folder, "rude", keep=chosen, look={"effect": "read"})
        configured(self.folder.root, "rude", self.words, "rude.keep", "rude.look")

    def behave(self, manner: str) -> None:
        self.manners.write_text(manner)

    async def called(self) -> None:
        """Wait until a call reaches the server."""
        loop = asyncio.get_running_loop()
        rung: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self._bell, lambda: rung.done() or rung.set_result(None))
        try:
            async with asyncio.timeout(20):
                await rung
        finally:
            loop.remove_reader(self._bell)

    def close(self) -> None:
        os.close(self._bell)

    def kept(self) -> int:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return sum(json.loads(line)["tool"] == "keep" for line in lines)

    def processes(self) -> list[Running]:
        return [p for p in below(os.getpid()) if str(self.log) in p.argv]

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[anyteam.Tools]:
        async with anyteam.run(
            "outside",
            "keep a note to call Jane",
            tools=["rude.keep", "rude.look"],
            effects=["mutation"],
            data=self.folder.root,
        ) as tools:
            yield tools


@pytest.fixture
def rude(tmp_path: Path) -> Iterator[Rude]:
    server = Rude(tmp_path)
    yield server
    server.close()


async def test_a_changed_tool_is_held_until_a_person_pins_and_allows_it_again(rude: Rude) -> None:
    await rude.prepare()
    rude.behave("changed")
    async with up(rude.folder), rude.run() as tools:
        with pytest.raises(anyteam.CallFailed, match="has changed its tool"):
            await tools.call("rude.keep", NOTE)
    assert rude.kept() == 0
    code, said = await exit_code(rude.folder, "mcp", "tools", "rude")
    assert code == 1
    assert "changed" in said
    [pinned] = await said_by(rude.folder, "mcp", "pin", "rude")
    assert pinned["changed"] == 1
    assert not rude.folder.settings().connectors.mcp["rude"].tools["keep"].allow
    with pytest.raises(BadSettings, match=r"rude\.keep"):
        await Supervisor(rude.folder, lambda text: None).up()


LOOK = {"tool": "look", "contains": ["{note}"]}


@pytest.mark.parametrize(
    ("confirm", "later", "outcome"),
    [
        (LOOK, "", ActionOutcome.CONFIRMED),
        (LOOK, "deny", ActionOutcome.UNKNOWN),
        ("answer", "", ActionOutcome.UNKNOWN),
    ],
)
async def test_a_sidecar_killed_in_mid_call_never_calls_again_and_says_what_it_knows(
    rude: Rude, confirm: Any, later: str, outcome: ActionOutcome
) -> None:
    await rude.prepare(confirm=confirm)
    rude.behave("hang")
    async with up(rude.folder) as supervisor, rude.run() as tools:
        calling = asyncio.ensure_future(tools.call("rude.keep", NOTE))
        await rude.called()
        before = Watched(rude.processes())
        rude.behave(later)
        os.kill(supervisor.pid_of("sidecar"), signal.SIGKILL)
        entries = await until(rude.folder, tools.run, is_a(ActionFinished))
        assert before.outliving(10) == []
        with contextlib.suppress(anyteam.OutcomeUnknown):
            await calling
    finished = entries[-1].event.body
    assert isinstance(finished, ActionFinished)
    assert finished.outcome is outcome
    assert finished.reconciled
    assert rude.kept() == 1
