"""The desktop program: window, reminder and tray around one state, and the agent behind them."""

import signal
import sys
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QDialog, QMenu, QSystemTrayIcon

from desktop_agent.agent.messages import Here
from desktop_agent.errors import ProgramAway
from desktop_agent.home import settings_in
from desktop_agent.program.client import AgentProcess
from desktop_agent.program.icons import icon
from desktop_agent.program.instance import SHOW, TOGGLE, Instance, tell
from desktop_agent.program.model import (
    AgentGone,
    Happening,
    PauseToggled,
    Pressed,
    SettingsChosen,
    SourcesWanted,
    State,
    Toggled,
    evolve,
    words,
)
from desktop_agent.program.reminder import Reminder
from desktop_agent.program.settings_dialog import SettingsDialog
from desktop_agent.program.view import screen
from desktop_agent.program.window import Window


class Program(QObject):
    """Everything that is seen, and the one state that it shows."""

    def __init__(self, home: Path, bus: str | None) -> None:
        super().__init__()
        self.state = State()
        self.agent = AgentProcess(home, bus)
        self.window, self.reminder = Window(), Reminder()
        self.tray = QSystemTrayIcon()
        self._menu = QMenu()
        self._actions = {name: QAction(name, self) for name in ("toggle", "pause", "show", "quit")}
        self.agent.told.connect(self.happen)
        self.agent.gone.connect(lambda why: self.happen(AgentGone(why)))
        self.window.pressed.connect(self.press)
        self.window.settings.connect(self._settings)
        self.window.closed.connect(self._closed)
        self.reminder.pressed.connect(self.press)
        self._fill_menu()
        self._render()

    def start(self) -> None:
        """Show it, and start the agent. Nothing is heard until somebody asks for it."""
        self.agent.start()
        self.press(SourcesWanted())
        self.window.show()
        self.tray.show()

    def press(self, pressed: Pressed) -> None:
        """Something was pressed: ask the agent, and show it."""
        for word in words(self.state, pressed):
            self.agent.ask(word)
        self.happen(pressed)

    def happen(self, happening: Happening) -> None:
        """Take `happening` into the state, and show it."""
        self.state = evolve(self.state, happening)
        if isinstance(happening, Here):
            self.window.show_consent(self.state.consent)
        self._render()

    def end(self) -> None:
        """Hear nothing more, keep what was heard, and be gone."""
        self.reminder.hide()
        self.tray.hide()
        self.agent.end()

    def heard(self, word: bytes) -> None:
        """Another process of the rep's said `word`."""
        if word == TOGGLE:
            self.press(Toggled())
        elif word == SHOW:
            self._show()

    def _render(self) -> None:
        shown = screen(self.state)
        self.window.show_screen(shown)
        self.reminder.show_screen(shown)
        self.window.setWindowIcon(icon(shown.mark))
        self.tray.setIcon(icon(shown.mark))
        self.tray.setToolTip(shown.tooltip)
        self._actions["toggle"].setText(shown.toggle)
        self._actions["toggle"].setEnabled(shown.can_toggle)
        self._actions["pause"].setText(shown.pause)
        self._actions["pause"].setEnabled(shown.can_pause)

    def _fill_menu(self) -> None:
        self._actions["show"].setText("Show the window")
        self._actions["quit"].setText("Quit")
        self._actions["toggle"].triggered.connect(lambda: self.press(Toggled()))
        self._actions["pause"].triggered.connect(lambda: self.press(PauseToggled()))
        self._actions["show"].triggered.connect(self._show)
        self._actions["quit"].triggered.connect(self._quit)
        self._menu.addActions(list(self._actions.values()))
        self.tray.setContextMenu(self._menu)
        self.tray.activated.connect(self._tray_clicked)

    def _tray_clicked(self, how: QSystemTrayIcon.ActivationReason) -> None:
        if how is QSystemTrayIcon.ActivationReason.Trigger:
            self.press(Toggled())

    def _show(self) -> None:
        self.window.showNormal()
        self.window.raise_()
        self.window.activateWindow()

    def _closed(self) -> None:
        """With a tray the window goes away and the program stays; without one it ends."""
        if QSystemTrayIcon.isSystemTrayAvailable():
            self.window.hide()
        else:
            self._quit()

    def _quit(self) -> None:
        # Not `quit`, which asks each window first, and ours do not close.
        QApplication.exit()

    def _settings(self) -> None:
        if self.state.here is None:
            return
        dialog = SettingsDialog(self.state.here, self.state.sources, self.window)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.press(SettingsChosen(dialog.change))


def run(home: Path, bus: str | None) -> int:
    """Show the program until it is quit; its exit code. One that runs already is shown instead.

    Raises `BadDesktopSettings` where the folder has no settings, `ProgramMissing` where its socket
    cannot be made.
    """
    settings_in(home)
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    application.setApplicationName("anyteam-desktop")
    application.setApplicationDisplayName("AnyTeam")
    application.setQuitOnLastWindowClosed(False)
    try:
        tell(home, SHOW)
    except ProgramAway:
        pass
    else:
        return 0
    instance, program = Instance(home), Program(home, bus)
    instance.said.connect(program.heard)
    # Python's own handlers run between two of its instructions: let there be some.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: application.exit())
    breath = QTimer()
    breath.start(200)
    breath.timeout.connect(lambda: None)
    program.start()
    try:
        return application.exec()
    finally:
        instance.close()
        program.end()
