"""How fast to learn, and how to average what was learned.

**The learning rate** at step i (from 0) is

    lr(i) = lr * min(1, (i + 1) / 30) / max(1, i / 120)^0.75 :

a short rise, then a power law. It has no horizon, so that a live run can be stopped, and looked at, at any moment.

**Averaged weights** follow Karras et al. 2024 ("Analyzing and improving the training dynamics", eq. 123): a
power-function average, in which step i weighs in proportion to i^(1/ema - 1), so that it always covers about the same
*share* of the run, whatever its length.
"""

from __future__ import annotations

WARM_UP = 30
PLATEAU = 120
DECAY = 0.75


def learning_rate(peak: float, step: int) -> float:
    """The learning rate at this step, counted from 0 since the last restart of the clock."""
    return peak * min(1.0, (step + 1) / WARM_UP) / max(1.0, step / PLATEAU) ** DECAY


def averaging_weight(ema: float, step: int) -> float:
    """How much of the current weights enters the averaged ones after this step, counted from 0."""
    return min(1.0, 1.0 / (ema * (step + 1)))
