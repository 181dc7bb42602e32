import numpy as np
import pytest
import torch
from scipy import stats
from scipy.integrate import quad

from trainer.densities import Density, GaussianMixture, PaintedDensity, load_density
from trainer.distances import (
    REST,
    cell_masses,
    fan,
    grid_kl,
    project,
    sliced_wasserstein,
    sliced_wasserstein_to_density,
)
from trainer.errors import InputError
from trainer.kernels import GAUSSIAN, LAPLACE

NARROW = GaussianMixture([1.0], [[0.1, -0.2]], [np.diag([0.04, 0.09])])
WIDE = GaussianMixture([1.0], [[-0.1, 0.1]], [np.diag([0.09, 0.0625])])
FAR = load_density("far-modes")


def draws(density: Density, n: int, seed: int = 0, sigma: float = 0.0) -> np.ndarray:
    return density.sample(n, sigma, generator=torch.Generator().manual_seed(seed)).double().numpy()


def box_masses(density: GaussianMixture, n: int, half: float, sigma: float = 0.0) -> np.ndarray:
    """The cells' masses of a Gaussian with axes along x and y, by scipy's distribution function."""
    edges = np.linspace(-half, half, n + 1)
    sd = np.sqrt(np.diagonal(density.covariances[0]) + sigma**2)
    x, y = (np.diff(stats.norm(m, s).cdf(edges)) for m, s in zip(density.means[0], sd, strict=True))
    return y[:, None] * x


# --- grid KL ---


@pytest.mark.parametrize("sigma", [0.0, 0.3])
def test_cell_masses_are_scipys(sigma: float) -> None:
    found = cell_masses(NARROW, sigma, n=12, half_width=1.2)
    expected = box_masses(NARROW, 12, 1.2, sigma)
    np.testing.assert_allclose(np.exp(found.log_mass), expected, rtol=1e-7)
    assert found.log_rest == pytest.approx(np.log(max(1 - expected.sum(), REST)), rel=1e-6)


def test_cells_five_times_as_wide_as_the_density_is_narrow() -> None:
    density = GaussianMixture([1.0], [[0.13, 0.02]], [0.02**2 * np.eye(2)])
    found = cell_masses(density, n=10, half_width=0.5)
    np.testing.assert_allclose(np.exp(found.log_mass), box_masses(density, 10, 0.5), atol=1e-6)


def test_cells_of_a_painting_hold_all_of_it_and_follow_the_kernel() -> None:
    moons = load_density("two-moons")
    plain, laplace = (cell_masses(moons, 0.1, half_width=3.0, n=24, kernel=kernel) for kernel in (GAUSSIAN, LAPLACE))
    assert np.exp(plain.log_mass).sum() == pytest.approx(1, abs=1e-9)
    assert np.exp(laplace.log_mass).sum() == pytest.approx(1, abs=1e-5)  # it has kinks
    assert np.abs(np.exp(laplace.log_mass) - np.exp(plain.log_mass)).max() > 1e-3
    shifted = cell_masses(moons, 0.1, centre=(0.25, 0.5), half_width=3.0, n=24)
    np.testing.assert_allclose(shifted.log_mass[:-2, :-1], plain.log_mass[2:, 1:], rtol=1e-9)


def test_kl_of_two_gaussians_on_a_grid() -> None:
    """Against sum q log(q / p) with both by scipy's distribution function; 400,000 draws, 10 standard errors."""
    x, cells = draws(NARROW, 400_000), cell_masses(WIDE, n=16, half_width=1.6)
    q, p = box_masses(NARROW, 16, 1.6), box_masses(WIDE, 16, 1.6)
    expected = (q * np.log(q / p)).sum()
    found = grid_kl(x, cells)
    assert found.corrected == pytest.approx(expected, abs=0.01)
    assert expected > 0.3


def test_kl_on_a_fine_grid_approaches_the_closed_form() -> None:
    """KL(N0 || N1) = 1/2 [tr S1^-1 S0 + d' S1^-1 d - 2 + ln det S1 / det S0]; the grid's is a little less."""
    s0, s1 = (np.diagonal(d.covariances[0]) for d in (NARROW, WIDE))
    d = NARROW.means[0] - WIDE.means[0]
    closed = 0.5 * ((s0 / s1).sum() + (d**2 / s1).sum() - 2 + np.log(s1 / s0).sum())
    found = grid_kl(draws(NARROW, 400_000), cell_masses(WIDE, n=40, half_width=1.6))
    assert 0.97 * closed < found.corrected < 1.01 * closed


def test_the_correction_takes_off_what_counting_adds() -> None:
    """Perfect draws, 20 seeds: plug-in near (K - 1) / (2 N), 2 N plug-in being chi-squared; corrected near 0."""
    n = 4000
    cells = cell_masses(GaussianMixture([1.0], [[0.0, 0.0]], [np.eye(2)]), n=6, half_width=1.5)
    density = GaussianMixture([1.0], [[0.0, 0.0]], [np.eye(2)])
    found = [grid_kl(draws(density, n, seed), cells) for seed in range(20)]
    degrees = 36  # 36 cells and the rest, less 1; all occupied
    assert {f.occupied for f in found} == {37}
    scatter = np.sqrt(2 * degrees) / (2 * n) / np.sqrt(20)
    assert np.mean([f.plug_in for f in found]) == pytest.approx(degrees / (2 * n), abs=3 * scatter)
    assert np.mean([f.corrected for f in found]) == pytest.approx(0, abs=3 * scatter)


def test_particles_far_from_everything_cost_a_finite_amount() -> None:
    """All in one place: KL = log(1 / p) of that place."""
    cells = cell_masses(NARROW)
    lost = grid_kl(np.full((100, 2), 1e4), cells)
    assert lost.plug_in == lost.corrected == pytest.approx(-cells.log_rest)
    farther = grid_kl(np.full((100, 2), 1e4), cell_masses(NARROW, half_width=3.0))
    assert farther.plug_in == pytest.approx(-np.log(REST))
    corner = grid_kl(np.full((100, 2), -1.49), cells)
    assert corner.plug_in == pytest.approx(-cells.log_mass[0, 0])
    assert corner.plug_in > 30
    assert corner.occupied == 1


# --- sliced Wasserstein between clouds ---


@pytest.mark.parametrize(("n", "m"), [(200, 200), (150, 64), (1, 7)])
def test_one_direction_equals_scipy(n: int, m: int) -> None:
    """A fan of one points along y."""
    a, b = draws(NARROW, n), draws(WIDE, m, seed=1)
    found = sliced_wasserstein(a, torch.from_numpy(b), order=1, directions=1)
    assert found == pytest.approx(stats.wasserstein_distance(a[:, 1], b[:, 1]), rel=1e-10)


@pytest.mark.parametrize("order", [1, 2])
def test_unequal_clouds_are_those_with_every_point_repeated(order: int) -> None:
    a, b = draws(NARROW, 6), draws(WIDE, 4, seed=1)
    x, y = (np.sort(np.repeat(v, k, axis=0) @ fan(5).T, axis=0) for v, k in ((a, 2), (b, 3)))
    expected = (np.abs(x - y) ** order).mean() ** (1 / order)
    assert sliced_wasserstein(a, b, order=order, directions=5) == pytest.approx(expected, rel=1e-12)


def test_a_shifted_cloud() -> None:
    """W_r of a shift d is |d . theta| in each direction: SW_2 = |d| / sqrt 2, SW_1 = 2 |d| / pi."""
    a = draws(FAR, 500)
    b = a + np.array([0.3, 0.4])
    assert sliced_wasserstein(a, b) == pytest.approx(0.5 / np.sqrt(2), rel=1e-12)
    assert sliced_wasserstein(a, b, order=1, directions=256) == pytest.approx(1 / np.pi, rel=1e-4)


# --- between a cloud and a density ---


def test_one_particle_against_a_gaussian() -> None:
    """SW_2^2 = |c - m|^2 / 2 + tr S / 2; W_1 in each direction is the mean of a folded normal."""
    c = np.array([[0.4, 0.3]])
    projections = project(NARROW, sigma=0.1)
    covariance = NARROW.covariances[0] + 0.01 * np.eye(2)
    away = c[0] - NARROW.means[0]
    squared = away @ away / 2 + np.trace(covariance) / 2
    assert sliced_wasserstein_to_density(c, projections) == pytest.approx(np.sqrt(squared), rel=1e-6)
    shift = fan() @ away
    sd = np.sqrt(np.einsum("di,ij,dj->d", fan(), covariance, fan()))
    folded = sd * np.sqrt(2 / np.pi) * np.exp(-((shift / sd) ** 2) / 2) + shift * (1 - 2 * stats.norm.cdf(-shift / sd))
    assert sliced_wasserstein_to_density(c, projections, order=1) == pytest.approx(folded.mean(), rel=1e-5)


@pytest.mark.parametrize("order", [1, 2])
def test_a_cloud_against_a_gaussian_by_its_quantile_function(order: int) -> None:
    """One direction, along y: the integral over u by scipy, piece by piece."""
    x = np.sort(draws(WIDE, 12))
    marginal = stats.norm(-0.2, 0.3)
    y = np.sort(x[:, 1])
    pieces = [
        quad(lambda u, v=v: abs(v - marginal.ppf(u)) ** order, i / 12, (i + 1) / 12, limit=200)[0]
        for i, v in enumerate(y)
    ]
    found = sliced_wasserstein_to_density(x, project(NARROW, directions=1), order)
    assert found == pytest.approx(sum(pieces) ** (1 / order), rel=1e-5)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("density", [FAR, load_density("checkerboard"), PaintedDensity(np.eye(3), bandwidth=0.02)])
def test_a_density_is_the_limit_of_its_draws(density: Density, order: int) -> None:
    """A cloud that is far off, against the density and against 100,000 draws of it."""
    x = draws(WIDE, 300)
    expected = sliced_wasserstein(x, draws(density, 100_000, 1, 0.05), order)
    found = sliced_wasserstein_to_density(x, project(density, 0.05), order)
    assert found == pytest.approx(expected, abs=0.004)


def test_sw2_between_two_gaussians() -> None:
    """W_2^2 of N(a, s^2) and N(b, r^2) is (a - b)^2 + (s - r)^2, averaged over the directions; 200,000 draws."""
    axes = fan()
    shift = axes @ (NARROW.means[0] - WIDE.means[0])
    s, r = (np.sqrt(np.einsum("di,ij,dj->d", axes, d.covariances[0], axes)) for d in (NARROW, WIDE))
    expected = np.sqrt((shift**2 + (s - r) ** 2).mean())
    found = sliced_wasserstein_to_density(draws(NARROW, 200_000), project(WIDE))
    assert found == pytest.approx(expected, rel=0.01)
    assert sliced_wasserstein(draws(NARROW, 20_000), draws(WIDE, 30_000, 1)) == pytest.approx(expected, rel=0.03)


def test_w1_of_perfect_draws_has_its_asymptotic_mean() -> None:
    """Mean of W_1 -> sqrt(2 / (pi N)) int sqrt(F (1 - F)) dx (del Barrio, Gine & Matran 1999), in one direction."""
    n = 2000
    spread = 0.3 * quad(lambda z: np.sqrt(stats.norm.cdf(z) * stats.norm.sf(z)), -9, 9)[0]
    projections = project(NARROW, directions=1)
    found = [sliced_wasserstein_to_density(draws(NARROW, n, seed), projections, order=1) for seed in range(60)]
    standard_error = np.std(found) / np.sqrt(60)
    assert standard_error < 0.06 * np.mean(found)
    assert np.mean(found) == pytest.approx(np.sqrt(2 / (np.pi * n)) * spread, abs=3 * standard_error)


@pytest.mark.parametrize(("order", "tolerance"), [(1, 0.08), (2, 0.1)])
def test_perfect_draws_come_closer_like_the_square_root_of_their_number(order: int, tolerance: float) -> None:
    moons = load_density("two-moons")
    projections, numbers = project(moons), np.array([100, 1000, 10_000])
    found = [
        np.mean([sliced_wasserstein_to_density(draws(moons, n, seed), projections, order) for seed in range(8)])
        for n in numbers
    ]
    slope = np.polyfit(np.log(numbers), np.log(found), 1)[0]
    assert slope == pytest.approx(-0.5, abs=tolerance)


def test_tables_give_the_distribution_function_and_the_partial_mean() -> None:
    """Of a lopsided mixture with very different widths, at every node."""
    density = GaussianMixture([0.7, 0.3], [[0.0, -0.5], [0.0, 0.6]], [0.05**2 * np.eye(2), 0.3**2 * np.eye(2)])
    ((t, f, p, partial),) = project(density, directions=1).tables
    parts = [stats.norm(-0.5, 0.05), stats.norm(0.6, 0.3)]
    np.testing.assert_allclose(f, 0.7 * parts[0].cdf(t) + 0.3 * parts[1].cdf(t), atol=1e-14)
    np.testing.assert_allclose(p, 0.7 * parts[0].pdf(t) + 0.3 * parts[1].pdf(t), atol=1e-12)
    expected = sum(
        w * (m * part.cdf(t) - part.std() ** 2 * part.pdf(t))
        for w, m, part in zip((0.7, 0.3), (-0.5, 0.6), parts, strict=True)
    )
    np.testing.assert_allclose(partial, expected, atol=1e-14)


def test_bad_input() -> None:
    cells, projections = cell_masses(NARROW), project(NARROW)
    with pytest.raises(InputError, match=r"^points: shape \(3,\); give"):
        grid_kl([1.0, 2.0, 3.0], cells)
    with pytest.raises(InputError, match=r"^points: contains NaN or infinity"):
        sliced_wasserstein_to_density([[0.0, np.nan]], projections)
    with pytest.raises(InputError, match=r"^b: shape \(0, 2\); give one or more"):
        sliced_wasserstein([[0.0, 0.0]], np.zeros((0, 2)))
    with pytest.raises(InputError, match=r"^order: 3; give 1 or 2"):
        sliced_wasserstein([[0.0, 0.0]], [[0.0, 0.0]], order=3)
    with pytest.raises(InputError, match=r"^directions: 0"):
        project(NARROW, directions=0)
    with pytest.raises(InputError, match=r"^sigma: -0.1; give"):
        project(NARROW, sigma=-0.1)
    with pytest.raises(InputError, match=r"^density: object is no mixture .*cloud of draws"):
        project(object())
    with pytest.raises(InputError, match=r"^lattice: n = 0"):
        cell_masses(NARROW, n=0)


@pytest.mark.parametrize(("width", "bound"), [(1e-4, 1e-8), (1e-6, 2e-5), (1e-8, 2e-5)])
@pytest.mark.parametrize("order", [1, 2])
def test_narrow_modes_far_apart(width: float, bound: float, order: int) -> None:
    """One particle at each of four equal modes: SW_2 = s and SW_1 = s sqrt(2 / pi), F(x_i) being the mean rank.

    A painting's least bandwidth, 1e-4, has a table of a quarter of it; for the others the bound is the table's spacing.
    """
    at = np.array([-0.97, -0.113, 0.31, 1.01])
    means = np.stack((np.zeros(4), at), axis=1)
    projections = project(GaussianMixture([1.0] * 4, means, [width**2 * np.eye(2)] * 4), directions=1)
    t = projections.tables[0][0]
    assert t[1] - t[0] < (0.25 * width if width == 1e-4 else bound)
    expected = width if order == 2 else width * np.sqrt(2 / np.pi)
    assert sliced_wasserstein_to_density(means, projections, order) == pytest.approx(expected, abs=bound)


def test_the_least_bandwidth_of_a_painting_is_resolved_from_corner_to_corner() -> None:
    weights = np.zeros((64, 64))
    weights[0, 0] = weights[-1, -1] = 1.0
    t = project(PaintedDensity(weights, bandwidth=1e-4), directions=2).tables[0][0]  # along the diagonal
    assert t[-1] - t[0] > 2.7
    assert t[1] - t[0] <= 0.25e-4
