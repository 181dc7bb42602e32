"""The loss on a Gaussian, where it has a closed form.

For data N(0, sd^2 I) in two dimensions p_sigma has the score -x / (sigma^2 + sd^2), and the one-draw target scatters
about it with E|t - s|^2 = 2 (1 / sigma^2 - 1 / (sigma^2 + sd^2)).
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from trainer.networks import Preconditioning
from trainer.objectives import level_weights, one_draw_target, weighted_loss
from trainer.settings import Weighting

SD = 0.4
N = 400_000


def _draws(sigma: float) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    x0 = SD * torch.randn(N, 2, generator=generator, dtype=torch.float64)
    x = x0 + sigma * torch.randn(N, 2, generator=generator, dtype=torch.float64)
    return x0, x, torch.full((N,), sigma, dtype=torch.float64)


@pytest.mark.parametrize("sigma", [0.05, 0.4, 2.0])
@pytest.mark.parametrize("weighting", ["edm", "ncsn", "none"])
def test_floor_of_the_loss(weighting: Weighting, sigma: float) -> None:
    x0, x, levels = _draws(sigma)
    conditioning = Preconditioning((0.0, 0.0), SD)
    target = conditioning.output(one_draw_target(x0, x, levels), x, levels)
    loss = weighted_loss(-target, level_weights(weighting, levels, SD))  # F = 0 is the exact score of a Gaussian
    scatter = 2 * (sigma**-2 - 1 / (sigma**2 + SD**2))
    # EDM, Table 1: lambda = (sigma^2 + sd^2) / (sigma sd)^2 on the denoiser, which is sigma^2 times the score.
    on_score = {"edm": sigma**4 * (sigma**2 + SD**2) / (sigma * SD) ** 2, "ncsn": sigma**2, "none": 1.0}[weighting]
    assert float(loss) == pytest.approx(0.5 * on_score * scatter, rel=0.01)


def test_dsm_is_esm_on_the_blurred_density_and_a_constant() -> None:
    sigma = 0.2
    x0, x, levels = _draws(sigma)
    total = sigma**2 + SD**2
    target = one_draw_target(x0, x, levels)
    one = torch.ones(N, dtype=torch.float64)
    floor = sigma**-2 - 1 / total
    for slope in (0.5 / total, 1.0 / total, 3.0 / total):
        dsm = float(weighted_loss(-slope * x - target, one))
        esm = 0.5 * (slope - 1 / total) ** 2 * 2 * total
        assert dsm - esm == pytest.approx(floor, rel=0.01)
