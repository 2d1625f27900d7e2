"""What whisper.cpp hears in an utterance. The model is a file of the rep's own machine.

The binding is told never to write: no log, no progress, no file. It reads the model once and
opens nothing afterwards.
"""

from pathlib import Path

import numpy as np
from msgspec import Struct
from pywhispercpp.model import Model

from desktop_agent.errors import ModelDamaged
from desktop_agent.speech.utterances import Utterance

_TICK_MS = 10


class Heard(Struct, frozen=True):
    """Words as they were said, from `start_ms` to `end_ms` since the stream began."""

    start_ms: int
    end_ms: int
    text: str

    def __repr__(self) -> str:
        return f"Heard({self.start_ms}..{self.end_ms} ms)"


class Listener:
    """A loaded model. Raises `ModelDamaged` where whisper.cpp does not take the file."""

    def __init__(self, model: Path, threads: int, language: str = "en") -> None:
        try:
            self._model = Model(
                str(model),
                redirect_whispercpp_logs_to=None,
                n_threads=threads,
                print_progress=False,
                print_realtime=False,
                print_timestamps=False,
                language=language,
                no_context=True,
                suppress_blank=True,
            )
        except (RuntimeError, ValueError) as error:
            raise ModelDamaged(f"whisper.cpp does not read {model}") from error

    def hear(self, utterance: Utterance) -> tuple[Heard, ...]:
        """What was said, in order; nothing where the model hears no word."""
        sound = np.frombuffer(utterance.pcm, dtype="<i2").astype(np.float32)
        sound *= np.float32(1 / 32_768)
        found = self._model.transcribe(sound)
        return tuple(
            Heard(
                utterance.start_ms + segment.t0 * _TICK_MS,
                min(utterance.end_ms, utterance.start_ms + segment.t1 * _TICK_MS),
                segment.text.strip(),
            )
            for segment in found
            if any(map(str.isalnum, segment.text))
        )
