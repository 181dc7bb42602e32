"""The bar at the bottom of the pictures' window: back, run, step, anew, and the noise levels as one axis to scrub.

The axis is the run itself, from the first noise level at the left to the clean picture at the right. Short ticks above
it are the rungs of the ladder; those below stand where sigma passes 1, 2 and 5 times a power of ten, wherever the
sampler's steps put them. Whatever was kept can be shown again, and dots beside the pictures follow, each at its own
sigma.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from explorer.engine.gallery.frames import GalleryFrame
from explorer.numbers import three
from explorer.panels.icons import icon
from explorer.panels.sliding import FollowingSlider
from explorer.theme import CAPTION, CONTROL, LIGHT, UNIT, Theme, font

BUTTONS = ("back", "play", "step", "again")
_APART = 4
"""Pixels between ticks of the ladder, at least."""
_ICONS = {"back": "back", "step": "step", "again": "reset"}


class GalleryBar(QWidget):
    """Buttons for the actions of `BUTTONS`, what is at the moment, and the axis."""

    sought = Signal(int)
    """The person wants to see the pictures as they were at this step."""

    def __init__(self, actions: Mapping[str, QAction]) -> None:
        super().__init__()
        self._actions = {name: actions[name] for name in BUTTONS}
        self._theme, self._factor, self._running = LIGHT, 1.0, False
        self._buttons = []
        row = QHBoxLayout(self)
        row.setContentsMargins(UNIT, UNIT // 2, 2 * UNIT, UNIT // 2)
        row.setSpacing(UNIT // 2)
        for name in BUTTONS:
            button = QToolButton()
            button.setDefaultAction(self._actions[name])
            button.setAccessibleName(self._actions[name].text().replace("&", ""))
            button.setAutoRaise(True)
            self._buttons.append(button)
            row.addWidget(button)
        self.words = QLabel("nothing is running")
        self.words.setAccessibleName("Where the pictures are")
        self.axis = SigmaAxis()
        self.axis.valueChanged.connect(self.sought)
        row.addSpacing(UNIT)
        row.addWidget(self.words)
        row.addSpacing(UNIT)
        row.addWidget(self.axis, 1)
        self.set_scale(1.0)

    def show_frame(self, frame: GalleryFrame) -> None:
        """Say where the pictures are."""
        if frame.moving != self._running:
            self._running = frame.moving
            self._actions["play"].setChecked(frame.moving)
            self._draw_icons()
        self.say(_place(frame))
        self.axis.show_frame(frame)

    def say(self, text: str) -> None:
        """Write where things are."""
        if text != self.words.text():
            self.words.setText(text)

    def back(self) -> None:
        """Show the kept moment before the one shown."""
        self.axis.setValue(self.axis.before())

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = self.axis.theme = theme
        self.axis.update()
        self._draw_icons()

    def set_scale(self, factor: float) -> None:
        """Draw type and icons this many times their size."""
        self._factor = self.axis.factor = factor
        self.words.setFont(font(CONTROL, scale=factor))
        self.words.setFixedWidth(
            self.words.fontMetrics().horizontalAdvance("σ 0.00417  ·  step 1,000 of 1,000  ·  kept")
        )
        for button in self._buttons:
            button.setIconSize(QSize(round(16 * factor), round(16 * factor)))
        self.axis.updateGeometry()
        self._draw_icons()

    def _draw_icons(self) -> None:
        size = round(16 * self._factor)
        for name, action in self._actions.items():
            action.setIcon(icon(_ICONS.get(name) or ("pause" if self._running else "play"), self._theme, size))


def _place(frame: GalleryFrame) -> str:
    """Where the pictures are, and whether that is an earlier moment."""
    if frame.busy:
        return frame.busy
    if not frame.job:
        return "nothing is running"
    level = f"σ {three(frame.sigma)}" if frame.sigma else "clean"
    words = [level, f"step {frame.shown:,} of {frame.steps:,}"]
    if frame.shown < frame.step:
        words.append("kept")
    return "  ·  ".join(words)


class SigmaAxis(FollowingSlider):
    """A slider over the steps that are kept, with the noise levels written where they are."""

    def __init__(self) -> None:
        super().__init__(1, 8)
        self._done, self._total, self._job = 0, 1, 0
        self._kept = np.zeros(1, np.int64)
        self._marks: tuple[tuple[float, str], ...] = ()
        self._rungs: tuple[float, ...] = ()
        self._seen: tuple[object, ...] = ()
        self.setAccessibleName("Noise level: from noise to pictures")
        self.setToolTip("The run, from the first noise level to the clean picture; drag to see what was")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def show_frame(self, frame: GalleryFrame) -> None:
        """Follow the run; silent."""
        seen = frame.job, frame.step, frame.steps, frame.shown, frame.kept.size
        if seen == self._seen:
            return
        self._seen = seen
        self._done, self._total = frame.step, max(frame.steps, 1)
        if frame.job != self._job:
            self._job, self._marks = frame.job, tuple(_marks(frame.sigmas.tolist()))
            self._rungs = tuple(rungs(frame.sigmas.tolist()))
        self._kept = np.unique(frame.kept.astype(np.int64)) if frame.kept.size else np.zeros(1, np.int64)
        self.blockSignals(True)
        self.setRange(0, self._total)
        if not self.isSliderDown():
            self.setValue(frame.shown)
        self.blockSignals(False)
        ladder = f"{len(self._rungs)} noise levels"
        self.setAccessibleDescription(f"step {frame.shown} of {frame.steps}, sigma {frame.sigma:.3g}, {ladder}")
        self.update()

    def before(self) -> int:
        """The kept step before the one shown."""
        earlier = self._kept[self._kept < self.value()]
        return int(earlier[-1]) if earlier.size else self.value()

    def after(self) -> int:
        """The kept step after the one shown."""
        later = self._kept[self._kept > self.value()]
        return int(later[0]) if later.size else self.value()

    def sizeHint(self) -> QSize:
        """Wide rather than high."""
        return QSize(round(240 * self.factor), round(36 * self.factor))

    def minimumSizeHint(self) -> QSize:
        """Room for a hand."""
        return QSize(round(120 * self.factor), round(36 * self.factor))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the mouse to the nearest kept step."""
        if self.isSliderDown():
            part = (event.position().x() - self._inset) / max(1.0, self.width() - 2 * self._inset)
            self.setValue(int(self._kept[np.argmin(np.abs(self._kept - part * self._total))]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the kept step before or after, to the first or to the last."""
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Down):
            self.setValue(self.before())
        elif key in (Qt.Key.Key_Right, Qt.Key.Key_Up):
            self.setValue(self.after())
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.setValue(int(self._kept[0 if key == Qt.Key.Key_Home else -1]))
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The line, the part done, the noise levels below, and the handle."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            k, inset = self.factor, self._inset
            y, whole = 11 * k, self.width() - 2 * inset
            ahead, shown = whole * self._done / self._total, whole * min(1.0, self.value() / self._total)
            for length, role, alpha in ((whole, "rule", 1.0), (ahead, "particles", 0.4), (shown, "particles", 1.0)):
                painter.setPen(QPen(self.theme.colour(role, alpha), 3 * k, c=Qt.PenCapStyle.RoundCap))
                painter.drawLine(QPointF(inset, y), QPointF(inset + length, y))
            self._paint_rungs(painter, y, whole)
            self._paint_marks(painter, y, whole)
            painter.setPen(QPen(self.theme.colour("true"), 2 * k) if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.colour("particles"))
            painter.drawEllipse(QRectF(inset + shown - 5 * k, y - 5 * k, 10 * k, 10 * k))

    def _paint_rungs(self, painter: QPainter, y: float, whole: float) -> None:
        """A short tick where each noise level of the ladder begins, if they can be told apart."""
        if len(self._rungs) > whole / (_APART * self.factor):
            return
        painter.setPen(QPen(self.theme.colour("quiet", 0.6), 1))
        for place in self._rungs:
            x = round(self._inset + whole * place) + 0.5
            painter.drawLine(QPointF(x, y - 7 * self.factor), QPointF(x, y - 4 * self.factor))

    def _paint_marks(self, painter: QPainter, y: float, whole: float) -> None:
        """Noise levels below the line, those that would touch the one before left out."""
        painter.setFont(font(CAPTION, scale=self.factor))
        painter.setPen(self.theme.colour("quiet"))
        metrics, end = painter.fontMetrics(), -math.inf
        for place, text in self._marks:
            width = metrics.horizontalAdvance(text)
            x = self._inset + whole * place
            left = min(max(x - width / 2, 0.0), self.width() - width)
            if left > end + UNIT:
                painter.drawLine(QPointF(x, y + 4 * self.factor), QPointF(x, y + 8 * self.factor))
                painter.drawText(QPointF(left, self.height() - metrics.descent()), text)
                end = left + width


def rungs(sigmas: Sequence[float]) -> list[float]:
    """Where each noise level of the ladder begins, along the run from 0 to 1: the levels after each step are given."""
    total = max(len(sigmas) - 1, 1)
    return [k / total for k, sigma in enumerate(sigmas) if sigma > 0 and (k == 0 or sigma != sigmas[k - 1])]


def _marks(sigmas: Sequence[float]) -> list[tuple[float, str]]:
    """(place along the run from 0 to 1, text) where sigma first falls to 1, 2 or 5 times a power of ten; the ends."""
    if len(sigmas) < 2:
        return []
    total = len(sigmas) - 1
    first, last = sigmas[0], min(sigma for sigma in sigmas if sigma > 0)
    found = [(0.0, f"σ {three(first)}")]
    for decade in range(math.floor(math.log10(first)), math.floor(math.log10(last)) - 1, -1):
        for digit in (5, 2, 1):
            level = digit * 10.0**decade
            if last <= level < first:
                step = next(k for k, sigma in enumerate(sigmas) if sigma <= level)
                found.append((step / total, f"{level:g}"))
    return [*found, (1.0, "clean")]
