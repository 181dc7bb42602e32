r"""Annealed Langevin dynamics on data that the noise outweighs: step size and number of levels by closed form.

**The step** (Song & Ermon 2020, Technique 4). On a level of standard deviation sigma, T Langevin steps
x <- x + h s(x) + sqrt(2h) z turn the variance gamma^2 sigma^2, which the level before left, into sigma^2 (1 + e), with
x = h / sigma^2:

    e(x) = (1 - x)^(2T) (gamma^2 - b) + b - 1,    b = 1 / (1 - x / 2).

b is the variance that endlessly many steps would leave. 1 + e is an average of gamma^2 and b and stays above 1, so
there is no root to find; and e(x) <= e(2 - x) for x < 1, so the smallest e lies on 0 < x <= 1. Ours is epsilon = 2 h.

**The number of levels.** Song & Ermon's rule (Technique 2) wants a fraction C = 1/2 of one level's samples at radii
that the next level has too. In two dimensions every ratio gives at least 0.997, so the rule asks for nothing. What
counts here is that weight flows between modes: at distance D that takes of the order of exp(D^2 / (8 sigma^2))
relaxation times, 1 / x steps each (escape over a saddle, Kramers 1940), and stops where sigma falls faster than that.
So the levels are the fewest that give `RELAXATIONS` = 20 relaxation times to each factor e in sigma,
R = T x / ln gamma >= 20.

**The steps a level.** For ln gamma = g << 1 and y = T x the smallest e is where 8 T g = 2 y + e^(2y) - 1. Of all T and
g with the same R = y / g the fewest steps in all, T / g, are at y = 1: T = R (e^2 + 1) / 8, g = 1 / R. With T steps R
stays below 2 T however many levels there are; where that is too little, the levels are the fewest that give 1.5 T.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from trainer.errors import InputError

RELAXATIONS = 20.0
"""Relaxation times while sigma falls by the factor e. On far-modes the small mode's 0.2 then ends at 0.212."""
ECONOMICAL_STEPS = math.ceil(RELAXATIONS * (math.e**2 + 1) / 8)
"""Steps at each level with which RELAXATIONS take the fewest steps in all."""

MOST_LEVELS = 1000
_GOLDEN = (math.sqrt(5) - 1) / 2


def inflation(x: float) -> float:
    """By which factor b Langevin steps of h = x v inflate a Gaussian's variance v, for 0 <= x < 2."""
    return 1 / (1 - x / 2)


def variance_excess(x: float, ratio: float, steps: int) -> float:
    """e(x): by which share of sigma^2 the variance is too large after `steps` steps h = x sigma^2, 0 <= x < 2.

    They begin with the variance that the level before left, (ratio sigma)^2 (Song & Ermon 2020, proposition 3).
    """
    b = inflation(x)
    return abs((1 - x) ** (2 * steps) * (ratio**2 - b) + b - 1)


def relative_step(ratio: float, steps: int) -> float:
    """The x = h / sigma^2 with the smallest `variance_excess`, 0 < x <= 1, for ratio > 1.

    The excess falls from x = 0 and rises to 1 at x = 1; the least of a logarithmic grid is refined by golden section.
    """
    grid = np.geomspace(1e-9, 1.0, 257)
    least = int(np.argmin([variance_excess(x, ratio, steps) for x in grid.tolist()]))
    low, high = float(grid[max(least - 1, 0)]), float(grid[min(least + 1, 256)])
    while high - low > 1e-9 * high:
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if variance_excess(left, ratio, steps) < variance_excess(right, ratio, steps):
            high = right
        else:
            low = left
    return (low + high) / 2


def langevin_step(sigma_min: float, ratio: float, steps: int) -> float:
    """Epsilon of annealed Langevin dynamics by Technique 4, 2 h = 2 x sigma_min^2.

    Args:
        sigma_min: the smallest noise level.
        ratio: of each noise level to the next, above 1.
        steps: at each noise level.

    Raises:
        InputError: for sigma_min <= 0, ratio <= 1 or steps < 1.
    """
    if not 0 < sigma_min < math.inf:
        raise InputError(f"sigma_min: {sigma_min:g}; give a positive noise level")
    if not 1 < ratio < math.inf:
        raise InputError(f"ratio: {ratio:g}; give the ratio of a noise level to the next smaller one, above 1")
    if steps < 1:
        raise InputError(f"steps: {steps}; give at least 1 step at each noise level")
    return 2 * relative_step(ratio, steps) * sigma_min**2


def number_of_levels(span: float, steps: int) -> int:
    """The fewest levels from sigma_max to sigma_max / span that give min(RELAXATIONS, 1.5 `steps`) relaxation times.

    Relaxation times a factor e rise with the number of levels, towards 2 `steps`. At most 1000 levels.
    """
    wanted = min(RELAXATIONS, 1.5 * steps)
    few, enough = 1, MOST_LEVELS
    while enough - few > 1:
        middle = (few + enough) // 2
        if relaxations(span ** (1 / (middle - 1)), steps) < wanted:
            few = middle
        else:
            enough = middle
    return enough


def relaxations(ratio: float, steps: int) -> float:
    """R = T x / ln(ratio): the relaxation times that pass while sigma falls by the factor e."""
    return steps * relative_step(ratio, steps) / math.log(ratio)


def level_overlap(ratio: float, dimension: int) -> float:
    """Technique 2's overlap Phi(sqrt(2d) (ratio - 1) + 3 ratio) - Phi(sqrt(2d) (ratio - 1) - 3 ratio)."""
    shift, phi = math.sqrt(2 * dimension) * (ratio - 1), NormalDist().cdf
    return phi(shift + 3 * ratio) - phi(shift - 3 * ratio)
