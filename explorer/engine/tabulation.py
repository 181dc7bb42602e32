"""The tables from which all panes of a release read their scores, built in the order in which they are needed.

One `TabulatedScore` for each distinct model, shared by the panes that run on it. A table pays where its noise level is
asked for more often than it has nodes: n^2 nodes cost as much as n^2 particles, for a network; a density fills the
whole lattice in a millisecond or two, while 10,000 particles would cost it twenty. So the ladder of annealed Langevin
dynamics, hundreds of steps a level, reads from tables, and the three hundred levels of a diffusion, one step each, do
so where n^2 is below the number of particles that ask (64^2 = 4,096 nodes from sigma = 0.06 up). What is left asks the
model itself, and has no table's error.

Errors of at most `MEASURED` tables of a pane are measured, evenly over its ladder.

**When.** A table that is built only when it is asked for holds up its run for as long as that takes, a tenth of a
second for the finest. So with every step of the clock some of the work ahead is done: of all rates of work that have
each table ready in time the least, max over tables k of (pieces up to k that are left) / (steps until k is needed).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from time import perf_counter

import numpy as np

from explorer.engine.releases import PaneRun
from trainer.models import TrueScore
from trainer.tables import TabulatedScore

MEASURED = 32
"""Noise levels of a pane at most whose table's error is measured."""

MARGIN = 1.25
"""A table must save this many times its own cost: its error is to be measured too."""


class Tabulation:
    """The tables of some panes, and which of them are there."""

    def __init__(self, panes: Sequence[PaneRun], clocks: int) -> None:
        self._errors: dict[int, dict[float, float]] = {}
        plan: list[tuple[int, TabulatedScore, float, bool]] = []  # clock, tables, sigma, whether to measure
        groups: defaultdict[int, list[PaneRun]] = defaultdict(list)
        for pane in panes:
            if not pane.note and not pane.sampler.needs_log_prob:
                groups[id(pane.model)].append(pane)
        for group in groups.values():
            plan += self._plan(group, clocks)
        plan.sort(key=lambda item: item[0])
        self._needed = [clock for clock, *_ in plan]
        self._built = 0
        self._building = self._build(plan)
        self._pieces = np.cumsum([tables.pieces(sigma, measured) for _, tables, sigma, measured in plan])
        self._done = 0  # pieces
        self._owed = 0.0

    def _plan(self, group: list[PaneRun], clocks: int) -> list[tuple[int, TabulatedScore, float, bool]]:
        """What to build for panes on one model."""
        tables = TabulatedScore(group[0].model)
        self._errors[id(tables)] = {}
        first: dict[float, int] = {}
        asks: defaultdict[float, int] = defaultdict(int)
        for pane in group:
            for sigma, step in pane.first_asked().items():
                clock = pane.begins(step, clocks)
                first[sigma] = min(first.get(sigma, clock), clock)
                asks[sigma] += pane.asks(sigma) * len(pane.points)
        cheap = isinstance(tables.model, TrueScore)
        pays = {s for s in first if cheap or asks[s] > MARGIN * tables.nodes(s) ** 2}
        tables.leave(first.keys() - pays)
        for pane in group:
            pane.use(tables, asked=not pays.issuperset(pane.first_asked()))
        measured: set[float] = set()
        for pane in group:
            ladder = [sigma for sigma in pane.first_asked() if sigma in pays]
            measured.update(sorted(ladder, reverse=True)[:: max(1, -(-len(ladder) // MEASURED))])
        return [(first[sigma], tables, sigma, sigma in measured) for sigma in sorted(pays, reverse=True)]

    def _build(self, plan: list[tuple[int, TabulatedScore, float, bool]]) -> Iterator[None]:
        for _, tables, sigma, measured in plan:
            yield from tables.measure(sigma) if measured else tables.prepare(sigma)
            if measured:
                self._errors[id(tables)][sigma] = tables.error(sigma)
            self._built += 1

    def _work(self) -> bool:
        """Do one piece of the next table; False when all are built."""
        if next(self._building, True):
            return False
        self._done = max(self._done, int(self._pieces[self._built - 1]) if self._built else 0) + 1
        return True

    def ahead(self, clock: int) -> None:
        """Do the part of the work ahead that falls to this step of the clock."""
        if self._built < len(self._needed):
            left = self._pieces[self._built :] - self._done
            self._owed += float(np.max(left / np.maximum(np.array(self._needed[self._built :]) - clock, 1)))
        while self._owed >= 1 and self._work():
            self._owed -= 1

    def ready(self, clock: int, deadline: float | None) -> bool:
        """Build what the step after this moment needs, as far as the deadline allows; whether it is there."""
        while self._built < len(self._needed) and self._needed[self._built] <= clock:
            if deadline is not None and perf_counter() > deadline:
                return False
            self._work()
        return True

    def error(self, pane: PaneRun) -> float:
        """The largest error measured so far of the tables that this pane reads from; 0 if it reads from none."""
        errors = self._errors.get(id(pane.tables), {})
        return max((error for sigma, error in errors.items() if sigma in pane.ladder), default=0.0)
