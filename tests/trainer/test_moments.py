import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from trainer.densities import Density, GaussianMixture, PaintedDensity, load_density
from trainer.errors import InputError
from trainer.moments import Moments, components, moments

UNEVEN = PaintedDensity(np.arange(15.0).reshape(3, 5), bandwidth=0.1)


@pytest.mark.parametrize("density", [UNEVEN, load_density("far-modes"), load_density("two-moons")])
def test_moments_are_those_of_the_density(density: Density) -> None:
    """By quadrature over a lattice on which every p_0 here is smooth, p_0 blurred by 0.1."""
    n, half = 400, 2.5
    p = density.density_lattice((0.0, 0.0), half, n, 0.1)
    p /= p.sum()
    axis = ((2 * np.arange(n) + 1) / n - 1) * half
    at = np.stack(np.meshgrid(axis, axis), axis=-1)
    mean = np.einsum("ij,ijk->k", p, at)
    covariance = np.einsum("ij,ijk,ijl->kl", p, at - mean, at - mean) - 0.01 * np.eye(2)
    found = moments(density)
    np.testing.assert_allclose(found.mean, mean, atol=1e-10)
    np.testing.assert_allclose(found.covariance, covariance, atol=1e-10)


def test_the_gaussian_of_the_moments_is_scipys() -> None:
    gaussian = Moments(np.array([0.2, -0.1]), np.array([[0.3, 0.1], [0.1, 0.2]]))
    x = torch.randn(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = multivariate_normal(gaussian.mean, gaussian.covariance + 0.25 * np.eye(2)).logpdf(x.numpy())
    np.testing.assert_allclose(gaussian.log_prob(x, 0.5).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("density", [UNEVEN, GaussianMixture([1.0], [[0.1, 0.2]], [0.3 * np.eye(2)])])
def test_components_add_up_to_the_density(density: Density) -> None:
    weights, means, covariances = components(density, "")
    x = np.array([[0.3, -0.2], [0.0, 0.1]])
    each = np.broadcast_to(covariances, (len(weights), 2, 2))
    p = sum(w * multivariate_normal(m, c).pdf(x) for w, m, c in zip(weights, means, each, strict=True))
    np.testing.assert_allclose(density.log_prob(torch.from_numpy(x)).exp().numpy(), p, rtol=1e-12)


def test_of_anything_else_they_are_not_known() -> None:
    with pytest.raises(InputError, match=r"^density: NoneType is no mixture .*give prior=Moments\(mean, covariance\)$"):
        moments(None)


def test_the_centres_of_a_painting_are_those_of_its_cells() -> None:
    """3 x 5 cells of width 0.4; the first is empty."""
    y, x = np.mgrid[-0.4:0.5:0.4, -0.8:0.9:0.4]
    np.testing.assert_allclose(UNEVEN.centres, np.stack((x.ravel(), y.ravel()), axis=1)[1:], atol=1e-15)
    np.testing.assert_array_equal(components(UNEVEN, "")[1], UNEVEN.centres)
