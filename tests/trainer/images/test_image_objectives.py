"""Losses against closed forms and diffusers' own noising; averages against diffusers' EMAModel."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from trainer.images.averages import Average, decay
from trainer.images.objectives import NoisePrediction, ScoreMatching

N = 40_000


def network(function: Callable[[Tensor, Tensor], Tensor]) -> torch.nn.Module:
    class Network(torch.nn.Module):
        def forward(self, x: Tensor, timesteps: Tensor) -> SimpleNamespace:
            assert timesteps.dtype == torch.float32
            return SimpleNamespace(sample=function(x, timesteps[:, None, None, None]))

    return Network()


@pytest.fixture(scope="module")
def draws() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    clean, noise = torch.randn(2, N, 1, 2, 2, generator=generator)
    return 0.5 * clean, noise, torch.rand(N, generator=generator)


def test_a_network_that_gives_nothing(draws: tuple[Tensor, Tensor, Tensor]) -> None:
    nothing = network(lambda x, _: torch.zeros_like(x))
    noise = draws[1].square().mean()
    assert ScoreMatching(torch.tensor([3.0, 0.1])).loss(nothing, *draws) == pytest.approx(float(noise) / 2)
    assert NoisePrediction().loss(nothing, *draws) == pytest.approx(float(noise))


@pytest.mark.parametrize("sigma", [0.1, 0.5, 4.0])
def test_the_exact_score_of_a_gaussian_leaves_what_cannot_be_known(
    draws: tuple[Tensor, Tensor, Tensor], sigma: float
) -> None:
    # data N(0, 1/4): E |sigma s + z|^2 = 1 - sigma^2 / (1/4 + sigma^2) in each dimension
    exact = network(lambda x, s: -x / (0.25 + s**2))
    loss = ScoreMatching(torch.tensor([sigma, sigma])).loss(exact, *draws)
    assert loss == pytest.approx(0.25 / (0.25 + sigma**2) / 2, rel=0.02)


def test_levels_are_drawn_evenly() -> None:
    seen: list[Tensor] = []
    watch = network(lambda x, s: (seen.append(s[:, 0, 0, 0]), torch.zeros_like(x))[1])
    level = torch.arange(1000) / 1000
    ScoreMatching(torch.tensor([4.0, 2.0, 1.0, 0.5])).loss(
        watch, torch.zeros(1000, 1, 1, 1), torch.zeros(1000, 1, 1, 1), level
    )
    NoisePrediction().loss(watch, torch.zeros(1000, 1, 1, 1), torch.zeros(1000, 1, 1, 1), level)
    values, counts = seen[0].unique(return_counts=True)
    assert values.tolist() == [0.5, 1, 2, 4]
    assert counts.tolist() == [250] * 4
    assert (seen[1] - torch.arange(1000)).abs().max() <= 1  # float32 can round a whole product down


def test_ddpm_noises_as_diffusers_does() -> None:
    from diffusers import DDPMScheduler

    clean, noise = torch.randn(2, 6, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    t = torch.tensor([0, 1, 10, 500, 998, 999])
    seen: list[Tensor] = []
    watch = network(lambda x, s: (seen.extend((x, s[:, 0, 0, 0])), torch.zeros_like(x))[1])
    NoisePrediction().loss(watch, clean, noise, (t + 0.5) / 1000)
    assert seen[1].tolist() == t.tolist()
    torch.testing.assert_close(seen[0], DDPMScheduler().add_noise(clean, noise, t), atol=1e-4, rtol=1e-4)


def test_the_average_is_that_of_diffusers_after_its_first_copy() -> None:
    from diffusers.training_utils import EMAModel

    torch.manual_seed(0)
    trained = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    trained[0].bias.requires_grad_(False)
    average = Average(trained, torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2)), ema=0.6)
    theirs = EMAModel(trained.parameters(), decay=0.6)
    theirs.step(trained.parameters())  # their first step copies; ours begins with the second
    for step in range(1, 31):
        with torch.no_grad():
            for parameter in trained.parameters():
                if parameter.requires_grad:
                    parameter.add_(torch.randn_like(parameter))
        average.update(step)
        theirs.step(trained.parameters())
        assert theirs.cur_decay_value == pytest.approx(decay(step, 0.6))
    for ours, other in zip(average.network.parameters(), theirs.shadow_params, strict=True):
        torch.testing.assert_close(ours, other)


def test_decay() -> None:
    assert decay(1, 0.999) == pytest.approx(2 / 11)
    assert decay(10**6, 0.999) == 0.999
    assert decay(1, 0.999, warmup=False) == 0.999
