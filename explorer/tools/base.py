"""What every tool is: it hears of press, drag and release on the plane, and draws its marks over the canvas.

A hand is mouse, pen or keyboard; the canvas makes the same touches of all three. While a tool previews a command, the
document shows it; the release makes it a step, Escape takes it back.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen

from explorer.brush import Brush
from explorer.document import Document
from explorer.theme import Theme
from explorer.tools.kit import ToolKit
from explorer.tools.weights import done, promised

Point = tuple[float, float]


class Touch(NamedTuple):
    """Where a hand is, and how.

    Attributes:
        point: in the plane.
        pressure: of the pen, in [0, 1]; 1 for mouse and keys.
        shift: whether Shift is held.
        rubber: whether it is the pen's rubber end.
        keyed: whether it is the keyboard's cross-hair.
    """

    point: Point
    pressure: float = 1.0
    shift: bool = False
    rubber: bool = False
    keyed: bool = False


class Surface(Protocol):
    """What a tool may ask of the canvas."""

    document: Document
    kit: ToolKit
    theme: Theme
    scale: float

    def to_pixel(self, x: float, y: float) -> QPointF:
        """Where a point of the plane is drawn."""
        ...

    def mapping(self) -> tuple[float, float, float]:
        """Pixels per unit, and the origin's position."""
        ...

    def say(self) -> None:
        """Write the texts that have changed."""
        ...

    def refresh(self) -> None:
        """Paint anew."""
        ...


class Tool:
    """A tool that does nothing; each kind overrides what it answers to."""

    inked: Brush | None = None
    """What draws the stroke that is being drawn: the kit's brush, turned round by Shift or the pen's rubber end."""

    def __init__(self, canvas: Surface) -> None:
        self.canvas = canvas

    @property
    def document(self) -> Document:
        """What is painted on."""
        return self.canvas.document

    @property
    def kit(self) -> ToolKit:
        """How the tools are set."""
        return self.canvas.kit

    @property
    def busy(self) -> bool:
        """Whether something waits for Escape or a second click."""
        return False

    def press(self, touch: Touch) -> None:
        """The button goes down."""

    def drag(self, touch: Touch) -> None:
        """The pointer moves with the button down."""

    def release(self, touch: Touch) -> None:
        """The button comes up."""

    def hover(self, touch: Touch) -> None:
        """The pointer moves with no button down."""

    def cancel(self) -> None:
        """Take back what is being done, or let go of what is chosen."""

    def delete(self) -> None:
        """Delete what is chosen."""

    def key(self, event: QKeyEvent) -> bool:
        """Answer a key; whether it was one of this tool's."""
        return False

    def document_changed(self) -> None:
        """The document differs, and nothing is being drawn."""

    def put_away(self) -> None:
        """Another tool is taken in hand."""
        self.cancel()

    def reading(self) -> str:
        """Words on what is being done, for the line under the picture; "" for none."""
        return ""

    def amount(self) -> str:
        """How much of the mass is added or taken, so far or by the next stroke; "" where the strength says no such."""
        if not self.kit.options.weighing:
            return ""
        if self.document.stroking and self.inked is not None:
            return done(self.document, self.inked)
        return promised(self.kit.brush)

    def knobs(self) -> list[QPointF]:
        """Where its handles are, in pixels, for what is written on the canvas to keep clear of."""
        return []

    def paint(self, painter: QPainter, pointer: Point | None) -> None:
        """Draw marks over the painting; `pointer` is where the hand is."""

    def circle(self, painter: QPainter, centre: Point, radius: float, *, dashed: bool = False) -> None:
        """A ring of this radius in the plane, readable on any ground."""
        at, pixels = self.canvas.to_pixel(*centre), radius * self.canvas.mapping()[0]
        for pen in self.pens(dashed):
            painter.setPen(pen)
            painter.drawEllipse(at, pixels, pixels)

    def pens(self, dashed: bool = False) -> tuple[QPen, QPen]:
        """A wide pale pen below and a thin dark one above."""
        style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
        return QPen(QColor(self.canvas.theme.surface), 3.0), QPen(QColor(self.canvas.theme.ink), 1.2, style)

    def knob(self, painter: QPainter, at: QPointF, *, round_: bool = True) -> None:
        """A handle of 9 pixels."""
        painter.setPen(QPen(QColor(self.canvas.theme.ink), 1.2))
        painter.setBrush(QColor(self.canvas.theme.surface))
        box = QRectF(at.x() - 4.5, at.y() - 4.5, 9, 9)
        if round_:
            painter.drawEllipse(box)
        else:
            painter.drawRect(box)
        painter.setBrush(Qt.BrushStyle.NoBrush)
