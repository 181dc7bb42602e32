"""Noise schedules against their formulas, diffusers' tables, and one another."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler, EDMEulerScheduler
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from scipy.stats import kstest, norm
from torch import Tensor

from trainer.densities import GaussianMixture
from trainer.errors import InputError
from trainer.schedules import (
    ddpm_alphas_cumprod,
    edm_levels,
    geometric_ladder,
    largest_distance,
    level_counts,
    rho_ladder,
    training_levels,
    ve_to_vp,
    vp_to_ve,
)
from trainer.settings import FitSettings, LadderSettings

DDPM = {"ddpm-linear": "linear", "ddpm-cosine": "squaredcos_cap_v2"}


# --- ladders ------------------------------------------------------------------------------------------------------


def test_ladder_is_geometric_between_its_ends() -> None:
    ladder = geometric_ladder(LadderSettings(levels=10, sigma_min=0.02), 2.0)
    assert (float(ladder[0]), float(ladder[-1])) == (2.0, 0.02)
    ratios = ladder[:-1] / ladder[1:]
    assert ratios.tolist() == pytest.approx([100 ** (1 / 9)] * 9)


def test_one_level_is_sigma_min() -> None:
    assert geometric_ladder(LadderSettings(levels=1, sigma_min=0.07), 2.0).tolist() == [0.07]


def test_a_given_sigma_max_wins_over_the_data() -> None:
    assert float(geometric_ladder(LadderSettings(sigma_max=0.5), 2.0)[0]) == 0.5


def test_the_ladder_descends_even_when_all_points_coincide() -> None:
    ladder = geometric_ladder(LadderSettings(), 0.0)
    assert bool((ladder.diff() < 0).all())


def test_rho_ladder_is_that_of_diffusers() -> None:
    scheduler = EDMEulerScheduler(sigma_min=0.002, sigma_max=80.0, rho=7.0)
    scheduler.set_timesteps(18)
    ours = rho_ladder(80.0, 0.002, 18)
    assert ours.tolist() == pytest.approx(scheduler.sigmas[:-1].tolist(), rel=1e-6)  # theirs is float32
    assert (float(ours[0]), float(ours[-1])) == (80.0, 0.002)


def test_rho_ladder_is_even_in_the_root_of_sigma() -> None:
    # Between 2 and 0.02 with rho = 2 and five levels: ((1 - i / 4) sqrt 2 + i / 4 sqrt 0.02)^2.
    assert rho_ladder(2.0, 0.02, 5, rho=2).tolist() == pytest.approx([2, 1.20125, 0.605, 0.21125, 0.02], rel=1e-12)
    assert rho_ladder(2.0, 0.02, 4, rho=1).tolist() == pytest.approx([2, 1.34, 0.68, 0.02], rel=1e-12)
    assert float(rho_ladder(2.0, 0.02, 9, rho=7)[4]) < float(rho_ladder(2.0, 0.02, 9, rho=3)[4])


def test_edm_levels_are_the_log_normal_as_evenly_as_can_be() -> None:
    n = 1000
    levels = edm_levels(n)
    assert bool((levels.diff() < 0).all())
    result = kstest(levels.log().numpy(), norm(-1.2, 1.2).cdf)
    assert result.statistic == pytest.approx(0.5 / n, abs=1e-9)  # the smallest that n numbers can have
    other = edm_levels(n, mean=0.3, std=0.5).log().numpy()
    assert kstest(other, norm(0.3, 0.5).cdf).statistic == pytest.approx(0.5 / n, abs=1e-9)


# --- DDPM ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DDPM)
def test_alphas_cumprod_are_those_of_diffusers(kind: str) -> None:
    ours = ddpm_alphas_cumprod(kind)
    theirs = DDPMScheduler(num_train_timesteps=1000, beta_schedule=DDPM[kind])
    beta = 1 - ours / torch.cat((torch.ones(1, dtype=torch.float64), ours[:-1]))
    assert float((beta - theirs.betas.double()).abs().max()) < 6e-8  # their betas are float32
    cumprod = (1 - theirs.betas.double()).cumprod(0)
    assert ours[:-1].tolist() == pytest.approx(cumprod[:-1].tolist(), rel=1e-6)
    assert float(ours[-1]) == pytest.approx(float(cumprod[-1]), rel=1e-4)  # 1 - 0.999 has four digits in float32


def test_alphas_cumprod_at_known_points() -> None:
    linear = ddpm_alphas_cumprod("ddpm-linear")
    assert float(linear[0]) == 1 - 1e-4
    exact = math.exp(math.fsum(math.log1p(-(1e-4 + (0.02 - 1e-4) * i / 999)) for i in range(1000)))
    assert float(linear[-1]) == pytest.approx(exact, rel=1e-12)
    cosine = ddpm_alphas_cumprod("ddpm-cosine")
    quarter = math.cos((0.25 + 0.008) / 1.008 * math.pi / 2) ** 2 / math.cos(0.008 / 1.008 * math.pi / 2) ** 2
    assert float(cosine[249]) == pytest.approx(quarter, rel=1e-12)  # abar_t at t = 250, where no beta is capped
    assert float(cosine[-1] / cosine[-2]) == pytest.approx(0.001, rel=1e-9)  # beta = 0.999
    assert len(ddpm_alphas_cumprod("ddpm-cosine", steps=50)) == 50


def test_vp_and_ve_are_inverse() -> None:
    for kind in DDPM:
        kept = ddpm_alphas_cumprod(kind)
        assert ve_to_vp(vp_to_ve(kept)).tolist() == pytest.approx(kept.tolist(), rel=1e-12, abs=0)
    sigma = torch.logspace(-2, 2, 50, dtype=torch.float64)
    assert vp_to_ve(ve_to_vp(sigma)).tolist() == pytest.approx(sigma.tolist(), rel=1e-12, abs=0)
    assert float(vp_to_ve(0.5)) == pytest.approx(1.0, rel=1e-15)


def _mixture(scale: float = 1.0) -> GaussianMixture:
    """A mixture of three correlated Gaussians, and the same one with all lengths multiplied by `scale`."""
    rng = np.random.default_rng(5)
    roots = rng.normal(size=(3, 2, 2)) * 0.3
    covariances = roots @ roots.transpose(0, 2, 1) + 0.01 * np.eye(2)
    return GaussianMixture([0.5, 0.3, 0.2], scale * rng.uniform(-1, 1, (3, 2)), scale**2 * covariances)


def _posterior_mean(x: Tensor, data: GaussianMixture, sigma: float) -> Tensor:
    """E[x_0 | x_0 + sigma z = x] for a mixture, component by component, (B, 2): Bayes' rule and no score."""
    logs, means = [], []
    for weight, mean, covariance in zip(data.weights, data.means, data.covariances, strict=True):
        total = torch.from_numpy(covariance + sigma**2 * np.eye(2))
        law = torch.distributions.MultivariateNormal(torch.from_numpy(mean), total)
        logs.append(math.log(weight) + law.log_prob(x))
        gain = torch.linalg.solve(total, torch.from_numpy(covariance))  # both symmetric
        means.append(torch.from_numpy(mean) + (x - torch.from_numpy(mean)) @ gain)
    return (torch.stack(logs, 1).softmax(1)[:, :, None] * torch.stack(means, 1)).sum(1)


@pytest.mark.parametrize("kind", DDPM)
def test_vp_has_the_posterior_mean_of_ve(kind: str) -> None:
    alphas = ddpm_alphas_cumprod(kind)
    x0 = _mixture().sample(64, generator=torch.Generator().manual_seed(1)).double()
    z = torch.randn(64, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    for t in (50, 200, 500, 800, 950):
        kept = float(alphas[t - 1])
        x_t = math.sqrt(kept) * x0 + math.sqrt(1 - kept) * z
        # VP: p_t is the data shrunk by sqrt(abar), blurred by sqrt(1 - abar); Tweedie's formula in its own coordinates.
        vp_score = _mixture(math.sqrt(kept)).score(x_t, math.sqrt(1 - kept))
        vp = (x_t + (1 - kept) * vp_score) / math.sqrt(kept)
        sigma, y = float(vp_to_ve(kept)), x_t / math.sqrt(kept)
        ve_score = _mixture().score(y, sigma)
        ve = y + sigma**2 * ve_score
        assert float((vp - ve).abs().max()) < 1e-10
        assert float((ve - _posterior_mean(y, _mixture(), sigma)).abs().max()) < 1e-10
        assert float((vp_score - ve_score / math.sqrt(kept)).abs().max()) < 1e-9


# --- rows and their levels ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("levels", "rows"), [(32, 4096), (1000, 4096), (7, 100)])
def test_every_level_gets_its_share_of_the_rows(levels: int, rows: int) -> None:
    counts = level_counts(levels, rows)
    assert int(counts.sum()) == rows
    assert int(counts.min()) > 0
    assert int(counts.max() - counts.min()) <= 1


def test_geometric_training_visits_every_level_alike() -> None:
    ladder, level = training_levels(FitSettings(), 2.0, 4096)
    assert ladder.tolist() == geometric_ladder(LadderSettings(), 2.0).tolist()
    assert torch.bincount(level).tolist() == [128] * 32
    assert bool((level.diff() >= 0).all())


@pytest.mark.parametrize("kind", DDPM)
def test_ddpm_training_draws_t_uniformly(kind: str) -> None:
    ladder, level = training_levels(FitSettings(target="single", schedule=kind), 2.0, 4096)
    assert torch.bincount(level, minlength=1000).unique().tolist() == [4, 5]
    kept = ddpm_alphas_cumprod(kind)
    t = 1000 - level  # level 0 is the largest noise, t = 1000
    assert (ladder[level].square() + 1).reciprocal().tolist() == pytest.approx(kept[t - 1].tolist(), rel=1e-12, abs=0)
    assert bool((ladder.diff() < 0).all())


def test_edm_training_draws_a_clipped_log_normal() -> None:
    for ladder, top in ((LadderSettings(sigma_min=0.05), 1.7), (LadderSettings(sigma_min=0.05, sigma_max=0.9), 0.9)):
        used = FitSettings(target="single", schedule="edm", ladder=ladder)
        levels, level = training_levels(used, 1.7, 4096)
        assert (float(levels[0]), float(levels[-1])) == (top, 0.05)
        assert bool((levels.diff() < 0).all())
        assert bool((level.diff() >= 0).all())
        sigma = levels[level].numpy()
        law = norm(-1.2, 1.2)
        assert float((sigma == 0.05).mean()) == pytest.approx(law.cdf(math.log(0.05)), abs=1 / 4096)
        assert float((sigma == top).mean()) == pytest.approx(law.sf(math.log(top)), abs=1 / 4096)
        for cut in (0.1, 0.3, 0.8):
            assert float((sigma <= cut).mean()) == pytest.approx(law.cdf(math.log(cut)), abs=1 / 4096)


# --- the extent of the data ---------------------------------------------------------------------------------------


def test_largest_distance_is_that_of_all_pairs() -> None:
    points = torch.randn(500, 2, generator=torch.Generator().manual_seed(1)) * torch.tensor([1.0, 0.3])
    exact = float(torch.cdist(points, points).max())
    assert 0.9988 * exact <= largest_distance(points) <= exact * (1 + 1e-6)


def test_largest_distance_of_more_points_than_are_looked_at_together() -> None:
    points = torch.randn(200_000, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    corners = points.numpy()[ConvexHull(points.numpy()).vertices]
    exact = float(pdist(corners).max())
    assert math.cos(math.pi / 64) * exact <= largest_distance(points) <= exact * (1 + 1e-12)


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: ddpm_alphas_cumprod("linear"), "schedule"),
        (lambda: ddpm_alphas_cumprod("ddpm-linear", 0), "steps"),
        (lambda: rho_ladder(0.02, 2.0, 5), "sigma_min"),
        (lambda: rho_ladder(2.0, 0.02, 1), "steps"),
        (lambda: rho_ladder(2.0, 0.02, 5, rho=0), "rho"),
        (lambda: edm_levels(0), "n"),
        (lambda: edm_levels(5, std=0.0), "std"),
    ],
)
def test_what_makes_no_schedule_is_refused(call: Callable[[], Tensor], field: str) -> None:
    with pytest.raises(InputError, match=f"^{field}: .*") as caught:
        call()
    assert "\n" not in str(caught.value)
