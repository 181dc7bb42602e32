"""One figure of a run over its steps, as a line; logarithmic upwards where all values are positive."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from explorer.theme import CAPTION, LIGHT, UNIT, Theme, font

Floats = NDArray[np.float64]


class RunCurve(QWidget):
    """A line over steps, with marks where checkpoints were written.

    Args:
        name: of the figure, for a screen reader.
        role: the theme's colour of the line.
        log: whether its axis is logarithmic.
    """

    def __init__(self, name: str, role: str, *, log: bool) -> None:
        super().__init__()
        self._role, self._log = role, log
        self._theme, self._factor = LIGHT, 1.0
        self._steps: Floats = np.zeros(0)
        self._values: Floats = np.zeros(0)
        self._marks: tuple[int, ...] = ()
        self.setMinimumSize(160, 90)
        self.setAccessibleName(name)

    def show_curve(self, steps: list[int], values: list[float], marks: tuple[int, ...]) -> None:
        """Draw these values at these steps; `marks` are the steps of checkpoints."""
        at, figures = np.asarray(steps, float), np.asarray(values, float)
        good = figures > 0 if self._log else np.isfinite(figures)
        self._steps, self._values, self._marks = at[good], figures[good], marks
        self.setAccessibleDescription(f"now {values[-1]:.3g}" if values else "no values yet")
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.update()

    def set_scale(self, factor: float) -> None:
        """Set type this many times its size."""
        self._factor = factor
        self.update()

    def sizeHint(self) -> QSize:
        """Wider than high."""
        return QSize(360, 150)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ticks, marks and the line."""
        with QPainter(self) as painter:
            painter.setFont(font(CAPTION, scale=self._factor))
            metrics = QFontMetricsF(painter.font())
            line = metrics.height()
            ticks = _ticks(self._values, self._log)
            room = max((metrics.horizontalAdvance(text) for _, text in ticks), default=0.0) + UNIT
            plot = QRectF(room, line / 2, self.width() - room - UNIT, self.height() - 2 * line)
            if not self._values.size:
                return
            heights = np.log10(self._values) if self._log else self._values
            places = [math.log10(value) if self._log else value for value, _ in ticks]
            low, high = min(float(heights.min()), places[0]), max(float(heights.max()), places[-1])
            span, last = max(high - low, 1e-12), max(float(self._steps[-1]), 1.0)

            def across(step: float) -> float:
                return plot.left() + plot.width() * step / last

            def up(height: float) -> float:
                return plot.bottom() - plot.height() * (height - low) / span

            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            for place, (_, text) in zip(places, ticks, strict=True):
                y = up(place)
                painter.setPen(QPen(QColor(self._theme.rule), 1))
                painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
                painter.setPen(QColor(self._theme.quiet))
                painter.drawText(QRectF(0, y - line / 2, room - UNIT / 2, line), right, text)
            painter.setPen(QPen(QColor(self._theme.quiet), 1))
            for mark in self._marks:
                if mark <= last:
                    painter.drawLine(QPointF(across(mark), plot.bottom()), QPointF(across(mark), plot.bottom() + 5))
            words = f"step {last:,.0f}"
            painter.setPen(QColor(self._theme.quiet))
            painter.drawText(QRectF(plot.left(), plot.bottom() + 4, plot.width(), line), right, words)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self._theme.colour(self._role), 1.5 * self._factor))
            points = zip(self._steps.tolist(), heights.tolist(), strict=True)
            painter.drawPolyline(QPolygonF([QPointF(across(step), up(height)) for step, height in points]))


def _ticks(values: Floats, log: bool) -> list[tuple[float, str]]:
    """(value, text) of the ticks upwards: powers of ten, or round numbers from 0."""
    if not values.size:
        return []
    low, high = float(values.min()), float(values.max())
    if log:
        wide = math.log10(high / low) > 1
        digits = (1,) if wide else (1, 2, 5)
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        every = [digit * 10.0**power for power in powers for digit in digits]
        below = [value for value in every if value <= low][-1:]
        above = [value for value in every if value >= high][:1]
        found = [*below, *(value for value in every if low < value < high), *above]
        return [(value, f"{value:g}") for value in dict.fromkeys(found)]
    step = 10.0 ** math.floor(math.log10(max(high, 1e-12)))
    step = next(s for s in (step / 2, step, 2 * step, 5 * step) if high / s <= 4)
    return [(k * step, f"{k * step:,.6g}") for k in range(math.ceil(high / step) + 1)]
