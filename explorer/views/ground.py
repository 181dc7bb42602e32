"""The ground of a view of the plane: a density through the theme's sequential map.

Values in [0, 1] on cell centres of a square range go through a table of 256 colours and are scaled smoothly. They are
drawn where *their* range lies in the view's, and the scaled image is kept for as long as nothing about it changes:
while particles move over a ground that stands still, drawing it is one copy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from explorer.theme import Theme


class Ground:
    """A density on a square range as an image, scaled once for as long as nothing about it changes."""

    def __init__(self) -> None:
        self._values: NDArray[np.float32] | None = None
        self._range = (0.0, 0.0, 1.0)
        self._pixels: NDArray[np.uint32] | None = None
        self._image = QImage()
        self._key: tuple[object, ...] = ()
        self._scaled = QImage()

    def show(self, values: NDArray[np.float32], centre: tuple[float, float], half_width: float) -> bool:
        """Take values (m, m) in [0, 1], row 0 at the bottom; whether anything changed."""
        place = (*centre, half_width)
        if self._values is not None and place == self._range and np.array_equal(values, self._values):
            return False
        self._values = np.array(values, dtype=np.float32)
        self._range = place
        self._pixels = None
        return True

    def image(self, view: tuple[float, float, float], size: int, theme: Theme) -> QImage:
        """The part that the view range (cx, cy, h) shows, as size x size device pixels."""
        key = (view, size, theme.name)
        if self._pixels is not None and key == self._key:
            return self._scaled
        if self._scaled.width() != size:
            self._scaled = QImage(size, size, QImage.Format.Format_RGB32)
        self._scaled.fill(QColor(theme.ground_low))
        if self._values is not None:
            if self._pixels is None or self._key[2] != theme.name:
                self._colour(theme)
            self._key = key
            cx, cy, h = view
            gx, gy, gh = self._range
            unit = size / (2 * h)
            target = QRectF((gx - gh - cx + h) * unit, (cy + h - gy - gh) * unit, 2 * gh * unit, 2 * gh * unit)
            with QPainter(self._scaled) as painter:
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
                painter.drawImage(target, self._image)
        return self._scaled

    def _colour(self, theme: Theme) -> None:
        """Look every value up in the theme's map; values that are not finite take the map's low end."""
        assert self._values is not None
        finite = np.nan_to_num(self._values, nan=0.0, posinf=1.0, neginf=0.0)
        index = (np.clip(finite[::-1], 0.0, 1.0) * 255 + 0.5).astype(np.uint8)
        rgba = theme.density_table().astype(np.uint32)
        table = 0xFF000000 | rgba[:, 0] << 16 | rgba[:, 1] << 8 | rgba[:, 2]
        self._pixels = np.ascontiguousarray(table[index], dtype=np.uint32)
        rows, cols = self._pixels.shape
        self._image = QImage(self._pixels.data, cols, rows, 4 * cols, QImage.Format.Format_RGB32)
