"""The two plots of "How wrong" in pyqtgraph: errors above, loss below, one logarithmic axis for both.

Importing this module imports pyqtgraph, which takes long; `explorer.views.curves` says when that happens. The plots
live in a scene of their own whose unit is the pixel. Its view is never shown: the widget draws the scene with its own
painter, so that a film and a window get the same picture from the same lines, at once. Coordinates are decimal
logarithms, ranges and ticks are set by hand, and nothing in the scene listens to the mouse.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QGraphicsEllipseItem, QGraphicsLineItem, QWidget

from explorer.theme import CAPTION, Theme, font
from explorer.views.axes import Floats, decades, log_points, spread, tick_name

EXPONENT = 9
"""Size of an exponent's type in pixels at scale 1."""


class _Decades(pg.AxisItem):
    """A vertical axis of decimal logarithms: a thin line across the plot at each tick, its name a raised power of ten.

    1, 10 and 0.1 are written out. The exponent is type of its own size: few typefaces have a raised minus sign.
    """

    def __init__(self) -> None:
        super().__init__("left", pen=None, maxTickLength=0)
        self.setPen(None)
        self.setStyle(tickAlpha=255)
        self.setGrid(255)
        self._small = QFont()

    def dress(self, theme: Theme, factor: float, ratio: float) -> None:
        """Take colours and type."""
        self.setStyle(tickFont=font(CAPTION, scale=factor), tickTextOffset=round(4 * factor))
        self._small = font(EXPONENT, scale=factor)
        self.setTickPen(theme.rule, width=ratio)
        self.setTextPen(theme.quiet)

    def show_decades(self, low: int, high: int, pixels: float, gap: float) -> None:
        """Mark powers of ten from the highest down, at least `gap` apart on an axis of `pixels`."""
        every = max(1, math.ceil(gap * (high - low) / pixels))
        self.setTicks([[(power, str(power)) for power in range(high, low - 1, -every)]])

    def boundingRect(self) -> QRectF:
        """With room for half a name above the highest tick and below the lowest."""
        return super().boundingRect().adjusted(0, -20, 0, 20)

    def drawPicture(self, p: QPainter, axisSpec: tuple, tickSpecs: list, textSpecs: list) -> None:  # noqa: N803
        """Draw the lines, then the powers of ten that `textSpecs` places: (box, flags, exponent) each."""
        super().drawPicture(p, axisSpec, tickSpecs, [])
        large = self.style["tickFont"]
        figures, exponents = QFontMetricsF(large), QFontMetricsF(self._small)
        for box, _, text in textSpecs:
            power = int(text)
            base = box.center().y() + figures.capHeight() / 2
            right = box.right()
            number = f"{10.0**power:g}"
            if not -1 <= power <= 1:
                number, raised = "10", text.replace("-", "−")
                right -= exponents.horizontalAdvance(raised) + 1
                p.setFont(self._small)
                p.drawText(QPointF(right + 1, base - 0.62 * figures.capHeight()), raised)
            p.setFont(large)
            p.drawText(QPointF(right - figures.horizontalAdvance(number), base), number)


class CurvePlots:
    """Relative Fisher errors and the loss as lines over one axis."""

    def __init__(self, parent: QWidget, words: Sequence[str]) -> None:
        self._ranges: tuple[object, object, object] = (None, None, None)
        self._marked: tuple[object, object] = ((), ())
        self._view = pg.GraphicsView(parent, useOpenGL=False, background=None)
        self._view.setVisible(False)
        self._scene = self._view.scene()
        self.upper, self.lower = (pg.ViewBox(enableMouse=False, enableMenu=False, defaultPadding=0.0) for _ in range(2))
        self._axes = _Decades(), _Decades()
        self._across = pg.AxisItem("bottom", pen=None, maxTickLength=4)
        self._across.setPen(None)
        self._across.setStyle(maxTextLevel=0)
        for box, axis in zip((self.upper, self.lower), self._axes, strict=True):
            # Ranges hold every point; a line along an edge must not lose half its thickness.
            box.setFlag(box.GraphicsItemFlag.ItemClipsChildrenToShape, False)
            box.disableAutoRange()
            self._scene.addItem(box)
            self._scene.addItem(axis)
            axis.setZValue(-200)
            axis.linkToView(box)
        self._across.linkToView(self.lower)
        self._names = [pg.TextItem(word, anchor=(0, 0.5)) for word in words]
        for name in self._names:
            name.textItem.document().setDocumentMargin(0)
        self._leaders = [QGraphicsLineItem() for _ in words]
        self._ends = [QGraphicsEllipseItem() for _ in words]
        for item in (self._across, *self._names, *self._leaders, *self._ends):
            self._scene.addItem(item)
        self.errors = [pg.PlotCurveItem(antialias=True, skipFiniteCheck=True) for _ in words]
        self.loss = pg.PlotCurveItem(antialias=True, skipFiniteCheck=True)
        self.floor = pg.PlotCurveItem(antialias=True, skipFiniteCheck=True)
        for curve in self.errors:
            self.upper.addItem(curve, ignoreBounds=True)
        for curve in (self.floor, self.loss):
            self.lower.addItem(curve, ignoreBounds=True)

    def dress(self, theme: Theme, factor: float, shades: Sequence[QColor], ratio: float) -> None:
        """Take colours, one for each level's curve, and the scale of type and lines; `ratio` device pixels a pixel."""
        self._factor = k = factor
        face = font(CAPTION, scale=k)
        for axis in self._axes:
            axis.dress(theme, k, ratio)
        # The names at both ends are as wide as they are: half of each stands beside the plot.
        self._across.setStyle(tickFont=face, tickTextOffset=0, hideOverlappingLabels=round(30 * k))
        self._across.setTickPen(theme.quiet, width=ratio)
        self._across.setTextPen(theme.quiet)
        parts = zip(self.errors, self._leaders, self._ends, self._names, shades, strict=True)
        for curve, leader, end, name, shade in parts:
            end.setRect(-2 * k, -2 * k, 4 * k, 4 * k)
            end.setPen(pg.mkPen(None))
            end.setBrush(shade)
            curve.setPen(pg.mkPen(shade, width=1.75 * k * ratio))
            leader.setPen(pg.mkPen(theme.rule, width=ratio))
            name.setFont(face)
            name.setColor(theme.ink)
        self.loss.setPen(pg.mkPen(theme.quiet, width=1.25 * k * ratio))
        self.floor.setPen(pg.mkPen(theme.ink, width=1.25 * k * ratio, style=Qt.PenStyle.DashLine))

    def arrange(self, width: int, upper: QRectF, lower: QRectF, free: float) -> None:
        """Put everything in its place; the axis's numbers end left of `free`."""
        self._upper, self._lower, self._free = upper, lower, free
        foot = round(28 * self._factor)
        self._view.setRange(QRectF(0, 0, width, lower.bottom() + foot), padding=0, disableAutoPixel=False)
        self.upper.setGeometry(upper)
        self.lower.setGeometry(lower)
        for axis, area in zip(self._axes, (upper, lower), strict=True):
            axis.setWidth(round(area.left()))
            axis.setGeometry(QRectF(0, area.top(), area.left(), area.height()))
        self._across.setHeight(foot)
        self._across.setGeometry(QRectF(lower.left(), lower.bottom(), lower.width(), foot))
        self._ranges = (None, None, None)
        self._marked = ((), ())

    def show(
        self,
        span: tuple[float, float],
        at: Floats,
        errors: Floats,
        loss_at: Floats,
        loss: Floats,
        floor: float | None = None,
    ) -> None:
        """Draw errors (j, levels) at (j,), the loss (k,) at (k,) and its floor over the logarithmic `span`.

        What stays as it was is left alone: an axis costs more than all lines, and errors are measured seldom.
        """
        old_span, *old = self._ranges
        lowest = [floor] if floor is not None and floor > 0 else []
        ranges = decades(errors), decades(np.append(loss, lowest))
        # Numbers at an axis without a curve would seem to say something.
        marks = ranges[0] if (errors > 0).any() else None, ranges[1]
        areas, gaps = (self._upper, self._lower), (18 * self._factor, 30 * self._factor)
        for i, box in enumerate((self.upper, self.lower)):
            if span != old_span or ranges[i] != old[i]:
                box.setRange(xRange=span, yRange=ranges[i], padding=0)
                box.updateMatrix()
            if marks[i] != self._marked[i]:
                self._axes[i].show_decades(*ranges[i], areas[i].height(), gaps[i])
                if marks[i] is None:
                    self._axes[i].setTicks([[]])
        self._marked = marks
        if span != old_span:
            self._across.setTicks(self._times(span))
        self._ranges = span, *ranges
        for i, curve in enumerate(self.errors):
            _put(curve, *log_points(at, errors[:, i], span, self._upper.width()))
        _put(self.loss, *log_points(loss_at, loss, span, self._lower.width()))
        ends, level = np.array(span if lowest else ()), np.log10(np.array(lowest * 2))
        _put(self.floor, ends, level)
        self._name_ends()

    def render(self, painter: QPainter) -> None:
        """Draw the scene, a pixel of it on a pixel of the painter."""
        box = self._view.range
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._scene.prepareForPaint()
        self._scene.render(painter, box, box, Qt.AspectRatioMode.IgnoreAspectRatio)

    def _times(self, span: tuple[float, float]) -> list[list[tuple[float, str]]]:
        """Ticks at powers of ten, with names where there is room, and at their multiples."""
        low, high = span
        width = QFontMetricsF(font(CAPTION, scale=self._factor)).horizontalAdvance
        area = self._lower
        major, minor = [], []
        for power in range(math.floor(low), math.ceil(high) + 1):
            x = area.left() + (power - low) / (high - low) * area.width()
            text = tick_name(10.0**power)
            major.append((float(power), text if x + width(text) / 2 < self._free else ""))
            minor += [(power + math.log10(digit), "") for digit in range(2, 10)]
        # pyqtgraph draws a third level short and faint.
        return [major, [], minor]

    def _name_ends(self) -> None:
        """Name each curve beside its right end, and lead to the name where it stands apart."""
        k, area = self._factor, self._upper
        gap = font(CAPTION, scale=k).pixelSize() * 1.15
        ends = {}
        for i, curve in enumerate(self.errors):
            x, y = curve.getData()
            self._leaders[i].setVisible(known := bool(x is not None and x.size))
            self._names[i].setVisible(known)
            self._ends[i].setVisible(known)
            if known:
                ends[i] = self.upper.mapViewToScene(QPointF(x[-1], y[-1]))
        places = spread([end.y() for end in ends.values()], gap, area.top(), area.bottom())
        right = area.right() + 8 * k
        for (i, end), y in zip(ends.items(), places, strict=True):
            self._leaders[i].setLine(end.x(), end.y(), right - 2, y)
            self._ends[i].setPos(end)
            self._names[i].setPos(right, y)


def _put(curve: pg.PlotCurveItem, x: Floats, y: Floats) -> None:
    """Give a curve its points unless it has them."""
    if curve.xData is None or not (np.array_equal(curve.xData, x) and np.array_equal(curve.yData, y)):
        curve.setData(x, y)
