"""A release, as it travels from the process that learns to the one that moves particles: plain values and arrays.

The learner writes an order at a step number, with the weights of that step in it; from there on nothing that the
learner does touches the particles. Neither torch nor Qt.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from explorer.engine.frames import Array
from trainer.scenes import Scene
from trainer.settings import FitSettings


@dataclass(frozen=True)
class Frozen:
    """A learned score of one training step, but for the painting that it was learned from.

    Attributes:
        settings, seed, step: of the run that made it.
        mean, scale: what the network's inputs are centred and divided by.
        sigma_max, sigma_min: the ends of the noise levels that it was trained on.
        weights: (count,), the averaged weights.
    """

    settings: FitSettings
    seed: int
    step: int
    mean: tuple[float, float]
    scale: float
    sigma_max: float
    sigma_min: float
    weights: Array = field(repr=False)


@dataclass(frozen=True)
class Order:
    """Release these particles.

    Attributes:
        scene, seed: the panes and their start; seed of start and noise.
        painting: (rows, cols), what was learned, row 0 at the bottom; revision: the document's, of it.
        learned: the score of the panes that run on the learned one.
        automatic: whether nobody asked for it, so that held particles stay held.
        era: counts documents, as in `Begin`.
    """

    scene: Scene
    seed: int
    painting: Array = field(repr=False)
    revision: int
    learned: Frozen
    automatic: bool = False
    era: int = 0


@dataclass(frozen=True)
class ReleaseWanted:
    """Particles are to move, and none are left that could: the learner is asked for an order."""
