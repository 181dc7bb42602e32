r"""The Jacobian of a score, and the two numbers that matter in it.

    J_ij(x) = d s_i / d x_j,    divergence = tr J = J_00 + J_11,    curl = J_10 - J_01.

The divergence is what implicit score matching trains on (Hyvarinen 2005, eq. 4) and what a likelihood along the
probability flow needs; in two dimensions its exact trace costs two backward passes. The curl tells whether a field can
be a score at all: a gradient has a symmetric Jacobian, J = grad grad log p, and no curl.

By automatic differentiation J is right to rounding. A model that does not carry a gradient, a table for one, is
differentiated by central differences of a stated spacing h,

    J_.j = (s(x + h e_j) - s(x - h e_j)) / (2 h) + (h^2 / 6) d^3 s / d x_j^3 + ...,

which is wrong by about (h / w)^2 / 6 in proportion where the field changes over a width w, and by the score's rounding
error divided by h: for a float32 score of size 50 and h = 0.001 that is 0.003.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trainer.errors import InputError
from trainer.models import ScoreModel

SPACING = 1e-3
"""The spacing of central differences unless another is given, in units of the plane."""


def jacobian(model: ScoreModel, x: Tensor, sigma: float | Tensor, spacing: float | None = None) -> Tensor:
    """The Jacobian J[b, i, j] = d s_i / d x_j of a score at x, with shape (B, 2, 2).

    Args:
        model: the score.
        x: (B, 2).
        sigma: a float or (B,).
        spacing: None differentiates automatically; a number takes central differences over that distance.

    Raises:
        InputError: the model's score cannot be differentiated and there is no spacing, or the spacing is not positive.
    """
    if spacing is not None:
        return _differences(model, x, sigma, spacing)
    return score_and_jacobian(model, x, sigma)[1]


def score_and_jacobian(model: ScoreModel, x: Tensor, sigma: float | Tensor) -> tuple[Tensor, Tensor]:
    """The score at x, (B, 2), and its Jacobian by automatic differentiation, (B, 2, 2), both without a graph.

    Raises:
        InputError: the model's score cannot be differentiated.
    """
    with torch.enable_grad():
        z = x.detach().clone().requires_grad_()
        score = model.score(z, sigma)  # (B, 2)
        if not score.requires_grad:
            raise InputError(
                "model: its score cannot be differentiated; give `spacing` to take central differences over it"
            )
        rows = [
            torch.autograd.grad(score[:, i].sum(), z, retain_graph=i + 1 < score.shape[1])[0]
            for i in range(score.shape[1])
        ]
    return score.detach(), torch.stack(rows, dim=1)


def divergence(model: ScoreModel, x: Tensor, sigma: float | Tensor, spacing: float | None = None) -> Tensor:
    """The exact divergence tr J of a score at x, with shape (B,); arguments and errors as for `jacobian`."""
    return jacobian(model, x, sigma, spacing).diagonal(dim1=1, dim2=2).sum(1)


def curl(model: ScoreModel, x: Tensor, sigma: float | Tensor, spacing: float | None = None) -> Tensor:
    """The curl d s_y / d x - d s_x / d y of a score at x, with shape (B,); arguments and errors as for `jacobian`."""
    found = jacobian(model, x, sigma, spacing)
    return found[:, 1, 0] - found[:, 0, 1]


def is_differentiable(model: ScoreModel, x: Tensor, sigma: float) -> bool:
    """Whether the model's score at the first of the points x, (B, 2), carries a gradient with respect to x."""
    with torch.enable_grad():
        return model.score(x[:1].detach().clone().requires_grad_(), sigma).requires_grad


def _differences(model: ScoreModel, x: Tensor, sigma: float | Tensor, spacing: float) -> Tensor:
    if not spacing > 0:
        raise InputError(f"spacing: {spacing:g}; give a distance above 0, in units of the plane")
    steps = spacing * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    with torch.no_grad():
        columns = [model.score(x + step, sigma) - model.score(x - step, sigma) for step in steps]
    return torch.stack(columns, dim=2) / (2 * spacing)
