"""A sound file that goes on for hours in silence, so that nothing hears it to its end by luck.

The silence takes no room on the disk.
"""

import io
import os
import wave
from collections.abc import Iterable
from pathlib import Path

from tests.speech import spoken

FRAMES = 1 << 30
"""More than twelve hours at any rate of espeak-ng's, and below the 4 GiB that a WAV file can be."""


def endless(path: Path, sentences: Iterable[str] = ()) -> None:
    """Write a file in which the sentences are said, and then nothing."""
    with wave.open(io.BytesIO(spoken(sentences))) as said:
        rate, samples = said.getframerate(), said.readframes(said.getnframes())
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.setnframes(FRAMES)
        out.writeframesraw(samples)
        begun = file.getvalue()
    path.write_bytes(begun)
    os.truncate(path, len(begun) - len(samples) + 2 * FRAMES)
