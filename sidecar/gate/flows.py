"""Which of what the runtime has read is on its way out again, in whatever dress.

Text is compared by the stems of its telling words, so that other word forms, another order
and light rewording do not hide it; and in all of its decodings, so that an encoding does not
either. A single telling number, code or address is enough; of plain words it takes several.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum, auto
from functools import lru_cache, partial
from itertools import chain
from math import ceil
from typing import Final

from immutables import Map
from msgspec import Struct

from sidecar.gate.glance import Glance, glance
from sidecar.gate.knowledge import MAX_POSTINGS, Knowledge, Segment, Standing
from sidecar.gate.normal import (
    COMMON,
    decodings,
    fold,
    rotated,
    shifted,
    stem,
    stems,
    telling_stems,
    unspaced,
    words_of,
)
from sidecar.gate.values import telling_tokens
from sidecar.gate.wish import Wish

_ENOUGH: Final = 4
_MANY_SIGNS: Final = 8
_SHARE: Final = 0.5
_MOST: Final = 8
_DICTATED: Final = 0.6
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_WHEN: Final = re.compile(r"(?:19|20)\d\d|\d\dt\d\d")
"""A year, and the words of a time stamp (RFC 3339), which tell when and not whose."""
_CAESAR: Final = tuple(partial(shifted, by=by) for by in range(1, 26) if by != 13)
_SPLIT: Final = re.compile(r"[-._\u00b7](?<=[^\W_].)(?=[^\W_])")
_LETTERS: Final = re.compile(r"[\w@$]+")
_PASSING: Final = re.compile(r"[0-9@$]")
_BESIDE: Final = re.compile(r"[0-9@$](?:[a-zA-Z_]|(?<=[a-zA-Z_].))")
_LEET: Final = str.maketrans("013457@$8", "oleastasb")
_RUN_ON: Final = 20
_RUNS_ON: Final = re.compile(r"[a-z]{20,400}")
_OPAQUE: Final = re.compile(r"[A-Za-z0-9+/_=-]{40,}")
# Patterns that run on every text begin with a class of characters: the engine skips to it.
_CODED: Final = (
    re.compile(r"[01](?<!\w\w)[01]{4,7}\b(?:[ ,]+[01]{5,8}\b){5,}[ ,]*"),
    re.compile(r"\d(?<!\w\w)\d{1,2}[ ,;]+(?:\d{2,3}[ ,;]+){11,}"),
    re.compile(r"\\u[0-9a-fA-F]{4}(?:\\u[0-9a-fA-F]{4}){3,}"),
    re.compile(r"[.\u00b7-][.\u00b7-]{0,4}[ /]+(?:[.\u00b7-]{1,5}[ /]+){11,}"),
)
_SHORTEST_CODED: Final = 24
"""The characters of the shortest match of `_CODED`."""
_LONG: Final = 40
_SIGNS: Final = re.compile(r"[!#$%&()*;<>?@^`{|}~]")


class Dress(IntEnum):
    """How content stands in an argument."""

    PLAIN = auto()
    ENCODED = auto()


class Flow(Struct, frozen=True):
    """One segment that is on its way out, and the words that show it."""

    number: int
    segment: Segment
    dress: Dress
    shared: int


def flows(
    known: Knowledge,
    wish: Wish,
    texts: Iterable[str],
    least: int,
    sent: Map[int, frozenset[str]] | None = None,
    within: Glance | None = None,
) -> tuple[Flow, ...]:
    """The segments of classification rank `least` or above that `texts` carry.

    What the intent itself says is no flow. `sent` is what earlier effects carried (see
    `carried_words`): small pieces add up. `within` is the glance at a text that holds all of
    `texts`, where there is one. Order: by segment.
    """
    found: dict[int, Flow] = {}
    for text in texts:
        for dress, said in dressed(known, text, within):
            for number, shared in _carried(known, wish, said, least, sent).items():
                before = found.get(number)
                if before is None or before.dress < dress:
                    segment = known.segments[number]
                    found[number] = Flow(number, segment, dress, shared)
    return tuple(found[number] for number in sorted(found))


def dressed(
    known: Knowledge, text: str, within: Glance | None = None
) -> Iterable[tuple[Dress, str]]:
    """`text` itself, and what it says when decoded, turned or joined. `within` is as in `flows`."""
    yield Dress.PLAIN, text
    seen = within if within is not None else glance(text)
    for said in decodings(text) if seen.encoded else ():
        yield Dress.ENCODED, said
    for other in (_unhyphenated(text) if seen.joined else text, _lettered(text)):
        if other is not text and _familiar(known, other) >= _familiar(known, text) + _ENOUGH - 1:
            yield Dress.ENCODED, other
    joined = unspaced(text) if seen.apart else None
    if joined is not None:
        yield Dress.ENCODED, joined
    folded = fold(text)
    if seen.run or not text.isascii():
        for long in (one for one in folded.split() if len(one) >= _RUN_ON):
            for run in _RUNS_ON.findall(long):
                if found := _apart(known, run):
                    yield Dress.ENCODED, found
    told = words_of(folded)
    unread = _unread(known, told)
    # A turn leaves a word a word, so it makes no more known ones than there are unread.
    if len(unread) >= _ENOUGH - 1:
        if _known(known, map(_rotated_stem, unread)):
            yield Dress.ENCODED, rotated(text)
        if _known(known, map(_backwards_stem, unread)):
            yield Dress.ENCODED, text[::-1]
        apart = " ".join(unread)
        for turn in _shifts(told):
            if _known(known, stems(turn(apart).split())):
                yield Dress.ENCODED, turn(text)


def opaque(text: str, within: Glance | None = None) -> str:
    """The first long run in `text` that is neither words nor a known encoding, or nothing.
    `within` is as in `flows`.
    """
    if len(text) < _SHORTEST_CODED:
        return ""
    seen = within if within is not None else glance(text)
    for pattern in _CODED if seen.coded else ():
        if coded := pattern.search(text):
            return coded[0]
    if not seen.long:
        return ""
    for long in (one for one in text.split() if len(one) >= _LONG):
        if len(_SIGNS.findall(long)) >= _MANY_SIGNS:
            return long
        for match in _OPAQUE.finditer(long):
            run = match[0]
            mixed = any(c.isdigit() for c in run) or (run != run.lower() and run.isalpha())
            if mixed and "://" not in long[max(0, match.start() - 12) : match.end()]:
                return run
    return ""


def dictated(known: Knowledge, wish: Wish, text: str, worst: Standing = Standing.UNBIDDEN) -> bool:
    """Whether most of `text`'s telling words, three or more, stand together in suspect or
    unbidden text and nowhere in the intent. With `worst` SUSPECT only that counts.
    """
    if not known.suspects:
        return False
    fresh = telling_stems(text) - wish.stems
    need = max(3, ceil(_DICTATED * len(fresh)))
    stands: list[tuple[int, ...]] = []
    spare = len(fresh) - need
    if spare < 0:
        return False
    for word in fresh:
        if numbers := known.suspects.get(word):
            stands.append(numbers)
        elif (spare := spare - 1) < 0:
            return False
    counts = Counter(chain.from_iterable(stands))
    enough = [number for number, count in counts.items() if count >= need]
    return any(known.segments[number].standing <= worst for number in enough)


def carried_words(
    known: Knowledge, wish: Wish, texts: Iterable[str], least: int
) -> dict[int, frozenset[str]]:
    """Per segment of rank `least` or above, the telling words of it that `texts` hold."""
    found: dict[int, set[str]] = {}
    for text in texts:
        for word in telling_stems(text) - wish.stems:
            postings = known.words.get(word, ())
            if len(postings) >= MAX_POSTINGS:
                continue
            for number in postings:
                segment = known.segments[number]
                if segment.rank >= least and segment.standing > Standing.UNBIDDEN:
                    found.setdefault(number, set()).add(word)
    return {number: frozenset(said) for number, said in found.items()}


def _carried(
    known: Knowledge,
    wish: Wish,
    text: str,
    least: int,
    sent: Map[int, frozenset[str]] | None,
) -> dict[int, int]:
    specific: set[int] = set()
    stems = telling_stems(text)
    shared_with: list[tuple[int, ...]] = []
    for word in stems - wish.stems:
        postings = known.words.get(word)
        if not postings:
            continue
        number_like = not word.isalpha() and _is_specific(word)
        if len(postings) >= MAX_POSTINGS and not number_like:
            continue
        shared_with.append(postings)
        if number_like and f" {word} " not in wish.text:
            specific.update(postings)
    telling = [token for token in telling_tokens(text) - wish.tokens if _is_telling_number(token)]
    typed = {number for token in telling for number, _ in known.values.get(token, ())}
    specific |= typed
    if len(shared_with) < _ENOUGH - 1 and not (specific or sent):
        return {}
    counts = Counter(chain.from_iterable(shared_with))
    counts.update(typed - counts.keys())
    earlier: Mapping[int, frozenset[str]] = sent if sent is not None else {}
    likely = {number for number, shared in counts.items() if shared >= _ENOUGH - 1}
    if earlier:
        likely |= counts.keys() & earlier.keys()
    found = {}
    for number in likely | specific:
        shared = counts[number]
        if earlier:
            shared += len(earlier.get(number, frozenset()) - stems)
        if shared < _ENOUGH - 1 and number not in specific:
            continue
        segment = known.segments[number]
        if segment.rank < least or segment.standing <= Standing.UNBIDDEN:
            continue
        if number in specific or shared >= min(_MOST, _SHARE * segment.telling):
            found[number] = shared
    return found


def _is_telling_number(token: str) -> bool:
    """An account or long number, or an amount of four digits or more that is no year."""
    if token.startswith("n:"):
        whole, _, cents = token[2:].lstrip("-+").partition(".")
        return len(whole) >= 4 and not (cents == "00" and _YEAR.fullmatch(whole))
    return token.startswith("a:")


def _is_specific(word: str) -> bool:
    """A number or code long enough to be somebody's: no year, no day."""
    return not word.isalpha() and len(word) >= 4 and not _WHEN.fullmatch(word)


def _apart(known: Knowledge, run: str) -> str:
    """The known words in a long run of letters without blanks, the longest first."""
    found: list[str] = []
    place = 0
    while place < len(run):
        ends = range(min(len(run), place + 16), place + 3, -1)
        word = next((run[place:e] for e in ends if stem(run[place:e]) in known.words), "")
        found += [word] if word else []
        place += len(word) or 1
    return " ".join(found) if len(found) >= _ENOUGH - 1 else ""


def _unhyphenated(text: str) -> str:
    """`text` with what stands between hyphens, dots or underscores joined, where that is much."""
    return _SPLIT.sub("", text) if len(_SPLIT.findall(text)) >= _ENOUGH else text


def _lettered(text: str) -> str:
    """`text` with digits and signs that pass for letters as letters, in words of both."""
    return _LETTERS.sub(_as_letters, text) if _BESIDE.search(text) else text


def _as_letters(match: re.Match[str]) -> str:
    word = match[0]
    mixed = _PASSING.search(word) and any(c.isascii() and c.isalpha() for c in word)
    return word.translate(_LEET) if mixed else word


def _familiar(known: Knowledge, text: str) -> int:
    """How many longer words of `text` the run has read."""
    return sum(1 for one in telling_stems(text) if len(one) > 4 and one in known.words)


def _unread(known: Knowledge, said: tuple[str, ...]) -> list[str]:
    """The longer words among `said` that the run has not read."""
    return [
        word for word in said if len(word) > 4 and word.isalpha() and stem(word) not in known.words
    ]


def _shifts(said: tuple[str, ...]) -> Iterable[Callable[[str], str]]:
    """The other Caesar shifts, for words none of which is a common one."""
    return _CAESAR if len(said) >= 2 * _ENOUGH and COMMON.isdisjoint(said) else ()


def _known(known: Knowledge, said: Iterable[str]) -> bool:
    """Whether the run has read so many of these stems that they show a text."""
    return sum(map(known.words.__contains__, said)) >= _ENOUGH - 1


@lru_cache(maxsize=65_536)
def _rotated_stem(word: str) -> str:
    return stem(rotated(word))


@lru_cache(maxsize=65_536)
def _backwards_stem(word: str) -> str:
    return stem(word[::-1])
