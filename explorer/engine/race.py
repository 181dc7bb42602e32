"""Several ways to learn one density, side by side: same seed, same draws, same noise, only the settings differ.

Every entrant is a `trainer.fit.Fit` of its own. Draws and noise come from a stream that no objective touches
(`trainer.batches`), so that at its k-th turn every entrant sees the same batch x = x0 + sigma z, bit for bit. Entrants
with pooled targets see the same x0 and z too, but spread their points wider and move them to lattice nodes
(`trainer.tasks`): theirs are not the same x.

**Turns.** Aligned by steps, the entrant with the fewest turns goes next, so that none is ever more than one ahead;
aligned by seconds, the one that has computed for the least time. A step that had to be undone is a turn as well. One
that cannot be trained stands still with a line that says why, and the others go on. By steps, what every entrant has
learned at a step does not depend on the clock.

**Measured** at fixed turns of each entrant, on its weights as they were then: the relative Fisher error, over the same
points for all; the scatter of its gradient over fresh batches (`trainer.metrics.gradient_variance`); and the floor of
its loss (`trainer.objectives.floor_samples`), whose mean grows firmer with every measurement.

Gradients are compared at common weights, where expected gradients agree up to the weights lambda(sigma): those of the
entrant whose objective has the noisiest targets, since at the weights of one that has all but arrived there is no
signal left to hold the noise against. An entrant with another network or parameterisation is measured at its own.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from explorer.engine.frames import Array, Race, Racer
from explorer.engine.history import ErrorHistory, LossHistory, next_measurement
from explorer.engine.measuring import ErrorProbes
from trainer.densities import Density
from trainer.errors import InputError, TrainingError
from trainer.fit import Fit
from trainer.models import ScoreModel
from trainer.objectives import Batch, floor_samples, level_weights
from trainer.plans import RaceSettings, names
from trainer.settings import FitSettings

GRADIENTS = 24
"""Fresh batches that a gradient's variance and a floor rest on, each time they are measured."""

LATELY = 1.0
"""Seconds of its own that an entrant's milliseconds per step are the mean over."""


_CALM = ("ssm", "hutchinson", "ssm_vr", "ism", "ddpm", "single", "control_variate", "reference", "pooled", "esm")
"""Objectives, and targets of denoising, by the noise of their gradients, the noisiest first."""


class RaceRun:
    """Two to five entrants at work on one density.

    Attributes:
        settings: who races, and how they are aligned.
        notices: lines on steps that had to be undone, oldest first; the caller takes them away.
    """

    def __init__(self, settings: RaceSettings, density: Density, seed: int, device: str = "auto") -> None:
        self.settings = settings
        self.density = density
        self.seed = seed
        self.notices: deque[str] = deque(maxlen=32)
        self._device = device
        self._entrants = [
            _Entrant(name, each) for name, each in zip(names(settings.entrants), settings.entrants, strict=True)
        ]
        self._jobs: deque[Iterator[None]] = deque()
        self._probes = ErrorProbes()
        self._shown: tuple[object, ...] = ()
        self._next_shown = 0

    def configure(self, settings: RaceSettings) -> bool:
        """Go on with these settings; False, and nothing done, if that takes another race."""
        if settings.entrants != self.settings.entrants:
            return False
        self.settings = settings
        return True

    @property
    def fits(self) -> tuple[Fit | None, ...]:
        """What each entrant trains; None before its first turn, and for one that cannot be trained at all."""
        return tuple(each.fit for each in self._entrants)

    def change_density(self, density: Density) -> None:
        """Learn this density from now on, with the weights that there are; what was measured of them stays.

        Aligned by steps, the round is finished first, so that all go on with the same batches. Aligned by seconds they
        have come to different places in the stream of draws, and batches are their own from here on.
        """
        able = [each for each in self._entrants if each.able]
        most = max((each.turns for each in able), default=0)
        for each in able:
            if each.turns == most - 1:
                self._turn(each)
        self.density = density
        self._probes = ErrorProbes()
        self._jobs.clear()
        self._shown = ()
        for each in self._entrants:
            each.change_density(density)

    # --- time ---------------------------------------------------------------------------------------------

    def advance(self, deadline: float = math.inf, turns: int | None = None) -> int:
        """Give turns until the deadline (of `perf_counter`) passes, or so many have been taken; returns how many.

        One of the two must be given. At least one turn is taken if anybody can take one.
        """
        taken = 0
        while turns is None or taken < turns:
            able = [each for each in self._entrants if each.able]
            if not able:
                break
            by_steps = self.settings.aligned == "steps"
            self._turn(min(able, key=lambda each: each.turns if by_steps else each.seconds))
            taken += 1
            if perf_counter() > deadline:
                break
        return taken

    def _turn(self, entrant: _Entrant) -> None:
        """One step of one entrant; its first turn makes its network."""
        notice = entrant.step(self.density, self._device, self.seed)
        if notice:
            self.notices.append(f"{entrant.name}: {notice}")
        fit = entrant.fit
        if fit is None or entrant.turns != entrant.measure_at:
            return
        entrant.measure_at = entrant.edited_at + next_measurement(entrant.turns - entrant.edited_at)
        self._jobs.append(self._errors(entrant, fit.step, fit.seconds, fit.snapshot()))
        estimates = islice(fit.estimates(self._common(entrant)), GRADIENTS)
        self._jobs.append(entrant.gradients(self.density, next(estimates), estimates))

    def _common(self, entrant: _Entrant) -> Tensor:
        """The weights at which this entrant's gradient is measured."""
        alike = [each for each in self._entrants if each.fit is not None and each.learner == entrant.learner]
        noisiest = min(alike, key=lambda each: _CALM.index(each.kind)).fit
        assert noisiest is not None
        return noisiest.weights.clone()

    def measure(self, deadline: float | None = None) -> bool:
        """Work on what is due, a piece at a time; True when nothing is left to do."""
        while self._jobs:
            for _ in self._jobs[0]:
                if deadline is not None and perf_counter() > deadline:
                    return False
            self._jobs.popleft()
        return True

    @property
    def measuring(self) -> bool:
        """Whether anything is due that has not been measured yet."""
        return bool(self._jobs)

    def _errors(self, entrant: _Entrant, step: int, seconds: float, model: ScoreModel) -> Iterator[None]:
        """Measure the errors of the weights as they were at `step`, and note them all at once."""
        found = yield from self._probes.measure(model, self.density)
        for level, error in found.items():
            entrant.errors.add(step, seconds, level, error)

    # --- frames -------------------------------------------------------------------------------------------

    def part(self, points: Tensor, sigma: float, running: bool, *, due: bool = True, fresh: bool = False) -> Race:
        """The race as it is now.

        Args:
            points: the lattice on which the fields are shown, (n * n, 2), row by row from the bottom.
            sigma: their noise level; the nearest one that is learned is taken.
            running: whether the race runs, which is the caller's to say.
            due: whether another field may be taken, which costs a millisecond.
            fresh: take every field anew. Otherwise, while points and sigma stay, one entrant's at a time: a field is
                then as many calls old as there are entrants, at most.
        """
        able = [each for each in self._entrants if each.fit is not None]
        for each in able:
            sigma = min(max(sigma, each.known[0]), each.known[1])
        side = math.isqrt(len(points))
        key = (sigma, side, *points[0].tolist(), *points[-1].tolist())
        if fresh or key != self._shown:
            self._shown = key
            for each in self._entrants:
                each.show(points, sigma, side)
        elif able and due:
            able[self._next_shown % len(able)].show(points, sigma, side)
            self._next_shown += 1
        return Race(self.settings.aligned, running, sigma, tuple(each.part() for each in self._entrants))


class _Entrant:
    """One way to learn, and what is known of it."""

    def __init__(self, name: str, settings: FitSettings) -> None:
        self.name, self.settings = name, settings
        self.fit: Fit | None = None
        self.note = ""
        self.turns, self.edited_at, self.measure_at = 0, 0, next_measurement(0)
        self.losses, self.errors = LossHistory(), ErrorHistory()
        self._lately: deque[tuple[float, int]] = deque([(0.0, 0)])
        self._floors: list[float] = []
        self._variance = np.zeros(0, np.float32)
        self._learned = np.zeros((0, 0, 2), np.float32)

    @property
    def able(self) -> bool:
        """Whether it can take a turn."""
        return not self.note

    @property
    def kind(self) -> str:
        """Its objective, or the target of denoising."""
        return self.settings.target if self.settings.objective == "dsm" else self.settings.objective

    @property
    def learner(self) -> tuple[object, ...]:
        """What it has in common with those whose weights mean the same."""
        return self.settings.network, self.settings.parameterisation

    @property
    def seconds(self) -> float:
        """What its steps have taken."""
        return self.fit.seconds if self.fit else 0.0

    @property
    def known(self) -> tuple[float, float]:
        """The smallest and the largest noise level that it learns."""
        assert self.fit is not None
        return self.fit.sigma_min, self.fit.sigma_max

    def step(self, density: Density, device: str, seed: int) -> str:
        """Take one step; a line if it had to be undone. One that cannot be taken is told by `note`."""
        try:
            if self.fit is None:
                self.fit = Fit(density, self.settings, device, seed)
            progress = self.fit.step_once()
        except (InputError, TrainingError) as error:
            self.note = str(error)
            return ""
        self.turns += 1
        if math.isfinite(progress.loss) and not progress.notice:
            self.losses.add(progress.step, progress.seconds, progress.loss)
        self._lately.append((progress.seconds, self.turns))
        while progress.seconds - self._lately[0][0] > LATELY and len(self._lately) > 2:
            self._lately.popleft()
        return progress.notice

    def change_density(self, density: Density) -> None:
        """Learn this one from now on; if it cannot, it stands still."""
        if self.fit is None:
            return
        self.edited_at, self.measure_at = self.turns, self.turns + next_measurement(0)
        self._floors, self._variance = [], np.zeros(0, np.float32)
        try:
            self.fit.change_density(density)
        except InputError as error:
            self.note = str(error)

    def gradients(
        self,
        density: Density,
        first: tuple[Batch, Tensor, Tensor],
        others: Iterator[tuple[Batch, Tensor, Tensor]],
    ) -> Iterator[None]:
        """Measure the scatter of the gradient and the floor of the loss, a batch at a time."""
        fit = self.fit
        assert fit is not None
        scale = fit.network.conditioning.scale
        sampled = self.kind not in ("esm", "pooled", "reference")
        mean, scatter, count = torch.zeros((), dtype=torch.float64), 0.0, 0
        estimate: tuple[Batch, Tensor, Tensor] | None = first
        while estimate is not None:
            batch, _, gradient = estimate
            count += 1
            sample = gradient.detach().double()
            away = sample - mean.to(sample.device)  # Welford 1962, as in trainer.metrics
            mean = mean.to(sample.device) + away / count
            scatter += float((away * (sample - mean)).sum())
            if sampled:
                exact = density.score(batch.x, batch.sigma, kernel=batch.kernel)
                floor = floor_samples(self.settings, replace(batch, exact=exact))
                assert floor is not None
                weight = level_weights(self.settings.weighting, batch.sigma, scale)
                self._floors.append(float((weight.to(floor) * floor).mean()))
            yield
            estimate = next(others, None)
        variance = scatter / (count - 1)
        signal = float(mean.square().sum()) - variance / count
        seen = signal > 0 and math.isfinite(variance)
        self._variance = np.array([variance / signal] if seen else [], np.float32)

    @property
    def floor(self) -> Array:
        """The least that its loss can be on average, (1,), or (0,) while that is not known."""
        if self.settings.objective == "esm" or (self.settings.pooled and self.fit is not None and self.fit.pool.filled):
            return np.zeros(1, np.float32)
        return np.array([np.mean(self._floors)] if self._floors else [], np.float32)

    def show(self, points: Tensor, sigma: float, side: int) -> None:
        """Take its field on these points."""
        fit = self.fit
        if fit is None:
            return
        with torch.no_grad():
            learned = fit.score(points.to(fit.device, torch.float32), sigma)
        self._learned = np.nan_to_num(learned.reshape(side, side, 2).to("cpu", torch.float32).numpy())

    def part(self) -> Racer:
        """What a frame says of it."""
        steps, seconds, losses = self.losses.arrays()
        error_steps, error_seconds, errors = self.errors.arrays()
        (began, before), (now, after) = self._lately[0], self._lately[-1]
        return Racer(
            label=self.name,
            step=self.fit.step if self.fit else 0,
            seconds=self.seconds,
            milliseconds=1000 * (now - began) / (after - before) if after > before else 0.0,
            learned=self._learned,
            curve_steps=steps,
            curve_seconds=seconds,
            curve_loss=losses,
            floor=self.floor,
            error_steps=error_steps,
            error_seconds=error_seconds,
            errors=errors,
            variance=self._variance,
            note=self.note,
        )
