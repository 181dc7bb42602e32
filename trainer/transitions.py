r"""How a density moves under many equal Langevin steps, on a lattice: no particle, no random number.

One step x <- x + h s(x) + sqrt(2h) z takes the density p to the density of x + h s(x), blurred by a Gaussian of
variance 2h. On a lattice of cell width c:

* **The drift** lays each cell's mass down at x + h s(x), on 3 x 3 cells by the quadratic B-spline (the weights of
  triangular-shaped clouds; Hockney & Eastwood 1981, section 5-3). That keeps mass and mean, and adds the variance
  c^2 / 4 wherever in a cell it falls.
* **The blur** is therefore one of variance 2h - c^2 / 4, along x and then along y.

Where c > sqrt(2h), k steps are taken as one: the one that does to a Gaussian of the level's smallest variance v exactly
what k steps do, mean by (1 - h / v)^k and variance by (1 - h / v)^(2k).

**Many steps at once.** The chain is nearly reversible, and its eigenvalues lie nearly in [-1, 1]. There
x^n = sum_k a_k T_k(x) with a_k = 2^(1 - n) C(n, (n - k) / 2), and terms beyond k = sqrt(2 n ln(2 / delta)) sum to less
than delta (Sachdeva & Vishnoi 2014, theorem 3.3): 10,000 steps cost as much as about 500.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FINEST = 128
"""Cells a side at most."""
_EXACT = 1e-9
_LOST = 1e-5
_REACH = 4.0
"""The lattice reaches so many standard deviations of the noise beyond the square [-1, 1]^2."""


@dataclass(frozen=True)
class Lattice:
    """The cell centres of [-half_width, half_width]^2, `cells` a side; arrays on it are [row, column], row 0 below."""

    half_width: float
    cells: int

    @property
    def cell(self) -> float:
        """The width of a cell."""
        return 2 * self.half_width / self.cells

    @property
    def axis(self) -> Floats:
        """The centres along a side, (cells,)."""
        return (np.arange(self.cells, dtype=np.float64) + 0.5) * self.cell - self.half_width

    @property
    def points(self) -> Floats:
        """All centres, (cells^2, 2)."""
        axis = self.axis
        return np.stack([np.tile(axis, self.cells), np.repeat(axis, self.cells)], axis=1)


@dataclass(frozen=True)
class Pace:
    """`steps` equal steps of h = `drift` and noise of variance `noise` that stand for a level's own."""

    steps: int
    drift: float
    noise: float


def lattice_for(sigma: float, epsilon: float, variance: float, start: float) -> Lattice:
    """The lattice for one noise level.

    Args:
        sigma: the noise level.
        epsilon: its step, 2h.
        variance: the smallest that p_sigma has anywhere.
        start: half the side of the square that particles come from, which is covered too.
    """
    half = max(start + 2 * math.sqrt(epsilon), 1 + _REACH * sigma)
    half = 1.05 ** math.ceil(math.log(half, 1.05))  # few different lattices, so that what belongs to one can be kept
    cell = min(math.sqrt(epsilon), 0.6 * math.sqrt(variance))
    return Lattice(half, min(max(math.ceil(2 * half / cell), 24), FINEST))


def reach(p: Floats, lattice: Lattice) -> float:
    """Half the side of the centred square that holds all but `_LOST` of masses (n, n)."""
    away = np.abs(lattice.axis)
    ring = np.maximum(away[:, None], away[None]) + lattice.cell / 2
    order = np.argsort(ring, axis=None)[::-1]
    outside = np.cumsum(p.ravel()[order])
    return float(ring.ravel()[order[np.searchsorted(outside, _LOST * outside[-1])]])


def pace(steps: int, epsilon: float, variance: float, cell: float) -> Pace:
    """So many steps of `epsilon`, or fewer and longer ones where the lattice is too coarse for them."""
    merged = max(1, round(steps / max(1.0, cell**2 / epsilon)))
    if merged == steps:
        return Pace(steps, epsilon / 2, max(epsilon, cell**2 / 4))
    x = epsilon / (2 * variance)
    kept = max(abs(1 - x), 1e-12) ** (steps / merged)
    inflation = 1 / (1 - x / 2) if x < 2 else 1.0
    noise = inflation * variance * (1 - kept**2)
    return Pace(merged, variance * (1 - kept), max(noise, cell**2 / 4))


class Transition:
    """One step on a lattice at one noise level; `moving` takes many.

    Args:
        score: at the cells' centres, (cells, cells, 2).
        lattice: where densities are given.
        drift: h.
        noise: the variance that the step adds, 2h.
    """

    def __init__(self, score: NDArray[np.floating], lattice: Lattice, drift: float, noise: float) -> None:
        self.lattice = lattice
        n, cell = lattice.cells, lattice.cell
        moved = lattice.points + drift * score.reshape(-1, 2).astype(np.float64)  # (n^2, 2)
        at = (moved + lattice.half_width) / cell - 0.5  # in cells
        at = np.clip(at, 0, n - 1)
        nearest = np.rint(at).astype(np.int64)
        off = at - nearest
        spline = np.stack([(0.5 - off) ** 2 / 2, 0.75 - off**2, (0.5 + off) ** 2 / 2])  # (3, n^2, 2)
        goals, parts = [], []
        for i, j in product(range(3), range(3)):
            column, row = (np.clip(nearest[:, axis] + step - 1, 0, n - 1) for axis, step in ((0, i), (1, j)))
            goals.append(row * n + column)
            parts.append(spline[i, :, 0] * spline[j, :, 1])
        self._goals, self._parts = np.concatenate(goals), np.stack(parts)  # (9 n^2,), (9, n^2)
        self._blur = _blur(n, max(noise / cell**2 - 0.25, 0.0))

    def step(self, p: Floats) -> Floats:
        """The density (n, n) one step later; its sum is kept."""
        laid = np.bincount(self._goals, (self._parts * p.ravel()).ravel(), minlength=p.size)
        return self._blur @ laid.reshape(p.shape) @ self._blur.T

    def moving(self, p: Floats, steps: int) -> Generator[None, None, Floats]:
        """The density (n, n) so many steps later; yields after each application of `step`."""
        terms = chebyshev_of_power(steps)
        if len(terms) > steps:
            for _ in range(steps):
                p = self.step(p)
                yield
            return p
        mass = p.sum()
        before, now = p, self.step(p)
        total = terms[0] * before + terms[1] * now
        for term in terms[2:]:
            before, now = now, 2 * self.step(now) - before
            yield
            if term:
                total += term * now
        total = np.maximum(total, 0)
        return total * (mass / total.sum())


def chebyshev_of_power(n: int) -> Floats:
    """The coefficients a_0 .. a_m with which sum a_k T_k(x) is x^n to about 1e-9 on [-1, 1], n >= 1."""
    most = min(n, math.ceil(math.sqrt(2 * n * math.log(2 / _EXACT))) + 1)
    terms = np.zeros(most + 1)
    for k in range(n % 2, most + 1, 2):
        log_binomial = math.lgamma(n + 1) - math.lgamma((n - k) / 2 + 1) - math.lgamma((n + k) / 2 + 1)
        terms[k] = math.exp(log_binomial + (0 if k == 0 else 1) * math.log(2) - n * math.log(2))
    return terms / terms.sum()  # x = 1 is kept to the last digit: no mass is lost


def resampled(p: Floats, lattice: Lattice, onto: Lattice) -> Floats:
    """Masses (n, n) of one lattice on another one, by cubic interpolation (Keys 1981); the sum is kept."""
    if lattice == onto:
        return p
    weights = _keys(lattice, onto)
    found = np.maximum(weights @ p @ weights.T, 0)
    return found * (p.sum() / found.sum())


def _keys(lattice: Lattice, onto: Lattice) -> Floats:
    """Interpolation along one side, (new cells, cells); zero outside the old lattice."""
    far = np.abs((onto.axis[:, None] - lattice.axis[None]) / lattice.cell)  # in cells
    near = 1.5 * far**3 - 2.5 * far**2 + 1
    wide = -0.5 * far**3 + 2.5 * far**2 - 4 * far + 2
    return np.where(far < 1, near, np.where(far < 2, wide, 0.0))


def _blur(n: int, variance: float) -> Floats:
    """The blur along one side, (n, n), for a variance in cells; what would leave the lattice stays in its last cell."""
    if variance == 0:
        return np.eye(n)
    reach = math.ceil(6 * math.sqrt(variance)) + 1
    kernel = _discrete_gaussian(reach, variance)
    matrix = np.zeros((n, n))
    column = np.arange(n)
    for step, weight in zip(range(-reach, reach + 1), kernel, strict=True):
        np.add.at(matrix, (np.clip(column + step, 0, n - 1), column), weight)
    return matrix


def _discrete_gaussian(reach: int, variance: float) -> Floats:
    """Weights at -reach .. reach with sum 1 and exactly this variance, close to a Gaussian's.

    A sampled Gaussian where that is wide enough; else the three weights of a short random step, as often as needed.
    """
    at = np.arange(-reach, reach + 1)
    if variance >= 0.5:
        kernel = np.exp(-(at**2) / (2 * variance))
        return kernel / kernel.sum()
    kernel = np.zeros(2 * reach + 1)
    kernel[reach - 1 : reach + 2] = variance / 2, 1 - variance, variance / 2
    return kernel
