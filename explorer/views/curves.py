"""How wrong: the relative Fisher error at five noise levels, and the loss, while the network learns.

The upper plot shows E|s_theta - s|^2 / E|s|^2 for x ~ p_sigma (Hyvarinen 2005, equation 2, over the power of the true
score): 1 is as bad as no field at all, 0.01 is an error of a tenth of the field's size. The lower plot shows the
training loss, which has a floor that depends on the noise and so tells less; where the floor is known and above zero
it is a dashed line. Both share the logarithmic axis below, in steps or in seconds. While a field of the past is shown,
a line stands at its step. Axes end at round decades, so that they move seldom and never jitter.

The plots are pyqtgraph's (`explorer.views.plots`), which takes a quarter of a second to import. A window must not wait
for it, so a chart in a window imports it once it has been painted, and one without a window when it has data to draw.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from explorer.engine.history import next_measurement
from explorer.engine.messages import ERROR_SIGMAS, Frame
from explorer.numbers import three
from explorer.tables import Table
from explorer.theme import CAPTION, Theme, font
from explorer.viewing import Viewing, ViewOptions
from explorer.views.axes import Floats, axis_range
from explorer.views.chart import RIGHT, Chart, WordButton, blend

if TYPE_CHECKING:
    from explorer.views.plots import CurvePlots

REDRAW = 100
"""Milliseconds between redraws at least: a curve that moves faster than this cannot be read."""


class CurvesView(Chart):
    """Relative Fisher error and loss against steps or seconds; T or the axis's label changes between the two."""

    axis_changed = Signal(bool)
    """Whether the axis is now in seconds."""

    explain_wanted = Signal(str)
    """The name of a glossary entry that the person asked for."""

    def __init__(self, parent: QWidget | None = None, *, viewing: Viewing | None = None) -> None:
        super().__init__(parent)
        self.in_seconds = viewing is not None and viewing.options.in_seconds
        self._viewing = viewing
        self._words: list[tuple[QRectF, str]] = []
        self._span: tuple[float, float] = (0.0, 1.0)
        self._plots: CurvePlots | None = None
        self._look: tuple[Theme, float, QSize, float] | None = None
        self._drawn: tuple[Frame | None, bool] | None = None
        self._timer = QTimer(self, singleShot=True, interval=REDRAW)
        self._timer.timeout.connect(self.update)
        self._loader = QTimer(self, singleShot=True, interval=0)
        self._loader.timeout.connect(self._build)
        self._axis = WordButton("Horizontal axis: steps or seconds", self.toggle_axis, self)
        self.setAccessibleName("How wrong: relative Fisher error and loss")
        self.setMinimumSize(160, 120)
        self._label_axis()
        if viewing is not None:
            viewing.changed.connect(self._show_options)

    def show_frame(self, frame: Frame) -> None:
        """Take the frame's curves; the picture follows within a tenth of a second."""
        self.frame = frame
        self.describe()
        if not self._timer.isActive():
            self._timer.start()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        super().set_theme(theme)
        self._label_axis()

    def set_scale(self, factor: float) -> None:
        """Draw type and marks this many times their size."""
        super().set_scale(factor)
        self._label_axis()

    def toggle_axis(self) -> None:
        """Change the horizontal axis between steps and seconds."""
        self.set_in_seconds(not self.in_seconds)

    def set_in_seconds(self, seconds: bool) -> None:
        """Draw against seconds of training, or against steps."""
        if seconds == self.in_seconds:
            return
        self.in_seconds = seconds
        self._label_axis()
        self.update()
        if self._viewing is not None:
            self._viewing.set(in_seconds=seconds)
        self.axis_changed.emit(seconds)

    def _show_options(self, options: ViewOptions) -> None:
        self.set_in_seconds(options.in_seconds)

    def floor(self) -> float | None:
        """The least that the loss can be on average; None where that is not known."""
        frame = self.frame
        return float(frame.floor[0]) if frame is not None and frame.floor.size else None

    def past(self) -> float | None:
        """Where the step of the past stands whose field is shown, on the axis now chosen; None for the present."""
        frame = self.frame
        if frame is None or frame.shown_step < 0:
            return None
        if not self.in_seconds:
            return float(max(frame.shown_step, 1))
        return (
            float(np.interp(frame.shown_step, frame.curve_steps, frame.curve_seconds))
            if frame.curve_steps.size
            else None
        )

    def table(self) -> Table:
        """Every point of every curve: its step and seconds, the loss or the errors there, None for the rest."""
        header = ("step", "seconds", "loss", *(f"relative_fisher_error_at_{sigma:g}" for sigma in ERROR_SIGMAS))
        frame = self.frame
        if frame is None:
            return header, []
        rows: list[tuple[float | None, ...]] = [
            (int(step), float(seconds), float(loss), *(None for _ in ERROR_SIGMAS))
            for step, seconds, loss in zip(frame.curve_steps, frame.curve_seconds, frame.curve_loss, strict=True)
        ]
        rows += [
            (int(step), float(seconds), None, *(float(error) if error > 0 else None for error in errors))
            for step, seconds, errors in zip(frame.error_steps, frame.error_seconds, frame.errors, strict=True)
        ]
        return header, sorted(rows, key=lambda row: row[0] or 0)

    def curves(self) -> tuple[Floats, Floats, Floats, Floats]:
        """What is drawn: error times (j,), errors (j, 5), loss times (k,), losses (k,), on the axis now chosen."""
        frame = self.frame
        if frame is None:
            return np.zeros(0), np.zeros((0, 5)), np.zeros(0), np.zeros(0)
        at, loss_at = (
            (frame.error_seconds, frame.curve_seconds) if self.in_seconds else (frame.error_steps, frame.curve_steps)
        )
        arrays = (at, frame.errors, loss_at, frame.curve_loss)
        error_at, errors, loss_at, loss = (np.asarray(a, dtype=float) for a in arrays)
        return error_at, errors, loss_at, loss

    def text(self) -> str:
        """The newest error at every noise level, in words."""
        _, errors, _, _ = self.curves()
        if not errors.size:
            return ""
        return "; ".join(f"sigma {s:g}: {three(e)}" for s, e in zip(ERROR_SIGMAS, errors[-1], strict=True) if e > 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """T changes the horizontal axis."""
        if event.key() == Qt.Key.Key_T and not event.modifiers():
            self.toggle_axis()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click on a plot's name asks what it means."""
        for box, name in self._words:
            if event.button() == Qt.MouseButton.LeftButton and box.contains(event.position()):
                self.explain_wanted.emit(name)
                return
        super().mousePressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the axis's label under the plots."""
        super().resizeEvent(event)
        self._place_axis()

    def hint(self, x: float) -> str:
        """All values measured nearest to this place, one a line (rich text)."""
        at, errors, _, _ = self.curves()
        if not at.size:
            return "Train to measure the error (Space)"
        plot = self._areas()[0]
        low, high = self._span
        place = 10 ** (low + (high - low) * (x - plot.left()) / plot.width())
        row = int(np.argmin(np.abs(np.log(np.maximum(at, 1e-3)) - math.log(max(place, 1e-3)))))
        unit = f"{three(at[row])} s" if self.in_seconds else f"step {round(at[row]):,}"
        pairs = zip(ERROR_SIGMAS, errors[row], strict=True)
        lines = [f"σ = {sigma:g}: {_rich(value)}" for sigma, value in pairs if value > 0]
        return "<br>".join([f"<b>Relative Fisher error, {unit}</b>", *lines])

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw both plots from the frame; without measurements, say what to do."""
        with QPainter(self) as painter:
            at, errors, loss_at, loss = self.curves()
            known = bool(at.size or loss_at.size)
            self._axis.setVisible(known)
            self._words.clear()
            if self._plots is None and self.isVisible() and not self._loader.isActive():
                self._loader.start()
            elif known:
                self._draw_plots(painter, at, errors, loss_at, loss)
            if known:
                self._captions(painter)
                if not (errors > 0).any():
                    self.say(painter, self.waiting(), self._areas()[0])
            else:
                self.say(painter, self.waiting())
            self.focus_mark(painter)

    def waiting(self) -> str:
        """What a plot without points waits for."""
        frame = self.frame
        if frame is None or not (frame.training or frame.step):
            return "Train to see how wrong the field is (Space)"
        if not frame.curve_loss.size:
            return "The first point comes with the first step"
        return first_error(frame.step)

    # --- pyqtgraph ---

    def _build(self) -> CurvePlots:
        """The plots, made at the first call, which imports pyqtgraph."""
        if self._plots is None:
            # pyqtgraph takes whatever Qt it finds first unless it is told.
            os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"
            from explorer.views.plots import CurvePlots

            self._plots = CurvePlots(self, [f"{sigma:g}" for sigma in ERROR_SIGMAS])
            self.update()
        return self._plots

    def _draw_plots(self, painter: QPainter, at: Floats, errors: Floats, loss_at: Floats, loss: Floats) -> None:
        """Bring the plots up to date where anything has changed, and draw them."""
        plots = self._build()
        # Pens of pyqtgraph count the device's pixels, whatever the painter's scale.
        ratio = painter.deviceTransform().m11()
        look = self.theme, self.factor, self.size(), ratio
        if look != self._look:
            self._look, self._drawn = look, None
            shades = tuple(self.shade(i) for i in range(len(ERROR_SIGMAS)))
            plots.dress(self.theme, self.factor, shades, ratio)
            plots.arrange(self.width(), *self._areas(), self.width() - self._axis.sizeHint().width() - 4)
        if self._drawn is None or self._drawn[0] is not self.frame or self._drawn[1] != self.in_seconds:
            self._drawn = self.frame, self.in_seconds
            first = np.concatenate([at[at > 0][:1], loss_at[loss_at > 0][:1]])
            last = np.concatenate([at[-1:], loss_at[-1:]])
            self._span = axis_range(float(first.min(initial=last.max())), float(last.max()))
            plots.show(self._span, at, errors, loss_at, loss, self.floor())
        plots.render(painter)
        self._mark_past(painter)

    def _mark_past(self, painter: QPainter) -> None:
        """A line through both plots at the step whose field is shown."""
        past, (low, high) = self.past(), self._span
        if past is None or not low <= math.log10(max(past, 1e-9)) <= high:
            return
        upper, lower = self._areas()
        x = upper.left() + (math.log10(past) - low) / (high - low) * upper.width()
        painter.setPen(QPen(self.theme.colour("ink"), 1.5 * self.factor))
        for area in (upper, lower):
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    # --- geometry ---

    def _areas(self) -> tuple[QRectF, QRectF]:
        """The two plots' inner rectangles: error above, loss below."""
        line = font(CAPTION, scale=self.factor).pixelSize() + 6 * self.factor
        top = line + 4 * self.factor
        left = round(self.advance("10") + self.advance("−8", 9) + 6 * self.factor)
        right = round(self.advance("0.02") + 12 * self.factor)
        width = max(20, self.width() - left - right)
        free = max(40.0, self.height() - top - 2 * line - 4)
        above, below = round(free * 0.72), round(free * 0.28)
        return QRectF(left, round(top), width, above), QRectF(left, round(top + above + line), width, below)

    def _place_axis(self) -> None:
        """In the row of the axis's numbers, at the right edge."""
        self._axis.settle(self._areas()[1].bottom() + 2)

    def _label_axis(self) -> None:
        self._axis.say_axis(self.in_seconds)
        self._place_axis()

    # --- drawing ---

    def shade(self, index: int) -> QColor:
        """The colour of one noise level's curve: error ink, from light at small sigma to deep at large sigma."""
        end = self.theme.colour("ink")
        return blend(self.theme.colour("error"), end, 0.14 * index)

    def _captions(self, painter: QPainter) -> None:
        """What each plot shows, and whether training stands still."""
        frame, (upper, lower) = self.frame, self._areas()
        line = upper.top() - 4 * self.factor
        state = "" if frame and frame.training else "paused"
        if self.advance(state + "Fisher error") + 14 * self.factor > self.width():
            state = ""  # the transport says it too
        wide = self.advance(state) + 2
        full = "relative Fisher error at σ"
        short = "Fisher error"
        for text in (full, "Fisher error at σ", short):
            if self.advance(text) < self.width() - wide - 12 * self.factor:
                break
        self.write(painter, QRectF(0, 0, self.width() - wide, line - 4), text, role="quiet")
        self._words.append((QRectF(0, 0, self.advance(text), line), "fisher"))
        self.write(painter, QRectF(self.width() - wide, 0, wide, line - 4), state, RIGHT, role="quiet")
        loss = f"loss {three(frame.loss)}" if frame and frame.loss_known else "loss"
        box = QRectF(lower.left(), upper.bottom(), self.width() - lower.left(), lower.top() - upper.bottom() - 2)
        self._words.append((QRectF(box.left(), box.top(), self.advance(loss), box.height()), "loss"))
        floor = self.floor()
        if floor is not None:
            more = f"{loss}  ·  floor {three(floor)}"
            loss = more if self.advance(more) <= box.width() else loss
            self._words.append((QRectF(self._words[-1][0].topRight(), box.bottomRight()), "floor"))
        self.write(painter, box, loss, role="quiet")


def first_error(step: int) -> str:
    """When the error is measured for the first time, for a plot that has none yet after `step` steps."""
    due = next_measurement(0)
    return f"The first error is measured at step {due}" if step < due else "Measuring the error"


def _rich(value: float) -> str:
    """Three significant figures as rich text, a power of ten raised."""
    figures, _, power = three(value).partition("e")
    return f"{figures} · 10<sup>{power.replace('-', '−')}</sup>" if power else figures
