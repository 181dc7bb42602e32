"""Step size and number of levels against iterated variances, closed forms and the papers' own figures."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from trainer.annealing import (
    ECONOMICAL_STEPS,
    RELAXATIONS,
    inflation,
    langevin_step,
    level_overlap,
    number_of_levels,
    relative_step,
    relaxations,
    variance_excess,
)
from trainer.densities import GaussianMixture
from trainer.errors import InputError
from trainer.langevin import langevin
from trainer.models import TrueScore
from trainer.noise import Noise
from trainer.settings import ParticleSettings

CASES = [(ratio, steps) for ratio in (1.01, 1.0376, 1.2, 2.0, 30.0) for steps in (1, 5, 21, 300)]


def test_cifars_step_is_the_published_one() -> None:
    """Song & Ermon 2020, table 3: sigma from 50 to 0.01 in 232 levels, 5 steps each, h = 6.2e-6."""
    epsilon = langevin_step(0.01, 5000 ** (1 / 231), 5)
    assert epsilon / 2 == pytest.approx(6.2e-6, rel=0.01)


@pytest.mark.parametrize(("ratio", "steps"), CASES)
def test_excess_is_that_of_the_iterated_variance(ratio: float, steps: int) -> None:
    """On N(0, sigma^2) a step is x <- (1 - h / sigma^2) x + sqrt(2h) z: v <- (1 - x)^2 v + 2 x."""
    for x in (0.01, 0.3, 0.9, 1.5):
        variance = ratio**2
        for _ in range(steps):
            variance = (1 - x) ** 2 * variance + 2 * x
        assert variance_excess(x, ratio, steps) == pytest.approx(variance - 1, rel=1e-9, abs=1e-12)
        assert inflation(x) == pytest.approx((1 - x) ** 2 * inflation(x) + 2 * x, rel=1e-12)


def test_inflation_is_what_the_sampler_settles_at() -> None:
    """At x = 0.4 the stationary variance is 1.25 sigma^2; 20,000 particles know it to 0.7 %."""
    sigma, settings = 0.2, ParticleSettings(levels=1, steps=40, fine_steps=40, epsilon=0.8 * 0.2**2, sigma_min=0.2)
    nothing = GaussianMixture([1.0], [[0.0, 0.0]], [1e-12 * np.eye(2)])
    *_, (_, x) = langevin(TrueScore(nothing), torch.zeros(20_000, 2), settings, Noise(0))
    assert float(x.double().var()) / sigma**2 == pytest.approx(inflation(0.4), rel=0.02)
    assert inflation(0.4) == 1.25


@pytest.mark.parametrize(("ratio", "steps"), CASES)
def test_the_step_is_the_best_of_all_stable_ones(ratio: float, steps: int) -> None:
    best = relative_step(ratio, steps)
    least = variance_excess(best, ratio, steps)
    assert least > 0  # there is no root to find
    others = np.concatenate((np.geomspace(1e-7, 1, 4001), np.linspace(1, 1.999, 1001))).tolist()
    assert least <= min(variance_excess(x, ratio, steps) for x in others) + 1e-12
    for factor in (0.5, 0.8, 1.25, 1.5, 2.0):
        assert variance_excess(min(factor * best, 1.99), ratio, steps) > least
    assert langevin_step(0.03, ratio, steps) == pytest.approx(2 * best * 0.03**2)


@pytest.mark.parametrize("ratio", [1.01, 1.1, 2.0])
def test_one_step_has_a_closed_form(ratio: float) -> None:
    """T = 1: e(x) = (1 - x)^2 gamma^2 + 2 x - 1, least at x = 1 - 1 / gamma^2 and equal to that."""
    x = relative_step(ratio, 1)
    assert x == pytest.approx(1 - 1 / ratio**2, rel=1e-5)
    assert variance_excess(x, ratio, 1) == pytest.approx(1 - 1 / ratio**2, rel=1e-9)


@pytest.mark.parametrize("y", [0.3, 1.0, 2.0])
def test_many_small_steps_have_a_closed_form(y: float) -> None:
    """T g = (2 y + e^(2y) - 1) / 8 makes y = T x the best, up to terms of order 1 / T."""
    steps = 20_000
    g = (2 * y + math.expm1(2 * y)) / (8 * steps)
    assert steps * relative_step(math.exp(g), steps) == pytest.approx(y, rel=1e-3)


def test_levels_are_the_fewest_that_give_enough_relaxation_times() -> None:
    for span in (10.0, 125.0):
        for steps in (14, 21, 100):
            levels = number_of_levels(span, steps)
            assert relaxations(span ** (1 / (levels - 1)), steps) >= RELAXATIONS
            assert relaxations(span ** (1 / (levels - 2)), steps) < RELAXATIONS


def test_too_few_steps_get_what_levels_can_give() -> None:
    for steps in (1, 5, 10):
        levels = number_of_levels(125.0, steps)
        assert 1.5 * steps <= relaxations(125 ** (1 / (levels - 1)), steps) < 2 * steps
        assert relaxations(125 ** (1 / (levels - 2)), steps) < 1.5 * steps
        assert 1.99 * steps < relaxations(1 + 1e-4, steps) < 2 * steps  # the limit of ever more levels


def test_economical_steps_need_the_fewest_in_all() -> None:
    assert ECONOMICAL_STEPS == 21
    total = {steps: steps * number_of_levels(1e4, steps) for steps in (12, 16, 21, 28, 40, 100)}
    assert min(total, key=total.__getitem__) == 21


def test_technique_2_chose_cifars_ladder_and_says_nothing_in_the_plane() -> None:
    assert level_overlap(5000 ** (1 / 231), 3072) == pytest.approx(0.5, abs=0.07)
    plane = [level_overlap(ratio, 2) for ratio in np.geomspace(1.0001, 100, 200).tolist()]
    assert min(plane) > 0.997


@pytest.mark.parametrize(
    ("values", "field"), [((0.0, 1.1, 5), "sigma_min"), ((0.02, 1.0, 5), "ratio"), ((0.02, 1.1, 0), "steps")]
)
def test_what_gives_no_step_is_refused(values: tuple[float, float, int], field: str) -> None:
    with pytest.raises(InputError, match=f"^{field}: "):
        langevin_step(*values)
