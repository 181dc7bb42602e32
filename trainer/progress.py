"""Where a training run stands: what its generator yields."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where a run stands after a step.

    Attributes:
        step: steps taken; seconds: time spent in them.
        loss: of the latest batch that was looked at, on a GPU up to 31 steps ago; NaN before one is known.
        draws: points drawn from the density so far.
        notice: what happened if a step had to be undone, else "".
    """

    step: int
    seconds: float
    loss: float
    draws: int
    notice: str = ""
