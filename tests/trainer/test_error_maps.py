import numpy as np
import pytest
import torch
from torch import Tensor

from tests.trainer.fields import Field, drive
from trainer.densities import GaussianMixture, load_density
from trainer.error_maps import SMALL, ErrorMapProbe, fisher_error_map
from trainer.errors import InputError
from trainer.kernels import LAPLACE
from trainer.metrics import relative_fisher_error
from trainer.models import TrueScore

ROUND = GaussianMixture([1.0], [[0.0, 0.0]], [0.3 * np.eye(2)])
V = 0.3 + 0.2**2


def turned(angle: float, factor: float) -> Field:
    """The score of `ROUND` at sigma = 0.2, turned and scaled."""
    c, s = np.cos(angle), np.sin(angle)
    turn = torch.tensor([[c, -s], [s, c]], dtype=torch.float64)
    return Field(lambda x: -factor / V * x @ turn.T)


def test_a_turned_and_scaled_gaussian_score() -> None:
    """|s' - s|^2 = (f^2 - 2 f cos + 1) |s|^2 everywhere, cosine = cos of the angle, |s| = |x| / v."""
    angle, factor = 0.7, 1.2
    found = fisher_error_map(turned(angle, factor), ROUND, 0.2, n=40)
    ratio = factor**2 - 2 * factor * np.cos(angle) + 1
    axis = ((2 * np.arange(40) + 1) / 40 - 1) * 1.5
    x, y = np.meshgrid(axis, axis)
    np.testing.assert_allclose(found.absolute, np.sqrt(ratio) * np.hypot(x, y) / V, rtol=1e-12)
    np.testing.assert_allclose(found.relative, np.sqrt(ratio), rtol=1e-12)
    np.testing.assert_allclose(found.cosine, np.cos(angle), rtol=1e-12)
    np.testing.assert_allclose(found.density, np.exp(-(x**2 + y**2) / (2 * V)) / (2 * np.pi * V), rtol=1e-12)
    assert found.relative_fisher_error == pytest.approx(ratio, rel=1e-12)
    weight = found.density * (x**2 + y**2)
    np.testing.assert_allclose(found.weighted, ratio * weight / weight.sum(), rtol=1e-12)


def test_rows_run_upwards_and_columns_to_the_right() -> None:
    found = fisher_error_map(Field(torch.zeros_like), ROUND, 0.2, centre=(0.5, -0.25), half_width=0.5, n=4)
    np.testing.assert_allclose(found.exact[0, 3], [-0.875 / V, 0.625 / V], rtol=1e-12)
    np.testing.assert_allclose(found.exact[3, 0], [-0.125 / V, -0.125 / V], rtol=1e-12)
    assert (found.cosine == 0).all()


@pytest.mark.parametrize("sigma", [0.1, 0.5])
def test_the_weighted_map_sums_to_the_relative_fisher_error(sigma: float) -> None:
    """The learner believes in wider moons. The 16,384 points of the Monte-Carlo figure scatter by about 1 %."""
    moons = load_density("two-moons")

    class Wider(TrueScore):
        def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
            return super().score(x, 1.5 * sigma)

    model = Wider(moons)
    expected = relative_fisher_error(model, moons, sigma)
    found = fisher_error_map(model, moons, sigma, half_width=3.0, n=96).relative_fisher_error
    assert 0.01 < expected < 0.5
    assert found == pytest.approx(expected, rel=0.04)


def test_where_the_score_vanishes_the_ratio_stays_finite() -> None:
    """At the summit |s| = 0 and the offset is compared with 1 % of the typical |s|, sqrt(2 / v)."""
    found = fisher_error_map(Field(lambda x: -x / V + 0.1), ROUND, 0.2, half_width=4.0, n=101)
    assert np.isfinite(found.relative).all()
    assert found.relative[50, 50] == pytest.approx(np.sqrt(0.02) / (SMALL * np.sqrt(2 / V)), rel=1e-6)


def test_a_probe_keeps_the_truth_and_spreads_its_work() -> None:
    probe = ErrorMapProbe(ROUND, 0.2, n=20, chunk=100)
    assert len(list(probe.prepare())) == 4
    assert list(probe.prepare()) == []
    yields, found = drive(probe.measure(TrueScore(ROUND)))
    assert yields == 4
    assert found.absolute.max() < 1e-12


def test_the_models_kernel_decides_the_truth() -> None:
    model = TrueScore(ROUND, LAPLACE)
    assert fisher_error_map(model, ROUND, 0.5, n=12).absolute.max() < 1e-9
    assert fisher_error_map(Field(model.density.score, LAPLACE), ROUND, 0.5, n=12).absolute.max() > 1e-2


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"n": 0}, "n: 0"),
        ({"half_width": -1.0}, "half_width: -1"),
        ({"half_width": float("inf")}, "half_width: inf"),
        ({"centre": (0.0, float("nan"))}, r"centre: \(0, nan\)"),
        ({"centre": (1e200, 0.0)}, r"centre: \(1e\+200, 0\)"),
    ],
)
def test_bad_lattices(arguments: dict, field: str) -> None:
    with pytest.raises(InputError, match=f"^{field}; give"):
        fisher_error_map(TrueScore(ROUND), ROUND, 0.2, **arguments)


def test_far_from_all_mass_both_relative_figures_hold() -> None:
    """At (60, 60) p_sigma is exp(-10,588) and rounds to 0. A score of zero is wrong by all of it, anywhere."""
    found = fisher_error_map(Field(torch.zeros_like), ROUND, 0.2, centre=(60.0, 60.0), n=12)
    assert (found.density == 0).all()
    np.testing.assert_allclose(found.relative, 1, rtol=1e-12)
    assert found.relative_fisher_error == pytest.approx(1, rel=1e-12)
    axis = 60 + ((2 * np.arange(12) + 1) / 12 - 1) * 1.5
    x, y = np.meshgrid(axis, axis)
    weight = np.exp(-(x**2 + y**2 - 2 * axis[0] ** 2) / (2 * V)) * (x**2 + y**2)
    np.testing.assert_allclose(found.weighted, weight / weight.sum(), rtol=1e-9)


def test_a_lattice_on_the_summit_alone_has_nothing_to_compare_with() -> None:
    found = fisher_error_map(Field(torch.ones_like), ROUND, 0.2, n=1)
    assert found.absolute.item() == pytest.approx(2**0.5)
    for figure in ("relative", "weighted", "relative_fisher_error"):
        with pytest.raises(InputError, match=r"^lattice: the true score vanishes at every point of it; give [^\n]*$"):
            getattr(found, figure)
