"""Predictions before the run against runs: shares, variance, and the levels that do not hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.trainer.particles import far_modes, last, near_modes
from trainer.densities import Density, GaussianMixture, PaintedDensity
from trainer.langevin import annealed_langevin
from trainer.models import TrueScore
from trainer.noise import Noise
from trainer.paintings import preset_weights
from trainer.predictions import Prospect, narrowest_variance, predict
from trainer.samplers import start_points
from trainer.settings import ParticleSettings, Rung
from trainer.tables import TabulatedScore

N = 40_000
BAND = 2.6 * math.sqrt(0.25 / N)
"""Two-sided 99 % of a share, at most."""
TOLERANCE = 0.004
"""How far the prediction may be from endlessly many particles."""

TWENTY = ParticleSettings(levels=12, steps=20, fine_steps=20)
HUNDRED = ParticleSettings(steps=100)
OWN = ParticleSettings(
    rungs=(Rung(0.8, 20, 0.2), Rung(0.3, 200, 0.02), Rung(0.1, 20, 0.002), Rung(0.05, 10, 4e-4), Rung(0.02, 20, 6e-5))
)
SHORT = ParticleSettings(levels=5, steps=10, fine_steps=10)
FROM_FAR = ParticleSettings(levels=40, sigma_max=0.8, steps=40, fine_steps=20, epsilon=4e-5)


def _crescents() -> PaintedDensity:
    return PaintedDensity(preset_weights("crescents"))


def _two() -> GaussianMixture:
    return GaussianMixture([0.7, 0.3], [[0.5, 0.1], [-0.5, -0.3]], [0.1**2 * np.eye(2)] * 2)


def _run(density: Density, settings: ParticleSettings, seed: int = 1) -> Tensor:
    model, noise = TabulatedScore(TrueScore(density)), Noise(seed)
    return last(annealed_langevin(model, start_points(N, noise), settings, noise))


@pytest.mark.parametrize(
    ("density", "settings", "error"),
    [
        pytest.param(_crescents(), SHORT, 0.195, id="crescents, far too short"),
        pytest.param(_crescents(), TWENTY, 0.160, id="crescents, too short"),
        pytest.param(_crescents(), HUNDRED, 0.027, id="crescents, a third of the default"),
        pytest.param(_crescents(), OWN, 0.048, id="crescents, five rungs"),
        pytest.param(far_modes(), TWENTY, 0.166, id="far modes, too short"),
        pytest.param(far_modes(), FROM_FAR, 0.0116, id="far modes, from 0.8"),
        pytest.param(_two(), SHORT, 0.115, id="two modes, far too short"),
        pytest.param(_two(), OWN, 0.018, id="two modes, five rungs"),
        pytest.param(near_modes(), HUNDRED, 0.0095, id="near modes"),
    ],
)
def test_shares_are_those_of_a_run(density: Density, settings: ParticleSettings, error: float) -> None:
    prospect = Prospect(density)
    forecast = predict(prospect, settings)
    found = prospect.shares(_run(density, settings).numpy())
    assert np.asarray(forecast.levels[-1].shares) == pytest.approx(found, abs=TOLERANCE + BAND)
    assert forecast.weight_error == pytest.approx(error, abs=TOLERANCE)


def test_the_default_ladder_is_right_on_the_first_painting() -> None:
    forecast = predict(_crescents(), ParticleSettings())
    assert forecast.weight_error < 0.003
    assert forecast.steps == 1780
    assert 0.1 < forecast.freezes_at < 0.18  # two crescents are cut off from each other below about D / 6
    assert forecast.stable


@pytest.mark.parametrize("density", [far_modes(), _two(), _crescents()], ids=["far modes", "two modes", "crescents"])
@pytest.mark.parametrize("settings", [TWENTY, HUNDRED, FROM_FAR], ids=["12 x 20", "580 steps", "from 0.8"])
def test_variance_is_that_of_a_run(density: Density, settings: ParticleSettings) -> None:
    """E|s|^2 at the end over that of exact samples with the same denoising: its excess is the error of the variance."""
    score = TabulatedScore(TrueScore(density)).score
    exact = density.sample(N, 0.02, generator=torch.Generator().manual_seed(3)).float()
    exact = exact + 0.02**2 * score(exact, 0.02)

    def power(x: Tensor) -> float:
        return float(score(x, 0.02).square().sum(1).mean())

    excess = power(_run(density, settings)) / power(exact) - 1
    assert predict(density, settings).variance_error == pytest.approx(excess, abs=0.03)


def test_variance_of_one_gaussian_is_the_recurrence() -> None:
    own, settings = 0.01, ParticleSettings(levels=3, steps=5, fine_steps=5, sigma_max=0.4, epsilon=8e-5)
    u, v = 1.25**2 / 3 + 0.16, 0.0
    for sigma in np.geomspace(0.4, 0.02, 3):
        v = own + sigma**2
        x = 8e-5 * (sigma / 0.02) ** 2 / (2 * v)
        b = 1 / (1 - x / 2)
        u = (1 - x) ** 10 * (u - b * v) + b * v
    density = GaussianMixture([1.0], [[0.0, 0.0]], [own * np.eye(2)])
    forecast = predict(density, settings)
    assert forecast.variance_error == pytest.approx(u / v - 1, rel=1e-3)
    assert forecast.weight_error == pytest.approx(0, abs=1e-12)


def test_unstable_levels_are_told_apart() -> None:
    v = 0.1**2 + 0.2**2
    rungs = tuple(Rung(sigma, 5, 2 * x * (0.1**2 + sigma**2)) for sigma, x in ((0.4, 0.9), (0.2, 1.5), (0.1, 2.1)))
    forecast = predict(_two(), ParticleSettings(rungs=rungs))
    assert [level.verdict for level in forecast.levels] == ["stable", "overshoots", "diverges"]
    assert [level.x for level in forecast.levels] == pytest.approx([0.9, 1.5, 2.1])
    assert math.isnan(forecast.weight_error)
    assert forecast.variance_error == math.inf
    assert not forecast.stable
    held = predict(_two(), ParticleSettings(rungs=(Rung(0.2, 50, 2 * 1.5 * v),)))
    # At x = 1.5 a round Gaussian settles at b = 4 times its variance.
    assert held.variance_error == pytest.approx(3, rel=0.1)


def test_a_level_that_diverges_does_so_in_a_run() -> None:
    v = 0.1**2 + 0.2**2
    sizes = []
    for x in (1.9, 2.3):
        settings = ParticleSettings(rungs=(Rung(0.2, 60, 2 * x * v),))
        noise = Noise(0)
        end = last(annealed_langevin(TrueScore(_two()), start_points(200, noise), settings, noise))
        sizes.append(float(end.abs().median()))
    assert sizes[0] < 3 < 30 < sizes[1]


def test_narrowest_variance() -> None:
    density = GaussianMixture([0.5, 0.5], [[0, 0], [1, 1]], [np.diag([0.04, 0.01]), np.diag([0.09, 0.02])])
    assert narrowest_variance(density) == pytest.approx(0.01)
    assert narrowest_variance(_crescents()) == pytest.approx((2 / 128) ** 2)


def test_particles_outside_all_modes_count_for_the_nearest() -> None:
    prospect = Prospect(far_modes())
    at = np.array([[0.6, 0.6], [9.0, 9.0], [-0.6, -0.6], [-2.0, -1.0]])
    assert prospect.shares(at).tolist() == [0.5, 0.5]
