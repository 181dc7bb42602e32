"""Pinned points on a plane: a ring with the number that the inspector gives it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from explorer.engine.messages import Array, Frame
from explorer.theme import CAPTION, font
from explorer.views.plane import PlaneView

_RADIUS = 8.0


def pins_of(frame: Frame) -> Array:
    """The pinned points, (k, 2)."""
    return frame.pins[:, :2] if frame.pins.size else np.zeros((0, 2), np.float32)


def paint_pins(painter: QPainter, view: PlaneView) -> None:
    """Mark the pinned points of the view's frame."""
    frame = view.frame
    if frame is None:
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(font(CAPTION, bold=True, scale=view.scale))
    radius = _RADIUS * view.scale
    for number, (x, y) in enumerate(pins_of(frame).tolist(), 1):
        at = view.to_pixel(x, y)
        box = QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius)
        painter.setPen(QPen(QColor(view.theme.ink), 1.2))
        painter.setBrush(view.theme.colour("surface", 0.9))
        painter.drawEllipse(QPointF(at), radius, radius)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(number))
