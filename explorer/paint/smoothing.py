"""Smoothing: the convolution of a painting with a Gaussian, whose edges reflect so that no mass is lost.

On n cells a row vector is multiplied by the symmetric matrix

    K_ij = sum_m g(i - j + 2 n m) + g(i + j + 1 + 2 n m),      g(k) = exp(-k^2 / 2 s^2), normalised,

s the standard deviation in cells: both its rows and its columns sum to 1.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def smoothed(weights: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """A painting (n, n) convolved with a Gaussian of this standard deviation, in units of the plane; mass is kept."""
    n = len(weights)
    kernel = _kernel(n, width * n / 2)
    return np.clip(kernel @ weights.astype(np.float64) @ kernel, 0.0, 1.0).astype(np.float32)


@lru_cache(maxsize=8)
def _kernel(n: int, s: float) -> NDArray[np.float64]:
    reach = np.arange(-n * 3, n * 3 + 1)
    g = np.exp(-0.5 * np.square(reach / max(s, 1e-3)))
    g /= g.sum()
    i, j = np.arange(n)[:, None], np.arange(n)[None, :]
    kernel = np.zeros((n, n))
    for m in (-1, 0, 1):
        for k in (i - j + 2 * n * m, i + j + 1 + 2 * n * m):
            inside = np.abs(k) <= 3 * n
            kernel += np.where(inside, g[np.clip(k, -3 * n, 3 * n) + 3 * n], 0.0)
    kernel /= np.sqrt(kernel.sum(0)[:, None] * kernel.sum(0)[None, :])
    return kernel
