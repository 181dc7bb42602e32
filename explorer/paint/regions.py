"""Connected regions of a painting: what a fill floods, and what share of the mass each region holds.

Cells of a row that hang together are runs; runs of neighbouring rows that touch are the edges of a graph, whose
connected parts are found by hooking the higher root of every edge to the lower and halving the paths, all at once in
arrays. The work grows with the number of runs, not with the area, and needs no recursion.

A **region** is a connected set (by sides and corners) of cells above `THRESHOLD` times the largest weight; its share is
its part of the whole mass. What lies below the threshold belongs to no region, so shares may add up to less than 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int32]

THRESHOLD = 0.01
"""Of the largest weight: fainter cells join no region."""

LEAST_SHARE = 0.001
"""Regions with less of the mass are not listed."""

MOST = 12
"""Regions that are listed, the heaviest first."""


@dataclass(frozen=True)
class Region:
    """One connected region.

    Attributes:
        share: its part of the painting's mass.
        x, y: the place of the cell in it that is nearest to its centre of mass, in units of the plane.
        cells: how many it has.
    """

    share: float
    x: float
    y: float
    cells: int


def label(mask: NDArray[np.bool_], *, corners: bool) -> Labels:
    """Connected regions of True cells, numbered from 1 in the order of their first cells; 0 where False.

    `corners` says whether cells that touch only at a corner hang together.
    """
    rows, cols = mask.shape
    padded = np.zeros((rows, cols + 2), np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded, axis=1).reshape(-1)  # (rows, cols + 1): 1 where a run begins, -1 just after its end
    begin, end = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    if not begin.size:
        return np.zeros(mask.shape, np.int32)
    wide = cols + 1
    reach = 1 if corners else 0
    # The runs of the next row that touch run i are [first, last): they begin before its end, and end after its begin.
    last = np.searchsorted(begin, end + wide + reach, "left")
    first = np.searchsorted(end, begin + wide - reach, "right")
    count = np.maximum(last - first, 0)
    below = np.repeat(np.arange(begin.size), count)
    above = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    roots = _roots(begin.size, below, above)
    _, number = np.unique(roots, return_inverse=True)
    labels = np.zeros(rows * wide + 1, np.int64)
    labels[begin] = number + 1
    np.subtract.at(labels, end, number + 1)
    return np.cumsum(labels[:-1]).reshape(rows, wide)[:, :cols].astype(np.int32)


def _roots(n: int, a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.intp]:
    """The lowest node of the connected part of each of n nodes, for edges a[k]-b[k]."""
    parent = np.arange(n)
    while True:
        low, high = np.minimum(parent[a], parent[b]), np.maximum(parent[a], parent[b])
        open_ = low != high
        if not open_.any():
            return parent
        np.minimum.at(parent, high[open_], low[open_])
        while (parent != (up := parent[parent])).any():
            parent = up


def flooded(weights: NDArray[np.float32], row: int, col: int, tolerance: float) -> NDArray[np.bool_]:
    """The cells that hang together by their sides with this one and differ from it by `tolerance` at most."""
    labels = label(np.abs(weights - weights[row, col]) <= tolerance, corners=False)
    return labels == labels[row, col]


def regions(weights: NDArray[np.float32]) -> tuple[Region, ...]:
    """The connected regions of a painting, the heaviest first; none if nothing is painted."""
    top = float(weights.max())
    if top <= 0:
        return ()
    labels = label(weights > THRESHOLD * top, corners=True)
    size = len(weights)
    flat, amount = labels.reshape(-1), weights.reshape(-1).astype(np.float64)
    cells = np.bincount(flat)
    mass = np.bincount(flat, amount)
    axis = (np.arange(size) + 0.5) * (2 / size) - 1
    x, y = np.tile(axis, size), np.repeat(axis, size)
    safe = np.where(mass > 0, mass, 1.0)
    mean_x, mean_y = np.bincount(flat, amount * x) / safe, np.bincount(flat, amount * y) / safe
    total = amount.sum()
    found = []
    for k in sorted(range(1, len(cells)), key=lambda k: -mass[k])[:MOST]:
        if mass[k] < LEAST_SHARE * total:
            break
        here = np.flatnonzero(flat == k)
        nearest = here[np.argmin(np.square(x[here] - mean_x[k]) + np.square(y[here] - mean_y[k]))]
        found.append(Region(float(mass[k] / total), float(x[nearest]), float(y[nearest]), int(cells[k])))
    return tuple(found)
