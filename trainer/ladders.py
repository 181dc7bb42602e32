r"""The smallest ladder of annealed Langevin dynamics whose predicted errors stay below those that a person asks for.

Tried are geometric ladders with one relative step x at every level, alpha_i = 2 x sigma_i^2, and more steps at the
levels above some sigma than at those under it, as `ParticleSettings` describes them. What is predicted is the business
of `trainer.predictions`; the search goes in the order in which the errors arise.

1. **Below** the levels where weight flows, steps settle each mode's width. For each x that the error of the variance
   allows (endlessly many steps leave b - 1 = (x / 2) / (1 - x / 2)) the ratio of the levels and the steps at each are
   those that cost the fewest steps a factor e in sigma: closed form.
2. **Above**, weight has to find its shares. For each largest sigma, and each sigma at which the many steps end, the
   most steps that undercut the best ladder so far (or a growing budget) are tried first; if they keep the error of the
   weights, their number is bisected on a logarithmic scale.

The predicted error of the weights is right to about `PRECISION`; the search leaves that much room, where the error
asked for has it.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, fields, replace

from trainer.annealing import inflation, level_overlap
from trainer.densities import Density
from trainer.errors import InputError
from trainer.langevin import noise_levels
from trainer.lattices import finish
from trainer.predictions import Forecast, Prospect, predicting
from trainer.recommendations import LARGEST, SMALLEST, Choice
from trainer.settings import ParticleSettings, number

PRECISION = 0.003
"""How far the predicted error of the weights lies from that of runs of many particles, in round figures."""

_MOST_STEPS, _MOST_LEVELS = 10_000, 160
_BUDGETS = (1_000, 6_000, 40_000)
"""Steps in all with which every ladder is tried before any gets more."""
_SETTLING = 0.4
"""From this sigma on the width of modes has to settle."""
_RELATIVE_STEPS = (0.8, 0.4)
"""Parts of the largest x that the error of the variance allows."""
_RATIO = 1.6
"""Between the sigmas that are tried as the largest, and between those at which the many steps end."""


@dataclass(frozen=True)
class SmallestLadder:
    """What `smallest_ladder` found: numbers with their reasons, and what is predicted of them.

    Attributes:
        sigma_max, sigma_min: the ends.
        levels: how many; steps: at each down to `fine_below`; fine_steps: at each under it.
        epsilon: the step at sigma_min.
        overlap: what NCSNv2's rule for the number of levels says of this ladder.
        forecast: level by level.
        weight_error, variance_error: as asked for.
    """

    sigma_max: Choice
    sigma_min: Choice
    levels: Choice
    steps: Choice
    fine_steps: Choice
    fine_below: Choice
    epsilon: Choice
    overlap: Choice
    forecast: Forecast
    weight_error: float
    variance_error: float

    @property
    def choices(self) -> dict[str, Choice]:
        """Each number with its reason, by name."""
        return {f.name: value for f in fields(self) if isinstance(value := getattr(self, f.name), Choice)}

    def particles(self, settings: ParticleSettings | None = None) -> ParticleSettings:
        """The ladder as the samplers take it; what else there is to choose stays as in `settings`."""
        return replace(
            settings or ParticleSettings(),
            levels=int(self.levels.value),
            steps=int(self.steps.value),
            fine_steps=int(self.fine_steps.value),
            fine_below=self.fine_below.value,
            epsilon=self.epsilon.value,
            sigma_min=self.sigma_min.value,
            sigma_max=self.sigma_max.value,
            rungs=(),
        )


def smallest_ladder(
    density: Density | Prospect,
    sigma_min: float = ParticleSettings.sigma_min,
    sigma_max: float | None = None,
    weight_error: float = 0.02,
    variance_error: float = 0.1,
) -> SmallestLadder:
    """The fewest steps with which annealed Langevin dynamics on the true score keeps both errors, as predicted.

    Args:
        density: a density, or what is known of one already.
        sigma_min: the smallest noise level.
        sigma_max: the largest; None for the one that takes the fewest steps.
        weight_error: of the modes' shares, the largest |share - mass|, 0.001 to 0.5.
        variance_error: of the modes' variance (see `trainer.predictions`), 0.005 to 1.

    Raises:
        InputError: for numbers out of range, or if no ladder of up to 10,000 steps a level keeps the errors.
    """
    prospect = density if isinstance(density, Prospect) else Prospect(density)
    return finish(searching(prospect, sigma_min, sigma_max, weight_error, variance_error))


def searching(
    prospect: Prospect, sigma_min: float, sigma_max: float | None, weight_error: float, variance_error: float
) -> Generator[None, None, SmallestLadder]:
    """`smallest_ladder` in pieces of a few milliseconds, for a caller with other things to do; some seconds in all."""
    _check(sigma_min, sigma_max, weight_error, variance_error)
    allowed = weight_error - min(PRECISION, weight_error / 4)
    best, closest = None, math.inf
    bases: list[ParticleSettings] = []
    yield from prospect.measuring(sigma_min)
    for x in (part * _largest_step(variance_error) for part in _RELATIVE_STEPS):
        fine = yield from _fine(prospect, sigma_min, x, variance_error)
        if fine:
            bases += _bases(prospect, fine, sigma_min, sigma_max)
    if not bases:
        raise InputError(f"variance_error: no ladder tried comes below {variance_error:g}; ask for a larger error")
    for budget in _BUDGETS:
        for base in bases:
            least = _cost(best) if best else budget
            found, error = yield from _fewest(prospect, base, least, allowed, variance_error)
            best, closest = found or best, min(closest, error)
        if best:
            break
    if best is None:
        raise InputError(
            f"weight_error: no ladder tried comes below {weight_error:g}, the best is predicted at {closest:.3g}; ask "
            "for a larger error, or give another sigma_min or sigma_max"
        )
    return (yield from _explained(prospect, best, sigma_max, weight_error, variance_error))


def _check(sigma_min: float, sigma_max: float | None, weight_error: float, variance_error: float) -> None:
    number("sigma_min", sigma_min, SMALLEST, LARGEST / 2)
    if sigma_max is not None:
        number("sigma_max", sigma_max, 2 * sigma_min, LARGEST)
    number("weight_error", weight_error, 0.001, 0.5)
    number("variance_error", variance_error, 0.005, 1)


def _largest_step(variance_error: float) -> float:
    """The x at which endlessly many steps leave just this error, b - 1."""
    return 2 * variance_error / (1 + variance_error)


def _fine(
    prospect: Prospect, sigma_min: float, x: float, error: float
) -> Generator[None, None, ParticleSettings | None]:
    """The ladder down to sigma_min that settles the modes' width in the fewest steps, equal ones at each level."""
    span = max(_SETTLING, 4 * sigma_min) / sigma_min

    def ladder(levels: int, steps: int) -> ParticleSettings:
        epsilon = float(f"{2 * x * sigma_min**2:.4g}")
        return ParticleSettings(
            levels=levels,
            steps=steps,
            fine_steps=steps,
            epsilon=epsilon,
            sigma_min=sigma_min,
            sigma_max=span * sigma_min,
        )

    def keeps(levels: int, steps: int) -> bool:
        excess = prospect.excesses(noise_levels(ladder(levels, steps)))[-1]
        return abs(excess) <= 0.97 * error

    cheapest: ParticleSettings | None = None
    for steps in (4, 7, 12, 20, 35, 70, 150, 400):
        if not keeps(_MOST_LEVELS, steps):
            continue
        few, enough = 2, _MOST_LEVELS
        while enough - few > few // 16:
            middle = (few + enough) // 2
            if keeps(middle, steps):
                enough = middle
            else:
                few = middle + 1
            yield
        if cheapest is None or _cost(ladder(enough, steps)) < _cost(cheapest):
            cheapest = ladder(enough, steps)
    return cheapest


def _bases(
    prospect: Prospect, fine: ParticleSettings, sigma_min: float, sigma_max: float | None
) -> Iterator[ParticleSettings]:
    """Ladders to try, all with the steps of `fine`: each largest sigma with each sigma at which the many steps end."""
    log_ratio = math.log(fine.sigma_max / fine.sigma_min) / (fine.levels - 1)
    highest = max(min(prospect.diameter, LARGEST), 4 * sigma_min, 0.2)
    tops = [sigma_max] if sigma_max else _grid(max(0.2, 4 * sigma_min), highest)
    for top in tops:
        levels = min(1 + math.ceil(math.log(top / sigma_min) / log_ratio), 1000)
        base = replace(fine, levels=levels, sigma_max=top if sigma_max else float(f"{top:.3g}"))
        if len(prospect.modes.mass) == 1:
            yield replace(base, fine_below=0.99 * base.sigma_max)
            continue
        sigmas = [level.sigma for level in noise_levels(base)]
        ends = {min((s for s in sigmas if s >= end), default=top) for end in _grid(max(sigma_min, 0.1), max(top, 0.1))}
        yield from (replace(base, fine_below=float(f"{0.994 * end:.3g}")) for end in sorted(ends))


def _grid(low: float, high: float) -> list[float]:
    count = max(1, math.ceil(math.log(high / low) / math.log(_RATIO)))
    return [low * (high / low) ** (k / count) for k in range(count + 1)]


def _fewest(
    prospect: Prospect, base: ParticleSettings, least: int, weight_error: float, variance_error: float
) -> Generator[None, None, tuple[ParticleSettings | None, float]]:
    """`base` with the fewest `steps` that keep both errors in under `least` steps; and its weight error."""
    many = sum(level.sigma >= base.fine_below for level in noise_levels(base))
    spare = least - 1 - base.fine_steps * (base.levels - many)
    high = min(spare // many, _MOST_STEPS)
    if high < base.fine_steps:
        return None, math.inf
    forecast = yield from predicting(prospect, replace(base, steps=high))
    if forecast.weight_error > weight_error or forecast.variance_error > variance_error:
        return None, forecast.weight_error if forecast.variance_error <= variance_error else math.inf
    low, error = base.fine_steps, forecast.weight_error
    while high > low * 1.04 and high > low:
        middle = int(math.sqrt(low * high))
        forecast = yield from predicting(prospect, replace(base, steps=middle))
        if forecast.weight_error <= weight_error and forecast.variance_error <= variance_error:
            high, error = middle, forecast.weight_error
        else:
            low = middle + 1
    return replace(base, steps=high), error


def _cost(settings: ParticleSettings) -> int:
    return sum(level.steps for level in noise_levels(settings))


# --- why --------------------------------------------------------------------------------------------------------


def _explained(
    prospect: Prospect, found: ParticleSettings, given: float | None, weight_error: float, variance_error: float
) -> Generator[None, None, SmallestLadder]:
    """The ladder with a sentence for each number."""
    forecast = yield from predicting(prospect, found)
    levels = noise_levels(found)
    many = [level for level in levels if level.sigma >= found.fine_below]
    ratio = (found.sigma_max / found.sigma_min) ** (1 / (found.levels - 1))
    x = found.epsilon / (2 * found.sigma_min**2)
    overlap = level_overlap(ratio, 2)
    at_top = f"{sum(level.steps for level in many):,} of {forecast.steps:,} steps"
    one = len(prospect.modes.mass) == 1
    top = f"sigma = {found.sigma_max:.3g}"
    if one:
        why_top = f"{top} is enough: there is one mode, and no weight has to flow."
    elif given:
        why_top = f"{top}, as asked for."
    else:
        lower = replace(found, sigma_max=max(found.sigma_max / _RATIO, 1.01 * found.sigma_min))
        below = yield from predicting(prospect, lower)
        why_top = (
            f"{top}: particles start evenly on the square, and weight crosses gaps while sigma is large. From "
            f"{lower.sigma_max:.3g} with the same steps a level, the weights would be {below.weight_error:.3g} off"
        )
        enough = below.weight_error <= weight_error
        why_top += "; the other steps would have to be more." if enough else f", above {weight_error:g}."
    freezes = "" if not math.isfinite(forecast.freezes_at) else f"; below {forecast.freezes_at:.3g} none flows at all"
    return SmallestLadder(
        sigma_max=Choice(found.sigma_max, why_top),
        sigma_min=Choice(found.sigma_min, f"{found.sigma_min:.3g} is the noise level that the samples should end at."),
        levels=Choice(
            found.levels,
            f"{found.levels} levels, each {ratio:.3g} times the next: with {_number_of(found.fine_steps)} at each the "
            f"variance ends {100 * forecast.variance_error:.2g} % off, where {100 * variance_error:.3g} % are allowed.",
        ),
        steps=Choice(
            found.steps,
            f"{_number_of(found.steps)} at each level down to {found.fine_below:.3g}: {at_top} go where weight still "
            f"flows between modes. The shares end {forecast.weight_error:.2g} off, where {weight_error:g} is allowed.",
        ),
        fine_steps=Choice(
            found.fine_steps,
            f"{_number_of(found.fine_steps)} at each level under that settle the width of each mode{freezes}.",
        ),
        fine_below=Choice(
            found.fine_below,
            f"{found.fine_below:.3g} is where the many steps end: of those tried, the sigma with the fewest in all.",
        ),
        epsilon=Choice(
            found.epsilon,
            f"{found.epsilon:.3g}, which is {2 * x:.3g} sigma^2 at every level: larger steps would move weight "
            f"faster, but even endlessly many of this size leave the noise's variance {100 * (inflation(x) - 1):.2g} % "
            "too large.",
        ),
        overlap=Choice(
            overlap,
            f"{100 * overlap:.2f} % of a level's samples lie at radii that the next level has too; in two dimensions "
            "any ratio gives over 99.7 %, so the rule that asks for 50 % (NCSNv2; Song & Ermon 2020, Technique 2) says "
            "nothing about this ladder.",
        ),
        forecast=forecast,
        weight_error=weight_error,
        variance_error=variance_error,
    )


def _number_of(steps: int) -> str:
    return f"{steps:,} step" if steps == 1 else f"{steps:,} steps"
