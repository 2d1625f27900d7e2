"""The ledger as a timeline: one line an event, in words, and the gate's 14 lights.

A light is a green dot for a pass, a yellow half for a hold, a red cross for a refusal, and a
hollow dot for a layer that this build does not enforce yet: never shown as passed.
"""

import datetime
from typing import Any

from rich.markup import escape

from bus.decider import Recorded
from schemas import actions, runs
from schemas.actions import LayerOutcome, LayerResult
from schemas.content import Plain, Sealed
from schemas.destinations import Ownership

_LIGHTS = {
    LayerResult.PASS: "[green]●[/]",
    LayerResult.HOLD: "[yellow]◐[/]",
    LayerResult.REFUSE: "[bold red]✗[/]",
    LayerResult.NOT_ASKED: "[dim]○[/]",
}
LEGEND = (
    "[dim]the gate's 14 lights:[/] [green]●[/] passed  [yellow]◐[/] held for a person"
    "  [bold red]✗[/] refused  [dim]○ not asked[/]"
)
_STYLES = {
    "action.refused": "red",
    "action.finished": "green",
    "run.completed": "bold",
    "run.halted": "bold red",
    "halt.engaged": "bold red",
    "approval.requested": "yellow",
    "entry.rejected": "red",
    "destination.blocked": "bold red",
    "destination.unverified": "yellow",
    "destination.expired": "yellow",
}


def lights(layers: tuple[LayerOutcome, ...]) -> str:
    """The 14 layers as a row of lights (rich markup)."""
    return "".join(_LIGHTS[layer.result] for layer in layers)


def line(recorded: Recorded) -> str:
    """One event as a line (rich markup)."""
    event = recorded.event
    at = datetime.datetime.fromtimestamp(event.at / 1e9, datetime.UTC).strftime("%H:%M:%S.%f")[:-3]
    style = _STYLES.get(event.type, "cyan")
    who = f"{event.actor.role.value}"
    run = event.run or "workspace"
    said = in_words(recorded)
    return (
        f"[dim]{recorded.index:>5} {at}[/] [dim]{escape(run):<22}[/] {who:<12} "
        f"[{style}]{event.type:<19}[/] {said}"
    )


def in_words(recorded: Recorded) -> str:
    """What an event says, shortly (rich markup, content above INTERNAL left out)."""
    body = recorded.event.body
    if isinstance(body, actions.ActionStarted):
        return f"{lights(body.layers)} {escape(body.tool)}"
    if isinstance(body, actions.ActionRefused):
        return f"{lights(body.layers)} {escape(body.tool)}: {escape(body.reason)}"
    if isinstance(body, actions.ApprovalRequested):
        return (
            f"{lights(body.layers)} {escape(body.tool)}: {escape(body.question)}"
            f" [dim](proposal {body.proposal.hex()[:12]})[/]"
        )
    if isinstance(body, actions.ProposalMade):
        return f"#{body.number} {escape(body.tool)} [dim]{recorded.digest.hex()[:12]}[/]"
    if isinstance(body, actions.VerdictGiven):
        return f"{body.verdict.value}: {escape(body.reason)}"
    if isinstance(body, actions.ActionFinished):
        again = " (reconciled)" if body.reconciled else ""
        return f"{body.outcome.value}{again}: {escape(body.detail)}"
    if isinstance(body, runs.LeaseGranted | runs.LeaseRenewed):
        lease = body.lease
        return f"attempt {lease.attempt}, tools {escape(', '.join(lease.tools))}"
    if isinstance(body, runs.RunRequested):
        return f"{escape(body.rep)} asks {escape(body.agent)}: {escape(body.intent.summary)}"
    if isinstance(body, runs.PlanFinished):
        word = "success" if body.success else "no success"
        return f"the runtime claims {word}, {len(body.claims)} effects"
    if isinstance(body, runs.RunCompleted):
        return f"{body.outcome.value}: {escape(body.reason)}"
    return escape(_fields(body))


def _fields(body: Any) -> str:
    named = ((name, getattr(body, name)) for name in body.__struct_fields__)
    shown = [
        f"{name} {getattr(value, 'value', value)}"
        for name, value in named
        if not isinstance(value, bytes | tuple | Plain | Sealed | Ownership)
        and name not in ("certificate", "policy")
    ]
    return ", ".join(shown)[:160]
