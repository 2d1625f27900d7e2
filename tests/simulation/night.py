"""How far a night of seeds has come: kept in a file, so that it goes on where it was ended.

A file is of one code: seeds that other code has played are not counted beside this one's, for what
they held says nothing of it.
"""

import hashlib
import os
import platform
from pathlib import Path

import msgspec
from msgspec import Struct

from schemas.errors import AnyTeamError
from tests.simulation.scenario import Played

_ROOT = Path(__file__).parents[2]
_ROOMS = ("agents", "bus", "classify", "crypto", "judge", "schemas", "sidecar", "tests/simulation")


class NightMisfit(AnyTeamError):
    """A file that another night left, or that is none."""

    exit_code = 2


class Night(Struct, frozen=True, kw_only=True):
    """Seeds from `first` on, of which the first `played` are done. `found` is what they broke."""

    code: str
    first: int
    played: int = 0
    crashes: int = 0
    steps: int = 0
    entries: int = 0
    found: dict[int, list[str]] = {}

    @property
    def violations(self) -> int:
        """How many invariants broke, over all seeds."""
        return sum(map(len, self.found.values()))


def after(night: Night, played: Played) -> Night:
    """With one more seed, which must be the next one."""
    assert played.seed == night.first + night.played
    broke = {played.seed: played.violations} if played.violations else {}
    return msgspec.structs.replace(
        night,
        played=night.played + 1,
        crashes=night.crashes + played.crashes,
        steps=night.steps + played.steps,
        entries=night.entries + played.entries,
        found={**night.found, **broke},
    )


def begun(path: Path | None, code: str, first: int) -> Night:
    """What the file holds, or a night that begins. Raises `NightMisfit`."""
    new = Night(code=code, first=first)
    if path is None or not path.exists():
        return new
    try:
        night = msgspec.json.decode(path.read_bytes(), type=Night)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NightMisfit(f"{path} holds no night: {error}", fix="name another file") from error
    if (night.code, night.first) != (code, first):
        raise NightMisfit(
            f"{path} is of seeds from {night.first} on, by this code or another one",
            fix="delete it to begin anew, or give --first as it was and the code that it was",
        )
    return night


def keep(path: Path, night: Night) -> None:
    """Put it in place of what was there, whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(msgspec.json.encode(night) + b"\n")
    os.replace(draft, path)


def code() -> str:
    """A digest of all that a seed's outcome follows from, but for the libraries."""
    hasher = hashlib.sha256(platform.python_version().encode())
    for room in _ROOMS:
        for file in sorted((_ROOT / room).rglob("*.py")):
            hasher.update(file.relative_to(_ROOT).as_posix().encode() + b"\x00")
            hasher.update(hashlib.sha256(file.read_bytes()).digest())
    return hasher.hexdigest()
