"""The tool box: which tool is in hand, and how it is set. Canvas, strip and drawer page share one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from explorer.brush import Brush
from explorer.paint.symmetry import NONE, Symmetry
from trainer.errors import InputError

SMALLEST, LARGEST = 0.01, 0.6
"""The radii that keys, wheel and slider reach, in units of the plane."""

_FAINTEST, _LIGHTEST = 0.05, 0.01


class ToolSpec(NamedTuple):
    """One tool: its name, words, letter, and what it does in one line."""

    name: str
    title: str
    key: str
    tip: str


TOOLS = (
    ToolSpec("brush", "Brush", "B", "Paint: adds mass; Shift takes it away"),
    ToolSpec("eraser", "Eraser", "E", "Erase: takes mass away; Shift adds it"),
    ToolSpec("line", "Line", "L", "Drag from end to end; Shift keeps to 45 degrees"),
    ToolSpec("ellipse", "Ellipse", "O", "Drag from corner to corner; Shift draws a circle about its centre"),
    ToolSpec("fill", "Fill", "F", "Fill the region under the pointer to the strength; Shift empties it"),
    ToolSpec("gaussian", "Gaussian", "G", "Click to place a Gaussian; drag its handles to shape it"),
    ToolSpec("stamp", "Stamp", "A", "Stamp a text or a picture; Shift takes it away"),
    ToolSpec("smooth", "Smooth", "M", "Blur under the brush"),
    ToolSpec("select", "Select", "V", "Drag a region, drag it elsewhere, Delete empties it"),
)
"""Every tool, in the order of the palette."""

PAINTING = ("brush", "eraser")

WEIGHED = ("brush", "eraser", "line", "ellipse", "fill", "gaussian", "stamp")
"""The tools whose strength can be a share of the mass."""

_FIRST_SHARE = 0.1
"""The strength when it is a share of the mass for the first time."""


@dataclass(frozen=True, eq=False)
class Picture:
    """What the stamp holds: `weights` (rows, cols) in [0, 1], row 0 at the bottom, and what it is called."""

    weights: NDArray[np.float32]
    name: str


@dataclass(frozen=True)
class ToolOptions:
    """How the tools are set.

    Attributes:
        tool: the name of the one in hand.
        brush: radius and strength of all that paints; an eraser exactly while the tool is one. What is smoothed has no
            share of the mass: its strength is that of the blur either way.
        symmetry: what is drawn with every stroke, line and ellipse.
        filled: whether ellipses are.
        tolerance: how much a filled cell may differ from the one pointed at, of 1.
        softness: the standard deviation of smoothing, in units of the plane.
        stamp: the picture or text, None before one is chosen.
        stamp_width: its longer side, in units of the plane.
        lasso: whether selecting follows the pointer; a rectangle otherwise.
        masses: whether the canvas names each region's share of the mass.

    Raises:
        InputError: a value out of range.
    """

    tool: str = "brush"
    brush: Brush = field(default_factory=Brush)
    symmetry: Symmetry = NONE
    filled: bool = True
    tolerance: float = 0.1
    softness: float = 0.03
    stamp: Picture | None = None
    stamp_width: float = 0.8
    lasso: bool = False
    masses: bool = True

    @property
    def weighing(self) -> bool:
        """Whether the strength of the tool in hand is a share of the mass."""
        return self.brush.by_mass and self.tool in WEIGHED

    def __post_init__(self) -> None:
        for name, low, high in (("tolerance", 0.0, 1.0), ("softness", 0.005, 0.5), ("stamp_width", 0.05, 2.0)):
            value = getattr(self, name)
            if isinstance(value, str) or not low <= value <= high:
                raise InputError(f"{name}: {value!r:.40} is out of range; give a number from {low:g} to {high:g}")


class ToolKit(QObject):
    """Holds the options, the chosen component and the selected cells, and says when they change."""

    changed = Signal(object)
    """The `ToolOptions` as they are now."""
    component_chosen = Signal(object)
    """The index of the chosen component, or None."""
    select_all = Signal()
    """Everything is to be selected."""
    delete_wanted = Signal()
    """What is chosen or selected is to be deleted."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._options = ToolOptions()
        self._component: int | None = None
        self._other_strength = _FIRST_SHARE

    @property
    def options(self) -> ToolOptions:
        """How the tools are set now."""
        return self._options

    @property
    def brush(self) -> Brush:
        """Radius and strength, and whether it takes away."""
        return self._options.brush

    def set(self, **values: Any) -> None:  # noqa: ANN401 - fields of ToolOptions
        """Set some options.

        Raises:
            InputError: a value out of range; nothing is set.
        """
        options = self._with_strength(replace(self._options, **values))
        if options.tool in PAINTING and "brush" not in values:
            options = replace(options, brush=replace(options.brush, eraser=options.tool == "eraser"))
        elif "brush" in values and options.tool in PAINTING:
            options = replace(options, tool="eraser" if options.brush.eraser else "brush")
        elif options.brush.eraser:
            options = replace(options, brush=replace(options.brush, eraser=False))
        if options != self._options:
            self._options = options
            self.changed.emit(options)

    def _with_strength(self, options: ToolOptions) -> ToolOptions:
        """Bring back the strength of the other kind with it: six tenths of what is missing are no share of the mass."""
        brush, before = options.brush, self._options.brush
        if brush.by_mass == before.by_mass or brush.strength != before.strength:
            return options
        options = replace(options, brush=replace(brush, strength=self._other_strength))
        self._other_strength = before.strength
        return options

    def weigh(self, on: bool) -> None:
        """Make the strength a share of the mass, or a flow again."""
        self.set(brush=replace(self.brush, by_mass=on))

    def take(self, tool: str) -> None:
        """Take a tool in hand."""
        self.set(tool=tool)

    def resize(self, factor: float) -> None:
        """Make the brush larger or smaller."""
        self.set(brush=replace(self.brush, radius=min(max(self.brush.radius * factor, SMALLEST), LARGEST)))

    def strengthen(self, amount: float) -> None:
        """Add to the strength."""
        least = _LIGHTEST if self.brush.by_mass else _FAINTEST
        strength = min(max(round(self.brush.strength + amount, 2), least), 1.0)
        self.set(brush=replace(self.brush, strength=strength))

    @property
    def component(self) -> int | None:
        """The index of the chosen Gaussian component."""
        return self._component

    def choose(self, component: int | None) -> None:
        """Choose a component, or none."""
        if component != self._component:
            self._component = component
            self.component_chosen.emit(component)
