"""What another policy would have decided: each recorded decision asked again under it.

The ledger is folded by the same deciders with one change: every `policy.set` carries the other
policy. Each decision is asked for at its own time and on what had happened by then. What would have
followed from a different decision is not invented: the next one is asked on the record as it is.

Generic over deciders, as `ledger.replay`.
"""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from bus.decider import Draft, Entry, Input, Recorded, Tick
from crypto.sealing import ContentKeys
from crypto.trust import Trust
from ledger.replay import Cast, decisions_of, played, verified_entries
from schemas.actions import (
    ActionRefused,
    ActionStarted,
    ApprovalRequested,
    LayerOutcome,
    LayerResult,
    VerdictGiven,
)
from schemas.events import AnyBody, type_of
from schemas.runs import LeaseGranted, PolicySet, RunRefused
from schemas.tools import Policy

_GATED = (ActionStarted, ActionRefused, ApprovalRequested)
_ADMITTED = (LeaseGranted, RunRefused)


class Otherwise(Struct, frozen=True, kw_only=True):
    """A decision that the other policy changes. `proposal` is hex, empty for a run's admission.

    `would` is empty where it would have decided nothing then: waited, for a verdict or a look.
    `layer` is the gate's layer that decides it, 0 where no layer speaks.
    """

    index: int
    run: str
    proposal: str
    tool: str
    was: str
    would: str
    layer: int
    name: str
    reason: str
    fix: str


class Counterfactual(Struct, frozen=True, kw_only=True):
    """All of it. `same` counts the decisions that the other policy leaves as they were."""

    entries: int
    same: int
    differences: tuple[Otherwise, ...]


def otherwise(
    entries: Iterable[tuple[int, str, bytes]],
    trust: Trust,
    keys: ContentKeys,
    cast: Cast,
    policy: Policy,
    *,
    run: str | None = None,
) -> Counterfactual:
    """Hold `entries`, from the first on, against `policy`; only the decisions of `run` if given."""
    known = list(verified_entries(entries, trust, keys))
    decisions, _ = decisions_of(known, cast)
    same, found = 0, list[Otherwise]()
    changed = [_under(entry, policy) for entry in known]
    for entry, players in played(changed, trust.workspace, cast):
        for player in players:
            for recorded in decisions.get((player.actor, player.run, entry.index), ()):
                body, event = recorded.event.body, recorded.event
                if not isinstance(body, (*_GATED, *_ADMITTED, VerdictGiven)):
                    continue
                if run is not None and event.run != run:
                    continue
                given: list[Input] = [entry, Tick()]
                recalled = player.decider.recall(player.state, recorded)
                if recalled is not None:
                    given.insert(0, recalled)
                drafts = [
                    draft
                    for question in given
                    for draft in player.decider.decide(player.state, question, event.at)
                    if isinstance(draft, Draft) and draft.run == event.run
                ]
                answers = [draft.body for draft in drafts if _answers(draft.body, body)]
                # A lease that is being made would not have been, where the request is refused.
                answers.sort(key=lambda one: not isinstance(one, RunRefused))
                answer = answers[0] if answers else None
                if answer is not None and _alike(answer, body):
                    same += 1
                else:
                    found.append(_difference(recorded, answer))
    found.sort(key=lambda one: one.index)
    return Counterfactual(entries=len(known), same=same, differences=tuple(found))


def _under(entry: Entry, policy: Policy) -> Entry:
    """The entry, with the other policy where it sets one; its version stays."""
    if not isinstance(entry, Recorded) or not isinstance(entry.event.body, PolicySet):
        return entry
    version = entry.event.body.policy.version
    body = PolicySet(policy=msgspec.structs.replace(policy, version=version))
    event = msgspec.structs.replace(entry.event, body=body)
    return Recorded(entry.index, entry.digest, event, entry.published)


def _answers(body: AnyBody, recorded: AnyBody) -> bool:
    """Whether two bodies answer one question."""
    if isinstance(recorded, _ADMITTED):
        return isinstance(body, _ADMITTED)
    if isinstance(recorded, VerdictGiven):
        return isinstance(body, VerdictGiven) and body.proposal == recorded.proposal
    if isinstance(recorded, _GATED) and isinstance(body, _GATED):
        return body.proposal == recorded.proposal
    return False


def _alike(body: AnyBody, recorded: AnyBody) -> bool:
    """Whether they come to the same, the words of passing layers aside."""
    if type(body) is not type(recorded):
        return False
    if isinstance(body, VerdictGiven) and isinstance(recorded, VerdictGiven):
        return body.verdict is recorded.verdict
    return _deciding(body) == _deciding(recorded)


def _deciding(body: AnyBody) -> tuple[int, str]:
    """The layer that decides, and how; (0, "") where none objects."""
    layer = _layer(body)
    return (layer.layer, layer.result.value) if layer is not None else (0, "")


def _layer(body: AnyBody | None) -> LayerOutcome | None:
    layers = body.layers if isinstance(body, _GATED) else ()
    for wanted in (LayerResult.REFUSE, LayerResult.HOLD):
        for layer in layers:
            if layer.result is wanted:
                return layer
    return None


def _difference(recorded: Recorded, would: AnyBody | None) -> Otherwise:
    was = recorded.event.body
    layer = _layer(would)
    proposal = was.proposal if isinstance(was, (*_GATED, VerdictGiven)) else b""
    if layer is not None:
        reason, fix = layer.reason, layer.fix
    else:
        reason = str(getattr(would, "reason", ""))
        fix = str(getattr(would, "fix", ""))
    return Otherwise(
        index=recorded.index,
        run=recorded.event.run or "",
        proposal=proposal.hex(),
        tool=was.tool if isinstance(was, _GATED) else "",
        was=_said(was),
        would=_said(would) if would is not None else "",
        layer=layer.layer if layer is not None else 0,
        name=layer.name if layer is not None else "",
        reason=reason,
        fix=fix,
    )


def _said(body: AnyBody) -> str:
    verdict = f" {body.verdict.value}" if isinstance(body, VerdictGiven) else ""
    return f"{type_of(body)}{verdict}"
