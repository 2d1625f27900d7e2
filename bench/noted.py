"""What a long benchmark has done, in its folder: a second call goes on where the first ended.

One small JSON file, replaced as a whole. Of each stage that is done its figures; of the one that is
under way what it needs to go on, and the seconds that it took so far.
"""

from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bench.errors import NotThese
from schemas.errors import UNREADABLE

FILE: Final = "scale.json"


class Written(Struct, frozen=True):
    """How far writing came: at entry `size` the tree's `peaks` and the chain's `head`, in hex."""

    size: int = 0
    peaks: tuple[str, ...] = ()
    head: str = ""
    seconds: float = 0.0


class Noted(Struct, frozen=True):
    """`events` are those asked for; `done` has the figures of each stage that is done."""

    events: int
    written: Written = Written()
    done: dict[str, dict[str, Any]] = {}


class Notes:
    """The notes in `home`. Raises `NotThese` where they are of another number of events."""

    def __init__(self, home: Path, events: int) -> None:
        self._file = home / FILE
        self.noted = Noted(events)
        if self._file.exists():
            try:
                self.noted = msgspec.json.decode(self._file.read_bytes(), type=Noted)
            except UNREADABLE as error:
                raise NotThese(f"{self._file}: {error}", fix="name another --home") from error
        if self.noted.events != events:
            raise NotThese(
                f"{self._file} is of --events {self.noted.events}, not of {events}",
                fix="name as many, or another --home",
            )

    def note_written(self, written: Written) -> None:
        """Writing came so far."""
        self._put(replace(self.noted, written=written))

    def note_done(self, stage: str, figures: dict[str, Any]) -> None:
        """A stage is done."""
        self._put(replace(self.noted, done=self.noted.done | {stage: figures}))

    def _put(self, noted: Noted) -> None:
        self.noted = noted
        draft = self._file.with_suffix(".draft")
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(noted)) + b"\n")
        draft.replace(self._file)
