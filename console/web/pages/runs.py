"""Runs: all that one may see, one as a timeline, and the form that asks for another."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from console.view.state import Run, Step
from console.web.content import Opened, opened_step
from console.web.desk import effects_of
from console.web.errors import NotHere
from console.web.here import Here, see
from console.web.pages.parts import number, part_of
from console.web.permissions import May, Visitor
from schemas.leases import Intent, Unanswered
from schemas.tools import Effect

STATES: Final = (
    *("live", "waiting", "parked"),
    *("success", "failure", "halted", "refused", "stopped", "expired", "crashed"),
)


async def listed(request: Request, here: Here, visitor: Visitor) -> Response:
    """Runs, the latest first, perhaps of one state or with some words."""
    asked = request.query_params.get("state", "")
    words = request.query_params.get("q", "").casefold().strip()
    found = [
        run
        for run in reversed(here.view.runs.values())
        if visitor.sees(run) and (not asked or run.state == asked) and run.mentions(words)
    ]
    return here.page(
        "runs.html",
        request,
        visitor,
        part=part_of(request, found),
        state=asked,
        words=words,
        states=STATES,
    )


async def one(request: Request, here: Here, visitor: Visitor) -> Response:
    """One run: its lease, its proposals with 14 lights each, and every entry."""
    run = here.view.runs.get(str(request.path_params["run"]))
    if run is None or not visitor.sees(run):
        raise NotHere("there is no such run, or none of yours", fix="see the list of runs")
    halts = [halt for halt in here.view.halts if halt.digest == run.halted_by]
    steps = list(run.steps.values())
    return here.page(
        "run.html",
        request,
        visitor,
        run=run,
        steps=[(step, _opened(here, visitor, run, step)) for step in reversed(steps)],
        halted=halts[0] if halts else None,
    )


async def form(request: Request, here: Here, visitor: Visitor) -> Response:
    """The form that asks for a run."""
    return here.page("run_new.html", request, visitor, **_choices(here))


async def request(request: Request, here: Here, visitor: Visitor) -> Response:
    """Ask for the run, signed as the rep."""
    said = await request.form()
    texts = {key: [str(value) for value in said.getlist(key)] for key in said}
    minutes = number((texts.get("minutes") or ["15"])[0])
    intent = Intent(
        summary=(texts.get("summary") or [""])[0].strip()[:4_000],
        effects=effects_of(texts.get("effect", [])),
        destinations=_lines((texts.get("destinations") or [""])[0]),
        objects=_lines((texts.get("objects") or [""])[0]),
        unanswered=_unanswered((texts.get("unanswered") or [""])[0]),
    )
    agent = (texts.get("agent") or [""])[0]
    tools = tuple(texts.get("tool", []))
    name = await here.desk.request(visitor, agent, intent, tools, minutes * 60)
    return see(f"/runs/{name}")


def _unanswered(text: str) -> Unanswered:
    """What is chosen; anything else is the default."""
    chosen = [choice for choice in Unanswered if choice.value == text]
    return chosen[0] if chosen else Unanswered.GO_ON


def _opened(here: Here, visitor: Visitor, run: Run, step: Step) -> Opened:
    return opened_step(
        run, step, here.keys, here.view.policy, may_read=visitor.may(May.READ_CONTENT)
    )


def _choices(here: Here) -> dict[str, Any]:
    policy = here.view.policy
    return {
        "agents": policy.agents if policy is not None else (),
        "tools": policy.tools if policy is not None else (),
        "effects": [effect for effect in Effect if effect is not Effect.READ],
        "most_minutes": (policy.max_ttl_s if policy is not None else 3_600) // 60,
    }


def _lines(text: str) -> tuple[str, ...]:
    parts = (part.strip() for line in text.splitlines() for part in line.split(","))
    return tuple(part for part in parts if part)
