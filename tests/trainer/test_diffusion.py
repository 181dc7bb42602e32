import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from tests.trainer.particles import Impulses, far_modes, gaussian, last, near_modes
from trainer.diffusion import PLANE, diffusion_levels, predictor_corrector, probability_flow, reverse_sde, start_sigma
from trainer.errors import InputError
from trainer.langevin import langevin
from trainer.metropolis import metropolis_langevin
from trainer.models import TrueScore
from trainer.noise import Noise
from trainer.settings import ParticleSettings
from trainer.starts import prior_points
from trainer.trajectories import Trajectory

VARIANCE = torch.tensor([0.2, 0.01], dtype=torch.float64)
CENTRE = torch.tensor([0.3, -0.5], dtype=torch.float64)
MODEL = gaussian((0.2, 0.01), (0.3, -0.5))
COARSE = ParticleSettings(sigma_min=0.05, start_sigma=2.0, diffusion_steps=12)


def at_sigma_min(steps: object) -> Tensor:
    """The x before the last step, at the smallest noise level."""
    *_, x, _ = [moved.clone() for _, moved in steps]
    return x


def ladder(settings: ParticleSettings) -> list[float]:
    """Karras et al. 2022, eq. 5, and the final 0."""
    n, rho = settings.diffusion_steps, settings.rho
    top, low = settings.start_sigma ** (1 / rho), settings.sigma_min ** (1 / rho)
    return [(top + i / (n - 1) * (low - top)) ** rho for i in range(n)] + [0.0]


def test_the_levels_are_the_papers() -> None:
    assert [*diffusion_levels(COARSE, MODEL), 0.0] == pytest.approx(ladder(COARSE), rel=1e-12)
    evenly = diffusion_levels(replace(COARSE, rho=1.0), MODEL)
    assert np.diff(evenly) == pytest.approx([(0.05 - 2.0) / 11] * 11)


def test_the_start_is_the_models_largest_level_within_the_plane() -> None:
    assert start_sigma(ParticleSettings(), MODEL) == PLANE == 3.0
    assert start_sigma(ParticleSettings(), TrueScore(far_modes(), sigma_max=1.9)) == 1.9
    assert start_sigma(ParticleSettings(start_sigma=2.5), TrueScore(far_modes(), sigma_max=4)) == 2.5


# --- a Gaussian: mean and variance in closed form, to float precision ------------------------------------------------


@pytest.mark.parametrize("corrector_steps", [0, 1, 3])
def test_sde_and_pc_mean_and_variance_on_a_gaussian(corrector_steps: int) -> None:
    """No corrector step is the reverse SDE; the corrector runs first; the last mean is the end."""
    settings = replace(COARSE, corrector_steps=corrector_steps, corrector_snr=0.3)
    draws = [0, *range(2, 2 + corrector_steps)]
    noise = Impulses([(step, draw) for step in range(1, 13) for draw in draws])
    ends = last(predictor_corrector(MODEL, noise.start(), settings, noise))
    if corrector_steps == 0:
        assert torch.equal(ends, last(reverse_sde(MODEL, noise.start(), settings, noise)))
    mean, variance = torch.ones(2, dtype=torch.float64), torch.full((2,), 4.0, dtype=torch.float64)
    sigmas = ladder(settings)
    for sigma, lower in pairwise(sigmas):
        blurred = VARIANCE + sigma**2
        h = 2 * (0.3 * sigma) ** 2
        for _ in range(corrector_steps):
            mean = mean - h * (mean - CENTRE) / blurred
            variance = (1 - h / blurred) ** 2 * variance + 2 * h
        gap = sigma**2 - lower**2
        mean = mean - gap * (mean - CENTRE) / blurred
        variance = (1 - gap / blurred) ** 2 * variance + (gap if lower else 0.0)
    torch.testing.assert_close(noise.moments(ends, 1.0, 4.0), (mean, variance), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("method", ["heun", "euler"])
def test_ode_on_a_gaussian_is_the_methods_recursion(method: str) -> None:
    x0 = torch.tensor([[1.0, -2.0], [0.1, 3.0]], dtype=torch.float64)
    x, sigmas = x0 - CENTRE, ladder(COARSE)
    for sigma, lower in pairwise(sigmas):
        steep, step = sigma / (VARIANCE + sigma**2), lower - sigma  # dx/dsigma = steep x
        end = x + step * steep * x
        if method == "heun" and lower:
            end = x + step / 2 * (steep * x + lower / (VARIANCE + lower**2) * end)
        x = end
    found = last(probability_flow(MODEL, x0, replace(COARSE, ode_method=method), Noise(0)))
    torch.testing.assert_close(found, CENTRE + x, rtol=1e-12, atol=1e-15)


def test_ode_keeps_its_state_in_float64() -> None:
    """Six hundred steps from a float32 start end within one rounding of the same from a float64 start."""
    settings = replace(COARSE, diffusion_steps=600)
    x0 = prior_points(MODEL, 100, Noise(0), 2.0)
    found = last(probability_flow(MODEL, x0, settings, Noise(0)))
    assert found.dtype == torch.float32
    assert torch.equal(found, last(probability_flow(MODEL, x0.double(), settings, Noise(0))).float())


# --- orders of convergence: the slope alone would be right for a wrong limit as well --------------------------------


def slope(steps: list[int], errors: list[float]) -> float:
    """The order of convergence: minus the slope of ln error over ln number of steps."""
    return -float(np.polyfit(np.log(steps), np.log(errors), 1)[0])


def exact_flow(x0: Tensor, settings: ParticleSettings) -> Tensor:
    """The probability flow on `near_modes` down to sigma_min, by scipy's Runge-Kutta method of order 8."""
    density = near_modes()

    def speed(sigma: float, x: np.ndarray) -> np.ndarray:
        return (-sigma * density.score(torch.from_numpy(x).view(-1, 2), sigma)).numpy().ravel()

    ends = (settings.start_sigma, settings.sigma_min)
    return torch.from_numpy(
        solve_ivp(speed, ends, x0.numpy().ravel(), method="DOP853", rtol=1e-11, atol=1e-12).y[:, -1]
    ).view(-1, 2)


@pytest.mark.parametrize(("method", "order", "limit"), [("euler", 1, 6e-3), ("heun", 2, 4e-5)])
def test_the_flows_order_and_limit(method: str, order: int, limit: float) -> None:
    """On two modes, against an independent solver; `limit`: the largest error at 512 steps."""
    model = TrueScore(near_modes())
    x0 = prior_points(model, 40, Noise(0), 2.0).double()
    exact, counts, errors = exact_flow(x0, COARSE), [64, 128, 256, 512], []
    for n in counts:
        settings = replace(COARSE, ode_method=method, diffusion_steps=n + 1)
        errors.append(float((at_sigma_min(probability_flow(model, x0, settings, Noise(0))) - exact).abs().max()))
    assert slope(counts, errors) == pytest.approx(order, abs=0.4)
    assert errors[-1] < limit


def test_the_flow_of_a_gaussian_is_known() -> None:
    """x(sigma) = m + (x_0 - m) sqrt((v + sigma^2) / (v + sigma_1^2)): Heun's method at 512 steps, within 1e-5."""
    x0 = prior_points(MODEL, 40, Noise(0), 2.0).double()
    exact = CENTRE + (x0 - CENTRE) * ((VARIANCE + 0.05**2) / (VARIANCE + 4)).sqrt()
    found = at_sigma_min(probability_flow(MODEL, x0, replace(COARSE, diffusion_steps=512), Noise(0)))
    torch.testing.assert_close(found, exact, rtol=0, atol=1e-5)


def test_euler_maruyamas_weak_order_and_limit() -> None:
    """The variance at sigma_min, without a random number: its error is of order 1 and below 1 % at 256 steps."""
    counts, errors = [32, 64, 128, 256], []
    exact = VARIANCE + 0.05**2
    for n in counts:
        settings = replace(COARSE, diffusion_steps=n + 1)
        noise = Impulses([(step, 0) for step in range(1, n + 1)])
        x = at_sigma_min(reverse_sde(MODEL, noise.start(), settings, noise))
        start = VARIANCE + 4
        mean, variance = noise.moments(x, 0.0, 0.0)
        gain = x[-2] - x[-1]
        mean, variance = mean + gain * CENTRE, variance + gain**2 * start
        torch.testing.assert_close(mean, CENTRE, rtol=1e-12, atol=0)
        errors.append(float(((variance - exact) / exact).abs().max()))
    assert slope(counts, errors) == pytest.approx(1, abs=0.4)
    assert errors[-1] < 0.02


class Path:
    """One Brownian motion in sigma^2, cut into the steps of a ladder: normal numbers of coarse and fine runs agree."""

    def __init__(self, finest: list[float], particles: int) -> None:
        gaps = -np.diff(np.square(finest))
        rng = np.random.default_rng(0)
        steps = rng.standard_normal((len(gaps), particles, 2)) * np.sqrt(gaps)[:, None, None]
        self.walked = np.concatenate((np.zeros((1, particles, 2)), steps.cumsum(0)))
        self.finest = finest
        self.stride = 1

    def normal(self, step: int, draw: int, ids: int, shape: tuple[int, ...]) -> Tensor:
        first, end = (step - 1) * self.stride, step * self.stride
        if end >= len(self.walked):  # the last step draws nothing
            return torch.zeros(ids, *shape, dtype=torch.float64)
        gap = self.finest[first] ** 2 - self.finest[end] ** 2
        return torch.from_numpy((self.walked[end] - self.walked[first]) / math.sqrt(gap))


def test_euler_maruyamas_strong_order_and_limit() -> None:
    """Path by path on two modes: order 1, since the noise does not depend on x."""
    model, n, finest = TrueScore(near_modes()), 400, 2048
    settings = replace(COARSE, diffusion_steps=finest + 1)
    path = Path(ladder(settings)[:-1], n)
    x0 = prior_points(model, n, Noise(0), 2.0).double()
    exact = at_sigma_min(reverse_sde(model, x0, settings, path))
    counts, errors = [32, 64, 128, 256], []
    for count in counts:
        path.stride = finest // count
        settings = replace(COARSE, diffusion_steps=count + 1)
        errors.append(float((at_sigma_min(reverse_sde(model, x0, settings, path)) - exact).norm(dim=1).mean()))
    assert slope(counts, errors) == pytest.approx(1, abs=0.4)
    assert errors[-1] < 0.01


@pytest.mark.parametrize(
    ("settings", "model"),
    [
        (ParticleSettings(sigma_min=0.05, start_sigma=0.05), MODEL),
        (ParticleSettings(sigma_min=0.05), TrueScore(far_modes(), sigma_max=0.05)),
    ],
)
def test_a_start_that_is_not_above_the_end_is_named(settings: ParticleSettings, model: TrueScore) -> None:
    with pytest.raises(InputError, match=r"^particles\.start_sigma: 0\.05 is not above sigma_min = 0\.05; [^\n]*$"):
        diffusion_levels(settings, model)


@pytest.mark.parametrize("ids", [torch.arange(3), torch.arange(5.0), torch.arange(5)[:, None]])
@pytest.mark.parametrize("sampler", [reverse_sde, predictor_corrector, langevin, metropolis_langevin])
def test_ids_are_one_whole_number_for_each_particle(sampler: Callable[..., Trajectory], ids: Tensor) -> None:
    with pytest.raises(
        InputError, match=r"^ids: torch\.(int64|float32) with shape \([^\n]*\) for 5 particles; give [^\n]*$"
    ):
        next(sampler(MODEL, torch.zeros(5, 2), COARSE, Noise(0), ids))
