"""Tokens that stand for sensitive values where a text goes to a model's provider.

A token is `[KIND_CODE]`: the kind tells the model what it stands for, the code is the
HMAC-SHA256 (RFC 2104) of kind and value under the workspace's token key, which HKDF-SHA256
(RFC 5869) derives from its data key. So one value has one token in a workspace and another in
every other, and nobody without the key learns from a token what it stands for.

Only the table that a replacement returns can undo it. Whatever looks like a token in the text
given is replaced by a token for itself: a forged token restores to its own letters, never to
the value whose token it copies.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from classify.spans import Kind, Span, without_overlaps

Value = str | int | float
"""What a token stands for: text, or a number of a JSON value."""

Table = Mapping[str, Value]
"""Token to value, for the replacements of one call."""

Detect = Callable[[str], tuple[Span, ...]]
"""Gives the spans of a text: `classify.detect.Detector.detect`."""

_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Digits and letters less those that are read as one another, or as a word: 0 O 1 I L U."""

_WIDTH: Final = 8
_MAX_WIDTH: Final = 32
_LITERAL: Final = "literal"
_KINDS: Final = "|".join(
    sorted((kind.value.replace("_", r"\\?[_ -]") for kind in Kind), key=len, reverse=True)
)
# Models change case, drop brackets, and write the underscore escaped, as a blank or as a dash.
# Without brackets a blank could stand between two ordinary words.
_CODE: Final = rf"(?P<{{}}>[{_ALPHABET}]{{{{{_WIDTH},{_MAX_WIDTH}}}}})(?![a-z0-9_])"
_TOKEN: Final = re.compile(
    rf"(?ai)\[(?P<kind>{_KINDS}|{_LITERAL})\\?[_ -]{_CODE.format('code')}\]?"
    rf"|(?<![a-z0-9_])(?P<bare>{_KINDS}|{_LITERAL})\\?[_-]{_CODE.format('tail')}\]?"
)


class Tokeniser:
    """Replaces the spans of texts by one workspace's tokens; `key` is its `token_key`."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "Tokeniser()"

    def replace(
        self, text: str, spans: Iterable[Span], table: Table | None = None
    ) -> tuple[str, dict[str, Value]]:
        """`text` with its spans replaced, and `table` with what undoes it.

        Pass the table on from text to text of one call, so that all restore by the last one.
        """
        known = dict(table or {})
        parts: list[str] = []
        last = 0
        for span in without_overlaps(spans):
            parts.append(self._disarm(text[last : span.start], known))
            parts.append(self._token(span.kind.value, text[span.start : span.end], known))
            last = span.end
        parts.append(self._disarm(text[last:], known))
        return "".join(parts), known

    def replace_json(
        self, value: Any, detect: Detect, table: Table | None = None
    ) -> tuple[Any, dict[str, Value]]:
        """The same for a JSON value, keys and numbers too.

        Each text is read beside the key it stands under, since that may be what makes it
        sensitive: `{"password": "tulip"}`.
        """
        known = dict(table or {})
        return self._replace_json(value, "", detect, known), known

    def _replace_json(self, value: Any, key: str, detect: Detect, known: dict[str, Value]) -> Any:
        if isinstance(value, dict):
            replaced = {}
            for name, item in value.items():
                masked, table = self.replace(name, detect(name), known)
                known.update(table)
                replaced[masked] = self._replace_json(item, name, detect, known)
            return replaced
        if isinstance(value, list | tuple):
            return [self._replace_json(item, key, detect, known) for item in value]
        if isinstance(value, str):
            masked, table = self.replace(value, _beside(key, value, detect), known)
            known.update(table)
            return masked
        if isinstance(value, int | float) and not isinstance(value, bool):
            written = repr(value)
            for span in _beside(key, written, detect):
                if span.text == written:
                    return self._token(span.kind.value, value, known)
        return value

    def _disarm(self, text: str, known: dict[str, Value]) -> str:
        return _TOKEN.sub(lambda match: self._token(_LITERAL, match[0], known), text)

    def _token(self, kind: str, value: Value, known: dict[str, Value]) -> str:
        message = f"{kind}\0{type(value).__name__}\0{value}".encode(errors="surrogatepass")
        digest = int.from_bytes(hmac.digest(self._key, message, hashlib.sha256))
        for width in range(_WIDTH, _MAX_WIDTH + 1):
            token = f"[{kind.upper()}_{_code(digest, width)}]"
            # A code that already stands for another value is lengthened.
            holder = known.setdefault(token, value)
            if holder == value and type(holder) is type(value):
                return token
        raise AssertionError("two values share 157 bits of HMAC-SHA256")


def token_key(data_key: bytes, workspace: str) -> bytes:
    """The 32-byte key of a workspace's tokens."""
    info = f"anyteam token key v1 {workspace}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(data_key)


def restore(text: str, table: Table) -> str:
    """`text` with the tokens that `table` holds replaced by their values; others stay.

    A token is known in any case, without one or both of its brackets, and with its underscore
    escaped or exchanged for a dash.
    """
    return _TOKEN.sub(lambda match: str(table.get(_canonical(match), match[0])), text)


def restore_json(value: Any, table: Table) -> Any:
    """The same for a JSON value: a text that is all one number's token becomes the number."""
    if isinstance(value, dict):
        return {restore(key, table): restore_json(item, table) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [restore_json(item, table) for item in value]
    if isinstance(value, str):
        whole = _TOKEN.fullmatch(value)
        return table.get(_canonical(whole), value) if whole else restore(value, table)
    return value


def _beside(key: str, text: str, detect: Detect) -> Iterator[Span]:
    """The spans of `text` as it reads after `key`."""
    prefix = f"{key}: " if key else ""
    for span in detect(prefix + text):
        start = max(span.start, len(prefix)) - len(prefix)
        end = span.end - len(prefix)
        if start < end:
            yield Span(start, end, span.kind, text[start:end])


def _canonical(match: re.Match[str]) -> str:
    kind = match["kind"] or match["bare"]
    code = match["code"] or match["tail"]
    return f"[{re.sub(r'[^A-Za-z]+', '_', kind)}_{code}]".upper()


def _code(digest: int, width: int) -> str:
    letters = []
    for _ in range(width):
        digest, place = divmod(digest, len(_ALPHABET))
        letters.append(_ALPHABET[place])
    return "".join(letters)
