import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from trainer.densities import GaussianMixture
from trainer.errors import InputError
from trainer.kernels import GAUSSIAN
from trainer.metrics import mode_ledger
from trainer.models import TrueScore
from trainer.modes import find_modes
from trainer.noise import Noise
from trainer.samplers import (
    FAR,
    SAMPLERS,
    annealed_langevin,
    gradient_ascent,
    langevin,
    level_at,
    noise_levels,
    start_points,
    total_steps,
    within,
)
from trainer.settings import ParticleSettings
from trainer.tables import TabulatedScore

ONE_LEVEL = ParticleSettings(levels=1, steps=60, fine_steps=60, sigma_min=0.1, sigma_max=0.1, epsilon=0.05)


def gaussian(variance: float) -> TrueScore:
    """One Gaussian at the origin."""
    return TrueScore(GaussianMixture([1.0], [[0.0, 0.0]], [variance * np.eye(2)]))


def far_modes(heavy: float = 0.8) -> GaussianMixture:
    covariance = 0.125**2 * np.eye(2)
    return GaussianMixture([heavy, 1 - heavy], [[0.625, 0.625], [-0.625, -0.625]], [covariance, covariance])


def last(steps: Iterator[tuple[int, Tensor]]) -> Tensor:
    *_, (_, x) = steps
    return x


def test_ascent_on_a_gaussian_contracts_by_a_known_factor() -> None:
    v = 0.2 + 0.1**2
    x0 = start_points(100, Noise(0))
    x = last(gradient_ascent(gaussian(0.2), x0, ONE_LEVEL, Noise(0)))
    expected = x0 * (1 - ONE_LEVEL.epsilon / (2 * v)) ** 60
    torch.testing.assert_close(x, expected, rtol=1e-4, atol=1e-8)


def test_langevin_is_the_papers_recursion_on_the_noise_of_the_step() -> None:
    v = 0.2 + 0.1**2
    x0, noise = start_points(100, Noise(0)), Noise(3)
    expected = x0.double()
    for step in range(1, 61):
        z = noise.normal(step, 0, 100).double()
        expected = expected - ONE_LEVEL.epsilon / 2 * expected / v + math.sqrt(ONE_LEVEL.epsilon) * z
    x = last(langevin(gaussian(0.2), x0, ONE_LEVEL, Noise(3)))
    torch.testing.assert_close(x.double(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0])
def test_langevins_stationary_variance_is_inflated_by_b(ratio: float) -> None:
    """B = 1 / (1 - x / 2) with x = h / v, h = epsilon / 2."""
    v, n = 0.2 + 0.1**2, 40_000
    steps = round(12 / ratio)  # (1 - ratio)^(2 steps) < e^-24: the start is forgotten
    settings = replace(ONE_LEVEL, steps=steps, fine_steps=steps, epsilon=2 * ratio * v)
    x = last(langevin(gaussian(0.2), torch.zeros(n, 2), settings, Noise(1)))
    b = 1 / (1 - ratio / 2)
    assert float(x.square().mean() / v) == pytest.approx(b, abs=4 * b / math.sqrt(n))


def test_annealed_steps_grow_with_sigma_squared_and_end_with_denoising() -> None:
    settings = ParticleSettings(
        levels=3, steps=2, fine_steps=1, fine_below=0.15, sigma_min=0.1, sigma_max=0.4, epsilon=0.01
    )
    model, x0 = gaussian(0.2), start_points(50, Noise(0))
    levels = noise_levels(settings)
    assert [level.sigma for level in levels] == pytest.approx([0.4, 0.2, 0.1])
    assert [level.alpha for level in levels] == pytest.approx([0.16, 0.04, 0.01])
    assert [level.steps for level in levels] == [2, 2, 1]
    x, step = x0.double(), 0
    for sigma, alpha, count in ((0.4, 0.16, 2), (0.2, 0.04, 2), (0.1, 0.01, 1)):
        for _ in range(count):
            step += 1
            x = x - alpha / 2 * x / (0.2 + sigma**2) + math.sqrt(alpha) * Noise(7).normal(step, 0, 50).double()
    x = x - 0.1**2 * x / (0.2 + 0.1**2)
    ends = [(step, end.clone()) for step, end in annealed_langevin(model, x0, settings, Noise(7))]
    assert [step for step, _ in ends] == [1, 2, 3, 4, 5]
    torch.testing.assert_close(ends[-1][1].double(), x, rtol=1e-4, atol=1e-5)


def test_denoising_gives_the_posterior_mean() -> None:
    """With steps too small to move anything the end is x + sigma^2 s = x v0 / (v0 + sigma^2)."""
    settings = replace(ONE_LEVEL, steps=1, fine_steps=1, epsilon=1e-9)
    x0 = start_points(50, Noise(0))
    x = last(annealed_langevin(gaussian(0.2), x0, settings, Noise(7)))
    torch.testing.assert_close(x, x0 * 0.2 / (0.2 + 0.1**2), rtol=0, atol=2e-4)


def test_levels_and_steps_add_up() -> None:
    settings = ParticleSettings()
    levels = noise_levels(settings)
    assert total_steps(settings) == sum(level.steps for level in levels) == 1780
    assert levels[0].sigma == settings.sigma_max
    assert levels[-1].sigma == settings.sigma_min
    assert levels[-1].alpha == pytest.approx(settings.epsilon)
    ratios = [a.sigma / b.sigma for a, b in pairwise(levels)]
    assert ratios == pytest.approx([ratios[0]] * len(ratios))
    assert [level_at(settings, step) for step in (1, 400, 401, 1600, 1601, 1780, 9999)] == [0, 0, 1, 3, 4, 21, 21]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_takes_the_same_number_of_steps_and_leaves_the_start_alone(sampler: str) -> None:
    settings = ParticleSettings(levels=4, steps=3, fine_steps=2)
    x0 = start_points(10, Noise(0))
    kept = x0.clone()
    steps = [step for step, _ in SAMPLERS[sampler](gaussian(0.1), x0, settings, Noise(0))]
    assert steps == list(range(1, total_steps(settings) + 1))
    assert torch.equal(x0, kept)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_particle_k_moves_alike_whatever_their_number(sampler: str) -> None:
    settings = ParticleSettings(levels=4, steps=5, fine_steps=3)
    model = TabulatedScore(TrueScore(far_modes()))
    few = last(SAMPLERS[sampler](model, start_points(30, Noise(2)), settings, Noise(2)))
    many = last(SAMPLERS[sampler](model, start_points(5_000, Noise(2)), settings, Noise(2)))
    torch.testing.assert_close(many[:30], few, rtol=0, atol=1e-6)
    ids = torch.tensor([4_000, 3])
    some = last(SAMPLERS[sampler](model, start_points(2, Noise(2), ids), settings, Noise(2), ids))
    torch.testing.assert_close(some, many[ids], rtol=0, atol=1e-6)


def test_the_start_is_uniform_on_the_square() -> None:
    x0 = start_points(40_000, Noise(0))
    assert float(x0.abs().max()) <= 1.25
    assert float(x0.mean()) == pytest.approx(0, abs=0.02)
    assert float(x0.var()) == pytest.approx(2.5**2 / 12, rel=0.02)


def test_far_modes_collapse_mislead_and_succeed() -> None:
    """Bands of annealed Langevin hold the truth, plain Langevin's never, and ascent ends on the modes."""
    density, settings = far_modes(), ParticleSettings()
    modes, model = find_modes(density), TabulatedScore(TrueScore(density))
    held = {"langevin": 0, "annealed": 0}
    for seed in range(4):
        noise = Noise(seed)
        x0 = start_points(3_000, noise)
        for sampler in held:
            ledger = mode_ledger(last(SAMPLERS[sampler](model, x0, settings, noise)), modes)
            held[sampler] += ledger.holds
            if sampler == "langevin":
                assert ledger.share[1] == pytest.approx(0.49, abs=0.04)
    assert held["langevin"] == 0
    assert held["annealed"] >= 3
    ends = last(gradient_ascent(model, start_points(3_000, Noise(0)), settings, Noise(0))).numpy()
    assert np.linalg.norm(ends[:, None] - modes.centres, axis=2).min(1).max() < 0.02


def test_weights_survive_only_a_slow_descent() -> None:
    """A tenth of the steps freezes in the shares of a large sigma: far above the truth."""
    density, settings = far_modes(), replace(ParticleSettings(), steps=40)
    model = TabulatedScore(TrueScore(density))
    ledger = mode_ledger(last(annealed_langevin(model, start_points(4_000, Noise(0)), settings, Noise(0))), density)
    assert ledger.share[1] > 0.25


class Known:
    """A score that is known on [0.05, 0.3] only."""

    sigma_min, sigma_max, kernel, device = 0.05, 0.3, GAUSSIAN, torch.device("cpu")

    def score(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        return -x


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_levels_the_model_does_not_know_are_refused(sampler: str) -> None:
    with pytest.raises(InputError, match=r"^particles\.sigma_.*give one between 0\.05 and 0\.3$"):
        next(SAMPLERS[sampler](Known(), torch.zeros(1, 2), ParticleSettings(), Noise(0)))


def test_the_ladder_can_be_cut_to_what_the_model_knows() -> None:
    cut = within(ParticleSettings(), Known())
    assert (cut.sigma_min, cut.sigma_max) == (0.05, 0.3)
    assert len(list(annealed_langevin(Known(), torch.zeros(1, 2), cut, Noise(0)))) == total_steps(cut)
    assert within(ParticleSettings(), gaussian(1.0)) == ParticleSettings()


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_an_unstable_step_stays_finite(sampler: str) -> None:
    settings = ParticleSettings(levels=2, steps=40, fine_steps=40, epsilon=1.0, sigma_max=0.05)
    x = last(SAMPLERS[sampler](gaussian(1e-3), start_points(20, Noise(0)), settings, Noise(0)))
    assert bool(x.isfinite().all())
    assert float(x.abs().max()) <= FAR * (1 + 1e-6)


def test_pictures_move_by_the_same_code() -> None:
    settings = ParticleSettings(levels=2, steps=3, fine_steps=3, sigma_min=0.05, sigma_max=0.3)
    x = last(annealed_langevin(Known(), torch.ones(4, 3, 8, 8), settings, Noise(0)))
    assert x.shape == (4, 3, 8, 8)
    assert bool(x.isfinite().all())


def test_the_caller_s_gradient_mode_holds_between_steps() -> None:
    settings, noise = ParticleSettings(number=4, levels=2, steps=2, fine_steps=2), Noise(0)
    model = TrueScore(GaussianMixture([1.0], [[0.0, 0.0]], [[[1.0, 0.0], [0.0, 1.0]]]))
    for sampler in SAMPLERS.values():
        moves = sampler(model, start_points(4, noise), settings, noise)
        next(moves)
        assert torch.is_grad_enabled()
