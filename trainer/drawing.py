r"""Shapes into weights: strokes, arcs, spirals, ellipses and boxes, drawn with smooth edges on a grid of cells.

A drawing is data (the files in `assets/presets`): a list of shapes, each an object with

* `shape`: "stroke" (`points`), "arc" (`centre`, `radius`, `angles`), "spiral" (`centre`, `radii`, `angles`), "ellipse"
  (`centre`, `radii`) or "box" (`low`, `high`); `angles` and a spiral's `radii` are [first, last];
* `width`: for lines, the full thickness: a number, or a list of Bernstein coefficients, so that [0, 0.2, 0] tapers to a
  point at both ends and is half as thick as its middle number at the middle;
* `shade`: brightness, 1 unless given;  `mass`: the share of the drawing's total, instead of a shade;
* `copies`: drawn that many times, turned about the origin by equal angles.

The coverage of a cell falls from 1 to 0 over one cell at the edge of a shape: clip(1/2 - d / cell, 0, 1) for the signed
distance d of its centre. Lengths are in units of the plane; angles are degrees, anticlockwise from the x axis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Shape = Mapping[str, Any]

_BEND = 5.0
"""Degrees per straight piece of an arc: off by 0.001 at radius 1, a tenth of a cell."""


def draw(shapes: Sequence[Shape], size: int) -> Array:
    """The weights of a drawing, shape (size, size), row 0 at the bottom.

    Where shapes overlap the brighter counts. Shapes with a `mass` are scaled so that their sums stand in these
    proportions; then all of a drawing's shapes must have one.
    """
    weights = np.zeros((size, size))
    for item in shapes:
        cover = np.zeros((size, size))
        copies = int(item.get("copies", 1))
        for k in range(copies):
            np.maximum(cover, np.clip(0.5 - _distance(item, 2 * np.pi * k / copies, size), 0, 1), out=cover)
        if "mass" in item:
            weights += item["mass"] * cover / cover.sum()
        else:
            np.maximum(weights, item.get("shade", 1.0) * cover, out=weights)
    return weights


def _distance(item: Shape, turn: float, size: int) -> Array:
    """Signed distance of every cell centre to a shape turned about the origin, in cells, negative inside."""
    axis = (2 * np.arange(size) + 1) / size - 1
    if item["shape"] not in ("ellipse", "box"):
        line = _line(item)
        t = np.linspace(0, 1, len(line))
        thickness = np.atleast_1d(np.asarray(item["width"], dtype=np.float64))
        n = len(thickness) - 1
        width = sum(comb(n, k) * t**k * (1 - t) ** (n - k) * thickness[k] for k in range(n + 1))
        return _distance_to_line(line @ _turned(turn).T, np.asarray(width), axis) * (size / 2)
    x, y = _turned(-turn) @ np.stack(np.meshgrid(axis, axis)).reshape(2, -1)
    if item["shape"] == "box":
        (x0, y0), (x1, y1) = item["low"], item["high"]
        away = np.maximum(np.maximum(x0 - x, x - x1), np.maximum(y0 - y, y - y1))
    else:
        (cx, cy), (rx, ry) = item["centre"], item["radii"]
        away = (np.hypot((x - cx) / rx, (y - cy) / ry) - 1) * min(rx, ry)
    return away.reshape(size, size) * (size / 2)


def _line(item: Shape) -> Array:
    """The points of a stroke, arc or spiral, shape (K, 2)."""
    if item["shape"] == "stroke":
        return np.asarray(item["points"], dtype=np.float64)
    first, last = item["angles"]
    inner, outer = item["radii"] if item["shape"] == "spiral" else (item["radius"], item["radius"])
    pieces = max(1, int(np.ceil(abs(last - first) / _BEND)))
    angle, radius = np.radians(np.linspace(first, last, pieces + 1)), np.linspace(inner, outer, pieces + 1)
    return np.asarray(item["centre"]) + radius[:, None] * np.stack((np.cos(angle), np.sin(angle)), axis=1)


def _turned(angle: float) -> Array:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _distance_to_line(line: Array, width: Array, axis: Array) -> Array:
    """Distance to the nearest point of a polyline less half its width there; infinity where no piece is near."""
    cell = axis[1] - axis[0] if len(axis) > 1 else 2.0
    least = np.full((len(axis), len(axis)), np.inf)
    for (x0, y0), (x1, y1), w0, w1 in zip(line[:-1], line[1:], width[:-1], width[1:], strict=True):
        margin = max(w0, w1) / 2 + cell
        col = slice(*np.searchsorted(axis, (min(x0, x1) - margin, max(x0, x1) + margin)))
        row = slice(*np.searchsorted(axis, (min(y0, y1) - margin, max(y0, y1) + margin)))
        dx, dy = axis[None, col] - x0, axis[row, None] - y0
        ex, ey = x1 - x0, y1 - y0
        t = np.clip((dx * ex + dy * ey) / (ex * ex + ey * ey), 0, 1)
        away = np.hypot(dx - t * ex, dy - t * ey) - 0.5 * (w0 + t * (w1 - w0))
        np.minimum(least[row, col], away, out=least[row, col])
    return least
