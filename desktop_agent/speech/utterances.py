"""Cuts a stream of sound into utterances, by which of its frames hold a voice.

Pure: a state and a frame in, a state and perhaps an utterance out. An utterance begins a little
before the voice was sure, ends once it has been gone for a while, and is never longer than the
model hears at once. Silence is dropped, which also keeps the model from inventing words for it.
"""

from typing import Final

from msgspec import Struct

FRAME_MS: Final = 30
SAMPLE_RATE: Final = 16_000
FRAME_BYTES: Final = SAMPLE_RATE * FRAME_MS // 1_000 * 2
"""One frame of 16-bit little-endian mono."""

_WINDOW: Final = 10
_VOICED_TO_BEGIN: Final = 5
_SILENT_TO_END: Final = 23
_LONGEST: Final = 25_000 // FRAME_MS


class Utterance(Struct, frozen=True):
    """Sound from `start_ms` to `end_ms` since the stream began; `pcm` is 16-bit mono at 16 kHz."""

    start_ms: int
    end_ms: int
    pcm: bytes

    def __repr__(self) -> str:
        return f"Utterance({self.start_ms}..{self.end_ms} ms)"


class Cutting(Struct, frozen=True):
    """How far the stream was cut: frames taken so far, those held, and for each if it was voiced.

    `speaking` says whether an utterance has begun; `silent` counts the frames since its last voice.
    """

    taken: int = 0
    held: tuple[bytes, ...] = ()
    voiced: tuple[bool, ...] = ()
    speaking: bool = False
    silent: int = 0


def cut(state: Cutting, frame: bytes, voiced: bool) -> tuple[Cutting, Utterance | None]:
    """The state after one frame, and the utterance that it ended, if it did."""
    taken = state.taken + 1
    held = (*state.held, frame)
    if not state.speaking:
        held, window = held[-_WINDOW:], (*state.voiced, voiced)[-_WINDOW:]
        begins = sum(window) >= _VOICED_TO_BEGIN
        return Cutting(taken, held, () if begins else window, begins), None
    silent = 0 if voiced else state.silent + 1
    if silent < _SILENT_TO_END and len(held) < _LONGEST:
        return Cutting(taken, held, (), True, silent), None
    return Cutting(taken), _utterance(taken, held)


def finish(state: Cutting) -> Utterance | None:
    """What was being said when the stream ended."""
    return _utterance(state.taken, state.held) if state.speaking else None


def _utterance(taken: int, held: tuple[bytes, ...]) -> Utterance:
    return Utterance((taken - len(held)) * FRAME_MS, taken * FRAME_MS, b"".join(held))
