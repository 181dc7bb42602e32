r"""How noise is added: the kernel q_sigma(x~ | x) that turns a density p into p_sigma.

A kernel serves denoising score matching (Vincent 2011) if the gradient of its logarithm is known. With delta = x~ - x,

    Gaussian        q = N(delta; 0, sigma^2 I)                    grad log q = -delta / sigma^2           (section 4.2)
    Laplace         q = prod_i exp(-|delta_i| / b) / (2 b)        grad log q = -sign(delta) / b
    scale mixture   q = sum_k w_k N(delta; 0, (r_k sigma)^2 I)    grad log q = -delta sum_k rho_k / (r_k sigma)^2

where b = sigma / sqrt 2 and rho_k(delta) are the posterior weights of the mixture's parts. sigma is the standard
deviation of each coordinate in units of the plane, whatever the kernel: hence this b, and hence sum_k w_k r_k^2 = 1.

All three have mean zero and covariance sigma^2 I; they differ in their tails and in their middle. The coordinates of
Laplace noise are independent, so its level lines are diamonds; the scale mixture is round, with more mass at the centre
and far out than a Gaussian has.

sigma is a float, or one value per point as (B,) or (B, 1) for delta (B, d). Its values are trusted to be positive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from trainer.errors import InputError


class Kernel(Protocol):
    """Additive noise whose log-density and score are known."""

    @property
    def name(self) -> str:
        """The word that files and the command line use."""
        ...

    def sample(self, like: Tensor, sigma: float | Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Noise x~ - x with the shape, dtype and device of `like`, (B, *)."""
        ...

    def log_prob(self, delta: Tensor, sigma: float | Tensor) -> Tensor:
        """The log-density log q(x~ | x), shape (B,) for delta (B, d)."""
        ...

    def score(self, delta: Tensor, sigma: float | Tensor) -> Tensor:
        """grad_{x~} log q(x~ | x), shaped like delta, (B, d)."""
        ...


@dataclass(frozen=True)
class Gaussian:
    """Isotropic Gaussian noise: q(x~ | x) = N(x~; x, sigma^2 I)."""

    @property
    def name(self) -> str:
        """The word that files and the command line use."""
        return "gaussian"

    def sample(self, like: Tensor, sigma: float | Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draw sigma z with z standard normal, shaped like `like`."""
        return aligned(sigma, like) * torch.randn(like.shape, generator=generator, dtype=like.dtype, device=like.device)

    def log_prob(self, delta: Tensor, sigma: float | Tensor) -> Tensor:
        """-|delta|^2 / (2 sigma^2) - (d/2) log(2 pi sigma^2), shape (B,) for delta (B, d)."""
        variance = _per_row(sigma, delta).square()
        return -delta.square().sum(-1) / (2 * variance) - 0.5 * delta.shape[-1] * torch.log(2 * math.pi * variance)

    def score(self, delta: Tensor, sigma: float | Tensor) -> Tensor:
        """-delta / sigma^2, shaped like delta."""
        return -delta / aligned(sigma, delta).square()


@dataclass(frozen=True)
class Laplace:
    """Independent Laplace noise on every coordinate, of scale b = sigma / sqrt 2."""

    @property
    def name(self) -> str:
        """The word that files and the command line use."""
        return "laplace"

    def sample(self, like: Tensor, sigma: float | Tensor, generator: torch.Generator | None = None) -> Tensor:
        """The difference of two exponential draws of mean b, shaped like `like`."""
        u = torch.rand(2, *like.shape, generator=generator, dtype=like.dtype, device=like.device)
        minus_exponential = torch.log1p(-u)  # u < 1, so it is finite
        return laplace_scale(aligned(sigma, like)) * (minus_exponential[0] - minus_exponential[1])

    def log_prob(self, delta: Tensor, sigma: float | Tensor) -> Tensor:
        """-sum_i |delta_i| / b - d log(2 b), shape (B,) for delta (B, d)."""
        b = laplace_scale(_per_row(sigma, delta))
        return -delta.abs().sum(-1) / b - delta.shape[-1] * torch.log(2 * b)

    def score(self, delta: Tensor, sigma: float | Tensor) -> Tensor:
        """-sign(delta) / b, shaped like delta; 0 where delta is 0, where there is no gradient."""
        return -delta.sign() / laplace_scale(aligned(sigma, delta))


@dataclass(frozen=True)
class ScaleMixture:
    """A mixture of zero-mean isotropic Gaussians with standard deviations scales_k sigma.

    Args:
        weights: positive, sum 1.
        scales: positive, one for each weight, with sum_k weights_k scales_k^2 = 1, so that sigma is the standard
            deviation of each coordinate.

    Raises:
        InputError: if weights and scales are none of that.
    """

    weights: tuple[float, ...] = (0.5, 0.5)
    scales: tuple[float, ...] = (0.5, math.sqrt(1.75))

    def __post_init__(self) -> None:
        for field in ("weights", "scales"):
            try:
                values = tuple(float(v) for v in getattr(self, field))
            except (TypeError, ValueError):
                raise InputError(f"kernel.{field}: {getattr(self, field)!r} are no numbers; give a tuple") from None
            if not values or not all(0 < v < math.inf for v in values):
                raise InputError(f"kernel.{field}: {values} are not all positive; give at least one number > 0")
            object.__setattr__(self, field, values)
        if len(self.weights) != len(self.scales):
            raise InputError(
                f"kernel.scales: {len(self.scales)} of them for {len(self.weights)} weights; give one for each weight"
            )
        if abs(sum(self.weights) - 1) > 1e-9:
            raise InputError(f"kernel.weights: their sum is {sum(self.weights):.12g}; divide them by it to make it 1")
        variance = sum(w * r * r for w, r in zip(self.weights, self.scales, strict=True))
        if abs(variance - 1) > 1e-9:
            raise InputError(
                f"kernel.scales: the variance sum w r^2 is {variance:.12g}; divide the scales by its root, "
                f"{math.sqrt(variance):.12g}, to make it 1"
            )

    @property
    def name(self) -> str:
        """The word that files and the command line use."""
        return "mixture"

    def sample(self, like: Tensor, sigma: float | Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draw r_k sigma z with z standard normal and one k for each point, shaped like `like`."""
        u = torch.rand(like.shape[0], generator=generator, dtype=like.dtype, device=like.device)
        scale = torch.full_like(u, self.scales[0])
        below = 0.0
        for weight, r in zip(self.weights, self.scales[1:], strict=False):
            below += weight
            scale = torch.where(u < below, scale, r)
        return aligned(scale, like) * GAUSSIAN.sample(like, sigma, generator)

    def log_prob(self, delta: Tensor, sigma: float | Tensor) -> Tensor:
        """The logarithm of sum_k w_k N(delta; 0, (r_k sigma)^2 I), shape (B,) for delta (B, d)."""
        return self._log_terms(delta, aligned(sigma, delta)).logsumexp(0)

    def score(self, delta: Tensor, sigma: float | Tensor) -> Tensor:
        """-delta sum_k rho_k(delta) / (r_k sigma)^2, shaped like delta."""
        s = aligned(sigma, delta)
        rho = self._log_terms(delta, s).softmax(0)[..., None]  # (K, B, 1)
        return -delta / s.square() * sum(rho_k / r**2 for rho_k, r in zip(rho, self.scales, strict=True))

    def _log_terms(self, delta: Tensor, s: Tensor) -> Tensor:
        """Each log(w_k N_k(delta)), shape (K, B)."""
        parts = zip(self.weights, self.scales, strict=True)
        return torch.stack([math.log(w) + GAUSSIAN.log_prob(delta, r * s) for w, r in parts])


GAUSSIAN = Gaussian()
"""The kernel of every function that is not told otherwise."""

LAPLACE = Laplace()
"""Sharp in the middle, with exponential tails, along the axes of the plane."""

MIXTURE = ScaleMixture()
"""Half of the noise at half the size, the other half at 1.32 times: 2.3 times a Gaussian's height at the centre."""

_KERNELS: dict[str, Kernel] = {k.name: k for k in (GAUSSIAN, LAPLACE, MIXTURE)}


def kernel_named(name: str) -> Kernel:
    """The kernel that files call `name`; `InputError` if there is none."""
    if name not in _KERNELS:
        raise InputError(f"kernel: {name!r} is unknown; choose one of {', '.join(_KERNELS)}")
    return _KERNELS[name]


def require_gaussian(kernel: Kernel, what: str) -> None:
    """Refuse any kernel but Gaussian noise for `what` (a noun that starts the message)."""
    if kernel != GAUSSIAN:
        raise InputError(f"kernel: {what} is known for Gaussian noise only, not for {kernel!r}; use GAUSSIAN")


def laplace_scale(sigma: Tensor) -> Tensor:
    """The b of Laplace noise whose standard deviation is sigma: sigma / sqrt 2."""
    return sigma / math.sqrt(2)


def aligned(sigma: float | Tensor, x: Tensor) -> Tensor:
    """Sigma in the dtype and on the device of x (B, *), shaped so that it broadcasts against x.

    Args:
        sigma: a float, or a tensor of shape (), (B,), or one that broadcasts against x and whose last axis is 1.
        x: (B, *).

    Raises:
        InputError: if sigma is of another shape.
    """
    if not isinstance(sigma, Tensor):
        return torch.full((), sigma, dtype=x.dtype, device=x.device)  # a fill, which a CUDA graph may capture
    if sigma.ndim == 1:
        sigma = sigma.view(-1, *(1,) * (x.ndim - 1))
    shape = (*x.shape[:-1], 1)[::-1]
    if sigma.ndim > x.ndim or any(s not in (1, n) for s, n in zip(sigma.shape[::-1], shape, strict=False)):
        raise InputError(f"sigma: shape {tuple(sigma.shape)}; give one number, or one per point, shape ({len(x)},)")
    return sigma.to(device=x.device, dtype=x.dtype)


def _per_row(sigma: float | Tensor, delta: Tensor) -> Tensor:
    """Sigma for a quantity of one value per point: shape () or (B,) for delta (B, d)."""
    s = aligned(sigma, delta)
    return s[..., 0] if s.ndim else s
