"""The canvas: the painting as it is this moment, and the tool in hand over it.

The canvas draws the document's own weights, so that a stroke shows before any engine has heard of it, and repaints only
the part that changed. The painting covers the data's square [-1, 1]^2; a quiet rule marks where it ends. Small plates
name each connected region's share of the mass where there are at least two.

Mouse or pen: the left button uses the tool in hand, a pen's pressure scales the strength and its rubber end erases.
Keyboard: arrows move the cross-hair and Return is the button, held while its way is drawn; letters take the tools
(`explorer.tools.kit.TOOLS`), [ and ] (or Ctrl with the wheel) change the brush's size, { and } the strength, % makes it
a share of the mass, Delete deletes what is chosen or selected, Escape takes back what is being done.
"""

from __future__ import annotations

import math
import weakref
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
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
from explorer.engine.frames import Frame
from explorer.numbers import three
from explorer.paint.symmetry import NONE
from explorer.tools.base import Tool, Touch
from explorer.tools.drawing import BrushTool, EllipseTool, LineTool, SmoothTool
from explorer.tools.gaussians import GaussianTool
from explorer.tools.kit import TOOLS, ToolKit, ToolOptions
from explorer.tools.masses import MassReadout
from explorer.tools.placing import FillTool, StampTool
from explorer.tools.selecting import SelectTool
from explorer.views.over_canvas import SharePlates, paint_amount, paint_axes
from explorer.views.plane import PlaneRange, PlaneView, pair

if TYPE_CHECKING:
    from explorer.document import Document
    from explorer.edits import Change

_KINDS: dict[str, type[Tool]] = {
    "brush": BrushTool,
    "eraser": BrushTool,
    "line": LineTool,
    "ellipse": EllipseTool,
    "fill": FillTool,
    "gaussian": GaussianTool,
    "stamp": StampTool,
    "smooth": SmoothTool,
    "select": SelectTool,
}
_LETTERS = {getattr(Qt.Key, f"Key_{spec.key}"): spec.name for spec in TOOLS}
_MIRRORED = ("brush", "eraser", "line", "ellipse", "smooth")
_RETURN = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_SIZE_STEP = 1.15
_STRENGTH_STEP = 0.05


class Canvas(PlaneView):
    """Paints a document with the tools of a kit. `tool` is the one in hand, `brush` the kit's."""

    brush_changed = Signal(object)
    """The `explorer.brush.Brush` in hand has changed."""

    def __init__(
        self,
        document: Document,
        plane_range: PlaneRange,
        kit: ToolKit | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            plane_range,
            "Painting",
            "Paint a density. Arrow keys move the cross-hair, Return is the button, letters take the tools, "
            "brackets change the size, braces the strength; percent makes it a share of the mass.",
            parent,
        )
        self.document = document
        self.kit = kit or ToolKit(self)
        self.masses = MassReadout(document, self)
        self._brush = self.kit.brush
        self._plates = SharePlates()
        self._tools: dict[type[Tool], Tool] = {kind: kind(self) for kind in dict.fromkeys(_KINDS.values())}
        self.tool = self._tools[_KINDS[self.kit.options.tool]]
        self._rubber = self._pressed = self._pressed_by_key = False
        # Weakly, so that a document does not keep a closed window's canvas alive.
        changed = weakref.WeakMethod(self._on_change)
        weakref.finalize(self, document.subscribe(lambda change: _call(changed, change)))
        self.kit.changed.connect(self._options_changed)
        self.kit.component_chosen.connect(self.refresh)
        self.kit.select_all.connect(self._select_all)
        self.kit.delete_wanted.connect(self._delete)
        self.masses.changed.connect(self.update)
        self._take_weights()
        self.setCursor(Qt.CursorShape.CrossCursor)

    # --- the tool in hand

    @property
    def brush(self) -> Brush:
        """Radius and strength, and whether it erases."""
        return self.kit.brush

    @brush.setter
    def brush(self, brush: Brush) -> None:
        self.kit.set(brush=brush)

    def resize_brush(self, factor: float) -> None:
        """Make the brush larger or smaller."""
        self.kit.resize(factor)

    def strengthen(self, amount: float) -> None:
        """Add to the brush's strength."""
        self.kit.strengthen(amount)

    def refresh(self) -> None:
        """Paint anew, and write the texts that have changed."""
        self.say()
        self.update()

    def _options_changed(self, options: ToolOptions) -> None:
        tool = self._tools[_KINDS[options.tool]]
        if tool is not self.tool:
            self.tool.put_away()
            self._pressed = self._pressed_by_key = False
            self.tool = tool
        if options.brush != self._brush:
            self._brush = options.brush
            self.brush_changed.emit(options.brush)
        self.refresh()

    def _select_all(self) -> None:
        self.kit.take("select")
        selecting = self._tools[SelectTool]
        assert isinstance(selecting, SelectTool)
        selecting.select_all()

    def _delete(self) -> None:
        self.tool.delete()
        self.refresh()

    # --- what is shown

    def show_frame(self, frame: Frame) -> None:
        """Keep the frame for its texts; the canvas itself shows the document."""
        self.frame = frame

    def caption(self) -> str:
        """What is painted."""
        return self.document.name

    def reading(self) -> str:
        """What the tool has to say, or the weight under the cursor, of 1."""
        words = self.tool.reading()
        if words or self.cursor_point is None:
            return words
        x, y = self.cursor_point
        weights = self.document.weights
        rows, cols = weights.shape
        row, col = math.floor((y + 1) / 2 * rows), math.floor((x + 1) / 2 * cols)
        inside = 0 <= row < rows and 0 <= col < cols
        return f"{pair(x, y)}, weight {three(float(weights[row, col]))}" if inside else pair(x, y)

    def paint_marks(self, painter: QPainter, square: QRect) -> None:
        """The edge of the painting, axes of symmetry, shares, and the tool's marks."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self.theme.colour("quiet", 0.55), 1, Qt.PenStyle.DotLine))
        low, high = self.to_pixel(-1, -1), self.to_pixel(1, 1)
        painter.drawRect(QRect(round(low.x()), round(high.y()), round(high.x() - low.x()), round(low.y() - high.y())))
        options = self.kit.options
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if options.symmetry != NONE and options.tool in _MIRRORED:
            paint_axes(self, painter, options.symmetry)
        if options.masses:
            self._plates.paint(self, painter, self.masses.regions, self.document.weights, self.tool.knobs())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        self.tool.paint(painter, self.cursor_point)
        if self.document.stroking and self.cursor_point is not None and (words := self.tool.amount()):
            radius = self.kit.brush.reach(self.document.size) * self.mapping()[0]
            paint_amount(self, painter, words, self.to_pixel(*self.cursor_point), radius)

    def _take_weights(self) -> None:
        self.ground.show(self.document.weights, (0.0, 0.0), 1.0)

    def _on_change(self, change: Change) -> None:
        if change.rect is not None:
            self._take_weights()
            self.update(self._pixels_of(change.rect))
        if change.components or change.opened or change.size:
            component = self.kit.component
            if component is not None and component >= len(self.document.components):
                self.kit.choose(None)
            self.update()
        if change.rect is not None and not change.live and not self.document.stroking:
            self.tool.document_changed()
        if change.rect is not None or change.name or change.components:
            self.say()

    def _pixels_of(self, rect: Rect) -> QRect:
        """The pixels that these cells reach; smooth scaling spreads a cell over half of each neighbour."""
        rows, cols = self.document.weights.shape
        low = self.to_pixel(-1 + 2 * (rect.col0 - 1) / cols, -1 + 2 * (rect.row0 - 1) / rows)
        high = self.to_pixel(-1 + 2 * (rect.col1 + 1) / cols, -1 + 2 * (rect.row1 + 1) / rows)
        return QRectF(low.x(), high.y(), high.x() - low.x(), low.y() - high.y()).toAlignedRect()

    # --- hands

    def _press(self, touch: Touch) -> None:
        self._pressed = True
        self.tool.press(touch)
        self.refresh()

    def _move(self, touch: Touch) -> None:
        if self._pressed:
            self.tool.drag(touch)
        else:
            self.tool.hover(touch)

    def _release(self, touch: Touch) -> None:
        if self._pressed:
            self._pressed = self._pressed_by_key = False
            self.tool.release(touch)
            self.refresh()

    def point_at(self, point: tuple[float, float], *, crosshair: bool = False) -> None:
        """Read the plane at this point, and show the tool there."""
        self._update_pointer()
        if crosshair:
            self._move(Touch(point, keyed=True))
        super().point_at(point, crosshair=crosshair)
        self._update_pointer()

    def forget_point(self) -> None:
        """Stop reading the plane and hide the tool's ring."""
        self.update()
        super().forget_point()

    def _update_pointer(self) -> None:
        """Repaint the marks about the pointer: the brush's ring alone where the tool draws no more than that."""
        if self.cursor_point is None:
            return
        if self.kit.options.tool not in _MIRRORED or self.kit.options.symmetry != NONE:
            self.update()
            return
        centre = self.to_pixel(*self.cursor_point)
        radius = self.kit.brush.reach(self.document.size) * self.mapping()[0] + 12
        box = QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius)
        self.update(box.toAlignedRect())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Use the tool with the left button."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._press(Touch(self.to_plane(event.position()), shift=_shift(event)))
            event.accept()
        else:
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Dot twice: a double click on the painting paints."""
        self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Use the tool, beyond the edge too while the button is down."""
        touch = Touch(self.to_plane(event.position()), shift=_shift(event))
        if self._pressed and event.buttons() & Qt.MouseButton.LeftButton:
            self._move(touch)
            self.point_at(touch.point)
        else:
            if self.tool.busy and not event.buttons():
                self.tool.hover(touch)
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._release(Touch(self.to_plane(event.position()), shift=_shift(event)))
        else:
            super().mouseReleaseEvent(event)

    def tabletEvent(self, event: QTabletEvent) -> None:
        """Use the tool with a pen: pressure scales the strength, the rubber end erases."""
        self._rubber = event.pointerType() == QPointingDevice.PointerType.Eraser
        pressure = event.pressure() if event.type() != QTabletEvent.Type.TabletRelease else 1.0
        touch = Touch(self.to_plane(event.position()), pressure, _shift(event), self._rubber)
        if event.type() == QTabletEvent.Type.TabletPress and event.button() == Qt.MouseButton.LeftButton:
            self._press(touch)
        elif event.type() == QTabletEvent.Type.TabletMove:
            self._move(touch)
            self.point_at(touch.point)
        elif event.type() == QTabletEvent.Type.TabletRelease:
            self._release(touch)
        else:
            event.ignore()
            return
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Change the brush's size with Ctrl, zoom without."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.kit.resize(_SIZE_STEP ** (event.angleDelta().y() / 120))
            event.accept()
        else:
            super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Use and choose the tool by keyboard; the rest as in every view."""
        key, plain = Qt.Key(event.key()), not event.modifiers()
        if self._pressed_by_key and key in _RETURN:
            return
        if not self._pressed_by_key and self.tool.key(event):
            self.refresh()
        elif key in _RETURN and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if not event.isAutoRepeat():
                self.point_at(self.cursor_point or self.range.centre, crosshair=True)
                assert self.cursor_point is not None
                self._pressed_by_key = True
                self._press(Touch(self.cursor_point, shift=_shift(event), keyed=True))
        elif key == Qt.Key.Key_Escape and (self.document.stroking or self.tool.busy):
            self._pressed = self._pressed_by_key = False
            self.tool.cancel()
            self.refresh()
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and plain:
            self._delete()
        elif key in (Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight):
            self.kit.resize(_SIZE_STEP if key == Qt.Key.Key_BracketRight else 1 / _SIZE_STEP)
        elif key in (Qt.Key.Key_BraceLeft, Qt.Key.Key_BraceRight):
            self.kit.strengthen(_STRENGTH_STEP if key == Qt.Key.Key_BraceRight else -_STRENGTH_STEP)
        elif key == Qt.Key.Key_Percent:
            self.kit.weigh(not self.kit.brush.by_mass)
        elif key in _LETTERS and plain:
            self.kit.take(_LETTERS[key])
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Let go of what a key took."""
        ends = event.key() in _RETURN and not event.isAutoRepeat()
        if ends and self._pressed_by_key:
            self._release_key()
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Let go of what a key took: it will be released elsewhere."""
        if self._pressed_by_key:
            self._release_key()
        super().focusOutEvent(event)

    def _release_key(self) -> None:
        self._release(Touch(self.cursor_point or self.range.centre, keyed=True))


def _shift(event: QKeyEvent | QMouseEvent | QTabletEvent) -> bool:
    return bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)


def _call(method: weakref.WeakMethod, change: Change) -> None:
    """Pass a change on to a canvas that still lives."""
    alive = method()
    if alive is not None:
        alive(change)
