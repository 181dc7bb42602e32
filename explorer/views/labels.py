"""Where a short label about a place in a picture stands: near it, but not on the ink.

Of all plates within reach of the place, on a lattice of pixels, the one with the least cost
    d + c k / n
is taken, d being its distance from the place in pixels, k the inked cells of n that it covers, and c the distance that
covering nothing is worth. Sums over plates come from the picture's summed-area table, four look-ups each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, QRect, QSize

from explorer.paint.regions import THRESHOLD, Region

REACH = 72
"""The farthest that a plate is moved along each axis, in pixels at scale 1."""

_PITCH = 4
_WORTH = 400.0
_FORBIDDEN = 1e6


@dataclass(frozen=True)
class Room:
    """What labels stand in.

    Attributes:
        mapping: pixels a unit of the plane, and the origin's pixel: (unit, x, y).
        square: what plates should stay in, in pixels.
        scale: of type; the reach grows with it.
    """

    mapping: tuple[float, float, float]
    square: QRect
    scale: float = 1.0


class ShareLabels:
    """The plates of a painting's regions; they stay where they are until the regions or the view change."""

    def __init__(self) -> None:
        self._key: object = None
        self._plates: list[QRect] = []

    def place(
        self, regions: tuple[Region, ...], weights: NDArray[np.floating[Any]], size: QSize, room: Room
    ) -> list[QRect]:
        """A plate of this size for each region of the painting `weights`, each off those before it."""
        key = regions, (size.width(), size.height()), room
        if key != self._key:
            ink = weights > THRESHOLD * weights.max(initial=0)
            unit, ox, oy = room.mapping
            self._key, self._plates = key, []
            for region in regions:
                at = QPointF(ox + region.x * unit, oy - region.y * unit)
                self._plates.append(place_beside(ink, at, size, room, self._plates))
        return self._plates


def place_beside(
    ink: NDArray[np.bool_],
    at: QPointF,
    size: QSize,
    room: Room,
    taken: Sequence[QRect] = (),
) -> QRect:
    """Where a plate of this size for the place `at` covers the least ink, nearest to it.

    Args:
        ink: which cells (rows, cols) of the square [-1, 1]^2 are inked, row 0 at the bottom.
        at: the place, in pixels.
        size: of the plate, in pixels.
        room: where plates may stand.
        taken: plates that it should keep off.
    """
    (unit, ox, oy), square, scale = room.mapping, room.square, room.scale
    rows, cols = ink.shape
    table = np.zeros((rows + 1, cols + 1))
    table[1:, 1:] = ink.cumsum(0, dtype=np.float64).cumsum(1)
    steps = np.arange(-REACH, REACH + 1, _PITCH) * scale
    across, down = (grid.ravel() for grid in np.meshgrid(steps, steps))
    left, top = at.x() - size.width() / 2 + across, at.y() - size.height() / 2 + down
    right, bottom = left + size.width(), top + size.height()

    def cell(pixels: NDArray[np.float64], origin: float, sign: int, count: int) -> NDArray[np.intp]:
        return np.clip(np.rint((sign * (pixels - origin) / unit + 1) / 2 * count), 0, count).astype(np.intp)

    c0, c1 = cell(left - 2, ox, 1, cols), cell(right + 2, ox, 1, cols)
    r0, r1 = cell(bottom, oy, -1, rows), cell(top, oy, -1, rows)
    covered = table[r1, c1] - table[r0, c1] - table[r1, c0] + table[r0, c0]
    area = max(1.0, size.width() * size.height() * rows * cols / (2 * unit) ** 2)
    cost = np.hypot(across, down) + _WORTH * covered / area
    cost += _FORBIDDEN * ((left < square.left() + 1) | (right > square.right() - 1))
    cost += _FORBIDDEN * ((top < square.top() + 1) | (bottom > square.bottom() - 1))
    for other in taken:
        apart = (left > other.right()) | (right < other.left()) | (top > other.bottom()) | (bottom < other.top())
        cost += _FORBIDDEN * ~apart
    best = int(np.argmin(cost))
    return QRect(QPoint(round(float(left[best])), round(float(top[best]))), size)
