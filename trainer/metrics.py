r"""How wrong a score is, where the particles ended, and how noisy an objective's gradient is.

The **Fisher error** at sigma is the Fisher divergence's integral (explicit score matching; Hyvarinen 2005, eq. 2, which
puts 1/2 before it), absolute and relative to what a score of zero would get:

    absolute = E|s_theta(x, sigma) - s(x, sigma)|^2,    relative = absolute / E|s(x, sigma)|^2,    x ~ p_sigma.

The **cosine** is E[s_theta . s / (|s_theta| |s|)]: 1 where the arrows point the right way, whatever their lengths.

Points come from a fixed seed, so that the curve of a live run moves only when the score does. Points and their true
scores do not depend on the learner: a `FisherProbe` keeps them, and works in chunks so that a live display does not
stall. `trainer.error_maps` shows where in the plane the error is.

The **mode ledger** counts particles by mode (`trainer.modes`).

The **gradient variance** of an objective: two objectives may have the same minimum and the same expected gradient g and
still learn at different speeds, because their estimates g_k scatter by different amounts. From n independent estimates,
without bias,

    Var = 1/(n - 1) sum_k |g_k - g_mean|^2,    |g|^2 = |g_mean|^2 - Var / n,    ratio = Var / |g|^2.

About `ratio` batches must be averaged before the signal is as large as the noise (the simple noise scale of McCandlish
et al. 2018, eq. 2.9, in units of this batch).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from trainer.errors import InputError
from trainer.kernels import GAUSSIAN, Kernel
from trainer.lattices import finish
from trainer.models import ScoreModel
from trainer.modes import Ledger, ModeMap, count_modes, find_modes

if TYPE_CHECKING:
    from trainer.densities import Density

POINTS = 16_384
_CHUNK = 2048


@dataclass(frozen=True)
class FisherErrors:
    """How wrong a score is at one noise level.

    Attributes:
        sigma: the noise level.
        absolute: E|s_theta - s|^2, twice the Fisher divergence, in units of the plane to the power -2.
        relative: the same over E|s|^2: 0 for the truth, 1 for a score of zero.
        cosine: the mean cosine of the angle between the two fields; 0 is counted where one of them vanishes.
    """

    sigma: float
    absolute: float
    relative: float
    cosine: float


class FisherProbe:
    """The points and true scores behind one relative Fisher error, kept for repeated evaluation.

    Args:
        density: what is true.
        sigma: the noise level.
        n: how many points of p_sigma, drawn from `seed`.
        chunk: how many points are worked on between two yields.
        kernel: the noise that makes p_sigma of p.

    Raises:
        InputError: n is less than 1.
    """

    def __init__(
        self,
        density: Density,
        sigma: float,
        n: int = POINTS,
        seed: int = 0,
        chunk: int = _CHUNK,
        kernel: Kernel = GAUSSIAN,
    ) -> None:
        if n < 1:
            raise InputError(f"n: {n}; give 1 or more points to take the error over")
        self.density = density
        self.sigma = sigma
        self.kernel = kernel
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
            size = self._sizes[len(self._scores)]
            points = self.density.sample(size, self.sigma, kernel=self.kernel, generator=self._generator)
            points = points.to(torch.float32)
            self._scores.append(self.density.score(points, self.sigma, kernel=self.kernel))
            self._points.append(points)
            yield

    def measure_all(self, model: ScoreModel) -> Generator[None, None, FisherErrors]:
        """Evaluate the model a chunk at a time; the generator's return value: `errors = yield from ...`."""
        yield from self.prepare()
        wrong = size = aligned = 0.0
        for points, exact in zip(self._points, self._scores, strict=True):
            with torch.no_grad():
                learned = model.score(points.to(model.device), self.sigma).to(exact)
            wrong += float((learned - exact).square().sum(dtype=torch.float64))
            size += float(exact.square().sum(dtype=torch.float64))
            aligned += float(cosine(learned, exact).sum(dtype=torch.float64))
            yield
        n = sum(self._sizes)
        return FisherErrors(self.sigma, wrong / n, wrong / size, aligned / n)

    def measure(self, model: ScoreModel) -> Generator[None, None, float]:
        """The relative Fisher error, otherwise as `measure_all`."""
        return (yield from self.measure_all(model)).relative

    def errors(self, model: ScoreModel) -> FisherErrors:
        """The Fisher errors and the cosine of the model, in one go."""
        return finish(self.measure_all(model))

    def error(self, model: ScoreModel) -> float:
        """The relative Fisher error of the model, in one go."""
        return finish(self.measure(model))


def relative_fisher_error(model: ScoreModel, density: Density, sigma: float, n: int = POINTS, seed: int = 0) -> float:
    """E|s_theta - s|^2 / E|s|^2 over n points of p_sigma drawn from `seed`: 0 for the truth, 1 for a score of zero."""
    return FisherProbe(density, sigma, n, seed, kernel=model.kernel).error(model)


def fisher_errors(
    model: ScoreModel, density: Density, sigmas: Sequence[float], n: int = POINTS, seed: int = 0
) -> tuple[FisherErrors, ...]:
    """The Fisher errors and cosines at several noise levels, each over n points of p_sigma drawn from `seed`."""
    return tuple(FisherProbe(density, sigma, n, seed, kernel=model.kernel).errors(model) for sigma in sigmas)


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """The cosine of the angle between vectors, shape (*,) for (*, d); 0 where one of them vanishes."""
    lengths = torch.linalg.vector_norm(a, dim=-1) * torch.linalg.vector_norm(b, dim=-1)
    return torch.where(lengths > 0, (a * b).sum(-1) / torch.where(lengths > 0, lengths, 1.0), 0.0)


def mode_ledger(points: Tensor | ArrayLike, modes: Density | ModeMap) -> Ledger:
    """Shares of points, (B, 2), in the modes of a density, with simultaneous 95 % bands.

    Give the `ModeMap` of `find_modes` instead of the density to count often.
    """
    at = points.detach().cpu().numpy() if isinstance(points, Tensor) else np.asarray(points)
    return count_modes(at, modes if isinstance(modes, ModeMap) else find_modes(modes))


@dataclass(frozen=True)
class GradientVariance:
    """How much an objective's gradient scatters about its mean.

    Attributes:
        variance: E|g_k - g|^2, summed over all weights.
        mean_square: |g|^2; an estimate without bias can come out negative where g is nothing but noise.
        batches: how many gradients this rests on.
    """

    variance: float
    mean_square: float
    batches: int

    @property
    def ratio(self) -> float:
        """Noise over signal, variance / mean_square; infinite where no signal is seen."""
        return self.variance / self.mean_square if self.mean_square > 0 else math.inf


def gradient_variance(gradient: Callable[[int], Tensor], batches: int) -> GradientVariance:
    """The variance of a stochastic gradient and the square of its mean, both without bias (see above).

    Args:
        gradient: called with k = 0 .. batches - 1, gives an independent estimate g_k of the same gradient, (count,).
        batches: how many, 2 or more. The variance's own relative standard error is about sqrt(2 / batches) for one
            weight, less for many that scatter independently.

    Raises:
        InputError: fewer than 2 batches.
    """
    if batches < 2:
        raise InputError(f"batches: {batches}; give 2 or more, a variance needs two gradients")
    mean = torch.zeros((), dtype=torch.float64)
    scatter = 0.0
    for k in range(batches):  # Welford 1962: no difference of large sums
        sample = gradient(k).detach().double()  # used up before the next call, which may write over it
        away = sample - mean.to(sample.device)
        mean = mean.to(sample.device) + away / (k + 1)
        scatter += float((away * (sample - mean)).sum())
    variance = scatter / (batches - 1)
    return GradientVariance(variance, float(mean.square().sum()) - variance / batches, batches)
