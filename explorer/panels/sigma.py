"""The noise level that both fields show: one slider on a logarithmic axis that spans the ladder.

The slider's whole number p of `STEPS` stands for sigma = sigma_min (sigma_max / sigma_min)^(p / STEPS), said to three
significant figures: what is read is what is meant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QWidget

from explorer.numbers import three
from explorer.panels.sliding import INSET, FollowingSlider, draw_axis, draw_handle, draw_numbers
from explorer.theme import CONTROL, UNIT, Theme, font

STEPS = 1000
"""Places on the slider."""

HEIGHT = 32
"""Pixels that it takes at scale 1."""


class NoiseSlider(QWidget):
    """The slider with its symbol and a field to type into. The value is a standard deviation in units of the plane."""

    changed = Signal(float)
    """The person chose another noise level."""

    explain_wanted = Signal(str)
    """The name of a glossary entry that the person asked for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._low, self._high, self._sigma = 0.02, 3.0, 0.1
        self._symbol = QLabel("noise level σ")
        self._symbol.setToolTip("Standard deviation of the noise, per coordinate, in units of the plane")
        self._track = _Track()
        self._track.setAccessibleName("Noise level sigma")
        self._track.setToolTip("Noise level of both fields (, and . step it)")
        self._track.valueChanged.connect(self._moved)
        self._field = QLineEdit()
        self._field.setAccessibleName("Noise level sigma, typed")
        self._field.setToolTip("Type a noise level")
        self._field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._field.editingFinished.connect(self._typed)
        self._symbol.setBuddy(self._track)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(UNIT)
        layout.addWidget(self._symbol)
        layout.addWidget(self._track, 1)
        layout.addWidget(self._field)
        self.setFocusProxy(self._track)
        self.set_scale(1.0)
        self._tell()

    def value(self) -> float:
        """The noise level now."""
        return self._sigma

    def set_value(self, sigma: float) -> None:
        """Show this noise level, held within the range; emits nothing."""
        self._sigma = min(max(sigma, self._low), self._high)
        self._tell()

    def set_range(self, low: float, high: float) -> None:
        """Span these noise levels, 0 < low <= high; the value is held within them. Emits nothing."""
        if (low, high) == (self._low, self._high):
            return
        self._low, self._high = low, high
        self._track.span = (low, high)
        self.set_value(self._sigma)

    def set_ladder(self, levels: Sequence[float]) -> None:
        """Mark these noise levels with ticks."""
        marks = tuple(float(level) for level in levels)
        if marks != self._track.ladder:
            self._track.ladder = marks
            self._track.update()

    def nudge(self, steps: int) -> None:
        """Move by this many small steps, as the arrow keys do."""
        self._track.setValue(self._track.value() + steps * self._track.singleStep())

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._track.theme = theme
        self._track.update()

    def set_scale(self, factor: float) -> None:
        """Draw type and marks this many times their size."""
        self._track.factor = factor
        for widget in (self._symbol, self._field):
            widget.setFont(font(CONTROL, scale=factor))
        self._field.setFixedWidth(round(64 * factor))
        self.setFixedHeight(round(HEIGHT * factor))
        self._track.updateGeometry()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click on the name asks what it means."""
        if event.button() == Qt.MouseButton.LeftButton and self._symbol.geometry().contains(event.position().toPoint()):
            self.explain_wanted.emit("sigma")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the name's room to the axis where there is little."""
        self._symbol.setText("σ" if self.width() < 320 * self._track.factor else "noise level σ")

    def _moved(self, place: int) -> None:
        """The slider was moved by hand or key: take the level there, if it is another one."""
        exact = self._low * (self._high / self._low) ** (place / STEPS)
        ends = {0: self._low, STEPS: self._high}
        self._take(ends.get(place, float(f"{exact:.3g}")))

    def _typed(self) -> None:
        """Enter in the field: take the number, held within the range; anything else leaves the value alone."""
        if self._field.text() == three(self._sigma):
            return
        try:
            sigma = float(self._field.text().replace(",", "."))
        except ValueError:
            sigma = math.nan
        self._take(sigma if sigma > 0 else self._sigma)

    def _take(self, sigma: float) -> None:
        before = self._sigma
        self.set_value(sigma)
        if self._sigma != before:
            self.changed.emit(self._sigma)

    def _tell(self) -> None:
        """Bring slider, field and accessible text to the value."""
        part = share_of(self._sigma, self._low, self._high)
        self._track.blockSignals(True)
        self._track.setValue(round(part * STEPS))
        self._track.blockSignals(False)
        self._track.update()
        self._field.setText(three(self._sigma))
        self._track.setAccessibleDescription(f"sigma = {three(self._sigma)}")


def share_of(sigma: float, low: float, high: float) -> float:
    """How far along a logarithmic axis from `low` to `high` a noise level lies; in the middle of one without length."""
    return math.log(sigma / low) / math.log(high / low) if high > low else 0.5


class _Track(FollowingSlider):
    """The line, its ladder ticks, the numbers below it and the handle."""

    def __init__(self) -> None:
        super().__init__(STEPS, INSET)
        self.span = (0.02, 3.0)
        self.ladder: tuple[float, ...] = ()
        self.setSingleStep(10)
        self.setPageStep(100)

    def sizeHint(self) -> QSize:
        """A line, a row of ticks and a row of numbers."""
        return QSize(round(240 * self.factor), round(HEIGHT * self.factor))

    def minimumSizeHint(self) -> QSize:
        """Room for a few numbers."""
        return QSize(round(120 * self.factor), round(HEIGHT * self.factor))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw line, ticks, numbers and handle."""
        low, high = self.span
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            known = (level for level in self.ladder if low * 0.999 <= level <= high * 1.001)
            draw_axis(painter, self, map(self._place, known))
            draw_numbers(painter, self, self._numbers())
            draw_handle(painter, self, INSET + (self.width() - 2 * INSET) * self.value() / STEPS)

    def _place(self, sigma: float) -> float:
        return INSET + (self.width() - 2 * INSET) * share_of(sigma, *self.span)

    def _numbers(self) -> list[tuple[float, str]]:
        """1, 2, 5 of every decade in the range, and where they stand."""
        low, high = self.span
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        sigmas = (float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5))
        return [(self._place(sigma), f"{sigma:g}") for sigma in sigmas if low * 0.999 <= sigma <= high * 1.001]
