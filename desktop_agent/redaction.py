"""Redaction: what leaves the machine in place of what was said.

The same detector and the same tokens as in the core, and beyond it: speech comes out mangled, so
digits and number words are read as one run, and a capital within a sentence is taken for a name.
In doubt a span is masked. Pure: names that were found once are known for the rest of a session.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from classify.detect import Detector
from classify.dictionary import Dictionary
from classify.numerals import numerals
from classify.spans import NAMES, Kind, Span, classification_of, without_overlaps
from classify.vocabulary import words
from crypto.tokens import Tokeniser
from schemas.names import Classification

_ENOUGH_DIGITS: Final = 4
_MOST_KNOWN: Final = 2_000
_DIGITS: Final = re.compile(r"(?<!\w)\+?\d(?:[\s.,()/-]{0,3}\d){3,}(?!\w)")
# What a digit can be heard as, joined to a number: the end of 415-555-019-I-8.
_MANGLED: Final = re.compile(r"(?:[-./](?:\d{1,3}|[^\W\d_])(?!\w))+")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_CAPITAL: Final = re.compile(r"[^\W\d_a-zà-öø-ÿ][^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_SENTENCE_END: Final = re.compile(r"(?:^|[.!?…:]['\")\]]*)\s*$")
_NO_NAMES: Final = words(
    """
    monday tuesday wednesday thursday friday saturday sunday january february march april may june
    july august september october november december english french german spanish american british
    european ok okay i'm i'll i've i'd pm am tv it crm ceo cfo cto vp api usd eur gbp
    """
)


class Session(Struct, frozen=True):
    """What one capture has taught: names that were found, as (text, kind)."""

    names: frozenset[tuple[str, Kind]] = frozenset()


class Redacted(Struct, frozen=True, kw_only=True):
    """A text fit to leave. `masked` counts what was replaced, by kind; `classification` is that of
    the text as it was said, which what is left of it keeps.
    """

    text: str
    masked: dict[str, int]
    classification: Classification


class Redactor:
    """Redacts by one workspace's tokens; `names` is what the rep or the workspace listed."""

    def __init__(self, detector: Detector, tokeniser: Tokeniser) -> None:
        self._detector = detector
        self._tokeniser = tokeniser

    def redact(self, session: Session, text: str) -> tuple[Session, Redacted]:
        """`text` as it may leave, and the session that knows its names."""
        known = _dictionary(session)
        spans = without_overlaps(
            [
                *self._detector.detect(text),
                *(Span(a, b, kind, text[a:b]) for a, b, kind in known.find(text)),
                *doubtful(text),
            ]
        )
        masked, _ = self._tokeniser.replace(text, spans)
        found = {(span.text, span.kind) for span in spans if span.kind in NAMES}
        names = session.names | found
        redacted = Redacted(
            text=masked,
            masked=dict(sorted(Counter(span.kind.value for span in spans).items())),
            classification=classification_of(spans),
        )
        return (Session(names) if len(names) <= _MOST_KNOWN else session), redacted


def doubtful(text: str) -> Iterator[Span]:
    """Spans of `text` that may be sensitive, and cannot be told from what is not.

    Numbers are called telephone numbers: whatever the detector is surer of goes before it.
    """
    for match in _DIGITS.finditer(text):
        tail = _MANGLED.match(text, match.end())
        start, end = match.start(), tail.end() if tail is not None else match.end()
        if not _YEAR.fullmatch(text[start:end]):
            yield Span(start, end, Kind.PHONE, text[start:end])
    for run in numerals(text):
        if run.digits >= _ENOUGH_DIGITS or run.thousands:
            yield Span(run.start, run.end, Kind.PHONE, text[run.start : run.end])
    for match in _CAPITAL.finditer(text):
        name = match[0].removesuffix("'s").removesuffix("\u2019s")
        begins = _SENTENCE_END.search(text[: match.start()]) is not None
        goes_on = _CAPITAL.match(text, match.end() + 1) is not None
        if (not begins or goes_on) and name.lower() not in _NO_NAMES:
            end = match.start() + len(name)
            yield Span(match.start(), end, Kind.PERSON, name)


def _dictionary(session: Session) -> Dictionary:
    return Dictionary(
        persons=sorted(name for name, kind in session.names if kind is Kind.PERSON),
        organisations=sorted(name for name, kind in session.names if kind is Kind.ORGANISATION),
    )
