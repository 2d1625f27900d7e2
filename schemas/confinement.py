"""What stands between a run's process and the machine: the walls, and which are in force.

A run's process is assumed to be hijacked. Each wall is one mechanism of the kernel; what
the kernel did not allow is reported with its reason, never passed over.
"""

from enum import StrEnum

from msgspec import Struct


class Wall(StrEnum):
    """One confinement. What each keeps out is in docs/confinement.md."""

    DESCRIPTORS = "descriptors"
    PRIVILEGES = "privileges"
    MEMORY = "memory"
    LIMITS = "limits"
    USER = "user"
    FILES = "files"
    PORTS = "ports"
    SCOPE = "scope"
    SYSCALLS = "syscalls"


NAMED = tuple(wall for wall in Wall if wall is not Wall.USER)
"""The walls that `[sandbox] required` asks for by default: all that need no root to build."""


class Confinement(Struct, frozen=True):
    """What is in force, and why the rest is not. Irrevocable for the process it is said of."""

    in_force: tuple[Wall, ...] = ()
    absent: dict[Wall, str] = {}

    def missing(self, wanted: tuple[Wall, ...]) -> tuple[str, ...]:
        """`wall (why)` for each wall of `wanted` that is not in force."""
        return tuple(
            f"{wall.value} ({self.absent.get(wall, 'not reported')})"
            for wall in wanted
            if wall not in self.in_force
        )


def common(confinements: tuple[Confinement, ...]) -> tuple[Wall, ...]:
    """The walls that are in force for every one of several processes."""
    return tuple(w for w in Wall if confinements and all(w in c.in_force for c in confinements))
