"""The written-out passes against autograd and against the plainest code; the preconditioning against a Gaussian."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from trainer.densities import GaussianMixture
from trainer.networks import ScoreNetwork
from trainer.objectives import weighted_squares
from trainer.parameterisations import Preconditioning
from trainer.passes import RegressionPass
from trainer.settings import Activation, NetworkSettings

CPU = torch.device("cpu")
CONDITIONING = Preconditioning((0.1, -0.2), 0.45)


def _case(
    settings: NetworkSettings, rows: int, dtype: torch.dtype
) -> tuple[ScoreNetwork, Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(11)
    network = ScoreNetwork(settings, CONDITIONING, CPU)
    weights = network.initial(generator).to(dtype)
    weights += 0.1 * torch.randn(network.count, generator=generator, dtype=dtype)  # the last layer begins at zero
    sigma = torch.logspace(0.3, -1.7, rows, dtype=dtype)
    features = torch.zeros(rows, network.inputs, dtype=dtype)
    network.features(torch.randn(rows, 2, generator=generator, dtype=dtype), network.levels(sigma), features)
    target = torch.randn(rows, 2, generator=generator, dtype=dtype)
    weight = torch.rand(rows, generator=generator, dtype=dtype)
    return network, weights, features, target, weight


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_written_out_gradient_is_autograds(depth: int) -> None:
    settings = NetworkSettings(width=24, depth=depth, features=10)
    network, weights, features, target, weight = _case(settings, 40, torch.float64)
    training = RegressionPass(network, 40, torch.float64)
    loss = training.loss(weights, features, target, weight)
    leaf = weights.clone().requires_grad_()
    expected = 0.5 * weighted_squares(network.output(leaf, features) - target, weight).mean()
    expected.backward()
    assert float(loss) == pytest.approx(float(expected.detach()), rel=1e-12)
    assert leaf.grad is not None
    torch.testing.assert_close(training.gradient, leaf.grad, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("activation", ["silu", "gelu", "tanh", "softplus"])
def test_every_activation_and_the_robust_gradient_are_autograds(activation: Activation) -> None:
    """The robust gradient is that of c^2 (sqrt(1 + u / c^2) - 1) with c^2, the mean of u, held."""
    network, weights, features, target, weight = _case(
        NetworkSettings(width=24, features=10, activation=activation), 40, torch.float64
    )
    training = RegressionPass(network, 40, torch.float64, robust=True)
    loss = training.loss(weights, features, target, weight)
    leaf = weights.clone().requires_grad_()
    u = weight * (network.output(leaf, features) - target).square().sum(1)
    assert float(loss) == pytest.approx(0.5 * float(u.detach().mean()), rel=1e-12)
    scale = u.detach().mean()
    (scale * ((1 + u / scale).sqrt() - 1)).mean().backward()
    assert leaf.grad is not None
    torch.testing.assert_close(training.gradient, leaf.grad, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(("dtype", "within"), [(torch.float32, 1e-5), (torch.bfloat16, 0.02)])
def test_training_precision_changes_the_gradient_little(dtype: torch.dtype, within: float) -> None:
    network, weights, features, target, weight = _case(NetworkSettings(), 512, torch.float64)
    exact, rough = RegressionPass(network, 512, torch.float64), RegressionPass(network, 512, dtype)
    exact.loss(weights, features, target, weight)
    rough.loss(weights.float(), features.to(dtype), target.float(), weight.float())
    assert float((rough.gradient - exact.gradient).norm() / exact.gradient.norm()) < within


def test_score_at_one_sigma_is_the_plain_passes() -> None:
    network = ScoreNetwork(NetworkSettings(), CONDITIONING, CPU)
    generator = torch.Generator().manual_seed(2)
    weights = network.initial(generator) + 0.1 * torch.randn(network.count, generator=generator)
    x = torch.randn(5000, 2, generator=generator)
    for sigma in (0.02, 0.3, 2.5):
        quick = network.score(weights, x, sigma)
        plain = network.score(weights, x, torch.full((5000,), sigma))
        assert float((quick - plain).abs().max() / plain.square().mean().sqrt()) < 1e-4
    assert network.score(weights, x[:0], 0.1).shape == (0, 2)


def test_a_fresh_network_is_exact_on_a_gaussian() -> None:
    # F = 0 leaves Karras et al.'s optimal denoiser of N(mean, scale^2 I).
    mean, scale = CONDITIONING.mean, CONDITIONING.scale
    gaussian = GaussianMixture([1.0], [list(mean)], [[[scale**2, 0.0], [0.0, scale**2]]])
    network = ScoreNetwork(NetworkSettings(), CONDITIONING, CPU)
    x = torch.randn(200, 2, generator=torch.Generator().manual_seed(3))
    for sigma in (0.02, 0.5, 2.0):
        torch.testing.assert_close(
            network.score(network.initial(torch.Generator()), x, sigma), gaussian.score(x, sigma), rtol=1e-5, atol=1e-5
        )


def test_output_and_score_are_inverse() -> None:
    x, score = torch.randn(2, 50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    sigma = torch.logspace(-2, 0.5, 50, dtype=torch.float64)
    output = CONDITIONING.output(score, x, sigma)
    torch.testing.assert_close(CONDITIONING.score(output, x, sigma), score, rtol=1e-12, atol=1e-12)


def test_noise_blurs_the_features_away() -> None:
    network = ScoreNetwork(NetworkSettings(), CONDITIONING, CPU)
    levels = network.levels(torch.tensor([0.01, 0.3, 3.0]))
    seen = (levels.damping > 1e-3).sum(1).tolist()
    assert seen[0] == 64
    assert 20 < seen[1] < 50
    assert seen[2] == 0


def test_parameters_of_the_default_network() -> None:
    assert ScoreNetwork(NetworkSettings(), CONDITIONING, CPU).count == 144 * 128 + 128 * 128 + 2 * 128
