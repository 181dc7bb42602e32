"""Symmetric painting: one stroke, drawn at every image of the pointer under a group of mirrors and turns.

n-fold rotation gives the turns R^k by 360 k / n degrees about the origin. With mirrors, left-right X = diag(-1, 1) and
up-down Y = diag(1, -1), the images are R^k m for m in {1, X, Y, XY} as far as those mirrors are on: this is the whole
group that they generate, because X R = R^-1 X and XY is a half turn. Every image covers one common mask by a maximum,
so that images which coincide paint once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from explorer.brush import Brush, Coverage, Rect, unite
from trainer.errors import InputError

MOST_FOLDS = 12
"""The highest rotational symmetry."""

Matrix = tuple[float, float, float, float]
"""(a, b, c, d) takes (x, y) to (a x + b y, c x + d y)."""


@dataclass(frozen=True)
class Symmetry:
    """What else is drawn with every stroke.

    Attributes:
        left_right: the mirror image in the vertical axis.
        up_down: the mirror image in the horizontal axis.
        folds: the images under turns by 360 / folds degrees; 1 for none.

    Raises:
        InputError: a number of folds out of range.
    """

    left_right: bool = False
    up_down: bool = False
    folds: int = 1

    def __post_init__(self) -> None:
        if isinstance(self.folds, bool) or not isinstance(self.folds, int) or not 1 <= self.folds <= MOST_FOLDS:
            raise InputError(f"symmetry.folds: {self.folds!r}; give a whole number from 1 to {MOST_FOLDS}")

    def images(self) -> tuple[Matrix, ...]:
        """All maps of the group, the identity first, each once."""
        return _images(self)

    def of(self, x: float, y: float) -> list[tuple[float, float]]:
        """The images of a point, itself first."""
        return [(a * x + b * y, c * x + d * y) for a, b, c, d in self.images()]


NONE = Symmetry()
"""Nothing but the stroke itself."""


@cache
def _images(symmetry: Symmetry) -> tuple[Matrix, ...]:
    mirrors = [(1.0, 1.0)]
    if symmetry.left_right:
        mirrors += [(-p, q) for p, q in mirrors]
    if symmetry.up_down:
        mirrors += [(p, -q) for p, q in mirrors]
    found: dict[tuple[float, ...], Matrix] = {}
    for p, q in mirrors:
        for k in range(symmetry.folds):
            c, s = cos(2 * pi * k / symmetry.folds), sin(2 * pi * k / symmetry.folds)
            image = (c * p, -s * q, s * p, c * q)
            found.setdefault(tuple(round(value, 9) + 0.0 for value in image), image)
    return tuple(found.values())


class SymmetricCoverage:
    """A `Coverage` of every image of one stroke on one common mask, (size, size) float32 in [0, 1]."""

    def __init__(self, brush: Brush, size: int, symmetry: Symmetry) -> None:
        self.brush = brush
        self.symmetry = symmetry
        self.mask: NDArray[np.float32] = np.zeros((size, size), np.float32)
        self._parts = [Coverage(brush, size, self.mask) for _ in symmetry.images()]

    def begin(self, x: float, y: float, pressure: float = 1.0) -> Rect | None:
        """Set the brush down at the point and at its images; the cells that may have changed."""
        places = zip(self._parts, self.symmetry.of(x, y), strict=True)
        return unite([part.begin(*place, pressure) for part, place in places])

    def extend(self, x: float, y: float, pressure: float = 1.0) -> Rect | None:
        """Move on to the point and its images."""
        places = zip(self._parts, self.symmetry.of(x, y), strict=True)
        return unite([part.extend(*place, pressure) for part, place in places])

    def end(self) -> Rect | None:
        """Lift the brush everywhere."""
        return unite([part.end() for part in self._parts])


def covered(
    brush: Brush, points: tuple[tuple[float, float, float], ...], size: int, symmetry: Symmetry
) -> tuple[NDArray[np.float32], Rect | None]:
    """The mask of a whole stroke through mouse points (x, y, pressure), and the cells that it may reach."""
    coverage = SymmetricCoverage(brush, size, symmetry)
    rects = [coverage.extend(*point) if i else coverage.begin(*point) for i, point in enumerate(points)]
    return coverage.mask, unite([*rects, coverage.end()])
