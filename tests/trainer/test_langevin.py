import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.trainer.particles import Impulses, far_modes, gaussian, last
from trainer.kernels import LAPLACE
from trainer.langevin import annealed_langevin, gradient_ascent, langevin, level_at, noise_levels, total_steps
from trainer.metrics import mode_ledger
from trainer.models import TrueScore
from trainer.modes import find_modes
from trainer.noise import Noise
from trainer.samplers import SAMPLERS
from trainer.settings import ParticleSettings
from trainer.starts import start_points
from trainer.tables import TabulatedScore

ONE_LEVEL = ParticleSettings(levels=1, steps=60, fine_steps=60, sigma_min=0.1, sigma_max=0.1, epsilon=0.05)


def test_ascent_on_a_gaussian_contracts_by_a_known_factor() -> None:
    v = 0.2 + 0.1**2
    x0 = start_points(100, Noise(0))
    x = last(gradient_ascent(gaussian(0.2), x0, ONE_LEVEL, Noise(0)))
    expected = x0 * (1 - ONE_LEVEL.epsilon / (2 * v)) ** 60
    torch.testing.assert_close(x, expected, rtol=1e-4, atol=1e-8)


def test_langevin_is_the_papers_recursion_on_the_noise_of_the_step() -> None:
    v = 0.2 + 0.1**2
    x0, noise = start_points(100, Noise(0)), Noise(3)
    expected = x0.double()
    for step in range(1, 61):
        z = noise.normal(step, 0, 100).double()
        expected = expected - ONE_LEVEL.epsilon / 2 * expected / v + math.sqrt(ONE_LEVEL.epsilon) * z
    x = last(langevin(gaussian(0.2), x0, ONE_LEVEL, Noise(3)))
    torch.testing.assert_close(x.double(), expected, rtol=1e-4, atol=1e-5)


def test_langevins_mean_and_variance_on_a_gaussian() -> None:
    """After T steps, with g = 1 - h / v: g^T of the start, and b v (1 - g^2T) of noise, b = 1 / (1 - h / (2 v))."""
    noise = Impulses([(step, 0) for step in range(1, 61)])
    mean, variance = noise.moments(last(langevin(gaussian(0.2, (0.3, -0.1)), noise.start(), ONE_LEVEL, noise)), 1, 0.5)
    v, h = 0.2 + 0.1**2, ONE_LEVEL.epsilon / 2
    g, b = 1 - h / v, 1 / (1 - h / (2 * v))
    centre = torch.tensor([0.3, -0.1], dtype=torch.float64)
    torch.testing.assert_close(mean, centre + g**60 * (1 - centre), rtol=1e-12, atol=0)
    expected = torch.full((2,), g**120 * 0.5 + b * v * (1 - g**120), dtype=torch.float64)
    torch.testing.assert_close(variance, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0])
def test_langevins_stationary_variance_is_inflated_by_b(ratio: float) -> None:
    """B = 1 / (1 - x / 2) with x = h / v, h = epsilon / 2."""
    v, n = 0.2 + 0.1**2, 40_000
    steps = round(12 / ratio)  # (1 - ratio)^(2 steps) < e^-24: the start is forgotten
    settings = replace(ONE_LEVEL, steps=steps, fine_steps=steps, epsilon=2 * ratio * v)
    x = last(langevin(gaussian(0.2), torch.zeros(n, 2), settings, Noise(1)))
    b = 1 / (1 - ratio / 2)
    assert float(x.square().mean() / v) == pytest.approx(b, abs=4 * b / math.sqrt(n))


def test_annealed_steps_grow_with_sigma_squared_and_end_with_denoising() -> None:
    settings = ParticleSettings(
        levels=3, steps=2, fine_steps=1, fine_below=0.15, sigma_min=0.1, sigma_max=0.4, epsilon=0.01
    )
    model, x0 = gaussian(0.2), start_points(50, Noise(0))
    levels = noise_levels(settings)
    assert [level.sigma for level in levels] == pytest.approx([0.4, 0.2, 0.1])
    assert [level.alpha for level in levels] == pytest.approx([0.16, 0.04, 0.01])
    assert [level.steps for level in levels] == [2, 2, 1]
    x, step = x0.double(), 0
    for sigma, alpha, count in ((0.4, 0.16, 2), (0.2, 0.04, 2), (0.1, 0.01, 1)):
        for _ in range(count):
            step += 1
            x = x - alpha / 2 * x / (0.2 + sigma**2) + math.sqrt(alpha) * Noise(7).normal(step, 0, 50).double()
    x = x - 0.1**2 * x / (0.2 + 0.1**2)
    ends = [(step, end.clone()) for step, end in annealed_langevin(model, x0, settings, Noise(7))]
    assert [step for step, _ in ends] == [1, 2, 3, 4, 5]
    torch.testing.assert_close(ends[-1][1].double(), x, rtol=1e-4, atol=1e-5)


def test_annealed_mean_and_variance_on_a_gaussian() -> None:
    settings = ParticleSettings(levels=5, steps=7, fine_steps=3, sigma_min=0.05, sigma_max=0.8, epsilon=5e-4)
    noise = Impulses([(step, 0) for step in range(1, total_steps(settings) + 1)])
    ends = last(annealed_langevin(gaussian((0.2, 0.01)), noise.start(), settings, noise))
    v = torch.tensor([0.2, 0.01], dtype=torch.float64)
    mean, variance = torch.ones(2, dtype=torch.float64), torch.full((2,), 0.5, dtype=torch.float64)
    for i in range(5):
        sigma = 0.8 * (0.05 / 0.8) ** (i / 4)
        h = 0.5 * 5e-4 * sigma**2 / 0.05**2
        for _ in range(7 if sigma >= 0.24 else 3):
            g = 1 - h / (v + sigma**2)
            mean, variance = g * mean, g**2 * variance + 2 * h
    shrink = v / (v + 0.05**2)
    found = noise.moments(ends, 1, 0.5)
    torch.testing.assert_close(found, (shrink * mean, shrink**2 * variance), rtol=1e-12, atol=0)


def test_denoising_gives_the_posterior_mean() -> None:
    """With steps too small to move anything the end is x + sigma^2 s = x v0 / (v0 + sigma^2)."""
    settings = replace(ONE_LEVEL, steps=1, fine_steps=1, epsilon=1e-9)
    x0 = start_points(50, Noise(0))
    x = last(annealed_langevin(gaussian(0.2), x0, settings, Noise(7)))
    torch.testing.assert_close(x, x0 * 0.2 / (0.2 + 0.1**2), rtol=0, atol=2e-4)


class OtherNoise:
    """A score for noise that is not Gaussian."""

    sigma_min, sigma_max, kernel, device = 0.05, 0.3, LAPLACE, torch.device("cpu")

    def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        return -x


def test_only_gaussian_noise_is_denoised_at_the_end() -> None:
    settings = replace(ONE_LEVEL, steps=2, fine_steps=2)
    x0 = start_points(50, Noise(0))
    end = last(annealed_langevin(OtherNoise(), x0, settings, Noise(7)))
    torch.testing.assert_close(end, last(langevin(OtherNoise(), x0, settings, Noise(7))), rtol=0, atol=0)
    assert SAMPLERS["annealed"].evaluations(settings, OtherNoise()) == 2


def test_levels_and_steps_add_up() -> None:
    settings = ParticleSettings()
    levels = noise_levels(settings)
    assert total_steps(settings) == sum(level.steps for level in levels) == 1780
    assert levels[0].sigma == settings.sigma_max
    assert levels[-1].sigma == settings.sigma_min
    assert levels[-1].alpha == pytest.approx(settings.epsilon)
    ratios = [a.sigma / b.sigma for a, b in pairwise(levels)]
    assert ratios == pytest.approx([ratios[0]] * len(ratios))
    assert [level_at(settings, step) for step in (1, 400, 401, 1600, 1601, 1780, 9999)] == [0, 0, 1, 3, 4, 21, 21]


def test_far_modes_collapse_mislead_and_succeed() -> None:
    """Bands of annealed Langevin hold the truth, plain Langevin's never, and ascent ends on the modes."""
    density, settings = far_modes(), ParticleSettings()
    modes, model = find_modes(density), TabulatedScore(TrueScore(density))
    held = {"langevin": 0, "annealed": 0}
    for seed in range(4):
        noise = Noise(seed)
        x0 = start_points(3_000, noise)
        for sampler in held:
            ledger = mode_ledger(last(SAMPLERS[sampler](model, x0, settings, noise)), modes)
            held[sampler] += ledger.holds
            if sampler == "langevin":
                assert ledger.share[1] == pytest.approx(0.49, abs=0.04)
    assert held["langevin"] == 0
    assert held["annealed"] >= 3
    ends = last(gradient_ascent(model, start_points(3_000, Noise(0)), settings, Noise(0))).numpy()
    assert np.linalg.norm(ends[:, None] - modes.centres, axis=2).min(1).max() < 0.02


def test_weights_survive_only_a_slow_descent() -> None:
    """A tenth of the steps freezes in the shares of a large sigma: far above the truth."""
    density, settings = far_modes(), replace(ParticleSettings(), steps=40)
    model = TabulatedScore(TrueScore(density))
    ledger = mode_ledger(last(annealed_langevin(model, start_points(4_000, Noise(0)), settings, Noise(0))), density)
    assert ledger.share[1] > 0.25
