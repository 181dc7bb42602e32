"""What every painting command makes of the paint: one function, used for a finished step and for its preview.

A command whose brush paints by mass changes the masses of the components too; `applied` gives both.
"""

from __future__ import annotations

import math

import numpy as np

from explorer.brush import Brush, lay
from explorer.edits import (
    DeleteCells,
    Ellipse,
    Fill,
    Line,
    MoveCells,
    PaintCommand,
    Smooth,
    Stamp,
    Stroke,
    Weights,
)
from explorer.paint.cells import moved, stamp_mask
from explorer.paint.regions import flooded
from explorer.paint.shapes import ellipse_mask, line_mask
from explorer.paint.smoothing import smoothed
from explorer.paint.symmetry import covered
from explorer.paint.weighing import Components, weighed


def applied(
    command: PaintCommand, paint: Weights, weights: Weights, components: Components = ()
) -> tuple[Weights, Components]:
    """The paint (n, n) and the components after a command; `weights` is the composite, which a fill goes by."""
    size = len(paint)

    def drawn(brush: Brush, mask: Weights) -> tuple[Weights, Components]:
        return weighed(paint, components, mask, brush) if brush.by_mass else (lay(paint, mask, brush), components)

    match command:
        case Stroke(brush, points, symmetry):
            mask, rect = covered(brush, points, size, symmetry)
            if rect is None or brush.by_mass:
                return drawn(brush, mask)
            result = paint.copy()
            result[rect.slices] = lay(paint[rect.slices], mask[rect.slices], brush)
            return result, components
        case Line(brush, start, end, symmetry):
            return drawn(brush, line_mask(brush, start, end, size, symmetry))
        case Ellipse(brush, centre, radii, filled, symmetry):
            return drawn(brush, ellipse_mask(brush, centre, radii, filled, size, symmetry))
        case Fill(at, level, tolerance, brush):
            col, row = (min(max(math.floor((value + 1) * size / 2), 0), size - 1) for value in at)
            found = flooded(weights, row, col, tolerance)
            if brush is not None:
                return weighed(paint, components, found.astype(np.float32), brush)
            return np.where(found, np.float32(level), paint), components
        case Stamp(picture, centre, width, brush, _):
            return drawn(brush, stamp_mask(picture, centre, width, size))
        case Smooth(width, brush, points, symmetry):
            soft = smoothed(paint, width)
            if not points:
                return soft, components
            return blended(paint, soft, covered(brush, points, size, symmetry)[0], brush.strength), components
        case MoveCells(cells, rows, cols, origin):
            same = origin is not None and origin.shape == paint.shape
            return moved(origin if same and origin is not None else paint, cells, rows, cols), components
        case DeleteCells(cells):
            result = paint.copy()
            result.reshape(-1)[cells] = 0
            return result, components


def painted(command: PaintCommand, paint: Weights, weights: Weights) -> Weights:
    """The paint (n, n) after a command where there are no components. Neither array is written to."""
    return applied(command, paint, weights)[0]


def blended(paint: Weights, soft: Weights, mask: Weights, strength: float) -> Weights:
    """Between the paint and its smooth image, as far as the mask says; any one shape."""
    return paint + np.float32(strength) * mask * (soft - paint)
