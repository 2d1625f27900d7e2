"""Pages that only show: overview, destinations, memory, flags, people."""

import time
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from console.view.leases import lease_tree
from console.view.plots import Plot, by_hour, by_layer, by_value, percentile
from console.view.state import HOUR, Claim, Workspace
from console.web.here import Here
from console.web.pages.parts import part_of
from console.web.permissions import ROLES, May, Visitor
from crypto.sealing import open_event
from schemas.content import Sealed, opened
from schemas.memories import MemoryRetained

MOST_LEASES: Final = 100


async def overview(request: Request, here: Here, visitor: Visitor) -> Response:
    """What goes on, at a glance. A rep sees their own runs, and no figure of others'."""
    view = here.view
    own = [run for run in view.runs.values() if visitor.sees(run)]
    counts = {
        "live": sum(run.live for run in own),
        "waiting": len(here.questions(visitor)),
        "actions": sum(run.begun for run in own),
        "refused": sum(run.refusals for run in own),
        "runs": len(own),
    }
    now = time.time_ns()
    day = [hour for at, hour in view.hours.items() if at > now // HOUR - 24]
    whole = visitor.may(May.SEE_ALL)
    return here.page(
        "overview.html",
        request,
        visitor,
        counts=counts,
        runs=list(reversed(own))[:8],
        whole=whole,
        plot=by_hour(view, now) if whole else None,
        rows=by_layer(view) if whole else (),
        figures=_figures(view, now) if whole else (),
        cost=sum(hour.cost for hour in day),
        ceiling=view.policy.per_day.money if view.policy is not None else 0,
        p50=percentile(view.latencies, 0.5),
        p95=percentile(view.latencies, 0.95),
    )


async def destinations(request: Request, here: Here, visitor: Visitor) -> Response:
    """Where agents may send, and whom those places belong to."""
    policy = here.view.policy
    return here.page(
        "destinations.html",
        request,
        visitor,
        policy=policy,
        part=part_of(request, list(here.view.destinations.values())),
    )


async def leases(request: Request, here: Here, visitor: Visitor) -> Response:
    """Who lent whom what, and how much of it is left."""
    live = [run for run in here.view.runs.values() if run.live and visitor.sees(run)]
    return here.page(
        "leases.html",
        request,
        visitor,
        policy=here.view.policy,
        reps=lease_tree(here.view, live[-MOST_LEASES:], time.time_ns()),
        more=max(0, len(live) - MOST_LEASES),
    )


async def memory(request: Request, here: Here, visitor: Visitor) -> Response:
    """What agents remember, and what each claim rests on."""
    whole = visitor.may(May.SEE_ALL)
    found = [
        claim
        for claim in reversed(here.view.claims.values())
        if whole or claim.body.rep == visitor.person
    ]
    part = part_of(request, found)
    claims = [(claim, _words(here, claim, visitor)) for claim in part.items]
    return here.page("memory.html", request, visitor, claims=claims, part=part)


async def flags(request: Request, here: Here, visitor: Visitor) -> Response:
    """What the supervisor noticed."""
    part = part_of(request, here.view.flags[::-1])
    return here.page("flags.html", request, visitor, part=part)


async def people(request: Request, here: Here, visitor: Visitor) -> Response:
    """Who has access, and the record of sign-ins."""
    return here.page(
        "people.html",
        request,
        visitor,
        grants=list(here.view.grants.values()),
        passkeys=list(reversed(here.view.passkeys.known.values())),
        tokens=list(reversed(here.view.tokens.values())),
        addresses=here.sessions.store.addresses(),
        sign_ins=list(reversed(here.view.sign_ins))[:100],
        roles=ROLES,
    )


def _figures(view: Workspace, now: int) -> tuple[tuple[str, str, str, Plot], ...]:
    """Cost and latency by the hour: an id, a heading, what it says, and the plot."""
    return (
        (
            "cost",
            "What it cost",
            "of the policy's currency, by the hour",
            by_value(view, now, lambda hour: hour.cost / 1e6, "spent"),
        ),
        (
            "latency",
            "How long actions took",
            "ms from proposal to outcome, half of those that nobody was asked about",
            by_value(view, now, lambda hour: hour.median_ms, "ms"),
        ),
    )


def _words(here: Here, claim: Claim, visitor: Visitor) -> str:
    if not visitor.may(May.READ_CONTENT):
        return "not shown to your role"
    body = open_event(claim.event, here.keys).body
    assert isinstance(body, MemoryRetained)
    return "sealed" if isinstance(body.text, Sealed) else str(opened(body.text))
