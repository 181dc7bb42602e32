"""The density, its logarithm or its energy as a surface over the plane.

Drawn by the window's own processor (`explorer.views.relief`), so that it looks the same on every machine, in films and
without OpenGL. The height is the ground's (`explorer.views.ground`): p_sigma over its maximum, or its logarithm or
energy down to the stated number of nats; the colour is the theme's map. A small cross on the surface marks the point
that is read.

Mouse: the left button turns it, the wheel zooms the plane, the right or middle button pans. Keyboard: arrows turn it,
with Shift finely; Ctrl with arrows pans, plus and minus zoom, Home shows the whole plane from the first side.
"""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QWidget

from explorer.engine.messages import Frame
from explorer.numbers import three
from explorer.theme import CAPTION, font
from explorer.viewing import Viewing, ViewOptions
from explorer.views.ground import FLOOR, heights
from explorer.views.plane import PlaneRange, pair
from explorer.views.relief import Relief, project, relief
from explorer.views.square import SquareView

FIRST = (math.radians(-28), math.radians(38))
"""Azimuth and elevation at first."""

LOWEST, HIGHEST = math.radians(8), math.radians(88)
LARGEST = 400
"""The surface has at most this many pixels a side; a larger view scales it."""

FINER = 1.5
"""Pixels of the surface for each of the view while it stands still, which makes edges smooth; 1 while it is turned."""

_WORDS = {"density": "p_σ", "log": "log p_σ", "energy": "−log p_σ", "none": "p_σ"}


class SurfaceView(SquareView):
    """A density as a surface that can be turned; it shows the plane's range."""

    def __init__(self, plane_range: PlaneRange, viewing: Viewing | None = None, parent: QWidget | None = None) -> None:
        keys = "Arrow keys turn it, plus and minus zoom, Home shows it from the first side."
        super().__init__(plane_range, "Density as a surface", keys, parent, viewing)
        self.azimuth, self.elevation = FIRST
        self.point: tuple[float, float] | None = None
        self._held: tuple[Qt.MouseButton, QPointF] | None = None
        self._heights = np.zeros((2, 2), np.float32)
        self._key: tuple[object, ...] = ()
        self._version = 0
        self._relief: Relief | None = None
        self._pixels = np.zeros((0, 0), np.uint32)
        self._image = QImage()
        self.setToolTip("Drag to turn it, wheel to zoom. Contour lines at every tenth of the height.")

    # --- what the rest of the program calls

    def show_frame(self, frame: Frame) -> None:
        """Draw this moment from now on; one with the same ground is not drawn again."""
        before, self.frame = self.frame, frame
        same = before is not None and (before.centre, before.half_width) == (frame.centre, frame.half_width)
        if before is None or not same or not np.array_equal(before.ground, frame.ground):
            self._lay()
        self.say()

    def let_go(self) -> None:
        """Free the picture."""
        self._key, self._relief = (), None
        self._pixels, self._image = np.zeros((0, 0), np.uint32), QImage()

    def set_options(self, options: ViewOptions) -> None:
        """Draw by these options from now on."""
        if options.ground != self.options.ground:
            self.options = options
            self._lay()
            self.say()
        self.options = options

    def turn(self, azimuth: float, elevation: float) -> None:
        """Look from `azimuth` and `elevation`, in radians; the elevation stays between `LOWEST` and `HIGHEST`."""
        self.azimuth = math.remainder(azimuth, 2 * math.pi)
        self.elevation = min(max(elevation, LOWEST), HIGHEST)
        self.update()

    def _lay(self) -> None:
        frame = self.frame
        if frame is None or len(frame.ground) < 2:
            return
        kind = "density" if self.options.ground == "none" else self.options.ground
        surface = heights(frame.ground, kind)
        self._heights = surface / max(float(surface.max()), 1e-6) if kind == "energy" else surface
        self._version += 1
        self.update()

    # --- texts

    def caption(self) -> str:
        """What is drawn, and the noise level."""
        return "" if self.frame is None else f"{_WORDS[self.options.ground]}, σ {three(self.frame.sigma)}"

    def reading(self) -> str:
        """The value under the cursor; without one, what the surface's height stands for."""
        frame = self.frame
        if frame is None:
            return ""
        value = self._value()
        if self.point is None or value is None:
            if self.options.ground in ("log", "energy"):
                return f"height: {FLOOR:g} nats from the summit"
            return f"height: p_σ up to {three(frame.peak)}"
        if self.options.ground in ("log", "energy"):
            log_p = math.log(max(value * frame.peak, 1e-300))
            shown = log_p if self.options.ground == "log" else -log_p
            return f"{_WORDS[self.options.ground]}{pair(*self.point)} = {three(shown)}"
        return f"p_σ{pair(*self.point)} = {three(value * frame.peak)}"

    def _value(self) -> float | None:
        """The density over its maximum at the point that is read."""
        frame = self.frame
        if frame is None or self.point is None:
            return None
        n = len(frame.ground)
        h = frame.half_width
        u, v = ((p - c + h) / (2 * h) for p, c in zip(self.point, frame.centre, strict=True))
        if not (0 <= u <= 1 and 0 <= v <= 1):
            return None
        return float(frame.ground[min(int(v * n), n - 1), min(int(u * n), n - 1)])

    # --- geometry and painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """The frame of the ground, the surface, the point that is read, and the rule."""
        square = self.square()
        with QPainter(self) as painter:
            painter.fillRect(event.rect(), QColor(self.theme.window))
            painter.fillRect(square, QColor(self.theme.ground_low))
            painter.setClipRect(square)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self.frame is not None:
                self._paint_floor(painter, square)
                fine = FINER if self._held is None else 1.0
                self._render(min(LARGEST, round(fine * square.width() * painter.device().devicePixelRatioF())))
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
                painter.drawImage(QRectF(square), self._image)
                self._paint_names(painter, square)
                if self.point is not None:
                    self._paint_point(painter, square)
            self.paint_rule(painter, square)

    def _render(self, size: int) -> None:
        """Make the picture of the surface anew where anything about it has changed."""
        key = (self._version, size, self.azimuth, self.elevation, self.theme)
        if key == self._key:
            return
        self._key = key
        seen = relief(self._heights, self.azimuth, self.elevation, size)
        self._relief = seen
        shown = np.isfinite(seen.z)
        index = (np.where(shown, seen.z, 0) * 255).astype(np.uint8)
        table = self.theme.density_table()[:, :3].astype(np.float32)
        lift = 0.18 if self.theme.name == "dark" else 0.0
        tone = 0.55 + 0.5 * np.where(shown, seen.light, 0) - 0.22 * np.where(shown, seen.contour, 0) + lift
        colour = np.minimum(table[index] * tone[..., None], 255).astype(np.uint32)
        packed = np.uint32(0xFF000000) | colour[..., 0] << 16 | colour[..., 1] << 8 | colour[..., 2]
        self._pixels = np.where(shown, packed, np.uint32(0)).astype(np.uint32)
        self._image = QImage(self._pixels.data, size, size, 4 * size, QImage.Format.Format_ARGB32_Premultiplied)

    def _at(self, x: float, y: float, z: float, square: QRect) -> QPointF:
        """The pixel at which a point of the unit ground with this height is seen."""
        right, up = project(x, y, z, self.azimuth, self.elevation)
        half = square.width() / 2
        return QPointF(square.left() + half * (1 + right), square.top() + half * (1 - up))

    def _paint_floor(self, painter: QPainter, square: QRect) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self.theme.quiet), 1))
        painter.drawPolygon(QPolygonF([self._at(x, y, 0.0, square) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]))

    def _paint_names(self, painter: QPainter, square: QRect) -> None:
        """Name the axes at the ends of the two edges of the ground that face the eye."""
        painter.setFont(font(CAPTION, scale=self.scale))
        painter.setPen(QColor(self.theme.ink))
        front = -1 if math.cos(self.azimuth) > 0 else 1
        side = 1 if math.sin(self.azimuth) > 0 else -1
        for name, x, y in (("x", 0.0, 1.12 * front), ("y", 1.12 * side, 0.0)):
            at = self._at(x, y, 0.0, square)
            painter.drawText(QRectF(at.x() - 20, at.y() - 10, 40, 20), Qt.AlignmentFlag.AlignCenter, name)

    def _paint_point(self, painter: QPainter, square: QRect) -> None:
        assert self.point is not None
        (cx, cy), h = self.range.centre, self.range.half_width
        x, y = (self.point[0] - cx) / h, (self.point[1] - cy) / h
        if max(abs(x), abs(y)) > 1:
            return
        n = len(self._heights)
        z = float(self._heights[min(int((y + 1) / 2 * n), n - 1), min(int((x + 1) / 2 * n), n - 1)])
        at = self._at(x, y, z, square)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((self.theme.surface, 3.5), (self.theme.ink, 1.5)):
            painter.setPen(QPen(QColor(colour), width))
            painter.drawEllipse(at, 5.0, 5.0)

    # --- hands

    def point_under(self, position: QPointF) -> tuple[float, float] | None:
        """The point of the plane whose surface is drawn at this position."""
        seen, square = self._relief, self.square()
        if seen is None:
            return None
        size = len(seen.z)
        col = math.floor((position.x() - square.left()) / square.width() * size)
        row = math.floor((position.y() - square.top()) / square.height() * size)
        if not (0 <= col < size and 0 <= row < size) or not np.isfinite(seen.x[row, col]):
            return None
        (cx, cy), h = self.range.centre, self.range.half_width
        return cx + h * float(seen.x[row, col]), cy + h * float(seen.y[row, col])

    def _read(self, point: tuple[float, float] | None) -> None:
        if point == self.point:
            return
        self.point = point
        if point is None:
            self.left.emit()
        else:
            self.hovered.emit(*point)
        self.say()
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to turn with the left button, to pan with another."""
        self._held = event.button(), event.position()
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Turn or pan while a button is held; read the surface under the cursor otherwise."""
        if self._held is None:
            self._read(self.point_under(event.position()))
            return
        button, before = self._held
        move, side = event.position() - before, self.square().width()
        self._held = button, event.position()
        if button == Qt.MouseButton.LeftButton:
            self.turn(self.azimuth - 3 * move.x() / side, self.elevation + 2 * move.y() / side)
        else:
            self.shift(-2 * move.x() / side, 2 * move.y() / side)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End turning."""
        self._held = None
        self.update()
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        """Stop reading."""
        self._read(None)

    def read_point(self) -> tuple[float, float] | None:
        """The point under the cursor."""
        return self.point

    def shift(self, right: float, up: float) -> None:
        """Move the range by so many half widths, as seen from the eye: up is away from it."""
        h, cos, sin = self.range.half_width, math.cos(self.azimuth), math.sin(self.azimuth)
        self.range.pan(h * (cos * right - sin * up), h * (sin * right + cos * up))

    def steer(self, right: int, up: int, fine: bool) -> None:
        """Turn it."""
        step = math.radians(2 if fine else 10)
        self.turn(self.azimuth + right * step, self.elevation + up * step)

    def go_home(self) -> None:
        """Show the whole plane from the first side."""
        self.turn(*FIRST)
        self.range.reset()
