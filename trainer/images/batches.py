"""Which pictures a training step sees, with which noise: a function of (seed, step, position), and of nothing before.

The joint batch of step k = 1, 2, ... has positions 0 .. B - 1. Counted through the whole run, position p is draw
g = (k - 1) B + p of the data: place g mod N of epoch g // N, each epoch a permutation of the N pictures keyed by
(seed, epoch). Noise, noise level and dequantisation come from `trainer.noise` by (seed, step, p). So a resumed run
needs no generator's state, and several processes, each with its slice of the positions, see what one would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from trainer.images.pictures import scaled
from trainer.noise import Noise, mix

if TYPE_CHECKING:
    from trainer.images.pictures import Pictures

_ORDER, _NOISE = 0x6F72646572, 0x6E6F697365
"""Tell apart what the seed is used for; training shares no number with sampling of the same seed."""
_Z, _LEVEL, _WITHIN = 0, 1, 2
_LARGEST_ON_DEVICE = 4 << 30
_MASK = (1 << 63) - 1


@dataclass(frozen=True)
class PictureBatch:
    """One process's part of a joint batch.

    Attributes:
        clean: pictures in [-1, 1], padded, float32 (B, C, H, W).
        noise: standard normal, like `clean`.
        level: uniform on [0, 1), (B,): which noise level.
    """

    clean: Tensor
    noise: Tensor
    level: Tensor


class PictureBatches:
    """The batches of a run, by step."""

    def __init__(
        self,
        pictures: Pictures,
        padding: tuple[int, int],
        batch: int,
        seed: int,
        device: torch.device | str = "cpu",
        *,
        dequantise: bool = True,
        slice_of: tuple[int, int] = (0, 1),
    ) -> None:
        """`padding` is added below and to the right; `slice_of` = (i, n): the i-th of n equal parts of each batch."""
        self.device = torch.device(device)
        values = pictures.values if pictures.values.dtype == np.uint8 else pictures.values.astype(np.int32)
        held = "cpu" if values.nbytes > _LARGEST_ON_DEVICE else self.device
        self._values = torch.from_numpy(np.ascontiguousarray(values)).to(held)
        self._levels, self._padding, self._dequantise = pictures.levels, padding, dequantise
        self._batch, self._seed = batch, seed
        part, parts = slice_of
        each = batch // parts
        self._positions = torch.arange(part * each, (part + 1) * each)
        self._places = self._positions.to(self.device)
        self._noise = Noise(mix(seed, _NOISE), self.device)
        self._orders: dict[int, Tensor] = {}

    def index(self, step: int) -> Tensor:
        """The pictures of step 1, 2, ..., (B,) int64."""
        count = len(self._values)
        draws = (step - 1) * self._batch + self._positions
        epochs = draws // count
        index = torch.empty_like(draws)
        for epoch in epochs.unique().tolist():
            mine = epochs == epoch
            index[mine] = self._order(epoch)[draws[mine] % count]
        return index

    def batch(self, step: int) -> PictureBatch:
        """The batch of step 1, 2, ..."""
        values = self._values[self.index(step).to(self._values.device)].to(self.device)
        shape = tuple(values.shape[1:])
        within = self._noise.uniform(step, _WITHIN, self._places, shape) if self._dequantise else 0.5
        clean = pad(scaled(values, self._levels, within), (0, self._padding[1], 0, self._padding[0]), value=-1.0)
        noise = self._noise.normal(step, _Z, self._places, tuple(clean.shape[1:]))
        return PictureBatch(clean, noise, self._noise.uniform(step, _LEVEL, self._places, (1,))[:, 0])

    def _order(self, epoch: int) -> Tensor:
        if epoch not in self._orders:
            while len(self._orders) > 2:
                del self._orders[next(iter(self._orders))]
            key = mix(mix(mix(0, _ORDER), self._seed), epoch)
            generator = torch.Generator().manual_seed(key & _MASK)
            self._orders[epoch] = torch.randperm(len(self._values), generator=generator)
        return self._orders[epoch]
