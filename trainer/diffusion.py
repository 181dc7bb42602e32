r"""From noise to data through a continuum of noise levels: reverse SDE, predictor-corrector, probability-flow ODE.

Adding noise is the variance-exploding SDE dx = sqrt(d sigma^2 / dt) dw: at time t, x has the density p_{sigma(t)}. Both

    reverse SDE            dx = -s(x, sigma) d(sigma^2) + dw(sigma^2),    sigma falling      (Song et al. 2021, eq. 6)
    probability-flow ODE   dx = -sigma s(x, sigma) d sigma                    (eq. 13; Karras et al. 2022, eq. 1)

run it backwards: the same densities at each sigma, with and without noise along the way. They go down the ladder

    sigma_i^(1/rho) = sigma_1^(1/rho) + (i - 1)/(N - 1) (sigma_N^(1/rho) - sigma_1^(1/rho)),   i = 1 .. N   (eq. 5),

then to sigma = 0: the last step is x + sigma_N^2 s(x, sigma_N), the posterior mean, without noise. The score is asked
at the N levels alone, never below sigma_N.

* `reverse_sde`, Euler-Maruyama with sigma^2 as time: x + D s(x, sigma_i) + sqrt(D) z, D = sigma_i^2 - sigma_{i+1}^2.
  The noise does not depend on x, so its order is 1 both in law and path by path.
* `predictor_corrector` (Song et al. 2021, Algorithms 2 and 4): at each level first Langevin steps at that level, then
  the step above. Their corrector has h = 2 (r |z| / |s|)^2 in x + h s + sqrt(2h) z with norms averaged over the batch,
  which ties each sample to its neighbours. Here |z| / |s| is sigma, its value where the data's own width is small
  against sigma: h = 2 (r sigma)^2, the same for all; as annealed Langevin's, it is in proportion to sigma^2.
* `probability_flow`, Heun's method of order 2 (Karras et al. 2022, Algorithm 1, last step Euler) or Euler's of order 1.
  The end is a function of the start alone. The state is kept in float64.

All hold for Gaussian noise and start from p_{sigma_1} (`trainer.starts`); x is in the data's own coordinates.
"""

from __future__ import annotations

import math

from torch import Tensor

from trainer.errors import InputError
from trainer.kernels import require_gaussian
from trainer.langevin import langevin_step
from trainer.models import ScoreModel, require_levels
from trainer.noise import Noise
from trainer.parameterisations import noise_from_score
from trainer.schedules import rho_ladder
from trainer.settings import ParticleSettings
from trainer.trajectories import START, Trajectory, double, step_noise, trajectory

PLANE = 3.0
"""The noise level to start from where nothing says otherwise: more than the square [-1, 1]^2 is wide."""


def start_sigma(settings: ParticleSettings, model: ScoreModel) -> float:
    """The noise level to start from: the one in the settings, else the model's largest, but no more than `PLANE`."""
    return min(model.sigma_max, PLANE) if settings.start_sigma is None else settings.start_sigma


def highest_level(settings: ParticleSettings, model: ScoreModel, what: str) -> float:
    """`start_sigma`, once it is sure that `what` (a noun that starts the message) can go from there to `sigma_min`.

    Raises:
        InputError: the model's noise is not Gaussian, or it does not know both levels.
    """
    top = start_sigma(settings, model)
    require_gaussian(model.kernel, what)
    require_levels(model, settings.sigma_min, top, "start_sigma")
    return top


def diffusion_levels(settings: ParticleSettings, model: ScoreModel) -> tuple[float, ...]:
    """The `diffusion_steps` noise levels from `start_sigma` down to `sigma_min`, without the final 0.

    Raises:
        InputError: the model does not know them all, its noise is not Gaussian, or start_sigma is not above sigma_min.
    """
    top = highest_level(settings, model, "running a diffusion backwards")
    if not top > settings.sigma_min:
        raise InputError(
            f"particles.start_sigma: {top:g} is not above sigma_min = {settings.sigma_min:g}; "
            "give a larger noise level to start from, or a smaller sigma_min"
        )
    return tuple(rho_ladder(top, settings.sigma_min, settings.diffusion_steps, settings.rho).tolist())


def reverse_sde(
    model: ScoreModel, x0: Tensor, settings: ParticleSettings, noise: Noise, ids: Tensor | None = None
) -> Trajectory:
    """Euler-Maruyama on the reverse SDE: x + D s(x, sigma_i) + sqrt(D) z; the last step without z.

    Args:
        model: the score for Gaussian noise.
        x0: draws of p_sigma at the first of `diffusion_levels`, with shape (B, *).
        settings: `start_sigma`, `sigma_min`, `diffusion_steps`, `rho`.
        noise: where z comes from, by step and particle.
        ids: whole numbers with shape (B,), the particles' own numbers; None for 0 .. B - 1.

    Yields (step, x), step = 1, 2, ...; after step i, x is at noise level i + 1, and at 0 after the last. x is the
    sampler's own tensor and changes with the next step: clone it to keep.

    Raises:
        InputError: see `diffusion_levels`.
    """
    ladder = (*diffusion_levels(settings, model), 0.0)

    def move(x: Tensor, step: int) -> Tensor:
        return reverse_step(model, x, ladder[step - 1], ladder[step], step_noise(noise, step, x, ids))

    return trajectory(x0, len(ladder) - 1, move)


def predictor_corrector(
    model: ScoreModel, x0: Tensor, settings: ParticleSettings, noise: Noise, ids: Tensor | None = None
) -> Trajectory:
    """At each level `corrector_steps` Langevin steps with h = 2 (r sigma)^2, r = `corrector_snr`, then `reverse_step`.

    Arguments, yields and errors as for `reverse_sde`.
    """
    ladder = (*diffusion_levels(settings, model), 0.0)

    def move(x: Tensor, step: int) -> Tensor:
        sigma = ladder[step - 1]
        epsilon = (2 * settings.corrector_snr * sigma) ** 2  # 2 h
        for draw in range(START + 1, START + 1 + settings.corrector_steps):
            x = langevin_step(model, x, sigma, epsilon, step_noise(noise, step, x, ids, draw))
        return reverse_step(model, x, sigma, ladder[step], step_noise(noise, step, x, ids))

    return trajectory(x0, len(ladder) - 1, move)


def probability_flow(
    model: ScoreModel, x0: Tensor, settings: ParticleSettings, noise: Noise, ids: Tensor | None = None
) -> Trajectory:
    """The probability-flow ODE by `ode_method`, Heun's or Euler's; the last step is Euler's, to sigma = 0.

    Arguments, yields and errors as for `reverse_sde`; nothing is drawn from the noise.
    """
    ladder = (*diffusion_levels(settings, model), 0.0)
    flow_step = heun_step if settings.ode_method == "heun" else euler_step

    def move(x: Tensor, step: int) -> Tensor:
        return (flow_step if step < len(ladder) - 1 else euler_step)(model, x, ladder[step - 1], ladder[step])

    return trajectory(x0, len(ladder) - 1, move, double(x0))


def reverse_step(model: ScoreModel, x: Tensor, sigma: float, lower: float, z: Tensor) -> Tensor:
    """Return x + D s(x, sigma) + sqrt(D) z, D = sigma^2 - lower^2, in place; without z if lower = 0."""
    gap = sigma**2 - lower**2
    x = x.add_(model.score(x, sigma), alpha=gap)
    return x.add_(z, alpha=math.sqrt(gap)) if lower else x


def euler_step(model: ScoreModel, x: Tensor, sigma: float, lower: float) -> Tensor:
    """Return x + (lower - sigma) d, d = -sigma s(x, sigma), the network's noise."""
    return x + (lower - sigma) * noise_from_score(model.score(x, sigma), sigma)


def heun_step(model: ScoreModel, x: Tensor, sigma: float, lower: float) -> Tensor:
    """Euler's step, and again with the mean of the slopes at both its ends; lower > 0."""
    slope = noise_from_score(model.score(x, sigma), sigma)  # (B, *)
    end = x + (lower - sigma) * slope
    return x + (lower - sigma) * 0.5 * (slope + noise_from_score(model.score(end, lower), lower))
