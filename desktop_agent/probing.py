"""Whether the desktop program can be shown here, found out in a process of its own: where Qt finds
no screen it ends the process that asked, with a core file and no error to catch.
"""

import asyncio
import os
import sys
from typing import Final

from desktop_agent.errors import ProgramMissing

_PROBE: Final = "import PySide6.QtNetwork; from PySide6.QtWidgets import QApplication as A; A([])"
_SAYS: Final = ("could not connect to display", "cannot open shared object file", "Error: ")
"""Of all that Qt says, what tells a person something; the first goes before the others."""
_FIX: Final = (
    "in a graphical session: pip install 'anyteam-trust[desktop-ui]'; docs/desktop.md has the"
    " libraries that the system must have"
)


async def need_program() -> None:
    """Return if the program can be shown. Raises `ProgramMissing`, in Qt's own words."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", _PROBE),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "QT_DEBUG_PLUGINS": "1"},
    )
    _, said = await process.communicate()
    if process.returncode != 0:
        raise ProgramMissing(
            f"the desktop program cannot be shown: {_why(said.decode(errors='replace'))}", fix=_FIX
        )


def _why(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    for words in _SAYS:
        for line in lines:
            if words in line:
                return line.rpartition("cannot load: ")[2]
    return lines[-1] if lines else "Qt says no more"
