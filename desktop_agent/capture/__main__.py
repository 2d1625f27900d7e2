"""The process that holds sound: walls first, then ears, then nothing but text on standard output.

Started by `desktop_agent.capturing`; see `messages` for what it is told and says, and `parent` for
how it ends with its parent.
"""

import ctypes.util
import sys
from collections.abc import Callable, Iterator
from ctypes.util import find_library
from pathlib import Path

from desktop_agent.capture.messages import (
    Ended,
    Failed,
    Order,
    Ready,
    Said,
    decode_order,
    encode,
)
from desktop_agent.capture.parent import Obey, Parent, die_with_parent
from desktop_agent.capture.playing import Playing
from desktop_agent.capture.walls import deny_network, shut
from desktop_agent.errors import AudioMissing, AudioRefused
from schemas.confinement import Confinement
from schemas.errors import UNREADABLE, AnyTeamError


def main() -> int:
    """Do what the order on standard input says; the exit code."""
    die_with_parent()
    parent = Parent(sys.stdin.fileno())
    try:
        order = decode_order(parent.order())
        library = find_library("portaudio") if order.descriptor is None else None
        confinement = deny_network(required=order.walls_required)
        _listen(order, parent, confinement, library)
    except UNREADABLE as error:
        _say(Failed(f"not an order: {error}", ""))
        return 2
    except AnyTeamError as error:
        _say(Failed(error.what, error.fix, isinstance(error, AudioRefused)))
        return error.exit_code
    return 0


def _listen(order: Order, parent: Parent, confinement: Confinement, library: str | None) -> None:
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
    frames, dropped, obey = _source(order, library)
    detector = Detector(Dictionary(order.persons, order.organisations))
    redactor = Redactor(detector, Tokeniser(order.token_key))
    shut(confinement)
    _say(Ready(confinement))
    parent.obey(obey)
    heard = 0

    def counted() -> Iterator[bytes]:
        nonlocal heard
        for frame in frames:
            heard += 1
            yield frame

    for segment in segments(counted(), voice_detector(), listener.hear, redactor):
        _say(segment)
    _say(Ended(heard * FRAME_MS, dropped()))


def _source(order: Order, library: str | None) -> tuple[Iterator[bytes], Callable[[], int], Obey]:
    """Its frames, how many were lost so far, and what it does at a word."""
    if order.descriptor is not None:
        from desktop_agent.capture.sound import file_frames

        playing = Playing(file_frames(order.descriptor))
        return playing.frames(), lambda: 0, _obeying(playing.pause, playing.stop)
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
    return stream.frames(), lambda: stream.dropped, _obeying(stream.pause, stream.stop)


def _obeying(pause: Callable[[bool], None], stop: Callable[[], None]) -> Obey:
    def obey(word: bytes) -> None:
        match word.strip():
            case b"pause" | b"resume" as said:
                pause(said == b"pause")
            case b"stop":
                stop()

    return obey


def _say(message: Said) -> None:
    sys.stdout.buffer.write(encode(message))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
