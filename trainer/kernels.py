r"""How noise is added: the kernel q_sigma(x~ | x) that turns a density p into p_sigma.

A kernel serves denoising score matching (Vincent 2011) if the gradient of its logarithm is known:

    grad_{x~} log q_sigma(x~ | x),   with delta = x~ - x;   for Gaussian noise it is -delta / sigma^2   (eq. 9).

sigma is the standard deviation of each coordinate in units of the plane, whatever the kernel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from trainer.errors import InputError


class Kernel(Protocol):
    """Additive noise whose log-density and score are known. `delta` = x~ - x and `sigma` broadcast."""

    @property
    def name(self) -> str:
        """The word that files and the command line use."""
        ...

    def sample(self, like: Tensor, sigma: float | Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Noise x~ - x with the shape, dtype and device of `like`."""
        ...

    def log_prob(self, delta: Tensor, sigma: float | Tensor) -> Tensor:
        """The log-density log q(x~ | x), shape (B,) for delta (B, d)."""
        ...

    def score(self, delta: Tensor, sigma: float | Tensor) -> Tensor:
        """grad_{x~} log q(x~ | x), shaped like delta."""
        ...


@dataclass(frozen=True)
class Gaussian:
    """Isotropic Gaussian noise: q(x~ | x) = N(x~; x, sigma^2 I)."""

    name: str = "gaussian"

    def sample(self, like: Tensor, sigma: float | Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draw sigma z with z standard normal, shaped like `like`; sigma is a float or broadcasts against it."""
        return sigma * torch.randn(like.shape, generator=generator, dtype=like.dtype, device=like.device)

    def log_prob(self, delta: Tensor, sigma: float | Tensor) -> Tensor:
        """-|delta|^2 / (2 sigma^2) - (d/2) log(2 pi sigma^2), shape (B,); sigma a float or (B,)."""
        variance = torch.as_tensor(sigma, dtype=delta.dtype, device=delta.device) ** 2
        d = delta.shape[-1]
        return -delta.square().sum(-1) / (2 * variance) - 0.5 * d * torch.log(2 * math.pi * variance)

    def score(self, delta: Tensor, sigma: float | Tensor) -> Tensor:
        """-delta / sigma^2; sigma is a float or broadcasts against delta."""
        return -delta / sigma**2


GAUSSIAN = Gaussian()
"""The kernel of every function that is not told otherwise."""

_KERNELS: dict[str, Kernel] = {GAUSSIAN.name: GAUSSIAN}


def kernel_named(name: str) -> Kernel:
    """The kernel that files call `name`; `InputError` if there is none."""
    if name not in _KERNELS:
        raise InputError(f"kernel: {name!r} is unknown; choose one of {', '.join(_KERNELS)}")
    return _KERNELS[name]


def require_gaussian(kernel: Kernel, what: str) -> None:
    """Refuse any kernel but Gaussian noise for `what` (a noun that starts the message)."""
    if kernel != GAUSSIAN:
        raise InputError(f"kernel: {what} is known for Gaussian noise only, not for {kernel!r}; use GAUSSIAN")
