"""What films and pictures share: a simulation on its way along a script, what is said under it, and an unseen Qt.

The simulation computes what the window's engine computes, from the same commands at the same steps, so a film of a
project is a film of what happened there. Nothing in a picture depends on the clock: seconds and rates, which a frame
carries for live viewing, are taken out before it is drawn.

torch is imported before Qt, because not every system can load it afterwards; Qt draws without a display.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from types import TracebackType

import numpy as np
import torch

from explorer import __version__
from explorer.engine.messages import ERROR_SIGMAS, PANES, Array, Frame, Look, Modes, Release, Repaint
from explorer.engine.simulation import Simulation
from explorer.export.replay import Script
from explorer.export.request import ExportRequest
from explorer.export.timeline import Moment
from explorer.numbers import three
from trainer.metrics import FisherProbe

SEPARATOR = "  ·  "
"""Between facts."""

_CHUNK = 25
"""Steps between two looks at whether the export was cancelled."""

_OBJECTIVES = {"dsm": "denoising score matching"}
_TARGETS = {"pooled": "pooled targets", "single": "one-draw targets"}


class Run:
    """A script's simulation, at some number of training steps since the beginning."""

    def __init__(self, script: Script, device: str, check: Callable[[], None]) -> None:
        self._script = script
        self._check = check
        self._cues = list(script.cues)
        self._taken = 0
        setup = script.initial
        self.weights: Array = setup.weights
        self.simulation = Simulation(
            setup.weights,
            setup.name,
            setup.fit,
            setup.particles,
            setup.seed,
            setup.particle_seed,
            device=device,
        )

    def train_to(self, steps: int) -> None:
        """Train until `steps` steps have been taken, and do on the way what the script says."""
        while True:
            while self._cues and self._cues[0][0] <= self._taken:
                command = self._cues.pop(0)[1]
                self.simulation.apply(command)
                if isinstance(command, Repaint):
                    self.weights = command.weights
            if self._taken >= steps:
                break
            self._check()
            until = min([steps, self._taken + _CHUNK, *(at for at, _ in self._cues[:1])])
            self.simulation.train(until - self._taken)
            self._taken = until
            self.simulation.measure()
        self.simulation.events.clear()

    def move_to(self, step: int) -> None:
        """Let the particles take steps until they have taken `step`; the first call releases them."""
        if not self.simulation.released:
            self.simulation.apply(Release())
        while (left := step - self.simulation.moving_steps + self.simulation.moving_left) > 0:
            self._check()
            self.simulation.move(min(left, _CHUNK))

    def frame(self, moment: Moment, lattice: int) -> Frame:
        """The frame of a moment that has been reached, without what depends on the clock."""
        self.simulation.apply(Look(moment.sigma, lattice))
        frame = self.simulation.frame(training=moment.phase == "train", moving=moment.phase == "move")
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


def facts(moment: Moment, frame: Frame) -> str:
    """What belongs under a picture, the most important last."""
    objective = f"{_OBJECTIVES[frame.objective]}, {_TARGETS[frame.target]}"
    step = f"step {frame.step:,}"
    if moment.phase == "train":
        draws = f"{frame.draws / 1e6:.1f} million draws" if frame.draws >= 1e6 else f"{frame.draws:,} draws"
        return SEPARATOR.join((draws, objective, f"seed {frame.seed}", f"σ {three(frame.sigma)}", step))
    source = f"score learned by {objective}, {step}" if frame.particle_source == "learned" else "true score"
    number = f"{frame.panes.shape[1]:,} particles, same start, same noise"
    level = f"annealed at σ {three(frame.particle_sigma)}"
    moved = f"t {frame.particle_step:,} of {frame.particle_steps:,}"
    return SEPARATOR.join((number, source, f"seed {frame.seed}", level, moved))


def ledger_values(modes: Modes | None) -> dict[str, object]:
    """The ledger as plain values: by pane, each mode's centre, true mass, share and band, and "elsewhere"."""
    if modes is None:
        return {}
    rounded = {name: np.asarray(getattr(modes, name), dtype=float).round(6).tolist() for name in (f.name for f in fields(Modes))}
    return {
        pane: {
            "modes": [
                {
                    "centre": rounded["centres"][m],
                    "mass": rounded["mass"][m],
                    "share": rounded["share"][k][m],
                    "low": rounded["low"][k][m],
                    "high": rounded["high"][k][m],
                }
                for m in range(len(modes.mass))
            ],
            "elsewhere": rounded["elsewhere"][k],
        }
        for k, pane in enumerate(PANES)
    }


def provenance(request: ExportRequest, script: Script, simulation: Simulation) -> str:
    """What a picture or film was made from, as JSON; without names of files and without the time."""
    setup = script.initial
    size, fps = request.format()
    return json.dumps(
        {
            "program": f"Score Explorer {__version__}",
            "painting": setup.name,
            "seed": setup.seed,
            "particle_seed": setup.particle_seed,
            "steps": script.steps,
            "fit": setup.fit.to_json(),
            "particles": script.particles.to_json(),
            "changes": len(script.cues),
            "film": {"size": size, "fps": fps, "seconds": request.seconds, "theme": request.theme},
            "device": simulation.fit.device_name,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        separators=(",", ":"),
    )


@contextmanager
def offscreen() -> Iterator[None]:
    """An application that needs no display; an error inside a paint event, which Qt cannot pass on, is raised here.

    PySide hands an exception that leaves an overridden method to `sys.excepthook` and goes on.
    """
    from PySide6.QtWidgets import QApplication

    from explorer.app import make_application

    application = QApplication.instance()
    if application is None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        application = make_application(["score-explorer"])
    lost: list[BaseException] = []

    def note(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        lost.append(error)

    before, sys.excepthook = sys.excepthook, note
    try:
        yield
    finally:
        sys.excepthook = before
    if lost:
        raise lost[0]


@contextmanager
def single_thread() -> Iterator[None]:
    """One thread for torch, as in the window's engine: the encoder has the rest of the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
