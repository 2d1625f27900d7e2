"""The process that holds sound: walls first, then ears, then nothing but text on standard output.

Started by `desktop_agent.capturing`; see `messages` for what it is told and says. It ends with its
parent: standard input at its end is a word to stop.
"""

import ctypes.util
import sys
import threading
from collections.abc import Callable, Iterator
from ctypes.util import find_library
from pathlib import Path

from desktop_agent.capture.messages import (
    MAX_LINE_BYTES,
    Ended,
    Failed,
    Order,
    Ready,
    Said,
    decode_order,
    encode,
)
from desktop_agent.capture.walls import deny_network, shut
from desktop_agent.errors import AudioMissing
from schemas.confinement import Confinement
from schemas.errors import UNREADABLE, AnyTeamError


def main() -> int:
    """Do what the order on standard input says; the exit code."""
    try:
        order = decode_order(sys.stdin.buffer.readline(MAX_LINE_BYTES))
        library = find_library("portaudio") if order.descriptor is None else None
        confinement = deny_network(required=order.walls_required)
        _listen(order, confinement, library)
    except UNREADABLE as error:
        _say(Failed(f"not an order: {error}", ""))
        return 2
    except AnyTeamError as error:
        _say(Failed(error.what, error.fix))
        return error.exit_code
    return 0


def _listen(order: Order, confinement: Confinement, library: str | None) -> None:
    # Behind the first walls: these load native code that reads what strangers made.
    from classify.detect import Detector
    from classify.dictionary import Dictionary
    from crypto.tokens import Tokeniser
    from desktop_agent.capture.listening import segments
    from desktop_agent.redaction import Redactor
    from desktop_agent.speech.utterances import FRAME_MS
    from desktop_agent.speech.voice import voice_detector
    from desktop_agent.speech.whisper import Listener

    listener = Listener(Path(order.model), order.threads, order.language)
    frames, dropped = _source(order, library)
    detector = Detector(Dictionary(order.persons, order.organisations))
    redactor = Redactor(detector, Tokeniser(order.token_key))
    shut(confinement)
    _say(Ready(confinement))
    heard = 0

    def counted() -> Iterator[bytes]:
        nonlocal heard
        for frame in frames:
            heard += 1
            yield frame

    for segment in segments(counted(), voice_detector(), listener.hear, redactor):
        _say(segment)
    _say(Ended(heard * FRAME_MS, dropped()))


def _source(order: Order, library: str | None) -> tuple[Iterator[bytes], Callable[[], int]]:
    if order.descriptor is not None:
        from desktop_agent.capture.sound import file_frames

        return file_frames(order.descriptor), lambda: 0
    # Looking for a library runs programs and writes a file, which is forbidden by now: it was
    # looked for before, and what PortAudio's binding asks for as it is loaded is that answer.
    ctypes.util.find_library = lambda name: library
    try:
        from desktop_agent.capture.devices import DeviceStream
    except OSError as error:
        raise AudioMissing(
            f"the device cannot be heard: {error}", fix="install PortAudio (libportaudio2)"
        ) from error

    stream = DeviceStream(order.device)
    threading.Thread(target=_control, args=(stream.pause, stream.stop), daemon=True).start()
    return stream.frames(), lambda: stream.dropped


def _control(pause: Callable[[bool], None], stop: Callable[[], None]) -> None:
    while line := sys.stdin.buffer.readline(64):
        word = line.strip()
        if word == b"stop":
            break
        if word in (b"pause", b"resume"):
            pause(word == b"pause")
    stop()


def _say(message: Said) -> None:
    sys.stdout.buffer.write(encode(message))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
