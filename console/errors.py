"""Errors of the `anyteam` command.

AnyTeamError
└── ConsoleError
    ├── NotUp           the installation is not running
    ├── AlreadyUp       it is running already
    ├── NeedsRestart    the settings say more than the running components know
    ├── NeedsConsole    it is approved with a passkey, which only a browser can ask
    ├── NoSuch          no run, proposal or person of that name
    ├── StillUnderWay   what is to be erased belongs to a run that goes on
    ├── NotTurned       the ledger's epoch was not turned, archived or dropped
    ├── NotRestored     a ledger was not put back on the bus
    ├── NotSent         telemetry has no place to go to, or was not taken there
    ├── NoAnswer        a consent was asked for, and none came
    └── ComponentDied   a component ended and does not stay up
        └── ComponentSlow   it did not come up in time
"""

from schemas.errors import AnyTeamError


class ConsoleError(AnyTeamError):
    """Base of this package's errors."""


class NotUp(ConsoleError):
    """The installation is not running."""

    exit_code = 3


class AlreadyUp(ConsoleError):
    """The installation is running already."""

    exit_code = 3


class NeedsRestart(ConsoleError):
    """The settings changed where only a start takes them up."""

    exit_code = 2


class NeedsConsole(ConsoleError):
    """What is to be approved needs a passkey, and so a browser."""

    exit_code = 2


class NoSuch(ConsoleError):
    """What was asked for does not exist."""

    exit_code = 2


class StillUnderWay(ConsoleError):
    """Content of a run that has not ended, or owes a receipt, is not erased."""

    exit_code = 1


class NotTurned(ConsoleError):
    """The ledger's epoch was not turned, archived or dropped; it goes on as it was."""

    exit_code = 1


class NotRestored(ConsoleError):
    """A ledger was not put back on the bus; what is there stays as it is."""

    exit_code = 2


class NotSent(ConsoleError):
    """Telemetry has no place to go to, or what is there did not take it."""

    exit_code = 2


class NoAnswer(ConsoleError):
    """A person was asked for their consent in a browser, and did not give it in time."""

    exit_code = 1


class ComponentDied(ConsoleError):
    """A component ended and does not stay up; quotes its log."""

    exit_code = 4


class ComponentSlow(ComponentDied):
    """A component did not come up in time, and had not ended either."""
