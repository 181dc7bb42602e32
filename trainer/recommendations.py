r"""Noise levels, steps and step size that suit the data at hand, each with its reason in one sentence.

**The largest level** is the largest pairwise distance (Song & Ermon 2020, Technique 1).

**The smallest level.** Of a known density: the largest sigma at which p_sigma is still p for all practical purposes,
KL(p || p_sigma) <= 2 delta^2. By Pinsker's inequality at most the share delta = 5 % of the mass then lies elsewhere
than p has it (total variation). With r = p_sigma / p, KL = E_p[r - 1 - ln r]: the added r - 1 has the mean zero and
takes most of the estimate's variance. Of mere points: half the median distance to the nearest neighbour. Two equal
Gaussians have a summit each exactly if their distance exceeds 2 sigma; with less noise, the sample is what is learned.

**Number of levels, steps and step size** follow from the two ends: `trainer.annealing`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.annealing import (
    ECONOMICAL_STEPS,
    MOST_LEVELS,
    RELAXATIONS,
    inflation,
    langevin_step,
    level_overlap,
    number_of_levels,
    relative_step,
    relaxations,
    variance_excess,
)
from trainer.densities import Density
from trainer.errors import InputError
from trainer.schedules import largest_distance
from trainer.settings import LadderSettings, ParticleSettings

DIFFERENCE = 0.05
"""The share of its mass by which p_sigma may differ from p at the smallest level."""
SMALLEST, LARGEST = 1e-3, 10.0
"""Noise levels that the samplers take (`trainer.settings.ParticleSettings`)."""

_QUERIES = 256


@dataclass(frozen=True)
class Choice:
    """A recommended number, and why: one plain sentence with the numbers in it."""

    value: float
    reason: str


@dataclass(frozen=True)
class Recommendation:
    """What `recommend` found.

    Attributes:
        sigma_max, sigma_min: the ends of the noise ladder, in units of the plane.
        levels: how many noise levels; steps: Langevin steps at each.
        epsilon: the step at the smallest level, as every sampler of this project takes it.
        inflation: b, by how much endlessly many steps of this size would inflate a level's variance.
        excess: e, by how much the steps taken leave it too large.
        overlap: what Song & Ermon's rule for the number of levels says of this ladder.
    """

    sigma_max: Choice
    sigma_min: Choice
    levels: Choice
    steps: Choice
    epsilon: Choice
    inflation: Choice
    excess: Choice
    overlap: Choice

    @property
    def ladder(self) -> LadderSettings:
        """The ladder as `FitSettings` takes it."""
        return LadderSettings(int(self.levels.value), self.sigma_min.value, self.sigma_max.value)

    def particles(self, number: int = 10_000) -> ParticleSettings:
        """Ladder, steps and epsilon as the samplers take them."""
        steps = int(self.steps.value)
        return ParticleSettings(
            number=number,
            levels=int(self.levels.value),
            steps=steps,
            fine_steps=steps,
            epsilon=self.epsilon.value,
            sigma_min=self.sigma_min.value,
            sigma_max=self.sigma_max.value,
        )

    def to_json(self) -> dict[str, dict[str, float | str]]:
        """Each choice as {"value": .., "reason": ..}; levels and steps are whole numbers."""
        return {f.name: {"value": c.value, "reason": c.reason} for f in fields(self) for c in [getattr(self, f.name)]}


def summary_text(recommendation: Recommendation) -> str:
    """One line a choice: name, value and reason."""
    choices = [(f.name, getattr(recommendation, f.name)) for f in fields(recommendation)]
    return "\n".join(f"{name:<10} {choice.value:<9.4g} {choice.reason}" for name, choice in choices)


def recommend(
    data: Density | Tensor | NDArray[Any], *, steps_per_level: int | None = None, points: int = 4096, seed: int = 0
) -> Recommendation:
    """Noise ladder and step size for a density, or for points with shape (N, 2).

    Args:
        data: a density, or the points that there are, on the scale of the plane [-1, 1]^2.
        steps_per_level: Langevin steps at each noise level; None for the number that needs the fewest steps in all.
        points: how many draws of a density to look at; not used for points.
        seed: of the draws, and of the choice of points whose neighbours are measured.

    Raises:
        InputError: for points that are not (N, 2), not finite, off the scale or all in one place; for steps_per_level
            that is no whole number from 1 to 10,000, or fewer than 64 draws.
    """
    given = None if steps_per_level is None else _whole_steps(steps_per_level)
    generator = torch.Generator().manual_seed(seed)
    if isinstance(data, Tensor | np.ndarray):
        at = _points(data)
        high = _largest(at, "points")
        low = _smallest_for_points(at, generator)
    else:
        if points < 64:
            raise InputError(f"points: {points} draws say little of a density; give at least 64")
        at = data.sample(points, 0.0, generator=generator).double()
        high = _largest(at, "draws")
        low = _smallest_for_density(data, at)
    if low.value > high.value / 2:
        low = Choice(high.value / 2, f"{high.value / 2:.3g} is half of the largest noise level. {low.reason}")
    return Recommendation(high, low, *_march(low.value, high.value, given))


def _march(low: float, high: float, given: int | None) -> tuple[Choice, Choice, Choice, Choice, Choice, Choice]:
    """Levels, steps, epsilon, inflation, excess and overlap for a ladder from high to low."""
    steps = given or ECONOMICAL_STEPS
    levels = number_of_levels(high / low, steps)
    ratio = (high / low) ** (1 / (levels - 1))
    x, lived = relative_step(ratio, steps), relaxations(ratio, steps)
    epsilon, excess = langevin_step(low, ratio, steps), variance_excess(x, ratio, steps)
    shared, number, total = level_overlap(ratio, 2), _number_of(steps), f"{steps * levels:,} in all"
    if lived >= RELAXATIONS:
        enough = f"and {RELAXATIONS:.0f} keep weight flowing between modes until they hardly overlap"
    elif levels == MOST_LEVELS:
        enough = f"too few of the {RELAXATIONS:.0f} that weight needs to settle, but there can be no more levels"
    else:
        enough = f"too few of the {RELAXATIONS:.0f} that weight needs, but no number of levels gives {2 * steps}"
    return (
        Choice(
            levels,
            f"{levels} levels, each {ratio:.4g} times the next, with {number} each give particles {lived:.1f} "
            f"relaxation times while sigma falls by the factor e, {enough}.",
        ),
        Choice(
            steps,
            f"{number} at each noise level as asked for, {total}."
            if given
            else f"{number} at each noise level need the fewest steps, {total}, for {RELAXATIONS:.0f} relaxation "
            f"times while sigma falls by the factor e.",
        ),
        Choice(
            epsilon,
            f"{epsilon:.3g}, which is {2 * x:.3g} sigma^2 at every level (h = {epsilon / 2:.3g} where papers step h "
            f"and sqrt(2h)), leaves the least error of the variance after {number} (Song & Ermon 2020, Technique 4).",
        ),
        Choice(
            inflation(x),
            f"Endlessly many steps of this size would settle at {inflation(x):.4g} times the variance of the noise.",
        ),
        Choice(
            excess,
            f"After {number} a level's variance is {100 * excess:.3g} % too large, predicted for data that the noise "
            f"outweighs.",
        ),
        Choice(
            shared,
            f"{100 * shared:.2f} % of a level's samples lie at radii that its neighbour has too; the rule that asks "
            f"for 50 % (Song & Ermon 2020, Technique 2) cannot be met in the plane, where any ratio gives over 99.7 %.",
        ),
    )


def _whole_steps(steps: object) -> int:
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or not 1 <= steps <= 10_000:
        raise InputError(f"steps_per_level: {steps!r}; give a whole number between 1 and 10000")
    return int(steps)


def _number_of(steps: int) -> str:
    return f"{steps} step" if steps == 1 else f"{steps} steps"


# --- what the data say --------------------------------------------------------------------------------------------


def _points(data: Tensor | NDArray[Any]) -> Tensor:
    try:
        at = torch.as_tensor(data).detach().cpu().double()
    except (TypeError, ValueError):
        raise InputError("points: not an array of numbers; give shape (N, 2)") from None
    if at.ndim != 2 or at.shape[1] != 2 or len(at) < 2:
        raise InputError(f"points: shape {tuple(at.shape)}; give at least two points of the plane, shape (N, 2)")
    if not bool(at.isfinite().all()):
        raise InputError("points: contain NaN or infinity; give finite coordinates")
    reach = float((at - at.mean(0)).abs().max())
    if not 2 * SMALLEST < reach < LARGEST:
        raise InputError(f"points: up to {reach:g} from their mean; scale them so that they fill the square [-1, 1]^2")
    return at


def _largest(at: Tensor, what: str) -> Choice:
    found = largest_distance(at)
    held = min(max(found, 2 * SMALLEST), LARGEST)
    if held != found:
        return Choice(
            held,
            f"{held:g} is {'the most' if found > held else 'twice the least'} noise that the samplers take; the "
            f"largest distance between two of {len(at):,} {what} is {found:.3g}.",
        )
    return Choice(
        found,
        f"{found:.3g} is the largest distance between two of {len(at):,} {what} (measured at most 0.12 % too small): "
        f"with so much noise no gap between modes is too wide to cross (Song & Ermon 2020, Technique 1).",
    )


def _smallest_for_density(density: Density, at: Tensor) -> Choice:
    """Bisection over ln sigma for the KL divergence that DIFFERENCE allows."""
    budget, clean = 2 * DIFFERENCE**2, density.log_prob(at)

    def divergence(sigma: float) -> float:
        log_ratio = density.log_prob(at, sigma) - clean
        return float((log_ratio.expm1() - log_ratio).mean())

    low, high = math.log(SMALLEST), math.log(LARGEST)
    if divergence(SMALLEST) > budget:
        return Choice(
            SMALLEST,
            f"{SMALLEST:g} is the least noise that the samplers take, and it blurs more than {100 * DIFFERENCE:.0f} % "
            f"of the mass (KL divergence {divergence(SMALLEST):.2g} nats by {len(at):,} draws).",
        )
    while high - low > 1e-3:
        middle = (low + high) / 2
        if divergence(math.exp(middle)) > budget:
            high = middle
        else:
            low = middle
    sigma = math.exp(low)
    return Choice(
        sigma,
        f"At sigma = {sigma:.3g} at most {100 * DIFFERENCE:.0f} % of the mass lies elsewhere than without noise (KL "
        f"divergence {budget:g} nats by {len(at):,} draws): less noise is harder to learn and shows no more.",
    )


def _smallest_for_points(at: Tensor, generator: torch.Generator) -> Choice:
    spacing = typical_spacing(at, generator)
    sigma = max(spacing / 2, SMALLEST)
    floor = f" (raised to {SMALLEST:g}, the least noise that the samplers take)" if spacing / 2 < SMALLEST else ""
    return Choice(
        sigma,
        f"{spacing / 2:.3g} is half the median distance from a point to its nearest neighbour, {spacing:.3g}{floor}: "
        f"with less noise most of the {len(at):,} points are summits, and the sample is learned, not its density.",
    )


def typical_spacing(at: Tensor, generator: torch.Generator | None = None) -> float:
    """The median distance from a point to the nearest other place that holds one, for points (N, 2), not all the same.

    Measured at 256 points chosen at random, or at all if there are fewer: a standard error of about 5 % where the
    spacing is even. The chosen points bound each other's distance; only points within that bound along x can be nearer.
    """
    asked = at[torch.randperm(len(at), generator=generator)[:_QUERIES]]
    bound = _apart(torch.cdist(asked, asked, compute_mode="donot_use_mm_for_euclid_dist")).amin(1)  # (queries,)
    along = at[at[:, 0].argsort()]
    first = torch.searchsorted(along[:, 0].contiguous(), asked[:, 0] - bound).tolist()
    last = torch.searchsorted(along[:, 0].contiguous(), asked[:, 0] + bound, right=True).tolist()
    nearest = [
        float(_apart(torch.linalg.vector_norm(along[a:b] - point, dim=1)).min())
        for point, a, b in zip(asked, first, last, strict=True)
    ]
    return float(np.median(nearest))


def _apart(distance: Tensor) -> Tensor:
    """Distances with those from a point to its own place left out."""
    return distance.masked_fill(distance == 0, math.inf)
