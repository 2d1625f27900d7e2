"""What may be read: the pages' view, a page of it at a time."""

import asyncio
import time

import msgspec

from console.api import asks, shapes
from console.api.differing import difference_shape
from console.api.hooks import WebhookShape, webhook_shape
from console.api.paging import page
from console.api.shaping import (
    claim_shape,
    effect_of,
    flag_shape,
    halt_shape,
    person_shape,
    run_shape,
    run_summary,
    standing_shape,
    step_shape,
    token_shape,
)
from console.tokens import standing as token_stands
from console.view.plots import percentile
from console.view.state import HOUR, Claim, Destination, Moment, Run, SignIn, Step
from console.web.content import changes
from console.web.errors import NotHere
from console.web.here import Here
from console.web.hooks import hooks_of
from console.web.permissions import SCOPES, May, Visitor
from console.web.shown import iso


async def me(here: Here, visitor: Visitor, at: asks.Nothing, given: asks.Nothing) -> shapes.Me:
    """Whose token this is, and what it may do."""
    now = time.time_ns()
    found = next(
        token
        for token in here.view.tokens.values()
        if token.body.token == visitor.token and not token_stands(token, now)
    )
    body = found.body
    return shapes.Me(
        workspace=here.view.name,
        account=visitor.account,
        role=visitor.role,
        person=visitor.person,
        token=body.token,
        scopes=[scope for scope in body.scopes if any(visitor.may(may) for may in SCOPES[scope])],
        expires=iso(body.expires),
    )


async def overview(
    here: Here, visitor: Visitor, at: asks.Nothing, given: asks.Nothing
) -> shapes.Overview:
    """What goes on, in figures."""
    view, now = here.view, time.time_ns()
    own = [run for run in view.runs.values() if visitor.sees(run)]
    whole = visitor.may(May.SEE_ALL)
    today = [hour.cost for at_, hour in view.hours.items() if at_ > now // HOUR - 24]
    ceiling = view.policy.per_day.money if view.policy is not None else 0
    return shapes.Overview(
        size=here.feed.index,
        runs=len(own),
        live=sum(run.live for run in own),
        waiting=len(here.questions(visitor)),
        actions=sum(run.begun for run in own),
        refused=sum(run.refusals for run in own),
        halts_in_force=len(view.engaged()),
        cost_today=sum(today) if whole else None,
        ceiling_per_day=ceiling if whole else None,
        latency_p50_ns=percentile(view.latencies, 0.5) if whole else None,
        latency_p95_ns=percentile(view.latencies, 0.95) if whole else None,
    )


async def runs(
    here: Here, visitor: Visitor, at: asks.Nothing, given: asks.Runs
) -> shapes.Page[shapes.RunSummary]:
    """Runs, the latest first."""
    words = given.q.casefold().strip()
    found = (
        (number, run)
        for number, run in reversed(list(enumerate(here.view.runs.values())))
        if visitor.sees(run) and given.state in (None, run.state) and run.mentions(words)
    )
    return page("runs", found, run_summary, cursor=given.cursor, limit=given.limit)


async def run(here: Here, visitor: Visitor, at: asks.OfRun, given: asks.Nothing) -> shapes.RunShape:
    """One run: its intent, lease, cost, and every proposal with its 14 layers."""
    return run_shape(here, visitor, _run(here, visitor, at))


async def timeline(
    here: Here, visitor: Visitor, at: asks.OfRun, given: asks.Paged
) -> shapes.Page[shapes.MomentShape]:
    """A run's entries in order, each in words."""
    moments = ((moment.index, moment) for moment in _run(here, visitor, at).moments)
    return page(
        f"run.{at.run}",
        moments,
        _moment,
        cursor=given.cursor,
        limit=given.limit,
        latest_first=False,
    )


async def approvals(
    here: Here, visitor: Visitor, at: asks.Nothing, given: asks.Paged
) -> shapes.Page[shapes.ApprovalShape]:
    """What waits for a person, in the order in which it was proposed."""
    waiting = sorted(here.questions(visitor), key=lambda step: int(step.index))

    def shape(step: Step) -> shapes.ApprovalShape:
        return _approval(here, visitor, step)

    return page(
        "approvals",
        ((step.index, step) for step in waiting),
        shape,
        cursor=given.cursor,
        limit=given.limit,
        latest_first=False,
    )


async def approval(
    here: Here, visitor: Visitor, at: asks.OfProposal, given: asks.Nothing
) -> shapes.ApprovalShape:
    """One question, answered or not, with all that an answer rests on."""
    step = here.view.step(bytes.fromhex(at.proposal))
    known = step is not None and visitor.sees(here.view.runs[step.run])
    if step is None or not known or step.question is None:
        raise NotHere("there is no such question, or none of yours", fix="see /approvals")
    return _approval(here, visitor, step)


async def standing(
    here: Here, visitor: Visitor, at: asks.Nothing, given: asks.Paged
) -> shapes.Page[shapes.StandingShape]:
    """Actions left half done by runs that were to do all or nothing, the latest first."""
    runs = here.view.runs
    left = sorted(here.view.standing.values(), key=lambda step: step.started_index, reverse=True)
    found = ((step.started_index, step) for step in left if visitor.sees(runs[step.run]))
    return page("standing", found, standing_shape, cursor=given.cursor, limit=given.limit)


async def halts(
    here: Here, visitor: Visitor, at: asks.Nothing, given: asks.Halts
) -> shapes.Page[shapes.HaltShape]:
    """Halts, the latest first, each with what it stopped."""
    found = (
        (halt.index, halt)
        for halt in reversed(here.view.halts)
        if given.which == "all" or not halt.released_at
    )
    return page(
        "halts",
        found,
        lambda halt: halt_shape(here, visitor, halt),
        cursor=given.cursor,
        limit=given.limit,
    )


async def destinations(
    here: Here, visitor: Visitor, at: asks.Nothing, given: asks.Paged
) -> shapes.Page[shapes.DestinationShape]:
    """Watched domains, in the order in which they became known. The allowlist is the policy's."""
    known = enumerate(here.view.destinations.values())
    return page(
        "destinations",
        known,
        _destination,
        cursor=given.cursor,
        limit=given.limit,
        latest_first=False,
    )


async def claims(
    here: Here, visitor: Visitor, at: asks.Nothing, given: asks.Paged
) -> shapes.Page[shapes.ClaimShape]:
    """What agents remember, the latest first, with what it rests on."""
    found = (
        (number, claim)
        for number, claim in reversed(list(enumerate(here.view.claims.values())))
        if _knows(visitor, claim)
    )
    return page(
        "memory",
        found,
        lambda claim: claim_shape(here, visitor, claim),
        cursor=given.cursor,
        limit=given.limit,
    )


async def claim(
    here: Here, visitor: Visitor, at: asks.OfClaim, given: asks.Nothing
) -> shapes.ClaimShape:
    """One claim, with what it rests on."""
    found = here.view.claims.get(at.claim)
    if found is None or not _knows(visitor, found):
        raise NotHere("there is no such claim, or none of yours", fix="see /memory")
    return claim_shape(here, visitor, found)


async def flags(
    here: Here, visitor: Visitor, at: asks.Nothing, given: asks.Paged
) -> shapes.Page[shapes.FlagShape]:
    """What the supervisor noticed, the latest first."""
    found = ((flag.index, flag) for flag in reversed(here.view.flags))
    return page("flags", found, flag_shape, cursor=given.cursor, limit=given.limit)


async def webhooks(
    here: Here, visitor: Visitor, at: asks.Nothing, given: asks.Paged
) -> shapes.Page[WebhookShape]:
    """Webhook endpoints by name, each with its last attempts."""
    hooks = await asyncio.to_thread(hooks_of, here.folder, here.settings)
    return page(
        "webhooks",
        enumerate(hooks),
        webhook_shape,
        cursor=given.cursor,
        limit=given.limit,
        latest_first=False,
    )


async def policy(
    here: Here, visitor: Visitor, at: asks.Nothing, given: asks.Nothing
) -> shapes.PolicyShape:
    """The policy in force: tools, allowlist, ceilings, rules."""
    found = here.view.policy
    if found is None:
        return shapes.PolicyShape(0, None)
    return shapes.PolicyShape(found.version, msgspec.to_builtins(found))


async def people(
    here: Here, visitor: Visitor, at: asks.Nothing, given: asks.Paged
) -> shapes.Page[shapes.PersonShape]:
    """Who has access, by opaque account."""
    known = enumerate(here.view.grants.values())
    return page(
        "people",
        known,
        person_shape,
        cursor=given.cursor,
        limit=given.limit,
        latest_first=False,
    )


async def tokens(
    here: Here, visitor: Visitor, at: asks.Nothing, given: asks.Paged
) -> shapes.Page[shapes.TokenShape]:
    """Every token that was issued, the latest first."""
    found = reversed(list(enumerate(here.view.tokens.values())))
    return page("tokens", found, token_shape, cursor=given.cursor, limit=given.limit)


async def sign_ins(
    here: Here, visitor: Visitor, at: asks.Nothing, given: asks.Paged
) -> shapes.Page[shapes.SignInShape]:
    """The last of the record of sign-ins and of tokens' use, the latest first."""
    found = ((line.index, line) for line in reversed(here.view.sign_ins))
    return page("sign-ins", found, _sign_in, cursor=given.cursor, limit=given.limit)


def _run(here: Here, visitor: Visitor, at: asks.OfRun) -> Run:
    found = here.view.runs.get(at.run)
    if found is None or not visitor.sees(found):
        raise NotHere("there is no such run, or none of yours", fix="see /runs")
    return found


def _knows(visitor: Visitor, claim: Claim) -> bool:
    return visitor.may(May.SEE_ALL) or claim.body.rep == visitor.person


def _approval(here: Here, visitor: Visitor, step: Step) -> shapes.ApprovalShape:
    run = here.view.runs[step.run]
    found = None
    if visitor.may(May.READ_CONTENT):
        found = changes(run, step, here.keys, here.view.policy)
    return shapes.ApprovalShape(
        run=run_summary(run),
        step=step_shape(here, visitor, run, step),
        effect=effect_of(here, step),
        difference=difference_shape(found) if found is not None else None,
    )


def _moment(moment: Moment) -> shapes.MomentShape:
    return shapes.MomentShape(
        index=moment.index,
        at=iso(moment.at),
        type=moment.type,
        role=moment.role,
        words=moment.words,
    )


def _destination(known: Destination) -> shapes.DestinationShape:
    return shapes.DestinationShape(
        domain=known.domain,
        state=known.state,
        since=iso(known.since),
        looked_at=iso(known.looked_at),
        words=known.words,
    )


def _sign_in(line: SignIn) -> shapes.SignInShape:
    return shapes.SignInShape(
        index=line.index,
        at=iso(line.at),
        account=line.account,
        what=line.what,
        detail=line.detail,
    )
