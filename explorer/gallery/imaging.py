"""Pictures as images: arrays in [-1, 1] into grey or coloured pixels, and noise into colours that say its sign.

Noise is shown in standard deviations: blue below, orange above (the pair of Okabe & Ito that every eye tells apart),
the theme's ground at 0, full colour from three on.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage

from explorer.engine.frames import Array
from explorer.theme import Theme

Pixels = NDArray[Any]
"""(..., 3) RGB bytes."""

FULL = 3.0
"""Standard deviations at which noise has its full colour."""


def pixels(pictures: Array) -> Pixels:
    """Pictures (N, C, H, W), values beyond [-1, 1] cut off, as (N, H, W, 3) RGB; N may be missing."""
    values = np.clip((pictures + 1) * 127.5 + 0.5, 0, 255).astype(np.uint8)
    values = np.moveaxis(values, -3, -1)
    return np.repeat(values, 3, axis=-1) if values.shape[-1] == 1 else values


def noise_pixels(noise: Array, theme: Theme) -> Pixels:
    """Noise (N, C, H, W) in standard deviations as (N, H, W, 3) RGB: of one channel by sign, of three as a colour."""
    if noise.shape[1] == 3:
        return pixels(noise / FULL)
    part = np.clip(np.moveaxis(noise, 1, -1) / FULL, -1, 1)
    ground, above, below = (_rgb(QColor(role)) for role in (theme.ground_low, theme.learned, theme.true))
    mixed = np.where(part > 0, ground + part * (above - ground), ground - part * (below - ground))
    return np.asarray(mixed + 0.5, np.uint8)


def to_image(values: Pixels) -> QImage:
    """Pixels (H, W, 3) as an image of its own memory."""
    whole = np.ascontiguousarray(values)
    height, width, _ = whole.shape
    return QImage(whole.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def sheet(values: Pixels, columns: int, gap: int, ground: QColor) -> Pixels:
    """Pictures (N, H, W, 3) side by side, row by row, with a gap of so many pixels: (height, width, 3)."""
    count, height, width, _ = values.shape
    rows = -(-count // columns)
    made = np.empty((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), np.uint8)
    made[:] = _rgb(ground)
    for k in range(count):
        top, left = k // columns * (height + gap), k % columns * (width + gap)
        made[top : top + height, left : left + width] = values[k]
    return made


def enlarged(values: Pixels, factor: int) -> Pixels:
    """Every pixel of (..., H, W, 3) as a square of so many."""
    return values.repeat(factor, -3).repeat(factor, -2)


def sheet_image(pictures: Array, least: int = 512) -> QImage:
    """All pictures (N, C, H, W) as one image, enlarged by a whole factor until it is about as large as `least`."""
    columns = math.ceil(math.sqrt(len(pictures)))
    small = pixels(pictures)
    factor = max(1, least // max(columns * small.shape[2], 1))
    return to_image(sheet(enlarged(small, factor), columns, max(1, factor // 4), QColor(96, 96, 96)))


def _rgb(colour: QColor) -> NDArray[np.float32]:
    return np.array((colour.red(), colour.green(), colour.blue()), np.float32)
