"""Writing renderings: each kind one file below `renderings/`, written as entries go by."""

import csv
import io
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from ledger.renderings.cloudevents import cloud_event
from ledger.renderings.json_lines import json_object
from ledger.renderings.line import Invalid, Line
from ledger.renderings.ocsf import ocsf_event
from ledger.renderings.table import COLUMNS, row

FOLDER: Final = "renderings"


class Rendering(Enum):
    """What a ledger can be rendered as."""

    JSONL = "jsonl"
    CSV = "csv"
    OCSF = "ocsf"
    CLOUDEVENTS = "cloudevents"


FILES: Final = {
    Rendering.JSONL: "events.jsonl",
    Rendering.CSV: "events.csv",
    Rendering.OCSF: "events.ocsf.jsonl",
    Rendering.CLOUDEVENTS: "events.cloudevents.jsonl",
}


def rendered(kind: Rendering, line: Line | Invalid, workspace: str) -> bytes:
    """One entry's line in a rendering."""
    if kind is Rendering.CSV:
        return _csv(row(line))
    if kind is Rendering.OCSF:
        return _encode(ocsf_event(line, workspace)) + b"\n"
    if kind is Rendering.CLOUDEVENTS:
        return _encode(cloud_event(line, workspace)) + b"\n"
    return _encode(json_object(line)) + b"\n"


class Renderings:
    """The files of some renderings in `folder`; use it as a context manager."""

    def __init__(self, folder: Path, kinds: tuple[Rendering, ...], workspace: str) -> None:
        self._workspace = workspace
        place = folder / FOLDER
        if kinds:
            place.mkdir(mode=0o700)
        self._files = {kind: (place / FILES[kind]).open("xb") for kind in dict.fromkeys(kinds)}
        if Rendering.CSV in self._files:
            self._files[Rendering.CSV].write(_csv(list(COLUMNS)))

    def add(self, line: Line | Invalid) -> None:
        """The next entry."""
        for kind, file in self._files.items():
            file.write(rendered(kind, line, self._workspace))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files.values():
            file.close()


def _csv(cells: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


_encode: Final[Callable[[object], bytes]] = msgspec.json.Encoder(order="deterministic").encode
