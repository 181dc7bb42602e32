"""A race as curves: the common error of all racers above, and each one's own loss below.

The upper plot holds the relative Fisher error, the one measure that is the same for all (`explorer.views.racers`): its
geometric mean over the noise levels, or one level. Below, every racer's own loss has a plot and a scale of its own, for
losses of different objectives cannot be compared; the dashed line is its *floor*, the least that the loss can be on
average, so that what lies above it is what can still be learned. Losses that fall towards 0 stand on a logarithmic
scale, others on a linear one. Every point of a loss is the mean over what a pixel spans.

All share a logarithmic horizontal axis, steps or seconds of each racer's own.
"""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QWidget

from explorer.engine.frames import ERROR_SIGMAS, Frame, Race, Racer
from explorer.engine.messages import Want
from explorer.numbers import three
from explorer.tables import Table
from explorer.theme import CAPTION, Theme, font
from explorer.viewing import Viewing, ViewOptions
from explorer.views.axes import Floats, axis_range, decades, log_points, spread, tick_name
from explorer.views.chart import CENTRE, LEFT, RIGHT, Chart, WordButton
from explorer.views.curves import first_error
from explorer.views.racers import common_levels, error_curve, ink, paint_mark, pen, sentence

REDRAW = 100
"""Milliseconds between redraws at least."""

EMPTY = "Start the race to see who learns fastest"


def loss_scale(losses: Floats, floor: float | None) -> tuple[bool, float, float]:
    """Whether a loss is drawn logarithmically, and its ends: decimal logarithms then, else the values themselves.

    Logarithmic is for what falls towards 0. On a linear scale the first tenth of the run may leave the plot above.
    """
    if losses.size and losses.min() > 0 and (floor is None or floor <= 0):
        bottom, top = decades(losses)
        return True, float(bottom), float(top)
    later = losses[len(losses) // 10 :]
    ends = [float(np.quantile(later, 0.02)), float(np.quantile(later, 0.98))] if later.size else []
    ends += [] if floor is None else [floor]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    margin = max(0.12 * (high - low), 1e-6 * max(abs(low), abs(high)), 1e-12)
    return False, low - margin, high + margin


def pixel_means(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The mean of y (k,) within each whole pixel of x (k,), at the mean x; both (pixels with points,)."""
    column = np.floor(x).astype(int)
    column -= column.min(initial=0)
    count = np.bincount(column)
    filled = count > 0
    return tuple(np.bincount(column, weights=v)[filled] / count[filled] for v in (x, y))  # type: ignore[return-value]


class RaceCurvesView(Chart):
    """Who learns fastest. T changes between steps and seconds, S between the mean and single noise levels."""

    wants: frozenset[Want] = frozenset({"race"})

    axis_changed = Signal(bool)
    """Whether the axis is now in seconds."""

    def __init__(self, viewing: Viewing | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewing = viewing
        self.in_seconds = viewing.options.in_seconds if viewing else False
        self.level: int | None = None
        self._timer = QTimer(self, singleShot=True, interval=REDRAW)
        self._timer.timeout.connect(self.update)
        self._axis = WordButton("Horizontal axis: steps or seconds", self.toggle_axis, self)
        self._which = WordButton("Noise level of the error", self.next_level, self)
        self.setAccessibleName("Race: common error and own losses")
        self.setMinimumSize(160, 120)
        self._label()
        if viewing:
            viewing.changed.connect(self._options_changed)

    # --- what is shown

    @property
    def race(self) -> Race | None:
        """What races, None while nothing does."""
        race = self.frame.race if self.frame else None
        return race if race and race.racers else None

    def show_frame(self, frame: Frame) -> None:
        """Take the frame's curves; the picture follows within a tenth of a second."""
        self.frame = frame
        self.describe()
        if not self._timer.isActive():
            self._timer.start()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        super().set_theme(theme)
        self._label()

    def set_scale(self, factor: float) -> None:
        """Draw type and marks this many times their size."""
        super().set_scale(factor)
        self._label()

    def toggle_axis(self) -> None:
        """Change the horizontal axis between steps and seconds."""
        if self.viewing:
            self.viewing.set(in_seconds=not self.in_seconds)
        else:
            self.set_in_seconds(not self.in_seconds)

    def set_in_seconds(self, seconds: bool) -> None:
        """Draw against each racer's own seconds, or against steps."""
        if seconds != self.in_seconds:
            self.in_seconds = seconds
            self._label()
            self.update()
            self.axis_changed.emit(seconds)

    def next_level(self) -> None:
        """Show the error at the next noise level; after the last one, the mean over all."""
        known = common_levels(self.race) if self.race else list(range(len(ERROR_SIGMAS)))
        later = [level for level in known if self.level is None or level > self.level]
        self.set_level(later[0] if later else None)

    def set_level(self, level: int | None) -> None:
        """Show the error at `ERROR_SIGMAS[level]`, or the geometric mean over all levels."""
        self.level = level
        self._label()
        self.update()

    def levels(self) -> list[int]:
        """The noise levels that the error shown is the mean over."""
        known = common_levels(self.race) if self.race else []
        return known if self.level is None else [level for level in known if level == self.level]

    def text(self) -> str:
        """Every racer in words."""
        race = self.race
        return EMPTY if race is None else "\n".join(sentence(racer, self.levels()) for racer in race.racers)

    def table(self) -> Table:
        """All curves, a row for each moment of each racer: who, when, its own loss and floor, its errors."""
        header = ["racer", "step", "seconds", "own loss", "floor of own loss"]
        header += [f"relative Fisher error at sigma {sigma:g}" for sigma in ERROR_SIGMAS]
        rows: list[list[object]] = []
        for racer in self.race.racers if self.race else ():
            floor = racer.floor[0] if racer.floor.size else None
            none: list[object] = [None] * len(ERROR_SIGMAS)
            losses = zip(racer.curve_steps, racer.curve_seconds, racer.curve_loss, strict=True)
            found = [[racer.label, round(float(s)), t, loss, floor, *none] for s, t, loss in losses]
            errors = zip(racer.error_steps, racer.error_seconds, racer.errors, strict=True)
            found += [
                [racer.label, round(float(s)), t, None, None, *(e if e > 0 else None for e in row)]
                for s, t, row in errors
            ]
            rows += sorted(found, key=lambda row: (row[1], row[3] is None))
        return header, rows

    def _options_changed(self, options: ViewOptions) -> None:
        self.set_in_seconds(options.in_seconds)

    # --- geometry

    def areas(self) -> tuple[QRectF, list[QRectF]]:
        """The inner rectangles of the plots: the error's, and below one for each racer's loss."""
        racers = self.race.racers if self.race else ()
        line = font(CAPTION, scale=self.factor).pixelSize() + 6 * self.factor
        left = round(self.advance("0.01") + 8 * self.factor)
        names = max((self.advance(racer.label) for racer in racers), default=0.0) + 16 * self.factor
        right = round(min(names, 0.36 * self.width()))
        free = max(40.0, self.height() - 5 * line - 8)
        above = round(free * 0.64)
        upper = QRectF(left, round(line + 4), max(20, self.width() - left - right), above)
        count, gap = max(1, len(racers)), 8
        wide = (self.width() - (count - 1) * gap - 2) / count
        top = round(upper.bottom() + 3 * line + 4)
        lowers = [QRectF(round(1 + k * (wide + gap)), top, round(wide), round(free - above)) for k in range(count)]
        return upper, lowers

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the axis's label under the plot."""
        super().resizeEvent(event)
        self._label()

    def _label(self) -> None:
        self._axis.say_axis(self.in_seconds)
        self._which.say("mean over σ" if self.level is None else f"σ {ERROR_SIGMAS[self.level]:g}")
        self._which.setToolTip("Fisher error as the geometric mean over noise levels, or at one of them; click (S)")
        self._which.settle(0)
        self._axis.settle(self.areas()[0].bottom() + 2)

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw all plots from the frame."""
        with QPainter(self) as painter:
            race = self.race
            known = race is not None and any(racer.curve_loss.size for racer in race.racers)
            self._axis.setVisible(known)
            self._which.setVisible(known)
            if race is None or not known:
                self.say(painter, self.waiting())
            else:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                upper, lowers = self.areas()
                span = self._span(race)
                self._paint_errors(painter, upper, race, span)
                for index, (area, racer) in enumerate(zip(lowers, race.racers, strict=True)):
                    self._paint_loss(painter, area, index, racer, span)
            self.focus_mark(painter)

    def waiting(self) -> str:
        """What a plot without points waits for."""
        race = self.race
        if race is None:
            return "Choose two to five ways to learn on the drawer’s page “Race”"
        able = [racer for racer in race.racers if not racer.note]
        if not any(racer.curve_loss.size for racer in able):
            return "The first point comes with the first step" if race.running and able else EMPTY
        levels = self.levels()
        if levels or not any(racer.errors.size for racer in able):
            return first_error(max(racer.step for racer in able))
        return "No noise level is learned by all of them"

    def _times(self, racer: Racer) -> tuple[Floats, Floats]:
        """When errors and losses were, on the axis now chosen."""
        chosen = (
            (racer.error_seconds, racer.curve_seconds) if self.in_seconds else (racer.error_steps, racer.curve_steps)
        )
        return tuple(np.asarray(values, dtype=float) for values in chosen)  # type: ignore[return-value]

    def _span(self, race: Race) -> tuple[float, float]:
        times = np.concatenate([self._times(racer)[1] for racer in race.racers])
        times = times[times > 0]
        return axis_range(float(times.min(initial=1.0)), float(times.max(initial=1.0)))

    def _paint_errors(self, painter: QPainter, area: QRectF, race: Race, span: tuple[float, float]) -> None:
        levels = self.levels()
        curves = [error_curve(racer, levels) for racer in race.racers]
        low, high = decades(np.concatenate([*curves, np.zeros(0)]))
        high = max(min(high, 1), low + 1)
        name = "relative Fisher error" if self.width() > 300 * self.factor else "Fisher error"
        self.write(painter, QRectF(0, 0, self._which.x() - 4, area.top() - 4), name, role="quiet")
        measured = any((values > 0).any() for values in curves)
        self._grid(painter, area, span, (low, high) if measured else None)
        ends: list[tuple[int, float]] = []
        for index, (racer, values) in enumerate(zip(race.racers, curves, strict=True)):
            x, y = log_points(self._times(racer)[0], values, span, area.width())
            if not x.size:
                continue
            across = area.left() + (x - span[0]) / (span[1] - span[0]) * area.width()
            down = area.bottom() - (np.clip(y, low, high) - low) / (high - low) * area.height()
            self._line(painter, across, down, pen(self.theme, index, 1.8 * self.factor))
            paint_mark(painter, self.theme, index, QPointF(across[-1], down[-1]), 3.5 * self.factor)
            ends.append((index, float(down[-1])))
        if not measured:
            self.say(painter, self.waiting(), area)
        line = font(CAPTION, scale=self.factor).pixelSize() + 2 * self.factor
        places = spread([height for _, height in ends], line, area.top(), area.bottom() + line / 2)
        for (index, _), height in zip(ends, places, strict=True):
            at = area.right() + 8 * self.factor
            paint_mark(painter, self.theme, index, QPointF(at, height), 3 * self.factor)
            box = QRectF(at + 6 * self.factor, height - line / 2, self.width() - at - 6 * self.factor, line)
            self.write(painter, box, race.racers[index].label)

    def _grid(
        self, painter: QPainter, area: QRectF, span: tuple[float, float], heights: tuple[int, int] | None
    ) -> None:
        """Whole decades as thin rules, with their numbers at the left and below; no heights while none is known."""
        line = font(CAPTION, scale=self.factor).pixelSize() + 4 * self.factor
        low, high = heights or (0, -1)
        step = max(1, math.ceil((high - low) * line / area.height()))
        for power in range(low, high + 1):
            y = area.bottom() - (power - low) / (high - low) * area.height()
            self._rule(painter, area.left(), y, area.right(), y)
            if (high - power) % step == 0:
                text = f"{10.0**power:g}" if -3 < power < 2 else f"1e{power}".replace("-", "−")
                self.write(painter, QRectF(0, y - line / 2, area.left() - 4, line), text, RIGHT, role="quiet")
        wide = self.advance("1000") + 8
        limit = self._axis.x()
        for power in range(math.ceil(span[0] - 1e-9), math.floor(span[1] + 1e-9) + 1):
            x = area.left() + (power - span[0]) / (span[1] - span[0]) * area.width()
            self._rule(painter, x, area.top(), x, area.bottom())
            if x + wide / 2 < limit:
                box = QRectF(x - wide / 2, area.bottom() + 2, wide, line)
                self.write(painter, box, tick_name(10.0**power), CENTRE, role="quiet")

    def _paint_loss(self, painter: QPainter, area: QRectF, index: int, racer: Racer, span: tuple[float, float]) -> None:
        """One racer's own loss on its own scale, its floor dashed."""
        line = font(CAPTION, scale=self.factor).pixelSize() + 6 * self.factor
        radius = 3 * self.factor
        head = QRectF(area.left(), area.top() - 2 * line, area.width(), line)
        paint_mark(painter, self.theme, index, QPointF(head.left() + radius, head.center().y()), radius)
        own = f"{racer.label}: own loss"
        title = own if self.advance(own) < head.width() - 3 * radius else racer.label
        self.write(painter, head.adjusted(3 * radius, 0, 0, 0), title)
        painter.setPen(QPen(self.theme.colour("rule"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(area)
        losses = np.asarray(racer.curve_loss, dtype=float)
        if racer.note or not losses.size:
            self.write(painter, head.translated(0, line), "stands still" if racer.note else "", LEFT, role="quiet")
            return
        floor = float(racer.floor[0]) if racer.floor.size else None
        now = three(float(losses[-16:].mean()))
        short = f"{float(losses[-16:].mean()):.1g}".replace("-", "−").replace("e−0", "e−")
        figures = (f"{now}, floor {'not known' if floor is None else three(floor)}", now, short)
        figure = next((text for text in figures if self.advance(text) <= head.width()), short)
        self.write(painter, head.translated(0, line), figure, role="quiet")
        logarithmic, low, high = loss_scale(losses, floor)
        at = self._times(racer)[1]
        keep = at > 0
        across = (np.log10(at[keep]) - span[0]) / (span[1] - span[0]) * area.width()
        heights = np.log10(losses[keep]) if logarithmic else losses[keep]
        painter.save()
        painter.setClipRect(area)
        if floor is not None:
            base = area.bottom() - (1 if logarithmic else (floor - low) / (high - low) * area.height())
            dashed = QPen(self.theme.colour("ink"), 1.2 * self.factor)
            dashed.setDashPattern([4, 3])
            painter.setPen(dashed)
            painter.drawLine(QPointF(area.left(), base), QPointF(area.right(), base))
        if across.size:
            x, y = pixel_means(across, heights)
            solid = QPen(ink(self.theme, index), 1.5 * self.factor)
            self._line(painter, area.left() + x, area.bottom() - (y - low) / (high - low) * area.height(), solid)
        painter.restore()

    def _line(self, painter: QPainter, x: Floats, y: Floats, line: QPen) -> None:
        painter.setPen(line)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF([QPointF(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]))

    def _rule(self, painter: QPainter, x0: float, y0: float, x1: float, y1: float) -> None:
        painter.setPen(QPen(self.theme.colour("rule"), 1))
        painter.drawLine(QPointF(round(x0) + 0.5, round(y0) + 0.5), QPointF(round(x1) + 0.5, round(y1) + 0.5))

    # --- hands

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """T changes the horizontal axis, S the noise level."""
        if event.key() == Qt.Key.Key_T and not event.modifiers():
            self.toggle_axis()
        elif event.key() == Qt.Key.Key_S and not event.modifiers():
            self.next_level()
        else:
            super().keyPressEvent(event)
