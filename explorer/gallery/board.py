"""A picture on which a person paints what is unknown, with the same brush that paints densities (`explorer.brush`).

A pixel is unknown where the stroke's coverage reaches `ENOUGH`. The right button, or Shift, takes away. With the
keyboard arrows move a cross-hair, Return paints there and Delete takes away; [ and ] make the brush smaller and larger.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from explorer.brush import Brush, Coverage
from explorer.engine.frames import Array
from explorer.gallery.imaging import pixels, to_image
from explorer.theme import LIGHT, Theme

ENOUGH = 0.3
"""The coverage from which on a pixel is unknown: within 0.57 of the brush's radius."""
SIZES = (0.1, 1.6)
"""The smallest and the largest radius of the brush, in units of the picture's longer half side."""
_STEP = 1.25
_MOST_STROKES = 200

Mask = NDArray[np.bool_]


class MaskBoard(QWidget):
    """One picture, and the mask over it.

    Attributes:
        unknown: (H, W), true where pixels are to be found.
        brush: radius in units of the picture's longer half side.
    """

    masked = Signal()
    """A stroke is over: the mask has changed."""
    resized = Signal()
    """The brush has another size."""

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.unknown: Mask = np.zeros((1, 1), bool)
        self.brush = Brush(radius=0.3)
        self._image: QImage | None = None
        self._past: list[Mask] = []
        self._future: list[Mask] = []
        self._stroke: Coverage | None = None
        self._before: Mask | None = None
        self._hair = (0.0, 0.0)
        self._keyed = False
        self._mouse: QPointF | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(96, 96)
        self.setAccessibleName("Mask: what is unknown")
        self.setToolTip("Paint what is unknown; the right button takes away, [ and ] change the brush")

    # --- what is shown --------------------------------------------------------------------------------------

    def show_picture(self, picture: Array) -> None:
        """Show this picture, (C, H, W) in [-1, 1]; a mask of other pixels is forgotten."""
        self._image = to_image(pixels(picture))
        if self.unknown.shape != picture.shape[1:]:
            self.unknown = np.zeros(picture.shape[1:], bool)
            self._past.clear()
            self._future.clear()
        self.update()

    def forget(self) -> None:
        """Show no picture, and keep no mask."""
        self._image, self.unknown = None, np.zeros((1, 1), bool)
        self._past.clear()
        self._future.clear()
        self.update()

    def set_mask(self, mask: Mask) -> None:
        """Take another mask, as a step to undo."""
        self._remember(self.unknown)
        self._set(np.array(mask, bool))

    def clear(self) -> None:
        """Nothing is unknown."""
        self.set_mask(np.zeros_like(self.unknown))

    def invert(self) -> None:
        """What was known is unknown, and the other way round."""
        self.set_mask(~self.unknown)

    def fill_half(self, side: str, _: bool = False) -> None:
        """Exactly the "left", "right", "top" or "bottom" half is unknown."""
        mask = np.zeros_like(self.unknown)
        height, width = mask.shape
        halves: dict[str, Any] = {
            "left": np.s_[:, : width // 2],
            "right": np.s_[:, width // 2 :],
            "top": np.s_[: height // 2],
            "bottom": np.s_[height // 2 :],
        }
        mask[halves[side]] = True
        self.set_mask(mask)

    def undo(self) -> None:
        """Take the last stroke back."""
        if self._past:
            self._future.append(self.unknown)
            self._set(self._past.pop())

    def redo(self) -> None:
        """Do it again."""
        if self._future:
            self._past.append(self.unknown)
            self._set(self._future.pop())

    def set_radius(self, radius: float) -> None:
        """Paint with a brush of this radius, held within `SIZES`."""
        self.brush = replace(self.brush, radius=min(max(radius, SIZES[0]), SIZES[1]))
        self.update()
        self.resized.emit()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self.theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Little: what room there is, is shared out by those who place it."""
        return QSize(96, 96)

    def _remember(self, mask: Mask) -> None:
        self._past.append(mask)
        del self._past[:-_MOST_STROKES]
        self._future.clear()

    def _set(self, mask: Mask) -> None:
        self.unknown = mask
        self.setAccessibleDescription(f"{int(mask.sum())} of {mask.size} pixels are unknown")
        self.update()
        self.masked.emit()

    # --- strokes --------------------------------------------------------------------------------------------

    @property
    def _side(self) -> int:
        """Pixels of the square on which strokes are made: the picture stands in its middle."""
        return max(self.unknown.shape)

    def _room(self) -> QRect:
        """Where the picture is drawn: whole pixels where they fit."""
        height, width = self.unknown.shape
        scale = min(self.width() / width, self.height() / height)
        scale = float(int(scale)) if scale >= 1 else scale
        place = QRect(0, 0, max(1, int(width * scale)), max(1, int(height * scale)))
        place.moveCenter(self.rect().center())
        return place

    def _to_plane(self, at: QPointF) -> tuple[float, float]:
        """A point of the widget on the square [-1, 1]^2, y up."""
        room = self._room()
        unit = max(room.width(), room.height()) / 2
        middle = QPointF(room.left() + room.width() / 2, room.top() + room.height() / 2)
        return (at.x() - middle.x()) / unit, (middle.y() - at.y()) / unit

    def _begin(self, x: float, y: float, *, erase: bool) -> None:
        self._before = self.unknown
        self._stroke = Coverage(replace(self.brush, eraser=erase), self._side)
        self._stroke.begin(x, y)
        self._lay()

    def _lay(self) -> None:
        """Show what the stroke so far makes of the mask."""
        assert self._stroke is not None
        assert self._before is not None
        height, width = self._before.shape
        top, left = (self._side - height) // 2, (self._side - width) // 2
        covered = (self._stroke.mask[::-1] >= ENOUGH)[top : top + height, left : left + width]
        self.unknown = self._before & ~covered if self._stroke.brush.eraser else self._before | covered
        self.update()

    def _end(self) -> None:
        if self._stroke is None or self._before is None:
            return
        self._stroke.end()
        self._lay()
        before, self._stroke, self._before = self._before, None, None
        if not np.array_equal(before, self.unknown):
            self._remember(before)
            self._set(self.unknown)

    # --- hands ----------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Set the brush down."""
        self._keyed = False
        if self._image is not None and event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._begin(*self._to_plane(event.position()), erase=shift or event.button() == Qt.MouseButton.RightButton)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the brush."""
        self._mouse = event.position()
        if self._stroke is not None:
            self._stroke.extend(*self._to_plane(event.position()))
            self._lay()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Lift the brush."""
        self._end()

    def leaveEvent(self, event: object) -> None:
        """Take the brush's outline away."""
        self._mouse = None
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the cross-hair away."""
        self._keyed = False
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the cross-hair, paint there, or change the brush."""
        key = Qt.Key(event.key())
        pixel = 2 / self._side
        moves = {
            Qt.Key.Key_Left: (-pixel, 0.0),
            Qt.Key.Key_Right: (pixel, 0.0),
            Qt.Key.Key_Up: (0.0, pixel),
            Qt.Key.Key_Down: (0.0, -pixel),
        }
        if key in moves:
            dx, dy = moves[key]
            x, y = self._hair if self._keyed else (pixel / 2, pixel / 2)
            self._hair = min(max(x + dx, -1), 1), min(max(y + dy, -1), 1)
            self._keyed = True
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Delete) and self._image is not None:
            self._keyed = True
            self._begin(*self._hair, erase=key == Qt.Key.Key_Delete)
            self._end()
        elif key in (Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight):
            factor = _STEP if key == Qt.Key.Key_BracketRight else 1 / _STEP
            self.set_radius(self.brush.radius * factor)
        else:
            super().keyPressEvent(event)
            return
        self.update()

    # --- painting -------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture, a hatched veil where it is unknown, and the brush."""
        with QPainter(self) as painter:
            if self._image is None:
                return
            room = self._room()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, room.width() < self._image.width())
            painter.drawImage(room, self._image)
            self._paint_mask(painter, room)
            unit = max(room.width(), room.height()) / 2
            radius = 0.57 * max(self.brush.radius, 1.5 * 2 / self._side) * unit
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            at = self._at(room, unit) if self._keyed and self.hasFocus() else self._mouse
            if at is not None:
                for colour, width in (("window", 3.0), ("ink", 1.0)):
                    painter.setPen(QPen(self.theme.colour(colour), width))
                    painter.drawEllipse(at, radius, radius)
            if self.hasFocus():
                painter.setPen(QPen(self.theme.colour("true"), 2))
                painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def _at(self, room: QRect, unit: float) -> QPointF:
        x, y = self._hair
        return QPointF(room.left() + room.width() / 2 + x * unit, room.top() + room.height() / 2 - y * unit)

    def _paint_mask(self, painter: QPainter, room: QRect) -> None:
        height, width = self.unknown.shape
        veil = np.zeros((height, width, 4), np.uint8)
        ink = QColor(self.theme.particles)
        veil[self.unknown] = (ink.red(), ink.green(), ink.blue(), 110)
        flat = np.ascontiguousarray(veil)
        image = QImage(flat.data, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(room, image)
        if not self.unknown.any():
            return
        painter.save()
        scale = room.width() / width
        painter.setPen(QPen(self.theme.colour("particles", 0.9), 1))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for row, column in zip(*np.nonzero(self.unknown), strict=True):
            if scale >= 8:  # a hatching of smaller pixels would be a grey
                left, top = room.left() + column * scale, room.top() + row * scale
                painter.drawLine(QPointF(left, top + scale), QPointF(left + scale, top))
        painter.restore()
