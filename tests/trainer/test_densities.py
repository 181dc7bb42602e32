"""Densities: closed forms, gradients, integrals, draws, and what they refuse."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from trainer.densities import GaussianMixture, PaintedDensity, load_density
from trainer.errors import InputError
from trainer.paintings import preset_names, preset_weights

CORRELATED = [[0.04, 0.0399999], [0.0399999, 0.04]]  # correlation 0.9999975


def mixture() -> GaussianMixture:
    return GaussianMixture(
        [0.5, 0.3, 0.2, 0.0],
        [[0.5, 0.5], [-0.5, -0.2], [0.0, 0.6], [0, 0]],
        [CORRELATED, [[0.01, -0.005], [-0.005, 0.02]], [[1e-4, 0.0], [0.0, 0.09]], np.eye(2)],
    )


def smooth() -> GaussianMixture:
    """Components wide enough to be integrated on a grid."""
    return GaussianMixture([3, 1], [[0.5, 0.5], [-0.5, -0.2]], [[[0.06, 0.05], [0.05, 0.06]], [[0.01, 0], [0, 0.09]]])


def grid(half_width: float, n: int) -> tuple[torch.Tensor, float]:
    axis = (2 * torch.arange(n, dtype=torch.float64) + 1) / n - 1
    y, x = torch.meshgrid(half_width * axis, half_width * axis, indexing="ij")
    return torch.stack((x.reshape(-1), y.reshape(-1)), dim=1), (2 * half_width / n) ** 2


# --- mixtures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [0.0, 0.03, 0.7, 3.0])
def test_one_gaussian_has_its_closed_form(sigma: float) -> None:
    mean, covariance = np.array([0.3, -0.4]), np.array(CORRELATED)
    x = torch.rand(200, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 6 - 3
    total = covariance + sigma**2 * np.eye(2)
    d = x.numpy() - mean
    # the inverse of [[a, b], [b, a]] in its axes (1, 1) and (1, -1), where it loses no digits
    a, b = total[0]
    u, v = (d[:, 0] + d[:, 1]) / math.sqrt(2), (d[:, 0] - d[:, 1]) / math.sqrt(2)
    score = np.stack((-u / (a + b) - v / (a - b), -u / (a + b) + v / (a - b)), axis=1) / math.sqrt(2)
    log_p = -0.5 * (u**2 / (a + b) + v**2 / (a - b)) - math.log(2 * math.pi) - 0.5 * math.log((a + b) * (a - b))
    density = GaussianMixture([2.0], [mean], [covariance])
    np.testing.assert_allclose(density.score(x, sigma).numpy(), score, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(density.log_prob(x, sigma).numpy(), log_p, rtol=1e-8)


@pytest.mark.parametrize("sigma", [0.0, 0.05, 1.0, 3.0])
def test_mixture_score_is_the_gradient_of_log_prob(sigma: float) -> None:
    density = mixture()
    x = (torch.rand(300, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 6 - 3).requires_grad_()
    (gradient,) = torch.autograd.grad(density.log_prob(x, sigma).sum(), x)
    torch.testing.assert_close(density.score(x, sigma), gradient, rtol=1e-9, atol=1e-9)


def test_mixture_takes_one_sigma_per_point() -> None:
    density = mixture()
    x = torch.rand(5, 2, dtype=torch.float64)
    sigma = torch.tensor([0.0, 0.01, 0.1, 1.0, 3.0], dtype=torch.float64)
    for k in range(5):
        torch.testing.assert_close(density.score(x, sigma)[k], density.score(x[k : k + 1], float(sigma[k]))[0])
        torch.testing.assert_close(density.log_prob(x, sigma)[k], density.log_prob(x[k : k + 1], float(sigma[k]))[0])


# --- every density ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", preset_names())
def test_integrates_to_one(name: str) -> None:
    density = load_density(name)
    for sigma, half_width, n in ((0.0, 1.3, 400), (0.1, 1.8, 120), (1.0, 7.0, 60)):
        x, area = grid(half_width, n)
        assert density.log_prob(x, sigma).exp().sum().item() * area == pytest.approx(1, abs=1e-6)
        assert density.density_lattice((0, 0), half_width, n, sigma).sum() * area == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("name", "inside", "error"), [("ring", 2.0, 1e-6), ("far-modes", 0.9, 1e-3)])
def test_the_painting_of_a_mixture_is_the_mixture(name: str, inside: float, error: float) -> None:
    """The far modes reach over the edge of the square, three standard deviations away: there a painting must end."""
    exact, painted = load_density(name), PaintedDensity(preset_weights(name))
    assert isinstance(exact, GaussianMixture)
    for sigma in (0.0, 0.1, 1.0):
        x = exact.sample(4000, sigma, generator=torch.Generator().manual_seed(2)).double()
        x = x[(x.abs() < max(inside, 5 * sigma)).all(1)]
        true = exact.score(x, sigma)
        assert (painted.score(x, sigma) - true).square().sum() / true.square().sum() < error


@pytest.mark.parametrize("density", [smooth(), PaintedDensity(preset_weights("crescents"))], ids=["mixture", "painted"])
@pytest.mark.parametrize("sigma", [0.0, 0.2])
def test_every_box_receives_its_share_of_draws(density: object, sigma: float) -> None:
    assert isinstance(density, GaussianMixture | PaintedDensity)
    n = 200_000
    x = density.sample(n, sigma, generator=torch.Generator().manual_seed(3))
    assert x.shape == (n, 2)
    assert x.dtype == torch.float32
    # each box of a 16 x 16 grid receives its share, within 5 standard deviations
    fine = 16 * 24
    p = density.density_lattice((0, 0), 2.0, fine, sigma).reshape(16, 24, 16, 24).sum((1, 3)) * (4 / fine) ** 2
    box = ((x + 2) * 4).floor().long()
    inside = ((box >= 0) & (box < 16)).all(1)
    counts = torch.bincount(box[inside, 1] * 16 + box[inside, 0], minlength=256).view(16, 16).numpy()
    assert (np.abs(counts - n * p) <= 5 * np.sqrt(n * p + 1)).all()


def test_draws_depend_on_the_generator_alone() -> None:
    density = load_density("two-moons")
    one = density.sample(1000, 0.1, generator=torch.Generator().manual_seed(5))
    torch.rand(17)
    assert torch.equal(one, density.sample(1000, 0.1, generator=torch.Generator().manual_seed(5)))
    assert not torch.equal(one, density.sample(1000, 0.1, generator=torch.Generator().manual_seed(6)))
    assert density.sample(0, generator=torch.Generator()).shape == (0, 2)


def test_draws_take_one_sigma_per_point() -> None:
    sigma = torch.cat((torch.zeros(20_000), torch.full((20_000,), 2.0)))
    for density in (PaintedDensity(np.ones((1, 1)), bandwidth=0.1), GaussianMixture([1], [[0, 0]], [0.01 * np.eye(2)])):
        x = density.sample(40_000, sigma, generator=torch.Generator().manual_seed(7))
        assert x[:20_000].std().item() == pytest.approx(0.1, rel=0.02)
        assert x[20_000:].std().item() == pytest.approx(math.hypot(2, 0.1), rel=0.02)


@pytest.mark.parametrize("density", [mixture(), PaintedDensity(preset_weights("ring"))], ids=["mixture", "painted"])
def test_results_have_the_dtype_of_x(density: object) -> None:
    assert isinstance(density, GaussianMixture | PaintedDensity)
    x = torch.rand(8, 2, dtype=torch.float64)
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        assert density.score(x.to(dtype), 0.1).dtype == dtype
        assert density.log_prob(x.to(dtype), 0.1).dtype == dtype
    torch.testing.assert_close(density.score(x.float(), 0.1), density.score(x.float().double(), 0.1).float())
    assert density.score(x[:0]).shape == (0, 2)
    assert density.log_prob(x[:0]).shape == (0,)


def test_a_python_sigma_is_not_rounded_to_float32() -> None:
    density = PaintedDensity(preset_weights("ring"))
    x = torch.rand(8, 2, dtype=torch.float64)
    assert torch.equal(density.score(x, 0.1), density.score(x, torch.tensor(0.1, dtype=torch.float64)))


def test_nan_stays_nan_and_harms_no_other_point() -> None:
    density = PaintedDensity(preset_weights("crescents"))
    x = torch.tensor([[0.1, 0.1], [math.nan, 0.0], [2.0, -2.0]])
    score = density.score(x)
    assert score[1].isnan().all()
    assert score[[0, 2]].isfinite().all()


def test_the_grid_is_centred_with_square_cells() -> None:
    weights = np.zeros((2, 4))
    weights[0, 3] = 1  # the bottom right cell
    x = PaintedDensity(weights, bandwidth=1e-4).sample(10, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(x, torch.tensor([[0.75, -0.25]]).repeat(10, 1), atol=1e-3, rtol=0)
    assert PaintedDensity(weights).bandwidth == 0.5
    assert PaintedDensity(3 * weights).weights.sum() == 1


# --- refusals -----------------------------------------------------------------------------------------------------


def refuses(words: str) -> pytest.RaisesExc[InputError]:
    return pytest.RaisesExc(InputError, match=words, check=lambda e: "\n" not in str(e))


@pytest.mark.parametrize(
    "sigma", [-0.1, math.nan, math.inf, torch.tensor([0.1, -1.0]), torch.zeros(3), torch.zeros(2, 1)]
)
def test_bad_noise_levels(sigma: float | torch.Tensor) -> None:
    for density in (mixture(), PaintedDensity(np.ones((2, 2)))):
        for call in (density.score, density.log_prob):
            with refuses("^sigma: "):
                call(torch.zeros(2, 2), sigma)
        with refuses("^sigma: "):
            density.sample(2, sigma)


def test_bad_arguments() -> None:
    density = PaintedDensity(np.ones((2, 2)))
    for shape in ((2,), (5, 3), (2, 2, 2)):
        with refuses("^x: shape"):
            density.score(torch.zeros(shape))
    with refuses("^n: -1"):
        density.sample(-1)
    for bandwidth in (0.0, -1, math.nan, math.inf, "wide", True):
        with refuses("^bandwidth: "):
            PaintedDensity(np.ones((2, 2)), bandwidth=bandwidth)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.zeros((3, 3)), "all weights are zero"),
        ([[1, -1]], "negative"),
        ([[1, math.nan]], "NaN"),
        ([[1, math.inf]], "NaN or infinity"),
        (np.ones(3), "shape"),
        (np.ones((2, 2, 2)), "shape"),
        (np.ones((0, 4)), "cells along each side"),
        (np.ones((1, 1025)), "cells along each side"),
        ([["a", "b"]], "not numbers"),
        ([[1, 2], [3]], "rows differ"),
        (np.ones((2, 2), dtype=complex), "not numbers"),
        (np.array([[object()]]), "not numbers"),
    ],
)
def test_bad_weights(weights: object, words: str) -> None:
    with refuses(f"^weights: .*{words}"):
        PaintedDensity(weights)  # type: ignore[arg-type]


def test_weights_of_any_scale_are_normalised() -> None:
    for scale in (1e-300, 1e300, 1):
        density = PaintedDensity(np.full((64, 64), 1.0) * scale)
        assert density.weights.sum() == pytest.approx(1)
    assert PaintedDensity(np.array([[True, False]])).weights.tolist() == [[1.0, 0.0]]
    assert PaintedDensity(torch.ones(2, 2)).weights.tolist() == [[0.25, 0.25], [0.25, 0.25]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([], [], []), "weights: shape"),
        (([1], [[0, 0, 0]], [np.eye(2)]), "means: shape"),
        (([1, 1], [[0, 0]], [np.eye(2)]), "means: shape"),
        (([1], [[0, 0]], np.eye(2)), "covariances: shape"),
        (([-1, 2], [[0, 0], [1, 1]], [np.eye(2)] * 2), "weights: negative"),
        (([0], [[0, 0]], [np.eye(2)]), "weights: negative or all zero"),
        (([1], [[0, math.nan]], [np.eye(2)]), "means: contains NaN"),
        (([1], [[0, 0]], [[[1, 0.5], [0, 1]]]), "covariances: not symmetric"),
        (([1], [[0, 0]], [[[1, 2], [2, 1]]]), "covariances: not positive definite"),
        (([1], [["a", "b"]], [np.eye(2)]), "means: not an array of numbers"),
    ],
)
def test_bad_mixtures(arguments: tuple, words: str) -> None:
    with refuses(f"^{words}"):
        GaussianMixture(*arguments)


def test_load_density_reads_files(tmp_path: Path) -> None:
    np.save(tmp_path / "weights.npy", np.eye(7)[:, :5])
    density = load_density(tmp_path / "weights.npy")
    assert isinstance(density, PaintedDensity)
    assert density.weights.shape == (7, 5)
    np.save(tmp_path / "points.npy", np.array([[0.5, 0.5], [-0.5, -0.5], [-0.5, -0.5]]))
    density = load_density(str(tmp_path / "points.npy"), as_="points", size=64)
    assert isinstance(density, PaintedDensity)
    assert density.weights.shape == (64, 64)
    assert sorted(density.weights[density.weights > 0]) == pytest.approx([1 / 3, 2 / 3])
