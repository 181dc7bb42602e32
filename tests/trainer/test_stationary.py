import numpy as np
import pytest
import torch
from scipy.linalg import solve_discrete_lyapunov

from trainer.errors import InputError
from trainer.stationary import langevin_inflation, stationary_covariance

NARROW = np.array([[0.3, 0.17], [0.17, 0.1]])  # eigenvalues 0.397 and 0.0028


@pytest.mark.parametrize("epsilon", [1e-6, 1e-3, 5e-3, 0.0108])
def test_it_solves_the_recursion_of_one_langevin_step(epsilon: float) -> None:
    """C = A C A^T + epsilon I with A = I - (epsilon / 2) S^-1, solved independently."""
    step = np.eye(2) - epsilon / 2 * np.linalg.inv(NARROW)
    expected = solve_discrete_lyapunov(step, epsilon * np.eye(2))
    np.testing.assert_allclose(stationary_covariance(epsilon, NARROW), expected, rtol=1e-9)


def test_a_round_gaussian_is_inflated_by_b() -> None:
    """Variance 0.25, epsilon 0.2: h = 0.1, x = 0.4, b = 1 / 0.8."""
    assert langevin_inflation(0.2, 0.25) == pytest.approx(1.25, rel=1e-14)
    np.testing.assert_allclose(stationary_covariance(0.2, 0.25 * np.eye(3)), 0.3125 * np.eye(3), rtol=1e-14)


def test_a_long_run_reaches_it() -> None:
    """200,000 particles, 60 steps with |A| <= 0.62: what remains of the start is 1e-12; counting error 0.3 %."""
    covariance, epsilon = np.array([[0.5, 0.1], [0.1, 0.3]]), 0.4
    precision = torch.from_numpy(np.linalg.inv(covariance))
    generator = torch.Generator().manual_seed(0)
    x = torch.zeros(200_000, 2, dtype=torch.float64)
    for _ in range(60):
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
        x = x - epsilon / 2 * x @ precision + epsilon**0.5 * noise
    found, expected = np.cov(x.numpy().T), stationary_covariance(epsilon, covariance)
    assert expected[0, 0] / covariance[0, 0] > 1.2
    np.testing.assert_allclose(found, expected, atol=0.015 * expected[0, 0])


@pytest.mark.parametrize(("epsilon", "variance"), [(1.0, 0.25), (2.0, 0.25), (0.0, 0.25), (-0.1, 0.25), (0.1, 0.0)])
def test_outside_its_domain_it_refuses(epsilon: float, variance: float) -> None:
    with pytest.raises(InputError, match=r"^(epsilon|variance): .*"):
        langevin_inflation(epsilon, variance)


def test_the_narrowest_direction_decides() -> None:
    least = float(np.linalg.eigvalsh(NARROW)[0])
    assert np.isfinite(stationary_covariance(3.999 * least, NARROW)).all()
    with pytest.raises(InputError, match=r"^epsilon: .* below 4 v = "):
        stationary_covariance(4.001 * least, NARROW)


@pytest.mark.parametrize(
    ("covariance", "why"),
    [([1.0, 2.0], "square"), ([[1.0, 0.5], [0.0, 1.0]], "symmetric"), ([[1.0, 2.0], [2.0, 1.0]], "positive definite")],
)
def test_only_covariances(covariance: list, why: str) -> None:
    with pytest.raises(InputError, match=rf"^covariance: .*{why}"):
        stationary_covariance(0.1, covariance)
