"""The live transcript: a row a segment, with a button while it can be withdrawn."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop_agent.program.model import WithdrawPressed
from desktop_agent.program.view import Row


class RowWidget(QWidget):
    """One row. `pressed` carries a `WithdrawPressed`."""

    pressed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._row: Row | None = None
        self._time, self.text, self._note = QLabel(), QLabel(), QLabel()
        # What was said is text, whatever it looks like.
        for label in (self._time, self.text, self._note):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._time.setFixedWidth(56)
        self._time.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        self.withdraw = QPushButton("Withdraw")
        self.withdraw.clicked.connect(self._withdraw)
        line = QHBoxLayout(self)
        line.setContentsMargins(4, 2, 4, 2)
        line.addWidget(self._time, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self.text, 1)
        line.addWidget(self._note, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self.withdraw, 0, Qt.AlignmentFlag.AlignTop)

    def show_row(self, row: Row) -> None:
        """Show `row`."""
        if row == self._row:
            return
        self._row = row
        self._time.setText(row.time)
        self.text.setText(row.text)
        font = self.text.font()
        font.setItalic(row.withdrawn)
        self.text.setFont(font)
        self._note.setText(row.note)
        self.withdraw.setVisible(row.withdraw is not None)
        self.withdraw.setAccessibleName(f"Withdraw what was said at {row.time}")

    def _withdraw(self) -> None:
        if self._row is not None and self._row.withdraw is not None:
            self.pressed.emit(WithdrawPressed(self._row.withdraw))


class Transcript(QScrollArea):
    """All rows, the latest in sight unless the rep has scrolled up. `pressed` as a row's."""

    pressed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName("Transcript")
        inside = QWidget()
        self._empty = QLabel()
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._column = QVBoxLayout(inside)
        self._column.setSpacing(0)
        self._column.addWidget(self._empty, 1)
        self._column.addStretch(1)
        self.setWidget(inside)
        self.rows: list[RowWidget] = []
        self._follow = True
        bar = self.verticalScrollBar()
        bar.valueChanged.connect(lambda value: setattr(self, "_follow", value >= bar.maximum() - 4))
        bar.rangeChanged.connect(lambda _, most: bar.setValue(most) if self._follow else None)

    def show_rows(self, rows: tuple[Row, ...], empty: str) -> None:
        """Show `rows`; `empty` where there is none."""
        self._empty.setText(empty)
        self._empty.setVisible(not rows)
        while len(self.rows) > len(rows):
            gone = self.rows.pop()
            gone.hide()
            self._column.removeWidget(gone)
            gone.deleteLater()
        while len(self.rows) < len(rows):
            widget = RowWidget()
            widget.pressed.connect(self.pressed)
            self._column.insertWidget(1 + len(self.rows), widget)
            self.rows.append(widget)
        for widget, row in zip(self.rows, rows, strict=True):
            widget.show_row(row)
