"""What the runtime was given to read, indexed: the gate's own memory of one run.

The sidecar did every read, so it knows each byte the runtime has, and where it came from.
An observation is cut into segments (a field, a line, a sentence); each has its standing, the
record it belongs to, and its classification. The index answers two questions at a cost that
does not grow with the history: where does this value stand, and which segments share these
words. Nothing the runtime says enters here.
"""

import re
from collections.abc import Iterable, Mapping
from enum import IntEnum, auto
from typing import Any, Final

from immutables import Map
from msgspec import Struct

from classify.spans import Kind, Span, classification_of
from classify.tagging import tagged_beside
from schemas.names import Classification
from schemas.tools import Tool, Trust
from sidecar.gate.markers import suspicious
from sidecar.gate.normal import COMMON, spaced, stem, telling
from sidecar.gate.secret_parts import secret_windows
from sidecar.gate.values import amount, keyed, name_tokens, tokens
from sidecar.gate.wish import Wish, nouns_of

MAX_SEGMENTS: Final = 400_000
MAX_POSTINGS: Final = 64
_MAX_WORDS: Final = 60
_COUNTRY_CODES: Final = (1, 2, 3)
"""How many digits they have (ITU-T E.164)."""
_LINE: Final = re.compile(r"\n+")
_SENTENCE: Final = re.compile(r"(?<=[.!?;])\s+")
RANKS: Final = {rank: place for place, rank in enumerate(Classification)}


class Standing(IntEnum):
    """Whose word a segment is, from the worst to the best.

    SUSPECT reads like instructions to a machine; UNBIDDEN came by itself and nobody pointed
    to it; READ came of the run's own reading; POINTED of a reading that the rep's words point
    to; OWN was written by a system of record.
    """

    SUSPECT = auto()
    UNBIDDEN = auto()
    READ = auto()
    POINTED = auto()
    OWN = auto()


class Segment(Struct, frozen=True, gc=False):
    """A piece of an observation. `text` is its words between blanks; `record` numbers the
    object it was a field of; `linked` says that the record holds something the rep named,
    `certain` that this tells it from all others, `rival` that the rep named another value or
    record of this observation. `nouns` are stems of what the tool that gave
    it is about. `kind` is what a span is that has a tag of its own (`classify.tagging`), above
    that of the text it stands in, which is another segment; of other segments it is empty.
    """

    observation: int
    record: int
    standing: Standing
    rank: int
    text: str
    telling: int
    linked: bool
    certain: bool
    rival: bool
    nouns: frozenset[str]
    kind: str = ""


class Knowledge(Struct, frozen=True, kw_only=True):
    """Everything one run was given. Maps are persistent; segments are numbered from 0.

    `words` maps the stem of a telling word to the last segments that have it, `suspects`
    likewise for suspect and unbidden segments alone, so that nothing can push those out.
    `values` maps a typed value to (segment, words of the field's name), `secrets` a window of a
    credential to the observation it was read in (`sidecar.gate.secret_parts`). `found` are the
    nouns of the tools that have given a record which the rep had named for certain.
    """

    segments: Map[int, Segment] = Map()
    words: Map[str, tuple[int, ...]] = Map()
    suspects: Map[str, tuple[int, ...]] = Map()
    values: Map[str, tuple[tuple[int, frozenset[str]], ...]] = Map()
    secrets: Map[str, int] = Map()
    observations: int = 0
    records: int = 0
    found: frozenset[str] = frozenset()
    full: bool = False


class Leaf(Struct, frozen=True):
    """One text or number of an observation, below the field `key`, in object `record`."""

    record: int
    key: str
    value: str | int | float


def observe(
    known: Knowledge,
    wish: Wish,
    content: object,
    *,
    tool: Tool | None,
    pointed: bool,
    named: bool,
    unbidden: bool,
    trust: Trust,
    sensitivity: Classification,
    written: frozenset[str] = frozenset(),
    echoed: str = "",
) -> Knowledge:
    """`known` after one more observation.

    `tool` is the declaration of the tool whose result it is, None where it came by itself.
    `pointed` says that the rep's words point to what was read, `named` that they name it, so
    that a text that is one whole is linked to them; `unbidden` that no proposal asked for it.
    `trust` and `sensitivity` hold for what the tool declares nothing about. `written` are
    addresses that the run itself wrote from untrusted text: a system of record that gives them
    back vouches for nothing. `echoed` are the words that the run itself gave the tool: where
    its result says them again, nothing was learnt that could leak.
    """
    leaves = list(_leaves(content))
    linked = _linked_records(leaves, wish)
    whole = named
    floor = Standing.POINTED if pointed else Standing.READ
    if unbidden:
        floor = Standing.UNBIDDEN
    nouns = nouns_of(tool) if tool is not None else frozenset[str]()
    number, record = known.observations, known.records
    rank = RANKS[sensitivity]
    segments, by_word = known.segments.mutate(), known.words.mutate()
    suspects, values = known.suspects.mutate(), known.values.mutate()
    secrets = known.secrets.mutate()
    place = len(known.segments)
    chosen, passed_over = _choices(leaves, wish)
    for leaf in leaves:
        own = trust is Trust.TRUSTED or (tool is not None and leaf.key in tool.trusted)
        meant = whole and leaf.record not in passed_over and leaf.key not in chosen
        certain = meant or linked.get(leaf.record, False)
        held = certain or leaf.record in linked
        best = Standing.OWN if own else floor
        if unbidden and certain and not own:
            best = Standing.READ
        field = name_tokens(leaf.key)
        rival = leaf.record in passed_over or leaf.key in chosen
        # What came by itself is nobody's secret, and may not make one of ordinary words.
        if isinstance(leaf.value, str) and not unbidden:
            secrets.update(dict.fromkeys(secret_windows(leaf.key, leaf.value), number))
        for text, standing in _pieces(str(leaf.value), best):
            if standing is Standing.OWN and written and written & tokens(text):
                standing = Standing.READ
            said = spaced(text)
            distinct = {stem(word) for word in said.split() if telling(word)}
            segments[place] = Segment(
                number,
                record + leaf.record,
                standing,
                0 if said in echoed or _INSTANT.fullmatch(text) else rank,
                said,
                len(distinct),
                held,
                certain,
                rival and spaced(text) not in wish.text,
                nouns,
            )
            low = standing <= Standing.UNBIDDEN
            for word in distinct or {stem(w) for w in said.split() if w not in COMMON}:
                by_word[word] = (*by_word.get(word, ()), place)[-MAX_POSTINGS:]
                if low:
                    suspects[word] = (*suspects.get(word, ()), place)[-MAX_POSTINGS:]
            for token in _tokens(text, leaf):
                values[token] = (*values.get(token, ()), (place, field))[-MAX_POSTINGS:]
            place += 1
        for span in _tagged(leaf, sensitivity) if not unbidden else ():
            said = spaced(span.text)
            if said in echoed:
                continue
            distinct = {stem(word) for word in said.split() if telling(word)}
            segments[place] = Segment(
                number,
                record + leaf.record,
                best,
                RANKS[classification_of((span,))],
                said,
                len(distinct),
                held,
                certain,
                False,
                nouns,
                span.kind.value,
            )
            # Where a number is one of a type it is found as that, and its groups say nothing.
            typed = _spellings(span)
            for token in typed:
                values[token] = (*values.get(token, ()), (place, field))[-MAX_POSTINGS:]
            for word in distinct if not typed else ():
                by_word[word] = (*by_word.get(word, ()), place)[-MAX_POSTINGS:]
            place += 1
    return Knowledge(
        segments=segments.finish(),
        words=by_word.finish(),
        suspects=suspects.finish(),
        values=values.finish(),
        secrets=secrets.finish(),
        observations=number + 1,
        records=record + 1 + max((leaf.record for leaf in leaves), default=0),
        found=known.found | nouns if whole or any(linked.values()) else known.found,
        full=known.full or place > MAX_SEGMENTS,
    )


def _tagged(leaf: Leaf, above: Classification) -> tuple[Span, ...]:
    """The spans of a leaf that are more sensitive than it is declared. A telephone number or an
    account that stands in public is public, a card is not. A fraction is nobody's.
    """
    if above is Classification.PUBLIC:
        above = Classification.CONFIDENTIAL
    return () if isinstance(leaf.value, float) else tagged_beside(leaf.key, str(leaf.value), above)


def _spellings(span: Span) -> set[str]:
    """The number that a span is, as an account's; of a telephone number as dialled at home, too."""
    found = {token for token in tokens(span.text) if token.startswith("a:")}
    if span.kind is Kind.PHONE and span.text.startswith("+"):
        digits = "".join(filter(str.isdigit, span.text))
        for code in _COUNTRY_CODES:
            found |= {f"a:{digits[code:]}", f"a:0{digits[code:]}"}
    return found


def _tokens(text: str, leaf: Leaf) -> Iterable[str]:
    if isinstance(leaf.value, int | float):
        yield amount(leaf.value)
        yield keyed(str(leaf.value))
        return
    yield from tokens(text)
    if len(text) <= 64 and leaf.key:
        yield keyed(text)


def _leaves(content: object) -> Iterable[Leaf]:
    """Texts and numbers, depth first; each object in a list is a record of its own.

    An object's keys that are no field names (they hold a blank or a capital) are values too.
    """
    count = 0
    stack: list[tuple[object, str, int]] = [(content, "", 0)]
    while stack:
        value, key, record = stack.pop()
        if isinstance(value, Mapping):
            if not _is_record(value):
                for name, inner in reversed(list(value.items())):
                    count += 1
                    stack.append((inner, key, count))
                    stack.append((str(name), key, count))
            else:
                stack.extend(
                    (inner, str(name), record) for name, inner in reversed(list(value.items()))
                )
        elif isinstance(value, list | tuple):
            for inner in reversed(value):
                if isinstance(inner, Mapping):
                    count += 1
                    stack.append((inner, key, count))
                else:
                    stack.append((inner, key, record))
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            yield Leaf(record, key, value)


def _is_record(value: Mapping[Any, Any]) -> bool:
    return all(isinstance(name, str) and _FIELD.fullmatch(name) for name in value)


_INSTANT: Final = re.compile(
    r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"
)
"""A time stamp (RFC 3339) that is all of a field says when, and of nobody what."""
_FIELD: Final = re.compile(r"[a-z_][a-zA-Z0-9_-]{0,63}")


def _linked_records(leaves: list[Leaf], wish: Wish) -> dict[int, bool]:
    """The records that hold something the rep named, and whether that says which one for
    certain: a typed value or a quotation of several words, and not just a word or a name.
    Where a quotation is the whole of some field, fields that only hold it are not meant.
    """
    whole_fields = {spaced(leaf.value) for leaf in leaves if isinstance(leaf.value, str)}
    exact = wish.quoted & whole_fields
    found: dict[int, bool] = {}
    for leaf in leaves:
        if found.get(leaf.record) or not isinstance(leaf.value, str):
            continue
        text = leaf.value[:20_000]
        whole = spaced(text)
        quoted = [
            said for said in wish.quoted if said == whole or (said not in exact and said in whole)
        ]
        certain = any(said.count(" ") > 2 for said in quoted) or any(
            token in wish.tokens for token in tokens(text) if token[0] in "eua"
        )
        full = 2 <= len(whole.split()) <= 8 and whole in wish.text
        if certain or quoted or full or (wish.names and _speaks_of(whole, wish.names)):
            found[leaf.record] = certain
    return found


def _speaks_of(whole: str, names: frozenset[str]) -> bool:
    return not names.isdisjoint(stem(word) for word in whole.split())


def _choices(leaves: list[Leaf], wish: Wish) -> tuple[frozenset[str], frozenset[int]]:
    """The fields of which the rep named one value (`#releases` of a list of channels), and the
    records that have another value there. A value that several records share chooses none,
    and neither does a person's address: it says whose a record is, not which.
    """
    named: dict[str, list[int]] = {}
    others: dict[str, set[int]] = {}
    for leaf in leaves:
        if isinstance(leaf.value, str) and len(leaf.value) <= 80:
            whole = spaced(leaf.value)
            if "@" in leaf.value:
                continue
            if whole.strip() and whole in wish.text:
                named.setdefault(leaf.key, []).append(leaf.record)
            else:
                others.setdefault(leaf.key, set()).add(leaf.record)
    chosen = {key for key, records in named.items() if len(records) == 1}
    kept = {record for key in chosen for record in named[key]}
    passed_over = {record for key in chosen for record in others.get(key, ())} - kept
    return frozenset(chosen), frozenset(passed_over)


def _pieces(text: str, best: Standing) -> Iterable[tuple[str, Standing]]:
    """`text` cut at lines and sentences, what reads like instructions apart."""
    if best is Standing.OWN and len(text) <= 40:
        yield text, best
        return
    at = 0
    for marked in suspicious(text):
        for piece in _cut(text[at : marked.start]):
            yield piece, best
        for piece in _cut(text[marked.start : marked.end]):
            yield piece, min(best, Standing.SUSPECT)
        at = marked.end
    for piece in _cut(text[at:]):
        yield piece, best


def _cut(text: str) -> Iterable[str]:
    for line in _LINE.split(text):
        if len(line) <= 300:
            if line.strip():
                yield line
            continue
        for sentence in _SENTENCE.split(line):
            said = sentence.split()
            for start in range(0, len(said), _MAX_WORDS):
                yield " ".join(said[start : start + _MAX_WORDS])
