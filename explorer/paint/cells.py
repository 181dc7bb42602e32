"""What is done to whole cells: another number of them, moving some of them, and pictures laid onto them.

Resampling shares out every cell by overlapping area and keeps the amount of paint per area, so that the mass, the sum
of weights times the area of a cell, stays what it was.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.paintings import fit_square

Weights = NDArray[np.float32]


def resampled(weights: Weights, size: int) -> Weights:
    """A painting (n, n) in [0, 1] on size x size cells; its mass stays the same."""
    n = len(weights)
    if n == size:
        return weights.copy()
    density = fit_square(weights.astype(np.float64), size) * (size / n) ** 2
    return np.clip(density, 0.0, 1.0).astype(np.float32)


def moved(paint: Weights, cells: NDArray[np.integer], rows: int, cols: int) -> Weights:
    """The painting with these cells (indices row * size + col) lifted and put down some rows up and columns right.

    What arrives is added, up to 1; what leaves the painting is lost.
    """
    size = len(paint)
    result = paint.copy().reshape(-1)
    values = result[cells]
    result[cells] = 0
    row, col = cells.astype(np.intp) // size + rows, cells.astype(np.intp) % size + cols
    inside = (row >= 0) & (row < size) & (col >= 0) & (col < size)
    target = row[inside] * size + col[inside]
    result[target] = np.minimum(result[target] + values[inside], np.float32(1))
    return result.reshape(size, size)


def shifted(cells: NDArray[np.integer], rows: int, cols: int, size: int) -> NDArray[np.uint16]:
    """The indices of cells moved by rows and columns, without those that leave the painting."""
    row, col = cells.astype(np.intp) // size + rows, cells.astype(np.intp) % size + cols
    inside = (row >= 0) & (row < size) & (col >= 0) & (col < size)
    return (row[inside] * size + col[inside]).astype(np.uint16)


def stamp_mask(picture: Weights, centre: tuple[float, float], width: float, size: int) -> Weights:
    """A picture (rows, cols) in [0, 1], row 0 at the bottom, laid onto size x size cells.

    `width` is its longer side in units of the plane; a cell holds the mean of what covers it.
    """
    rows, cols = picture.shape
    unit = width / max(rows, cols)
    down = _shares(rows, unit, centre[1] - unit * rows / 2, size)
    across = _shares(cols, unit, centre[0] - unit * cols / 2, size)
    return np.clip(down @ picture.astype(np.float64) @ across.T, 0.0, 1.0).astype(np.float32)


def _shares(n: int, unit: float, low: float, size: int) -> NDArray[np.float64]:
    """The fraction of each of `size` cells that each of n pixels covers, the first beginning at `low`; (size, n)."""
    edges = (low + unit * np.arange(n + 1) + 1) * (size / 2)  # in cells
    target = np.arange(size)[:, None]
    return np.clip(np.minimum(edges[1:], target + 1) - np.maximum(edges[:-1], target), 0, None)


def inside_polygon(points: NDArray[np.floating], size: int) -> NDArray[np.uint16]:
    """The indices of the cells whose centres lie inside a closed polygon (k, 2), by the even-odd rule."""
    axis = (np.arange(size) + 0.5) * (2 / size) - 1
    inside = np.zeros((size, size), bool)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crossed = (axis >= min(y0, y1)) & (axis < max(y0, y1))
        x = x0 + (axis[crossed] - y0) * ((x1 - x0) / (y1 - y0))
        inside[crossed] ^= axis[None, :] < x[:, None]
    return np.flatnonzero(inside).astype(np.uint16)
