"""Recommendations against closed forms, the papers' figures, scipy, and particles that follow them."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from trainer.densities import Density, GaussianMixture, PaintedDensity, load_density
from trainer.errors import InputError
from trainer.models import TrueScore
from trainer.noise import Noise
from trainer.recommendations import Recommendation, recommend, summary_text, typical_spacing
from trainer.samplers import annealed_langevin, start_points
from trainer.settings import FitSettings

FIELDS = ("sigma_max", "sigma_min", "levels", "steps", "epsilon", "inflation", "excess", "overlap")


def _seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _one_dot() -> PaintedDensity:
    weights = np.zeros((128, 128))
    weights[40, 80] = 1
    return PaintedDensity(weights)


def _numbers(sentence: str) -> list[float]:
    return [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*(?:\.\d+)?(?:e[+-]\d+)?", sentence)]


def _share(recommendation: Recommendation, density: Density, seed: int) -> float:
    """The lesser mode's share where 2,000 particles on the exact score end."""
    noise, settings = Noise(seed), recommendation.particles(2000)
    *_, (_, x) = annealed_langevin(TrueScore(density), start_points(settings.number, noise), settings, noise)
    return float((x.sum(1) < 0).double().mean())


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lambda: load_density("far-modes"), id="far-modes"),
        pytest.param(lambda: load_density("two-moons"), id="two-moons"),
        pytest.param(_one_dot, id="one dot"),
        pytest.param(lambda: PaintedDensity(np.ones((1, 1))), id="one cell"),
        pytest.param(lambda: torch.rand(300, 2, generator=_seeded()), id="points"),
    ],
)
def test_every_choice_has_a_sentence_with_its_number(data: Callable[[], Density | Tensor]) -> None:
    found = recommend(data())
    for name in FIELDS:
        choice = getattr(found, name)
        assert re.fullmatch(r"[0-9A-Z].*\.", choice.reason), name
        said = [scale * n for n in _numbers(choice.reason) for scale in (1, 0.01)]  # some say it in per cent
        assert any(n == pytest.approx(choice.value, rel=6e-3) for n in said), choice
        assert choice.reason in summary_text(found)
    assert json.loads(json.dumps(found.to_json())) == {
        name: {"value": getattr(found, name).value, "reason": getattr(found, name).reason} for name in FIELDS
    }
    settings = found.particles(100)
    assert (settings.levels, settings.steps, settings.fine_steps) == (found.levels.value, 21, 21)
    assert (settings.sigma_min, settings.sigma_max) == (found.sigma_min.value, found.sigma_max.value)
    assert FitSettings(ladder=found.ladder).ladder.levels == found.levels.value
    assert found.sigma_min.value <= found.sigma_max.value / 2


def test_particles_on_far_modes_end_near_the_true_shares() -> None:
    """Truth: 0.2 of the mass in the lesser mode; the bias is 0.012, one standard deviation of 2,000 particles 0.009."""
    density = load_density("far-modes")
    shares = [_share(recommend(density), density, seed) for seed in range(2)]
    assert abs(np.mean(shares) - 0.2) < 0.03
    hasty = [_share(recommend(density, steps_per_level=2), density, seed) for seed in range(2)]
    assert np.mean(hasty) - 0.2 > 2 * abs(np.mean(shares) - 0.2)


def test_largest_level_is_the_largest_distance_of_the_draws() -> None:
    draws = load_density("far-modes").sample(4096, generator=_seeded(3))
    assert recommend(load_density("far-modes"), seed=3).sigma_max.value == pytest.approx(
        float(torch.cdist(draws, draws).max()), rel=1.3e-3
    )


@pytest.mark.parametrize("deviation", [0.01, 0.1, 0.5])
def test_smallest_level_of_a_gaussian_is_that_of_its_closed_form(deviation: float) -> None:
    """KL(N(v) || N(v + sigma^2)) = ln(1 + r) - r / (1 + r), r = sigma^2 / v, in two dimensions."""
    density = GaussianMixture([1.0], [[0.2, -0.1]], [deviation**2 * np.eye(2)])
    found = recommend(density, seed=1).sigma_min.value
    r = (found / deviation) ** 2
    assert math.log1p(r) - r / (1 + r) == pytest.approx(0.005, rel=0.15)
    # Total variation: the two radial distribution functions differ most where the densities are equal.
    radius = 2 * math.log1p(r) * (1 + r) / r
    moved = math.exp(-radius / 2 / (1 + r)) - math.exp(-radius / 2)
    assert 0.03 < moved < 0.05


def test_smallest_level_follows_the_painting_and_not_its_grid() -> None:
    wide = GaussianMixture([1.0], [[0.0, 0.0]], [0.04 * np.eye(2)])
    axis = np.linspace(-1, 1, 129)[:-1] + 1 / 128
    painted = PaintedDensity(np.exp(-(axis[:, None] ** 2 + axis**2) / 2 / (0.04 - 1 / 64**2)))
    assert recommend(painted).sigma_min.value == pytest.approx(recommend(wide).sigma_min.value, rel=0.05)
    assert recommend(_one_dot()).sigma_min.value == pytest.approx(0.33 / 64, rel=0.05)


def test_no_level_is_outside_what_samplers_take() -> None:
    speck = GaussianMixture([0.5, 0.5], [[-0.5, 0], [0.5, 0]], [1e-6 * np.eye(2)] * 2)
    assert recommend(speck).sigma_min.value == 1e-3
    assert recommend(PaintedDensity(np.ones((1, 1)))).sigma_max.value == 10
    assert recommend(PaintedDensity(np.ones((1, 1)), bandwidth=1e-4)).sigma_max.value == 2e-3


# --- points -------------------------------------------------------------------------------------------------------


def test_smallest_level_of_points_is_half_their_spacing() -> None:
    lattice = np.array(list(itertools.product(range(10), range(10)))) * 0.1 - 0.45
    found = recommend(lattice)
    assert found.sigma_min.value == pytest.approx(0.05)
    assert found.sigma_max.value == pytest.approx(0.9 * math.sqrt(2))
    assert recommend(np.repeat(lattice, 3, axis=0)).sigma_min.value == pytest.approx(0.05)
    assert recommend(np.array([[0.0, 0.0], [0.5, 0.0]])).sigma_min.value == pytest.approx(0.25)


def test_two_gaussians_at_that_distance_have_just_one_summit() -> None:
    """The curvature of p between two points changes sign exactly at sigma = half their distance."""
    for sigma, summits in ((0.249, 2), (0.251, 1)):
        pair = GaussianMixture([0.5, 0.5], [[-0.25, 0], [0.25, 0]], [sigma**2 * np.eye(2)] * 2)
        p = pair.log_prob(torch.stack((torch.linspace(-0.5, 0.5, 2001), torch.zeros(2001)), 1).double())
        assert int(((p[1:-1] > p[:-2]) & (p[1:-1] > p[2:])).sum()) == summits


def test_spacing_is_that_of_a_tree_search() -> None:
    for n in (100, 5000):
        points = torch.randn(n, 2, dtype=torch.float64, generator=_seeded(7)) * torch.tensor([1.0, 0.01])
        asked = points[torch.randperm(n, generator=_seeded(1))[:256]]
        nearest = cKDTree(points.numpy()).query(asked.numpy(), k=2)[0][:, 1]
        assert typical_spacing(points, _seeded(1)) == pytest.approx(float(np.median(nearest)), rel=1e-9)


def test_a_million_points_are_never_compared_in_pairs() -> None:
    """All pairs would take 8 TB. The median nearest neighbour of a Poisson process is sqrt(ln 2 / (pi density))."""
    points = 2 * torch.rand(1_000_000, 2, dtype=torch.float64, generator=_seeded()) - 1
    expected = math.sqrt(math.log(2) / (math.pi * 250_000))
    assert typical_spacing(points, _seeded()) == pytest.approx(expected, rel=0.12)
    found = recommend(points)
    assert found.sigma_max.value == pytest.approx(2 * math.sqrt(2), rel=2e-3)
    assert found.sigma_min.value == 1e-3
    assert "1,000,000" in found.sigma_max.reason


def test_the_seed_decides_and_nothing_else() -> None:
    density = load_density("two-moons")
    found = recommend(density, points=512, seed=4)
    assert recommend(density, points=512, seed=4) == found
    assert recommend(density, points=512, seed=5) != found
    assert "256 draws" in recommend(density, points=256).sigma_max.reason


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (np.zeros((5, 2)), "scale them"),
        (np.eye(2) * 500, "scale them"),
        (np.zeros((1, 2)), "at least two points"),
        (np.zeros((5, 3)), "shape"),
        (np.array([[0.0, np.nan], [1.0, 1.0]]), "finite"),
        (np.array([["a", "b"], ["c", "d"]]), "numbers"),
    ],
)
def test_points_that_are_none_are_refused_in_one_line(points: np.ndarray, said: str) -> None:
    with pytest.raises(InputError, match=f"^points: .*{said}[^\n]*$"):
        recommend(points)


@pytest.mark.parametrize("asked", [{"steps_per_level": 0}, {"steps_per_level": 10_001}, {"points": 10}])
def test_numbers_out_of_range_are_refused(asked: dict[str, int]) -> None:
    with pytest.raises(InputError, match=f"^{next(iter(asked))}: "):
        recommend(load_density("far-modes"), **asked)


def _pair(apart: float) -> np.ndarray:
    return np.array([[0.0, 0.0], [apart, 0.0]])


@pytest.mark.parametrize("steps", [None, 1, 21, 10_000, np.int64(3)])
@pytest.mark.parametrize(
    "points",
    [
        pytest.param(_pair(9.0), id="9 apart"),
        pytest.param(_pair(10.0), id="10 apart"),
        pytest.param(_pair(19.9), id="19.9 apart"),
        pytest.param(_pair(4.1e-3), id="as close as is taken"),
        pytest.param(np.array([[0, 0], [1e-6, 0], [5.0, 0], [5.0, 1e-6]]), id="1e-6 apart, wide"),
        pytest.param(np.concatenate((np.zeros((50, 2)), [[1e-6, 0], [4e-3, 0]])), id="1e-6 apart, narrow"),
    ],
)
def test_what_is_recommended_is_taken(points: np.ndarray, steps: int | None) -> None:
    found = recommend(points, steps_per_level=steps)
    settings = found.particles()
    assert settings.epsilon == found.epsilon.value
    assert FitSettings(ladder=found.ladder).ladder.sigma_min == settings.sigma_min
    assert settings.steps == found.to_json()["steps"]["value"] == (21 if steps is None else steps)
    json.dumps(found.to_json())


def test_points_closer_than_the_least_noise_are_refused() -> None:
    with pytest.raises(InputError, match=r"^points: up to 5e-07 from their mean; scale them [^\n]*$"):
        recommend(_pair(1e-6))


@pytest.mark.parametrize("steps", [2.5, True, "20", math.nan])
def test_steps_are_a_whole_number(steps: object) -> None:
    with pytest.raises(InputError, match=r"^steps_per_level: .*; give a whole number between 1 and 10000$"):
        recommend(_pair(1.0), steps_per_level=steps)
