"""The program's window: what is heard, from where, what became of it, and the buttons."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop_agent.program.icons import pixmap
from desktop_agent.program.model import (
    ConsentNoted,
    PauseToggled,
    SourceChosen,
    SourcesWanted,
    Toggled,
)
from desktop_agent.program.transcript import Transcript
from desktop_agent.program.view import Option, Screen

TOGGLE_KEY = "Ctrl+L"
PAUSE_KEY = "Ctrl+P"
_SOUND = "Sound (*.wav *.flac *.ogg *.mp3)"


class Window(QWidget):
    """`pressed` carries what was pressed; `settings` asks for the settings, `closed` was closed."""

    pressed = Signal(object)
    settings = Signal()
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("AnyTeam desktop agent")
        self.resize(720, 560)
        self.setMinimumSize(480, 360)
        self._options: tuple[Option, ...] = ()
        self.sign, self.headline, self.detail = QLabel(), QLabel(), QLabel()
        self.headline.setStyleSheet("font-size: 18pt; font-weight: 600;")
        self.detail.setWordWrap(True)
        self.alert, self.alert_fix = QLabel(), QLabel()
        self.footer = QLabel()
        for label in (self.headline, self.detail, self.alert, self.alert_fix, self.footer):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.transcript = Transcript()
        self.transcript.pressed.connect(self.pressed)
        self.toggle, self.pause = QPushButton(), QPushButton()
        self.toggle.setDefault(True)
        self.toggle.setToolTip(f"{TOGGLE_KEY} here; anyteam-desktop toggle from anywhere")
        self.pause.setToolTip(PAUSE_KEY)
        self.toggle.clicked.connect(lambda: self.pressed.emit(Toggled()))
        self.pause.clicked.connect(lambda: self.pressed.emit(PauseToggled()))
        for key, press in ((TOGGLE_KEY, Toggled()), (PAUSE_KEY, PauseToggled())):
            QShortcut(QKeySequence(key), self, lambda press=press: self.pressed.emit(press))
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(10)
        column.addLayout(self._head())
        column.addWidget(self._alert_box())
        column.addLayout(self._source_row())
        column.addLayout(self._consent_row())
        column.addWidget(self.transcript, 1)
        column.addWidget(self.footer)

    def show_screen(self, screen: Screen) -> None:
        """Show what `screen` says."""
        self.sign.setPixmap(pixmap(screen.mark, 32, self.devicePixelRatioF()))
        self.headline.setText(screen.headline)
        self.detail.setText(screen.detail)
        self.box.setVisible(bool(screen.alert))
        self.alert.setText(screen.alert)
        self.alert_fix.setText(screen.alert_fix)
        self.alert_fix.setVisible(bool(screen.alert_fix))
        self.toggle.setText(screen.toggle)
        self.toggle.setEnabled(screen.can_toggle)
        self.pause.setText(screen.pause)
        self.pause.setEnabled(screen.can_pause)
        self.transcript.show_rows(screen.rows, screen.empty)
        self.footer.setText(screen.footer)
        self._show_sources(screen)
        for widget in (self.sources, self.file, self.again, self.consent):
            widget.setEnabled(screen.can_choose)

    def show_consent(self, text: str) -> None:
        """Put the settings' own note into the field, unless somebody is typing there."""
        if not self.consent.hasFocus():
            self.consent.setText(text)

    def closeEvent(self, event: QCloseEvent) -> None:
        """What closing means is the program's to say."""
        event.ignore()
        self.closed.emit()

    def _head(self) -> QHBoxLayout:
        row, words = QHBoxLayout(), QVBoxLayout()
        words.addWidget(self.headline)
        words.addWidget(self.detail)
        row.addWidget(self.sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        row.addWidget(self.pause, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.toggle, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _alert_box(self) -> QFrame:
        self.box = QFrame()
        self.box.setObjectName("alert")
        self.box.setStyleSheet("#alert { border: 1px solid #b06f00; border-left-width: 4px; }")
        column = QVBoxLayout(self.box)
        for label in (self.alert, self.alert_fix):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(label)
        self.alert.setStyleSheet("font-weight: 600;")
        return self.box

    def _source_row(self) -> QHBoxLayout:
        self.sources = QComboBox()
        self.sources.setAccessibleName("What to listen to")
        self.sources.activated.connect(self._choose)
        self.again, self.file = QPushButton("Look again"), QPushButton("Sound file…")
        self.again.clicked.connect(lambda: self.pressed.emit(SourcesWanted()))
        self.file.clicked.connect(self._choose_file)
        settings = QPushButton("Settings…")
        settings.clicked.connect(self.settings)
        row = QHBoxLayout()
        label = QLabel("Listen to")
        label.setFixedWidth(72)
        row.addWidget(label)
        row.addWidget(self.sources, 1)
        for button in (self.again, self.file, settings):
            row.addWidget(button)
        return row

    def _consent_row(self) -> QHBoxLayout:
        self.consent = QLineEdit()
        self.consent.setMaxLength(500)
        self.consent.setAccessibleName("Consent note")
        self.consent.setPlaceholderText(
            "Who agreed to be heard, and how. Each capture begins with this, on record"
        )
        self.consent.textEdited.connect(lambda text: self.pressed.emit(ConsentNoted(text)))
        row, label = QHBoxLayout(), QLabel("Consent")
        label.setFixedWidth(72)
        row.addWidget(label)
        row.addWidget(self.consent, 1)
        return row

    def _show_sources(self, screen: Screen) -> None:
        labels = [option.label for option in screen.options]
        if screen.chosen not in labels:
            labels.append(screen.chosen)
        if [self.sources.itemText(at) for at in range(self.sources.count())] != labels:
            self.sources.clear()
            self.sources.addItems(labels)
        self._options = screen.options
        self.sources.setCurrentIndex(labels.index(screen.chosen))

    def _choose(self, at: int) -> None:
        if at < len(self._options):
            self.pressed.emit(SourceChosen(source=self._options[at].source))

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "A sound file", "", _SOUND)
        if path:
            self.pressed.emit(SourceChosen(file=path))
