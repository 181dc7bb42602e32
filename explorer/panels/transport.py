"""The bar at the bottom: training at the left, particles at the right, each with play, step, restart and its place."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QAction, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from explorer.engine.messages import Frame
from explorer.numbers import three
from explorer.panels.icons import icon
from explorer.theme import CONTROL, LIGHT, UNIT, Theme, font

ACTIONS = ("train", "train_step", "train_reset", "particles_play", "particles_step", "particles_release")
"""The actions that the bar has buttons for."""

_ICONS = {"train_step": "step", "train_reset": "reset", "particles_step": "step", "particles_release": "release"}


class TransportBar(QWidget):
    """Play, step and restart of training and of particles, by the actions given.

    The bar draws the actions' icons (so that menus show the same) and leaves their words, keys and states alone.

    Args:
        actions: at least `train`, `train_step`, `train_reset`, `particles_play`, `particles_step` and
            `particles_release`.
    """

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = {name: actions[name] for name in ACTIONS}
        self._buttons: dict[str, QToolButton] = {}
        self._running = {"train": False, "particles_play": False}
        self.training = QLabel("engine is loading")
        self.training.setAccessibleName("Training")
        self.moving = QLabel("")
        self.moving.setAccessibleName("Particles")
        self.track = ProgressTrack()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(UNIT, UNIT // 2, UNIT, UNIT // 2)
        layout.setSpacing(UNIT // 2)
        self._add(layout, ACTIONS[:3])
        layout.addSpacing(UNIT)
        layout.addWidget(self.training, 1)
        layout.addSpacing(UNIT)
        self._add(layout, ACTIONS[3:])
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

    def show_frame(self, frame: Frame) -> None:
        """Say where training and particles are."""
        running = {"train": frame.training, "particles_play": frame.moving}
        if running != self._running:
            self._running = running
            self._draw_icons()
        if frame.training:
            state = f"{three(frame.steps_per_second)} steps/s" if frame.steps_per_second > 0 else "training"
        else:
            state = "paused" if frame.step else "not trained yet"
        self._say(self.training, "  ·  ".join([f"step {frame.step:,}", state, *([frame.busy] if frame.busy else [])]))
        if frame.released:
            place = f"t {frame.particle_step:,} of {frame.particle_steps:,}"
            self._say(self.moving, f"{place}  ·  σ {three(frame.particle_sigma)}")
            self._reserve(frame.particle_steps)
        else:
            self._say(self.moving, "not released yet")
        self.track.set_progress(frame.particle_step if frame.released else 0, frame.particle_steps)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = self.track.theme = theme
        self._draw_icons()

    def set_scale(self, factor: float) -> None:
        """Draw type and icons this many times their size."""
        self._factor = self.track.factor = factor
        for label in (self.training, self.moving):
            label.setFont(font(CONTROL, scale=factor))
        for button in self._buttons.values():
            button.setIconSize(QSize(round(16 * factor), round(16 * factor)))
        self._reserve(1600)
        self.track.updateGeometry()
        self._draw_icons()

    def _draw_icons(self) -> None:
        size = round(16 * self._factor)
        for name, action in self._actions.items():
            drawing = _ICONS.get(name) or ("pause" if self._running[name] else "play")
            action.setIcon(icon(drawing, self._theme, size))

    def _reserve(self, total: int) -> None:
        """Keep room for the longest text of this run, so that nothing beside the changing numbers moves."""
        if (total, self._factor) != self._room:
            self._room = (total, self._factor)
            widest = f"t {total:,} of {total:,}  ·  σ 0.0200"
            self.moving.setFixedWidth(self.moving.fontMetrics().horizontalAdvance(widest) + UNIT)

    @staticmethod
    def _say(label: QLabel, text: str) -> None:
        if label.text() != text:
            label.setText(text)


class ProgressTrack(QWidget):
    """How far the particles are, as a thin line with a dot."""

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.factor = 1.0
        self._done, self._total = 0, 1
        self.setAccessibleName("Progress of the particles")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def set_progress(self, done: int, total: int) -> None:
        """Show `done` of `total` steps."""
        if (done, total) != (self._done, self._total):
            self._done, self._total = done, max(total, 1)
            self.setAccessibleDescription(f"{done} of {total} steps")
            self.update()

    def sizeHint(self) -> QSize:
        """Wide rather than high."""
        return QSize(round(160 * self.factor), round(24 * self.factor))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line, the part done in the particles' ink, and the dot."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            k = self.factor
            inset, thick = 6 * k, 3 * k
            y = self.height() / 2
            wide = (self.width() - 2 * inset) * min(1.0, self._done / self._total)
            for length, role in ((self.width() - 2 * inset, "rule"), (wide, "particles")):
                painter.setBrush(self.theme.colour(role))
                painter.drawRoundedRect(QRectF(inset, y - thick / 2, length, thick), thick / 2, thick / 2)
            painter.drawEllipse(QRectF(inset + wide - 5 * k, y - 5 * k, 10 * k, 10 * k))
