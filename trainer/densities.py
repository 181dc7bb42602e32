r"""What is true: densities of the plane whose score is known in closed form at every noise level.

Adding Gaussian noise of standard deviation sigma to a mixture of Gaussians adds sigma^2 to every variance, so

    p_sigma(x) = sum_k w_k N(x; m_k, S_k + sigma^2 I),
    grad log p_sigma(x) = sum_k r_k(x) (S_k + sigma^2 I)^{-1} (m_k - x),    r_k the posterior weights.

`GaussianMixture` sums over a handful of components with any covariances. `PaintedDensity` is the same with one
component per cell of a picture and S_k = tau^2 I; `trainer.separable` sums those. Both are computed in float64 and
differentiable; results have the dtype and device of x (a device without float64, such as mps, is served by the
processor).

sigma is a standard deviation per coordinate in units of the plane: a float, or one value per point, shape (B,).
"""

from __future__ import annotations

import math
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
from trainer.kernels import GAUSSIAN, Kernel, require_gaussian
from trainer.separable import CellSums

_BANDWIDTHS = (1e-4, 10.0)


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
        self, centre: tuple[float, float], half_width: float, n: int, sigma: float
    ) -> NDArray[np.float32]:
        """The score at the n x n cell centres of a square, shape (n, n, 2), row 0 at the bottom."""
        ...

    def density_lattice(
        self, centre: tuple[float, float], half_width: float, n: int, sigma: float
    ) -> NDArray[np.float64]:
        """p_sigma at the n x n cell centres of a square, shape (n, n), row 0 at the bottom."""
        ...


class GaussianMixture:
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
        self._choice = Categorical(self.weights)
        self._parts = [np.log(self.weights), self.means, variances[keep], axes[keep]]
        self._on: dict[torch.device, list[Tensor]] = {}

    def log_prob(self, x: Tensor, sigma: float | Tensor = 0.0, *, kernel: Kernel = GAUSSIAN) -> Tensor:
        """The log-density log p_sigma(x), shape (B,), for x (B, 2)."""
        require_gaussian(kernel, "log_prob")
        z, s = _to_truth(x, sigma)
        return _like(self._log_terms(z, s)[0].logsumexp(1), x)

    def score(self, x: Tensor, sigma: float | Tensor = 0.0, *, kernel: Kernel = GAUSSIAN) -> Tensor:
        """grad_x log p_sigma(x), shape (B, 2), for x (B, 2)."""
        require_gaussian(kernel, "score")
        z, s = _to_truth(x, sigma)
        log_terms, u, spread, axes = self._log_terms(z, s)
        pull = torch.einsum("kij,bkj->bki", axes, u / spread)  # (B, K, 2): (S_k + sigma^2 I)^{-1} (m_k - x)
        return _like((log_terms.softmax(1)[:, :, None] * pull).sum(1), x)

    def sample(
        self,
        n: int,
        sigma: float | Tensor = 0.0,
        *,
        kernel: Kernel = GAUSSIAN,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draws from p_sigma, shape (n, 2), in the default dtype; without a generator, from torch's own."""
        require_gaussian(kernel, "sample")
        _check_count(n)
        device = generator.device if generator is not None else torch.device("cpu")
        dtype = torch.get_default_dtype()
        sigma = _noise_level(sigma, n, device).to(dtype)
        _, means, variances, axes = (torch.as_tensor(p, dtype=dtype, device=device) for p in self._parts)
        k = self._choice.draw(n, generator, device)
        spread = variances[k] + (sigma.square()[:, None] if sigma.ndim else sigma.square())
        z = torch.randn(n, 2, generator=generator, dtype=dtype, device=device) * spread.sqrt()
        return means[k] + (axes[k] @ z[:, :, None])[:, :, 0]

    def score_lattice(
        self, centre: tuple[float, float], half_width: float, n: int, sigma: float
    ) -> NDArray[np.float32]:
        """The score at the n x n cell centres of a square, shape (n, n, 2), row 0 at the bottom."""
        return self.score(_points(*_lattice(centre, half_width, n)), sigma).view(n, n, 2).numpy().astype(np.float32)

    def density_lattice(
        self, centre: tuple[float, float], half_width: float, n: int, sigma: float
    ) -> NDArray[np.float64]:
        """p_sigma at the n x n cell centres of a square, shape (n, n), row 0 at the bottom."""
        return self.log_prob(_points(*_lattice(centre, half_width, n)), sigma).exp().view(n, n).numpy()

    def _log_terms(self, x: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """log(w_k N_k(x)) (B, K); m_k - x in the axes of component k, (B, K, 2); its variances there; the axes."""
        if x.device not in self._on:
            self._on[x.device] = [torch.from_numpy(p).to(x.device) for p in self._parts]
        log_w, means, variances, axes = self._on[x.device]
        u = torch.einsum("kij,bki->bkj", axes, means - x[:, None])
        spread = variances + sigma.square().view(-1, 1, 1)  # (B or 1, K, 2)
        return log_w - 0.5 * (u.square() / spread + torch.log(2 * math.pi * spread)).sum(2), u, spread, axes


class PaintedDensity:
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
        self._cells = CellSums(w, cell)
        row, col = w.nonzero()
        self._centres = np.stack(((col - (w.shape[1] - 1) / 2) * cell, (row - (w.shape[0] - 1) / 2) * cell), axis=1)
        self._choice = Categorical(w[row, col])

    @property
    def weights(self) -> NDArray[np.float64]:
        """A copy of the normalised weights, (rows, cols), sum 1."""
        return self._weights.copy()

    @classmethod
    def from_image(cls, path: str | PathLike[str], size: int = 128, invert: bool = False) -> PaintedDensity:
        """The density of a picture on size x size cells; see `trainer.paintings.image_weights`."""
        return cls(paintings.image_weights(path, size, invert))

    def log_prob(self, x: Tensor, sigma: float | Tensor = 0.0, *, kernel: Kernel = GAUSSIAN) -> Tensor:
        """The log-density log p_sigma(x), shape (B,), for x (B, 2)."""
        require_gaussian(kernel, "log_prob")
        z, s = _to_truth(x, sigma)
        variance = s.square() + self.bandwidth**2
        return _like(self._cells.log_sum(z, 0.5 / variance) - torch.log(2 * math.pi * variance), x)

    def score(self, x: Tensor, sigma: float | Tensor = 0.0, *, kernel: Kernel = GAUSSIAN) -> Tensor:
        """grad_x log p_sigma(x), shape (B, 2), for x (B, 2)."""
        require_gaussian(kernel, "score")
        z, s = _to_truth(x, sigma)
        variance = s.square() + self.bandwidth**2
        return _like(self._cells.pull(z, 0.5 / variance) / (variance[:, None] if variance.ndim else variance), x)

    def sample(
        self,
        n: int,
        sigma: float | Tensor = 0.0,
        *,
        kernel: Kernel = GAUSSIAN,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draws from p_sigma, shape (n, 2), in the default dtype; without a generator, from torch's own.

        A cell by its inverse distribution function, then the cell's Gaussian and the noise in one jitter.
        """
        require_gaussian(kernel, "sample")
        _check_count(n)
        device = generator.device if generator is not None else torch.device("cpu")
        dtype = torch.get_default_dtype()
        sigma = _noise_level(sigma, n, device).to(dtype)
        cell = self._choice.draw(n, generator, device)
        spread = (sigma.square() + self.bandwidth**2).sqrt()
        z = torch.randn(n, 2, generator=generator, dtype=dtype, device=device)
        z *= spread[:, None] if spread.ndim else spread
        return z.add_(torch.as_tensor(self._centres, dtype=dtype, device=device).index_select(0, cell))

    def score_lattice(
        self, centre: tuple[float, float], half_width: float, n: int, sigma: float
    ) -> NDArray[np.float32]:
        """The score at the n x n cell centres of a square, shape (n, n, 2), row 0 at the bottom."""
        variance = self._variance(sigma)
        return (self._cells.pull_lattice(*_lattice(centre, half_width, n), 0.5 / variance) / variance).float().numpy()

    def density_lattice(
        self, centre: tuple[float, float], half_width: float, n: int, sigma: float
    ) -> NDArray[np.float64]:
        """p_sigma at the n x n cell centres of a square, shape (n, n), row 0 at the bottom."""
        variance = self._variance(sigma)
        log_sum = self._cells.log_sum_lattice(*_lattice(centre, half_width, n), 0.5 / variance)
        return (log_sum.exp() / (2 * math.pi * variance)).numpy()

    def is_far(self, x: Tensor, sigma: float | Tensor = 0.0) -> Tensor:
        """Which points x (B, 2) lie too far from the mass for the separable sum (`trainer.separable`), (B,) bool."""
        z, s = _to_truth(x, sigma)
        return self._cells.is_far(z, 0.5 / (s.square() + self.bandwidth**2)).to(x.device)

    def _variance(self, sigma: float) -> Tensor:
        return _noise_level(sigma, 1, torch.device("cpu")).squeeze().square() + self.bandwidth**2


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


def _check_count(n: int) -> None:
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 0:
        raise InputError(f"n: {n!r}; give a whole number of points, 0 or more")


def _noise_level(sigma: float | Tensor, n: int, device: torch.device) -> Tensor:
    """Sigma as a tensor, shape () or (n,); `InputError` if it is negative, not finite or of another shape."""
    dtype = torch.float32 if device.type == "mps" else torch.float64
    s = torch.as_tensor(sigma, dtype=dtype, device=device)
    if s.ndim > 1 or (s.ndim == 1 and len(s) != n):
        raise InputError(f"sigma: shape {tuple(s.shape)}; give one number, or one per point, shape ({n},)")
    if not bool((torch.isfinite(s) & (s >= 0)).all()):
        raise InputError("sigma: negative or not finite; give a standard deviation >= 0")
    return s


def _to_truth(x: Tensor, sigma: float | Tensor) -> tuple[Tensor, Tensor]:
    """X and sigma in float64, on x's device if that has float64."""
    if x.ndim != 2 or x.shape[1] != 2:
        raise InputError(f"x: shape {tuple(x.shape)}; give points of the plane, shape (B, 2)")
    device = torch.device("cpu") if x.device.type == "mps" else x.device
    return x.to(device=device).double(), _noise_level(sigma, len(x), device)


def _like(value: Tensor, x: Tensor) -> Tensor:
    return value.to(dtype=x.dtype if x.is_floating_point() else torch.get_default_dtype()).to(x.device)


def _lattice(centre: tuple[float, float], half_width: float, n: int) -> tuple[Tensor, Tensor]:
    """The cell centres of a square range along x and along y, each (n,), float64."""
    step = (2 * torch.arange(n, dtype=torch.float64) + 1) / n - 1
    return centre[0] + half_width * step, centre[1] + half_width * step


def _points(xs: Tensor, ys: Tensor) -> Tensor:
    """All (x, y), shape (n * n, 2), x fastest."""
    y, x = torch.meshgrid(ys, xs, indexing="ij")
    return torch.stack((x.reshape(-1), y.reshape(-1)), dim=1)
