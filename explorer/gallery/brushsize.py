"""How large the brush of a mask is: a small slider drawn as a wedge that grows with the radius."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy

from explorer.gallery.board import SIZES, MaskBoard
from explorer.panels.sliding import FollowingSlider
from explorer.theme import UNIT, Theme

_PLACES = 100


class BrushSize(FollowingSlider):
    """The radius of a board's brush, from the smallest to the largest, logarithmically.

    Args:
        board: whose brush.
    """

    def __init__(self, board: MaskBoard) -> None:
        super().__init__(_PLACES, UNIT / 2)
        self._board = board
        self.setAccessibleName("Size of the brush")
        self.setToolTip("Size of the brush (smaller [, larger ])")
        self.setSingleStep(2)
        self.setPageStep(10)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._show()
        self.valueChanged.connect(lambda place: board.set_radius(_radius(place)))
        board.resized.connect(self._show)

    def _show(self) -> None:
        """Stand where the brush is; silent."""
        self.blockSignals(True)
        self.setValue(_place(self._board.brush.radius))
        self.blockSignals(False)
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self.theme = theme
        self.update()

    def set_scale(self, factor: float) -> None:
        """Draw this many times its size."""
        self.factor = factor
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """As wide as a button."""
        return QSize(round(72 * self.factor), round(24 * self.factor))

    def minimumSizeHint(self) -> QSize:
        """As small as can still be aimed at."""
        return QSize(round(48 * self.factor), round(24 * self.factor))

    def paintEvent(self, event: QPaintEvent) -> None:
        """The wedge, and the handle."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            k, middle = self.factor, self.height() / 2
            area = QRectF(self._inset, middle - 6 * k, self.width() - 2 * self._inset, 12 * k)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.colour("quiet", 0.6))
            painter.drawPolygon(QPolygonF([QPointF(area.left(), middle), area.topRight(), area.bottomRight()]))
            x = area.left() + area.width() * self.value() / _PLACES
            painter.setPen(QPen(self.theme.colour("true" if self.hasFocus() else "ink"), 1.5))
            painter.setBrush(self.theme.colour("surface"))
            painter.drawRoundedRect(QRectF(x - 2.5 * k, area.top() - 2 * k, 5 * k, area.height() + 4 * k), 2 * k, 2 * k)


def _radius(place: int) -> float:
    low, high = SIZES
    return low * (high / low) ** (place / _PLACES)


def _place(radius: float) -> int:
    low, high = SIZES
    return round(_PLACES * math.log(radius / low) / math.log(high / low))
