"""A stroke while it is drawn: the paint beneath it, and how the part that has just been covered looks.

Drawing costs work on the cells that the last piece of the way may have changed, and on all cells if the stroke is a
share of the mass, which the way spreads as it grows. The paint it ends with is, bit for bit, what the command for the
whole stroke makes of the paint beneath.
"""

from __future__ import annotations

from dataclasses import replace

from explorer.brush import Rect, lay
from explorer.edits import Smooth, Stroke, Weights
from explorer.paint.applying import blended
from explorer.paint.smoothing import smoothed
from explorer.paint.symmetry import SymmetricCoverage
from explorer.paint.weighing import Components, weighed


class LiveStroke:
    """A `Stroke` or a `Smooth` that grows. `command` is the whole of it so far.

    Attributes:
        base: the paint beneath, (n, n).
        paint: the paint as it shows now; another array after every piece.
        components: the Gaussian components as they are now.
    """

    def __init__(self, command: Stroke | Smooth, base: Weights, components: Components = ()) -> None:
        """Begin at the command's first point; further ones come by `extend`."""
        self.base = self.paint = base
        self.components = self._beneath = components
        self._command = replace(command, points=())
        self._points = [command.points[0]]
        self._coverage = SymmetricCoverage(command.brush, len(base), command.symmetry)
        self._soft = smoothed(base, command.width) if isinstance(command, Smooth) else None

    @property
    def command(self) -> Stroke | Smooth:
        """The stroke so far."""
        return replace(self._command, points=tuple(self._points))

    def begin(self) -> Rect | None:
        """Set the brush down; the cells that may have changed."""
        return self._show(self._coverage.begin(*self._points[0]))

    def extend(self, x: float, y: float, pressure: float) -> Rect | None:
        """Draw on towards (x, y)."""
        self._points.append((x, y, pressure))
        return self._show(self._coverage.extend(x, y, pressure))

    def end(self) -> Rect | None:
        """Draw the rest of the way."""
        return self._show(self._coverage.end())

    def _show(self, rect: Rect | None) -> Rect | None:
        if rect is not None and self._soft is None and self._command.brush.by_mass:
            whole = self._coverage.mask
            self.paint, self.components = weighed(self.base, self._beneath, whole, self._command.brush)
            return Rect.whole(self.paint)
        if rect is not None:
            under, mask = self.base[rect.slices], self._coverage.mask[rect.slices]
            paint = self.paint.copy()
            if self._soft is None:
                paint[rect.slices] = lay(under, mask, self._command.brush)
            else:
                paint[rect.slices] = blended(under, self._soft[rect.slices], mask, self._command.brush.strength)
            self.paint = paint
        return rect
