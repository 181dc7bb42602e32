"""The objectives where they have a closed form: on a Gaussian, with a learner s = A x + b.

For data N(0, sd^2 I) in two dimensions p_sigma has the score -x / v, v = sigma^2 + sd^2, and the one-draw target
scatters about it with E|t - s|^2 = 2 (1 / sigma^2 - 1 / v). A linear learner has trace tr A everywhere.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from trainer.densities import GaussianMixture
from trainer.kernels import GAUSSIAN, Kernel, kernel_named
from trainer.models import TrueScore
from trainer.objectives import (
    Batch,
    VariateCoefficient,
    draw_probes,
    dsm,
    dsm_control_variate,
    dsm_reference,
    esm,
    floor_samples,
    hutchinson,
    ism,
    level_weights,
    noise_prediction,
    reference_target,
    regression,
    ssm,
    ssm_vr,
)
from trainer.settings import FitSettings, Projection, Weighting

SD = 0.4
N = 400_000
A = torch.tensor([[-3.0, 0.7], [-0.4, -1.5]], dtype=torch.float64)  # not symmetric: no gradient of anything
B = torch.tensor([0.3, -0.2], dtype=torch.float64)


def _linear(x: Tensor) -> Tensor:
    return x @ A.T + B


def _batch(sigma: float, n: int = N, kernel: Kernel = GAUSSIAN) -> Batch:
    generator = torch.Generator().manual_seed(5)
    x0 = SD * torch.randn(n, 2, generator=generator, dtype=torch.float64)
    x = x0 + kernel.sample(x0, sigma, generator)
    return Batch(x0, x, torch.full((n,), sigma, dtype=torch.float64), kernel, exact=-x / (sigma**2 + SD**2))


def _mixture() -> GaussianMixture:
    return GaussianMixture([0.6, 0.4], [[0.4, 0.3], [-0.5, -0.2]], [0.02 * torch.eye(2).numpy()] * 2)


@pytest.mark.parametrize("sigma", [0.05, 0.4, 2.0])
@pytest.mark.parametrize("weighting", ["edm", "ncsn", "ddpm", "none"])
def test_floor_of_denoising(weighting: Weighting, sigma: float) -> None:
    batch = _batch(sigma)
    weight = level_weights(weighting, batch.sigma, SD)
    loss = (weight * dsm(lambda x: -x / (sigma**2 + SD**2), batch)).mean()
    scatter = 2 * (sigma**-2 - 1 / (sigma**2 + SD**2))
    # EDM, Table 1: lambda = (sigma^2 + sd^2) / (sigma sd)^2 on the denoiser, which is sigma^2 times the score.
    edm = sigma**4 * (sigma**2 + SD**2) / (sigma * SD) ** 2
    on_score = {"edm": edm, "ncsn": sigma**2, "ddpm": 2 * sigma**2, "none": 1.0}[weighting]
    assert float(loss) == pytest.approx(0.5 * on_score * scatter, rel=0.01)
    floor = floor_samples(FitSettings(target="single"), batch)
    assert floor is not None
    assert float((weight * floor).mean()) == pytest.approx(float(loss), rel=1e-12)


def test_implicit_is_the_closed_form_point_by_point() -> None:
    batch = _batch(0.2, 100)
    expected = 0.5 * _linear(batch.x).square().sum(1) + A.trace()
    torch.testing.assert_close(ism(_linear, batch), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", ["gaussian", "rademacher", "sphere"])
def test_sliced_have_the_exact_trace_for_their_mean(kind: Projection) -> None:
    one = _batch(0.2, 1)
    exact = float(ism(_linear, one).detach())
    many = replace(one, probes=draw_probes(kind, 40_000, one.x, torch.Generator().manual_seed(3)))
    many = Batch(
        one.x0.expand(40_000, 2), one.x.expand(40_000, 2), one.sigma.expand(40_000), probes=many.probes.view(1, -1, 2)
    )
    for objective in (ssm, ssm_vr, hutchinson):
        values = objective(_linear, many).detach()
        spread = float(values.std()) / 200
        assert abs(float(values.mean()) - exact) < 4 * spread + 1e-12
        assert 0 < spread < 0.1


@pytest.mark.parametrize("kind", ["gaussian", "rademacher", "sphere"])
def test_probes_are_isotropic_and_each_kind_is_itself(kind: Projection) -> None:
    v = draw_probes(kind, 3, torch.zeros(100_000, 2, dtype=torch.float64), torch.Generator().manual_seed(1)).view(-1, 2)
    torch.testing.assert_close(v.T @ v / len(v), torch.eye(2, dtype=torch.float64), rtol=0, atol=0.01)
    fourth = float(v[:, 0].pow(4).mean())
    assert fourth == pytest.approx({"gaussian": 3.0, "rademacher": 1.0, "sphere": 1.5}[kind], rel=0.03)
    if kind == "sphere":
        torch.testing.assert_close(v.norm(dim=1), torch.full((len(v),), 2**0.5, dtype=torch.float64))


def test_unit_directions_would_halve_the_trace() -> None:
    one = _batch(0.2, 4000)
    unit = draw_probes("sphere", 1, one.x, torch.Generator().manual_seed(2)) / 2**0.5
    trace = (ssm_vr(_linear, replace(one, probes=unit)) - 0.5 * _linear(one.x).square().sum(1)).mean()
    assert float(trace.detach()) == pytest.approx(0.5 * float(A.trace()), rel=0.05)


def test_variance_falls_with_the_number_of_projections() -> None:
    batch = _batch(0.2, 20_000)
    exact = ism(_linear, batch).detach()
    variances = []
    for m in (1, 4, 16):
        probes = draw_probes("gaussian", m, batch.x, torch.Generator().manual_seed(m))
        variances.append(float((ssm_vr(_linear, replace(batch, probes=probes)).detach() - exact).square().mean()))
    # Var(v^T A v) = |A + A^T|_F^2 / 2 for Gaussian v.
    assert variances[0] == pytest.approx(float((A + A.T).square().sum()) / 2, rel=0.05)
    assert variances[0] / variances[1] == pytest.approx(4, rel=0.08)
    assert variances[1] / variances[2] == pytest.approx(4, rel=0.08)


@pytest.mark.parametrize("sigma", [0.05, 0.3])
def test_explicit_less_implicit_is_half_the_mean_square_of_the_score(sigma: float) -> None:
    batch = _batch(sigma)
    difference = (esm(_linear, batch) - ism(_linear, batch)).detach()
    constant = 1 / (sigma**2 + SD**2)  # 1/2 E|s|^2 = 1/2 d / v
    spread = float(difference.std()) / N**0.5
    assert float(difference.mean()) == pytest.approx(constant, abs=4 * spread)
    assert spread < 0.01 * constant


@pytest.mark.parametrize("name", ["gaussian", "laplace", "mixture"])
def test_denoising_less_explicit_is_free_of_the_learner(name: str) -> None:
    kernel, density, sigma = kernel_named(name), _mixture(), 0.15
    generator = torch.Generator().manual_seed(9)
    x0 = density.sample(N, generator=generator).double()
    x = x0 + kernel.sample(x0, sigma, generator)
    batch = Batch(
        x0, x, torch.full((N,), sigma, dtype=torch.float64), kernel, exact=density.score(x, sigma, kernel=kernel)
    )
    learners = [lambda x: -3 * x, _linear, lambda x: torch.tanh(2 * x) - x.square()]
    constants = [float((dsm(s, batch) - esm(s, batch)).mean()) for s in learners]
    floor = floor_samples(FitSettings(target="single"), batch)
    assert floor is not None
    for constant in constants:
        assert constant == pytest.approx(float(floor.mean()), rel=0.01)


def test_noise_prediction_is_ddpms_loss_in_its_own_coordinates() -> None:
    abar = 0.36
    sigma = ((1 - abar) / abar) ** 0.5
    batch = _batch(sigma, 1000)
    eps = (batch.x - batch.x0) / sigma
    x_t = abar**0.5 * batch.x0 + (1 - abar) ** 0.5 * eps

    def predicted(x_t: Tensor) -> Tensor:  # a network that predicts noise, in DDPM's own coordinates
        return torch.sin(3 * x_t) + 0.1

    loss = noise_prediction(lambda x: -predicted(abar**0.5 * x) / sigma, batch)
    torch.testing.assert_close(loss, (eps - predicted(x_t)).square().sum(1), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(loss, 2 * sigma**2 * dsm(lambda x: -predicted(abar**0.5 * x) / sigma, batch))


@pytest.mark.parametrize("name", ["gaussian", "laplace", "mixture"])
def test_a_reference_batch_gives_the_score_of_its_own_points(name: str) -> None:
    """With x0 among the reference, the target is the score of the empirical density, by autograd of its logarithm."""
    kernel, sigma = kernel_named(name), 0.3
    batch = _batch(sigma, 6, kernel)
    reference = SD * torch.randn(50, 2, generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    found = reference_target(replace(batch, reference=reference))
    for k in range(6):
        points = torch.cat((batch.x0[k : k + 1], reference))
        x = batch.x[k : k + 1].clone().requires_grad_()
        log_p = kernel.log_prob(x - points, torch.full((51,), sigma, dtype=torch.float64)).logsumexp(0)
        (expected,) = torch.autograd.grad(log_p, x)
        torch.testing.assert_close(found[k], expected[0], rtol=1e-9, atol=1e-9)


def test_a_reference_batch_lowers_the_variance_and_its_bias_fades() -> None:
    density, sigma = _mixture(), 0.1
    generator = torch.Generator().manual_seed(4)
    x0 = density.sample(4000, generator=generator).double()
    x = x0 + GAUSSIAN.sample(x0, sigma, generator)
    batch = Batch(x0, x, torch.full((4000,), sigma, dtype=torch.float64))
    exact = density.score(x, sigma)
    errors = [
        float((dsm_reference(lambda _: exact, replace(batch, reference=r))).mean())
        for r in (density.sample(n, generator=generator).double() for n in (10, 100, 1000))
    ]
    single = float(dsm(lambda _: exact, batch).mean())
    assert single > 1.2 * errors[0] > 2 * errors[1] > 8 * errors[2]


@pytest.mark.parametrize("sigma", [0.02, 0.1, 1.0])
def test_the_control_variate_has_mean_zero(sigma: float) -> None:
    batch = _batch(sigma)
    difference = dsm(_linear, batch) - dsm_control_variate(_linear, batch, 1.0)
    assert abs(float(difference.mean())) < 4 * float(difference.std()) / N**0.5


@pytest.mark.parametrize("sigma", [0.02, 0.1, 0.3, 1.0, 2.0])
def test_the_fitted_control_variate_never_adds_noise_to_the_gradient(sigma: float) -> None:
    """Of a learner W h(x), h = (x, sin 3x, 1): the scatter of W's gradient with the fitted c, with none and with 1."""
    batch = _batch(sigma, 40_000)

    def hidden(x: Tensor) -> Tensor:
        return torch.cat((x, torch.sin(3 * x), torch.ones_like(x[:, :1])), 1)

    def score(x: Tensor) -> Tensor:
        return -x / (sigma**2 + SD**2)

    fitted, level = VariateCoefficient(1, torch.device("cpu")), torch.zeros(40_000, dtype=torch.long)
    fitted.products = fitted.products.double()
    assert float(fitted.of(level[:1])) == 0
    fitted.update(score, hidden, batch, level)
    c = float(fitted.of(level[:1]))
    pull = (batch.x - batch.x0) / sigma**2
    plain = torch.einsum("bi,bj->bij", score(batch.x) + pull, hidden(batch.x))
    variate = torch.einsum("bi,bj->bij", pull, hidden(batch.x0))
    scatter = {k: float((plain - k * variate).var(0).sum()) for k in (0.0, c, 1.0)}
    assert scatter[c] < 1.001 * min(scatter.values())
    if sigma == 0.02:
        assert c > 0.9
        assert scatter[c] < 0.1 * scatter[0.0]
    if sigma == 2.0:
        assert c < 0.5
        assert scatter[1.0] > 1.1 * scatter[c]


def test_a_failed_step_teaches_the_control_variate_nothing() -> None:
    fitted, batch = VariateCoefficient(1, torch.device("cpu")), _batch(0.1, 100)
    fitted.products = fitted.products.double()
    level = torch.zeros(100, dtype=torch.long)
    fitted.update(_linear, lambda x: x, batch, level)
    before = fitted.of(level).clone()
    fitted.update(lambda x: x * torch.nan, lambda x: x, batch, level)
    assert torch.equal(fitted.of(level), before)


def test_each_objective_has_its_floor_at_the_truth() -> None:
    density, sigma = _mixture(), 0.2
    generator = torch.Generator().manual_seed(6)
    x0 = density.sample(200_000, generator=generator).double()
    x = x0 + GAUSSIAN.sample(x0, sigma, generator)
    batch = Batch(x0, x, torch.full((len(x),), sigma).double(), exact=density.score(x, sigma))
    batch = replace(batch, probes=draw_probes("rademacher", 2, x, generator))
    truth = TrueScore(density)
    losses = {"esm": esm, "ism": ism, "ssm": ssm, "ssm_vr": ssm_vr, "hutchinson": hutchinson, "dsm": dsm}
    for name, objective in losses.items():
        settings = FitSettings(objective=name, target="single")  # type: ignore[arg-type]
        floor = floor_samples(settings, batch)
        assert floor is not None
        at_truth = objective(lambda x: truth.score(x, sigma), batch).detach()
        gap = at_truth - floor
        assert abs(float(gap.mean())) < 4 * float(gap.std()) / len(x) ** 0.5 + 1e-12, name
        beside = objective(lambda x: 0.8 * truth.score(x, sigma), batch).detach()
        assert float(beside.mean()) > float(floor.mean()) + 0.1, name
    assert floor_samples(FitSettings(target="reference"), batch) is None
    pooled = floor_samples(FitSettings(), batch)
    assert pooled is not None
    assert float(pooled.abs().max()) == 0


def test_regression_is_half_the_square() -> None:
    batch = _batch(0.3, 10)
    target = torch.ones(10, 2, dtype=torch.float64)
    torch.testing.assert_close(regression(_linear, batch, target), 0.5 * (_linear(batch.x) - 1).square().sum(1))


def test_a_batch_that_lacks_what_is_needed_says_so() -> None:
    bare = replace(_batch(0.3, 4), exact=None)
    for objective in (esm, ssm, ssm_vr, dsm_reference):
        with pytest.raises(ValueError, match="lacks"):
            objective(_linear, bare)
