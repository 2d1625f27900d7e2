"""Errors of the orchestrator and the runtime.

AnyTeamError
└── AgentError
    ├── BadPlan         a recorded plan cannot be read
    ├── BadRequest      a line on a run's socket is off its protocol
    ├── RunUnreachable  nobody answers at a run's socket
    ├── NotConfined     a run's process is less confined than it must be
    ├── NurseryGone     the process that bears a run's processes has ended
    └── UnknownAgent    no agent of that name is configured
"""

from schemas.errors import AnyTeamError


class AgentError(AnyTeamError):
    """Base of this package's errors."""


class BadPlan(AgentError):
    """A recorded plan is missing or out of form."""

    exit_code = 2


class BadRequest(AgentError):
    """A line on a run's socket is off its protocol, or too long."""


class RunUnreachable(AgentError):
    """Nobody answers at a run's socket: the run has ended, or is not served."""

    exit_code = 3


class UnknownAgent(AgentError):
    """A run asks for an agent that this orchestrator has no program for."""


class NotConfined(AgentError):
    """A run's process has fewer walls around it than the settings require."""


class NurseryGone(AgentError):
    """The process that bears a run's processes has ended, or does not listen."""
