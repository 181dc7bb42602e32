"""Kernels: each is a density, its score is its gradient, its draws have its law and the standard deviation sigma."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats

from trainer.errors import InputError
from trainer.kernels import (
    GAUSSIAN,
    LAPLACE,
    MIXTURE,
    Kernel,
    Laplace,
    ScaleMixture,
    aligned,
    kernel_named,
    require_gaussian,
)

THREE = ScaleMixture((0.2, 0.7, 0.1), (0.1, 0.9, math.sqrt((1 - 0.2 * 0.01 - 0.7 * 0.81) / 0.1)))
KERNELS = (GAUSSIAN, LAPLACE, MIXTURE, THREE)
IDS = ("gaussian", "laplace", "mixture", "three scales")
SIGMAS = (0.005, 0.02, 0.3, 1.0, 3.0)

every_kernel = pytest.mark.parametrize("kernel", KERNELS, ids=IDS)


def refuses(words: str) -> pytest.RaisesExc[InputError]:
    return pytest.RaisesExc(InputError, match=words, check=lambda e: "\n" not in str(e))


def deltas(sigma: float, n: int = 200) -> torch.Tensor:
    """Some of the kernel's own size, some as far out as the plane is wide."""
    g = torch.Generator().manual_seed(0)
    near = sigma * torch.randn(n, 2, generator=g, dtype=torch.float64)
    return torch.cat((near, torch.rand(n, 2, generator=g, dtype=torch.float64) * 12 - 6))


@every_kernel
@pytest.mark.parametrize("sigma", SIGMAS)
def test_score_is_the_gradient_of_log_prob(kernel: Kernel, sigma: float) -> None:
    delta = deltas(sigma).requires_grad_()
    log_q = kernel.log_prob(delta, sigma)
    (gradient,) = torch.autograd.grad(log_q.sum(), delta)
    assert log_q.isfinite().all()
    torch.testing.assert_close(kernel.score(delta, sigma), gradient, rtol=1e-12, atol=1e-12 / sigma)


@every_kernel
@pytest.mark.parametrize("sigma", SIGMAS)
def test_integrates_to_one_with_variance_sigma_squared(kernel: Kernel, sigma: float) -> None:
    """Gauss and Legendre on one quadrant, inside which every kernel is smooth; the others mirror it."""
    node, weight = np.polynomial.legendre.leggauss(100)
    edges = sigma * np.array([0, 0.5, 2, 8, 40])
    x = np.concatenate([(a + b) / 2 + (b - a) / 2 * node for a, b in pairwise(edges)])
    w = np.concatenate([(b - a) / 2 * weight for a, b in pairwise(edges)])
    grid = torch.tensor(np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2))
    q = kernel.log_prob(grid, sigma).exp().numpy() * np.outer(w, w).ravel()
    assert 4 * q.sum() == pytest.approx(1, abs=1e-11)
    assert 4 * (q * grid[:, 0].numpy() ** 2).sum() == pytest.approx(sigma**2, rel=1e-11)


def test_against_scipy() -> None:
    delta = deltas(0.3)
    laplace = stats.laplace(scale=0.3 / math.sqrt(2)).logpdf(delta.numpy()).sum(1)
    np.testing.assert_allclose(LAPLACE.log_prob(delta, 0.3).numpy(), laplace, rtol=1e-13)
    parts = [
        math.log(w) + stats.norm(scale=0.3 * r).logpdf(delta.numpy()).sum(1)
        for w, r in zip(THREE.weights, THREE.scales, strict=True)
    ]
    np.testing.assert_allclose(THREE.log_prob(delta, 0.3).numpy(), np.logaddexp.reduce(parts), rtol=1e-12)


@every_kernel
def test_sigma_may_be_one_per_point(kernel: Kernel) -> None:
    delta = deltas(1.0, 3)
    sigma = torch.tensor([0.005, 0.1, 0.5, 1, 2, 3], dtype=torch.float64)
    for shaped in (sigma, sigma[:, None]):
        log_q, score = kernel.log_prob(delta, shaped), kernel.score(delta, shaped)
        assert log_q.shape == (6,)
        for k in range(6):
            torch.testing.assert_close(log_q[k], kernel.log_prob(delta[k : k + 1], float(sigma[k]))[0])
            torch.testing.assert_close(score[k], kernel.score(delta[k : k + 1], float(sigma[k]))[0])
    square = delta[:2]  # as many points as coordinates: a sigma of shape (2,) is one per point
    torch.testing.assert_close(kernel.score(square, sigma[2:4])[1], kernel.score(square[1:], 1.0)[0])
    pairs = delta[:, None] - delta[None]  # (6, 6, 2): the points against a reference batch
    torch.testing.assert_close(kernel.log_prob(pairs, sigma)[4, 1], kernel.log_prob(pairs[4, 1:2], 2.0)[0])
    torch.testing.assert_close(kernel.score(pairs, sigma)[4, 1], kernel.score(pairs[4, 1:2], 2.0)[0])


def marginal(kernel: Kernel) -> Callable[[np.ndarray], np.ndarray]:
    """The distribution function of one coordinate at sigma = 1, by scipy."""
    if isinstance(kernel, Laplace):
        return stats.laplace(scale=1 / math.sqrt(2)).cdf
    weights, scales = (kernel.weights, kernel.scales) if isinstance(kernel, ScaleMixture) else ((1,), (1,))
    return lambda x: sum(w * stats.norm.cdf(x / r) for w, r in zip(weights, scales, strict=True))


@every_kernel
def test_draws_follow_the_law(kernel: Kernel) -> None:
    like = torch.zeros(100_000, 2, dtype=torch.float64)
    z = kernel.sample(like, 0.3, torch.Generator().manual_seed(1)).numpy() / 0.3
    assert z.mean(0) == pytest.approx([0, 0], abs=0.015)
    assert z.std(0) == pytest.approx([1, 1], rel=0.015)
    assert (z[:, 0] * z[:, 1]).mean() == pytest.approx(0, abs=0.02)
    for coordinate in z.T:
        assert stats.kstest(coordinate, marginal(kernel)).pvalue > 0.01
    # the scale is shared by the coordinates of a point: E z_0^2 z_1^2 = sum w r^4, and 1 for independent ones
    shared = (
        sum(w * r**4 for w, r in zip(kernel.weights, kernel.scales, strict=True)) if hasattr(kernel, "scales") else 1
    )
    assert (z[:, 0] ** 2 * z[:, 1] ** 2).mean() == pytest.approx(shared, rel=0.05)


@every_kernel
def test_draws_have_the_shape_and_sigma_of_each_row(kernel: Kernel) -> None:
    like = torch.zeros(3, 2, 40, 40)
    z = kernel.sample(like, torch.tensor([0.1, 1.0, 10.0]), torch.Generator().manual_seed(2))
    assert z.shape == like.shape
    assert z.dtype == torch.float32
    assert z.isfinite().all()
    if not isinstance(kernel, ScaleMixture):  # its scale is drawn once for each picture
        assert z.flatten(1).std(1).tolist() == pytest.approx([0.1, 1, 10], rel=0.05)
    assert torch.equal(z, kernel.sample(like, torch.tensor([0.1, 1.0, 10.0]), torch.Generator().manual_seed(2)))


def test_names_and_refusals() -> None:
    assert [kernel_named(k.name) for k in (GAUSSIAN, LAPLACE, MIXTURE)] == [GAUSSIAN, LAPLACE, MIXTURE]
    with refuses("^kernel: 'cauchy' is unknown; choose one of gaussian, laplace, mixture$"):
        kernel_named("cauchy")
    require_gaussian(GAUSSIAN, "the likelihood")
    with refuses("^kernel: the likelihood is known for Gaussian noise only, not for Laplace"):
        require_gaussian(LAPLACE, "the likelihood")
    for sigma in (torch.ones(3), torch.ones(2, 2), torch.ones(1, 1, 1), torch.ones(2, 3)):
        with refuses("^sigma: shape"):
            aligned(sigma, torch.zeros(2, 2))


@pytest.mark.parametrize(
    ("weights", "scales", "words"),
    [
        ((), (), "kernel.weights: .* positive"),
        ((0.5, 0.5), (0.0, math.sqrt(2)), "kernel.scales: .* positive"),
        ((0.5, -0.5), (1, 1), "kernel.weights: .* positive"),
        ((0.5, math.nan), (1, 1), "kernel.weights: .* positive"),
        (("half", 0.5), (1, 1), "kernel.weights: .* no numbers"),
        ((0.5, 0.5), (1,), "kernel.scales: 1 of them for 2 weights"),
        ((0.5, 0.6), (1, 1), "kernel.weights: their sum is 1.1"),
        ((0.5, 0.5), (1, 2), "kernel.scales: the variance sum w r\\^2 is 2.5; divide the scales by its root, 1.58"),
    ],
)
def test_bad_mixtures(weights: tuple, scales: tuple, words: str) -> None:
    with refuses(f"^{words}"):
        ScaleMixture(weights, scales)
