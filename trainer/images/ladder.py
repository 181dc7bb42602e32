r"""Which noise levels a score network for pictures learns: a geometric ladder, its three numbers read off the pictures.

* **sigma_max** is the largest distance between two pictures (Song & Ermon 2020, Technique 1), in the space the network
  works in: scaled to [-1, 1] and padded. Padding is the same everywhere and adds no distance. Up to 2,048 pictures,
  drawn by the seed, are compared with one another: the true largest distance may be a few per cent more.
* **sigma_min** is the width of a grey level over sqrt(12), the standard deviation within a level: 0.0023 for 256
  levels, 0.034 for 17. Below it there is nothing to learn but how the level was filled (uniform dequantisation; Theis,
  van den Oord & Bethge 2016).
* **The number of levels** answers two questions. Annealed Langevin dynamics needs each level to share part of its
  samples' radii with the next: Technique 2 wants

      Phi(sqrt(2 D) (g - 1) + 3 g) - Phi(sqrt(2 D) (g - 1) - 3 g) = 0.5,    g the ratio of the levels, D the dimension,

  which is g = 1.36 for D = 64 and 1.04 for 3,072. That is `needed`. But samplers of the diffusion kind ask for levels
  in between too, and a network knows those only if its Fourier features turn little from level to level: an eighth of a
  turn at the frequency `FREQUENCY` of `trainer.images.networks`. `levels` is the larger of the two numbers.

DDPM has a ladder of its own, the thousand timesteps of `trainer.schedules`, sigma_t = sqrt((1 - abar_t) / abar_t).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.annealing import level_overlap
from trainer.errors import InputError
from trainer.images.networks import FREQUENCY
from trainer.images.settings import MOST_LEVELS, ImageSettings
from trainer.noise import mix
from trainer.schedules import ddpm_alphas_cumprod, vp_to_ve

OVERLAP = 0.5
"""The share C of Technique 2."""
COMPARED = 2048
"""Pictures that are compared pair by pair."""
_TURN = 1 / 8
_MASK = (1 << 63) - 1


@dataclass(frozen=True)
class ImageLadder:
    """A recommended ladder: `levels` noise levels from sigma_max to sigma_min, `needed` for annealed Langevin alone."""

    sigma_max: float
    sigma_min: float
    levels: int
    needed: int


def recommended_ladder(
    values: NDArray[np.unsignedinteger], grey_levels: int, settings: ImageSettings | None = None, seed: int = 0
) -> ImageLadder:
    """The ladder for these pictures, (N, C, H, W) with whole values below `grey_levels`; what `settings` give stays.

    Raises:
        InputError: the ends that the settings give leave no room between them.
    """
    given = settings or ImageSettings()
    low = given.sigma_min or 2 / grey_levels / math.sqrt(12)
    high = given.sigma_max or max(largest_picture_distance(values, grey_levels, seed), 2 * low)
    if high <= low:
        raise InputError(f"sigma_max: {high:g} is not above sigma_min = {low:g}; give a larger one")
    needed = levels_needed(high, low, math.prod(values.shape[1:]))
    dense = 1 + math.ceil(math.log(high / low) * FREQUENCY / _TURN)
    return ImageLadder(high, low, given.levels or min(max(needed, dense), MOST_LEVELS), needed)


def ladder_levels(ladder: ImageLadder) -> Tensor:
    """The noise levels, largest first, with a constant ratio, (levels,) float64."""
    top, low, count = ladder.sigma_max, ladder.sigma_min, ladder.levels
    levels = torch.logspace(math.log(top), math.log(low), count, base=math.e, dtype=torch.float64)
    levels[0], levels[-1] = top, low
    return levels


@lru_cache(maxsize=4)
def ddpm_sigmas() -> Tensor:
    """The thousand noise levels of the linear schedule, smallest first, (1000,) float64: 0.010 to 157."""
    return vp_to_ve(ddpm_alphas_cumprod("ddpm-linear"))


def largest_picture_distance(values: NDArray[np.unsignedinteger], grey_levels: int, seed: int = 0) -> float:
    """The largest distance between two of up to `COMPARED` pictures (N, C, H, W), scaled to [-1, 1]."""
    if len(values) > COMPARED:
        generator = torch.Generator().manual_seed(mix(seed, len(values)) & _MASK)
        values = values[torch.randperm(len(values), generator=generator)[:COMPARED].sort().values.numpy()]
    points = torch.from_numpy(values.reshape(len(values), -1).astype(np.float32)).mul_(2 / grey_levels)
    return max(float(torch.cdist(part, points).max()) for part in points.split(256))


def level_ratio(dimension: int, overlap: float = OVERLAP) -> float:
    """The ratio g > 1 of neighbouring levels at which Technique 2's overlap in this dimension is as given."""
    low, high = 1.0, 2.0
    while level_overlap(high, dimension) > overlap:  # in few dimensions a large ratio still overlaps
        high *= 2
        if high > 1e6:
            return math.inf
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if level_overlap(middle, dimension) > overlap else (low, middle)
    return low


def levels_needed(sigma_max: float, sigma_min: float, dimension: int) -> int:
    """The fewest levels, at least 2, whose ratio is no larger than `level_ratio`."""
    return max(2, 1 + math.ceil(math.log(sigma_max / sigma_min) / math.log(level_ratio(dimension)) - 1e-9))
