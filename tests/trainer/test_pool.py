"""What a pool of draws implies, against the density that they were drawn from."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from trainer.densities import GaussianMixture
from trainer.errors import InputError
from trainer.parameterisations import Preconditioning
from trainer.pool import Pool, span

CPU = torch.device("cpu")


def _pool(points: Tensor, ladder: list[float], conditioning: Preconditioning) -> Pool:
    pool = Pool(*span(points, ladder[-1]), ladder, conditioning, CPU)
    pool.add(points)
    while pool.busy:
        pool.refresh()
    return pool


def _nodes(pool: Pool, x: Tensor, level: int, conditioning: Preconditioning) -> tuple[Tensor, Tensor]:
    """Nodes nearest to x and the pool's scores there, where it has one."""
    rows = pool.rows(torch.full((len(x),), level))
    place, output = pool.lookup(x, rows)
    place, output = (v[~output.isnan().any(1)].double() for v in (place, output))
    sigma = torch.full((len(place),), pool.ladder[level], dtype=torch.float64)
    return place, conditioning.score(output, place - torch.tensor(conditioning.mean), sigma)


def test_tables_hold_the_score_that_the_draws_imply() -> None:
    truth = GaussianMixture(
        [0.3, 0.7], [[-0.5, 0.2], [0.4, -0.1]], [[[0.01, 0.0], [0.0, 0.04]], [[0.02, 0.01], [0.01, 0.02]]]
    )
    generator = torch.Generator().manual_seed(0)
    conditioning = Preconditioning((0.1, 0.0), 0.4)
    pool = _pool(truth.sample(1_000_000, generator=generator), [1.5, 0.3, 0.05], conditioning)
    for level, bound in enumerate((2e-5, 2e-5, 2e-3)):
        sigma = pool.ladder[level]
        x, score = _nodes(pool, truth.sample(4000, sigma, generator=generator), level, conditioning)
        exact = truth.score(x, sigma)
        assert len(x) > 3990
        assert float((score - exact).square().sum() / exact.square().sum()) < bound


def test_the_blur_of_counting_is_undone() -> None:
    # A Gaussian no wider than a few cells: h^2 / 12 left in would show as a slope wrong by 1.6 %.
    sd = sigma = 0.02
    generator = torch.Generator().manual_seed(1)
    points = sd * torch.randn(1_000_000, 2, generator=generator)
    conditioning = Preconditioning((0.0, 0.0), sd)
    pool = _pool(points, [0.1, sigma], conditioning)
    assert 2 * span(points, sigma)[1] / pool.cells > 0.6 * sigma
    x, score = _nodes(pool, 0.028 * torch.randn(4000, 2, generator=generator), 1, conditioning)
    slope = float((x * score).sum() / x.square().sum())
    assert slope == pytest.approx(-1 / (sd**2 + sigma**2), rel=4e-3)


def test_nodes_are_near_and_a_table_not_made_yet_says_nan() -> None:
    points = torch.rand(70_000, 2, generator=torch.Generator().manual_seed(2)) - 0.5
    pool = Pool(*span(points, 0.05), [0.5, 0.05], Preconditioning((0.0, 0.0), 0.3), CPU)
    pool.add(points)
    for level, sigma in enumerate(pool.ladder):
        x = points[:1000] + sigma
        place, target = pool.lookup(x, pool.rows(torch.full((1000,), level)))
        assert float((place - x).abs().max()) <= sigma / 3 / 2 * 1.1
        assert bool(target.isnan().all())


def test_tables_are_made_again_only_when_the_pool_has_grown() -> None:
    points = torch.rand(50_000, 2, generator=torch.Generator().manual_seed(3))
    pool = _pool(points, [0.5, 0.1], Preconditioning((0.5, 0.5), 0.3))
    before = pool.table.clone()
    pool.add(points[:1000])
    pool.refresh()
    assert torch.equal(pool.table.nan_to_num(), before.nan_to_num())
    pool.add(torch.rand(60_000, 2, generator=torch.Generator().manual_seed(4)))
    assert pool.busy
    while pool.busy:
        pool.refresh()
    assert not torch.equal(pool.table.nan_to_num(), before.nan_to_num())
    assert pool.draws == 111_000
    assert int(pool.counts.sum()) == 111_000


def test_a_ladder_too_fine_for_counting_is_refused_in_one_line() -> None:
    points = torch.rand(1000, 2)
    with pytest.raises(InputError, match=r"ladder\.sigma_min: 0\.0001 is too fine .* target single") as caught:
        _pool(points, [1.0, 1e-4], Preconditioning((0.5, 0.5), 0.3))
    assert "\n" not in str(caught.value)
