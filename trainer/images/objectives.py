r"""What is minimised, per picture and dimension, for a network with weights theta and noise z, eps ~ N(0, I).

* **ncsn**, denoising score matching with the weight lambda(sigma) = sigma^2 (Song & Ermon 2019, eqs. 5 and 6):

      1/2 |sigma s(x + sigma z, sigma) + z|^2,    sigma uniform over the levels of the ladder.

* **ddpm**, noise prediction (Ho et al. 2020, eq. 14):

      |eps_theta(sqrt(a_t) x + sqrt(1 - a_t) eps, t) - eps|^2,    t uniform over the thousand timesteps.

Both start near a constant (1/2 and 1) for a network that gives nothing. With one score they are twice each other:
eps_theta = -sigma s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from trainer.schedules import ddpm_alphas_cumprod

if TYPE_CHECKING:
    from torch.nn import Module


class Objective(Protocol):
    """The loss of a batch."""

    def loss(self, unet: Module, clean: Tensor, noise: Tensor, level: Tensor) -> Tensor:
        """The mean over pictures and dimensions, a scalar.

        Args:
            unet: called as `unet(x, timesteps)`; what it returns has `.sample`.
            clean: pictures in [-1, 1], (B, C, H, W).
            noise: standard normal, like `clean`.
            level: which noise level each picture gets, uniform on [0, 1), (B,).
        """
        ...


class ScoreMatching:
    """ncsn, on the levels of a ladder (L,)."""

    def __init__(self, ladder: Tensor, device: torch.device | str = "cpu") -> None:
        self.ladder = ladder.to(device, torch.float32)

    def loss(self, unet: Module, clean: Tensor, noise: Tensor, level: Tensor) -> Tensor:
        """See `Objective`."""
        sigma = self.ladder[_index(level, len(self.ladder))]  # (B,)
        wide = sigma[:, None, None, None]
        score = unet(clean + wide * noise, sigma).sample.float()
        return (wide * score + noise).square().mean() / 2


class NoisePrediction:
    """ddpm, on the linear schedule of a thousand timesteps."""

    def __init__(self, device: torch.device | str = "cpu") -> None:
        kept = ddpm_alphas_cumprod("ddpm-linear")
        self.signal = kept.sqrt().to(device, torch.float32)
        self.spread = (1 - kept).sqrt().to(device, torch.float32)

    def loss(self, unet: Module, clean: Tensor, noise: Tensor, level: Tensor) -> Tensor:
        """See `Objective`."""
        t = _index(level, len(self.signal))
        signal, spread = (table[t][:, None, None, None] for table in (self.signal, self.spread))
        found = unet(signal * clean + spread * noise, t.float()).sample.float()
        return (found - noise).square().mean()


def _index(level: Tensor, count: int) -> Tensor:
    """Uniform numbers on [0, 1) as whole ones below `count`; float32 can round their product up to it."""
    return (level * count).long().clamp_(max=count - 1)
