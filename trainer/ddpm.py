r"""From noise to data in the coordinates of DDPM: ancestral sampling and DDIM, with any model for Gaussian noise.

DDPM (Ho et al. 2020) shrinks the data while it adds noise, y_t = sqrt(a_t) x_0 + sqrt(1 - a_t) eps, where a_t, called
alpha-bar, falls from nearly 1 at t = 1 to nearly 0 at t = 1000. Divided by sqrt(a_t) that is the noising used here,

    x_t = y_t / sqrt(a_t) = x_0 + sigma_t eps,    sigma_t = sqrt((1 - a_t) / a_t),

and the network's noise is eps = -sigma_t s(x_t, sigma_t). A step from a = a_t to b = a_s, s < t, with alpha = a / b:

* `ddpm` draws from the posterior q(y_s | y_t, x_0) (Ho et al. 2020, eqs. 7 and 11, the smaller of their variances),
      y_s = (y_t - (1 - alpha) / sqrt(1 - a) eps) / sqrt(alpha) + w z,    w^2 = (1 - b) / (1 - a) (1 - alpha).
* `ddim` (Song, Meng & Ermon 2021, eqs. 12 and 16) keeps part of the noise that was found, with `eta` between 0 and 1:
      y_s = sqrt(b) x_0(y_t) + sqrt(1 - b - eta^2 w^2) eps + eta w z.
  eta = 1 is `ddpm`; eta = 0 draws nothing and is Euler's step of the probability-flow ODE in x and sigma.

Both variances of `ddpm` are right for infinitely many steps only. With the smaller one, which is right at every number
of steps for data at a single point, ends are too narrow: on a Gaussian of variance 1/16 by 5 % of the variance with 300
steps and by 3 % with all 472 between 0.02 and 3, where `ddim` with eta = 0 and 300 steps loses 2 %.

**Which timesteps.** Of the thousand those whose sigma_t lies within [sigma_min, start_sigma], and of these
`diffusion_steps`, evenly spaced in t from the largest to the smallest, or all if there are no more. The last step goes
to a = 1, sigma = 0: the posterior mean, without noise.

Start and yields are x_t, in the data's own coordinates: x0 is a draw of p_sigma at the first of `ddpm_levels`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from trainer.diffusion import highest_level
from trainer.errors import InputError
from trainer.models import ScoreModel
from trainer.noise import Noise
from trainer.parameterisations import noise_from_score
from trainer.schedules import ddpm_alphas_cumprod, vp_to_ve
from trainer.settings import ParticleSettings
from trainer.trajectories import Trajectory, step_noise, trajectory

_Step = Callable[[Tensor, Tensor, float, float, Tensor], Tensor]


@dataclass(frozen=True)
class Timestep:
    """One of the thousand: its number t = 1 .. 1000, its alpha-bar, and its noise level in the data's coordinates."""

    t: int
    alpha_bar: float
    sigma: float


def timesteps(settings: ParticleSettings, model: ScoreModel) -> tuple[Timestep, ...]:
    """The timesteps that sampling goes through, largest first (see the module's docstring).

    Raises:
        InputError: the model does not know `sigma_min` and `start_sigma`, its noise is not Gaussian, or no timestep
            lies between the two.
    """
    top = highest_level(settings, model, "DDPM sampling")
    bars = ddpm_alphas_cumprod(settings.vp_schedule)
    every = [Timestep(t, *pair) for t, pair in enumerate(zip(bars.tolist(), vp_to_ve(bars).tolist(), strict=True), 1)]
    within = [step for step in every if settings.sigma_min <= step.sigma <= top]
    if not within:
        raise InputError(
            f"particles.start_sigma: {settings.vp_schedule} has no timestep with a noise level between "
            f"{settings.sigma_min:g} and {top:g}; give a larger one"
        )
    chosen = np.linspace(len(within) - 1, 0, min(settings.diffusion_steps, len(within))).round().astype(int)
    return tuple(within[i] for i in chosen)


def ddpm_levels(settings: ParticleSettings, model: ScoreModel) -> tuple[float, ...]:
    """The noise levels of `timesteps`, largest first, without the final 0."""
    return tuple(step.sigma for step in timesteps(settings, model))


def ddpm(
    model: ScoreModel, x0: Tensor, settings: ParticleSettings, noise: Noise, ids: Tensor | None = None
) -> Trajectory:
    """DDPM's ancestral sampling.

    Args:
        model: the score for Gaussian noise.
        x0: draws of p_sigma at the first of `ddpm_levels`, with shape (B, *).
        settings: `start_sigma`, `sigma_min`, `diffusion_steps`, `vp_schedule`.
        noise: where z comes from, by step and particle.
        ids: whole numbers with shape (B,), the particles' own numbers; None for 0 .. B - 1.

    Yields (step, x), step = 1, 2, ...; after step i, x = y / sqrt(alpha-bar) is at noise level i + 1, after the last at
    0.

    Raises:
        InputError: see `timesteps`.
    """
    return _backwards(model, x0, settings, noise, ids, ddpm_step)


def ddim(
    model: ScoreModel, x0: Tensor, settings: ParticleSettings, noise: Noise, ids: Tensor | None = None
) -> Trajectory:
    """DDIM with the noise `eta` of the settings; arguments, yields and errors as for `ddpm`."""

    def step(y: Tensor, eps: Tensor, a: float, b: float, z: Tensor) -> Tensor:
        return ddim_step(y, eps, a, b, z, settings.eta)

    return _backwards(model, x0, settings, noise, ids, step)


def ddpm_step(y: Tensor, eps: Tensor, a: float, b: float, z: Tensor) -> Tensor:
    """From y (B, *) with alpha-bar a to alpha-bar b > a, with the network's noise eps and z ~ N(0, I), both like y."""
    alpha = a / b
    mean = (y - (1 - alpha) / math.sqrt(1 - a) * eps) / math.sqrt(alpha)
    return mean + _spread(a, b) * z


def ddim_step(y: Tensor, eps: Tensor, a: float, b: float, z: Tensor, eta: float) -> Tensor:
    """As `ddpm_step`, with `eta` of its noise; the rest of what b calls for is eps itself."""
    clean = (y - math.sqrt(1 - a) * eps) / math.sqrt(a)  # x_0(y)
    drawn = eta * _spread(a, b)
    return math.sqrt(b) * clean + math.sqrt(max(1 - b - drawn**2, 0.0)) * eps + drawn * z


def _spread(a: float, b: float) -> float:
    """The standard deviation of q(y_s | y_t, x_0)."""
    return math.sqrt((1 - b) / (1 - a) * (1 - a / b))


def _backwards(
    model: ScoreModel, x0: Tensor, settings: ParticleSettings, noise: Noise, ids: Tensor | None, step_in_vp: _Step
) -> Trajectory:
    """Go through the timesteps: into DDPM's coordinates, one step there, and back."""
    levels = timesteps(settings, model)
    bars = (*(level.alpha_bar for level in levels), 1.0)

    def move(x: Tensor, step: int) -> Tensor:
        a, b, sigma = bars[step - 1], bars[step], levels[step - 1].sigma
        eps = noise_from_score(model.score(x, sigma), sigma)
        y = step_in_vp(math.sqrt(a) * x, eps, a, b, step_noise(noise, step, x, ids))
        return y / math.sqrt(b)

    return trajectory(x0, len(levels), move)
