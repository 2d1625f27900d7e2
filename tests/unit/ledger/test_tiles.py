"""Tiles: the files that C2SP tlog-tiles names, and proofs from them alone."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.chain import leaf_of
from ledger.checkpoint import NoteKey, origin_of
from ledger.errors import BadCheckpoint, BadProof
from ledger.merkle import Tree, check_consistency, check_inclusion
from ledger.proof import check_proof, parse_proof, prove, prove_extends
from ledger.tiles import Fetch, TileTree, bundles, entry_in, tile_path, tiles
from ledger.tiling import folder_fetch
from tests.ledgers import small_ledger, write_export

LEDGER = small_ledger(runs=30)
KEY = NoteKey(origin_of("acme"), LEDGER.signers["sealer"].public)


def leaf(n: int) -> bytes:
    return hashlib.sha256(b"\x00%d" % n).digest()


def held(files: dict[str, bytes]) -> Fetch:
    def fetch(path: str) -> bytes:
        if path not in files:
            raise BadProof(path)
        return files[path]

    return fetch


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_export(LEDGER, tmp_path / "export")


def test_paths_are_those_of_the_specification() -> None:
    assert tile_path(0, 1_234_067) == "tile/0/x001/x234/067"
    assert tile_path(0, 0) == "tile/0/000"
    assert tile_path(1, 273, 17) == "tile/1/273.p/17"
    assert tile_path("entries", 1_000) == "tile/entries/x001/000"


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    written = dict(tiles(leaf(n) for n in range(70_000)))
    full = [path for path in written if ".p/" not in path]
    assert sum(path.startswith("tile/0/") for path in full) == 273
    assert sum(path.startswith("tile/1/") for path in full) == 1
    partial = {path for path in written if ".p/" in path}
    assert partial == {"tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"}
    tree = Tree(leaf(n) for n in range(70_000))
    assert TileTree(held(written), 70_000).root(70_000) == tree.root()


def test_a_tree_of_256_has_a_full_tile_and_a_partial_one_above() -> None:
    assert set(dict(tiles(leaf(n) for n in range(256)))) == {"tile/0/000", "tile/1/000.p/1"}


@given(size=st.integers(1, 1_400), draw=st.data())
@settings(max_examples=25)
def test_proofs_from_tiles_are_the_trees_own(size: int, draw: st.DataObject) -> None:
    tree = Tree(leaf(n) for n in range(size))
    from_tiles = TileTree(held(dict(tiles(leaf(n) for n in range(size)))), size)
    position = draw.draw(st.integers(0, size - 1))
    first = draw.draw(st.integers(1, size))
    assert from_tiles.leaf(position) == leaf(position)
    assert from_tiles.inclusion(position) == tree.inclusion(position)
    assert from_tiles.consistency(first) == tree.consistency(first)
    check_inclusion(leaf(position), position, size, from_tiles.inclusion(position), tree.root())
    check_consistency(first, size, from_tiles.consistency(first), tree.root(first), tree.root())


def test_bundles_hold_every_entry_but_those_beside_one_that_is_too_long() -> None:
    bodies = [b"%d" % n for n in range(600)]
    written = dict(bundles(bodies))
    assert set(written) == {"tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"}
    assert entry_in(written["tile/entries/001"], 44) == b"300"
    bodies[300] = b"x" * 65_536
    assert set(dict(bundles(bodies))) == {"tile/entries/000", "tile/entries/002.p/88"}
    with pytest.raises(BadProof):
        entry_in(b"\x00\x05abc", 0)


def test_an_export_proves_each_entry_that_its_last_seal_covers(export: Path) -> None:
    fetch = folder_fetch(export)
    for position in (0, 1, 255, 256, len(LEDGER.entries) - 1):
        proof, found = prove(fetch, position, KEY)
        assert found == leaf_of(LEDGER.entries[position].body)
        assert parse_proof(proof.text) == proof
        assert check_proof(proof, found, KEY).size == len(LEDGER.entries)
    with pytest.raises(BadProof, match="no position"):
        prove(fetch, len(LEDGER.entries), KEY)


def test_an_export_proves_that_it_extends_each_of_its_seals(export: Path) -> None:
    for note in LEDGER.seals[::7]:
        before, now = prove_extends(folder_fetch(export), note, KEY)
        assert 0 < before.size <= now.size == len(LEDGER.entries)


def test_a_checkpoint_of_another_history_is_not_extended(export: Path) -> None:
    other = small_ledger(runs=2, seed=1)
    note = other.seals[1]
    with pytest.raises(BadProof):
        prove_extends(folder_fetch(export), note, KEY)


def test_a_log_that_shrank_is_found(export: Path, tmp_path: Path) -> None:
    short = small_ledger(runs=1)
    with pytest.raises(BadProof, match="you hold a checkpoint of"):
        prove_extends(folder_fetch(write_export(short, tmp_path / "s")), LEDGER.seals[-1], KEY)


def test_no_changed_tile_leads_to_the_signed_root(export: Path) -> None:
    for path in (export / "tile").rglob("*"):
        if not path.is_file() or "entries" in path.parts:
            continue
        good = path.read_bytes()
        path.write_bytes(bytes([good[0] ^ 1]) + good[1:])
        with pytest.raises(BadProof):
            prove(folder_fetch(export), 300, KEY)
            prove(folder_fetch(export), 0, KEY)
        path.write_bytes(good[:-1])
        with pytest.raises(BadProof):
            prove(folder_fetch(export), 300, KEY)
            prove(folder_fetch(export), 0, KEY)
        path.write_bytes(good)


def test_another_key_or_another_leaf_proves_nothing(export: Path) -> None:
    fetch = folder_fetch(export)
    with pytest.raises(BadCheckpoint):
        prove(fetch, 0, NoteKey(KEY.name, LEDGER.root_public))
    proof, found = prove(fetch, 5, KEY)
    with pytest.raises(BadProof):
        check_proof(proof, bytes(32), KEY)
    with pytest.raises(BadProof):
        check_proof(type(proof)(6, proof.path, proof.note), found, KEY)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("@v1", "@v2"),
        lambda text: text.replace("index 5", "index 05"),
        lambda text: text.replace("index 5\n", ""),
        lambda text: text.replace("\n\n", "\n", 1),
        lambda text: text.replace("\nindex 5\n", "\nindex 5\nAAAA\n"),
        lambda text: text.replace("\nindex 5\n", "\nindex 5\n" + "A" * 43 + "=\n" * 70),
    ],
)
def test_a_proof_out_of_form_is_refused(export: Path, change) -> None:  # type: ignore[no-untyped-def]
    proof, _ = prove(folder_fetch(export), 5, KEY)
    with pytest.raises(BadProof):
        parse_proof(change(proof.text))


def test_extra_data_is_read_over() -> None:
    text = "c2sp.org/tlog-proof@v1\nextra YWdl\nindex 0\n\nnote"
    assert parse_proof(text).position == 0 and parse_proof(text).path == ()


def test_an_export_without_a_seal_has_no_tiles(tmp_path: Path) -> None:
    unsealed = small_ledger()
    bare = type(unsealed)(
        **{f: getattr(unsealed, f) for f in unsealed.__struct_fields__} | {"seals": ()}
    )
    folder = write_export(bare, tmp_path / "export")
    assert not (folder / "checkpoint").exists() and not (folder / "tile").exists()
