import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler
from torch import Tensor

from tests.trainer.particles import Impulses, gaussian, last, near_modes
from trainer.ddpm import ddim, ddim_step, ddpm, ddpm_levels, ddpm_step, timesteps
from trainer.diffusion import euler_step
from trainer.errors import InputError
from trainer.models import TrueScore
from trainer.noise import Noise
from trainer.settings import ParticleSettings
from trainer.starts import prior_points
from trainer.trajectories import Trajectory

KINDS = {"ddpm-linear": "linear", "ddpm-cosine": "squaredcos_cap_v2"}
VARIANCE = torch.tensor([0.2, 0.01], dtype=torch.float64)
CENTRE = torch.tensor([0.3, -0.5], dtype=torch.float64)
MODEL = gaussian((0.2, 0.01), (0.3, -0.5))


def alphas_cumprod(kind: str) -> Tensor:
    """Ho et al. 2020, section 4; Nichol & Dhariwal 2021, eq. 17 with betas clipped at 0.999; float64."""
    if kind == "ddpm-linear":
        return (1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)).cumprod(0)
    f = [math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 for t in range(1001)]
    return torch.tensor([1 - min(1 - f[t + 1] / f[t], 0.999) for t in range(1000)], dtype=torch.float64).cumprod(0)


def in_float64(scheduler: object, kind: str) -> object:
    """The scheduler with its tables computed in float64; its own are float32, 2e-4 off."""
    bars = alphas_cumprod(kind)
    scheduler.alphas_cumprod = bars
    scheduler.alphas = bars / torch.cat((torch.ones(1, dtype=torch.float64), bars[:-1]))
    scheduler.betas = 1 - scheduler.alphas
    scheduler.one = scheduler.final_alpha_cumprod = torch.tensor(1.0, dtype=torch.float64)
    return scheduler


# --- diffusers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_ddpm_step_is_diffusers(kind: str) -> None:
    """At every hundredth timestep, one step and twenty timesteps long."""
    bars = alphas_cumprod(kind)
    y, eps = (torch.randn(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(i)) for i in (0, 1))
    z = torch.randn(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(7))
    for stride in (1, 20):
        scheduler = in_float64(DDPMScheduler(beta_schedule=KINDS[kind], clip_sample=False), kind)
        scheduler.set_timesteps(1000 // stride)
        for t in range(100 - 100 % stride, 1000, 100):
            theirs = scheduler.step(eps, t, y, generator=torch.Generator().manual_seed(7)).prev_sample
            ours = ddpm_step(y, eps, float(bars[t]), float(bars[t - stride]), z)
            torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_the_ddim_step_is_diffusers(kind: str, eta: float) -> None:
    bars = alphas_cumprod(kind)
    y, eps, z = (torch.randn(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(i)) for i in range(3))
    for stride in (1, 20):
        scheduler = in_float64(DDIMScheduler(beta_schedule=KINDS[kind], clip_sample=False), kind)
        scheduler.set_timesteps(1000 // stride)
        for t in (0, *range(100, 1000, 100)):
            theirs = scheduler.step(eps, t, y, eta=eta, variance_noise=z).prev_sample
            before = float(bars[t - stride]) if t >= stride else 1.0
            torch.testing.assert_close(ddim_step(y, eps, float(bars[t]), before, z, eta), theirs, rtol=1e-9, atol=1e-9)


class Stream:
    """Normal numbers in the order in which they are asked for, as diffusers draws them."""

    def __init__(self) -> None:
        self.generator = torch.Generator().manual_seed(3)

    def normal(self, step: int, draw: int, ids: int, shape: tuple[int, ...]) -> Tensor:
        return torch.randn(ids, *shape, generator=self.generator, dtype=torch.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_whole_runs_are_diffusers(kind: str) -> None:
    """A hundred steps of ancestral sampling on two modes end at the same points, within 1e-6."""
    model, settings = TrueScore(near_modes()), ParticleSettings(vp_schedule=kind, diffusion_steps=100)
    chosen = timesteps(settings, model)
    x0 = prior_points(model, 50, Noise(0), chosen[0].sigma).double()
    ours = last(ddpm(model, x0, settings, Stream()))
    scheduler = in_float64(DDPMScheduler(beta_schedule=KINDS[kind], clip_sample=False), kind)
    scheduler.set_timesteps(timesteps=[step.t - 1 for step in chosen])
    y, generator = x0 * math.sqrt(chosen[0].alpha_bar), torch.Generator().manual_seed(3)
    for t in scheduler.timesteps.tolist():
        a = float(scheduler.alphas_cumprod[t])
        eps = -math.sqrt((1 - a) / a) * model.score(y / math.sqrt(a), math.sqrt((1 - a) / a))
        y = scheduler.step(eps, t, y, generator=generator).prev_sample
    torch.testing.assert_close(ours, y, rtol=0, atol=1e-6)


# --- a Gaussian: mean and variance in closed form, to float precision ------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("eta", [None, 0.0, 0.5, 1.0])
def test_mean_and_variance_on_a_gaussian(kind: str, eta: float | None) -> None:
    """In DDPM's coordinates: q(y_s | y_t, x_0) with x_0 put at its posterior mean; None is ddpm."""
    settings = ParticleSettings(vp_schedule=kind, diffusion_steps=15, eta=eta or 0.0)
    chosen = timesteps(settings, MODEL)
    noise = Impulses([(step, 0) for step in range(1, 16)])
    ends = last((ddpm if eta is None else ddim)(MODEL, noise.start(), settings, noise))
    found = noise.moments(ends, 1.0, 9.0)
    bars = [float(alphas_cumprod(kind)[step.t - 1]) for step in chosen] + [1.0]
    mean = torch.full((2,), math.sqrt(bars[0]), dtype=torch.float64)
    variance = torch.full((2,), 9.0 * bars[0], dtype=torch.float64)
    for a, b in pairwise(bars):
        gain = math.sqrt(a) * VARIANCE / (a * VARIANCE + 1 - a)  # x_0(y) = m + gain (y - sqrt(a) m)
        w2 = (1 - b) / (1 - a) * (1 - a / b)
        if eta is None:  # Ho et al. 2020, eq. 7
            of_x0, of_y = math.sqrt(b) * (1 - a / b) / (1 - a), math.sqrt(a / b) * (1 - b) / (1 - a)
        else:  # Song, Meng & Ermon 2021, eq. 12, eps = (y - sqrt(a) x_0) / sqrt(1 - a)
            w2 *= eta**2
            of_y = math.sqrt((1 - b - w2) / (1 - a)) if b < 1 else 0.0
            of_x0 = math.sqrt(b) - of_y * math.sqrt(a)
        clean = CENTRE + gain * (mean - math.sqrt(a) * CENTRE)
        mean = of_x0 * clean + of_y * mean
        variance = (of_x0 * gain + of_y) ** 2 * variance + w2
    torch.testing.assert_close(found, (mean, variance), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("sampler", "steps", "share"), [(ddpm, 300, 0.949), (ddpm, 1000, 0.966), (ddim, 300, 0.976)])
def test_ends_are_narrower_by_what_the_module_states(
    sampler: Callable[..., Trajectory], steps: int, share: float
) -> None:
    """On a Gaussian of variance 1/16, without a random number."""
    model, settings = gaussian(1 / 16), ParticleSettings(diffusion_steps=steps)
    levels = ddpm_levels(settings, model)
    noise = Impulses([(step, 0) for step in range(1, len(levels) + 1)])
    _, variance = noise.moments(last(sampler(model, noise.start(), settings, noise)), 0.0, 1 / 16 + levels[0] ** 2)
    assert float(variance[0]) * 16 == pytest.approx(share, abs=1e-3)


def test_ddim_with_all_its_noise_is_ddpm() -> None:
    model, settings = TrueScore(near_modes()), ParticleSettings(diffusion_steps=40, eta=1.0)
    x0 = prior_points(model, 50, Noise(0), ddpm_levels(settings, model)[0]).double()
    torch.testing.assert_close(
        last(ddim(model, x0, settings, Noise(1))), last(ddpm(model, x0, settings, Noise(1))), rtol=0, atol=1e-10
    )


def test_ddim_without_noise_is_eulers_flow_between_its_levels() -> None:
    model, settings = TrueScore(near_modes()), ParticleSettings(diffusion_steps=40)
    sigmas = [*ddpm_levels(settings, model), 0.0]
    x = x0 = prior_points(model, 50, Noise(0), sigmas[0]).double()
    for sigma, lower in pairwise(sigmas):
        x = euler_step(model, x, sigma, lower)
    torch.testing.assert_close(last(ddim(model, x0, settings, Noise(1))), x, rtol=0, atol=1e-10)


def test_vp_and_ve_agree_on_the_posterior_mean() -> None:
    """E[x_0 | y] by DDPM's noise prediction equals x + sigma^2 s(x, sigma) at x = y / sqrt(a)."""
    a = 0.4
    sigma = math.sqrt((1 - a) / a)
    y = torch.tensor([[0.5, -0.2]], dtype=torch.float64)
    joint = a * VARIANCE + 1 - a  # of y, around sqrt(a) m
    posterior = CENTRE + math.sqrt(a) * VARIANCE / joint * (y - math.sqrt(a) * CENTRE)
    x = y / math.sqrt(a)
    torch.testing.assert_close(x + sigma**2 * MODEL.score(x, sigma), posterior, rtol=1e-12, atol=0)
    eps = -sigma * MODEL.score(x, sigma)
    torch.testing.assert_close(ddim_step(y, eps, a, 1.0, y, 0.5), posterior, rtol=1e-12, atol=0)


# --- which timesteps -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_timesteps_lie_within_the_levels_and_are_evenly_spaced(kind: str) -> None:
    settings = ParticleSettings(vp_schedule=kind, sigma_min=0.03, start_sigma=2.0, diffusion_steps=50)
    chosen = timesteps(settings, MODEL)
    bars = alphas_cumprod(kind)
    sigmas = ((1 - bars) / bars).sqrt()
    inside = [t for t in range(1, 1001) if 0.03 <= float(sigmas[t - 1]) <= 2.0]
    assert (chosen[0].t, chosen[-1].t, len(chosen)) == (inside[-1], inside[0], 50)
    gaps = {a.t - b.t for a, b in pairwise(chosen)}
    assert max(gaps) - min(gaps) <= 1
    assert [step.sigma for step in chosen] == pytest.approx([float(sigmas[step.t - 1]) for step in chosen], rel=1e-9)
    every = timesteps(replace(settings, diffusion_steps=1000), MODEL)
    assert [step.t for step in every] == inside[::-1]


def test_a_range_without_timesteps_is_refused() -> None:
    settings = ParticleSettings(sigma_min=0.0101, start_sigma=0.0102)
    with pytest.raises(InputError, match=r"^particles\.start_sigma: ddpm-linear has no timestep .*give a larger one$"):
        timesteps(settings, MODEL)
