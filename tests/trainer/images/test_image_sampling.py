"""Pictures from closed-form scores: the right Gaussian at the end, and each picture the same in any company."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.trainer.images.gaussian import GaussianPictures
from tests.trainer.images.small import LADDER, small_card, small_unet
from trainer.annealing import variance_excess
from trainer.errors import InputError, TrainingError
from trainer.images.grids import LINE, grid, png_bytes, write_grid, write_samples
from trainer.images.models import ImageScore
from trainer.images.sampling import IMAGE_SAMPLERS, emerging, mean_picture, recommended, sample_pictures
from trainer.images.sources import read_pictures
from trainer.langevin import noise_levels
from trainer.settings import ParticleSettings


@pytest.mark.parametrize("sampler", IMAGE_SAMPLERS)
@pytest.mark.parametrize("objective", ["ncsn", "ddpm"])
def test_recommended_settings_end_at_the_truth(objective: str, sampler: str) -> None:
    model: Any = GaussianPictures(objective)
    x = sample_pictures(model, 300, sampler=sampler, seed=3)
    assert x.shape == (300, 1, 6, 8)
    assert x.dtype == torch.float32
    values = x - model.mean[:, :6]
    error = 0.2 / math.sqrt(values.numel())
    assert float(values.mean()) == pytest.approx(0, abs=5 * error)
    assert float(values.mean(0).abs().max()) < 5 * 0.2 / math.sqrt(300)
    # the posterior mean at the last level lacks its variance; steps of finite size do the rest, and annealed Langevin
    # dynamics keeps part of the noise of earlier levels
    variance = float(values.var()) / (0.04**2 / (0.04 + model.sigma_min**2))
    assert 0.9 < variance < (1.15 if sampler == "annealed" else 1.06)


def test_the_mean_picture_is_read_off_the_score() -> None:
    model: Any = GaussianPictures()
    shrunk = model.mean * 64 / (64 + model.variance)  # the posterior mean of what lies at 0
    torch.testing.assert_close(mean_picture(model, 8.0), shrunk, atol=1e-5, rtol=1e-5)


def test_a_start_about_zero_would_end_elsewhere() -> None:
    """Why the start has a mean: the ODE keeps the distance in standard deviations."""
    model: Any = GaussianPictures()
    settings = recommended(model, "ode")
    start = next(iter(emerging(model, torch.arange(400), sampler="ode", settings=settings)))
    assert (start.step, start.sigma) == (0, pytest.approx(8))
    assert float((start.x - model.mean[:, :6]).mean()) == pytest.approx(0, abs=5 * 8 / math.sqrt(400 * 48))


def test_annealed_follows_technique_4_on_the_models_ladder() -> None:
    model: Any = GaussianPictures()
    settings = recommended(model, "annealed")
    levels = noise_levels(settings)
    assert [level.sigma for level in levels] == pytest.approx(LADDER)
    assert {level.steps for level in levels} == {25}  # 1,000 over 40 levels
    ratio = LADDER[0] / LADDER[1]
    best = settings.epsilon / 2 / LADDER[-1] ** 2
    for other in (0.9 * best, 1.1 * best):
        assert variance_excess(best, ratio, 25) < variance_excess(other, ratio, 25)
    assert recommended(model, "ddpm").start_sigma == pytest.approx(8)


def test_ddpm_models_start_no_further_out_than_pictures_can_be_apart() -> None:
    model: Any = GaussianPictures("ddpm")
    diagonal = 2 * math.sqrt(48)
    assert recommended(model, "sde").start_sigma == pytest.approx(diagonal)
    assert recommended(model, "annealed").sigma_max == pytest.approx(diagonal)
    assert recommended(model, "ddpm").start_sigma == pytest.approx(model.sigma_max)
    assert len(noise_levels(recommended(model, "annealed"))) == 84


@pytest.mark.parametrize("sampler", IMAGE_SAMPLERS)
def test_a_picture_is_the_same_in_any_company(sampler: str) -> None:
    model = ImageScore(small_unet("ncsn"), small_card("ncsn"))
    settings = recommended(model, sampler)
    short = ParticleSettings(
        levels=6, steps=2, fine_steps=2, epsilon=settings.epsilon, sigma_min=0.05, sigma_max=8, diffusion_steps=8
    )
    every = sample_pictures(model, 5, sampler=sampler, settings=short, seed=4)
    parts = sample_pictures(model, 5, sampler=sampler, settings=short, seed=4, batch=2)
    torch.testing.assert_close(every, parts, atol=1e-4, rtol=0)
    torch.testing.assert_close(
        every[3:4], sample_pictures(model, 1, sampler=sampler, settings=short, seed=4, first=3), atol=1e-4, rtol=0
    )
    other = sample_pictures(model, 5, sampler=sampler, settings=short, seed=5)
    assert float((every - other).abs().mean()) > 1e-2


def test_emergence_is_told_step_by_step() -> None:
    model: Any = GaussianPictures()
    seen = []
    moments = list(emerging(model, torch.arange(3), sampler="ddim"))
    assert [moment.step for moment in moments] == list(range(len(moments)))
    sigmas = [moment.sigma for moment in moments]
    assert sigmas == sorted(sigmas, reverse=True)
    assert sigmas[-1] == 0
    last = sample_pictures(model, 3, sampler="ddim", watch=lambda done, total: seen.append((done, total)))
    torch.testing.assert_close(moments[-1].x.clamp(-1, 1), last)
    assert seen[-1] == (len(moments) - 1,) * 2


def test_what_diverges_is_told_and_never_shown() -> None:
    class Broken(GaussianPictures):
        def score(self, x: torch.Tensor, sigma: float) -> torch.Tensor:
            score = super().score(x, sigma)
            if sigma < 1:
                score[1] = torch.nan
                score[2] *= -1e4
            return score

    model: Any = Broken()
    *_, last = emerging(model, torch.arange(4), sampler="sde")
    assert last.diverged.tolist() == [False, True, True, False]
    assert bool(last.x.isfinite().all())
    with pytest.raises(TrainingError, match=r"^sde: 2 of 4 pictures diverged; give a smaller epsilon"):
        sample_pictures(model, 4, sampler="sde")


def test_bad_requests() -> None:
    model: Any = GaussianPictures()
    with pytest.raises(InputError, match="sampler: 'mala' is unknown"):
        sample_pictures(model, 4, sampler="mala")
    with pytest.raises(InputError, match="n: 0 is out of range"):
        sample_pictures(model, 0)
    with pytest.raises(InputError, match="start_sigma: 20 is outside the model's noise levels"):
        sample_pictures(model, 4, sampler="ode", settings=ParticleSettings(sigma_min=0.05, start_sigma=20))


def test_noise_levels_of_large_pictures_are_allowed() -> None:
    assert ParticleSettings(sigma_max=400.0).sigma_max == 400
    with pytest.raises(InputError, match=r"give a number between 0\.001 and 1000$"):
        ParticleSettings(sigma_max=2000.0)


# --- grids --------------------------------------------------------------------------------------------------------


def test_a_grid_is_filled_row_by_row(tmp_path: Path) -> None:
    pictures = torch.full((5, 1, 32, 40), -1.0)
    pictures[3] = 1
    pictures[4] = 7  # cut off
    sheet = grid(pictures, 3)
    assert sheet.shape == (65, 122)
    assert sheet.dtype == np.uint8
    assert (sheet[:32, :40] == 0).all()
    assert (sheet[33:, :40] == 255).all()
    assert (sheet[33:, 41:81] == 255).all()
    assert (sheet[32] == LINE).all()
    assert (sheet[33:, 82:] == LINE).all()
    write_grid(tmp_path / "grid.png", pictures, 3)
    with Image.open(tmp_path / "grid.png") as image:
        assert (np.asarray(image) == sheet).all()
    assert png_bytes(grid(np.zeros((2, 3, 4, 4)))).startswith(b"\x89PNG")


def test_small_pictures_are_enlarged_without_blur() -> None:
    picture = torch.linspace(-1, 1, 192).reshape(1, 3, 8, 8)
    sheet = grid(picture)
    assert sheet.shape == (32, 32, 3)
    assert len(np.unique(sheet[..., 0])) <= 64
    assert (sheet[:4, :4] == sheet[0, 0]).all()
    with pytest.raises(InputError, match="columns: 0; give at least 1"):
        grid(picture, 0)
    with pytest.raises(InputError, match="pictures: shape"):
        grid(picture[0])


def test_samples_are_read_back(tmp_path: Path) -> None:
    x = torch.rand(7, 1, 5, 6, generator=torch.Generator().manual_seed(0)) * 2 - 1
    write_samples(tmp_path / "samples.npz", x, 17)
    back = read_pictures(tmp_path / "samples.npz")
    assert (back.levels, back.shape, len(back)) == (17, (1, 5, 6), 7)
    assert (back.values == ((x.numpy() + 1) * 8.5).astype(np.uint8)).all()
