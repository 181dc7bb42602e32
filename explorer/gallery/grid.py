"""Pictures side by side, by whole pixels where these fill the room; one of them can be chosen.

All of them are composed into one image, which is drawn once: sixty times a second that is cheaper than a draw for each.
"""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from explorer.engine.frames import Array
from explorer.gallery.imaging import Pixels, enlarged, pixels, sheet, to_image
from explorer.theme import LIGHT, Theme

NOTHING = np.zeros((0, 1, 1, 1), np.float32), np.zeros(0, np.float32)
"""No pictures, and which of them diverged: what an empty grid shows."""
_GAP = 4
"""Pixels between pictures that are large enough; 1 between small ones."""
_WASTE = 1.3
"""Where whole pixels leave more of the room empty than this, larger pictures are scaled down to it."""


class PictureGrid(QWidget):
    """A grid of pictures.

    Attributes:
        index: the one chosen; -1 for none.
    """

    chosen = Signal(int)
    """The person chose another picture; -1 for none."""
    readout = Signal(str)
    """Which picture is under the mouse, in words, or ""."""

    def __init__(self, *, choosing: bool = True) -> None:
        super().__init__()
        self.index = -1
        self.theme: Theme = LIGHT
        self._choosing = choosing
        self._pixels: Pixels = np.zeros((0, 1, 1, 3), np.uint8)
        self._gone: Array = np.zeros(0, np.float32)
        self._place = _Place.of(0, QSize(1, 1), 1, 1)
        self._image: QImage | None = None
        if choosing:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.setMouseTracking(True)
        self.setMinimumSize(64, 64)
        self.setAccessibleName("Pictures")

    def show_pictures(self, pictures: Array, diverged: Array) -> None:
        """Show these, (N, C, H, W) in [-1, 1]; those whose `diverged` (N,) is not 0 are crossed out."""
        before = self._pixels.shape
        self._pixels, self._gone, self._image = pixels(pictures), diverged, None
        if self._pixels.shape != before:
            self._arrange()
            if 0 < len(pictures) <= self.index:
                self.index = len(pictures) - 1
            self._describe()
        self.update()

    def choose(self, index: int) -> None:
        """Choose a picture, -1 for none, and say so."""
        index = max(-1, min(index, len(self._pixels) - 1))
        if index != self.index:
            self.index = index
            self._describe()
            self.update()
            self.chosen.emit(index)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self.theme, self._image = theme, None
        self.update()

    def sizeHint(self) -> QSize:
        """Little: what room there is, is shared out by those who place it."""
        return QSize(96, 96)

    def _arrange(self) -> None:
        count, height, width, _ = self._pixels.shape
        self._place, self._image = _Place.of(count, self.size(), height, width), None

    def _describe(self) -> None:
        chosen = f", number {self.index + 1} chosen" if self.index >= 0 else ""
        self.setAccessibleDescription(f"{len(self._pixels)} pictures{chosen}")

    # --- hands ----------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the pictures anew."""
        self._arrange()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say which picture is under the mouse."""
        under = self._place.at(event.position().toPoint())
        self.readout.emit(f"number {under + 1}" if under >= 0 else "")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose a picture."""
        under = self._place.at(event.position().toPoint())
        if self._choosing and event.button() == Qt.MouseButton.LeftButton and under >= 0:
            self.choose(under)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the choice; Escape takes it away."""
        columns, last = self._place.columns, len(self._pixels) - 1
        moves = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -columns, Qt.Key.Key_Down: columns}
        key = Qt.Key(event.key())
        if not self._choosing or last < 0:
            super().keyPressEvent(event)
        elif key in moves:
            wanted = self.index + moves[key] if self.index >= 0 else 0
            self.choose(wanted if 0 <= wanted <= last else self.index)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.choose(0 if key == Qt.Key.Key_Home else last)
        elif key == Qt.Key.Key_Escape and self.index >= 0:
            self.choose(-1)
        else:
            super().keyPressEvent(event)

    # --- painting -------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """The pictures, crosses over those that are gone, and a frame around the one chosen."""
        with QPainter(self) as painter:
            count = len(self._pixels)
            if not count:
                painter.fillRect(self.rect(), self.theme.colour("surface"))
                return
            place = self._place
            if self._image is None:
                large = enlarged(self._pixels, place.factor) if place.factor > 1 else self._pixels
                self._image = to_image(sheet(large, place.columns, place.gap, QColor(self.theme.window)))
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, place.shrunk)
            painter.drawImage(place.whole, self._image)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for k in np.flatnonzero(self._gone):
                cell = QRectF(place.cell(int(k))).adjusted(2, 2, -2, -2)
                painter.setPen(QPen(self.theme.colour("warning"), 2))
                painter.drawLine(cell.topLeft(), cell.bottomRight())
                painter.drawLine(cell.topRight(), cell.bottomLeft())
            if 0 <= self.index < count:
                frame = QRectF(place.cell(self.index)).adjusted(-1, -1, 1, 1)
                painter.setPen(QPen(self.theme.colour("particles"), 3 if self.hasFocus() else 2))
                painter.drawRect(frame)


class _Place:
    """Where pictures lie: `columns` of them, `gap` pixels apart, each enlarged by `factor`, in the rectangle `whole`.

    Where no whole number of pixels fits well, `shrunk` is true and the whole is scaled down.
    """

    def __init__(self, count: int, columns: int, gap: int, factor: int, cell: QSize, whole: QRect) -> None:
        self.count, self.columns, self.gap, self.factor = count, columns, gap, factor
        self._cell, self.whole = cell, whole
        rows = -(-count // columns) if count else 1
        self._scale = whole.width() / max(1, columns * (cell.width() + gap) - gap)
        self.shrunk = self._scale < 1
        self._rows = rows

    @classmethod
    def of(cls, count: int, room: QSize, height: int, width: int) -> _Place:
        """The arrangement in which pictures of this size are largest."""
        if not count:
            return cls(0, 1, 0, 1, QSize(1, 1), QRect(0, 0, 1, 1))
        fits = [(_side(count, columns, room, height, width), -columns) for columns in range(1, count + 1)]
        side, columns = max(fits)
        columns = -columns
        gap = _GAP if side * width >= 24 else 1
        factor = max(1, math.floor(side))
        rows = -(-count // columns)
        while factor > 1 and (
            columns * (width * factor + gap) - gap > room.width()
            or rows * (height * factor + gap) - gap > room.height()
        ):
            factor -= 1
        if side > _WASTE * factor:
            factor += 1
        cell = QSize(width * factor, height * factor)
        wide, high = columns * (cell.width() + gap) - gap, rows * (cell.height() + gap) - gap
        scale = min(1.0, room.width() / wide, room.height() / high)
        size = QSize(max(1, int(wide * scale)), max(1, int(high * scale)))
        corner = QPoint((room.width() - size.width()) // 2, 0)
        return cls(count, columns, gap, factor, cell, QRect(corner, size))

    def cell(self, index: int) -> QRect:
        """Where a picture is."""
        row, column = divmod(index, self.columns)
        x, y = column * (self._cell.width() + self.gap), row * (self._cell.height() + self.gap)
        return QRect(
            self.whole.left() + round(x * self._scale),
            self.whole.top() + round(y * self._scale),
            max(1, round(self._cell.width() * self._scale)),
            max(1, round(self._cell.height() * self._scale)),
        )

    def at(self, point: QPoint) -> int:
        """The picture at this point; -1 for none."""
        if not self.whole.contains(point):
            return -1
        within = QPointF(point - self.whole.topLeft()) / self._scale
        column = int(within.x() // (self._cell.width() + self.gap))
        row = int(within.y() // (self._cell.height() + self.gap))
        index = row * self.columns + column
        return index if column < self.columns and index < self.count else -1


def _side(count: int, columns: int, room: QSize, height: int, width: int) -> float:
    """How much pictures can be enlarged in so many columns, gaps left out of account."""
    rows = -(-count // columns)
    return min(room.width() / (columns * width), room.height() / (rows * height))
