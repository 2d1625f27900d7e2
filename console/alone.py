"""A component as a service of its own: this process becomes it.

A component's lifeline is its standard input: it ends when that does. Where no supervisor holds the
other end, as under systemd or in a container, the process holds it itself, and ends by SIGTERM.
"""

import os
from collections.abc import Mapping
from typing import NoReturn

from bus.component import Unlock, encode_unlock
from console.errors import NoSuch
from console.stores import projectors
from console.supervisor import components_of
from schemas.settings import Settings


def known(settings: Settings, name: str) -> tuple[str, ...]:
    """The module of a component that an installation with these settings has. Raises `NoSuch`."""
    components = {**components_of(settings), **projectors(settings)}
    if name not in components:
        raise NoSuch(
            f"these settings have no component {name!r}", fix=f"one of {', '.join(components)}"
        )
    return components[name]


def become(command: list[str], environment: Mapping[str, str], passphrase: str | None) -> NoReturn:
    """Replace this process by `command`, with an open pipe as its standard input.

    The passphrase, where there is one, lies in the pipe: in no argument, file or environment.
    """
    outlet, inlet = os.pipe()
    os.dup2(outlet, 0)
    os.close(outlet)
    if passphrase is not None:
        os.write(inlet, encode_unlock(Unlock(passphrase)))
    # Left open on purpose: its end is this process's own. Whatever it starts does not inherit it.
    os.set_inheritable(inlet, True)
    os.execve(command[0], command, dict(environment))  # noqa: S606 - a list, and no shell
