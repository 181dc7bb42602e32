"""Averaged weights: a moving average with a warm-up, theta_bar <- theta_bar + (1 - d_k) (theta - theta_bar).

The decay of step k = 1, 2, ... is

    d_k = min(ema, (1 + k) / (10 + k)),

so that the average looks back over about a ninth of the steps taken until that is as far as `ema` reaches. It is the
decay of diffusers' `EMAModel`, whose first step, however, copies the weights; here the average is a network of its own
that can be sampled, saved and resumed as it stands, and all its tensors move in one call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from torch.nn import Module


def decay(step: int, ema: float, warmup: bool = True) -> float:
    """The share of the average that step k = 1, 2, ... keeps."""
    return min(ema, (1 + step) / (10 + step)) if warmup else ema


class Average:
    """The averaged copy of a network.

    Attributes:
        network: evaluates the averaged weights; it is never trained itself.
    """

    def __init__(self, trained: Module, averaged: Module, ema: float, warmup: bool = True) -> None:
        """`averaged` is a second network of the same kind: it takes the weights of `trained`, and averages them."""
        averaged.load_state_dict(trained.state_dict())
        self.network: Any = averaged.eval().requires_grad_(False)
        self._ema, self._warmup = ema, warmup
        pairs = [
            (average, weight)
            for average, weight in zip(averaged.parameters(), trained.parameters(), strict=True)
            if weight.requires_grad
        ]
        self._averages: list[Tensor] = [average for average, _ in pairs]
        self._weights: list[Tensor] = [weight for _, weight in pairs]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the weights after step k = 1, 2, ..."""
        torch._foreach_lerp_(self._averages, self._weights, 1 - decay(step, self._ema, self._warmup))
