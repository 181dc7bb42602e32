"""A score field as arrows over the density: the learned one, or the true one.

**How long, how dark.** Scores span decades, so an arrow's length is a compressive function of its magnitude |s|,

    length = (9/10 of a lattice cell) * |s| / (|s| + s_half),

half the full length at |s| = s_half; opacity grows with the same fraction, in eight classes from 0.6 to 1. s_half is
the lower quartile of the *true* field's magnitudes over the lattice, to two figures, and serves both fields of a frame:
equal arrows are equal scores in both views, and training cannot make the scale flicker. The view states s_half.

All arrows of a class go to `QPainter.drawLines` in one call, straight from a numpy array: a QLineF is four doubles
(x1, y1, x2, y2), so that a contiguous (k, 4) float64 array is an array of k of them.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from explorer.engine.messages import Frame
from explorer.numbers import three
from explorer.views.plane import PlaneRange, PlaneView, pair

FULL = 0.9
"""The longest arrow, as a share of a lattice cell."""

CLASSES = 8
"""How many opacities there are."""

FAINTEST = 0.6
"""The opacity of the shortest arrows."""

_BARB = 0.42
"""Length of each side of the head over the arrow's length, and at most `_BARB_CELL` cells."""
_BARB_CELL = 0.28
_BARB_ANGLE = math.radians(27)


def half_length_score(true: NDArray[np.float32]) -> float:
    """Give s_half of a frame: the lower quartile of the finite magnitudes of `true` (n, n, 2); 1 if all are 0."""
    magnitude = np.hypot(true[..., 0], true[..., 1])
    magnitude = magnitude[np.isfinite(magnitude)]
    quartile = float(np.quantile(magnitude, 0.25)) if magnitude.size else 0.0
    return float(f"{quartile:.1e}") if quartile > 1e-12 else 1.0


def arrow_segments(
    field: NDArray[np.float32],
    s_half: float,
    centre: tuple[float, float],
    half_width: float,
    mapping: tuple[float, float, float],
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The straight pieces of all arrows of a field, in pixels, sorted by opacity class.

    Args:
        field: (n, n, 2) scores on the cell centres of the square range, row 0 at the bottom; others than finite ones
            are left out.
        s_half: the magnitude that is drawn at half length.
        centre: the middle of the range that the field lies on.
        half_width: half its side.
        mapping: (u, ox, oy) with px = ox + u x and py = oy - u y.

    Returns:
        Segments (3 k, 4) as x1, y1, x2, y2, three for each arrow (shaft and two sides of the head), and where each
        class begins: (CLASSES + 1,), the last one the number of segments.
    """
    n = len(field)
    unit, ox, oy = mapping
    cell = 2 * half_width / n * unit
    steps = (np.arange(n) + 0.5) * cell
    left, bottom = ox + unit * (centre[0] - half_width), oy - unit * (centre[1] - half_width)
    flat = field.reshape(-1, 2).astype(np.float64)
    magnitude = np.hypot(flat[:, 0], flat[:, 1])
    keep = np.flatnonzero(np.isfinite(magnitude) & (magnitude > 0))
    fraction = magnitude[keep] / (magnitude[keep] + s_half)
    kind = np.minimum((fraction * CLASSES).astype(np.intp), CLASSES - 1)
    order = np.argsort(kind, kind="stable")
    keep, fraction, kind = keep[order], fraction[order], kind[order]

    direction = flat[keep] / magnitude[keep, None] * (1.0, -1.0)
    middle = np.stack([left + steps[keep % n], bottom - steps[keep // n]], axis=1)
    length = FULL * cell * fraction
    half = direction * (length / 2)[:, None]
    tip = middle + half
    barb = -direction * np.minimum(_BARB * length, _BARB_CELL * cell)[:, None]
    turned = np.stack([-barb[:, 1], barb[:, 0]], axis=1)
    cos, sin = math.cos(_BARB_ANGLE), math.sin(_BARB_ANGLE)
    segments = np.empty((len(keep), 3, 4))
    segments[:, 0, :2], segments[:, 0, 2:] = middle - half, tip
    segments[:, 1, :2], segments[:, 1, 2:] = tip + cos * barb + sin * turned, tip
    segments[:, 2, :2], segments[:, 2, 2:] = tip + cos * barb - sin * turned, tip
    return segments.reshape(-1, 4), 3 * np.searchsorted(kind, np.arange(CLASSES + 1))


def draw_segments(painter: QPainter, segments: NDArray[np.float64]) -> None:
    """Draw segments (k, 4) as x1, y1, x2, y2 with the painter's pen, in one call and without an object for each."""
    if len(segments):
        lines = np.ascontiguousarray(segments, dtype=np.float64)
        painter.drawLines(shiboken6.wrapInstance(lines.ctypes.data, QLineF), len(lines))  # type: ignore[call-overload]


class FieldView(PlaneView):
    """The learned or the true score field at the frame's noise level, over the density at that level."""

    def __init__(
        self, role: Literal["learned", "true"], plane_range: PlaneRange, parent: QWidget | None = None
    ) -> None:
        """Show `frame.learned` or `frame.true`, in the colour of that role."""
        which = "learned" if role == "learned" else "true"
        super().__init__(
            plane_range,
            f"{which.capitalize()} score field",
            f"Arrows of the {which} score over the density. Arrow keys move a cross-hair that reads both scores.",
            parent,
        )
        self.role = role
        self._drawn_for: tuple[float, float, float] | None = None
        self._segments = np.empty((0, 4))
        self._starts: NDArray[np.intp] = np.zeros(CLASSES + 1, dtype=np.intp)
        self._s_half = 1.0

    def show_frame(self, frame: Frame) -> None:
        """Draw this moment from now on."""
        if self.frame is None or not self.looks_like(self.frame, frame):
            self._s_half = half_length_score(frame.true)
            self._drawn_for = None
        super().show_frame(frame)

    def looks_like(self, before: Frame, frame: Frame) -> bool:
        """Whether both frames hold the same fields and probe the same point."""
        same = frame.fields_version > 0 and before.fields_version == frame.fields_version and before.run == frame.run
        return same and np.array_equal(before.probe[:2], frame.probe[:2])

    def caption(self) -> str:
        """The noise level."""
        return "" if self.frame is None else f"σ {three(self.frame.sigma)}"

    def reading(self) -> str:
        """The field's score under the cursor; without one, the scale of the arrows."""
        frame = self.frame
        if frame is None:
            return ""
        if frame.probe.size < 7 or not np.isfinite(frame.probe).all():
            return f"half-length arrow: |s| = {three(self._s_half)}"
        x, y, *scores, _ = (float(v) for v in frame.probe)
        sx, sy = scores[:2] if self.role == "learned" else scores[2:]
        return f"s{pair(x, y)} = {pair(sx, sy)}"

    def paint_marks(self, painter: QPainter, square: QRect) -> None:
        """Arrows, and a ring at the point that is read."""
        frame = self.frame
        if frame is None:
            return
        field = frame.learned if self.role == "learned" else frame.true
        mapping = self.mapping()
        if mapping != self._drawn_for:
            self._segments, self._starts = arrow_segments(field, self._s_half, frame.centre, frame.half_width, mapping)
            self._drawn_for = mapping
        cell = 2 * frame.half_width / len(field) * mapping[0]
        width = min(max(cell / 9, 1.15), 2.4)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for k in range(CLASSES):
            colour = self.theme.colour(self.role, FAINTEST + (1 - FAINTEST) * k / (CLASSES - 1))
            pen = QPen(colour, width)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            draw_segments(painter, self._segments[self._starts[k] : self._starts[k + 1]])
        if frame.probe.size >= 2 and np.isfinite(frame.probe[:2]).all():
            self._paint_ring(painter, self.to_pixel(float(frame.probe[0]), float(frame.probe[1])))

    def _paint_ring(self, painter: QPainter, at: QPointF) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((self.theme.surface, 3.5), (self.theme.ink, 1.5)):
            painter.setPen(QPen(QColor(colour), width))
            painter.drawEllipse(at, 5.0, 5.0)
