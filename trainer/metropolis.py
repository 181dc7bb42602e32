r"""The Metropolis-adjusted Langevin algorithm, MALA: Langevin dynamics that is right at any step size.

Langevin's step proposes, and the exact density decides (Besag 1994; Roberts & Tweedie 1996, section 1.4.1):

    y = x + (epsilon / 2) s(x) + sqrt(epsilon) z,
    log q(y | x) = -|y - x - (epsilon / 2) s(x)|^2 / (2 epsilon) + const,
    accept y if  log u < log p(y) - log p(x) + log q(x | y) - log q(y | x),    u ~ U(0, 1),   else stay at x.

Detailed balance holds, so p_sigma itself is stationary: no inflation b (`trainer.langevin`). It needs log p up to a
constant, which the true density and a learned energy have and a score alone has not. It crosses an empty gap no better
than Langevin dynamics does: what it removes is the error of the step, not the slowness.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, cast

import torch
from torch import Tensor

from trainer.errors import InputError
from trainer.langevin import total_steps
from trainer.models import ScoreModel, TrueScore, require_levels
from trainer.noise import Noise
from trainer.settings import ParticleSettings
from trainer.trajectories import Trajectory, double, step_noise, trajectory


class LogDensityModel(ScoreModel, Protocol):
    """A score model that knows log p_sigma too, up to a constant."""

    def log_prob(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        """Return log p_sigma(x) up to a constant of sigma, with shape (B,), for x (B, *)."""
        ...


@dataclass(frozen=True)
class Place:
    """Where the particles are, and what the density says there: x and score (B, *), log_prob (B,)."""

    x: Tensor
    score: Tensor
    log_prob: Tensor


def metropolis_langevin(
    model: ScoreModel, x0: Tensor, settings: ParticleSettings, noise: Noise, ids: Tensor | None = None
) -> Trajectory:
    """MALA at sigma_min with the proposal of `trainer.langevin.langevin`, as many steps; state in float64.

    Arguments and yields as for `langevin`.

    Raises:
        InputError: the model does not know sigma_min, or has no log-density.
    """
    sigma = settings.sigma_min
    require_levels(model, sigma, sigma)
    known = require_log_prob(model)
    with torch.no_grad():
        here = place(known, x0.to(double(x0), copy=True), sigma)

    def move(_: Tensor, step: int) -> Tensor:
        nonlocal here  # its x is the state, and its score and log-density need not be asked for again
        z = step_noise(noise, step, x0, ids)  # (B, *)
        u = noise.uniform(step, 0, len(x0) if ids is None else ids, ())  # (B,)
        here = metropolis_step(known, here, sigma, settings.epsilon, z, u)
        return here.x

    return trajectory(x0, total_steps(settings), move, double(x0))


def require_log_prob(model: ScoreModel) -> LogDensityModel:
    """The model itself if it has a log-density; `InputError` if it is a score alone.

    A network has the method under every parameterisation and answers for an energy only: its `has_log_density` says so.
    """
    if not (hasattr(model, "log_prob") and getattr(model, "has_log_density", True)):
        raise InputError(
            f"sampler: mala needs a log-density, which this {type(model).__name__} has not; "
            "give the true density or a score learned with parameterisation energy, not read from a table"
        )
    return cast("LogDensityModel", model)


def place(model: LogDensityModel, x: Tensor, sigma: float) -> Place:
    """Ask the model at x, with shape (B, *); in one pass if it is a density."""
    if isinstance(model, TrueScore):
        return Place(x, *model.score_and_log_prob(x, sigma))
    return Place(x, model.score(x, sigma), model.log_prob(x, sigma))


def metropolis_step(model: LogDensityModel, here: Place, sigma: float, epsilon: float, z: Tensor, u: Tensor) -> Place:
    """One step: propose with z, shaped like x, and accept with u uniform on [0, 1), with shape (B,)."""
    there = place(model, here.x + epsilon / 2 * here.score + math.sqrt(epsilon) * z, sigma)
    accept = u.log() < log_ratio(here, there, epsilon)  # (B,); not where the ratio is NaN
    wide = accept.view(-1, *[1] * (here.x.ndim - 1))
    return Place(
        torch.where(wide, there.x, here.x),
        torch.where(wide, there.score, here.score),
        torch.where(accept, there.log_prob, here.log_prob),
    )


def log_ratio(here: Place, there: Place, epsilon: float) -> Tensor:
    """Return log p(y) q(x | y) / (p(x) q(y | x)) for a move from x = here to y = there, with shape (B,)."""
    back = (here.x - there.x - epsilon / 2 * there.score).flatten(1).square().sum(1)
    forth = (there.x - here.x - epsilon / 2 * here.score).flatten(1).square().sum(1)
    return there.log_prob - here.log_prob + (forth - back) / (2 * epsilon)
