import math

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.trainer.fields import Field
from trainer.densities import Density, GaussianMixture, load_density
from trainer.errors import InputError
from trainer.fit import Fit
from trainer.kernels import LAPLACE
from trainer.likelihood import log_likelihood
from trainer.models import TrueScore
from trainer.moments import Moments, moments
from trainer.settings import FitSettings, LadderSettings

GAUSSIAN = GaussianMixture([1.0], [[0.2, -0.1]], [[[0.3, 0.1], [0.1, 0.2]]])
FAR = GaussianMixture([0.8, 0.2], [[0.625, 0.625], [-0.625, -0.625]], [0.125**2 * np.eye(2)] * 2)


def draws(density: Density, sigma: float, n: int = 100) -> Tensor:
    return density.sample(n, sigma, generator=torch.Generator().manual_seed(0)).double()


@pytest.mark.parametrize(("sigma", "tolerance"), [(0.0, 2e-5), (0.02, 5e-6), (0.3, 5e-6)])
def test_a_gaussian_to_a_thousandth_of_a_nat_and_better(sigma: float, tolerance: float) -> None:
    """The terminal density is exact here: what is left is the error of 128 Runge-Kutta steps."""
    x = draws(GAUSSIAN, sigma)
    found = log_likelihood(TrueScore(GAUSSIAN), x, sigma)
    torch.testing.assert_close(found, GAUSSIAN.log_prob(x, sigma), atol=tolerance, rtol=0)


@pytest.mark.parametrize(("sigma", "tolerance"), [(0.0, 2e-3), (0.02, 5e-4), (0.1, 3e-4), (1.0, 3e-5)])
def test_far_modes_at_several_noise_levels(sigma: float, tolerance: float) -> None:
    x = draws(FAR, sigma)
    found = log_likelihood(TrueScore(FAR), x, sigma)
    torch.testing.assert_close(found, FAR.log_prob(x, sigma), atol=tolerance, rtol=0)


@pytest.mark.parametrize(("sigma", "tolerance"), [(0.02, 1e-3), (0.1, 3e-4)])
def test_a_painting(sigma: float, tolerance: float) -> None:
    moons = load_density("two-moons")
    x = draws(moons, sigma, 60)
    found = log_likelihood(TrueScore(moons), x, sigma)
    torch.testing.assert_close(found, moons.log_prob(x, sigma), atol=tolerance, rtol=0)


def test_the_error_falls_like_the_fourth_power_of_the_step() -> None:
    """On a Gaussian nothing but the steps is wrong; the limit is the truth, by the tests above."""
    x, steps = draws(GAUSSIAN, 0.05, 30), np.array([16, 32, 64, 128])
    truth = GAUSSIAN.log_prob(x, 0.05)
    errors = [
        float((log_likelihood(TrueScore(GAUSSIAN), x, 0.05, steps=int(n)) - truth).square().mean().sqrt())
        for n in steps
    ]
    order = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert order == pytest.approx(4, abs=0.4)


def test_the_terminal_gaussian_is_wrong_like_the_third_power_of_the_noise() -> None:
    """The figures of the module's docstring, on the most lopsided of the presets."""
    levels, prior = np.array([2.8, 10.0, 50.0]), moments(FAR)
    errors = []
    for sigma in levels:
        x = draws(FAR, float(sigma), 20_000)
        errors.append(float((prior.log_prob(x, float(sigma)) - FAR.log_prob(x, float(sigma))).square().mean().sqrt()))
    np.testing.assert_allclose(errors, [9.0e-3, 2.2e-4, 1.7e-6], rtol=0.1)
    assert np.log(errors[1] / errors[2]) / np.log(5) == pytest.approx(3, abs=0.1)


def test_a_flow_that_ends_early_has_the_terminal_error_only() -> None:
    x = draws(FAR, 0.1)
    wrong = log_likelihood(TrueScore(FAR), x, 0.1, sigma_max=2.8) - FAR.log_prob(x, 0.1)
    assert 1e-3 < float(wrong.square().mean().sqrt()) < 2e-2


def test_a_wrong_score_has_the_likelihood_of_what_it_believes_in() -> None:
    """A score of variance u instead of v: the flow's density is N(0, u), whatever the points came from."""
    u = 0.5
    believed = GaussianMixture([1.0], [[0.0, 0.0]], [u * np.eye(2)])
    x = draws(GAUSSIAN, 0.0)
    expected = -x.square().sum(1) / (2 * u) - math.log(2 * math.pi * u)
    torch.testing.assert_close(log_likelihood(TrueScore(believed), x), expected, atol=5e-5, rtol=0)


def test_a_learned_score_after_a_short_fit() -> None:
    """Reached: 0.0008 nats in the mean over 300 draws and 0.028 root mean square, 0.0008 of it by the flow's end."""
    moons = load_density("two-moons")
    fit = Fit(moons, FitSettings(ladder=LadderSettings(levels=24, sigma_min=0.05)), device="cpu", seed=0)
    for _ in fit.run(steps=400):
        pass
    x = draws(moons, 0.1, 300)
    wrong = log_likelihood(fit.snapshot(), x, 0.1, steps=32) - moons.log_prob(x, 0.1)
    assert abs(float(wrong.mean())) < 0.01
    assert float(wrong.square().mean().sqrt()) < 0.1


def test_dtype_shape_and_many_points() -> None:
    x = draws(GAUSSIAN, 0.1, 5000).float()  # more than one portion
    found = log_likelihood(TrueScore(GAUSSIAN), x, 0.1, steps=8)
    assert found.shape == (5000,)
    assert found.dtype == torch.float32
    alone = log_likelihood(TrueScore(GAUSSIAN), x[4500:4501], 0.1, steps=8)
    assert float(found[4500]) == pytest.approx(float(alone), rel=1e-6)
    assert log_likelihood(TrueScore(GAUSSIAN), x[:0], 0.1).shape == (0,)


def test_a_model_without_a_density_needs_a_prior() -> None:
    """The field -x is the score of N(0, 1 - sigma^2 + sigma^2) = N(0, I) at every level below 1."""

    class Unit(Field):
        sigma_max = 10.0

        def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
            return -x / (1 + sigma**2)

    x = draws(GAUSSIAN, 0.0)
    with pytest.raises(InputError, match=r"^density: .*give prior=Moments"):
        log_likelihood(Unit(torch.neg), x)
    prior = Moments(np.zeros(2), np.eye(2))
    expected = -0.5 * x.square().sum(1) - math.log(2 * math.pi)
    torch.testing.assert_close(log_likelihood(Unit(torch.neg), x, prior=prior), expected, atol=1e-4, rtol=0)


def test_other_noise_than_gaussian_is_refused() -> None:
    with pytest.raises(InputError, match=r"^kernel: .*Gaussian noise only[^\n]*$"):
        log_likelihood(TrueScore(GAUSSIAN, LAPLACE), draws(GAUSSIAN, 0.1), 0.1)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"sigma": 0.001}, r"^sigma: 0.001 is outside .* between 0.01 and 5$"),
        ({"sigma_max": 6.0}, r"^sigma_max: 6 is outside .* between 0.01 and 5$"),
        ({"sigma": 2.0, "sigma_max": 1.0}, r"^sigma_max: 1 is not above sigma = 2"),
        ({"steps": 0}, r"^steps: 0; give 1 or more$"),
    ],
)
def test_bad_arguments(arguments: dict, why: str) -> None:
    model = TrueScore(GAUSSIAN, sigma_min=0.01, sigma_max=5.0)
    with pytest.raises(InputError, match=why):
        log_likelihood(model, torch.zeros(3, 2), **arguments)
    with pytest.raises(InputError, match=r"^x: shape \(3,\)"):
        log_likelihood(model, torch.zeros(3))
