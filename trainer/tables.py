"""A score read from a table: one lattice of values per noise level, bilinear in between.

Ten thousand particles cost a network some 10 ms a step and a table a tenth of one, because between two lattice nodes
the field hardly bends: p_sigma is smooth at the scale of sigma, so bilinear interpolation on nodes c sigma apart is
wrong by about (c^2 / 12) sigma^2 times the field's second derivatives. Nodes stand c = `SPACING` of sigma apart, as far
as `MOST_NODES` allows, and the table says by how much it is wrong (`TabulatedScore.error`).

Where a noise level is asked for only a few times, the nodes of its table cost more than it saves: `leave` hands such
levels to the model itself.

The table covers [-h, h]^2 with h = max(1.45, 1 + 4.5 sigma): the view, and nearly all that noise carries out of it.
Beyond it the model itself answers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from trainer.kernels import Kernel
from trainer.models import ScoreModel, TrueScore

SPACING = 0.8
"""Distance between nodes in units of sigma, where MOST_NODES allows it."""

MOST_NODES = 128
"""The largest number of nodes along a side."""

_TILE = 64  # nodes along a tile's side; a density's lattice is exact and fast on such squares
_CHUNK = 2048  # nodes that a network answers at a time, about 2 ms
_PROBES = 61
_VIEW = 1.25
_LEAST = 1.45  # more than the view: noise and wrong scores carry a few particles out of it


@dataclass(frozen=True)
class _Table:
    """Score values at the n x n cell centres of [-half_width, half_width]^2, with shape (1, 2, n, n), [y, x]."""

    values: Tensor
    half_width: float

    @property
    def reach(self) -> float:
        """The outermost node's coordinate: the table interpolates up to there."""
        return self.half_width * (1 - 1 / self.values.shape[-1])

    def read(self, x: Tensor) -> Tensor:
        """The interpolated score at x, with shape (B, 2)."""
        at = (x * (1 / self.half_width))[None, None]  # (1, 1, B, 2)
        found = grid_sample(self.values, at, mode="bilinear", padding_mode="border", align_corners=False)
        return found.view(2, -1).T  # (B, 2)


class TabulatedScore:
    """A score model that answers from one table per noise level, and asks `model` itself outside the table.

    `kernel`, `device`, `sigma_min` and `sigma_max` are the model's own. A table is built at the first question for its
    sigma, or ahead of it, a few milliseconds at a time, by `prepare`. The model must not change meanwhile: give it a
    snapshot of a fit.
    """

    def __init__(self, model: ScoreModel, spacing: float = SPACING, most_nodes: int = MOST_NODES) -> None:
        self.model = model
        self.spacing = spacing
        self.most_nodes = most_nodes
        self._tables: dict[float, _Table] = {}
        self._errors: dict[float, float] = {}
        self._left: set[float] = set()

    @property
    def sigma_min(self) -> float:
        """The model's smallest noise level."""
        return self.model.sigma_min

    @property
    def sigma_max(self) -> float:
        """The model's largest noise level."""
        return self.model.sigma_max

    @property
    def kernel(self) -> Kernel:
        """The model's kernel."""
        return self.model.kernel

    @property
    def device(self) -> torch.device:
        """The model's device."""
        return self.model.device

    def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        """The tabulated score at x, with shape (B, 2).

        Sigma with shape (B,), and noise levels without a table that were left to the model, are answered by it.
        """
        if isinstance(sigma, Tensor) or (sigma in self._left and sigma not in self._tables):
            return self.model.score(x, sigma)
        table = self._table(sigma)
        if not len(x):
            return torch.empty_like(x)
        found = table.read(x.to(table.values.dtype)).to(x.dtype)
        if not float(x.abs().amax()) <= table.reach:  # also when x holds NaN, which must not pass for a position
            outside = ~(x.abs().amax(1) <= table.reach)
            found = found.contiguous()
            found[outside] = self.model.score(x[outside], sigma)
        return found

    def leave(self, sigmas: Iterable[float]) -> None:
        """Let the model itself answer at these noise levels, as long as nobody prepares a table for them."""
        self._left.update(sigmas)

    def ready(self, sigma: float) -> bool:
        """Whether the table for this noise level is there."""
        return sigma in self._tables

    def nodes(self, sigma: float) -> int:
        """How many nodes along a side the table for this noise level has."""
        wanted = 2 * _half_width(sigma) / (self.spacing * max(sigma, 1e-6))
        return min(_TILE * math.ceil(wanted / _TILE), self.most_nodes)

    def pieces(self, sigma: float, measured: bool = False) -> int:
        """In how many pieces `prepare` builds the table for this noise level, or `measure` builds and measures it."""
        n = self.nodes(sigma)
        if isinstance(self.model, TrueScore):
            side = _TILE if n % _TILE == 0 else n
            return (n // side) ** 2 + measured
        return -(-(n**2) // _CHUNK) + (-(-(_PROBES**2) // _CHUNK) if measured else 0)

    def prepare(self, sigma: float) -> Iterator[None]:
        """Build the table for this noise level in chunks of a few milliseconds; it is there when the iterator ends."""
        if self.ready(sigma):
            return
        half_width, n = _half_width(sigma), self.nodes(sigma)
        chunks = _lattice_chunks if isinstance(self.model, TrueScore) else _model_chunks
        values = torch.empty(n, n, 2, dtype=torch.float32, device=self.device)
        for _ in chunks(self.model, values, half_width, sigma):  # type: ignore[arg-type]
            yield
        self._tables[sigma] = _Table(values.permute(2, 0, 1)[None].contiguous(), half_width)

    def error(self, sigma: float) -> float:
        """Mean error of the table over the field's root mean square, at 61 x 61 points of the view [-1.25, 1.25]^2.

        61 is a prime, so that the points fall between nodes in all possible ways.
        """
        for _ in self.measure(sigma):
            pass
        return self._errors[sigma]

    def measure(self, sigma: float) -> Iterator[None]:
        """Measure `error` in chunks of a few milliseconds; it is known when the iterator ends."""
        if sigma in self._errors:
            return
        yield from self.prepare(sigma)
        table = self._tables[sigma]
        half_width = min(table.reach, _VIEW)
        exact = torch.empty(_PROBES, _PROBES, 2, device=self.device)
        if isinstance(self.model, TrueScore):
            exact[:] = torch.as_tensor(self.model.score_lattice((0.0, 0.0), half_width, _PROBES, sigma))
            yield
        else:
            yield from _model_chunks(self.model, exact, half_width, sigma)
        wrong = (table.read(_nodes(half_width, _PROBES, self.device)) - exact.view(-1, 2)).norm(dim=1).mean()
        self._errors[sigma] = float(wrong / exact.square().sum(2).mean().sqrt())

    def _table(self, sigma: float) -> _Table:
        for _ in self.prepare(sigma):
            pass
        return self._tables[sigma]


def _half_width(sigma: float) -> float:
    return max(_LEAST, 1 + 4.5 * sigma)


def _nodes(half_width: float, n: int, device: torch.device) -> Tensor:
    """The n x n cell centres of [-half_width, half_width]^2, row by row from the bottom, with shape (n * n, 2)."""
    centres = half_width * ((2 * torch.arange(n, dtype=torch.float64) + 1) / n - 1)
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    return torch.stack((x, y), dim=-1).view(-1, 2).to(device, torch.float32)


def _lattice_chunks(model: TrueScore, values: Tensor, half_width: float, sigma: float) -> Iterator[None]:
    """Fill `values` from a density's own lattice, one square tile at a time."""
    n = values.shape[0]
    side = _TILE if n % _TILE == 0 else n
    part = half_width * side / n  # half the width of a tile
    for row in range(0, n, side):
        for column in range(0, n, side):
            centre = (part * (2 * column / side + 1) - half_width, part * (2 * row / side + 1) - half_width)
            tile = torch.as_tensor(model.score_lattice(centre, part, side, sigma))
            values[row : row + side, column : column + side] = tile
            yield


def _model_chunks(model: ScoreModel, values: Tensor, half_width: float, sigma: float) -> Iterator[None]:
    """Fill `values` by asking the model at the nodes, a few thousand at a time."""
    n = values.shape[0]
    nodes = _nodes(half_width, n, values.device)
    flat = values.view(-1, 2)
    for first in range(0, n * n, _CHUNK):
        with torch.no_grad():
            flat[first : first + _CHUNK] = model.score(nodes[first : first + _CHUNK], sigma)
        yield
