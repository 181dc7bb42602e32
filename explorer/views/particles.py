"""Particles in the plane: one pane of ascent, Langevin or annealed Langevin dynamics.

Every particle is a square dot of two pixels or so. Dots are counted per pixel, and k of them have the opacity
1 - (1 - a)^k, as k layers of ink would; a falls as the particles grow in number.

Where particles **collapse**, thousands of them would be one dot. So the view is also counted in cells of four pixels,
and a cell that holds at least 2 % of all particles gets a disc at their mean whose *area* is in proportion to their
share.

Particles outside the view are counted at the edge that they are beyond (in a corner: beyond the edge that they are
farther from). A particle that is not finite is neither drawn nor counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPolygonF
from PySide6.QtWidgets import QWidget

from explorer.engine.messages import Frame
from explorer.numbers import three
from explorer.theme import CAPTION, font
from explorer.views.chart import mode_badge
from explorer.views.ledger import order_by_mass
from explorer.views.plane import PlaneRange, PlaneView

Floats = NDArray[np.float32]

FAINTEST, DARKEST = 0.34, 0.85
"""Opacity of a single dot among 10,000 or more, and among few."""

HEAP = 0.02
"""The share of all particles that makes a cell a heap."""

HEAP_CELL = 4
"""The side of a cell in pixels."""

HEAP_RADIUS = 0.026
"""The radius of the disc of a heap of all particles, over the side of the view."""

MOST_BADGES = 9
"""Modes are numbered in the view while they are no more than this."""

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
    x, y = points[:, 0] - np.float32(centre[0]), points[:, 1] - np.float32(centre[1])
    gone = np.flatnonzero((np.abs(x) > half_width) | (np.abs(y) > half_width))
    gone = gone[np.isfinite(x[gone]) & np.isfinite(y[gone])]
    x, y = x[gone], y[gone]
    sideways = np.abs(x) >= np.abs(y)
    left, right = (sideways & (x < 0)).sum(), (sideways & (x > 0)).sum()
    bottom, top = (~sideways & (y < 0)).sum(), (~sideways & (y > 0)).sum()
    return Outside(int(left), int(right), int(bottom), int(top))


class Splat:
    """Dots on a transparent square image of `size` pixels a side."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._counts = np.zeros(size * size, dtype=np.uint16)
        self._pixels = np.zeros(size * size, dtype=np.uint32)
        self.image = QImage(self._pixels.data, size, size, 4 * size, QImage.Format.Format_ARGB32_Premultiplied)

    def draw(self, x: Floats, y: Floats, dot: int, ink: NDArray[np.uint32]) -> None:
        """Replace what is drawn by dots of `dot` x `dot` pixels.

        Args:
            x: (N,) positions from the left in pixels, inside [0, size).
            y: (N,) positions from the top.
            dot: the side of a dot.
            ink: (256,) the pixel for so many dots over each other, as `ink_table` gives it.
        """
        self._counts.fill(0)
        self._pixels.fill(0)
        back, last = np.float32((dot - 1) / 2), self.size - dot
        col = np.clip((x - back).astype(np.int32), 0, last)
        row = np.clip((y - back).astype(np.int32), 0, last)
        first = row.astype(np.intp) * self.size + col
        shift = (np.arange(dot)[:, None] * self.size + np.arange(dot)).reshape(-1, 1)
        touched = (first + shift).ravel()
        np.add.at(self._counts, touched, np.uint16(1))
        self._pixels[touched] = ink[np.minimum(self._counts[touched], 255)]


def ink_table(colour: QColor, number: int) -> NDArray[np.uint32]:
    """Premultiplied ARGB (256,) of 0 to 255 dots over each other, when there are `number` particles in all."""
    opacity = min(max(FAINTEST * (10_000 / max(number, 1)) ** 0.5, FAINTEST), DARKEST)
    alpha = 1 - (1 - opacity) ** np.arange(256)
    channels = (255, colour.red(), colour.green(), colour.blue())
    a, r, g, b = (np.round(alpha * c).astype(np.uint32) for c in channels)
    return np.asarray(a << 24 | r << 16 | g << 8 | b, dtype=np.uint32)


def find_heaps(x: Floats, y: Floats, size: int, cell: int, number: int) -> NDArray[np.float64]:
    """Find heaps (H, 3) as x, y (means, in pixels) and share of `number`, of positions inside [0, size)."""
    cols = size // cell + 1
    index = (y / np.float32(cell)).astype(np.intp) * cols + (x / np.float32(cell)).astype(np.intp)
    counts = np.bincount(index, minlength=cols * cols)
    heaps = np.flatnonzero(counts >= max(HEAP * number, 2))
    if not heaps.size:
        return np.zeros((0, 3))
    means = [np.bincount(index, weights=v, minlength=cols * cols)[heaps] / counts[heaps] for v in (x, y)]
    return np.stack([*means, counts[heaps] / number], axis=1)


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
        self.setToolTip("Numbers at the edges count the particles beyond them.")

    def looks_like(self, before: Frame, frame: Frame) -> bool:
        """Whether both frames hold the same particles over the same density."""
        if frame.fields_version == 0 or before.fields_version != frame.fields_version or before.run != frame.run:
            return False
        now, then = ((f.released, f.particle_step, f.particles_revision, f.revision) for f in (frame, before))
        return now == then

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
        step = f"step {frame.particle_weights_step:,}"
        long, short = f"learned score, {step}", f"learned, {step}"
        if frame.particle_source == "true":
            long = short = "true score"
        if frame.table_error <= 0:
            return (long, short)
        error = f"{100 * frame.table_error:.2g} %"
        return (f"{long}, table error {error}", f"{short}, table error {error}", f"{short}, table {error}")

    def paint_marks(self, painter: QPainter, square: QRect) -> None:
        """Dots, discs for heaps, counts at the edges, and what the run is made on."""
        frame = self.frame
        if frame is None or not frame.released:
            return
        points = frame.panes[self.pane]
        size = round(square.width() * painter.device().devicePixelRatioF())
        scale = size / square.width()
        unit, ox, oy = self.mapping()
        x = points[:, 0] * np.float32(unit * scale) + np.float32((ox - square.left()) * scale)
        y = points[:, 1] * np.float32(-unit * scale) + np.float32((oy - square.top()) * scale)
        inside = (x >= 0) & (x < size) & (y >= 0) & (y < size)
        x, y = x[inside], y[inside]
        if self._splat.size != size:
            self._splat = Splat(size)
        dot = max(2, round((1.6 if square.width() < 420 else 2.2) * scale))
        self._splat.draw(x, y, dot, ink_table(self.theme.colour("particles"), len(points)))
        painter.drawImage(QRectF(square), self._splat.image)
        cell = max(2, round(HEAP_CELL * scale))
        self._paint_heaps(painter, square, find_heaps(x, y, size, cell, len(points)), scale)
        self._paint_modes(painter, square)
        badge = self._paint_badges(painter, square)
        self._paint_outside(painter, square, badge)

    def _paint_heaps(self, painter: QPainter, square: QRect, heaps: NDArray[np.float64], scale: float) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.colour("particles"))
        for x, y, share in heaps.tolist():
            radius = max(1.5, HEAP_RADIUS * square.width() * share**0.5)
            painter.drawEllipse(QPointF(square.left() + x / scale, square.top() + y / scale), radius, radius)

    def _paint_modes(self, painter: QPainter, square: QRect) -> None:
        """The modes' numbers in the ledger, beside their summits, away from the middle of the plane."""
        modes = self.frame.modes if self.frame is not None else None
        if modes is None or len(modes.mass) > MOST_BADGES:
            return
        side = 16 * self.scale
        room = QRectF(square).adjusted(side, side, -side, -side)
        for number, index in enumerate(order_by_mass(modes), 1):
            x, y = modes.centres[index].tolist()
            away = np.array([x, -y]) / max(np.hypot(x, y), 1e-6) * 1.4 * side
            at = self.to_pixel(x, y) + QPointF(*away.tolist())
            if room.contains(at):
                box = QRectF(at.x() - side / 2, at.y() - side / 2, side, side)
                mode_badge(painter, box, number, self.theme, self.scale)

    def _paint_badges(self, painter: QPainter, square: QRect) -> QRect:
        """What moves the particles, below, and whether that is out of date, above; where the lower one is."""
        badge = QRect()
        painter.setFont(font(CAPTION, scale=self.scale))
        metrics, room = painter.fontMetrics(), square.width() - 14
        texts = self.source()
        if texts:
            text = next((t for t in texts if metrics.horizontalAdvance(t) <= room), texts[-1])
            corner = Qt.Corner.BottomLeftCorner
            badge = self.paint_plate(painter, text, square.bottomLeft() + QPoint(1, 0), corner)
        if self.stale:
            self.paint_plate(
                painter,
                "painting changed since",
                square.topLeft() + QPoint(1, 1),
                Qt.Corner.TopLeftCorner,
                "warning",
            )
        return badge

    def _paint_outside(self, painter: QPainter, square: QRect, badge: QRect) -> None:
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
            x = {-1: s.left() + 1, 0: s.right() - width, 1: s.right() - width}[dx]
            y = {-1: s.top() + 1, 0: s.center().y() - height // 2, 1: s.bottom() - height}[dy]
            plate = QRectF(x, y, width, height)
            if plate.intersects(QRectF(badge)):
                plate.moveBottom(badge.top())
            painter.fillRect(plate, self.theme.colour("surface", 0.9))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.colour("particles"))
            middle = QPointF(plate.left() + 3 + mark / 2, plate.center().y())
            ahead, across = QPointF(dx, dy) * (mark / 2), QPointF(-dy, dx) * (mark / 2)
            painter.drawPolygon(QPolygonF([middle + ahead, middle - ahead + across, middle - ahead - across]))
            painter.setPen(QColor(self.theme.ink))
            painter.drawText(plate.adjusted(mark + 6, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)
