"""What must hold of a simulated workspace once it has come to rest."""

import math
from collections import Counter
from collections.abc import Iterator

from crypto.errors import Broken, Rejected
from crypto.trust import Verified
from schemas.actions import (
    ActionFinished,
    ActionOutcome,
    ActionRefused,
    ActionStarted,
    ApprovalDecided,
    Decision,
    EntryRejected,
    ProposalMade,
    ReceiptIssued,
)
from schemas.envelope import decode_envelope
from schemas.events import decode_event
from schemas.names import SECOND, Role
from schemas.runs import (
    HaltEngaged,
    HaltReleased,
    HaltScope,
    RunCompleted,
    RunHalted,
    RunOutcome,
    RunRefused,
    RunRequested,
)
from tests.simulation.cast import POLICY, trust
from tests.simulation.world import SETTLE, World

PROMPT = SETTLE + 2 * SECOND
"""How long (ns) after a halt an action under way has its outcome, crashes included."""

_STANDING = (Role.ORCHESTRATOR, Role.SIDECAR)
"""Who outlives its crashes under one key. A run's own key ends with its attempt, perhaps as it
speaks."""


def violations(world: World) -> list[str]:
    """Each breach, in words."""
    return list(_violations(world))


def _violations(world: World) -> Iterator[str]:
    reader = trust(world.root)
    events: list[tuple[int, Verified]] = []
    refused: set[int] = set()
    for index, stored in enumerate(world.simulation.stream.entries, start=1):
        try:
            events.append((index, reader.accept(stored.subject, stored.body)))
        except Broken as error:
            if error.suspect:
                yield f"entry {index}: a component's chain is broken: {error.what}"
            refused.add(index)
        except Rejected as error:
            refused.add(index)
            role = decode_event(decode_envelope(stored.body).payload).actor.role
            if role in _STANDING:
                yield f"entry {index}: what the {role.value} itself said is refused: {error.what}"
    noted = {v.event.body.index for _, v in events if isinstance(v.event.body, EntryRejected)}
    if refused - noted:
        yield f"invalid entries {sorted(refused - noted)} were never noted"
    yield from _ends(world, events)
    yield from _actions(world, events)
    yield from _undone(events)
    yield from _of_two(events)


def _of_two(events: list[tuple[int, Verified]]) -> Iterator[str]:
    """What policy wants four eyes for begins on two people's approval, and nobody's denial."""
    said: dict[bytes, dict[str, Decision]] = {}
    four_eyes = {tool.name for tool in POLICY.tools if tool.effect in POLICY.four_eyes}
    for index, verified in events:
        body, person = verified.event.body, verified.event.actor.instance
        if isinstance(body, ApprovalDecided):
            said.setdefault(body.proposal, {}).setdefault(person, body.decision)
        elif isinstance(body, ActionStarted) and body.tool in four_eyes:
            answers = list(said.get(body.proposal, {}).values())
            if answers != [Decision.APPROVE] * 2:
                yield f"entry {index}: {body.tool} began on {len(answers)} answers"


def _ends(world: World, events: list[tuple[int, Verified]]) -> Iterator[str]:
    ends: Counter[str | None] = Counter()
    receipts = {v.digest for _, v in events if isinstance(v.event.body, ReceiptIssued)}
    for _, verified in events:
        body = verified.event.body
        if isinstance(body, RunCompleted | RunHalted | RunRefused):
            ends[verified.event.run] += 1
        if isinstance(body, RunCompleted) and body.outcome is RunOutcome.SUCCESS:
            if not body.receipts or set(body.receipts) - receipts:
                yield f"run {verified.event.run} succeeded on receipts that are not there"
    for run in world.runs:
        if ends[run] != 1:
            yield f"run {run} ended {ends[run]} times"


def _undone(events: list[tuple[int, Verified]]) -> Iterator[str]:
    """All or nothing: what was begun and did not come to all is undone once, or said to stand."""
    wishes = {
        v.event.run: v.event.body.intent.together
        for _, v in events
        if isinstance(v.event.body, RunRequested)
    }
    made = {v.digest: v.event.body for _, v in events if isinstance(v.event.body, ProposalMade)}
    begun = {v.digest: v for _, v in events if isinstance(v.event.body, ActionStarted)}
    outcome = {
        v.event.body.action: v.event.body.outcome
        for _, v in events
        if isinstance(v.event.body, ActionFinished)
    }
    confirmed = {
        v.event.body.action: index
        for index, v in events
        if isinstance(v.event.body, ActionFinished)
        and v.event.body.outcome is ActionOutcome.CONFIRMED
    }
    undone: Counter[bytes] = Counter()
    taken_back: dict[bytes, int] = {}
    for action, started in begun.items():
        target = made[started.event.body.proposal].compensates
        if target is None:
            continue
        undone[target] += 1
        if not wishes[started.event.run]:
            yield f"run {started.event.run} undid what was not to be undone"
        if action in confirmed:
            taken_back[target] = confirmed[action]
    for target, times in undone.items():
        if times != 1:
            yield f"proposal {target.hex()[:8]} was undone {times} times"
    for _, verified in events:
        body, run = verified.event.body, verified.event.run
        if not isinstance(body, RunCompleted | RunHalted) or not wishes[run]:
            continue
        mine = {
            action: started.event.body
            for action, started in begun.items()
            if started.event.run == run and started.event.body.tool != "crm.read"
        }
        if isinstance(body, RunCompleted) and body.outcome is RunOutcome.SUCCESS:
            if any(outcome.get(action) is not ActionOutcome.CONFIRMED for action in mine):
                yield f"run {run} was to do all or nothing and succeeded with less"
            if any(made[b.proposal].compensates is not None for b in mine.values()):
                yield f"run {run} succeeded with what it undid"
            continue
        for action, started in mine.items():
            undoing = made[started.proposal].compensates is not None
            stands = outcome.get(action) is ActionOutcome.CONFIRMED and not undoing
            if stands and started.proposal not in taken_back and action not in body.standing:
                yield f"run {run} left {started.tool} standing and does not say so"
            if action in body.standing and started.proposal in taken_back:
                # A halt, the judge's stop and the lease's end wait for nothing: what was still
                # being undone may stand. Who ends by what was claimed has waited for it.
                waited = isinstance(body, RunCompleted) and body.outcome is RunOutcome.FAILURE
                if waited or taken_back[started.proposal] <= verified.event.seen:
                    yield f"run {run} says that {started.tool} stands, which was undone"


def _actions(world: World, events: list[tuple[int, Verified]]) -> Iterator[str]:
    started = {v.event.id: (i, v) for i, v in events if isinstance(v.event.body, ActionStarted)}
    finished: Counter[bytes] = Counter()
    outcome: dict[bytes, ActionOutcome] = {}
    ended: dict[bytes, int] = {}
    receipts: Counter[bytes] = Counter()
    decided: Counter[bytes] = Counter()
    proposals = {v.digest for _, v in events if isinstance(v.event.body, ProposalMade)}
    halts = [
        (i, v.event.at, v.event.body) for i, v in events if isinstance(v.event.body, HaltEngaged)
    ]
    releases = [
        (i, v.event.body.scope, v.event.body.target)
        for i, v in events
        if isinstance(v.event.body, HaltReleased)
    ]
    for _, verified in events:
        body = verified.event.body
        if isinstance(body, ActionStarted | ActionRefused):
            decided[body.proposal] += 1
            if body.proposal not in proposals:
                yield "an action for a proposal that was never made"
        if isinstance(body, ActionFinished):
            finished[body.action] += 1
            outcome[body.action] = body.outcome
            ended[body.action] = verified.event.at
        if isinstance(body, ReceiptIssued):
            receipts[verified.event.causes[1]] += 1
    for proposal, times in decided.items():
        if times != 1:
            yield f"proposal {proposal.hex()[:8]} was decided {times} times"
    over = {v.event.run: i for i, v in events if isinstance(v.event.body, RunCompleted | RunHalted)}
    done = Counter(key for key, _ in world.done)
    for key, size in world.done:
        if key not in started:
            yield f"effect {key} has no write-ahead record"
        elif started[key][0] > size:
            yield f"effect {key} came before its write-ahead record"
    for key, times in done.items():
        if times != 1:
            yield f"effect {key} happened {times} times"
    for key, (index, verified) in started.items():
        if finished[verified.digest] != 1 or receipts[verified.digest] != 1:
            yield (
                f"action {key} was finished {finished[verified.digest]} times"
                f" with {receipts[verified.digest]} receipts"
            )
        # Of what is unknown the far side had done nothing yet, and may have since.
        known = outcome.get(verified.digest) is not ActionOutcome.UNKNOWN
        confirmed = outcome.get(verified.digest) is ActionOutcome.CONFIRMED
        if known and confirmed != (done[key] == 1):
            yield f"action {key} is recorded as {outcome.get(verified.digest)}, done {done[key]}"
        run = verified.event.run
        if over.get(run, math.inf) < index and done[key]:
            yield f"effect {key} after its run's end at {over[run]}, written ahead at {index}"
        for at, when, halt in halts:
            mine = (i for i, scope, aim in releases if (scope, aim) == (halt.scope, halt.target))
            until = min((i for i in mine if i > at), default=math.inf)
            wide = halt.scope in (HaltScope.WORKSPACE, HaltScope.PLATFORM)
            covers = wide or halt.target == run
            if not covers or index > until:
                continue
            if at < index and done[key]:
                yield f"effect {key} after halt at {at}, written ahead at {index}"
            if ended.get(verified.digest, 0) > max(when, verified.event.at) + PROMPT:
                yield f"effect {key} was waited for after the halt at {at}"
