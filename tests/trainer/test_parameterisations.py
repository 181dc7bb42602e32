"""Parameterisations against Gaussians, autograd and one another."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from trainer.densities import GaussianMixture
from trainer.models import TrueScore
from trainer.networks import ScoreNetwork
from trainer.parameterisations import (
    Preconditioning,
    denoised_from_score,
    noise_from_score,
    score_from_denoised,
    score_from_noise,
)
from trainer.settings import NetworkSettings, Parameterisation

CPU = torch.device("cpu")
MEAN, SD = (0.1, -0.2), 0.45
KINDS = get_args(Parameterisation)


def _network(kind: Parameterisation, **settings: object) -> tuple[ScoreNetwork, torch.Tensor]:
    network = ScoreNetwork(NetworkSettings(width=24, features=12, **settings), Preconditioning(MEAN, SD, kind), CPU)  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(3)
    weights = network.initial(generator).double()
    return network, weights + 0.2 * torch.randn(network.count, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_output_and_score_undo_each_other(kind: Parameterisation) -> None:
    conditioning = Preconditioning(MEAN, SD, kind)
    generator = torch.Generator().manual_seed(1)
    score, centred = torch.randn(2, 50, 2, generator=generator, dtype=torch.float64)
    sigma = torch.logspace(-2, 1, 50, dtype=torch.float64)
    back = conditioning.score(conditioning.output(score, centred, sigma), centred, sigma)
    torch.testing.assert_close(back, score, rtol=1e-12, atol=1e-12)


def test_what_each_output_stands_for() -> None:
    """On the exact score of a mixture: F is the noise, the score, sigma s, or EDM's F of the denoiser."""
    mixture = GaussianMixture([0.7, 0.3], [[0.5, 0.2], [-0.4, 0.0]], [[[0.02, 0.01], [0.01, 0.03]]] * 2)
    x = torch.randn(40, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    sigma = torch.logspace(-1.5, 0.5, 40, dtype=torch.float64)
    s = TrueScore(mixture).score(x, sigma)
    mean = torch.tensor(MEAN, dtype=torch.float64)
    outputs = {k: Preconditioning(MEAN, SD, k).output(s, x - mean, sigma) for k in KINDS}
    torch.testing.assert_close(outputs["noise"], noise_from_score(s, sigma))
    torch.testing.assert_close(outputs["score"], s)
    torch.testing.assert_close(outputs["unconditional"], s * sigma[:, None])
    denoised, v = denoised_from_score(s, x, sigma), sigma[:, None] ** 2 + SD**2
    c_skip, c_out = SD**2 / v, sigma[:, None] * SD / v.sqrt()  # Karras et al. 2022, Table 1
    torch.testing.assert_close(c_skip * (x - mean) + c_out * outputs["denoiser"], denoised - mean)


def test_conversions_are_exact_and_the_denoiser_is_the_posterior_mean() -> None:
    sd, sigma = 0.3, 0.2
    gaussian = GaussianMixture([1.0], [[0.2, 0.1]], [[[sd**2, 0.0], [0.0, sd**2]]])
    x = torch.randn(30, 2, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    s = gaussian.score(x, sigma)
    centre = torch.tensor([0.2, 0.1], dtype=torch.float64)
    posterior = centre + sd**2 / (sd**2 + sigma**2) * (x - centre)
    torch.testing.assert_close(denoised_from_score(s, x, sigma), posterior, rtol=1e-12, atol=1e-12)
    levels = torch.full((30,), sigma, dtype=torch.float64)
    for level in (sigma, levels):
        torch.testing.assert_close(score_from_noise(noise_from_score(s, level), level), s)
        torch.testing.assert_close(score_from_denoised(denoised_from_score(s, x, level), x, level), s)
    torch.testing.assert_close(denoised_from_score(s, x, sigma), x - sigma * noise_from_score(s, sigma))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("settings", [{}, {"features": 0}, {"damped": False}, {"activation": "tanh", "octaves": 2.0}])
def test_every_way_to_the_score_gives_the_same(kind: Parameterisation, settings: dict[str, object]) -> None:
    network = ScoreNetwork(
        NetworkSettings(**({"width": 24, "features": 12} | settings)),  # type: ignore[arg-type]
        Preconditioning(MEAN, SD, kind),
        CPU,
    )
    generator = torch.Generator().manual_seed(3)
    weights = network.initial(generator).double()
    weights += 0.2 * torch.randn(network.count, generator=generator, dtype=torch.float64)
    x = torch.randn(60, 2, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    for sigma in (0.02, 0.4, 2.0):
        each = torch.full((60,), sigma, dtype=torch.float64)
        plain = network.score_function(weights, each)(x).detach()
        torch.testing.assert_close(network.score(weights, x, sigma), plain, rtol=1e-6, atol=1e-6 / sigma)
        torch.testing.assert_close(network.score(weights, x, each), plain, rtol=1e-12, atol=1e-12)


def test_an_energys_score_is_the_gradient_of_its_log_density_and_has_no_curl() -> None:
    network, weights = _network("energy")
    x = torch.randn(20, 2, generator=torch.Generator().manual_seed(6), dtype=torch.float64).requires_grad_()
    sigma = torch.full((20,), 0.2, dtype=torch.float64)
    log_p = network.log_density(weights, x, sigma)
    (expected,) = torch.autograd.grad(log_p.sum(), x)
    score = network.score_function(weights, sigma)(x)
    torch.testing.assert_close(score, expected, rtol=1e-10, atol=1e-10)
    down = [torch.autograd.grad(score[:, i].sum(), x, retain_graph=True)[0] for i in (0, 1)]
    assert float((down[0][:, 1] - down[1][:, 0]).abs().max()) < 1e-10
    step = 1e-5
    ahead = network.log_density(weights, x.detach() + torch.tensor([step, 0.0]), sigma)
    behind = network.log_density(weights, x.detach() - torch.tensor([step, 0.0]), sigma)
    torch.testing.assert_close((ahead - behind) / (2 * step), score[:, 0].detach(), rtol=1e-5, atol=1e-5)


def test_an_untrained_energy_and_denoiser_are_the_datas_gaussian() -> None:
    x = torch.randn(20, 2, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    sigma = torch.full((20,), 0.3, dtype=torch.float64)
    expected = -(x - torch.tensor(MEAN, dtype=torch.float64)) / (SD**2 + 0.09)
    for kind in ("energy", "denoiser"):
        network, _ = _network(kind)  # type: ignore[arg-type]
        fresh = network.initial(torch.Generator().manual_seed(1)).double()
        torch.testing.assert_close(network.score_function(fresh, sigma)(x).detach(), expected, rtol=1e-12, atol=1e-12)


def test_an_unconditional_network_sees_no_sigma() -> None:
    network, weights = _network("unconditional")
    x = torch.randn(20, 2, generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    torch.testing.assert_close(0.02 * network.score(weights, x, 0.02), 1.5 * network.score(weights, x, 1.5))
    for kind in ("denoiser", "noise", "score"):
        other, same = _network(kind)  # type: ignore[arg-type]
        centred = x - torch.tensor(MEAN, dtype=torch.float64)
        a, b = (
            other.conditioning.output(other.score(same, x, s), centred, torch.full((20,), s, dtype=torch.float64))
            for s in (0.02, 1.5)
        )
        assert float((a - b).abs().max()) > 0.01
