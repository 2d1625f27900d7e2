"""A model-driven run through the gateway, against an OpenAI-compatible server of the test's."""

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bus.decider import Recorded
from bus.folder import DataFolder
from console.commands.credentials import store
from console.commands.runs import request_run
from console.session import session
from console.supervisor import Supervisor
from schemas.actions import ModelCalled, ProposalMade
from schemas.content import value_of
from schemas.leases import Intent
from schemas.names import Role
from schemas.runs import RunCompleted, RunOutcome
from schemas.tools import Effect

SETTINGS = """\
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
tools = ["files.write"]
per_run = {{ money = {money} }}
[connectors.files]
root = "files"
[model]
model = "openai/small"
url = "http://127.0.0.1:{port}/v1"
local = {local}
price_in = 3.0
price_out = 10.0
[names]
persons = ["Zoltan Querfeld"]
[agents.thinker]
planner = "model"
instructions = "be brief"
"""

ECHO = "echo the tokens"
TOKEN = re.compile(r"\[[A-Z_]+_[2-9A-Z]{8,}\]")
RESTORED = (
    "Zoltan Querfeld",
    "zq@brixwold.example",
    "USD 481,250",
    "DE89 3704 0044 0532 0130 00",
)
API_KEY = "sk-" + "Canary7" * 5


class Model:
    """Answers what it was given, in order, and keeps each request."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.seen: list[dict[str, Any]] = []
        self.raw = b""

    async def complete(self, request: Request) -> Response:
        self.raw += await request.body()
        self.seen.append(
            {"body": await request.json(), "key": request.headers.get("authorization", "")}
        )
        if not self.answers:
            return JSONResponse({"error": {"message": "overloaded"}}, 503)
        answer = self.answers.pop(0)
        if answer == ECHO:
            # A model that writes down what it was given, as it was given.
            tokens = TOKEN.findall(self.raw.decode())
            arguments = {"path": "n.txt", "content": " ".join(dict.fromkeys(tokens))}
            answer = json.dumps({"tool": "files.write", "arguments": arguments, "purpose": "x"})
        message = {"role": "assistant", "content": answer}
        return JSONResponse(
            {
                "id": "c1",
                "object": "chat.completion",
                "created": 1,
                "model": "small",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
            }
        )


@contextlib.asynccontextmanager
async def serving(model: Model) -> AsyncIterator[int]:
    app = Starlette(routes=[Route("/v1/chat/completions", model.complete, methods=["POST"])])
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error"))
    task = asyncio.ensure_future(server.serve(sockets=[listening]))
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await task


async def run_thinker(
    home: Path,
    model: Model,
    *,
    summary: str = "write a note",
    local: bool = True,
    money: int = 0,
) -> list[Recorded]:
    """All events of one model-driven run."""
    async with serving(model) as port:
        folder = DataFolder(home)
        (home / "files").mkdir(parents=True)
        folder.settings_file.write_text(
            SETTINGS.format(port=port, local=str(local).lower(), money=money)
        )
        store(folder, "model", "sk-of-the-test")
        supervisor = Supervisor(folder, lambda text: None)
        try:
            await supervisor.up()
            async with session(home, Role.REP) as opened:
                intent = Intent(summary=summary, effects=(Effect.MUTATION,))
                name = await request_run(opened, "thinker", intent, ("files.write",), 60, 20, None)
                found: list[Recorded] = []
                async with asyncio.timeout(45):
                    async for item in opened.again().follow():
                        if isinstance(item, Recorded) and item.event.run == name:
                            found.append(item)
                            if isinstance(item.event.body, RunCompleted):
                                break
                return found
        finally:
            await supervisor.down()


def outcome_of(events: list[Recorded]) -> RunOutcome:
    body = events[-1].event.body
    assert isinstance(body, RunCompleted)
    return body.outcome


@pytest.mark.parametrize("noise", ["", "I would rather chat about the weather."])
async def test_a_model_driven_run_acts_through_the_gate(tmp_path: Path, noise: str) -> None:
    call = {"tool": "files.write", "arguments": {"path": "n.txt", "content": "hi"}, "purpose": "x"}
    answers = [json.dumps(call), json.dumps({"finish": True, "summary": "noted"})]
    model = Model(*([noise] if noise else []), *answers)
    events = await run_thinker(tmp_path / "home", model)
    assert outcome_of(events) is RunOutcome.SUCCESS
    assert (tmp_path / "home" / "files" / "n.txt").read_text() == "hi"
    assert {seen["key"] for seen in model.seen} == {"Bearer sk-of-the-test"}
    calls = [e.event.body for e in events if isinstance(e.event.body, ModelCalled)]
    assert [c.output_tokens for c in calls] == [5] * len(model.seen)


async def test_a_model_that_fails_ends_the_run_without_success(tmp_path: Path) -> None:
    events = await run_thinker(tmp_path / "home", Model())
    assert outcome_of(events) is RunOutcome.FAILURE
    calls = [e.event.body for e in events if isinstance(e.event.body, ModelCalled)]
    assert calls
    assert all(call.error for call in calls)


@pytest.mark.parametrize("local", [True, False], ids=["local", "outside"])
async def test_nothing_sensitive_reaches_the_model_and_its_answer_is_restored(
    tmp_path: Path, local: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    summary = f"write n.txt for {', '.join(RESTORED)}, api key {API_KEY}"
    model = Model(ECHO, json.dumps({"finish": True, "summary": "noted"}))
    home = tmp_path / "home"
    events = await run_thinker(home, model, summary=summary, local=local)
    assert len(model.seen) == 2
    for secret in (*RESTORED, API_KEY):
        assert secret.encode() not in model.raw
    [proposal] = [e.event.body for e in events if isinstance(e.event.body, ProposalMade)]
    content = value_of(proposal.arguments)["content"]
    for value in RESTORED:
        assert value in content
    assert API_KEY not in content
    said = capfd.readouterr()
    logs = said.out + said.err + "".join(f.read_text() for f in home.rglob("*.log"))
    for secret in (*RESTORED, API_KEY):
        assert secret not in logs
    calls = [e.event for e in events if isinstance(e.event.body, ModelCalled)]
    assert [c.body.cost for c in calls if isinstance(c.body, ModelCalled)] == [71, 71]


async def test_a_failing_model_s_error_repeats_nothing_of_the_prompt(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    events = await run_thinker(home, Model(), summary=f"ask {RESTORED[0]} with {API_KEY}")
    errors = [e.event.body.error for e in events if isinstance(e.event.body, ModelCalled)]
    said = capfd.readouterr()
    logs = said.out + said.err + "".join(f.read_text() for f in home.rglob("*.log"))
    assert any(errors)
    for secret in (RESTORED[0], API_KEY):
        assert secret not in logs + "".join(errors)


async def test_a_call_past_the_ceiling_is_refused_before_the_model_is_asked(
    tmp_path: Path,
) -> None:
    model = Model(json.dumps({"finish": True, "summary": "noted"}))
    events = await run_thinker(tmp_path / "home", model, money=50)
    assert model.seen == []
    assert outcome_of(events) is RunOutcome.FAILURE
    calls = [e.event.body for e in events if isinstance(e.event.body, ModelCalled)]
    assert all("ceilings" in call.error for call in calls)


async def test_an_answer_may_be_as_long_as_the_ceiling_pays_for(tmp_path: Path) -> None:
    model = Model(json.dumps({"finish": True, "summary": "noted"}))
    await run_thinker(tmp_path / "home", model, money=10_000)
    assert 0 < model.seen[0]["body"]["max_tokens"] < 1_000
