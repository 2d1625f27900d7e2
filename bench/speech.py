"""Speech to text as the desktop agent does it, beside the same model given the whole sound at once.

Both hear the same synthesised sentences. Word error rates are over words alone, in lower case,
numbers as the model writes them on both sides; a real-time factor is the time taken for a second of
sound, the model's loading left out.
"""

import argparse
import io
import re
import tempfile
import time
import wave
from pathlib import Path

import jiwer
import numpy as np

from desktop_agent.capture.listening import utterances
from desktop_agent.capture.sound import framed
from desktop_agent.model.prepare import prepare, weights_folder
from desktop_agent.speech.utterances import SAMPLE_RATE, Utterance
from desktop_agent.speech.voice import voice_detector
from desktop_agent.speech.whisper import Listener
from tests.speech import spoken

SENTENCES = (
    "Good morning, and thank you for your time today.",
    "We looked at the proposal and we have some questions about the price.",
    "Our team would like to start with a small project in the spring.",
    "Please send the contract before the end of the week.",
    "The old system is slow, and nobody likes to work with it.",
    "Can you show us how the reports are made?",
    "I will talk to my manager and call you back on Thursday.",
    "That sounds good, let us meet again next month.",
)


def measure(_: argparse.Namespace) -> dict[str, float]:
    """`wer`, `wer_bare`: shares of words; `rtf`, `rtf_bare`: seconds for a second of sound."""
    import soxr

    with wave.open(io.BytesIO(spoken(SENTENCES))) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    sound = soxr.resample(samples.astype(np.float32) / 32_768, rate, SAMPLE_RATE)
    seconds = len(sound) / SAMPLE_RATE
    with tempfile.TemporaryDirectory(prefix="anyteam-bench-") as home:
        model = Path(home) / "model.bin"
        prepare(weights_folder(), model)
        listener = Listener(model, threads=2)
    frames = list(framed([sound]))
    whole = Utterance(0, round(seconds * 1_000), b"".join(frames))
    listener.hear(whole)
    started = time.perf_counter()
    bare = listener.hear(whole)
    between = time.perf_counter()
    ours = [heard for one in utterances(frames, voice_detector()) for heard in listener.hear(one)]
    ended = time.perf_counter()
    said = _words(" ".join(SENTENCES))
    return {
        "wer": jiwer.wer(said, _words(" ".join(one.text for one in ours))),
        "wer_bare": jiwer.wer(said, _words(" ".join(one.text for one in bare))),
        "rtf": (ended - between) / seconds,
        "rtf_bare": (between - started) / seconds,
    }


def _words(text: str) -> str:
    return " ".join(re.findall(r"[\w']+", text.lower()))
