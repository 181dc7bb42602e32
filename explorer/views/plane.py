"""The plane as a picture: one range shared by every view, and the widget that all views of the plane are made from.

A view shows the square [cx - h, cx + h] x [cy - h, cy + h] with x to the right and y up, at equal scale, on its own
square of pixels (`explorer.views.square`). With side S and left top corner (X, Y) in pixels,

    px = X + (x - cx + h) S / 2h,        py = Y + (cy + h - y) S / 2h.

What a frame holds is drawn where *its* range lies, so that zooming answers at once and the next frame only sharpens it.

Mouse: the wheel zooms at the cursor, the right or middle button pans. Keyboard: arrows move a cross-hair (with Shift
finely), Ctrl with arrows pans, plus and minus zoom at the cross-hair, Home shows the whole plane again.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QWidget

from explorer.engine.messages import EXTENT, Frame
from explorer.numbers import three
from explorer.theme import CAPTION, font
from explorer.viewing import Viewing, ViewOptions
from explorer.views.ground import Ground
from explorer.views.square import SquareView

LIMIT = 3.0
"""No view leaves [-LIMIT, LIMIT]^2, the region on which the true score is exact."""

CLOSEST = 0.02
"""The smallest half width: about one cell of a painting."""


def pair(x: float, y: float) -> str:
    """A point or vector for a caption."""
    return f"({three(x)}, {three(y)})"


class PlaneRange(QObject):
    """The square range of the plane that all its views show: `centre` and `half_width`, in units of the plane."""

    changed = Signal()

    def __init__(self, half_width: float = EXTENT, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._home = half_width
        self._centre = (0.0, 0.0)
        self._half_width = half_width

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the range."""
        return self._centre

    @property
    def half_width(self) -> float:
        """Half the side of the range."""
        return self._half_width

    def show(self, centre: tuple[float, float], half_width: float) -> None:
        """Show this range, or the nearest one within the limits."""
        half_width = min(max(half_width, CLOSEST), LIMIT)
        room = LIMIT - half_width
        x, y = (min(max(c, -room), room) for c in centre)
        if ((x, y), half_width) != (self._centre, self._half_width):
            self._centre, self._half_width = (x, y), half_width
            self.changed.emit()

    def zoom(self, factor: float, at: tuple[float, float] | None = None) -> None:
        """Make everything `factor` times larger; the point `at` stays where it is (the centre unless given)."""
        half_width = min(max(self._half_width / factor, CLOSEST), LIMIT)
        x, y = at or self._centre
        keep = half_width / self._half_width
        self.show((x + (self._centre[0] - x) * keep, y + (self._centre[1] - y) * keep), half_width)

    def pan(self, dx: float, dy: float) -> None:
        """Move the range by (dx, dy) in units of the plane."""
        self.show((self._centre[0] + dx, self._centre[1] + dy), self._half_width)

    def reset(self) -> None:
        """Show the data's square and its margin again."""
        self.show((0.0, 0.0), self._home)


class PlaneView(SquareView):
    """A square picture of the plane. Subclasses draw their marks in `paint_marks`; `show_frame` hands them a moment.

    With a `viewing` it follows its options: what lies below the marks, and whatever else a subclass draws by them.
    """

    picked = Signal(float, float)
    """The person has clicked on this point of the plane, or pressed Insert at the cross-hair."""

    def __init__(
        self,
        plane_range: PlaneRange,
        name: str,
        description: str,
        parent: QWidget | None = None,
        viewing: Viewing | None = None,
    ) -> None:
        super().__init__(plane_range, name, description, parent, viewing)
        self.ground = Ground()
        self.cursor_point: tuple[float, float] | None = None
        self._crosshair = False
        self._drag: QPointF | None = None

    # --- what the rest of the program calls

    def show_frame(self, frame: Frame) -> None:
        """Draw this moment from now on; one that looks like the moment before is not drawn again."""
        before, self.frame = self.frame, frame
        if before is None or not self.looks_like(before, frame):
            self.lay_ground(frame)
            self.update()
        self.say()

    def set_options(self, options: ViewOptions) -> None:
        """Draw by these options from now on."""
        self.options = options
        if self.frame is not None:
            self.lay_ground(self.frame)
        super().set_options(options)

    def lay_ground(self, frame: Frame) -> bool:
        """Lay what the options ask for below the marks: p_sigma, its logarithm, its energy, or nothing.

        Returns whether it is another one than before.
        """
        return self.ground.show(frame.ground, frame.centre, frame.half_width, self.options.ground)

    def let_go(self) -> None:
        """Free the ground's pictures."""
        self.ground.let_go()

    def looks_like(self, before: Frame, frame: Frame) -> bool:
        """Whether this view would draw both frames alike; False when it cannot tell cheaply."""
        return False

    # --- geometry

    def to_pixel(self, x: float, y: float) -> QPointF:
        """Where a point of the plane is drawn."""
        unit, left, top = self.mapping()
        return QPointF(left + unit * x, top - unit * y)

    def to_plane(self, position: QPointF) -> tuple[float, float]:
        """The point of the plane that is drawn at this position."""
        unit, left, top = self.mapping()
        return (position.x() - left) / unit, (top - position.y()) / unit

    def mapping(self) -> tuple[float, float, float]:
        """Pixels per unit u and the origin's position (ox, oy): px = ox + u x, py = oy - u y."""
        square = self.square()
        unit = square.width() / (2 * self.range.half_width)
        (cx, cy), h = self.range.centre, self.range.half_width
        return unit, square.left() + (h - cx) * unit, square.top() + (cy + h) * unit

    # --- texts

    def reading(self) -> str:
        """The line on the point under the cursor."""
        return "" if self.cursor_point is None else pair(*self.cursor_point)

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, marks, frame rule and cross-hair, in this order."""
        with QPainter(self) as painter:
            square = self.square()
            if square.size() != self.size():
                painter.fillRect(event.rect(), QColor(self.theme.window))
            ratio = painter.deviceTransform().m11()
            view = (*self.range.centre, self.range.half_width)
            painter.setClipRect(square)
            painter.drawImage(QRectF(square), self.ground.image(view, round(square.width() * ratio), self.theme))
            self.paint_marks(painter, square)
            self.paint_rule(painter, square)
            if self._crosshair and self.cursor_point is not None:
                self._paint_crosshair(painter, self.to_pixel(*self.cursor_point))

    def paint_marks(self, painter: QPainter, square: QRect) -> None:
        """Draw what this view is about; the painter is clipped to the square."""

    def paint_plate(
        self, painter: QPainter, text: str, at: QPoint, corner: Qt.Corner, mark: str | None = None
    ) -> QRect:
        """Write a short text on a plate, this corner of which is at `at`; `mark` is the role of a dot before it."""
        painter.setFont(font(CAPTION, scale=self.scale))
        metrics = painter.fontMetrics()
        dot = round(10 * self.scale) if mark else 0
        width, height = metrics.horizontalAdvance(text) + 8 + dot, metrics.height()
        right = corner in (Qt.Corner.TopRightCorner, Qt.Corner.BottomRightCorner)
        bottom = corner in (Qt.Corner.BottomLeftCorner, Qt.Corner.BottomRightCorner)
        plate = QRect(at.x() - (width if right else 0), at.y() - (height if bottom else 0), width, height)
        painter.fillRect(plate, self.theme.colour("surface", 0.9))
        if mark:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.colour(mark))
            radius = 3.5 * self.scale
            painter.drawEllipse(QPointF(plate.left() + 4 + radius, plate.center().y() + 1), radius, radius)
        painter.setPen(QColor(self.theme.ink))
        painter.drawText(plate.adjusted(4 + dot, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)
        return plate

    def _paint_crosshair(self, painter: QPainter, at: QPointF) -> None:
        x, y, arm, gap = round(at.x()), round(at.y()), 9, 3
        for colour, width in ((self.theme.surface, 3), (self.theme.ink, 1)):
            painter.setPen(QPen(QColor(colour), width))
            painter.drawLine(x - arm, y, x - gap, y)
            painter.drawLine(x + gap, y, x + arm, y)
            painter.drawLine(x, y - arm, x, y - gap)
            painter.drawLine(x, y + gap, x, y + arm)

    # --- hands

    def point_at(self, point: tuple[float, float], *, crosshair: bool = False) -> None:
        """Read the plane at this point, with the keyboard's cross-hair or without."""
        self.cursor_point = point
        if crosshair or self._crosshair:
            self.update()
        self._crosshair = crosshair
        self.hovered.emit(*point)
        self.say()

    def forget_point(self) -> None:
        """Stop reading the plane."""
        if self.cursor_point is not None:
            self.cursor_point = None
            self._crosshair = False
            self.left.emit()
            self.say()
            self.update()

    def read_point(self) -> tuple[float, float] | None:
        """The point under the cursor or the cross-hair."""
        return self.cursor_point

    def point_under(self, position: QPointF) -> tuple[float, float] | None:
        """The point of the plane that is drawn at this position."""
        return self.to_plane(position)

    def steer(self, right: int, up: int, fine: bool) -> None:
        """Move the cross-hair, which stays within the range."""
        step = self.range.half_width / (100 if fine else 20)
        x, y = self.cursor_point or self.range.centre
        (cx, cy), h = self.range.centre, self.range.half_width
        x, y = x + right * step, y + up * step
        self.point_at((min(max(x, cx - h), cx + h), min(max(y, cy - h), cy + h)), crosshair=True)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to pan with the right or middle button."""
        if event.button() in (Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton):
            self._drag = event.position()
            event.accept()
        else:
            if event.button() == Qt.MouseButton.LeftButton:
                self.picked.emit(*self.to_plane(event.position()))
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pan while a button is held; read the point under the cursor otherwise."""
        if self._drag is not None:
            move, unit = event.position() - self._drag, self.mapping()[0]
            self._drag = event.position()
            self.range.pan(-move.x() / unit, move.y() / unit)
        elif QRectF(self.square()).contains(event.position()):
            self.point_at(self.to_plane(event.position()))
        else:
            self.forget_point()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End panning."""
        if self._drag is not None and event.button() in (Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton):
            self._drag = None
        super().mouseReleaseEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Read the point at which the cursor comes in."""
        self.point_at(self.to_plane(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        """Stop reading."""
        self.forget_point()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Pin the point that is read, or put the cross-hair away; else as every square."""
        key = event.key()
        if key == Qt.Key.Key_Insert and self.cursor_point is not None:
            self.picked.emit(*self.cursor_point)
        elif key == Qt.Key.Key_Escape and self._crosshair:
            self.forget_point()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Put the cross-hair away with the focus."""
        if self._crosshair:
            self.forget_point()
        super().focusOutEvent(event)
