"""How much noise, in what order, and how fast to learn.

**The ladder.** Noise levels form a geometric sequence sigma_1 > ... > sigma_L (Song & Ermon 2019, section 4.1). Its
largest level is the largest distance between two data points (Song & Ermon 2020, Technique 1): then every data point is
within one standard deviation of every other, and no gap between modes is too wide to cross.

**The learning rate** at step i (from 0) is

    lr(i) = lr * min(1, (i + 1) / 30) / max(1, i / 120)^0.75 :

a short rise, then a power law. It has no horizon, so that a live run can be stopped, and looked at, at any moment.

**Averaged weights** follow Karras et al. 2024 ("Analyzing and improving the training dynamics", eq. 123): a
power-function average, in which step i weighs in proportion to i^(1/ema - 1), so that it always covers about the same
*share* of the run, whatever its length.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from trainer.settings import LadderSettings

WARM_UP = 30
PLATEAU = 120
DECAY = 0.75


def largest_distance(points: Tensor, directions: int = 64) -> float:
    """The largest distance between two of the points with shape (N, 2), without comparing all pairs.

    The two points farthest apart are corners of the convex hull. The outermost points in `directions` directions are
    corners of it, and the farthest pair of those falls short by at most a factor cos(pi / directions): 0.12 % for 64.
    """
    angle = torch.arange(directions, dtype=points.dtype) * (2 * math.pi / directions)
    axes = torch.stack((angle.cos(), angle.sin()))  # (2, directions)
    corners = points[(points @ axes.to(points.device)).argmax(0)]
    return float(torch.cdist(corners, corners).max())


def geometric_ladder(settings: LadderSettings, sigma_max: float) -> Tensor:
    """The noise levels, largest first, (levels,) float64; `sigma_max` is used where the settings leave it open."""
    top = max(settings.sigma_max or sigma_max, 1.01 * settings.sigma_min)
    ladder = torch.logspace(
        math.log(top), math.log(settings.sigma_min), settings.levels, base=math.e, dtype=torch.float64
    )
    ladder[0], ladder[-1] = top, settings.sigma_min
    return ladder


def level_counts(levels: int, rows: int) -> Tensor:
    """How many of `rows` training points each noise level gets, int64 (levels,): as evenly as whole numbers allow."""
    return torch.linspace(0, rows, levels + 1, dtype=torch.float64).round().long().diff()


def learning_rate(peak: float, step: int) -> float:
    """The learning rate at this step, counted from 0 since the last restart of the clock."""
    return peak * min(1.0, (step + 1) / WARM_UP) / max(1.0, step / PLATEAU) ** DECAY


def averaging_weight(ema: float, step: int) -> float:
    """How much of the current weights enters the averaged ones after this step, counted from 0."""
    return min(1.0, 1.0 / (ema * (step + 1)))
