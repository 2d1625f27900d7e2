"""Errors of confinement.

AnyTeamError
└── BusError
    └── ConfinementError       a process cannot be confined in the way it must be
"""

from bus.errors import BusError


class ConfinementError(BusError):
    """Going on would be less confined than what was reported, or than the settings require."""
