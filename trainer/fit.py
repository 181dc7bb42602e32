"""The training loop: a generator that a window drives as easily as a script.

    fit = Fit(load_density("two-moons"))
    for progress in fit.run(seconds=10):
        print(progress.step, progress.loss)
    fit.score(x, sigma=0.1)

One step takes a batch of noisy points with their targets (`trainer.objectives`), a gradient (`trainer.networks`) and
an Adam step (`trainer.optimiser`). Whatever does not depend on the weights - draws, noise, targets, features - is made
for a block of steps at once. The k-th row of a block always has the same noise level, so that what depends on sigma
alone is computed once a run, and every batch holds every level in proportion.

The pool grows and its tables are renewed a little with each step, by the step's number and never by the clock: the same
density, settings, seed, device and number of threads give the same weights to the last bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainer.devices import choose_device, device_label
from trainer.errors import TrainingError
from trainer.kernels import GAUSSIAN, Kernel
from trainer.learned import LearnedScore
from trainer.networks import Preconditioning, ScoreNetwork, TrainingPass, fast_bfloat16
from trainer.objectives import level_weights, one_draw_target, weighted_loss
from trainer.optimiser import Optimiser
from trainer.pool import FIRST, Drawable, Pool, span
from trainer.schedules import geometric_ladder, largest_distance, level_counts
from trainer.settings import FitSettings
from trainer.states import fill, not_a_state, pack, unpack

__all__ = ["Fit", "FitSettings", "Progress"]

BLOCK = 4096
"""Training points made at once; a block is as many batches as fit, and at least one."""
RUSH, RUSH_DRAWS = 256, 4096
"""For the first RUSH steps on a density each step adds RUSH_DRAWS to the pool; afterwards each block does."""
GOOD_EVERY = 64
WATCH_EVERY = 32
"""On a device that computes ahead, losses are looked at every so many steps: looking makes it wait."""
RUNAWAY = 1e4
"""A loss this many times that of F = 0 is as lost as one that is not finite."""
PATIENCE = 12


@dataclass(frozen=True)
class Progress:
    """Where a run stands after a step.

    Attributes:
        step: steps taken; seconds: time spent in them.
        loss: of the latest batch; NaN before one is known.
        draws: points drawn from the density so far.
        notice: what happened if a step had to be undone, else "".
    """

    step: int
    seconds: float
    loss: float
    draws: int
    notice: str = ""


class Fit:
    """Learns the score of a density at all noise levels, from its draws: a `ScoreModel`.

    Args:
        density: anything with `sample(n, sigma, generator=)`.
        settings: what to minimise and how; the defaults are the fast recipe.
        device: "auto", "cpu", "cuda" or "mps".
        seed: of all randomness of the run.

    Attributes:
        step: steps taken; seconds: time spent in them; loss: of the latest batch.
        sigma_min, sigma_max, kernel, device: as every `ScoreModel` has them.
        ladder: the noise levels, largest first, (L,) float64.
        recoveries: how often a step had to be undone.

    Raises:
        InputError: for a device that is not there, or a ladder too fine for the pool.
    """

    kernel: Kernel = GAUSSIAN

    def __init__(
        self, density: Drawable, settings: FitSettings | None = None, device: str = "auto", seed: int = 0
    ) -> None:
        self.settings = settings or FitSettings()
        self.device = choose_device(device)
        self.seed = seed
        self.density = density
        self._begin()

    # --- what a person asks ---

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
        return self._network.count

    @property
    def draws(self) -> int:
        """Points drawn from the density since the run, or the density, began."""
        return self._pool.draws

    @property
    def device_name(self) -> str:
        """What computes, as a person would say it."""
        return device_label(self.device)

    def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        """The learned score of the averaged weights; see `LearnedScore.score`."""
        return self._model(self._optimiser.average).score(x, sigma)

    def snapshot(self) -> LearnedScore:
        """The averaged weights as they are now, unaffected by what the run does next."""
        return self._model(self._optimiser.average.clone())

    def _model(self, weights: Tensor) -> LearnedScore:
        return LearnedScore(
            self._network,
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

        A change of what is learned (target, weighting, ladder) restarts the clocks as an edit of the density does; a
        change of the rate takes back what failed steps took off it.

        Raises:
            InputError: if the ladder is too fine for the pool; the run is then as it was.
        """
        if settings.network != self.settings.network:
            fresh = Fit(self.density, settings, str(self.device), self.seed)
            self.__dict__ = fresh.__dict__
            return False
        fresh = self._apart()
        fresh.settings = settings
        fresh.ladder = geometric_ladder(settings.ladder, self._diameter)
        learned = [(s.ladder, s.target, s.weighting) for s in (self.settings, settings)]
        if learned[0] != learned[1]:
            fresh._begin_pool()
        elif settings.batch != self.settings.batch:
            fresh._lay_out_blocks()
        if settings.learning_rate != self.settings.learning_rate:
            self._optimiser.lowered = 1.0
        self.__dict__ = fresh.__dict__
        if learned[0] != learned[1]:
            self._optimiser.restart()
        return True

    def _apart(self) -> Fit:
        """A second self to be changed: if the change turns out to be impossible, the run itself is untouched."""
        fresh = copy(self)
        fresh._generator = self._generator.clone_state()
        return fresh

    # --- the run ---

    def _begin(self) -> None:
        """A fresh network and everything that a run freezes at its start."""
        self._generator = torch.Generator().manual_seed(self.seed)
        first = self._draw(FIRST)
        self._conditioning = Preconditioning(
            mean=tuple(first.mean(0).tolist()),
            scale=float((first - first.mean(0)).square().mean().sqrt()),
        )
        self._diameter = largest_distance(first)
        self.ladder = geometric_ladder(self.settings.ladder, self._diameter)
        self._network = ScoreNetwork(self.settings.network, self._conditioning, self.device)
        self._optimiser = Optimiser(self._network.initial(self._generator))
        self.step, self.seconds, self.loss = 0, 0.0, math.nan
        self.recoveries, self._failures = 0, 0
        self._begin_pool(first)

    def _draw(self, n: int) -> Tensor:
        return self.density.sample(n, 0.0, generator=self._generator).to("cpu", torch.float32)

    def _begin_pool(self, first: Tensor | None = None) -> None:
        if first is None:
            first = self._draw(FIRST)
        self._pool = self._pool_over(*span(first, self.sigma_min))
        self._pool.add(first)
        self._lay_out_blocks()

    def _pool_over(self, centre: tuple[float, float], half: float) -> Pool:
        tabulate = self.settings.target == "pooled"
        return Pool(centre, half, self.ladder.tolist(), self._conditioning, self.device, tabulate=tabulate)

    def _lay_out_blocks(self) -> None:
        """Give every row of a block its noise level, and make what depends on that alone."""
        batch = self.settings.batch
        self._batches = max(1, BLOCK // batch)
        rows = self._batches * batch
        counts = level_counts(len(self.ladder), rows)
        level = torch.repeat_interleave(torch.arange(len(counts)), counts)
        level = level.view(batch, self._batches).T.flatten()  # every batch gets every level in proportion
        self._sigma = self.ladder[level].float().to(self.device)
        self._weight = level_weights(self.settings.weighting, self._sigma, self._conditioning.scale)
        self._rows = self._pool.rows(level.to(self.device)) if self.settings.target == "pooled" else None
        self._levels = self._network.levels(self._sigma)
        hidden = torch.bfloat16 if fast_bfloat16(self.device) else torch.float32
        self._pass = TrainingPass(self._network, batch, hidden)
        self._features = torch.zeros(rows, self._network.inputs, dtype=hidden, device=self.device)
        self._target = torch.zeros(rows, 2, device=self.device)
        self._centred = torch.zeros(rows, 2, device=self.device)
        self._next_batch = self._batches

    def _fill_block(self) -> None:
        """Draw the next block: noisy points, their features and targets."""
        rows = len(self._sigma)
        if self.settings.target == "single":
            self._pool.add(self._draw(rows))
        elif self._optimiser.clock >= RUSH or len(self._pool.recent) < rows:
            self._pool.add(self._draw(max(rows, RUSH_DRAWS)))
        x0 = self._pool.recent[:rows]
        noise = torch.randn(rows, 2, generator=self._generator).to(self.device)
        x = x0 + noise * self._sigma[:, None]
        tabulated = None
        if self._rows is not None:
            x, tabulated = self._pool.lookup(x, self._rows)
        self._centred.copy_(x - torch.tensor(self._conditioning.mean, device=self.device))
        self._target.copy_(self._conditioning.output(one_draw_target(x0, x, self._sigma), self._centred, self._sigma))
        if tabulated is not None:
            self._target.copy_(torch.where(tabulated.isnan(), self._target, tabulated))
        self._describe_block()
        self._next_batch = 0

    def _describe_block(self) -> None:
        """What follows from the block's points and targets: features, and the loss of F = 0."""
        self._network.features(self._centred, self._levels, self._features)
        self._loss_of_nothing = weighted_loss(self._target, self._weight)

    def step_once(self) -> Progress:
        """Take one training step.

        Raises:
            TrainingError: when steps keep failing although the rate has been lowered again and again.
        """
        began = time.perf_counter()
        if self._next_batch == self._batches:
            self._fill_block()
        batch = self.settings.batch
        part = slice(self._next_batch * batch, (self._next_batch + 1) * batch)
        self._next_batch += 1
        loss = self._pass.loss(self._optimiser.weights, self._features[part], self._target[part], self._weight[part])
        clock, notice = self._optimiser.clock, ""
        if (self.device.type != "cpu" and clock % WATCH_EVERY) or self._is_sound(loss):
            if clock % GOOD_EVERY == 0:
                self._optimiser.keep()
                self._failures = 0
            self._optimiser.step(self._pass.gradient, self.settings.learning_rate, self.settings.ema)
            self.step += 1
        else:
            notice = self._recover()
        if self.settings.target == "pooled":
            if self._optimiser.clock < RUSH:
                self._pool.add(self._draw(RUSH_DRAWS))
            self._pool.refresh()
        self.seconds += time.perf_counter() - began
        return Progress(self.step, self.seconds, self.loss, self.draws, notice)

    def _is_sound(self, loss: Tensor) -> bool:
        """Whether loss and gradient are finite and the loss is not beyond all bounds."""
        value, length = float(loss), float(torch.linalg.vector_norm(self._pass.gradient))
        if not (math.isfinite(value) and math.isfinite(length) and value <= RUNAWAY * float(self._loss_of_nothing)):
            return False
        self.loss = value
        return True

    def _recover(self) -> str:
        """Go back to the last good weights; the text says so."""
        self._optimiser.undo()
        self.recoveries += 1
        self._failures += 1
        if self._failures >= PATIENCE:
            raise TrainingError(
                f"training stopped at step {self.step}: the loss blew up {self._failures} times although the rate was "
                "lowered each time; the last good weights are kept; choose a smaller learning rate and reset"
            )
        rate = self.settings.learning_rate * self._optimiser.lowered
        return (
            f"step {self.step + 1}: the loss blew up; back to the last good weights, "
            f"learning rate lowered to {rate:.2g}"
        )

    # --- state ---

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
            "recoveries": self.recoveries,
            "failures": self._failures,
            "clock": self._optimiser.clock,
            "lowered": self._optimiser.lowered,
            "next_batch": self._next_batch,
            "pool": self._pool.facts(),
        }
        return pack(facts, self._tensors() | {"generator": self._generator.get_state()})

    def _tensors(self) -> dict[str, Tensor]:
        block = {"target": self._target, "centred": self._centred}
        return {**self._optimiser.tensors(), **self._pool.tensors(), **block}

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
        self._generator = torch.Generator()
        self._generator.set_state(tensors["generator"])
        self._conditioning = Preconditioning(tuple(facts["mean"]), facts["scale"])
        self._diameter = facts["diameter"]
        self.ladder = geometric_ladder(self.settings.ladder, self._diameter)
        self._network = ScoreNetwork(self.settings.network, self._conditioning, self.device)
        self._optimiser = Optimiser(torch.zeros(self._network.count, device=self.device))
        self._optimiser.clock, self._optimiser.lowered = facts["clock"], facts["lowered"]
        self._pool = self._pool_over(tuple(facts["pool"]["centre"]), facts["pool"]["half"])
        self._pool.resume(facts["pool"], tensors["recent"])
        self._lay_out_blocks()
        self.step, self.seconds = facts["step"], facts["seconds"]
        self.loss = math.nan if facts["loss"] is None else facts["loss"]
        self.recoveries, self._failures = facts["recoveries"], facts["failures"]
        self._next_batch = facts["next_batch"]
        fill(self._tensors(), tensors)
        self._describe_block()
