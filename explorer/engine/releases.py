"""One pane of a release: a sampler on a model, moved a chunk of particles at a time.

Particles do not see each other, and particle k draws the same noise whoever moves beside it (`trainer.noise`). So a
step of a hundred thousand is cut into chunks, each a run of the sampler of its own, and between two chunks a live
display can stop. `CHUNK` particles read a table in a fraction of a millisecond; where a network is asked itself they go
`ASKED` at a time. Both numbers are fixed: what a network answers depends, in the last bits, on how many it is asked.

A sampler that cannot run on this model leaves its pane standing, and the one line that says why.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from trainer.errors import InputError
from trainer.langevin import noise_levels
from trainer.models import ScoreModel
from trainer.noise import Noise
from trainer.samplers import FAR, SAMPLERS, within
from trainer.scenes import Pane, Start
from trainer.starts import placed_points
from trainer.tables import TabulatedScore

CHUNK = 16_384
"""Particles that read a table at a time: two blocks of noise, a third of a millisecond."""

ASKED = 2048
"""Particles for which a network is asked at a time, about 2 ms."""

WEIGHED = 1024
"""Particles whose density is asked for as well at a time; the exact one takes some milliseconds for them."""

LOST = 0.01
"""A pane that has lost more than this share of its particles to the far ends of the plane has diverged."""

LOOK_EVERY = 16
"""Steps of a pane between two looks at whether it has diverged."""


class PaneRun:
    """One pane: where its particles are and what moves them.

    Attributes:
        sampler, source, settings: what moves them; the settings' noise levels are cut to those that the model knows.
        cut: whether that changed anything.
        note: why it cannot run, or "".
        steps, taken: to take and taken, of its own.
        ladder: (L,), its noise levels, largest first; level_of_step: (steps,), indices into it.
        evaluations: of the score in a whole run, per particle.
        points: (N, 2), where the particles are after the steps taken; finite.
        diverged: whether it has lost particles to the far ends of the plane.
    """

    def __init__(self, pane: Pane, model: ScoreModel, start: Start, noise: Noise) -> None:
        self.sampler, self.model = SAMPLERS[pane.sampler], model
        self.source = pane.settings.source
        self.settings = within(pane.settings, model)
        self.cut = self.settings != pane.settings
        self.note = ""
        self.taken = 0
        self.diverged = False
        self.tables: TabulatedScore | None = None
        self.chunk = WEIGHED if self.sampler.needs_log_prob else ASKED  # particles that move together
        self._noise = noise
        self._moves: dict[int, Iterator[tuple[int, Tensor]]] = {}
        self._moved: dict[int, Tensor] = {}
        try:
            self._prepare(start)
        except InputError as error:
            self._stand(start, str(error))

    def _prepare(self, start: Start) -> None:
        """Find out whether the sampler can run, what it asks for, and where it starts."""
        sampler, settings, model = self.sampler, self.settings, self.model
        if sampler.needs_log_prob and not getattr(model, "has_log_density", True):
            raise InputError(
                "sampler: MALA needs a log-density, which this learned score has not; choose the true score, or train "
                "a network that stands for an energy"
            )
        self.ladder = np.asarray(sampler.levels(settings, model), np.float64)
        self.steps = sampler.steps(settings, model)
        self.evaluations = sampler.evaluations(settings, model)
        if sampler.name == "annealed":
            self.level_of_step = np.repeat(
                np.arange(len(self.ladder)), [level.steps for level in noise_levels(settings)]
            )
        elif sampler.starts_from == "square":
            self.level_of_step = np.zeros(self.steps, np.intp)
        else:
            self.level_of_step = np.arange(self.steps)
        if start.kind == "own":
            self.start = sampler.start(model, settings, settings.number, self._noise)
        else:
            self.start = placed_points(start, settings.number, self._noise)
        self.points = self.start.clone()
        sampler(model, self.start[:1], settings, self._noise)  # refuses what the model does not know

    def _stand(self, start: Start, note: str) -> None:
        """Stay at the start, and say why."""
        self.note = note
        self.steps = self.evaluations = 0
        self.ladder, self.level_of_step = np.zeros(0), np.zeros(0, np.intp)
        kind = start if start.kind != "own" else Start("uniform")
        self.start = placed_points(kind, self.settings.number, self._noise)
        self.points = self.start.clone()

    def use(self, tables: TabulatedScore, asked: bool) -> None:
        """Read the score from these tables; `asked`: some of its noise levels are left to the model itself."""
        self.tables = tables
        self.chunk = ASKED if asked else CHUNK

    @property
    def smallest(self) -> float:
        """Its smallest noise level: the density at which it is to end."""
        return float(self.ladder[-1]) if len(self.ladder) else self.settings.sigma_min

    @property
    def standing(self) -> bool:
        """Whether no step is left that it can take."""
        return self.diverged or self.taken >= self.steps

    def own_steps(self, clock: int, clocks: int) -> int:
        """Steps of its own at this moment of the common clock, of `clocks`; halves up."""
        return (2 * clock * self.steps + clocks) // (2 * clocks) if clocks else 0

    def clock_of(self, step: int, clocks: int) -> int:
        """The step of the common clock, from 0, at which it takes its own step number `step`, from 0."""
        return -(-(2 * step + 1) * clocks // (2 * self.steps)) - 1

    def begins(self, step: int, clocks: int) -> int:
        """The step of the common clock, from 0, with which it may begin with its own step number `step`, from 0."""
        return self.clock_of(step - 1, clocks) + 1 if step else 0

    def upcoming(self, clock: int, clocks: int) -> range:
        """The chunks to advance with this step of the common clock, from 0.

        Its next step is spread over the steps of the clock until it is due, so that each of these costs alike.
        """
        chunks = self.chunks()
        first, due = self.begins(self.taken, clocks), self.clock_of(self.taken, clocks)
        wanted = len(chunks) if clock >= due else -(-len(chunks) * (clock - first + 1) // (due - first + 1))
        return chunks[len(self._moved) : wanted]

    def chunks(self) -> range:
        """Where the chunks of its particles begin."""
        return range(0, len(self.points), self.chunk)

    def advance(self, first: int) -> None:
        """Take the next step with the chunk that begins at particle `first`."""
        moves = self._moves.get(first)
        if moves is None:
            last = min(first + self.chunk, len(self.start))
            ids = torch.arange(first, last, device=self.start.device) if first else None
            model = self.tables or self.model
            moves = self._moves[first] = self.sampler(model, self.start[first:last], self.settings, self._noise, ids)
        _, self._moved[first] = next(moves)

    def settle(self) -> None:
        """All chunks have taken their step: that is where the particles are."""
        for first, x in self._moved.items():
            torch.nan_to_num(x, nan=FAR, out=self.points[first : first + len(x)])
        self._moved.clear()
        self.taken += 1
        if self.taken % LOOK_EVERY == 0 or self.taken == self.steps:
            lost = self.points.abs().amax(1) >= FAR
            self.diverged = float(lost.float().mean()) > LOST

    def first_asked(self) -> dict[float, int]:
        """At which of its own steps, from 0, each noise level is first asked for."""
        before = 1 if self.sampler.name == "ode" and self.settings.ode_method == "heun" else 0
        levels, steps = np.unique(self.level_of_step, return_index=True)
        return {float(self.ladder[i]): max(int(step) - before, 0) for i, step in zip(levels, steps, strict=True)}

    def asks(self, sigma: float) -> int:
        """How often the score of all particles is asked for at this noise level, on average over such levels."""
        if self.sampler.name == "annealed":
            index = int(np.flatnonzero(self.ladder == sigma)[0])
            return int((self.level_of_step == index).sum())
        return max(1, round(self.evaluations / len(self.ladder)))
