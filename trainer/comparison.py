r"""Objectives side by side: one density, one seed, one network, the same x ~ p_sigma; only what is minimised differs.

Two questions have different answers. *At equal steps*: which objective learns more from as many points? *At equal
seconds*: which learns more in the same time, a step of one costing several of another? The clock counts all from the
density to the weights, first draws and tables too; only the measuring is left out.

Each row holds

* the objective's **own loss**, the mean of lambda(sigma) times it, and its **floor**, the least that any learner can
  reach (`trainer.objectives`), over the same fresh batches: what lies between the two is what learning can remove;
* the **relative Fisher error** per noise level and its geometric mean (`trainer.metrics`): the same measure for all;
* the **gradient variance** over fresh batches at *common* weights: those of the first row at equal steps. Expected
  gradients agree there (their weights lambda being the same), so that the variance alone tells the objectives apart;
  but for pooled targets, whose loss is robust and whose points are spread wider (`trainer.tasks`): the same minimum by
  another gradient.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from statistics import fmean, geometric_mean, stdev
from typing import cast

from torch import Tensor

from trainer.densities import Density
from trainer.errors import InputError
from trainer.fit import Fit
from trainer.learned import LearnedScore
from trainer.metrics import GradientVariance, fisher_errors, gradient_variance
from trainer.models import ScoreModel
from trainer.objectives import Batch, floor_samples, level_weights
from trainer.settings import FitSettings

SIGMAS = (0.02, 0.05, 0.1, 0.3, 1.0)
"""The noise levels at which errors are reported, where they were learned."""
POINTS = 16_384
"""Points that losses, floors and errors are the mean over."""
GRADIENTS = 64
_WARM_UP = 64
"""Batches that a control variate fits its coefficient to before anything is measured."""


@dataclass(frozen=True)
class OwnLoss:
    """An objective's own loss, weighted by lambda(sigma), as a mean over batches.

    Attributes:
        value: the loss; floor: the least possible, None where that is not known.
        error: one standard error of value - floor, which lie over the same points; of value where no floor is known.
    """

    value: float
    floor: float | None
    error: float

    @property
    def above(self) -> float | None:
        """How far the loss is above its floor: what learning can remove yet."""
        return None if self.floor is None else self.value - self.floor


@dataclass(frozen=True)
class Standing:
    """Where a run stands.

    Attributes:
        step, seconds: how far it has come.
        loss: its own.
        errors: the relative Fisher error by noise level.
    """

    step: int
    seconds: float
    loss: OwnLoss
    errors: Mapping[float, float]

    @property
    def mean_error(self) -> float:
        """The geometric mean of the errors."""
        return geometric_mean(self.errors.values())


@dataclass(frozen=True)
class Row:
    """One objective in a comparison.

    Attributes:
        name: as the caller calls it; settings: what it was.
        at_steps, at_seconds: where it stood after as many steps, and after as many seconds, as all others.
        milliseconds: per step.
        gradient: its variance at the common weights; None if the network is not the first row's.
    """

    name: str
    settings: FitSettings
    at_steps: Standing
    at_seconds: Standing
    milliseconds: float
    gradient: GradientVariance | None


def compare(
    density: Density,
    settings: Mapping[str, FitSettings],
    *,
    seconds: float = 3.0,
    steps: int | None = None,
    seed: int = 0,
    device: str = "auto",
    points: int = POINTS,
    gradients: int = GRADIENTS,
    watch: Callable[[str, float], None] = lambda name, seconds: None,
) -> list[Row]:
    """Train each of these settings on the density and hold them side by side, in the order given.

    Args:
        density: what is learned, and what is true.
        settings: name -> settings.
        seconds: how long each trains.
        steps: where they are compared at equal steps, which each takes however long that lasts; None for the largest of
            1, 2, 5, 10, 20, 50 ... that all take in time.
        seed: of all randomness, the same for all.
        device: what computes.
        points: how many points losses, floors and errors are the mean over.
        gradients: how many batches the gradient variance rests on.
        watch: called with the name and the seconds that its run has taken, at every step.

    Raises:
        InputError: no settings, or settings that this density cannot be trained with.
        TrainingError: a run that keeps failing.
    """
    if not settings:
        raise InputError("settings: none were given; name at least one objective")
    runs, ends = {}, {}
    for name, each in settings.items():
        runs[name] = _Run(density, each, seed, device)
        ends[name] = runs[name].train(seconds, steps, partial(watch, name))
    equal = steps or max(set.intersection(*(set(run.moments) for run in runs.values())))
    sigmas = known_sigmas([run.fit for run in runs.values()])
    first = next(iter(runs.values()))
    common = first.moments[equal].learned.weights
    rows = []
    for name, run in runs.items():
        comparable = run.fit.network.shapes == first.fit.network.shapes
        rows.append(
            Row(
                name,
                run.fit.settings,
                run.standing(run.moments[equal], sigmas, points),
                run.standing(ends[name], sigmas, points),
                1000 * run.fit.seconds / run.fit.step,
                run.gradient(common, gradients) if comparable else None,
            )
        )
    return rows


def known_sigmas(models: Sequence[ScoreModel], sigmas: Sequence[float] = SIGMAS) -> tuple[float, ...]:
    """Those of `sigmas` that all models have learned; if there is none, the largest of their smallest levels."""
    low, high = max(m.sigma_min for m in models), min(m.sigma_max for m in models)
    return tuple(s for s in sigmas if low * (1 - 1e-6) <= s <= high * (1 + 1e-6)) or (low,)


def own_loss(fit: Fit, weights: Tensor, batches: int) -> OwnLoss:
    """The loss of a run's objective at these weights, (parameters,), over so many fresh batches of its own, 2 or more.

    The run's density must know its score.
    """
    density, scale = cast("Density", fit.density), fit.network.conditioning.scale
    known = not fit.settings.pooled or fit.pool.filled  # until then one-draw targets fill in, which have a floor
    losses, floors = [], []
    for batch, loss, _ in islice(_estimates(fit, weights), batches):
        exact = density.score(batch.x, batch.sigma, kernel=batch.kernel)
        floor = floor_samples(fit.settings, replace(batch, exact=exact))
        losses.append(float(loss))
        if known and floor is not None:
            floors.append(float((level_weights(fit.settings.weighting, batch.sigma, scale) * floor).mean()))
    excess = [loss - floor for loss, floor in zip(losses, floors, strict=True)] if floors else losses
    return OwnLoss(fmean(losses), fmean(floors) if floors else None, stdev(excess) / len(excess) ** 0.5)


def _estimates(fit: Fit, weights: Tensor) -> Iterator[tuple[Batch, Tensor, Tensor]]:
    """`Fit.estimates`, with everything fitted that an objective fits as it goes."""
    fits = fit.settings.objective == "dsm" and fit.settings.target == "control_variate"
    return islice(fit.estimates(weights), _WARM_UP if fits else 0, None)


@dataclass(frozen=True)
class _Moment:
    """A run at one step."""

    step: int
    seconds: float
    learned: LearnedScore


class _Run:
    """One run, and the moments of it that may be compared: round numbers of steps, or the one asked for, and the end.

    Its clock counts all from the density to the weights, and none of the measuring.
    """

    def __init__(self, density: Density, settings: FitSettings, seed: int, device: str) -> None:
        began = time.perf_counter()
        self.fit = Fit(density, settings, device, seed)
        self._ready = time.perf_counter() - began
        self.density, self.seed = density, seed
        self.moments: dict[int, _Moment] = {}

    def train(self, seconds: float, steps: int | None, watch: Callable[[float], None]) -> _Moment:
        """Train for so many seconds, and to so many steps; the moment at which the seconds were over."""
        end = None
        while end is None or self.fit.step < (steps or 0):
            self.fit.step_once()
            step, passed = self.fit.step, self._ready + self.fit.seconds
            watch(passed)
            if step == steps or (steps is None and str(step).rstrip("0") in ("1", "2", "5")):
                self.moments[step] = _Moment(step, passed, self.fit.snapshot())
            if end is None and passed >= seconds:
                end = _Moment(step, passed, self.fit.snapshot())
        return end

    def standing(self, moment: _Moment, sigmas: Sequence[float], points: int) -> Standing:
        """Measure the learner of that moment."""
        loss = own_loss(self.fit, moment.learned.weights, max(2, points // self.fit.settings.batch))
        errors = fisher_errors(moment.learned, self.density, sigmas, points, self.seed)
        return Standing(moment.step, moment.seconds, loss, {e.sigma: e.relative for e in errors})

    def gradient(self, weights: Tensor, batches: int) -> GradientVariance:
        """The variance of the objective's gradient at these weights."""
        estimates = _estimates(self.fit, weights)
        return gradient_variance(lambda _: next(estimates)[2], batches)
