"""Icons drawn as paths on a 16 x 16 grid: sharp at every size, in the theme's ink, no files to load."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import cos, pi, sin

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from explorer.theme import Theme

Draw = Callable[[QPainter], None]

GRID = 16
"""Every icon is drawn in this square."""

DENSITIES = (1, 2)
"""Device-pixel ratios that an icon holds pictures for."""


def icon(name: str, theme: Theme, size: int = GRID) -> QIcon:
    """The icon of this name ("play", "pause", ...) in the theme's ink, paler where disabled."""
    return QIcon(_icon(name, theme.ink, size))


def blank(size: int = GRID) -> QIcon:
    """An icon without ink: it keeps the place of one that comes later."""
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    return QIcon(pixmap)


@lru_cache(maxsize=256)
def _icon(name: str, ink: str, size: int) -> QIcon:
    result = QIcon()
    for mode, alpha in ((QIcon.Mode.Normal, 1.0), (QIcon.Mode.Disabled, 0.35)):
        colour = QColor(ink)
        colour.setAlphaF(alpha)
        for density in DENSITIES:
            result.addPixmap(_pixmap(DRAWINGS[name], colour, size, density), mode)
    return result


def _pixmap(draw: Draw, colour: QColor, size: int, density: int) -> QPixmap:
    pixmap = QPixmap(size * density, size * density)
    pixmap.setDevicePixelRatio(density)
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(size / GRID, size / GRID)
        painter.setPen(QPen(colour, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.setBrush(colour)
        draw(painter)
    return pixmap


def _shape(*points: tuple[float, float]) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in points])


def _line(painter: QPainter, *points: tuple[float, float]) -> None:
    painter.drawPolyline(_shape(*points))


def _play(painter: QPainter) -> None:
    painter.drawPolygon(_shape((4.5, 3), (4.5, 13), (12.5, 8)))


def _pause(painter: QPainter) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawRoundedRect(QRectF(3.5, 2.5, 3.2, 11), 1, 1)
    painter.drawRoundedRect(QRectF(9.3, 2.5, 3.2, 11), 1, 1)


def _step(painter: QPainter) -> None:
    painter.drawPolygon(_shape((3, 3.5), (3, 12.5), (9.5, 8)))
    _line(painter, (12.5, 3.5), (12.5, 12.5))


def _back(painter: QPainter) -> None:
    painter.drawPolygon(_shape((13, 3.5), (13, 12.5), (6.5, 8)))
    _line(painter, (3.5, 3.5), (3.5, 12.5))


def _reset(painter: QPainter) -> None:
    """Three quarters of a circle with an arrow head at its upper left."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawArc(QRectF(2.75, 2.75, 10.5, 10.5), 140 * 16, -280 * 16)
    _line(painter, (3.4, 1.8), (3.7, 5.2), (7, 4.9))


def _brush(painter: QPainter) -> None:
    """A handle from the upper right and a loaded tip at the lower left."""
    painter.save()
    painter.setPen(QPen(painter.pen().color(), 2.4, c=Qt.PenCapStyle.RoundCap))
    _line(painter, (13, 3), (8.2, 7.8))
    painter.restore()
    path = QPainterPath(QPointF(7.4, 8.0))
    path.cubicTo(4.2, 7.2, 3.6, 10.6, 2.2, 13.2)
    path.cubicTo(5.5, 13.8, 9.4, 12.6, 8.6, 9.2)
    path.closeSubpath()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawPath(path)


def _eraser(painter: QPainter) -> None:
    painter.save()
    painter.translate(8, 7.2)
    painter.rotate(-40)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(-6, -2.8, 12, 5.6), 1, 1)
    painter.setBrush(painter.pen().color())
    painter.drawRect(QRectF(-5.6, -2.6, 4.2, 5.2))
    painter.restore()
    _line(painter, (8, 13.6), (14, 13.6))


def _turn(painter: QPainter, side: int) -> None:
    """A hooked arrow to the left (side 1: undo) or to the right (side -1: redo)."""
    painter.save()
    if side < 0:
        painter.translate(GRID, 0)
        painter.scale(-1, 1)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    path = QPainterPath(QPointF(3, 6))
    path.lineTo(9.5, 6)
    path.cubicTo(14.2, 6, 14.2, 13, 9.5, 13)
    path.lineTo(6.5, 13)
    painter.drawPath(path)
    _line(painter, (6, 3), (3, 6), (6, 9))
    painter.restore()


def _clear(painter: QPainter) -> None:
    """An empty sheet with a cross."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(2.5, 2.5, 11, 11), 1.5, 1.5)
    _line(painter, (5.8, 5.8), (10.2, 10.2))
    _line(painter, (10.2, 5.8), (5.8, 10.2))


def _close(painter: QPainter) -> None:
    _line(painter, (4, 4), (12, 12))
    _line(painter, (12, 4), (4, 12))


def _check(painter: QPainter) -> None:
    _line(painter, (3, 8.5), (6.5, 12), (13, 4))


def _presets(painter: QPainter) -> None:
    """Four small paintings."""
    painter.setPen(Qt.PenStyle.NoPen)
    for x in (2.2, 8.8):
        for y in (2.2, 8.8):
            painter.drawRoundedRect(QRectF(x, y, 5, 5), 1, 1)


def _settings(painter: QPainter) -> None:
    """Three sliders."""
    for y, knob in ((3.5, 10.5), (8, 5), (12.5, 9)):
        _line(painter, (2, y), (14, y))
        painter.drawEllipse(QPointF(knob, y), 1.5, 1.5)


def _warning(painter: QPainter) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolygon(_shape((8, 2), (14.3, 13.5), (1.7, 13.5)))
    _line(painter, (8, 6.2), (8, 9.6))
    painter.drawPoint(QPointF(8, 11.6))


def _release(painter: QPainter) -> None:
    """A ring of particles with one in the middle: released anew."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawEllipse(QPointF(8, 8), 1.6, 1.6)
    for i in range(6):
        painter.drawEllipse(QPointF(8 + 5.4 * cos(i * pi / 3), 8 + 5.4 * sin(i * pi / 3)), 1.3, 1.3)


def _straight(painter: QPainter) -> None:
    """A line between two ends."""
    _line(painter, (3.5, 12.5), (12.5, 3.5))
    for x, y in ((3.5, 12.5), (12.5, 3.5)):
        painter.drawEllipse(QPointF(x, y), 1.3, 1.3)


def _ellipse(painter: QPainter) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(QRectF(2, 4, 12, 8))


def _fill(painter: QPainter) -> None:
    """A tilted bucket over a drop."""
    painter.save()
    painter.translate(7, 7.5)
    painter.rotate(-45)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(-4, -4, 8, 8), 1, 1)
    painter.setBrush(painter.pen().color())
    painter.drawRect(QRectF(-3.6, 0.4, 7.2, 3.2))
    painter.restore()
    painter.drawEllipse(QPointF(13.6, 12.4), 1.3, 1.6)


def _gaussian(painter: QPainter) -> None:
    """A bell over its axis."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    path = QPainterPath(QPointF(1.5, 12.5))
    path.cubicTo(6, 12.5, 5.2, 3, 8, 3)
    path.cubicTo(10.8, 3, 10, 12.5, 14.5, 12.5)
    painter.drawPath(path)


def _stamp(painter: QPainter) -> None:
    """A capital letter."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _line(painter, (3, 13), (8, 2.5), (13, 13))
    _line(painter, (5, 9.2), (11, 9.2))


def _smooth(painter: QPainter) -> None:
    """A drop."""
    path = QPainterPath(QPointF(8, 2))
    path.cubicTo(10, 5.4, 12.3, 7.4, 12.3, 10)
    path.cubicTo(12.3, 15.2, 3.7, 15.2, 3.7, 10)
    path.cubicTo(3.7, 7.4, 6, 5.4, 8, 2)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(path)


def _select(painter: QPainter) -> None:
    """A dashed rectangle."""
    pen = QPen(painter.pen())
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    pen.setDashPattern([1.7, 1.3])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(2.5, 3.5, 11, 9))


def _add(painter: QPainter) -> None:
    _line(painter, (8, 3), (8, 13))
    _line(painter, (3, 8), (13, 8))


def _duplicate(painter: QPainter) -> None:
    """A sheet before another."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(2.5, 5.5, 8, 8), 1, 1)
    _line(painter, (5.5, 2.5), (13.5, 2.5), (13.5, 10.5))


DRAWINGS: dict[str, Draw] = {
    "line": _straight,
    "ellipse": _ellipse,
    "fill": _fill,
    "gaussian": _gaussian,
    "stamp": _stamp,
    "smooth": _smooth,
    "select": _select,
    "play": _play,
    "pause": _pause,
    "step": _step,
    "back": _back,
    "reset": _reset,
    "release": _release,
    "brush": _brush,
    "eraser": _eraser,
    "undo": lambda painter: _turn(painter, 1),
    "redo": lambda painter: _turn(painter, -1),
    "clear": _clear,
    "close": _close,
    "check": _check,
    "add": _add,
    "duplicate": _duplicate,
    "presets": _presets,
    "settings": _settings,
    "warning": _warning,
}
"""Every icon by name."""
