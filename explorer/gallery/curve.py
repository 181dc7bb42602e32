"""One figure of a run over its steps, as a line, with a dot on the axis where a checkpoint was written.

The axis upwards is logarithmic where that was asked for and all values are positive, and ends at 1, 2 or 5 times a
power of ten. A figure that is noisy from line to line is drawn faintly, its running mean over it: the mean of as many
lines before as after, so that it does not lag. At the beginning, where figures fall steeply, it is of fewer lines, and
towards the end the lines after are those that there are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF

from explorer.numbers import three
from explorer.theme import UNIT
from explorer.views.axes import tick_name
from explorer.views.chart import CENTRE, RIGHT, Chart
from explorer.views.scales import Scale, nice

Floats = NDArray[np.float64]

_MEAN = 40
"""A running mean goes over this part of the lines to either side, and there is none of fewer lines."""
_FAINT = 0.35
"""How opaque a line is that has its mean over it."""


class RunCurve(Chart):
    """A line over steps.

    Args:
        name: of the figure, for a screen reader.
        role: the theme's colour of the line.
        log: whether its axis is logarithmic where it can be.
        smooth: whether the running mean is drawn, too.
    """

    def __init__(self, name: str, role: str, *, log: bool, smooth: bool) -> None:
        super().__init__()
        self._role, self._log, self._smooth = role, log, smooth
        self._steps: Floats = np.zeros(0)
        self._values: Floats = np.zeros(0)
        self._marks: tuple[int, ...] = ()
        self.setMinimumSize(160, 90)
        self.setAccessibleName(name)

    def show_curve(self, steps: Sequence[int], values: Sequence[float], marks: tuple[int, ...]) -> None:
        """Draw these values at these steps, a gap where one is NaN; `marks` are the steps of checkpoints."""
        self._steps, self._values, self._marks = np.asarray(steps, float), np.asarray(values, float), marks
        self.describe()
        self.update()

    def text(self) -> str:
        """The newest value, and the range of all of them."""
        known = self._values[np.isfinite(self._values)]
        if not known.size:
            return "no values yet"
        return f"now {three(known[-1])}, from {three(known.min())} to {three(known.max())}"

    def hint(self, x: float) -> str:
        """The value nearest to this place, and the checkpoint, if one was written there."""
        if not self._steps.size:
            return ""
        plot, last = self._plot(self._scale()), self._last
        step = (x - plot.left()) / plot.width() * last
        k = int(np.argmin(np.abs(self._steps - step)))
        lines = [f"step {self._steps[k]:,.0f}: {three(self._values[k])}"]
        near = [mark for mark in self._marks if abs(mark - step) / last * plot.width() <= UNIT / 2]
        return "\n".join([*lines, *(f"checkpoint at step {mark:,}" for mark in near[:1])])

    def sizeHint(self) -> QSize:
        """Wider than high."""
        return QSize(360, 150)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ticks, dots and the line; nothing without values."""
        with QPainter(self) as painter:
            if np.isfinite(self._values).any():
                scale = self._scale()
                plot = self._plot(scale)
                self._draw_axes(painter, plot, scale)
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                self._draw_marks(painter, plot)
                mean = running_mean(self._values, logarithmic=scale.logarithmic) if self._smooth else None
                self._draw_line(painter, plot, scale, self._values, 1.0 if mean is None else _FAINT)
                if mean is not None:
                    self._draw_line(painter, plot, scale, mean, 1.0)
            self.focus_mark(painter)

    # --- geometry ---

    @property
    def _last(self) -> float:
        return max(float(self._steps[-1]), 1.0)

    @property
    def _line(self) -> float:
        """The height of a line of type."""
        return 18 * self.factor

    def _scale(self) -> Scale:
        room = max(2, min(7, int(self.height() / (1.7 * self._line))))
        return axis_upwards(self._values[np.isfinite(self._values)], room, logarithmic=self._log)

    def _plot(self, scale: Scale) -> QRectF:
        words = [text for _, text in scale.ticks]
        left = max(self.advance(text) for text in (*words, "step")) + UNIT * self.factor
        right = self.advance("100k") / 2 + 2
        top, foot = self._line / 2, self._line + UNIT / 2 * self.factor
        return QRectF(left, top, max(20.0, self.width() - left - right), max(20.0, self.height() - top - foot))

    # --- drawing ---

    def _draw_axes(self, painter: QPainter, plot: QRectF, scale: Scale) -> None:
        k, line = self.factor, self._line
        column = plot.left() - UNIT * k
        for value, text in scale.ticks:
            y = round(plot.bottom() - plot.height() * float(scale.place(value))) + 0.5
            painter.setPen(QPen(self.theme.colour("rule"), 1))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            self.write(painter, QRectF(0, y - line / 2, column, line), text, RIGHT, role="quiet")
        top = plot.bottom() + UNIT / 2 * k
        self.write(painter, QRectF(0, top, column, line), "step", RIGHT, role="quiet")
        gap = nice(self._last / max(1.0, plot.width() / (64 * k)))
        for each in range(int(self._last / gap * (1 + 1e-9)) + 1):
            x = plot.left() + plot.width() * each * gap / self._last
            painter.setPen(QPen(self.theme.colour("rule"), 1))
            painter.drawLine(QPointF(round(x) + 0.5, plot.bottom()), QPointF(round(x) + 0.5, top))
            self.write(painter, QRectF(x - 40 * k, top, 80 * k, line), tick_name(each * gap), CENTRE, role="quiet")

    def _draw_marks(self, painter: QPainter, plot: QRectF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.colour("quiet"))
        for mark in self._marks:
            if mark <= self._last:
                x = plot.left() + plot.width() * mark / self._last
                painter.drawEllipse(QPointF(x, plot.bottom()), 2.5 * self.factor, 2.5 * self.factor)

    def _draw_line(self, painter: QPainter, plot: QRectF, scale: Scale, values: Floats, opacity: float) -> None:
        pen = QPen(self.theme.colour(self._role, opacity), (1.75 if opacity == 1 else 1.0) * self.factor)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        known = np.isfinite(values)
        x = plot.left() + plot.width() * self._steps / self._last
        y = plot.bottom() - plot.height() * scale.place(np.where(known, values, scale.low))
        for part in np.split(np.arange(len(values)), np.flatnonzero(known[1:] != known[:-1]) + 1):
            if known[part[0]]:
                points = [QPointF(*at) for at in zip(x[part].tolist(), y[part].tolist(), strict=True)]
                if len(points) == 1:  # a line of one point is not seen
                    points.append(points[0] + QPointF(1.0, 0.0))
                painter.drawPolyline(QPolygonF(points))


def running_mean(values: Floats, *, logarithmic: bool) -> Floats | None:
    """The mean (n,) around each of the values (n,), geometric on a logarithmic axis; NaN stays NaN.

    None where there are too few values for a mean to tell more than they do.
    """
    known = np.isfinite(values)
    figures = np.log(values[known]) if logarithmic else values[known]
    count = len(figures)
    if count < _MEAN:
        return None
    place = np.arange(count)
    before = np.minimum(place, count // _MEAN)
    end = np.minimum(place + before + 1, count)
    sums = np.concatenate([[0.0], np.cumsum(figures)])
    means = (sums[end] - sums[place - before]) / (end - place + before)
    result = np.full(len(values), math.nan)
    result[known] = np.exp(means) if logarithmic else means
    return result


def axis_upwards(values: Floats, room: int, *, logarithmic: bool) -> Scale:
    """The axis of these finite values, one at least, with 2 to `room` ticks; linear if one of them is not positive."""
    low, high = float(values.min()), float(values.max())
    if logarithmic and low > 0:
        powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
        places = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
        first = max(k for k, place in enumerate(places) if place <= low * (1 + 1e-9))
        last = max(first + 1, min(k for k, place in enumerate(places) if place >= high * (1 - 1e-9)))
        places = places[first : last + 1]
        decades = [place for place in places if abs(math.log10(place) % 1.0 - 0.5) > 0.49]
        named = next((some for some in (places, decades) if 2 <= len(some) <= room), None)
        if named is None:
            some = decades if len(decades) > room else places
            named = some[:: math.ceil(len(some) / room)]
        return Scale(places[0], places[-1], True, tuple((place, _name(place)) for place in named))
    low, high = min(low, 0.0), max(high, 0.0)
    step = nice((high - low) / max(room - 1, 1))
    first, last = math.floor(low / step + 1e-9), max(math.ceil(high / step - 1e-9), 0)
    last = max(last, first + 1)
    ticks = tuple((each * step, _name(each * step)) for each in range(first, last + 1))
    return Scale(first * step, last * step, False, ticks)


def _name(value: float) -> str:
    """A number on an axis: 0.0005, 2k, −3, 1e-5."""
    size, sign = abs(value), "−" if value < 0 else ""
    if 0 < size < 0.99e-4 or size >= 0.99e6:
        figures, _, power = f"{size:.0e}".partition("e")
        return f"{sign}{figures}e{int(power)}"
    return sign + tick_name(float(f"{size:.6g}"))
