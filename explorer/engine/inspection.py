"""All that can be said of both fields at a few points: the columns `INSPECTED` of a frame.

The learned score's Jacobian comes from automatic differentiation (`trainer.derivatives`), so its divergence and its
curl are right to rounding. The true score's divergence is taken by central differences in double precision over a
hundredth of the width over which p_sigma changes, which is wrong by less than 2e-5 of it; its curl is zero.

The **expected points** of a place are how many of the points that one training block draws fall into a cell there,

    draws p_sigma(x) A,    A the cell's area:

far below one, the learner has never looked there, and what it says about the place is a guess.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from explorer.engine.frames import INSPECTED, Array
from trainer.densities import Density
from trainer.derivatives import SPACING, is_differentiable, jacobian, score_and_jacobian
from trainer.models import ScoreModel, TrueScore

_RELATIVE_SPACING = 0.01
_NARROWEST = 2e-3
"""Nothing on the plane is narrower: the finest painting's cells are four times as wide."""

_LARGEST = 3e38


@torch.no_grad()
def inspect(
    model: ScoreModel, density: Density, sigma: float, points: ArrayLike, draws_per_block: int, cell_area: float
) -> Array:
    """What both fields are at the points (k, 2) of the plane, as (k, 11), columns `INSPECTED`; always finite.

    Args:
        model: the learned score; a sigma that it does not know is held within its range, as in the fields shown.
        density: the truth, under the model's kernel.
        sigma: the noise level, in units of the plane.
        points: (k, 2).
        draws_per_block: how many points one training block draws.
        cell_area: the area of a cell, in units of the plane squared.
    """
    where = np.asarray(points, np.float64).reshape(-1, 2)
    if not len(where):
        return np.zeros((0, len(INSPECTED)), np.float32)
    sigma = min(max(sigma, model.sigma_min), model.sigma_max)
    x = torch.tensor(where, dtype=torch.float64)
    learned, bend = _learned(model, x, sigma)
    truth = TrueScore(density, model.kernel)
    width = max(sigma, getattr(density, "bandwidth", 0.0), _NARROWEST)
    true_bend = jacobian(truth, x, sigma, spacing=_RELATIVE_SPACING * width)
    log_p = truth.log_prob(x, sigma)
    columns = (
        *x.T,
        *learned.T,
        *truth.score(x, sigma).T,
        log_p,
        bend[:, 0, 0] + bend[:, 1, 1],
        true_bend[:, 0, 0] + true_bend[:, 1, 1],
        bend[:, 1, 0] - bend[:, 0, 1],
        draws_per_block * cell_area * log_p.exp(),
    )
    values = torch.stack([column.to("cpu", torch.float64) for column in columns], dim=1).numpy()
    np.nan_to_num(values, copy=False, nan=0.0, posinf=_LARGEST, neginf=-_LARGEST)
    return values.clip(-_LARGEST, _LARGEST).astype(np.float32)


def _learned(model: ScoreModel, x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """The learned score (k, 2) and its Jacobian (k, 2, 2); a table's by differences."""
    at = x.to(model.device, torch.float32)
    if is_differentiable(model, at, sigma):
        return score_and_jacobian(model, at, sigma)
    return model.score(at, sigma), jacobian(model, at, sigma, spacing=SPACING)
