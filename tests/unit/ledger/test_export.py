"""Exports: whole or absent when written, and clear about the byte when read."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.errors import ExportDamaged, ExportExists
from ledger.export import ENTRIES, MANIFEST, MAX_RECORD_BYTES, SEALS, ExportReader, ExportWriter
from tests.ledgers import SignedLedger, small_ledger, write_export

LEDGER = small_ledger()


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A good export."""
    return write_export(LEDGER, tmp_path / "export")


def test_what_was_written_is_what_is_read(export: Path) -> None:
    reader = ExportReader(export)
    assert tuple(reader.entries()) == LEDGER.entries
    assert tuple(reader.seals()) == LEDGER.seals
    assert (reader.manifest.size, reader.manifest.first, reader.manifest.last) == (20, 1, 20)
    assert reader.manifest.workspace == "acme"


def test_an_export_carries_a_readme_and_schemas(export: Path) -> None:
    assert "anyteam/acme" in (export / "README.md").read_text()
    for name in ("event", "envelope", "receipt"):
        assert "$ref" in msgspec.json.decode((export / "schema" / f"{name}.json").read_bytes())


def test_an_interrupted_export_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        ExportWriter(tmp_path / "export", "acme", LEDGER.root_public) as writer,
    ):
        writer.add(1, "ws.acme.admin.key", b"x")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_at_the_exports_place_before_it_is_finished(tmp_path: Path) -> None:
    with ExportWriter(tmp_path / "export", "acme", LEDGER.root_public) as writer:
        writer.add(1, "ws.acme.admin.key", b"x")
        assert not (tmp_path / "export").exists()
        writer.finish(1)
        assert (tmp_path / "export" / MANIFEST).is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_an_export_never_replaces_one(export: Path) -> None:
    with pytest.raises(ExportExists):
        ExportWriter(export, "acme", LEDGER.root_public)


def test_an_export_that_appeared_meanwhile_is_kept(tmp_path: Path) -> None:
    with ExportWriter(tmp_path / "export", "acme", LEDGER.root_public) as writer:
        write_export(LEDGER, tmp_path / "export")
        with pytest.raises(ExportExists):
            writer.finish(1)
    assert tuple(ExportReader(tmp_path / "export").entries()) == LEDGER.entries


def test_entries_are_read_as_they_are_asked_for(export: Path) -> None:
    path = export / ENTRIES
    path.write_bytes(path.read_bytes() + b"\xff\xff\xff\xff")
    entries = ExportReader(export).entries()
    assert [next(entries) for _ in LEDGER.entries] == list(LEDGER.entries)
    with pytest.raises(ExportDamaged, match="no record at byte"):
        next(entries)


def test_a_record_that_is_cut_off_is_named_by_its_byte(export: Path) -> None:
    path = export / ENTRIES
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    last = len(data) - len(msgspec.msgpack.encode(LEDGER.entries[-1])) - 4
    with pytest.raises(ExportDamaged, match=f"byte {last} is cut off"):
        list(ExportReader(export).entries())


def test_a_length_no_record_can_have_is_not_read(export: Path) -> None:
    (export / ENTRIES).write_bytes((MAX_RECORD_BYTES + 1).to_bytes(4, "big"))
    with pytest.raises(ExportDamaged, match="byte 0"):
        list(ExportReader(export).entries())


@given(data=st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_in_any_file_is_damage_and_nothing_else(export: Path, data: bytes) -> None:
    for name in (ENTRIES, SEALS):
        kept = (export / name).read_bytes()
        (export / name).write_bytes(data)
        reader = ExportReader(export)
        try:
            list(reader.entries() if name == ENTRIES else reader.seals())
        except ExportDamaged as error:
            assert name in error.what
        (export / name).write_bytes(kept)


@pytest.mark.parametrize("name", [MANIFEST, ENTRIES, SEALS])
def test_a_missing_file_is_named(export: Path, name: str) -> None:
    (export / name).unlink()
    with pytest.raises(ExportDamaged, match=name):
        reader = ExportReader(export)
        list(reader.entries())
        list(reader.seals())


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[]", b"\xff", b'{"format": "anyteam export v9"}', b"[" * 70_000]
)
def test_a_manifest_out_of_form_is_refused(export: Path, text: bytes) -> None:
    (export / MANIFEST).write_bytes(text)
    with pytest.raises(ExportDamaged, match=MANIFEST):
        ExportReader(export)


def test_an_export_of_another_format_is_refused(export: Path) -> None:
    text = (export / MANIFEST).read_text()
    (export / MANIFEST).write_text(text.replace("export v1", "export v2"))
    with pytest.raises(ExportDamaged, match="format"):
        ExportReader(export)


def test_an_empty_ledger_can_be_exported(tmp_path: Path) -> None:
    empty: SignedLedger = msgspec.structs.replace(LEDGER, entries=(), seals=())
    reader = ExportReader(write_export(empty, tmp_path / "export"))
    assert list(reader.entries()) == [] and reader.manifest.size == 0
