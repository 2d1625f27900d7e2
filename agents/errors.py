"""Errors of the orchestrator and the runtime.

AnyTeamError
└── AgentError
    ├── BadPlan         a recorded plan cannot be read
    └── UnknownAgent    no agent of that name is configured
"""

from schemas.errors import AnyTeamError


class AgentError(AnyTeamError):
    """Base of this package's errors."""


class BadPlan(AgentError):
    """A recorded plan is missing or out of form."""

    exit_code = 2


class UnknownAgent(AgentError):
    """A run asks for an agent that this orchestrator has no program for."""
