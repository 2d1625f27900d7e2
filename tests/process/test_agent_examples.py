"""The examples' agents at work: real SDKs, a model that follows a script, real runs."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import venv
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from schemas.actions import ReceiptIssued
from schemas.runs import RunCompleted, RunOutcome, RunRequested
from schemas.tools import Effect
from tests.faults.installation import ROOT, follow, is_end, until, up
from tests.process.test_mcp_serve import NOTE, asked_for, prepared

SCRIPT = [("files_read", {"path": "agenda.txt"}), ("files_write", NOTE)]
LAST_WORDS = "The note is kept."
INSTALL_S = 240


class Model:
    """Calls the tools of `SCRIPT` in turn, then speaks its last words. Keeps what it was sent."""

    def __init__(self) -> None:
        self.turns = 0
        self.seen: list[dict[str, Any]] = []

    async def complete(self, request: Request) -> Response:
        self.seen.append(await request.json())
        turn, self.turns = self.turns, self.turns + 1
        message: dict[str, Any] = {"role": "assistant", "content": LAST_WORDS}
        if turn < len(SCRIPT):
            name, arguments = SCRIPT[turn]
            function = {"name": name, "arguments": json.dumps(arguments)}
            call = {"id": f"call-{turn}", "type": "function", "function": function}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        reason = "tool_calls" if turn < len(SCRIPT) else "stop"
        return JSONResponse(
            {
                "id": f"c{turn}",
                "object": "chat.completion",
                "created": 1,
                "model": "small",
                "choices": [{"index": 0, "message": message, "finish_reason": reason}],
                "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
            }
        )

    def tools(self) -> set[str]:
        """The tools it was offered."""
        return {tool["function"]["name"] for tool in self.seen[0]["tools"]}

    def results(self) -> list[str]:
        """What it was told of its calls."""
        told = [m["content"] for m in self.seen[-1]["messages"] if m["role"] == "tool"]
        return [one if isinstance(one, str) else one[0]["text"] for one in told]


@contextlib.asynccontextmanager
async def serving(model: Model) -> AsyncIterator[dict[str, str]]:
    """The environment in which the OpenAI client finds the model."""
    app = Starlette(routes=[Route("/v1/chat/completions", model.complete, methods=["POST"])])
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error"))
    task = asyncio.ensure_future(server.serve(sockets=[listening]))
    try:
        yield {
            "OPENAI_BASE_URL": f"http://127.0.0.1:{listening.getsockname()[1]}/v1",
            "OPENAI_API_KEY": "not-a-real-key",
            "PATH": os.environ["PATH"],
        }
    finally:
        server.should_exit = True
        await task


async def output_of(*command: str, env: dict[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    async with asyncio.timeout(120):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


@pytest.fixture(scope="session")
def sdk(request: pytest.FixtureRequest) -> Path:
    """A Python with the OpenAI Agents SDK, in an environment of its own; may skip."""
    wanted = ROOT / "examples" / "openai_agents" / "requirements.txt"
    home = request.config.cache.mkdir("openai-agents") / wanted.read_text().strip()
    python = home / "bin" / "python"
    if (home / "complete").exists():
        return python
    venv.create(home, clear=True)
    # This environment's own pip, and no bytecode of what is never imported: a third of the time.
    pip = (sys.executable, "-m", "pip", "--python", python)
    installed = subprocess.run(
        [*pip, "install", "--quiet", "--no-compile", "--requirement", wanted],
        capture_output=True,
        text=True,
        timeout=INSTALL_S,
        check=False,
    )
    if installed.returncode != 0:
        pytest.skip(f"pip cannot install the SDK: {installed.stderr.strip()[-200:]}")
    (home / "complete").touch()
    return python


async def test_an_openai_agents_sdk_agent_works_with_a_run_s_tools(
    tmp_path: Path, sdk: Path
) -> None:
    folder, model = prepared(tmp_path / "home"), Model()
    anyteam = str(Path(sys.executable).with_name("anyteam"))
    async with up(folder), serving(model) as env:
        run = await asked_for(folder, Effect.MUTATION)
        said = await output_of(
            *(str(sdk), "examples/openai_agents/agent.py", "--run", run),
            *("--data", str(folder.root), "--anyteam", anyteam, "Keep a note of the agenda."),
            env=env,
        )
        entries = await until(folder, run, is_end)
    assert LAST_WORDS in said
    assert model.tools() == {"files_read", "files_write"}
    assert "Boeing at nine" in model.results()[0]
    assert (folder.root / "files" / "note.txt").read_text() == NOTE["content"]
    end = entries[-1].event.body
    assert isinstance(end, RunCompleted)
    assert end.outcome is RunOutcome.SUCCESS
    assert sum(isinstance(r.event.body, ReceiptIssued) for r in entries) == len(SCRIPT)


async def test_a_langgraph_agent_works_with_a_run_s_tools(tmp_path: Path) -> None:
    pytest.importorskip("langchain_openai", reason="the extra langgraph is not installed")
    folder, model = prepared(tmp_path / "home"), Model()
    async with up(folder), serving(model) as env:
        said = await output_of(
            *(sys.executable, "-m", "examples.langgraph.agent"),
            *("--intent", "keep a note from agenda.txt in note.txt", "--effect", "mutation"),
            *("--tool", "files.read", "--tool", "files.write", "Keep a note of the agenda."),
            env={**env, "ANYTEAM_DATA": str(folder.root)},
        )
        async with contextlib.aclosing(follow(folder)) as entries:
            async for entry in entries:
                if isinstance(entry.event.body, RunRequested):
                    break
        assert entry.event.run is not None
        ended = await until(folder, entry.event.run, is_end)
    assert LAST_WORDS in said
    assert f"run {entry.event.run} ended: success" in said
    assert model.tools() == {"files_read", "files_write"}
    assert "Boeing at nine" in model.results()[0]
    assert (folder.root / "files" / "note.txt").read_text() == NOTE["content"]
    assert sum(isinstance(r.event.body, ReceiptIssued) for r in ended) == len(SCRIPT)
