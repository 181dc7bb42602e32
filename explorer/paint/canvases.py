"""What a document may hold: square paintings of 32 to 256 cells a side, in [0, 1], and whole numbers as seeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from explorer.brush import LARGEST_SIZE, SMALLEST_SIZE
from trainer.components import composite
from trainer.errors import InputError
from trainer.projects import Setup

_SIDES = f"{SMALLEST_SIZE} x {SMALLEST_SIZE} to {LARGEST_SIZE} x {LARGEST_SIZE}"


def checked_paint(weights: NDArray[np.floating]) -> NDArray[np.float32]:
    """A read-only copy of a painting for the canvas: (n, n) float32, its maximum at most 1.

    Raises:
        InputError: another shape, or values that are negative or not finite.
    """
    array = np.asarray(weights)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or not SMALLEST_SIZE <= len(array) <= LARGEST_SIZE:
        shape = " x ".join(str(n) for n in array.shape)
        raise InputError(f"painting: {shape} values do not fit the canvas; give {_SIDES}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all() or (array < 0).any():
        raise InputError("painting: some weights are negative or not finite; give numbers of 0 or more")
    paint = (array / max(1.0, array.max())).astype(np.float32) + np.float32(0)  # -0 becomes 0
    paint.flags.writeable = False
    return paint


def checked_setup(setup: Setup) -> Setup:
    """The setup with its paint and its composite as a document holds them.

    Raises:
        InputError: a painting that does not fit the canvas.
    """
    if not setup.components:
        return replace(setup, weights=checked_paint(setup.weights), paint=None)
    paint = checked_paint(setup.weights if setup.paint is None else setup.paint)
    return replace(setup, weights=composite(paint, setup.components), paint=paint)


def checked_size(size: int) -> int:
    """A number of cells along a side.

    Raises:
        InputError: it is out of range.
    """
    if isinstance(size, bool) or not isinstance(size, int) or not SMALLEST_SIZE <= size <= LARGEST_SIZE:
        raise InputError(f"cells: {size!r}; give a whole number from {SMALLEST_SIZE} to {LARGEST_SIZE}")
    return size


def checked_seed(seed: int) -> int:
    """A seed.

    Raises:
        InputError: not a whole number of 0 or more.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise InputError(f"seed: {seed!r} is not a seed; give a whole number from 0 to {2**63 - 1}")
    return seed
