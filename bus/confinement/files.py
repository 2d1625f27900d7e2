"""Landlock: the process reads its own code and no other file, and writes none.

It may connect to one TCP port and listen on none (ABI 4), and signal or reach by abstract
socket nobody outside (ABI 6). Landlock knows ports, not addresses, and neither UDP nor stat;
`bus.confinement.syscalls` shuts those. Source: Linux, userspace-api/landlock.rst. Linux only.
"""

import os
import sysconfig
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Final

from landlockpy import AccessFS, AccessNet, Ruleset, Scope, abi_version

from bus.confinement.errors import ConfinementError
from schemas.confinement import Wall

PORTS_ABI: Final = 4
SCOPE_ABI: Final = 6
_LIBRARY_PATHS: Final = ("stdlib", "platstdlib", "purelib", "platlib")


def code_paths(modules: Mapping[str, ModuleType]) -> tuple[Path, ...]:
    """Where code lies that `modules` came from or may still import; nested paths left out."""
    locations = {sysconfig.get_path(name) for name in _LIBRARY_PATHS}
    for name, module in modules.items():
        spec = getattr(module, "__spec__", None)
        # A program that is a package's own lies in its folder.
        if "." in name or spec is None or "." in spec.name or not spec.has_location:
            continue
        locations.update(spec.submodule_search_locations or filter(None, [spec.origin]))
    return _outermost(frozenset(locations))


@lru_cache(maxsize=8)
def _outermost(locations: frozenset[str]) -> tuple[Path, ...]:
    """Where they lead, nested paths left out. Whoever is forked later knows it already."""
    outermost: list[Path] = []
    # What lies in a folder comes right behind it.
    for path in sorted({place for one in locations if (place := _place(one)) is not None}):
        if not outermost or not _lies_in(path, outermost[-1]):
            outermost.append(path)
    return tuple(outermost)


@lru_cache(maxsize=1_024)
def _place(location: str) -> Path | None:
    """Where it leads, None for nowhere."""
    path = Path(location).resolve()
    return path if path.exists() else None


def check_apart(code: Iterable[Path], hidden: Path) -> None:
    """Raises `ConfinementError` where the code's folders and the data folder overlap."""
    hidden = hidden.resolve()
    for path in code:
        if _lies_in(path, hidden) or _lies_in(hidden, path):
            raise ConfinementError(
                f"the data folder {hidden} and the code in {path} lie in one another",
                fix="move the data folder: a run's process may read all of its code's folder",
            )


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether it is the folder or lies below; both resolved."""
    return path.parts[: len(folder.parts)] == folder.parts


def unreadable_to_others(code: Iterable[Path]) -> Path | None:
    """The first folder on the way to the code that only its owner may pass, if any."""
    for path in code:
        for step in (path, *path.parents):
            if not step.stat().st_mode & (0o001 if step.is_dir() else 0o004):
                return step
    return None


def prepare(code: tuple[Path, ...], port: int) -> tuple[dict[Wall, str], Ruleset | None]:
    """(the walls that Landlock cannot build here and why, the ruleset yet to be enforced)."""
    abi = abi_version()
    if abi == 0:
        why = "this kernel has no Landlock, or it is switched off"
        return dict.fromkeys((Wall.FILES, Wall.PORTS, Wall.SCOPE), why), None
    absent = {
        wall: f"Landlock here is of ABI {abi}, and this needs {needed}"
        for wall, needed in ((Wall.PORTS, PORTS_ABI), (Wall.SCOPE, SCOPE_ABI))
        if abi < needed
    }
    ruleset = Ruleset(scoped=Scope.ABSTRACT_UNIX_SOCKET | Scope.SIGNAL)
    for path in code:
        read = AccessFS.READ_FILE | (AccessFS.READ_DIR if path.is_dir() else AccessFS.NONE)
        ruleset.allow_path(os.fspath(path), read)
    ruleset.allow_port(port, AccessNet.CONNECT_TCP)
    return absent, ruleset
