"""p_sigma under every kernel: gradients, integrals, convolutions, draws, limits, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy import special, stats

from trainer.densities import GaussianMixture, PaintedDensity, load_density
from trainer.errors import InputError
from trainer.kernels import GAUSSIAN, LAPLACE, MIXTURE, Kernel, ScaleMixture
from trainer.paintings import preset_weights

KERNELS = (GAUSSIAN, LAPLACE, MIXTURE)
SIGMAS = (0.0, 0.005, 0.02, 0.3, 1.0, 3.0)
CORRELATED = [[0.04, 0.0399999], [0.0399999, 0.04]]  # correlation 0.9999975

AnyDensity = GaussianMixture | PaintedDensity


def painted() -> PaintedDensity:
    return PaintedDensity(preset_weights("crescents", 64))


def straight() -> GaussianMixture:
    """Axis-aligned components of very different widths, correlated ones left out."""
    return GaussianMixture(
        [0.6, 0.3, 0.1],
        [[0.5, 0.5], [-0.5, -0.2], [0.0, 0.6]],
        [[[0.04, 0], [0, 0.01]], 0.02 * np.eye(2), 1e-5 * np.eye(2)],
    )


def tilted() -> GaussianMixture:
    return GaussianMixture(
        [0.5, 0.3, 0.2],
        [[0.5, 0.5], [-0.5, -0.2], [0.0, 0.6]],
        [CORRELATED, [[0.01, -0.005], [-0.005, 0.02]], [[1e-4, 0.0], [0.0, 0.09]]],
    )


def smooth() -> GaussianMixture:
    """Components wide enough to be summed on a grid."""
    return GaussianMixture([3, 1], [[0.5, 0.5], [-0.5, -0.2]], [[[0.06, 0.05], [0.05, 0.06]], [[0.01, 0], [0, 0.09]]])


DENSITIES = {"painted": painted(), "straight": straight(), "tilted": tilted()}

every_density = pytest.mark.parametrize("density", DENSITIES.values(), ids=DENSITIES)
every_kernel = pytest.mark.parametrize("kernel", KERNELS, ids=[k.name for k in KERNELS])


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def points(density: AnyDensity, kernel: Kernel, sigma: float | torch.Tensor, n: int = 40) -> torch.Tensor:
    """Anywhere on [-6, 6]^2, near the mass, and drawn from p_sigma."""
    g = generator(1)
    far = torch.rand(n, 2, generator=g, dtype=torch.float64) * 12 - 6
    near = torch.rand(n, 2, generator=g, dtype=torch.float64) * 2 - 1
    drawn = density.sample(n, sigma, kernel=kernel, generator=g).double()
    return torch.cat((far, near, drawn, torch.tensor([[6, 6], [-6, 6], [6, -6], [0, 0]], dtype=torch.float64)))


def grid(half_width: float, n: int) -> tuple[torch.Tensor, float]:
    axis = half_width * ((2 * torch.arange(n, dtype=torch.float64) + 1) / n - 1)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack((x.reshape(-1), y.reshape(-1)), dim=1), (2 * half_width / n) ** 2


# --- the score and the density ----------------------------------------------------------------------------------


@every_kernel
@every_density
@pytest.mark.parametrize("sigma", SIGMAS)
def test_score_is_the_gradient_of_log_prob(density: AnyDensity, kernel: Kernel, sigma: float) -> None:
    x = points(density, kernel, sigma).requires_grad_()
    log_p, score = density.log_prob(x, sigma, kernel=kernel), density.score(x, sigma, kernel=kernel)
    (gradient,) = torch.autograd.grad(log_p.sum(), x)
    assert log_p.isfinite().all()
    assert score.isfinite().all()
    error = (score - gradient).norm(dim=1) / (gradient.norm(dim=1) + 1 / max(sigma, 0.01))
    assert error.max() < 1e-9


@every_kernel
@every_density
@pytest.mark.parametrize("sigma", [0.02, 0.5])
def test_the_score_can_be_differentiated(density: AnyDensity, kernel: Kernel, sigma: float) -> None:
    """Its Jacobian is symmetric, and its trace is that of central differences."""
    x = points(density, kernel, sigma, 15).requires_grad_()
    score = density.score(x, sigma, kernel=kernel)
    jacobian = torch.stack([torch.autograd.grad(score[:, k].sum(), x, retain_graph=True)[0] for k in range(2)], dim=1)
    size = jacobian.abs().amax((1, 2)) + 1 / (sigma**2 + 1e-4)
    assert ((jacobian[:, 0, 1] - jacobian[:, 1, 0]).abs() / size).max() < 1e-8
    step = 1e-5 * torch.eye(2, dtype=torch.float64)
    ends = [[density.score(x.detach() + sign * h, sigma, kernel=kernel) for sign in (1, -1)] for h in step]
    trace = sum((one - other)[:, k] / 2e-5 for k, (one, other) in enumerate(ends))
    assert ((jacobian.diagonal(dim1=1, dim2=2).sum(1) - trace).abs() / size).max() < 1e-4


@every_kernel
def test_integrates_to_one(kernel: Kernel) -> None:
    coarse = PaintedDensity(np.random.default_rng(0).random((6, 6)), bandwidth=0.25)
    for density, sigma, half_width, n in (
        (painted(), 0.1, 2.3, 150),
        (smooth(), 0.1, 3.5, 80),
        (coarse, 1.0, 14.0, 160),
    ):
        x, area = grid(half_width, n)
        whole = density.log_prob(x, sigma, kernel=kernel).exp().sum().item() * area
        assert whole == pytest.approx(1, abs=1e-6)
        if n < 100:
            lattice = density.density_lattice((0, 0), half_width, n, sigma, kernel=kernel)
            assert lattice.sum() * area == pytest.approx(whole, abs=1e-9)


@every_kernel
@pytest.mark.parametrize("density", [painted(), smooth()], ids=["painted", "mixture"])
def test_is_the_convolution_on_a_fine_grid(density: AnyDensity, kernel: Kernel) -> None:
    """p_sigma(x) = int p(y) q(x - y) dy by a plain sum over cells of width h, exact but for Laplace's kink, O(h^2).

    x is a corner of cells, so that the kink of q and the jump of its score lie on their borders.
    """
    sigma, h, tolerance = 0.25, 0.008, 1e-3 if kernel == LAPLACE else 1e-9
    y, area = grid(2.4, 600)
    p = density.log_prob(y).exp()
    x = (density.sample(6, sigma, kernel=kernel, generator=generator(2)).double() / h).round() * h
    for point, p_sigma, score in zip(
        x, density.log_prob(x, sigma, kernel=kernel).exp(), density.score(x, sigma, kernel=kernel), strict=True
    ):
        mass = p * kernel.log_prob(point - y, sigma).exp() * area
        assert mass.sum().item() == pytest.approx(p_sigma.item(), rel=tolerance)
        # what denoising score matching learns: the score of p_sigma is the mean score of the kernel given x
        mean = (mass[:, None] * kernel.score(point - y, sigma)).sum(0) / mass.sum()
        assert (mean - score).norm().item() < tolerance / sigma


@every_kernel
@every_density
def test_takes_one_sigma_per_point(density: AnyDensity, kernel: Kernel) -> None:
    sigma = torch.tensor([0.0, 0.005, 0.1, 0.0, 1.0, 3.0], dtype=torch.float64)
    x = torch.rand(6, 2, generator=generator(3), dtype=torch.float64) * 2 - 1
    for call in (density.log_prob, density.score):
        rows = [call(x[k : k + 1], float(sigma[k]), kernel=kernel) for k in range(6)]
        torch.testing.assert_close(call(x, sigma, kernel=kernel), torch.cat(rows), rtol=1e-11, atol=1e-11)


@every_kernel
@every_density
def test_without_noise_the_density_is_itself(density: AnyDensity, kernel: Kernel) -> None:
    x = points(density, kernel, 0.0)
    assert torch.equal(density.log_prob(x, kernel=kernel), density.log_prob(x))
    assert torch.equal(density.score(x, torch.zeros(len(x)), kernel=kernel), density.score(x, torch.zeros(len(x))))
    near = points(density, kernel, 0.0)[40:]
    torch.testing.assert_close(
        density.log_prob(near, 1e-8, kernel=kernel), density.log_prob(near), rtol=1e-8, atol=1e-8
    )


@every_kernel
@every_density
def test_lattices_equal_points(density: AnyDensity, kernel: Kernel) -> None:
    n, centre, half_width, sigma = 12, (0.2, -0.1), 1.7, 0.2
    axis = [(2 * k + 1) / n - 1 for k in range(n)]
    at = [[centre[0] + half_width * a, centre[1] + half_width * b] for b in axis for a in axis]
    x = torch.tensor(at, dtype=torch.float64)
    scores = density.score_lattice(centre, half_width, n, sigma, kernel=kernel)
    expected = density.score(x, sigma, kernel=kernel).view(n, n, 2).numpy()
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())
    values = density.density_lattice(centre, half_width, n, sigma, kernel=kernel)
    np.testing.assert_allclose(values, density.log_prob(x, sigma, kernel=kernel).exp().view(n, n).numpy(), rtol=1e-9)


def test_a_mixture_of_one_scale_is_the_gaussian() -> None:
    one = ScaleMixture((1.0,), (1.0,))
    for density in DENSITIES.values():
        x = points(density, one, 0.1)
        torch.testing.assert_close(density.score(x, 0.1, kernel=one), density.score(x, 0.1), rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(density.log_prob(x, 0.1, kernel=one), density.log_prob(x, 0.1))


@pytest.mark.parametrize("kernel", [LAPLACE, MIXTURE], ids=["laplace", "mixture"])
def test_the_kernels_differ_where_they_should(kernel: Kernel) -> None:
    """A point blurred by the kernel is the kernel: higher in the middle and far out than a Gaussian."""
    point = GaussianMixture([1], [[0, 0]], [1e-8 * np.eye(2)])
    x = torch.tensor([[0.01, 0.01], [0.6, 0.6], [2.5, 2.5]], dtype=torch.float64)
    values = point.log_prob(x, 0.5, kernel=kernel)
    torch.testing.assert_close(values, kernel.log_prob(x, 0.5), rtol=1e-5, atol=1e-5)
    difference = values - point.log_prob(x, 0.5)
    assert difference[0] > 0.5
    assert difference[1] < -0.3
    assert difference[2] > 5


def test_truth_says_how_it_is_computed() -> None:
    assert [tilted().truth_is(k) for k in KERNELS] == ["closed form", "quadrature", "closed form"]
    for density in (straight(), painted(), load_density("far-modes")):
        assert [density.truth_is(k) for k in KERNELS] == ["closed form"] * 3
    almost = GaussianMixture([1], [[0, 0]], [[[0.1, 1e-17], [1e-17, 0.2]]])
    assert almost.truth_is(LAPLACE) == "closed form"


# --- draws --------------------------------------------------------------------------------------------------------


def moments(density: AnyDensity) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each coordinate."""
    if isinstance(density, GaussianMixture):
        w, m, v = density.weights, density.means, density.covariances.diagonal(axis1=1, axis2=2)
    else:
        i, j = density.weights.nonzero()
        w, cell = density.weights[i, j], 2 / max(density.weights.shape)
        m = np.stack((cell * (j + 0.5) - 1, cell * (i + 0.5) - 1), axis=1)
        v = np.full_like(m, density.bandwidth**2)
    mean = w @ m
    return mean, w @ (v + m**2) - mean**2


@every_kernel
@every_density
def test_draws_have_the_variance_of_both(density: AnyDensity, kernel: Kernel) -> None:
    n, sigma = 100_000, 0.4
    x = density.sample(n, sigma, kernel=kernel, generator=generator(4)).double().numpy()
    mean, variance = moments(density)
    assert x.mean(0) == pytest.approx(mean, abs=5 * math.sqrt((variance.max() + sigma**2) / n))
    assert x.var(0) == pytest.approx(variance + sigma**2, rel=0.02)


def laplace_cdf(u: np.ndarray, v: float, b: float) -> np.ndarray:
    """P(y + e <= u) for y ~ N(0, v) and Laplace noise e: Phi(u / s) - A / 2 + B / 2, as trainer.laplace names them."""
    s = math.sqrt(v)
    a = np.exp(v / (2 * b * b) - u / b + special.log_ndtr(u / s - s / b))
    c = np.exp(v / (2 * b * b) + u / b + special.log_ndtr(-u / s - s / b))
    return special.ndtr(u / s) - a / 2 + c / 2


@dataclass(frozen=True)
class Marginal:
    """The distribution function of one coordinate of a mixture's p_sigma."""

    density: GaussianMixture
    kernel: Kernel
    sigma: float
    axis: int

    def __call__(self, x: np.ndarray) -> np.ndarray:
        d, s = self.density, self.sigma
        total = np.zeros_like(x)
        for w, m, c in zip(d.weights, d.means[:, self.axis], d.covariances[:, self.axis, self.axis], strict=True):
            if self.kernel == LAPLACE:
                total += w * laplace_cdf(x - m, c, s / math.sqrt(2))
            elif isinstance(self.kernel, ScaleMixture):
                parts = zip(self.kernel.weights, self.kernel.scales, strict=True)
                total += w * sum(p * special.ndtr((x - m) / math.sqrt(c + (r * s) ** 2)) for p, r in parts)
            else:
                total += w * special.ndtr((x - m) / math.sqrt(c + s * s))
        return total


@every_kernel
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("sigma", [0.05, 1.0])
def test_draws_follow_the_marginal(kernel: Kernel, axis: int, sigma: float) -> None:
    density = smooth()
    x = density.sample(50_000, sigma, kernel=kernel, generator=generator(5))[:, axis].double().numpy()
    assert stats.kstest(x, Marginal(density, kernel, sigma, axis)).pvalue > 0.01
    if sigma == 1 and kernel != GAUSSIAN:  # noise that is wider than the density betrays its kernel
        assert stats.kstest(x, Marginal(density, GAUSSIAN, sigma, axis)).pvalue < 1e-6


@every_kernel
def test_a_painting_of_one_cell_is_a_gaussian(kernel: Kernel) -> None:
    """A painting of one cell is a Gaussian."""
    density = PaintedDensity(np.ones((1, 1)), bandwidth=0.2)
    like = GaussianMixture([1], [[0, 0]], [0.04 * np.eye(2)])
    x, sigma = points(like, kernel, 0.3), 0.3
    torch.testing.assert_close(density.log_prob(x, sigma, kernel=kernel), like.log_prob(x, sigma, kernel=kernel))
    torch.testing.assert_close(density.score(x, sigma, kernel=kernel), like.score(x, sigma, kernel=kernel))
    drawn = density.sample(20_000, sigma, kernel=kernel, generator=generator(6)).double().numpy()
    assert stats.kstest(drawn[:, 0], Marginal(like, kernel, sigma, 0)).pvalue > 0.01


@every_kernel
@every_density
def test_draws_depend_on_the_generator_alone(density: AnyDensity, kernel: Kernel) -> None:
    def draw(seed: int) -> torch.Tensor:
        return density.sample(100, torch.linspace(0, 1, 100), kernel=kernel, generator=generator(seed))

    one = draw(5)
    torch.rand(17)
    assert torch.equal(one, draw(5))
    assert not torch.equal(one, draw(6))
    assert one.dtype == torch.float32
    assert density.sample(0, 0.1, kernel=kernel, generator=generator(0)).shape == (0, 2)


# --- shapes, dtypes and refusals ------------------------------------------------------------------------------------


@every_kernel
@every_density
def test_results_have_the_dtype_of_x(density: AnyDensity, kernel: Kernel) -> None:
    x = torch.rand(8, 2, generator=generator(7))
    assert density.score(x, 0.1, kernel=kernel).dtype == torch.float32
    assert density.log_prob(x, 0.1, kernel=kernel).dtype == torch.float32
    torch.testing.assert_close(
        density.score(x, 0.1, kernel=kernel), density.score(x.double(), 0.1, kernel=kernel).float()
    )
    assert density.score(x[:0], 0.1, kernel=kernel).shape == (0, 2)
    assert density.log_prob(x[:0], torch.zeros(0), kernel=kernel).shape == (0,)


@pytest.mark.parametrize("kernel", ["laplace", None, object()])
def test_unknown_kernels(kernel: object) -> None:
    calls: list[Callable[..., object]] = []
    for density in DENSITIES.values():
        calls += [
            lambda d=density: d.score(torch.zeros(1, 2), kernel=kernel),
            lambda d=density: d.log_prob(torch.zeros(1, 2), 0.1, kernel=kernel),
            lambda d=density: d.sample(3, 0.1, kernel=kernel),
            lambda d=density: d.truth_is(kernel),
            lambda d=density: d.score_lattice((0, 0), 1, 4, 0.1, kernel=kernel),
            lambda d=density: d.density_lattice((0, 0), 1, 4, 0.1, kernel=kernel),
        ]
    for call in calls:
        with pytest.RaisesExc(InputError, match="^kernel: .*perturbed density", check=lambda e: "\n" not in str(e)):
            call()


@every_density
@every_kernel
def test_score_and_log_density_in_one_pass_are_the_two(density: AnyDensity, kernel: Kernel) -> None:
    """Near the mass, far from it where sums go in logarithms, at one sigma and at one per point."""
    near = density.sample(200, 0.05, generator=generator(0)).double()
    x = torch.cat((near, 6 * torch.rand(200, 2, generator=generator(1), dtype=torch.float64) - 3))
    for sigma in (0.0, 0.02, torch.linspace(0.005, 1, 400)):
        score, log_p = density.score_and_log_prob(x, sigma, kernel=kernel)
        torch.testing.assert_close(score, density.score(x, sigma, kernel=kernel), rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(log_p, density.log_prob(x, sigma, kernel=kernel), rtol=1e-12, atol=1e-12)
    assert density.score_and_log_prob(x.float(), 0.1)[1].dtype == torch.float32
