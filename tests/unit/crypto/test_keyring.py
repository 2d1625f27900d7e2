"""The keyring: every key follows from the root, and a destroyed one from nothing that is left."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import SealError
from crypto.keyring import (
    DEPTH,
    Keyring,
    decode_keyring,
    encode_keyring,
    field_key,
    kept_key,
    new_keyring,
    puncture,
    run_key,
)
from crypto.sealing import WorkspaceKeys
from schemas.erasure import ContentField

ROOT = b"r" * 32
RING = Keyring(nodes={"": ROOT}, kept={})
RUNS = [f"r-{number}" for number in range(5)]
EVENTS = ["01980000-0000-7000-8000-00000000000" + digit for digit in "123"]
FIELDS = [
    ContentField(run=run, event=event, name=name)
    for run in RUNS
    for event in EVENTS
    for name in ("arguments", "result")
]


def keys_of(ring: Keyring) -> dict[ContentField, bytes | None]:
    keys = WorkspaceKeys(ring)
    return {field: keys.field_key(field) for field in FIELDS}


def test_a_runs_key_is_the_leaf_of_the_tree_at_the_digest_of_its_name() -> None:
    # Spelled out: one HMAC-SHA256 a level, left for 0 and right for 1.
    path = hashlib.sha256(b"anyteam run r-1").digest()[: DEPTH // 8]
    key = ROOT
    for byte in path:
        for bit in range(7, -1, -1):
            side = b"right" if byte >> bit & 1 else b"left"
            key = hmac.digest(key, b"anyteam keyring " + side + b" v1", "sha256")
    assert run_key(RING, "r-1") == key


def test_a_fields_key_is_hkdf_expand_of_its_runs_key() -> None:
    info = f"anyteam content key v1 {EVENTS[0]} result".encode()
    expected = hmac.digest(ROOT, info + b"\x01", "sha256")
    assert field_key(ROOT, EVENTS[0], "result") == expected


def test_every_field_of_every_run_has_a_key_of_its_own() -> None:
    assert len(set(keys_of(RING).values())) == len(FIELDS)
    assert None not in keys_of(RING).values()


@given(
    st.lists(st.sets(st.sampled_from(FIELDS), max_size=8), min_size=1, max_size=4),
)
def test_what_is_erased_is_gone_and_all_else_keeps_its_key(
    erasures: list[set[ContentField]],
) -> None:
    ring, gone, before = RING, set[ContentField](), keys_of(RING)
    for erased in erasures:
        gone |= erased
        runs = {field.run for field in erased}
        ring = puncture(ring, erased, [f for f in FIELDS if f.run in runs and f not in gone])
        assert keys_of(ring) == {f: None if f in gone else key for f, key in before.items()}
        assert puncture(ring, erased, []) == ring
        assert decode_keyring(encode_keyring(ring)) == ring


def test_a_punctured_run_has_no_key_and_other_runs_keep_theirs() -> None:
    ring = puncture(RING, FIELDS[:1], FIELDS[1:6])
    assert run_key(ring, "r-0") is None
    assert [run_key(ring, run) for run in RUNS[1:]] == [run_key(RING, run) for run in RUNS[1:]]
    with pytest.raises(SealError, match="erased"):
        WorkspaceKeys(ring).run_key("r-0")


def test_no_key_that_is_left_is_on_the_way_to_the_erased_one() -> None:
    on_the_way, key = {ROOT}, ROOT
    path = f"{int.from_bytes(hashlib.sha256(b'anyteam run r-0').digest()[:16]):0128b}"
    for bit in path:
        side = b"right" if bit == "1" else b"left"
        key = hmac.digest(key, b"anyteam keyring " + side + b" v1", "sha256")
        on_the_way.add(key)
    ring = puncture(RING, FIELDS[:1], [])
    assert on_the_way.isdisjoint(ring.nodes.values())
    assert len(ring.nodes) == DEPTH and not any(path.startswith(node) for node in ring.nodes)
    data = encode_keyring(ring)
    assert not any(key in data for key in on_the_way)


def test_a_kept_key_is_of_its_field_alone() -> None:
    ring = puncture(RING, FIELDS[:1], FIELDS[1:2])
    assert kept_key(ring, FIELDS[1]) == keys_of(RING)[FIELDS[1]]
    assert kept_key(ring, FIELDS[2]) is None and kept_key(ring, FIELDS[7]) is None


def test_new_rings_differ_and_show_no_key() -> None:
    assert new_keyring() != new_keyring()
    assert repr(puncture(RING, FIELDS[:1], [])) == "Keyring(128 nodes, 1 runs punctured)"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        encode_keyring(RING)[:-1],
        encode_keyring(Keyring(nodes={"": b"short"}, kept={})),
        encode_keyring(Keyring(nodes={"0" * (DEPTH + 1): ROOT}, kept={})),
    ],
)
def test_what_is_no_ring_is_refused(data: bytes) -> None:
    with pytest.raises(SealError, match="keyring"):
        decode_keyring(data)
