"""One pane's shares as a thin stacked bar: where the particles are, against where the density's mass is.

Segments follow the ledger's numbering, the largest mode first; blue ticks stand where the boundaries would be if every
share were right. What is in no mode ends the bar in outline.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.engine.messages import Frame, Modes
from explorer.numbers import share
from explorer.panes import pane_names
from explorer.theme import CAPTION, CONTROL
from explorer.views.chart import LEFT, Chart, blend, mode_badge
from explorer.views.ledger import Row, rows, same_ledger

MOST = 8
"""Segments at most: the rest go together."""


class ShareBar(Chart):
    """The bar under the particles of one pane, by its index; empty if the frame has no such pane."""

    def __init__(self, pane: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pane = pane
        self.setAccessibleName(f"Shares of pane {pane + 1} per mode")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """As wide as there is room, a bar and a line of type high."""
        return QSize(round(160 * self.factor), round(40 * self.factor))

    def minimumSizeHint(self) -> QSize:
        """Narrow enough for a small tile."""
        return QSize(80, round(40 * self.factor))

    def show_frame(self, frame: Frame) -> None:
        """Draw this frame's shares, if they are others."""
        if not same_ledger(self.frame, frame):
            super().show_frame(frame)
            names = pane_names(frame.pane_states)
            if self.pane < len(names):
                self.setAccessibleName(f"Shares of {names[self.pane]} particles per mode")

    @property
    def modes(self) -> Modes | None:
        """The ledger, if it has this pane."""
        modes = self.frame.modes if self.frame is not None else None
        return modes if modes is not None and self.pane < len(modes.share) else None

    def text(self) -> str:
        """The shares in words: "mode 1: 0.803, truth 0.800; ...", empty before the first release."""
        modes = self.modes
        if modes is None:
            return ""
        parts = [f"{row.name}: {share(row.share[self.pane])}, truth {share(row.mass)}" for row in rows(modes, MOST)]
        return "; ".join([*parts, f"elsewhere: {share(modes.elsewhere[self.pane])}"])

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the shares, once there are any."""
        with QPainter(self) as painter:
            self.paint_shares(painter, self.width())
            self.focus_mark(painter)

    def paint_shares(self, painter: QPainter, wide: float) -> None:
        """Draw the segments, the truth's ticks and as many numbers as have room, `wide` pixels from the left."""
        modes = self.modes
        if modes is None:
            return
        k = self.factor
        lines = rows(modes, MOST)
        bar = QRectF(1, 6 * k, wide - 2, 10 * k)
        painter.setPen(self.theme.colour("rule"))
        painter.drawRect(bar)
        left = bar.left()
        boxes: list[QRectF] = []
        for i, row in enumerate(lines):
            box = QRectF(left, bar.top(), float(row.share[self.pane]) * bar.width(), bar.height())
            ink = blend(self.theme.colour("particles"), self.theme.colour("surface"), 0.5 * (i % 2))
            painter.fillRect(box, ink)
            boxes.append(box)
            left = box.right()
        total = max(sum(row.mass for row in lines), 1e-9)
        painter.setPen(QPen(self.theme.colour("true"), 2 * k))
        for edge in np.cumsum([row.mass for row in lines[:-1]]) / total:
            x = bar.left() + edge * bar.width()
            painter.drawLine(QPointF(x, bar.top() - 4 * k), QPointF(x, bar.bottom() + 4 * k))
        self._numbers(painter, lines, boxes, bar)

    def _numbers(self, painter: QPainter, lines: list[Row], boxes: list[QRectF], bar: QRectF) -> None:
        """Each mode's badge and share under its segment, from the left, as far as they fit."""
        k = self.factor
        badge = 14 * k
        pixels = CONTROL if self.needed(len(lines), CONTROL) <= bar.width() else CAPTION
        apart, gap = (8 * k, 4 * k) if pixels == CONTROL else (4 * k, 2 * k)
        wide = self.needed(1, pixels)
        together = self.needed(len(lines), pixels) <= bar.width()
        end = bar.left() - apart
        y = bar.bottom() + 4 * k
        for i, (row, box) in enumerate(zip(lines, boxes, strict=True)):
            later = len(lines) - 1 - i if together else 0
            latest = bar.right() - wide - later * (wide + apart)
            x = min(max(end + apart, box.center().x() - wide / 2), latest)
            if x < end + apart - 1e-6:
                continue
            if row.number > 0:
                mode_badge(painter, QRectF(x, y + 2 * k, badge, badge), row.number, self.theme, k)
            box = QRectF(x + badge + gap, y, wide - badge - gap, 18 * k)
            self.write(painter, box, share(row.share[self.pane]), LEFT, pixels=pixels, bold=True)
            end = x + wide

    def needed(self, count: int, pixels: int = CAPTION) -> float:
        """The width of so many shares in figures of this size, with their badges."""
        gap, apart = (4, 8) if pixels == CONTROL else (2, 4)
        figures = self.advance("0.000", pixels, bold=True)
        return count * (figures + (14 + gap) * self.factor) + (count - 1) * apart * self.factor
