"""A height field drawn as a shaded surface, by numpy alone.

The camera looks from azimuth a and elevation e, without perspective. Turned by a, the field's columns run away from the
eye, so that every column of pixels shows one line of the field: depth d in [-1, 1] and height z lie at

    v = d sin e + z cos e      above the middle,  in half widths of the ground's square over `REACH`.

From the front to the back the **horizon** of a column, the largest v so far, only rises; a pixel shows the first depth
at which the horizon reaches it. How many depths' horizons lie below a pixel is a histogram of horizons, summed upwards:
no sorting, no triangles, no loop over pixels.

Light falls from the upper left in front; contour lines run at equal heights. Pixels that show nothing are transparent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.views.streamlines import sample

Floats = NDArray[np.float32]

REACH = 1.45
"""Half the picture's side, over half the side of the ground's square: its diagonal fits at every azimuth."""

LEVELS = 10
"""Contour lines between the lowest and the highest value."""

HEIGHT = 0.9
"""The highest value, over half the side of the ground's square."""


@dataclass(frozen=True)
class Relief:
    """A surface as seen: (S, S) each, row 0 at the top; nan where the picture shows no surface.

    Attributes:
        x, y: where on the ground, in [-1, 1].
        z: the height, in [0, 1].
        light: from 0 (away from it) to 1.
        contour: how much of a contour line lies on the pixel, 0 to 1.
    """

    x: Floats
    y: Floats
    z: Floats
    light: Floats
    contour: Floats


def relief(heights: NDArray[np.floating], azimuth: float, elevation: float, size: int) -> Relief:
    """See a height field (n, n) in [0, 1], row 0 at y = -1, from `azimuth` and `elevation` in radians, on S = `size`.

    At azimuth 0 the eye stands at y = -1 with x to the right; a growing azimuth walks anticlockwise round the surface.
    """
    n, depths = len(heights), size
    cos, sin = math.cos(azimuth), math.sin(azimuth)
    across = ((np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1) * np.float32(REACH)
    depth = ((np.arange(depths, dtype=np.float32) + 0.5) / depths * 2 - 1) * np.float32(math.sqrt(2))
    x = cos * across[None] - sin * depth[:, None]  # (depths, size): nearest depth first
    y = sin * across[None] + cos * depth[:, None]
    inside = (np.abs(x) <= 1) & (np.abs(y) <= 1)
    rows, cols = np.nonzero(inside)
    at = np.stack([(x[inside] + 1) * (n / 2) - 0.5, (y[inside] + 1) * (n / 2) - 0.5], axis=1)
    slopes = np.gradient(heights, 2 / n)
    field = np.stack([heights, slopes[1], slopes[0]], axis=-1).reshape(n * n, 3).astype(np.float32)
    found = sample(field, n, at.astype(np.float32))  # height, d/dx, d/dy where the ground is

    rise = depth[rows] * np.float32(math.sin(elevation)) + found[:, 0] * np.float32(HEIGHT * math.cos(elevation))
    level = np.full((depths, size), -np.inf, np.float32)
    level[rows, cols] = (rise - np.float32(_middle(elevation))) * np.float32(size / (2 * REACH)) + np.float32(size / 2)
    horizon = np.maximum.accumulate(level, axis=0)
    reached = np.clip(np.ceil(np.maximum(horizon, -1)), 0, size).astype(np.intp)  # pixels (from below) it has covered
    counts = np.bincount((reached * size + np.arange(size)).ravel(), minlength=(size + 1) * size)
    first = np.cumsum(counts.reshape(size + 1, size)[:size], axis=0)  # depths whose horizon does not reach the pixel
    lowest = np.where(inside, level, np.inf).min(axis=0)
    shown = (first < depths) & (np.arange(size)[:, None] >= np.floor(np.where(np.isfinite(lowest), lowest, size)))
    index = np.full((depths, size), -1, np.intp)
    index[rows, cols] = np.arange(len(rows))
    pick = np.where(shown, index[np.minimum(first, depths - 1), np.arange(size)], -1)[::-1]
    shown = pick >= 0
    z, dx, dy = (found[:, k][pick] for k in range(3))

    light = _light(dx * HEIGHT, dy * HEIGHT, azimuth)
    contour = _contours(z, shown)
    empty = np.float32(np.nan)
    gx, gy = (v[inside][pick] for v in (x, y))
    return Relief(*(np.where(shown, v, empty).astype(np.float32) for v in (gx, gy, z, light, contour)))


def project(x: float, y: float, z: float, azimuth: float, elevation: float) -> tuple[float, float]:
    """Where a point (x, y in [-1, 1], height z in [0, 1]) is seen: right and up of the middle, in half pictures."""
    across = math.cos(azimuth) * x + math.sin(azimuth) * y
    depth = math.cos(azimuth) * y - math.sin(azimuth) * x
    up = depth * math.sin(elevation) + z * HEIGHT * math.cos(elevation) - _middle(elevation)
    return across / REACH, up / REACH


def _middle(elevation: float) -> float:
    """How far the picture's middle lies above the ground's: half the height of the surface as seen."""
    return HEIGHT * math.cos(elevation) / 2


def _light(dx: Floats, dy: Floats, azimuth: float) -> Floats:
    """The cosine between the surface's normal and the light, 0 to 1; the light turns with the eye."""
    turn = azimuth + math.pi * 1.25  # from the left and in front
    lx, ly, lz = 0.55 * math.cos(turn), 0.55 * math.sin(turn), 0.835
    cosine = (lz - lx * dx - ly * dy) / np.sqrt(1 + dx * dx + dy * dy)
    return np.clip(cosine, 0.0, 1.0)


def _contours(z: Floats, shown: NDArray[np.bool_]) -> Floats:
    """Lines where the height passes a multiple of 1 / `LEVELS`, about one pixel broad whatever the slope."""
    bands = np.where(shown, np.floor(z * LEVELS), -1)
    lines = np.zeros(z.shape, np.float32)
    for axis in (0, 1):
        here = bands.take(range(bands.shape[axis] - 1), axis)
        there = bands.take(range(1, bands.shape[axis]), axis)
        # Across an edge of the surface heights jump by more than one band: that is no contour.
        step = (np.abs(here - there) == 1) & (here >= 0) & (there >= 0)
        target = lines[:-1] if axis == 0 else lines[:, :-1]
        np.maximum(target, step, out=target)
    return lines
