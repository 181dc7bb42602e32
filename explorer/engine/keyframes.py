"""The past of the weights: snapshots kept on a logarithmic grid of training steps, within a stated memory.

What a network learns in its first hundred steps is as much as in the next thousand, so moments are worth keeping evenly
in log(step). The finest grid is step 0 and

    round(2^(j / PER_OCTAVE)),   j = 0, 1, 2, ...,

every step at first, then eight a doubling: 63 snapshots up to step 1,000, 90 up to step 10,000. When the memory is
full, the grid is thinned to every second j, which leaves it logarithmic; the coarse grid's steps are steps of the fine
one, so that no kept step is ever off the grid. Which steps are kept depends on step numbers and sizes alone.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from trainer.learned import LearnedScore

PER_OCTAVE = 8
"""Steps of the finest grid in each doubling."""

_COARSEST = 64 * PER_OCTAVE


class Keyframes:
    """Snapshots of one run, the earliest first; they take at most `limit` bytes."""

    def __init__(self, limit_bytes: int = 64 * 1024 * 1024) -> None:
        self._limit = limit_bytes
        self._stride = 1
        self._kept: dict[int, LearnedScore] = {}

    @property
    def limit(self) -> int:
        """The most bytes that the weights may take."""
        return self._limit

    @property
    def bytes(self) -> int:
        """What the kept weights take."""
        return sum(_size(model) for model in self._kept.values())

    @property
    def steps(self) -> NDArray[np.float32]:
        """The kept training steps, (k,), ascending."""
        return np.fromiter(self._kept, np.float32, len(self._kept))

    def due(self, step: int) -> bool:
        """Whether the weights as they are at this step belong on the grid as it is now."""
        return on_grid(step, self._stride)

    def add(self, step: int, model: LearnedScore) -> None:
        """Keep the weights of this step, later than all that are kept; thins the grid where the memory is full.

        A step that the thinned grid does not have is not kept, nor is a snapshot larger than the whole memory.

        Raises:
            ValueError: the step is not later than the last one kept.
        """
        if self._kept and step <= next(reversed(self._kept)):
            raise ValueError(f"step {step} is not later than the last one kept; clear the keyframes first")
        self._kept[step] = model
        self._fit()

    def at(self, step: int) -> LearnedScore | None:
        """The snapshot of this step, or the last one before it; None when nothing is kept so early."""
        earlier = [kept for kept in self._kept if kept <= step]
        return self._kept[earlier[-1]] if earlier else None

    def set_limit(self, limit_bytes: int) -> None:
        """Take at most so many bytes from now on; thins at once where they are less."""
        self._limit = limit_bytes
        self._fit()

    def clear(self) -> None:
        """Forget everything, for another run; the grid is the finest again."""
        self._kept.clear()
        self._stride = 1

    def _fit(self) -> None:
        """Thin until what is kept fits into the memory."""
        while self._kept and self.bytes > self._limit:
            self._stride *= 2
            if self._stride > _COARSEST:
                self._kept.clear()
                self._stride = 1
            self._kept = {step: model for step, model in self._kept.items() if on_grid(step, self._stride)}


def on_grid(step: int, stride: int = 1) -> bool:
    """Whether a step is on the grid round(2^(j / PER_OCTAVE)), j a multiple of `stride`; step 0 always is."""
    if step < 1:
        return step == 0
    nearest = math.log2(step) * PER_OCTAVE / stride
    around = {math.floor(nearest), math.ceil(nearest), round(nearest)}
    return any(round(2 ** (j * stride / PER_OCTAVE)) == step for j in around)


def _size(model: LearnedScore) -> int:
    return model.weights.numel() * model.weights.element_size()
