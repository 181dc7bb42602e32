"""What a sampler or a metric accepts: anything that knows a score at every noise level of a range.

A density knows its score exactly at every sigma >= 0; `TrueScore` gives it the same four attributes as a fit, a loaded
network or a table, so that one sampler runs on the truth and on what was learned from it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from trainer.errors import InputError
from trainer.kernels import GAUSSIAN, Kernel
from trainer.perturbed import PerturbedDensity

if TYPE_CHECKING:
    from trainer.densities import Density


class ScoreModel(Protocol):
    """A score s(x, sigma) = grad_x log p_sigma(x) on the noise levels [sigma_min, sigma_max]."""

    @property
    def sigma_min(self) -> float:
        """The smallest noise level at which the score may be asked for."""
        ...

    @property
    def sigma_max(self) -> float:
        """The largest noise level at which the score may be asked for."""
        ...

    @property
    def kernel(self) -> Kernel:
        """How noise was added."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the score is computed."""
        ...

    def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        """The score at x, with shape (B, *), at sigma, a float or with shape (B,); shape, dtype and device of x."""
        ...


class TrueScore:
    """A density bound to a kernel: the exact score behind the interface of a learned one."""

    def __init__(
        self,
        density: Density,
        kernel: Kernel = GAUSSIAN,
        device: torch.device | str = "cpu",
        sigma_min: float = 0.0,
        sigma_max: float = math.inf,
    ) -> None:
        self.density = density
        self.kernel = kernel
        self.device = torch.device(device)
        self.sigma_min = sigma_min
        self.sigma_max = sigma_max

    def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        """The exact score at x, with shape (B, 2), at sigma, a float or with shape (B,)."""
        return self.density.score(x, sigma, kernel=self.kernel)

    def log_prob(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        """The exact log p_sigma(x), with shape (B,), for x (B, 2) and sigma a float or with shape (B,)."""
        return self.density.log_prob(x, sigma, kernel=self.kernel)

    def score_and_log_prob(self, x: Tensor, sigma: float | Tensor) -> tuple[Tensor, Tensor]:
        """`score` and `log_prob` at the same points; in one pass where the density has one."""
        if isinstance(self.density, PerturbedDensity):
            return self.density.score_and_log_prob(x, sigma, kernel=self.kernel)
        return self.score(x, sigma), self.log_prob(x, sigma)

    def score_lattice(self, centre: tuple[float, float], half_width: float, n: int, sigma: float) -> Any:  # noqa: ANN401
        """The exact score on the n x n cell centres of a square, (n, n, 2), row 0 at the bottom."""
        return self.density.score_lattice(centre, half_width, n, sigma, kernel=self.kernel)


def require_levels(model: ScoreModel, smallest: float, largest: float, largest_field: str = "sigma_max") -> None:
    """Refuse to evaluate a model outside the noise levels that it knows.

    `largest_field` names the setting that the largest level came from; the smallest is always sigma_min's.

    Raises:
        InputError: a level lies outside [sigma_min, sigma_max] by more than rounding.
    """
    low, high = model.sigma_min * (1 - 1e-6), model.sigma_max * (1 + 1e-6)
    for field, sigma in ((largest_field, largest), ("sigma_min", smallest)):
        if not low <= sigma <= high:
            raise InputError(
                f"particles.{field}: {sigma:g} is outside the model's noise levels; "
                f"give one between {model.sigma_min:g} and {model.sigma_max:g}"
            )
