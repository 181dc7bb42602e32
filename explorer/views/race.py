"""A race in small multiples: the true field first, then what each racer has learned, at one scale.

All squares show the same range, noise level and length of arrows as the window's two fields. Below each square stand
the racer's name and its Fisher error, and as much as there is room for of: its step, milliseconds a step, and the noise
of its gradient (variance over squared mean).

Arrows of the lattice are left out evenly where they would stand closer than a few pixels. A square is drawn anew only
when its own field, the ground or its size has changed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QToolTip, QWidget

from explorer.engine.frames import Array, Frame, Race, Racer
from explorer.engine.messages import Want
from explorer.numbers import three
from explorer.theme import CAPTION
from explorer.viewing import Viewing, ViewOptions
from explorer.views.arrows import Arrows, half_length_score
from explorer.views.chart import RIGHT, Chart, face
from explorer.views.ground import Ground
from explorer.views.plane import PlaneRange, pair
from explorer.views.racers import common_levels, last_error, noise_of, paint_mark, sentence

GAP = 8
LINE = 120
"""Pixels that the lines below a square take at least, where there is room, at scale 1."""

CLOSEST = 7.0
"""Pixels between two arrows at least."""

EMPTY = "Choose two to five ways to learn on the drawer’s page “Race”"


@dataclass
class _Square:
    """One square's picture and what it was drawn from."""

    key: tuple[object, ...] = ()
    values: Array = field(default_factory=lambda: np.zeros((0, 0, 2), np.float32))
    image: QImage = field(default_factory=QImage)


class RaceView(Chart):
    """The true field and those of two to five racers, side by side. The wheel zooms all views of the plane."""

    wants: frozenset[Want] = frozenset({"race"})

    captioned = Signal(str)
    readout = Signal(str)
    hovered = Signal(float, float)
    """The point of the plane under the cursor, in whichever square it is."""
    left = Signal()

    def __init__(self, plane_range: PlaneRange, viewing: Viewing | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.range = plane_range
        self.options = viewing.options if viewing else ViewOptions()
        self._ground = Ground()
        self._s_half = 1.0
        self._version = 0
        self._squares: list[_Square] = []
        self._over: tuple[int, tuple[float, float]] | None = None
        self._said = ("", "")
        self.setMouseTracking(True)
        self.setMinimumSize(160, 120)
        self.setAccessibleName("Race: learned fields side by side")
        plane_range.changed.connect(self.update)
        if viewing:
            viewing.changed.connect(self.set_options)

    # --- frames

    @property
    def race(self) -> Race | None:
        """What races, None while nothing does."""
        race = self.frame.race if self.frame else None
        return race if race and race.racers else None

    def show_frame(self, frame: Frame) -> None:
        """Draw this moment from now on; what the squares say is renewed together with their fields."""
        before = self.race
        if self._ground.show(frame.ground, frame.centre, frame.half_width, self.options.ground):
            self._version += 1
            before = None
        if before is not None and frame.race is not None and _same_fields(before, frame.race):
            self.frame = replace(frame, race=before)
        else:
            self._s_half = half_length_score(frame.true)
            super().show_frame(frame)
        self._say()

    def set_options(self, options: ViewOptions) -> None:
        """Draw over this ground from now on."""
        self.options = options
        if self.frame is not None:
            self.show_frame(self.frame)

    def text(self) -> str:
        """Every racer in words."""
        race = self.race
        return "" if race is None else "\n".join(sentence(r, common_levels(race)) for r in race.racers)

    def announce(self) -> None:
        """Emit both texts, for one who has just begun to listen."""
        self._said = ("", "")
        self._say()

    def _say(self) -> None:
        race = self.race
        caption = "" if race is None else f"σ {three(race.sigma)} · by {race.aligned}"
        texts = (caption if race is None or race.running else f"{caption} · held", self._reading())
        for signal, text, before in zip((self.captioned, self.readout), texts, self._said, strict=True):
            if text != before:
                signal.emit(text)
        self._said = texts

    def _reading(self) -> str:
        race, frame = self.race, self.frame
        if race is None or frame is None:
            return ""
        if self._over is None:
            return f"half-length arrow: |s| = {three(self._s_half)}"
        index, (x, y) = self._over
        values = frame.true if index == 0 else race.racers[index - 1].learned
        name = "true" if index == 0 else race.racers[index - 1].label
        n = len(values)
        col, row = (
            (v - c + frame.half_width) / (2 * frame.half_width) * n for v, c in zip((x, y), frame.centre, strict=True)
        )
        if not (0 <= col < n and 0 <= row < n):
            return name
        sx, sy = (float(v) for v in values[int(row), int(col)])
        return f"{name}: s = {pair(sx, sy)} near {pair(x, y)}"

    # --- geometry

    def layout_squares(self) -> list[QRect]:
        """Where the squares lie, the true field's first; below each there is room for two lines."""
        race = self.race
        count = 0 if race is None else len(race.racers) + 1
        lines = self._lines()
        best, columns = 0, 1
        for cols in range(1, count + 1):
            rows = math.ceil(count / cols)
            side = min((self.width() - GAP * (cols - 1)) // cols, (self.height() - GAP * (rows - 1)) // rows - lines)
            if side > best:
                best, columns = side, cols
        if best < 8:
            return []
        rows = math.ceil(count / columns)
        pitch = self._line_width(best, columns) + GAP
        across = (self.width() - columns * pitch + GAP) // 2
        above = max(0, (self.height() - rows * (best + lines) - (rows - 1) * GAP) // 2)
        return [
            QRect(across + k % columns * pitch, above + k // columns * (best + lines + GAP), best, best)
            for k in range(count)
        ]

    def _line_width(self, side: int, columns: int) -> int:
        """How wide the lines below a square are: as the square, or more if there is room and they need it."""
        column = (self.width() - GAP * (columns - 1)) // columns
        return max(side, min(column, round(LINE * self.factor)))

    def _lines(self) -> int:
        return round(2 * face(CAPTION, False, self.factor)[1].height() + 2)

    def _plane_at(self, position: QPointF) -> tuple[int, tuple[float, float]] | None:
        """The square at this position, and the point of the plane there."""
        for k, square in enumerate(self.layout_squares()):
            if QRectF(square).contains(position):
                unit = 2 * self.range.half_width / square.width()
                (cx, cy), h = self.range.centre, self.range.half_width
                return k, (
                    cx - h + (position.x() - square.left()) * unit,
                    cy + h - (position.y() - square.top()) * unit,
                )
        return None

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw squares and lines."""
        with QPainter(self) as painter:
            race, frame = self.race, self.frame
            if race is None or frame is None:
                self.say(painter, EMPTY)
            else:
                levels = common_levels(race)
                squares = self.layout_squares()
                tops = [square.top() for square in squares]
                wide = self._line_width(squares[0].width(), tops.count(tops[0])) if squares else 0
                for k, square in enumerate(squares):
                    lines = QRectF(square.left(), square.bottom() + 2, wide, self._lines())
                    racer = race.racers[k - 1] if k else None
                    values = frame.true if racer is None else racer.learned
                    painter.drawImage(QRectF(square), self._picture(painter, k, square, values, frame))
                    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.setPen(QPen(QColor(self.theme.rule), 1))
                    painter.drawRect(square.adjusted(0, 0, -1, -1))
                    self._paint_ring(painter, square, frame)
                    if racer is None:
                        self._write_lines(painter, lines, -1, "true", "", ("exact",))
                    else:
                        self._paint_racer(painter, square, lines, k - 1, racer, levels)
            self.focus_mark(painter)

    def _paint_racer(
        self, painter: QPainter, square: QRect, lines: QRectF, index: int, racer: Racer, levels: list[int]
    ) -> None:
        if racer.note:
            self._write_lines(painter, lines, index, racer.label, "", ("stands still",))
            self._paint_note(painter, square, racer.note)
            return
        step, time, noise = f"{racer.step:,}", f"{three(racer.milliseconds)} ms", noise_of(racer)
        error = last_error(racer, levels)
        room = lines.width() - self.advance(racer.label) - 16 * self.factor
        known = racer.errors.size > 0 and error != "–"
        figure = next((text for text in (f"error {error}", error) if known and self.advance(text) <= room), "")
        spread = (f" · gradient noise {noise}", f" · noise {noise}") if racer.variance.size else ("", "")
        below: tuple[str, ...] = (
            f"step {step} · {time}/step{spread[0]}",
            f"step {step} · {time}/step{spread[1]}",
            f"step {step} · {time}/step",
            f"{time}/step{spread[1]}",
            f"{time}/step",
        )
        if known and not figure:
            below = (f"{error} · {time}", error)
        self._write_lines(painter, lines, index, racer.label, figure, below)

    def _write_lines(
        self, painter: QPainter, lines: QRectF, index: int, name: str, figure: str, below: tuple[str, ...]
    ) -> None:
        """Name and figure under a square, and the longest of some texts that fits below them."""
        first = lines.adjusted(0, 0, 0, -lines.height() / 2)
        indent = 0.0
        if index >= 0:
            radius = 3.5 * self.factor
            paint_mark(painter, self.theme, index, QPointF(first.left() + radius + 1, first.center().y()), radius)
            indent = 3 * radius
        wide = self.advance(figure) + 4 if figure else 0.0
        self.write(painter, first.adjusted(indent, 0, -wide, 0), name)
        self.write(painter, first, figure, RIGHT)
        text = next((text for text in below if self.advance(text) <= lines.width()), below[-1])
        self.write(painter, first.translated(0, first.height()), text, role="quiet")

    def _paint_note(self, painter: QPainter, square: QRect, note: str) -> None:
        """Say in the square why a racer stands still; where that does not fit, the tooltip says it."""
        painter.fillRect(square.adjusted(1, 1, -1, -1), self.theme.colour("surface", 0.85))
        style, metrics = face(CAPTION, False, self.factor)
        box = QRectF(square).adjusted(4, 4, -4, -4)
        flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
        if metrics.boundingRect(box, flags, note).height() <= box.height():
            painter.setFont(style)
            painter.setPen(self.theme.colour("ink"))
            painter.drawText(box, flags, note)

    def _paint_ring(self, painter: QPainter, square: QRect, frame: Frame) -> None:
        """Mark the point that is read, in every square alike."""
        if frame.probe.size < 2 or not np.isfinite(frame.probe[:2]).all():
            return
        unit = square.width() / (2 * self.range.half_width)
        (cx, cy), h = self.range.centre, self.range.half_width
        x, y = (float(v) for v in frame.probe[:2])
        if abs(x - cx) < h and abs(y - cy) < h:
            at = QPointF(square.left() + (x - cx + h) * unit, square.top() + (cy + h - y) * unit)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for colour, width in ((self.theme.surface, 3.0), (self.theme.ink, 1.2)):
                painter.setPen(QPen(QColor(colour), width))
                painter.drawEllipse(at, 3.5, 3.5)

    def _picture(self, painter: QPainter, k: int, square: QRect, values: Array, frame: Frame) -> QImage:
        """Ground and arrows of one square, drawn anew only if they differ."""
        while len(self._squares) <= k:
            self._squares.append(_Square())
        kept = self._squares[k]
        ratio = painter.deviceTransform().m11()
        side = max(1, round(square.width() * ratio))
        view = (*self.range.centre, self.range.half_width)
        place = (frame.centre, frame.half_width, self._s_half)
        key = (self._version, view, side, self.theme, place)
        if kept.key != key or not np.array_equal(kept.values, values):
            kept.key, kept.values = key, values
            kept.image = self._ground.image(view, side, self.theme).copy()
            if values.size:
                kept.image.setDevicePixelRatio(ratio)
                with QPainter(kept.image) as brush:
                    self._paint_arrows(brush, values, frame, side / ratio, "learned" if k else "true")
        return kept.image

    def _paint_arrows(self, painter: QPainter, values: Array, frame: Frame, side: float, role: str) -> None:
        """Draw every arrow, or every second, third ... where they would stand too close."""
        n, h = len(values), frame.half_width
        unit = side / (2 * self.range.half_width)
        (cx, cy), half = self.range.centre, self.range.half_width
        cell = 2 * h / n
        stride = max(1, math.ceil(CLOSEST / (cell * unit)))
        offset = (n - 1) % stride // 2
        chosen = values[offset::stride, offset::stride]
        shift = -h + (offset + 0.5) * cell + (len(chosen) - 1) / 2 * stride * cell  # to the middle of the chosen ones
        centre = (frame.centre[0] + shift, frame.centre[1] + shift)
        arrows = Arrows()
        arrows.take(chosen, self._s_half, centre, len(chosen) * stride * cell / 2)
        mapping = (unit, (half - cx) * unit, (cy + half) * unit)
        arrows.paint(painter, QRect(0, 0, round(side), round(side)), mapping, self.theme, role)

    # --- hands

    def event(self, event: QEvent) -> bool:
        """Answer a resting mouse with all that is known of the racer under it."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            race = self.race
            text = EMPTY
            if race is not None:
                at = self._racer_at(event.pos().x(), event.pos().y())
                text = sentence(race.racers[at], common_levels(race)) if at is not None else "The exact score"
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def _racer_at(self, x: float, y: float) -> int | None:
        """The racer whose square or lines are nearest; None for the true field."""
        squares = self.layout_squares()
        if not squares:
            return None
        nearest = min(
            range(len(squares)), key=lambda k: (squares[k].center() - QPointF(x, y).toPoint()).manhattanLength()
        )
        return nearest - 1 if nearest else None

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor."""
        turn = event.angleDelta().y() or 4 * event.pixelDelta().y()
        found = self._plane_at(event.position())
        if turn:
            self.range.zoom(2 ** (turn / 480), found[1] if found else None)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read the point under the cursor."""
        self._over = self._plane_at(event.position())
        if self._over is None:
            self.left.emit()
        else:
            self.hovered.emit(*self._over[1])
        self._say()

    def leaveEvent(self, event: QEvent) -> None:
        """Stop reading."""
        if self._over is not None:
            self._over = None
            self.left.emit()
            self._say()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Plus and minus zoom, Home shows the whole plane."""
        key = event.key()
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.range.zoom(0.8 if key == Qt.Key.Key_Minus else 1.25)
        elif key == Qt.Key.Key_Home:
            self.range.reset()
        else:
            super().keyPressEvent(event)


def _same_fields(before: Race, race: Race) -> bool:
    """Whether both moments of the race look alike but for counters."""
    return (
        (before.running, before.aligned, before.sigma) == (race.running, race.aligned, race.sigma)
        and [(r.label, r.note, r.errors.shape) for r in before.racers]
        == [(r.label, r.note, r.errors.shape) for r in race.racers]
        and all(np.array_equal(a.learned, b.learned) for a, b in zip(before.racers, race.racers, strict=True))
    )
