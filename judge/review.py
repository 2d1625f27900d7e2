"""Rules and model together: one judgement, the stricter of the two.

A model can only add to what the rules demand. Whatever keeps it from answering in form and
in time (an error, a late or unusable answer, data too long to show it) sends the proposal to
a person, unless the rules are stricter already. Pure.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from judge.answer import Answer, Unusable
from judge.rules import Judgement, stricter
from judge.wording import in_the_clear
from schemas.actions import Verdict

ATTEMPTS: Final = 2
"""How often the model is asked about one proposal before a person is."""

Approves = Callable[[Mapping[str, Any]], bool]
"""Whether the rules would approve these arguments."""


def unreviewed(rule: Judgement, why: str) -> Judgement:
    """The judgement where the model gave none; `why` completes "the model's review ..."."""
    human = Judgement(
        Verdict.ROUTE_TO_HUMAN,
        f"the model's review {why}",
        question=f"The model's review {why}. May the agent do this all the same?",
    )
    return stricter(rule, human)


def unusable(rule: Judgement, answer: Unusable) -> Judgement:
    """The judgement where the model's last answer was out of form."""
    return unreviewed(rule, f"came to nothing: its answer {answer.problem}")


def reviewed(
    rule: Judgement, answer: Answer, *, clear: str, sealed: Mapping[str, Any], approves: Approves
) -> Judgement:
    """The stricter of the rules' judgement and the model's answer.

    `clear` and `sealed` are what the model's words may and may not repeat (`judge.wording`).
    `sealed["arguments"]` are the proposal's. A change is passed on only where the rules would
    approve it and it changes something.
    """
    reason = in_the_clear(answer.reason, clear=clear, sealed=sealed)
    asked = in_the_clear(answer.question or "", clear=clear, sealed=sealed)
    change = answer.change
    if change is not None and (change == sealed.get("arguments") or not approves(change)):
        change = None
    model = Judgement(
        answer.verdict, f"the model's review says {answer.verdict.value}: {reason}", change, asked
    )
    return stricter(rule, model)
