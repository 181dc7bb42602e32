"""What every painting command makes of the paint: one function, used for a finished step and for its preview."""

from __future__ import annotations

import math

import numpy as np

from explorer.brush import lay
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


def painted(command: PaintCommand, paint: Weights, weights: Weights) -> Weights:
    """The paint (n, n) after a command; `weights` is the composite, which a fill goes by. Neither is written to."""
    size = len(paint)
    match command:
        case Stroke(brush, points, symmetry):
            mask, rect = covered(brush, points, size, symmetry)
            result = paint.copy()
            if rect is not None:
                result[rect.slices] = lay(paint[rect.slices], mask[rect.slices], brush)
            return result
        case Line(brush, start, end, symmetry):
            return lay(paint, line_mask(brush, start, end, size, symmetry), brush)
        case Ellipse(brush, centre, radii, filled, symmetry):
            return lay(paint, ellipse_mask(brush, centre, radii, filled, size, symmetry), brush)
        case Fill(at, level, tolerance):
            col, row = (min(max(math.floor((value + 1) * size / 2), 0), size - 1) for value in at)
            return np.where(flooded(weights, row, col, tolerance), np.float32(level), paint)
        case Stamp(picture, centre, width, brush, _):
            return lay(paint, stamp_mask(picture, centre, width, size), brush)
        case Smooth(width, brush, points, symmetry):
            soft = smoothed(paint, width)
            if not points:
                return soft
            return blended(paint, soft, covered(brush, points, size, symmetry)[0], brush.strength)
        case MoveCells(cells, rows, cols, origin):
            same = origin is not None and origin.shape == paint.shape
            return moved(origin if same and origin is not None else paint, cells, rows, cols)
        case DeleteCells(cells):
            result = paint.copy()
            result.reshape(-1)[cells] = 0
            return result


def blended(paint: Weights, soft: Weights, mask: Weights, strength: float) -> Weights:
    """Between the paint and its smooth image, as far as the mask says; any one shape."""
    return paint + np.float32(strength) * mask * (soft - paint)
