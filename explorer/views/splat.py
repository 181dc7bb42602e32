"""Particles as ink on an image: dots one by one, or their density where they are too many.

**Dots.** Every particle is a square dot of two pixels or so. Dots are counted per pixel, and k of them have the opacity
1 - (1 - a)^k, as k layers of ink would; a falls as the particles grow in number. On a small image the corners of all
dots are counted once and the counts shifted over a dot's pixels; on a large one every dot's pixels are counted.

**Density.** Of more than `CROWD` particles dots would tell no more than where there are any. They are counted in about
`CELLS` x `CELLS` cells of the view, smoothed over neighbouring cells by the weights 1, 2, 1 along both axes, and a cell
with the weighted sum k has the opacity log(1 + k) / log(1 + k_max).

**Heaps.** Where particles collapse, thousands of them would be one dot. So the view is also counted in cells of four
pixels, and a cell that holds at least 2 % of all particles is a heap.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage

Floats = NDArray[np.float32]

CROWD = 20_000
"""Above so many particles the density is drawn."""

CELLS = 240

_SMALL = 12
"""An image is small that has fewer than so many pixels for each particle."""

FAINTEST, DARKEST = 0.34, 0.85
"""Opacity of a single dot among 10,000 or more, and among few."""

HEAP = 0.02
"""The share of all particles that makes a cell a heap."""


class Splat:
    """Ink on a transparent square image of `size` pixels a side."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._counts = np.zeros(size * size, dtype=np.uint16)
        self._pixels = np.zeros(size * size, dtype=np.uint32)
        self.image = QImage(self._pixels.data, size, size, 4 * size, QImage.Format.Format_ARGB32_Premultiplied)

    def draw(self, x: Floats, y: Floats, dot: int, ink: NDArray[np.uint32]) -> None:
        """Replace what is drawn by dots of `dot` x `dot` pixels.

        Args:
            x: (N,) positions from the left in pixels, inside [0, size); at most 65,535.
            y: (N,) positions from the top.
            dot: the side of a dot.
            ink: (256,) the pixel for so many dots over each other, as `ink_table` gives it.
        """
        size = self.size
        back, last = np.float32((dot - 1) / 2), size - dot
        col = np.clip((x - back).astype(np.int32), 0, last)
        first = np.clip((y - back).astype(np.int32), 0, last)
        first *= size
        first += col
        if size**2 < _SMALL * len(x):
            corners = np.bincount(first, minlength=size**2).astype(np.uint16)
            counts = _shifted(_shifted(corners, dot, 1), dot, size)
            np.take(ink, counts, out=self._pixels, mode="clip")
        else:
            self._counts.fill(0)
            self._pixels.fill(0)
            shift = (np.arange(dot)[:, None] * size + np.arange(dot)).reshape(-1, 1)
            touched = (first.astype(np.intp) + shift).ravel()
            np.add.at(self._counts, touched, np.uint16(1))
            self._pixels[touched] = ink[np.minimum(self._counts[touched], 255)]

    def draw_density(self, x: Floats, y: Floats, side: int, colour: QColor) -> None:
        """Replace what is drawn by the density of positions on a view of `side` pixels, each image pixel a cell."""
        cell = np.float32(self.size / side)
        index = (y * cell).astype(np.int32)
        index *= self.size
        index += (x * cell).astype(np.int32)
        counts = np.bincount(index, minlength=self.size**2).astype(np.float32).reshape(self.size, self.size)
        wide = np.pad(counts, 1)
        wide = wide[:-2] + 2 * wide[1:-1] + wide[2:]
        level = np.log1p(wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:])
        level *= np.float32(255 / max(float(level.max()), 1e-6))
        table = premultiplied(colour, np.arange(256) / 255)
        np.take(table, (level + np.float32(0.5)).astype(np.uint8).ravel(), out=self._pixels, mode="clip")


def _shifted(counts: NDArray[np.uint16], times: int, by: int) -> NDArray[np.uint16]:
    """The sum of `times` copies of some counts, each moved on `by` places from the one before."""
    total = counts.copy()
    for k in range(1, times):
        total[k * by :] += counts[: -k * by]
    return total


def premultiplied(colour: QColor, alpha: NDArray[np.floating]) -> NDArray[np.uint32]:
    """Premultiplied ARGB pixels of a colour at these opacities."""
    channels = (255, colour.red(), colour.green(), colour.blue())
    a, r, g, b = (np.round(alpha * c).astype(np.uint32) for c in channels)
    return np.asarray(a << 24 | r << 16 | g << 8 | b, dtype=np.uint32)


def ink_table(colour: QColor, number: int) -> NDArray[np.uint32]:
    """Premultiplied ARGB (256,) of 0 to 255 dots over each other, when there are `number` particles in all."""
    return _ink(colour.rgba(), number)


@lru_cache(maxsize=16)
def _ink(rgba: int, number: int) -> NDArray[np.uint32]:
    opacity = min(max(FAINTEST * (10_000 / max(number, 1)) ** 0.5, FAINTEST), DARKEST)
    return premultiplied(QColor.fromRgba(rgba), 1 - (1 - opacity) ** np.arange(256))


def find_heaps(x: Floats, y: Floats, size: int, cell: int, number: int) -> NDArray[np.float64]:
    """Find heaps (H, 3) as x, y (means, in pixels) and share of `number`, of positions inside [0, size)."""
    cols = size // cell + 1
    across = np.float32(1 / cell)
    index = (y * across).astype(np.int32)
    index *= cols
    index += (x * across).astype(np.int32)
    counts = np.bincount(index, minlength=cols * cols)
    heaps = np.flatnonzero(counts >= max(HEAP * number, 2))
    if not heaps.size:
        return np.zeros((0, 3))
    means = [np.bincount(index, weights=v, minlength=cols * cols)[heaps] / counts[heaps] for v in (x, y)]
    return np.stack([*means, counts[heaps] / number], axis=1)
