"""The days and times of day in a text, each as a token in one spelling.

A day is `d:mm-dd` whatever its year, a time of day `c:hh:mm`. Days are looked for at the digits:
most texts hold some, and most numbers are no days.
"""

import re
from typing import Final

from sidecar.gate.normal import fold, words_of

# Patterns that run on every text begin with a class of characters: the engine skips to it.
DIGITS: Final = re.compile(r"\d\d*")
_ASCII_DIGITS: Final = re.compile(r"[0-9][0-9]*")
_WORDS: Final = re.compile(r"\w+")
_MONTHS: Final = {
    name[:3]: number
    for number, name in enumerate(
        (
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ),
        start=1,
    )
}
_MONTH: Final = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_MONTH_NAMES: Final = frozenset(
    """jan january feb february mar march apr april may jun june jul july aug august sep sept
    september oct october nov november dec december""".split()  # noqa: SIM905
)
"""The words that `_MONTH` matches: wherever it is used, a word's ends are at both of its own."""
_ISO: Final = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_MONTH_DAY: Final = re.compile(rf"\b{_MONTH}\.? (\d{{1,2}})(?:st|nd|rd|th)?\b")
_DAY_MONTH: Final = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}\b")
_DAY_RANGE: Final = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th)? ?(?:to|-|until|through) ?(?:the )?"
    rf"(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}\b"
)
_MONTH_BEFORE: Final = re.compile(rf"\b{_MONTH}\.? \Z")
_LONGEST_MONTH: Final = len("september. ")
_LONGEST_DAY: Final = 2
_DAY: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?\b")
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3])[:h]([0-5]\d)\b")
_ON_A_TIME: Final = re.compile(r"(?<=\d:)")


def day_tokens(text: str) -> frozenset[str]:
    """The days and clock times in `text`, as `d:` and `c:` tokens."""
    found: set[str] = set()
    folded = fold(text)
    days_in(folded, words_of(folded), digit_runs(folded), found)
    return frozenset(found)


def digit_runs(folded: str) -> list[tuple[int, int]]:
    """Where runs of digits begin and end."""
    digits = _ASCII_DIGITS if folded.isascii() else DIGITS
    return [match.span() for match in digits.finditer(folded)]


def _starts(match: re.Match[str]) -> bool:
    """Whether a time of day starts a word, or follows the `t` of a time stamp."""
    before = match.string[match.start() - 1 : match.start()]
    return before == "t" or not (before.isalnum() or before == "_")


def days_in(
    folded: str, said: tuple[str, ...], runs: list[tuple[int, int]], found: set[str]
) -> list[tuple[int, int]]:
    """Adds the days and clock times to `found`. Gives where they stand."""
    spans: list[tuple[int, int]] = []
    if "-" in folded:
        for match in _ISO.finditer(folded):
            found.add(f"d:{int(match[2]):02d}-{int(match[3]):02d}")
            spans.append(match.span())
    if not _MONTH_NAMES.isdisjoint(said):
        _named_months(folded, runs, found, spans)
    over = 0
    for start, end in runs:
        if folded[end : end + 1] not in (":", "h") or start < over:
            continue
        clock = _CLOCK.match(folded, start)
        if clock is not None and _starts(clock):
            found.add(f"c:{int(clock[1]):02d}:{clock[2]}")
            spans.append(clock.span())
            over = clock.end()
    return spans


def _named_months(
    folded: str, runs: list[tuple[int, int]], found: set[str], spans: list[tuple[int, int]]
) -> None:
    """Days beside the name of a month, looked for at the digits: most numbers are no days."""
    for start, end in runs:
        if end - start > _LONGEST_DAY:
            continue
        if day := _DAY_MONTH.match(folded, start):
            found.add(f"d:{_MONTHS[day[2][:3]]:02d}-{int(day[1]):02d}")
            spans.append(day.span())
        elif days := _DAY_RANGE.match(folded, start):
            for group in (1, 2):
                found.add(f"d:{_MONTHS[days[3][:3]]:02d}-{int(days[group]):02d}")
            spans.append(days.span())
        if folded[start - 1 : start] != " ":
            continue
        month = _MONTH_BEFORE.search(folded, max(0, start - _LONGEST_MONTH), start)
        if month and (day := _DAY.match(folded, start)):
            found.add(f"d:{_MONTHS[month[1][:3]]:02d}-{int(day[1]):02d}")
            spans.append((month.start(), day.end()))


def without_days(folded: str, spans: list[tuple[int, int]]) -> str:
    """`folded` without the days and times of day at `spans`, which hold at least one."""
    spans.sort()
    kept: list[str] = []
    at = -1
    for start, end in spans:
        # Those that touch or run on into a word, and times that go on others: in turn.
        if start <= at or _WORDS.match(folded, end) or _ON_A_TIME.match(folded, start):
            return _without_days_in_turn(folded)
        kept.append(folded[max(at, 0) : start])
        at = end
    return " ; ".join((*kept, folded[at:]))


def _without_days_in_turn(folded: str) -> str:
    for date in (_ISO, _DAY_RANGE, _MONTH_DAY, _DAY_MONTH):
        folded = date.sub(" ; ", folded)
    return _CLOCK.sub(lambda match: " ; " if _starts(match) else match[0], folded)
