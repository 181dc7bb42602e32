r"""One loop for all samplers: a trajectory is x_0 and then one move after another, x_k = move(x_{k-1}, k).

A sampler brings its move and the number of its steps; the loop, the copy of the start, the absence of gradients and the
bounds of the plane are here. The caller drives it: it is a generator, and between two steps nothing runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from trainer.errors import InputError
from trainer.noise import Noise

FAR = 1e4
"""A step size beyond stability throws particles out; they are held at this coordinate and never become infinite."""

STEP, START = 0, 1  # which draw of a step is which; a sampler that draws more than once counts on from START
Move = Callable[[Tensor, int], Tensor]
"""(x, step) -> x after this step, counted from 1. It may write to the x that it is given."""

Trajectory = Iterator[tuple[int, Tensor]]
"""(step, x), step = 1, 2, ...; x may be the sampler's own tensor and change with the next step: clone it to keep."""


def trajectory(x0: Tensor, steps: int, move: Move, dtype: torch.dtype | None = None) -> Trajectory:
    """Take the steps one by one.

    Args:
        x0: where the particles start, with shape (B, *); it is not written to.
        steps: how many.
        move: one step.
        dtype: of the state between steps; None for that of x0.

    Yields (step, x), x with shape, dtype and device of x0.
    """
    x = x0.to(dtype or x0.dtype, copy=True)  # (B, *)
    for step in range(1, steps + 1):
        with torch.no_grad():  # for this step only: between two steps the caller's own gradient mode must hold
            x = hold(move(x, step))
        yield step, x.to(x0.dtype)


def hold(x: Tensor) -> Tensor:
    """Keep every coordinate within [-FAR, FAR], in place."""
    return x.clamp_(-FAR, FAR)


def step_noise(noise: Noise, step: int, x: Tensor, ids: Tensor | None, draw: int = STEP) -> Tensor:
    """Standard normal numbers shaped like x for its particles `ids`, None for 0 .. B - 1.

    Raises:
        InputError: ids are not B whole numbers.
    """
    if ids is not None and (ids.shape != x.shape[:1] or ids.is_floating_point() or ids.is_complex()):
        raise InputError(
            f"ids: {ids.dtype} with shape {tuple(ids.shape)} for {len(x)} particles; give a whole number for each, "
            f"shape ({len(x)},)"
        )
    return noise.normal(step, draw, len(x) if ids is None else ids, tuple(x.shape[1:]))


def double(x: Tensor) -> torch.dtype:
    """The dtype for a state that must not gather rounding: float64, where the device has it."""
    return torch.float32 if x.device.type == "mps" else torch.float64
