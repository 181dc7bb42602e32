r"""How particles move: every sampler by its name, and what a caller must know to run any of them.

| name       | what it does                                                   | starts from | where                |
|------------|----------------------------------------------------------------|-------------|----------------------|
| `ascent`   | follows the score at sigma_min: all end on modes               | the square  | `trainer.langevin`   |
| `langevin` | Langevin dynamics at sigma_min                                 | the square  | `trainer.langevin`   |
| `mala`     | the same, each step accepted or refused by the exact density   | the square  | `trainer.metropolis` |
| `annealed` | Langevin dynamics down a ladder of noise levels                | the square  | `trainer.langevin`   |
| `pc`       | Langevin steps and a step of the reverse SDE at each level     | the prior   | `trainer.diffusion`  |
| `sde`      | the reverse SDE, Euler-Maruyama                                | the prior   | `trainer.diffusion`  |
| `ode`      | the probability-flow ODE, Heun or Euler                        | the prior   | `trainer.diffusion`  |
| `ddpm`     | DDPM's ancestral sampling                                      | the prior   | `trainer.ddpm`       |
| `ddim`     | DDIM, deterministic or with part of the noise                  | the prior   | `trainer.ddpm`       |

All have one signature, sampler(model, x0, settings, noise, ids=None) -> (step, x), (step, x), ... They are generators:
the caller drives them step by step, and particle k gets its noise by (seed, step, k), so that panes share it and no
particle depends on how many others there are. x has shape (B, *): the same code moves dots and pictures. None asks the
model outside [sigma_min, sigma_max]: `InputError` says which setting would, and `within` cuts the settings to fit.

    sampler = SAMPLERS["sde"]
    for step, x in sampler(model, sampler.start(model, settings, n, noise), settings, noise): ...
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

from trainer.ddpm import ddim, ddpm, ddpm_levels
from trainer.diffusion import diffusion_levels, predictor_corrector, probability_flow, reverse_sde
from trainer.kernels import GAUSSIAN
from trainer.langevin import annealed_langevin, gradient_ascent, langevin, noise_levels, total_steps
from trainer.metropolis import metropolis_langevin
from trainer.models import ScoreModel
from trainer.noise import Noise
from trainer.settings import ParticleSettings
from trainer.starts import prior_points, start_points
from trainer.trajectories import FAR, Trajectory

__all__ = [
    "FAR",
    "SAMPLERS",
    "Sampler",
    "annealed_langevin",
    "noise_levels",
    "start_points",
    "total_steps",
    "within",
]

Run = Callable[[ScoreModel, Tensor, ParticleSettings, Noise, Tensor | None], Trajectory]
Start = Literal["square", "prior"]


@dataclass(frozen=True)
class Sampler:
    """One sampler, and what it asks of a model.

    Attributes:
        name: in files and on the command line.
        run: the sampler's own function.
        starts_from: "square", uniform over the plane, or "prior", p_sigma at the first of its noise levels.
        levels: (settings, model) -> the noise levels at which it asks for the score, largest first.
        evaluations: (settings, model) -> how often it asks for the score of all particles ("network evaluations").
        needs_log_prob: whether the model must know its log-density.
        gaussian_only: whether it is defined for Gaussian noise only.
    """

    name: str
    run: Run
    starts_from: Start
    levels: Callable[[ParticleSettings, ScoreModel], tuple[float, ...]]
    evaluations: Callable[[ParticleSettings, ScoreModel], int]
    needs_log_prob: bool = False
    gaussian_only: bool = False

    def __call__(
        self, model: ScoreModel, x0: Tensor, settings: ParticleSettings, noise: Noise, ids: Tensor | None = None
    ) -> Trajectory:
        """Run it: (step, x), step = 1, 2, ...; x has the shape of x0, (B, *)."""
        return self.run(model, x0, settings, noise, ids)

    def start(
        self,
        model: ScoreModel,
        settings: ParticleSettings,
        n: int,
        noise: Noise,
        ids: Tensor | None = None,
        shape: tuple[int, ...] = (2,),
    ) -> Tensor:
        """The x0 that it wants, float32 with shape (n, *shape); arguments and errors as for `prior_points`."""
        if self.starts_from == "square":
            return start_points(n, noise, ids, shape)
        return prior_points(model, n, noise, self.levels(settings, model)[0], ids, shape)

    def steps(self, settings: ParticleSettings, model: ScoreModel) -> int:
        """How many steps it takes, for a bar of progress."""
        return total_steps(settings) if self.starts_from == "square" else len(self.levels(settings, model))


def within(settings: ParticleSettings, model: ScoreModel) -> ParticleSettings:
    """The settings with their ladders cut to the noise levels that the model knows; the caller says what was changed.

    A painting of one dot, for one, is learned at small noise levels only.
    """
    low, high = max(model.sigma_min, 1e-3), max(model.sigma_max, 1e-3)

    def cut(sigma: float) -> float:
        return min(max(sigma, low), high)

    rungs = {cut(rung.sigma): replace(rung, sigma=cut(rung.sigma)) for rung in settings.rungs}
    return replace(
        settings,
        sigma_min=cut(settings.sigma_min),
        sigma_max=cut(settings.sigma_max),
        start_sigma=None if settings.start_sigma is None else cut(settings.start_sigma),
        rungs=tuple(rungs.values()),
    )


def _smallest(settings: ParticleSettings, _: ScoreModel) -> tuple[float, ...]:
    return (settings.sigma_min,)


def _ladder(settings: ParticleSettings, _: ScoreModel) -> tuple[float, ...]:
    return tuple(level.sigma for level in noise_levels(settings))


def _one_a_step(settings: ParticleSettings, _: ScoreModel) -> int:
    return total_steps(settings)


def _of_mala(settings: ParticleSettings, _: ScoreModel) -> int:
    return total_steps(settings) + 1  # where the particles start


def _of_annealed(settings: ParticleSettings, model: ScoreModel) -> int:
    return total_steps(settings) + (model.kernel == GAUSSIAN)  # the denoising


def _one_a_level(settings: ParticleSettings, model: ScoreModel) -> int:
    return len(diffusion_levels(settings, model))


def _of_pc(settings: ParticleSettings, _: ScoreModel) -> int:
    return settings.diffusion_steps * (1 + settings.corrector_steps)


def _of_ode(settings: ParticleSettings, _: ScoreModel) -> int:
    return 2 * settings.diffusion_steps - 1 if settings.ode_method == "heun" else settings.diffusion_steps


def _one_a_timestep(settings: ParticleSettings, model: ScoreModel) -> int:
    return len(ddpm_levels(settings, model))


SAMPLERS: dict[str, Sampler] = {
    sampler.name: sampler
    for sampler in (
        Sampler("ascent", gradient_ascent, "square", _smallest, _one_a_step),
        Sampler("langevin", langevin, "square", _smallest, _one_a_step),
        Sampler("mala", metropolis_langevin, "square", _smallest, _of_mala, needs_log_prob=True),
        Sampler("annealed", annealed_langevin, "square", _ladder, _of_annealed),
        Sampler("pc", predictor_corrector, "prior", diffusion_levels, _of_pc, gaussian_only=True),
        Sampler("sde", reverse_sde, "prior", diffusion_levels, _one_a_level, gaussian_only=True),
        Sampler("ode", probability_flow, "prior", diffusion_levels, _of_ode, gaussian_only=True),
        Sampler("ddpm", ddpm, "prior", ddpm_levels, _one_a_timestep, gaussian_only=True),
        Sampler("ddim", ddim, "prior", ddpm_levels, _one_a_timestep, gaussian_only=True),
    )
}
"""The samplers by name."""
