"""What films and pictures share: a simulation on its way along a script, and a Qt that draws unseen.

The simulation computes what the window's engine computes, from the same commands at the same steps, so a film of a
project is a film of what happened there. Nothing in a picture depends on the clock: seconds and rates, which a frame
carries for live viewing, are taken out before it is drawn.

torch is imported before Qt, because not every system can load it afterwards; Qt draws without a display.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch

from explorer.engine.frames import joined
from explorer.engine.messages import ERROR_SIGMAS, Frame, Look, Release, Repaint
from explorer.engine.mover import Mover
from explorer.engine.orders import Order
from explorer.engine.simulation import Simulation
from explorer.export.replay import Script
from explorer.export.timeline import Moment, Pace
from trainer.errors import InputError
from trainer.metrics import FisherProbe
from trainer.models import ScoreModel, TrueScore
from trainer.projects import Setup
from trainer.samplers import SAMPLERS, noise_levels, within

_CHUNK = 25
"""Steps between two looks at whether the export was cancelled."""


class Run:
    """A script's simulation, at some number of training steps since the beginning.

    Attributes:
        simulation: what learns; mover: what moves particles.
        taken: training steps since the beginning.
        setup: painting and name as they are now.
    """

    def __init__(self, script: Script, device: str, check: Callable[[], None]) -> None:
        self._script = script
        self._check = check
        self._cues = list(script.cues)
        self.taken = 0
        setup = script.initial
        self.setup: Setup = setup
        self.simulation = Simulation(setup, device=device)
        self.mover = Mover(device)

    def train_to(self, steps: int) -> None:
        """Train until `steps` steps have been taken, and do on the way what the script says."""
        while True:
            while self._cues and self._cues[0][0] <= self.taken:
                command = self._cues.pop(0)[1]
                self.simulation.apply(command)
                if isinstance(command, Repaint):
                    self.setup = replace(self.setup, weights=command.weights, name=command.name)
            if self.taken >= steps:
                break
            self._check()
            until = min([steps, self.taken + _CHUNK, *(at for at, _ in self._cues[:1])])
            self.simulation.train(until - self.taken)
            self.taken = until
            self.simulation.measure()
        self.simulation.events.clear()

    def move_to(self, step: int, steps: int) -> None:
        """Let the particles take `step` of `steps` steps of the longest pane; the first call releases them.

        A run may take other than the planned steps, where a ladder is cut to the noise levels that were learned: then
        it is the fraction that counts.
        """
        mover = self.mover
        if not mover.released:
            self.simulation.apply(Release())
            for event in self.simulation.events:
                if isinstance(event, Order):
                    mover.release(event)
        due = round(step * mover.steps / max(steps, 1))
        while (left := due - mover.steps + mover.left) > 0:
            self._check()
            if not mover.move(min(left, _CHUNK)):
                break

    def pace(self) -> Pace:
        """How the script's panes move, by the noise levels that the network learns at present.

        Raises:
            InputError: none of the panes can run.
        """
        fit, density = self.simulation.fit, self.simulation.density
        true = TrueScore(density, fit.kernel, fit.device)
        refused: list[InputError] = []
        paces: list[tuple[str, tuple[int, ...], tuple[float, ...]]] = []
        for pane in self._script.scene.panes:
            model: ScoreModel = true if pane.settings.source == "true" else fit
            settings, sampler = within(pane.settings, model), SAMPLERS[pane.sampler]
            try:
                levels, steps = sampler.levels(settings, model), sampler.steps(settings, model)
            except InputError as error:
                refused.append(error)
                continue
            if pane.sampler == "annealed":
                per_level = tuple(level.steps for level in noise_levels(settings))
            else:
                per_level = (1,) * steps if len(levels) > 1 else (steps,)
            paces.append((pane.sampler, per_level, levels))
        if not paces:
            raise refused[0]
        _, per_level, _ = max(paces, key=lambda pace: (sum(pace[1]), pace[0] == "annealed"))
        every = [sigma for _, _, levels in paces for sigma in levels]
        return Pace(per_level, max(every), min(every))

    def frame(self, moment: Moment, lattice: int) -> Frame:
        """The frame of a moment that has been reached, without what depends on the clock."""
        self.simulation.apply(Look(moment.sigma, lattice))
        # What is exported is never paused: it just does not go on.
        frame = self.simulation.frame(training=True)
        frame = joined(frame, self.mover.particles(moving=moment.phase == "move"))
        return replace(
            frame,
            seconds=0.0,
            steps_per_second=0.0,
            curve_seconds=np.zeros_like(frame.curve_seconds),
            error_seconds=np.zeros_like(frame.error_seconds),
        )

    def errors(self) -> dict[str, float]:
        """The relative Fisher error now, by noise level, as far as the network's own levels reach."""
        model, density = self.simulation.fit.snapshot(), self.simulation.density
        known = [sigma for sigma in ERROR_SIGMAS if model.sigma_min <= sigma <= model.sigma_max]
        return {f"{sigma:g}": float(FisherProbe(density, sigma).error(model)) for sigma in known}


_applications: list[object] = []


def offscreen() -> None:
    """Make sure that there is an application, one that needs no display unless a display is in use already."""
    from PySide6.QtWidgets import QApplication

    from explorer.app import make_application

    if QApplication.instance() is None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        # Kept for good: an application that is collected takes the loaded typeface with it.
        _applications.append(make_application(["score-explorer"]))


@contextmanager
def single_thread() -> Iterator[None]:
    """One thread for torch, as in the window's engine: the encoder has the rest of the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
