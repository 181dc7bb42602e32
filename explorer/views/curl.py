"""Is it a gradient? The curl of the learned score as a map, and its line integral round a loop that is drawn.

A score is the gradient of log p, so its curl d s_y / dx - d s_x / dy vanishes everywhere, and so does its integral
round every closed loop (`trainer.circulation`). A network with two free outputs knows nothing of this: where the map
has colour there is no density whose score it is. Shown is the curl itself, with its sign, or the rotational share
curl^2 / (2 |J|^2) of the Jacobian J, between 0 for a gradient and 1 for a pure rotation.

The curl's scale follows its 98th percentile in view, in steps of 1, 2 and 5, and never goes below a thousandth of the
Jacobian's median size: what is smaller is rounding, and a field without curl stays blank.

**The loop.** L takes the tool in hand, again for circles, again to lay it down; Escape takes the loop away. With the
keyboard, Return places a corner at the cross-hair.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from explorer.engine.messages import Frame
from explorer.numbers import three
from explorer.theme import Theme
from explorer.viewing import Viewing, ViewOptions
from explorer.views.error_map import cell_at
from explorer.views.field import fitting_maps
from explorer.views.ground import Ground
from explorer.views.loops import Corners, LoopTool, paint_loop
from explorer.views.plane import PlaneRange, PlaneView
from explorer.views.scales import Scale, decade_scale, nice, paint_strip, signed_scale, signed_table

_FAR = 4.0  # pixels: a hand that moves less than this has clicked
_LEAST = 1e-3  # of the Jacobian's median size

_HINTS = {
    "off": "L: draw a loop",
    "free": "drag a loop or click corners; L: circles",
    "circle": "drag a circle from its centre; L: done",
}


class CurlView(PlaneView):
    """The curl of the learned score as a map, and a loop to integrate round."""

    loop_changed = Signal(object)
    """The corners ((x, y), ...) of the loop, () when there is none."""
    wants = frozenset({"fine", "curl"})

    def __init__(self, plane_range: PlaneRange, viewing: Viewing | None = None, parent: QWidget | None = None) -> None:
        super().__init__(
            plane_range,
            "Is it a gradient?",
            "The curl of the learned score, 0 for any gradient. L draws a loop to integrate round, Return places "
            "corners at the cross-hair, Escape takes the loop away.",
            parent,
            viewing,
        )
        self.ground = Ground(signed_table)
        self.tool = LoopTool()
        self._reach = 1.0
        self._sent: Corners = ()
        self._pressed = QPointF()
        self._values = np.zeros((0, 0), np.float32)
        self.set_options(self.options)

    # --- the map

    @property
    def scale_of_values(self) -> Scale:
        """The scale in use."""
        return signed_scale(self._reach) if self.options.curl == "curl" else decade_scale(1.0, 4)

    def values(self) -> NDArray[np.float32]:
        """What is drawn (n, n), row 0 at the bottom; empty while there is no map of this place."""
        return self._values

    def set_options(self, options: ViewOptions) -> None:
        """Draw by these options from now on."""
        self.ground.table = signed_table if options.curl == "curl" else Theme.error_table
        super().set_options(options)
        what = "d s_y / dx − d s_x / dy of the learned score" if options.curl == "curl" else "curl² / (2 |J|²)"
        self.setToolTip(f"{what}: 0 for any gradient. L draws a loop, Escape takes it away.")

    def looks_like(self, before: Frame, frame: Frame) -> bool:
        """Whether both frames hold the same map and the same loop."""
        one, other = before.maps, frame.maps
        versions = [-1 if maps is None else maps.version for maps in (one, other)]
        same = versions[0] == versions[1] and fitting_maps(before) is not None and fitting_maps(frame) is not None
        same = same and (before.centre, before.half_width) == (frame.centre, frame.half_width)
        same = same and np.array_equal(before.loop, frame.loop)
        return same and np.array_equal(before.loop_integrals, frame.loop_integrals)

    def lay_ground(self, frame: Frame) -> bool:
        """Lay the map, or nothing while there is none of this place."""
        maps = fitting_maps(frame)
        if maps is None or not maps.curl.size:
            self._values = np.zeros((0, 0), np.float32)
            return self.ground.show(np.full((1, 1), 0.5, np.float32), frame.centre, frame.half_width)
        size = np.abs(maps.curl)
        self._values = maps.curl if self.options.curl == "curl" else maps.rotational
        if self.options.curl == "curl":
            jacobian = float(np.median(size / np.sqrt(np.maximum(2 * maps.rotational, 1e-30))))
            wanted = nice(max(float(np.quantile(size, 0.98)), _LEAST * jacobian))
            if not 0.5 <= wanted / self._reach <= 1:
                self._reach = wanted
        return self.ground.show(self.scale_of_values.place(self._values), frame.centre, frame.half_width)

    # --- texts

    def caption(self) -> str:
        """The noise level."""
        return "" if self.frame is None else f"σ {three(self.frame.sigma)}"

    def reading(self) -> str:
        """The value under the cursor, or how to use the loop."""
        frame = self.frame
        at = cell_at(self.cursor_point, frame, len(self._values)) if frame is not None else None
        if at is None or self.tool.kind != "off":
            return _HINTS[self.tool.kind]
        name = "curl" if self.options.curl == "curl" else "rotational share"
        return f"{name} {three(float(self._values[at]))}; {_HINTS['off']}"

    def integrals(self) -> tuple[str, str] | None:
        """The line integrals of the learned and of the true score in words, once they are known for this loop."""
        frame = self.frame
        if frame is None or len(frame.loop_integrals) != 2 or not self._answered(frame):
            return None
        learned, true = (f"{three(float(v))} ± {three(float(e))}" for v, e, _ in frame.loop_integrals)
        return f"∮ learned {learned}", f"∮ true {true}"

    def _answered(self, frame: Frame) -> bool:
        """Whether the frame's integrals belong to the loop that is shown."""
        loop = self.loop()
        return len(frame.loop) == len(loop) and np.allclose(frame.loop, np.array(loop), atol=1e-5)

    def loop(self) -> Corners:
        """The loop that is shown: the one drawn here, or the frame's while none is."""
        if self.tool.corners or self.tool.kind != "off" or self.frame is None:
            return self.tool.corners
        return tuple((float(x), float(y)) for x, y in self.frame.loop)

    # --- painting

    def paint_marks(self, painter: QPainter, square: QRect) -> None:
        """The scale, the loop, and its integrals."""
        if self.frame is None:
            return
        if self._values.size:
            table = self.ground.table(self.theme)
            paint_strip(painter, square, self.theme, self.scale, table, self.scale_of_values)
        else:
            at = QPoint(square.left() + 4, square.bottom() - 4)
            self.paint_plate(painter, "computing the curl", at, Qt.Corner.BottomLeftCorner)
        loop = self.loop()
        if not loop:
            return
        closed = len(loop) > 2 and not self.tool.dragging
        places = [self.to_pixel(*corner) for corner in loop]
        paint_loop(painter, places, self.theme, closed=closed or self.tool.kind == "circle", marked=len(loop) < 24)
        words = self.integrals()
        at = QPoint(square.left() + 4, square.top() + 4)
        if words is not None:
            plate = self.paint_plate(painter, words[0], at, Qt.Corner.TopLeftCorner, "learned")
            at = QPoint(at.x(), plate.bottom() + 1)
            plate = self.paint_plate(painter, words[1], at, Qt.Corner.TopLeftCorner, "true")
            at = QPoint(at.x(), plate.bottom() + 1)
            self.paint_plate(painter, "0 for any gradient", at, Qt.Corner.TopLeftCorner)
        elif closed:
            self.paint_plate(painter, "integrating", at, Qt.Corner.TopLeftCorner)

    # --- hands

    def next_tool(self) -> None:
        """Take the loop tool in hand, change it to circles, or lay it down."""
        self.tool.next_kind()
        self.setCursor(Qt.CursorShape.ArrowCursor if self.tool.kind == "off" else Qt.CursorShape.CrossCursor)
        self._changed()

    def clear_loop(self) -> None:
        """Take the loop away."""
        self.tool.clear()
        if self._sent or (self.frame is not None and len(self.frame.loop)):
            self._sent = ()
            self.loop_changed.emit(())
        self._changed()

    def _changed(self) -> None:
        """Show the loop, and tell of it once it is whole."""
        loop = self.tool.loop
        if loop and not self.tool.dragging and loop != self._sent:
            self._sent = loop
            self.loop_changed.emit(loop)
        self.say()
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a line, a circle or a click with the left button while the tool is in hand."""
        if event.button() == Qt.MouseButton.LeftButton and self.tool.kind != "off":
            self._pressed = event.position()
            self.tool.press(self.to_plane(event.position()))
            event.accept()
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw while the left button is held."""
        if self.tool.dragging:
            if (event.position() - self._pressed).manhattanLength() > _FAR:
                self.tool.drag(self.to_plane(event.position()))
                self.update()
        else:
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Close what was drawn."""
        if event.button() == Qt.MouseButton.LeftButton and self.tool.dragging:
            self.tool.release()
            self._changed()
            event.accept()
        else:
            super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """With the tool in hand a second click is a click."""
        if self.tool.kind != "off":
            self.mousePressEvent(event)
        else:
            super().mouseDoubleClickEvent(event)

    def event(self, event: QEvent) -> bool:
        """Claim L from the tool of that name while this view has the keyboard."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            plain = event.key() == Qt.Key.Key_L and not event.modifiers()
            event.setAccepted(plain)
            return plain or super().event(event)
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """L, Return and Escape for the loop; the rest as in every view of the plane."""
        key = event.key()
        if key == Qt.Key.Key_L and not event.modifiers():
            self.next_tool()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.tool.kind != "off":
            if self.cursor_point is not None:
                self.tool.place(self.cursor_point)
                self._changed()
        elif key == Qt.Key.Key_Escape and self.loop():
            self.clear_loop()
        else:
            super().keyPressEvent(event)
