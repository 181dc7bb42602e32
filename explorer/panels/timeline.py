"""Two axes of time in one row: which moment of training is shown, and which noise level.

Training's axis is logarithmic in steps, for as much happens in the first hundred as in the next thousand: step t stands
at log(1 + t) / log(1 + now) of the way, the present at the right end. Ticks mark the steps whose weights are kept. Only
these can be chosen. Beside the axis stands the step that is shown, as the noise level stands beside its own; a step of
the past, which is the frame's, stands out, and the axis then says at its end how far training is.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from explorer.engine.frames import Frame
from explorer.panels.sigma import NoiseSlider
from explorer.panels.sliding import INSET, FollowingSlider, draw_axis, draw_handle, draw_numbers
from explorer.theme import CAPTION, CONTROL, UNIT, Theme, font

HEIGHT = 32
"""Pixels that the row takes at scale 1."""

_PLATE = 24
"""The height of the step that is shown, as that of the noise level's field."""

_PATIENCE = 30
"""Frames after which the shown step is the engine's word again if it never came to the one that was chosen."""


def past_words(frame: Frame) -> str:
    """Say "step 1,024 of 8,192, kept" while a field of the past is shown, else nothing."""
    return f"step {frame.shown_step:,} of {frame.step:,}, kept" if frame.shown_step >= 0 else ""


class TrainingTimeline(QWidget):
    """The slider over training; `step_chosen` says which kept step to show, None for the present weights."""

    step_chosen = Signal(object)
    """int | None: the person, or a run that began anew, chose another moment."""

    explain_wanted = Signal(str)
    """The name of a glossary entry that the person asked for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run = -1
        self._chosen: int | None = None
        self._waited = 0
        self._name = QLabel("training step")
        self._name.setToolTip("Which moment of training the learned fields show; kept steps have ticks")
        self._track = _StepTrack()
        self._track.valueChanged.connect(self._moved)
        self._name.setBuddy(self._track)
        self.badge = QLabel("0")
        self.badge.setObjectName("badge")
        self.badge.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.badge.setAccessibleName("Training step shown")
        self.live = QToolButton()
        self.live.setText("live")
        self.live.setAutoRaise(True)
        self.live.setAccessibleName("Show the present weights")
        self.live.setToolTip("Back to the present weights (End on the slider)")
        self.live.clicked.connect(self.go_live)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(UNIT)
        layout.addWidget(self._name)
        layout.addWidget(self._track, 1)
        layout.addWidget(self.badge)
        layout.addWidget(self.live)
        self.setFocusProxy(self._track)
        self._reserved = 0
        self._words: tuple[str, Theme, float] | None = None
        self._said: tuple[str, int] = "", 0
        self._theme = self._track.theme
        self._factor = 1.0
        self.set_scale(1.0)

    def step(self) -> int | None:
        """The kept step that is chosen; None for the present."""
        return self._chosen

    def set_step(self, step: int | None) -> None:
        """Show this moment as chosen; emits nothing."""
        self._chosen, self._waited = step, 0
        self._track.choose(step)

    def back(self) -> None:
        """Choose the kept step before the one shown."""
        self._track.setValue(self._track.value() - 1)

    def forward(self) -> None:
        """Choose the kept step after the one shown; after the last comes the present."""
        self._track.setValue(self._track.value() + 1)

    def go_first(self) -> None:
        """Choose the earliest kept step."""
        self._track.setValue(0)

    def go_live(self) -> None:
        """Show the present weights."""
        self._track.setValue(self._track.maximum())

    def show_frame(self, frame: Frame) -> None:
        """Follow training: the ticks, the right end, and which step is shown."""
        if frame.run != self._run:
            began, self._run = self._run >= 0, frame.run
            if began and self._chosen is not None:
                # The steps of another run are no past of this one.
                self.set_step(None)
                self.step_chosen.emit(None)
        shown = frame.shown_step if frame.shown_step >= 0 else None
        if shown != self._chosen:
            self._waited += 1
            if self._waited > _PATIENCE:
                self.set_step(shown)
        else:
            self._waited = 0
        kept = tuple(int(step) for step in frame.keyframes.tolist())
        self._track.show_steps(kept, frame.step, self._chosen)
        self._say(past_words(frame), frame.step if shown is None else shown)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = self._track.theme = theme
        self._track.update()
        self._dress()

    def set_scale(self, factor: float) -> None:
        """Draw type and marks this many times their size."""
        self._factor = self._track.factor = factor
        for widget in (self._name, self.live):
            widget.setFont(font(CONTROL, scale=factor))
        self.setFixedHeight(round(HEIGHT * factor))
        self._reserved = 0
        self._track.updateGeometry()
        self._dress()
        self._say(*self._said)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click on the name asks what it means."""
        if event.button() == Qt.MouseButton.LeftButton and self._name.geometry().contains(event.position().toPoint()):
            self.explain_wanted.emit("keyframes")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the name's room to the axis where there is little."""
        narrow = self.width() < 420 * self._factor
        self._name.setText("step" if narrow else "training step")

    def _moved(self, place: int) -> None:
        """The slider was moved by hand or key."""
        kept = self._track.kept
        step = kept[place] if place < len(kept) else None
        if step != self._chosen:
            self._chosen, self._waited = step, 0
            self._track.update()
            self.step_chosen.emit(step)

    def _say(self, past: str, shown: int) -> None:
        """The step that is shown: one of the past in bold on a plate of its own."""
        self._said, text = (past, shown), f"{shown:,}"
        if self.badge.text() != text or not self._reserved:
            self.badge.setText(text)
            # Room for a long run from the start: an axis must not move under the hand that drags it.
            bold = QFontMetrics(font(CONTROL, bold=True, scale=self._factor))
            wide = max(bold.horizontalAdvance(words) for words in ("888,888", text)) + round(12 * self._factor)
            if wide > self._reserved:
                self._reserved = wide
                self.badge.setFixedSize(wide, round(_PLATE * self._factor))
        self.badge.setToolTip(f"Shown: {past}" if past else "Training steps taken; their field is shown")
        if self.live.isEnabled() != bool(past):
            self.live.setEnabled(bool(past))
        self._track.say(past or "the present weights")
        self._dress()

    def _dress(self) -> None:
        past = self.live.isEnabled()
        look = ("past" if past else "now", self._theme, self._factor)
        if look == self._words:
            return
        self._words = look
        theme, pad = self._theme, round(6 * self._factor)
        plate = f"color: {theme.surface}; background: {theme.ink};" if past else f"color: {theme.ink};"
        self.badge.setStyleSheet(f"QLabel {{ {plate} border-radius: {pad // 2}px; padding: 0 {pad}px; }}")
        self.badge.setFont(font(CONTROL, bold=past, scale=self._factor))


class _StepTrack(FollowingSlider):
    """The axis of steps: its places are the kept steps in order, and the present after the last."""

    def __init__(self) -> None:
        super().__init__(0, INSET)
        self.kept: tuple[int, ...] = ()
        self._now = 0
        self._seen: tuple[object, ...] = ()
        self.setAccessibleName("Training step shown")
        self.setToolTip("Training step that the learned fields show (Shift+, and Shift+. step through those kept)")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def show_steps(self, kept: tuple[int, ...], now: int, chosen: int | None) -> None:
        """Mark these kept steps, of `now` taken; silent."""
        seen = kept, round(200 * math.log1p(now)), chosen
        if seen == self._seen:
            return
        self._seen = seen
        self._now = now
        if kept != self.kept:
            self.kept = kept
            self.blockSignals(True)
            self.setRange(0, len(kept))
            self.blockSignals(False)
        self.choose(chosen)
        self.update()

    def choose(self, step: int | None) -> None:
        """Stand at this step, or at the last kept one before it; silent."""
        place = len(self.kept)
        if step is not None:
            place = max(0, sum(kept <= step for kept in self.kept) - 1)
        self.blockSignals(True)
        self.setValue(place)
        self.blockSignals(False)
        self.update()

    def say(self, words: str) -> None:
        """Tell a screen reader what is shown."""
        if self.accessibleDescription() != words:
            self.setAccessibleDescription(words)

    def sizeHint(self) -> QSize:
        """A line and a row of numbers."""
        return QSize(round(240 * self.factor), round(HEIGHT * self.factor))

    def minimumSizeHint(self) -> QSize:
        """Room for a few numbers."""
        return QSize(round(100 * self.factor), round(HEIGHT * self.factor))

    def place_of(self, step: int) -> float:
        """Where a step stands, in pixels from the left."""
        part = math.log1p(step) / math.log1p(max(self._now, 1))
        return INSET + (self.width() - 2 * INSET) * min(1.0, part)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the mouse to the nearest kept step, or to the present."""
        if self.isSliderDown():
            x = event.position().x()
            places = [*(self.place_of(step) for step in self.kept), self.width() - INSET]
            self.setValue(min(range(len(places)), key=lambda i: (abs(places[i] - x), -i)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw line, ticks, numbers and handle; what is later than the step shown is a thin line."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            k, place = self.factor, self.value()
            past = place < len(self.kept)
            right = float(self.width() - INSET)
            x = self.place_of(self.kept[place]) if past else right
            draw_axis(painter, self, [self.place_of(step) for step in self.kept])
            if past:
                painter.setPen(QPen(self.theme.colour("learned"), 3 * k, c=Qt.PenCapStyle.FlatCap))
                painter.drawLine(QPointF(INSET, 8 * k), QPointF(x, 8 * k))
            numbers = [(self.place_of(10**power), f"{10**power:,}") for power in range(10) if 10**power <= self._now]
            if past:
                painter.setFont(font(CAPTION, scale=k))
                end = f"{self._now:,}"
                wide = painter.fontMetrics().horizontalAdvance(end)
                numbers = [(at, text) for at, text in numbers if at < right - wide - 24 * k]
                numbers.append((right + INSET - wide / 2, end))
            draw_numbers(painter, self, numbers)
            draw_handle(painter, self, x, filled=past)


class AxisPair(QWidget):
    """Two sliders that share one row, half each: training at the left, the noise level at the right.

    Each half spans two columns of tiles: what lies between them is what lies between columns.
    """

    def __init__(self, left: TrainingTimeline, right: NoiseSlider, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.left, self.right = left, right
        self._halves: tuple[TrainingTimeline | NoiseSlider, ...] = (left, right)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2 * UNIT)
        for half in self._halves:
            half.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            self._row.addWidget(half, 1)
        self.set_scale(1.0)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for half in self._halves:
            half.set_theme(theme)

    def set_gutter(self, pixels: int) -> None:
        """Leave so much between the halves."""
        self._row.setSpacing(pixels)

    def set_scale(self, factor: float) -> None:
        """Draw type and marks this many times their size."""
        for half in self._halves:
            half.set_scale(factor)
        self.setFixedHeight(round(HEIGHT * factor))
