"""Detection of sensitive spans: recall and precision on a marked set, and time.

`detection_set/` was written before the detector. `development` was there to better it by;
`held_out` was written from another mind-set and is for the figure alone. A marked span is
found if spans of its kind cover all its letters and digits; a reported span is right if it
overlaps a marked one of its kind and is not more than twice as long. Person and organisation
may stand for one another, since both are hidden; `names_kind` says how often they did not.
"""

import argparse
import json
import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Final

from msgspec import Struct

from classify.credentials import credentials_in
from classify.detect import Detector
from classify.dictionary import Dictionary
from classify.errors import ModelMissing
from classify.model import load_model
from classify.spans import NAMES, Kind, Span

_FOLDER: Final = Path(__file__).parent / "detection_set"
_MARK: Final = re.compile(r"\[\[(\w+):(.*?)\]\]", re.DOTALL)
_SPLITS: Final = ("development", "held_out")


class Marked(Struct, frozen=True):
    """A text without its marks, the spans that were marked, and those that may go either way."""

    id: str
    text: str
    spans: tuple[Span, ...]
    optional: tuple[tuple[int, int], ...]


def read_split(split: str) -> list[Marked]:
    """The marked texts of `development` or `held_out`."""
    lines = (_FOLDER / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    return [_marked(json.loads(line)) for line in lines]


def read_dictionary() -> Dictionary:
    """The names of the set's imagined workspace: some three fifths of those in the texts."""
    names = json.loads((_FOLDER / "dictionary.json").read_text(encoding="utf-8"))
    return Dictionary(names["person"], names["organisation"])


def measure(options: argparse.Namespace) -> dict[str, float]:
    """`<split>_<structured|names>_<recall|precision>` with and without the model; ms per KB."""
    dictionary = read_dictionary()
    detectors = {"": Detector(dictionary)}
    try:
        detectors["model_"] = Detector(dictionary, load_model())
    except ModelMissing as missing:
        print(missing, file=sys.stderr)
    figures: dict[str, float] = {}
    for prefix, detector in detectors.items():
        for split in _SPLITS:
            for name, value in score(detector, read_split(split)).items():
                figures[f"{prefix}{split}_{name}"] = value
        figures[f"{prefix}ms_per_kb"] = _ms_per_kb(detector.detect)
    figures["credentials_us_per_kb"] = 1000 * _ms_per_kb(credentials_in)
    return figures


def score(detector: Detector, texts: list[Marked], show: bool = False) -> dict[str, float]:
    """Recall and precision over `texts`; prints each miss and each false report if `show`."""
    tally: Counter[str] = Counter()
    for marked in texts:
        reported = detector.detect(marked.text)
        for span in marked.spans:
            found = _covered(marked.text, span, reported)
            tally[f"{_group(span.kind)} marked"] += 1
            tally[f"{_group(span.kind)} found"] += found
            tally[f"kind {span.kind.value} marked"] += 1
            tally[f"kind {span.kind.value} found"] += found
            if span.kind in NAMES:
                tally["kinds right"] += any(
                    s.kind is span.kind and _overlap(s, span) for s in reported
                )
            if show and not found:
                print(f"missed {marked.id} {span.kind.value}: {span.text!r}")
        for span in reported:
            if any(start < span.end and span.start < end for start, end in marked.optional):
                continue
            right = _right(span, marked.spans)
            tally[f"{_group(span.kind)} reported"] += 1
            tally[f"{_group(span.kind)} right"] += right
            if show and not right:
                print(f"false  {marked.id} {span.kind.value}: {span.text!r}")
    if show:
        for kind in Kind:
            print(kind.value, tally[f"kind {kind.value} found"], tally[f"kind {kind.value} marked"])
    figures = {}
    for group in ("structured", "names"):
        figures[f"{group}_recall"] = tally[f"{group} found"] / tally[f"{group} marked"]
        figures[f"{group}_precision"] = tally[f"{group} right"] / tally[f"{group} reported"]
    figures["names_kind"] = tally["kinds right"] / tally["names marked"]
    return figures


def _marked(record: dict[str, str]) -> Marked:
    parts: list[str] = []
    spans: list[Span] = []
    optional: list[tuple[int, int]] = []
    length = last = 0
    for match in _MARK.finditer(record["text"]):
        before = record["text"][last : match.start()]
        start = length + len(before)
        length = start + len(match[2])
        parts += (before, match[2])
        last = match.end()
        if match[1] == "maybe":
            optional.append((start, length))
        else:
            spans.append(Span(start, length, Kind(match[1]), match[2]))
    text = "".join((*parts, record["text"][last:]))
    return Marked(record["id"], text, tuple(spans), tuple(optional))


def _group(kind: Kind) -> str:
    return "names" if kind in NAMES else "structured"


def _same(one: Kind, other: Kind) -> bool:
    return one is other or (one in NAMES and other in NAMES)


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _covered(text: str, span: Span, reported: tuple[Span, ...]) -> bool:
    left = {i for i in range(span.start, span.end) if text[i].isalnum()}
    same = [s for s in reported if _same(s.kind, span.kind)]
    for other in same:
        left -= set(range(other.start, other.end))
    return not left


def _right(span: Span, marked: tuple[Span, ...]) -> bool:
    hits = [m for m in marked if _overlap(m, span) and _same(m.kind, span.kind)]
    return bool(hits) and len(span.text) <= 2 * sum(len(m.text) for m in hits)


def _ms_per_kb(detect: object) -> float:
    """Median over the set's texts joined to pieces of some 1,000 characters."""
    joined = "\n".join(marked.text for split in _SPLITS for marked in read_split(split))
    pieces = [joined[i : i + 1000] for i in range(0, len(joined) - 1000, 1000)]
    times = []
    for piece in pieces:
        started = time.perf_counter()
        detect(piece)  # type: ignore[operator]
        times.append((time.perf_counter() - started) * 1e3 / (len(piece.encode()) / 1024))
    return sorted(times)[len(times) // 2]
