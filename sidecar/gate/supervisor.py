"""Layer 13, supervisor: patterns over time, such as retrieval and then egress.

Two watchers speak here. The gate's own copy of the pattern engine says what this very action
would complete, with its destinations and records before its eyes; the supervisor's process,
which no sidecar can silence, has flags standing on the run, its rep, agent or workspace. What
either would halt is refused, what either would hold is held. Reads pass under a standing
hold: they do no harm until an effect follows, and that is asked about.
"""

from schemas.patterns import Response
from sidecar.gate.outcome import Case, Word, hold, passed, refuse
from sidecar.supervision.engine import Match

_SHOWN = 3
_NONE_MET = passed("no pattern is met")


def supervisor(case: Case) -> Word:
    """The gravest of what would match; then what stands on the run."""
    halting = [match for match in case.matches if match.response is Response.HALT]
    if halting:
        return refuse(
            f"{halting[0].pattern}: {halting[0].description}",
            evidence=_evidence(halting),
            fix="an admin reviews the evidence, then `anyteam release`; request a new run",
        )
    holding = [match for match in case.matches if match.response is Response.HOLD]
    if holding:
        return hold(
            f"{holding[0].pattern}: {holding[0].description}",
            evidence=_evidence(holding),
            fix="compare with what the rep asked for, then approve or deny",
        )
    if case.flags and (case.tool is None or case.tool.effect.high_stakes):
        return hold(
            "the supervisor has this run under watch",
            evidence=", ".join(case.flags),
            fix="approve this one effect, or an admin lifts the watch with `anyteam release`",
        )
    if case.matches:
        return passed(f"on record only: {_evidence(list(case.matches))}")
    return passed("a read, under watch") if case.flags else _NONE_MET


def _evidence(matches: list[Match]) -> str:
    """Each pattern with the events that met it, by the beginnings of their digests."""
    return "; ".join(
        f"{match.pattern} ({len(match.evidence)} events:"
        f" {', '.join(digest.hex()[:12] for digest in match.evidence[-_SHOWN:])})"
        for match in matches
    )
