r"""What is true: densities of the plane whose score is known at every noise level, under every kernel.

Adding Gaussian noise of standard deviation sigma to a mixture of Gaussians adds sigma^2 to every variance, so

    p_sigma(x) = sum_k w_k N(x; m_k, S_k + sigma^2 I),
    grad log p_sigma(x) = sum_k r_k(x) (S_k + sigma^2 I)^{-1} (m_k - x),    r_k the posterior weights.

`GaussianMixture` sums over a handful of components with any covariances. `PaintedDensity` is the same with one
component per cell of a picture and S_k = tau^2 I; `trainer.separable` sums those. `trainer.perturbed` (mixtures of
Gaussian noise) and `trainer.laplace` tell what other kernels make of them. All of these are closed forms but one:
Laplace noise on a component whose coordinates are correlated (`trainer.laplace_quadrature`). `truth_is` says which.
"""

from __future__ import annotations

import math
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from trainer import paintings
from trainer.categorical import Categorical
from trainer.errors import InputError
from trainer.kernels import GAUSSIAN, Kernel
from trainer.laplace import LaplaceCells, laplace_gaussian
from trainer.laplace_quadrature import correlated_laplace
from trainer.lattices import lattice_axes
from trainer.perturbed import PerturbedDensity, Truth, noise_level, to_truth
from trainer.separable import CellSums

_BANDWIDTHS = (1e-4, 10.0)

_UNCORRELATED = 1e-12
"""A correlation this small is rounding: it changes log p by that part of itself."""


class Density(Protocol):
    """A density p of the plane, blurred by noise of any level sigma >= 0."""

    def log_prob(self, x: Tensor, sigma: float | Tensor = 0.0, *, kernel: Kernel = GAUSSIAN) -> Tensor:
        """The log-density log p_sigma(x), shape (B,), for x (B, 2)."""
        ...

    def score(self, x: Tensor, sigma: float | Tensor = 0.0, *, kernel: Kernel = GAUSSIAN) -> Tensor:
        """grad_x log p_sigma(x), shape (B, 2), for x (B, 2)."""
        ...

    def sample(
        self,
        n: int,
        sigma: float | Tensor = 0.0,
        *,
        kernel: Kernel = GAUSSIAN,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draws from p_sigma, shape (n, 2), on the generator's device."""
        ...

    def score_lattice(
        self, centre: tuple[float, float], half_width: float, n: int, sigma: float, *, kernel: Kernel = GAUSSIAN
    ) -> NDArray[np.float32]:
        """The score at the n x n cell centres of a square, shape (n, n, 2), row 0 at the bottom."""
        ...

    def density_lattice(
        self, centre: tuple[float, float], half_width: float, n: int, sigma: float, *, kernel: Kernel = GAUSSIAN
    ) -> NDArray[np.float64]:
        """p_sigma at the n x n cell centres of a square, shape (n, n), row 0 at the bottom."""
        ...

    def truth_is(self, kernel: Kernel) -> Truth:
        """How log_prob and score are computed under a kernel: "closed form", or "quadrature" to 1e-8 of p_sigma."""
        ...


class GaussianMixture(PerturbedDensity):
    """A mixture of K Gaussians with any covariances.

    Each covariance is kept as V diag(l) V^T, so that S + sigma^2 I has the same axes V at every sigma and strongly
    correlated components lose no digits.

    Args:
        weights: (K,), non-negative, some positive; normalised inside.
        means: (K, 2).
        covariances: (K, 2, 2), symmetric and positive definite.

    Raises:
        InputError: if a shape or value is none of that.
    """

    def __init__(self, weights: ArrayLike | Tensor, means: ArrayLike | Tensor, covariances: ArrayLike | Tensor) -> None:
        w, m, c = (
            _array(v, name) for v, name in ((weights, "weights"), (means, "means"), (covariances, "covariances"))
        )
        if w.ndim != 1 or not len(w):
            raise InputError(f"weights: shape {w.shape}; give one weight per component, shape (K,)")
        if m.shape != (len(w), 2):
            raise InputError(f"means: shape {m.shape}; give ({len(w)}, 2) for {len(w)} weights")
        if c.shape != (len(w), 2, 2):
            raise InputError(f"covariances: shape {c.shape}; give ({len(w)}, 2, 2) for {len(w)} weights")
        if (w < 0).any() or not w.max() > 0:
            raise InputError("weights: negative or all zero; give numbers >= 0, some of them positive")
        if np.abs(c - c.transpose(0, 2, 1)).max() > 1e-9 * np.abs(c).max():
            raise InputError("covariances: not symmetric; each must equal its transpose")
        variances, axes = np.linalg.eigh(c)
        if not (variances > 0).all():
            raise InputError("covariances: not positive definite; each needs two positive eigenvalues")
        keep = w > 0
        w = w[keep] / w.max()
        self.weights: NDArray[np.float64] = w / w.sum()
        self.means: NDArray[np.float64] = m[keep]
        self.covariances: NDArray[np.float64] = c[keep]
        root = np.sqrt(self.covariances[:, 0, 0] * self.covariances[:, 1, 1])
        self._correlated: NDArray[np.bool_] = np.abs(self.covariances[:, 0, 1]) > _UNCORRELATED * root
        self._truth_under_laplace = "quadrature" if self._correlated.any() else "closed form"
        self._choice = Categorical(self.weights)
        self._parts = [np.log(self.weights), self.means, variances[keep], axes[keep], self.covariances]
        self._on: dict[torch.device, list[Tensor]] = {}

    def _draw(self, n: int, sigma: Tensor, generator: torch.Generator | None) -> Tensor:
        _, means, variances, axes, _ = (torch.as_tensor(p, dtype=sigma.dtype, device=sigma.device) for p in self._parts)
        k = self._choice.draw(n, generator, sigma.device)
        z = torch.randn(n, 2, generator=generator, dtype=sigma.dtype, device=sigma.device)
        if sigma.ndim:
            z *= (variances[k] + sigma.square()[:, None]).sqrt()
            return means[k] + (axes[k] @ z[:, :, None])[:, :, 0]
        # One gather of the mean and of both half axes: most of the time goes into memory, not into sums.
        half = axes * (variances + sigma.square()).sqrt()[:, None]  # (K, 2, 2)
        mean, first, second = torch.cat((means, half[:, :, 0], half[:, :, 1]), 1).index_select(0, k).split(2, 1)
        return (mean + first * z[:, :1]).addcmul_(second, z[:, 1:])

    def _gaussian_log_prob(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self._log_terms(x, sigma)[0].logsumexp(1)

    def _gaussian_score(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self._both(x, sigma)[0]

    def _both(self, x: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        log_terms, u, spread, axes = self._log_terms(x, sigma)
        pull = torch.einsum("kij,bkj->bki", axes, u / spread)  # (B, K, 2): (S_k + sigma^2 I)^{-1} (m_k - x)
        return (log_terms.softmax(1)[:, :, None] * pull).sum(1), log_terms.logsumexp(1)

    def _laplace_log_prob(self, x: Tensor, b: Tensor) -> Tensor:
        return self._laplace_terms(x, b)[0].logsumexp(1)

    def _laplace_score(self, x: Tensor, b: Tensor) -> Tensor:
        log_terms, scores = self._laplace_terms(x, b)
        return (log_terms.softmax(1)[:, :, None] * scores).sum(1)

    def _log_terms(self, x: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """log(w_k N_k(x)) (B, K); m_k - x in the axes of component k, (B, K, 2); its variances there; the axes."""
        log_w, means, variances, axes, _ = self._here(x.device)
        u = torch.einsum("kij,bki->bkj", axes, means - x[:, None])
        spread = variances + sigma.square().view(-1, 1, 1)  # (B or 1, K, 2)
        return log_w - 0.5 * (u.square() / spread + torch.log(2 * math.pi * spread)).sum(2), u, spread, axes

    def _laplace_terms(self, x: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """log(w_k p_k(x)) (B, K) and grad log p_k (B, K, 2), p_k being component k under Laplace noise of scale b.

        The components stand in another order than the mixture's: first those without correlation.
        """
        log_w, means, variances, _, covariances = self._here(x.device)
        straight, correlated = (~self._correlated).nonzero()[0], self._correlated.nonzero()[0]
        u, v = x[:, None] - means[straight], covariances.diagonal(dim1=1, dim2=2)[straight]
        log_p, scores = laplace_gaussian(u, v, b.view(-1, 1, 1))
        parts = [(log_p.sum(2), scores)]
        for k in correlated:
            log_p, scores = correlated_laplace(x - means[k], covariances[k], variances[k].prod(), b)
            parts.append((log_p[:, None], scores[:, None]))
        log_w = log_w[np.concatenate((straight, correlated))]
        return log_w + torch.cat([p[0] for p in parts], dim=1), torch.cat([p[1] for p in parts], dim=1)

    def _here(self, device: torch.device) -> list[Tensor]:
        if device not in self._on:
            self._on[device] = [torch.from_numpy(p).to(device) for p in self._parts]
        return self._on[device]


class PaintedDensity(PerturbedDensity):
    """The density of a painting: p0 = sum_ij w_ij N(c_ij, tau^2 I), c_ij the cell centres, sum w = 1.

    The longer side of the grid spans [-1, 1]; cells are square; the grid is centred.

    Args:
        weights: (rows, cols), non-negative, some positive, row 0 at the bottom (y = -1); normalised inside.
        bandwidth: tau; None means the width of one cell.

    Raises:
        InputError: if the weights or the bandwidth are none of that.
    """

    def __init__(self, weights: ArrayLike | Tensor, bandwidth: float | None = None) -> None:
        w = np.asarray(paintings.check_weights(_numpy(weights), "weights"), dtype=np.float64)
        w = w / w.max()
        w /= w.sum()
        cell = 2 / max(w.shape)
        self._weights = w
        self.bandwidth: float = cell if bandwidth is None else _bandwidth(bandwidth)
        """tau, the standard deviation of each cell's Gaussian."""
        self._cell = cell
        self._cells = CellSums(w, cell)
        row, col = w.nonzero()
        self._centres = np.stack(((col - (w.shape[1] - 1) / 2) * cell, (row - (w.shape[0] - 1) / 2) * cell), axis=1)
        self._centres_kept = torch.from_numpy(self._centres)
        self._choice = Categorical(w[row, col])

    @property
    def weights(self) -> NDArray[np.float64]:
        """A copy of the normalised weights, (rows, cols), sum 1."""
        return self._weights.copy()

    @property
    def centres(self) -> NDArray[np.float64]:
        """A copy of the centres of the cells that hold mass, (K, 2), in the order of `weights.nonzero()`."""
        return self._centres.copy()

    @classmethod
    def from_image(cls, path: str | PathLike[str], size: int = 128, invert: bool = False) -> PaintedDensity:
        """The density of a picture on size x size cells; see `trainer.paintings.image_weights`."""
        return cls(paintings.image_weights(path, size, invert))

    def score_lattice(
        self, centre: tuple[float, float], half_width: float, n: int, sigma: float, *, kernel: Kernel = GAUSSIAN
    ) -> NDArray[np.float32]:
        """The score at the n x n cell centres of a square, shape (n, n, 2), row 0 at the bottom."""
        if kernel != GAUSSIAN:
            return super().score_lattice(centre, half_width, n, sigma, kernel=kernel)
        variance = self._lattice_variance(sigma)
        return (
            (self._cells.pull_lattice(*lattice_axes(centre, half_width, n), 0.5 / variance) / variance).float().numpy()
        )

    def density_lattice(
        self, centre: tuple[float, float], half_width: float, n: int, sigma: float, *, kernel: Kernel = GAUSSIAN
    ) -> NDArray[np.float64]:
        """p_sigma at the n x n cell centres of a square, shape (n, n), row 0 at the bottom."""
        if kernel != GAUSSIAN:
            return super().density_lattice(centre, half_width, n, sigma, kernel=kernel)
        variance = self._lattice_variance(sigma)
        log_sum = self._cells.log_sum_lattice(*lattice_axes(centre, half_width, n), 0.5 / variance)
        return (log_sum.exp() / (2 * math.pi * variance)).numpy()

    def is_far(self, x: Tensor, sigma: float | Tensor = 0.0) -> Tensor:
        """Which points x (B, 2) are too far, under Gaussian noise, for the sums of `trainer.separable`, (B,) bool."""
        z, s = to_truth(x, sigma)
        return self._cells.is_far(z, 0.5 / self._variance(s)).to(x.device)

    def _draw(self, n: int, sigma: Tensor, generator: torch.Generator | None) -> Tensor:
        """A cell by its inverse distribution function, then the cell's Gaussian and the noise in one jitter."""
        cell = self._choice.draw(n, generator, sigma.device)
        spread = self._variance(sigma).sqrt()
        z = torch.randn(n, 2, generator=generator, dtype=sigma.dtype, device=sigma.device)
        z *= spread[:, None] if spread.ndim else spread
        return z.add_(self._centres_like(sigma).index_select(0, cell))

    def _centres_like(self, sigma: Tensor) -> Tensor:
        """The occupied cells' centres, (cells, 2), kept for the type and device last asked for."""
        if self._centres_kept.dtype != sigma.dtype or self._centres_kept.device != sigma.device:
            self._centres_kept = torch.as_tensor(self._centres, dtype=sigma.dtype, device=sigma.device)
        return self._centres_kept

    def _gaussian_log_prob(self, x: Tensor, sigma: Tensor) -> Tensor:
        variance = self._variance(sigma)
        return self._cells.log_sum(x, 0.5 / variance) - torch.log(2 * math.pi * variance)

    def _gaussian_score(self, x: Tensor, sigma: Tensor) -> Tensor:
        variance = self._variance(sigma)
        return self._cells.pull(x, 0.5 / variance) / (variance[:, None] if variance.ndim else variance)

    def _both(self, x: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        variance = self._variance(sigma)
        log_sum, pull = self._cells.both(x, 0.5 / variance)
        log_p = log_sum - torch.log(2 * math.pi * variance)
        return pull / (variance[:, None] if variance.ndim else variance), log_p

    def _laplace_log_prob(self, x: Tensor, b: Tensor) -> Tensor:
        return self._laplace_cells.log_prob(x, b)

    def _laplace_score(self, x: Tensor, b: Tensor) -> Tensor:
        return self._laplace_cells.score(x, b)

    @cached_property
    def _laplace_cells(self) -> LaplaceCells:
        return LaplaceCells(self._weights, self._cell, self.bandwidth**2)

    def _variance(self, sigma: Tensor) -> Tensor:
        return sigma.square() + self.bandwidth**2

    def _lattice_variance(self, sigma: float) -> Tensor:
        return self._variance(noise_level(sigma, 1, torch.device("cpu")).squeeze())


def load_density(
    source: str | PathLike[str], as_: str | None = None, size: int = 128, *, invert: bool = False
) -> Density:
    """A density from a preset's name, a picture, a table of points or weights, or a project.

    Args:
        source: a preset (`trainer.paintings.preset_names`), or the path of a .png, .jpg, .csv, .npy or .scorex file.
        as_: "points" or "weights", what a .csv or .npy holds; an (N, 2) array must say.
        size: cells along a side for pictures and points; weights keep their own grid.
        invert: for pictures of black on white.

    Raises:
        InputError: if there is no such thing, or it cannot be read.
    """
    text = str(source)
    if text in paintings.preset_names():
        components = paintings.preset_components(text)
        return GaussianMixture(*components) if components else PaintedDensity(paintings.preset_weights(text, size))
    if Path(text).suffix.lower() == ".scorex":
        from trainer.projects import read_project

        return PaintedDensity(read_project(Path(text)).weights)
    weights, _ = paintings.read_weights(source, as_, size, invert=invert)
    return PaintedDensity(weights)


# --- at the boundary --------------------------------------------------------------------------------------------


def _numpy(values: ArrayLike | Tensor) -> ArrayLike:
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else values


def _array(values: ArrayLike | Tensor, name: str) -> NDArray[np.float64]:
    try:
        array = np.asarray(_numpy(values), dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name}: not an array of numbers") from None
    if not np.isfinite(array).all():
        raise InputError(f"{name}: contains NaN or infinity; give finite numbers")
    return array


def _bandwidth(value: float) -> float:
    low, high = _BANDWIDTHS
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(f"bandwidth: {value!r}; give a number between {low:g} and {high:g}, in units of the plane")
    return float(value)
