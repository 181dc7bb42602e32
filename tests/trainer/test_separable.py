"""Sums over the cells against a float64 logsumexp over every cell, written out here a second time in numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from trainer.densities import PaintedDensity
from trainer.paintings import preset_weights

SIGMAS = (0.0, 0.02, 0.1, 0.5, 3.0)


def _paintings() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    single = np.zeros((128, 128))
    single[20, 100] = 1
    corners = np.zeros((64, 64))
    corners[0, 0], corners[-1, -1] = 0.8, 0.2
    stairs = np.eye(96)
    sparse = (rng.random((128, 128)) < 0.004) * rng.random((128, 128))
    wide = np.where(rng.random((64, 64)) < 0.2, 10 ** rng.uniform(-250, 0, (64, 64)), 0)
    return {
        "single cell": single,
        "one cell in all": np.ones((1, 1)),
        "all full": np.ones((128, 128)),
        "two corners": corners,
        "stairs": stairs,
        "sparse": sparse,
        "weights over 250 decades": wide,
        "wide strip": rng.random((5, 90)),
        "tall strip": (rng.random((90, 7)) < 0.1) * 1.0 + np.eye(90, 7),
        "far modes": preset_weights("far-modes"),
        "crescents": preset_weights("crescents"),
        "circle": preset_weights("circle"),
    }


PAINTINGS = _paintings()


def brute_force(weights: np.ndarray, x: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log p (B,) and score (B, 2) by a logsumexp over all cells."""
    rows, cols = weights.shape
    cell = 2 / max(rows, cols)
    i, j = weights.nonzero()
    centres = np.stack((cell * (j - (cols - 1) / 2), cell * (i - (rows - 1) / 2)), axis=1)
    log_w = np.log(weights[i, j]) - np.log(weights.sum())
    variance = sigma**2 + cell**2
    log_p, score = np.empty(len(x)), np.empty((len(x), 2))
    for k in range(len(x)):
        d = centres - x[k]
        term = log_w - (d**2).sum(1) / (2 * variance[k])
        r = np.exp(term - term.max())
        log_p[k] = term.max() + np.log(r.sum()) - np.log(2 * math.pi * variance[k])
        score[k] = (r[:, None] * d).sum(0) / r.sum() / variance[k]
    return log_p, score


def points(density: PaintedDensity, sigma: float, seed: int) -> torch.Tensor:
    """Far, near, drawn, and midway between cells, where several are equally near."""
    g = torch.Generator().manual_seed(seed)
    far = torch.rand(60, 2, generator=g, dtype=torch.float64) * 6 - 3
    near = torch.rand(60, 2, generator=g, dtype=torch.float64) * 2 - 1
    drawn = density.sample(40, sigma, generator=g).double().clamp(-3, 3)
    rows, cols = density.weights.shape
    midway = torch.randint(-80, 80, (20, 2), generator=g).double() * (2 / max(rows, cols))
    return torch.cat((far, near, drawn, midway, torch.tensor([[3.0, 3.0], [-3.0, 3.0], [0.0, 0.0]]).double()))


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("name", PAINTINGS)
def test_exact_on_the_whole_square(name: str, sigma: float) -> None:
    density = PaintedDensity(PAINTINGS[name])
    x = points(density, sigma, seed=1)
    log_p, score = brute_force(PAINTINGS[name].astype(np.float64), x.numpy(), np.full(len(x), sigma))
    s = math.hypot(sigma, density.bandwidth)
    error = np.linalg.norm(density.score(x, sigma).numpy() - score, axis=1)
    allowed = 1e-9 * (np.linalg.norm(score, axis=1) + 1 / s)  # the project promises 1e-4
    assert (error <= allowed).all(), (error / allowed).max()
    np.testing.assert_allclose(density.log_prob(x, sigma).numpy(), log_p, rtol=1e-11, atol=1e-9)


def test_the_two_ways_of_summing_are_both_met() -> None:
    density = PaintedDensity(PAINTINGS["crescents"])
    x = points(density, 0.0, seed=2)
    far = int(density.is_far(x, 0.0).sum())
    assert 40 <= far <= 120
    assert int(density.is_far(x, 1.0).sum()) == 0
    drawn = density.sample(10_000, 0.02, generator=torch.Generator().manual_seed(0))
    assert int(density.is_far(drawn, 0.02).sum()) == 0


@pytest.mark.parametrize("name", ["crescents", "stairs", "weights over 250 decades", "sparse"])
def test_one_sigma_per_point(name: str) -> None:
    density = PaintedDensity(PAINTINGS[name])
    x = points(density, 0.1, seed=3)
    sigma = torch.rand(len(x), generator=torch.Generator().manual_seed(4), dtype=torch.float64) ** 6 * 3
    sigma[::3] = 0
    log_p, score = brute_force(PAINTINGS[name].astype(np.float64), x.numpy(), sigma.numpy())
    np.testing.assert_allclose(density.log_prob(x, sigma).numpy(), log_p, rtol=1e-11, atol=1e-9)
    error = np.linalg.norm(density.score(x, sigma).numpy() - score, axis=1)
    assert (error <= 1e-9 * (np.linalg.norm(score, axis=1) + 1 / density.bandwidth)).all()


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("name", ["crescents", "single cell", "all full", "far modes", "wide strip"])
def test_lattice_equals_points(name: str, sigma: float) -> None:
    density = PaintedDensity(PAINTINGS[name])
    centre, half_width, n = (0.2, -0.1), 1.7, 24
    axis = [(2 * k + 1) / n - 1 for k in range(n)]
    scores = density.score_lattice(centre, half_width, n, sigma)
    assert scores.shape == (n, n, 2)
    assert scores.dtype == np.float32
    exact = torch.tensor(
        [[centre[0] + half_width * a, centre[1] + half_width * b] for b in axis for a in axis], dtype=torch.float64
    )
    expected = density.score(exact, sigma).view(n, n, 2).numpy()
    np.testing.assert_allclose(scores, expected, rtol=2e-6, atol=1e-6 * np.abs(expected).max())
    values = density.density_lattice(centre, half_width, n, sigma)
    np.testing.assert_allclose(values, density.log_prob(exact, sigma).exp().view(n, n).numpy(), rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("name", ["crescents", "stairs", "weights over 250 decades", "single cell"])
def test_score_is_the_gradient_of_log_prob(name: str, sigma: float) -> None:
    density = PaintedDensity(PAINTINGS[name])
    x = points(density, sigma, seed=5).requires_grad_()
    (gradient,) = torch.autograd.grad(density.log_prob(x, sigma).sum(), x)
    score = density.score(x, sigma)
    s = math.hypot(sigma, density.bandwidth)
    error = (score - gradient).norm(dim=1) / (gradient.norm(dim=1) + 1 / s)
    assert error.max() < 1e-10


def test_the_score_can_be_differentiated() -> None:
    """The trace that implicit score matching needs, near the mass and far from it, against central differences."""
    density = PaintedDensity(PAINTINGS["crescents"])
    x = points(density, 0.0, seed=6).requires_grad_()
    score = density.score(x, 0.0)
    trace = sum(torch.autograd.grad(score[:, k].sum(), x, retain_graph=True)[0][:, k] for k in range(2))
    step = 1e-6
    expected = torch.zeros(len(x), dtype=torch.float64)
    for k in range(2):
        h = torch.zeros(2, dtype=torch.float64)
        h[k] = step
        expected += (density.score(x.detach() + h) - density.score(x.detach() - h))[:, k] / (2 * step)
    assert torch.isfinite(trace).all()
    assert ((trace - expected).abs() <= 1e-4 * (expected.abs() + density.bandwidth**-2)).all()


def test_many_points_and_far_points_in_chunks() -> None:
    density = PaintedDensity(PAINTINGS["sparse"])
    x = torch.rand(20_000, 2, generator=torch.Generator().manual_seed(7), dtype=torch.float64) * 6 - 3
    whole = density.score(x)
    assert torch.equal(whole[-100:], density.score(x)[-100:])
    torch.testing.assert_close(whole[12_345:12_445], density.score(x[12_345:12_445]), rtol=1e-10, atol=1e-8)
    ring = PaintedDensity(PAINTINGS["weights over 250 decades"])
    same = torch.tensor([[3.0, 3.0]]).double().repeat(3000, 1)
    assert (ring.score(same) - ring.score(same[:1])).abs().max() < 1e-6
