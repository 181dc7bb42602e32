"""A slider that jumps to the mouse and follows it, as Qt's own does by the middle button; and how axes are drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QSlider

from explorer.theme import CAPTION, LIGHT, Theme, font

INSET = 12
"""Pixels between a slider's edge and the ends of its line."""

LINE = 8
"""Height of the line below the slider's upper edge at scale 1; its ticks and numbers stand below it."""


class FollowingSlider(QSlider):
    """A horizontal slider with places 0 to `places`; its ends are `inset` pixels from the widget's."""

    def __init__(self, places: int, inset: float) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.theme: Theme = LIGHT
        self.factor = 1.0
        self._inset = inset
        self.setRange(0, places)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Jump to the mouse and follow it."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.mouseMoveEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the mouse while its button is down."""
        if self.isSliderDown():
            part = (event.position().x() - self._inset) / (self.width() - 2 * self._inset)
            self.setValue(round(part * self.maximum()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self.setSliderDown(False)


def draw_axis(painter: QPainter, slider: FollowingSlider, ticks: Iterable[float]) -> None:
    """The slider's line, and a tick at each of these places, in pixels from the left, as far as they stand apart."""
    k, y = slider.factor, LINE * slider.factor
    painter.setPen(QPen(slider.theme.colour("rule"), 3 * k, c=Qt.PenCapStyle.RoundCap))
    painter.drawLine(QPointF(INSET, y), QPointF(slider.width() - INSET, y))
    painter.setPen(QPen(slider.theme.colour("quiet"), 1.0))
    taken = -math.inf
    for tick in sorted(ticks):
        if tick < taken + 4 * k:
            continue
        taken, x = tick, round(tick) + 0.5
        painter.drawLine(QPointF(x, y + 3 * k), QPointF(x, y + 7 * k))


def draw_numbers(painter: QPainter, slider: FollowingSlider, numbers: Sequence[tuple[float, str]]) -> None:
    """Words under their places, in pixels from the left, as long as they keep their distance."""
    k = slider.factor
    painter.setFont(font(CAPTION, scale=k))
    painter.setPen(slider.theme.colour("ink"))
    top, taken = (LINE + 7) * k, -math.inf
    for place, text in numbers:
        wide = painter.fontMetrics().horizontalAdvance(text) + 2
        start = min(max(place - wide / 2, 0.0), slider.width() - wide)
        if start > taken:
            painter.drawText(QRectF(start, top, wide, 17 * k), Qt.AlignmentFlag.AlignCenter, text)
            taken = start + wide + 10 * k


def draw_handle(painter: QPainter, slider: FollowingSlider, x: float, *, filled: bool = False) -> None:
    """The round handle at x, with a mark while it has the keyboard."""
    k, focus = slider.factor, slider.hasFocus()
    painter.setPen(QPen(slider.theme.colour("true" if focus else "ink"), (3 if focus else 2) * k))
    painter.setBrush(slider.theme.colour("ink" if filled else "surface"))
    painter.drawEllipse(QPointF(x, LINE * k), 6 * k, 6 * k)
