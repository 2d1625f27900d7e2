"""Errors of the desktop agent.

AnyTeamError
└── DesktopError
    ├── BadDesktopSettings         the configuration file is out of form
    ├── ModelError                 the speech model
    │   ├── ModelMissing           no file where the settings say, or nothing to make one from
    │   ├── ModelExists            something is where a new one should go
    │   ├── ModelDamaged           a file that is no model, or not the one that was approved
    │   └── ModelUnsupported       weights of a shape that the converter does not know
    ├── AudioError                 what is to be heard
    │   ├── AudioMissing           no such file or device
    │   ├── AudioRefused           the system does not let this program hear the device
    │   └── AudioUnsupported       not sound in a form that is understood
    ├── WallMissing                the process that holds sound cannot be shut in
    ├── NotEnrolled                this machine is no device, or is one already
    ├── EnrolmentFailed            a code was not accepted
    ├── CapturesSpent              the device has no key for another capture
    ├── QueueDamaged               what waits to be sent cannot be read
    ├── NoSuchSegment              what is to be withdrawn is not held any more
    ├── ProgramMissing             the desktop program cannot be shown on this machine
    ├── ProgramAway                no desktop program runs that could be told something
    └── CaptureFailed              the process that holds sound ended before its work was done
"""

from schemas.errors import AnyTeamError


class DesktopError(AnyTeamError):
    """Base of this package's errors."""


class BadDesktopSettings(DesktopError):
    """The configuration file is out of form; the message names the key."""

    exit_code = 2


class ModelError(DesktopError):
    """The speech model cannot be used."""

    exit_code = 2


class ModelMissing(ModelError):
    """There is no model where one is expected."""


class ModelExists(ModelError):
    """Something is where a new model should go; nothing is replaced."""


class ModelDamaged(ModelError):
    """The file is no model of its format, or its digest is not the approved one."""


class ModelUnsupported(ModelError):
    """Weights whose tensors are not those of a Whisper model as known here."""


class AudioError(DesktopError):
    """There is nothing to hear."""

    exit_code = 2


class AudioMissing(AudioError):
    """No such file or device."""


class AudioRefused(AudioError):
    """The device is there, and the system does not let this program hear it."""


class AudioUnsupported(AudioError):
    """Not sound in a form that is understood."""


class WallMissing(DesktopError):
    """The system cannot confine the process that holds sound as far as was asked."""


class CaptureFailed(DesktopError):
    """The process that holds sound ended before its work was done; quotes its last words."""


class NotEnrolled(DesktopError):
    """This machine is no device of a workspace, or is one already."""

    exit_code = 2


class EnrolmentFailed(DesktopError):
    """The code was not accepted, or nobody was there to accept it."""


class CapturesSpent(DesktopError):
    """The device has used up the keys for its captures."""


class QueueDamaged(DesktopError):
    """The queue's file or its key cannot be used; nothing of it was sent or changed."""


class NoSuchSegment(DesktopError):
    """The segment has gone already, or there never was one of that number."""

    exit_code = 2


class ProgramMissing(DesktopError):
    """PySide6, or a library of the system that it needs, is not there; quotes what is missing."""


class ProgramAway(DesktopError):
    """No desktop program runs for this folder."""
