"""Evenly spaced streamlines of a field on a lattice.

After Jobard & Lefer (1997), "Creating evenly-spaced streamlines of arbitrary density": a streamline may begin only
where no other is nearer than a distance d, and ends where it comes nearer than d/2 to another one. Here all candidates,
one for each cell of a lattice of spacing d, are integrated at once; they are then taken in a fixed order that scatters
over the plane, longest spacing first, so that the same field always gives the same lines.

Lines follow the field's *direction* by the midpoint rule in steps of equal length, so that their shape says whither and
their weight, which a view draws by the magnitude along them, says how much. They end at a summit or a saddle, where
the direction turns round within a step, and at the edge.

numpy only; positions are in cells of the lattice, x to the right, y up, (0, 0) the middle of the cell in row 0 and
column 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.views.texture import resampled

Floats = NDArray[np.float32]

STEP = 0.5
"""The length of a step over the spacing's half: two points of a line fall into each cell of the occupancy grid."""

REACH = 10
"""How many spacings a line runs at most to either side of its seed."""

SHORTEST = 1.2
"""Lines that are shorter than so many spacings are left out."""

FINE = 192
"""Directions are looked up on a lattice of so many cells a side, interpolated from the field's own."""

_TURN = 0.75


@dataclass(frozen=True)
class Lines:
    """Streamlines as one list of points: line k is points[starts[k] : starts[k + 1]], in the field's direction.

    Attributes:
        points: (P, 2), in cells of the lattice.
        magnitude: (P,), |s| there.
        starts: (K + 1,).
    """

    points: Floats
    magnitude: Floats
    starts: NDArray[np.intp]


def streamlines(field: NDArray[np.float32], spacing: float) -> Lines:
    """Evenly spaced streamlines of a field (n, n, 2), row 0 at the bottom, `spacing` cells apart; NaN counts as 0."""
    field = np.nan_to_num(field, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)
    n = len(field)
    magnitude = np.hypot(field[..., 0], field[..., 1])
    unit = field / np.maximum(magnitude, np.float32(1e-30))[..., None]
    seeds = _scattered(n, spacing)
    step = STEP * spacing / 2
    count = max(2, round(REACH * spacing / step))
    paths = _follow(resampled(unit, FINE), n, seeds, step, count)
    return _choose(paths, count - 1, magnitude, spacing, step)


def _scattered(n: int, spacing: float) -> Floats:
    """Seeds (K, 2) on a square lattice of this spacing, in an order that scatters: neighbours come far apart."""
    k = max(1, round(n / spacing))
    side = ((np.arange(k) + 0.5) / k * n - 0.5).astype(np.float32)
    x, y = np.meshgrid(side, side)
    order = np.argsort((np.arange(k * k) * 0.6180339887498949) % 1.0, kind="stable")
    return np.stack([x.ravel(), y.ravel()], axis=1)[order]


def _follow(unit: Floats, n: int, seeds: Floats, step: float, count: int) -> Floats:
    """Ways through the seeds (K, 2 count - 1, 2), the seed in the middle; NaN where a line has ended.

    `unit` holds the directions (m, m, 2) over the same square as the lattice of n cells; the nearest one counts. A
    direction that has been averaged over a turn is shorter than 1: below `_TURN` the line has come to its end.
    """
    m = len(unit)
    scale = m / n
    flat = np.empty(m * m, np.complex64)
    flat.real, flat.imag = unit[..., 0].ravel(), unit[..., 1].ravel()
    start = ((seeds[:, 0] + 0.5) * scale + 1j * (seeds[:, 1] + 0.5) * scale).astype(np.complex64)
    k = len(start)
    sign = np.repeat(np.array([1, -1], np.float32), k)
    path = np.full((2 * count - 1, k), np.nan + 0j, np.complex64)
    path[count - 1] = start
    alive = np.arange(2 * k)
    at = np.concatenate([start, start])
    before = flat.take(_index(at, m)) * sign
    stride = np.float32(step * scale)
    for j in range(1, count):
        way = flat.take(_index(at, m)) * sign[alive]
        middle = flat.take(_index(at + way * (stride / 2), m)) * sign[alive]
        size = np.abs(middle)
        moved = at + middle * (stride / np.maximum(size, np.float32(1e-6)))
        inside = (moved.real >= 0) & (moved.real < m) & (moved.imag >= 0) & (moved.imag < m)
        going = inside & (size > _TURN) & ((middle * before.conj()).real > 0)
        alive, at, before = alive[going], moved[going], middle[going]
        if not alive.size:
            break
        ahead = alive < k
        path[count - 1 + j, alive[ahead]] = at[ahead]
        path[count - 1 - j, alive[~ahead] - k] = at[~ahead]
    pairs = np.stack([path.real.T, path.imag.T], axis=2)
    return pairs / np.float32(scale) - np.float32(0.5)


def _index(at: NDArray[np.complex64], m: int) -> NDArray[np.intp]:
    """Which of m * m cells positions lie in, the nearest one for those outside."""
    col = np.clip(at.real, 0, m - 1).astype(np.intp)
    return np.clip(at.imag, 0, m - 1).astype(np.intp) * m + col


def sample(flat: Floats, n: int, at: Floats) -> Floats:
    """Bilinear values (K, c) of a lattice (n * n, c) at positions (K, 2) in cells; the edge goes on outwards."""
    x, y = np.clip(at[:, 0], 0, n - 1), np.clip(at[:, 1], 0, n - 1)
    col, row = np.minimum(x.astype(np.intp), max(n - 2, 0)), np.minimum(y.astype(np.intp), max(n - 2, 0))
    u, v = (x - col)[:, None], (y - row)[:, None]
    right, up = (1, n) if n > 1 else (0, 0)
    first = row * n + col
    below = flat[first] * (1 - u) + flat[first + right] * u
    above = flat[first + up] * (1 - u) + flat[first + up + right] * u
    return below * (1 - v) + above * v


def _choose(paths: Floats, seed: int, magnitude: Floats, spacing: float, step: float) -> Lines:
    """Take candidates (K, T, 2) in order, each as far from its point `seed` as it keeps its distance to those taken."""
    n = len(magnitude)
    cell = spacing / 2
    side = int(np.ceil(n / cell)) + 2
    known = np.isfinite(paths[..., 0])
    place = np.zeros(paths.shape[:2], np.intp)
    grid = ((np.where(known[..., None], paths, 0) + 0.5) / cell).astype(np.intp) + 1
    place[:] = grid[..., 1] * side + grid[..., 0]
    near = np.array([dy * side + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)])
    taken = np.zeros(side * side, bool)  # cells with a line in them
    close = np.zeros(side * side, bool)  # those and their neighbours: no line begins there
    least = SHORTEST * spacing / step
    chosen: list[Floats] = []
    for path, cells, there in zip(paths, place, known, strict=True):
        if close[cells[seed]]:
            continue
        free = there & ~taken[cells]
        blocked = np.flatnonzero(~free)
        after = np.searchsorted(blocked, seed)
        first = blocked[after - 1] + 1 if after else 0
        last = blocked[after] if after < len(blocked) else len(path)
        if last - first < least:
            continue
        chosen.append(path[first:last])
        mine = cells[first:last]
        taken[mine] = True
        close[(mine[:, None] + near).ravel()] = True
    if not chosen:
        return Lines(np.zeros((0, 2), np.float32), np.zeros(0, np.float32), np.zeros(1, np.intp))
    points = np.concatenate(chosen)
    starts = np.concatenate([[0], np.cumsum([len(path) for path in chosen])])
    return Lines(points, sample(magnitude.reshape(-1, 1), n, points)[:, 0], starts)
