"""What stands under a pane: its shares, its distance to the truth over the run, and what moves its particles.

Three lines, all of them below the plane, so that nothing lies over the particles:

1. the bar of shares (`explorer.views.sharebar`), and beside it a line of the distance so far;
2. the shares in numbers, and the distance as it is now;
3. what the run is made on: whose score, of which training step, and how far its table is from it.

The distance is the sliced Wasserstein W_2 of `explorer.views.distances`. Its line runs from the start of the run at the
left to its end at the right; upwards the axis is logarithmic and the same in every pane, from the smallest distance
that any of them has reached to the largest, one decade at least: heights can be compared. The dotted line is the floor,
where draws of the truth itself would lie. A square too narrow for a line keeps the number, and one too narrow for that
asks for no distance at all, since measuring it costs time.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QWidget

from explorer.engine.messages import Frame, PaneState
from explorer.numbers import three
from explorer.theme import CAPTION, CONTROL
from explorer.views.chart import LEFT, RIGHT
from explorer.views.ledger import rows, same_ledger
from explorer.views.particles import ParticleView
from explorer.views.sharebar import MOST, ShareBar

SYMBOL = "W₂"

HEIGHT, _LINE = 52, 16
"""Of all three lines, and of each, at scale 1."""

_RAISED = 2
"""The bar of shares stands so much higher than it does alone."""

_GAP = 8
_PART = 0.36
"""The line's share of the width, where the shares in figures leave as much."""

_NARROWEST, _NARROWEST_NUMBER = 200, 150
"""Pixels at scale 1 below which there is no room for the line, and none for the number."""


class PaneFoot(ShareBar):
    """The strip under a pane of particles; the view no longer writes on the plane what stands here."""

    def __init__(self, view: ParticleView, parent: QWidget | None = None) -> None:
        super().__init__(view.pane, parent)
        self.view = view
        self._measuring = False
        self._seen: tuple[object, ...] = ()
        view.foot = self

    def sizeHint(self) -> QSize:
        """As wide as there is room, three lines high."""
        return QSize(round(160 * self.factor), round(HEIGHT * self.factor))

    def minimumSizeHint(self) -> QSize:
        """Narrow enough for a small tile."""
        return QSize(80, round(HEIGHT * self.factor))

    # --- what it shows

    @property
    def measuring(self) -> bool:
        """Whether the distance shows, as a line or as a number, and is to be measured."""
        return self.width() >= _NARROWEST_NUMBER * self.factor

    @property
    def drawing(self) -> bool:
        """Whether there is room for the line."""
        return self.width() >= _NARROWEST * self.factor

    @property
    def state(self) -> PaneState | None:
        """The pane's state; None before the first release, and for a pane that cannot run."""
        frame, state = self.view.frame, self.view.state
        return state if frame is not None and frame.released and state is not None and not state.note else None

    @property
    def distance(self) -> float | None:
        """The newest distance to the truth, in units of the plane; None while it is not known."""
        state = self.state
        return float(state.distances[-1]) if state is not None and state.distances.size else None

    def show_frame(self, frame: Frame) -> None:
        """Draw this frame's shares and distances, if they are others; the view has been given it before."""
        seen = self.view.source(), self.view.title(), _curves(frame)
        if seen != self._seen or not same_ledger(self.frame, frame):
            self._seen = seen
            self.frame = frame
            name = f"Shares and distance to the truth, {self.view.title()}"
            if name != self.accessibleName():
                self.setAccessibleName(name)
            self.update()
            self.describe()

    def text(self) -> str:
        """Shares, distance and what moves the particles, in words."""
        distance, source = self.distance, self.view.source()
        words = [super().text()]
        if distance is not None and self.measuring:
            words.append(f"distance to the truth {SYMBOL} {three(distance)}")
        return "; ".join(filter(None, [*words, *source[:1]]))

    def hint(self, x: float) -> str:
        """The same, a line each, with the distance at the start and at its least (rich text)."""
        state = self.state
        lines = super().text().split("; ") if self.modes is not None else []
        if state is not None and not self.measuring:
            lines.append("Double-click the title: a larger square shows the distance to the truth.")
        elif state is not None and state.distances.size:
            first, least, last = (
                three(float(v)) for v in (state.distances[0], state.distances.min(), state.distances[-1])
            )
            lines.append(
                f"<b>Distance to the truth</b> W<sub>2</sub> = {last}; {first} at the start, {least} at its least"
            )
            if state.distance_floor.size:
                lines.append(f"As many draws of the truth itself: {three(float(state.distance_floor[0]))} (dotted)")
            if not self.drawing:
                lines.append("Double-click the title: a larger square draws it over the run.")
        elif state is not None:
            lines.append("The distance to the truth W<sub>2</sub> is not measured yet.")
        return "<br>".join([*lines, *self.view.source()[:1]])

    # --- drawing

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Ask for distances, or no longer, when there is room for them or not."""
        super().resizeEvent(event)
        self._ask()

    def set_scale(self, factor: float) -> None:
        """Draw type and marks this many times their size."""
        super().set_scale(factor)
        self._ask()

    def _ask(self) -> None:
        """Say so when the view wants distances, or no longer does."""
        if self.measuring != self._measuring:
            self._measuring = self.measuring
            self.view.wants_changed.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the three lines."""
        state = self.state
        with QPainter(self) as painter:
            k = self.factor
            wide = float(self.width())
            if state is not None and self.measuring:
                column = self._column()
                wide -= column + _GAP * k
                self._paint_distance(painter, QRectF(self.width() - column, 0, column, 2 * _LINE * k))
            painter.translate(0, -_RAISED * k)
            self.paint_shares(painter, wide)
            painter.translate(0, _RAISED * k)
            texts = self.view.source()
            if texts:
                text = next((t for t in texts if self.advance(t) <= self.width()), texts[-1])
                box = QRectF(0, (HEIGHT - _LINE) * k, self.width(), _LINE * k)
                self.write(painter, box, text, LEFT, role="quiet", pixels=CAPTION)
            self.focus_mark(painter)

    def _column(self) -> float:
        """The width of the line and of the number below it: more in a wide square, but the shares come first."""
        number = self.advance(f"{SYMBOL} ") + self.advance("0.0000", CONTROL, bold=True)
        if not self.drawing:
            return number
        shares = self.needed(len(rows(self.modes, MOST))) if self.modes is not None else 0.0
        return max(number, min(_PART * self.width(), self.width() - _GAP * self.factor - 2 - shares))

    def _paint_distance(self, painter: QPainter, box: QRectF) -> None:
        """The line so far with a dot at its end, and the number below."""
        k, state, distance = self.factor, self.state, self.distance
        number = QRectF(box.left(), (20 - _RAISED) * k, box.width(), 18 * k)
        value = three(distance) if distance is not None else "-"
        self.write(painter, number, value, RIGHT, pixels=CONTROL, bold=True)
        used = self.advance(value, CONTROL, bold=True)
        self.write(painter, number.adjusted(0, 0, -used, 0), f"{SYMBOL} ", RIGHT, role="quiet")
        if state is None or not self.drawing:
            return
        area = QRectF(box.left(), 2 * k, box.width() - 3 * k, (_LINE - 1) * k)
        painter.setPen(QPen(self.theme.colour("rule"), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        seen = state.distances > 0
        if not seen.any():
            return
        low, high = self._range()
        if state.distance_floor.size and float(state.distance_floor[0]) > 10**low:
            at = area.bottom() - (np.log10(float(state.distance_floor[0])) - low) / (high - low) * area.height()
            painter.setPen(QPen(self.theme.colour("quiet"), 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(area.left(), at), QPointF(area.right(), at))
        x = area.left() + state.distance_times[seen].astype(float) * area.width()
        y = area.bottom() - (np.log10(state.distances[seen].astype(float)) - low) / (high - low) * area.height()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink = self.theme.colour("particles")
        painter.setPen(QPen(ink, 1.5 * k))
        painter.drawPolyline(QPolygonF([QPointF(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawEllipse(QPointF(float(x[-1]), float(y[-1])), 2.5 * k, 2.5 * k)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _range(self) -> tuple[float, float]:
        """Decimal logarithms of the ends of the axis that all panes share."""
        states = self.view.frame.pane_states if self.view.frame is not None else ()
        values = np.concatenate([each for s in states for each in (s.distances, s.distance_floor)]).astype(float)
        values = values[values > 0]
        high = float(np.log10(values.max()))
        return min(float(np.log10(values.min())), high - 1), high


def _curves(frame: Frame) -> list[tuple[int, float]]:
    """What tells two frames' curves apart: how many points each has, and the last of them."""
    states = frame.pane_states
    return [(s.distances.size + s.distance_floor.size, float(s.distances[-1:].sum())) for s in states]
