"""A growing pool of draws, and the score that it implies at every noise level.

All that the learner ever sees of the density is draws. They are counted on a square grid, n_c at cell centre c with
spacing h; blurred by sigma they have the density and score

    p_hat(x) ~ sum_c n_c N(x - c; v),    s_hat(x) = sum_c n_c N(x - c; v) (c - x) / v  /  sum_c n_c N(x - c; v) .

Two facts make this exact enough to learn from:

* **Counting blurs, and the blur is known.** Moving a draw to its cell's centre convolves p with a box of variance
  h^2 / 12 per coordinate (Sheppard 1898), so v = sigma^2 - h^2 / 12 restores the variance that was asked for. With
  h <= sigma the next term is h^4 / 2880 sigma^4, below 1e-3, as long as the density is smooth at the
  scale of a cell.
* **The Gaussian is separable**, so all nodes of a lattice take two matrix products per quantity.

The targets are tabulated on one lattice per noise level, over the data's range and 4.5 sigma, `NODES_PER_SIGMA` nodes
to a sigma; training points are moved to their nearest node and read the target there, so nothing is interpolated. A
node that has no target (its table is not made yet, or no draw is near) holds NaN, and there the one-draw target serves
(`trainer.tasks`).

The error of s_hat falls as 1 / draws, so the pool keeps growing and the tables are made again each time it has grown by
half: a few rows of one lattice per training step, by the step's number and never by the clock.
"""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from trainer.errors import InputError
from trainer.parameterisations import Preconditioning

FIRST = 65_536
"""Draws taken at once at the start; mean, scale and range are theirs."""
MARGIN = 4.5
NODES_PER_SIGMA = 3.0
FINEST = 512
UNIT = 16_384
"""Table nodes made in one training step: about a millisecond's work."""
GROWTH = 1.5
FAINT = 1e-20
"""A node where less than this much of a draw is seen has no target: float32 has lost the draws that it had."""


class Drawable(Protocol):
    """What a learner may ask of a density."""

    def sample(self, n: int, sigma: float = 0.0, *, generator: torch.Generator | None = None) -> Tensor:
        """Draws with shape (n, 2), on the generator's device: the processor's, or on a run on cuda that one's."""
        ...


@dataclass(frozen=True)
class _Lattice:
    """The nodes of one noise level: `side`^2 of them, `spacing` apart from `low` (2,), `offset` into the table."""

    sigma: float
    side: int
    spacing: float
    low: tuple[float, float]
    offset: int


class Pool:
    """Draws so far as counts on a grid, and the tables of targets made from them.

    Attributes:
        ladder: the noise levels that are tabulated, largest first; there may be none.
        draws: how many points have been drawn.
        table: (nodes, 2), each node's target, as the network's output F; NaN where there is none.
    """

    def __init__(
        self,
        centre: tuple[float, float],
        half: float,
        ladder: list[float],
        conditioning: Preconditioning,
        device: torch.device,
    ) -> None:
        self.ladder = ladder
        self.conditioning = conditioning
        self.device = device
        self._centre, self._half = centre, half
        self.cells = _cells(self._half, ladder[-1]) if ladder else 1
        self.counts = torch.zeros(self.cells, self.cells, dtype=torch.int64, device=device)
        self.draws = 0
        self._lattices: list[_Lattice] = []
        offset = 0
        for sigma in ladder:
            reach = self._half + MARGIN * sigma
            side = math.ceil(2 * reach * NODES_PER_SIGMA / sigma)
            corner = (self._centre[0] - reach, self._centre[1] - reach)
            self._lattices.append(_Lattice(sigma, side, 2 * reach / (side - 1), corner, offset))
            offset += side * side
        self.table = torch.full((offset, 2), math.nan, device=device)
        # Finest level first: that is where one draw says least.
        self._units = [
            (level, row, min(row + max(1, UNIT // lattice.side), lattice.side))
            for level, lattice in reversed(list(enumerate(self._lattices)))
            for row in range(0, lattice.side, max(1, UNIT // lattice.side))
        ]
        self.next_unit = len(self._units)
        self.tabulated_draws = 0

    def clone(self) -> Pool:
        """The same pool, to be added to apart."""
        other = copy(self)
        other.counts, other.table = self.counts.clone(), self.table.clone()
        return other

    def tensors(self) -> dict[str, Tensor]:
        """The tensors that determine how the pool goes on, by name."""
        return {"counts": self.counts, "table": self.table}

    def facts(self) -> dict[str, Any]:
        """The numbers that do."""
        return {
            "centre": self._centre,
            "half": self._half,
            "draws": self.draws,
            "next_unit": self.next_unit,
            "tabulated_draws": self.tabulated_draws,
        }

    def resume(self, facts: dict[str, Any]) -> None:
        """Go on from `facts`; counts and table are written by the caller."""
        self.draws, self.next_unit, self.tabulated_draws = (
            facts["draws"],
            facts["next_unit"],
            facts["tabulated_draws"],
        )

    def add(self, points: Tensor) -> None:
        """Count draws with shape (k, 2)."""
        points = points.to(self.device, torch.float32)
        self.draws += len(points)
        if self._lattices:
            low = torch.tensor(self._centre, device=self.device) - self._half
            cell = ((points - low) * (self.cells / (2 * self._half))).long().clamp_(0, self.cells - 1)
            flat = cell[:, 1] * self.cells + cell[:, 0]
            self.counts += torch.bincount(flat, minlength=self.cells**2).view_as(self.counts)

    @property
    def filled(self) -> bool:
        """Whether every table has been made once: the corner made last is near enough to the data to have a target."""
        return bool(self._lattices) and not bool(self.table[self._lattices[0].side ** 2 - 1, 0].isnan())

    @property
    def busy(self) -> bool:
        """Whether the tables are being made, or should be: the pool has grown enough since they were last begun."""
        unfinished = self.next_unit < len(self._units)
        return unfinished or (bool(self._units) and self.draws >= GROWTH * max(1, self.tabulated_draws))

    def refresh(self) -> None:
        """Make one more piece of the tables, if that is due."""
        if not self.busy:
            return
        if self.next_unit == len(self._units):
            self.next_unit, self.tabulated_draws = 0, self.draws
        self._make(*self._units[self.next_unit])
        self.next_unit += 1

    def _make(self, level: int, start: int, stop: int) -> None:
        """Tabulate rows start..stop of one level's lattice."""
        lattice = self._lattices[level]
        counts = self.counts.float()
        width = 2 * self._half / self.cells
        variance = lattice.sigma**2 - width**2 / 12
        ramp = (torch.arange(self.cells, device=self.device) + 0.5) * width - self._half
        nodes = torch.arange(lattice.side, device=self.device) * lattice.spacing
        column = lattice.low[0] + nodes  # (side,)
        row = lattice.low[1] + nodes[start:stop]  # (rows,)
        away_x = self._centre[0] + ramp - column[:, None]  # (side, cells): from node to cell
        away_y = self._centre[1] + ramp - row[:, None]  # (rows, cells)
        blur_x = torch.exp(away_x.square() * (-0.5 / variance))
        blur_y = torch.exp(away_y.square() * (-0.5 / variance))
        near = blur_y @ counts
        mass = near @ blur_x.T  # (rows, side)
        mass.masked_fill_(mass < FAINT, math.nan)
        pull_x = near @ (blur_x * away_x).T / mass
        pull_y = (blur_y * away_y) @ counts @ blur_x.T / mass
        # As the network's output: Preconditioning.output of the score pull / variance.
        slope, along = self.conditioning.slope(lattice.sigma), self.conditioning.pull(lattice.sigma)
        mean = self.conditioning.mean
        begin, end = (lattice.offset + k * lattice.side for k in (start, stop))
        out = self.table[begin:end].view(stop - start, lattice.side, 2)
        out[..., 0] = pull_x.mul_(1 / (variance * slope)) - (column - mean[0]) * (along / slope)
        out[..., 1] = pull_y.mul_(1 / (variance * slope)) - ((row - mean[1]) * (along / slope))[:, None]

    def rows(self, level: Tensor) -> LatticeRows:
        """For batches whose k-th row is always at noise level level[k]: each row's lattice as tensors."""

        def pick(values: list[Any]) -> Tensor:
            return torch.tensor(values, device=self.device)[level]

        lattices = self._lattices
        return LatticeRows(
            offset=pick([x.offset for x in lattices]),
            side=pick([x.side for x in lattices]),
            spacing=pick([x.spacing for x in lattices]),
            low=pick([x.low for x in lattices]),
        )

    def lookup(self, x: Tensor, rows: LatticeRows) -> tuple[Tensor, Tensor]:
        """Move x (B, 2) to the nearest nodes: their places in the plane (B, 2) and their targets F (B, 2), or NaN."""
        node = ((x - rows.low) / rows.spacing[:, None]).round_().long()
        node = torch.minimum(node.clamp_(min=0), (rows.side - 1)[:, None])
        place = node * rows.spacing[:, None] + rows.low
        return place, self.table[rows.offset + node[:, 1] * rows.side + node[:, 0]]


@dataclass(frozen=True)
class LatticeRows:
    """Per row of a batch: its lattice's offset (B,), side (B,), spacing (B,) and low corner (B, 2)."""

    offset: Tensor
    side: Tensor
    spacing: Tensor
    low: Tensor


def span(points: Tensor, least: float) -> tuple[tuple[float, float], float]:
    """Centre and half width, at least `least`, of a square that holds the points (N, 2) and a margin."""
    low, high = points.amin(0), points.amax(0)
    x, y = ((low + high) / 2).tolist()
    return (x, y), 1.1 * max(float((high - low).max()) / 2, least)


def _cells(half: float, sigma_min: float) -> int:
    """The number of grid cells a side: a power of two, cells no wider than the smallest sigma."""
    cells = 2 ** math.ceil(math.log2(max(8.0, 2 * half / sigma_min)))
    if cells > FINEST:
        least = 2 * half / FINEST
        raise InputError(
            f"ladder.sigma_min: {sigma_min:g} is too fine for pooled targets on data this wide; "
            f"give {least:.2g} or more, or choose target single"
        )
    return cells
