"""A release of particles: one to four panes, each with its own sampler, on one clock.

The panes are paired (`trainer.scenes`): particle k starts alike in all of them, unless each sampler draws its own
start, and draws the same noise at the same step. The clock has T steps, those of the longest pane; at its step t a pane
of n steps has taken round(t n / T) of its own.

Each pane runs on a frozen model through tables where they pay (`explorer.engine.tabulation`). Everything goes in pieces
of a few milliseconds: a live display hands in a deadline, and a step of the clock that it interrupts goes on at the
next call. Whatever is remembered, measured or stopped is so at step numbers, never by the clock on the wall.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import numpy as np
import torch

from explorer.engine.frames import Array, Modes, PaneState
from explorer.engine.nearness import Nearness, Truth
from explorer.engine.releases import PaneRun
from explorer.engine.tabulation import Tabulation
from explorer.engine.traces import Kept, Trails, Way
from explorer.panes import pane_names
from trainer.densities import Density
from trainer.metrics import mode_ledger
from trainer.models import ScoreModel
from trainer.modes import ModeMap
from trainer.noise import Noise
from trainer.scenes import Scene

_EMPTY = np.zeros(0, np.float32)


class ParticleRun:
    """One release of particles.

    Args:
        scene: panes and start.
        models: what moves each pane: frozen, a learned snapshot or the truth; panes may share one.
        seed: of the start and the noise.
        truth: the density that distances are measured to; a `Truth` keeps what was derived from it across releases.
        weights_step: the training step of the learned weights.
    """

    def __init__(
        self, scene: Scene, models: Sequence[ScoreModel], seed: int, truth: Density | Truth, weights_step: int
    ) -> None:
        self.scene, self.weights_step = scene, weights_step
        self._names = pane_names(scene)
        noise = Noise(seed, models[0].device)
        self._panes = [
            PaneRun(pane, model, scene.start, noise) for pane, model in zip(scene.panes, models, strict=True)
        ]
        self.steps = max(pane.steps for pane in self._panes)
        """Of the clock: those of the longest pane; 0 if none can run."""
        self.step = 0
        """Steps of the clock that were taken."""
        self._tables = Tabulation(self._panes, self.steps)
        self._work: list[tuple[int, PaneRun]] = []  # what is left of the step that is being taken
        self._due: list[PaneRun] = []  # the panes whose own step ends with it
        self._begun = False
        self._at: int | None = None
        places = self._places()
        self._kept = Kept(self.steps, places.nbytes)
        self._trails = Trails(self.steps)
        self._nearness = Nearness(self._panes, self.steps, truth if isinstance(truth, Truth) else Truth(truth))
        self._way: Way | None = None
        self._remember(places)

    # --- time ---------------------------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        """Whether nothing is left to move: the end is shown, or no pane can go on."""
        return self._at is None and self._finished

    @property
    def diverged(self) -> bool:
        """Whether every pane that could run has left the range of numbers."""
        running = [pane for pane in self._panes if not pane.note]
        return bool(running) and all(pane.diverged for pane in running)

    @property
    def lost(self) -> tuple[str, ...]:
        """The names of the panes that have left the range of numbers."""
        return tuple(name for name, pane in zip(self._names, self._panes, strict=True) if pane.diverged)

    @property
    def _finished(self) -> bool:
        return self.step >= self.steps or all(pane.standing for pane in self._panes)

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person should be told of this release, a line each."""
        lines = {
            f"The particles' noise levels were cut to those learned: {pane.model.sigma_min:.3g} to "
            f"{pane.model.sigma_max:.3g}"
            for pane in self._panes
            if pane.cut
        }
        return tuple(sorted(lines))

    def move(self, steps: int, deadline: float | None = None) -> int:
        """Take up to `steps` steps of the clock, fewer when the deadline (of `perf_counter`) passes; returns how many.

        From a past moment (`show`) it first replays what is kept, then goes on.
        """
        for taken in range(self._replay(steps), steps):
            if self._finished or not self._take(deadline):
                return taken
        return steps

    def _replay(self, steps: int) -> int:
        """Go forward through what is kept, if a past moment is shown; how many steps that were."""
        if self._at is None:
            return 0
        taken = min(steps, self.step - self._at)
        self._at += taken
        if self._at >= self.step:
            self._at = None
        return taken

    def _take(self, deadline: float | None) -> bool:
        """Take one step of the clock, or go on with it; False when the deadline passes before it is done."""
        if not self._tables.ready(self.step, deadline):
            return False
        if not self._begun:
            self._begun = True
            going = [pane for pane in self._panes if not pane.standing]
            work = ((first, i) for i, pane in enumerate(going) for first in pane.upcoming(self.step, self.steps))
            # Chunks of the same particles follow each other: they share their noise.
            self._work = [(first, going[i]) for first, i in sorted(work, reverse=True)]
            self._due = [pane for pane in going if pane.taken < pane.own_steps(self.step + 1, self.steps)]
        while self._work:
            if deadline is not None and perf_counter() > deadline:
                return False
            first, pane = self._work.pop()
            pane.advance(first)
        for pane in self._due:
            pane.settle()
        self._begun = False
        self.step += 1
        self._remember(self._places())
        self._tables.ahead(self.step)
        return True

    def _places(self) -> Array:
        return torch.stack([pane.points for pane in self._panes]).to("cpu", torch.float32).numpy()

    def _remember(self, places: Array) -> None:
        self._kept.add(self.step, places)
        self._trails.add(self.step, places)
        self._nearness.add(self.step, places)
        if self._way is not None:
            self._way.add(self.step, places)

    @property
    def measuring(self) -> bool:
        """Whether distances to the truth are due."""
        return self._nearness.due

    def measure(self, deadline: float | None = None) -> bool:
        """Work on the distances to the truth that are due, a piece at a time; True when nothing is left to do."""
        return self._nearness.measure(deadline)

    # --- what is shown ------------------------------------------------------------------------------------

    @property
    def kept(self) -> tuple[int, ...]:
        """The steps of the clock that can be shown again, rising; the last is the present one."""
        return tuple(self._kept.steps())

    @property
    def shown(self) -> int:
        """The step of the clock that is shown."""
        return self.step if self._at is None else self._kept.before(self._at)

    def show(self, step: int | None) -> int:
        """Show this step, or the last one kept before it, until `show(None)`; returns the step shown."""
        self._at = None if step is None or step >= self.step else max(step, 0)
        return self.shown

    def follow(self, particle: int) -> None:
        """Remember the way of this particle; -1 for none."""
        if not 0 <= particle < self.scene.number:
            self._way = None
        elif self._way is None or self._way.particle != particle:
            self._way = Way(particle, self.steps, self._kept)

    def panes(self) -> Array:
        """The particles' places, (P, N, 2), finite, of the step that is shown. Not to be written to."""
        return self._kept.at(self.shown)

    def states(self, *, trails: bool = False, distances: bool = False) -> tuple[PaneState, ...]:
        """How far each pane is, and what moves it; with trails and distances where they are wanted."""
        shown, places = self.shown, self.panes()
        tails = self._trails.before(shown, places) if trails else None
        ways = self._way.until(shown, places) if self._way is not None else None
        states = []
        for i, pane in enumerate(self._panes):
            step = min(pane.own_steps(shown, self.steps), pane.taken)
            level = int(pane.level_of_step[min(step, pane.steps - 1)]) if pane.steps else 0
            times, values = self._nearness.until(i, shown) if distances else (_EMPTY, _EMPTY)
            states.append(
                PaneState(
                    sampler=pane.sampler.name,
                    source=pane.source,
                    weights_step=self.weights_step,
                    step=step,
                    steps=pane.steps,
                    sigma=float(pane.ladder[level]) if len(pane.ladder) else 0.0,
                    level=level,
                    levels=len(pane.ladder),
                    evaluations=pane.evaluations,
                    table_error=self._tables.error(pane),
                    diverged=pane.diverged,
                    note=pane.note,
                    ladder=pane.ladder.astype(np.float32),
                    distance_times=times,
                    distances=values,
                    distance_floor=self._nearness.floor(i) if distances else _EMPTY,
                    label=self._names[i],
                    **({} if tails is None else {"trail": tails[i]}),
                    **({} if ways is None else {"path": ways[i]}),
                )
            )
        return tuple(states)

    def modes(self, modes: ModeMap) -> Modes:
        """The ledger of all panes at the step that is shown."""
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
