"""Select, move, delete: a region of the paint floats until another one is chosen.

A drag on the empty plane selects a rectangle or follows the pointer (lasso); a drag inside the selection carries its
paint along, one undo step a drag. What was carried goes on floating: the next drag lifts it from where it lay, not what
it now covers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPainterPath, QPolygonF

from explorer.edits import DeleteCells, MoveCells, Weights
from explorer.paint.cells import inside_polygon, shifted
from explorer.tools.base import Point, Tool, Touch

Cells = NDArray[np.uint16]

_ARROWS = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (1, 0), Qt.Key.Key_Down: (-1, 0)}


class SelectTool(Tool):
    """Holds the selected cells, and where the floating ones came from."""

    _way: tuple[Point, ...] = ()
    _pressed: Point | None = None
    _outline: tuple[Point, ...] = ()
    """The selection's border, in the plane, where it was selected."""
    _cells: Cells = np.zeros(0, np.uint16)
    _size = 0
    _offset = (0, 0)
    _origin: Weights | None = None
    _own = False
    """Whether a change of the document is this tool's own: any other one puts the selection down."""

    @property
    def cells(self) -> Cells:
        """(k,) uint16: the selected cells where they are now."""
        if self._size != self.document.size:
            return np.zeros(0, np.uint16)
        return shifted(self._cells, *self._offset, self._size)

    @property
    def busy(self) -> bool:
        """Whether anything is selected or being selected."""
        return bool(self._way) or self._cells.size > 0

    def select(self, outline: tuple[Point, ...]) -> None:
        """Select the cells inside a polygon; what floated is put down."""
        size = self.document.size
        self._outline = outline
        self._cells = inside_polygon(np.array(outline), size) if len(outline) > 2 else np.zeros(0, np.uint16)
        self._size, self._offset, self._origin = size, (0, 0), None
        if not self._cells.size:
            self._outline = ()
        self.canvas.refresh()

    def select_all(self) -> None:
        """Select every cell."""
        self.select(((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)))

    # --- hands

    def press(self, touch: Touch) -> None:
        """Take hold of the selection, or begin another one."""
        if self._holds(touch.point):
            self._pressed = touch.point
        else:
            self.select(())
            self._way = (touch.point,)

    def drag(self, touch: Touch) -> None:
        """Carry what is selected, or select on."""
        if self._pressed is not None:
            per = self.document.size / 2
            cols, rows = (round((b - a) * per) for a, b in zip(self._pressed, touch.point, strict=True))
            self._carry(rows, cols)
        elif self._way:
            self._way = (*self._way, touch.point) if self.kit.options.lasso else (self._way[0], touch.point)
            self.canvas.refresh()

    def release(self, touch: Touch) -> None:
        """Put it down: one step; or the selection is made."""
        if self._pressed is not None:
            per = self.document.size / 2
            cols, rows = (round((b - a) * per) for a, b in zip(self._pressed, touch.point, strict=True))
            self._pressed = None
            self._put(rows, cols)
        elif self._way:
            way, self._way = self._closed(), ()
            self.select(way)

    def _carry(self, rows: int, cols: int) -> None:
        """Show the selection this far from where it was taken hold of."""
        if rows or cols or self.document.stroking:
            self._lift()
            row, col = self._offset
            self.document.preview(MoveCells(self._cells, row + rows, col + cols, self._origin))

    def _put(self, rows: int, cols: int) -> None:
        """Make a move one step."""
        if self.document.stroking:
            self._own = True
            self.document.end_stroke()
            self._own = False
            self._offset = (self._offset[0] + rows, self._offset[1] + cols)
        self.canvas.refresh()

    def _lift(self) -> None:
        """Remember the paint that it is lifted from, unless it floats already."""
        if self._origin is None:
            self._origin = self.document.paint

    def cancel(self) -> None:
        """Take a drag back; without one, select nothing."""
        if self._pressed is not None or self.document.stroking:
            self._pressed = None
            self._own = True
            self.document.cancel_stroke()
            self._own = False
        else:
            self._way = ()
            self.select(())

    def document_changed(self) -> None:
        """Something else was done, or undone: what floated lies now."""
        if not self._own and self._cells.size:
            self._pressed = None
            self.select(())

    def put_away(self) -> None:
        """The selection goes with the tool."""
        self.cancel()
        self.select(())

    def delete(self) -> None:
        """Empty what is selected."""
        if self.cells.size and not self.document.stroking:
            self.document.do(DeleteCells(self.cells))
            self.select(())

    def key(self, event: QKeyEvent) -> bool:
        """Arrows move the selection by a cell, with Shift by ten; Return puts it down."""
        arrow = _ARROWS.get(Qt.Key(event.key()))
        if not self.cells.size or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False
        if arrow is not None:
            step = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            self._carry(step * arrow[0], step * arrow[1])
            self._put(step * arrow[0], step * arrow[1])
            return True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.select(())
            return True
        return False

    def _holds(self, point: Point) -> bool:
        size = self.document.size
        col, row = (int((value + 1) * size / 2) for value in point)
        return 0 <= row < size and 0 <= col < size and bool((self.cells == row * size + col).any())

    def _closed(self) -> tuple[Point, ...]:
        if self.kit.options.lasso or len(self._way) < 2:
            return self._way
        (x0, y0), (x1, y1) = self._way
        return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))

    def _shifted_outline(self) -> tuple[Point, ...]:
        step = 2 / max(self._size, 1)
        rows, cols = self._offset
        return tuple((x + cols * step, y + rows * step) for x, y in self._outline)

    # --- marks

    def reading(self) -> str:
        """How many cells are selected."""
        return f"{self.cells.size:,} cells selected" if self.cells.size else ""

    def paint(self, painter: QPainter, pointer: Point | None) -> None:
        """The border of the selection, dashed."""
        points = self._closed() if self._way else self._shifted_outline() if self.cells.size else ()
        if self._pressed is not None and pointer is not None and not self._way:
            dx, dy = pointer[0] - self._pressed[0], pointer[1] - self._pressed[1]
            points = tuple((x + dx, y + dy) for x, y in points)
        if len(points) > 1:
            path = QPainterPath()
            path.addPolygon(QPolygonF([QPointF(self.canvas.to_pixel(*point)) for point in points]))
            if not (self._way and self.kit.options.lasso):
                path.closeSubpath()
            for pen in self.pens(dashed=True):
                painter.setPen(pen)
                painter.drawPath(path)
