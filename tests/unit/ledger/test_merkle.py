"""The Merkle tree against RFC 6962's own recursive definitions and against known vectors."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import BadProof
from ledger.merkle import EMPTY_ROOT, Frontier, Tree, check_consistency, check_inclusion, root_of

# The inputs and roots of certificate-transparency's reference tests (merkle_tree_test.cc).
INPUTS = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# Leaf number (from 1), tree size, audit path: from the same tests.
PATHS: list[tuple[int, int, list[str]]] = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (3, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
]
LEAVES = [hashlib.sha256(b"\x00" + bytes.fromhex(text)).digest() for text in INPUTS]

sizes = st.integers(1, 130)


def mth(data: list[bytes]) -> bytes:
    """MTH(D[n]), RFC 6962 section 2.1, word for word; `data` are leaf inputs."""
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = split(len(data))
    return hashlib.sha256(b"\x01" + mth(data[:k]) + mth(data[k:])).digest()


def path(m: int, data: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]), RFC 6962 section 2.1.1."""
    if len(data) == 1:
        return []
    k = split(len(data))
    if m < k:
        return [*path(m, data[:k]), mth(data[k:])]
    return [*path(m - k, data[k:]), mth(data[:k])]


def subproof(m: int, data: list[bytes], b: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b), RFC 6962 section 2.1.2."""
    if m == len(data):
        return [] if b else [mth(data)]
    k = split(len(data))
    if m <= k:
        return [*subproof(m, data[:k], b), mth(data[k:])]
    return [*subproof(m - k, data[k:], False), mth(data[:k])]


def split(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def some(n: int) -> tuple[list[bytes], list[bytes]]:
    """n leaf inputs, and their leaf hashes."""
    data = [b"entry %d" % i for i in range(n)]
    return data, [hashlib.sha256(b"\x00" + d).digest() for d in data]


def test_an_empty_tree_has_the_hash_of_nothing_for_its_root() -> None:
    assert Frontier().root() == Tree().root() == root_of([]) == mth([]) == EMPTY_ROOT


def test_roots_are_those_of_the_reference_vectors() -> None:
    frontier, tree = Frontier(), Tree()
    for leaf, root in zip(LEAVES, ROOTS, strict=True):
        frontier.append(leaf)
        tree.append(leaf)
        assert frontier.root().hex() == tree.root().hex() == root


@pytest.mark.parametrize(("leaf", "size", "steps"), PATHS)
def test_audit_paths_are_those_of_the_reference_vectors(
    leaf: int, size: int, steps: list[str]
) -> None:
    assert [step.hex() for step in Tree(LEAVES).inclusion(leaf - 1, size)] == steps


@given(sizes)
def test_frontier_and_tree_have_the_root_that_the_rfc_defines(n: int) -> None:
    data, leaves = some(n)
    assert root_of(leaves) == Tree(leaves).root() == mth(data)


@given(sizes, st.data())
def test_a_tree_remembers_each_of_its_former_roots(n: int, draw: st.DataObject) -> None:
    data, leaves = some(n)
    size = draw.draw(st.integers(0, n))
    assert Tree(leaves).root(size) == mth(data[:size])


@given(sizes, st.data())
def test_inclusion_proofs_are_the_rfcs_and_verify(n: int, draw: st.DataObject) -> None:
    data, leaves = some(n)
    size = draw.draw(st.integers(1, n))
    position = draw.draw(st.integers(0, size - 1))
    proof = Tree(leaves).inclusion(position, size)
    assert list(proof) == path(position, data[:size])
    check_inclusion(leaves[position], position, size, proof, mth(data[:size]))


@given(sizes, st.data())
def test_consistency_proofs_are_the_rfcs_and_verify(n: int, draw: st.DataObject) -> None:
    data, leaves = some(n)
    second = draw.draw(st.integers(1, n))
    first = draw.draw(st.integers(1, second))
    proof = Tree(leaves).consistency(first, second)
    assert list(proof) == subproof(first, data[:second], True)
    check_consistency(first, second, proof, mth(data[:first]), mth(data[:second]))


@given(st.integers(2, 40), st.data())
def test_an_inclusion_proof_holds_for_no_other_leaf_position_path_or_root(
    n: int, draw: st.DataObject
) -> None:
    _, leaves = some(n)
    tree = Tree(leaves)
    position = draw.draw(st.integers(0, n - 1))
    proof, root = list(tree.inclusion(position)), tree.root()
    other = draw.draw(st.integers(0, n - 1).filter(lambda p: p != position))
    bent = _bend(proof, draw)
    for case in (
        (leaves[other], position, n, proof, root),
        (leaves[position], other, n, proof, root),
        (leaves[position], n, n, proof, root),
        (leaves[position], position, n, bent, root),
        (leaves[position], position, n, proof, tree.root(n - 1)),
    ):
        with pytest.raises(BadProof):
            check_inclusion(*case)


@given(st.integers(2, 40), st.data())
def test_a_consistency_proof_holds_for_no_other_history(n: int, draw: st.DataObject) -> None:
    _, leaves = some(n)
    tree = Tree(leaves)
    first = draw.draw(st.integers(1, n - 1))
    proof, old, new = list(tree.consistency(first)), tree.root(first), tree.root()
    rewritten = list(leaves)
    rewritten[draw.draw(st.integers(0, first - 1))] = bytes(32)
    forked = Tree(rewritten)
    for case in (
        (first, n, proof, forked.root(first), new),
        (first, n, list(forked.consistency(first)), old, forked.root()),
        (first, n, _bend(proof, draw), old, new),
        (0, n, proof, old, new),
        (n, first, proof, new, old),
    ):
        with pytest.raises(BadProof):
            check_consistency(*case)


def test_one_size_has_one_root() -> None:
    check_consistency(3, 3, [], LEAVES[0], LEAVES[0])
    with pytest.raises(BadProof):
        check_consistency(3, 3, [], LEAVES[0], LEAVES[1])
    with pytest.raises(BadProof):
        check_consistency(3, 3, [LEAVES[0]], LEAVES[0], LEAVES[0])


def test_a_tree_proves_nothing_beyond_its_size() -> None:
    tree = Tree(LEAVES)
    for ask in (
        lambda: tree.root(9),
        lambda: tree.inclusion(8),
        lambda: tree.inclusion(0, 9),
        lambda: tree.consistency(0),
        lambda: tree.consistency(5, 4),
    ):
        with pytest.raises(ValueError):
            ask()


def test_a_copied_frontier_grows_on_its_own() -> None:
    one = Frontier()
    one.append(LEAVES[0])
    other = one.copy()
    other.append(LEAVES[1])
    assert (one.size, one.root().hex()) == (1, ROOTS[0])
    assert (other.size, other.root().hex()) == (2, ROOTS[1])


def _bend(proof: list[bytes], draw: st.DataObject) -> list[bytes]:
    """The proof with one step changed, dropped, or one too many."""
    kind = draw.draw(st.sampled_from(["change", "drop", "add"]))
    if kind == "add" or not proof:
        return [*proof, bytes(32)]
    at = draw.draw(st.integers(0, len(proof) - 1))
    if kind == "drop":
        return proof[:at] + proof[at + 1 :]
    return [*proof[:at], bytes(32), *proof[at + 1 :]]
