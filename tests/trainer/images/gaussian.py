"""Pictures whose score is known: independent Gaussian values."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch

from tests.trainer.images.small import LADDER
from trainer.images.ladder import ddpm_sigmas
from trainer.kernels import GAUSSIAN


class GaussianPictures:
    """The exact score of pictures N(m, v I), with two rows of padding that are -1 without any spread."""

    kernel, device = GAUSSIAN, torch.device("cpu")

    def __init__(self, objective: str = "ncsn", variance: float = 0.04) -> None:
        sigmas = torch.tensor(LADDER) if objective == "ncsn" else ddpm_sigmas().flip(0)
        self.card: Any = SimpleNamespace(shape=(1, 6, 8), padding=(2, 0), objective=objective, sigmas=sigmas)
        self.shape = (1, 8, 8)
        self.sigma_max, self.sigma_min = float(sigmas[0]), float(sigmas[-1])
        self.mean = torch.linspace(-0.4, 0.2, 64).reshape(1, 8, 8)
        self.mean[:, 6:] = -1
        self.variance = torch.full((1, 8, 8), variance)
        self.variance[:, 6:] = 0

    def score(self, x: torch.Tensor, sigma: float) -> torch.Tensor:
        assert self.sigma_min * (1 - 1e-6) <= sigma <= self.sigma_max * (1 + 1e-6)
        return (self.mean - x) / (self.variance + sigma**2)
