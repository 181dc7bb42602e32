import math
from dataclasses import replace

import emcee
import numpy as np
import pytest
import torch
from torch import Tensor

from tests.trainer.particles import far_modes, gaussian, last, near_modes
from trainer.densities import PaintedDensity
from trainer.errors import InputError
from trainer.fit import Fit
from trainer.kernels import GAUSSIAN
from trainer.langevin import langevin
from trainer.metropolis import LogDensityModel, log_ratio, metropolis_langevin, metropolis_step, place
from trainer.models import TrueScore
from trainer.noise import Noise
from trainer.paintings import preset_weights
from trainer.separable import CellSums
from trainer.settings import FitSettings, ParticleSettings
from trainer.starts import start_points
from trainer.tables import TabulatedScore

ONE_LEVEL = ParticleSettings(levels=1, steps=80, fine_steps=80, sigma_min=0.1, sigma_max=0.1)


class Banana:
    """A bent Gaussian (Haario et al. 1999): u ~ N(0, a^2), v ~ N(0, b^2), x = (u, v + c (u^2 - a^2))."""

    a, b, c = 0.5, 0.3, 1.0
    sigma_min, sigma_max, kernel, device = 0.0, 1.0, GAUSSIAN, torch.device("cpu")

    def log_prob(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        u, y = x.unbind(1)
        return -0.5 * (u / self.a) ** 2 - 0.5 * ((y - self.c * (u**2 - self.a**2)) / self.b) ** 2

    def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        u, y = x.unbind(1)
        v = (y - self.c * (u**2 - self.a**2)) / self.b**2
        return torch.stack((-u / self.a**2 + 2 * self.c * u * v, -v), dim=1)

    covariance = np.diag([a**2, b**2 + 2 * c**2 * a**4])


@pytest.mark.parametrize("ratio", [0.5, 1.0])
def test_the_stationary_law_of_a_gaussian_is_exact(ratio: float) -> None:
    """Mean and variance within 4 s.e. of m and v at steps at which Langevin's variance is b v, b = 1.33 and 2."""
    v, n = 0.2 + 0.1**2, 20_000
    settings = replace(ONE_LEVEL, epsilon=2 * ratio * v)
    model, centre = gaussian(0.2, (0.3, -0.1)), torch.tensor([0.3, -0.1])
    x = last(metropolis_langevin(model, start_points(n, Noise(0)), settings, Noise(1))) - centre
    assert float(x.mean(0).abs().max()) < 4 * math.sqrt(v / n)
    assert float(x.square().mean() / v) == pytest.approx(1, abs=4 / math.sqrt(n))
    inflated = last(langevin(model, start_points(n, Noise(0)), settings, Noise(1))) - centre
    assert float(inflated.square().mean() / v) == pytest.approx(1 / (1 - ratio / 2), rel=0.04)


def test_acceptance_is_in_detailed_balance() -> None:
    """p(x) q(y | x) min(1, r(x, y)) = p(y) q(x | y) min(1, r(y, x)), with q written out, to float precision."""
    model, epsilon = Banana(), 0.05
    rng = np.random.default_rng(0)
    x, y = (torch.from_numpy(rng.normal(size=(200, 2)) * (0.5, 0.3)) for _ in range(2))
    here, there = place(model, x, 0.0), place(model, y, 0.0)

    def log_flow(a: Tensor, b: Tensor, ratio: Tensor) -> Tensor:
        drift = a + epsilon / 2 * model.score(a, 0.0)
        proposal = torch.distributions.Normal(drift, math.sqrt(epsilon)).log_prob(b).sum(1)
        return model.log_prob(a, 0.0) + proposal + ratio.clamp(max=0)

    torch.testing.assert_close(
        log_flow(x, y, log_ratio(here, there, epsilon)), log_flow(y, x, log_ratio(there, here, epsilon))
    )


def test_a_step_proposes_as_langevin_and_stays_where_it_is_refused() -> None:
    model, n = TrueScore(near_modes()), 2_000
    x = near_modes().sample(n, 0.1, generator=torch.Generator().manual_seed(0)).double()
    z, u = Noise(0).normal(1, 0, n), Noise(0).uniform(1, 0, n, ())
    here = place(model, x.clone(), 0.1)
    after = metropolis_step(model, here, 0.1, 0.05, z, u)
    proposal = x + 0.025 * model.score(x, 0.1) + math.sqrt(0.05) * z
    accepted = (after.x == proposal).all(1)
    assert torch.equal(after.x[~accepted], x[~accepted])
    assert torch.equal(accepted, u.log() < log_ratio(here, place(model, proposal, 0.1), 0.05))
    assert 0.5 < float(accepted.double().mean()) < 0.99
    torch.testing.assert_close(after.score, model.score(after.x, 0.1), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(after.log_prob, model.log_prob(after.x, 0.1), rtol=1e-12, atol=1e-12)


def test_a_painting_is_summed_once_for_each_proposal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Score and log-density share their sums: one pass at the start, one for each step."""
    asked: list[int] = []
    once = CellSums.both
    monkeypatch.setattr(CellSums, "both", lambda self, x, inv: asked.append(len(x)) or once(self, x, inv))
    monkeypatch.setattr(CellSums, "pull", lambda *_: pytest.fail("summed again for the score"))
    monkeypatch.setattr(CellSums, "log_sum", lambda *_: pytest.fail("summed again for the log-density"))
    model = TrueScore(PaintedDensity(preset_weights("ring", 32)))
    settings = replace(ONE_LEVEL, steps=3, fine_steps=3)
    last(metropolis_langevin(model, start_points(50, Noise(0)), settings, Noise(1)))
    assert asked == [50] * 4


def stretched(model: LogDensityModel, sigma: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The affine-invariant ensemble of emcee on the same density: draws (n, 2) and autocorrelation times (2,)."""

    def log_prob(x: np.ndarray) -> np.ndarray:
        return model.log_prob(torch.from_numpy(x), sigma).numpy()

    rng = np.random.default_rng(0)
    sampler = emcee.EnsembleSampler(64, 2, log_prob, vectorize=True)
    sampler.random_state = np.random.RandomState(0).get_state()
    sampler.run_mcmc(rng.normal(size=(64, 2)) * 0.3, steps)
    return sampler.get_chain(discard=200, flat=True), sampler.get_autocorr_time(discard=200)


@pytest.mark.parametrize("name", ["banana", "two modes"])
def test_statistics_agree_with_emcee(name: str) -> None:
    """Means and second moments of 5,000 particles, within 4 joint standard errors of emcee's, and of the truth."""
    if name == "banana":
        model, sigma, exact, settings = Banana(), 0.0, Banana.covariance, replace(ONE_LEVEL, epsilon=0.05)
        centre = np.zeros(2)
    else:
        model, sigma, settings = TrueScore(near_modes()), 0.1, replace(ONE_LEVEL, epsilon=0.06)
        exact = np.diag([0.25**2 + 0.1**2 + 0.7 * 0.3, 0.25**2 + 0.1**2])
        centre = np.array([0.2, 0.1])
    settings = replace(settings, steps=250, fine_steps=250)
    n = 5_000
    x = last(metropolis_langevin(model, start_points(n, Noise(0)), settings, Noise(2))).double().numpy() - centre
    chain, times = stretched(model, sigma, 2_500)
    theirs = chain - centre

    def statistics(points: np.ndarray) -> np.ndarray:
        """Each point's x, y, x^2, y^2, xy: (n, 5)."""
        return np.stack((*points.T, *(points**2).T, points.prod(1)), axis=1)

    ours, other = statistics(x), statistics(theirs)
    own = ours.std(0) / math.sqrt(n)
    joint = np.hypot(own, other.std(0) / math.sqrt(len(theirs) / times.max()))
    assert np.abs((ours.mean(0) - other.mean(0)) / joint).max() < 4
    truth = np.array([0, 0, exact[0, 0], exact[1, 1], exact[0, 1]])
    assert np.abs((ours.mean(0) - truth) / own).max() < 4
    assert joint.max() < 0.03 * math.sqrt(exact.max())


def test_an_empty_gap_stays_uncrossed() -> None:
    """The exact density removes the error of the step, not the slowness: far modes keep the shares of the start."""
    settings = ParticleSettings(levels=1, steps=300, fine_steps=300, epsilon=0.01)
    x = last(metropolis_langevin(TrueScore(far_modes()), start_points(1_000, Noise(0)), settings, Noise(0)))
    assert float((x.sum(1) < 0).double().mean()) == pytest.approx(0.5, abs=0.06)


def test_a_score_alone_is_refused() -> None:
    model = TabulatedScore(TrueScore(near_modes()))
    with pytest.raises(
        InputError, match=r"^sampler: mala needs a log-density, which this TabulatedScore has not; [^\n]*$"
    ):
        metropolis_langevin(model, torch.zeros(1, 2), ONE_LEVEL, Noise(0))


class Learned(Banana):
    """A learned score: the method is always there, what was learned decides whether it answers."""

    def __init__(self, energy: bool) -> None:
        self.has_log_density = energy


def test_a_learned_score_is_asked_whether_it_has_a_log_density() -> None:
    x0 = torch.zeros(3, 2)
    with pytest.raises(InputError, match=r"^sampler: mala needs a log-density, which this Learned has not; [^\n]*$"):
        metropolis_langevin(Learned(False), x0, ONE_LEVEL, Noise(0))
    ends = last(metropolis_langevin(Learned(True), x0, ONE_LEVEL, Noise(0)))
    assert torch.equal(ends, last(metropolis_langevin(Banana(), x0, ONE_LEVEL, Noise(0))))


def test_an_untrained_denoiser_is_refused_before_any_step() -> None:
    fit = Fit(near_modes(), FitSettings(), device="cpu")
    with pytest.raises(InputError, match=r"^sampler: mala needs a log-density, which this LearnedScore has not; "):
        metropolis_langevin(fit.snapshot(), torch.zeros(3, 2), ONE_LEVEL, Noise(0))
