"""A slider that jumps to the mouse and follows it: what Qt's own does only with the middle button."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QSlider

from explorer.theme import LIGHT, Theme


class FollowingSlider(QSlider):
    """A horizontal slider with places 0 to `places`; its ends are `inset` pixels from the widget's."""

    def __init__(self, places: int, inset: float) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.theme: Theme = LIGHT
        self.factor = 1.0
        self._inset = inset
        self.setRange(0, places)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Jump to the mouse and follow it."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.mouseMoveEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the mouse while its button is down."""
        if self.isSliderDown():
            part = (event.position().x() - self._inset) / (self.width() - 2 * self._inset)
            self.setValue(round(part * self.maximum()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self.setSliderDown(False)
