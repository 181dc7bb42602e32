"""Brush, eraser and smoothing, line and ellipse: tools that draw along the pointer's way, with its images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

from PySide6.QtGui import QPainter

from explorer.brush import Brush
from explorer.edits import Ellipse, Line, Smooth, Stroke
from explorer.numbers import three
from explorer.paint.shapes import spanned, straight
from explorer.tools.base import Point, Tool, Touch
from explorer.tools.weights import spelt

_STILL = 3.0
"""Pixels: a drag that ends nearer to its start was a click, and the next click is its other end."""


class BrushTool(Tool):
    """Paints or erases; Shift and the pen's rubber end swap the two."""

    def _brush(self, touch: Touch) -> Brush:
        return replace(self.kit.brush, eraser=touch.rubber or self.kit.brush.eraser != touch.shift)

    def press(self, touch: Touch) -> None:
        """Set the brush down."""
        points = ((*touch.point, touch.pressure),)
        self.inked = self._brush(touch)
        self.document.begin(Stroke(self.inked, points, self.kit.options.symmetry))

    def drag(self, touch: Touch) -> None:
        """Draw on."""
        self.document.extend_stroke(*touch.point, touch.pressure)

    def release(self, touch: Touch) -> None:
        """Lift the brush."""
        self.document.end_stroke()

    def cancel(self) -> None:
        """Take the stroke back."""
        self.document.cancel_stroke()

    def reading(self) -> str:
        """What a stroke weighs, if its strength is a share of the mass."""
        return spelt(self.amount(), self.document.stroking)

    def paint(self, painter: QPainter, pointer: Point | None) -> None:
        """The brush's ring, and those of its images."""
        if pointer is not None:
            radius = self.kit.brush.reach(self.document.size)
            for i, image in enumerate(self.kit.options.symmetry.of(*pointer)):
                self.circle(painter, image, radius, dashed=self.kit.brush.eraser or i > 0)


class SmoothTool(BrushTool):
    """Blurs under the brush."""

    def press(self, touch: Touch) -> None:
        """Set the brush down."""
        options = self.kit.options
        points = ((*touch.point, touch.pressure),)
        self.document.begin(Smooth(options.softness, options.brush, points, options.symmetry))

    def reading(self) -> str:
        """How wide the blur is."""
        return f"blur {three(self.kit.options.softness)}"


class SpanTool(Tool, ABC):
    """Draws between two points: drag from one to the other, or click both."""

    start: Point | None = None
    _end: Point = (0.0, 0.0)
    _pending = False

    @property
    def busy(self) -> bool:
        """Whether the other end is awaited."""
        return self.start is not None

    def press(self, touch: Touch) -> None:
        """Fix one end."""
        if self.start is None:
            self.start, self._pending = touch.point, False
        self._show(touch)

    def drag(self, touch: Touch) -> None:
        """Show what is drawn up to here."""
        if self.start is not None:
            self._show(touch)

    def hover(self, touch: Touch) -> None:
        """After a click the other end follows the pointer."""
        self.drag(touch)

    def release(self, touch: Touch) -> None:
        """Draw it; after a click, wait for the other end."""
        if self.start is None:
            return
        a, b = self.canvas.to_pixel(*self.start), self.canvas.to_pixel(*touch.point)
        still = (a - b).manhattanLength() < _STILL
        if still and not self._pending:
            self._pending = True
            return
        self._show(touch)
        self.start = None
        self.document.end_stroke()

    def cancel(self) -> None:
        """Take it back."""
        self.start = None
        self.document.cancel_stroke()

    def reading(self) -> str:
        """What it weighs, if the strength is a share of the mass."""
        return spelt(self.amount(), self.document.stroking)

    def paint(self, painter: QPainter, pointer: Point | None) -> None:
        """The brush's ring at the pointer."""
        if pointer is not None:
            self.circle(painter, pointer, self.kit.brush.reach(self.document.size))

    def _show(self, touch: Touch) -> None:
        assert self.start is not None
        self._end = touch.point
        self.document.preview(self.command(self.start, touch))

    @abstractmethod
    def command(self, start: Point, touch: Touch) -> Line | Ellipse:
        """What is drawn from the start to here; each kind its own."""


class LineTool(SpanTool):
    """A straight stroke; with Shift at a multiple of 45 degrees."""

    def command(self, start: Point, touch: Touch) -> Line:
        """The line to here."""
        end = straight(start, touch.point) if touch.shift else touch.point
        self.inked = replace(self.kit.brush, eraser=touch.rubber)
        return Line(self.inked, start, end, self.kit.options.symmetry)


class EllipseTool(SpanTool):
    """An ellipse in the box of the drag; with Shift a circle about its start."""

    def command(self, start: Point, touch: Touch) -> Ellipse:
        """The ellipse to here."""
        options = self.kit.options
        centre, radii = spanned(start, touch.point, touch.shift)
        self.inked = replace(options.brush, eraser=touch.rubber)
        return Ellipse(self.inked, centre, radii, options.filled, options.symmetry)

    def paint(self, painter: QPainter, pointer: Point | None) -> None:
        """The brush's ring if it draws with the brush."""
        if not self.kit.options.filled:
            super().paint(painter, pointer)
