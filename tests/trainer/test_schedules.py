"""The ladder, the rate and the average against their formulas."""

from __future__ import annotations

import pytest
import torch

from trainer.schedules import averaging_weight, geometric_ladder, largest_distance, learning_rate, level_counts
from trainer.settings import LadderSettings


def test_ladder_is_geometric_between_its_ends() -> None:
    ladder = geometric_ladder(LadderSettings(levels=10, sigma_min=0.02), 2.0)
    assert (float(ladder[0]), float(ladder[-1])) == (2.0, 0.02)
    ratios = ladder[:-1] / ladder[1:]
    assert ratios.tolist() == pytest.approx([100 ** (1 / 9)] * 9)


def test_a_given_sigma_max_wins_over_the_data() -> None:
    assert float(geometric_ladder(LadderSettings(sigma_max=0.5), 2.0)[0]) == 0.5


def test_the_ladder_descends_even_when_all_points_coincide() -> None:
    ladder = geometric_ladder(LadderSettings(), 0.0)
    assert bool((ladder.diff() < 0).all())


def test_largest_distance_is_that_of_all_pairs() -> None:
    points = torch.randn(500, 2, generator=torch.Generator().manual_seed(1)) * torch.tensor([1.0, 0.3])
    exact = float(torch.cdist(points, points).max())
    assert 0.9988 * exact <= largest_distance(points) <= exact * (1 + 1e-6)


@pytest.mark.parametrize(("levels", "rows"), [(32, 4096), (1000, 4096), (7, 100)])
def test_every_level_gets_its_share_of_the_rows(levels: int, rows: int) -> None:
    counts = level_counts(levels, rows)
    assert int(counts.sum()) == rows
    assert int(counts.min()) > 0
    assert int(counts.max() - counts.min()) <= 1


def test_rate_rises_holds_and_falls_by_its_power() -> None:
    rates = [learning_rate(1.0, i) for i in range(6401)]
    assert rates[0] == pytest.approx(1 / 30)
    assert max(rates) == rates[29] == 1.0
    assert rates[6400] / rates[800] == pytest.approx(8**-0.75)


@pytest.mark.parametrize("ema", [0.05, 0.1, 0.3])
def test_the_average_covers_the_same_share_of_runs_of_any_length(ema: float) -> None:
    # With weights in proportion to i^(1/ema - 1), the average of i = 1 .. n is n / (1 + ema) for large n.
    for n in (2000, 8000):
        average = 0.0
        for i in range(n):
            average += averaging_weight(ema, i) * (i + 1 - average)
        assert average / n == pytest.approx(1 / (1 + ema), rel=2e-3)
