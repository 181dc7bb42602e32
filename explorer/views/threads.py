"""A field as streamlines or as a texture, in the ink of its role.

Both show the direction by their shape and the magnitude by their weight, through the same compressive fraction
|s| / (|s| + s_half) as the arrows (`explorer.views.arrows`): a streamline is broader and darker where the score is
large and tapers where it is small, with one small head in its middle; a texture is darker.

They cost some milliseconds to make, so they are made anew at most every `PAUSE` seconds while a field changes on the
screen; a picture that is not on a screen, a film's, is made from its own field each time.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from explorer.theme import Theme
from explorer.views.arrows import CLASSES, Mapping, draw_segments
from explorer.views.streamlines import Lines, streamlines
from explorer.views.texture import LARGEST, resampled, texture

PAUSE = 0.1
"""Seconds between two makings of what is seen on the screen."""

SPACING = 11.5
"""Pixels between two streamlines, where the view is about 240 pixels large; more where it is larger."""

_HEAD = 5.0  # pixels
_HEAD_ANGLE = math.radians(28)


class Style(Protocol):
    """How a field is drawn."""

    def take(self, field: NDArray[np.float32], s_half: float, centre: tuple[float, float], half_width: float) -> None:
        """Show this field (n, n, 2) on the cell centres of a square from now on."""
        ...

    def paint(self, painter: QPainter, square: QRect, mapping: Mapping, theme: Theme, role: str) -> None:
        """Draw in the ink of a role; the painter is clipped to the square."""
        ...


class Streams:
    """Evenly spaced streamlines of one field."""

    def __init__(self) -> None:
        self._field = np.zeros((0, 0, 2), np.float32)
        self._s_half = 1.0
        self._place: tuple[tuple[float, float], float] = ((0.0, 0.0), 1.0)
        self._lines: Lines | None = None
        self._made_for = 0.0
        self._drawn_for: Mapping | None = None
        self._segments = np.empty((0, 4))
        self._starts: NDArray[np.intp] = np.zeros(CLASSES + 1, np.intp)

    def take(self, field: NDArray[np.float32], s_half: float, centre: tuple[float, float], half_width: float) -> None:
        """Show this field (n, n, 2) on the cell centres of a square from now on."""
        self._field, self._s_half, self._place = field, s_half, (centre, half_width)
        self._lines = None

    def paint(self, painter: QPainter, square: QRect, mapping: Mapping, theme: Theme, role: str) -> None:
        """Draw in the ink of a role; the painter is clipped to the square."""
        n = len(self._field)
        if not n:
            return
        cell = 2 * self._place[1] / n * mapping[0]
        apart = SPACING * max(1.0, (square.width() / 240) ** 0.5)
        spacing = max(apart / cell, 0.25)
        if self._lines is None or not 0.6 < self._made_for / spacing < 1.6:
            self._lines, self._made_for, self._drawn_for = streamlines(self._field, spacing), spacing, None
        if mapping != self._drawn_for:
            self._segments, self._starts = self._in_pixels(self._lines, mapping)
            self._drawn_for = mapping
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        broad = max(1.0, (square.width() / 240) ** 0.5)
        for k in range(CLASSES):
            weight = k / (CLASSES - 1)
            pen = QPen(theme.colour(role, 0.5 + 0.5 * weight), (0.8 + 1.1 * weight) * broad)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            draw_segments(painter, self._segments[self._starts[k] : self._starts[k + 1]])

    def _in_pixels(self, lines: Lines, mapping: Mapping) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """All pieces and heads (k, 4), sorted by weight, and where each class begins (CLASSES + 1,)."""
        (cx, cy), half = self._place
        unit, ox, oy = mapping
        step = 2 * half / len(self._field)
        at = (lines.points.astype(np.float64) + 0.5) * step
        px = np.stack([ox + unit * (cx - half + at[:, 0]), oy - unit * (cy - half + at[:, 1])], axis=1)
        fraction = lines.magnitude / (lines.magnitude + self._s_half)
        kind = np.minimum((fraction * CLASSES).astype(np.intp), CLASSES - 1)
        if not len(px):
            return np.empty((0, 4)), np.zeros(CLASSES + 1, np.intp)
        joined = np.ones(len(px), bool)
        joined[lines.starts[1:] - 1] = False  # the last point of a line leads nowhere
        first = np.flatnonzero(joined)
        pieces = np.concatenate([px[first], px[first + 1]], axis=1)
        middle = (lines.starts[:-1] + lines.starts[1:]) // 2
        way = px[middle] - px[middle - 1]
        way /= np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-9)[:, None]
        turned = np.stack([-way[:, 1], way[:, 0]], axis=1)
        sides = [
            np.concatenate([px[middle] - _HEAD * (math.cos(_HEAD_ANGLE) * way + turn * turned), px[middle]], axis=1)
            for turn in (math.sin(_HEAD_ANGLE), -math.sin(_HEAD_ANGLE))
        ]
        segments = np.concatenate([pieces, *sides])
        kinds = np.concatenate([kind[first], kind[middle], kind[middle]])
        order = np.argsort(kinds, kind="stable")
        return segments[order], np.searchsorted(kinds[order], np.arange(CLASSES + 1))


class Texture:
    """A line-integral convolution of one field."""

    def __init__(self) -> None:
        self._field = np.zeros((0, 0, 2), np.float32)
        self._s_half = 1.0
        self._place: tuple[tuple[float, float], float] = ((0.0, 0.0), 1.0)
        self._key: tuple[object, ...] = ()
        self._pixels = np.zeros((0, 0), np.uint32)
        self._image = QImage()

    def take(self, field: NDArray[np.float32], s_half: float, centre: tuple[float, float], half_width: float) -> None:
        """Show this field (n, n, 2) on the cell centres of a square from now on."""
        self._field, self._s_half, self._place = field, s_half, (centre, half_width)
        self._key = ()

    def paint(self, painter: QPainter, square: QRect, mapping: Mapping, theme: Theme, role: str) -> None:
        """Draw in the ink of a role; the painter is clipped to the square."""
        if not len(self._field):
            return
        (cx, cy), half = self._place
        unit, ox, oy = mapping
        size = min(LARGEST, square.width())
        key = (size, theme, role)
        if key != self._key:
            self._make(size, theme.colour(role))
            self._key = key
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        side = 2 * half * unit
        painter.drawImage(QRectF(ox + unit * (cx - half), oy - unit * (cy + half), side, side), self._image)

    def let_go(self) -> None:
        """Free the image; the next painting makes it again."""
        self._key, self._pixels, self._image = (), np.zeros((0, 0), np.uint32), QImage()

    def _make(self, size: int, ink: QColor) -> None:
        """The image: ink whose opacity is the texture's tone times the weight of the magnitude."""
        tone = texture(self._field, size)
        magnitude = np.nan_to_num(np.hypot(self._field[..., 0], self._field[..., 1]), posinf=0.0).astype(np.float32)
        weight = resampled(magnitude / (magnitude + np.float32(self._s_half)), size)
        tone *= 0.25 + 0.75 * weight
        alpha = (tone[::-1] * 255).astype(np.uint8)
        level = np.arange(256) / 255
        a, r, g, b = (np.round(level * c).astype(np.uint32) for c in (255, ink.red(), ink.green(), ink.blue()))
        table = np.asarray(a << 24 | r << 16 | g << 8 | b, dtype=np.uint32)
        self._pixels = table[alpha]
        self._image = QImage(self._pixels.data, size, size, 4 * size, QImage.Format.Format_ARGB32_Premultiplied)
