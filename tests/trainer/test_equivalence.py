"""One idea, many objectives: equal up to constants that know nothing of the network, and equal in their gradients.

The million-sample versions, with the figures that the documentation quotes, are in tests/benchmarks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.benchmarks import choosing_sigma, equivalence, projections
from trainer.densities import GaussianMixture
from trainer.fit import Fit
from trainer.kernels import kernel_named
from trainer.learned import LearnedScore
from trainer.networks import ScoreNetwork
from trainer.objectives import Batch, ScoreFunction, dsm, esm, ism, noise_prediction, one_draw_target, ssm, ssm_vr
from trainer.parameterisations import Preconditioning
from trainer.settings import FitSettings, LadderSettings, NetworkSettings, Parameterisation, Projection

SIGMA = 0.2
TINY = NetworkSettings(width=16, features=8)


@pytest.fixture(scope="module")
def density() -> GaussianMixture:
    return choosing_sigma.mixture()


def network(kind: Parameterisation = "denoiser", dtype: torch.dtype = torch.float64) -> tuple[ScoreNetwork, Tensor]:
    """A small network with all of its layers random."""
    shape = ScoreNetwork(TINY, Preconditioning((0.0, 0.0), 0.5, kind), torch.device("cpu"))
    generator = torch.Generator().manual_seed(3)
    layers = [0.5 * torch.randn(s, generator=generator) / math.sqrt(s[1]) for s in shape.shapes]
    return shape, torch.cat([layer.flatten() for layer in layers]).to(dtype)


def draws(density: GaussianMixture, n: int, kernel: str = "gaussian") -> Batch:
    """Samples of p_sigma in float64, with the true score there."""
    generator, noise = torch.Generator().manual_seed(1), kernel_named(kernel)
    x0 = density.sample(n, 0.0, generator=generator).double()
    x = x0 + noise.sample(x0, SIGMA, generator)
    return Batch(
        x0, x, torch.full((n,), SIGMA, dtype=torch.float64), kernel=noise, exact=density.score(x, SIGMA, kernel=noise)
    )


def within_four_errors(values: Tensor) -> bool:
    """Whether the mean is zero as far as these samples can tell."""
    return abs(float(values.mean())) < 4 * float(values.std()) / math.sqrt(len(values))


@pytest.mark.parametrize(
    ("kernel", "kind"),
    [
        ("gaussian", "denoiser"),
        ("gaussian", "energy"),
        ("gaussian", "noise"),
        ("laplace", "score"),
        ("mixture", "unconditional"),
    ],
)
def test_the_losses_lie_constants_apart(kernel: str, kind: Parameterisation, density: GaussianMixture) -> None:
    """On the same samples. What is left is s_theta . s + tr grad s_theta, or s_theta . (s - t): of mean zero."""
    batch = draws(density, 20_000, kernel)
    shape, weights = network(kind)
    score = shape.score_function(weights, batch.sigma)
    assert batch.exact is not None
    explicit = esm(score, batch).detach()
    truth = 0.5 * batch.exact.square().sum(1)
    target = 0.5 * one_draw_target(batch).square().sum(1)
    implicit = explicit - ism(score, batch).detach() - truth
    denoising = explicit - dsm(score, batch).detach() - (truth - target)
    for gap, constant in ((implicit, truth), (denoising, truth - target)):
        assert within_four_errors(gap)
        assert float(gap.std()) / math.sqrt(len(gap)) < 0.02 * abs(float(constant.mean()))  # so the test can tell


def test_the_constants_hold_along_a_run(density: GaussianMixture) -> None:
    for learner in equivalence.run_to(density, SIGMA, (0, 10, 100)).values():
        for gap in equivalence.gaps(learner.network, learner.weights, density, SIGMA, 40_000):
            assert abs(gap.deviation) < 4 * gap.error
            assert gap.error < 0.02


def test_noise_prediction_is_denoising_weighted(density: GaussianMixture) -> None:
    batch = draws(density, 100)
    shape, weights = network()
    score = shape.score_function(weights, batch.sigma)
    assert torch.allclose(noise_prediction(score, batch), 2 * SIGMA**2 * dsm(score, batch), rtol=1e-12)


def gradient_of(loss: Callable[[ScoreFunction, Batch], Tensor], batch: Batch) -> Tensor:
    shape, weights = network()
    leaf = weights.requires_grad_(True)
    return torch.autograd.grad(loss(shape.score_function(leaf, batch.sigma), batch).mean(), leaf)[0]


@pytest.mark.parametrize("loss", [ism, ssm, ssm_vr, dsm])
def test_gradients_point_the_same_way(loss: Callable[[ScoreFunction, Batch], Tensor], density: GaussianMixture) -> None:
    batch = draws(density, 40_000)
    probes = torch.randint(0, 2, (1, 40_000, 2), generator=torch.Generator().manual_seed(2)).double() * 2 - 1
    wanted, found = gradient_of(esm, batch), gradient_of(loss, replace(batch, probes=probes))
    assert float(torch.cosine_similarity(wanted, found, 0)) > 0.995
    assert float(found.norm() / wanted.norm()) == pytest.approx(1, abs=0.05)


def even_probes(kind: str, like: Tensor) -> Tensor:
    """Directions whose mean of v v^T is the unit matrix exactly."""
    if kind == "rademacher":
        v = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], dtype=torch.float64)
    else:
        angle = torch.arange(5, dtype=torch.float64) * (2 * math.pi / 5)
        v = math.sqrt(2) * torch.stack((angle.cos(), angle.sin()), 1)
    return v[:, None].expand(-1, len(like), -1)


@pytest.mark.parametrize("loss", [ssm, ssm_vr])
@pytest.mark.parametrize("kind", ["rademacher", "sphere"])
def test_over_all_directions_slicing_is_the_exact_trace(
    kind: str, loss: Callable[[ScoreFunction, Batch], Tensor], density: GaussianMixture
) -> None:
    """Per sample and in the gradient, in float64; v^T J v averages to tr J whatever J is, if v v^T averages to I."""
    batch = draws(density, 50)
    batch = replace(batch, probes=even_probes(kind, batch.x))
    shape, weights = network()
    score = shape.score_function(weights, batch.sigma)
    assert torch.allclose(loss(score, batch), ism(score, batch), rtol=1e-10)
    assert torch.allclose(gradient_of(loss, batch), gradient_of(ism, batch), rtol=1e-8, atol=1e-12)


@pytest.fixture(scope="module")
def learner(density: GaussianMixture) -> LearnedScore:
    shape, weights = network(dtype=torch.float32)
    return LearnedScore(
        shape, weights, (SIGMA, SIGMA), settings=FitSettings(network=TINY), density=density, seed=0, step=0
    )


@pytest.mark.parametrize("loss", [ssm, ssm_vr])
@pytest.mark.parametrize("kind", ["gaussian", "rademacher", "sphere"])
def test_at_a_fixed_batch_the_variance_falls_like_one_over_the_number_of_directions(
    kind: Projection, loss: projections.Loss, learner: LearnedScore, density: GaussianMixture
) -> None:
    x = density.sample(128, SIGMA, generator=torch.Generator().manual_seed(4))
    counts = (1, 4, 16)
    variances = [projections.scatter(learner, loss, kind, x, SIGMA, m, draws=48)[0] for m in counts]
    assert projections.slope(counts, variances) == pytest.approx(-1, abs=0.15)


def test_the_total_error_of_one_level_is_u_shaped(density: GaussianMixture) -> None:
    """Too little noise: the target's variance. Too much: the bias, which is exact and grows with sigma."""
    truth = choosing_sigma.Truth(density)
    found = {}
    for sigma in (0.01, 0.06, 0.5):
        settings = FitSettings(target="single", network=TINY, ladder=LadderSettings(levels=1, sigma_min=sigma))
        fit: Fit = choosing_sigma.trained(density, settings, 0, 150)
        found[sigma] = (truth.bias(sigma), *truth.errors(fit, sigma))
    bias, variance, total = (np.array(column) for column in zip(*found.values(), strict=True))
    assert (np.diff(bias) > 0).all()
    assert (np.diff(variance) < 0).all()
    assert total[1] < 0.7 * min(total[0], total[2])


def test_the_bias_on_a_gaussian_is_the_closed_form() -> None:
    """s_0 = -x / v and s_sigma = -x / (v + sigma^2): the bias is (sigma^2 / (v + sigma^2))^2."""
    v = 0.09
    truth = choosing_sigma.Truth(GaussianMixture([1.0], [[0.1, 0.0]], [[[v, 0.0], [0.0, v]]]))
    for sigma in (0.005, 0.1, 1.0):
        assert truth.bias(sigma) == pytest.approx((sigma**2 / (v + sigma**2)) ** 2, rel=1e-9)
