"""Fill and stamp: tools of one click."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetrics, QImage, QPainter

from explorer.edits import Fill, Stamp
from explorer.numbers import three
from explorer.theme import font
from explorer.tools.base import Point, Surface, Tool, Touch
from explorer.tools.kit import Picture

_TALL = 96
"""Pixels of type in a text before it is scaled onto the painting."""


class FillTool(Tool):
    """Floods the region under the pointer to the strength, or with that share of the mass; Shift takes away."""

    def press(self, touch: Touch) -> None:
        """Fill."""
        if all(-1 <= value <= 1 for value in touch.point):
            options = self.kit.options
            emptied = touch.shift or touch.rubber
            level = 0.0 if emptied else options.brush.strength
            weighed = replace(options.brush, eraser=emptied) if options.weighing else None
            self.document.do(Fill(touch.point, level, options.tolerance, weighed))

    def reading(self) -> str:
        """What is filled, and to which weight or with how much of the mass."""
        options = self.kit.options
        if amount := self.amount():
            return f"{amount}, where within {three(options.tolerance)}"
        return f"fill to {three(options.brush.strength)} where within {three(options.tolerance)}"


class StampTool(Tool):
    """Lays a text or picture down at every click; it shows under the pointer."""

    def __init__(self, canvas: Surface) -> None:
        super().__init__(canvas)
        self._image = QImage()
        self._of: object = None

    def press(self, touch: Touch) -> None:
        """Show it as it will be."""
        command = self._command(touch)
        if command is not None:
            self.document.preview(command)

    def drag(self, touch: Touch) -> None:
        """Carry it on before it is let go."""
        if self.document.stroking:
            self.press(touch)

    def release(self, touch: Touch) -> None:
        """Stamp."""
        self.document.end_stroke()

    def cancel(self) -> None:
        """Take it back."""
        self.document.cancel_stroke()

    def _command(self, touch: Touch) -> Stamp | None:
        options = self.kit.options
        if options.stamp is None:
            return None
        self.inked = replace(options.brush, eraser=touch.shift or touch.rubber)
        return Stamp(options.stamp.weights, touch.point, options.stamp_width, self.inked, options.stamp.name)

    def reading(self) -> str:
        """What is stamped."""
        stamp = self.kit.options.stamp
        if stamp and (amount := self.amount()):
            return f"{amount}, stamp {stamp.name}"
        return f"stamp {stamp.name}" if stamp else "type a text or choose a picture in the settings (D)"

    def paint(self, painter: QPainter, pointer: Point | None) -> None:
        """A pale image of the stamp under the pointer."""
        stamp = self.kit.options.stamp
        if stamp is None or pointer is None or self.document.stroking:
            return
        key = (stamp, self.canvas.theme.name)
        if self._of != key:
            self._of = key
            ink = self.canvas.theme.colour("ink")
            alpha = (np.clip(stamp.weights[::-1], 0, 1) * 130).astype(np.uint32)
            pixels = np.ascontiguousarray(alpha << 24 | ink.red() << 16 | ink.green() << 8 | ink.blue())
            rows, cols = pixels.shape
            self._image = QImage(pixels.data, cols, rows, 4 * cols, QImage.Format.Format_ARGB32).copy()
        rows, cols = stamp.weights.shape
        unit = self.kit.options.stamp_width / max(rows, cols) * self.canvas.mapping()[0]
        at = self.canvas.to_pixel(*pointer)
        box = QRectF(at.x() - unit * cols / 2, at.y() - unit * rows / 2, unit * cols, unit * rows)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(box, self._image)


def text_picture(text: str) -> Picture | None:
    """A text in the bundled typeface as a picture, cut to its ink; None for one that shows nothing."""
    face = font(_TALL, bold=True)
    lines = text.strip().split("\n")
    metrics = QFontMetrics(face)
    width = max(metrics.horizontalAdvance(line) for line in lines) + _TALL
    height = metrics.height() * len(lines) + _TALL
    image = QImage(min(width, 8192), min(height, 8192), QImage.Format.Format_Grayscale8)
    image.fill(0)
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        painter.setFont(face)
        painter.setPen(Qt.GlobalColor.white)
        painter.drawText(image.rect(), Qt.AlignmentFlag.AlignCenter, "\n".join(lines))
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = pixels[:, : image.width()]
    rows, cols = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if not rows.size:
        return None
    cut = pixels[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    return Picture((cut[::-1] / 255).astype(np.float32), "text")
