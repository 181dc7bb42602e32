"""The bar at the bottom: training at the left, particles at the right, each with step back, play, step and restart.

The particles' place is a slider: every moment that is kept can be shown again, and the newest is at the right end of
what has been done. All panes share one clock, so that one slider is the progress of all; what each pane is at is said
by its tip, and a pane that stands still has a mark.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from explorer.engine.frames import Frame, PaneState
from explorer.numbers import three
from explorer.panels.icons import icon
from explorer.panels.sliding import FollowingSlider
from explorer.theme import CONTROL, LIGHT, UNIT, Theme, font

TRAINING = ("train_back", "train", "train_step", "train_reset")
PARTICLES = ("particles_back", "particles_play", "particles_step", "particles_release")

ACTIONS = TRAINING + PARTICLES
"""The actions that the bar has buttons for."""

_ICONS = {
    "train_back": "back",
    "train_step": "step",
    "train_reset": "reset",
    "particles_back": "back",
    "particles_step": "step",
    "particles_release": "release",
}


class TransportBar(QWidget):
    """Play, step, step back and restart of training and of particles, by the actions given.

    The bar draws the actions' icons (so that menus show the same) and leaves their words, keys and states alone.

    Args:
        actions: at least those of `ACTIONS`.
    """

    seek = Signal(int)
    """The person wants to see the particles as they were at this step of the longest pane."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = {name: actions[name] for name in ACTIONS}
        self._buttons: dict[str, QToolButton] = {}
        self._running = {"train": False, "particles_play": False}
        self.training = QLabel("engine is loading")
        self.training.setAccessibleName("Training")
        self.moving = QLabel("")
        self.moving.setAccessibleName("Particles")
        self.track = SeekTrack()
        self.track.valueChanged.connect(self._sought)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(UNIT, UNIT // 2, UNIT, UNIT // 2)
        layout.setSpacing(UNIT // 2)
        self._add(layout, TRAINING)
        layout.addSpacing(UNIT)
        layout.addWidget(self.training, 1)
        layout.addSpacing(UNIT)
        self._add(layout, PARTICLES)
        layout.addSpacing(UNIT)
        layout.addWidget(self.moving)
        layout.addSpacing(UNIT)
        layout.addWidget(self.track, 1)
        self._theme, self._factor = LIGHT, 1.0
        self._room = (0, 0.0)
        self.set_scale(1.0)

    def _add(self, layout: QHBoxLayout, names: tuple[str, ...]) -> None:
        for name in names:
            button = QToolButton()
            button.setDefaultAction(self._actions[name])
            button.setAccessibleName(self._actions[name].text().replace("&", ""))
            button.setAutoRaise(True)
            self._buttons[name] = button
            layout.addWidget(button)

    def back(self) -> None:
        """Show the particles at the kept moment before the one shown."""
        self.track.setValue(self.track.before())

    def show_frame(self, frame: Frame) -> None:
        """Say where training and particles are."""
        running = {"train": frame.training, "particles_play": frame.moving}
        if running != self._running:
            self._running = running
            self._draw_icons()
        state = "training" if frame.training else "paused" if frame.step else "not trained yet"
        self._say(self.training, "  ·  ".join([f"step {frame.step:,}", state, *([frame.busy] if frame.busy else [])]))
        if frame.released:
            self._say(self.moving, _place(frame))
            self._reserve(frame.particle_steps)
        else:
            self._say(self.moving, "not released yet")
        self.track.show_frame(frame)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = self.track.theme = theme
        self.track.update()
        self._draw_icons()

    def set_scale(self, factor: float) -> None:
        """Draw type and icons this many times their size."""
        self._factor = self.track.factor = factor
        for label in (self.training, self.moving):
            label.setFont(font(CONTROL, scale=factor))
        for button in self._buttons.values():
            button.setIconSize(QSize(round(16 * factor), round(16 * factor)))
        self._reserve(1780)
        self.track.updateGeometry()
        self._draw_icons()

    def _sought(self, step: int) -> None:
        self.seek.emit(step)

    def _draw_icons(self) -> None:
        size = round(16 * self._factor)
        for name, action in self._actions.items():
            drawing = _ICONS.get(name) or ("pause" if self._running[name] else "play")
            action.setIcon(icon(drawing, self._theme, size))

    def _reserve(self, total: int) -> None:
        """Keep room for the longest text of this run, so that nothing beside the changing numbers moves."""
        if (total, self._factor) != self._room:
            self._room = (total, self._factor)
            widest = f"t {total:,} of {total:,}  ·  kept"
            self.moving.setFixedWidth(self.moving.fontMetrics().horizontalAdvance(widest) + UNIT)

    @staticmethod
    def _say(label: QLabel, text: str) -> None:
        if label.text() != text:
            label.setText(text)


def _place(frame: Frame) -> str:
    """Where the particles are, and whether that is an earlier moment."""
    past = bool(frame.particle_kept.size) and frame.particle_shown < frame.particle_step
    shown = frame.particle_shown if past else frame.particle_step
    words = [f"t {shown:,} of {frame.particle_steps:,}"]
    if past:
        words.append("kept")
    elif any(pane.diverged for pane in frame.pane_states):
        words.append("diverged")
    return "  ·  ".join(words)


def _pane_words(index: int, pane: PaneState) -> str:
    """What one pane is at, for the slider's tip."""
    parts = [f"{pane.step:,} of {pane.steps:,}", f"σ {three(pane.sigma)}"]
    if pane.levels > 1:
        parts.append(f"level {min(pane.level + 1, pane.levels)} of {pane.levels}")
    if pane.diverged:
        parts.append("diverged")
    if pane.note:
        parts.append(pane.note)
    return f"{index + 1}  {pane.label or pane.sampler}:  " + "  ·  ".join(parts)


class SeekTrack(FollowingSlider):
    """How far the particles are; a slider over the moments that are kept, its places the steps of the longest pane."""

    def __init__(self) -> None:
        super().__init__(1, 6)
        self._done, self._total = 0, 1
        self._halts: tuple[float, ...] = ()
        self._kept = np.zeros(1, np.int64)
        self._seen: tuple[object, ...] = ()
        self.setAccessibleName("Progress of the particles")
        self.setToolTip("Nothing has been released yet")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def show_frame(self, frame: Frame) -> None:
        """Follow the particles; silent."""
        done, total = (frame.particle_step if frame.released else 0), max(frame.particle_steps, 1)
        shown = frame.particle_shown if frame.released and frame.particle_kept.size else done
        halts = tuple(pane.step / max(pane.steps, 1) for pane in frame.pane_states if pane.diverged)
        seen = done, total, shown, frame.particle_kept.size, halts
        if seen == self._seen:
            return
        self._seen = seen
        self._done, self._total, self._halts = done, total, halts
        self._kept = np.unique(np.append(frame.particle_kept.astype(np.int64), done))
        self.blockSignals(True)
        self.setRange(0, total)
        if not self.isSliderDown():
            self.setValue(shown)
        self.blockSignals(False)
        self.setAccessibleDescription(f"{shown} of {total} steps")
        if frame.pane_states:
            self.setToolTip("\n".join(_pane_words(i, pane) for i, pane in enumerate(frame.pane_states)))
        self.update()

    def before(self) -> int:
        """The kept moment before the one shown."""
        earlier = self._kept[self._kept < self.value()]
        return int(earlier[-1]) if earlier.size else self.value()

    def after(self) -> int:
        """The kept moment after the one shown; the newest at last."""
        later = self._kept[self._kept > self.value()]
        return int(later[0]) if later.size else self.value()

    def sizeHint(self) -> QSize:
        """Wide rather than high."""
        return QSize(round(160 * self.factor), round(24 * self.factor))

    def minimumSizeHint(self) -> QSize:
        """Room for a hand."""
        return QSize(round(80 * self.factor), round(24 * self.factor))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the mouse to the nearest kept moment."""
        if self.isSliderDown():
            part = (event.position().x() - self._inset) / max(1.0, self.width() - 2 * self._inset)
            self.setValue(int(self._kept[np.argmin(np.abs(self._kept - part * self._total))]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the kept moment before or after, to the start or to the newest."""
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
        """Draw the line, the part done in the particles' ink, what stands still, and the handle."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            k, inset = self.factor, self._inset
            thick, y, whole = 3 * k, self.height() / 2, self.width() - 2 * inset
            ahead, shown = whole * self._done / self._total, whole * min(1.0, self.value() / self._total)
            for length, role, alpha in ((whole, "rule", 1.0), (ahead, "particles", 0.4), (shown, "particles", 1.0)):
                painter.setPen(QPen(self.theme.colour(role, alpha), thick, c=Qt.PenCapStyle.RoundCap))
                painter.drawLine(QPointF(inset, y), QPointF(inset + length, y))
            painter.setPen(QPen(self.theme.colour("warning"), 2 * k))
            for part in self._halts:
                x = inset + whole * part
                painter.drawLine(QPointF(x, y - 7 * k), QPointF(x, y + 7 * k))
            focus = self.hasFocus()
            painter.setPen(QPen(self.theme.colour("true"), 2 * k) if focus else Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.colour("particles"))
            painter.drawEllipse(QRectF(inset + shown - 5 * k, y - 5 * k, 10 * k, 10 * k))
