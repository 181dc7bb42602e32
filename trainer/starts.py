r"""Where particles start: anywhere on a square, or as pure noise.

**The square.** Ascent and Langevin dynamics start uniformly on a square around the plane: where they start is where
much of them stays, and that is to be seen.

**Anywhere else** a person may put them, all panes alike: `placed_points` draws from a `trainer.scenes.Start`.

**The prior.** Samplers that turn noise into data start from p_sigma itself at a large sigma. For pictures that is
nearly N(0, sigma^2 I). In the plane sigma is hardly larger than the data are wide, and their mean and covariance still
count: the start is N(m, C), the Gaussian closest to p_sigma in the sense of KL(N || p_sigma). It solves

    E_N[s(x, sigma)] = 0,    C^{-1} = -E_N[grad s(x, sigma)]            (Opper & Archambeau 2009)

and needs nothing but the score. With E_N[grad s] = E_N[s (x - m)^T] C^{-1} (Stein) the right-hand sides are the affine
function nearest to the score, found by Gauss-Hermite quadrature; m <- m + C E_N[s] and C^{-1} <- -E_N[grad s] repeat
it. If p_sigma is Gaussian one repetition is exact. By Tweedie's formula grad s >= -I / sigma^2, so C >= sigma^2 I.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from trainer.errors import InputError
from trainer.models import ScoreModel
from trainer.noise import Noise
from trainer.scenes import REGION_SIDE, Start, region_cells
from trainer.trajectories import START

START_WIDTH = 1.25
"""Particles start uniformly on [-START_WIDTH, START_WIDTH]^2."""

CURVED = 0.05
"""The largest share of E|s|^2 that no affine function explains, with which a start from a Gaussian is still allowed."""

_NODES = 6  # of the quadrature along a side: exact for polynomials of degree 11
_REPETITIONS = 30


def start_points(n: int, noise: Noise, ids: Tensor | None = None, shape: tuple[int, ...] = (2,)) -> Tensor:
    """The common start of all panes: uniform on the square, float32 with shape (n, 2), particle k's whatever n is."""
    unit = noise.uniform(0, START, n if ids is None else ids, shape)
    return (2 * unit - 1) * START_WIDTH


def placed_points(start: Start, n: int, noise: Noise, ids: Tensor | None = None) -> Tensor:
    """Draws of a start that a person has chosen, float32 with shape (n, 2), particle k's whatever n is.

    A "uniform" start about the origin with the spread `START_WIDTH` is `start_points`.

    Args:
        start: of any kind but "own", which belongs to the samplers.
        n: how many, where `ids` does not say it.
        noise: by particle.
        ids: whole numbers with shape (n,), the particles' own numbers; None for 0 .. n - 1.

    Raises:
        InputError: the start is "own".
    """
    who = n if ids is None else ids
    match start.kind:
        case "uniform":
            away = (2 * noise.uniform(0, START, who) - 1) * start.spread
        case "gaussian":
            away = noise.normal(0, START, who) * start.spread
        case "point":
            away = torch.zeros(n if ids is None else len(ids), 2, device=noise.device)
        case "region":
            unit = noise.uniform(0, START, who, (3,))  # which cell, and where in it
            cells = torch.tensor(region_cells(start.region), device=noise.device)
            cell = cells[(unit[:, 0] * len(cells)).long().clamp_(max=len(cells) - 1)]
            corner = torch.stack((cell % REGION_SIDE, cell // REGION_SIDE), dim=1)
            return (2 * (corner + unit[:, 1:]) / REGION_SIDE - 1) * START_WIDTH
        case _:
            raise InputError("start.kind: own is for each sampler to draw; give uniform, gaussian, region or point")
    return away + torch.tensor(start.centre, dtype=away.dtype, device=away.device)


def prior_points(
    model: ScoreModel,
    n: int,
    noise: Noise,
    sigma: float,
    ids: Tensor | None = None,
    shape: tuple[int, ...] = (2,),
) -> Tensor:
    """Draws of the Gaussian nearest to p_sigma, float32 with shape (n, *shape), particle k's whatever n is.

    Args:
        model: the score; it is asked at sigma, for points of the plane only.
        n: how many, where `ids` does not say it.
        noise: by particle.
        sigma: a noise level as large as the data are wide.
        ids: whole numbers with shape (n,), the particles' own numbers; None for 0 .. n - 1.
        shape: of one particle; any but (2,) is a picture and starts from N(0, sigma^2 I).

    Raises:
        InputError: p_sigma is far from any Gaussian, or the score vanishes.
    """
    z = noise.normal(0, START, n if ids is None else ids, shape)
    if shape != (2,):
        return sigma * z
    mean, covariance = gaussian_near(model, sigma)
    root = np.linalg.cholesky(covariance)
    return torch.as_tensor(mean).to(z) + z @ torch.as_tensor(root.T).to(z)


def gaussian_near(model: ScoreModel, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean (2,) and covariance (2, 2) of the Gaussian nearest to p_sigma (see the module's docstring).

    Raises:
        InputError: p_sigma is far from any Gaussian: an affine function misses more than `CURVED` of its score; or
            there is no score to go by: it is zero everywhere, or not finite.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    z = np.stack(np.meshgrid(nodes, nodes), axis=-1).reshape(-1, 2)  # (B, 2)
    weights = np.outer(weights, weights).ravel() / weights.sum() ** 2  # (B,)
    mean, covariance = np.zeros(2), np.eye(2) * sigma**2
    for _ in range(_REPETITIONS):
        root = np.linalg.cholesky(covariance)
        score = _ask(model, mean + z @ root.T, sigma)  # (B, 2)
        power = weights @ np.square(score).sum(1)  # E|s|^2
        if not 0 < power < np.inf:
            raise InputError(
                f"particles.start_sigma: at {sigma:g} the score {'is not finite' if power else 'vanishes'} where it "
                "was asked, as an untrained network's may, and no start can be found from it; train the score first"
            )
        centre = weights @ score  # (2,): E[s]
        slope = (weights[:, None] * score).T @ z  # (2, 2): E[s z^T] = E[grad s] root
        missed = weights @ ((score - centre - z @ slope.T) ** 2).sum(1) / power
        jacobian = slope @ np.linalg.inv(root)
        steepness, axes = np.linalg.eigh(-(jacobian + jacobian.T) / 2)
        if not steepness.min() > 0 or not np.isfinite(steepness).all():
            missed = 1.0
            break
        covariance = (axes * np.maximum(1 / steepness, sigma**2)) @ axes.T
        mean = mean + covariance @ centre
    if not missed <= CURVED:
        raise InputError(
            f"particles.start_sigma: at {sigma:g} the density is far from Gaussian, and particles cannot start from "
            "noise; give a noise level as large as the data are wide, and train up to it"
        )
    return mean, covariance


def _ask(model: ScoreModel, x: np.ndarray, sigma: float) -> np.ndarray:
    with torch.no_grad():
        score = model.score(torch.as_tensor(x, dtype=torch.float32, device=model.device), sigma)
    return score.double().cpu().numpy()
