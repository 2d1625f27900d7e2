"""The tree in a folder: the same proofs as in memory, over restarts, cuts and torn files."""

import hashlib
import random
from pathlib import Path

import pytest

from ledger.errors import BadProof
from ledger.merkle import Frontier, Tree
from ledger.stored_tree import StoredTree

LEAVES = [hashlib.sha256(b"%d" % n).digest() for n in range(66_000)]
MEMORY = Tree(LEAVES)


def stored(folder: Path, size: int) -> StoredTree:
    tree = StoredTree(folder)
    for leaf in LEAVES[tree.size : size]:
        tree.append(leaf)
    return tree


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 1_000, 65_536])
def test_root_and_peaks_are_those_of_the_tree_in_memory(tmp_path: Path, size: int) -> None:
    with stored(tmp_path, size) as tree:
        assert tree.root() == MEMORY.root(size)
        assert Frontier.at(size, tree.peaks(size)).root() == MEMORY.root(size)


def test_proofs_are_those_of_the_tree_in_memory_whether_written_or_held(tmp_path: Path) -> None:
    chance = random.Random(7)
    with stored(tmp_path, 65_000) as tree:
        tree.flush()
        for leaf in LEAVES[65_000:]:
            tree.append(leaf)
        for _ in range(200):
            size = chance.randrange(1, 66_001)
            position, first = chance.randrange(size), chance.randrange(1, size + 1)
            assert tree.inclusion(position, size) == MEMORY.inclusion(position, size)
            assert tree.consistency(first, size) == MEMORY.consistency(first, size)


@pytest.mark.parametrize("size", [0, 256, 300])
def test_a_tree_goes_on_where_it_was_left_or_cut(tmp_path: Path, size: int) -> None:
    stored(tmp_path, 2_000).close()
    with StoredTree(tmp_path) as tree:
        tree.cut(size)
    with stored(tmp_path, 2_100) as tree:
        assert tree.root() == MEMORY.root(2_100)


def test_what_was_written_halfway_is_cut_off(tmp_path: Path) -> None:
    stored(tmp_path, 1_000).close()
    (tmp_path / "0").write_bytes((tmp_path / "0").read_bytes()[: 600 * 32 + 5])
    with stored(tmp_path, 1_000) as tree:
        assert tree.root() == MEMORY.root(1_000)


def test_a_row_that_lacks_hashes_makes_the_tree_begin_again(tmp_path: Path) -> None:
    stored(tmp_path, 1_000).close()
    (tmp_path / "1").write_bytes(b"")
    with StoredTree(tmp_path) as tree:
        assert tree.size == 0
    with stored(tmp_path, 1_000) as tree:
        assert tree.root() == MEMORY.root(1_000)


def test_nothing_is_proved_beyond_the_tree(tmp_path: Path) -> None:
    with stored(tmp_path, 10) as tree:
        with pytest.raises(ValueError, match="beyond"):
            tree.root(11)
        with pytest.raises(BadProof, match="no 1 hashes"):
            tree.leaf(10)
