"""Fields given by a formula, behind the interface of a score model."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import TypeVar

import torch
from torch import Tensor

from trainer.kernels import GAUSSIAN, Kernel

Result = TypeVar("Result")


def drive(work: Generator[None, None, Result]) -> tuple[int, Result]:
    """How often work in portions yields, and its result."""
    yields = 0
    while True:
        try:
            next(work)
        except StopIteration as end:
            return yields, end.value
        yields += 1


class Field:
    """A `ScoreModel` whose score is a function of x, the same at every noise level."""

    sigma_min, sigma_max = 0.0, math.inf
    device = torch.device("cpu")

    def __init__(self, function: Callable[[Tensor], Tensor], kernel: Kernel = GAUSSIAN) -> None:
        self.function = function
        self.kernel = kernel

    def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        return self.function(x)
