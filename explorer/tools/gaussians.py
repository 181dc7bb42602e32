"""The Gaussian tool: components placed by a click and shaped by handles.

The chosen component shows its ellipse at twice its spreads and five handles: the centre moves it, the ends of its axes
stretch them, the knob beyond the first axis turns it, and the square on the short upright line is its mass: up doubles
it every 24 pixels. Each drag is one undo step.
"""

from __future__ import annotations

from dataclasses import replace
from math import atan2, cos, degrees, hypot, pi, radians, sin

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QPainter

from explorer.edits import ChangeComponents
from explorer.numbers import share, three
from explorer.tools.base import Point, Tool, Touch
from trainer.components import MOST, Component, mass_of, with_share

_REACH = 9.0
"""Pixels from a handle's middle within which a press takes it."""

_RIM = 2.0
"""Spreads from the centre to the ellipse that is drawn."""

_TURN_GAP, _MASS_GAP = 18.0, 22.0
_DOUBLING = 24.0
"""Pixels that double the mass."""

_LOW, _HIGH = 0.01, 2.0
_DONE = {
    "centre": "moving a Gaussian",
    "along": "stretching a Gaussian",
    "across": "stretching a Gaussian",
    "angle": "turning a Gaussian",
    "mass": "the mass of a Gaussian",
}


class GaussianTool(Tool):
    """Places components and moves their handles."""

    _handle = ""
    _start: Component | None = None
    _from: Point = (0.0, 0.0)

    # --- what is chosen

    @property
    def chosen(self) -> int | None:
        """The index of the chosen component, if there is such a one."""
        index = self.kit.component
        return index if index is not None and index < len(self.document.components) else None

    @property
    def busy(self) -> bool:
        """Whether a component is chosen."""
        return self.chosen is not None

    def handles(self) -> dict[str, QPointF]:
        """Where the handles of the chosen component are, in pixels."""
        if self.chosen is None:
            return {}
        return self._handles(self.document.components[self.chosen])

    def _handles(self, c: Component) -> dict[str, QPointF]:
        to_pixel, angle = self.canvas.to_pixel, radians(c.angle)
        centre = to_pixel(c.x, c.y)
        along = to_pixel(c.x + _RIM * c.along * cos(angle), c.y + _RIM * c.along * sin(angle))
        across = to_pixel(c.x - _RIM * c.across * sin(angle), c.y + _RIM * c.across * cos(angle))
        turn = along + QPointF(_TURN_GAP * cos(angle), -_TURN_GAP * sin(angle))
        unit = self.canvas.mapping()[0]
        low = hypot(c.along * sin(angle), c.across * cos(angle)) * _RIM * unit
        mass = QPointF(centre.x(), centre.y() + low + _MASS_GAP)
        return {"mass": mass, "angle": turn, "along": along, "across": across, "centre": centre}

    # --- hands

    def press(self, touch: Touch) -> None:
        """Take a handle, choose a component, or place one."""
        at = self.canvas.to_pixel(*touch.point)
        self._from = touch.point
        for name, place in self.handles().items():
            if hypot(place.x() - at.x(), place.y() - at.y()) <= _REACH:
                self._take(name)
                return
        found = self._under(touch.point)
        if found is not None:
            self.kit.choose(found)
            self._take("centre")
            return
        if len(self.document.components) < MOST and all(-1 <= value <= 1 for value in touch.point):
            spread = self.kit.options.brush.radius
            x, y = touch.point
            mass = 2 * pi * spread * spread * self.kit.options.brush.strength
            placed = _rounded(self._weighed(Component(x, y, spread, spread, 0.0, mass)))
            self.document.preview(ChangeComponents((*self.document.components, placed), "placing a Gaussian"))
            self.kit.choose(len(self.document.components) - 1)
            self._handle, self._start = "place", placed

    def _weighed(self, component: Component) -> Component:
        """The component with the share of the mass that the strength asks for, if it asks for one and can have it."""
        rest, strength = mass_of(self.document.paint, self.document.components), self.kit.brush.strength
        if not self.kit.options.weighing or rest <= 0 or strength >= 1:
            return component
        return with_share(component, strength, rest)

    def _take(self, handle: str) -> None:
        assert self.chosen is not None
        self._handle, self._start = handle, self.document.components[self.chosen]

    def _under(self, point: Point) -> int | None:
        """The topmost component whose first spread holds the point."""
        for index in reversed(range(len(self.document.components))):
            c = self.document.components[index]
            dx, dy, angle = point[0] - c.x, point[1] - c.y, radians(c.angle)
            u, v = dx * cos(angle) + dy * sin(angle), dy * cos(angle) - dx * sin(angle)
            near = 10 / self.canvas.mapping()[0]
            if hypot(u / max(c.along, near), v / max(c.across, near)) <= 1.2:
                return index
        return None

    def drag(self, touch: Touch) -> None:
        """Move the handle."""
        start, index = self._start, self.chosen
        if start is None or index is None:
            return
        changed = _rounded(self._moved(start, touch))
        components = list(self.document.components)
        components[index] = changed
        text = _DONE.get(self._handle, "placing a Gaussian")
        self.document.preview(ChangeComponents(tuple(components), text))

    def _moved(self, start: Component, touch: Touch) -> Component:
        x, y = touch.point
        dx, dy = x - self._from[0], y - self._from[1]
        angle = radians(start.angle)
        match self._handle:
            case "along":
                reach = (x - start.x) * cos(angle) + (y - start.y) * sin(angle)
                return replace(start, along=_clipped(reach / _RIM))
            case "across":
                reach = (y - start.y) * cos(angle) - (x - start.x) * sin(angle)
                return replace(start, across=_clipped(reach / _RIM))
            case "angle":
                turned = degrees(atan2(y - start.y, x - start.x))
                return replace(start, angle=round(turned / 15) * 15.0 if touch.shift else turned)
            case "mass":
                factor = 2 ** (dy * self.canvas.mapping()[0] / _DOUBLING)
                return replace(start, mass=min(max(start.mass * factor, 1e-6), 100.0))
        return replace(start, x=min(max(start.x + dx, -1.0), 1.0), y=min(max(start.y + dy, -1.0), 1.0))

    def release(self, touch: Touch) -> None:
        """Let go: one step."""
        self._handle, self._start = "", None
        self.document.end_stroke()

    def cancel(self) -> None:
        """Take a drag back; without one, choose none."""
        if self.document.stroking:
            self.document.cancel_stroke()
        else:
            self.kit.choose(None)
        self._handle, self._start = "", None

    def delete(self) -> None:
        """Delete the chosen component."""
        index = self.chosen
        if index is not None and not self.document.stroking:
            components = self.document.components
            self.kit.choose(None)
            self.document.do(ChangeComponents(components[:index] + components[index + 1 :], "deleting a Gaussian"))

    def key(self, event: QKeyEvent) -> bool:
        """Delete deletes; Tab is left to the window, N chooses the next component."""
        if event.key() == Qt.Key.Key_N and self.document.components:
            count = len(self.document.components)
            self.kit.choose(((-1 if self.chosen is None else self.chosen) + 1) % count)
            return True
        return False

    # --- marks

    def reading(self) -> str:
        """The chosen component's mass and share."""
        if self.chosen is None:
            return self.amount()
        c = self.document.components[self.chosen]
        whole = mass_of(self.document.paint, self.document.components)
        return f"mass {three(c.mass)}  share {share(c.mass / whole)}"

    def knobs(self) -> list[QPointF]:
        """The centres, and the handles of the chosen one."""
        centres = [self.canvas.to_pixel(c.x, c.y) for c in self.document.components]
        return [*centres, *self.handles().values()]

    def paint(self, painter: QPainter, pointer: Point | None) -> None:
        """Every component's centre; the chosen one's ellipse and handles."""
        unit = self.canvas.mapping()[0]
        for index, c in enumerate(self.document.components):
            at = self.canvas.to_pixel(c.x, c.y)
            if index != self.chosen:
                self.knob(painter, at)
                continue
            places = self._handles(c)
            for pen in self.pens():
                painter.setPen(pen)
                painter.save()
                painter.translate(at)
                painter.rotate(-c.angle)
                rx, ry = _RIM * c.along * unit, _RIM * c.across * unit
                painter.drawEllipse(QRectF(-rx, -ry, 2 * rx, 2 * ry))
                painter.restore()
                painter.drawLine(places["along"], places["angle"])
                painter.drawLine(places["mass"] - QPointF(0, 12), places["mass"] + QPointF(0, 12))
            for name, place in places.items():
                self.knob(painter, place, round_=name != "mass")


def _rounded(c: Component) -> Component:
    """To what can be read in the drawer: thousandths of the plane's unit, tenths of a degree, three figures."""
    lengths = {name: round(getattr(c, name), 3) for name in ("x", "y", "along", "across")}
    return replace(c, angle=round(c.angle, 1), mass=float(f"{c.mass:.3g}"), **lengths)


def _clipped(spread: float) -> float:
    return min(max(abs(spread), _LOW), _HIGH)
