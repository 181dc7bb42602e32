"""Laplace noise on Gaussians against mpmath's 50 digits, scipy's quadrature and other ways of integrating."""

from __future__ import annotations

import math
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import torch
from scipy import integrate

from trainer.densities import PaintedDensity
from trainer.kernels import LAPLACE
from trainer.laplace import laplace_gaussian
from trainer.laplace_quadrature import correlated_laplace
from trainer.paintings import preset_weights

# b / sqrt(v) from 5e-4 to 7e3
VARIANCES = (1e-8, 1e-5, 2.4e-4, 0.04, 1.0, 50.0)
SCALES = (0.0035, 0.02, 0.2, 2.1, 20.0)
OFFSETS = (0.0, 1e-12, 1e-3, -0.01, 0.03, -0.5, 1.0, 3.0, -6.0)


def factor(u: float, v: float, b: float) -> tuple[mpmath.mpf, mpmath.mpf]:
    """The logarithm of p(u) and its derivative, to 20 digits at the least: 30 may be lost in the difference."""
    with mpmath.workdps(50):
        u, v, b = (mpmath.mpf(t) for t in (u, v, b))
        s = mpmath.sqrt(v)
        up = mpmath.exp(v / (2 * b * b) - u / b) * mpmath.erfc((s / b - u / s) / mpmath.sqrt(2)) / 2
        down = mpmath.exp(v / (2 * b * b) + u / b) * mpmath.erfc((s / b + u / s) / mpmath.sqrt(2)) / 2
        return mpmath.log((up + down) / (2 * b)), (down - up) / (up + down) / b


def tensor(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


# --- one coordinate -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("b", SCALES)
@pytest.mark.parametrize("v", VARIANCES)
def test_closed_form_against_mpmath(v: float, b: float) -> None:
    u = torch.tensor(OFFSETS, dtype=torch.float64, requires_grad=True)
    log_p, score = laplace_gaussian(u, tensor(v), tensor(b))
    (gradient,) = torch.autograd.grad(log_p.sum(), u)
    exact = [factor(t, v, b) for t in OFFSETS]
    np.testing.assert_allclose(log_p.detach(), [float(e[0]) for e in exact], rtol=1e-14, atol=1e-14)
    true = np.array([float(e[1]) for e in exact])
    size = np.abs(true) + 1 / math.hypot(math.sqrt(v), b)
    assert (np.abs(score.detach().numpy() - true) <= 1e-12 * size).all()
    assert (np.abs(gradient.numpy() - true) <= 1e-10 * size).all()


@pytest.mark.parametrize(("v", "b"), [(0.04, 0.05), (0.04, 1.0), (1e-4, 0.02), (0.5, 0.02)])
def test_closed_form_against_scipy(v: float, b: float) -> None:
    for u in (0.0, 0.1, 0.7, -2.0):

        def product(e: float, u: float = u) -> float:
            return math.exp(-abs(e) / b - (u - e) ** 2 / (2 * v)) / (2 * b * math.sqrt(2 * math.pi * v))

        cuts = sorted({-6.0, 0.0, u - 5 * math.sqrt(v), u, u + 5 * math.sqrt(v), 6.0})
        whole = sum(integrate.quad(product, *pair, epsabs=0, epsrel=1e-11)[0] for pair in pairwise(cuts))
        assert float(laplace_gaussian(tensor(u), tensor(v), tensor(b))[0].exp()) == pytest.approx(whole, rel=1e-9)


@pytest.mark.parametrize(("v", "b"), [(0.04, 0.05), (0.04, 2.0), (1e-4, 0.02), (0.5, 0.005)])
def test_the_second_derivative(v: float, b: float) -> None:
    """At u = 0 too, which an absolute value would spoil."""
    u = torch.tensor([0.0, 1e-3, -0.02, 0.3, -1.0], dtype=torch.float64, requires_grad=True)
    (curvature,) = torch.autograd.grad(laplace_gaussian(u, tensor(v), tensor(b))[1].sum(), u)
    with mpmath.workdps(60):
        true = [float(mpmath.diff(lambda t: factor(t, v, b)[1], t, h=mpmath.mpf(10) ** -12)) for t in u.tolist()]
    np.testing.assert_allclose(curvature, true, rtol=1e-7, atol=1e-9 / (v + b * b))


def test_the_limits() -> None:
    """A Gaussian as b vanishes, Laplace as v does; finite wherever the plane is."""
    u = torch.linspace(-6, 6, 1000, dtype=torch.float64)
    log_p, score = laplace_gaussian(u, tensor(0.04), tensor(1e-9))
    torch.testing.assert_close(score, -u / 0.04, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(log_p, -(u**2) / 0.08 - 0.5 * math.log(2 * math.pi * 0.04), rtol=1e-8, atol=1e-8)
    log_p, score = laplace_gaussian(u, tensor(1e-18), tensor(0.7))
    torch.testing.assert_close(log_p, -u.abs() / 0.7 - math.log(1.4), rtol=1e-12, atol=1e-8)
    torch.testing.assert_close(score, -u.sign() / 0.7)
    for v in (1e-10, 1e-5, 1.0, 100.0):
        for b in (1e-12, 1e-6, 0.0035, 0.7, 100.0):
            values = torch.cat(laplace_gaussian(u, tensor(v), tensor(b)))
            assert values.isfinite().all(), (v, b)


# --- correlated coordinates ---------------------------------------------------------------------------------------

COVARIANCES = {
    "nearly singular": [[0.04, 0.0399999], [0.0399999, 0.04]],
    "mild": [[0.01, -0.005], [-0.005, 0.02]],
    "weak": [[0.01, 1e-6], [1e-6, 0.02]],
    "unequal": [[1.0, 0.0099], [0.0099, 1e-4]],
    "small": [[1e-5, 5e-6], [5e-6, 1e-5]],
    "wide": [[9.0, -8.0], [-8.0, 9.0]],
}


def offsets(covariance: torch.Tensor, sigma: float) -> torch.Tensor:
    g = torch.Generator().manual_seed(3)
    far = torch.rand(60, 2, generator=g, dtype=torch.float64) * 12 - 6
    root = torch.linalg.cholesky(covariance)
    near = torch.randn(60, 2, generator=g, dtype=torch.float64) @ root.T
    noise = LAPLACE.sample(near, sigma, g)
    return torch.cat((far, near, near + noise, torch.zeros(1, 2), torch.tensor([[0.0, 1.0], [-2.0, 0.0]]))).double()


@pytest.mark.parametrize("sigma", [1e-4, 0.005, 0.02, 0.3, 1.0, 3.0])
@pytest.mark.parametrize("name", COVARIANCES)
def test_both_orders_of_integration_agree(name: str, sigma: float) -> None:
    """The noise of the second coordinate can be integrated over instead: other nodes, another closed form."""
    covariance = tensor(COVARIANCES[name])
    determinant = torch.linalg.eigvalsh(covariance).prod()
    q, b = offsets(covariance, sigma), tensor(sigma / math.sqrt(2))
    log_p, score = correlated_laplace(q, covariance, determinant, b)
    log_r, other = correlated_laplace(q.flip(1), covariance.flip(0, 1), determinant, b)
    np.testing.assert_allclose(log_p, log_r, rtol=1e-12, atol=1e-12)
    size = score.norm(dim=1) + 1 / math.sqrt(sigma**2 + float(covariance.diagonal().max()))
    assert ((score - other.flip(1)).norm(dim=1) / size).max() < 1e-9


@pytest.mark.parametrize(("name", "sigma"), [("mild", 0.1), ("mild", 1.0), ("wide", 1.0), ("unequal", 0.3)])
def test_quadrature_against_the_plane(name: str, sigma: float) -> None:
    """The convolution in two dimensions, with no closed form inside, split at both kinks of the noise."""
    covariance, b = np.array(COVARIANCES[name]), sigma / math.sqrt(2)
    precision, height = np.linalg.inv(covariance), 1 / (2 * math.pi * math.sqrt(np.linalg.det(covariance)))
    node, weight = np.polynomial.legendre.leggauss(60)
    for q in ([0.1, -0.05], [0.5, 0.4]):
        # the mass of e lies where the Gaussian around q does: 10 of its standard deviations
        spans = []
        for k in range(2):
            reach = 10 * math.sqrt(covariance[k, k])
            cuts = np.unique(np.append(np.linspace(q[k] - reach, q[k] + reach, 9), 0.0))
            half, middle = np.diff(cuts)[:, None] / 2, (cuts[1:, None] + cuts[:-1, None]) / 2
            spans.append(((middle + half * node).ravel(), (half * weight).ravel()))
        e = np.stack(np.meshgrid(spans[0][0], spans[1][0], indexing="ij"), axis=-1)
        d = np.array(q) - e
        log_value = -0.5 * np.einsum("abi,ij,abj->ab", d, precision, d) - np.abs(e).sum(-1) / b
        whole = height * (np.exp(log_value) * np.outer(spans[0][1], spans[1][1])).sum() / (4 * b * b)
        log_p, _ = correlated_laplace(tensor([q]), tensor(covariance), tensor(np.linalg.det(covariance)), tensor(b))
        assert float(log_p.exp()) == pytest.approx(whole, rel=1e-10)


# --- paintings ----------------------------------------------------------------------------------------------------


def brute_force(density: PaintedDensity, x: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Log p (B,) and score (B, 2) by mpmath's factors and a logsumexp over all cells."""
    weights = density.weights
    cell = 2 / max(weights.shape)
    i, j = weights.nonzero()
    log_p, score = np.empty(len(x)), np.empty((len(x), 2))
    for k, point in enumerate(x):
        factors = []
        for n, at in zip(weights.shape[::-1], point, strict=True):
            both = [factor(at - cell * (c - (n - 1) / 2), density.bandwidth**2, sigma / math.sqrt(2)) for c in range(n)]
            factors.append(np.array([[float(v) for v in pair] for pair in both]).T)
        term = np.log(weights[i, j]) + factors[0][0, j] + factors[1][0, i]
        r = np.exp(term - term.max())
        log_p[k] = term.max() + np.log(r.sum())
        score[k] = (r @ factors[0][1, j] / r.sum(), r @ factors[1][1, i] / r.sum())
    return log_p, score


def paintings() -> dict[str, PaintedDensity]:
    corners = np.zeros((24, 24))
    corners[0, 0], corners[-1, -1] = 0.8, 0.2
    rng = np.random.default_rng(0)
    return {
        "crescents": PaintedDensity(preset_weights("crescents", 48)),
        "corners": PaintedDensity(corners),
        "stairs": PaintedDensity(np.eye(40)),
        "strip": PaintedDensity(rng.random((5, 30)), bandwidth=0.01),
    }


PAINTINGS = paintings()


@pytest.mark.parametrize("sigma", [0.005, 0.02, 0.3, 3.0])
@pytest.mark.parametrize("name", PAINTINGS)
def test_painting_against_every_cell(name: str, sigma: float) -> None:
    density = PAINTINGS[name]
    g = torch.Generator().manual_seed(4)
    x = torch.cat(
        (
            torch.rand(5, 2, generator=g, dtype=torch.float64) * 12 - 6,
            torch.rand(5, 2, generator=g, dtype=torch.float64) * 2 - 1,
            density.sample(5, sigma, kernel=LAPLACE, generator=g).double(),
            tensor([[0.0, 0.0], [6.0, -6.0]]),
        )
    )
    log_p, score = brute_force(density, x.numpy(), sigma)
    np.testing.assert_allclose(density.log_prob(x, sigma, kernel=LAPLACE), log_p, rtol=1e-12, atol=1e-11)
    error = np.linalg.norm(density.score(x, sigma, kernel=LAPLACE).numpy() - score, axis=1)
    size = np.linalg.norm(score, axis=1) + 1 / math.hypot(sigma, density.bandwidth)
    assert (error <= 1e-10 * size).all(), (error / size).max()


def test_both_ways_of_summing_are_met() -> None:
    """In the empty corner between two far cells the separable sum underflows; both ways agree beside the border."""
    density = PaintedDensity(PAINTINGS["corners"].weights, bandwidth=0.01)
    cells = density._laplace_cells
    b = tensor(0.002 / math.sqrt(2))
    line = torch.linspace(0, 1.9, 400, dtype=torch.float64)
    x = torch.stack((line, -line), dim=1)
    far = []
    original = cells._far
    cells._far = lambda *factors: far.append(len(factors[0])) or original(*factors)  # type: ignore[method-assign]
    try:
        log_p, score = cells.log_prob(x, b), cells.score(x, b)
    finally:
        del cells._far
    assert 0 < far[0] < 400
    every = brute_force(density, x.numpy()[::20], 0.002)
    np.testing.assert_allclose(log_p[::20], every[0], rtol=1e-12)
    np.testing.assert_allclose(score[::20], every[1], rtol=1e-9, atol=1e-9)
