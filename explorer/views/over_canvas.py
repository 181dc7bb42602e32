"""What is drawn over a painting besides its tool: axes of symmetry, each region's share, and what a stroke weighs."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin

from PySide6.QtCore import QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen

from explorer.edits import Weights
from explorer.numbers import share
from explorer.paint.regions import Region
from explorer.paint.symmetry import Symmetry
from explorer.theme import CAPTION, UNIT, font
from explorer.views.labels import Room, ShareLabels
from explorer.views.plane import PlaneView

LEAST_NAMED = 0.005
"""Regions with a smaller share get no plate."""


def paint_axes(view: PlaneView, painter: QPainter, symmetry: Symmetry) -> None:
    """The mirrors, and a ray from the origin for each turn."""
    origin = view.to_pixel(0, 0)
    painter.setPen(QPen(view.theme.colour("quiet", 0.7), 1, Qt.PenStyle.DashLine))
    if symmetry.left_right:
        painter.drawLine(view.to_pixel(0, -1), view.to_pixel(0, 1))
    if symmetry.up_down:
        painter.drawLine(view.to_pixel(-1, 0), view.to_pixel(1, 0))
    if symmetry.folds > 1:
        for k in range(symmetry.folds):
            angle = pi / 2 + 2 * pi * k / symmetry.folds
            painter.drawLine(origin, view.to_pixel(cos(angle), sin(angle)))


class SharePlates:
    """A small plate with its share beside each region, where there are at least two."""

    def __init__(self) -> None:
        self._labels = ShareLabels()

    def paint(
        self, view: PlaneView, painter: QPainter, regions: Sequence[Region], weights: Weights, knobs: Sequence[QPointF]
    ) -> None:
        """Draw them clear of each other and of these handles (pixels), which name what they belong to themselves."""
        named = [region for region in regions if region.share >= LEAST_NAMED]
        if len(named) < 2:
            return
        metrics = QFontMetrics(font(CAPTION, scale=view.scale))
        size = QSize(metrics.horizontalAdvance("0.000") + 8, metrics.height())
        room = Room(view.mapping(), view.square(), view.scale)
        for region, plate in zip(named, self._labels.place(tuple(named), weights, size, room), strict=True):
            if not any(plate.contains(knob.toPoint()) for knob in knobs):
                view.paint_plate(painter, share(region.share), plate.topLeft(), Qt.Corner.TopLeftCorner)


def paint_amount(view: PlaneView, painter: QPainter, words: str, at: QPointF, radius: float) -> QRect:
    """A plate with these words beside the pointer, above right of a ring of this radius, within the square."""
    square = view.square()
    corner = QPoint(round(at.x() + 0.7 * radius) + UNIT // 2, round(at.y() - 0.7 * radius) - UNIT // 2)
    metrics = QFontMetrics(font(CAPTION, scale=view.scale))
    wide, tall = metrics.horizontalAdvance(words) + 8, metrics.height()
    corner.setX(min(max(corner.x(), square.left() + 1), square.right() - wide))
    corner.setY(min(max(corner.y(), square.top() + tall + 1), square.bottom()))
    return view.paint_plate(painter, words, corner, Qt.Corner.BottomLeftCorner)
