"""What doctor says of witnesses, by what the feeder keeps."""

import msgspec
import pytest

from console.doctor.finding import State
from console.doctor.witnesses import judged
from console.feeding.memory import Kept
from crypto.trust import Trust
from ledger.checkpoint import read_checkpoint
from ledger.feeding import Standing
from schemas.names import SECOND
from schemas.witnesses import Objection, WitnessAsked, WitnessSettings, check_witnesses
from tests.ledgers import small_ledger

LEDGER = small_ledger()
NOTE = LEDGER.seals[-1]
SIZE = read_checkpoint(NOTE).size
VKEYS = [f"witness.example.com/w{n}+0badcafe+AAAA" for n in range(2)]
ASKED = WitnessSettings(
    ask=tuple(WitnessAsked(url="https://witness.example.com", vkey=vkey) for vkey in VKEYS),
    quorum=2,
)
NOW = 1_800_000_000 * SECOND
GOOD = Standing(size=SIZE, old=SIZE, cosigned_at=NOW)


def states(*standings: Standing) -> list[State]:
    trust = Trust("acme", LEDGER.root_public).known()
    kept = Kept(
        index=SIZE, note=NOTE, trust=trust, standings=dict(zip(VKEYS, standings, strict=False))
    )
    return [found.state for found in judged(ASKED, kept, NOW)]


LATE = msgspec.structs.replace(GOOD, size=SIZE - 1, cosigned_at=NOW - 301 * SECOND)
BEHIND = msgspec.structs.replace(LATE, cosigned_at=NOW - 10 * SECOND)
REFUSING = msgspec.structs.replace(GOOD, objection=Objection.LIED, what="no")


@pytest.mark.parametrize(
    ("standings", "found"),
    [
        ((GOOD, GOOD), [State.OK, State.OK]),
        ((GOOD, BEHIND), [State.OK, State.OK]),
        ((GOOD, LATE), [State.OK, State.ADVICE, State.FAULT]),
        ((GOOD,), [State.OK, State.ADVICE, State.FAULT]),
        ((REFUSING, GOOD), [State.FAULT, State.OK, State.FAULT]),
    ],
    ids=["both", "one a moment behind", "one late", "one never asked", "one refuses"],
)
def test_each_witness_has_a_finding_and_a_lost_quorum_one_more(
    standings: tuple[Standing, ...], found: list[State]
) -> None:
    assert states(*standings) == found


def test_before_the_feeder_was_up_none_has_cosigned() -> None:
    found = list(judged(ASKED, None, NOW))
    assert [one.state for one in found] == [State.ADVICE, State.ADVICE, State.FAULT]


def test_every_objection_has_a_fix() -> None:
    for objection in Objection:
        standing = msgspec.structs.replace(REFUSING, objection=objection)
        trust = Trust("acme", LEDGER.root_public).known()
        kept = Kept(index=SIZE, note=NOTE, trust=trust, standings={VKEYS[0]: standing})
        assert next(iter(judged(ASKED, kept, NOW))).fix


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (msgspec.structs.replace(ASKED, quorum=3), "witnesses.quorum is 3, of 2"),
        (msgspec.structs.replace(ASKED, ask=(ASKED.ask[0], ASKED.ask[0])), "names one vkey twice"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(asked: WitnessSettings, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_witnesses(asked)
