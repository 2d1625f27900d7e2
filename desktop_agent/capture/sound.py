"""Sound as frames: files through libsndfile, resampled by soxr, 16-bit mono at 16 kHz.

Nothing is written, and a file comes as an open descriptor, so that this process needs no path.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from desktop_agent.errors import AudioUnsupported
from desktop_agent.speech.utterances import FRAME_BYTES, SAMPLE_RATE

Samples = NDArray[np.float32]

_BLOCK: Final = 4_096
_MAX_CHANNELS: Final = 64


def file_frames(descriptor: int) -> Iterator[bytes]:
    """The frames of the open sound file, the last filled with silence; several channels as one.

    Raises `AudioUnsupported` where it is no sound that libsndfile reads.
    """
    try:
        with soundfile.SoundFile(descriptor, closefd=True) as file:
            if not file.seekable():
                raise AudioUnsupported("sound from a pipe", fix="give a file on a disk")
            if not 0 < file.channels <= _MAX_CHANNELS:
                raise AudioUnsupported(f"sound in {file.channels} channels")
            yield from framed(_resampled(file))
    except soundfile.LibsndfileError as error:
        raise AudioUnsupported(
            f"not a sound file that can be read: {error.error_string}",
            fix="give WAV, FLAC, OGG or MP3",
        ) from error


def framed(blocks: Iterable[Samples]) -> Iterator[bytes]:
    """Blocks of samples between -1 and 1 as frames, the last filled with silence."""
    held = bytearray()
    for block in blocks:
        held += (np.clip(block, -1.0, 1.0) * 32_767).astype("<i2").tobytes()
        while len(held) >= FRAME_BYTES:
            yield bytes(held[:FRAME_BYTES])
            del held[:FRAME_BYTES]
    if held:
        yield bytes(held.ljust(FRAME_BYTES, b"\0"))


def _resampled(file: soundfile.SoundFile) -> Iterator[Samples]:
    stream = soxr.ResampleStream(file.samplerate, SAMPLE_RATE, 1, dtype="float32")
    for block in file.blocks(blocksize=_BLOCK, dtype="float32", always_2d=True):
        yield stream.resample_chunk(block.mean(axis=1))
    yield stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)
