"""The MCP connector before servers nobody here wrote, and before one with bad manners."""

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from schemas.actions import ActionOutcome
from schemas.connectors import McpSettings
from schemas.declarations import parse_declarations
from schemas.mcp import McpTool
from sidecar.connectors.connector import MAX_RESULT_BYTES, Finding
from sidecar.connectors.mcp.bounded import MAX_ANSWER_BYTES
from sidecar.connectors.mcp.connector import McpConnector
from sidecar.connectors.mcp.pins import pinned
from sidecar.connectors.mcp.session import McpServer, connector_to, silent
from sidecar.errors import (
    BadArguments,
    BadConnector,
    Denied,
    ToolChanged,
    Unreachable,
)
from sidecar.vault import Credentials
from tests.contract.services import ROOT, new_key
from tests.faults.installation import below
from tests.mcp_servers import command, installed

pytestmark = pytest.mark.asyncio

GRAPH = {
    "create_entities": {
        "effect": "mutation",
        "contents": ["entities"],
        "confirm": {
            "tool": "open_nodes",
            "arguments": {"names": "{entities[].name}"},
            "contains": ["{entities[].name}", "{entities[].observations[]}"],
        },
        "repeatable": True,
    },
    "delete_entities": {
        "effect": "mutation",
        "objects": ["entityNames"],
        "confirm": {"tool": "read_graph", "absent": ["{entityNames}"]},
    },
    "read_graph": {"effect": "read"},
    "open_nodes": {"effect": "read"},
}
FILES = {
    "read_text_file": {"effect": "read", "objects": ["path"]},
    "list_directory": {"effect": "read"},
    "write_file": {
        "effect": "mutation",
        "objects": ["path"],
        "contents": ["content"],
        "confirm": {
            "tool": "read_text_file",
            "arguments": {"path": "{path}"},
            "equals": "{content}",
        },
        "repeatable": True,
    },
}
EVERYTHING = {
    name: {"effect": "read"}
    for name in ("echo", "get-env", "get-tiny-image", "get-resource-links", "get-sum")
}
KEEP: dict[str, Any] = {
    "effect": "mutation",
    "contents": ["note"],
    "confirm": {"tool": "look", "contains": ["{note}"]},
}
LOOK = {"effect": "read"}
BOEING = {"entities": [{"name": "Boeing", "entityType": "account", "observations": ["pilot"]}]}

Open = Callable[..., Awaitable[McpConnector]]


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Path:
    """The reference servers, or the reason why they are not here."""
    return installed(request.config.cache.mkdir("mcp-servers"))


@pytest_asyncio.fixture
async def connect() -> AsyncIterator[Open]:
    """`connect(name, settings, declarations)`: pinned as the server is now; ended with the test."""
    opened: list[McpConnector] = []

    async def make(
        name: str,
        settings: McpSettings,
        chosen: dict[str, Any],
        credentials: Credentials | None = None,
        pins: dict[str, McpTool] | None = None,
    ) -> McpConnector:
        server = McpServer(
            connector_to(settings, credentials or Credentials({}), silent()),
            timeout_s=settings.timeout_s,
        )
        declared = declarations(name, await server.tools(), chosen) if pins is None else pins
        opened.append(McpConnector(name, server, declared))
        return opened[-1]

    yield make
    for connector in opened:
        await connector.close()


def declarations(name: str, offered: list[Any], chosen: dict[str, Any]) -> dict[str, McpTool]:
    """What `anyteam mcp pin` writes, with these tools switched on by hand."""
    found = parse_declarations(name, "test", pinned(name, "", offered, {}))
    for own, fields in chosen.items():
        plain = {**msgspec.to_builtins(found[own]), "allow": True, "summary": f"{own}", **fields}
        found[own] = msgspec.convert(plain, McpTool)
    return found


def text(outcome: Any) -> str:
    return str(outcome.result["text"])


async def test_an_effect_at_the_memory_server_is_confirmed_by_reading_it_back(
    servers: Path, tmp_path: Path, connect: Open
) -> None:
    kept = tmp_path / "graph.json"
    settings = McpSettings(
        command=command(servers, "server-memory"), env={"MEMORY_FILE_PATH": str(kept)}
    )
    graph = await connect("graph", settings, GRAPH)
    key = new_key()
    before = await graph.reconcile("graph.create_entities", BOEING, key)
    assert before.finding is Finding.NOT_DONE
    done = await graph.execute("graph.create_entities", BOEING, key)
    assert done.status is ActionOutcome.CONFIRMED
    assert "Boeing" in done.evidence.decode()
    assert "Boeing" in kept.read_text()
    again = await graph.execute("graph.create_entities", BOEING, key)
    assert again == done
    after = await graph.reconcile("graph.create_entities", BOEING, key)
    assert after.finding is Finding.DONE
    gone = await graph.execute("graph.delete_entities", {"entityNames": ["Boeing"]}, new_key())
    assert gone.status is ActionOutcome.CONFIRMED
    assert "Boeing" not in kept.read_text()


async def test_a_file_written_at_the_filesystem_server_is_read_back_whole(
    servers: Path, tmp_path: Path, connect: Open
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    settings = McpSettings(command=command(servers, "server-filesystem", str(root)))
    files = await connect("fs", settings, FILES)
    asked = {"path": str(root / "note.txt"), "content": "Zürich on Thursday\nline two"}
    done = await files.execute("fs.write_file", asked, new_key())
    assert done.status is ActionOutcome.CONFIRMED
    assert (root / "note.txt").read_text() == asked["content"]
    assert done.evidence.decode() == asked["content"]
    read = await files.execute("fs.read_text_file", {"path": asked["path"]}, new_key())
    assert text(read) == asked["content"]
    outside = {"path": "/etc/anyteam-test", "content": "x"}
    refused = await files.execute("fs.write_file", outside, new_key())
    assert refused.status is ActionOutcome.UNKNOWN
    assert not Path("/etc/anyteam-test").exists()
    wrong = await files.execute("fs.read_text_file", {"path": "/etc/passwd"}, new_key())
    assert wrong.status is ActionOutcome.FAILED
    assert "root:" not in text(wrong)


async def test_pictures_and_links_are_named_and_never_shown_or_followed(
    servers: Path, connect: Open
) -> None:
    settings = McpSettings(command=command(servers, "server-everything"))
    everything = await connect("everything", settings, EVERYTHING)
    picture = await everything.execute("everything.get-tiny-image", {}, new_key())
    links = await everything.execute("everything.get-resource-links", {"count": 3}, new_key())
    assert any(one.startswith("image, ") for one in picture.result["left_out"])
    assert links.result["left_out"] == ["a link to a resource, not followed"] * 3
    total = await everything.execute("everything.get-sum", {"a": 2, "b": 3}, new_key())
    assert "5" in text(total)


async def test_a_server_gets_the_named_variables_and_credentials_and_nothing_else(
    servers: Path, connect: Open
) -> None:
    settings = McpSettings(
        command=command(servers, "server-everything"),
        env={"REGION": "eu"},
        env_credentials={"API_KEY": "crm"},
    )
    vault = Credentials({"crm": "not-a-real-key", "mail": "another"})
    everything = await connect("everything", settings, EVERYTHING, vault)
    said = await everything.execute("everything.get-env", {}, new_key())
    assert json.loads(text(said)) == {"REGION": "eu", "API_KEY": "not-a-real-key"}
    for process in below(os.getpid()):
        assert "not-a-real-key" not in "".join(process.argv)


async def test_only_declared_tools_run_and_only_with_arguments_of_their_schema(
    servers: Path, connect: Open
) -> None:
    settings = McpSettings(command=command(servers, "server-everything"))
    everything = await connect("everything", settings, {"echo": {"effect": "read"}})
    assert [tool.name for tool in everything.tools] == ["everything.echo"]
    for tool, arguments in (
        ("everything.get-env", {}),
        ("everything.echo", {}),
        ("everything.echo", {"message": "x", "more": "quoted-nowhere"}),
    ):
        with pytest.raises(BadArguments) as raised:
            await everything.execute(tool, arguments, new_key())
        assert "quoted" not in str(raised.value)


async def test_a_large_answer_is_cut_and_says_so(servers: Path, connect: Open) -> None:
    settings = McpSettings(command=command(servers, "server-everything"))
    everything = await connect("everything", settings, EVERYTHING)
    said = await everything.execute("everything.echo", {"message": "é" * 200_000}, new_key())
    assert said.result["truncated"]
    assert len(msgspec.json.encode(said.result)) <= MAX_RESULT_BYTES


class Rude:
    """The server with bad manners, its log and its manners."""

    def __init__(self, home: Path) -> None:
        self.log, self.manners = home / "calls.log", home / "manners"
        module = ROOT / "tests" / "contract" / "rude_mcp_server.py"
        arguments = ("--log", str(self.log), "--manners", str(self.manners))
        self.settings = McpSettings(command=(sys.executable, str(module), *arguments), timeout_s=5)

    def behave(self, manner: str) -> None:
        self.manners.write_text(manner)

    def calls(self, tool: str) -> int:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return sum(json.loads(line)["tool"] == tool for line in lines)


@pytest.fixture
def rude(tmp_path: Path) -> Rude:
    return Rude(tmp_path)


def processes_of(rude: Rude) -> list[int]:
    return [p.pid for p in below(os.getpid()) if str(rude.log) in p.argv]


async def test_a_tool_that_tells_another_tale_than_was_pinned_is_not_called(
    rude: Rude, connect: Open
) -> None:
    keeper = await connect("rude", rude.settings, {"keep": KEEP, "look": LOOK})
    rude.behave("changed")
    for tool, arguments in (("rude.keep", {"note": "x"}), ("rude.look", {})):
        with pytest.raises(ToolChanged) as raised:
            await keeper.execute(tool, arguments, new_key())
        assert raised.value.before_effect
        assert "rude.keep" in raised.value.what
        assert "vault" not in str(raised.value)
    assert rude.calls("keep") == rude.calls("look") == 0
    rude.behave("")
    assert (await keeper.execute("rude.keep", {"note": "x"}, new_key())).status is (
        ActionOutcome.CONFIRMED
    )


async def test_no_word_of_the_server_is_in_what_is_declared(rude: Rude, connect: Open) -> None:
    keeper = await connect("rude", rude.settings, {"keep": KEEP, "look": LOOK})
    told = msgspec.json.encode(keeper.tools).decode()
    assert "previous instructions" not in told
    assert "Keeps a note" not in told


@pytest.mark.parametrize(
    ("confirm", "outcome"),
    [
        (None, ActionOutcome.UNKNOWN),
        ("answer", ActionOutcome.CONFIRMED),
        (KEEP["confirm"], ActionOutcome.CONFIRMED),
    ],
)
async def test_a_server_s_own_answer_confirms_nothing_unless_that_is_declared(
    rude: Rude, connect: Open, confirm: Any, outcome: ActionOutcome
) -> None:
    declared = {"keep": {**KEEP, "confirm": confirm}, "look": LOOK}
    keeper = await connect("rude", rude.settings, declared)
    done = await keeper.execute("rude.keep", {"note": "call Jane"}, new_key())
    assert done.status is outcome
    assert done.result["left_out"] == ["a link to a resource, not followed"]
    words = {None: "unknown", "answer": "own answer"}.get(
        confirm if isinstance(confirm, str) else None, "unknown"
    )
    told = next(tool.confirm for tool in keeper.tools if tool.name == "rude.keep")
    assert words in told or "look" in told


async def test_what_is_answered_and_not_kept_is_not_confirmed(rude: Rude, connect: Open) -> None:
    keeper = await connect("rude", rude.settings, {"keep": KEEP, "look": LOOK})
    rude.behave("deny")
    done = await keeper.execute("rude.keep", {"note": "call Jane"}, new_key())
    assert done.status is ActionOutcome.UNKNOWN


@pytest.mark.parametrize("manner", ["hang", "die", "flood"])
async def test_a_call_that_is_cut_off_is_asked_after_once_and_never_made_again(
    rude: Rude, connect: Open, manner: str
) -> None:
    settings = msgspec.structs.replace(rude.settings, timeout_s=3)
    keeper = await connect("rude", settings, {"keep": KEEP, "look": LOOK})
    await keeper.execute("rude.look", {}, new_key())
    first = processes_of(rude)
    rude.behave(manner)
    done = await keeper.execute("rude.keep", {"note": "call Jane"}, new_key())
    assert rude.calls("keep") == 1
    assert done.status is ActionOutcome.CONFIRMED
    assert not set(first) & set(processes_of(rude))


async def test_a_cut_off_call_that_is_not_shown_is_unknown_and_stays_so(
    rude: Rude, connect: Open
) -> None:
    keeper = await connect("rude", rude.settings, {"keep": KEEP, "look": LOOK})
    key = new_key()
    declared = {"keep": {**KEEP, "confirm": None}, "look": LOOK}
    blind = await connect("rude", rude.settings, declared)
    rude.behave("die")
    done = await blind.execute("rude.keep", {"note": "call Jane"}, key)
    assert done.status is ActionOutcome.UNKNOWN
    found = await blind.reconcile("rude.keep", {"note": "call Jane"}, key)
    assert found.finding is Finding.UNKNOWN
    never = await keeper.reconcile("rude.keep", {"note": "another"}, new_key())
    assert never.finding is Finding.UNKNOWN
    assert "on its way" in never.detail
    assert rude.calls("keep") == 1


async def test_an_error_that_the_server_reports_is_believed_once_reading_back_agrees(
    rude: Rude, connect: Open
) -> None:
    keeper = await connect("rude", rude.settings, {"keep": KEEP, "look": LOOK})
    rude.behave("fail")
    done = await keeper.execute("rude.keep", {"note": "call Jane"}, new_key())
    # Its log has the call, so its look shows the note: an error, and done all the same.
    assert done.status is ActionOutcome.UNKNOWN
    assert text(done) == "no, because"


async def test_closing_ends_the_server_and_all_it_started(rude: Rude, connect: Open) -> None:
    keeper = await connect("rude", rude.settings, {"keep": KEEP, "look": LOOK})
    await keeper.execute("rude.look", {}, new_key())
    assert processes_of(rude)
    await keeper.close()
    assert processes_of(rude) == []


async def test_two_calls_at_once_share_one_server(rude: Rude, connect: Open) -> None:
    keeper = await connect("rude", rude.settings, {"keep": KEEP, "look": LOOK})
    await keeper.close()
    await asyncio.gather(*(keeper.execute("rude.look", {}, new_key()) for _ in range(5)))
    assert rude.calls("look") == 5
    assert len(processes_of(rude)) == 2, "the guard and the server"


async def test_a_server_that_does_not_start_is_unreachable(tmp_path: Path, rude: Rude) -> None:
    settings = McpSettings(command=(str(tmp_path / "nothing"),), timeout_s=5)
    server = McpServer(connector_to(settings, Credentials({}), silent()), timeout_s=5)
    with pytest.raises(Unreachable):
        await server.tools()
    await server.close()


async def test_a_server_that_cannot_be_reached_as_configured_is_told_at_once() -> None:
    for settings in (McpSettings(command=("node", "x.js")), McpSettings(url="http://mcp.example/")):
        with pytest.raises(BadConnector):
            connector_to(settings, Credentials({}), silent())


async def test_a_missing_credential_is_denied_when_the_server_is_needed() -> None:
    for settings in (
        McpSettings(command=("/bin/true",), env_credentials={"K": "none"}),
        McpSettings(url="https://mcp.example/", credential="none"),
    ):
        server = McpServer(connector_to(settings, Credentials({}), silent()), timeout_s=5)
        with pytest.raises(Denied, match="none"):
            await server.tools()


@contextlib.asynccontextmanager
async def over_http(servers: Path) -> AsyncIterator[str]:
    """The everything server over streamable HTTP, on a port that the system picked."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = command(servers, "server-everything", "streamableHttp")
    process = await asyncio.create_subprocess_exec(
        *words, env={"PORT": str(port)}, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(20):
            await process.stderr.readuntil(b"listening on port")
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        await process.wait()


async def test_a_server_over_http_is_called_and_once_gone_is_unreachable(
    servers: Path, connect: Open
) -> None:
    async with over_http(servers) as url:
        settings = McpSettings(url=url, credential="mcp", timeout_s=10)
        vault = Credentials({"mcp": "not-a-real-token"})
        everything = await connect("everything", settings, EVERYTHING, vault)
        said = await everything.execute("everything.echo", {"message": "hello"}, new_key())
        assert "hello" in text(said)
    with pytest.raises(Unreachable) as raised:
        await everything.execute("everything.echo", {"message": "hello"}, new_key())
    assert "not-a-real-token" not in str(raised.value)


async def test_an_endless_answer_over_http_is_cut_off_and_its_outcome_unknown(
    rude: Rude, connect: Open
) -> None:
    keeper = await connect("rude", rude.settings, {"keep": {**KEEP, "confirm": None}, "look": LOOK})
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        """As good as endless. The pause lets a connection's end be noticed."""
        nonlocal sent
        while sent < 64 * MAX_ANSWER_BYTES:
            sent += 65_536
            yield b"x" * 65_536
            await asyncio.sleep(0)

    async def answer(request: Request) -> Response:
        asked = await request.json()
        if asked["method"] == "tools/call":
            return StreamingResponse(endless(), media_type="application/json")
        if asked["method"] == "tools/list":
            tools = [t.model_dump(by_alias=True, mode="json", exclude_none=True) for t in offered]
            return JSONResponse({"jsonrpc": "2.0", "id": asked["id"], "result": {"tools": tools}})
        if asked["method"] == "initialize":
            result = {
                "protocolVersion": "2025-11-25",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "endless", "version": "1"},
            }
            return JSONResponse({"jsonrpc": "2.0", "id": asked["id"], "result": result})
        if "id" not in asked:
            return Response(status_code=202)
        error = {"code": -32601, "message": "no such method"}
        return JSONResponse({"jsonrpc": "2.0", "id": asked["id"], "error": error})

    offered = await keeper._server.tools()
    app = Starlette(routes=[Route("/mcp", answer, methods=["POST"])])
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error"))
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    try:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        settings = McpSettings(url=url, timeout_s=20)
        far = await connect("rude", settings, {}, pins=keeper._declared)
        done = await far.execute("rude.keep", {"note": "call Jane"}, new_key())
    finally:
        server.should_exit = True
        await serving
    assert done.status is ActionOutcome.UNKNOWN
    assert 0 < sent < 64 * MAX_ANSWER_BYTES
