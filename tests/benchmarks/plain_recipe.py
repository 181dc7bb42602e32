"""The usual recipe, as a yardstick: noise prediction by a plain network on (x, ln sigma), one draw per target.

The network eps(x, ln sigma), three hidden layers of 128 with SiLU, is trained by Adam at 1e-3 on batches of 512 to
predict the noise z in x = x0 + sigma z (Ho et al. 2020, eq. 14), sigma drawn evenly from 32 geometric levels 1 .. 0.02.
Its score is -eps / sigma.
"""

from __future__ import annotations

import time
from itertools import pairwise

import torch
from torch import Tensor

from trainer.pool import Drawable

SIGMA_MAX, SIGMA_MIN, LEVELS = 1.0, 0.02, 32


class PlainRecipe:
    """Has the `run` (seconds) and `score` of a `Fit`, and nothing else of it."""

    def __init__(self, density: Drawable, seed: int = 0) -> None:
        torch.manual_seed(seed)
        silu = torch.nn.SiLU
        sizes = (3, 128, 128, 128)
        layers = [m for i, o in pairwise(sizes) for m in (torch.nn.Linear(i, o), silu())]
        self.network = torch.nn.Sequential(*layers, torch.nn.Linear(128, 2))
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=1e-3)
        self.density = density
        self.ladder = torch.logspace(0, -1.69897, LEVELS)
        self.generator = torch.Generator().manual_seed(seed)
        self.seconds, self.step = 0.0, 0

    def run(self, seconds: float) -> None:
        """Train for about so many more seconds."""
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            level = torch.randint(LEVELS, (512,), generator=self.generator)
            sigma = self.ladder[level][:, None]
            noise = torch.randn(512, 2, generator=self.generator)
            x = self.density.sample(512, 0.0, generator=self.generator) + sigma * noise
            loss = (self.network(torch.cat((x, sigma.log()), 1)) - noise).square().mean()
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            self.step += 1
        self.seconds += time.perf_counter() - began

    def score(self, x: Tensor, sigma: float) -> Tensor:
        """The learned score, with shape (B, 2)."""
        with torch.no_grad():
            z = x.float()
            level = torch.full((len(z), 1), sigma).log()
            return (-self.network(torch.cat((z, level), 1)) / sigma).to(x.dtype)
