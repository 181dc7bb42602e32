"""Particles that the view does not show, counted at the edge that they are beyond.

In a corner that is the edge that they are farther from. A particle that is not finite is neither drawn nor counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

from explorer.engine.messages import Frame
from explorer.theme import CAPTION, Theme, font
from explorer.views.splat import Floats

_COUNTED = 12
"""While particles move, those beyond the edges are counted with every so many steps."""


@dataclass(frozen=True)
class Outside:
    """How many particles are beyond each edge of the view."""

    left: int = 0
    right: int = 0
    bottom: int = 0
    top: int = 0

    @property
    def total(self) -> int:
        """All that are not in the view."""
        return self.left + self.right + self.bottom + self.top


class EdgeCounts:
    """The counts of one pane; while particles move they are renewed with every few steps, as fast as one reads."""

    def __init__(self) -> None:
        self._moment: object = None
        self._latest = Outside()

    def at(self, frame: Frame, mapping: object, count: Callable[[], Outside]) -> Outside:
        """The counts in this frame, or of a few steps before it, of a plane that is drawn by this mapping."""
        every = _COUNTED if frame.moving else 1
        moment = frame.released, every, frame.particle_shown // every, mapping
        if moment != self._moment:
            self._moment, self._latest = moment, count()
        return self._latest


def count_outside(points: Floats, centre: tuple[float, float], half_width: float) -> Outside:
    """Count the points (N, 2) beyond each edge of the square range; points that are not finite are not counted."""
    x, y = points[:, 0] - np.float32(centre[0]), points[:, 1] - np.float32(centre[1])
    gone = np.flatnonzero((np.abs(x) > half_width) | (np.abs(y) > half_width))
    gone = gone[np.isfinite(x[gone]) & np.isfinite(y[gone])]
    x, y = x[gone], y[gone]
    sideways = np.abs(x) >= np.abs(y)
    left, right = (sideways & (x < 0)).sum(), (sideways & (x > 0)).sum()
    bottom, top = (~sideways & (y < 0)).sum(), (~sideways & (y > 0)).sum()
    return Outside(int(left), int(right), int(bottom), int(top))


def paint_outside(
    painter: QPainter, square: QRect, badge: QRect, outside: Outside, theme: Theme, scale: float = 1.0
) -> None:
    """A triangle and a number at each edge of the square that particles are beyond, clear of a badge."""
    painter.setFont(font(CAPTION, scale=scale))
    metrics = painter.fontMetrics()
    mark, height, s = 6 * scale, metrics.height(), square
    edges = ((outside.left, -1, 0), (outside.right, 1, 0), (outside.bottom, 0, 1), (outside.top, 0, -1))
    for count, dx, dy in edges:
        if not count:
            continue
        text = f"{count:,}"
        width = metrics.horizontalAdvance(text) + mark + 10
        x = {-1: s.left() + 1, 0: s.right() - width, 1: s.right() - width}[dx]
        y = {-1: s.top() + 1, 0: s.center().y() - height // 2, 1: s.bottom() - height}[dy]
        plate = QRectF(x, y, width, height)
        if plate.intersects(QRectF(badge)):
            plate.moveBottom(badge.top())
        painter.fillRect(plate, theme.colour("surface", 0.9))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("particles"))
        middle = QPointF(plate.left() + 3 + mark / 2, plate.center().y())
        ahead, across = QPointF(dx, dy) * (mark / 2), QPointF(-dy, dx) * (mark / 2)
        painter.drawPolygon(QPolygonF([middle + ahead, middle - ahead + across, middle - ahead - across]))
        painter.setPen(QColor(theme.ink))
        painter.drawText(plate.adjusted(mark + 6, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)
