import numpy as np
import pytest
import torch
from torch import Tensor

from tests.trainer.fields import Field
from trainer.densities import GaussianMixture
from trainer.errors import InputError
from trainer.kernels import GAUSSIAN, LAPLACE
from trainer.metrics import (
    FisherProbe,
    cosine,
    fisher_errors,
    gradient_variance,
    mode_ledger,
    relative_fisher_error,
)
from trainer.models import TrueScore
from trainer.modes import find_modes

DENSITY = GaussianMixture([0.8, 0.2], [[0.625, 0.625], [-0.625, -0.625]], [0.125**2 * np.eye(2)] * 2)


class Scaled:
    """A score that is `factor` times the true one."""

    sigma_min, sigma_max, kernel, device = 0.0, 10.0, GAUSSIAN, torch.device("cpu")

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        return self.factor * DENSITY.score(x, sigma)


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 1.1])
@pytest.mark.parametrize("sigma", [0.02, 1.0])
def test_a_scaled_score_is_wrong_by_the_square_of_the_difference(factor: float, sigma: float) -> None:
    error = relative_fisher_error(Scaled(factor), DENSITY, sigma)
    assert error == pytest.approx((factor - 1) ** 2, rel=1e-4, abs=1e-12)


def test_a_gaussian_of_the_wrong_width() -> None:
    """For variance v taken for u: E|x/u - x/v|^2 / E|x/v|^2 = (v/u - 1)^2."""
    right = GaussianMixture([1.0], [[0.0, 0.0]], [0.3 * np.eye(2)])
    wrong = TrueScore(GaussianMixture([1.0], [[0.0, 0.0]], [0.5 * np.eye(2)]))
    v, u = 0.3 + 0.2**2, 0.5 + 0.2**2
    assert relative_fisher_error(wrong, right, 0.2) == pytest.approx((v / u - 1) ** 2, rel=1e-4)


def test_a_constant_offset_is_measured_against_the_mean_square() -> None:
    """For one Gaussian E|s|^2 = 2 / v, so an offset (a, 0) costs a^2 v / 2, within the error of 16,384 points."""

    class Offset(Scaled):
        def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
            return -x / 0.34 + torch.tensor([0.5, 0.0])

    density = GaussianMixture([1.0], [[0.0, 0.0]], [0.3 * np.eye(2)])
    assert relative_fisher_error(Offset(1), density, 0.2) == pytest.approx(0.25 * 0.34 / 2, rel=0.03)


def test_points_follow_the_seed() -> None:
    errors = [relative_fisher_error(Scaled(1.0), DENSITY, 0.1, n=500, seed=seed) for seed in (0, 0)]
    assert errors[0] == errors[1]
    a, b = FisherProbe(DENSITY, 0.1, n=100, seed=0), FisherProbe(DENSITY, 0.1, n=100, seed=1)
    assert list(a.prepare()) == list(b.prepare()) == [None]
    assert not torch.equal(a._points[0], b._points[0])


def test_a_probe_spreads_its_work_and_keeps_its_points() -> None:
    probe = FisherProbe(DENSITY, 0.1, n=5_000, chunk=1_000)
    assert len(list(probe.prepare())) == 5
    assert probe.ready
    assert list(probe.prepare()) == []
    steps = probe.measure(Scaled(0.9))
    yields = 0
    while True:
        try:
            next(steps)
            yields += 1
        except StopIteration as end:
            error = end.value
            break
    assert yields == 5
    assert error == pytest.approx(0.01, rel=1e-4) == probe.error(Scaled(0.9))


def test_the_ledger_takes_tensors_arrays_densities_and_maps() -> None:
    points = DENSITY.sample(2_000, generator=torch.Generator().manual_seed(0))
    ledgers = [mode_ledger(points, DENSITY), mode_ledger(points.numpy(), find_modes(DENSITY))]
    assert ledgers[0].share.tolist() == ledgers[1].share.tolist()
    assert ledgers[0].share.sum() + ledgers[0].elsewhere == pytest.approx(1)
    assert ledgers[0].holds


@pytest.mark.parametrize("sigma", [0.1, 1.0])
def test_absolute_error_and_cosine_of_a_turned_and_scaled_score(sigma: float) -> None:
    """|s' - s|^2 = (f^2 - 2 f cos + 1) |s|^2 point by point; for one Gaussian E|s|^2 = 2 / v."""
    density = GaussianMixture([1.0], [[0.1, 0.0]], [0.3 * np.eye(2)])
    angle, factor, v = 0.7, 1.2, 0.3 + sigma**2
    turn = torch.tensor([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype=torch.float32)
    found = FisherProbe(density, sigma).errors(Field(lambda x: factor * density.score(x, sigma) @ turn.T))
    ratio = factor**2 - 2 * factor * np.cos(angle) + 1
    assert found.relative == pytest.approx(ratio, rel=1e-5)
    assert found.cosine == pytest.approx(np.cos(angle), rel=1e-5)
    assert found.absolute == pytest.approx(ratio * 2 / v, rel=0.03)  # 16,384 points: 0.8 %


def test_a_table_over_noise_levels() -> None:
    """A variance u for v at every level: relative (v / u - 1)^2 with sigma^2 on both."""
    right = GaussianMixture([1.0], [[0.0, 0.0]], [0.3 * np.eye(2)])
    wrong = TrueScore(GaussianMixture([1.0], [[0.0, 0.0]], [0.5 * np.eye(2)]))
    rows = fisher_errors(wrong, right, [0.02, 0.2, 2.0], n=2000)
    assert [row.sigma for row in rows] == [0.02, 0.2, 2.0]
    expected = [((0.3 + s**2) / (0.5 + s**2) - 1) ** 2 for s in (0.02, 0.2, 2.0)]
    assert [row.relative for row in rows] == pytest.approx(expected, rel=1e-4)
    assert [row.cosine for row in rows] == pytest.approx([1.0] * 3, rel=1e-6)
    assert rows[1].relative == relative_fisher_error(wrong, right, 0.2, n=2000)


def test_the_cosine_with_nothing_is_zero() -> None:
    a = torch.tensor([[3.0, 4.0], [0.0, 0.0], [1.0, 0.0], [1e-30, 0.0]])
    b = torch.tensor([[4.0, 3.0], [1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    assert cosine(a, b).tolist() == pytest.approx([0.96, 0.0, 0.0, 0.0])


def test_the_models_kernel_decides_the_truth() -> None:
    assert relative_fisher_error(TrueScore(DENSITY, LAPLACE), DENSITY, 0.3, n=500) < 1e-10
    assert relative_fisher_error(Field(lambda x: DENSITY.score(x, 0.3), LAPLACE), DENSITY, 0.3, n=500) > 1e-3


def test_gradient_variance_equals_numpys() -> None:
    g = torch.randn(7, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 1e4
    found = gradient_variance(lambda k: g[k], 7)
    assert found.variance == pytest.approx(g.numpy().var(axis=0, ddof=1).sum(), rel=1e-9)
    assert found.mean_square == pytest.approx((g.numpy().mean(axis=0) ** 2).sum() - found.variance / 7, rel=1e-12)
    assert found.batches == 7


def test_gradient_variance_is_unbiased() -> None:
    """Gradients m + N(0, diag(4, 1)), |m|^2 = 0.25, over 2,000 estimates of 3 each: variance 5, ratio 20."""
    generator = torch.Generator().manual_seed(0)
    spread, mean = torch.tensor([2.0, 1.0]), torch.tensor([0.3, 0.4])
    found = [gradient_variance(lambda k: mean + spread * torch.randn(2, generator=generator), 3) for _ in range(2_000)]
    assert np.mean([f.variance for f in found]) == pytest.approx(5, abs=4 * 4.2 / 2_000**0.5)
    assert np.mean([f.mean_square for f in found]) == pytest.approx(0.25, abs=4 * 2.6 / 2_000**0.5)
    many = gradient_variance(lambda k: mean + spread * torch.randn(2, generator=generator), 20_000)
    assert many.ratio == pytest.approx(20, rel=0.2)


def test_a_buffer_that_is_written_over_is_read_in_time() -> None:
    buffer = torch.zeros(2, dtype=torch.float64)

    def gradient(k: int) -> Tensor:
        return buffer.fill_(float(k))

    assert gradient_variance(gradient, 3).variance == pytest.approx(2.0)  # 0, 1, 2 in two weights


def test_noise_without_signal_has_an_infinite_ratio_and_one_batch_no_variance() -> None:
    signs = [torch.tensor([1.0]), torch.tensor([-1.0])]
    found = gradient_variance(lambda k: signs[k], 2)
    assert found.variance == 2.0
    assert found.mean_square == -1.0
    assert found.ratio == float("inf")
    with pytest.raises(InputError, match=r"^batches: 1; give 2 or more"):
        gradient_variance(lambda k: signs[k], 1)


def test_no_points_are_refused() -> None:
    with pytest.raises(InputError, match=r"^n: 0; give 1 or more points"):
        relative_fisher_error(Scaled(1.0), DENSITY, 0.1, n=0)
