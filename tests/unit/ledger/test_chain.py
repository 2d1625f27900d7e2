"""The hash chain, against its formula spelled out."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from ledger.chain import first_head, leaf_of, next_head


def test_the_chain_is_the_documented_formula() -> None:
    h0 = hashlib.sha256(b"acme").digest()
    leaf = hashlib.sha256(b"\x00" + b"body").digest()
    assert first_head("acme") == h0
    assert leaf_of(b"body") == leaf
    assert next_head(h0, leaf) == hashlib.sha256(b"\x02" + h0 + leaf).digest()


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=8), st.data())
def test_any_change_of_any_entry_changes_the_head(bodies: list[bytes], draw: st.DataObject) -> None:
    at = draw.draw(st.integers(0, len(bodies) - 1))
    changed = [*bodies[:at], bodies[at] + b"!", *bodies[at + 1 :]]
    assert _head(changed) != _head(bodies)
    assert _head(bodies[:at] + bodies[at + 1 :]) != _head(bodies)


@given(st.lists(st.binary(max_size=8), min_size=2, max_size=8, unique=True))
def test_any_other_order_changes_the_head(bodies: list[bytes]) -> None:
    assert _head(bodies[::-1]) != _head(bodies)


def test_no_two_workspaces_share_a_head() -> None:
    leaf = leaf_of(b"body")
    assert next_head(first_head("acme"), leaf) != next_head(first_head("other"), leaf)


def _head(bodies: list[bytes]) -> bytes:
    head = first_head("acme")
    for body in bodies:
        head = next_head(head, leaf_of(body))
    return head
