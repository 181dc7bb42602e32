"""Lines and ellipses as masks in [0, 1] on the cells of a painting, and how a drag makes regular ones.

A line is a stroke through its two ends. The outline of an ellipse is a stroke through points on it; a filled one covers
clip(1/2 - d, 0, 1) of a cell, d its centre's distance to the edge in cells (negative inside), to first order

    d = (|u| - 1) |u| / |grad|,   u = ((x - cx) / rx, (y - cy) / ry),   grad = (u_x / rx, u_y / ry) in cells.
"""

from __future__ import annotations

from math import cos, hypot, pi, sin

import numpy as np
from numpy.typing import NDArray

from explorer.brush import Brush
from explorer.paint.symmetry import Symmetry, covered

Point = tuple[float, float]
Mask = NDArray[np.float32]

_CORNERS = 48
"""Points on an ellipse that its outline is drawn through: the smooth curve leaves it by 0.2 % of its radius."""


def line_mask(brush: Brush, start: Point, end: Point, size: int, symmetry: Symmetry) -> Mask:
    """A straight stroke from start to end, and its images."""
    return covered(brush, ((*start, 1.0), (*end, 1.0)), size, symmetry)[0]


def ellipse_mask(brush: Brush, centre: Point, radii: Point, filled: bool, size: int, symmetry: Symmetry) -> Mask:
    """An ellipse with axes along x and y, and its images; its outline is as wide as the brush."""
    (cx, cy), (rx, ry) = centre, radii
    if not filled:
        angles = [2 * pi * k / _CORNERS for k in range(_CORNERS + 2)]  # the last ones close the curve smoothly
        points = tuple((cx + rx * cos(t), cy + ry * sin(t), 1.0) for t in angles)
        return covered(brush, points, size, symmetry)[0]
    cell = 2 / size
    rx, ry = max(rx, cell / 2), max(ry, cell / 2)
    axis = (np.arange(size) + 0.5) * cell - 1
    mask = np.zeros((size, size), np.float32)
    for a, b, c, d in symmetry.images():  # every image is its transpose's inverse: the maps are orthogonal
        x, y = axis[None, :], axis[:, None]
        ux, uy = (a * x + c * y - cx) / rx, (b * x + d * y - cy) / ry
        norm = np.sqrt(ux * ux + uy * uy)
        slope = np.sqrt(np.square(ux / rx) + np.square(uy / ry)) * cell
        away = (norm - 1) * norm / np.maximum(slope, 1e-12)
        np.maximum(mask, np.where(norm < 1e-9, 1.0, np.clip(0.5 - away, 0, 1)).astype(np.float32), out=mask)
    return mask


def straight(start: Point, end: Point) -> Point:
    """The end of the line at a multiple of 45 degrees that is nearest to `end`."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    if abs(dx) > 2.414 * abs(dy):
        return end[0], start[1]
    if abs(dy) > 2.414 * abs(dx):
        return start[0], end[1]
    side = (abs(dx) + abs(dy)) / 2
    return start[0] + (side if dx > 0 else -side), start[1] + (side if dy > 0 else -side)


def spanned(start: Point, end: Point, circle: bool) -> tuple[Point, Point]:
    """Centre and radii of the ellipse in the box of a drag; a circle about its start instead."""
    if circle:
        radius = hypot(end[0] - start[0], end[1] - start[1])
        return start, (radius, radius)
    centre = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    return centre, (abs(end[0] - start[0]) / 2, abs(end[1] - start[1]) / 2)
