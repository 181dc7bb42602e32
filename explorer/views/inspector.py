"""The inspector: all quantities of both fields at the hovered point and at up to six that are pinned.

A small square shows one point in full, the hovered one or the pin chosen above; a wide one shows all of them side by
side. Pins are the window's (`Look.pins`): this view shows the frame's values of them and says what the person wants.
"""

from __future__ import annotations

import csv
import io

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QMenu, QWidget

from explorer.engine.frames import Frame
from explorer.numbers import three
from explorer.theme import CAPTION, CONTROL
from explorer.views.chart import CENTRE, LEFT, RIGHT, Chart
from explorer.views.readings import HEADER, PAIRED, SINGLE, Line, Reading, as_text, read, row, said

MOST = 6
"""Points that can be pinned at once."""

Point = tuple[float, float]

_HOVER = "hover"
_COLUMN = 148
"""Pixels a point needs where all are side by side, at scale 1."""


class InspectorView(Chart):
    """Reads both fields at points. `pin`, `remove` and the keys change the pins; the window hands them on."""

    pins_changed = Signal(tuple)
    """The points that are to be pinned from now on, tuple of (x, y)."""

    explain_wanted = Signal(str)
    """The name of a glossary entry that the person asked for."""

    captioned = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pins: tuple[Point, ...] = ()
        self._chosen = 0
        self._chips: list[QRectF] = []
        self._cross = QRectF()
        self._words: list[tuple[QRectF, str]] = []
        self.setAccessibleName("Inspector: both fields at a point")
        self.setMinimumSize(160, 120)
        self.setMouseTracking(True)

    # --- what is shown

    @property
    def pins(self) -> tuple[Point, ...]:
        """The pinned points, in the order of their numbers."""
        return self._pins

    def set_pins(self, pins: tuple[Point, ...]) -> None:
        """Show these as pinned; emits nothing."""
        self._pins = tuple(pins)[:MOST]
        self._chosen = min(self._chosen, len(self._pins))
        self.update()

    def pin(self, x: float, y: float) -> bool:
        """Pin a point and choose it; False where there are six already."""
        if len(self._pins) >= MOST:
            self.captioned.emit(f"{MOST} points are pinned; Delete removes one")
            return False
        self._take((*self._pins, (x, y)), len(self._pins) + 1)
        return True

    def remove(self, number: int) -> None:
        """Remove the pin of this number, from 1."""
        if 1 <= number <= len(self._pins):
            self._take(self._pins[: number - 1] + self._pins[number:], min(self._chosen, len(self._pins) - 1))

    def clear(self) -> None:
        """Remove all pins."""
        if self._pins:
            self._take((), 0)

    def announce(self) -> None:
        """Write the caption."""
        count = len(self._pins)
        sigma = f"σ {three(self.frame.sigma)}" if self.frame is not None else ""
        self.captioned.emit("  ·  ".join(part for part in (f"{count} pinned" if count else "", sigma) if part))

    def show_frame(self, frame: Frame) -> None:
        """Read the frame's probe and pins."""
        before = self.frame
        super().show_frame(frame)
        if before is None or before.sigma != frame.sigma:
            self.announce()

    def readings(self) -> list[tuple[str, Reading | None]]:
        """The hovered point, then the pins by number; None for what the frame does not know yet."""
        frame = self.frame
        if frame is None:
            return [(_HOVER, None)]
        rows = [read(values, frame.sigma) for values in frame.pins[: len(self._pins)]]
        rows += [None] * (len(self._pins) - len(rows))
        return [(_HOVER, read(frame.probe, frame.sigma)), *((str(i + 1), found) for i, found in enumerate(rows))]

    def text(self) -> str:
        """All readings as lines of text."""
        return as_text((self._name(name), reading) for name, reading in self.readings() if reading is not None)

    def table(self) -> tuple[tuple[str, ...], list[list[str]]]:
        """Header and rows of all readings, for a file."""
        return HEADER, [row(self._name(name), reading) for name, reading in self.readings() if reading is not None]

    def csv(self) -> str:
        """The table as comma-separated values."""
        header, rows = self.table()
        written = io.StringIO()
        csv.writer(written, lineterminator="\n").writerows([header, *rows])
        return written.getvalue()

    def hint(self, x: float) -> str:
        """How the inspector is used."""
        return "Click a field to pin a point; Left and Right choose, Delete removes, Ctrl+C copies"

    # --- hands

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose, remove and copy."""
        key = event.key()
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.text())
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and not event.modifiers():
            self.remove(self._chosen)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and not event.modifiers():
            self._choose((self._chosen + (1 if key == Qt.Key.Key_Right else -1)) % (len(self._pins) + 1))
        elif Qt.Key.Key_0 <= key <= Qt.Key.Key_0 + len(self._pins) and not event.modifiers():
            self._choose(key - Qt.Key.Key_0)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose or remove a pin, or ask what a quantity is."""
        if event.button() != Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
            return
        at = event.position()
        if self._cross.contains(at):
            self.remove(self._chosen)
            return
        for index, chip in enumerate(self._chips):
            if chip.contains(at):
                self._choose(index)
                return
        for box, entry in self._words:
            if box.contains(at):
                self.explain_wanted.emit(entry)
                return

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show where a click does something."""
        at = event.position()
        active = [self._cross, *self._chips, *(box for box, _ in self._words)]
        over = any(box.contains(at) for box in active)
        self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer to copy and to remove."""
        menu = self.menu()
        menu.exec(event.globalPos())
        menu.deleteLater()

    def menu(self) -> QMenu:
        """The context menu."""
        menu = QMenu(self)
        clipboard = QGuiApplication.clipboard()
        menu.addAction("Copy as text", lambda: clipboard.setText(self.text()))
        menu.addAction("Copy as CSV", lambda: clipboard.setText(self.csv()))
        menu.addSeparator()
        one = menu.addAction(f"Remove pin {self._chosen}", lambda: self.remove(self._chosen))
        one.setVisible(self._chosen > 0)
        menu.addAction("Remove all pins", self.clear).setEnabled(bool(self._pins))
        return menu

    def _take(self, pins: tuple[Point, ...], chosen: int) -> None:
        self._pins, self._chosen = pins, max(0, chosen)
        self.update()
        self.announce()
        self.pins_changed.emit(pins)

    def _choose(self, index: int) -> None:
        self._chosen = index
        self.update()
        self.describe()

    @staticmethod
    def _name(name: str) -> str:
        return name if name == _HOVER else f"pin {name}"

    # --- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw one point in full, or all of them side by side."""
        with QPainter(self) as painter:
            readings = self.readings()
            self._words.clear()
            self._chips, self._cross = [], QRectF()
            if len(readings) == 1 and readings[0][1] is None:
                self.say(painter, "Rest on a field to read it; click to pin a point")
            elif self.width() >= (160 + 2 * _COLUMN) * self.factor and len(readings) > 1:
                self._all(painter, readings)
            else:
                self._one(painter, readings)
            self.focus_mark(painter)

    def _one(self, painter: QPainter, readings: list[tuple[str, Reading | None]]) -> None:
        """The chosen point: pairs in two columns, the rest in two more, all as large as the square allows."""
        k = self.factor
        _, reading = readings[self._chosen]
        lines = 3 + len(PAIRED) + len(SINGLE)
        tall = min((self.height() - 16 * k) / (lines - 1), 24 * k)
        size = _type_for(tall / k)
        self._draw_chips(painter, readings, QRectF(0, 0, self.width(), max(tall, 16 * k)), tall)
        names = self.advance("expected points", size) + 8 * k
        wide = (self.width() - names) / 2
        y = max(tall, 16 * k)
        where = "waiting for the engine" if reading is None else f"x {three(reading.x)}    y {three(reading.y)}"
        self.write(painter, QRectF(0, y, self.width(), tall), where, LEFT, pixels=size, bold=True)
        y += tall
        for column, role in enumerate(("learned", "true")):
            self._heading(painter, QRectF(names + column * wide, y, wide, tall), role, size)
        y += tall
        for line in (*PAIRED, *SINGLE):
            self._name_line(painter, QRectF(0, y, names, tall), line, size)
            texts = said(reading, line)
            for column, text in enumerate(texts):
                right = names + wide * (column + 1 if len(texts) == 2 else 2)
                box = QRectF(right - wide, y, wide - 2 * k, tall)
                self.write(painter, box, text, RIGHT, pixels=size)
            y += tall

    def _all(self, painter: QPainter, readings: list[tuple[str, Reading | None]]) -> None:
        """A column a point, learned over true in each line of a pair."""
        k = self.factor
        rows = 3 + 2 * len(PAIRED) + len(SINGLE)
        tall = min(self.height() / rows, 32 * k)
        size = _type_for(tall / k)
        names = self.advance("expected points  learned", size) + 8 * k
        wide = min((self.width() - names) / len(readings), 1.5 * _COLUMN * k)
        self._draw_chips(painter, readings, QRectF(names, 0, wide * len(readings), tall), tall, spread=True)
        for index, axis in enumerate("xy"):
            y = (1 + index) * tall
            self.write(painter, QRectF(0, y, names, tall), axis, LEFT, role="quiet", pixels=size)
            for column, (_, reading) in enumerate(readings):
                text = "-" if reading is None else three(getattr(reading, axis))
                self._cell(painter, names, wide, column, y, tall, text, size)
        y = 3 * tall
        for line in (*PAIRED, *SINGLE):
            pair = line in PAIRED
            self._name_line(painter, QRectF(0, y, names, tall), line, size)
            for part, role in enumerate(("learned", "true") if pair else ("",)):
                if role:
                    label = QRectF(names - 72 * k, y, 64 * k, tall)
                    self._heading(painter, label, role, size)
                for column, (_, reading) in enumerate(readings):
                    self._cell(painter, names, wide, column, y, tall, said(reading, line)[part], size)
                y += tall

    def _cell(
        self, painter: QPainter, left: float, wide: float, column: int, y: float, tall: float, text: str, size: int
    ) -> None:
        box = QRectF(left + column * wide, y, wide - 2 * self.factor, tall)
        self.write(painter, box, text, RIGHT, pixels=size, bold=column == self._chosen)

    def _name_line(self, painter: QPainter, box: QRectF, line: Line, size: int) -> None:
        """The quantity's name, which explains itself when it is clicked."""
        self.write(painter, box, line.words, LEFT, role="quiet", pixels=size)
        self._words.append((QRectF(box.topLeft(), QPointF(self.advance(line.words, size), box.bottom())), line.entry))

    def _heading(self, painter: QPainter, box: QRectF, role: str, size: int) -> None:
        """Whose column it is, with a dot of its ink."""
        self.write(painter, box.adjusted(0, 0, -2 * self.factor, 0), role, RIGHT, role="quiet", pixels=size)
        radius = 3.5 * self.factor
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.colour(role))
        x = box.right() - self.advance(role, size) - 4 * self.factor - 2 * radius
        painter.drawEllipse(QPointF(x, box.center().y() + 1), radius, radius)

    def _draw_chips(
        self,
        painter: QPainter,
        readings: list[tuple[str, Reading | None]],
        row: QRectF,
        tall: float,
        *,
        spread: bool = False,
    ) -> None:
        """A chip a point, the chosen one on a plate and with a cross to remove it."""
        k, x = self.factor, row.left()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index, (name, _) in enumerate(readings):
            chosen, text = index == self._chosen, _HOVER if index == 0 else name
            cross = 16 * k if chosen and index else 0.0
            wide = self.advance(text, CAPTION, bold=chosen) + 12 * k + cross
            if spread:
                x = row.left() + (index + 1) * row.width() / len(readings) - wide
            chip = QRectF(x, row.top(), wide, min(row.height(), 22 * k))
            if chosen:
                painter.setPen(QPen(self.theme.colour("quiet"), 1))
                painter.setBrush(self.theme.colour("selection"))
                painter.drawRoundedRect(chip.adjusted(0.5, 0.5, -0.5, -0.5), 4 * k, 4 * k)
            self.write(painter, chip.adjusted(0, 0, -cross, 0), text, CENTRE, bold=chosen)
            if cross:
                self._cross = QRectF(chip.right() - cross, chip.top(), cross, chip.height())
                self.write(painter, self._cross.adjusted(0, 0, -4 * k, 0), "×", CENTRE)
            self._chips.append(chip)
            x += wide + 4 * k


def _type_for(tall: float) -> int:
    """The size of type that a line of this height at scale 1 holds whole."""
    return max(8, min(CONTROL, int((tall - 2) / 1.1)))
