r"""Laplace noise on a Gaussian with correlated coordinates: by quadrature in one dimension, to 1e-8.

The noise is independent along the axes, the Gaussian is not, and their sum has no closed form. With the noise e of the
first coordinate held, the second coordinate is a Gaussian of one dimension again. Let (q_1, q_2) = x - m,

    beta = S_21 / S_11,    c = S_22 - S_21^2 / S_11 = det S / S_11,
    p(x) = int Lap(e; b) N(q_1 - e; 0, S_11) l(q_2 - beta (q_1 - e); c, b) de,

with l the closed form of `trainer.laplace.laplace_gaussian`. At fixed e the integrand is smooth in x, so the score is
the mean under the posterior of e, by the same nodes,

    grad log p(x) = E[ (-(q_1 - e) / S_11 - beta l'/l,  l'/l) | x ].

**Where to put the nodes.** The integrand is log-concave. Bisection of its slope finds its mode, and bisection of its
value finds where it has fallen by 45 nats on either side; what lies beyond is less than e^-40 of the whole. That
stretch is split where the integrand is not smooth, or is smooth on a short scale only: at the kink e = 0, at the mode,
and at the places where l passes from its Gaussian core to its exponential tails, |w| = c / b in its argument w, a
passage some sqrt(c) wide. On every piece the integrand is an exponential, a Gaussian or a passage between them, and the
24 nodes of Gauss and Legendre are summed in logarithms.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from trainer.laplace import laplace_gaussian

_NATS = 45.0
_NODES = 24
_PASSAGE = 8.0
"""Standard deviations sqrt(c) after which a Gaussian integral has reached its limit, to 1e-15."""

_CHUNK = 1 << 17
"""Nodes evaluated at once."""

_PIECES = 10


def correlated_laplace(q: Tensor, covariance: Tensor, determinant: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Log-density and score at m + q of N(m, covariance) plus Laplace noise of scale b on each coordinate.

    Both are differentiable in q. The relative error of the density is below 1e-8 (`tests` hold it to 1e-10).

    Args:
        q: (B, 2), float64.
        covariance: (2, 2), positive definite, not diagonal.
        determinant: (), of the covariance, given apart because strongly correlated ones lose its digits.
        b: () or (B,), positive.

    Returns:
        (B,) and (B, 2).
    """
    b = b.expand(len(q))
    size = max(1, _CHUNK // (_PIECES * _NODES))
    parts = [_part(q[k : k + size], covariance, determinant, b[k : k + size]) for k in range(0, max(1, len(q)), size)]
    return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])


def _part(q: Tensor, covariance: Tensor, determinant: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    s11 = covariance[0, 0]
    beta, c = covariance[0, 1] / s11, determinant / s11

    def log_integrand(e: Tensor, q: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The integrand's logarithm at noise e, (B, N); d = q_1 - e; the slope l'/l of the last factor."""
        d = q[:, :1] - e
        log_l, slope = laplace_gaussian(q[:, 1:] - beta * d, c, b[:, None])
        return log_l - 0.5 * d.square() / s11 - e.abs() / b[:, None], d, slope

    with torch.no_grad():
        e, log_width = _nodes(log_integrand, q.detach(), s11, beta, c, b[:, None])
    value, d, slope = log_integrand(e, q)
    terms = value + log_width
    log_p = terms.logsumexp(1) - 0.5 * torch.log(2 * math.pi * s11) - torch.log(2 * b)
    rho = terms.softmax(1)
    pull = torch.stack((-d / s11 - beta * slope, slope), dim=2)
    return log_p, (rho[:, :, None] * pull).sum(1)


def _nodes(
    log_integrand: Callable[[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]],
    q: Tensor,
    s11: Tensor,
    beta: Tensor,
    c: Tensor,
    b: Tensor,
) -> tuple[Tensor, Tensor]:
    """Where to evaluate the integrand, (B, N), and the logarithms of the weights; q (B, 2), b (B, 1)."""
    q1 = q[:, :1]
    centre = q1 - q[:, 1:] / beta  # where the argument of l is 0

    def rises(e: Tensor) -> Tensor:
        _, d, slope = log_integrand(e, q)
        return d / s11 - e.sign() / b + beta * slope > 0

    # the mode lies between the modes of the three factors, and where the slope of the Gaussian can meet the others'
    low = torch.minimum(torch.minimum(q1, centre), torch.zeros_like(q1))
    high = torch.maximum(torch.maximum(q1, centre), torch.zeros_like(q1))
    reach = s11 * (1 + beta.abs()) / b
    mode = _bisect(rises, torch.maximum(low, q1 - reach), torch.minimum(high, q1 + reach), 45)[0]
    level = log_integrand(mode, q)[0] - _NATS
    width = math.sqrt(2 * _NATS) * s11.sqrt()  # the Gaussian factor alone falls that much

    def within(e: Tensor) -> Tensor:
        return log_integrand(e, q)[0] > level

    stop = _bisect(within, mode, mode + width, 25)[1]
    start = _bisect(lambda e: within(-e), -mode, width - mode, 25)[1].neg()
    core = c / b / beta.abs()
    passage = _PASSAGE * c.sqrt() / beta.abs()
    offsets = torch.cat((torch.zeros_like(core), core, core + passage, (core - passage).clamp(min=0)), dim=1)
    cuts = torch.cat((torch.zeros_like(q1), mode, centre + offsets, centre - offsets[:, 1:]), dim=1)
    cuts = torch.cat((start, torch.minimum(torch.maximum(cuts, start), stop).sort(dim=1).values, stop), dim=1)
    x, w = (torch.as_tensor(v, dtype=q.dtype, device=q.device) for v in np.polynomial.legendre.leggauss(_NODES))
    half = 0.5 * cuts.diff(dim=1)[:, :, None]
    e = cuts[:, :-1, None] + half * (1 + x)
    return e.flatten(1), (half.log() + w.log()).flatten(1)


def _bisect(holds: Callable[[Tensor], Tensor], low: Tensor, high: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """A bracket of where `holds` passes from true, at low, to false, at high; halved so many times."""
    for _ in range(steps):
        middle = 0.5 * (low + high)
        true = holds(middle)
        low, high = torch.where(true, middle, low), torch.where(true, high, middle)
    return low, high
