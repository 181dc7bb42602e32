"""A learned score: averaged weights with all that is needed to evaluate them, and nothing that changes."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from trainer.errors import InputError
from trainer.kernels import Kernel, kernel_named
from trainer.networks import ScoreNetwork
from trainer.settings import FitSettings

SLACK = 1e-6
"""A sigma this much outside the trained range, in proportion, is rounding and is taken."""


class LearnedScore:
    """The score that a run had learned at one step: a `ScoreModel`.

    Attributes:
        settings, seed, step: of the run that made it.
        density: what it was trained on.
        network: the network's shape; weights: float32, (count,).
        sigma_min, sigma_max: the ends of the ladder it was trained on.
    """

    def __init__(
        self,
        network: ScoreNetwork,
        weights: Tensor,
        ladder: tuple[float, float],
        *,
        settings: FitSettings,
        density: object,
        seed: int,
        step: int,
    ) -> None:
        self.network = network
        self.weights = weights
        self.sigma_max, self.sigma_min = ladder
        self.settings = settings
        self.density = density
        self.seed = seed
        self.step = step
        self.kernel: Kernel = kernel_named(settings.kernel)
        self.device = weights.device

    @property
    def has_log_density(self) -> bool:
        """Whether what was learned is an energy, so that `log_prob` answers."""
        return self.network.is_energy

    def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        """The score grad log p_sigma at x, with shape (B, 2), as learned; computed in float32, returned like x.

        Differentiable in x where x requires a gradient and torch keeps them.

        Args:
            x: points of the plane, (B, 2), on any device.
            sigma: a float, the quick path, or (B,).

        Raises:
            InputError: if sigma is outside [sigma_min, sigma_max], where nothing was learned, or x is not (B, 2).
        """
        levels = self._levels(x, sigma)
        if torch.is_grad_enabled() and x.requires_grad:
            result = self.network.score(self.weights, x.to(self.device, torch.float32), levels)
            return result.to(x.device, x.dtype)
        with torch.no_grad():
            result = self.network.score(self.weights, x.detach().to(self.device, torch.float32), levels)
        return result.to(x.device, x.dtype)

    def log_prob(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        """An energy's log p_sigma at x, (B,), up to a constant that depends on sigma; differentiable in x.

        Arguments as in `score`.

        Raises:
            InputError: as `score`, or if the parameterisation is no energy, which has no log-density.
        """
        if not self.has_log_density:
            kind = self.settings.parameterisation
            raise InputError(f"log_prob: a network of the parameterisation {kind} has none; train with energy")
        levels = self._levels(x, sigma)
        return self.network.log_density(self.weights, x.to(self.device, torch.float32), levels).to(x.device, x.dtype)

    def _levels(self, x: Tensor, sigma: float | Tensor) -> float | Tensor:
        """Sigma as the network takes it, checked against x and the trained range."""
        if x.ndim != 2 or x.shape[1] != 2:
            raise InputError(f"x: shape {tuple(x.shape)} is not a list of points; give (B, 2)")
        levels = sigma
        if isinstance(sigma, Tensor):
            if sigma.ndim == 0:
                levels = float(sigma)
            elif sigma.shape != x.shape[:1]:
                raise InputError(f"sigma: shape {tuple(sigma.shape)} does not match x; give a float or ({len(x)},)")
            else:
                levels = sigma.to(self.device, torch.float32)
        if len(x):
            self._require_trained(levels)
        return levels

    def _require_trained(self, sigma: float | Tensor) -> None:
        low, high = (float(v) for v in sigma.aminmax()) if isinstance(sigma, Tensor) else (sigma, sigma)
        if not (low >= self.sigma_min * (1 - SLACK) and high <= self.sigma_max * (1 + SLACK)):
            wrong = low if not low >= self.sigma_min * (1 - SLACK) else high
            shown = f"{wrong:.4g}" if math.isfinite(wrong) else repr(wrong)
            raise InputError(
                f"sigma: {shown} is outside the trained range; "
                f"give a value between {self.sigma_min:.4g} and {self.sigma_max:.4g}"
            )
