"""The witness: every answer that C2SP tlog-witness asks for, and never two histories."""

import base64

import pytest

from ledger.chain import leaf_of
from ledger.checkpoint import NoteKey, origin_of, parse_note, read_checkpoint
from ledger.merkle import Tree
from ledger.witness import SIZE_TYPE, Answer, TreeHead, consider, parse_tree_head, request_of
from tests.ledgers import small_ledger
from tests.stories import Story

LEDGER = small_ledger(runs=3)
ORIGIN = origin_of("acme")
LOGS = {ORIGIN: [NoteKey(ORIGIN, LEDGER.signers["sealer"].public)]}
TREE = Tree(leaf_of(entry.body) for entry in LEDGER.entries)
SIZES = [read_checkpoint(note).size for note in LEDGER.seals]


def path(old: int, new: int) -> list[str]:
    steps = TREE.consistency(old, new) if 0 < old < new else ()
    return [base64.b64encode(step).decode() for step in steps]


def ask(old: int, n: int, seen: dict[str, TreeHead], /, **changes: object) -> Answer:
    """The answer to a good request for the n-th seal, or one with one thing changed."""
    parts = {"old": old, "path": path(old, SIZES[n]), "note": LEDGER.seals[n]} | changes
    return consider(request_of(**parts), LOGS, seen)  # type: ignore[arg-type]


def at(n: int) -> dict[str, TreeHead]:
    return {ORIGIN: TreeHead(ORIGIN, SIZES[n], TREE.root(SIZES[n]))}


def test_the_first_checkpoint_and_each_that_extends_it_is_cosigned() -> None:
    seen: dict[str, TreeHead] = {}
    for n, note in enumerate(LEDGER.seals):
        answer = ask(SIZES[n - 1] if n else 0, n, seen)
        assert answer.status == 200 and answer.seen is not None, answer
        assert answer.text == parse_note(note)[0]
        seen[ORIGIN] = answer.seen


def test_the_same_checkpoint_is_cosigned_again() -> None:
    assert ask(SIZES[2], 2, at(2)).status == 200


@pytest.mark.parametrize("old", [0, 1])
def test_another_old_size_is_answered_with_the_last_one(old: int) -> None:
    answer = ask(old, 3, at(1))
    assert (answer.status, answer.kind, answer.body) == (409, SIZE_TYPE, f"{SIZES[1]}\n")
    assert answer.seen is None


def test_a_second_history_is_refused_whatever_its_size() -> None:
    fork = Story()
    for number in range(SIZES[2]):
        fork.put("ws.acme.admin.key", b"%d" % number)
    fork.signers["sealer"] = LEDGER.signers["sealer"]
    fork.seal()
    same = consider(request_of(SIZES[2], [], fork.seals[0]), LOGS, at(2))
    assert (same.status, same.body) == (409, f"{SIZES[2]}\n")
    longer = consider(request_of(SIZES[1], path(SIZES[1], SIZES[2]), fork.seals[0]), LOGS, at(1))
    assert longer.status == 422 and longer.seen is None


def test_a_shorter_ledger_is_refused() -> None:
    assert ask(SIZES[2], 1, at(2)).status == 400
    assert ask(SIZES[1], 1, at(2)).status == 409


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"path": []}, 422),
        ({"path": path(SIZES[0], SIZES[2])}, 422),
        ({"path": ["AAAA"]}, 422),
        ({"path": ["%%%"]}, 400),
        ({"path": ["A" * 43 + "="] * 64}, 400),
        ({"old": -1}, 400),
        ({"note": "no note"}, 400),
        ({"note": LEDGER.seals[3].replace("anyteam/acme", "anyteam/other")}, 404),
        ({"note": small_ledger("acme", seed=2).seals[0]}, 403),
    ],
)
def test_a_request_that_is_wrong_in_one_way_gets_its_answer(
    changes: dict[str, object], status: int
) -> None:
    answer = ask(SIZES[1], 3, at(1), **changes)
    assert answer.status == status and answer.seen is None


def test_a_proof_from_nothing_is_empty() -> None:
    assert ask(0, 2, {}, path=["A" * 43 + "="]).status == 422


def test_any_logs_checkpoint_is_read_with_whatever_extension_lines_it_has() -> None:
    root = base64.b64encode(b"r" * 32).decode()
    head = TreeHead("example.com/log", 7, b"r" * 32)
    assert parse_tree_head(f"example.com/log\n7\n{root}\n") == head
    assert parse_tree_head(f"example.com/log\n7\n{root}\nmore\nand more\n") == head
