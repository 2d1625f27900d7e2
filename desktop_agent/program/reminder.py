"""The reminder: a small window above all others for as long as something is listened to.

It cannot be closed, moved behind or made to take the keyboard; only stopping makes it go.
"""

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton

from desktop_agent.program.icons import COLOURS, pixmap
from desktop_agent.program.model import PauseToggled, Toggled
from desktop_agent.program.view import Mark, Screen

_MARGIN: Final = 16


class Reminder(QFrame):
    """Shown by `show_screen`. `pressed` carries what was pressed on it."""

    pressed = Signal(object)

    def __init__(self) -> None:
        super().__init__(
            None,
            Qt.WindowType.Tool
            | Qt.WindowType.FramelessWindowHint
            | Qt.WindowType.WindowStaysOnTopHint
            | Qt.WindowType.WindowDoesNotAcceptFocus,
        )
        self.setObjectName("reminder")
        self.setWindowTitle("AnyTeam is listening")
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAutoFillBackground(True)
        self._sign, self.text = QLabel(), QLabel()
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.pause, self.stop = QPushButton("Pause"), QPushButton("Stop")
        self.stop.setAccessibleName("Stop listening")
        self.pause.clicked.connect(lambda: self.pressed.emit(PauseToggled()))
        self.stop.clicked.connect(lambda: self.pressed.emit(Toggled()))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.addWidget(self._sign)
        row.addWidget(self.text)
        row.addSpacing(8)
        row.addWidget(self.pause)
        row.addWidget(self.stop)

    def show_screen(self, screen: Screen) -> None:
        """Show what `screen` says, or nothing where it has no reminder."""
        if not screen.reminder:
            self.hide()
            return
        self.text.setText(screen.reminder)
        self._sign.setPixmap(pixmap(screen.mark, 16, self.devicePixelRatioF()))
        colour = COLOURS[Mark.PAUSED if screen.mark is Mark.PAUSED else Mark.RECORDING].name()
        self.setStyleSheet(f"#reminder {{ border: 2px solid {colour}; border-radius: 6px; }}")
        self.pause.setText(screen.pause)
        self.pause.setEnabled(screen.can_pause)
        self.stop.setEnabled(screen.can_toggle)
        self.adjustSize()
        self._place()
        if not self.isVisible():
            self.show()
        self.raise_()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Nothing closes it but the end of listening."""
        event.ignore()

    def _place(self) -> None:
        """In the upper right corner of the screen, where it was put first."""
        area = QGuiApplication.primaryScreen().availableGeometry()
        self.move(area.right() - self.width() - _MARGIN, area.top() + _MARGIN)
