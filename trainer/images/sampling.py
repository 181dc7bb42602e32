r"""Pictures out of noise: the samplers of `trainer.samplers`, as they are, on an `ImageScore`.

    model = load_image_model("run")
    pictures = sample_pictures(model, 64, sampler="ode", seed=1)        # (64, C, H, W) in [-1, 1]

    for step, sigma, x, diverged in emerging(model, torch.arange(16)):  # as it happens, for a window
        ...

**The start** is a draw of N(m, sigma_1^2 I), sigma_1 the first noise level and m the mean picture, for annealed
Langevin dynamics too: Technique 4 counts on the variance that a level finds. m is what the model itself makes of noise,

    m = mean of x + sigma_1^2 s(x, sigma_1)  over x = +-sigma_1 z,

since far above the data's width the posterior mean hardly depends on x. With m = 0 in its place the probability-flow
ODE, which forgets nothing, would end |m| / sigma_1 standard deviations away from where it should.

**Recommended settings** (`recommended`), from the model's own ladder sigma_1 > ... > sigma_L and the number D of its
values, C H W:

* annealed: the L levels of the ladder, and T steps at each, as many as make 1,000 in all but no fewer than 5.
  Epsilon is Technique 4's (Song & Ermon 2020; `trainer.annealing`): h = x sigma_L^2, epsilon = 2 h, x the minimum of
  |(1 - x)^(2T) (g^2 - b) + b - 1| with b = 1 / (1 - x / 2) and g the ladder's ratio. The rule knows D only through g,
  which Technique 2 chooses by D (`trainer.images.ladder`). DDPM's thousand levels are no geometric ladder: there the
  number of levels is the one with which so many steps relax most, sqrt(8 S ln(sigma_1 / sigma_L) / (e^2 + 1)) for S
  steps (`trainer.annealing`), or Technique 2's if that is larger. The last step is x + sigma_L^2 s(x, sigma_L), as in
  NCSNv2.
* all others: from sigma_1 to sigma_L with the number of steps in `STEPS`.

None but ddpm and ddim starts above 2 sqrt(D), the diagonal of the cube [-1, 1]^D: no two pictures are further apart,
which is what Technique 1 asks of sigma_1.

**Noise by address.** Picture k has its noise by (seed, step, k), so that it is the same picture, up to the rounding of
the network's sums, whatever the batch and the number of pictures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from trainer.annealing import langevin_step
from trainer.errors import TrainingError
from trainer.images.ladder import levels_needed
from trainer.images.pictures import crop
from trainer.langevin import noise_levels
from trainer.noise import Noise
from trainer.samplers import SAMPLERS
from trainer.settings import ParticleSettings, choice, whole
from trainer.starts import prior_points

if TYPE_CHECKING:
    from trainer.images.models import ImageModel

IMAGE_SAMPLERS = ("annealed", "pc", "sde", "ode", "ddpm", "ddim")
"""The samplers that turn noise into pictures."""
STEPS = {"pc": 200, "sde": 300, "ode": 40, "ddpm": 1000, "ddim": 250}
"""The recommended `diffusion_steps`."""
ANNEALED_STEPS, FEWEST_STEPS = 1000, 5
"""Langevin steps in all, and the fewest at a level."""
SMALLEST, LARGEST = 1e-3, 1000.0
"""Noise levels that `ParticleSettings` take."""
BEYOND = 100.0
"""A value this many times further out than six standard deviations of the noise around [-1, 1] has diverged."""

_MEAN_DRAWS = 16  # pairs that the mean picture is estimated from
_MEAN = 2  # the use of step 0's noise that they are; 0 and 1 are the samplers' own


class Moment(NamedTuple):
    """Pictures on their way.

    Attributes:
        step: 0 at the start, then 1, 2, ...
        sigma: the noise level of x; 0 after the last step.
        x: (B, C, H, W) float32, without padding, not cut to [-1, 1]; a value that is not finite is shown as 0.
        diverged: (B,) bool, which of them have left for good.
    """

    step: int
    sigma: float
    x: Tensor
    diverged: Tensor


def recommended(model: ImageModel, sampler: str) -> ParticleSettings:
    """Settings for this model and sampler (see the module's docstring).

    Raises:
        InputError: the sampler does not make pictures.
    """
    choice("sampler", sampler, IMAGE_SAMPLERS)
    low, top = max(model.sigma_min, SMALLEST), min(model.sigma_max, LARGEST)
    dimension = math.prod(model.card.shape)
    far = min(top, 2 * math.sqrt(dimension))
    if sampler != "annealed":
        start = top if sampler in ("ddpm", "ddim") else far
        return ParticleSettings(sigma_min=low, sigma_max=far, start_sigma=start, diffusion_steps=STEPS[sampler])
    if model.card.objective == "ddpm":
        economical = math.sqrt(8 * ANNEALED_STEPS * math.log(far / low) / (math.e**2 + 1))
        levels = max(levels_needed(far, low, dimension), math.ceil(economical))
    else:
        sigmas = model.card.sigmas
        levels = int(((sigmas >= low * (1 - 1e-6)) & (sigmas <= far * (1 + 1e-6))).sum())
    levels = min(max(levels, 2), 1000)
    steps = max(FEWEST_STEPS, math.ceil(ANNEALED_STEPS / levels))
    return ParticleSettings(
        levels=levels,
        steps=steps,
        fine_steps=steps,
        epsilon=langevin_step(low, (far / low) ** (1 / (levels - 1)), steps),
        sigma_min=low,
        sigma_max=far,
    )


def levels_by_step(model: ImageModel, sampler: str, settings: ParticleSettings) -> tuple[float, ...]:
    """The noise level of the pictures after each step, 0, 1, ... steps; the last is 0.

    Raises:
        InputError: the model does not know the levels that the settings ask for.
    """
    if sampler == "annealed":
        levels = noise_levels(settings)
        at = [level.sigma for level in levels for _ in range(level.steps)]
        return (at[0], *at[:-1], 0.0)
    return (*SAMPLERS[sampler].levels(settings, model), 0.0)


def evaluations(model: ImageModel, sampler: str, settings: ParticleSettings) -> int:
    """How often the network is asked for each picture, the mean picture at the start aside."""
    return SAMPLERS[sampler].evaluations(settings, model)


def emerging(
    model: ImageModel,
    ids: Tensor,
    *,
    sampler: str = "annealed",
    settings: ParticleSettings | None = None,
    seed: int = 0,
    noise: Noise | None = None,
    start: Tensor | None = None,
) -> Iterator[Moment]:
    """Pictures as they come out of noise: a `Moment` at the start, and one after each step.

    Args:
        model: whose score.
        ids: whole numbers with shape (B,), the pictures' own: each is the same in any company.
        sampler: one of `IMAGE_SAMPLERS`.
        settings: None for the `recommended`.
        seed: of all noise.
        noise: in place of the seed's own.
        start: (B, C, H, W), with the padding, at the first noise level; None for a draw of noise (see the module's
            docstring).

    Raises:
        InputError: no such sampler, or the model does not know the levels that the settings ask for.
    """
    choice("sampler", sampler, IMAGE_SAMPLERS)
    settings = settings or recommended(model, sampler)
    sigmas = levels_by_step(model, sampler, settings)
    noise = noise or Noise(seed, model.device)
    if start is None:
        start = mean_picture(model, sigmas[0]) + prior_points(model, len(ids), noise, sigmas[0], ids, model.shape)
    for step, x in chain([(0, start)], SAMPLERS[sampler](model, start, settings, noise, ids)):
        yield _moment(step, sigmas[step], crop(x, model.card.shape))


def sample_pictures(
    model: ImageModel,
    n: int,
    *,
    sampler: str = "annealed",
    settings: ParticleSettings | None = None,
    seed: int = 0,
    batch: int = 256,
    first: int = 0,
    watch: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Pictures number first .. first + n - 1, float32 on the processor with shape (n, C, H, W), cut to [-1, 1].

    Args:
        model: whose score.
        n: how many.
        sampler: one of `IMAGE_SAMPLERS`.
        settings: None for the `recommended`.
        seed: of all noise.
        batch: how many at a time; the pictures do not depend on it.
        first: the number of the first.
        watch: called after each step with the steps done and those to do, of all batches.

    Raises:
        InputError: as `emerging`, or n or batch is below 1.
        TrainingError: some of them diverged.
    """
    whole("n", n, 1, 10**7)
    whole("batch", batch, 1, 10**6)
    settings = settings or recommended(model, sampler)
    parts: list[Tensor] = []
    lost = 0
    steps = len(levels_by_step(model, sampler, settings)) - 1
    begins = range(first, first + n, batch)
    for done, begin in enumerate(begins):
        ids = torch.arange(begin, min(begin + batch, first + n))
        for moment in emerging(model, ids, sampler=sampler, settings=settings, seed=seed):
            if watch is not None:
                watch(done * steps + moment.step, len(begins) * steps)
            if moment.step == steps:
                parts.append(moment.x.cpu())
                lost += int(moment.diverged.sum())
    if lost:
        raise TrainingError(
            f"{sampler}: {lost} of {n} pictures diverged; give a smaller epsilon or more steps, or train for longer"
        )
    return torch.cat(parts).clamp_(-1, 1)


def mean_picture(model: ImageModel, sigma: float) -> Tensor:
    """The mean of the pictures, (C, H, W) with the padding, as the score at a large sigma tells it."""
    ids = torch.arange(_MEAN_DRAWS)
    z = sigma * Noise(0, model.device).normal(0, _MEAN, ids, model.shape)
    z = torch.cat((z, -z))  # so that what is linear in z falls away
    with torch.no_grad():
        means = z + sigma**2 * model.score(z, sigma)
    return means.mean(0).nan_to_num(0.0).clamp(-1, 1)


def _moment(step: int, sigma: float, x: Tensor) -> Moment:
    """A copy of x that is safe to show, and which of it has diverged."""
    finite = x.isfinite()
    gone = ~finite | (x.abs() > BEYOND * (1 + 6 * sigma))
    return Moment(step, sigma, torch.where(finite, x, 0.0), gone.flatten(1).any(1))
