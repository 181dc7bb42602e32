r"""Laplace noise on a Gaussian: the density and score of their sum, in closed form and stable everywhere.

Let y ~ N(0, v) and e have the density exp(-|e| / b) / (2 b). The density of u = y + e (the normal-Laplace distribution
of Reed 2006 with equal tails; split the convolution at the kink of e, and each half is a Gaussian integral) is

    p(u) = (A + B) / (2 b),    A = exp(v / 2b^2 - u / b) Phi(-t_1),    t_1 = sqrt(v) / b - u / sqrt(v),
                               B = exp(v / 2b^2 + u / b) Phi(-t_2),    t_2 = sqrt(v) / b + u / sqrt(v).

A collects the noise e > 0, B the noise e < 0. Where t is positive, exp overflows and Phi underflows, and their product

    exp(v / 2b^2 - u / b) Phi(-t_1) = 1/2 exp(-u^2 / 2v) erfcx(t_1 / sqrt 2)

does neither; where t is negative, the product as it stands, in logarithms, is safe. The density is even, so u >= 0 is
enough: there B <= A and t_2 > 0. In the derivatives of A and B the Gaussian parts cancel,

    A' = -A / b + N(u; 0, v),    B' = B / b - N(u; 0, v),
    d/du log p = (B - A) / (b (A + B)) = tanh(log(B / A) / 2) / b,

so the score never exceeds 1 / b: the tails are Laplace's.

Laplace noise is independent along the axes, and so is a Gaussian of diagonal covariance: in the plane the density is
the product of two such factors. `LaplaceCells` sums it over the cells of a painting by matrix products, as
`trainer.separable` does for Gaussian noise; `trainer.laplace_quadrature` treats correlated covariances.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.separable import SAFE, occupied

_LEAST = 1e-6
"""The smallest b / sqrt(v). Below it b changes log p by 1e-12 of itself; its own rounding error is 1e-16 / b."""

_CHUNK = 1 << 17
"""Points x (rows + columns) evaluated at once."""

_MOST_TERMS = 1 << 20
"""Terms of far points summed at once: 8 MB an array."""


def laplace_gaussian(u: Tensor, variance: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The log-density of a Gaussian N(0, variance) plus Laplace noise of scale b, and its derivative, at u.

    Both are differentiable in u. The arguments are float64 and broadcast; variance and b are positive.
    """
    s = variance.sqrt()
    b = torch.maximum(b, _LEAST * s)
    sign = torch.where(u < 0, -1.0, 1.0).to(u.dtype)  # unlike abs, this keeps the second derivative at u = 0
    r = u * sign
    r_s, s_b = r / s, s / b
    t1, t2 = s_b - r_s, s_b + r_s
    inside = t1 >= 0
    core = -0.5 * r_s.square()
    half_erfcx1 = 0.5 * torch.special.erfcx(t1.clamp(min=0) / math.sqrt(2))
    half_erfcx2 = 0.5 * torch.special.erfcx(t2 / math.sqrt(2))
    tail = (0.5 * s_b - r_s) * s_b + torch.special.log_ndtr(-t1.clamp(max=0))
    log_a = torch.where(inside, core + half_erfcx1.log(), tail)
    gap = torch.where(inside, (half_erfcx2 / half_erfcx1).log(), core + half_erfcx2.log() - tail)  # log(B / A) <= 0
    return log_a + torch.log1p(gap.exp()) - torch.log(2 * b), sign * torch.tanh(0.5 * gap) / b


class LaplaceCells:
    """Sums over the cells of a painting blurred by Laplace noise: log p_sigma and its gradient.

        p_sigma(x) = sum_ij w_ij l(x_0 - c_j) l(x_1 - c_i),    l = N(0, tau^2) plus Laplace noise, one coordinate.

    Where the separable sum is at least `trainer.separable.SAFE` it is exact for the reason given there; elsewhere the
    sum runs in logarithms over all occupied cells.

    Args:
        weights: (rows, cols), non-negative, sum 1, row 0 at the bottom.
        cell: width of a cell; the grid is centred on the origin.
        variance: tau^2.
    """

    def __init__(self, weights: NDArray[np.float64], cell: float, variance: float) -> None:
        w, cx, cy = occupied(weights, cell)
        row, col = w.nonzero()
        self._variance = torch.tensor(variance, dtype=torch.float64)
        self._tables = [torch.from_numpy(np.ascontiguousarray(a)) for a in (w, cx, cy, row, col, np.log(w[row, col]))]
        self._on: dict[torch.device, list[Tensor]] = {}

    def log_prob(self, x: Tensor, b: Tensor) -> Tensor:
        """The log-density log p_sigma, shape (B,), for x (B, 2), float64, and b, shape () or (B,); differentiable."""
        return torch.cat([self._both(z, c)[0] for z, c in self._chunks(x, b)])

    def score(self, x: Tensor, b: Tensor) -> Tensor:
        """The score grad log p_sigma, shape (B, 2); arguments as in `log_prob`."""
        return torch.cat([self._both(z, c)[1] for z, c in self._chunks(x, b)])

    def _both(self, x: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        w, cx, cy, *_ = self._here(x.device)
        variance = self._variance.to(x.device)
        log_e, score_e = laplace_gaussian(x[:, :1] - cx, variance, b[:, None] if b.ndim else b)  # (B, C)
        log_f, score_f = laplace_gaussian(x[:, 1:] - cy, variance, b[:, None] if b.ndim else b)  # (B, R)
        shift_e, shift_f = (log.detach().amax(1, keepdim=True) for log in (log_e, log_f))
        e, f = (log_e - shift_e).exp(), (log_f - shift_f).exp()
        sum_e = f @ w * e  # (B, C): summed along the columns
        sum_f = e @ w.T * f  # (B, R): summed along the rows
        total = sum_f.sum(1)
        far = total.detach() < SAFE
        total = torch.where(far, 1.0, total)
        log_p = total.log() + (shift_e + shift_f)[:, 0]
        score = torch.stack(((sum_e * score_e).sum(1), (sum_f * score_f).sum(1)), dim=1) / total[:, None]
        if far.any():
            log_far, score_far = self._far(log_e[far], log_f[far], score_e[far], score_f[far])
            log_p = log_p.masked_scatter(far, log_far)
            score = score.masked_scatter(far[:, None], score_far)
        return log_p, score

    def _far(self, log_e: Tensor, log_f: Tensor, score_e: Tensor, score_f: Tensor) -> tuple[Tensor, Tensor]:
        """The same from the factors of U points, (U, C) and (U, R), in logarithms over the occupied cells."""
        *_, row, col, log_w = self._here(log_e.device)
        log_p, score = [], []
        size = max(1, _MOST_TERMS // len(row))
        for k in range(0, len(log_e), size):
            part = slice(k, k + size)
            terms = log_w + log_e[part, col] + log_f[part, row]  # (U, cells)
            log_p.append(terms.logsumexp(1))
            rho = terms.softmax(1)
            means = (rho * score_e[part, col]).sum(1), (rho * score_f[part, row]).sum(1)
            score.append(torch.stack(means, dim=1))
        return torch.cat(log_p), torch.cat(score)

    def _chunks(self, x: Tensor, b: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        _, cx, cy, *_ = self._tables
        size = max(1, _CHUNK // (len(cx) + len(cy)))
        for k in range(0, max(1, len(x)), size):
            yield x[k : k + size], b[k : k + size] if b.ndim else b

    def _here(self, device: torch.device) -> list[Tensor]:
        if device not in self._on:
            self._on[device] = [t.to(device) for t in self._tables]
        return self._on[device]
