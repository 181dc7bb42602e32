"""What the curves show: a thinned history of the loss, and the errors at the steps where they were measured."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from explorer.engine.messages import ERROR_SIGMAS, Array

_KEEP = 512


@dataclass
class LossHistory:
    """Means of the loss over equal blocks of steps; the blocks double in length when there are more than 512.

    A live run has no end, so its history must not grow with it.
    """

    block: int = 1
    rows: list[tuple[float, float, float]] = field(default_factory=list)
    _sum: float = 0.0
    _count: int = 0
    _table: Array | None = None

    def add(self, step: int, seconds: float, loss: float) -> None:
        """Note the loss of one training step."""
        self._sum += loss
        self._count += 1
        if self._count < self.block:
            return
        self.rows.append((step, seconds, self._sum / self._count))
        self._sum, self._count = 0.0, 0
        self._table = None
        if len(self.rows) > _KEEP:
            pairs = zip(self.rows[0::2], self.rows[1::2], strict=False)
            self.rows = [(b[0], b[1], (a[2] + b[2]) / 2) for a, b in pairs]
            self.block *= 2

    def arrays(self) -> tuple[Array, Array, Array]:
        """Steps, seconds and losses, each (k,)."""
        if self._table is None:
            self._table = np.array(self.rows, np.float32).reshape(-1, 3)
        return self._table[:, 0], self._table[:, 1], self._table[:, 2]


@dataclass
class ErrorHistory:
    """Relative Fisher errors, a row for every step at which they were measured."""

    rows: dict[int, list[float]] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)

    def add(self, step: int, seconds: float, level: int, error: float) -> None:
        """Note the error at `ERROR_SIGMAS[level]` of the weights as they were at `step`."""
        row = self.rows.setdefault(step, [0.0] * len(ERROR_SIGMAS))
        row[level] = error
        self.seconds[step] = seconds
        if len(self.rows) > _KEEP:
            for old in list(self.rows)[1 : _KEEP // 2 : 2]:
                del self.rows[old], self.seconds[old]

    def arrays(self) -> tuple[Array, Array, Array]:
        """Steps (j,), seconds (j,) and errors (j, levels); 0 stands for not measured."""
        steps = np.array(list(self.rows), np.float32)
        seconds = np.array([self.seconds[step] for step in self.rows], np.float32)
        return steps, seconds, np.array(list(self.rows.values()), np.float32).reshape(-1, len(ERROR_SIGMAS))


def next_measurement(since_edit: int) -> int:
    """How many steps after an edit (or the start) the errors are measured next, given how many have passed.

    Geometric, so that early learning is seen and later training is not slowed: 50, 100, 200, ... at most 2,000 apart.
    """
    return since_edit + min(2000, max(50, since_edit))
