"""Maps from numbers to colours that a person may choose in place of the theme's own.

All of them are perceptually uniform and keep their order for colour-blind eyes: *viridis* and *magma* (Smith & van der
Walt 2015) and *cividis* (Nunez, Anderton & Renslow 2018), here as 17 colours each, evenly spaced and joined linearly.

Whatever the map, zero is the theme's ground, so that a square without mass looks like the paper it lies on, and values
lead away from it: towards the dark in the light theme, towards the bright in the dark one. The map of densities ends
half-way, where arrows and particles still stand out; the map of errors uses the whole range.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.uint8]

GROUND_MAPS = {"theme": "the theme's grey", "cividis": "cividis", "viridis": "viridis"}
"""What densities may be coloured by, and its name for a person."""

ERROR_MAPS = {"theme": "the theme's purple", "cividis": "cividis", "magma": "magma", "viridis": "viridis"}
"""What the error map may be coloured by, and its name for a person."""

_ANCHORS = {
    "viridis": "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1f9f88 27ad81 3dbc74 5cc863 81d34d "
    "aadc32 d5e21a fde725",
    "cividis": "00204d 002c69 06366e 2d426c 414d6b 52596c 61646f 6f7073 7d7c78 8b8779 9b9477 aca174 bcaf6f cebc68 "
    "e0cb5e f2da50 ffea46",
    "magma": "000004 0a0822 1d1147 36106b 51127c 6a1c81 832681 9c2e7f b73779 cf4070 e55064 f4695c fb8761 fea571 "
    "fec287 fde0a1 fcfdbf",
}

_BLEND = 0.15
"""The part of a table over which the theme's ground passes into the map."""


def rgb(colour: str) -> NDArray[np.float64]:
    """(3,) from "#rrggbb", 0 to 255."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64)


def luminance(colour: NDArray[np.floating]) -> NDArray[np.float64]:
    """Relative luminance (...,) of sRGB colours (..., 3) in 0 to 255 (WCAG 2.2)."""
    c = np.asarray(colour, dtype=np.float64) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def contrast(one: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.float64]:
    """The contrast ratio of colours (..., 3), from 1 to 21 (WCAG 2.2); text needs 4.5."""
    a, b = luminance(one) + 0.05, luminance(other) + 0.05
    return np.maximum(a, b) / np.minimum(a, b)


@lru_cache(maxsize=32)
def table(name: str, low: str, high: str, *, whole: bool) -> Table:
    """256 colours as read-only (256, 4) RGBA bytes, from the ground `low`: linear to `high`, or by the map `name`.

    `whole` uses the map's whole range; otherwise it ends half-way.
    """
    t = np.linspace(0.0, 1.0, 256)[:, None]
    start, end = rgb(low), rgb(high)
    if name == "theme":
        colours = start + (end - start) * t
    else:
        bright = luminance(start) > 0.5
        reach = 0.9 if whole else 0.5
        along = 1 - reach * t if bright else (0.08 + (reach if whole else reach + 0.04) * t)
        anchors = np.array([rgb(f"#{word}") for word in _ANCHORS[name].split()])
        places = np.linspace(0, 1, len(anchors))
        mapped = np.stack([np.interp(along[:, 0], places, anchors[:, k]) for k in range(3)], axis=1)
        mixed = np.minimum(1.0, t / _BLEND)
        colours = start * (1 - mixed) + mapped * mixed
    result = np.concatenate([colours, np.full((256, 1), 255.0)], axis=1).round().astype(np.uint8)
    result.flags.writeable = False
    return result
