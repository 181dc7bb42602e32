"""What a document holds: one `Setup`, read by the names of its parts.

This file imports neither Qt nor torch.
"""

from __future__ import annotations

from explorer.edits import Weights
from trainer.components import Component
from trainer.plans import RaceSettings, StopSettings
from trainer.projects import Setup
from trainer.scenes import Scene
from trainer.settings import FitSettings


class Holding:
    """A setup as a person sees it."""

    _setup: Setup

    @property
    def weights(self) -> Weights:
        """(n, n) float32 in [0, 1], read-only, row 0 at the bottom; shows a stroke while it is drawn."""
        return self._setup.weights

    @property
    def size(self) -> int:
        """Cells along each side of the painting."""
        return len(self._setup.weights)

    @property
    def paint(self) -> Weights:
        """(n, n) float32 in [0, 1], read-only: the painting without its components."""
        return self._setup.weights if self._setup.paint is None else self._setup.paint

    @property
    def components(self) -> tuple[Component, ...]:
        """The Gaussian components of the painting."""
        return self._setup.components

    @property
    def name(self) -> str:
        """What is painted, for captions: a preset or a file, or `OWN`."""
        return self._setup.name

    @property
    def fit(self) -> FitSettings:
        """The settings of training."""
        return self._setup.fit

    @property
    def scene(self) -> Scene:
        """The panes of particles and their start."""
        return self._setup.scene

    @property
    def stop(self) -> StopSettings:
        """When training pauses by itself."""
        return self._setup.stop

    @property
    def race(self) -> RaceSettings:
        """What else learns the same painting."""
        return self._setup.race

    @property
    def seed(self) -> int:
        """What the network is drawn from."""
        return self._setup.seed

    @property
    def particle_seed(self) -> int:
        """What the particles' start and noise are drawn from."""
        return self._setup.particle_seed

    @property
    def setup(self) -> Setup:
        """All of the above as one value: what a recipe starts from and a project keeps."""
        return self._setup
