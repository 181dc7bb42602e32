"""The edits of a document, and what an edit changed, as frozen data.

A command says what to do and holds nothing but values; `explorer.document.Document` applies it. The inverse of a
command that touches the painting is a `RestorePatch` of the cells that it changed, bit by bit; the inverse of one that
changes a setting is the same command with the value of before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.brush import Brush, Rect
from trainer.settings import FitSettings, ParticleSettings

Weights = NDArray[np.float32]


@dataclass(frozen=True)
class Stroke:
    """A stroke of the brush through mouse points (x, y, pressure) in the plane."""

    brush: Brush
    points: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Clear:
    """Empty the painting."""


@dataclass(frozen=True, eq=False)
class LoadPainting:
    """Replace the painting, by a preset or a picture: `weights` (SIZE, SIZE) >= 0, row 0 at the bottom."""

    weights: Weights
    name: str


@dataclass(frozen=True)
class ChangeFit:
    """Train with these settings."""

    settings: FitSettings


@dataclass(frozen=True)
class ChangeParticles:
    """Move particles with these settings."""

    settings: ParticleSettings


@dataclass(frozen=True)
class ChangeSeed:
    """Draw the network from this seed."""

    seed: int


@dataclass(frozen=True)
class ChangeParticleSeed:
    """Draw the particles' start and noise from this seed."""

    seed: int


@dataclass(frozen=True, eq=False)
class RestorePatch:
    """Set some cells of the painting, and its name: the inverse of every command that touches it.

    Attributes:
        cells: (k,) uint16, their indices row * SIZE + col.
        values: (k,) float32, what they become.
        name: what the painting is called then.
    """

    cells: NDArray[np.uint16]
    values: Weights
    name: str


Command = Stroke | Clear | LoadPainting | ChangeFit | ChangeParticles | ChangeSeed | ChangeParticleSeed | RestorePatch


def describe(command: Command) -> str:
    """The command as a menu names it after the word "Undo"."""
    match command:
        case Stroke(brush=brush):
            return "erasing" if brush.eraser else "stroke"
        case Clear():
            return "clear"
        case LoadPainting(name=name):
            return f"loading {name}"
        case ChangeFit():
            return "training settings"
        case ChangeParticles():
            return "particle settings"
        case ChangeSeed():
            return "training seed"
        case ChangeParticleSeed():
            return "particle seed"
        case RestorePatch():
            return "painting"


@dataclass(frozen=True)
class Change:
    """What differs from the moment before; several may hold at once.

    Attributes:
        rect: the cells of the painting that may differ; None if none does.
        live: a stroke is in progress; the next change that is not live tells that it has ended.
        name, fit, particles, seed, particle_seed: so does that field.
        history: what can be undone or redone, whether there is anything unsaved, or the file's path.
        opened: another document took this one's place; everything else is set as well.
    """

    rect: Rect | None = None
    live: bool = False
    name: bool = False
    fit: bool = False
    particles: bool = False
    seed: bool = False
    particle_seed: bool = False
    history: bool = False
    opened: bool = False
