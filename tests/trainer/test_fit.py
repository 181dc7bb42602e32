"""Training runs: what they reach, that they repeat and resume to the last bit, and what stops them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from trainer.densities import Density, GaussianMixture, PaintedDensity, load_density
from trainer.errors import InputError, TrainingError
from trainer.fit import Fit
from trainer.models import ScoreModel
from trainer.rates import learning_rate
from trainer.settings import FitSettings, LadderSettings, NetworkSettings

SMALL = FitSettings(batch=64, network=NetworkSettings(width=32, features=16), ladder=LadderSettings(sigma_min=0.1))


def _error(model: ScoreModel, density: Density, sigma: float) -> float:
    x = density.sample(4096, sigma, generator=torch.Generator().manual_seed(77)).double()
    exact = density.score(x, sigma)
    return float((model.score(x, sigma) - exact).square().sum() / exact.square().sum())


def _train(fit: Fit, steps: int) -> Fit:
    for _ in fit.run(steps=steps):
        pass
    return fit


def _weights(fit: Fit) -> Tensor:
    return fit.snapshot().weights


@pytest.fixture
def two() -> GaussianMixture:
    spread = [[0.01, 0.0], [0.0, 0.01]]
    return GaussianMixture([0.8, 0.2], [[0.5, 0.5], [-0.5, -0.5]], [spread, spread])


@pytest.mark.parametrize(("target", "bound"), [("pooled", 0.01), ("single", 0.1)])
def test_a_painting_is_learned_at_every_sigma(target: str, bound: float) -> None:
    density = load_density("two-moons")
    fit = _train(Fit(density, FitSettings(target=target), device="cpu", seed=1), 300)  # type: ignore[arg-type]
    for sigma in (0.02, 0.05, 0.1, 0.3, 1.0):
        assert _error(fit, density, sigma) < bound


def test_the_field_follows_a_stroke_without_starting_over() -> None:
    density = load_density("two-moons")
    assert isinstance(density, PaintedDensity)
    fit = _train(Fit(density, device="cpu"), 200)
    weights = np.array(density.weights)
    weights[20:25, 25:100] = weights.max()
    edited = PaintedDensity(weights)
    before = _weights(fit)
    fit.change_density(edited)
    assert torch.equal(_weights(fit), before)
    assert _error(fit, edited, 0.1) > 0.1
    _train(fit, 200)
    assert fit.step == 400
    assert _error(fit, edited, 0.1) < 0.02


def test_a_gaussian_is_known_before_the_first_step() -> None:
    gaussian = GaussianMixture([1.0], [[0.2, 0.1]], [[[0.09, 0.0], [0.0, 0.09]]])
    fit = Fit(gaussian, device="cpu")
    for sigma in (0.02, 0.3, 1.0):
        assert _error(fit, gaussian, sigma) < 1e-3  # mean and scale are those of 65,536 draws


@pytest.mark.parametrize("weighting", ["edm", "ncsn", "none"])
def test_the_first_loss_on_a_gaussian_is_the_closed_form(weighting: str) -> None:
    sd = 0.3
    gaussian = GaussianMixture([1.0], [[0.0, 0.0]], [[[sd**2, 0.0], [0.0, sd**2]]])
    settings = FitSettings(target="single", weighting=weighting, batch=65536)  # type: ignore[arg-type]
    fit = Fit(gaussian, settings, device="cpu")
    sigma = fit.ladder
    scatter = 2 * (sigma**-2 - 1 / (sigma**2 + sd**2))
    on_score = {"edm": sigma**2 * (sigma**2 + sd**2) / sd**2, "ncsn": sigma**2, "none": sigma**0}[weighting]
    expected = float((0.5 * on_score * scatter).mean())
    assert next(fit.run(steps=1)).loss == pytest.approx(expected, rel=0.03)


def test_weighting_and_target_change_what_is_learned(two: GaussianMixture) -> None:
    kinds = [SMALL, replace(SMALL, weighting="ncsn"), replace(SMALL, weighting="none"), replace(SMALL, target="single")]
    learned = [_weights(_train(Fit(two, settings, device="cpu"), 20)) for settings in kinds]
    for k, a in enumerate(learned):
        for b in learned[:k]:
            assert not torch.allclose(a, b, rtol=1e-3)


@pytest.mark.parametrize("target", ["pooled", "single"])
def test_same_seed_same_bits_and_another_seed_others(two: GaussianMixture, target: str) -> None:
    settings = replace(SMALL, target=target)  # type: ignore[arg-type]
    runs = [_train(Fit(two, settings, device="cpu", seed=seed), 150) for seed in (4, 4, 5)]
    assert torch.equal(_weights(runs[0]), _weights(runs[1]))
    assert not torch.equal(_weights(runs[0]), _weights(runs[2]))
    assert [p.draws for p in runs[0].run(steps=3)] == [p.draws for p in runs[1].run(steps=3)]


@pytest.mark.parametrize("settings", [SMALL, replace(SMALL, target="single"), FitSettings()])
def test_a_restored_run_goes_on_to_the_last_bit(two: GaussianMixture, settings: FitSettings) -> None:
    fit = _train(Fit(two, settings, device="cpu", seed=8), 77)
    blob = fit.state()
    other = Fit(two, replace(SMALL, batch=16), device="cpu", seed=1)
    other.restore(blob)
    assert (other.step, other.seed, other.settings, other.draws) == (77, 8, settings, fit.draws)
    assert other.loss == fit.loss
    for run in (fit, other):
        _train(run, 100)
    assert torch.equal(_weights(fit), _weights(other))
    assert fit.state()[:100] == other.state()[:100]


def test_a_state_that_is_none_is_refused_and_nothing_changes(two: GaussianMixture) -> None:
    fit = _train(Fit(two, SMALL, device="cpu"), 5)
    blob = fit.state()
    before = _weights(fit)
    for bad in (b"", b"x" * 100, blob[:-1000], blob[: len(blob) // 2]):
        with pytest.raises(InputError, match="not a state of a training run") as caught:
            fit.restore(bad)
        assert "\n" not in str(caught.value)
    assert torch.equal(_weights(fit), before)
    assert fit.step == 5
    _train(fit, 1)


def test_an_absurd_rate_is_survived_and_said(two: GaussianMixture) -> None:
    fit = Fit(two, replace(SMALL, learning_rate=1e6), device="cpu")
    notices = [p.notice for p in fit.run(steps=300) if p.notice]
    assert len(notices) == fit.recoveries > 0
    assert all("last good weights" in text and "learning rate lowered to" in text for text in notices)
    assert math.isfinite(fit.loss)
    assert _error(fit, two, 0.3) < 2


def test_a_gradient_that_is_not_finite_is_never_taken(two: GaussianMixture, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = _train(Fit(two, SMALL, device="cpu"), 60)
    assert (fit.lowered, fit.learning_rate) == (1.0, learning_rate(SMALL.learning_rate, 60))
    loss = fit._task.loss

    def poisoned(*arguments: Tensor) -> Tensor:
        value = loss(*arguments)
        fit._task.gradient[7] = math.nan
        return value

    monkeypatch.setattr(fit._task, "loss", poisoned)
    progress = fit.step_once()
    assert progress.step == 60
    assert progress.notice
    assert fit.recoveries == 1
    assert fit.lowered == 0.1
    assert fit.learning_rate == pytest.approx(0.1 * learning_rate(SMALL.learning_rate, 60))
    monkeypatch.undo()
    assert bool(torch.isfinite(_weights(fit)).all())
    _train(fit, 10)
    assert fit.step == 70


def test_failing_again_and_again_ends_the_run(two: GaussianMixture, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = _train(Fit(two, SMALL, device="cpu"), 60)
    monkeypatch.setattr(fit._task, "loss", lambda *_: torch.tensor(math.nan))
    with pytest.raises(TrainingError, match="choose a smaller learning rate"):
        _train(fit, 100)
    assert bool(torch.isfinite(_weights(fit)).all())


def test_settings_change_on_the_way(two: GaussianMixture) -> None:
    fit = _train(Fit(two, SMALL, device="cpu"), 20)
    before = _weights(fit)
    changed = replace(SMALL, batch=128, learning_rate=1e-3, target="single", ladder=LadderSettings(8, 0.05, 2.0))
    assert fit.change_settings(changed)
    assert torch.equal(_weights(fit), before)
    assert (fit.sigma_min, fit.sigma_max, fit.step) == (0.05, 2.0, 20)
    _train(fit, 5)
    assert not fit.change_settings(replace(changed, network=NetworkSettings(width=16)))
    assert fit.step == 0
    _train(fit, 5)


def test_a_change_that_cannot_be_leaves_the_run_as_it_was(two: GaussianMixture) -> None:
    fit = _train(Fit(two, SMALL, device="cpu"), 20)
    with pytest.raises(InputError, match=r"ladder\.sigma_min"):
        fit.change_settings(replace(SMALL, ladder=LadderSettings(sigma_min=1e-4)))
    assert fit.settings == SMALL
    assert fit.sigma_min == 0.1
    _train(fit, 5)


def test_a_snapshot_stays_as_it_was(two: GaussianMixture) -> None:
    fit = _train(Fit(two, SMALL, device="cpu"), 30)
    snapshot = fit.snapshot()
    x = torch.randn(50, 2)
    then = snapshot.score(x, 0.3)
    assert torch.equal(then, fit.score(x, 0.3))
    _train(fit, 30)
    assert torch.equal(snapshot.score(x, 0.3), then)
    assert not torch.equal(fit.score(x, 0.3), then)
    assert snapshot.step == 30


def test_score_keeps_the_form_of_x_and_refuses_what_was_not_learned(two: GaussianMixture) -> None:
    fit = Fit(two, SMALL, device="cpu")
    x = torch.randn(10, 2, dtype=torch.float64)
    assert fit.score(x, 0.5).dtype == torch.float64
    assert fit.score(x, torch.full((10,), 0.5)).shape == (10, 2)
    assert fit.score(x, float(torch.tensor(fit.sigma_min))).shape == (10, 2)  # rounded to float32 and back
    for sigma in (0.05, 10.0, math.nan, torch.linspace(0.01, 1, 10)):
        with pytest.raises(InputError, match="outside the trained range"):
            fit.score(x, sigma)
    with pytest.raises(InputError, match="shape"):
        fit.score(x[0], 0.5)
    with pytest.raises(InputError, match="shape"):
        fit.score(x, torch.full((3,), 0.5))


def test_facts_and_limits_of_a_run(two: GaussianMixture) -> None:
    fit = Fit(two, device="cpu")
    assert fit.sigma_max == pytest.approx(
        2.2, abs=0.3
    )  # two modes 1.41 apart, each about four sd of 0.1 to its far side
    assert fit.parameters == 35_072
    assert fit.device_name.startswith("cpu, ")
    assert fit.device == torch.device("cpu")
    assert [p.step for p in fit.run(steps=3)] == [1, 2, 3]
    spent = fit.seconds
    for _ in fit.run(seconds=0.05):
        pass
    assert fit.seconds >= spent + 0.05
    for name in ("abacus", "cpu:x", "cuda:99"):
        with pytest.raises(InputError, match="device"):
            Fit(two, SMALL, device=name)
