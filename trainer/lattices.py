"""Square lattices of the plane, and long work on them in portions.

A live window must not wait for more than a few milliseconds. What takes longer is written as a generator that yields
between portions and returns its result: a window goes on with it when it has time, a script calls `finish`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TypeVar

import torch
from torch import Tensor

Result = TypeVar("Result")


def lattice_axes(centre: tuple[float, float], half_width: float, n: int) -> tuple[Tensor, Tensor]:
    """The cell centres of a square along x and along y, each (n,), float64."""
    step = (2 * torch.arange(n, dtype=torch.float64) + 1) / n - 1
    return centre[0] + half_width * step, centre[1] + half_width * step


def lattice_points(centre: tuple[float, float], half_width: float, n: int) -> Tensor:
    """The n x n cell centres of a square, float64 with shape (n * n, 2): x fastest, the bottom row first."""
    xs, ys = lattice_axes(centre, half_width, n)
    y, x = torch.meshgrid(ys, xs, indexing="ij")
    return torch.stack((x.reshape(-1), y.reshape(-1)), dim=1)


def to_device(points: Tensor, device: torch.device) -> Tensor:
    """Points on a model's device, in float32 if it knows no float64."""
    return points.to(device, torch.float32 if device.type == "mps" else points.dtype)


def portions(count: int, size: int) -> Iterator[slice]:
    """The indices 0 .. count - 1 as slices of at most `size`."""
    for first in range(0, count, size):
        yield slice(first, min(first + size, count))


def finish(work: Generator[None, None, Result]) -> Result:
    """Drive work in portions to its end, in one go, and hand back its result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
