r"""How far two sets of points lie apart, as the Gaussians that fit them see it.

    d^2 = |m_1 - m_2|^2 + tr C_1 + tr C_2 - 2 tr (C_1 C_2)^(1/2)

is the squared Frechet (Wasserstein-2) distance of N(m_1, C_1) and N(m_2, C_2) (Dowson & Landau 1982); on features of a
network it is what is called FID (Heusel et al. 2017), and like FID it is reported squared.

tr (C_1 C_2)^(1/2) is the sum of the singular values of A_1 A_2^T for any factors C_i = A_i^T A_i. With A_i the centred
points over sqrt(n_i - 1) the covariances are never formed, so that directions in which nothing varies do no harm.

The estimate is biased: of n points each, two samples of one distribution are of the order of d^2 / n apart (Chong &
Forsyth 2020). Distances are comparable only between equal numbers of points, and beside a floor.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trainer.errors import InputError


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """The squared Frechet distance of two sets of points, (N, d) and (M, d); computed in float64.

    Raises:
        InputError: fewer than two points, or points of different dimensions.
    """
    for points in (first, second):
        if points.ndim != 2 or len(points) < 2 or points.shape[1] != first.shape[1]:
            raise InputError(
                f"points: shapes {tuple(first.shape)} and {tuple(second.shape)}; give (N, d) and (M, d), N, M >= 2"
            )
    a, b = _factor(first), _factor(second)
    gap = (first.double().mean(0) - second.double().mean(0)).square().sum()
    cross = torch.linalg.svdvals(a @ b.T).sum()
    return max(0.0, float(gap + a.square().sum() + b.square().sum() - 2 * cross))


def _factor(points: Tensor) -> Tensor:
    """A upper triangular with A^T A the points' covariance, (min(N, d), d)."""
    centred = points.double() - points.double().mean(0)
    return torch.linalg.qr(centred, mode="r").R / (len(points) - 1) ** 0.5
