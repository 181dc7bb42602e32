"""Modes as basins of a density, and how many of a cloud of points lie in each.

**Modes.** p is looked at through Gaussian smoothing of width `SMOOTHING` = 0.08 on a lattice. Every cell belongs to the
summit that steepest ascent from it reaches (the basins of the watershed transform). A summit that rises too little
above the saddle to a higher one is no mode of its own: basins are merged over the highest saddle first, while

    p(saddle) > `DIP` p(lower summit),   DIP = 0.8,

so the bumps of a thin stroke are one mode and two blobs are two. Basins with less than `SMALLEST` = 0.5 % of the mass
go the same way. All of this depends on the density alone, never on the points.

**Mass.** A mode's true mass is the integral of p_sigma, at the smallest sigma that the samplers end at, over its basin;
the masses of all modes sum to 1. **Elsewhere** is outside the smallest region that holds 99.9 % of p_sigma (its
highest-density region, Hyndman 1996): points there count for no mode. Shares and elsewhere sum to 1.

**Bands.** Each share k / n has a Wilson score interval (Wilson 1927) with the error probability split among the M modes
(Bonferroni), 0.05 / M each, so that all M bands hold together with probability 95 % or more.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

SMOOTHING = 0.08
DIP = 0.8
SMALLEST = 0.005
REGION = 0.999
CONFIDENCE = 0.95

HALF_WIDTH = 1.5
"""Modes are sought on [-HALF_WIDTH, HALF_WIDTH]^2."""

_CELLS = 256

Floats = NDArray[np.float64]


class LatticeDensity(Protocol):
    """What the ledger needs of a density."""

    def density_lattice(self, centre: tuple[float, float], half_width: float, n: int, sigma: float) -> Any:  # noqa: ANN401
        """p_sigma on the n x n cell centres of a square, (n, n), row 0 at the bottom."""
        ...


@dataclass(frozen=True)
class ModeMap:
    """The basins of a density; `find_modes` makes it.

    Attributes:
        centres: (M, 2), the summits in the plane, heaviest mode first.
        mass: (M,), the density's integral over each basin; sums to 1.
        labels: (n, n), [row, col], which basin a cell belongs to: 0 .. M - 1, or M for elsewhere.
        half_width: labels cover [-half_width, half_width]^2.
    """

    centres: Floats
    mass: Floats
    labels: NDArray[np.int16]
    half_width: float

    def of(self, points: ArrayLike) -> NDArray[np.int16]:
        """The basin of each point, (B,) for (B, 2): 0 .. M - 1, or M for elsewhere, which NaN is too."""
        at = np.asarray(points)
        n = len(self.labels)
        cell = (at + self.half_width) * (n / (2 * self.half_width))
        inside = ((cell >= 0) & (cell < n)).all(axis=1)
        if inside.all():
            index = cell.astype(np.int32)
            return self.labels.ravel().take(index[:, 1] * n + index[:, 0])
        basin = np.full(len(at), len(self.mass), dtype=np.int16)
        index = cell[inside].astype(np.int32)
        basin[inside] = self.labels[index[:, 1], index[:, 0]]
        return basin


@dataclass(frozen=True)
class Ledger:
    """Shares of a cloud of points by mode, with simultaneous 95 % bands.

    Attributes:
        centres: (M, 2).
        mass: (M,), the truth.
        share, low, high: (M,), fractions of all points, and their bands.
        elsewhere: the fraction outside the region that holds 99.9 % of the density.
    """

    centres: Floats
    mass: Floats
    share: Floats
    low: Floats
    high: Floats
    elsewhere: float

    @property
    def holds(self) -> bool:
        """Whether every band contains the truth."""
        return bool(((self.low <= self.mass) & (self.mass <= self.high)).all())


def find_modes(density: LatticeDensity, sigma: float = 0.02) -> ModeMap:
    """The modes of a density, their masses and the region that holds 99.9 % of p_sigma (see the module's docstring)."""
    cell = 2 * HALF_WIDTH / _CELLS
    smooth = np.asarray(density.density_lattice((0.0, 0.0), HALF_WIDTH, _CELLS, SMOOTHING), dtype=float)
    sharp = np.asarray(density.density_lattice((0.0, 0.0), HALF_WIDTH, _CELLS, sigma), dtype=float)
    sharp = sharp / sharp.sum()
    basins, summits = _basins(smooth)
    merged = _merge(smooth.ravel(), sharp.ravel(), basins, summits)
    roots, labels = np.unique(merged, return_inverse=True)
    mass = np.bincount(labels.ravel(), weights=sharp.ravel()).astype(np.float64)
    order = np.argsort(-mass, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    labels = rank[labels].reshape(_CELLS, _CELLS)
    summit_cells = summits[roots[order]]
    centres = _peaks(smooth, summit_cells)
    labels[sharp < _threshold(sharp)] = len(mass)
    return ModeMap(
        centres=(centres + 0.5) * cell - HALF_WIDTH,
        mass=mass[order],
        labels=labels.astype(np.int16),
        half_width=HALF_WIDTH,
    )


def count_modes(points: ArrayLike, modes: ModeMap) -> Ledger:
    """The ledger of points, (B, 2), over modes already found; about half a millisecond for 10,000 points."""
    total = len(np.asarray(points))
    counts = np.bincount(modes.of(points), minlength=len(modes.mass) + 1)
    low, high = wilson_band(counts[:-1], total, len(modes.mass))
    share = counts / max(total, 1)
    return Ledger(modes.centres, modes.mass, share[:-1], low, high, float(share[-1]))


def wilson_band(counts: ArrayLike, total: int, bands: int = 1) -> tuple[Floats, Floats]:
    """Wilson score intervals of counts out of total, `bands` of which hold together with probability 95 %."""
    if total == 0:
        zero = np.zeros(np.shape(counts))
        return zero, zero + 1
    z = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / (2 * bands))
    share = np.asarray(counts, dtype=float) / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    reach = z / (1 + z * z / total) * np.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return np.clip(middle - reach, 0, 1), np.clip(middle + reach, 0, 1)


def _peaks(height: Floats, cells: NDArray[np.intp]) -> Floats:
    """Summits to a fraction of a cell, (M, 2) in cells: per axis the top of a parabola through log p at 3 cells."""
    n = height.shape[0]
    at = np.stack((cells % n, cells // n), axis=1).astype(float)  # (M, 2): column, row
    logs = np.log(np.pad(height, 1, mode="edge") + np.finfo(float).tiny)
    row, column = cells // n + 1, cells % n + 1
    middle = logs[row, column]
    for axis, (dy, dx) in enumerate(((0, 1), (1, 0))):
        before, after = logs[row - dy, column - dx], logs[row + dy, column + dx]
        bend = 2 * middle - before - after
        at[:, axis] += np.where(bend > 1e-12, np.clip((after - before) / np.maximum(2 * bend, 1e-12), -0.5, 0.5), 0)
    return at


def _threshold(density: Floats) -> float:
    """The density at the edge of the smallest region that holds `REGION` of it."""
    heights = np.sort(density.ravel())[::-1]
    return float(heights[np.searchsorted(np.cumsum(heights), REGION * heights.sum())])


def _basins(height: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Steepest ascent among the eight neighbours: (basin of each cell, flat) and (the cell of each basin's summit).

    Ties are broken by the cell's index, so that plateaus have one summit too.
    """
    n = height.shape[0]
    order = np.empty(n * n, dtype=np.int64)
    order[np.argsort(height.ravel(), kind="stable")] = np.arange(n * n)  # distinct heights
    padded = np.full((n + 2, n + 2), -1, dtype=np.int64)
    padded[1:-1, 1:-1] = order.reshape(n, n)
    best, target = padded[1:-1, 1:-1].copy(), np.arange(n * n).reshape(n, n)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            other = padded[1 + dy : n + 1 + dy, 1 + dx : n + 1 + dx]
            higher = other > best
            best = np.where(higher, other, best)
            target = np.where(higher, np.arange(n * n).reshape(n, n) + dy * n + dx, target)
    goal = target.ravel()
    while True:
        further = goal[goal]
        if (further == goal).all():
            break
        goal = further
    summits, basins = np.unique(goal, return_inverse=True)
    return basins.ravel(), summits


def _merge(height: Floats, density: Floats, basins: NDArray[np.intp], summits: NDArray[np.intp]) -> NDArray[np.intp]:
    """Merge basins over their saddles by prominence and mass: for each cell the index of the summit it ends up with."""
    n = int(np.sqrt(len(height)))
    saddles = _saddles(height.reshape(n, n), basins.reshape(n, n))
    parent = list(range(len(summits)))
    mass = np.bincount(basins, weights=density, minlength=len(summits))

    def root(basin: int) -> int:
        while parent[basin] != basin:
            basin = parent[basin]
        return basin

    for smallest in (0.0, SMALLEST):  # prominence alone first, so that a wide mode is whole before its mass is judged
        for a, b, saddle in saddles:
            low, high = sorted((root(a), root(b)), key=lambda basin: height[summits[basin]])
            if low != high and (saddle > DIP * height[summits[low]] or mass[low] < smallest):
                parent[low] = high
                mass[high] += mass[low]
    return np.array([root(basin) for basin in range(len(summits))])[basins]


def _saddles(height: Floats, basins: NDArray[np.intp]) -> list[tuple[int, int, float]]:
    """The highest pass between each pair of neighbouring basins, highest first."""
    n = height.shape[0]
    count = int(basins.max()) + 1
    keys, passes = [], []
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = (slice(0, n - dy), slice(max(0, -dx), n - max(0, dx)))
        there = (slice(dy, n), slice(max(0, dx), n - max(0, -dx)))
        a, b = basins[here].ravel(), basins[there].ravel()
        border = a != b
        a, b = a[border], b[border]
        keys.append(np.minimum(a, b) * count + np.maximum(a, b))
        passes.append(np.minimum(height[here].ravel()[border], height[there].ravel()[border]))
    key, level = np.concatenate(keys), np.concatenate(passes)
    order = np.lexsort((-level, key))
    key, level = key[order], level[order]
    first = np.ones(len(key), dtype=bool)
    first[1:] = key[1:] != key[:-1]
    found = sorted(zip(key[first], level[first], strict=True), key=lambda pair: -pair[1])
    return [(int(k // count), int(k % count), float(saddle)) for k, saddle in found]
