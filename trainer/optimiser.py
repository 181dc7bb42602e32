"""Adam on one flat tensor, with the averaged weights beside it and a copy to fall back on.

Adam (Kingma & Ba 2015, Algorithm 1) with beta = (0.9, 0.95) and the rates of `trainer.rates`. A step that is not
finite is never taken: `undo` goes back to the last good weights and lowers the rate, since that is what blew them up.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.optim.adam import adam

from trainer.errors import TrainingError
from trainer.rates import averaging_weight, learning_rate

BETA1, BETA2, EPSILON = 0.9, 0.95, 1e-8
LOWER = 0.1
"""What the rate is multiplied by when a step had to be undone."""
PATIENCE = 12
"""Failures in a row after which a run gives up."""
_FACTS = ("clock", "lowered", "undone", "failures")


class Optimiser:
    """The weights of a run and all that changes with them.

    Attributes:
        weights, average: float32 (count,); the average is what a person sees and samples with.
        clock: steps since the run, or the density, last began afresh: what rate and average go by. The caller counts.
        lowered: the factor on the learning rate, 1 until a step is undone.
        undone: how often a step was; failures: how often since the weights were last kept.
    """

    def __init__(self, weights: Tensor) -> None:
        self.weights = weights
        self.average = weights.clone()
        self.first, self.second = torch.zeros_like(weights), torch.zeros_like(weights)
        self.taken = torch.zeros((), device=weights.device)
        self.good, self.good_average = weights.clone(), weights.clone()
        self._rate, self._share = torch.zeros((), device=weights.device), torch.zeros((), device=weights.device)
        self.clock = 0
        self.lowered = 1.0
        self.undone, self.failures = 0, 0

    def restart(self) -> None:
        """Begin the rate's and the average's clocks again, and keep the weights."""
        self.clock = 0
        self._forget()

    def _forget(self) -> None:
        self.first.zero_()
        self.second.zero_()
        self.taken.zero_()

    def rate(self, peak_rate: float) -> float:
        """The learning rate of the next step, by the clock."""
        return self.lowered * learning_rate(peak_rate, self.clock)

    def set_rates(self, peak_rate: float, ema: float) -> None:
        """Set the learning rate and the average's share for the next step, by the clock."""
        self._rate.fill_(self.rate(peak_rate))
        self._share.fill_(averaging_weight(ema, self.clock))

    def step(self, gradient: Tensor) -> None:
        """Take one step down the gradient (count,) and follow it with the average.

        All that changes from step to step lies in tensors, so that a CUDA graph can hold it.
        """
        adam(
            [self.weights],
            [gradient],
            [self.first],
            [self.second],
            [],
            [self.taken],
            fused=True,
            amsgrad=False,
            beta1=BETA1,
            beta2=BETA2,
            lr=self._rate,
            weight_decay=0.0,
            eps=EPSILON,
            maximize=False,
        )
        self.average.lerp_(self.weights, self._share)

    def keep(self) -> None:
        """Remember the weights as good."""
        self.good.copy_(self.weights)
        self.good_average.copy_(self.average)
        self.failures = 0

    def undo(self, step: int, peak_rate: float) -> str:
        """Go back to the last good weights, at a lower rate; the text says so of this step of the run.

        Raises:
            TrainingError: when steps keep failing although the rate has been lowered again and again.
        """
        self.weights.copy_(self.good)
        self.average.copy_(self.good_average)
        self._forget()
        self.lowered *= LOWER
        self.undone += 1
        self.failures += 1
        if self.failures >= PATIENCE:
            raise TrainingError(
                f"training stopped at step {step}: the loss blew up {self.failures} times although the rate was "
                "lowered each time; the last good weights are kept; choose a smaller learning rate and reset"
            )
        return (
            f"step {step + 1}: the loss blew up; back to the last good weights, "
            f"learning rate lowered to {peak_rate * self.lowered:.2g}"
        )

    def facts(self) -> dict[str, float]:
        """The numbers that determine how the run goes on, by name."""
        return {name: getattr(self, name) for name in _FACTS}

    def resume(self, facts: Mapping[str, float]) -> None:
        """Go on from `facts`; the tensors are written by the caller. `TypeError` if one is no number."""
        for name in _FACTS:
            if not isinstance(facts[name], int | float):
                raise TypeError(f"{name} is {facts[name]!r}, not a number")
            setattr(self, name, facts[name])

    def tensors(self) -> dict[str, Tensor]:
        """All tensors that determine how the run goes on, by name; the caller may write into them."""
        return {
            "weights": self.weights,
            "average": self.average,
            "first": self.first,
            "second": self.second,
            "taken": self.taken,
            "good": self.good,
            "good_average": self.good_average,
        }
