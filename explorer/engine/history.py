"""What the curves show: a thinned history of the loss, and the errors at the steps where they were measured."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from explorer.engine.messages import ERROR_SIGMAS, Array

_KEEP = 512


class LossHistory:
    """Means of the loss over equal blocks of steps; the blocks double in length when there are more than 512.

    A live run has no end, so its history must not grow with it.
    """

    def __init__(self) -> None:
        self.block = 1
        """Steps in a block."""
        self._rows = np.zeros((_KEEP + 1, 3), np.float32)
        self._filled = 0
        self._sum, self._count = 0.0, 0

    def add(self, step: int, seconds: float, loss: float) -> None:
        """Note the loss of one training step."""
        self._sum += loss
        self._count += 1
        if self._count < self.block:
            return
        self._rows[self._filled] = step, seconds, self._sum / self._count
        self._filled += 1
        self._sum, self._count = 0.0, 0
        if self._filled > _KEEP:
            first, second = self._rows[0:_KEEP:2], self._rows[1:_KEEP:2]
            self._filled = len(second)
            self._rows[: self._filled] = np.column_stack([second[:, :2], (first[:, 2] + second[:, 2]) / 2])
            self.block *= 2

    def arrays(self) -> tuple[Array, Array, Array]:
        """Steps, seconds and losses, each (k,)."""
        rows = self._rows[: self._filled].copy()
        return rows[:, 0], rows[:, 1], rows[:, 2]


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
