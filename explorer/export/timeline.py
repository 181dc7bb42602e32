"""What a film shows when: first the learning, then the particles, then the result.

A film is a list of moments, one for each picture, and a pure function makes it from lengths alone: no clock, no engine.

* **Learning** takes the first part. At time u in [0, 1] of it S (exp(4 u) - 1) / (exp(4) - 1) of all S training steps
  are taken: at the start thirteen times slower than even spacing, because that is where the arrows turn. The fields
  stand at the sigma that the person looks at, and near the end rise to the largest noise level of the samplers: learned
  and true agree at every level in between.
* **Particles** take the second part, which goes along the longest pane. A noise level of n steps takes time in
  proportion to sqrt(n): even spacing would spend nearly all of it on the few levels that take the most steps, and the
  rest of the way down would be a blink. It starts slowly too, as (exp(2 u) - 1) / (exp(2) - 1), because without noise
  all is over after a few steps. What lies under the particles is the density at the smallest sigma: what they ought to
  be samples of.
* **The result** stands still at the end.

Learning and particles each start with a still of a fraction of a second, so that the beginning is seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Phase = Literal["train", "move", "hold"]

TRAIN_SHARE, MOVE_SHARE = 0.44, 0.41
"""Of the film's length; the rest holds the result."""

_STILL = 0.5
"""Seconds that the beginning of each part stands."""

_EARLY = 4.0
_START = 2.0
_SWEEP_FROM = 0.6
"""The share of the training part after which sigma rises."""


@dataclass(frozen=True)
class Pace:
    """What a film follows while particles move.

    Attributes:
        per_level: the longest pane's steps at each of its noise levels.
        highest, lowest: the largest and the smallest noise level of all panes.
    """

    per_level: tuple[int, ...]
    highest: float
    lowest: float

    @property
    def steps(self) -> int:
        """Of the longest pane."""
        return sum(self.per_level)


@dataclass(frozen=True)
class Moment:
    """One picture of a film.

    Attributes:
        phase: what goes on.
        step: training steps taken.
        particle_step: steps that the longest pane has taken; 0 in the training part.
        sigma: the noise level at which both fields are shown.
    """

    phase: Phase
    step: int
    particle_step: int
    sigma: float


def plan_film(seconds: float, fps: int, steps: int, sigma: float, pace: Pace) -> list[Moment]:
    """The moments of a film, one per picture.

    Args:
        seconds: the film's length.
        fps: pictures per second; there are round(seconds * fps) of them, at least 3.
        steps: training steps in all, >= 0.
        sigma: the noise level at which learning is watched.
        pace: of the particles.
    """
    count = max(3, round(seconds * fps))
    still = round(_STILL * fps)
    training = max(1, round(TRAIN_SHARE * count))
    moving = max(1, round(MOVE_SHARE * count))
    learning = _early_slow(training, still, steps)
    moments = [
        Moment("train", step, 0, _rise(k / max(1, training - 1), sigma, max(sigma, pace.highest)))
        for k, step in enumerate(learning)
    ]
    moments += [Moment("move", steps, t, pace.lowest) for t in _by_level(moving, still, pace.per_level)]
    moments += [Moment("hold", steps, pace.steps, pace.lowest)] * (count - training - moving)
    return moments


def _early_slow(count: int, still: int, steps: int) -> list[int]:
    """`count` training steps from 0 to `steps`, dense at the start, at least one step apart where there are enough."""
    still = min(still, count // 4)
    moving = max(1, count - 1 - still)
    result = [0] * still
    for k in range(count - still):
        curve = steps * math.expm1(_EARLY * k / moving) / math.expm1(_EARLY)
        result.append(min(steps, max(round(curve), k)))
    result[-1] = steps
    return result


def _by_level(count: int, still: int, per_level: Sequence[int]) -> list[int]:
    """`count` particle steps from 0 to all of them, the first standing for a while."""
    still = min(still, count // 4)
    times = np.concatenate([[0.0], np.cumsum(np.sqrt(per_level))])
    steps = np.concatenate([[0], np.cumsum(per_level)])
    moving = times[-1] * np.expm1(_START * np.linspace(0.0, 1.0, count - still)) / math.expm1(_START)
    result = [0] * still + np.interp(moving, times, steps).round().astype(int).tolist()
    result[-1] = int(steps[-1])
    return result


def _rise(u: float, low: float, high: float) -> float:
    """`low` until _SWEEP_FROM, then smoothly in its logarithm up to `high` at u = 1."""
    v = max(0.0, (u - _SWEEP_FROM) / (1 - _SWEEP_FROM))
    return low * (high / low) ** (v * v * (3 - 2 * v))
