"""How far the particles are from the truth, as the run goes on.

At `MEASUREMENTS` evenly spaced moments of a run the places of the first `COMPARED` particles of each pane are put
aside. Their sliced Wasserstein distance W_2 (`trainer.distances`, `AXES` directions) to p_sigma, at the pane's smallest
sigma, is worked out later, a piece at a time, when somebody wants to see it.

Draws of the density itself do not lie at no distance, but at one that falls like N^-1/2: the **floor** is its mean over
`CLOUDS` clouds of as many draws.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from time import perf_counter

import numpy as np
import torch

from explorer.engine.frames import Array
from explorer.engine.releases import PaneRun
from trainer.densities import Density
from trainer.distances import Projections, projecting, sliced_wasserstein_to_density
from trainer.errors import InputError
from trainer.kernels import GAUSSIAN

MEASUREMENTS = 60
COMPARED = 2000
AXES = 8
CLOUDS = 8
_FLOOR_SEED = 0


class Truth:
    """A density's projections at the noise levels that were asked for; worth keeping while the painting stands."""

    def __init__(self, density: Density) -> None:
        self.density = density
        self.known: dict[float, Projections | None] = {}
        """By noise level; None where this density has none."""
        self.floors: dict[tuple[float, int], float] = {}
        """By noise level and number of draws."""

    def prepare(self, sigma: float) -> Iterator[None]:
        """Work them out in pieces of a few milliseconds; they are there when the iterator ends."""
        if sigma in self.known:
            return
        try:
            self.known[sigma] = yield from projecting(self.density, sigma, AXES)
        except InputError:  # a density that is no mixture: there is no curve then
            self.known[sigma] = None

    def find_floor(self, sigma: float, number: int) -> Iterator[None]:
        """Work out how far so many draws of the density lie from it, in pieces; after `prepare`."""
        known = self.known[sigma]
        if known is None or (sigma, number) in self.floors:
            return
        generator = torch.Generator().manual_seed(_FLOOR_SEED)
        found = []
        for _ in range(CLOUDS):
            draws = self.density.sample(number, sigma, generator=generator)
            found.append(sliced_wasserstein_to_density(draws, known))
            yield
        self.floors[sigma, number] = float(np.mean(found))


class Nearness:
    """The distances of one release, by pane."""

    def __init__(self, panes: Sequence[PaneRun], clocks: int, truth: Truth) -> None:
        self._panes, self._clocks, self._truth = panes, clocks, truth
        self._moments = {round(k * clocks / MEASUREMENTS) for k in range(MEASUREMENTS + 1)}
        self._waiting: deque[tuple[int, Array]] = deque()
        self._working: Iterator[None] | None = None
        self._times: list[list[int]] = [[] for _ in panes]
        self._values: list[list[float]] = [[] for _ in panes]

    def add(self, step: int, places: Array) -> None:
        """Put these places aside if they are to be measured."""
        if step in self._moments:
            self._waiting.append((step, places[:, :COMPARED].copy()))

    @property
    def due(self) -> bool:
        """Whether any places wait to be measured."""
        return bool(self._waiting)

    def measure(self, deadline: float | None) -> bool:
        """Measure what was put aside, as far as the deadline allows; True when nothing is left."""
        while self._waiting:
            self._working = self._working or self._measure(*self._waiting[0])
            for _ in self._working:
                if deadline is not None and perf_counter() > deadline:
                    return False
            self._working = None
            self._waiting.popleft()
        return True

    def _measure(self, step: int, places: Array) -> Iterator[None]:
        for index, pane in enumerate(self._panes):
            if pane.note or pane.model.kernel != GAUSSIAN:
                continue
            yield from self._truth.prepare(pane.smallest)
            known = self._truth.known[pane.smallest]
            if known is not None:
                self._values[index].append(sliced_wasserstein_to_density(places[index], known))
                self._times[index].append(step)
                yield
                yield from self._truth.find_floor(pane.smallest, places.shape[1])

    def floor(self, pane: int) -> Array:
        """The floor of this pane's distance (1,), or (0,) while it is not known."""
        found = self._truth.floors.get((self._panes[pane].smallest, min(len(self._panes[pane].points), COMPARED)))
        return np.zeros(0, np.float32) if found is None else np.array([found], np.float32)

    def until(self, pane: int, step: int) -> tuple[Array, Array]:
        """Fractions of the run (j,) and distances then (j,), up to this step."""
        times = np.asarray(self._times[pane], np.float32)
        values = np.asarray(self._values[pane], np.float32)
        seen = times <= step
        return times[seen] / np.float32(max(self._clocks, 1)), values[seen]
