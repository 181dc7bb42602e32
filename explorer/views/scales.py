"""Colour scales with numbers: from values to a colour, and the strip at a view's foot that says which is which.

A scale is linear or logarithmic between two ends and has a few ticks; values beyond the ends take the end's colour and
the ticks say so. The signed table goes from olive through the theme's paper to the ink of errors: two hues on the blue
and yellow axis, which colour-blind eyes keep apart, of equal luminance, so that neither sign looks stronger.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from explorer.numbers import three
from explorer.theme import CAPTION, Theme, font

NEGATIVE = "#a19500"
"""The far end of negative values."""

HATCH = 7
"""Pixels between two lines of a hatch, along a row."""


@dataclass(frozen=True)
class Scale:
    """How values become places on a table.

    Attributes:
        low, high: the values at both ends.
        logarithmic: whether decades are equally long; `low` is positive then.
        ticks: values that the strip names, with their words.
    """

    low: float
    high: float
    logarithmic: bool
    ticks: tuple[tuple[float, str], ...]

    def place(self, values: NDArray[np.floating] | float) -> NDArray[np.float32]:
        """Where values lie, 0 to 1; beyond the ends at the ends."""
        v = np.asarray(values, dtype=np.float64)
        if self.logarithmic:
            v = np.log(np.maximum(v, self.low)) - math.log(self.low)
            span = math.log(self.high / self.low)
        else:
            v, span = v - self.low, self.high - self.low
        return np.clip(v / span, 0.0, 1.0).astype(np.float32)


def decade_scale(high: float, decades: int, unit: str = "") -> Scale:
    """A logarithmic scale of so many decades below `high`, a tick at each decade's end."""
    values = [high * 10.0**-k for k in range(decades, -1, -1)]
    words = [_short(v) + unit for v in values]
    words[0], words[-1] = "≤ " + words[0], "≥ " + words[-1]
    return Scale(values[0], high, True, tuple(zip(values, words, strict=True)))


def signed_scale(reach: float) -> Scale:
    """A linear scale from -reach to reach."""
    return Scale(-reach, reach, False, ((-reach, _short(-reach)), (0.0, "0"), (reach, _short(reach))))


def nice(value: float) -> float:
    """The least 1, 2 or 5 times a power of ten that is not below `value`; 1 for what is not positive."""
    if not (value > 0 and math.isfinite(value)):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((digit * power for digit in (1, 2, 5) if digit * power >= value * (1 - 1e-9)), 10 * power)


def _short(value: float) -> str:
    """A tick in as few figures as it needs."""
    size = abs(value)
    if size and not 1e-3 <= size < 1e4:
        return three(value).replace(".00", "")
    return f"{value:.3g}".replace("-", "−")


@lru_cache(maxsize=8)
def signed_table(theme: Theme) -> NDArray[np.uint8]:
    """256 colours (256, 4) from negative through the theme's paper to the ink of errors."""
    ends = [QColor(c) for c in (NEGATIVE, theme.ground_low, theme.error)]
    points = np.array([(c.red(), c.green(), c.blue(), 255) for c in ends], dtype=np.float64)
    at = np.linspace(-1.0, 1.0, 256)
    return np.stack([np.interp(at, (-1, 0, 1), points[:, k]) for k in range(4)], axis=1).round().astype(np.uint8)


def hatch_image(mask: NDArray[np.bool_], theme: Theme) -> tuple[QImage, NDArray[np.uint32]]:
    """Diagonal lines where `mask` (S, S) holds, row 0 at the bottom; the array is the image's memory."""
    size = len(mask)
    across = (np.arange(size)[:, None] + np.arange(size)) % HATCH
    ink = theme.colour("quiet")
    levels = np.zeros(HATCH)
    levels[:2] = 0.6, 0.25
    a, r, g, b = (np.round(levels * c).astype(np.uint32) for c in (255, ink.red(), ink.green(), ink.blue()))
    table = a << 24 | r << 16 | g << 8 | b
    pixels = np.where(mask[::-1], table[across], np.uint32(0))
    return QImage(pixels.data, size, size, 4 * size, QImage.Format.Format_ARGB32_Premultiplied), pixels


def paint_strip(
    painter: QPainter,
    square: QRect,
    theme: Theme,
    scale_of_type: float,
    table: NDArray[np.uint8],
    scale: Scale,
    hatched: str = "",
) -> QRect:
    """Draw the strip at the foot of the square: the table with its ticks, and what a hatch means; where it lies."""
    painter.setFont(font(CAPTION - 1, scale=scale_of_type))
    metrics = painter.fontMetrics()
    gap, bar = round(8 * scale_of_type), round(7 * scale_of_type)
    height = gap + bar + metrics.height() + 2
    swatch = 2 * bar + gap // 2 + metrics.horizontalAdvance(hatched) + 2 * gap if hatched else 0
    ticks = sum(metrics.horizontalAdvance(words) + gap for _, words in scale.ticks)
    if hatched and square.width() - swatch - gap < ticks:
        swatch, hatched = 0, ""  # numbers that overlap say nothing; the hatch is explained in the view's hint
    plate = QRect(square.left() + 1, square.bottom() - height, square.width() - 2, height)
    painter.fillRect(plate, theme.colour("surface", 0.92))
    half = metrics.horizontalAdvance(scale.ticks[0][1]) // 2
    last = metrics.horizontalAdvance(scale.ticks[-1][1]) // 2
    left, right = plate.left() + gap + half, plate.right() - gap - last - swatch
    left = min(left, right - 16)
    colours = np.ascontiguousarray(table[None, :, [2, 1, 0, 3]])
    strip = QImage(colours.data, 256, 1, 1024, QImage.Format.Format_RGB32)
    top = plate.top() + gap // 2
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(QRectF(left, top, right - left, bar), strip)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(theme.rule), 1))
    painter.drawRect(left, top, right - left, bar)
    for value, words in scale.ticks:
        x = left + round(float(scale.place(value)) * (right - left))
        painter.setPen(QPen(QColor(theme.quiet), 1))
        painter.drawLine(x, top + bar, x, top + bar + 2)
        painter.setPen(QColor(theme.ink))
        box = QRect(x - 60, top + bar + 2, 120, metrics.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, words)
    if hatched:
        x = plate.right() - swatch + gap
        box = QRect(x, top, 2 * bar, 2 * bar)
        image, _memory = hatch_image(np.ones((2 * bar, 2 * bar), bool), theme)
        painter.drawImage(box.topLeft(), image)
        painter.setPen(QPen(QColor(theme.rule), 1))
        painter.drawRect(box)
        painter.setPen(QColor(theme.ink))
        text = QRect(box.right() + gap // 2, top, plate.right() - box.right(), 2 * bar)
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, hatched)
    return plate
