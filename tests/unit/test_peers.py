"""The benchmark beside peers: what it spoils is spoiled, and what ours finds of it."""

from bench.peers.measure import tampering
from bench.peers.spoiling import ALL, KINDS


def test_each_kind_of_spoiling_changes_the_log() -> None:
    records = list(range(8))
    made = {kind: make(records) for kind, make in KINDS.items()}
    assert made == {
        "dropped": [0, 1, 2, 3, 5, 6, 7],
        "swapped": [0, 1, 2, 3, 5, 4, 6, 7],
        "repeated": [0, 1, 2, 3, 4, 4, 5, 6, 7],
        "cut": [0, 1, 2, 3, 4, 5],
        "emptied": [],
    }


def test_everything_is_found_and_without_a_kept_checkpoint_all_but_a_clean_cut() -> None:
    assert tampering(checkpoint=True) == dict.fromkeys(ALL, True)
    assert tampering(checkpoint=False) == {**dict.fromkeys(ALL, True), "cut": False}
