"""A long benchmark's notes: what a second call finds of the first."""

from pathlib import Path

import pytest

from bench.errors import NotThese
from bench.noted import FILE, Notes, Written


def test_what_was_noted_is_found_by_the_next_call(tmp_path: Path) -> None:
    notes = Notes(tmp_path, 10)
    notes.note_written(Written(3, ("aa", "bb"), "cc", 1.5))
    notes.note_done("written", {"events": 10, "written_s": 2.0})
    found = Notes(tmp_path, 10).noted
    assert found.written == Written(3, ("aa", "bb"), "cc", 1.5)
    assert found.done == {"written": {"events": 10, "written_s": 2.0}}
    assert [file.name for file in tmp_path.iterdir()] == [FILE]


def test_a_folder_of_another_number_of_events_is_refused_by_name(tmp_path: Path) -> None:
    Notes(tmp_path, 10).note_done("written", {})
    with pytest.raises(NotThese, match=r"of --events 10, not of 11"):
        Notes(tmp_path, 11)


def test_notes_that_cannot_be_read_are_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"events": "many"}')
    with pytest.raises(NotThese, match="events"):
        Notes(tmp_path, 10)
    assert (tmp_path / FILE).read_text() == '{"events": "many"}'
