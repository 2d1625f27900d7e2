"""The outbox keeps whole records, whatever became of the disk it is on."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bus.commands import Publish
from bus.errors import OutboxFull
from bus.outbox import Outbox


def message(number: int) -> Publish:
    return Publish(f"event-{number}", f"message-{number}", "ws.acme.admin.halt", b"x" * 200, None)


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process grows beyond `size` bytes (setrlimit(2), RLIMIT_FSIZE)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_was_added_is_there_for_the_next_incarnation(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    for number in range(3):
        outbox.add(message(number))
    outbox.close()
    again = Outbox(tmp_path / "outbox")
    assert [kept.event_id for kept in again.kept()] == ["event-0", "event-1", "event-2"]


@pytest.mark.parametrize("bytes_left", [0, 3, 100])
def test_a_disk_that_fills_up_leaves_no_part_of_a_record(tmp_path: Path, bytes_left: int) -> None:
    path = tmp_path / "outbox"
    outbox = Outbox(path)
    outbox.add(message(0))
    size = path.stat().st_size
    with room_for(size + bytes_left), pytest.raises(OutboxFull, match="make room"):
        outbox.add(message(1))
    assert path.stat().st_size == size
    outbox.add(message(2))
    outbox.close()
    assert [kept.event_id for kept in Outbox(path).kept()] == ["event-0", "event-2"]


def test_nothing_is_written_behind_a_record_that_a_crash_left_torn(tmp_path: Path) -> None:
    path = tmp_path / "outbox"
    outbox = Outbox(path)
    outbox.add(message(0))
    outbox.add(message(1))
    outbox.close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 10)
    after = Outbox(path)
    after.add(message(2))
    after.close()
    assert [kept.event_id for kept in Outbox(path).kept()] == ["event-0", "event-2"]


def test_what_a_seal_covers_is_kept_no_longer(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    for number in range(3):
        outbox.add(message(number))
    outbox.stored("event-0", 1)
    outbox.stored("event-1", 2)
    outbox.sealed_up_to(1)
    outbox.add(message(3))
    outbox.close()
    kept = Outbox(tmp_path / "outbox").kept()
    assert [one.event_id for one in kept] == ["event-1", "event-2", "event-3"]
