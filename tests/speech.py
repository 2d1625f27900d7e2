"""Speech for tests and benchmarks: espeak-ng, as its library comes in a wheel, says a text.

Nothing is played: the library hands over its samples, which become a WAV file in memory.
"""

import ctypes
import io
import wave
from collections.abc import Iterable

import espeakng_loader

_SYNCHRONOUS = 2
_UTF8 = 1


def spoken(sentences: Iterable[str], *, pause_s: float = 1.0) -> bytes:
    """A WAV file, 16-bit mono, in which the sentences are said with a pause after each."""
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
    assert rate > 0, "espeak-ng does not start"
    heard = bytearray()

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    def take(samples: "ctypes._Pointer[ctypes.c_short]", count: int, _: object) -> int:
        if samples and count > 0:
            heard.extend(ctypes.string_at(samples, count * 2))
        return 0

    library.espeak_SetSynthCallback(take)
    library.espeak_SetVoiceByName(b"en-us")
    for sentence in sentences:
        text = sentence.encode() + b"\0"
        library.espeak_Synth(text, len(text), 0, 0, 0, _UTF8, None, None)
        heard.extend(bytes(2 * int(rate * pause_s)))
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(bytes(heard))
    return file.getvalue()
