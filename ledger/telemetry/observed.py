"""What is told of an action to a telemetry backend: spans, and measures.

A trace's id follows from its proposal's digest, a span's from the event that ends it. So whoever
reads the ledger, at any time and place, gives the same ids, and a component needs to carry none.
Attributes hold names, outcomes and identifiers; no content, no reason in words, no person.
Source: OpenTelemetry semantic conventions 1.30 (messaging), W3C Trace Context.
"""

import hashlib
from typing import Final

from msgspec import Struct

Attributes = dict[str, str | int | bool]

ACTIONS: Final = "anyteam.actions"
DECISIONS: Final = "anyteam.decisions"
RUNS: Final = "anyteam.runs"
REJECTED: Final = "anyteam.entries.rejected"
FLAGS: Final = "anyteam.flags"
TOKENS: Final = "anyteam.model.tokens"
JUDGE_S: Final = "anyteam.judge.duration"
GATE_S: Final = "anyteam.gate.duration"
APPROVAL_S: Final = "anyteam.approval.duration"
EXECUTE_S: Final = "anyteam.execute.duration"
RECEIPT_S: Final = "anyteam.receipt.duration"
WHOLE_S: Final = "anyteam.action.duration"

COUNTS: Final = (ACTIONS, DECISIONS, RUNS, REJECTED, FLAGS, TOKENS)
DURATIONS: Final = (JUDGE_S, GATE_S, APPROVAL_S, EXECUTE_S, RECEIPT_S, WHOLE_S)


class Span(Struct, frozen=True, kw_only=True):
    """One stretch of work of `component`, from `start` to `end` (ns since the epoch, by the clocks
    of those who signed). `trace` has 16 bytes, `id` and `parent` 8; the root's `parent` is empty.
    """

    trace: bytes
    id: bytes
    parent: bytes
    name: str
    component: str
    start: int
    end: int
    attributes: Attributes
    failed: bool = False


class Measure(Struct, frozen=True):
    """One more of a count, or one duration in seconds."""

    name: str
    value: float
    attributes: Attributes


Told = Span | Measure


def trace_of(proposal: bytes) -> bytes:
    """The trace of the action that this proposal (its digest) asks for."""
    return hashlib.sha256(b"anyteam trace v1 " + proposal).digest()[:16]


def span_of(digest: bytes, name: str) -> bytes:
    """The span of that name which the event of this digest ends; the root's is the proposal's."""
    return hashlib.sha256(f"anyteam span v1 {name} ".encode() + digest).digest()[:8]


def traceparent(proposal: bytes) -> str:
    """The header by which another system's spans become children of the action's root."""
    return f"00-{trace_of(proposal).hex()}-{span_of(proposal, ROOT).hex()}-01"


ROOT: Final = "gated action"
