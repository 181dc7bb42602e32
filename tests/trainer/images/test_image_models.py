"""An image model is a score in the data's own coordinates, whatever its network gives: against plain diffusers."""

from __future__ import annotations

import math

import pytest
import torch
from diffusers import DDPMScheduler

from tests.trainer.images.small import small_card, small_unet
from trainer.errors import InputError
from trainer.images.ladder import ddpm_sigmas
from trainer.images.models import ImageScore
from trainer.images.networks import PRESETS, build_unet
from trainer.images.settings import ImageSettings


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(2))


def test_ncsn_is_the_network_itself(x: torch.Tensor) -> None:
    unet = small_unet("ncsn")
    model = ImageScore(unet, small_card("ncsn"))
    with torch.no_grad():
        sigma = torch.tensor([0.1, 0.7, 2.0, 8.0])
        assert torch.equal(model.score(x, sigma), unet(x, sigma).sample)
        assert torch.equal(model.score(x, 0.7), unet(x, torch.full((4,), 0.7)).sample)
        assert not torch.allclose(model.score(x, 0.7), unet(x, 1.7).sample)
        assert torch.equal(unet(x, 1.7).sample, unet(x, 1).sample)  # why timesteps are tensors here


def test_the_network_divides_by_sigma(x: torch.Tensor) -> None:
    unet = small_unet("ncsn")
    unet.time_proj.weight.zero_()  # blind to sigma, but for the division
    model = ImageScore(unet, small_card("ncsn"))
    torch.testing.assert_close(model.score(x, 0.5), 8 * model.score(x, 4.0))


@pytest.mark.parametrize("t", [0, 3, 400, 999])
def test_ddpm_is_minus_the_noise_over_sigma(x: torch.Tensor, t: int) -> None:
    unet = small_unet("ddpm")
    model = ImageScore(unet, small_card("ddpm"))
    sigma = float(ddpm_sigmas()[t])
    kept = float(DDPMScheduler().alphas_cumprod[t])
    with torch.no_grad():
        noise = unet(math.sqrt(kept) * x, torch.full((4,), float(t))).sample
        torch.testing.assert_close(model.score(x, sigma), -noise / sigma, rtol=2e-3, atol=1e-4)


def test_timesteps_lie_between_whole_ones_as_ln_sigma_does() -> None:
    model = ImageScore(small_unet("ddpm"), small_card("ddpm"))
    sigmas = ddpm_sigmas()
    torch.testing.assert_close(model.timesteps(sigmas), torch.arange(1000.0, dtype=torch.float64))
    middle = (sigmas[:-1] * sigmas[1:]).sqrt()
    torch.testing.assert_close(model.timesteps(middle), torch.arange(999.0, dtype=torch.float64) + 0.5)
    assert model.timesteps(sigmas[[0, -1]] * torch.tensor([0.9999999, 1.0000001])).tolist() == pytest.approx([0, 999])


def test_another_range_of_values_is_a_change_of_coordinates(x: torch.Tensor) -> None:
    unet = small_unet("ncsn")
    model = ImageScore(unet, small_card("ncsn", range=(0.0, 1.0)))
    with torch.no_grad():
        expected = 0.5 * unet((x + 1) / 2, torch.full((4,), 0.6)).sample
        torch.testing.assert_close(model.score(x, 1.2), expected)


@pytest.mark.parametrize("objective", ["ncsn", "ddpm"])
def test_the_score_is_like_x_and_differentiable(x: torch.Tensor, objective: str) -> None:
    model = ImageScore(small_unet(objective), small_card(objective))
    assert model.score(x.double(), 0.5).dtype == torch.float64
    assert not model.score(x, 0.5).requires_grad
    x.requires_grad_()
    (slope,) = torch.autograd.grad(model.score(x, 0.5).sum(), x)
    assert slope.abs().sum() > 0


def test_what_was_not_learned_is_refused(x: torch.Tensor) -> None:
    model = ImageScore(small_unet("ncsn"), small_card("ncsn"))
    assert (model.sigma_min, model.sigma_max) == pytest.approx((0.05, 8))
    for sigma in (0.01, 9.0, math.nan, torch.tensor([1.0, 1, 1, 20])):
        with pytest.raises(InputError, match="outside the trained range"):
            model.score(x, sigma)
    with pytest.raises(InputError, match=r"does not fit the network; give \(B, 1, 8, 8\)"):
        model.score(x[..., :4], 1.0)
    with pytest.raises(InputError, match="does not match x"):
        model.score(x, torch.ones(3))


@pytest.mark.parametrize("objective", ["ncsn", "ddpm"])
@pytest.mark.parametrize("preset", PRESETS)
def test_presets_run_on_grey_and_colour(preset: str, objective: str) -> None:
    settings = ImageSettings(preset=preset, objective=objective)  # type: ignore[arg-type]
    side = 1 << PRESETS[settings.preset].halvings
    for channels in (1, 3):
        with torch.device("meta"):
            unet = build_unet(settings, (channels, side, 2 * side))
            out = unet(torch.empty(2, channels, side, 2 * side), torch.ones(2)).sample
        assert out.shape == (2, channels, side, 2 * side)
        assert unet.config.time_embedding_type == ("fourier" if objective == "ncsn" else "positional")
        skips = unet.config.down_block_types[0].startswith("Skip")
        assert skips == (preset == "ncsnpp" and channels == 3)


def test_tiny_is_small_enough_to_ship() -> None:
    unet = build_unet(ImageSettings(preset="tiny"), (1, 8, 8))
    assert sum(p.numel() for p in unet.parameters()) * 4 < 4e6
    assert unet.time_proj.weight.std() == pytest.approx(1, abs=0.4)
