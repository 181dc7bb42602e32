"""How wrong: the relative Fisher error at five noise levels, and the loss, while the network learns.

The upper plot shows E|s_theta - s|^2 / E|s|^2 for x ~ p_sigma (Hyvarinen 2005, equation 2, over the power of the true
score): 1 is as bad as no field at all, 0.01 is an error of a tenth of the field's size. The lower plot shows the
training loss, which has a floor that depends on the noise and so tells less. Both share the logarithmic axis below, in
steps or in seconds. Axes end at round decades, so that they move seldom and never jitter.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QToolButton, QWidget

from explorer.engine.messages import ERROR_SIGMAS, Frame
from explorer.numbers import three
from explorer.theme import CAPTION, Theme, font
from explorer.views.chart import CENTRE, LEFT, RIGHT, Chart, blend

Floats = NDArray[np.floating]

REDRAW = 100
"""Milliseconds between redraws at least: a curve that moves faster than this cannot be read."""


class CurvesView(Chart):
    """Relative Fisher error and loss against steps or seconds; T or the axis's label changes between the two."""

    axis_changed = Signal(bool)
    """Whether the axis is now in seconds."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.in_seconds = False
        self._range: tuple[float, float] = (0.0, 1.0)
        self._timer = QTimer(self, singleShot=True, interval=REDRAW)
        self._timer.timeout.connect(self.update)
        self._axis = QToolButton(self)
        self._axis.setAutoRaise(True)
        self._axis.setCursor(Qt.CursorShape.PointingHandCursor)
        self._axis.setAccessibleName("Horizontal axis: steps or seconds")
        self._axis.clicked.connect(self.toggle_axis)
        self.setAccessibleName("How wrong: relative Fisher error and loss")
        self.setMinimumSize(160, 120)
        self._label_axis()

    def show_frame(self, frame: Frame) -> None:
        """Take the frame's curves; the picture follows within a tenth of a second."""
        self.frame = frame
        if not self._timer.isActive():
            self._timer.start()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        super().set_theme(theme)
        self._label_axis()

    def set_scale(self, factor: float) -> None:
        """Draw type and marks this many times their size."""
        super().set_scale(factor)
        self._label_axis()

    def toggle_axis(self) -> None:
        """Change the horizontal axis between steps and seconds."""
        self.set_in_seconds(not self.in_seconds)

    def set_in_seconds(self, seconds: bool) -> None:
        """Draw against seconds of training, or against steps."""
        if seconds == self.in_seconds:
            return
        self.in_seconds = seconds
        self._label_axis()
        self.update()
        self.axis_changed.emit(seconds)

    def curves(self) -> tuple[Floats, Floats, Floats, Floats]:
        """What is drawn: error times (j,), errors (j, 5), loss times (k,), losses (k,), on the axis now chosen."""
        frame = self.frame
        if frame is None:
            return np.zeros(0), np.zeros((0, 5)), np.zeros(0), np.zeros(0)
        at, loss_at = (
            (frame.error_seconds, frame.curve_seconds) if self.in_seconds else (frame.error_steps, frame.curve_steps)
        )
        arrays = (at, frame.errors, loss_at, frame.curve_loss)
        error_at, errors, loss_at, loss = (np.asarray(a, dtype=float) for a in arrays)
        return error_at, errors, loss_at, loss

    def text(self) -> str:
        """The newest error at every noise level, in words."""
        _, errors, _, _ = self.curves()
        if not errors.size:
            return ""
        return "; ".join(f"sigma {s:g}: {three(e)}" for s, e in zip(ERROR_SIGMAS, errors[-1], strict=True) if e > 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """T changes the horizontal axis."""
        if event.key() == Qt.Key.Key_T and not event.modifiers():
            self.toggle_axis()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the axis's label under the plots."""
        super().resizeEvent(event)
        self._place_axis()

    def hint(self, x: float) -> str:
        """All values measured nearest to this place, one a line (rich text)."""
        at, errors, _, _ = self.curves()
        if not at.size:
            return "Train to measure the error (Space)"
        plot = self._areas()[0]
        low, high = self._range
        place = 10 ** (low + (high - low) * (x - plot.left()) / plot.width())
        row = int(np.argmin(np.abs(np.log(np.maximum(at, 1e-3)) - math.log(max(place, 1e-3)))))
        unit = f"{three(at[row])} s" if self.in_seconds else f"step {round(at[row]):,}"
        pairs = zip(ERROR_SIGMAS, errors[row], strict=True)
        lines = [f"σ = {sigma:g}: {_rich(value)}" for sigma, value in pairs if value > 0]
        return "<br>".join([f"<b>Relative Fisher error, {unit}</b>", *lines])

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw both plots from the frame."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        error_at, errors, loss_at, loss = self.curves()
        if not error_at.size and not loss_at.size:
            self._axis.hide()
            self.say(painter, "Train to see how wrong the field is (Space)")
            self.focus_mark(painter)
            return
        self._axis.show()
        upper, lower = self._areas()
        first = np.concatenate([error_at[error_at > 0][:1], loss_at[loss_at > 0][:1]])
        last = np.concatenate([error_at[-1:], loss_at[-1:]])
        self._range = _axis_range(float(first.min(initial=last.max())), float(last.max()))
        known = errors[errors > 0]
        decades = _decades(known if known.size else np.ones(1))
        self._grid(painter, upper, decades, labelled=True)
        positive = loss[loss > 0]
        loss_range = _decades(positive if positive.size else np.ones(1))
        self._grid(painter, lower, loss_range, labelled=False)
        self._times(painter, lower)
        self._captions(painter, upper, lower)
        self._draw_errors(painter, upper, error_at, errors, decades)
        path = self._path(lower, loss_at, loss, loss_range)
        painter.setPen(QPen(self.theme.colour("quiet"), 1.25 * self.factor))
        painter.drawPolyline(path)
        self.focus_mark(painter)

    # --- geometry ---

    def _areas(self) -> tuple[QRectF, QRectF]:
        """The two plots' inner rectangles: error above, loss below."""
        line = font(CAPTION, scale=self.factor).pixelSize() + 6 * self.factor
        top = line + 4 * self.factor
        left = self.advance("10") + self.advance("−8", 9) + 6 * self.factor
        right = self.advance("0.02") + 12 * self.factor
        width = max(20.0, self.width() - left - right)
        free = max(40.0, self.height() - top - 2 * line - 4)
        above, below = round(free * 0.72), round(free * 0.28)
        return QRectF(left, top, width, above), QRectF(left, top + above + line, width, below)

    def _across(self, area: QRectF, at: Floats) -> Floats:
        low, high = self._range
        return area.left() + (np.log10(at) - low) / (high - low) * area.width()

    def _path(self, area: QRectF, at: Floats, values: Floats, decades: tuple[int, int]) -> QPolygonF:
        """The polyline of the points that are positive on both axes, at most two for each column of pixels."""
        keep = (at > 0) & (values > 0)
        x = self._across(area, at[keep])
        low, high = decades
        y = area.bottom() - (np.log10(values[keep]) - low) / (high - low) * area.height()
        if x.size > 2 * area.width():
            column = np.round(x * 2)
            wanted = np.append(column[1:] != column[:-1], True)
            x, y = x[wanted], y[wanted]
        return QPolygonF([QPointF(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)])

    def _place_axis(self) -> None:
        """In the row of the axis's numbers, at the right edge."""
        size = self._axis.sizeHint()
        below = round(self._areas()[1].bottom()) + 2
        self._axis.setGeometry(self.width() - size.width(), below, size.width(), round(20 * self.factor))

    def _label_axis(self) -> None:
        now, other = ("seconds", "steps") if self.in_seconds else ("steps", "seconds")
        self._axis.setFont(font(CAPTION, scale=self.factor))
        self._axis.setText(now)
        self._axis.setToolTip(f"Against {now}; click for {other} (T)")
        quiet, ink = self.theme.quiet, self.theme.ink
        self._axis.setStyleSheet(
            f"QToolButton {{ border: none; background: transparent; padding: 0; color: {quiet}; }}"
            f"QToolButton:hover, QToolButton:focus {{ color: {ink}; text-decoration: underline; }}"
        )
        self._place_axis()

    # --- drawing ---

    def shade(self, index: int) -> QColor:
        """The colour of one noise level's curve: error ink, from light at small sigma to deep at large sigma."""
        end = self.theme.colour("ink")
        return blend(self.theme.colour("error"), end, 0.14 * index)

    def _draw_errors(
        self, painter: QPainter, area: QRectF, at: Floats, errors: Floats, decades: tuple[int, int]
    ) -> None:
        """The five curves, each named at its right end."""
        paths = [self._path(area, at, errors[:, i], decades) for i in range(errors.shape[1])]
        drawn = [i for i, path in enumerate(paths) if path.size()]
        height = QRectF(0, 0, 1, font(CAPTION, scale=self.factor).pixelSize() * 1.15).height()
        ends = [paths[i].last() for i in drawn]
        places = _spread([end.y() for end in ends], height, area.top(), area.bottom())
        for i, end, y in zip(drawn, ends, places, strict=True):
            painter.setPen(QPen(self.shade(i), 1.75 * self.factor))
            painter.drawPolyline(paths[i])
            x = area.right() + 8 * self.factor
            painter.setPen(QPen(self.shade(i), 1.0))
            painter.drawLine(end, QPointF(x - 2, y))
            self.write(painter, QRectF(x, y - height / 2, self.width() - x, height), f"{ERROR_SIGMAS[i]:g}")

    def _grid(self, painter: QPainter, area: QRectF, decades: tuple[int, int], *, labelled: bool) -> None:
        """Horizontal lines at decades, each with its power of ten, as many as there is room for."""
        low, high = decades
        room = area.height() / (high - low)
        every = max(1, math.ceil((18 if labelled else 30) * self.factor / room))
        for power in range(high, low - 1, -1):
            if (high - power) % every:
                continue
            y = round(area.bottom() - (power - low) / (high - low) * area.height()) + 0.5
            painter.setPen(self.theme.colour("rule"))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            self._power(painter, area.left() - 4 * self.factor, y, power)

    def _power(self, painter: QPainter, right: float, y: float, power: int) -> None:
        """A power of ten, ending at `right` and centred on y; 1, 10 and 0.1 are written out."""
        height = 20 * self.factor
        if -1 <= power <= 1:
            self.write(painter, QRectF(0, y - height / 2, right, height), f"{10.0**power:g}", RIGHT, role="quiet")
            return
        exponent = ("−" if power < 0 else "") + str(abs(power))
        wide = self.advance(exponent, 9)
        box = QRectF(right - wide, y - height / 2 - 4 * self.factor, wide + 2, height)
        self.write(painter, box, exponent, LEFT, role="quiet", pixels=9)
        self.write(painter, QRectF(0, y - height / 2, right - wide - 1, height), "10", RIGHT, role="quiet")

    def _times(self, painter: QPainter, area: QRectF) -> None:
        """The horizontal axis: ticks at 1, 2, 5 of each decade, names at its powers of ten."""
        low, high = self._range
        height = 16 * self.factor
        free = self.width() - self._axis.sizeHint().width() - 4
        for power in range(math.floor(low), math.ceil(high) + 1):
            for digit in range(1, 10):
                value = digit * 10.0**power
                if not low - 1e-9 <= math.log10(value) <= high + 1e-9:
                    continue
                x = float(self._across(area, np.array([value]))[0])
                painter.setPen(self.theme.colour("quiet" if digit == 1 else "rule"))
                painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + (4 if digit == 1 else 2)))
                text = f"{value:g}" if value < 10_000 else f"{value / 1000:g}k"
                if digit == 1 and x + self.advance(text) / 2 < free:
                    box = QRectF(x - 30, area.bottom() + 4, 60, height)
                    self.write(painter, box, text, CENTRE, role="quiet")

    def _captions(self, painter: QPainter, upper: QRectF, lower: QRectF) -> None:
        """What each plot shows, and how fast training goes."""
        frame = self.frame
        line = upper.top() - 4 * self.factor
        speed = "" if frame and frame.training else "paused"
        if frame and frame.steps_per_second > 0:
            speed = f"{three(frame.steps_per_second)} steps/s"
        wide = self.advance(speed) + 2
        full = "relative Fisher error at σ"
        short = "Fisher error"
        for text in (full, "Fisher error at σ", short):
            if self.advance(text) < self.width() - wide - 12 * self.factor:
                break
        self.write(painter, QRectF(0, 0, self.width() - wide, line - 4), text, role="quiet")
        self.write(painter, QRectF(self.width() - wide, 0, wide, line - 4), speed, RIGHT, role="quiet")
        loss = f"loss {three(frame.loss)}" if frame and frame.loss_known else "loss"
        box = QRectF(lower.left(), upper.bottom(), lower.width(), lower.top() - upper.bottom() - 2)
        self.write(painter, box, loss, role="quiet")


def _axis_range(first: float, last: float) -> tuple[float, float]:
    """Decades from the first point to the last: the left end a whole decade, the right end 1, 2 or 5 of a decade."""
    low = math.floor(math.log10(max(first, 1e-3)))
    power = math.floor(math.log10(max(last, 1e-3)))
    steps = (math.log10(digit) + power for digit in (1, 2, 5, 10))
    high = next((end for end in steps if 10**end >= last * (1 - 1e-9)), power + 1.0)
    return float(low), max(high, low + 1.0)


def _decades(values: Floats) -> tuple[int, int]:
    """The whole decades around positive values, at least one."""
    low = math.floor(math.log10(values.min()) + 1e-9)
    high = math.ceil(math.log10(values.max()) - 1e-9)
    return low, max(high, low + 1)


def _spread(wanted: list[float], gap: float, top: float, bottom: float) -> list[float]:
    """Heights as near as possible to those wanted, at least `gap` apart, between top and bottom."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    places = list(wanted)
    edge = top - gap
    for i in order:
        places[i] = edge = max(places[i], edge + gap)
    edge = bottom + gap
    for i in reversed(order):
        places[i] = edge = min(places[i], edge - gap)
    return places


def _rich(value: float) -> str:
    """Three significant figures as rich text, a power of ten raised."""
    figures, _, power = three(value).partition("e")
    return f"{figures} · 10<sup>{power.replace('-', '−')}</sup>" if power else figures
