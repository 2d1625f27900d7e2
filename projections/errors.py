"""Errors of the projections and of the stores behind them.

AnyTeamError
└── ProjectionError
    ├── StoreMissing     a package or program that a store needs is not installed
    ├── StoreFailed      a store that we start ended, or did not answer, before it was ready
    ├── StoreRefused     a store does not take what we ask of it: a login, a migration, a write
    ├── PositionMoved    somebody else moved this projection's position: read again from there
    ├── Behind           a rebuilt projection has not caught up, so it does not take over
    └── NoProjection     there is none to ask, rebuild or switch
"""

from schemas.errors import AnyTeamError


class ProjectionError(AnyTeamError):
    """Base of this package's errors."""


class StoreMissing(ProjectionError):
    """What a store needs is not installed; names the extra that brings it."""

    exit_code = 2


class StoreFailed(ProjectionError):
    """A store of ours ended or kept silent before it was ready; quotes its last words."""

    exit_code = 3


class StoreRefused(ProjectionError):
    """A store refused a login, a migration or a write; quotes its answer."""

    exit_code = 3


class PositionMoved(ProjectionError):
    """The position in the store is not where this projector left it."""


class Behind(ProjectionError):
    """The projection that should take over holds less than the one in use."""


class NoProjection(ProjectionError):
    """No projection is configured, or none is being rebuilt."""

    exit_code = 2
