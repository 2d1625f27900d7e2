"""All 14 layers on one proposal, after histories of several lengths.

The run has read mails; each proposal is another mail to the person that the rep named, with its
own subject and text. What is timed is the gate's whole decision, from the case to the 14 outcomes,
garbage collection included. Not timed: reading the history in, and making the case, which opens
the arguments and asks the pattern engine what the action would complete (`case_us`).
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

from schemas.actions import LayerResult, ObservationRecorded, ProposalMade
from schemas.content import plain
from schemas.leases import Intent, Lease
from schemas.names import NO_DIGEST, SECOND, Classification
from schemas.tools import Effect, Policy, Tool
from sidecar.gate.gate import evaluate
from sidecar.gate.library import Recording, Step, advance, case_of, start

NOW: Final = 1_790_000_000 * SECOND
HISTORIES: Final = (10, 1_000, 100_000)
TIMES: Final = 400

_ANY: Final = {"type": "object", "additionalProperties": True}
_POLICY: Final = Policy(
    version=1,
    tools=(
        Tool(
            name="mail.read",
            summary="read a mail",
            arguments=_ANY,
            effect=Effect.READ,
            trusted=("id", "to"),
        ),
        Tool(
            name="mail.send",
            summary="send a mail",
            arguments=_ANY,
            effect=Effect.COMMUNICATION,
            destinations=("to",),
            contents=("subject", "text"),
        ),
    ),
    organisation=("acme.example",),
)
_LEASE: Final = Lease(
    run="bench",
    rep="ann",
    agent="assistant",
    request=NO_DIGEST,
    intent=Intent(
        summary="Read the mails from jane.doe@boeing.example and send her a short answer about "
        "the delivery dates",
        destinations=("@boeing.example",),
    ),
    tools=("mail.read", "mail.send"),
    policy=1,
    not_before=NOW,
    not_after=NOW + 3_600 * SECOND,
    max_actions=200,
    attempt=1,
    keys=(),
)
_SUBJECTS: Final = (
    "delivery", "invoice", "meeting", "contract", "engine", "hangar", "budget", "review", "seats",
    "wing", "rotor", "training", "travel", "forecast", "quality", "audit", "paint", "galley",
)  # fmt: skip


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """`median_us` at 1,000 observations; `by_history` the median at each length.

    Also at 1,000, medians of what costs more: `recipients_us`, each mail to a person not written
    to before; `amounts_us`, with amounts, days and hours in the text; `foreign_us`, with curly
    quotes and dashes; `case_us`, making the case.
    """
    medians: dict[str, float] = {}
    for length in HISTORIES:
        recording = history(length)
        medians[str(length)], case_us = median_us(recording, usual)
        if length == 1_000:
            others = {"case_us": case_us}
            for name, proposal in _OTHERS.items():
                others[name], _ = median_us(recording, proposal)
    return {"median_us": medians["1000"], "by_history": medians, **others}


def history(length: int) -> Recording:
    """A run that has read so many mails."""
    recording = start(_POLICY, _LEASE)
    for number in range(length):
        recording = advance(recording, Step(body=_mail(number), at=NOW + number))
    return recording


def _mail(number: int) -> ObservationRecorded:
    words = [_SUBJECTS[(number * step + step) % len(_SUBJECTS)] for step in (1, 5, 7, 11)]
    value = {
        "id": f"m-{number}",
        "from": f"person{number}@customer{number % 97}.example",
        "subject": f"The {words[0]} of order {10_000 + number}",
        "text": f"Dear all, the {words[1]} for {words[2]} {number} was moved to week "
        f"{number % 52}; the {words[3]} costs {number * 7 % 9_973} EUR. Kind regards, Jo",
    }
    return ObservationRecorded(
        source="mail", content=plain(value), sensitivity=Classification.CONFIDENTIAL
    )


def median_us(recording: Recording, proposal: Callable[[int], ProposalMade]) -> tuple[float, float]:
    """Of the decision and of making its case, in microseconds."""
    taken, making = [], []
    for number in range(TIMES):
        made = proposal(number)
        began = time.perf_counter()
        case = case_of(recording, made)
        started = time.perf_counter()
        result = evaluate(case)
        taken.append(time.perf_counter() - started)
        making.append(started - began)
        assert result.result is LayerResult.PASS, result.decisive
    return statistics.median(taken) * 1e6, statistics.median(making) * 1e6


def usual(number: int) -> ProposalMade:
    """Each its own text, so that nothing is answered from a cache but by its words."""
    return _mail_to(
        "jane.doe@boeing.example",
        f"Your delivery dates, part {number}",
        f"Dear Jane, the seats will arrive in week {number % 50} and the galley {number} "
        "days later. Please tell us whether that suits your hangar. Best, Ann",
    )


def _to_another(number: int) -> ProposalMade:
    return _mail_to(
        f"person{number}@boeing.example",
        f"Your delivery dates, batch {number}",
        f"Dear all, the seats will arrive in week {number % 50} and the galley {number} "
        "days later. Please tell us whether that suits the hangar. Best, Ann",
    )


def _with_amounts(number: int) -> ProposalMade:
    return _mail_to(
        "jane.doe@boeing.example",
        f"Your delivery dates and prices, part {number}",
        f"Dear Jane, the seats of order {70_000 + number} come on May {1 + number % 28} at 10:30 "
        f"and cost {20_000 + number}.50 EUR. Please tell us whether that suits you. Best, Ann",
    )


def _with_foreign_signs(number: int) -> ProposalMade:
    return _mail_to(
        "jane.doe@boeing.example",
        f"Your delivery dates \u2013 lot {number}",
        f"Dear Jane, the seats\u2019 arrival is week {number % 50} \u2013 the galley\u2019s "
        f"{number} days later. Please tell us whether that suits your hangar. Best, Ann",
    )


_OTHERS: Final = {
    "recipients_us": _to_another,
    "amounts_us": _with_amounts,
    "foreign_us": _with_foreign_signs,
}


def _mail_to(who: str, subject: str, text: str) -> ProposalMade:
    arguments = {"to": [who], "subject": subject, "text": text}
    return ProposalMade(
        number=1, tool="mail.send", arguments=plain(arguments), purpose=plain("answer")
    )
