"""Random numbers with an address: particle k moves alike whatever their number, the pane or the batch.

A stream of random numbers gives particle k other numbers when there are more particles before it. Here the numbers are
drawn in blocks, and each block has a generator of its own, seeded by

    key = mix(seed, step, draw, block),

where `draw` tells apart several uses within one step, `block` is k // B, and mix chains the 64-bit finaliser of
SplitMix64 (Steele, Lea & Flood 2014, figure 16). A block holds B particles, B such that it has about 16,384 numbers: a
generator per particle would cost a microsecond each, a single one would tie particles together.

The last few of them, by (step, draw), are kept: panes that share their noise and draw several times a step draw it
once.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

_MASK = (1 << 64) - 1
_NUMBERS_PER_BLOCK = 16_384
_ADDRESSES = 8  # kept at most
_NUMBERS = 1 << 23  # kept at most, 32 MB, unless a single address has more


def mix(key: int, word: int) -> int:
    """Chain one more 64-bit word into a key."""
    z = (key * 0x9E3779B97F4A7C15 + word + 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


class Noise:
    """Standard normal and uniform numbers as a function of (seed, step, draw, particle).

    The values depend on the device: CPU and GPU generators differ.
    """

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        self.seed = seed
        self.device = torch.device(device)
        self._generator = torch.Generator(device=self.device)
        self._kept: dict[tuple[object, ...], Tensor] = {}  # the oldest first

    def normal(self, step: int, draw: int, ids: int | Tensor, shape: tuple[int, ...] = (2,)) -> Tensor:
        """Standard normal numbers, float32 with shape (B, *shape).

        Args:
            step: which step of the run.
            draw: which use within the step.
            ids: which particles, as a whole-number tensor with shape (B,); or B for the particles 0 .. B - 1.
            shape: of one particle: (2,) for a dot, (channels, height, width) for a picture.

        The result may be handed out again for the same step and draw: do not write to it.
        """
        return self._numbers("normal", step, draw, ids, shape)

    def uniform(self, step: int, draw: int, ids: int | Tensor, shape: tuple[int, ...] = (2,)) -> Tensor:
        """Numbers uniform on [0, 1), otherwise as `normal`."""
        return self._numbers("uniform", step, draw, ids, shape)

    def _numbers(
        self, kind: Literal["normal", "uniform"], step: int, draw: int, ids: int | Tensor, shape: tuple[int, ...]
    ) -> Tensor:
        least, count = (0, ids) if isinstance(ids, int) else _ends(ids)
        size = max(1, _NUMBERS_PER_BLOCK // math.prod(shape))  # particles in a block
        first = least // size
        blocks = range(first, -(-count // size))
        address = (kind, step, draw, shape, first)
        numbers = self._kept.get(address)
        if numbers is None or len(numbers) < len(blocks) * size:
            numbers = torch.empty(len(blocks) * size, *shape, device=self.device)
            key = mix(mix(mix(mix(0, kind == "uniform"), self.seed & _MASK), step), draw)
            for row, block in enumerate(blocks):
                self._generator.manual_seed(mix(key, block))
                part = numbers[row * size : (row + 1) * size]
                if kind == "normal":
                    part.normal_(generator=self._generator)
                else:
                    part.uniform_(generator=self._generator)
            self._keep(address, numbers)
        before = first * size
        if isinstance(ids, int) or _in_a_row(ids, least, count):
            return numbers[least - before : count - before]  # to gather them costs more than to draw them
        return numbers.index_select(0, ids.to(self.device) - before)

    def _keep(self, address: tuple[object, ...], numbers: Tensor) -> None:
        """Keep these numbers, and drop the oldest until no more is kept than may be."""
        self._kept.pop(address, None)
        self._kept[address] = numbers
        while len(self._kept) > 1 and (
            len(self._kept) > _ADDRESSES or sum(kept.numel() for kept in self._kept.values()) > _NUMBERS
        ):
            del self._kept[next(iter(self._kept))]


def _ends(ids: Tensor) -> tuple[int, int]:
    """The least of some whole numbers and the one after the greatest; 0 and 0 for none."""
    return (int(ids.min()), int(ids.max()) + 1) if ids.numel() else (0, 0)


def _in_a_row(ids: Tensor, least: int, count: int) -> bool:
    """Whether they are all from `least` to before `count`, in this order."""
    return ids.numel() == count - least and torch.equal(ids, torch.arange(least, count).to(ids))
