"""What every drawn chart shares: a theme, a scale of type, and the newest frame.

A chart paints all of itself from the frame it holds, so that `render()` into a picture shows that frame and nothing
that a timer has yet to bring.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QAccessible, QColor, QFont, QFontMetricsF, QHelpEvent, QPainter
from PySide6.QtWidgets import QToolButton, QToolTip, QWidget

from explorer.engine.messages import Frame
from explorer.theme import CAPTION, LIGHT, Theme, font

_ONE_LINE = int(Qt.AlignmentFlag.AlignVCenter) | int(Qt.TextFlag.TextSingleLine)
LEFT = int(Qt.AlignmentFlag.AlignLeft) | _ONE_LINE
RIGHT = int(Qt.AlignmentFlag.AlignRight) | _ONE_LINE
CENTRE = int(Qt.AlignmentFlag.AlignHCenter) | _ONE_LINE


@lru_cache(maxsize=64)
def face(pixels: int, bold: bool, scale: float) -> tuple[QFont, QFontMetricsF]:
    """A font and its measures: a chart needs the same few dozens of times in every picture."""
    made = font(pixels, bold=bold, scale=scale)
    return made, QFontMetricsF(made)


class Chart(QWidget):
    """A widget that draws one aspect of a frame."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self.factor = 1.0
        self.frame: Frame | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_frame(self, frame: Frame) -> None:
        """Draw this frame at the next opportunity."""
        self.frame = frame
        self.update()
        self.describe()

    def describe(self) -> None:
        """Tell a screen reader what the chart says."""
        # Words are made many times a second only where somebody listens to them.
        if QAccessible.isActive():
            self.setAccessibleDescription(self.text())

    def text(self) -> str:
        """What the chart says, in words for a screen reader; empty while there is nothing to say."""
        return ""

    def hint(self, x: float) -> str:
        """What to show beside a mouse that rests `x` pixels from the left."""
        return self.text()

    def event(self, event: QEvent) -> bool:
        """Answer a resting mouse."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.hint(event.pos().x()), self)
            return True
        return super().event(event)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self.theme = theme
        self.update()

    def set_scale(self, factor: float) -> None:
        """Draw type and marks this many times their size (presentation: 1.6)."""
        self.factor = factor
        self.updateGeometry()
        self.update()

    def write(
        self,
        painter: QPainter,
        box: QRectF,
        text: str,
        align: int = LEFT,
        *,
        role: str = "ink",
        pixels: int = CAPTION,
        bold: bool = False,
    ) -> None:
        """Text in a role's colour inside a box, shortened with an ellipsis where it does not fit."""
        style, metrics = face(pixels, bold, self.factor)
        painter.setFont(style)
        painter.setPen(self.theme.colour(role))
        if metrics.horizontalAdvance(text) > box.width() + 1:
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, align, text)

    def advance(self, text: str, pixels: int = CAPTION, *, bold: bool = False) -> float:
        """The width of a text in pixels."""
        return face(pixels, bold, self.factor)[1].horizontalAdvance(text)

    def say(self, painter: QPainter, text: str, area: QRectF | None = None) -> None:
        """One quiet line in the middle of the chart, or of one plot: what it is waiting for."""
        painter.setFont(font(scale=self.factor) if area is None else font(CAPTION, scale=self.factor))
        painter.setPen(self.theme.colour("quiet"))
        margin = (16 if area is None else 4) * self.factor
        box = QRectF(area or self.rect()).adjusted(margin, 0, -margin, 0)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)

    def focus_mark(self, painter: QPainter) -> None:
        """A thin line around a chart that has the keyboard."""
        if self.hasFocus():
            painter.setPen(self.theme.colour("quiet"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))


class WordButton(QToolButton):
    """A word in a chart's margin that can be pressed: the axis's unit, the noise level."""

    def __init__(self, name: str, pressed: Callable[[], object], chart: Chart) -> None:
        super().__init__(chart)
        self.setAutoRaise(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(name)
        self.clicked.connect(pressed)

    def say(self, words: str) -> None:
        """Show these words, in the chart's colours and at its scale."""
        chart = self._chart
        self.setFont(font(CAPTION, scale=chart.factor))
        self.setText(words)
        self.setStyleSheet(
            f"QToolButton {{ border: none; background: transparent; padding: 0; color: {chart.theme.quiet}; }}"
            f"QToolButton:hover, QToolButton:focus {{ color: {chart.theme.ink}; text-decoration: underline; }}"
        )

    def say_axis(self, in_seconds: bool) -> None:
        """Show the unit of a horizontal axis, and offer the other one."""
        now, other = ("seconds", "steps") if in_seconds else ("steps", "seconds")
        self.say(now)
        self.setToolTip(f"Against {now}; click for {other} (T)")

    def settle(self, top: float) -> None:
        """Stand at the chart's right edge, from this height down."""
        chart, wide = self._chart, self.sizeHint().width()
        self.setGeometry(chart.width() - wide, round(top), wide, round(20 * chart.factor))

    @property
    def _chart(self) -> Chart:
        """The chart that it stands in; held by Qt alone, so that the two let go of each other."""
        chart = self.parentWidget()
        assert isinstance(chart, Chart)
        return chart


def blend(one: QColor, other: QColor, amount: float) -> QColor:
    """The colour that lies `amount` (0 to 1) of the way from one to the other."""

    def between(a: float, b: float) -> float:
        return a + (b - a) * amount

    return QColor.fromRgbF(
        between(one.redF(), other.redF()), between(one.greenF(), other.greenF()), between(one.blueF(), other.blueF())
    )


def mode_badge(painter: QPainter, box: QRectF, number: int, theme: Theme, scale: float = 1.0) -> None:
    """The small ringed number that names a mode, alike in ledgers, share bars and planes."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(theme.colour("quiet"))
    painter.setBrush(theme.colour("surface"))
    painter.drawEllipse(box)
    painter.setFont(font(10, bold=True, scale=scale))
    painter.setPen(theme.colour("ink"))
    painter.drawText(box, CENTRE, str(number))
    painter.restore()
