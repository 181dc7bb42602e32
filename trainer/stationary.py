r"""What Langevin dynamics at a finite step converges to: on a Gaussian, exactly, not what it was meant for.

On N(m, S) the score is -S^-1 (x - m) and one step (`trainer.langevin`) is linear,

    x <- x - (epsilon / 2) S^-1 (x - m) + sqrt(epsilon) z,

so the covariance that no longer changes solves C = A C A + epsilon I with A = I - (epsilon / 2) S^-1:

    C = S (I - (epsilon / 4) S^-1)^-1,    in each eigendirection of variance v:  b v,  b = 1 / (1 - epsilon / (4 v)).

With h = epsilon / 2 and x = h / v this is b = 1 / (1 - x / 2) (Song & Ermon 2020, proof of proposition 3). Too large a
step *inflates* every mode, the narrow directions most; at epsilon = 4 v the dynamics stop converging at all. A
Metropolis correction removes the inflation (Roberts & Tweedie 1996).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trainer.annealing import inflation
from trainer.errors import InputError


def langevin_inflation(epsilon: float, variance: float) -> float:
    """The factor b = 1 / (1 - epsilon / (4 v)): Langevin's stationary variance on a Gaussian, over its variance v.

    Raises:
        InputError: epsilon or v is not positive, or epsilon is 4 v or more, where nothing is stationary.
    """
    if not 0 < variance < np.inf:
        raise InputError(f"variance: {variance:g}; give a finite number above 0")
    _check_step(epsilon, variance)
    return inflation(epsilon / (2 * variance))


def stationary_covariance(epsilon: float, covariance: ArrayLike) -> NDArray[np.float64]:
    """The covariance (d, d) at which Langevin dynamics with this step ends on a Gaussian of covariance S (d, d).

    Raises:
        InputError: S is not symmetric and positive definite, or epsilon is not between 0 and
            4 times S's least variance.
    """
    given = np.asarray(covariance, dtype=np.float64)
    if given.ndim != 2 or given.shape[0] != given.shape[1] or not np.isfinite(given).all():
        raise InputError(f"covariance: shape {given.shape} or an entry not finite; give a square matrix of numbers")
    if np.abs(given - given.T).max() > 1e-9 * np.abs(given).max():
        raise InputError("covariance: not symmetric; it must equal its transpose")
    variances, axes = np.linalg.eigh(given)
    if not variances[0] > 0:
        raise InputError("covariance: not positive definite; every eigenvalue must be above 0")
    _check_step(epsilon, float(variances[0]))
    return (axes * [v * inflation(epsilon / (2 * v)) for v in variances.tolist()]) @ axes.T


def _check_step(epsilon: float, variance: float) -> None:
    if not 0 < epsilon < 4 * variance:
        raise InputError(
            f"epsilon: {epsilon:g} has no stationary distribution for variance {variance:g}; "
            f"give a step above 0 and below 4 v = {4 * variance:g}"
        )
