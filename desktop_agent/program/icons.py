"""The signs of the program, drawn: each has a shape of its own, so that none is told by colour."""

from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

from desktop_agent.program.view import Mark

COLOURS: Final = {
    Mark.IDLE: QColor("#7d8590"),
    Mark.RECORDING: QColor("#d1242f"),
    Mark.PAUSED: QColor("#b06f00"),
    Mark.TROUBLE: QColor("#b06f00"),
}
_SIZES: Final = (16, 22, 32, 64)


def icon(mark: Mark) -> QIcon:
    """The sign in the sizes that trays ask for."""
    made = QIcon()
    for size in _SIZES:
        made.addPixmap(pixmap(mark, size))
    return made


def pixmap(mark: Mark, size: int, ratio: float = 1.0) -> QPixmap:
    """The sign, `size` pixels wide and high, transparent around it; `ratio` device pixels each."""
    picture = QPixmap(round(size * ratio), round(size * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / 16, size / 16)
    _draw(painter, mark, COLOURS[mark])
    painter.end()
    return picture


def _draw(painter: QPainter, mark: Mark, colour: QColor) -> None:
    match mark:
        case Mark.IDLE:
            painter.setPen(QPen(colour, 2))
            painter.drawEllipse(QRectF(3, 3, 10, 10))
        case Mark.RECORDING:
            painter.setPen(QPen(colour, 1.5))
            painter.drawEllipse(QRectF(1, 1, 14, 14))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawEllipse(QRectF(4, 4, 8, 8))
        case Mark.PAUSED:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRect(QRectF(3.5, 3, 3, 10))
            painter.drawRect(QRectF(9.5, 3, 3, 10))
        case Mark.TROUBLE:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawPolygon(QPolygonF([QPointF(8, 1), QPointF(15.5, 14.5), QPointF(0.5, 14.5)]))
            painter.setPen(QPen(QColor("white"), 1.8))
            painter.drawLine(QPointF(8, 6), QPointF(8, 9.5))
            painter.drawPoint(QPointF(8, 12))
