"""The loop that a person draws in a view of the plane: its corners, and how it is drawn.

Three ways, one tool: drag freehand, click corner after corner, or drag a circle from its centre. The loop is closed by
itself: the last corner joins the first. A freehand line is thinned to `CORNERS` corners evenly along its length.

The direction matters, an integral changes its sign with it; arrow heads show it. Anticlockwise is positive.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from explorer.theme import Theme

Point = tuple[float, float]
Corners = tuple[Point, ...]
Kind = Literal["off", "free", "circle"]

CORNERS = 64
"""The most corners of a freehand line and of a circle."""

_KINDS: tuple[Kind, ...] = ("off", "free", "circle")


class LoopTool:
    """A loop in the making. `corners` are what has been drawn so far; a loop has at least three."""

    def __init__(self) -> None:
        self.kind: Kind = "off"
        self.corners: Corners = ()
        self._start: Point | None = None
        self._dragged: list[Point] = []
        self._clicking = False

    @property
    def loop(self) -> Corners:
        """The closed loop, or nothing while there are too few corners."""
        return self.corners if len(self.corners) > 2 else ()

    @property
    def dragging(self) -> bool:
        """Whether a line or a circle is being dragged."""
        return self._start is not None

    def next_kind(self) -> None:
        """Off, freehand and corners, circles, and off again; what is drawn stays."""
        self.kind = _KINDS[(_KINDS.index(self.kind) + 1) % len(_KINDS)]
        self._start, self._clicking = None, False

    def clear(self) -> None:
        """Take the loop away."""
        self.corners = ()
        self._start, self._clicking = None, False

    def press(self, at: Point) -> None:
        """The hand comes down."""
        self._start = at
        self._dragged = [at]

    def drag(self, to: Point) -> None:
        """The hand moves, farther than a click does."""
        if self._start is None:
            return
        self._clicking = False
        if self.kind == "circle":
            radius = math.dist(self._start, to)
            self.corners = circle(self._start, radius) if radius > 0 else ()
        else:
            self._dragged.append(to)
            self.corners = tuple(self._dragged)

    def release(self) -> None:
        """The hand goes up: what was dragged becomes the loop, a click places a corner."""
        start, self._start = self._start, None
        if start is None:
            return
        if self.kind == "free" and len(self._dragged) > 1:
            self.corners = thinned(self._dragged, CORNERS)
        elif self.kind == "free":
            self.place(start)

    def place(self, at: Point) -> None:
        """Add a corner; the first one after anything else begins another loop."""
        if not self._clicking:
            self.corners, self._clicking = (), True
        if not self.corners or math.dist(self.corners[-1], at) > 0:
            self.corners = (*self.corners, at)


def circle(centre: Point, radius: float, corners: int = CORNERS) -> Corners:
    """The corners of a regular polygon on a circle, anticlockwise."""
    turn = 2 * math.pi * np.arange(corners) / corners
    x, y = centre[0] + radius * np.cos(turn), centre[1] + radius * np.sin(turn)
    return tuple(zip(x.tolist(), y.tolist(), strict=True))


def thinned(line: list[Point], most: int) -> Corners:
    """At most `most` points evenly along a closed line."""
    points = np.array([*line, line[0]])
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    if not length[-1] > 0:
        return ()
    if len(line) <= most:
        return tuple(line)
    at = np.linspace(0, length[-1], most, endpoint=False)
    x, y = (np.interp(at, length, points[:, k]) for k in (0, 1))
    return tuple(zip(x.tolist(), y.tolist(), strict=True))


def paint_loop(painter: QPainter, corners: list[QPointF], theme: Theme, *, closed: bool, marked: bool) -> None:
    """Draw a loop at these positions: a line with heads along it, dots at its corners where `marked`."""
    if not corners:
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    polygon = QPolygonF([*corners, corners[0]] if closed else corners)
    for colour, width in ((theme.surface, 4.0), (theme.ink, 1.75)):
        painter.setPen(QPen(QColor(colour), width, j=Qt.PenJoinStyle.RoundJoin))
        painter.drawPolyline(polygon)
    painter.setPen(QPen(QColor(theme.surface), 1))
    painter.setBrush(QColor(theme.ink))
    if marked:
        for corner in corners:
            painter.drawEllipse(corner, 3.5, 3.5)
    if closed:
        for head in _heads(corners):
            painter.drawPolygon(head)


def _heads(corners: list[QPointF], count: int = 3, size: float = 7.0) -> list[QPolygonF]:
    """Arrow heads at equal distances along a closed line."""
    points = np.array([(c.x(), c.y()) for c in (*corners, corners[0])])
    pieces = np.diff(points, axis=0)
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*pieces.T))])
    if length[-1] < 4 * size:
        return []
    heads = []
    for at in (np.arange(count) + 0.5) / count * length[-1]:
        k = min(int(np.searchsorted(length, at, side="right")) - 1, len(pieces) - 1)
        way = pieces[k] / max(math.hypot(*pieces[k]), 1e-9)
        middle = points[k] + way * (at - length[k])
        side = np.array([-way[1], way[0]])
        back = middle - size * 0.6 * way
        tips = (middle + size * way, back + size * 0.7 * side, back - size * 0.7 * side)
        heads.append(QPolygonF([QPointF(*tip) for tip in tips]))
    return heads
