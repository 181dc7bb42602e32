r"""A trained U-Net as a `ScoreModel`: one score s(x, sigma) whatever the network was trained to give.

The samplers work in the data's own coordinates, x = x_0 + sigma z with x_0 in [-1, 1]. There

* a network of the objective ncsn *is* the score: s(x, sigma) = unet(x, sigma);
* one of the objective ddpm gives the noise in coordinates that shrink the data, y = sqrt(a) x with
  a = 1 / (1 + sigma^2), at a timestep t(sigma), the schedule's inverse, linear in ln sigma between whole timesteps:

      s(x, sigma) = -eps_theta(sqrt(a) x, t(sigma)) / sigma.

A network that has other values for black and white sees u = m + c x at the noise level c sigma, and
s(x, sigma) = c s_u(m + c x, c sigma).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from trainer.errors import InputError
from trainer.images.card import ImageCard
from trainer.kernels import GAUSSIAN, Kernel
from trainer.learned import SLACK
from trainer.models import ScoreModel

if TYPE_CHECKING:
    from diffusers import UNet2DModel


class ImageModel(ScoreModel, Protocol):
    """A score of pictures: what `trainer.images.sampling` runs."""

    @property
    def card(self) -> ImageCard:
        """What its network was trained for."""
        ...

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one picture as the samplers see it, (channels, height, width), with the padding."""
        ...


class ImageScore:
    """The score of pictures as a network has learned it: a `ScoreModel`.

    Attributes:
        unet: the network, in evaluation mode; card: what it was trained for.
        shape: of one picture as the network and the samplers see it, (channels, height, width), with the padding.
        sigma_min, sigma_max, kernel, device: as every `ScoreModel` has them.
    """

    def __init__(self, unet: UNet2DModel, card: ImageCard) -> None:
        self.unet = unet
        self.card = card
        self.shape = card.padded_shape
        sigmas = card.sigmas
        self.sigma_max, self.sigma_min = float(sigmas[0]), float(sigmas[-1])
        self.kernel: Kernel = GAUSSIAN
        self._middle = (card.range[0] + card.range[1]) / 2
        self._scale = (card.range[1] - card.range[0]) / 2
        self._log_sigmas = sigmas.flip(0).log()  # of the timesteps 0, 1, ..

    @property
    def device(self) -> torch.device:
        """Where the score is computed."""
        return self.unet.conv_in.weight.device

    def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        """The score at pictures x, with shape (B, C, H, W); computed in float32, returned like x.

        Differentiable in x where x requires a gradient and torch keeps them.

        Args:
            x: noisy pictures in the units of [-1, 1], padded, on any device.
            sigma: a float or (B,).

        Raises:
            InputError: if sigma is outside [sigma_min, sigma_max], where nothing was learned, or x has another shape.
        """
        levels = self._levels(x, sigma)
        with torch.set_grad_enabled(torch.is_grad_enabled() and x.requires_grad):
            pictures = x.to(self.device, torch.float32)
            result = self._ncsn(pictures, levels) if self.card.objective == "ncsn" else self._ddpm(pictures, levels)
        return result.to(x.device, x.dtype)

    def timesteps(self, sigma: Tensor) -> Tensor:
        """t(sigma) of the thousand, from 0, not necessarily whole: linear in ln sigma between them; (B,) float64."""
        table = self._log_sigmas
        wanted = sigma.detach().to("cpu", torch.float64).log()
        above = torch.searchsorted(table, wanted).clamp(1, len(table) - 1)
        below = table[above - 1]
        return (above - 1 + (wanted - below) / (table[above] - below)).clamp(0, len(table) - 1)

    def _ncsn(self, x: Tensor, sigma: Tensor) -> Tensor:
        found = self.unet(self._middle + self._scale * x, (self._scale * sigma).float().to(self.device)).sample
        return self._scale * found

    def _ddpm(self, x: Tensor, sigma: Tensor) -> Tensor:
        t = self.timesteps(sigma).float().to(self.device)
        kept = (1 / (1 + sigma.square())).sqrt().float().to(self.device)[:, None, None, None]
        noise = self.unet(kept * x, t).sample
        return -noise / sigma.float().to(self.device)[:, None, None, None]

    def _levels(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        """Sigma as (B,) float64 on the processor, checked against x and the trained range."""
        if x.ndim != 4 or tuple(x.shape[1:]) != self.shape:
            raise InputError(
                f"x: shape {tuple(x.shape)} does not fit the network; give (B, {', '.join(map(str, self.shape))})"
            )
        levels = torch.as_tensor(sigma, dtype=torch.float64, device="cpu").detach()
        if levels.ndim == 0:
            levels = levels.expand(len(x))
        elif levels.shape != x.shape[:1]:
            raise InputError(f"sigma: shape {tuple(levels.shape)} does not match x; give a float or ({len(x)},)")
        if len(x):
            low, high = (float(value) for value in levels.aminmax())
            if not (low >= self.sigma_min * (1 - SLACK) and high <= self.sigma_max * (1 + SLACK)):
                wrong = high if low >= self.sigma_min * (1 - SLACK) else low
                raise InputError(
                    f"sigma: {wrong:.4g} is outside the trained range; "
                    f"give a value between {self.sigma_min:.4g} and {self.sigma_max:.4g}"
                )
        return levels
