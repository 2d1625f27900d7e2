"""Whether a frame of sound holds a voice, by WebRTC's detector."""

from collections.abc import Callable
from typing import Final

import webrtcvad

from desktop_agent.speech.utterances import SAMPLE_RATE

MODES: Final = range(4)

Voice = Callable[[bytes], bool]


def voice_detector(strictness: int = 2) -> Voice:
    """A detector of one stream. `strictness` from 0, which lets most through, to 3."""
    detector = webrtcvad.Vad(strictness)

    def voiced(frame: bytes) -> bool:
        return bool(detector.is_speech(frame, SAMPLE_RATE))

    return voiced
