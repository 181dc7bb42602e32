"""Where in the plane the learned score is wrong.

At each lattice point, with d = s_learned - s_true,

    relative   |d| / rms,     rms^2 = sum p_sigma |s_true|^2 / sum p_sigma  over the lattice,
    absolute   |d|,
    angle      between the two, from 0 to 180 degrees: atan2(|s_l x s_t|, s_l . s_t), which has no seam,

each, where asked for, times p_sigma over its largest value in view: where it matters to a particle that is drawn from
p_sigma. Scales are logarithmic and fixed by the truth alone, so that colours mean the same all through training.

Hatched is where fewer than one of the points that a training block draws is expected in a cell of the lattice: nothing
has been asked of the learner there, and what it says is a guess (Song & Ermon 2019, section 3.2).

Values come from the frame's maps; until there are any that show the frame's range, from the frame's own lattice, which
knows no p_sigma to hatch by.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget

from explorer.engine.messages import Frame
from explorer.numbers import three
from explorer.theme import Theme
from explorer.viewing import Viewing, ViewOptions
from explorer.views.field import fitting_maps
from explorer.views.ground import Ground
from explorer.views.pins import paint_pins, pins_of
from explorer.views.plane import PlaneRange, PlaneView
from explorer.views.scales import Scale, decade_scale, hatch_image, nice, paint_strip
from explorer.views.texture import resampled

Floats = NDArray[np.float32]

DECADES = 2
"""How many decades of an error are told apart."""

_WORDS = {"relative": "|s − s*| / rms |s*|", "absolute": "|s − s*|", "angle": "angle between s and s*"}


@dataclass(frozen=True)
class Errors:
    """All errors on a lattice over a range, row 0 at the bottom; `expected` is empty where it is not known."""

    absolute: Floats
    relative: Floats
    angle: Floats
    weight: Floats
    expected: Floats
    rms: float


def errors_of(frame: Frame) -> Errors:
    """The errors of a frame over its range, on the lattice of its maps or on its own."""
    maps = fitting_maps(frame)
    if maps is not None:
        learned, true, expected = maps.learned, maps.true, maps.expected
        weight = np.exp(maps.log_p - maps.log_p.max())
    else:
        learned, true, expected = frame.learned, frame.true, np.zeros((0, 0), np.float32)
        weight = _coarse(frame.ground, len(true))
    difference = np.linalg.norm(learned - true, axis=2)
    power = float((weight * np.square(true).sum(axis=2)).sum() / max(float(weight.sum()), 1e-30))
    rms = math.sqrt(power) if power > 0 else 1.0
    cross = np.abs(learned[..., 0] * true[..., 1] - learned[..., 1] * true[..., 0])
    angle = np.degrees(np.arctan2(cross, (learned * true).sum(axis=2)))
    return Errors(difference, difference / np.float32(rms), angle, weight, expected, rms)


def _coarse(ground: Floats, n: int) -> Floats:
    """The ground (m, m) at the cell centres of a lattice of n cells; ones where there is no ground."""
    m = len(ground)
    if not m:
        return np.ones((n, n), np.float32)
    at = np.minimum(((np.arange(n) + 0.5) * m / max(n, 1)).astype(int), m - 1)
    return ground[np.ix_(at, at)]


class ErrorMapView(PlaneView):
    """The error of the learned score as a map with a scale."""

    wants = frozenset({"fine"})

    def __init__(self, plane_range: PlaneRange, viewing: Viewing | None = None, parent: QWidget | None = None) -> None:
        super().__init__(
            plane_range,
            "Error map",
            "How wrong the learned score is at each place. Arrow keys move a cross-hair that reads the errors.",
            parent,
            viewing,
        )
        self.ground = Ground(Theme.error_table)
        self._errors: Errors | None = None
        self._hatch: tuple[tuple[object, ...], QImage, NDArray[np.uint32]] | None = None
        self._explain()

    @property
    def scale_of_values(self) -> Scale:
        """The scale in use."""
        rms = self._errors.rms if self._errors is not None else 1.0
        if self.options.error == "angle":
            return decade_scale(100.0, DECADES, "°")
        return decade_scale(1.0 if self.options.error == "relative" else nice(rms), DECADES)

    def values(self) -> Floats:
        """What is drawn (n, n), row 0 at the bottom."""
        errors = self._errors
        if errors is None:
            return np.zeros((0, 0), np.float32)
        chosen: Floats = getattr(errors, self.options.error)
        return chosen * errors.weight if self.options.weighted else chosen

    def looks_like(self, before: Frame, frame: Frame) -> bool:
        """Whether both frames hold the same fields and maps."""
        same = frame.fields_version > 0 and before.fields_version == frame.fields_version and before.run == frame.run
        versions = [-1 if f.maps is None else f.maps.version for f in (before, frame)]
        return same and versions[0] == versions[1] and np.array_equal(pins_of(before), pins_of(frame))

    def lay_ground(self, frame: Frame) -> bool:
        """Lay the map."""
        before, self._errors = self._errors, errors_of(frame)
        if before is None or not np.array_equal(before.expected, self._errors.expected):
            self._hatch = None  # which what is learned meanwhile does not change
        return self.ground.show(self.scale_of_values.place(self.values()), frame.centre, frame.half_width)

    def set_options(self, options: ViewOptions) -> None:
        """Draw by these options from now on."""
        super().set_options(options)
        self._explain()

    def _explain(self) -> None:
        weighted = ", times p_σ over its maximum" if self.options.weighted else ""
        hatch = " Hatched: fewer than one training point is expected in a cell." if self.options.hatched else ""
        self.setToolTip(f"{_WORDS[self.options.error]}{weighted}.{hatch}")

    def caption(self) -> str:
        """The noise level and what is shown."""
        if self.frame is None:
            return ""
        kind = self.options.error + (" × p_σ" if self.options.weighted else "")
        return f"σ {three(self.frame.sigma)}, {kind}"

    def reading(self) -> str:
        """The errors under the cursor; without one, the root mean square that relative errors refer to."""
        errors, frame = self._errors, self.frame
        if errors is None or frame is None:
            return ""
        at = cell_at(self.cursor_point, frame, len(errors.absolute))
        if at is None:
            return f"rms |s*| = {three(errors.rms)}"
        absolute, relative, angle = (float(v[at]) for v in (errors.absolute, errors.relative, errors.angle))
        words = f"|s − s*| {three(absolute)}, {three(relative)} of rms, {angle:.0f}°"
        return words + (f", {three(float(errors.expected[at]))} drawn" if errors.expected.size else "")

    def let_go(self) -> None:
        """Free the ground's pictures and the hatch."""
        super().let_go()
        self._hatch = None

    def paint_marks(self, painter: QPainter, square: QRect) -> None:
        """The hatch, and the scale."""
        frame, errors = self.frame, self._errors
        if frame is None or errors is None:
            return
        hatched = self.options.hatched and errors.expected.size > 0
        if hatched:
            unit, ox, oy = self.mapping()
            (cx, cy), half = frame.centre, frame.half_width
            side = 2 * half * unit
            size = round(min(side, 2.0 * square.width()))
            key = (size, self.theme)
            if self._hatch is None or self._hatch[0] != key:
                fine = resampled(np.log(np.maximum(errors.expected, 1e-30)), size)
                self._hatch = (key, *hatch_image(fine < 0, self.theme))
            painter.drawImage(QRectF(ox + unit * (cx - half), oy - unit * (cy + half), side, side), self._hatch[1])
        words = "no data" if hatched else ""
        paint_strip(painter, square, self.theme, self.scale, self.ground.table(self.theme), self.scale_of_values, words)
        paint_pins(painter, self)


def cell_at(point: tuple[float, float] | None, frame: Frame, n: int) -> tuple[int, int] | None:
    """Row and column of the lattice cell over the frame's range in which a point lies; None outside."""
    if point is None or n == 0:
        return None
    (cx, cy), half = frame.centre, frame.half_width
    col = math.floor((point[0] - cx + half) / (2 * half) * n)
    row = math.floor((point[1] - cy + half) / (2 * half) * n)
    return (row, col) if 0 <= col < n and 0 <= row < n else None
