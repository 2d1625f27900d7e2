"""What a text is about, as a vector: static word vectors that ship in a package, run offline.

WordLlama's 256 dimensions (docs/dependencies.md). A vector gives away much of its text, so it is
content: it is kept where content is erased, and shown to nobody.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from projections.errors import StoreMissing

DIMENSIONS: Final = 256


def vectors_of(texts: Sequence[str]) -> list[list[float]]:
    """One vector of length 1 a text, `DIMENSIONS` long; zeros for a text without words.

    Raises `StoreMissing`.
    """
    if not texts:
        return []
    found: list[list[float]] = _model().embed(list(texts), norm=True).tolist()
    # A text of no known token has no direction: 0/0, which no index takes.
    return [[x if x == x else 0.0 for x in vector] for vector in found]


@cache
def _model() -> Any:
    try:
        import wordllama
    except ImportError as error:
        raise StoreMissing(
            "recall by meaning needs the package wordllama",
            fix="pip install 'anyteam-trust[vectors]'",
        ) from error
    # Its weights lie in the package; without the folder it would look for them on the network.
    return wordllama.WordLlama.load(
        cache_dir=Path(wordllama.__file__).parent, disable_download=True
    )
