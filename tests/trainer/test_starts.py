import math

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from scipy.stats import kstest, norm

from tests.trainer.fields import Field
from tests.trainer.particles import far_modes, gaussian
from trainer.errors import InputError
from trainer.models import TrueScore
from trainer.noise import Noise
from trainer.starts import gaussian_near, prior_points, start_points


def test_the_square_is_filled_evenly() -> None:
    x0 = start_points(40_000, Noise(0))
    assert float(x0.abs().max()) <= 1.25
    assert float(x0.mean()) == pytest.approx(0, abs=0.02)
    assert float(x0.var()) == pytest.approx(2.5**2 / 12, rel=0.02)


@pytest.mark.parametrize("sigma", [0.05, 0.5, 3.0])
def test_a_gaussian_is_its_own_prior(sigma: float) -> None:
    mean, covariance = gaussian_near(gaussian((0.2, 0.01), (0.3, -0.5)), sigma)
    assert mean == pytest.approx([0.3, -0.5], abs=1e-5)
    assert covariance == pytest.approx(np.diag([0.2 + sigma**2, 0.01 + sigma**2]), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("sigma", [1.77, 3.0])
def test_the_moments_of_far_modes_are_found_from_their_score(sigma: float) -> None:
    """The mean is the data's, and C their covariance + sigma^2 I within 0.3 % of its largest entry."""
    mean, covariance = gaussian_near(TrueScore(far_modes()), sigma)
    within = 0.125**2
    across = 0.8 * 0.2 * 1.25**2
    exact = np.full((2, 2), across) + np.eye(2) * (within + sigma**2)
    assert mean == pytest.approx([0.375, 0.375], abs=1e-3)
    assert np.abs(covariance - exact).max() < 0.003 * exact.max()


@pytest.mark.parametrize(("sigma", "bias"), [(1.77, 1e-3), (3.0, 3e-4)])
def test_the_priors_own_error_of_a_share_is_small(sigma: float, bias: float) -> None:
    """The exact flow keeps the order along the diagonal: the small mode gets what the start has below its quantile."""
    axis, apart, width = np.array([0.5, 0.5]) ** 0.5, 0.625 * 2**0.5, np.hypot(0.125, sigma)
    quantile = brentq(lambda x: 0.8 * norm.cdf(x, apart, width) + 0.2 * norm.cdf(x, -apart, width) - 0.2, -20, 20)
    mean, covariance = gaussian_near(TrueScore(far_modes()), sigma)
    share = norm.cdf(quantile, mean @ axis, math.sqrt(axis @ covariance @ axis))
    assert share == pytest.approx(0.2, abs=bias)
    assert norm.cdf(quantile, 0, sigma) > 0.24  # plain N(0, sigma^2 I)


def test_the_prior_follows_the_noised_density_and_plain_noise_does_not() -> None:
    """Kolmogorov-Smirnov along the diagonal, where the modes lie, with sigma about their distance."""
    sigma, n = 1.77, 20_000
    along = torch.tensor([0.5, 0.5]).sqrt()

    def exact(x: np.ndarray) -> np.ndarray:
        width = np.hypot(0.125, sigma)
        return 0.8 * norm.cdf(x, 0.625 * 2**0.5, width) + 0.2 * norm.cdf(x, -0.625 * 2**0.5, width)

    found = prior_points(TrueScore(far_modes()), n, Noise(0), sigma) @ along
    assert kstest(found.numpy(), exact).pvalue > 0.01
    plain = sigma * Noise(0).normal(0, 1, n) @ along
    assert kstest(plain.numpy(), exact).pvalue < 1e-9


def test_a_density_far_from_gaussian_is_refused() -> None:
    with pytest.raises(InputError, match=r"^particles\.start_sigma: at 0\.4 the density is far from Gaussian, [^\n]*$"):
        prior_points(TrueScore(far_modes()), 10, Noise(0), 0.4)


def test_pictures_start_from_plain_noise() -> None:
    x0 = prior_points(gaussian(1.0), 4, Noise(0), 50.0, shape=(3, 16, 16))
    assert x0.shape == (4, 3, 16, 16)
    assert torch.equal(x0, 50 * Noise(0).normal(0, 1, 4, (3, 16, 16)))


def test_particle_k_starts_alike_whatever_their_number() -> None:
    model, ids = TrueScore(far_modes()), torch.tensor([9_000, 4])
    many = prior_points(model, 10_000, Noise(1), 3.0)
    assert torch.equal(prior_points(model, 2, Noise(1), 3.0, ids), many[ids])


@pytest.mark.parametrize(
    ("value", "said"), [(0.0, "vanishes"), (math.nan, "is not finite"), (math.inf, "is not finite")]
)
def test_a_score_that_points_nowhere_is_refused(value: float, said: str) -> None:
    """Such as that of a network whose last layer is still zero."""
    with pytest.raises(
        InputError, match=rf"^particles\.start_sigma: at 3 the score {said} [^\n]*train the score first$"
    ):
        prior_points(Field(lambda x: torch.full_like(x, value)), 10, Noise(0), 3.0)
