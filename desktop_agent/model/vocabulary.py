"""Whisper's vocabulary as bytes: what each text token adds to a transcript.

Token files write each byte as a printable character, by the table that GPT-2's tokeniser made:
printable Latin-1 stands for itself, the others for the characters from U+0100 on. Special tokens
(`<|...|>`) are no text; whisper.cpp numbers them by itself, from the model's size alone, except
that the end of text is the last it is given.
"""

from collections.abc import Sequence
from typing import Final

from desktop_agent.errors import ModelDamaged

END_OF_TEXT: Final = "<|endoftext|>"
_PRINTABLE: Final = (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))


def _byte_of_characters() -> dict[str, int]:
    others = [byte for byte in range(256) if byte not in _PRINTABLE]
    table = {chr(byte): byte for byte in _PRINTABLE}
    return table | {chr(0x100 + place): byte for place, byte in enumerate(others)}


_BYTES: Final = _byte_of_characters()


def text_tokens(vocabulary: Sequence[str]) -> tuple[bytes, ...]:
    """The bytes of every token up to the end of text, which is among them as it is written.

    Raises `ModelDamaged` for a vocabulary without an end of text, or with a token before it that
    no byte stands for.
    """
    if END_OF_TEXT not in vocabulary:
        raise ModelDamaged(f"the vocabulary has no {END_OF_TEXT}")
    end = vocabulary.index(END_OF_TEXT)
    try:
        texts = tuple(bytes(_BYTES[letter] for letter in token) for token in vocabulary[:end])
    except KeyError as error:
        raise ModelDamaged(f"the vocabulary holds {error.args[0]!r}, which is no byte") from error
    return (*texts, END_OF_TEXT.encode())
