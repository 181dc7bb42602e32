"""What is measured of the main run: the relative Fisher errors at step numbers, and the floor of its own loss.

Measurements are due at steps that grow geometrically after an edit; the work goes in pieces, on the weights as they
were at that step, so that what is measured does not depend on when there was time for it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import replace
from itertools import islice
from time import perf_counter

import numpy as np

from explorer.engine.history import ErrorHistory, next_measurement
from explorer.engine.messages import ERROR_SIGMAS, Array
from trainer.densities import Density, PaintedDensity
from trainer.fit import Fit
from trainer.kernels import Kernel
from trainer.metrics import FisherProbe
from trainer.models import ScoreModel
from trainer.objectives import floor_samples, level_weights

_FLOOR_BATCHES = 8
"""Fresh batches that the floor rests on, each time it is measured."""


class ErrorProbes:
    """The relative Fisher error at each of `ERROR_SIGMAS`, on points of one density that are drawn once."""

    def __init__(self) -> None:
        self._probes: dict[tuple[float, Kernel], FisherProbe] = {}

    def measure(self, model: ScoreModel, density: Density) -> Generator[None, None, dict[int, float]]:
        """Measure a model where it knows the noise level, in pieces; finite errors by the level's index."""
        found = {}
        for level, sigma in enumerate(ERROR_SIGMAS):
            if model.sigma_min * (1 - 1e-6) <= sigma <= model.sigma_max * (1 + 1e-6):
                key = sigma, model.kernel
                if key not in self._probes:
                    self._probes[key] = FisherProbe(density, sigma, kernel=model.kernel)
                error = yield from self._probes[key].measure(model)
                if math.isfinite(error):
                    found[level] = error
        return found


class Measurements:
    """The errors of one run on one density after another."""

    def __init__(self) -> None:
        self.history = ErrorHistory()
        self._edited_at, self._due = 0, next_measurement(0)
        self._jobs: deque[Iterator[None]] = deque()
        self._probes = ErrorProbes()
        self._floors: list[float] = []
        self.latest: dict[int, float] = {}
        """The relative Fisher error at each of `ERROR_SIGMAS`, by its index, as last measured."""

    def begin_run(self, step: int) -> None:
        """Forget everything: a fresh network has been drawn."""
        self.history = ErrorHistory()
        self.restart(step)

    def change_density(self, step: int) -> None:
        """Measure against another density from this step on."""
        self._probes = ErrorProbes()
        self.restart(step)

    def restart(self, step: int) -> None:
        """Count what is due from this step, at which something was edited."""
        self._edited_at, self._due = step, step + next_measurement(0)
        self._jobs.clear()
        self._floors = []
        self.latest = {}

    def take_step(self, fit: Fit, density: PaintedDensity, step: int, seconds: float) -> None:
        """Note that this training step was taken; what is due is queued."""
        if step == self._due:
            self._due = self._edited_at + next_measurement(step - self._edited_at)
            self._jobs.append(self._errors(density, step, seconds, fit.snapshot()))
            if not fit.settings.pooled and fit.settings.objective != "esm":
                self._jobs.append(self._floor(fit, density))

    @property
    def busy(self) -> bool:
        """Whether anything is due that has not been measured yet."""
        return bool(self._jobs)

    def measure(self, deadline: float | None = None) -> bool:
        """Work on what is due, a piece at a time; True when nothing is left to do."""
        while self._jobs:
            for _ in self._jobs[0]:
                if deadline is not None and perf_counter() > deadline:
                    return False
            self._jobs.popleft()
        return True

    def _errors(self, density: PaintedDensity, step: int, seconds: float, model: ScoreModel) -> Iterator[None]:
        """Measure the errors of the weights as they were at `step`, and note them all at once."""
        self.latest = yield from self._probes.measure(model, density)
        for level, error in self.latest.items():
            self.history.add(step, seconds, level, error)

    def _floor(self, fit: Fit, density: PaintedDensity) -> Iterator[None]:
        """The least that the objective's loss can be on average, over fresh batches of its own."""
        scale = fit.network.conditioning.scale
        for batch, _, _ in islice(fit.estimates(), _FLOOR_BATCHES):
            exact = density.score(batch.x, batch.sigma, kernel=batch.kernel)
            floor = floor_samples(fit.settings, replace(batch, exact=exact))
            if floor is None:
                return
            self._floors.append(float((level_weights(fit.settings.weighting, batch.sigma, scale) * floor).mean()))
            yield

    def floor(self, fit: Fit) -> Array:
        """The floor of the run's own loss, (1,), or (0,) while it is not known."""
        if fit.settings.objective == "esm" or (fit.settings.pooled and fit.pool.filled):
            return np.zeros(1, np.float32)
        return np.array([np.mean(self._floors)] if self._floors else [], np.float32)
