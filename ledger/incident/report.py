"""An incident report's facts: what happened in some entries of a ledger, in order and in words.

Redacted: of content nothing is said, whatever opens. Reasons, names and intents are what the
ledger has in the clear. Pure.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from bus.decider import Recorded
from ledger.renderings.line import plain_body, timestamp

_BAD = ("action.refused", "run.halted", "run.refused", "halt.engaged", "destination.blocked")
_ASK = ("approval.requested", "supervisor.flagged", "destination.unverified", "entry.rejected")


class Moment(Struct, frozen=True, kw_only=True):
    """One event. `tone` is good, bad, ask or plain."""

    index: int
    at: int
    time: str
    run: str
    actor: str
    type: str
    words: str
    tone: str


class Report(Struct, frozen=True, kw_only=True):
    """The facts. `counts` are by event type, `sealed_at` is the size under the last seal."""

    title: str
    workspace: str
    root: str
    entries: int
    first: str
    last: str
    counts: dict[str, int]
    refusals: tuple[Moment, ...]
    moments: tuple[Moment, ...]


def report_of(
    entries: Iterable[Recorded], *, title: str, workspace: str, root_public: bytes, total: int
) -> Report:
    """The report on `entries`, out of a ledger of `total`."""
    moments = tuple(_moment(entry) for entry in entries)
    return Report(
        title=title,
        workspace=workspace,
        root=root_public.hex(),
        entries=total,
        first=moments[0].time if moments else "",
        last=moments[-1].time if moments else "",
        counts=dict(sorted(Counter(one.type for one in moments).items())),
        refusals=tuple(one for one in moments if one.tone in ("bad", "ask")),
        moments=moments,
    )


def _moment(entry: Recorded) -> Moment:
    # The event as it was signed: what this reader could open stays out.
    event = entry.published
    body = plain_body(event)
    return Moment(
        index=entry.index,
        at=event.at,
        time=timestamp(event.at)[:23].replace("T", " "),
        run=event.run or "",
        actor=f"{event.actor.role.value}/{event.actor.instance}",
        type=event.type,
        words=_words(body),
        tone=_tone(event.type, body),
    )


def _tone(kind: str, body: dict[str, Any]) -> str:
    outcome = body.get("outcome")
    if kind in _BAD or outcome in ("failed", "failure", "crashed", "expired"):
        return "bad"
    if kind in _ASK or outcome == "unknown":
        return "ask"
    return "good" if outcome in ("confirmed", "success") else "plain"


def _words(body: dict[str, Any]) -> str:
    intent = body.get("intent")
    said = [
        *(body.get(name) for name in ("tool", "verdict", "outcome", "decision", "domain")),
        intent.get("summary") if isinstance(intent, dict) else None,
        *(body.get(name) for name in ("reason", "question", "detail", "what")),
    ]
    return " · ".join(text for text in said if isinstance(text, str) and text)[:300]
