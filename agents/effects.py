"""What orchestrator and runtime do outside, as data."""

from msgspec import Struct

from bus.decider import Effect
from schemas.confinement import Wall
from schemas.leases import Certificate


class Mint(Effect, frozen=True, kw_only=True):
    """Make the keys and bus identities of one attempt. Result: tuple of `Certificate`."""

    attempt: int
    agent: str
    not_before: int
    not_after: int


class Spawn(Effect, frozen=True, kw_only=True):
    """Start runtime and judge of one attempt, under the keys that its lease certifies (their ids).
    Result: `Spawned`.
    """

    attempt: int
    agent: str
    keys: tuple[bytes, ...]


class Spawned(Struct, frozen=True):
    """Whether both processes are up, within which walls; `problem` says why not.

    `refused` is a problem that another attempt would meet as well. `served` is whether it serves an
    agent from outside.
    """

    problem: str = ""
    refused: bool = False
    confined_by: tuple[Wall, ...] = ()
    served: bool = False


class Watch(Effect, frozen=True, kw_only=True):
    """Wait until a process of the attempt ends. Result: `Exited`."""

    attempt: int


class Exited(Struct, frozen=True):
    """How the attempt's processes ended."""

    problem: str


class Park(Effect, frozen=True, kw_only=True):
    """End the processes of one attempt; the run goes on later. Result: None."""

    attempt: int


class Reap(Effect, frozen=True, kw_only=True):
    """End the run's processes. Result: None."""


Minted = tuple[Certificate, ...]
