r"""The points that a training step looks at: draws from the density, and what noise made of them.

Points are made for a block of several batches at once: whatever does not depend on the weights - draws, noise, targets,
features - costs less that way. The k-th row of a block always has the same noise level, so that what depends on sigma
alone is computed once a run, and every batch holds every level in proportion.

**One source of points.** Draws and noise come from a stream of their own; the pool's further draws, random directions
and reference batches come from another. So runs with the same seed, batch, kernel and noise levels see the same
x ~ p_sigma whatever they minimise, and can be compared sample by sample. (Pooled targets spread these points wider and
move them to lattice nodes: `trainer.tasks`.)
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from trainer.kernels import kernel_named
from trainer.noise import mix
from trainer.objectives import Batch
from trainer.pool import Drawable
from trainer.schedules import training_levels
from trainer.settings import FitSettings

BLOCK = 4096
"""Training points made at once; a block is as many batches as fit, and at least one."""
CUDA_BLOCK = 65_536
"""The same on a device where a launch costs more than the work."""


class Streams:
    """A run's random numbers: `data` for draws and noise, `extra` for all else.

    They are made on the processor, but for cuda, which makes its own.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        where = device if device.type == "cuda" else torch.device("cpu")
        self.data, self.extra = (torch.Generator(where).manual_seed(mix(seed, k) >> 1) for k in (1, 2))

    def states(self) -> dict[str, Tensor]:
        """Where each stream stands, by name."""
        return {"stream.data": self.data.get_state(), "stream.extra": self.extra.get_state()}

    def resume(self, states: dict[str, Tensor]) -> None:
        """Go on from there."""
        self.data.set_state(states["stream.data"])
        self.extra.set_state(states["stream.extra"])

    def clone(self) -> Streams:
        """The same streams, to be drawn from apart."""
        other = Streams(0, self.data.device)
        other.resume(self.states())
        return other


class Points:
    """A block of training points, filled again and again.

    Attributes:
        ladder: the noise levels, largest first, float64 (L,).
        level, sigma: of each row, (rows,); they never change.
        x0, x: the draws and the noisy points, (rows, 2).
        batches: how many batches a block holds.
    """

    def __init__(self, settings: FitSettings, diameter: float, device: torch.device) -> None:
        batch = settings.batch
        self.kernel = kernel_named(settings.kernel)
        self.batches = max(1, (CUDA_BLOCK if device.type == "cuda" else BLOCK) // batch)
        rows = self.batches * batch
        self.ladder, level = training_levels(settings, diameter, rows)
        self.level = level.view(batch, self.batches).T.flatten().to(device)  # each batch has all levels in proportion
        self.sigma = self.ladder.to(torch.float32).to(device)[self.level]
        self.x0, self.x = torch.zeros(rows, 2, device=device), torch.zeros(rows, 2, device=device)

    def __len__(self) -> int:
        return len(self.sigma)

    def fill(self, density: Drawable, streams: Streams) -> None:
        """Draw afresh: x0 from the density, x = x0 + noise."""
        x0 = density.sample(len(self), 0.0, generator=streams.data)
        noise = self.kernel.sample(torch.zeros_like(x0), self.sigma[:, None].to(x0), streams.data)
        self.x0.copy_(x0)
        self.x.copy_(x0 + noise)

    def parts(self) -> Iterator[slice]:
        """The rows of each batch in turn."""
        size = len(self) // self.batches
        return (slice(k * size, (k + 1) * size) for k in range(self.batches))

    def batch(self, part: slice) -> Batch:
        """These rows as the objectives know them."""
        return Batch(x0=self.x0[part], x=self.x[part], sigma=self.sigma[part], kernel=self.kernel)
