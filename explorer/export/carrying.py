"""The session that a film or picture carries: the run as it is at the film's end.

A film of a whole project ends as the project does, and carries it as it was saved, Gaussians and all. Any other film
(of a preset, of fewer steps, by another seed) carries the run that it shows: what it began with, what was done at which
step, and the network at the end. So a film opens as what its last picture shows.

`explorer.recipe.Recorder` writes the recipe down, as it does beside a window: a fresh network begins a fresh recipe.
"""

from __future__ import annotations

import platform
from dataclasses import replace

import numpy as np
import torch

from explorer.engine.messages import Applied, Ready, Release, Reset
from explorer.export.replay import Script
from explorer.export.run import Run
from explorer.recipe import Recipe, Recorder, same_network
from trainer.projects import Project, project_bytes


class Carried:
    """What one export puts into its file. `size` is the number of bytes asked for so far, 0 if none are wanted."""

    def __init__(self, script: Script, run: Run, wanted: bool) -> None:
        self._script, self._run, self._wanted = script, run, wanted
        self.size = 0

    def project_bytes(self) -> bytes:
        """The project as a file's bytes; empty when none is wanted. Ask when the run has come to its end."""
        if not self._wanted:
            return b""
        project = project_at_end(self._script, self._run)
        data = project_bytes(project)
        self.size = len(data)
        return data


def project_at_end(script: Script, run: Run) -> Project:
    """The session of a script that has been run to its end and whose particles have been released."""
    known, simulation = script.project, run.simulation
    if known is not None and script.complete and known.network is not None:
        return known
    recorder = Recorder(Recipe(script.initial))
    began = 0  # how many steps had been taken when the network was drawn that learns now
    for at, command in script.cues:
        before = recorder.setup.fit
        recorder.take(Applied(at - began, command))
        if isinstance(command, Reset) or not same_network(recorder.setup.fit, before):
            began = at
    step = simulation.fit.step
    recorder.take(Applied(step, Release()))
    facts = {"torch": str(torch.__version__), "python": platform.python_version(), "system": platform.platform(),
             "dtype": "float32", "threads": str(torch.get_num_threads())}  # fmt: skip
    recorder.take(Ready(simulation.fit.device_name, facts))
    setup = recorder.setup
    if known is not None:
        # A recipe follows neither when to stop nor the race, and knows Gaussians only as what is painted.
        setup = replace(setup, stop=known.setup.stop, race=known.setup.race)
        if np.array_equal(setup.weights, known.setup.weights):
            setup = replace(setup, components=known.setup.components, paint=known.setup.paint)
    simulation.fit.seconds = 0.0  # a film is made at any speed, and the same film has the same bytes
    return recorder.recipe(step).to_project(setup, script.sigma, simulation.state())
