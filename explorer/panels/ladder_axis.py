"""A ladder drawn on a logarithmic axis of sigma: each level a point, moved by mouse or keys.

Two strips share the axis. In the upper one a level's height is its number of steps, in the lower one its relative step
epsilon / (2 sigma^2), with a line where steps begin to overshoot. Both are logarithmic. A level that is predicted to be
unstable is a triangle in the colour of a warning in both strips.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF

from explorer.ladders import (
    HIGHEST,
    LOWEST,
    MOST_STEPS,
    Outlook,
    Rungs,
    added,
    between,
    relative_step,
    removed,
    with_epsilon,
    with_sigma,
    with_steps,
)
from explorer.numbers import three
from explorer.theme import UNIT
from explorer.views.chart import CENTRE, LEFT, RIGHT, Chart

Key = Qt.Key

_STEPS = (1.0, float(MOST_STEPS))
_RELATIVE = (1e-3, 10.0)
_NEAR = 10
"""Pixels from a point within which the mouse takes it."""
_FACTOR = 1.05
"""What one press of an arrow key does to a number; ten times as much with Ctrl."""


class LadderAxis(Chart):
    """The levels as points. Whatever a hand does changes the ladder at once and says so."""

    moved = Signal(object)
    """The ladder (a tuple of `Rung`s) while it is dragged."""
    edited = Signal(object)
    """The ladder after an edit is complete."""
    chosen = Signal(int)
    """The index of the level that edits go to."""

    def __init__(self) -> None:
        super().__init__()
        self.rungs: Rungs = ()
        self.selected = 0
        self._outlooks: tuple[Outlook, ...] = ()
        self._span = (0.01, 1.0)
        self._strip = ""
        self._held = False
        self._before: Rungs = ()  # the ladder when the hand took a level
        self.setAccessibleName("Ladder of noise levels")
        self.setToolTip(
            "Drag a level: along σ, its steps (above) or its step size (below). Double click adds one, Delete removes "
            "it. Keys: left and right choose, up and down change steps, with Shift σ and step size"
        )

    def show_rungs(self, rungs: Rungs) -> None:
        """Draw this ladder, largest sigma first; emits nothing."""
        self.rungs = rungs
        self._outlooks = ()
        self.selected = min(self.selected, len(rungs) - 1)
        if not self._held:
            self._span = _decades(rungs)
        self._tell()

    def show_outlooks(self, outlooks: tuple[Outlook, ...]) -> None:
        """Flag the levels that are not stable; outlooks of another ladder are ignored."""
        if len(outlooks) == len(self.rungs):
            self._outlooks = outlooks
            self._tell()

    def select(self, index: int) -> None:
        """Let edits go to this level."""
        index = min(max(index, 0), len(self.rungs) - 1)
        if index != self.selected:
            self.selected = index
            self._tell()
            self.chosen.emit(index)

    def unstable(self, index: int) -> bool:
        """Whether the level is predicted to overshoot or diverge."""
        return index < len(self._outlooks) and self._outlooks[index].verdict != "stable"

    def text(self) -> str:
        """The level that is chosen, in words."""
        if not self.rungs:
            return ""
        rung = self.rungs[self.selected]
        flag = f", {self._outlooks[self.selected].verdict}" if self.unstable(self.selected) else ""
        return (
            f"level {self.selected + 1} of {len(self.rungs)}: sigma = {three(rung.sigma)}, {rung.steps:,} steps, "
            f"epsilon = {three(rung.epsilon)}{flag}"
        )

    def hint(self, x: float) -> str:
        """What the axis is for."""
        return self.toolTip()

    def sizeHint(self) -> QSize:
        """Two strips and the numbers below."""
        return QSize(round(264 * self.factor), round(208 * self.factor))

    def minimumSizeHint(self) -> QSize:
        """Room for the numbers of both strips."""
        return QSize(round(200 * self.factor), round(176 * self.factor))

    # --- places -------------------------------------------------------------------------------------------

    def point_of(self, index: int, strip: str = "steps") -> QPointF:
        """Where the point of a level is drawn, in the strip of "steps" or of the "epsilon"."""
        rung = self.rungs[index]
        box = self._box(strip)
        low, high = _STEPS if strip == "steps" else _RELATIVE
        value = rung.steps if strip == "steps" else relative_step(rung)
        part = math.log(min(max(value, low), high) / low) / math.log(high / low)
        return QPointF(self._x(rung.sigma), box.bottom() - part * box.height())

    def _box(self, strip: str) -> QRectF:
        k = self.factor
        left, right = 40 * k, self.width() - UNIT * k
        top, bottom = 24 * k, self.height() - 24 * k
        gap = 24 * k
        middle = top + (bottom - top - gap) * 0.58
        if strip == "steps":
            return QRectF(left, top, right - left, middle - top)
        return QRectF(left, middle + gap, right - left, bottom - middle - gap)

    def _x(self, sigma: float) -> float:
        box, (low, high) = self._box("steps"), self._span
        return box.left() + box.width() * math.log(sigma / low) / math.log(high / low)

    def _sigma(self, x: float) -> float:
        box, (low, high) = self._box("steps"), self._span
        return float(low * (high / low) ** ((x - box.left()) / box.width()))

    def _value(self, strip: str, y: float) -> float:
        box = self._box(strip)
        low, high = _STEPS if strip == "steps" else _RELATIVE
        part = min(max((box.bottom() - y) / box.height(), 0.0), 1.0)
        return float(low * (high / low) ** part)

    # --- hands --------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the nearest point."""
        if event.button() != Qt.MouseButton.LeftButton or not self.rungs:
            return
        found = self._at(event.position())
        if found is not None:
            index, self._strip = found
            self.select(index)
            self._held, self._before = True, self.rungs

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move what is held: along sigma, and up or down."""
        if not self._held:
            self.setCursor(Qt.CursorShape.ArrowCursor if self._at(event.position()) is None else _HAND)
            return
        at = event.position()
        rungs = with_sigma(self.rungs, self.selected, _rounded(self._sigma(at.x())))
        value = self._value(self._strip, at.y())
        if self._strip == "steps":
            rungs = with_steps(rungs, self.selected, value)
        else:
            rungs = with_epsilon(rungs, self.selected, _rounded(2 * value * rungs[self.selected].sigma ** 2))
        if rungs != self.rungs:
            self.show_rungs(rungs)
            self.moved.emit(rungs)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go: the edit is complete, if anything was moved."""
        if self._held and event.button() == Qt.MouseButton.LeftButton:
            self._held = False
            self.show_rungs(self.rungs)
            if self.rungs != self._before:
                self.edited.emit(self.rungs)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Add a level where there is none."""
        if event.button() == Qt.MouseButton.LeftButton and self.rungs and self._at(event.position()) is None:
            self.add(_rounded(self._sigma(event.position().x())))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose, move, add and remove levels."""
        if not self.rungs:
            super().keyPressEvent(event)
            return
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        factor = _FACTOR ** (10 if event.modifiers() & Qt.KeyboardModifier.ControlModifier else 1)
        i, rung = self.selected, self.rungs[self.selected]
        match event.key(), shift:
            case Key.Key_Left, False:
                self.select(i + 1)
            case Key.Key_Right, False:
                self.select(i - 1)
            case Key.Key_Home, _:
                self.select(len(self.rungs) - 1)
            case Key.Key_End, _:
                self.select(0)
            case (Key.Key_Left | Key.Key_Right) as key, True:
                self._change(with_sigma(self.rungs, i, rung.sigma * _either(factor, key == Key.Key_Right)))
            case (Key.Key_Up | Key.Key_Down) as key, True:
                self._change(with_epsilon(self.rungs, i, rung.epsilon * _either(factor, key == Key.Key_Up)))
            case (Key.Key_Up | Key.Key_Down) as key, False:
                step = max(1, round(rung.steps * (factor - 1))) * (1 if key == Key.Key_Up else -1)
                self._change(with_steps(self.rungs, i, rung.steps + step))
            case ((Key.Key_Delete | Key.Key_Backspace), _):
                self._change(removed(self.rungs, i))
            case ((Key.Key_Insert | Key.Key_Plus), _):
                self.add(between(self.rungs, i))
            case _:
                super().keyPressEvent(event)

    def add(self, sigma: float) -> None:
        """Put a level at sigma and choose it."""
        rungs, index = added(self.rungs, sigma)
        changed = rungs != self.rungs
        if changed:
            self.show_rungs(rungs)
        self.select(index)
        if changed:
            self.edited.emit(rungs)

    def _change(self, rungs: Rungs) -> None:
        if rungs != self.rungs:
            self.show_rungs(rungs)
            self.edited.emit(rungs)

    def _at(self, place: QPointF) -> tuple[int, str] | None:
        """The level and the strip of the point at a place."""
        reach = _NEAR * self.factor
        near: tuple[float, int, str] | None = None
        for strip in ("steps", "epsilon"):
            for index in range(len(self.rungs)):
                away = self.point_of(index, strip) - place
                length = math.hypot(away.x(), away.y())
                if length <= reach and (near is None or length < near[0]):
                    near = (length, index, strip)
        return None if near is None else near[1:]

    # --- drawing ------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw both strips and the axis."""
        with QPainter(self) as painter:
            if not self.rungs:
                self.say(painter, "no ladder")
                return
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._axes(painter)
            steps, relative = (self._box(strip) for strip in ("steps", "epsilon"))
            at = [self.point_of(i, "steps") for i in range(len(self.rungs))]
            painter.setPen(QPen(self.theme.colour("rule"), max(1.0, 2 * self.factor)))
            painter.drawLines([each for p in at for each in (QPointF(p.x(), steps.bottom()), p)])
            low = [self.point_of(i, "epsilon") for i in range(len(self.rungs))]
            painter.setPen(QPen(self.theme.colour("quiet"), 1))
            painter.drawPolyline(QPolygonF(low))
            limit = relative.bottom() - relative.height() * 0.75  # x = 1 on 0.001 .. 10
            painter.setPen(QPen(self.theme.colour("warning"), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(relative.left(), limit), QPointF(relative.right(), limit))
            size = 4.0 if len(self.rungs) <= 40 else 2.5
            order = [i for i in range(len(self.rungs)) if i != self.selected] + [self.selected]
            for index in order:
                for points in (at, low):
                    self._mark(painter, points[index], index, size * self.factor)
            self.focus_mark(painter)

    def _mark(self, painter: QPainter, place: QPointF, index: int, size: float) -> None:
        """A level's point: filled where it is chosen, a triangle in the warning's ink where it is unstable."""
        warned, chosen = self.unstable(index), index == self.selected
        ink = self.theme.colour("warning" if warned else "ink")
        painter.setPen(QPen(ink, 1.5 * self.factor))
        painter.setBrush(ink if chosen else self.theme.colour("surface"))
        size *= 1.5 if chosen else 1.0
        if warned:
            up, side = QPointF(0, -1.3 * size), QPointF(1.2 * size, 0.9 * size)
            painter.drawPolygon(QPolygonF([place + up, place + side, place + QPointF(-side.x(), side.y())]))
        else:
            painter.drawEllipse(place, size, size)

    def _axes(self, painter: QPainter) -> None:
        k = self.factor
        for strip, title, ticks in (
            ("steps", "steps at each level", ((1, "1"), (10, "10"), (100, "100"), (1000, "1k"), (10_000, "10k"))),
            ("epsilon", "step size ε / 2σ²", ((1e-3, "0.001"), (0.1, "0.1"), (1, "1"))),
        ):
            box = self._box(strip)
            low, high = _STEPS if strip == "steps" else _RELATIVE
            self.write(painter, QRectF(box.left(), box.top() - 20 * k, box.width(), 16 * k), title, LEFT, role="quiet")
            for value, word in ticks:
                y = box.bottom() - box.height() * math.log(value / low) / math.log(high / low)
                place = QRectF(0, y - 8 * k, box.left() - 6 * k, 16 * k)
                self.write(painter, place, word, RIGHT, role="quiet")
                painter.setPen(QPen(self.theme.colour("rule"), 1, Qt.PenStyle.DotLine))
                painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
        self._numbers(painter)

    def _numbers(self, painter: QPainter) -> None:
        """1, 2 and 5 of every decade of sigma below the lower strip, while they keep their distance."""
        k, (low, high) = self.factor, self._span
        box = self._box("epsilon")
        symbol = self.advance("σ") + 4 * k
        taken = -math.inf
        self.write(painter, QRectF(box.left() - 24 * k, box.bottom() + 4 * k, symbol, 16 * k), "σ", LEFT, role="quiet")
        for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
            for digit in (1, 2, 5):
                sigma = float(f"{digit}e{power}")
                if not low * 0.999 <= sigma <= high * 1.001:
                    continue
                word = f"{sigma:g}"
                wide = self.advance(word) + 4
                left = min(max(self._x(sigma) - wide / 2, box.left() - 8 * k), self.width() - wide)
                if left > taken:
                    self.write(painter, QRectF(left, box.bottom() + 4 * k, wide, 16 * k), word, CENTRE, role="quiet")
                    taken = left + wide + 6 * k

    def _tell(self) -> None:
        self.update()
        self.describe()


_HAND = Qt.CursorShape.PointingHandCursor


def _decades(rungs: Rungs) -> tuple[float, float]:
    """The axis: from 1, 2 or 5 of a decade to another, with room beyond both ends of the ladder."""
    low, high = rungs[-1].sigma / 1.25, rungs[0].sigma * 1.25
    ends = [digit * 10.0**power for power in range(-4, 2) for digit in (1, 2, 5)]
    below = max((end for end in ends if end <= low), default=LOWEST / 2)
    return below, min((end for end in ends if end >= high), default=2 * HIGHEST)


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def _either(factor: float, up: bool) -> float:
    return factor if up else 1 / factor
