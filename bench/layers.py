"""All 14 layers on one proposal, after histories of several lengths.

The run has read mails; the proposal answers one of them. What is timed is the gate's whole
decision: from the folded state to the 14 outcomes. Reading the history in is timed apart.
"""

import argparse
import statistics
import time
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
        "the delivery dates"
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
    """`median_us` at 1,000 observations; `by_history` the median at each length."""
    medians: dict[str, float] = {}
    for length in HISTORIES:
        medians[str(length)] = median_us(history(length))
    return {"median_us": medians["1000"], "by_history": medians}


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


def median_us(recording: Recording) -> float:
    """The median of one decision, in microseconds."""
    taken = []
    for number in range(TIMES):
        case = case_of(recording, _proposal(number))
        started = time.perf_counter()
        result = evaluate(case)
        taken.append(time.perf_counter() - started)
        assert result.result is LayerResult.PASS, result.decisive
    return statistics.median(taken) * 1e6


def _proposal(number: int) -> ProposalMade:
    """Each its own text, so that nothing is answered from a cache but by its words."""
    arguments = {
        "to": ["jane.doe@boeing.example"],
        "subject": f"Your delivery dates, part {number}",
        "text": f"Dear Jane, the seats will arrive in week {number % 50} and the galley {number} "
        "days later. Please tell us whether that suits your hangar. Best, Ann",
    }
    return ProposalMade(
        number=1, tool="mail.send", arguments=plain(arguments), purpose=plain("answer")
    )
