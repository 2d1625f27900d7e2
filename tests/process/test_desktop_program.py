"""The desktop program's real windows, drawn offscreen, and its agent behind them."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from desktop_agent.agent.messages import Change, Choice, Here, Queued
from desktop_agent.home import found
from desktop_agent.program.model import (
    Fate,
    Line,
    PauseToggled,
    Phase,
    State,
    Toggled,
    Trouble,
    WithdrawPressed,
)
from desktop_agent.program.view import screen as shown_in
from tests.desktop.screen import screen, until

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

HERE = Here(
    workspace="acme",
    device="ann-laptop",
    rep="ann",
    source=None,
    consent="all agreed",
    hold_s=30,
    persons=(),
    organisations=(),
)
LINES = (
    Line(number=1, start_ms=0, text="<b>Good</b> morning, [PERSON_A].", fate=Fate.HELD),
    Line(number=2, start_ms=3_000, text="", fate=Fate.WITHDRAWN),
)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder with a short path: the name of a socket has room for about a hundred letters."""
    with tempfile.TemporaryDirectory(prefix="desk-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def application() -> "QApplication":
    return screen()


def test_windows_show_each_state_and_their_buttons_say_what_was_pressed(
    application: "QApplication",
) -> None:
    from desktop_agent.program.reminder import Reminder
    from desktop_agent.program.window import Window

    window, reminder, pressed = Window(), Reminder(), []
    window.pressed.connect(pressed.append)
    reminder.pressed.connect(pressed.append)
    window.show()

    def show(state: State) -> None:
        for widget in (window, reminder):
            widget.show_screen(shown_in(state))
        application.processEvents()

    show(State(here=HERE))
    assert window.toggle.isEnabled() and not window.pause.isEnabled()
    assert not reminder.isVisible() and not window.box.isVisible()
    window.toggle.click()
    show(State(here=HERE, phase=Phase.RECORDING, lines=LINES))
    assert reminder.isVisible() and "Listening" in reminder.text.text()
    # The end of listening is the only thing that closes the reminder.
    reminder.close()
    assert reminder.isVisible()
    first, second = window.transcript.rows
    assert first.text.text() == LINES[0].text
    assert first.withdraw.isVisible() and not second.withdraw.isVisible()
    first.withdraw.click()
    window.pause.click()
    reminder.stop.click()
    assert pressed == [Toggled(), WithdrawPressed(1), PauseToggled(), Toggled()]
    show(State(here=HERE, phase=Phase.PAUSED, lines=LINES[:1]))
    assert len(window.transcript.rows) == 1 and window.pause.text() == "Go on"
    show(State(here=HERE, queued=Queued(1, 2, "nobody answers")))
    assert "Offline" in window.alert.text() and not reminder.isVisible()
    show(State(here=HERE, trouble=Trouble(what="refused", fix="allow it", refused=True)))
    assert window.headline.text() == "Microphone refused" and window.transcript.rows == []
    window.hide()


def test_settings_are_what_they_were_but_for_what_was_changed(application: "QApplication") -> None:
    from desktop_agent.program.settings_dialog import SettingsDialog

    choices = (Choice(number=4, name="USB Microphone", default=True),)
    for source in (None, "USB Microphone", 7):
        here = msgspec.structs.replace(HERE, source=source, persons=("Dana", "Ann"))
        dialog = SettingsDialog(here, choices)
        same = {name: getattr(here, name) for name in ("consent", "hold_s", "persons")}
        assert dialog.change == Change(device=source, organisations=(), **same)
        dialog.source.setCurrentIndex(1)
        dialog.organisations.setPlainText("Contoso\n\n  Globex ")
        assert dialog.change.device == "USB Microphone"
        assert dialog.change.organisations == ("Contoso", "Globex")


def test_the_program_asks_its_agent_and_another_process_may_toggle_it(
    application: "QApplication", home: Path
) -> None:
    from desktop_agent.program.instance import Instance
    from desktop_agent.program.running import Program

    found(home, home / "missing.bin", "0" * 64)
    instance, program = Instance(home), Program(home, None)
    instance.said.connect(program.heard)
    program.start()
    try:
        until(application, lambda: program.state.here is not None)
        assert program.state.phase is Phase.IDLE
        command = [sys.executable, "-m", "desktop_agent.command", "toggle", "--home", str(home)]
        toggling = subprocess.Popen(command)
        until(application, lambda: program.state.trouble is not None)
        until(application, lambda: toggling.poll() is not None)
        assert toggling.returncode == 0
        assert "missing.bin is not there" in program.window.alert.text()
        assert program.state.phase is Phase.IDLE and not program.reminder.isVisible()
        assert program.agent.pid > 0
    finally:
        program.end()
        instance.close()
    assert program.agent.pid == 0
    late = subprocess.run(command, capture_output=True, text=True, check=False)
    assert late.returncode == 1 and "no desktop program runs" in late.stderr
