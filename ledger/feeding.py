"""Feeding a witness: what to ask it next, and what its answer means. Pure, no I/O.

`wanted` says with which old size the newest seal is put to a witness, or that nothing is; `heard`
takes its answer. A witness that is down is asked again, the later the longer it is; one that
refuses is asked seldom, and what it refused is told once. A cosignature counts only where it is
by the witness's own key, over this very note.

Sources: c2sp.org/tlog-witness (add-checkpoint), c2sp.org/tlog-cosignature.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ledger.checkpoint import read_checkpoint
from ledger.cosignature import WitnessKey, cosigned_by
from ledger.errors import BadCheckpoint
from ledger.witness import SIZE_TYPE
from schemas.names import SECOND
from schemas.witnesses import Objection

AWAY_NS: Final = SECOND
MOST_AWAY_NS: Final = 60 * SECOND
REFUSED_NS: Final = 300 * SECOND
AHEAD_NS: Final = 60 * SECOND
"""A witness may have seen a seal that has not reached us yet; for so long, and no longer."""
_TURNS: Final = 4
_WHAT_CHARS: Final = 200


class Standing(Struct, frozen=True):
    """Where one witness stands with us. Times are ns since the epoch.

    `size` is what it cosigned last, `old` what it is thought to hold, `turns` how often in a row
    it said that it holds something else, `failures` how often in a row there was no answer.
    """

    size: int = 0
    cosigned_at: int = 0
    old: int = 0
    retry_at: int = 0
    turns: int = 0
    failures: int = 0
    ahead_since: int = 0
    objection: Objection | None = None
    what: str = ""


class Reply(Struct, frozen=True):
    """An HTTP answer: its status, its media type without parameters, and its text."""

    status: int
    kind: str
    body: str


class NoReply(Struct, frozen=True):
    """There was none, and why."""

    what: str


class Cosigned(Struct, frozen=True):
    """The witness's own line for the note; `news` where it had not cosigned, or had refused."""

    line: str
    news: bool


class Refused(Struct, frozen=True):
    """What is to be told; `held` is how many entries the witness says it has, 0 for no word."""

    objection: Objection
    held: int
    what: str


Outcome = Cosigned | Refused | None


def wanted(standing: Standing, sealed: int, now: int) -> int | None:
    """The old size with which the seal of `sealed` entries is to be put to it; None for not now."""
    # A clock that was set back must not make it wait for longer than it ever waits.
    if not sealed or sealed <= standing.size or 0 < standing.retry_at - now <= REFUSED_NS:
        return None
    return min(standing.old, sealed)


def heard(
    standing: Standing, key: WitnessKey, note: str, old: int, answer: Reply | NoReply, now: int
) -> tuple[Standing, Outcome]:
    """What follows from an answer to a request for `note` that named `old`."""
    if isinstance(answer, NoReply):
        return _away(standing, answer.what, now), None
    if answer.status == 200:
        return _cosigned(standing, key, note, answer.body, now)
    if answer.status == 409:
        return _elsewhere(standing, read_checkpoint(note).size, old, answer, now)
    said = f"{answer.status} {_short(answer.body)}".strip()
    if answer.status == 429 or not 400 <= answer.status < 500:
        return _away(standing, f"it answers {said}", now), None
    objection = {
        403: Objection.STRANGER,
        404: Objection.STRANGER,
        422: Objection.OTHER_HISTORY,
    }.get(answer.status, Objection.PUZZLED)
    held = old if objection is Objection.OTHER_HISTORY else 0
    return _refused(standing, objection, held, f"it answers {said}", now)


def cosignature_in(key: WitnessKey, note: str, lines: str) -> str:
    """The line by `key` among a witness's answer, with its newline.

    Raises `BadCheckpoint` where there is none, or it does not verify over this note.
    """
    for line in lines.splitlines(keepends=True):
        if key in cosigned_by(note + line, [key]):
            return line
    raise BadCheckpoint(f"no cosignature by the key of {key.name}")


def _cosigned(
    standing: Standing, key: WitnessKey, note: str, body: str, now: int
) -> tuple[Standing, Outcome]:
    try:
        line = cosignature_in(key, note, body)
    except BadCheckpoint as error:
        return _refused(standing, Objection.LIED, 0, error.what, now)
    size = read_checkpoint(note).size
    news = not standing.size or standing.objection is not None
    return Standing(size=size, old=size, cosigned_at=now), Cosigned(line, news)


def _elsewhere(
    standing: Standing, asked: int, old: int, answer: Reply, now: int
) -> tuple[Standing, Outcome]:
    """It holds another size than the one that was named."""
    last = answer.body.strip()
    if answer.kind != SIZE_TYPE or not last.isascii() or not last.isdecimal() or len(last) > 19:
        return _refused(standing, Objection.PUZZLED, 0, "it answers 409 without its size", now)
    held = int(last)
    if held == old:
        what = f"it has cosigned another ledger of {held} entries under this name"
        return _refused(standing, Objection.OTHER_HISTORY, held, what, now)
    if held < standing.size:
        what = f"it cosigned {standing.size} entries, and now says it has seen {held}"
        return _refused(standing, Objection.FORGOT, held, what, now)
    if held > asked:
        since = standing.ahead_since or now
        if now - since >= AHEAD_NS:
            what = f"it has cosigned {held} entries of this ledger, {asked} are sealed here"
            return _refused(standing, Objection.CUT_SHORT, held, what, now)
        return replace(standing, ahead_since=since, retry_at=now + AWAY_NS), None
    if standing.turns >= _TURNS:
        return _away(replace(standing, turns=0), "it says another size each time", now), None
    return replace(standing, old=held, turns=standing.turns + 1), None


def _away(standing: Standing, what: str, now: int) -> Standing:
    pause = min(AWAY_NS << min(standing.failures, 10), MOST_AWAY_NS)
    failures = standing.failures + 1
    return replace(standing, failures=failures, retry_at=now + pause, what=what)


def _refused(
    standing: Standing, objection: Objection, held: int, what: str, now: int
) -> tuple[Standing, Outcome]:
    """Told where it is not what it objected before."""
    told = standing.objection is objection
    after = replace(
        standing,
        # From nothing, so that what it holds is asked anew.
        old=standing.size,
        retry_at=now + REFUSED_NS,
        turns=0,
        failures=0,
        objection=objection,
        what=what,
    )
    return after, None if told else Refused(objection, held, what)


def _short(text: str) -> str:
    return "".join(c for c in text.strip()[:_WHAT_CHARS] if c.isprintable())
