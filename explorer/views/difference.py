"""What the learned score still lacks: learned minus true, in the ink of errors.

Drawn like the fields, but magnified: as training goes on the difference becomes a small part of the score and its
arrows would vanish. The view says how many times larger they are than the fields' arrows: 1, 10, 100 or 1,000 times,
the power of ten that brings the median difference nearest to s_half. It moves on only when the difference has left
that decade by a quarter, so that it does not flicker between two of them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QWidget

from explorer.engine.messages import Frame
from explorer.numbers import three
from explorer.viewing import Viewing
from explorer.views.arrows import half_length_score
from explorer.views.field import FieldView, fitting_maps
from explorer.views.plane import PlaneRange

MOST = 3
"""The largest power of ten by which differences are magnified."""

_HOLD = 0.75  # decades between the present magnification and the one that fits, before it follows


class DifferenceView(FieldView):
    """Learned minus true score at the frame's noise level, over the density at that level."""

    def __init__(self, plane_range: PlaneRange, viewing: Viewing | None = None, parent: QWidget | None = None) -> None:
        self._power = 0
        super().__init__("error", plane_range, viewing, parent, name="difference of learned and true")
        self.setAccessibleName("Difference of the scores")

    def field(self, frame: Frame) -> NDArray[np.float32]:
        """Learned minus true (n, n, 2), over the frame's range."""
        maps = fitting_maps(frame) if self.options.style != "arrows" else None
        source = frame if maps is None else maps
        return source.learned - source.true

    def magnified(self, frame: Frame) -> float:
        """How many times larger than in the fields of scores a vector is drawn."""
        return 10.0**self._power

    def show_frame(self, frame: Frame) -> None:
        """Draw this moment from now on."""
        difference = frame.learned - frame.true
        size = float(np.median(np.hypot(difference[..., 0], difference[..., 1]))) if difference.size else 0.0
        self._power = next_power(self._power, half_length_score(frame.true), size)
        super().show_frame(frame)

    def caption(self) -> str:
        """The noise level, and how large arrows are drawn."""
        if self.frame is None:
            return ""
        return super().caption() + (f", ×{10**self._power:,}" if self._power else "")

    def probed(self, at: tuple[float, float], learned: tuple[float, float], true: tuple[float, float]) -> str:
        """The size of the difference, and of the true score."""
        size = math.hypot(learned[0] - true[0], learned[1] - true[1])
        return f"|s − s*| = {three(size)} of |s*| = {three(math.hypot(*true))}"


def next_power(power: int, score: float, difference: float) -> int:
    """The power of ten that magnifies this difference nearest to this score, holding on to the present one."""
    if not (difference > 0 and score > 0):
        return power
    wanted = math.log10(score / difference)
    if abs(wanted - power) <= _HOLD:
        return power
    return min(max(math.floor(wanted + 0.5), 0), MOST)
