r"""Moves along the score at fixed noise levels: gradient ascent, Langevin dynamics and annealed Langevin dynamics.

One step of Langevin dynamics on a score s (Song & Ermon 2019, eq. 4 and Algorithm 1) is

    x <- x + (epsilon / 2) s(x) + sqrt(epsilon) z,    z ~ N(0, I).

Other papers write x + h s + sqrt(2 h) z: h = epsilon / 2. On a Gaussian of variance v its stationary variance is not v
but b v with b = 1 / (1 - x / 2), x = h / v (Song & Ermon 2020, proof of proposition 3). `trainer.metropolis` mends it.

* `gradient_ascent` leaves the noise out: every particle ends on a mode.
* `langevin` is right in the limit, but it cannot cross an empty gap in any time one would wait: the share of each mode
  is decided by where the particles started.
* `annealed_langevin` goes down a geometric ladder sigma_1 > ... > sigma_L with alpha_i = epsilon sigma_i^2 / sigma_L^2
  in place of epsilon, and ends with one denoising step x + sigma_L^2 s(x, sigma_L) (Tweedie's mean; Jolicoeur-Martineau
  et al. 2021). At large sigma the gap is filled and weight flows across it; cooled too fast, the shares of a large
  sigma are frozen in.

**Where the steps go.** Two modes at distance D are cut off from each other once s, with s^2 = sigma^2 + the modes' own
variance, is below about D / 6: the time to cross grows like exp(D^2 / (8 s^2)). Under that level steps settle each
mode's own shape and move no weight, and ten a level are enough, since the next level differs little. Song & Ermon 2019
take the same number at each level; here levels down to `fine_below` get `steps` each and those under it `fine_steps`.
On two modes at D = 1.77 that reaches in 1,780 steps a bias for which equal steps need three to four times as many. A
larger epsilon moves weight faster, but it inflates each mode (b above) and that shifts the shares for good.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from trainer.kernels import GAUSSIAN
from trainer.models import ScoreModel, require_levels
from trainer.noise import Noise
from trainer.settings import ParticleSettings
from trainer.trajectories import Trajectory, hold, step_noise, trajectory


@dataclass(frozen=True)
class Level:
    """One noise level of the annealed sampler: its sigma, its step size alpha, and how many steps it gets."""

    sigma: float
    alpha: float
    steps: int


def noise_levels(settings: ParticleSettings) -> tuple[Level, ...]:
    """The ladder, largest sigma first: the person's own rungs, or else the geometric one with its steps.

    There alpha_i = epsilon sigma_i^2 / sigma_L^2.
    """
    if settings.rungs:
        return tuple(Level(rung.sigma, rung.epsilon, rung.steps) for rung in settings.rungs)
    sigmas = np.geomspace(settings.sigma_max, settings.sigma_min, settings.levels)
    sigmas[-1] = settings.sigma_min
    return tuple(
        Level(
            float(sigma),
            settings.epsilon * float(sigma / settings.sigma_min) ** 2,
            settings.steps if sigma >= settings.fine_below else settings.fine_steps,
        )
        for sigma in sigmas
    )


def total_steps(settings: ParticleSettings) -> int:
    """How many steps each of these samplers takes."""
    return sum(level.steps for level in noise_levels(settings))


def level_at(settings: ParticleSettings, step: int) -> int:
    """The index of the noise level at which annealed Langevin takes its step number `step`, counted from 1."""
    ends = np.cumsum([level.steps for level in noise_levels(settings)])
    return min(int(np.searchsorted(ends, step)), len(ends) - 1)


def gradient_ascent(
    model: ScoreModel, x0: Tensor, settings: ParticleSettings, noise: Noise, ids: Tensor | None = None
) -> Trajectory:
    r"""Follow the score at sigma_min without noise: x <- x + (epsilon / 2) s(x, sigma_min).

    Args:
        model: the score; see `langevin`.
        x0: where the particles start, with shape (B, *).
        settings: `epsilon`, `sigma_min`, and the ladder for the number of steps.
        noise: not drawn from; there so that all samplers are called alike.
        ids: not used, as `noise`.

    Yields (step, x), step = 1, 2, ...; x is the sampler's own tensor and changes with the next step: clone it to keep.
    On a Gaussian of variance v the distance to its mean shrinks by the factor 1 - epsilon / (2 v) a step.

    Raises:
        InputError: the model does not know sigma_min.
    """
    sigma = settings.sigma_min
    require_levels(model, sigma, sigma)
    return trajectory(x0, total_steps(settings), lambda x, _: ascent_step(model, x, sigma, settings.epsilon / 2))


def langevin(
    model: ScoreModel, x0: Tensor, settings: ParticleSettings, noise: Noise, ids: Tensor | None = None
) -> Trajectory:
    r"""Langevin dynamics at sigma_min: x <- x + (epsilon / 2) s(x, sigma_min) + sqrt(epsilon) z.

    Args:
        model: the score, learned, tabulated or true.
        x0: where the particles start, with shape (B, *).
        settings: `epsilon`, `sigma_min`, and the ladder for the number of steps.
        noise: where z comes from, by step and particle.
        ids: whole numbers with shape (B,), the particles' own numbers; None for 0 .. B - 1.

    Yields (step, x), step = 1, 2, ...; x is the sampler's own tensor and changes with the next step: clone it to keep.

    Raises:
        InputError: the model does not know sigma_min.
    """
    sigma = settings.sigma_min
    require_levels(model, sigma, sigma)

    def move(x: Tensor, step: int) -> Tensor:
        return langevin_step(model, x, sigma, settings.epsilon, step_noise(noise, step, x, ids))

    return trajectory(x0, total_steps(settings), move)


def annealed_langevin(
    model: ScoreModel, x0: Tensor, settings: ParticleSettings, noise: Noise, ids: Tensor | None = None
) -> Trajectory:
    r"""Annealed Langevin dynamics (Song & Ermon 2019, Algorithm 1) with a final denoising step.

    For each level i: x <- x + (alpha_i / 2) s(x, sigma_i) + sqrt(alpha_i) z, as often as the level has steps; at the
    end x <- x + sigma_L^2 s(x, sigma_L), which belongs to the last step. That is the posterior mean for Gaussian noise
    alone: a model with another kernel ends at p_{sigma_L}, without it.

    Arguments, yields and errors as for `langevin`; the model must know the whole ladder.
    """
    ladder = noise_levels(settings)
    require_levels(model, ladder[-1].sigma, ladder[0].sigma)
    levels = [level for level in ladder for _ in range(level.steps)]

    def move(x: Tensor, step: int) -> Tensor:
        level = levels[step - 1]
        x = langevin_step(model, x, level.sigma, level.alpha, step_noise(noise, step, x, ids))
        if step == len(levels) and model.kernel == GAUSSIAN:
            x = ascent_step(model, hold(x), level.sigma, level.sigma**2)
        return x

    return trajectory(x0, len(levels), move)


def ascent_step(model: ScoreModel, x: Tensor, sigma: float, size: float) -> Tensor:
    """Return x + size s(x, sigma), in place; with size = sigma^2 it is the posterior mean for Gaussian noise."""
    return x.add_(model.score(x, sigma), alpha=size)


def langevin_step(model: ScoreModel, x: Tensor, sigma: float, epsilon: float, z: Tensor) -> Tensor:
    """Return x + (epsilon / 2) s(x, sigma) + sqrt(epsilon) z, in place."""
    return x.add_(model.score(x, sigma), alpha=epsilon / 2).add_(z, alpha=math.sqrt(epsilon))
