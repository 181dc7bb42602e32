"""What is remembered of a release: moments that can be shown again, trails, and one particle's way.

**Kept** are the places of all particles at evenly spaced steps within `MEMORY` bytes, and besides at the last `RECENT`
steps, in as much again: a whole run can be scrubbed through, and the last moments step by step. **Trails** are the ways
of the first `TRAILED` particles, a point every eight-hundredth of the run. The **way** of the followed particle comes
from what is kept up to the moment at which it was chosen, and from there on from every step (at most `POINTS` in all).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque

import numpy as np

from explorer.engine.frames import Array

MEMORY = 32 << 20
RECENT = 48
TRAILED = 100
MOMENTS = 16
"""Points of a trail."""

POINTS = 4000


class Kept:
    """The places (P, N, 2) of all particles at some steps of the clock."""

    def __init__(self, steps: int, size: int, memory: int = MEMORY) -> None:
        """Keep moments of `size` bytes each, of a run of so many steps."""
        room = max(memory // max(size, 1), 2)
        self.every = max(1, -(-steps // (room - 1)))
        self._spaced: dict[int, Array] = {}  # rising
        self._recent: deque[tuple[int, Array]] = deque(maxlen=min(RECENT, room))

    def add(self, step: int, places: Array) -> None:
        """Keep this moment, later than all before it."""
        if step % self.every == 0:
            self._spaced[step] = places
        self._recent.append((step, places))

    def steps(self) -> list[int]:
        """The steps that can be shown, rising."""
        return sorted({*self._spaced, *(step for step, _ in self._recent)})

    def before(self, step: int) -> int:
        """The last kept step that is not after this one; the first kept if there is none."""
        known = self.steps()
        return known[max(bisect_right(known, step) - 1, 0)]

    def at(self, step: int) -> Array:
        """The places at a kept step."""
        found = self._spaced.get(step)
        return found if found is not None else next(places for kept, places in self._recent if kept == step)

    @property
    def bytes(self) -> int:
        """Memory in use."""
        return sum(
            {id(a): a.nbytes for a in (*self._spaced.values(), *(places for _, places in self._recent))}.values()
        )


class Trails:
    """The ways of the first particles of every pane, thinned."""

    def __init__(self, steps: int) -> None:
        self._every = max(1, steps // 800)
        self._steps: list[int] = []
        self._places: list[Array] = []

    def add(self, step: int, places: Array) -> None:
        """Remember the moment, if it is one of those that count."""
        if step % self._every == 0:
            self._steps.append(step)
            self._places.append(places[:, :TRAILED].copy())

    def before(self, step: int, present: Array) -> Array:
        """(P, T, K, 2): the last moments up to this step, oldest first, and where the particles are then."""
        last = bisect_right(self._steps, step)
        moments = self._places[max(last - MOMENTS, 0) : last]
        return np.stack([*moments, present[:, :TRAILED]], axis=1)


class Way:
    """The way of one particle in every pane."""

    def __init__(self, particle: int, steps: int, kept: Kept) -> None:
        self.particle = particle
        self._every = max(1, steps // POINTS)
        self._steps = kept.steps()
        self._places = [kept.at(step)[:, particle].copy() for step in self._steps]

    def add(self, step: int, places: Array) -> None:
        """Go on to this step."""
        if step % self._every == 0:
            self._steps.append(step)
            self._places.append(places[:, self.particle].copy())

    def until(self, step: int, present: Array) -> Array:
        """(P, k, 2): from the release to this step; ends where the particle is then."""
        last = bisect_right(self._steps, step)
        return np.stack([*self._places[:last], present[:, self.particle]], axis=1)
