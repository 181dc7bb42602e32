"""What lies over a square and changes seldom: drawn once on a transparent picture, and laid over every moment."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPixmap


class Overlay:
    """One such picture."""

    def __init__(self) -> None:
        self._key: object = None
        self._picture = QPixmap()

    def paint(self, painter: QPainter, square: QRect, key: object, draw: Callable[[QPainter], None]) -> None:
        """Lay it over the square; `draw` makes it, in the painter's coordinates, when `key` is another than before."""
        ratio = painter.device().devicePixelRatioF()
        wanted = key, square, ratio
        if self._key != wanted:
            self._key = wanted
            self._picture = QPixmap(square.size() * ratio)
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(Qt.GlobalColor.transparent)
            with QPainter(self._picture) as over:
                over.translate(-square.topLeft())
                draw(over)
        painter.drawPixmap(square.topLeft(), self._picture)
