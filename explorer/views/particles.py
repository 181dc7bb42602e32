"""Particles in the plane: one pane of ascent, Langevin or annealed Langevin dynamics.

Every particle is a square dot, and dots are counted per pixel: k of them have opacity 1 - (1 - a)^k, as k layers of ink
would. Only the pixels that dots touch are written, and wiped before the next frame, so that the cost follows the number
of particles and not the size of the picture.

Where particles **collapse**, thousands of them would be one dot. So the plane is also counted in cells of four pixels, and a
cell that holds at least 2 % of all particles gets a disc at their mean whose *area* is in proportion to their share.

Particles outside the view are counted at the edge that they are beyond (in a corner: beyond the edge that they are
farther from).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPolygonF
from PySide6.QtWidgets import QWidget

from explorer.engine.messages import Frame
from explorer.numbers import three
from explorer.theme import CAPTION, font
from explorer.views.plane import PlaneRange, PlaneView

OPACITY = 0.42
"""The ink of a single dot."""

HEAP = 0.02
"""The share of all particles that makes a cell a heap."""

HEAP_CELL = 4
"""The side of a cell in pixels."""

HEAP_RADIUS = 0.026
"""The radius of the disc of a heap of all particles, over the side of the view."""

_TITLES = ("Ascent", "Langevin", "Annealed Langevin")
_NAMES = ("gradient ascent without noise", "plain Langevin dynamics", "annealed Langevin dynamics")


@dataclass(frozen=True)
class Outside:
    """How many particles are beyond each edge of the view."""

    left: int = 0
    right: int = 0
    bottom: int = 0
    top: int = 0

    @property
    def total(self) -> int:
        """All that are not in the view."""
        return self.left + self.right + self.bottom + self.top


def count_outside(points: NDArray[np.float32], centre: tuple[float, float], half_width: float) -> Outside:
    """Count the points (N, 2) beyond each edge of the square range; points that are not finite are not counted."""
    offset = points[np.isfinite(points).all(axis=1)] - np.asarray(centre, dtype=points.dtype)
    reach = np.abs(offset)
    gone = reach.max(axis=1, initial=0.0) > half_width
    if not gone.any():
        return Outside()
    offset, reach = offset[gone], reach[gone]
    sideways = reach[:, 0] >= reach[:, 1]
    x, y = offset[sideways, 0], offset[~sideways, 1]
    return Outside(int((x < 0).sum()), int((x > 0).sum()), int((y < 0).sum()), int((y > 0).sum()))


class Splat:
    """Dots on a transparent square image of `size` pixels a side, written and wiped sparsely."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._counts = np.zeros(size * size, dtype=np.uint16)
        self._pixels = np.zeros(size * size, dtype=np.uint32)
        self._touched: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self.image = QImage(self._pixels.data, size, size, 4 * size, QImage.Format.Format_ARGB32_Premultiplied)

    def draw(self, pixels: NDArray[np.float32], dot: int, colour: QColor) -> None:
        """Replace what is drawn by dots of `dot` x `dot` pixels about positions (N, 2), finite, in pixels from the top left."""
        self._counts[self._touched] = 0
        self._pixels[self._touched] = 0
        corner = np.floor(pixels - (dot - 1) / 2 + 0.0).astype(np.intp)
        inside = ((corner >= 0) & (corner <= self.size - dot)).all(axis=1)
        corner = corner[inside]
        first = corner[:, 1] * self.size + corner[:, 0]
        shift = (np.arange(dot)[:, None] * self.size + np.arange(dot)).ravel()
        touched = (first[:, None] + shift).ravel()
        np.add.at(self._counts, touched, np.uint16(1))
        self._pixels[touched] = _ink(colour)[np.minimum(self._counts[touched], 255)]
        self._touched = touched


def _ink(colour: QColor) -> NDArray[np.uint32]:
    """Premultiplied ARGB of 0 to 255 layers of a dot."""
    alpha = 1 - (1 - OPACITY) ** np.arange(256)
    alpha[1:] = np.maximum(alpha[1:], OPACITY)
    red, green, blue = colour.red(), colour.green(), colour.blue()
    a, r, g, b = (np.round(alpha * c).astype(np.uint32) for c in (255, red, green, blue))
    return a << 24 | r << 16 | g << 8 | b


def find_heaps(pixels: NDArray[np.float32], size: int, cell: int) -> NDArray[np.float64]:
    """Heaps (H, 3) as x, y (means, in pixels) and share of all, of positions (N, 2) in a square of `size` pixels."""
    inside = ((pixels >= 0) & (pixels < size)).all(axis=1)
    x, y = pixels[inside, 0], pixels[inside, 1]
    cols = size // cell + 1
    index = (y / cell).astype(np.intp) * cols + (x / cell).astype(np.intp)
    counts = np.bincount(index, minlength=cols * cols)
    heaps = np.flatnonzero(counts >= max(HEAP * len(pixels), 2))
    if not heaps.size:
        return np.zeros((0, 3))
    means = [np.bincount(index, weights=v, minlength=cols * cols)[heaps] / counts[heaps] for v in (x, y)]
    return np.stack([*means, counts[heaps] / len(pixels)], axis=1)


class ParticleView(PlaneView):
    """One of the frame's three panes of particles; `pane` is its index in `explorer.engine.messages.PANES`."""

    def __init__(self, pane: int, plane_range: PlaneRange, parent: QWidget | None = None) -> None:
        super().__init__(
            plane_range,
            f"Particles: {_TITLES[pane]}",
            f"Particles moved by {_NAMES[pane]}, over the density. Arrow keys move a cross-hair.",
            parent,
        )
        self.pane = pane
        self._splat = Splat(1)

    @property
    def outside(self) -> Outside:
        """How many particles the view does not show, by edge."""
        if self.frame is None:
            return Outside()
        return count_outside(self.frame.panes[self.pane], self.range.centre, self.range.half_width)

    @property
    def stale(self) -> bool:
        """Whether the painting has changed since the particles were released."""
        frame = self.frame
        return frame is not None and frame.released > 0 and frame.particles_revision != frame.revision

    def caption(self) -> str:
        """How far the run is, and for annealed Langevin dynamics its noise level."""
        frame = self.frame
        if frame is None or not frame.released:
            return ""
        if self.pane == 2:
            return f"σ {three(frame.particle_sigma)}"
        return f"t {frame.particle_step:,}"

    def source(self) -> tuple[str, ...]:
        """What moves the particles, in words from long to short."""
        frame = self.frame
        if frame is None or not frame.released:
            return ()
        if frame.particle_source == "true":
            return ("true score",)
        step = f"step {frame.particle_weights_step:,}"
        if frame.table_error <= 0:
            return (f"learned score, {step}", f"learned, {step}")
        error = f"table error {three(100 * frame.table_error)} %"
        return (f"learned score, {step}, {error}", f"learned, {step}, {error}", f"learned, {step}, table")

    def paint_marks(self, painter: QPainter, square: QRect) -> None:
        """Dots, discs for heaps, counts at the edges, and what the run is made on."""
        frame = self.frame
        if frame is None or not frame.released:
            return
        points = frame.panes[self.pane]
        points = points[np.isfinite(points).all(axis=1)]
        ratio = painter.device().devicePixelRatioF()
        size = round(square.width() * ratio)
        unit, ox, oy = self.mapping()
        scale = size / square.width()
        pixels = np.empty_like(points)
        np.multiply(points[:, 0], unit * scale, out=pixels[:, 0])
        np.multiply(points[:, 1], -unit * scale, out=pixels[:, 1])
        pixels += np.array([(ox - square.left()) * scale, (oy - square.top()) * scale], dtype=pixels.dtype)
        np.clip(pixels, -1e6, 1e6, out=pixels)
        if self._splat.size != size:
            self._splat = Splat(size)
        colour = self.theme.colour("particles")
        side = size / scale
        dot = max(2, round((1.6 if side < 420 else 2.2) * scale))
        self._splat.draw(pixels, dot, colour)
        painter.drawImage(QRectF(square), self._splat.image)
        self._paint_heaps(painter, square, find_heaps(pixels, size, round(HEAP_CELL * scale)), scale)
        self._paint_badges(painter, square)
        self._paint_outside(painter, square)

    def _paint_heaps(self, painter: QPainter, square: QRect, heaps: NDArray[np.float64], scale: float) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.colour("particles"))
        for x, y, share in heaps:
            radius = max(1.5, HEAP_RADIUS * square.width() * float(share) ** 0.5)
            painter.drawEllipse(QPointF(square.left() + x / scale, square.top() + y / scale), radius, radius)

    def _paint_badges(self, painter: QPainter, square: QRect) -> None:
        painter.setFont(font(CAPTION, scale=self.scale))
        metrics, room = painter.fontMetrics(), square.width() - 20
        texts = self.source()
        if texts:
            text = next((t for t in texts if metrics.horizontalAdvance(t) <= room), texts[-1])
            corner = Qt.Corner.BottomLeftCorner
            self.paint_plate(painter, text, square.bottomLeft() + _inset(3, -2), corner)
        if self.stale:
            self.paint_plate(
                painter,
                "painting changed since",
                square.topLeft() + _inset(3, 3),
                Qt.Corner.TopLeftCorner,
                "warning",
            )

    def _paint_outside(self, painter: QPainter, square: QRect) -> None:
        """A triangle and a number at each edge that particles are beyond."""
        outside = self.outside
        painter.setFont(font(CAPTION, scale=self.scale))
        metrics = painter.fontMetrics()
        mark, height, s = 6 * self.scale, metrics.height(), square
        for count, dx, dy in (
            (outside.left, -1, 0),
            (outside.right, 1, 0),
            (outside.bottom, 0, 1),
            (outside.top, 0, -1),
        ):
            if not count:
                continue
            text = f"{count:,}"
            width = metrics.horizontalAdvance(text) + mark + 10
            x = {-1: s.left() + 3, 0: s.right() - 3 - width, 1: s.right() - 3 - width}[dx]
            y = {-1: s.top() + 3, 0: s.center().y() - height / 2, 1: s.bottom() - 2 - height}[dy]
            plate = QRectF(x, y, width, height)
            painter.fillRect(plate, self.theme.colour("surface", 0.9))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.colour("particles"))
            middle = QPointF(plate.left() + 3 + mark / 2, plate.center().y())
            ahead, across = QPointF(dx, dy) * (mark / 2), QPointF(-dy, dx) * (mark / 2)
            painter.drawPolygon(QPolygonF([middle + ahead, middle - ahead + across, middle - ahead - across]))
            painter.setPen(QColor(self.theme.ink))
            painter.drawText(plate.adjusted(mark + 6, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)


def _inset(dx: int, dy: int) -> QPointF:
    return QPointF(dx, dy)
