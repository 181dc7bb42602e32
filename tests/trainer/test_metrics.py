import numpy as np
import pytest
import torch
from torch import Tensor

from trainer.densities import GaussianMixture
from trainer.kernels import GAUSSIAN
from trainer.metrics import FisherProbe, mode_ledger, relative_fisher_error
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
