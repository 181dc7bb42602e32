"""What several tests of samplers need: densities whose answers are known, and noise that tells each number's effect."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from trainer.densities import GaussianMixture
from trainer.models import TrueScore


def gaussian(variance: float | tuple[float, float], mean: tuple[float, float] = (0.0, 0.0)) -> TrueScore:
    """One Gaussian; a pair of variances is one for each coordinate."""
    return TrueScore(GaussianMixture([1.0], [mean], [np.diag(np.broadcast_to(variance, 2))]))


def far_modes(heavy: float = 0.8) -> GaussianMixture:
    covariance = 0.125**2 * np.eye(2)
    return GaussianMixture([heavy, 1 - heavy], [[0.625, 0.625], [-0.625, -0.625]], [covariance, covariance])


def near_modes() -> GaussianMixture:
    """Two modes close enough for every sampler to find their weights; the second coordinate is one Gaussian."""
    covariance = 0.25**2 * np.eye(2)
    return GaussianMixture([0.7, 0.3], [[0.5, 0.1], [-0.5, 0.1]], [covariance, covariance])


def last(steps: Iterator[tuple[int, Tensor]]) -> Tensor:
    *_, (_, x) = steps
    return x


class Impulses:
    """Noise that is 1 for particle k at the k-th address and 0 elsewhere.

    On a Gaussian every sampler but mala is affine in its start and its noise, so the particles' ends are the
    coefficients, and give mean and variance of the sampler's own end without a random number.
    """

    def __init__(self, addresses: Sequence[tuple[int, int]]) -> None:
        self.rows = {address: row for row, address in enumerate(addresses)}

    def normal(self, step: int, draw: int, ids: int, shape: tuple[int, ...]) -> Tensor:
        z = torch.zeros(ids, *shape, dtype=torch.float64)
        if (step, draw) in self.rows:
            z[self.rows[step, draw]] = 1
        return z

    def start(self) -> Tensor:
        """A particle for each address, one that starts at 1 without noise, and one at 0: (addresses + 2, 2)."""
        x0 = torch.zeros(len(self.rows) + 2, 2, dtype=torch.float64)
        x0[-2] = 1
        return x0

    def moments(self, ends: Tensor, mean: float, variance: float) -> tuple[Tensor, Tensor]:
        """Mean and variance (2,) of the end, if the start has these."""
        base = ends[-1]
        gain, noise = ends[-2] - base, ends[:-2] - base
        return base + gain * mean, gain.square() * variance + noise.square().sum(0)
