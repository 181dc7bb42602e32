r"""The density p_sigma that noise makes of a density p, under every kernel.

    p_sigma(x) = int p(x - delta) q_sigma(delta) d delta,    s(x, sigma) = grad_x log p_sigma(x).

`PerturbedDensity` holds what all densities share: it checks arguments, computes in float64 and chooses by kernel. A
density adds the sums under Gaussian and under Laplace noise. The scale mixture needs no more than the Gaussian sums,

    p_sigma = sum_k w_k p^Gauss_{r_k sigma},    s = sum_k rho_k s^Gauss_{r_k sigma},    rho_k the posterior weights.

At sigma = 0 there is no noise, and every kernel leaves p as it is.

sigma is a standard deviation per coordinate in units of the plane: a float, or one value per point, shape (B,).
Results are differentiable in x and have its dtype and device; a device without float64, such as mps, is served by the
processor.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.errors import InputError
from trainer.kernels import GAUSSIAN, Gaussian, Kernel, Laplace, ScaleMixture, laplace_scale
from trainer.lattices import lattice_points

Truth = Literal["closed form", "quadrature"]


class PerturbedDensity(ABC):
    """A density of the plane whose blurred density and score are known under every kernel at every sigma >= 0."""

    _truth_under_laplace: Truth = "closed form"

    def log_prob(self, x: Tensor, sigma: float | Tensor = 0.0, *, kernel: Kernel = GAUSSIAN) -> Tensor:
        """The log-density log p_sigma(x), shape (B,), for x (B, 2)."""
        z, s = to_truth(x, sigma)
        kernel = _effective(kernel, s)
        if isinstance(kernel, Laplace):
            value = self._laplace_log_prob(z, _scale_where_noisy(s))
            value = value if _all_noisy(s) else torch.where(s > 0, value, self._gaussian_log_prob(z, s))
        elif isinstance(kernel, ScaleMixture):
            value = self._mixture_terms(z, s, kernel).logsumexp(0)
        else:
            value = self._gaussian_log_prob(z, s)
        return _like(value, x)

    def score(self, x: Tensor, sigma: float | Tensor = 0.0, *, kernel: Kernel = GAUSSIAN) -> Tensor:
        """grad_x log p_sigma(x), shape (B, 2), for x (B, 2)."""
        z, s = to_truth(x, sigma)
        kernel = _effective(kernel, s)
        if isinstance(kernel, Laplace):
            value = self._laplace_score(z, _scale_where_noisy(s))
            value = value if _all_noisy(s) else torch.where(s[:, None] > 0, value, self._gaussian_score(z, s))
        elif isinstance(kernel, ScaleMixture):
            value = self._mixture_both(z, s, kernel)[0]
        else:
            value = self._gaussian_score(z, s)
        return _like(value, x)

    def score_and_log_prob(
        self, x: Tensor, sigma: float | Tensor = 0.0, *, kernel: Kernel = GAUSSIAN
    ) -> tuple[Tensor, Tensor]:
        """`score` (B, 2) and `log_prob` (B,) at the same points, for little more than the score alone."""
        z, s = to_truth(x, sigma)
        kernel = _effective(kernel, s)
        if isinstance(kernel, Laplace):
            return self.score(x, sigma, kernel=kernel), self.log_prob(x, sigma, kernel=kernel)
        score, log_p = self._mixture_both(z, s, kernel) if isinstance(kernel, ScaleMixture) else self._both(z, s)
        return _like(score, x), _like(log_p, x)

    def sample(
        self,
        n: int,
        sigma: float | Tensor = 0.0,
        *,
        kernel: Kernel = GAUSSIAN,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draws from p_sigma, shape (n, 2), in the default dtype; without a generator, from torch's own."""
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 0:
            raise InputError(f"n: {n!r}; give a whole number of points, 0 or more")
        device = generator.device if generator is not None else torch.device("cpu")
        s = noise_level(sigma, n, device).to(torch.get_default_dtype())
        if isinstance(_known(kernel), Gaussian):
            return self._draw(n, s, generator)
        clean = self._draw(n, torch.zeros((), dtype=s.dtype, device=device), generator)
        return clean + kernel.sample(clean, s, generator)

    def score_lattice(
        self, centre: tuple[float, float], half_width: float, n: int, sigma: float, *, kernel: Kernel = GAUSSIAN
    ) -> NDArray[np.float32]:
        """The score at the n x n cell centres of a square, shape (n, n, 2), row 0 at the bottom."""
        points = lattice_points(centre, half_width, n)
        return self.score(points, sigma, kernel=kernel).view(n, n, 2).numpy().astype(np.float32)

    def density_lattice(
        self, centre: tuple[float, float], half_width: float, n: int, sigma: float, *, kernel: Kernel = GAUSSIAN
    ) -> NDArray[np.float64]:
        """p_sigma at the n x n cell centres of a square, shape (n, n), row 0 at the bottom."""
        points = lattice_points(centre, half_width, n)
        return self.log_prob(points, sigma, kernel=kernel).exp().view(n, n).numpy()

    def truth_is(self, kernel: Kernel) -> Truth:
        """How log_prob and score are computed under a kernel: "closed form", or "quadrature" to 1e-8 of p_sigma."""
        return self._truth_under_laplace if isinstance(_known(kernel), Laplace) else "closed form"

    @abstractmethod
    def _draw(self, n: int, sigma: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draws under Gaussian noise, (n, 2), with the dtype and device of sigma, () or (n,)."""

    @abstractmethod
    def _gaussian_log_prob(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The log-density log p_sigma under Gaussian noise, (B,), for x (B, 2) and sigma () or (B,), float64."""

    @abstractmethod
    def _gaussian_score(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The score grad log p_sigma under Gaussian noise, (B, 2)."""

    def _both(self, x: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        """`_gaussian_score` and `_gaussian_log_prob`; a density whose sums share their terms computes these once."""
        return self._gaussian_score(x, sigma), self._gaussian_log_prob(x, sigma)

    @abstractmethod
    def _laplace_log_prob(self, x: Tensor, b: Tensor) -> Tensor:
        """The log-density log p_sigma under Laplace noise of scale b > 0, () or (B,); shape (B,)."""

    @abstractmethod
    def _laplace_score(self, x: Tensor, b: Tensor) -> Tensor:
        """The score grad log p_sigma under Laplace noise of scale b > 0, (B, 2)."""

    def _mixture_terms(self, x: Tensor, sigma: Tensor, kernel: ScaleMixture) -> Tensor:
        """Each log(w_k p^Gauss_{r_k sigma}(x)), shape (K, B)."""
        parts = zip(kernel.weights, kernel.scales, strict=True)
        return torch.stack([math.log(w) + self._gaussian_log_prob(x, r * sigma) for w, r in parts])

    def _mixture_both(self, x: Tensor, sigma: Tensor, kernel: ScaleMixture) -> tuple[Tensor, Tensor]:
        """The score (B, 2) and the log-density (B,) under a scale mixture of Gaussian noise."""
        scores, log_ps = zip(*(self._both(x, r * sigma) for r in kernel.scales), strict=True)
        logs = torch.tensor([math.log(w) for w in kernel.weights], dtype=x.dtype, device=x.device)
        terms = torch.stack(log_ps) + logs[:, None]  # (K, B)
        return (terms.softmax(0)[:, :, None] * torch.stack(scores)).sum(0), terms.logsumexp(0)


def noise_level(sigma: float | Tensor, n: int, device: torch.device) -> Tensor:
    """Sigma as a tensor, shape () or (n,); `InputError` if it is negative, not finite or of another shape."""
    dtype = torch.float32 if device.type == "mps" else torch.float64
    s = torch.as_tensor(sigma, dtype=dtype, device=device)
    if s.ndim > 1 or (s.ndim == 1 and len(s) != n):
        raise InputError(f"sigma: shape {tuple(s.shape)}; give one number, or one per point, shape ({n},)")
    if not bool((torch.isfinite(s) & (s >= 0)).all()):
        raise InputError("sigma: negative or not finite; give a standard deviation >= 0")
    return s


def _known(kernel: Kernel) -> Kernel:
    if not isinstance(kernel, Gaussian | Laplace | ScaleMixture):
        raise InputError(
            f"kernel: {kernel!r} is none whose perturbed density is known; give GAUSSIAN, LAPLACE, MIXTURE or a "
            "ScaleMixture"
        )
    return kernel


def _effective(kernel: Kernel, sigma: Tensor) -> Kernel:
    """The kernel, or the quickest one where there is no noise at all."""
    return kernel if isinstance(_known(kernel), Gaussian) or bool(sigma.any()) else GAUSSIAN


def _all_noisy(sigma: Tensor) -> bool:
    return bool((sigma > 0).all())


def _scale_where_noisy(sigma: Tensor) -> Tensor:
    """Laplace's b, and 1 in place of the sigma = 0 of points that are to be taken from p itself."""
    return laplace_scale(torch.where(sigma > 0, sigma, 1.0))


def to_truth(x: Tensor, sigma: float | Tensor) -> tuple[Tensor, Tensor]:
    """X and sigma in float64, on x's device if that has float64."""
    if x.ndim != 2 or x.shape[1] != 2:
        raise InputError(f"x: shape {tuple(x.shape)}; give points of the plane, shape (B, 2)")
    device = torch.device("cpu") if x.device.type == "mps" else x.device
    return x.to(device=device).double(), noise_level(sigma, len(x), device)


def _like(value: Tensor, x: Tensor) -> Tensor:
    return value.to(dtype=x.dtype if x.is_floating_point() else torch.get_default_dtype()).to(x.device)
