"""What a model's provider may see: messages in which tokens stand for what is sensitive.

Names, amounts, addresses, accounts and keys are replaced before a call and restored in its
answer, by `crypto.tokens`. Only what this very call sent is restored: a token the model made
up, or remembers from elsewhere, stays as it is. A credential is never restored at all.

JSON within a message is read as JSON, so that no escape hides a name, and a name found in one
message is found in all. Pure.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn

from msgspec import Struct

from classify.detect import Detector
from classify.dictionary import Dictionary
from classify.spans import Kind, Span, without_overlaps
from crypto.tokens import Detect, Table, Tokeniser, Value, restore, restore_json, token_key

_NEVER: Final = f"[{Kind.CREDENTIAL.value.upper()}_"
_ESCAPES: Final = ("\\n", "\\r", "\\t")
_BLANK: Final = "  "


class Masked(Struct, frozen=True):
    """Messages fit to be sent, and the table that restores their answer."""

    messages: tuple[dict[str, str], ...]
    table: dict[str, Value]

    def __repr__(self) -> str:
        return f"Masked({len(self.messages)} messages)"


class Masker:
    """Replaces what is sensitive by one workspace's tokens.

    `data_key` is the workspace data key, of which only a derived key is kept.
    """

    def __init__(self, data_key: bytes, workspace: str, detector: Detector) -> None:
        self._tokeniser = Tokeniser(token_key(data_key, workspace))
        self._detector = detector

    def mask(self, messages: Iterable[Mapping[str, str]]) -> Masked:
        """The chat messages as they may leave. Roles stay; every content is replaced."""
        given = tuple(messages)
        found: set[Span] = set()

        def first(text: str) -> tuple[Span, ...]:
            spans = _spans(text, self._detector.detect)
            found.update(spans)
            return spans

        masked = self._mask(given, first)
        names = Dictionary(
            persons=sorted(span.text for span in found if span.kind is Kind.PERSON),
            organisations=sorted(span.text for span in found if span.kind is Kind.ORGANISATION),
        )

        def second(text: str) -> tuple[Span, ...]:
            known = [Span(a, b, kind, text[a:b]) for a, b, kind in names.find(text)]
            return without_overlaps([*_spans(text, self._detector.detect), *known])

        if any(span.kind in (Kind.PERSON, Kind.ORGANISATION) for span in found):
            masked = self._mask(given, second)
        table = {t: v for t, v in masked.table.items() if not t.startswith(_NEVER)}
        return Masked(masked.messages, table)

    def _mask(self, given: tuple[Mapping[str, str], ...], detect: Detect) -> Masked:
        table: dict[str, Value] = {}
        sent = []
        for message in given:
            lines = []
            for line in message.get("content", "").split("\n"):
                text, table = self._line(line, detect, table)
                lines.append(text)
            # What only shows over several lines (a key's block) is replaced in the whole.
            whole = "\n".join(lines)
            if len(lines) > 1:
                plain = message.get("content", "")
                whole, table = self._across(plain, whole, detect, table)
            sent.append({"role": message.get("role", "user"), "content": whole})
        return Masked(tuple(sent), table)

    def _across(
        self, plain: str, lined: str, detect: Detect, table: dict[str, Value]
    ) -> tuple[str, dict[str, Value]]:
        """`lined`, unless `plain` holds a span over a line's end: then all of it as one text."""
        if any("\n" in span.text for span in detect(plain)):
            return self._tokeniser.replace(plain, detect(plain), table)
        return lined, table

    def _line(
        self, line: str, detect: Detect, table: dict[str, Value]
    ) -> tuple[str, dict[str, Value]]:
        head, value = _json_in(line)
        if value is not None:
            try:
                masked, known = self._tokeniser.replace_json(value, detect, table)
                if masked == value:
                    return self._head(head, line[len(head) :], detect, known)
                return self._head(head, _written(masked), detect, known)
            except (ValueError, RecursionError):
                pass
        return self._tokeniser.replace(line, detect(line), table)

    def _head(
        self, head: str, rest: str, detect: Detect, table: dict[str, Value]
    ) -> tuple[str, dict[str, Value]]:
        text, known = self._tokeniser.replace(head, detect(head), table)
        return text + rest, known


def unmask(text: str, table: Table) -> str:
    """The model's answer with the tokens of `table` restored, and no others.

    In JSON a restored text is escaped, and a token that is all of a text and stood for a number
    becomes that number.
    """
    restored = _unmask_json(text, table)
    if restored is not None:
        return restored
    return "\n".join(_unmask_line(line, table) for line in text.split("\n"))


def _unmask_line(line: str, table: Table) -> str:
    restored = _unmask_json(line, table)
    return restore(line, table) if restored is None else restored


def _unmask_json(text: str, table: Table) -> str | None:
    head, value = _json_in(text)
    if value is None:
        return None
    try:
        plain = restore_json(value, table)
        body = text[len(head) :] if plain == value else _written(plain)
    except (ValueError, RecursionError):
        return None
    return restore(head, table) + body


def _spans(text: str, detect: Detect) -> tuple[Span, ...]:
    """The spans of `text`, those too that an escaped line end would have hidden."""
    spans = detect(text)
    if "\\" not in text:
        return spans
    blanked = text
    for escape in _ESCAPES:
        blanked = blanked.replace(escape, _BLANK)
    behind = [Span(s.start, s.end, s.kind, text[s.start : s.end]) for s in detect(blanked)]
    return without_overlaps([*spans, *behind])


def _json_in(text: str) -> tuple[str, Any]:
    """What stands before the JSON object or list that ends `text`, and that; or None."""
    starts = [place for place in (text.find("{"), text.find("[")) if place >= 0]
    for start in sorted(starts):
        try:
            return text[:start], json.loads(
                text[start:], object_pairs_hook=_once, parse_constant=_no_number
            )
        except (ValueError, RecursionError):
            continue
    return text, None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object. With a key given twice it is no object: readers differ on which counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _written(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text.encode()
    return text
