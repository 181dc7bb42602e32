"""A small square to paint where particles start: 32 x 32 cells over the view, with the density behind them.

The left button paints, the right one erases, and a stroke counts when the button is let go. By keyboard: arrows move a
cell, Space paints or erases it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.theme import LIGHT, Theme
from explorer.views.ground import Ground
from trainer.scenes import REGION_SIDE, region_cells, region_text

_EXTENT = 1.25
_SIDE = 192
_MOVES = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (1, 0),
    Qt.Key.Key_Down: (-1, 0),
}


class RegionEditor(QWidget):
    """The cells of a start; `set_region` shows others and emits nothing."""

    painted = Signal(str)
    """The region as `trainer.scenes.Start.region` has it, when a stroke has ended."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cells: NDArray[np.bool_] = np.zeros((REGION_SIDE, REGION_SIDE), bool)  # [row, col], row 0 at the bottom
        self._theme, self._factor = LIGHT, 1.0
        self._ground = Ground()
        self._value: bool | None = None
        self._last = (0, 0)
        self._cursor = (REGION_SIDE // 2, REGION_SIDE // 2)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName("Region where particles start")
        self.setAccessibleDescription("Arrow keys move a cell, Space paints or erases it.")
        self.setToolTip("Paint where particles start; the right button erases")

    def sizeHint(self) -> QSize:
        """A square."""
        side = round(_SIDE * self._factor)
        return QSize(side, side)

    def set_region(self, region: str) -> None:
        """Show these cells."""
        cells = np.zeros(REGION_SIDE**2, bool)
        cells[list(region_cells(region))] = True
        self.cells = cells.reshape(REGION_SIDE, REGION_SIDE)
        self.update()

    def set_ground(self, values: NDArray[np.float32], centre: tuple[float, float], half_width: float) -> None:
        """Show this density behind the cells."""
        if self._ground.show(values, centre, half_width):
            self.update()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.update()

    def set_scale(self, factor: float) -> None:
        """Draw this many times its size."""
        self._factor = factor
        self.updateGeometry()

    # --- drawing

    def _square(self) -> QRectF:
        side = min(self.width(), self.height())
        return QRectF(0, 0, side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the density, the painted cells and the keyboard's cell."""
        with QPainter(self) as painter:
            square = self._square()
            ratio = painter.deviceTransform().m11()
            view = (0.0, 0.0, _EXTENT)
            painter.drawImage(square, self._ground.image(view, round(square.width() * ratio), self._theme))
            ink = self._theme.colour("particles", 0.6)
            image = QImage(REGION_SIDE, REGION_SIDE, QImage.Format.Format_ARGB32)
            image.fill(0)
            pixels = np.asarray(image.bits()).view(np.uint32).reshape(REGION_SIDE, REGION_SIDE)
            pixels[self.cells[::-1]] = ink.rgba()
            painter.drawImage(square, image)
            focused = self.hasFocus()
            painter.setPen(QPen(QColor(self._theme.true if focused else self._theme.rule), 1))
            painter.drawRect(square.adjusted(0.5, 0.5, -0.5, -0.5))
            if focused:
                cell = square.width() / REGION_SIDE
                row, col = self._cursor
                painter.setPen(QPen(QColor(self._theme.ink), 1.5))
                painter.drawRect(QRectF(col * cell, (REGION_SIDE - 1 - row) * cell, cell, cell))

    # --- hands

    def _cell(self, position: QPointF) -> tuple[int, int]:
        """Row and column under this position, or the nearest ones."""
        unit = REGION_SIDE / self._square().width()
        row, col = REGION_SIDE - 1 - int(position.y() * unit // 1), int(position.x() * unit // 1)
        return min(max(row, 0), REGION_SIDE - 1), min(max(col, 0), REGION_SIDE - 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to paint or to erase."""
        values = {Qt.MouseButton.LeftButton: True, Qt.MouseButton.RightButton: False}
        self._value = values.get(event.button())
        self._last = self._cell(event.position())
        self._stroke(self._last)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on to the cell under the cursor."""
        self._stroke(self._cell(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The stroke has ended."""
        if self._value is not None:
            self._value = None
            self._tell()

    def _stroke(self, cell: tuple[int, int]) -> None:
        """Paint a brush of 2 x 2 cells along the straight line from the last cell to this one."""
        if self._value is None:
            return
        count = max(abs(cell[0] - self._last[0]), abs(cell[1] - self._last[1]), 1)
        for row, col in np.linspace(self._last, cell, count + 1).round().astype(int):
            self.cells[row : row + 2, col : col + 2] = self._value
        self._last = cell
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the keyboard's cell, or paint or erase it."""
        move = _MOVES.get(Qt.Key(event.key()))
        if move:
            row, col = (min(max(a + b, 0), REGION_SIDE - 1) for a, b in zip(self._cursor, move, strict=True))
            self._cursor = row, col
            self.update()
        elif event.key() == Qt.Key.Key_Space:
            self.cells[self._cursor] ^= True
            self.update()
            self._tell()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Draw anew when the keyboard comes or goes."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.update()
        return super().event(event)

    def _tell(self) -> None:
        self.painted.emit(region_text(np.flatnonzero(self.cells.ravel()).tolist()))
