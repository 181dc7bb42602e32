r"""How far a cloud of particles is from a density, or from another cloud.

**Grid KL.** Particles and density are both reduced to the masses of an n x n lattice's cells and of all the rest of the
plane. With q_c = k_c / N the share of the particles in cell c and p_c the density's integral over it,

    KL(q || p) = sum_c q_c log(q_c / p_c).

Only cells with particles enter, so an empty cell needs no smoothing; a particle where the density is next to nothing
costs log(1 / p_c), finite because p_c is kept as a logarithm. Counting noise makes this plug-in estimate too large: if
the particles' own law has m cells with mass, by (m - 1) / (2 N) to leading order (Miller 1955; Panzeri & Treves 1996).
The **Miller-Madow correction** subtracts that with the number of occupied cells for m. Cells hide whatever happens
within them: KL on a lattice is at most KL in the plane.

**Sliced Wasserstein.** On a line the optimal transport joins equal quantiles, so (Bonneel et al. 2015)

    SW_r^r = mean over directions theta of  int_0^1 |F_theta^-1(u) - G_theta^-1(u)|^r du,    r = 1 or 2,

F_theta and G_theta the distribution functions of the two projections x . theta. Directions are fixed, equally spaced
over half a turn, so nothing is drawn and the value depends on the clouds alone.

Between two clouds the quantile functions are steps and the integral is a finite sum. Between a cloud and a density,
with L(u) = int_0^u F^-1 the density's Lorenz curve and x_i the sorted projections,

    W_2^2 = sum_i [ x_i^2 / N - 2 x_i (L(i/N) - L((i-1)/N)) ] + E[Y^2],
    W_1   = sum_i [ x_i (2 u_i - i/N - (i-1)/N) - 2 L(u_i) + L(i/N) + L((i-1)/N) ],

u_i = F(x_i) held within [(i-1)/N, i/N]. F and L are closed forms for a mixture of Gaussians, tabulated at a quarter of
its narrowest standard deviation and joined by cubic Hermite pieces: the error is below 1e-4 of that standard deviation.
A table has at most 131,072 nodes, enough for every painting; of a mixture 30,000 times as wide as its narrowest
component they lie farther apart, and the error is below their spacing.
Even perfect draws lie at a distance that falls like N^-1/2 (for r = 2, like sqrt(log log N / N)).
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from trainer.densities import Density
from trainer.errors import InputError
from trainer.kernels import GAUSSIAN, Kernel
from trainer.moments import components

DIRECTIONS = 16
CELLS = 32
NODES = 8
"""Gauss-Legendre nodes along each side of a cell."""

REST = 1e-12
"""The rest of the plane counts as holding at least this much of the density: below it 1 - sum is rounding."""

_HALF_WIDTH = 1.5
_SPREADS = 8.5  # standard deviations beyond which a Gaussian's tail is below rounding
_FINEST = 1 << 17  # nodes of a table at most: a quarter of a painting's least bandwidth, 1e-4, all across it
_TERMS = 1 << 21  # components x nodes evaluated at once

Floats = NDArray[np.float64]
Order = Literal[1, 2]


# --- grid KL ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CellMasses:
    """A density's integrals over the cells of a lattice; `cell_masses` makes it.

    Attributes:
        log_mass: (n, n), logarithms, row 0 at the bottom.
        log_rest: the logarithm of what lies outside the lattice.
        centre, half_width: of the square.
    """

    log_mass: Floats
    log_rest: float
    centre: tuple[float, float]
    half_width: float


@dataclass(frozen=True)
class GridDivergence:
    """KL(particles || density) on a lattice, in nats.

    Attributes:
        plug_in: from the counts as they are; never negative.
        corrected: less the Miller-Madow correction (occupied - 1) / (2 N); about 0 for perfect draws.
        occupied: cells with particles, the rest of the plane counting as one.
    """

    plug_in: float
    corrected: float
    occupied: int


def cell_masses(
    density: Density,
    sigma: float = 0.0,
    centre: tuple[float, float] = (0.0, 0.0),
    half_width: float = _HALF_WIDTH,
    n: int = CELLS,
    *,
    kernel: Kernel = GAUSSIAN,
    nodes: int = NODES,
) -> CellMasses:
    """The integrals of p_sigma over the n x n cells of a square, by `nodes` x `nodes` Gauss-Legendre points each.

    With 8 nodes the integral is right to 1e-6 for Gaussians no narrower than a fifth of a cell.

    Raises:
        InputError: n or nodes is less than 1, or half_width is not positive.
    """
    if n < 1 or nodes < 1 or not half_width > 0:
        raise InputError(f"lattice: n = {n}, nodes = {nodes}, half_width = {half_width:g}; give 1 or more, and above 0")
    node, weight = np.polynomial.legendre.leggauss(nodes)
    cell = 2 * half_width / n
    along = (np.arange(n)[:, None] + (node + 1) / 2) * cell - half_width  # (n, nodes)
    log_weight = torch.from_numpy(np.log(weight * cell / 2))
    xs, ys = (torch.from_numpy(along.ravel() + c) for c in centre)
    rows = []
    for y in ys.view(n, nodes):  # a row of cells at a time
        at = torch.stack(torch.meshgrid(xs, y, indexing="xy"), dim=-1)  # (nodes, n * nodes, 2)
        log_p = density.log_prob(at.reshape(-1, 2), sigma, kernel=kernel).view(nodes, n, nodes)
        rows.append((log_p + log_weight[:, None, None] + log_weight).logsumexp((0, 2)))
    log_mass = torch.stack(rows).numpy()
    rest = max(1 - float(np.exp(log_mass).sum()), REST)
    return CellMasses(log_mass, math.log(rest), centre, half_width)


def grid_kl(points: ArrayLike | Tensor, cells: CellMasses) -> GridDivergence:
    """KL(particles || density) on a lattice, points (N, 2); see above.

    Raises:
        InputError: the points are no list of points, there are none, or one is not finite.
    """
    at = _cloud(points, "points")
    n = len(cells.log_mass)
    place = (at - np.array(cells.centre) + cells.half_width) * (n / (2 * cells.half_width))  # (N, 2), in cells
    inside = ((place >= 0) & (place < n)).all(axis=1)
    column, row = place[inside].astype(np.int64).T
    counts = np.bincount(row * n + column, minlength=n * n)
    counts = np.append(counts, len(at) - inside.sum())
    log_mass = np.append(cells.log_mass.ravel(), cells.log_rest)
    seen = counts > 0
    share = counts[seen] / len(at)
    plug_in = float((share * (np.log(share) - log_mass[seen])).sum())
    occupied = int(seen.sum())
    return GridDivergence(plug_in, plug_in - (occupied - 1) / (2 * len(at)), occupied)


# --- sliced Wasserstein ----------------------------------------------------------------------------------------------


def fan(directions: int = DIRECTIONS) -> Floats:
    """Unit vectors equally spaced over half a turn, (directions, 2)."""
    if directions < 1:
        raise InputError(f"directions: {directions}; give 1 or more")
    angle = np.pi * (np.arange(directions) + 0.5) / directions
    return np.stack((np.cos(angle), np.sin(angle)), axis=1)


def sliced_wasserstein(
    a: ArrayLike | Tensor, b: ArrayLike | Tensor, order: Order = 2, directions: int = DIRECTIONS
) -> float:
    """SW_1 or SW_2 between two clouds, (N, 2) and (M, 2), in units of the plane; exact in each direction.

    Raises:
        InputError: a cloud is no list of finite points or empty, or the order is neither 1 nor 2.
    """
    _check_order(order)
    axes = fan(directions)
    x, y = (np.sort(axes @ _cloud(v, name).T, axis=1) for v, name in ((a, "a"), (b, "b")))  # (D, N), (D, M)
    # Both quantile functions are constant between neighbouring multiples of 1/N and 1/M; in units of 1/(N M) these are
    # whole numbers.
    n, m = x.shape[1], y.shape[1]
    ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    starts = np.concatenate(([0], ends[:-1]))
    share, i, j = (ends - starts) / (n * m), starts // m, starts // n
    costs = [np.abs(u[i] - v[j]) ** order @ share for u, v in zip(x, y, strict=True)]
    return float(np.mean(costs) ** (1 / order))


@dataclass(frozen=True)
class Projections:
    """The projections of a density on a fan of directions; `project` makes it.

    Attributes:
        axes: (D, 2), the directions.
        tables: one for each direction: positions t (T,), F(t), the density f(t), and int_-inf^t y f(y) dy.
        power: (D,), E[Y^2].
    """

    axes: Floats
    tables: tuple[tuple[Floats, Floats, Floats, Floats], ...]
    power: Floats


def project(density: Density, sigma: float = 0.0, directions: int = DIRECTIONS) -> Projections:
    """Tabulate the projections of p_sigma for Gaussian noise, to be compared with many clouds; see `projecting`."""
    work = projecting(density, sigma, directions)
    while True:
        try:
            next(work)
        except StopIteration as end:
            projections: Projections = end.value
            return projections


def projecting(
    density: Density, sigma: float = 0.0, directions: int = DIRECTIONS
) -> Generator[None, None, Projections]:
    """Tabulate the projections of p_sigma for Gaussian noise, a few milliseconds at a time; returns them at the end.

    About 0.1 s a direction for a painting full of cells, twice that at the least bandwidth. For another density or
    kernel compare with a cloud of draws.

    Raises:
        InputError: the density is neither a `GaussianMixture` nor a `PaintedDensity`, or sigma is negative.
    """
    if not 0 <= sigma < math.inf:
        raise InputError(f"sigma: {sigma:g}; give a standard deviation >= 0")
    weights, means, covariances = components(density, "compare with a cloud of draws by sliced_wasserstein")
    axes = fan(directions)
    tables, power = [], np.empty(directions)
    for k, axis in enumerate(axes):
        at = means @ axis  # (K,)
        variance = np.broadcast_to(np.einsum("i,kij,j->k", axis, covariances, axis) + sigma**2, at.shape)
        tables.append((yield from _tabulate(weights, at, np.sqrt(variance))))
        power[k] = weights @ (at**2 + variance)
    return Projections(axes, tuple(tables), power)


def sliced_wasserstein_to_density(points: ArrayLike | Tensor, projections: Projections, order: Order = 2) -> float:
    """SW_1 or SW_2 between a cloud, (N, 2), and a density, in units of the plane.

    Raises:
        InputError: the points are no list of finite points or none, or the order is neither 1 nor 2.
    """
    _check_order(order)
    x = np.sort(projections.axes @ _cloud(points, "points").T, axis=1)  # (D, N)
    u = np.arange(x.shape[1] + 1) / x.shape[1]
    costs = []
    for along, (t, f_t, p_t, l_t), power in zip(x, projections.tables, projections.power, strict=True):
        lorenz = _hermite(u, f_t, l_t, t)
        if order == 2:
            costs.append(np.square(along).mean() - 2 * along @ np.diff(lorenz) + power)
        else:
            meet = np.clip(_hermite(along, t, f_t, p_t), u[:-1], u[1:])
            gap = along * (2 * meet - u[1:] - u[:-1]) - 2 * _hermite(meet, f_t, l_t, t) + lorenz[1:] + lorenz[:-1]
            costs.append(gap.sum())
    return float(max(np.mean(costs), 0.0) ** (1 / order))


def _tabulate(
    weights: Floats, means: Floats, spreads: Floats
) -> Generator[None, None, tuple[Floats, Floats, Floats, Floats]]:
    """Positions t, F(t), f(t) and the partial mean int_-inf^t y f(y) dy of a mixture on a line, each (T,), in pieces.

    Components whose tail ends before t count in full and those that begin behind it not at all, so with the components
    in order only those between need evaluating.
    """
    order = np.argsort(means)
    w, a, s = (torch.from_numpy(np.ascontiguousarray(v[order])) for v in (weights, means, spreads))
    reach = _SPREADS * float(s.max())
    low, high = float(a[0]) - reach, float(a[-1]) + reach
    t = torch.linspace(low, high, min(_FINEST, 2 + math.ceil((high - low) / (0.25 * float(s.min())))), dtype=a.dtype)
    mass, moment = (torch.cat((v.new_zeros(1), v.cumsum(0))) for v in (w, w * a))
    parts = []
    for at in t.split(max(1, min(64, _TERMS // len(w)))):
        first, last = (int(v) for v in torch.searchsorted(a, torch.stack((at[0] - reach, at[-1] + reach))))
        near = slice(first, last)
        z = (at[:, None] - a[near]) / s[near]
        below = torch.special.ndtr(z) * w[near]
        bell = torch.exp(-0.5 * z.square()) * (w[near] / math.sqrt(2 * math.pi))
        parts.append(
            torch.stack(
                (mass[first] + below.sum(1), (bell / s[near]).sum(1), moment[first] + below @ a[near] - bell @ s[near])
            )
        )
        yield
    f, p, partial = torch.cat(parts, dim=1).numpy()
    return t.numpy(), np.maximum.accumulate(f), p, partial  # rounding must not make F fall


def _hermite(at: Floats, x: Floats, y: Floats, slope: Floats) -> Floats:
    """The cubic Hermite interpolant through (x, y) with these slopes, x not decreasing; constant beyond its ends."""
    k = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    h = x[k + 1] - x[k]
    q = np.clip((at - x[k]) / np.where(h > 0, h, 1.0), 0.0, 1.0)
    rise, bend = y[k + 1] - y[k], q * (1 - q)
    return y[k] + q * rise + bend * ((1 - q) * (h * slope[k] - rise) - q * (h * slope[k + 1] - rise))


def _cloud(points: ArrayLike | Tensor, name: str) -> Floats:
    given = points.detach().cpu().numpy() if isinstance(points, Tensor) else points
    at = np.asarray(given, dtype=np.float64)
    if at.ndim != 2 or at.shape[1] != 2 or not len(at):
        raise InputError(f"{name}: shape {at.shape}; give one or more points of the plane, shape (N, 2)")
    if not np.isfinite(at).all():
        raise InputError(f"{name}: contains NaN or infinity; give finite points")
    return at


def _check_order(order: int) -> None:
    if order not in (1, 2):
        raise InputError(f"order: {order!r}; give 1 or 2")
