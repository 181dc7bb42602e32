import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import Tensor

from tests.trainer.fields import Field, drive
from trainer.circulation import (
    circle,
    curl_map,
    curl_map_chunks,
    enclosed_curl,
    line_integral,
    rotational_share,
)
from trainer.densities import Density, GaussianMixture, load_density
from trainer.errors import InputError
from trainer.fit import Fit
from trainer.kernels import GAUSSIAN, LAPLACE
from trainer.learned import LearnedScore
from trainer.models import TrueScore
from trainer.settings import FitSettings

FAR = load_density("far-modes")
SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
STAR = np.array([[0.9, 0.0], [0.2, 0.3], [0.0, 1.1], [-0.3, 0.2], [-0.8, -0.9], [0.3, -0.4]])  # not convex


def whirl(x: Tensor) -> Tensor:
    """The field (-y^3, x^3) - 3 x: curl 3 x^2 + 3 y^2."""
    return torch.stack((-(x[:, 1] ** 3), x[:, 0] ** 3), dim=1) - 3 * x


@pytest.fixture(scope="module")
def learned() -> LearnedScore:
    """A score with two free outputs after a short fit, wrong enough to have a curl."""
    fit = Fit(FAR, FitSettings(), device="cpu", seed=0)
    for _ in fit.run(steps=50):
        pass
    return fit.snapshot()


# --- the map ---


def test_the_curl_of_a_rotation_with_a_pull() -> None:
    """For s = -x / v + w (-y, x): curl 2 w everywhere, |J|^2 = 2 / v^2 + 2 w^2."""
    v, w = 0.4, 1.5
    found = curl_map(Field(lambda x: -x / v + w * torch.stack((-x[:, 1], x[:, 0]), 1)), 0.1, n=8)
    np.testing.assert_allclose(found.curl, 2 * w, rtol=1e-14)
    np.testing.assert_allclose(found.size, np.sqrt(2 / v**2 + 2 * w**2), rtol=1e-14)
    np.testing.assert_allclose(found.rotational_share, w**2 / (1 / v**2 + w**2), rtol=1e-14)
    assert found.spacing is None


def test_rows_run_upwards_and_columns_to_the_right() -> None:
    found = curl_map(Field(whirl), 0.1, centre=(0.5, -0.25), half_width=0.5, n=4)
    assert found.curl[0, 3] == pytest.approx(3 * 0.875**2 + 3 * 0.625**2)
    assert found.curl[3, 0] == pytest.approx(3 * 0.125**2 + 3 * 0.125**2)


@pytest.mark.parametrize("density", [FAR, load_density("two-moons")])
@pytest.mark.parametrize("sigma", [0.05, 0.5])
def test_the_truth_has_none(density: Density, sigma: float) -> None:
    found = curl_map(TrueScore(density), sigma, n=24)
    assert found.size.min() > 0.1
    assert np.abs(found.curl).max() < 1e-11 * found.size.max()


def test_the_gradient_of_an_energy_has_none() -> None:
    generator = torch.Generator().manual_seed(0)
    first, last = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((2, 32), (32,)))

    def force(x: Tensor) -> Tensor:
        with torch.enable_grad():
            z = x if x.requires_grad else x.detach().requires_grad_()
            energy = torch.nn.functional.silu(z @ first) @ last
            return torch.autograd.grad(energy.sum(), z, create_graph=True)[0]

    found = curl_map(Field(force), 0.1, n=16)
    assert found.size.max() > 1
    assert np.abs(found.curl).max() < 1e-13 * found.size.max()


def test_a_learned_energy_has_none(learned: LearnedScore) -> None:
    """To the rounding of float32; a score with two free outputs, learned from the same draws, has a curl."""
    fit = Fit(FAR, FitSettings(parameterisation="energy"), device="cpu", seed=0)
    for _ in fit.run(steps=10):
        pass
    energy, free = (curl_map(model, 0.3, n=16) for model in (fit.snapshot(), learned))
    assert np.abs(energy.curl).max() < 1e-5 * energy.size.max()
    assert np.abs(free.curl).max() > 1e-2 * free.size.max()


def test_without_a_graph_it_takes_central_differences_and_says_so() -> None:
    frozen = Field(lambda x: whirl(x.detach()))
    found, exact = curl_map(frozen, 0.1, n=8), curl_map(Field(whirl), 0.1, n=8)
    assert found.spacing == 1e-3
    # d^3 / dx^3 of x^3 is 6 and of -y^3 is -6: the curl is too large by 2 h^2.
    np.testing.assert_allclose(found.curl - exact.curl, 2e-6, rtol=1e-3)
    np.testing.assert_allclose(curl_map(Field(whirl), 0.1, n=8, spacing=0.1).curl - exact.curl, 2e-2, rtol=1e-9)


def test_the_map_is_made_in_portions() -> None:
    yields, found = drive(curl_map_chunks(Field(whirl), 0.1, n=20, chunk=64))
    assert yields == 7
    np.testing.assert_array_equal(found.curl, curl_map(Field(whirl), 0.1, n=20).curl)


def test_the_share_of_rotation_under_a_density() -> None:
    """A rotation w about the centre, joined to the score of N(0, v): w^2 / (1 / v^2 + w^2)."""
    density, v, w = GaussianMixture([1.0], [[0.0, 0.0]], [0.3 * np.eye(2)]), 0.34, 1.5
    found = rotational_share(
        Field(lambda x: density.score(x, 0.2) + w * torch.stack((-x[:, 1], x[:, 0]), 1)), density, 0.2, n=100
    )
    assert found == pytest.approx(w**2 / (1 / v**2 + w**2), rel=1e-6)
    assert rotational_share(TrueScore(FAR), FAR, 0.1, n=500) < 1e-25


def test_the_share_is_taken_under_the_models_own_noise() -> None:
    """Of `whirl`, |A|^2 = (3 x^2 + 3 y^2)^2 / 2 and |J|^2 = 18 + 9 x^4 + 9 y^4: kernels differ in these moments."""
    for kernel in (GAUSSIAN, LAPLACE):
        points = FAR.sample(4096, 0.8, kernel=kernel, generator=torch.Generator().manual_seed(3)).double()
        x, y = points.T
        expected = ((3 * x**2 + 3 * y**2) ** 2 / 2).sum() / (18 + 9 * x**4 + 9 * y**4).sum()
        found = rotational_share(Field(whirl, kernel), FAR, 0.8, seed=3)
        assert found == pytest.approx(float(expected), rel=1e-12)


# --- loops ---


@pytest.mark.parametrize(("loop", "expected"), [(SQUARE, 8.0), (SQUARE[::-1], -8.0), (0.5 * SQUARE, 0.5)])
def test_stokes_on_a_square(loop: np.ndarray, expected: float) -> None:
    """Over [-a, a]^2 the integral of 3 x^2 + 3 y^2 is 8 a^4, by both ways and with the sense of rotation."""
    round_it, inside = line_integral(Field(whirl), loop, 0.1), enclosed_curl(Field(whirl), loop, 0.1)
    assert round_it.value == pytest.approx(expected, rel=1e-12)
    assert inside.value == pytest.approx(expected, rel=1e-12)


def test_stokes_on_a_polygon_that_is_not_convex() -> None:
    round_it, inside = line_integral(Field(whirl), STAR, 0.1), enclosed_curl(Field(whirl), STAR, 0.1)
    assert round_it.value == pytest.approx(inside.value, rel=1e-11)
    assert round_it.value > 0.1


def test_a_rotation_round_a_circle_is_twice_the_area() -> None:
    """Of (-y, x), that is; a regular polygon of n corners has area (n / 2) r^2 sin(2 pi / n)."""
    loop = circle((0.3, -0.2), 0.7, corners=12)
    found = line_integral(Field(lambda x: torch.stack((-x[:, 1], x[:, 0]), 1)), loop, 0.1)
    assert found.value == pytest.approx(2 * 6 * 0.49 * np.sin(2 * np.pi / 12), rel=1e-13)


def test_an_edge_through_a_narrow_vortex_is_refined() -> None:
    """Curl (2 / a^2) exp(-r^2 / a^2), the edge d below its core: 2 pi Phi(sqrt(2) d / a) of it lies inside."""
    a, d = 0.03, 0.01

    def vortex(x: Tensor) -> Tensor:
        r = x.square().sum(1, keepdim=True)
        return torch.stack((-x[:, 1], x[:, 0]), 1) * (-torch.expm1(-r / a**2) / r)

    found = line_integral(Field(vortex), [[-1.0, -d], [1.0, -d], [1.0, 1.0], [-1.0, 1.0]], 0.1)
    assert found.value == pytest.approx(2 * np.pi * norm.cdf(np.sqrt(2) * d / a), rel=1e-9)
    assert found.error <= 1e-6 * found.size


@pytest.mark.parametrize("sigma", [0.05, 0.5])
def test_round_any_loop_the_truth_does_no_work(sigma: float) -> None:
    for density in (FAR, load_density("two-moons")):
        found = line_integral(TrueScore(density), STAR, sigma, tolerance=1e-12)
        assert found.size > 1
        assert abs(found.value) < 1e-10 * found.size


def test_along_an_open_path_it_is_a_difference_of_log_densities() -> None:
    """There and back by another way: the difference of two densities' logs, since only one of them acts on each way."""
    one, other = FAR, GaussianMixture([1.0], [[0.0, 0.0]], [0.2 * np.eye(2)])

    def half_and_half(x: Tensor) -> Tensor:
        return torch.where(x[:, 1:] < 1e-9, one.score(x, 0.3), other.score(x, 0.3))

    found = line_integral(Field(half_and_half), [[-1.0, 0.0], [1.0, 0.0], [0.5, 1.0]], 0.3)
    ends = torch.tensor([[-1.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    gain = one.log_prob(ends, 0.3).diff() - other.log_prob(ends, 0.3).diff()
    assert found.value == pytest.approx(float(gain), rel=1e-6)


def test_stokes_for_a_learned_score(learned: LearnedScore) -> None:
    round_it = line_integral(learned, STAR, 0.3, tolerance=1e-5)
    inside = enclosed_curl(learned, STAR, 0.3, tolerance=1e-4)
    assert abs(round_it.value) > 1e-2
    assert round_it.value == pytest.approx(inside.value, abs=1e-4 * inside.size)


@pytest.mark.parametrize("loop", [[[0.0, 0.0]], [0.0, 1.0], [[0.0, np.nan], [1.0, 0.0]], [[0.0, 1.0, 2.0]] * 3])
def test_bad_loops(loop: list) -> None:
    with pytest.raises(InputError, match=r"^loop: .*give the corners of a polygon"):
        line_integral(Field(whirl), loop, 0.1)


def test_a_field_that_does_not_depend_on_x_has_no_rotation() -> None:
    model = Field(lambda x: torch.ones_like(x) + 0 * x)
    assert rotational_share(model, GaussianMixture([1.0], [[0.0, 0.0]], [np.eye(2)]), 0.1, n=10) == 0
