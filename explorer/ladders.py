"""A ladder of noise levels under a person's hands: edits that keep it one, and what the engine says of it.

Edits take and return a tuple of `Rung`s, largest sigma first, and never let two of them meet or pass. A level that
moves along sigma keeps its step relative to sigma^2, so that what was stable stays so. Nothing here knows Qt or torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from trainer.settings import ParticleSettings, Rung

Rungs = tuple[Rung, ...]

LOWEST, HIGHEST = 1e-3, 10.0
"""Noise levels that the samplers take."""
MOST_STEPS = 10_000
MOST_RUNGS = 1000
_APART = 1.01
"""The least ratio of neighbouring noise levels."""


@dataclass(frozen=True)
class PredictLadder:
    """Please predict what these settings' ladder will do; or find the smallest one that keeps both errors.

    Attributes:
        settings: of the particles; their sigma_min is what a ladder that is found ends at.
        number: of the question; the answer carries it.
        weight_error, variance_error: to find a ladder for; None for the prediction alone.
    """

    settings: ParticleSettings
    number: int = 0
    weight_error: float | None = None
    variance_error: float | None = None


@dataclass(frozen=True)
class Outlook:
    """What is predicted of one level: "stable", "overshoots" or "diverges", its relative step x, its words."""

    sigma: float
    verdict: str
    x: float
    reason: str = ""


@dataclass(frozen=True)
class LadderPredicted:
    """The answer to `PredictLadder`.

    Attributes:
        number: of the question.
        levels: each level's outlook, largest sigma first.
        steps: in all.
        variance_error, weight_error: at the end; NaN where the ladder diverges.
        freezes_at: the smallest sigma at which weight still flows between modes; infinite for none.
        found: the ladder that was looked for; empty where none was, or none keeps the errors.
        reasons: why it is as it is, one sentence each.
        problem: one line where the question could not be answered.
    """

    number: int
    levels: tuple[Outlook, ...] = ()
    steps: int = 0
    variance_error: float = math.nan
    weight_error: float = math.nan
    freezes_at: float = math.inf
    found: Rungs = ()
    reasons: tuple[str, ...] = ()
    problem: str = ""


def rungs_of(settings: ParticleSettings) -> Rungs:
    """The ladder of the settings level by level: the person's own, or the geometric one of their fields."""
    if settings.rungs:
        return settings.rungs
    last = settings.levels - 1
    ratio = settings.sigma_min / settings.sigma_max
    rungs = []
    for level in range(settings.levels):
        sigma = settings.sigma_min if level == last else settings.sigma_max * ratio ** (level / max(last, 1))
        steps = settings.steps if sigma >= settings.fine_below else settings.fine_steps
        rungs.append(Rung(sigma, steps, _epsilon(settings.epsilon * (sigma / settings.sigma_min) ** 2)))
    return tuple({rung.sigma: rung for rung in rungs}.values())


def with_sigma(rungs: Rungs, index: int, sigma: float) -> Rungs:
    """Level `index` moved to `sigma`, held between its neighbours; its epsilon keeps its ratio to sigma^2."""
    high = rungs[index - 1].sigma / _APART if index else HIGHEST
    low = rungs[index + 1].sigma * _APART if index + 1 < len(rungs) else LOWEST
    if not low <= high:
        return rungs
    rung = rungs[index]
    sigma = min(max(sigma, low), high)
    return _with(rungs, index, Rung(sigma, rung.steps, _epsilon(rung.epsilon * (sigma / rung.sigma) ** 2)))


def with_steps(rungs: Rungs, index: int, steps: float) -> Rungs:
    """Level `index` with so many steps, rounded and held to 1 .. 10,000."""
    return _with(rungs, index, replace(rungs[index], steps=min(max(round(steps), 1), MOST_STEPS)))


def with_epsilon(rungs: Rungs, index: int, epsilon: float) -> Rungs:
    """Level `index` with this step size, held to what the samplers take."""
    return _with(rungs, index, replace(rungs[index], epsilon=_epsilon(epsilon)))


def relative_step(rung: Rung) -> float:
    """A level's step h in units of the noise's variance, epsilon / (2 sigma^2); above 1 it overshoots."""
    return rung.epsilon / (2 * rung.sigma**2)


def added(rungs: Rungs, sigma: float) -> tuple[Rungs, int]:
    """The ladder with a level at `sigma`, its steps and relative step like its neighbour's; and that level's index.

    Where a level stands there already, or there is no room, the ladder is as before and the index is the nearest one's.
    """
    sigma = min(max(sigma, LOWEST), HIGHEST)
    near = min(range(len(rungs)), key=lambda i: abs(math.log(rungs[i].sigma / sigma)))
    close = max(rungs[near].sigma / sigma, sigma / rungs[near].sigma)
    if close < _APART or len(rungs) >= MOST_RUNGS:
        return rungs, near
    like = rungs[near]
    rung = Rung(sigma, like.steps, _epsilon(like.epsilon * (sigma / like.sigma) ** 2))
    ladder = tuple(sorted((*rungs, rung), key=lambda each: -each.sigma))
    return ladder, ladder.index(rung)


def between(rungs: Rungs, index: int) -> float:
    """A sigma half way, on the logarithmic axis, from level `index` to the next smaller one, or beyond the last."""
    if index + 1 < len(rungs):
        return math.sqrt(rungs[index].sigma * rungs[index + 1].sigma)
    return rungs[index].sigma / 1.5


def removed(rungs: Rungs, index: int) -> Rungs:
    """The ladder without level `index`; the only level stays."""
    return rungs[:index] + rungs[index + 1 :] if len(rungs) > 1 else rungs


def _with(rungs: Rungs, index: int, rung: Rung) -> Rungs:
    return (*rungs[:index], rung, *rungs[index + 1 :])


def _epsilon(value: float) -> float:
    return min(max(value, 1e-12), 1000.0)
