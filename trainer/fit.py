"""The training loop: a generator that a window drives as easily as a script.

    fit = Fit(load_density("two-moons"))
    for progress in fit.run(seconds=10):
        print(progress.step, progress.loss)
    fit.score(x, sigma=0.1)

One step takes a batch of noisy points (`trainer.batches`), the gradient of the objective there (`trainer.tasks`) and an
Adam step (`trainer.optimiser`). Which objective, parameterisation, kernel or schedule it is, the loop does not know.

The pool grows and its tables are renewed a little with each step, by the step's number, never by the clock: the same
density, settings, seed, processor and threads give the same weights to the last bit (a GPU may add in any order).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from trainer.batches import Points, Streams
from trainer.devices import choose_device, device_label
from trainer.graphs import GraphedStep
from trainer.kernels import Kernel, kernel_named
from trainer.learned import LearnedScore
from trainer.networks import ScoreNetwork
from trainer.noise import mix
from trainer.objectives import Batch
from trainer.optimiser import Optimiser
from trainer.parameterisations import Preconditioning
from trainer.pool import FIRST, Drawable, Pool, span
from trainer.progress import Progress
from trainer.schedules import largest_distance
from trainer.settings import FitSettings
from trainer.states import fill, not_a_state, pack, unpack
from trainer.tasks import Regression, make_task

__all__ = ["Fit", "FitSettings", "Progress"]

RUSH, DRAWS = 64, 16_384
"""For the first RUSH steps on a density each step adds DRAWS to the pool; afterwards each block does."""
GOOD_EVERY = 64
WATCH_EVERY = 32
"""On a device that computes ahead, losses are looked at every so many steps: looking makes it wait."""
LEAST_SCALE = 1e-3
"""Data narrower than this count as this wide: their scale is divided by."""
RUNAWAY = 1e4
"""A loss this many times that of a network that gives nothing is as lost as one that is not finite."""


class Fit:
    """Learns the score of a density at all noise levels, from its draws: a `ScoreModel`.

    Args:
        density: anything with `sample(n, sigma, generator=)`; the objective esm asks for its `score` too.
        settings: what to minimise and how; the defaults are the fast recipe.
        device: "auto", "cpu", "cuda" or "mps".
        seed: of all randomness of the run.

    Attributes:
        step: steps taken; seconds: time spent in them; loss: of the latest batch.
        sigma_min, sigma_max, kernel, device: as every `ScoreModel` has them.
        captures: whether steps are replayed as a CUDA graph (`trainer.graphs`): where there is CUDA, unless set False.
        network, weights: what learns, and its weights as the optimiser has them, (parameters,); pool: the draws so far.

    Raises:
        InputError: for a device that is not there, a ladder too fine for the pool, or a density without a score that
            the objective needs.
    """

    def __init__(
        self, density: Drawable, settings: FitSettings | None = None, device: str = "auto", seed: int = 0
    ) -> None:
        self.settings = settings or FitSettings()
        self.device = choose_device(device)
        self.captures = self.device.type == "cuda"
        self.seed = seed
        self.density = density
        self._begin()

    @property
    def kernel(self) -> Kernel:
        """How noise is added."""
        return kernel_named(self.settings.kernel)

    @property
    def ladder(self) -> Tensor:
        """The trained noise levels, largest first, (L,) float64."""
        return self._points.ladder

    @property
    def sigma_min(self) -> float:
        """The smallest trained noise level."""
        return float(self.ladder[-1])

    @property
    def sigma_max(self) -> float:
        """The largest trained noise level."""
        return float(self.ladder[0])

    @property
    def parameters(self) -> int:
        """The number of weights."""
        return self.network.count

    @property
    def draws(self) -> int:
        """Points drawn from the density since the run, or the density, began."""
        return self.pool.draws

    @property
    def points_per_block(self) -> int:
        """How many noisy points are drawn at a time."""
        return len(self._points)

    @property
    def recoveries(self) -> int:
        """How often a step had to be undone."""
        return self._optimiser.undone

    @property
    def learning_rate(self) -> float:
        """The rate of the next step: it rises and falls by the run's clock, and an undone step lowers it."""
        return self._optimiser.rate(self.settings.learning_rate)

    @property
    def lowered(self) -> float:
        """What undone steps have multiplied the learning rate by; 1 while there were none."""
        return self._optimiser.lowered

    @property
    def device_name(self) -> str:
        """What computes, as a person would say it."""
        return device_label(self.device)

    @property
    def weights(self) -> Tensor:
        """The weights that the next step starts from, (parameters,); `score` and `snapshot` average them."""
        return self._optimiser.weights

    def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        """The learned score of the averaged weights; see `LearnedScore.score`."""
        return self._model(self._optimiser.average).score(x, sigma)

    def snapshot(self) -> LearnedScore:
        """The averaged weights as they are now, unaffected by what the run does next."""
        return self._model(self._optimiser.average.clone())

    @property
    def has_log_density(self) -> bool:
        """Whether what is learned is an energy, so that `log_prob` answers."""
        return self.network.is_energy

    def log_prob(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        """The learned log-density of the averaged weights; see `LearnedScore.log_prob`."""
        return self._model(self._optimiser.average).log_prob(x, sigma)

    def _model(self, weights: Tensor) -> LearnedScore:
        return LearnedScore(
            self.network,
            weights,
            (self.sigma_max, self.sigma_min),
            settings=self.settings,
            density=self.density,
            seed=self.seed,
            step=self.step,
        )

    def run(self, steps: int | None = None, seconds: float | None = None) -> Iterator[Progress]:
        """Train for so many more steps or seconds, whichever ends first, or until the caller stops; yields every step.

        Raises:
            TrainingError: when steps keep failing although the rate has been lowered again and again.
        """
        end_step = math.inf if steps is None else self.step + steps
        end_seconds = math.inf if seconds is None else self.seconds + seconds
        while self.step < end_step and self.seconds < end_seconds:
            yield self.step_once()

    def change_density(self, density: Drawable) -> None:
        """Learn this density from now on: a fresh pool and fresh clocks, with the weights that there are.

        Mean, scale and ladder stay as they were at the start of the run: the weights have no meaning without them.

        Raises:
            InputError: if the ladder is too fine for the pool on data this wide; the run is then as it was.
        """
        fresh = self._apart()
        fresh.density = density
        fresh._begin_pool()
        self.__dict__ = fresh.__dict__
        self._optimiser.restart()

    def change_settings(self, settings: FitSettings) -> bool:
        """Go on with these settings; False if they needed another network, which was then begun afresh.

        A change of what is learned (objective, target, weighting, noise, levels) restarts the clocks as an edit of the
        density does; a change of the rate takes back what failed steps took off it.

        Raises:
            InputError: if the settings cannot be trained on this density; the run is then as it was.
        """
        if (settings.network, settings.parameterisation) != (self.settings.network, self.settings.parameterisation):
            fresh = Fit(self.density, settings, str(self.device), self.seed)
            fresh.captures = self.captures
            self.__dict__ = fresh.__dict__
            return False
        fresh = self._apart()
        fresh.settings = settings
        same = replace(self.settings, batch=settings.batch, learning_rate=settings.learning_rate, ema=settings.ema)
        if settings != same:
            fresh._begin_pool()
        elif settings.batch != self.settings.batch:
            fresh._lay_out()
        if settings.learning_rate != self.settings.learning_rate:
            self._optimiser.lowered = 1.0
        self.__dict__ = fresh.__dict__
        if settings != same:
            self._optimiser.restart()
        return True

    def estimates(self, weights: Tensor | None = None) -> Iterator[tuple[Batch, Tensor, Tensor]]:
        """Fresh batches, each with its loss and gradient (parameters,) at the same weights; the run stays as it is.

        A batch is good until the next is asked for.

        Args:
            weights: (parameters,); None for those that the next step starts from.
        """
        apart = self._apart()
        apart.pool = self.pool.clone()
        apart._lay_out()
        fill(apart._task.tensors(), self._task.tensors())  # what a control variate has learned
        at = self.weights.clone() if weights is None else weights
        while True:
            apart._fill_block()
            for part in apart._points.parts():
                loss = apart._task.loss(at, part)
                yield apart._points.batch(part), loss, apart._task.gradient.clone()

    def _apart(self) -> Fit:
        """A second self to be changed: if the change turns out to be impossible, the run itself is untouched."""
        fresh = copy(self)
        fresh._streams = self._streams.clone()
        return fresh

    def _begin(self) -> None:
        """A fresh network and everything that a run freezes at its start."""
        self._streams = Streams(self.seed, self.device)
        first = self._draw(FIRST)
        self._conditioning = Preconditioning(
            mean=tuple(first.mean(0).tolist()),
            scale=max(float((first - first.mean(0)).square().mean().sqrt()), LEAST_SCALE),
            kind=self.settings.parameterisation,
        )
        self._diameter = largest_distance(first)
        self.network = ScoreNetwork(self.settings.network, self._conditioning, self.device)
        self._optimiser = Optimiser(self.network.initial(torch.Generator().manual_seed(mix(self.seed, 0) >> 1)))
        self.step, self.seconds, self.loss = 0, 0.0, math.nan
        self._begin_pool(first)

    def _draw(self, n: int) -> Tensor:
        return self.density.sample(n, 0.0, generator=self._streams.extra).to(self.device, torch.float32)

    def _begin_pool(self, first: Tensor | None = None) -> None:
        if first is None:
            first = self._draw(FIRST)
        points = Points(self.settings, self._diameter, self.device)
        self.pool = self._pool_over(points, span(first, float(points.ladder[-1])))
        self.pool.add(first)
        self._lay_out(points)

    def _pool_over(self, points: Points, span: tuple[tuple[float, float], float]) -> Pool:
        return Pool(*span, points.ladder.tolist() if self.settings.pooled else [], self._conditioning, self.device)

    def _lay_out(self, points: Points | None = None) -> None:
        """Make everything that blocks of points need and that stays as it is from one to the next."""
        self._points = points or Points(self.settings, self._diameter, self.device)
        self._task = make_task(self.settings, self.network, self._points, self.pool, self.density)
        self._graph: GraphedStep | None = None
        self._next_batch = self._points.batches

    def _fill_block(self) -> None:
        """Draw the next block and make what the objective wants to know of it."""
        self._points.fill(self.density, self._streams)
        self.pool.add(self._points.x0)
        if self.settings.pooled and self._optimiser.clock >= RUSH and len(self._points) < DRAWS:
            self.pool.add(self._draw(DRAWS - len(self._points)))
        self._task.prepare(self._streams)
        self._next_batch = 0

    def step_once(self) -> Progress:
        """Take one training step.

        Raises:
            TrainingError: when steps keep failing although the rate has been lowered again and again.
        """
        began = time.perf_counter()
        if self._next_batch == self._points.batches:
            self._fill_block()
        batch = self.settings.batch
        part = slice(self._next_batch * batch, (self._next_batch + 1) * batch)
        self._next_batch += 1
        self._optimiser.set_rates(self.settings.learning_rate, self.settings.ema)
        clock, notice = self._optimiser.clock, ""
        if self.captures and clock % WATCH_EVERY and isinstance(self._task, Regression):
            if self._graph is None:
                self._graph = GraphedStep(self._task, self._optimiser, part)
            self._graph.replay(part)
        elif self._is_sound(self._task.loss(self._optimiser.weights, part)):
            if clock % GOOD_EVERY == 0:
                self._optimiser.keep()
            self._optimiser.step(self._task.gradient)
        else:
            notice = self._optimiser.undo(self.step, self.settings.learning_rate)
        if not notice:
            self.step += 1
            self._optimiser.clock += 1
        if self.settings.pooled:
            if self._optimiser.clock < RUSH:
                self.pool.add(self._draw(DRAWS))
            self.pool.refresh()
        self.seconds += time.perf_counter() - began
        return Progress(self.step, self.seconds, self.loss, self.draws, notice)

    def _is_sound(self, loss: Tensor) -> bool:
        """Whether loss and gradient are finite and the loss is not beyond all bounds."""
        if self.device.type != "cpu" and self._optimiser.clock % WATCH_EVERY:
            return True
        value, length = float(loss), float(torch.linalg.vector_norm(self._task.gradient))
        if not (math.isfinite(value) and math.isfinite(length) and value <= RUNAWAY * float(self._task.bound)):
            return False
        self.loss = value
        return True

    def state(self) -> bytes:
        """All that determines how the run goes on, except the density, as safetensors bytes."""
        facts = {
            "settings": self.settings.to_json(),
            "seed": self.seed,
            "mean": self._conditioning.mean,
            "scale": self._conditioning.scale,
            "diameter": self._diameter,
            "step": self.step,
            "seconds": self.seconds,
            "loss": None if math.isnan(self.loss) else self.loss,
            "optimiser": self._optimiser.facts(),
            "next_batch": self._next_batch,
            "pool": self.pool.facts(),
        }
        return pack(facts, self._tensors() | self._streams.states())

    def _tensors(self) -> dict[str, Tensor]:
        block = {"x0": self._points.x0, "x": self._points.x}
        return {**self._optimiser.tensors(), **self.pool.tensors(), **block, **self._task.tensors()}

    def restore(self, blob: bytes) -> None:
        """Go on from `state`, bit for bit on the same processor and number of threads; settings and seed are its own.

        The density must be the one that the state was taken with.

        Raises:
            InputError: if the bytes are not such a state; the run is then as it was.
        """
        facts, tensors = unpack(blob)
        fresh = self._apart()
        try:
            fresh._resume(facts, tensors)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise not_a_state(error) from error
        self.__dict__ = fresh.__dict__

    def _resume(self, facts: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        self.settings = FitSettings.from_json(facts["settings"])
        self.seed = facts["seed"]
        self._streams.resume(tensors)
        mean, scale = tuple(facts["mean"]), facts["scale"]
        self._conditioning = Preconditioning(mean, scale, self.settings.parameterisation)
        self._diameter = facts["diameter"]
        self.network = ScoreNetwork(self.settings.network, self._conditioning, self.device)
        self._optimiser = Optimiser(torch.zeros(self.network.count, device=self.device))
        self._optimiser.resume(facts["optimiser"])
        points = Points(self.settings, self._diameter, self.device)
        self.pool = self._pool_over(points, (tuple(facts["pool"]["centre"]), facts["pool"]["half"]))
        self.pool.resume(facts["pool"])
        self._lay_out(points)
        self.step, self.seconds = facts["step"], facts["seconds"]
        self.loss = math.nan if facts["loss"] is None else facts["loss"]
        self._next_batch = facts["next_batch"]
        fill(self._tensors(), tensors)
        self._task.describe()
