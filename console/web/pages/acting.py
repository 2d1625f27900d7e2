"""Where people decide: the inbox of questions, and the kill switch."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from console.view.state import Halt, Run, Step, Workspace, covers
from console.web import passkeys
from console.web.content import changes, opened_step
from console.web.errors import BadForm, NotHere
from console.web.here import Here, see
from console.web.permissions import May, Visitor
from schemas.actions import Decision
from schemas.runs import HaltScope

MOST_LEFT: Final = 50
LAST_HALTS: Final = 20


async def inbox(request: Request, here: Here, visitor: Visitor) -> Response:
    """Every question that waits, the oldest first; and what was left half done."""
    runs = here.view.runs
    left = [step for step in here.view.standing.values() if visitor.sees(runs[step.run])]
    return here.page(
        "inbox.html",
        request,
        visitor,
        steps=here.questions(visitor),
        standing=left[::-1][:MOST_LEFT],
    )


async def question(request: Request, here: Here, visitor: Visitor) -> Response:
    """One question, with all that an answer rests on."""
    step = _step(request, here, visitor)
    run = here.view.runs[step.run]
    policy = here.view.policy
    content = opened_step(run, step, here.keys, policy, may_read=visitor.may(May.READ_CONTENT))
    tools = policy.tools if policy is not None else ()
    return here.page(
        "question.html",
        request,
        visitor,
        step=step,
        run=run,
        content=content,
        tool=next((tool for tool in tools if tool.name == step.tool), None),
        options=_options(here, step, visitor),
        difference=changes(run, step, here.keys, policy) if visitor.may(May.READ_CONTENT) else None,
    )


async def answer(request: Request, here: Here, visitor: Visitor) -> Response:
    """Approve or deny exactly this proposal, or say what another should be like."""
    step = _step(request, here, visitor)
    form = await request.form()
    try:
        decision = Decision(str(form.get("decision", "")))
    except ValueError as error:
        raise BadForm("the answer is none of approve, change and deny") from error
    given = str(form.get("credential", ""))
    signed = passkeys.assertion(given) if given and decision is Decision.APPROVE else None
    note, change = str(form.get("note", "")), str(form.get("change", ""))
    if decision is not Decision.CHANGE:
        change = ""
    await here.desk.decide(visitor, step.digest, decision, note, signed, change)
    return see(f"/runs/{step.run}")


async def halts(request: Request, here: Here, visitor: Visitor) -> Response:
    """The kill switch: what may be stopped, what is stopped, and what had run before."""
    view = here.view
    live = [run for run in reversed(view.runs.values()) if run.live and visitor.sees(run)]
    return here.page(
        "halt.html",
        request,
        visitor,
        live=live,
        reps=sorted({run.request.rep for run in live}),
        agents=sorted({run.request.agent for run in live}),
        halts=[(halt, _stopped(view, halt, visitor)) for halt in _shown(view)],
    )


def _shown(view: Workspace) -> list[Halt]:
    """The last halts, and whichever is still in force, the latest first."""
    last = view.halts[-LAST_HALTS:]
    return [*reversed(last), *(one for one in view.engaged() if one not in last)]


async def halt(request: Request, here: Here, visitor: Visitor) -> Response:
    """Stop; asks again first where the page has not."""
    form = await request.form()
    scope, target = _scope(str(form.get("scope", ""))), str(form.get("target", ""))
    reason = str(form.get("reason", ""))
    here.desk.check_halt(visitor, scope, target)
    if form.get("sure") != "yes":
        return here.page(
            "sure.html", request, visitor, scope=scope, target=target, reason=reason, act="halt"
        )
    await here.desk.halt(visitor, scope, target, reason)
    return see("/halt")


async def release(request: Request, here: Here, visitor: Visitor) -> Response:
    """Lift a halt; asks again first where the page has not."""
    form = await request.form()
    scope, target = _scope(str(form.get("scope", ""))), str(form.get("target", ""))
    reason = str(form.get("reason", ""))
    if form.get("sure") != "yes":
        return here.page(
            "sure.html", request, visitor, scope=scope, target=target, reason=reason, act="release"
        )
    await here.desk.release(visitor, scope, target, reason)
    return see("/halt")


def _options(here: Here, step: Step, visitor: Visitor) -> str:
    """What the visitor's browser asks their passkeys for, empty where none is wanted or theirs."""
    if not step.open or step.question is None or not step.question.passkey:
        return ""
    approving = here.view.passkeys.approving(visitor.person)
    mine = [one for one in approving if one.body.origin == here.origin]
    return passkeys.to_approve(step.digest, mine) if mine else ""


def _stopped(view: Workspace, halt: Halt, visitor: Visitor) -> list[tuple[Run, list[Step]]]:
    """The runs that a halt stopped, each with the effects that had begun before it."""
    found = [view.runs[name] for name in halt.runs if name in view.runs]
    return [
        (run, [step for step in run.steps.values() if 0 < step.started_index < halt.index])
        for run in found
        if visitor.sees(run) and covers(halt, run)
    ]


def _scope(text: str) -> HaltScope:
    try:
        return HaltScope(text)
    except ValueError as error:
        raise BadForm(f"{text[:40]!r} is nothing that can be halted") from error


def _step(request: Request, here: Here, visitor: Visitor) -> Step:
    text = str(request.path_params["proposal"])
    try:
        step = here.view.step(bytes.fromhex(text))
    except ValueError:
        step = None
    if step is None or not visitor.sees(here.view.runs[step.run]):
        raise NotHere("there is no such proposal, or none of yours", fix="see the inbox")
    return step
