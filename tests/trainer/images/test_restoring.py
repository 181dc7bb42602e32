"""Denoising, inpainting and interpolation against closed forms: what comes out is what the posterior says."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from tests.trainer.images.gaussian import GaussianPictures
from trainer.errors import InputError
from trainer.images.restoring import Blend, Inpainted, Observed, noised, padded, settings_from, tweedie
from trainer.images.sampling import IMAGE_SAMPLERS, Moment, emerging, evaluations, levels_by_step, recommended
from trainer.noise import Noise


def last(moments: Any) -> Moment:  # noqa: ANN401 - an iterator of moments
    *_, moment = moments
    found: Moment = moment
    return found


@pytest.fixture
def model() -> Any:  # noqa: ANN401 - it stands in for an ImageScore
    return GaussianPictures()


def test_tweedie_gives_the_posterior_mean_and_the_noise(model: Any) -> None:  # noqa: ANN401
    sigma = torch.tensor([0.1, 0.5, 2.0])
    x = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    clean, noise = tweedie(_Batched(model), x, sigma)
    s2 = sigma.square().reshape(3, 1, 1, 1)
    expected = (s2 * model.mean + model.variance * x) / (s2 + model.variance)
    torch.testing.assert_close(clean, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(clean + sigma.reshape(3, 1, 1, 1) * noise, x, rtol=1e-5, atol=1e-6)


class _Batched(GaussianPictures):
    """The same with a noise level for each picture."""

    def __init__(self, other: GaussianPictures) -> None:
        super().__init__()

    def score(self, x: torch.Tensor, sigma: Any) -> torch.Tensor:  # noqa: ANN401 - a number or a tensor
        return (self.mean - x) / (self.variance + torch.as_tensor(sigma).reshape(-1, 1, 1, 1) ** 2)


@pytest.mark.parametrize("sampler", IMAGE_SAMPLERS)
def test_what_is_brought_back_is_drawn_from_the_posterior(sampler: str) -> None:
    model: Any = GaussianPictures("ddpm" if sampler in ("ddpm", "ddim") else "ncsn")
    settings = settings_from(model, sampler, 0.3)
    sigma = levels_by_step(model, sampler, settings)[0]
    assert sigma == pytest.approx(0.3, rel=0.02)
    noise = Noise(1)
    picture = model.mean[:, :6] + 0.2
    start = noised(model, picture, sigma, 400, noise)
    ids = torch.arange(400)
    given: Any = Observed(model, start, sigma) if sampler == "annealed" else model
    x = last(emerging(given, ids, sampler=sampler, settings=settings, noise=noise, start=start)).x
    # drawing x0 given x = y + sigma z, over z: mean m + k (y - m), k = v / (v + sigma^2)
    kept = 0.04 / (0.04 + sigma**2)
    if sampler in ("ode", "ddim"):  # the flow carries distances to the mean by the ratio of widths
        kept = math.sqrt(kept)
    shift = float((x - model.mean[:, :6]).mean())
    assert shift == pytest.approx(0.2 * kept, abs=0.012 + (0.03 if sampler == "annealed" else 0))


@pytest.mark.parametrize("sampler", IMAGE_SAMPLERS)
def test_inpainting_keeps_what_is_known_and_draws_the_rest(sampler: str) -> None:
    model: Any = GaussianPictures("ddpm" if sampler in ("ddpm", "ddim") else "ncsn")
    unknown = torch.zeros(6, 8, dtype=torch.bool)
    unknown[2:5, 3:] = True
    picture = torch.full((1, 6, 8), 0.9)
    inpainted: Any = Inpainted(model, picture, unknown)
    settings = recommended(model, sampler)
    run = emerging(inpainted, torch.arange(300), sampler=sampler, settings=settings, seed=2)
    x = last(inpainted.finished(run)).x
    assert x.shape == (300, 1, 6, 8)
    torch.testing.assert_close(x[:, :, ~unknown], picture[:, ~unknown].expand(300, 1, -1), rtol=0, atol=0)
    found = (x - model.mean[:, :6])[:, :, unknown]
    assert float(found.mean()) == pytest.approx(0, abs=0.02)
    assert float(found.std()) == pytest.approx(0.2, abs=0.03)


def test_known_values_are_noise_about_the_picture_on_the_way() -> None:
    model: Any = GaussianPictures()
    unknown = torch.zeros(6, 8, dtype=torch.bool)
    unknown[0, 0] = True
    inpainted: Any = Inpainted(model, torch.full((1, 6, 8), 0.5), unknown)
    for moment in emerging(inpainted, torch.arange(200), sampler="sde", seed=1):
        if 0.2 < moment.sigma < 0.6:
            known = moment.x[:, :, ~unknown] - 0.5
            assert float(known.mean()) == pytest.approx(0, abs=0.02)
            assert float(known.std()) == pytest.approx(moment.sigma, rel=0.06)


def test_masks_and_pictures_that_do_not_fit(model: Any) -> None:  # noqa: ANN401
    mask = torch.ones(6, 8, dtype=torch.bool)
    with pytest.raises(InputError, match="mask: nothing is unknown"):
        Inpainted(model, torch.zeros(1, 6, 8), ~mask)
    with pytest.raises(InputError, match=r"mask: shape \(8, 8\); give \(6, 8\)"):
        Inpainted(model, torch.zeros(1, 6, 8), torch.ones(8, 8, dtype=torch.bool))
    with pytest.raises(InputError, match="picture: shape"):
        Inpainted(model, torch.zeros(1, 8, 8), mask)


def test_padding_is_known(model: Any) -> None:  # noqa: ANN401
    inpainted: Any = Inpainted(model, torch.zeros(1, 6, 8), torch.ones(6, 8, dtype=torch.bool))
    score = inpainted.score(torch.zeros(1, 1, 8, 8), 0.5)
    assert torch.equal(score[:, :, 6:], torch.full((1, 1, 2, 8), -4.0))
    assert padded(model, torch.zeros(1, 6, 8)).shape == (1, 8, 8)


@pytest.mark.parametrize("sampler", ["annealed", "sde", "ode"])
def test_both_ends_of_an_interpolation_are_the_pictures_of_the_two_seeds(model: Any, sampler: str) -> None:  # noqa: ANN401
    blend = Blend(Noise(5), Noise(6), 7)
    ids = torch.arange(7)
    x = last(emerging(model, ids, sampler=sampler, noise=blend)).x
    for place, seed in ((0, 5), (6, 6)):
        alone = last(emerging(model, torch.arange(1), sampler=sampler, seed=seed)).x
        torch.testing.assert_close(x[place], alone[0], rtol=0, atol=1e-5)
    steps = (x[1:] - x[:-1]).square().mean((1, 2, 3)).sqrt()
    assert float(steps.max()) < 2 * float(steps.min())


def test_blended_noise_is_standard_normal_and_one_blend_is_the_first_seed() -> None:
    blend = Blend(Noise(0), Noise(1), 5)
    z = blend.normal(3, 0, torch.arange(5), (1, 100, 100))
    assert z.shape == (5, 1, 100, 100)
    assert torch.allclose(z.std((1, 2, 3)), torch.ones(5), atol=0.03)
    part = blend.normal(3, 0, torch.tensor([2, 4]), (1, 100, 100))
    assert torch.equal(part, z[[2, 4]])
    single = Blend(Noise(0), Noise(1), 1).normal(3, 0, 1, (4,))
    assert torch.equal(single, Noise(0).normal(3, 0, 1, (4,)))


@pytest.mark.parametrize("sampler", IMAGE_SAMPLERS)
def test_a_shorter_way_has_its_part_of_the_levels(model: Any, sampler: str) -> None:  # noqa: ANN401
    whole = recommended(model, sampler)
    part = settings_from(model, sampler, 0.5)
    assert levels_by_step(model, sampler, part)[0] == pytest.approx(0.5, rel=0.05)
    assert 10 <= evaluations(model, sampler, part) < evaluations(model, sampler, whole)
    own = settings_from(model, sampler, 0.5, whole)
    assert own.epsilon == whole.epsilon


def test_a_level_that_is_no_start(model: Any) -> None:  # noqa: ANN401
    for sigma in (0.01, 100.0):
        with pytest.raises(InputError, match=r"sigma: .* give a noise level between"):
            settings_from(model, "ode", sigma)
