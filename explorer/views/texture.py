"""A field as a texture: noise smeared along its streamlines.

Line-integral convolution (Cabral & Leedom 1993): the value of a pixel is the mean of a fixed white noise along the
streamline through it,

    I(x) = 1 / (2 L + 1) sum_{k = -L}^{L} noise(phi_k(x)),

phi_k the position k steps along the field's direction. Pixels on one streamline share most of their terms and look
alike, pixels on neighbouring streamlines do not: the eye sees threads. The noise never changes, so that equal fields
have equal textures and training makes them flow rather than flicker.

All pixels step at once, a gather of the direction and one of the noise a step; positions stay in float32 and the
nearest pixel answers. numpy only.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LENGTH = 9
"""Steps to either side."""

STEP = 1.2
"""Their length in pixels."""

LARGEST = 256
"""The texture has at most this many pixels a side; a larger view scales it."""

_FRAME = 2  # pixels all round in which nothing moves, so that no position has to be cut: more than a step


def texture(field: NDArray[np.float32], size: int) -> Floats:
    """The convolution (size, size) in [0, 1] of a field (n, n, 2) over the same square, row 0 at the bottom.

    Its contrast is that of its ranks' middle: 0 and 1 lie two standard deviations from the mean. Where the field is not
    finite or vanishes, it is the noise itself.
    """
    unit = _directions(field, size)
    noise = _noise(size)
    total = noise.copy()
    side = size + 2 * _FRAME
    flow = np.pad(unit, _FRAME).ravel()
    padded = np.pad(noise, _FRAME, mode="edge").ravel()
    row, col = np.divmod(np.arange(size * size, dtype=np.int32), np.int32(size))
    start = (col + np.float32(_FRAME + 0.5)) + 1j * (row + np.float32(_FRAME + 0.5))
    total = total.ravel()
    for sign in (1, -1):
        at = start.astype(np.complex64)
        signed = flow * np.float32(sign * STEP)
        index = (row + np.int32(_FRAME)) * np.int32(side) + col + np.int32(_FRAME)
        for _ in range(LENGTH):
            at += signed.take(index)
            index = at.imag.astype(np.int32)
            index *= np.int32(side)
            index += at.real.astype(np.int32)
            total += padded.take(index)
    total -= total.mean()
    deviation = float(total.std())
    total *= np.float32(0.25 / deviation if deviation > 0 else 0.0)
    total += np.float32(0.5)
    return np.clip(total, 0.0, 1.0, out=total).reshape(size, size)


def resampled(values: NDArray[np.floating], size: int) -> Floats:
    """Values (n, n, ...) on cell centres as (size, size, ...) on those of a finer lattice of the same square."""
    low, high, part = _neighbours(len(values), size)
    fine: Floats = values.astype(np.float32)
    for axis in (0, 1):  # no product of matrices: numpy's would wait for the processors on which the engine computes
        share = part.reshape((-1,) + (1,) * (fine.ndim - 1 - axis))
        below, above = fine.take(low, axis), fine.take(high, axis)
        above -= below
        above *= share
        above += below
        fine = above
    return fine


def _directions(field: NDArray[np.float32], size: int) -> NDArray[np.complex64]:
    """Unit vectors (size, size) as complex numbers; 0 where the field has none."""
    values = np.nan_to_num(field, nan=0.0, posinf=0.0, neginf=0.0)
    magnitude = np.hypot(values[..., 0], values[..., 1])
    unit = values / np.maximum(magnitude, np.float32(1e-30))[..., None]
    fine = resampled(unit, size)
    flow = np.empty((size, size), np.complex64)
    flow.real, flow.imag = fine[..., 0], fine[..., 1]
    length = np.abs(flow)
    return flow * (1 / np.where(length > 1e-3, length, np.inf)).astype(np.float32)


@lru_cache(maxsize=8)
def _noise(size: int) -> Floats:
    """White noise (size, size) of mean 0 that is the same for every run."""
    return np.random.default_rng(1993).choice(np.array([-1.0, 1.0], np.float32), (size, size))


@lru_cache(maxsize=16)
def _neighbours(n: int, size: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Of `size` cell centres: the two of n around each, and its part of the way between; the edge cells go on."""
    at = np.clip((np.arange(size) + 0.5) / size * n - 0.5, 0, n - 1)
    low = at.astype(np.intp)
    return low, np.minimum(low + 1, n - 1), (at - low).astype(np.float32)
