"""What the reviewing model must answer, and how its answer is read.

The answer is one JSON object: a verdict with its reason, the change where another plan is
wanted, the question where a person is. Pure and total: whatever text comes, `read` returns
an answer in form or says what was wrong with it, in words that quote none of it.
"""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from schemas.actions import Verdict

MAX_CHARACTERS: Final = 65_536

FORM: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "verdict": {"type": "string", "enum": [verdict.value for verdict in Verdict]},
        "reason": {"type": "string", "minLength": 1, "maxLength": 2_000},
        "change": {"type": ["object", "null"]},
        "question": {"type": ["string", "null"], "maxLength": 1_000},
    },
    "required": ["verdict", "reason"],
    "additionalProperties": False,
}
"""The answer's JSON Schema (draft 2020-12), handed to models that can be held to one."""


class Answer(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One answer in form. `change` are whole arguments, `question` is for a person."""

    verdict: Verdict
    reason: Annotated[str, Meta(min_length=1, max_length=2_000)]
    change: dict[str, Any] | None = None
    question: Annotated[str, Meta(max_length=1_000)] | None = None


class Unusable(Struct, frozen=True):
    """An answer that decides nothing; `problem` completes "the answer ..."."""

    problem: str


def read(text: str) -> Answer | Unusable:
    """The answer in `text`. Never raises."""
    if not text.strip():
        return Unusable("was empty")
    if len(text) > MAX_CHARACTERS:
        return Unusable(f"was longer than {MAX_CHARACTERS} characters")
    if text.count('"verdict"') > 1:
        # Decoders disagree on which of two equal keys counts.
        return Unusable("gave more than one verdict")
    try:
        said = msgspec.json.decode(text, type=Answer)
        # What cannot be written again cannot go on record either.
        msgspec.json.encode(said)
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError):
        return Unusable("was not one JSON object in the form asked for")
    return _consistent(said)


def _consistent(said: Answer) -> Answer | Unusable:
    """The answer, unless one part of it takes back another."""
    if not said.reason.strip():
        return Unusable("gave no reason")
    changes = said.verdict is Verdict.CHANGE_PLAN
    if changes and not said.change:
        return Unusable("wanted another plan and did not say which")
    if not changes and said.change is not None:
        return Unusable(f"said {said.verdict.value} and gave a change")
    asks = bool((said.question or "").strip())
    if said.verdict is Verdict.ROUTE_TO_HUMAN and not asks:
        return Unusable("sent a person no question")
    if said.verdict is Verdict.APPROVE and asks:
        return Unusable("said approve and asked a question")
    return said
