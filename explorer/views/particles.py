"""Particles in the plane: one pane of a release, moved by whichever sampler the scene gives it.

How they are drawn is `explorer.views.splat`'s: dots, or above 20,000 of them their density, which the tile says. A heap
gets a disc at its particles' mean whose *area* is in proportion to their share. Trails are the last ways of the first
few particles, fading with age.

A click near a particle follows it: its whole way is drawn in every pane, since particle k starts alike in all of them
and draws the same noise. A click on empty ground, or Escape, lets it go.

Particles outside the view are counted at its edges (`explorer.views.outside`). What moves them stands on the strip
below (`explorer.views.panefoot`), and on the plane only where there is no strip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QApplication, QWidget

from explorer.engine.messages import Frame, PaneState, Want
from explorer.numbers import three
from explorer.panes import MEANINGS, SHORT, TITLES
from explorer.theme import CAPTION, TITLE, UNIT, font
from explorer.viewing import Viewing
from explorer.views.arrows import draw_segments
from explorer.views.chart import face, mode_badge
from explorer.views.ledger import order_by_mass
from explorer.views.outside import EdgeCounts, Outside, count_outside, paint_outside
from explorer.views.overlay import Overlay
from explorer.views.plane import PlaneRange, PlaneView
from explorer.views.splat import CELLS, CROWD, Floats, Splat, find_heaps, ink_table
from explorer.wording import in_words

if TYPE_CHECKING:
    from explorer.views.panefoot import PaneFoot

HEAP_CELL = 4
"""The side of a cell in pixels, for finding heaps."""

HEAP_RADIUS = 0.026
"""The radius of the disc of a heap of all particles, over the side of the view."""

MOST_BADGES = 9
"""Modes are numbered in the view while they are no more than this."""

REACH = 10
"""A click follows a particle that is no more pixels away."""

LATELY = 60
"""So many last pieces of the followed particle's way are drawn dark, those before them faint."""

_AGES = 4
"""Trails fade in so many steps."""

_CLOCKED = ("ascent", "langevin", "mala")
"""Samplers that stay at one noise level: only time tells how far they are."""


class ParticleView(PlaneView):
    """One of the frame's panes of particles; `pane` is its index."""

    shows_particles = True

    followed = Signal(int)
    """The particle that was clicked at, by its number; -1 for none."""

    titled = Signal(str)
    """The sampler's name, when it has become another one."""

    wants_changed = Signal()
    """`wants` is another set than before."""

    def __init__(
        self, pane: int, plane_range: PlaneRange, viewing: Viewing | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(plane_range, f"Particles: pane {pane + 1}", "", parent, viewing)
        self.pane = pane
        self.foot: PaneFoot | None = None
        self._splat = Splat(1)
        self._over = Overlay()
        self._edges = EdgeCounts()
        self._pressed: QPointF | None = None
        self._describe()
        self.setToolTip(
            "Click near a particle to see its way in every pane; Escape lets it go.\n"
            "Numbers at the edges count the particles beyond them."
        )

    # --- what it shows

    @property
    def wants(self) -> frozenset[Want]:  # type: ignore[override]
        """Trails, while they are to be drawn; distances, while the strip below has room for them."""
        wanted: set[Want] = {"trails"} if self.options.trails else set()
        if self.foot is not None and self.foot.measuring:
            wanted.add("distances")
        return frozenset(wanted)

    @property
    def state(self) -> PaneState | None:
        """The pane's state; None if the frame has no such pane."""
        states = self.frame.pane_states if self.frame is not None else ()
        return states[self.pane] if self.pane < len(states) else None

    @property
    def points(self) -> Floats:
        """The particles' places, (N, 2); none if the frame has no such pane."""
        panes = self.frame.panes if self.frame is not None else np.zeros((0, 0, 2), np.float32)
        return panes[self.pane] if self.pane < len(panes) else np.zeros((0, 2), np.float32)

    def title(self) -> str:
        """What stands over the pane."""
        state = self.state
        if state is None:
            return f"Particles {self.pane + 1}"
        title, short = (names.get(state.sampler, state.sampler) for names in (TITLES, SHORT))
        wide = face(TITLE, True, self.scale)[1].horizontalAdvance(title)
        return title if wide < self.width() - 2 * UNIT else short[:1].upper() + short[1:]

    def show_frame(self, frame: Frame) -> None:
        """Draw this moment from now on."""
        before, self.frame = self.frame, frame
        laid = self.lay_ground(frame)
        if laid or before is None or not self.looks_like(before, frame):
            self.update()
        self.say()
        self._describe()

    def let_go(self) -> None:
        """Free the ground's pictures, the ink and what lies over it."""
        super().let_go()
        self._splat, self._over = Splat(1), Overlay()

    def _describe(self) -> None:
        """Give the view the sampler's name, if it has become another one."""
        title = self.title()
        if self._said.get("title") == title:
            return
        self._emit_once(self.titled, "title", title)
        state = self.state
        what = "No particles" if state is None else f"Particles moved by {MEANINGS.get(state.sampler, state.sampler)}"
        self.setAccessibleName(f"Particles: {title}")
        self.setAccessibleDescription(
            f"{what}, over the density. Arrow keys move a cross-hair, Enter follows the particle nearest to it, "
            "Escape lets it go."
        )

    def looks_like(self, before: Frame, frame: Frame) -> bool:
        """Whether both frames hold the same particles, and the same is said of them."""
        if frame.panes is before.panes and frame.revision == before.revision:
            return True
        now, then = (
            (
                f.released,
                f.particle_step,
                f.particle_shown,
                f.particles_revision,
                f.revision,
                [(s.note, s.diverged, s.trail.shape, s.path.shape) for s in f.pane_states],
                [s.path[-1:].tolist() for s in f.pane_states],
            )
            for f in (frame, before)
        )
        return now == then

    @property
    def outside(self) -> Outside:
        """How many particles the view does not show, by edge."""
        return count_outside(self.points, self.range.centre, self.range.half_width)

    @property
    def stale(self) -> bool:
        """Whether the painting has changed since the particles were released."""
        frame = self.frame
        return frame is not None and frame.released > 0 and frame.particles_revision != frame.revision

    @property
    def crowded(self) -> bool:
        """Whether particles are so many that their density is drawn."""
        return len(self.points) > CROWD

    def caption(self) -> str:
        """How far the run is: the noise level, or the steps taken where it stays the same."""
        state = self.state
        if state is None or state.note or self.frame is None or not self.frame.released:
            return ""
        return f"t {state.step:,}" if state.sampler in _CLOCKED else f"σ {three(state.sigma)}"

    def source(self) -> tuple[str, ...]:
        """What moves the particles, in words from long to short."""
        frame, state = self.frame, self.state
        if frame is None or not frame.released or state is None or state.note:
            return ()
        step = f"step {state.weights_step:,}"
        long, short, least = f"learned score, {step}", f"learned, {step}", step
        if state.source == "true":
            long, short, least = "true score", "true score", "true"
        if state.table_error <= 0:
            return (long, short, least)
        error = f"{100 * state.table_error:.2g} %"
        full = (f"{long}, table error {error}", f"{short}, table error {error}", f"{short}, table {error}")
        return (*full, f"{least}, table {error}", f"table {error}")

    def plates(self) -> tuple[tuple[str, str | None], ...]:
        """What must be said of the picture: words, and the role of a mark before them."""
        frame, state = self.frame, self.state
        if frame is None or not frame.released or state is None:
            return ()
        found: list[tuple[str, str | None]] = []
        if self.stale:
            found.append(("painting changed since", "warning"))
        if state.diverged:
            found.append(("diverged: ε is too large", "warning"))
        if frame.particle_shown < frame.particle_step and frame.particle_steps:
            found.append((f"earlier: {frame.particle_shown:,} of {frame.particle_step:,}", None))
        if self.crowded:
            found.append((f"density of {len(self.points):,}, log scale", "particles"))
        return tuple(found)

    def invitation(self) -> str:
        """What to do where there is nothing to see, or why the particles stand still; "" otherwise."""
        frame, state = self.frame, self.state
        if frame is None:
            return ""
        if state is None:
            return f"No pane {self.pane + 1} yet: Sample > Add a pane fills this square" if frame.pane_states else ""
        return in_words(state.note)

    # --- painting

    def paint_marks(self, painter: QPainter, square: QRect) -> None:
        """Particles, trails, the followed particle's way, counts at the edges, and what the run is made on."""
        state, frame = self.state, self.frame
        if frame is not None and frame.released and state is not None:
            self._paint_particles(painter, square)
            self._paint_trails(painter, state.trail)
            self._paint_way(painter, state.path)
            modes, outside = frame.modes, self._edges.at(frame, self.mapping(), lambda: self.outside)
            known = None if modes is None else (modes.centres.tobytes(), modes.mass.tobytes())
            said = self.plates(), () if self.foot else self.source()
            key = known, outside, said, self.mapping(), self.theme, self.scale
            self._over.paint(painter, square, key, lambda over: self._paint_over(over, square, outside))
        if words := self.invitation():
            self._paint_words(painter, square, words)

    def _paint_over(self, painter: QPainter, square: QRect, outside: Outside) -> None:
        """Modes' numbers, counts at the edges, and what must be said."""
        self._paint_modes(painter, square)
        badge = self._paint_badges(painter, square)
        paint_outside(painter, square, badge, outside, self.theme, self.scale)

    def _paint_particles(self, painter: QPainter, square: QRect) -> None:
        """Dots or their density, and discs for heaps."""
        points = self.points
        size = round(square.width() * painter.device().devicePixelRatioF())
        scale = size / square.width()
        unit, ox, oy = self.mapping()
        # Two columns of memory of their own: everything below runs over each of them alone.
        x = points[:, 0] * np.float32(unit * scale) + np.float32((ox - square.left()) * scale)
        y = points[:, 1] * np.float32(-unit * scale) + np.float32((oy - square.top()) * scale)
        inside = (x >= 0) & (x < size) & (y >= 0) & (y < size)
        if not inside.all():
            x, y = x[inside], y[inside]
        wanted = min(size, CELLS) if self.crowded else size
        if self._splat.size != wanted:
            self._splat = Splat(wanted)
        colour = self.theme.colour("particles")
        if self.crowded:
            self._splat.draw_density(x, y, size, colour)
        else:
            dot = max(2, round((1.6 if square.width() < 420 else 2.2) * scale))
            self._splat.draw(x, y, dot, ink_table(colour, len(points)))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.crowded)
        painter.drawImage(QRectF(square), self._splat.image)
        cell = max(2, round(HEAP_CELL * scale))
        self._paint_heaps(painter, square, find_heaps(x, y, size, cell, len(points)), scale)

    def _paint_heaps(self, painter: QPainter, square: QRect, heaps: NDArray[np.float64], scale: float) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.colour("particles"))
        for x, y, share in heaps.tolist():
            radius = max(1.5, HEAP_RADIUS * square.width() * share**0.5)
            painter.drawEllipse(QPointF(square.left() + x / scale, square.top() + y / scale), radius, radius)

    def _segments(self, ways: Floats) -> NDArray[np.float64]:
        """The straight pieces (T - 1, K, 4) between moments of ways (T, K, 2), in pixels."""
        unit, ox, oy = self.mapping()
        at = ways.astype(np.float64) * (unit, -unit) + (ox, oy)
        return np.concatenate([at[:-1], at[1:]], axis=2)

    def _paint_trails(self, painter: QPainter, trail: Floats) -> None:
        """The last ways of the first particles, the older the fainter."""
        if not self.options.trails or len(trail) < 2:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        pieces = self._segments(trail)
        for age, part in enumerate(np.array_split(pieces, _AGES)):
            painter.setPen(QPen(self.theme.colour("particles", 0.7 * (age + 1) / _AGES), 1))
            draw_segments(painter, part.reshape(-1, 4))

    def _paint_way(self, painter: QPainter, path: Floats) -> None:
        """The followed particle's way, and a ring where it is."""
        if not len(path):
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pieces = self._segments(path[:, None, :]).reshape(-1, 4)
        older, lately = np.split(pieces, [max(len(pieces) - LATELY, 0)])
        for part, opacity in ((older, 0.25), (lately, 0.85)):
            painter.setPen(QPen(self.theme.colour("ink", opacity), 1.2 * self.scale))
            draw_segments(painter, part)
        at = self.to_pixel(*path[-1].tolist())
        painter.setBrush(self.theme.colour("particles"))
        radius = 4.5 * self.scale
        for colour, width in ((self.theme.surface, 4.0), (self.theme.ink, 1.5)):
            painter.setPen(QPen(QColor(colour), width * self.scale))
            painter.drawEllipse(at, radius, radius)

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
        """What must be said, above; below what moves the particles, without a strip for it; where the lower one is."""
        badge = QRect()
        painter.setFont(font(CAPTION, scale=self.scale))
        metrics, room = painter.fontMetrics(), square.width() - 14
        texts = self.source()
        if texts and self.foot is None:
            text = next((t for t in texts if metrics.horizontalAdvance(t) <= room), texts[-1])
            corner = Qt.Corner.BottomLeftCorner
            badge = self.paint_plate(painter, text, square.bottomLeft() + QPoint(1, 0), corner)
        at = square.topLeft() + QPoint(1, 1)
        for text, mark in self.plates():
            plate = self.paint_plate(painter, text, at, Qt.Corner.TopLeftCorner, mark)
            at = plate.bottomLeft() + QPoint(0, 1)
        return badge

    def _paint_words(self, painter: QPainter, square: QRect, words: str) -> None:
        """A few words in the middle, over a wash of the surface that leaves the density faint."""
        painter.setFont(font(scale=self.scale))
        margin = round(16 * self.scale)
        room = square.adjusted(margin, margin, -margin, -margin)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.fillRect(square, self.theme.colour("surface", 0.85))
        painter.setPen(QColor(self.theme.ink))
        painter.drawText(room, flags, words)

    # --- hands

    def nearest(self, position: QPointF) -> int:
        """The particle drawn nearest to this position, within `REACH` pixels; -1 if there is none."""
        points, unit = self.points, self.mapping()[0]
        if not len(points):
            return -1
        away = np.hypot(*(points - np.array(self.to_plane(position), np.float32)).T)
        index = int(np.argmin(np.where(np.isfinite(away), away, np.inf)))
        return index if away[index] * unit <= REACH * self.scale else -1

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Remember where a click begins."""
        self._pressed = event.position() if event.button() == Qt.MouseButton.LeftButton else None
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Follow the particle that was clicked at."""
        pressed, self._pressed = self._pressed, None
        if pressed is not None and event.button() == Qt.MouseButton.LeftButton:
            moved = (event.position() - pressed).manhattanLength()
            if moved < QApplication.startDragDistance() and self.state is not None:
                self.followed.emit(self.nearest(event.position()))
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter follows the particle at the cross-hair, Escape lets it go; other keys as in every view."""
        state = self.state
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.cursor_point is not None:
            self.followed.emit(self.nearest(self.to_pixel(*self.cursor_point)))
        elif event.key() == Qt.Key.Key_Escape and not self._crosshair and state is not None and len(state.path):
            self.followed.emit(-1)
        else:
            super().keyPressEvent(event)
