"""What a brush leaves on a painting: one smooth stroke, the same at any speed of the mouse.

Three steps lead from the mouse to the cells.

1. **Curve.** Every mouse point is the control point of a quadratic Bezier arc that runs between the midpoints to its
   neighbours. The arcs join with a common tangent, stay inside the hull of the points (no overshoot), and points along
   a straight line give that line wherever they lie on it.
2. **Coverage.** m(c) = max over the curve of pressure * b(|c - x|), with the bell b(d) = (1 - d^2 / r^2)^3 inside the
   radius r and 0 outside. A maximum does not count how often or how slowly the curve passes. It is exact along each
   straight piece of the flattened curve: the bell at the nearest point of the piece.
3. **Paint.** w <- w + (1 - w) * strength * m, or w <- w * (1 - strength * m) with the eraser; w stays in [0, 1]. With
   a strength that is a share of the mass it is `explorer.paint.weighing` instead.

A radius below 1.5 cells paints as 1.5 cells, the thinnest line that a square grid shows at every place and slope.
Rows count from the bottom, y = -1; with h = 2 / size, cell (row, col) has its centre at
(-1 + (col + 1/2) h, -1 + (row + 1/2) h).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainer.errors import InputError

SIZE = 128
"""Cells along each side of a painting, unless a person asks for another number."""

SMALLEST_SIZE, LARGEST_SIZE = 32, 256
"""The fewest and the most cells along each side of a painting."""

_THINNEST = 1.5
"""In cells. A corner shared by four cells lies 0.71 cells from their centres, where the bell is still 0.47."""

_FLATNESS = 0.01
"""How far a flattened arc may leave the curve, as a share of the radius."""

_PIECES = 64
"""The most straight pieces that one arc is cut into."""

_FAR = 16.0
"""Mouse points are held within this distance of the centre: far outside every brush's reach, and safe to square."""


class Rect(NamedTuple):
    """The cells [row0, row1) x [col0, col1) of a painting, row 0 at the bottom."""

    row0: int
    row1: int
    col0: int
    col1: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """The rectangle as an index into a painting."""
        return slice(self.row0, self.row1), slice(self.col0, self.col1)

    def union(self, other: Rect | None) -> Rect:
        """The smallest rectangle that holds both."""
        if other is None:
            return self
        return Rect(
            min(self.row0, other.row0),
            max(self.row1, other.row1),
            min(self.col0, other.col0),
            max(self.col1, other.col1),
        )

    @classmethod
    def around(cls, cells: NDArray[np.intp], size: int) -> Rect | None:
        """The smallest rectangle around cells given by their ascending indices row * size + col; None around none."""
        if not cells.size:
            return None
        rows, cols = cells // size, cells % size
        return cls(int(rows[0]), int(rows[-1]) + 1, int(cols.min()), int(cols.max()) + 1)

    @classmethod
    def whole(cls, painting: NDArray[np.floating]) -> Rect:
        """All cells of a painting."""
        return cls(0, painting.shape[0], 0, painting.shape[1])


def unite(rects: Iterable[Rect | None]) -> Rect | None:
    """The smallest rectangle that holds all of them; None if none is one."""
    joined: Rect | None = None
    for rect in rects:
        joined = joined if rect is None else rect.union(joined)
    return joined


@dataclass(frozen=True)
class Brush:
    """A brush or an eraser.

    Attributes:
        radius: where its effect ends, in units of the plane (the painting is 2 wide).
        strength: the share of what is missing (erasing: of what is there) that one stroke adds (takes), in (0, 1].
        eraser: takes away instead of adding.
        by_mass: whether the strength is, instead, the share of all mass that one stroke adds (takes).

    Raises:
        InputError: a radius or strength out of range.
    """

    radius: float = 0.08
    strength: float = 0.6
    eraser: bool = False
    by_mass: bool = False

    def __post_init__(self) -> None:
        for name, high in (("radius", 2.0), ("strength", 1.0)):
            value = getattr(self, name)
            if not isinstance(value, int | float):
                raise InputError(f"brush.{name}: {value!r} is not a number; give one above 0, at most {high:g}")
            if not 0 < value <= high:
                raise InputError(f"brush.{name}: {value:g} is out of range; give a number above 0, at most {high:g}")

    def reach(self, size: int = SIZE) -> float:
        """The radius that is painted with on a grid of this size: never below 1.5 cells."""
        return max(self.radius, _THINNEST * 2 / size)


class _Point(NamedTuple):
    """Where the pointer was, and how hard it pressed, in [0, 1]."""

    x: float
    y: float
    pressure: float

    def towards(self, other: _Point, t: float) -> _Point:
        return _Point(*(a + t * (b - a) for a, b in zip(self, other, strict=True)))


class Coverage:
    """The coverage m of one stroke, grown point by point.

    `begin`, `extend` and `end` return the rectangle of cells that may have changed, None if the brush missed the
    painting. A piece costs work on the cells within its reach only.

    Attributes:
        mask: (size, size) float32 in [0, 1], row 0 at the bottom.
    """

    def __init__(self, brush: Brush, size: int = SIZE, mask: NDArray[np.float32] | None = None) -> None:
        """Cover a mask of zeros, or go on covering one that is given."""
        self.brush = brush
        self.mask: NDArray[np.float32] = np.zeros((size, size), np.float32) if mask is None else mask
        self._size = size
        self._reach = brush.reach(size)
        self._centres = -1 + (np.arange(size) + 0.5) * (2 / size)
        self._mouse = _Point(0.0, 0.0, 0.0)
        self._drawn = self._mouse

    def begin(self, x: float, y: float, pressure: float = 1.0) -> Rect | None:
        """Set the brush down: a dot."""
        self._mouse = self._drawn = _point(x, y, pressure)
        return self._piece(self._mouse, self._mouse)

    def extend(self, x: float, y: float, pressure: float = 1.0) -> Rect | None:
        """Move on to the plane's point (x, y): draws up to the middle between it and the point before."""
        point = _point(x, y, pressure)
        start, control, stop = self._drawn, self._mouse, self._mouse.towards(point, 0.5)
        self._mouse, self._drawn = point, stop
        # A quadratic arc cut into n equal parts leaves its chords by |start - 2 control + stop| / (4 n^2).
        bend = math.hypot(start.x - 2 * control.x + stop.x, start.y - 2 * control.y + stop.y)
        pieces = min(max(math.ceil(math.sqrt(bend / (4 * _FLATNESS * self._reach))), 1), _PIECES)
        changed: Rect | None = None
        before = start
        for i in range(1, pieces + 1):
            t = i / pieces
            after = start.towards(control, t).towards(control.towards(stop, t), t)
            rect = self._piece(before, after)
            changed = changed if rect is None else rect.union(changed)
            before = after
        return changed

    def end(self) -> Rect | None:
        """Lift the brush: draws the rest of the way to the last point."""
        return self._piece(self._drawn, self._mouse)

    def _piece(self, a: _Point, b: _Point) -> Rect | None:
        """Cover what lies within reach of the straight piece from a to b."""
        reach = self._reach
        col0, col1 = self._cells(min(a.x, b.x) - reach, max(a.x, b.x) + reach)
        row0, row1 = self._cells(min(a.y, b.y) - reach, max(a.y, b.y) + reach)
        if col0 >= col1 or row0 >= row1:
            return None
        x = self._centres[None, col0:col1] - a.x
        y = self._centres[row0:row1, None] - a.y
        dx, dy = b.x - a.x, b.y - a.y
        length2 = dx * dx + dy * dy
        if length2 > 1e-18:
            t = np.clip(x * (dx / length2) + y * (dy / length2), 0.0, 1.0)
            d2 = np.square(x - t * dx) + np.square(y - t * dy)
            pressure = a.pressure + t * (b.pressure - a.pressure)
        else:
            d2 = np.square(x) + np.square(y)
            pressure = np.full(1, max(a.pressure, b.pressure))
        inside = np.maximum(1 - d2 / (reach * reach), 0.0)
        part = self.mask[row0:row1, col0:col1]
        np.maximum(part, (pressure * inside * inside * inside).astype(np.float32), out=part)
        return Rect(row0, row1, col0, col1)

    def _cells(self, low: float, high: float) -> tuple[int, int]:
        """The range of cells whose centres lie in [low, high], cut to the painting."""
        per = self._size / 2
        first = math.ceil((low + 1) * per - 0.5)
        last = math.floor((high + 1) * per - 0.5)
        return max(first, 0), min(last + 1, self._size)


def lay(under: NDArray[np.float32], mask: NDArray[np.float32], brush: Brush) -> NDArray[np.float32]:
    """What weights in [0, 1] become under this coverage in [0, 1], both of one shape: more paint, or less."""
    amount = np.float32(brush.strength) * mask
    if brush.eraser:
        return under * (1 - amount)
    return under + (1 - under) * amount


def _point(x: float, y: float, pressure: float) -> _Point:
    return _Point(min(max(x, -_FAR), _FAR), min(max(y, -_FAR), _FAR), min(max(pressure, 0.0), 1.0))
