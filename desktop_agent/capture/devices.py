"""Sound from a device through PortAudio: a microphone, or a monitor of what the system plays.

On Linux a monitor is a source of PipeWire or PulseAudio like any other ("Monitor of ..."). On
Windows and macOS PortAudio offers what the system offers it: a loopback device, where there is one.
"""

import queue
from collections.abc import Iterator
from typing import Any, Final

import sounddevice
from msgspec import Struct

from desktop_agent.capture.refusals import refused, told
from desktop_agent.errors import AudioMissing, AudioRefused
from desktop_agent.speech.utterances import FRAME_BYTES, SAMPLE_RATE

_FRAME: Final = FRAME_BYTES // 2
_MAX_WAITING: Final = 4_000
"""Two minutes of frames: beyond them the machine is too slow, and sound is dropped and counted."""


class Device(Struct, frozen=True, kw_only=True):
    """A source of sound: its number and name, as PortAudio gives them."""

    number: int
    name: str
    channels: int
    default: bool


class DeviceStream:
    """An open device, listening from the moment it was made. `dropped` counts lost frames.

    Raises `AudioMissing` where there is no such device, `AudioRefused` where the system does not
    let this program hear it.
    """

    def __init__(self, device: int | str | None) -> None:
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._paused = False
        self.dropped = 0
        try:
            self._stream = sounddevice.RawInputStream(
                samplerate=SAMPLE_RATE,
                blocksize=_FRAME,
                channels=1,
                dtype="int16",
                device=device,
                callback=self._take,
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            if refused(error):
                raise AudioRefused(
                    f"the system does not let this program hear the device: {told(error)}",
                    fix="allow the microphone in the system's settings; see what else uses it",
                ) from error
            raise AudioMissing(
                f"the device cannot be heard: {told(error)}",
                fix="name another: anyteam-desktop devices lists them, and the system's settings"
                " say which this program may hear",
            ) from error

    def frames(self) -> Iterator[bytes]:
        """Frames as they come, until `stop`."""
        while (frame := self._waiting.get()) is not None:
            yield frame

    def pause(self, paused: bool) -> None:
        """Whether what is heard from here on is thrown away."""
        self._paused = paused

    def stop(self) -> None:
        """Close the device; `frames` ends after what was heard before."""
        self._stream.abort()
        self._stream.close()
        self._waiting.put(None)

    def _take(self, sound: Any, frames: int, time: Any, status: Any) -> None:
        if self._paused or frames != _FRAME:
            return
        if self._waiting.qsize() >= _MAX_WAITING:
            self.dropped += 1
            return
        self._waiting.put(bytes(sound))


def devices() -> tuple[Device, ...]:
    """Every source of sound there is. Raises `AudioMissing` where the system shows none at all."""
    try:
        found = sounddevice.query_devices()
        chosen = sounddevice.default.device[0]
    except sounddevice.PortAudioError as error:
        raise AudioMissing(f"the system's sound cannot be asked: {error}") from error
    return tuple(
        Device(
            number=number,
            name=one["name"],
            channels=one["max_input_channels"],
            default=number == chosen,
        )
        for number, one in enumerate(found)
        if one["max_input_channels"] > 0
    )
