"""Our tree beside `pymerkle`, somebody else's implementation, which shares nothing with it.

Its inclusion proofs begin with the leaf itself; what follows is RFC 6962's audit path.
"""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree, InvalidProof, verify_consistency, verify_inclusion

from ledger.chain import leaf_of
from ledger.merkle import Tree, check_consistency

SIZES = [*range(1, 34), 63, 64, 65, 127, 200]


def both(bodies: list[bytes]) -> tuple[Tree, InmemoryTree]:
    theirs = InmemoryTree(algorithm="sha256")
    for body in bodies:
        theirs.append_entry(body)
    return Tree(leaf_of(body) for body in bodies), theirs


@pytest.mark.parametrize("size", SIZES)
def test_roots_and_audit_paths_are_the_same(size: int) -> None:
    ours, theirs = both([b"entry %d" % n for n in range(size)])
    assert ours.root() == theirs.get_root()
    for position in range(0, size, 1 + size // 7):
        path = ours.inclusion(position)
        proof = theirs.prove_inclusion(position + 1, size)
        assert [bytes(step) for step in proof.path[1:]] == list(path)


@pytest.mark.parametrize("size", SIZES)
def test_what_they_prove_holds_for_our_roots_and_for_no_other(size: int) -> None:
    ours, theirs = both([b"entry %d" % n for n in range(size)])
    proof = theirs.prove_inclusion(size, size)
    leaf = leaf_of(b"entry %d" % (size - 1))
    verify_inclusion(leaf, ours.root(), proof)
    with pytest.raises(InvalidProof):
        verify_inclusion(leaf, hashlib.sha256(ours.root()).digest(), proof)


@given(st.lists(st.binary(max_size=40), min_size=2, max_size=70), st.data())
def test_both_call_the_same_histories_consistent(bodies: list[bytes], data: st.DataObject) -> None:
    ours, theirs = both(bodies)
    first = data.draw(st.integers(1, len(bodies)))
    verify_consistency(ours.root(first), ours.root(), theirs.prove_consistency(first, len(bodies)))
    path = ours.consistency(first)
    check_consistency(first, len(bodies), path, theirs.get_root(first), theirs.get_root())
