r"""What an annealed ladder will do before any particle moves: stability, and the errors of variance and weights.

**Stability.** With h = alpha / 2 and v the smallest variance that p_sigma has anywhere, x = h / v. Far from the data
the score falls like that of N(m, v I), and never faster (Tweedie: grad s >= -I / v). A step takes x - m to
(1 - x)(x - m): it *overshoots* the centre for x > 1, and *diverges* for x >= 2, where no stationary distribution is
left (Song & Ermon 2020, proposition 3: the variance is v / (1 - x / 2); for plain descent the same bound is Nesterov
2004, theorem 2.1.14).

**Variance.** At x ~ p_sigma for the last sigma, each axis of the curvature -grad s with an eigenvalue k > 0 is taken
for a Gaussian's: of variance v = 1 / k, and tau^2 + sigma_i^2 with tau^2 = v - sigma^2 at the levels before. Each level
takes the variance u that the level before left to

    u <- (1 - x)^(2T) (u - b v) + b v,    x = h / v,    b = 1 / (1 - x / 2)        (`trainer.annealing`).

The error is the mean of u / v - 1 at the end, weighted by k. For small errors that is E_run|s|^2 / E|s|^2 - 1, for
E|s|^2 = E tr(-grad s): the narrow directions rule it, as they rule what an eye sees. The last denoising step shrinks u
and v alike.

**Weights.** The density itself is moved down the ladder on a lattice (`trainer.transitions`), from the uniform square,
level by level with each level's own step size and number of steps; its mass over the basins of the modes
(`trainer.modes`) is the share of each. Once what could still flow over the basins' borders in all remaining steps,
sqrt(alpha / (2 pi)) times the density along the borders a step, is below `FROZEN`, the shares are final. The error is
the largest |share - mass| of a mode. A particle outside all modes counts for the nearest one (`Prospect.shares`).
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from trainer.densities import Density, GaussianMixture, PaintedDensity
from trainer.langevin import Level, noise_levels
from trainer.lattices import finish
from trainer.modes import ModeMap, find_modes
from trainer.schedules import largest_distance
from trainer.settings import ParticleSettings
from trainer.starts import START_WIDTH
from trainer.transitions import Floats, Lattice, Transition, lattice_for, pace, reach, resampled

Verdict = Literal["stable", "overshoots", "diverges"]

FROZEN = 2e-5
"""The share that may still change modes when its flow is taken as ended."""
_DRAWS = 512
_COUNTED = 192
_KEPT = 64


@dataclass(frozen=True)
class LevelForecast:
    """One level before it runs.

    Attributes:
        sigma, epsilon, steps: the level.
        x: its relative step h / v for the smallest variance v.
        verdict: "stable", "overshoots" for x > 1, "diverges" for x >= 2.
        excess: by which share the variance is too large (below 0: too small) when the level ends.
        shares: (M,) of the modes when it ends, NaN where a level before it diverges.
        flows: whether weight could still change modes.
    """

    sigma: float
    epsilon: float
    steps: int
    x: float
    verdict: Verdict
    excess: float
    shares: tuple[float, ...]
    flows: bool


@dataclass(frozen=True)
class Forecast:
    """A ladder before it runs: its levels, largest sigma first, and both errors at the end (NaN where it diverges).

    Attributes:
        levels: level by level.
        mass: (M,) the true masses of the modes.
        variance_error: the mean of u / v - 1 at the end, without its sign.
        weight_error: the largest |share - mass| at the end.
    """

    levels: tuple[LevelForecast, ...]
    mass: tuple[float, ...]
    variance_error: float
    weight_error: float

    @property
    def stable(self) -> bool:
        """Whether no level overshoots or diverges."""
        return all(level.verdict == "stable" for level in self.levels)

    @property
    def steps(self) -> int:
        """Steps in all."""
        return sum(level.steps for level in self.levels)

    @property
    def freezes_at(self) -> float:
        """The smallest sigma at which weight still flows between modes."""
        return min((level.sigma for level in self.levels if level.flows), default=math.inf)


class Prospect:
    """What the predictions for one density share: its modes, its narrowest variance, and the widths of their parts.

    Args:
        density: a mixture of Gaussians or a painting.
        modes: of the density, where they are already found.
    """

    def __init__(self, density: Density, modes: ModeMap | None = None) -> None:
        self.density = density
        self.modes = modes or find_modes(density)
        self.narrowest = narrowest_variance(density)
        self._borders = _Basins(self.modes)
        self._own: dict[float, tuple[Floats, Floats]] = {}
        self._transitions: dict[tuple[float, Lattice, float, float], Transition] = {}

    @cached_property
    def diameter(self) -> float:
        """The largest distance between two of 256 draws: an end of the search, not a result."""
        return largest_distance(self.density.sample(256, 0.0, generator=torch.Generator().manual_seed(0)))

    def least_variance(self, sigma: float) -> float:
        """The smallest variance that p_sigma has anywhere."""
        return self.narrowest + sigma**2

    def measuring(self, sigma: float) -> Generator[None, None, tuple[Floats, Floats]]:
        """Variances tau^2 without the noise, (K,), and their weights, (K,), sum 1: along both axes at 512 draws."""
        if sigma not in self._own:
            at = self.density.sample(_DRAWS, sigma, generator=torch.Generator().manual_seed(0)).double()
            width = 0.05 * math.sqrt(self.least_variance(sigma))
            slopes = []
            for shift in width * torch.eye(2, dtype=torch.float64):
                yield
                ahead = self.density.score(at + shift, sigma)
                yield
                slopes.append((ahead - self.density.score(at - shift, sigma)) / (2 * width))
            hessian = torch.stack(slopes, 2)  # (K, 2, 2)
            curvature = -torch.linalg.eigvalsh((hessian + hessian.mT) / 2).numpy().ravel()
            curvature = curvature[curvature > 1e-3]
            own = np.maximum(1 / curvature - sigma**2, self.narrowest)
            self._own[sigma] = own, curvature / curvature.sum()
            yield
        return self._own[sigma]

    def excesses(self, levels: tuple[Level, ...]) -> list[float]:
        """The mean of u / v - 1 at the end of each level; infinite from where it diverges."""
        own, weights = finish(self.measuring(levels[-1].sigma))
        u = np.full(own.shape, START_WIDTH**2 / 3 + levels[0].sigma ** 2)
        found: list[float] = []
        for level in levels:
            v = own + level.sigma**2
            x = level.alpha / (2 * v)
            if x.max() >= 2:
                return found + [math.inf] * (len(levels) - len(found))
            b = 1 / (1 - x / 2)
            u = (1 - x) ** (2 * level.steps) * (u - b * v) + b * v
            found.append(float(weights @ (u / v - 1)))
        return found

    def flowing(self, levels: tuple[Level, ...]) -> Generator[None, None, list[tuple[Floats, bool]]]:
        """(shares, whether weight still flows) at the end of each level; yields every millisecond or so."""
        found: list[tuple[Floats, bool]] = []
        lattice, p = None, np.zeros((0, 0))
        left = sum(level.steps for level in levels)
        for number, level in enumerate(levels):
            v = self.least_variance(level.sigma)
            if level.alpha >= 4 * v:
                return found + [(np.full(len(self.modes.mass), np.nan), False)] * (len(levels) - number)
            onto = lattice_for(level.sigma, level.alpha, v, START_WIDTH if lattice is None else reach(p, lattice))
            p = _uniform(onto) if lattice is None else resampled(p, lattice, onto)
            lattice = onto
            steps = pace(level.steps, level.alpha, v, lattice.cell)
            yield
            transition = yield from self._transition(level.sigma, lattice, steps.drift, steps.noise)
            p = yield from transition.moving(p, steps.steps)
            yield
            self._borders.on(finer(lattice))
            yield
            shares = self._borders.shares(p, lattice)
            left -= level.steps
            flux = math.sqrt(level.alpha / (2 * math.pi)) * self._borders.along(p, lattice)
            found.append((shares, flux * max(left, level.steps) > FROZEN))
            if left * flux < FROZEN:
                return found + [(shares, False)] * (len(levels) - number - 1)
        return found

    def shares(self, points: ArrayLike) -> Floats:
        """The shares (M,) of points (B, 2) by mode; those outside all modes count for the nearest one."""
        at = np.asarray(points)
        return np.bincount(self._borders.of(at), minlength=len(self.modes.mass)) / len(at)

    def _transition(
        self, sigma: float, lattice: Lattice, drift: float, noise: float
    ) -> Generator[None, None, Transition]:
        key = (sigma, lattice, drift, noise)
        if key not in self._transitions:
            if len(self._transitions) >= _KEPT:
                del self._transitions[next(iter(self._transitions))]
            score = self.density.score_lattice((0.0, 0.0), lattice.half_width, lattice.cells, sigma)
            yield
            self._transitions[key] = Transition(score, lattice, drift, noise)
            yield
        return self._transitions[key]


def predicting(prospect: Prospect, settings: ParticleSettings) -> Generator[None, None, Forecast]:
    """`predict` in pieces of about a millisecond, for a caller with other things to do."""
    levels = noise_levels(settings)
    yield from prospect.measuring(levels[-1].sigma)
    excesses = prospect.excesses(levels)
    yield
    flows = yield from prospect.flowing(levels)
    forecasts = []
    for level, excess, (shares, flowing) in zip(levels, excesses, flows, strict=True):
        x = level.alpha / (2 * prospect.least_variance(level.sigma))
        verdict: Verdict = "stable" if x <= 1 else "overshoots" if x < 2 else "diverges"
        forecasts.append(
            LevelForecast(level.sigma, level.alpha, level.steps, x, verdict, excess, tuple(shares.tolist()), flowing)
        )
    mass = prospect.modes.mass
    error = float(np.abs(np.asarray(forecasts[-1].shares) - mass).max())
    return Forecast(tuple(forecasts), tuple(mass.tolist()), abs(excesses[-1]), error)


def predict(density: Density | Prospect, settings: ParticleSettings) -> Forecast:
    """What annealed Langevin dynamics on the true score will do with these settings, started on the uniform square."""
    return finish(predicting(density if isinstance(density, Prospect) else Prospect(density), settings))


def narrowest_variance(density: Density) -> float:
    """The smallest variance of any component: a mixture's narrowest axis, a painting's tau^2, else 0."""
    if isinstance(density, GaussianMixture):
        return float(np.linalg.eigvalsh(density.covariances).min())
    return density.bandwidth**2 if isinstance(density, PaintedDensity) else 0.0


def finer(lattice: Lattice) -> Lattice:
    """The lattice that shares are counted on."""
    return Lattice(lattice.half_width, max(_COUNTED, lattice.cells))


class _Basins:
    """To which mode each cell of a lattice belongs; what lies outside all modes belongs to the nearest."""

    def __init__(self, modes: ModeMap) -> None:
        self._modes = modes
        self._kept: dict[Lattice, NDArray[np.intp]] = {}
        coarse = Lattice(modes.half_width, 64)
        n = len(modes.labels)
        known = modes.labels < len(modes.mass)
        inner = known.copy()
        inner[1:-1, 1:-1] &= known[:-2, 1:-1] & known[2:, 1:-1] & known[1:-1, :-2] & known[1:-1, 2:]
        row, column = (known & ~(inner & known)).nonzero()  # the rim of what is known
        if not len(row):
            row, column = known.nonzero()
        self._rim = (np.stack([column, row], axis=1) + 0.5) * (2 * modes.half_width / n) - modes.half_width
        self._of_rim = modes.labels[row, column].astype(np.intp)
        self._coarse, self._filled = coarse, self._nearest(coarse.points).reshape(64, 64)

    def of(self, points: Floats) -> NDArray[np.intp]:
        """The mode of each point, (B,) for (B, 2): 0 .. M - 1."""
        labels = self._modes.of(points).astype(np.intp)
        cell = (points + self._coarse.half_width) / self._coarse.cell
        cell = np.clip(cell, 0, self._coarse.cells - 1).astype(np.intp)
        return np.where(labels < len(self._modes.mass), labels, self._filled[cell[:, 1], cell[:, 0]])

    def on(self, lattice: Lattice) -> NDArray[np.intp]:
        """The labels 0 .. M - 1 of a lattice, (n, n)."""
        if lattice not in self._kept:
            self._kept[lattice] = self.of(lattice.points).reshape(lattice.cells, lattice.cells)
        return self._kept[lattice]

    def shares(self, p: Floats, lattice: Lattice) -> Floats:
        """The mass of each mode, (M,), of masses (n, n): counted on finer cells, for a border cuts cells in two."""
        fine = finer(lattice)
        labels, q = self.on(fine), resampled(p, lattice, fine)
        return np.bincount(labels.ravel(), q.ravel(), minlength=len(self._modes.mass)).astype(np.float64)

    def along(self, p: Floats, lattice: Lattice) -> float:
        """The density of masses (n, n), integrated along all borders between basins."""
        labels = self.on(lattice)
        beside, above = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
        lining = (p[:, 1:] + p[:, :-1])[beside].sum() + (p[1:] + p[:-1])[above].sum()
        return float(lining) / (2 * lattice.cell)

    def _nearest(self, points: Floats) -> NDArray[np.intp]:
        away = torch.cdist(torch.from_numpy(points).float(), torch.from_numpy(self._rim).float())
        return self._of_rim[away.argmin(1).numpy()]


def _uniform(lattice: Lattice) -> Floats:
    """The square that particles start on, (n, n), sum 1; border cells get their part."""
    low, high = lattice.axis - lattice.cell / 2, lattice.axis + lattice.cell / 2
    inside = np.clip(np.minimum(high, START_WIDTH) - np.maximum(low, -START_WIDTH), 0, None)
    side: Floats = inside / inside.sum()
    return np.outer(side, side)
