"""Feeding witnesses: each answer that the protocol knows, real witnesses, and their lies."""

import msgspec
import pytest

from crypto.signing import Signer
from ledger.chain import leaf_of
from ledger.checkpoint import NoteKey, b64, origin_of, read_checkpoint
from ledger.cosignature import WitnessKey, cosign, cosigned_by
from ledger.feeding import (
    AHEAD_NS,
    MOST_AWAY_NS,
    REFUSED_NS,
    Cosigned,
    NoReply,
    Outcome,
    Refused,
    Reply,
    Standing,
    heard,
    wanted,
)
from ledger.merkle import Tree
from ledger.witness import SIZE_TYPE, TreeHead, consider, request_of
from schemas.names import SECOND
from schemas.witnesses import Objection
from tests.ledgers import small_ledger
from tests.stories import SignedLedger

LEDGER, OTHER = small_ledger(runs=3), small_ledger(seed=2, runs=4)
SIGNER = Signer.from_seed(bytes([9]) * 32)
KEY = WitnessKey("witness.example.com/w1", SIGNER.public)
SIZES = [read_checkpoint(note).size for note in LEDGER.seals]
NOW = 1_800_000_000 * SECOND


class Witness:
    """The product's own witness, without HTTP and disk."""

    def __init__(self) -> None:
        self.seen: dict[str, TreeHead] = {}
        origin = origin_of("acme")
        keys = [NoteKey(origin, one.signers["sealer"].public) for one in (LEDGER, OTHER)]
        self.logs = {origin: keys}

    def __call__(self, body: bytes) -> Reply:
        answer = consider(body, self.logs, self.seen)
        if answer.seen is None:
            return Reply(answer.status, answer.kind.partition(";")[0], answer.body)
        self.seen[answer.seen.origin] = answer.seen
        return Reply(200, "text/plain", cosign(answer.text, KEY.name, SIGNER, NOW // SECOND))


def feed(
    witness: Witness, standing: Standing, ledger: SignedLedger, n: int, now: int = NOW
) -> tuple[Standing, list[Outcome], int]:
    """Put the n-th seal until nothing is asked any more; what came of it, and requests made."""
    note = ledger.seals[n]
    size, outcomes, asked = read_checkpoint(note).size, list[Outcome](), 0
    tree = Tree(leaf_of(entry.body) for entry in ledger.entries)
    while (old := wanted(standing, size, now)) is not None:
        path = [b64(step) for step in tree.consistency(old, size)] if 0 < old < size else []
        standing, outcome = heard(
            standing, KEY, note, old, witness(request_of(old, path, note)), now
        )
        outcomes.append(outcome)
        asked += 1
        assert asked < 20
    return standing, [outcome for outcome in outcomes if outcome is not None], asked


def test_each_seal_is_cosigned_with_one_request_and_the_first_is_news() -> None:
    witness, standing = Witness(), Standing()
    for n, note in enumerate(LEDGER.seals):
        standing, outcomes, asked = feed(witness, standing, LEDGER, n)
        (given,) = outcomes
        assert isinstance(given, Cosigned) and given.news is (n == 0) and asked == 1
        assert cosigned_by(note + given.line, [KEY]) and standing.size == SIZES[n]


def test_one_that_was_fed_by_somebody_else_is_asked_again_with_its_own_size() -> None:
    witness = Witness()
    feed(witness, Standing(), LEDGER, 1)
    standing, outcomes, asked = feed(witness, Standing(), LEDGER, 3)
    assert asked == 2 and standing.size == SIZES[3] and isinstance(outcomes[0], Cosigned)


def test_an_answer_that_was_lost_costs_a_request_and_no_alarm() -> None:
    witness = Witness()
    before, _, _ = feed(witness, Standing(), LEDGER, 0)
    feed(witness, before, LEDGER, 1)
    standing, outcomes, _ = feed(witness, before, LEDGER, 1)
    assert standing.size == SIZES[1]
    assert [type(outcome) for outcome in outcomes] == [Cosigned]


@pytest.mark.parametrize("n", [0, 2, 5])
def test_another_history_is_refused_and_told_once(n: int) -> None:
    witness = Witness()
    standing, _, _ = feed(witness, Standing(), LEDGER, 2)
    fork = msgspec.structs.replace(standing)
    fork, outcomes, _ = feed(witness, msgspec.structs.replace(fork, size=0, old=0), OTHER, n)
    if n == 0:
        # It is shorter than what the witness has: perhaps the rest is under way.
        assert not outcomes
        fork, outcomes, _ = feed(witness, fork, OTHER, n, NOW + AHEAD_NS + SECOND)
    (told,) = outcomes
    assert isinstance(told, Refused)
    assert told.objection is (Objection.OTHER_HISTORY if n else Objection.CUT_SHORT)
    fork, outcomes, asked = feed(witness, fork, OTHER, n, NOW + AHEAD_NS + 2 * REFUSED_NS)
    assert asked and not outcomes


def test_a_witness_that_forgot_is_told_of_even_though_it_would_cosign() -> None:
    standing, _, _ = feed(Witness(), Standing(), LEDGER, 2)
    standing, outcomes, _ = feed(Witness(), standing, LEDGER, 3)
    assert isinstance(outcomes[0], Refused) and outcomes[0].objection is Objection.FORGOT
    assert standing.size == SIZES[2]


def test_after_a_refusal_the_next_cosignature_is_news() -> None:
    witness, unknown = Witness(), Witness()
    unknown.logs = {}
    standing, outcomes, _ = feed(unknown, Standing(), LEDGER, 0)
    assert isinstance(outcomes[0], Refused) and outcomes[0].objection is Objection.STRANGER
    assert wanted(standing, SIZES[0], NOW + SECOND) is None
    standing, outcomes, _ = feed(witness, standing, LEDGER, 0, NOW + REFUSED_NS + 1)
    assert isinstance(outcomes[0], Cosigned) and outcomes[0].news and standing.objection is None


NOTE = LEDGER.seals[1]
TEXT = NOTE.partition("\n\n")[0] + "\n"


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "nonsense\n",
        cosign(TEXT, KEY.name, Signer.from_seed(bytes([8]) * 32), 1),
        cosign(LEDGER.seals[0].partition("\n\n")[0] + "\n", KEY.name, SIGNER, 1),
        cosign(TEXT, "witness.example.com/w2", SIGNER, 1),
    ],
    ids=["nothing", "nonsense", "another key", "another note", "another name"],
)
def test_what_is_no_cosignature_of_this_note_by_this_key_is_a_lie(lines: str) -> None:
    standing, told = heard(Standing(), KEY, NOTE, 0, Reply(200, "text/plain", lines), NOW)
    assert isinstance(told, Refused) and told.objection is Objection.LIED and not standing.size


@pytest.mark.parametrize(
    ("status", "kind", "body", "objection"),
    [
        (400, "text/plain", "bad", Objection.PUZZLED),
        (403, "text/plain", "", Objection.STRANGER),
        (404, "text/plain", "", Objection.STRANGER),
        (409, "text/plain", "5", Objection.PUZZLED),
        (409, SIZE_TYPE, "five", Objection.PUZZLED),
        (409, SIZE_TYPE, "9" * 40, Objection.PUZZLED),
        (409, SIZE_TYPE, "0", Objection.OTHER_HISTORY),
        (413, "text/plain", "", Objection.PUZZLED),
        (422, "text/plain", "no", Objection.OTHER_HISTORY),
    ],
)
def test_a_refusal_says_what_it_means(
    status: int, kind: str, body: str, objection: Objection
) -> None:
    standing, told = heard(Standing(), KEY, NOTE, 0, Reply(status, kind, body), NOW)
    assert isinstance(told, Refused) and told.objection is objection
    assert standing.objection is objection and standing.retry_at == NOW + REFUSED_NS


@pytest.mark.parametrize(
    "answer", [NoReply("no route"), Reply(503, "", ""), Reply(429, "", ""), Reply(302, "", "")]
)
def test_one_that_is_down_is_asked_again_ever_more_seldom_and_never_an_alarm(
    answer: Reply | NoReply,
) -> None:
    standing, pauses, now = Standing(size=SIZES[0], old=SIZES[0]), list[int](), NOW
    for _ in range(12):
        standing, told = heard(standing, KEY, NOTE, SIZES[0], answer, now)
        assert told is None and standing.size == SIZES[0]
        pauses.append(standing.retry_at - now)
        assert wanted(standing, SIZES[1], standing.retry_at - 1) is None
        now = standing.retry_at
        assert wanted(standing, SIZES[1], now) == SIZES[0]
    assert pauses == sorted(pauses) and pauses[-1] == MOST_AWAY_NS


def test_a_witness_that_names_another_size_each_time_is_not_asked_for_ever() -> None:
    standing, turns = Standing(), 0
    note = LEDGER.seals[3]
    while (old := wanted(standing, SIZES[3], NOW)) is not None:
        answer = Reply(409, SIZE_TYPE, str((old + 1) % SIZES[3]))
        standing, told = heard(standing, KEY, note, old, answer, NOW)
        turns += 1
        assert told is None and turns < 10


def test_a_clock_set_back_does_not_silence_it() -> None:
    standing, _ = heard(Standing(), KEY, NOTE, 0, NoReply("away"), NOW)
    assert wanted(standing, SIZES[1], NOW - 10 * REFUSED_NS) == 0
