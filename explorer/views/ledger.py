"""Shares: how many of the particles ended in each mode, against the mass that the density has there.

A mode is a basin of the density; its true mass is the density's integral over the basin, drawn as a blue tick. Each
pane's share is a bar, its simultaneous 95 % band a whisker, and whatever lies between share and truth is drawn in the
ink of errors: bars without it have the right weights. Modes are numbered by mass, the largest first, and carry the same
numbers in share bars and planes. With few modes there is a group of bars for each; with many, one row of a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from explorer.engine.messages import Frame, Modes
from explorer.numbers import share
from explorer.panes import pane_names
from explorer.theme import CAPTION, CONTROL
from explorer.views.chart import CENTRE, LEFT, RIGHT, Chart, mode_badge

if TYPE_CHECKING:
    from explorer.tables import Table

Floats = NDArray[np.floating]

GROUPED = 3
"""Up to this many rows there is a group of bars each; beyond, a table."""

MOST = 12
"""Rows at most: the largest modes, the rest together as "others"."""

SMALLEST = 9
"""Pixels of the smallest type that a name is set in rather than shortened."""

MEANING = "Bands are simultaneous 95 % intervals; elsewhere is outside the region that holds 99.9 % of the mass."


@dataclass(frozen=True)
class Row:
    """One line of the ledger: a mode, or several of them together.

    Attributes:
        number: the mode's rank by mass, from 1; 0 for the modes that share a row, -1 for elsewhere.
        mass: true mass; share, low, high: (P,) each, by pane.
    """

    number: int
    mass: float
    share: Floats
    low: Floats
    high: Floats

    @property
    def name(self) -> str:
        """What the row is called."""
        return {0: "others", -1: "elsewhere"}.get(self.number, f"mode {self.number}")


def order_by_mass(modes: Modes) -> NDArray[np.intp]:
    """Indices of the modes, the largest mass first: mode number k is the (k - 1)-th of them."""
    return np.argsort(-modes.mass, kind="stable")


def rows(modes: Modes, most: int = MOST) -> list[Row]:
    """The ledger's lines, the largest mode first, at most `most`; bands of modes put together add up."""
    order = order_by_mass(modes)
    single = order if order.size <= most else order[: most - 1]
    parts = [(rank + 1, order[rank : rank + 1]) for rank in range(single.size)]
    if single.size < order.size:
        parts.append((0, order[single.size :]))
    return [
        Row(
            number,
            float(modes.mass[part].sum()),
            *(np.clip(a[:, part].sum(axis=1), 0, 1).astype(float) for a in (modes.share, modes.low, modes.high)),
        )
        for number, part in parts
    ]


def same_ledger(one: Frame | None, other: Frame) -> bool:
    """Whether two frames have the same ledger, so that there is nothing to draw again."""
    if one is None or one.modes is None or other.modes is None:
        return False
    return _told(one, one.modes) == _told(other, other.modes)


def _told(frame: Frame, modes: Modes) -> tuple[object, ...]:
    """All that a ledger shows of a frame."""
    figures = (modes.mass, modes.share, modes.elsewhere, modes.low, modes.high)
    return pane_names(frame.pane_states), *((each.shape, each.tobytes()) for each in figures)


def ledger_text(modes: Modes, names: Sequence[str]) -> str:
    """The whole ledger of panes with these names as lines of text, for a screen reader and the clipboard."""
    lines = [f"{'':10}{'truth':>8}" + "".join(f"{name:>24}" for name in names)]
    for row in rows(modes, modes.mass.size):
        cells = (f"{share(s)} ({share(a)} to {share(b)})" for s, a, b in zip(row.share, row.low, row.high, strict=True))
        lines.append(f"{row.name:10}{share(row.mass):>8}" + "".join(f"{cell:>24}" for cell in cells))
    lines.append(f"{'elsewhere':10}{share(0.001):>8}" + "".join(f"{share(s):>24}" for s in modes.elsewhere))
    return "\n".join(lines)


class LedgerView(Chart):
    """The mode ledger of all panes."""

    shows_particles = True

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Shares: particles per mode against the true mass")
        self.setMinimumSize(120, 120)

    def show_frame(self, frame: Frame) -> None:
        """Draw this frame's ledger, if it is another one."""
        if not same_ledger(self.frame, frame):
            super().show_frame(frame)

    @property
    def modes(self) -> Modes | None:
        """The ledger; None before the first release."""
        return self.frame.modes if self.frame is not None else None

    @property
    def names(self) -> tuple[str, ...]:
        """What the panes are called."""
        return pane_names(self.frame.pane_states) if self.frame is not None else ()

    def table(self) -> Table:
        """The ledger for a file: a row for each mode and one for elsewhere; no rows before the first release."""
        names, modes = self.names, self.modes
        header = ["mode", "x", "y", "true mass"]
        for name in names:
            header += [f"share {name}", f"low {name}", f"high {name}"]
        if modes is None:
            return header, []
        lines: list[list[object]] = []
        for number, index in enumerate(order_by_mass(modes).tolist(), 1):
            bands = np.stack([modes.share[:, index], modes.low[:, index], modes.high[:, index]], axis=1)
            lines.append([number, *modes.centres[index].tolist(), modes.mass[index], *bands.ravel()])
        away: list[object] = []
        for value in modes.elsewhere:
            away += [value, None, None]
        return header, [*lines, ["elsewhere", None, None, None, *away]]

    def text(self) -> str:
        """The ledger as lines of text; empty before the first release."""
        modes = self.modes
        return "" if modes is None else ledger_text(modes, self.names)

    def hint(self, x: float) -> str:
        """All numbers and bands, and what they mean (rich text)."""
        return f"<pre>{self.text()}</pre>{MEANING}"

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw groups of bars, or a table when there are many modes."""
        with QPainter(self) as painter:
            modes = self.modes
            if modes is None:
                self.say(painter, "Release the particles to see who gets the shares right")
            else:
                lines = rows(modes)
                if len(lines) <= GROUPED:
                    self._groups(painter, lines, modes.elsewhere)
                else:
                    self._table(painter, modes)
            self.focus_mark(painter)

    def _groups(self, painter: QPainter, lines: list[Row], elsewhere: Floats) -> None:
        """For each mode its mass as a line, and one bar per pane."""
        k = self.factor
        foot = 20 * k
        tall = (self.height() - foot) / len(lines)
        head = min(24 * k, tall / 4)
        called = self.names
        step = (tall - head) / len(called)
        small, broken = self._type_of_names(called, step)
        big = 20 if step >= 30 * k else small
        lines_of = {name: name.split(", ") if broken else [name] for name in called}
        names = min(max(self.advance(line, small) for n in called for line in lines_of[n]) + 8 * k, 0.48 * self.width())
        value = self.advance("0.000", big, bold=True) + 8 * k
        bars = QRectF(names, 0, self.width() - names - value, step)
        top_share = max(1e-9, max(max(row.mass, float(row.high.max())) for row in lines))
        scale = bars.width() / min(1.0, top_share * 1.04)
        for i, row in enumerate(lines):
            top = i * tall
            badge = min(16 * k, head - 2)
            box = QRectF(1, top + (head - badge) / 2, badge, badge)
            self._badge(painter, box, row)
            tick = bars.left() + row.mass * scale
            self._truth_label(painter, QRectF(bars.left(), top, self.width() - bars.left(), head), tick, row, small)
            for pane, name in enumerate(called):
                y = top + head + pane * step
                line = 1.35 * small * k
                start = y + (step - line * len(lines_of[name])) / 2
                for j, words in enumerate(lines_of[name]):
                    self.write(painter, QRectF(0, start + j * line, names - 4 * k, line), words, pixels=small)
                thick = min(step * 0.62, 28 * k)
                bar = QRectF(bars.left(), y + (step - thick) / 2, bars.width(), thick)
                self._bar(painter, bar, row, pane, scale)
                box = QRectF(bars.right(), y, value, step)
                self.write(painter, box, share(row.share[pane]), RIGHT, pixels=big, bold=True)
            painter.setPen(QPen(self.theme.colour("true"), 2 * k))
            painter.drawLine(QPointF(tick, top + head - 1), QPointF(tick, top + tall - step * 0.1))
        text = "elsewhere  " + "   ".join(share(s) for s in elsewhere)
        if self.advance(text) > self.width():
            text = "elsewhere  " + " ".join(share(s) for s in elsewhere)
        pixels = next((p for p in range(CAPTION, 7, -1) if self.advance(text, p) <= self.width()), 7)
        box = QRectF(0, self.height() - foot, self.width(), foot)
        self.write(painter, box, text, RIGHT, role="quiet", pixels=pixels)

    def _type_of_names(self, called: Sequence[str], step: float) -> tuple[int, bool]:
        """The largest type in which panes' names fit beside bars this far apart, and whether they break at a comma.

        Names that fit in no way are set whole in the type that their lines hold, and shortened.
        """
        room, line = 0.48 * self.width() - 8 * self.factor, step / self.factor
        parts = [part for name in called for part in name.split(", ")]
        for pixels in range(min(CONTROL, int(line / 1.4)), SMALLEST - 1, -1):
            if max(self.advance(name, pixels) for name in called) <= room:
                return pixels, False
            if 2.7 * pixels <= line and max(self.advance(part, pixels) for part in parts) <= room:
                return pixels, True
        return max(7, min(CONTROL, int(line / 1.4))), False

    def _truth_label(self, painter: QPainter, room: QRectF, tick: float, row: Row, pixels: int) -> None:
        """The true mass in words, above its line and kept inside the chart."""
        text = f"truth {share(row.mass)}"
        wide = self.advance(text, pixels, bold=True) + 2
        left = min(max(room.left(), tick - wide / 2), room.right() - wide)
        self.write(painter, QRectF(left, room.top(), wide, room.height()), text, CENTRE, pixels=pixels, bold=True)

    def _table(self, painter: QPainter, modes: Modes) -> None:
        """One row per mode: its mass, and each pane's share as a number over a bar with the truth's tick."""
        k = self.factor
        least = 15 * k
        room = max(2, int(self.height() / least) - 2)
        lines = rows(modes, min(MOST, room))
        tall = min(self.height() / (len(lines) + 2), 48 * k)
        pixels = CONTROL if tall > 28 * k else CAPTION
        first, gap = self.advance("0.000", bold=True) + 22 * k, 8 * k
        called = self.names
        wide = (self.width() - first) / len(called) - gap
        columns = [first + gap + i * (wide + gap) for i in range(len(called))]
        self.write(painter, QRectF(0, 0, first, tall), "truth", RIGHT, role="quiet")
        for x, name in zip(columns, called, strict=True):
            self.write(painter, QRectF(x - gap, 0, wide + gap, tall), name, RIGHT, role="quiet")
        top_share = max(max(row.mass, float(row.high.max())) for row in lines if row.number > 0)
        for i, row in enumerate(lines):
            y = (i + 1) * tall
            badge = min(15 * k, tall - 1)
            self._badge(painter, QRectF(1, y + (tall - badge) / 2, badge, badge), row)
            self.write(painter, QRectF(0, y, first, tall), share(row.mass), RIGHT, pixels=pixels, bold=True)
            for pane, x in enumerate(columns):
                scale = wide / max(top_share, 1e-9)
                thick = min(5 * k, tall * 0.2)
                bar = QRectF(x, y + tall - thick - 1, wide, thick)
                self._bar(painter, bar, row, pane, scale)
                painter.setPen(QPen(self.theme.colour("true"), 2 * k))
                tick = min(x + row.mass * scale, bar.right())
                painter.drawLine(QPointF(tick, bar.top()), QPointF(tick, bar.bottom() + 1))
                box = QRectF(x, y - 1, wide, tall - thick)
                self.write(painter, box, share(row.share[pane]), RIGHT, pixels=pixels)
        y = (len(lines) + 1) * tall
        self.write(painter, QRectF(0, y, columns[0], tall), "elsewhere", LEFT, role="quiet")
        for value, x in zip(modes.elsewhere, columns, strict=True):
            self.write(painter, QRectF(x, y, wide, tall), share(value), RIGHT, role="quiet")

    def _badge(self, painter: QPainter, box: QRectF, row: Row) -> None:
        if row.number > 0:
            mode_badge(painter, box, row.number, self.theme, self.factor)
        else:
            self.write(painter, box, "…", CENTRE, role="quiet", pixels=CAPTION)

    def _bar(self, painter: QPainter, box: QRectF, row: Row, pane: int, scale: float) -> None:
        """A share in the particles' ink, the gap to the truth in the error's, and the band as a whisker."""
        most = box.width() / scale
        part, mass = min(float(row.share[pane]), most), min(row.mass, most)
        low, high = float(row.low[pane]), float(row.high[pane])
        painter.fillRect(
            QRectF(box.left(), box.top(), part * scale, box.height()), self.theme.colour("particles", 0.85)
        )
        start, stop = sorted((part, mass))
        wrong = QRectF(box.left() + start * scale, box.top(), (stop - start) * scale, box.height())
        if part < mass:
            painter.fillRect(wrong, self.theme.colour("error", 0.5))
        else:
            painter.fillRect(wrong, self.theme.colour("error"))
        if box.height() < 8 * self.factor:
            return
        painter.setPen(QPen(self.theme.colour("ink"), 1.5 * self.factor))
        middle = box.center().y()
        a, b = box.left() + low * scale, box.left() + high * scale
        painter.drawLine(QPointF(a, middle), QPointF(b, middle))
        for x in (a, b):
            painter.drawLine(QPointF(x, middle - 3 * self.factor), QPointF(x, middle + 3 * self.factor))
