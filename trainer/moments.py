"""The densities of this package as mixtures of Gaussians: their components, and their mean and covariance, exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.densities import GaussianMixture, PaintedDensity
from trainer.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Mean and covariance, and the Gaussian that has them: what p_0 looks like from far away.

    Attributes:
        mean: (2,).
        covariance: (2, 2), symmetric and positive semidefinite.
    """

    mean: Floats
    covariance: Floats

    def log_prob(self, x: Tensor, sigma: float = 0.0) -> Tensor:
        """The logarithm of N(x; mean, covariance + sigma^2 I), shape (B,), for x (B, 2), in x's dtype."""
        total = torch.from_numpy(self.covariance + sigma**2 * np.eye(2)).to(x)
        away = x - torch.from_numpy(self.mean).to(x)
        distance = (away @ torch.linalg.inv(total) * away).sum(1)  # Mahalanobis, squared
        return -0.5 * distance - 0.5 * torch.logdet(total) - math.log(2 * math.pi)


def components(density: object, otherwise: str) -> tuple[Floats, Floats, Floats]:
    """The mixture that p_0 is: weights (K,), means (K, 2) and covariances, (K, 2, 2) or one for all, (1, 2, 2).

    Raises:
        InputError: the density is neither a `GaussianMixture` nor a `PaintedDensity`; `otherwise` says what to do then.
    """
    if isinstance(density, GaussianMixture):
        return density.weights, density.means, density.covariances
    if isinstance(density, PaintedDensity):
        painted = density.weights
        return painted[painted > 0], density.centres, density.bandwidth**2 * np.eye(2)[None]
    raise InputError(f"density: {type(density).__name__} is no mixture whose components are known; {otherwise}")


def moments(density: object) -> Moments:
    """The mean and covariance of p_0.

    Raises:
        InputError: the density is neither a `GaussianMixture` nor a `PaintedDensity`.
    """
    weights, means, within = components(density, "give prior=Moments(mean, covariance)")
    mean = weights @ means
    away = means - mean
    each = np.broadcast_to(within, (len(weights), 2, 2))
    return Moments(mean, (away * weights[:, None]).T @ away + np.einsum("k,kij->ij", weights, each))
