"""A field as arrows on its lattice.

**How long, how dark.** Scores span decades, so an arrow's length is a compressive function of its magnitude |s|,

    length = (9/10 of a lattice cell) * |s| / (|s| + s_half),

half the full length at |s| = s_half; opacity grows with the same fraction, in eight classes from 0.6 to 1. s_half is
the lower quartile of the *true* field's magnitudes over the lattice, to two figures, and serves all fields of a frame:
equal arrows are equal scores in all views, and training cannot make the scale flicker. Views state s_half.

All arrows of a class go to `QPainter.drawLines` in one call, straight from a numpy array: a QLineF is four doubles
(x1, y1, x2, y2), so that a contiguous (k, 4) float64 array is an array of k of them.
"""

from __future__ import annotations

import math

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRect, Qt
from PySide6.QtGui import QPainter, QPen

from explorer.theme import Theme

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


Mapping = tuple[float, float, float]
"""(u, ox, oy) with px = ox + u x and py = oy - u y."""


class Arrows:
    """Arrows of one field, kept in pixels for as long as field and mapping stay as they are."""

    def __init__(self) -> None:
        self._field = np.zeros((0, 0, 2), np.float32)
        self._s_half = 1.0
        self._centre, self._half_width = (0.0, 0.0), 1.0
        self._drawn_for: Mapping | None = None
        self._segments = np.empty((0, 4))
        self._starts: NDArray[np.intp] = np.zeros(CLASSES + 1, dtype=np.intp)

    def take(self, field: NDArray[np.float32], s_half: float, centre: tuple[float, float], half_width: float) -> None:
        """Show this field (n, n, 2) on the cell centres of a square from now on."""
        self._field, self._s_half, self._centre, self._half_width = field, s_half, centre, half_width
        self._drawn_for = None

    def paint(self, painter: QPainter, square: QRect, mapping: Mapping, theme: Theme, role: str) -> None:
        """Draw in the ink of a role; the painter is clipped to the square."""
        if not len(self._field):
            return
        if mapping != self._drawn_for:
            self._segments, self._starts = arrow_segments(
                self._field, self._s_half, self._centre, self._half_width, mapping
            )
            self._drawn_for = mapping
        cell = 2 * self._half_width / len(self._field) * mapping[0]
        width = min(max(cell / 9, 1.15), 2.4)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for k in range(CLASSES):
            pen = QPen(theme.colour(role, FAINTEST + (1 - FAINTEST) * k / (CLASSES - 1)), width)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            draw_segments(painter, self._segments[self._starts[k] : self._starts[k + 1]])
