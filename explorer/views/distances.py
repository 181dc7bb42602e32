"""Distance to the truth while the particles move: one curve per pane, on a logarithmic axis.

The distance is the sliced Wasserstein W_2 between the particles and p_sigma at the pane's smallest sigma, in units of
the plane (`trainer.distances`), over the fraction of the run: panes of different length share the clock. Perfect draws
would not lie at 0 but at a distance that falls like one over the root of their number. It is known for a density
blurred by Gaussian noise alone; for another kernel the view says so.

All curves have the ink of particles, from light to deep in the panes' order, and carry their names at their ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from explorer.engine.messages import Frame, PaneState, Want
from explorer.numbers import three
from explorer.panes import pane_names
from explorer.theme import CAPTION
from explorer.views.axes import Floats, decades, spread
from explorer.views.chart import CENTRE, LEFT, RIGHT, Chart, blend
from trainer.settings import KernelName
from trainer.words import WORDS

if TYPE_CHECKING:
    from explorer.document import Document
    from explorer.edits import Change
    from explorer.tables import Table


class DistancesView(Chart):
    """The distance to the truth over the run, of every pane."""

    shows_particles = True

    wants: frozenset[Want] = frozenset({"distances"})

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kernel: KernelName = "gaussian"
        self.setAccessibleName("Distance to the truth over the run")
        self.setMinimumSize(160, 120)

    def show_document(self, document: Document, change: Change) -> None:
        """Know which noise is added, for whether there can be a curve."""
        if document.fit.kernel != self.kernel:
            self.kernel = document.fit.kernel
            self.update()

    @property
    def states(self) -> tuple[PaneState, ...]:
        """The panes of the frame."""
        return self.frame.pane_states if self.frame is not None else ()

    def show_frame(self, frame: Frame) -> None:
        """Draw this frame's curves, if they are others."""
        before, self.frame = self.frame, frame
        if before is None or _curves(before) != _curves(frame) or self._key(before) != self._key(frame):
            self.update()
        self.describe()

    @staticmethod
    def _key(frame: Frame) -> tuple[object, ...]:
        return frame.released, pane_names(frame.pane_states)

    def text(self) -> str:
        """The newest distance of every pane, in words."""
        parts = [
            f"{name}: {three(float(state.distances[-1]))}"
            for name, state in zip(pane_names(self.states), self.states, strict=True)
            if state.distances.size
        ]
        return "; ".join(parts)

    def hint(self, x: float) -> str:
        """All panes' distances at this place, one a line (rich text)."""
        area = self._area()
        at = min(max((x - area.left()) / area.width(), 0.0), 1.0)
        lines = []
        for name, state in zip(pane_names(self.states), self.states, strict=True):
            if state.distances.size:
                index = int(np.argmin(np.abs(state.distance_times - at)))
                lines.append(f"{name}: {three(float(state.distances[index]))}")
        if not lines:
            return self.waiting()
        head = f"<b>Sliced Wasserstein distance W<sub>2</sub>, {100 * at:.0f} % of the run</b>"
        return "<br>".join([head, *lines])

    def table(self) -> Table:
        """The curves for a file: a row for each moment, a column for each pane; no rows while nothing is measured."""
        names = pane_names(self.states)
        times = sorted({float(time) for state in self.states for time in state.distance_times})
        known = [dict(zip(state.distance_times.tolist(), state.distances, strict=True)) for state in self.states]
        header = ["fraction of the run", *(f"W2 to the truth {name}" for name in names)]
        return header, [[time, *(values.get(time) for values in known)] for time in times]

    def shade(self, index: int) -> QColor:
        """The colour of one pane's curve."""
        amount = 0.6 * index / max(len(self.states) - 1, 1)
        return blend(self.theme.colour("particles"), self.theme.colour("ink"), amount)

    # --- drawing

    def _area(self) -> QRectF:
        """The plot's inner rectangle; names of curves stand to its right."""
        k = self.factor
        names = pane_names(self.states)
        wide = max((self.advance(name) for name in names), default=0) + 16 * k
        left, line = self.advance("0.001") + 8 * k, 20 * k
        right = min(wide, 0.48 * self.width())
        return QRectF(
            left, line + 4 * k, max(20.0, self.width() - left - right), max(20.0, self.height() - 2 * line - 8 * k)
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw axes, curves and their names; without measurements, say what to do."""
        with QPainter(self) as painter:
            known = [np.asarray(state.distances, float) for state in self.states]
            values = np.concatenate(known) if known else np.zeros(0)
            if not (values > 0).any():
                self.say(painter, self.waiting())
            else:
                self._draw(painter, self._area(), values)
            self.focus_mark(painter)

    def waiting(self) -> str:
        """What the chart waits for while it has no curve, or why it will have none."""
        if self.kernel != "gaussian":
            return (
                f"The distance to the truth is known for Gaussian noise, not for {WORDS['kernel'][self.kernel]} noise"
            )
        if any(not state.note for state in self.states):
            return "Measuring the distance to the truth"
        return "Release the particles to see how near they come to the truth"

    def _draw(self, painter: QPainter, area: QRectF, values: Floats) -> None:
        k = self.factor
        low, high = self._range(values)
        self.write(painter, QRectF(0, 0, self.width(), 18 * k), "sliced W₂ over the run", role="quiet")
        self._axes(painter, area, low, high)
        ends = {}
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for i, state in enumerate(self.states):
            seen = state.distances > 0
            if not seen.any():
                continue
            x = area.left() + state.distance_times[seen].astype(float) * area.width()
            up = (np.log10(state.distances[seen].astype(float)) - low) / (high - low)
            y = area.bottom() - up.clip(0, 1) * area.height()
            painter.setPen(QPen(self.shade(i), 2 * k))
            painter.drawPolyline(QPolygonF([QPointF(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]))
            ends[i] = QPointF(float(x[-1]), float(y[-1]))
        gap = 15 * k
        places = spread([end.y() for end in ends.values()], gap, area.top() + 4 * k, area.bottom() - 4 * k)
        names = pane_names(self.states)
        for (i, end), y in zip(ends.items(), places, strict=True):
            # A leader from the curve's end to its name, which stands at the right even while the run is under way.
            painter.setPen(QPen(self.theme.colour("rule"), k))
            painter.drawLine(end, QPointF(area.right() + 6 * k, y))
            box = QRectF(area.right() + 8 * k, y - gap / 2, self.width() - area.right() - 8 * k, gap)
            self.write(painter, box, names[i], LEFT)

    @staticmethod
    def _range(values: Floats) -> tuple[float, float]:
        """Decimal logarithms of the axis's ends: whole decades, but no more than half of one of them empty."""
        first, last = decades(values)
        half = np.log10(3.0)
        low = first + half if float(values[values > 0].min()) >= 10 ** (first + half) else float(first)
        high = last - 1 + half if float(values.max()) <= 10 ** (last - 1 + half) else float(last)
        return (low, high) if high > low else (float(first), float(last))

    def _axes(self, painter: QPainter, area: QRectF, low: float, high: float) -> None:
        """A rule at each 1 and 3 of a decade, and the run's ends below."""
        k = self.factor
        for power in range(int(np.floor(low)), int(np.ceil(high)) + 1):
            for digit in (1, 3):
                at = power + np.log10(digit)
                if not low - 1e-9 <= at <= high + 1e-9:
                    continue
                y = area.bottom() - (at - low) / (high - low) * area.height()
                painter.setPen(QPen(self.theme.colour("rule"), 1))
                painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
                box = QRectF(0, y - 8 * k, area.left() - 6 * k, 16 * k)
                self.write(painter, box, f"{10.0**power * digit:g}", RIGHT, role="quiet", pixels=CAPTION)
        y = area.bottom() + 4 * k
        for part, words, align in ((0.0, "start", LEFT), (0.5, "half", CENTRE), (1.0, "end", RIGHT)):
            wide = area.width() / 3
            box = QRectF(area.left() + part * area.width() - part * wide, y, wide, 16 * k)
            self.write(painter, box, words, align, role="quiet")


def _curves(frame: Frame) -> list[tuple[int, float]]:
    """What tells two frames' curves apart: how many points each has, and the last of them."""
    return [(s.distances.size, float(s.distances[-1]) if s.distances.size else 0.0) for s in frame.pane_states]
