"""Are samples copies? Each one's nearest training picture, and how near it is.

Distances are Euclidean between pictures in [-1, 1], over all values. A sample may be near a training picture because it
is good: held-out pictures are near some, too. So their distances are the measure: the share of samples nearer than all
but 1 % of the held-out pictures are is 0.01 for new pictures of the same kind, and near 1 for copies. Where the
held-out pictures themselves contain copies of training pictures, that quantile is 0, and nothing counts as nearer.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

QUANTILE = 0.01
"""Of the held-out pictures' distances: samples nearer than that count as memorised."""
_BLOCK = 512
_CANDIDATES = 4


class Nearest(NamedTuple):
    """For each picture the place of the nearest training picture, (N,) int64, and its distance, (N,) float64."""

    places: Tensor
    distances: Tensor


def nearest(pictures: Tensor, train: Tensor) -> Nearest:
    """The nearest of the training pictures (M, C, H, W) to each of the pictures (N, C, H, W).

    Candidates are found by |x|^2 - 2 x.y + |y|^2 in float32 and compared without that shortcut, which loses small
    distances; a tie goes to the first.
    """
    x, y = pictures.float().flatten(1), train.float().flatten(1)
    places, distances = [], []
    for part in x.split(_BLOCK):
        near = torch.cdist(part, y, compute_mode="use_mm_for_euclid_dist")
        candidates = near.topk(min(_CANDIDATES, len(y)), largest=False).indices.sort(1).values  # (B, 4)
        exact = (y[candidates].double() - part[:, None].double()).square().sum(2).sqrt()
        best = exact.argmin(1)
        rows = torch.arange(len(part))
        places.append(candidates[rows, best])
        distances.append(exact[rows, best])
    return Nearest(torch.cat(places), torch.cat(distances))


def memorised_share(samples: Tensor, held_out: Tensor) -> float:
    """The share of the samples' distances, (N,), below the held-out pictures' 1 % quantile, of (M,)."""
    return float((samples < held_out.quantile(QUANTILE)).double().mean())
