r"""How wrong a score is, and where the particles ended.

The **relative Fisher error** at sigma is

    E|s_theta(x, sigma) - s(x, sigma)|^2 / E|s(x, sigma)|^2,    x ~ p_sigma,

the Fisher divergence (explicit score matching; Hyvarinen 2005, eq. 2) over what a score of zero would get. Points come
from a fixed seed, so that the curve of a live run moves only when the score does. Points and their true scores do not
depend on the learner: a `FisherProbe` keeps them, and works in chunks so that a live display does not stall.

The **mode ledger** counts particles by mode (`trainer.modes`).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from trainer.models import ScoreModel
from trainer.modes import Ledger, ModeMap, count_modes, find_modes

if TYPE_CHECKING:
    from trainer.densities import Density

POINTS = 16_384
_CHUNK = 2048


class FisherProbe:
    """The points and true scores behind one relative Fisher error, kept for repeated evaluation.

    Args:
        density: what is true.
        sigma: the noise level.
        n: how many points of p_sigma, drawn from `seed`.
        chunk: how many points are worked on between two yields.
    """

    def __init__(self, density: Density, sigma: float, n: int = POINTS, seed: int = 0, chunk: int = _CHUNK) -> None:
        self.density = density
        self.sigma = sigma
        self._sizes = [min(chunk, n - first) for first in range(0, n, chunk)]
        self._generator = torch.Generator().manual_seed(seed)
        self._points: list[Tensor] = []
        self._scores: list[Tensor] = []

    @property
    def ready(self) -> bool:
        """Whether all points and their true scores are there."""
        return len(self._scores) == len(self._sizes)

    def prepare(self) -> Iterator[None]:
        """Draw the points and compute their true scores, a chunk at a time; going on where it was left."""
        while not self.ready:
            points = self.density.sample(self._sizes[len(self._scores)], self.sigma, generator=self._generator)
            points = points.to(torch.float32)
            self._scores.append(self.density.score(points, self.sigma))
            self._points.append(points)
            yield

    def measure(self, model: ScoreModel) -> Generator[None, None, float]:
        """Evaluate the model a chunk at a time; the generator's return value is the error: `e = yield from ...`."""
        yield from self.prepare()
        wrong = size = 0.0
        for points, exact in zip(self._points, self._scores, strict=True):
            with torch.no_grad():
                learned = model.score(points.to(model.device), self.sigma).to(exact)
            wrong += float((learned - exact).square().sum(dtype=torch.float64))
            size += float(exact.square().sum(dtype=torch.float64))
            yield
        return wrong / size

    def error(self, model: ScoreModel) -> float:
        """The relative Fisher error of the model, in one go."""
        steps = self.measure(model)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return float(end.value)


def relative_fisher_error(model: ScoreModel, density: Density, sigma: float, n: int = POINTS, seed: int = 0) -> float:
    """E|s_theta - s|^2 / E|s|^2 over n points of p_sigma drawn from `seed`: 0 for the truth, 1 for a score of zero."""
    return FisherProbe(density, sigma, n, seed).error(model)


def mode_ledger(points: Tensor | ArrayLike, modes: Density | ModeMap) -> Ledger:
    """Shares of points, (B, 2), in the modes of a density, with simultaneous 95 % bands.

    Give the `ModeMap` of `find_modes` instead of the density to count often.
    """
    at = points.detach().cpu().numpy() if isinstance(points, Tensor) else np.asarray(points)
    return count_modes(at, modes if isinstance(modes, ModeMap) else find_modes(modes))
