"""The ground of a view of the plane: a density, its logarithm or its energy through the theme's sequential map.

Values p / max p in [0, 1] on cell centres of a square range become a height in [0, 1],

    density    p / max p;
    log        1 + log(p / max p) / `FLOOR`, cut at 0: everything less than exp(-20) of the summit is paper;
    energy     -log(p / max p) / `FLOOR`, cut at 1: summits are valleys, drawn in paper; `HIGHEST` of the map is used,
               so that arrows stand out on the plateau,

go through a table of 256 colours and are scaled smoothly. They are drawn where *their* range lies in the view's, and
the scaled image is kept for as long as nothing about it changes: while particles move over a ground that stands still,
drawing it is one copy.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import ref

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from explorer.theme import Theme
from explorer.viewing import Ground as Kind

FLOOR = 20.0
"""Logarithms are shown down to this many nats below the highest value in view."""

HIGHEST = 0.7
"""How far up the map the plateau of an energy lies."""


def heights(values: NDArray[np.float32], kind: Kind) -> NDArray[np.float32]:
    """Heights in [0, 1] of densities (...) over their maximum; what is not finite is taken as no density."""
    p = np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=0.0).clip(0.0, 1.0)
    if kind == "none":
        return np.zeros_like(p)
    if kind == "density":
        return p
    fall = np.minimum(-np.log(np.maximum(p, np.float32(1e-30))), np.float32(FLOOR)) / np.float32(FLOOR)
    return 1 - fall if kind == "log" else HIGHEST * fall


class Ground:
    """Densities on a square range as an image, scaled once for as long as nothing about it changes.

    Args:
        table: gives a theme's 256 colours (256, 4) for heights from 0 to 1; the density's unless given.
    """

    def __init__(self, table: Callable[[Theme], NDArray[np.uint8]] = Theme.density_table) -> None:
        self.table = table
        self._values: NDArray[np.float32] | None = None
        self._shown: Callable[[], NDArray[np.float32] | None] = lambda: None  # what they were copied from
        self._range = (0.0, 0.0, 1.0)
        self._kind: Kind = "density"
        self._pixels: NDArray[np.uint32] | None = None
        self._image = QImage()
        self._key: tuple[object, ...] = ()
        self._scaled = QImage()

    def show(
        self, values: NDArray[np.float32], centre: tuple[float, float], half_width: float, kind: Kind = "density"
    ) -> bool:
        """Take densities (m, m) over their maximum, row 0 at the bottom; whether anything changed."""
        place = (*centre, half_width)
        same, known = place == self._range and kind == self._kind, self._values
        seen, self._shown = self._shown() is values, ref(values)
        if same and known is not None and (seen or np.array_equal(values, known)):
            return False
        self._kind = kind
        self._values = np.array(values, dtype=np.float32)
        self._range = place
        self._pixels = None
        return True

    def image(self, view: tuple[float, float, float], size: int, theme: Theme) -> QImage:
        """The part that the view range (cx, cy, h) shows, as size x size device pixels."""
        key = (view, size, theme)
        if self._pixels is not None and key == self._key:
            return self._scaled
        if self._scaled.width() != size:
            self._scaled = QImage(size, size, QImage.Format.Format_RGB32)
        self._scaled.fill(QColor(theme.ground_low))
        if self._values is not None:
            if self._pixels is None or self._key[2] != theme:
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

    def let_go(self) -> None:
        """Free the pictures; the densities stay, and they are made of them again when they are wanted."""
        self._pixels, self._key = None, ()
        self._image = self._scaled = QImage()

    def _colour(self, theme: Theme) -> None:
        """Look every height up in the table."""
        assert self._values is not None
        index = (heights(self._values[::-1], self._kind) * 255 + 0.5).astype(np.uint8)
        rgba = self.table(theme).astype(np.uint32)
        table = 0xFF000000 | rgba[:, 0] << 16 | rgba[:, 1] << 8 | rgba[:, 2]
        self._pixels = np.ascontiguousarray(table[index], dtype=np.uint32)
        rows, cols = self._pixels.shape
        self._image = QImage(self._pixels.data, cols, rows, 4 * cols, QImage.Format.Format_RGB32)
