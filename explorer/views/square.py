"""What every picture of the plane has in common, flat or as a surface: a square, a range, texts, focus and keys.

The picture lies on the largest centred square of the view's own area, whose corners lie on whole pixels. Its texts are
a caption beside the title and a line on the point that is read; each is emitted when it has changed. A thicker rule
marks the view that has the keyboard, for those who came by keyboard.

The wheel and plus and minus zoom at the point that is read, Ctrl with arrows pans, Home goes back; what arrows alone do
is for the subclass to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRect, Qt, Signal, SignalInstance
from PySide6.QtGui import QColor, QFocusEvent, QHideEvent, QKeyEvent, QNativeGestureEvent, QPainter, QPen, QWheelEvent
from PySide6.QtWidgets import QWidget

from explorer.engine.messages import Frame, Want
from explorer.theme import LIGHT, Theme
from explorer.viewing import Viewing, ViewOptions

if TYPE_CHECKING:
    from explorer.views.plane import PlaneRange

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}

_BY_KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


class SquareView(QWidget):
    """A square picture of the plane's range that follows the options of a `viewing`, if it has one."""

    hovered = Signal(float, float)
    """The point of the plane under the cursor or the keyboard's cross-hair."""
    left = Signal()
    """The cursor has gone."""
    captioned = Signal(str)
    """A short text that belongs beside the title."""
    readout = Signal(str)
    """One line on the point under the cursor, or on how to read the picture."""

    wants: frozenset[Want] = frozenset()
    """The costly parts of the frame that it needs while it is visible; they may change with the viewing's options."""

    def __init__(
        self,
        plane_range: PlaneRange,
        name: str,
        description: str,
        parent: QWidget | None = None,
        viewing: Viewing | None = None,
    ) -> None:
        super().__init__(parent)
        self.range = plane_range
        self.options = ViewOptions() if viewing is None else viewing.options
        self.theme = LIGHT
        self.scale = 1.0
        self.frame: Frame | None = None
        self._keyboard = False
        self._said: dict[str, str] = {}
        self.setAccessibleName(name)
        self.setAccessibleDescription(description)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        plane_range.changed.connect(self.update)
        if viewing is not None:
            viewing.changed.connect(self.set_options)

    # --- what the rest of the program calls

    def set_options(self, options: ViewOptions) -> None:
        """Draw by these options from now on."""
        self.options = options
        self.update()
        self.say()

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of this theme."""
        self.theme = theme
        self.update()

    def set_scale(self, scale: float) -> None:
        """Set type at this multiple of its usual size."""
        self.scale = scale
        self.update()

    def hideEvent(self, event: QHideEvent) -> None:
        """What is not seen keeps no pictures."""
        self.let_go()
        super().hideEvent(event)

    def let_go(self) -> None:
        """Free the pictures that were made for painting, some megabytes each; the next painting makes them again."""

    def square(self) -> QRect:
        """The pixels on which the picture lies."""
        side = max(1, min(self.width(), self.height()))
        return QRect((self.width() - side) // 2, (self.height() - side) // 2, side, side)

    # --- what a subclass says of itself

    def read_point(self) -> tuple[float, float] | None:
        """The point of the plane that is read now."""
        return None

    def point_under(self, position: QPointF) -> tuple[float, float] | None:
        """The point of the plane that is drawn at this position."""
        return None

    def steer(self, right: int, up: int, fine: bool) -> None:
        """An arrow key was pressed: one step this way, or a small one."""

    def shift(self, right: float, up: float) -> None:
        """Pan by so many half widths, as seen."""
        self.range.pan(right * self.range.half_width, up * self.range.half_width)

    def go_home(self) -> None:
        """Show the whole plane again."""
        self.range.reset()

    # --- texts

    def caption(self) -> str:
        """The short text beside the title."""
        return ""

    def reading(self) -> str:
        """The line on the point that is read."""
        return ""

    def announce(self) -> None:
        """Emit all texts, for one who has just begun to listen."""
        self._said.clear()
        self.say()

    def say(self) -> None:
        """Emit the texts that have changed."""
        self._emit_once(self.captioned, "caption", self.caption())
        self._emit_once(self.readout, "reading", self.reading())

    def _emit_once(self, signal: SignalInstance, key: str, text: str) -> None:
        if self._said.get(key) != text:
            self._said[key] = text
            signal.emit(text)

    # --- painting

    def paint_rule(self, painter: QPainter, square: QRect) -> None:
        """The thin rule round the picture; a thicker one where the keyboard is."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        focused = self._keyboard and self.hasFocus()
        painter.setPen(QPen(QColor(self.theme.ink if focused else self.theme.rule), 2 if focused else 1))
        edge = 1 if focused else 0
        painter.drawRect(square.adjusted(edge, edge, -1, -1))

    # --- hands

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor."""
        turn = event.angleDelta().y() or 4 * event.pixelDelta().y()
        if turn:
            self.range.zoom(2 ** (turn / 480), self.point_under(event.position()))
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Zoom by a pinch on a trackpad; everything else as usual."""
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.range.zoom(1 + event.value(), self.point_under(event.position()))
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Steer, pan, zoom or go home."""
        key, modifiers = event.key(), event.modifiers()
        arrow = _ARROWS.get(Qt.Key(key))
        if arrow and modifiers & Qt.KeyboardModifier.ControlModifier:
            self.shift(arrow[0] / 5, arrow[1] / 5)
        elif arrow:
            self.steer(*arrow, bool(modifiers & Qt.KeyboardModifier.ShiftModifier))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.range.zoom(0.8 if key == Qt.Key.Key_Minus else 1.25, self.read_point())
        elif key == Qt.Key.Key_Home:
            self.go_home()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus only to those who came by keyboard."""
        self._keyboard = event.reason() in _BY_KEYBOARD
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the mark of the keyboard away."""
        self.update()
