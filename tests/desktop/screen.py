"""Qt's `offscreen` platform for tests; skips, with Qt's own words, where the machine has no Qt.

Needs the extra `desktop-ui`, and on Debian libegl1, libgl1, libxkbcommon0, libfontconfig1 and
libdbus-1-3. Qt ends a process in which it finds no screen, so another one tries first.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from desktop_agent.errors import ProgramMissing
from desktop_agent.probing import need_program

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

PATIENCE_S = 120


def screen() -> "QApplication":
    """The application of this process."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    try:
        asyncio.run(need_program())
    except ProgramMissing as error:
        pytest.skip(error.what)
    from PySide6.QtWidgets import QApplication

    found = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(found, QApplication)
    return found


def until(application: "QApplication", met: Callable[[], bool]) -> None:
    """Let events happen until `met`; fails after a long time."""
    deadline = time.monotonic() + PATIENCE_S
    while not met():
        assert time.monotonic() < deadline
        application.processEvents()
        time.sleep(0.005)
