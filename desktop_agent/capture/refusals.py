"""Which of PortAudio's errors mean that a device is there, and the system does not let us hear it.

Pure: an error's arguments, as the binding fills them, are (text), (text, code) or (text, code,
(interface, the system's code, the system's text)). Source: portaudio.h, PaErrorCode.
"""

from typing import Final

_HOST: Final = -9999
"""paUnanticipatedHostError: the system itself said no; macOS, Windows and ALSA in their words."""
_UNAVAILABLE: Final = -9985
"""paDeviceUnavailable: it is there, and cannot be had."""


def refused(error: Exception) -> bool:
    """Whether the device is there and was refused."""
    return len(error.args) > 1 and error.args[1] in (_HOST, _UNAVAILABLE)


def told(error: Exception) -> str:
    """What the system said, as shortly as it did; PortAudio numbers a source that is not -1."""
    if len(error.args) > 2 and error.args[2][2]:
        return str(error.args[2][2])
    said = str(error.args[0]) if error.args else str(error)
    return (
        "there is no source of sound that this program may hear"
        if said.endswith("device -1")
        else said
    )
