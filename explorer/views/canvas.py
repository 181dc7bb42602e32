"""The canvas: the painting as it is this moment, and the brush over it.

The canvas draws the document's own weights, so that a stroke shows before any engine has heard of it, and repaints only
the part that changed. The painting covers the data's square [-1, 1]^2; a quiet rule marks where it ends.

Mouse or pen: the left button paints with the tool in hand, Shift held takes the other one, a pen's pressure scales the
strength and its rubber end erases. Keyboard: arrows move the cross-hair, and while Return is held (or pressed once to
dot) its way is painted; B and E take brush and eraser, [ and ] (or Ctrl with the wheel) change the size, { and } the
strength.
"""

from __future__ import annotations

import math
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QPointingDevice,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from explorer.brush import Brush, Rect
from explorer.engine.messages import Frame
from explorer.numbers import three
from explorer.views.plane import PlaneRange, PlaneView, pair

if TYPE_CHECKING:
    from explorer.document import Document
    from explorer.edits import Change

SMALLEST, LARGEST = 0.01, 0.6
"""The radii that the keys and the wheel reach."""

_SIZE_STEP = 1.15
_STRENGTH_STEP = 0.05


class Canvas(PlaneView):
    """Paints a document with a brush. `brush` is the tool in hand; assigning another one emits `brush_changed`."""

    brush_changed = Signal(object)
    """The `explorer.brush.Brush` in hand has changed."""

    def __init__(self, document: Document, plane_range: PlaneRange, parent: QWidget | None = None) -> None:
        super().__init__(
            plane_range,
            "Painting",
            "Paint a density. Arrow keys move the brush, holding Return paints, B and E take brush and eraser, "
            "brackets change the size, braces the strength.",
            parent,
        )
        self.document = document
        self._brush = Brush()
        self._pen_eraser = False
        self._painting_by_key = False
        self._outline: tuple[float, float] | None = None
        # Weakly, so that a document does not keep a closed window's canvas alive.
        changed = weakref.WeakMethod(self._on_change)
        weakref.finalize(self, document.subscribe(lambda change: _call(changed, change)))
        self._take_weights()
        self.setCursor(Qt.CursorShape.CrossCursor)

    # --- the tool in hand

    @property
    def brush(self) -> Brush:
        """The tool in hand."""
        return self._brush

    @brush.setter
    def brush(self, brush: Brush) -> None:
        if brush != self._brush:
            self._update_outline()
            self._brush = brush
            self._update_outline()
            self.brush_changed.emit(brush)

    def resize_brush(self, factor: float) -> None:
        """Make the brush larger or smaller."""
        radius = min(max(self._brush.radius * factor, SMALLEST), LARGEST)
        self.brush = replace(self._brush, radius=radius)

    def strengthen(self, amount: float) -> None:
        """Add to the brush's strength."""
        strength = min(max(round(self._brush.strength + amount, 2), _STRENGTH_STEP), 1.0)
        self.brush = replace(self._brush, strength=strength)

    # --- what is shown

    def show_frame(self, frame: Frame) -> None:
        """Keep the frame for its texts; the canvas itself shows the document."""
        self.frame = frame

    def caption(self) -> str:
        """What is painted."""
        return self.document.name

    def reading(self) -> str:
        """The weight under the cursor, of 1."""
        if self.cursor_point is None:
            return ""
        x, y = self.cursor_point
        weights = self.document.weights
        rows, cols = weights.shape
        row, col = math.floor((y + 1) / 2 * rows), math.floor((x + 1) / 2 * cols)
        inside = 0 <= row < rows and 0 <= col < cols
        return f"{pair(x, y)}  weight {three(float(weights[row, col]))}" if inside else pair(x, y)

    def paint_marks(self, painter: QPainter, square: QRect) -> None:
        """The edge of the painting and the outline of the brush."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self.theme.colour("quiet", 0.55), 1, Qt.PenStyle.DotLine))
        low, high = self.to_pixel(-1, -1), self.to_pixel(1, 1)
        painter.drawRect(QRect(round(low.x()), round(high.y()), round(high.x() - low.x()), round(low.y() - high.y())))
        if self._outline is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        centre, radius = self.to_pixel(*self._outline), self._brush.reach() * self.mapping()[0]
        style = Qt.PenStyle.DashLine if self._erasing(Qt.KeyboardModifier.NoModifier) else Qt.PenStyle.SolidLine
        for colour, width, line in ((self.theme.surface, 3.0, Qt.PenStyle.SolidLine), (self.theme.ink, 1.2, style)):
            painter.setPen(QPen(QColor(colour), width, line))
            painter.drawEllipse(centre, radius, radius)

    def _take_weights(self) -> None:
        self.ground.show(self.document.weights, (0.0, 0.0), 1.0)

    def _on_change(self, change: Change) -> None:
        if change.rect is not None:
            self._take_weights()
            self.update(self._pixels_of(change.rect))
        if change.rect is not None or change.name:
            self.say()

    def _pixels_of(self, rect: Rect) -> QRect:
        """The pixels that these cells reach; smooth scaling spreads a cell over half of each neighbour."""
        rows, cols = self.document.weights.shape
        low = self.to_pixel(-1 + 2 * (rect.col0 - 1) / cols, -1 + 2 * (rect.row0 - 1) / rows)
        high = self.to_pixel(-1 + 2 * (rect.col1 + 1) / cols, -1 + 2 * (rect.row1 + 1) / rows)
        return QRectF(low.x(), high.y(), high.x() - low.x(), low.y() - high.y()).toAlignedRect()

    def _show_outline(self, point: tuple[float, float] | None) -> None:
        """Move the brush's outline, repainting where it was and where it is."""
        self._update_outline()
        self._outline = point
        self._update_outline()

    def _update_outline(self) -> None:
        if self._outline is not None:
            centre, radius = self.to_pixel(*self._outline), self._brush.reach() * self.mapping()[0] + 12
            box = QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius)
            self.update(box.toAlignedRect())

    # --- strokes

    def _erasing(self, modifiers: Qt.KeyboardModifier) -> bool:
        """Whether the tool takes paint away: the pen's rubber end does, and Shift swaps brush and eraser."""
        swap = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        return self._pen_eraser or self._brush.eraser != swap

    def _begin(self, at: tuple[float, float], pressure: float, modifiers: Qt.KeyboardModifier) -> None:
        self.document.begin_stroke(replace(self._brush, eraser=self._erasing(modifiers)), *at, pressure)

    def point_at(self, point: tuple[float, float], *, crosshair: bool = False) -> None:
        """Read the plane at this point, and show the brush there."""
        self._show_outline(point)
        if crosshair and self._painting_by_key:
            self.document.extend_stroke(*point)
        super().point_at(point, crosshair=crosshair)

    def forget_point(self) -> None:
        """Stop reading the plane and hide the brush."""
        self._show_outline(None)
        super().forget_point()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a stroke with the left button."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._begin(self.to_plane(event.position()), 1.0, event.modifiers())
            event.accept()
        else:
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Dot twice: a double click on the painting paints."""
        self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Extend the stroke in progress, beyond the edge too, or move the brush's outline."""
        if self.document.stroking and event.buttons() & Qt.MouseButton.LeftButton:
            point = self.to_plane(event.position())
            self.document.extend_stroke(*point)
            self.point_at(point)
        else:
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the stroke."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.document.end_stroke()
        else:
            super().mouseReleaseEvent(event)

    def tabletEvent(self, event: QTabletEvent) -> None:
        """Paint with a pen: pressure scales the strength, the rubber end erases."""
        point = self.to_plane(event.position())
        self._pen_eraser = event.pointerType() == QPointingDevice.PointerType.Eraser
        if event.type() == QTabletEvent.Type.TabletPress and event.button() == Qt.MouseButton.LeftButton:
            self._begin(point, event.pressure(), event.modifiers())
        elif event.type() == QTabletEvent.Type.TabletMove:
            if self.document.stroking:
                self.document.extend_stroke(*point, event.pressure())
            self.point_at(point)
        elif event.type() == QTabletEvent.Type.TabletRelease:
            self.document.end_stroke()
            self._pen_eraser = False
        else:
            event.ignore()
            return
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Change the brush's size with Ctrl, zoom without."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.resize_brush(_SIZE_STEP ** (event.angleDelta().y() / 120))
            event.accept()
        else:
            super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Paint and choose the tool by keyboard; the rest as in every view."""
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not _control(event):
            if not event.isAutoRepeat():
                self.point_at(self.cursor_point or self.range.centre, crosshair=True)
                assert self.cursor_point is not None
                self._begin(self.cursor_point, 1.0, Qt.KeyboardModifier.NoModifier)
                self._painting_by_key = True
        elif key == Qt.Key.Key_Escape and self.document.stroking:
            self._painting_by_key = False
            self.document.cancel_stroke()
        elif key in (Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight):
            self.resize_brush(_SIZE_STEP if key == Qt.Key.Key_BracketRight else 1 / _SIZE_STEP)
        elif key in (Qt.Key.Key_BraceLeft, Qt.Key.Key_BraceRight):
            self.strengthen(_STRENGTH_STEP if key == Qt.Key.Key_BraceRight else -_STRENGTH_STEP)
        elif key in (Qt.Key.Key_B, Qt.Key.Key_E) and not event.modifiers():
            self.brush = replace(self._brush, eraser=key == Qt.Key.Key_E)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """End the stroke that a key began."""
        ends = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat()
        if ends and self._painting_by_key:
            self._painting_by_key = False
            self.document.end_stroke()
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """End a stroke whose key will be released elsewhere."""
        if self._painting_by_key:
            self._painting_by_key = False
            self.document.end_stroke()
        super().focusOutEvent(event)


def _control(event: QKeyEvent) -> bool:
    return bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)


def _call(method: weakref.WeakMethod, change: Change) -> None:
    """Pass a change on to a canvas that still lives."""
    alive = method()
    if alive is not None:
        alive(change)
