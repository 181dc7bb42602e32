"""The recommended ladder: distances against scipy's, Technique 2 against its own equation, the levels' width."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import norm

from tests.trainer.images.small import grey_pictures
from trainer.errors import InputError
from trainer.images.ladder import (
    ddpm_sigmas,
    ladder_levels,
    largest_picture_distance,
    level_ratio,
    levels_needed,
    recommended_ladder,
)
from trainer.images.pictures import scaled
from trainer.images.settings import ImageSettings


def test_the_largest_distance_is_that_of_all_pairs() -> None:
    pictures = grey_pictures(300)
    x = scaled(pictures.values, pictures.levels).reshape(300, -1)
    assert largest_picture_distance(pictures.values, 17) == pytest.approx(pdist(x).max(), rel=1e-5)


def test_of_many_pictures_a_sample_drawn_by_the_seed_is_compared() -> None:
    values = np.zeros((5000, 1, 2, 2), np.uint8)
    values[::2] = 255
    found = largest_picture_distance(values, 256, seed=3)
    assert found == pytest.approx(2 * 255 / 256 * 2, rel=1e-5)
    assert found == largest_picture_distance(values, 256, seed=3)


@pytest.mark.parametrize("dimension", [64, 784, 3072])
def test_the_ratio_solves_technique_2(dimension: int) -> None:
    g = level_ratio(dimension)
    shift = math.sqrt(2 * dimension) * (g - 1)
    assert norm.cdf(shift + 3 * g) - norm.cdf(shift - 3 * g) == pytest.approx(0.5, abs=1e-6)


def test_technique_2_gives_the_papers_number_for_cifar() -> None:
    # Song & Ermon 2020 took 232 levels from 50 to 0.01 for 32 x 32 colour pictures, "approximately" by this rule
    assert levels_needed(50, 0.01, 3072) == pytest.approx(232, rel=0.06)


def test_enough_levels_keep_the_ratio() -> None:
    count = levels_needed(10, 0.03, 64)
    assert (10 / 0.03) ** (1 / (count - 1)) <= level_ratio(64) < (10 / 0.03) ** (1 / (count - 2))


def test_the_ladder_of_pictures() -> None:
    pictures = grey_pictures()
    ladder = recommended_ladder(pictures.values, 17)
    assert ladder.sigma_min == pytest.approx(np.std((np.arange(10_000) + 0.5) / 10_000) * 2 / 17, rel=1e-4)
    assert ladder.sigma_max == pytest.approx(largest_picture_distance(pictures.values, 17))
    sigmas = ladder_levels(ladder)
    assert len(sigmas) == ladder.levels >= ladder.needed
    np.testing.assert_allclose(sigmas[:-1] / sigmas[1:], float(sigmas[0] / sigmas[1]), rtol=1e-12)
    assert math.log(sigmas[0] / sigmas[1]) <= 1 / 8


def test_what_is_given_stays() -> None:
    ladder = recommended_ladder(grey_pictures().values, 17, ImageSettings(levels=12, sigma_min=0.1, sigma_max=5))
    assert (ladder.sigma_max, ladder.sigma_min, ladder.levels) == (5, 0.1, 12)
    with pytest.raises(InputError, match=r"sigma_max: 0\.01 is not above"):
        recommended_ladder(grey_pictures().values, 17, ImageSettings(sigma_max=0.01))


def test_ddpms_levels_are_those_of_its_scheduler() -> None:
    from diffusers import DDPMScheduler

    kept = DDPMScheduler().alphas_cumprod.double().numpy()
    np.testing.assert_allclose(ddpm_sigmas().numpy(), np.sqrt((1 - kept) / kept), rtol=2e-3)
