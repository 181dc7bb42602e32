"""Three panes of particles: gradient ascent, Langevin and annealed Langevin dynamics, from the same start and noise.

They run on one frozen model, through one table per noise level (`trainer.tables`), all as many steps as annealed
Langevin dynamics takes. Tables are built a piece at a time, ahead of their use; a live display hands in a deadline.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import numpy as np
import torch

from explorer.engine.messages import PANES, Array, Modes
from trainer.metrics import mode_ledger
from trainer.models import ScoreModel
from trainer.modes import ModeMap
from trainer.noise import Noise
from trainer.samplers import FAR, SAMPLERS, noise_levels, start_points
from trainer.settings import ParticleSettings
from trainer.tables import TabulatedScore

_AHEAD = 8
"""With every so many steps a piece of a later noise level's table is built, so that none has to be waited for."""

_LOST = 0.01
"""A pane that has lost more than this share of its particles to the far ends of the plane has diverged."""


class ParticleRun:
    """One release of particles; all panes are always at the same step."""

    def __init__(self, model: ScoreModel, settings: ParticleSettings, seed: int) -> None:
        self.settings = settings
        self.levels = noise_levels(settings)
        self._level_of_step = [i for i, level in enumerate(self.levels) for _ in range(level.steps)]
        self.steps = len(self._level_of_step)
        self.step = 0
        self.diverged = False
        self.table_error = 0.0
        self._tables = TabulatedScore(model)
        noise = Noise(seed, model.device)
        start = start_points(settings.number, noise)
        self._moves = [SAMPLERS[pane](self._tables, start, settings, noise) for pane in PANES]
        self._points = [start for _ in PANES]
        self._prepared: set[float] = set()
        self._building = self._build()

    @property
    def done(self) -> bool:
        """Whether every step has been taken, or there is nothing left to move."""
        return self.diverged or self.step >= self.steps

    @property
    def level(self) -> int:
        """The index of annealed Langevin dynamics' noise level at the next step."""
        return self._level_of_step[min(self.step, self.steps - 1)]

    def move(self, steps: int, deadline: float | None = None) -> int:
        """Take up to `steps` steps, fewer when the deadline (of `perf_counter`) passes; returns how many."""
        for taken in range(steps):
            if self.done or not self._ready(deadline) or (deadline is not None and perf_counter() > deadline):
                return taken
            for i, moves in enumerate(self._moves):
                _, self._points[i] = next(moves)
            self.step += 1
            if self.step % _AHEAD == 0:
                next(self._building, None)
        return steps

    def _ready(self, deadline: float | None) -> bool:
        """Build the tables that the next step needs, as far as the deadline allows."""
        wanted = {self.settings.sigma_min, self.levels[self.level].sigma}
        while not wanted <= self._prepared:
            next(self._building)
            if deadline is not None and perf_counter() > deadline:
                return wanted <= self._prepared
        return True

    def _build(self) -> Iterator[None]:
        """Build and measure the tables in the order in which they are needed, a few milliseconds at a time."""
        for sigma in dict.fromkeys((self.settings.sigma_min, *(level.sigma for level in self.levels))):
            yield from self._tables.prepare(sigma)
            self.table_error = max(self.table_error, self._tables.error(sigma))
            self._prepared.add(sigma)
            yield

    def panes(self) -> Array:
        """The particles' places, (3, number, 2); the samplers hold them within the bounds of sense."""
        points = torch.stack(self._points).to("cpu", torch.float32).numpy()
        if not -FAR < points.min() <= points.max() < FAR:
            np.nan_to_num(points, copy=False, nan=FAR)
            lost = (np.abs(points) >= FAR).any(axis=2).mean(axis=1).max()
            self.diverged = self.diverged or bool(lost > _LOST)
        return points

    def modes(self, modes: ModeMap) -> Modes:
        """The ledger of the three panes."""
        ledgers = [mode_ledger(pane, modes) for pane in self.panes()]
        first = ledgers[0]
        return Modes(
            centres=np.asarray(first.centres, np.float32),
            mass=np.asarray(first.mass, np.float32),
            share=np.array([ledger.share for ledger in ledgers], np.float32),
            low=np.array([ledger.low for ledger in ledgers], np.float32),
            high=np.array([ledger.high for ledger in ledgers], np.float32),
            elsewhere=np.array([ledger.elsewhere for ledger in ledgers], np.float32),
        )
