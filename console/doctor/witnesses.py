"""Whether the witnesses that the settings name cosign the seals of this ledger.

Reads what the feeder keeps; asks nobody.
"""

from collections.abc import Iterator

from bus.folder import DataFolder
from console.doctor.finding import Finding, State
from console.feeding.memory import Kept, Memory
from ledger.checkpoint import read_checkpoint
from ledger.feeding import Standing
from schemas.names import SECOND
from schemas.settings import Settings
from schemas.witnesses import Objection, WitnessSettings

_FIXES = {
    Objection.OTHER_HISTORY: "two histories exist: stop writing, keep both, and find out",
    Objection.CUT_SHORT: "this ledger was cut short: stop writing, and look for the rest",
    Objection.FORGOT: "its memory was lost: it needs a new key, and you its new vkey",
    Objection.STRANGER: "give it this ledger's seal key: `seal_keys` of `anyteam verify --json`",
    Objection.LIED: "compare witnesses.ask with the vkey that it publishes; do not count it",
    Objection.PUZZLED: "see whether its url is that of a C2SP tlog-witness",
}


def read(folder: DataFolder, settings: Settings, now: int) -> Iterator[Finding]:
    """How each witness stands at `now` (ns), and whether a quorum keeps up."""
    if settings.witnesses is not None:
        yield from judged(settings.witnesses, Memory(folder.witnesses).load(), now)


def judged(asked: WitnessSettings, kept: Kept | None, now: int) -> Iterator[Finding]:
    """As `read`, of what the feeder kept."""
    sealed = read_checkpoint(kept.note).size if kept is not None and kept.note else 0
    known = kept.standings if kept is not None else {}
    keeping_up = 0
    for one in asked.ask:
        name, standing = one.vkey.partition("+")[0], known.get(one.vkey, Standing())
        if standing.objection is not None:
            yield Finding(
                "witnesses",
                State.FAULT,
                f"{name} refuses: {standing.objection.value.replace('_', ' ')}: {standing.what}",
                _FIXES[standing.objection],
            )
        elif not standing.size:
            yield Finding(
                "witnesses",
                State.ADVICE,
                f"{name} has cosigned nothing yet{_because(standing)}",
                f"see whether it is up at {one.url}, and logs/feeder.log",
            )
        elif standing.size < sealed and now - standing.cosigned_at > asked.late_s * SECOND:
            yield Finding(
                "witnesses",
                State.ADVICE,
                f"{name} has cosigned {standing.size} entries of {sealed}{_because(standing)}",
                f"see whether it is up at {one.url}; it is caught up by itself",
            )
        else:
            keeping_up += 1
            yield Finding("witnesses", State.OK, f"{name} has cosigned {standing.size} entries")
    if keeping_up < asked.quorum:
        yield Finding(
            "witnesses",
            State.FAULT,
            f"{keeping_up} witnesses keep up, and witnesses.quorum is {asked.quorum}",
            "an auditor who asks for so many will not have them",
        )


def _because(standing: Standing) -> str:
    return f": {standing.what}" if standing.what else ""
