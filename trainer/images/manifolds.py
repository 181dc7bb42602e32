r"""Do samples lie where the data lie, and everywhere where they lie? Four shares, from distances to neighbours.

Around each point of a set a ball reaches to its k-th nearest neighbour within the set; the balls together stand for the
set's manifold. Of samples Y and data X (Kynkaanniemi et al. 2019):

    precision  the share of samples inside some ball of the data
    recall     the share of data inside some ball of the samples

One outlier has a huge ball, and samples that are merely spread out have large ones. Naeem et al. 2020 count instead

    density    in how many balls of the data a sample lies, on average, over k; 1 is right, more is too concentrated
    coverage   the share of the data whose ball holds a sample

Samples of the very distribution do not reach 1: with N points of each, coverage tends to 1 - 2^-k for large N, .969
with k = 5, and precision and recall depend on the dimension. All four want equal numbers of data and samples, and the
same figures of real pictures beside them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from trainer.errors import InputError

NEIGHBOURS = 5
_BLOCK = 2048  # rows of distances held at once


@dataclass(frozen=True)
class Shares:
    """Precision, recall, density and coverage of samples against data."""

    precision: float
    recall: float
    density: float
    coverage: float

    def to_json(self) -> dict[str, float]:
        """The shares by name."""
        return asdict(self)


def shares(data: Tensor, samples: Tensor, k: int = NEIGHBOURS) -> Shares:
    """The four shares, of points (N, d) and (M, d), by Euclidean distance in float64.

    Raises:
        InputError: k neighbours cannot be had.
    """
    if not 1 <= k < min(len(data), len(samples)):
        raise InputError(
            f"k: {k} neighbours among {min(len(data), len(samples))} pictures; give more pictures, or 1 or more "
            "neighbours, fewer than there are pictures"
        )
    data, samples = data.double(), samples.double()
    reach, reach_of_samples = radii(data, k), radii(samples, k)
    balls = torch.zeros(len(samples), dtype=torch.int64)  # of the data that each sample lies in
    recalled = covered = 0
    for first in range(0, len(data), _BLOCK):
        rows = slice(first, first + _BLOCK)
        distances = _distances(data[rows], samples)  # (rows, M)
        inside = distances < reach[rows, None]
        balls += inside.sum(0)
        covered += int(inside.any(1).sum())
        recalled += int((distances < reach_of_samples).any(1).sum())
    return Shares(
        precision=float((balls > 0).double().mean()),
        recall=recalled / len(data),
        density=float(balls.double().mean()) / k,
        coverage=covered / len(data),
    )


def radii(points: Tensor, k: int) -> Tensor:
    """The distance of each point (N, d) to its k-th nearest other one, (N,)."""
    found = []
    for first in range(0, len(points), _BLOCK):
        rows = torch.arange(first, min(first + _BLOCK, len(points)))
        distances = _distances(points[rows], points)
        distances[torch.arange(len(rows)), rows] = torch.inf  # not itself; a copy of it counts
        found.append(distances.topk(k, largest=False).values[:, -1])
    return torch.cat(found)


def _distances(x: Tensor, y: Tensor) -> Tensor:
    """Without the shortcut |x|^2 - 2 x.y + |y|^2, which loses small distances."""
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
