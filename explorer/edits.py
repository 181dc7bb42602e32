"""The edits of a document, and what an edit changed, as frozen data.

A command says what to do and holds nothing but values; `explorer.document.Document` applies it. Tools paint on the
**paint**; the painting is the composite of the paint and the Gaussian components. The inverse of a command that touches
the painting is a `RestorePatch` of the cells that it changed, bit by bit (a `RestorePainting` where their number
changed); the inverse of one that changes a setting is the same command with the value of before.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from explorer.brush import Brush, Rect
from explorer.paint.symmetry import NONE, Symmetry
from trainer.components import Component
from trainer.plans import RaceSettings, StopSettings
from trainer.scenes import Scene
from trainer.settings import FitSettings

Weights = NDArray[np.float32]
Point = tuple[float, float]


@dataclass(frozen=True)
class Stroke:
    """A stroke of the brush through mouse points (x, y, pressure) in the plane, and its images."""

    brush: Brush
    points: tuple[tuple[float, float, float], ...]
    symmetry: Symmetry = NONE


@dataclass(frozen=True)
class Line:
    """A straight stroke, and its images."""

    brush: Brush
    start: Point
    end: Point
    symmetry: Symmetry = NONE


@dataclass(frozen=True)
class Ellipse:
    """An ellipse with axes along x and y, filled or drawn with the brush, and its images."""

    brush: Brush
    centre: Point
    radii: Point
    filled: bool = True
    symmetry: Symmetry = NONE


@dataclass(frozen=True)
class Fill:
    """Set the cells that hang together with the one at `at`, and differ from it by `tolerance` at most, to `level`.

    Attributes:
        at, level, tolerance: see above.
        brush: one by mass adds or takes its share of the mass, evenly over these cells; `level` is then nothing.
    """

    at: Point
    level: float = 1.0
    tolerance: float = 0.1
    brush: Brush | None = None


@dataclass(frozen=True, eq=False)
class Stamp:
    """Lay a picture (rows, cols) in [0, 1], row 0 at the bottom, onto the paint.

    Attributes:
        picture: what is stamped.
        centre, width: where, and its longer side, in units of the plane.
        brush: its strength, and whether it takes away.
        name: for the menu: "stamping text".
    """

    picture: Weights
    centre: Point
    width: float
    brush: Brush = field(default_factory=Brush)
    name: str = "stamp"


@dataclass(frozen=True)
class Smooth:
    """Blur with a Gaussian of standard deviation `width`, under a stroke and its images; everywhere without points."""

    width: float
    brush: Brush = field(default_factory=Brush)
    points: tuple[tuple[float, float, float], ...] = ()
    symmetry: Symmetry = NONE


@dataclass(frozen=True, eq=False)
class MoveCells:
    """Lift some cells of the paint and put them down elsewhere.

    Attributes:
        cells: (k,) uint16, their indices row * size + col.
        rows, cols: how far up and to the right.
        origin: the paint that they are lifted from, if it is not the present one: what floats is carried on.
    """

    cells: NDArray[np.uint16]
    rows: int
    cols: int
    origin: Weights | None = None


@dataclass(frozen=True, eq=False)
class DeleteCells:
    """Empty some cells of the paint, given by their indices row * size + col."""

    cells: NDArray[np.uint16]


@dataclass(frozen=True)
class ChangeComponents:
    """Have these Gaussian components. `text` names the step: "moving a Gaussian"."""

    components: tuple[Component, ...]
    text: str = "Gaussians"


@dataclass(frozen=True)
class Resize:
    """Paint on this many cells along each side; the mass stays where it is."""

    size: int


@dataclass(frozen=True)
class Clear:
    """Empty the painting."""


@dataclass(frozen=True, eq=False)
class LoadPainting:
    """Replace the painting, by a preset or a picture: `weights` (n, n) >= 0, row 0 at the bottom, n from 32 to 256."""

    weights: Weights
    name: str


@dataclass(frozen=True)
class ChangeFit:
    """Train with these settings."""

    settings: FitSettings


@dataclass(frozen=True)
class ChangeScene:
    """Move particles in these panes, from this start."""

    scene: Scene


@dataclass(frozen=True)
class ChangeStop:
    """Pause training by itself when one of these is reached."""

    settings: StopSettings


@dataclass(frozen=True)
class ChangeRace:
    """Let these ways to learn race each other."""

    settings: RaceSettings


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
    """Set some cells of the paint, the components and the name: the inverse of commands that touch the painting.

    Attributes:
        cells: (k,) uint16, their indices row * size + col; 256 x 256 cells just fit.
        values: (k,) float32, what they become.
        name: what the painting is called then.
        components: which there are then.
    """

    cells: NDArray[np.uint16]
    values: Weights
    name: str
    components: tuple[Component, ...] = ()


@dataclass(frozen=True, eq=False)
class RestorePainting:
    """Have this paint (n, n), these components and this name: the inverse where the number of cells changed."""

    paint: Weights
    name: str
    components: tuple[Component, ...] = ()


PaintCommand = Stroke | Line | Ellipse | Fill | Stamp | Smooth | MoveCells | DeleteCells
"""What changes the paint alone, by a tool."""

Command = (
    PaintCommand
    | ChangeComponents
    | Resize
    | Clear
    | LoadPainting
    | ChangeFit
    | ChangeScene
    | ChangeSeed
    | ChangeParticleSeed
    | ChangeStop
    | ChangeRace
    | RestorePatch
    | RestorePainting
)

_NAMES: dict[type, str] = {
    Line: "line",
    Fill: "fill",
    MoveCells: "moving the selection",
    DeleteCells: "deleting the selection",
    Clear: "clear",
    ChangeFit: "training settings",
    ChangeScene: "panes",
    ChangeStop: "stop conditions",
    ChangeRace: "race",
    ChangeSeed: "training seed",
    ChangeParticleSeed: "particle seed",
    RestorePatch: "painting",
    RestorePainting: "painting",
}


def describe(command: Command) -> str:
    """The command as a menu names it after the word "Undo"."""
    match command:
        case Stroke(brush=brush):
            return "erasing" if brush.eraser else "stroke"
        case Ellipse(radii=(rx, ry)):
            return "circle" if rx == ry else "ellipse"
        case Stamp(name=name):
            return f"stamping {name}"
        case Smooth(points=points):
            return "smoothing" if points else "smoothing the painting"
        case ChangeComponents(text=text):
            return text
        case Resize(size=size):
            return f"{size} x {size} cells"
        case LoadPainting(name=name):
            return f"loading {name}"
    return _NAMES[type(command)]


@dataclass(frozen=True)
class Change:
    """What differs from the moment before; several may hold at once.

    Attributes:
        rect: the cells of the painting that may differ; None if none does.
        live: something is being drawn or dragged; the next change that is not live tells that it has ended.
        size: the painting has another number of cells; `rect` is then all of them.
        components: it has other Gaussian components, or other paint beneath them that does not show.
        name, fit, scene, seed, particle_seed, stop, race: so does that field.
        history: what can be undone or redone, whether there is anything unsaved, or the file's path.
        opened: another document took this one's place; everything else is set as well.
    """

    rect: Rect | None = None
    live: bool = False
    size: bool = False
    components: bool = False
    name: bool = False
    fit: bool = False
    scene: bool = False
    seed: bool = False
    particle_seed: bool = False
    stop: bool = False
    race: bool = False
    history: bool = False
    opened: bool = False
