"""Frames as an engine would send them, computed by numpy alone: what tests and screenshots of views are made from.

The density is two far crescents, each an arc of isotropic Gaussians, with masses 0.8 and 0.2; its score at any noise
level is closed-form, so every number in a frame is of a plausible size.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.engine.messages import EXTENT, Frame, Modes, PaneState

Floats = NDArray[np.float64]

WIDTH = 0.045
"""Standard deviation of each Gaussian of an arc."""


def _arcs() -> tuple[Floats, Floats]:
    """Centres (2 k, 2) and masses (2 k,) of the Gaussians: a large crescent below left, a small one above right."""
    k = 24
    turn = np.linspace(-1.25, 1.25, k)
    large = np.stack([-0.30 - 0.42 * np.cos(turn), -0.32 - 0.42 * np.sin(turn)], axis=1)
    small = np.stack([0.42 + 0.30 * np.cos(turn), 0.52 + 0.30 * np.sin(turn)], axis=1)
    profile = np.cos(turn) ** 2 + 0.08
    profile /= profile.sum()
    return np.concatenate([large, small]), np.concatenate([0.8 * profile, 0.2 * profile])


def density_and_score(points: Floats, sigma: float) -> tuple[Floats, Floats]:
    """p_sigma (N,) and its score (N, 2) at points (N, 2)."""
    centres, masses = _arcs()
    variance = WIDTH**2 + sigma**2
    offset = centres[None] - points[:, None]
    log_terms = np.log(masses) - (offset**2).sum(-1) / (2 * variance) - np.log(2 * np.pi * variance)
    peak = log_terms.max(axis=1, keepdims=True)
    weights = np.exp(log_terms - peak)
    total = weights.sum(axis=1)
    return np.exp(peak[:, 0]) * total, (weights[..., None] * offset).sum(axis=1) / total[:, None] / variance


def lattice(centre: tuple[float, float], half_width: float, n: int) -> Floats:
    """Cell centres (n * n, 2) of the square range, row 0 at the bottom."""
    steps = (np.arange(n) + 0.5) / n * 2 - 1
    x, y = np.meshgrid(centre[0] + half_width * steps, centre[1] + half_width * steps)
    return np.stack([x.ravel(), y.ravel()], axis=1)


@cache
def ground(sigma: float, centre: tuple[float, float], half_width: float, size: int = 128) -> Floats:
    """p_sigma (size, size) over the square range."""
    density, _ = density_and_score(lattice(centre, half_width, size), sigma)
    return density.reshape(size, size)


def painting(size: int = 128) -> NDArray[np.float32]:
    """Return the crescents as painted weights (size, size) with maximum 1, row 0 at the bottom."""
    density, _ = density_and_score(lattice((0.0, 0.0), 1.0, size), 0.0)
    density /= density.max()
    return np.where(density > 1e-3, density, 0.0).reshape(size, size).astype(np.float32)


def draw(number: int, sigma: float, masses: tuple[float, float], generator: np.random.Generator) -> Floats:
    """Points (number, 2) of p_sigma, the two crescents holding these shares of them."""
    centres, weights = _arcs()
    weights = weights.reshape(2, -1)
    weights = (weights / weights.sum(axis=1, keepdims=True) * np.array(masses)[:, None]).ravel()
    index = generator.choice(len(centres), number, p=weights / weights.sum())
    return centres[index] + np.hypot(WIDTH, sigma) * generator.standard_normal((number, 2))


def _panes(number: int, progress: float, generator: np.random.Generator) -> NDArray[np.float32]:
    """(3, number, 2): ascent collapsed, Langevin with wrong shares, annealed right; `progress` from 0 to 1."""
    start = generator.uniform(-1.6, 1.6, (number, 2))
    centres, _ = _arcs()
    summits = centres[[11, 36]]
    nearest = np.argmin(((start[:, None] - summits) ** 2).sum(-1), axis=1)
    ends = (
        summits[nearest] + 0.001 * generator.standard_normal((number, 2)),
        draw(number, 0.02, (0.55, 0.45), generator),
        draw(number, 0.02, (0.8, 0.2), generator),
    )
    return np.stack([(1 - progress) * start + progress * end for end in ends]).astype(np.float32)


def _modes(number: int) -> Modes:
    """Return the ledger that fits `_panes` at the end of a run."""
    share = np.array([[0.549, 0.451], [0.548, 0.449], [0.801, 0.198]])
    band = 2.24 * np.sqrt(share * (1 - share) / number)
    centres, _ = _arcs()
    arrays = centres[[11, 36]], np.array([0.8, 0.2]), share, share - band, share + band, np.array([0.0, 0.003, 0.001])
    return Modes(*(array.astype(np.float32) for array in arrays))


def pane_state(sampler: str, progress: float) -> PaneState:
    """How far one of the three panes is."""
    annealed = sampler == "annealed"
    ladder = np.geomspace(1.0, 0.02, 32) if annealed else np.array([0.02])
    level = min(31, int(32 * progress)) if annealed else 0
    return PaneState(
        sampler=sampler,
        source="learned",
        weights_step=3412,
        step=round(1600 * progress),
        steps=1600,
        sigma=float(0.02**progress) if annealed else 0.02,
        level=level,
        levels=len(ladder),
        evaluations=1600,
        table_error=0.004,
        ladder=ladder.astype(np.float32),
        label={"ascent": "ascent", "langevin": "Langevin", "annealed": "annealed"}[sampler],
    )


def make_frame(
    *,
    sigma: float = 0.12,
    n: int = 20,
    number: int = 10_000,
    centre: tuple[float, float] = (0.0, 0.0),
    half_width: float = EXTENT,
    progress: float = 1.0,
    probe: tuple[float, float] | None = None,
    seed: int = 0,
    **changes: Any,  # noqa: ANN401
) -> Frame:
    """Make a frame in the middle of training with particles released; `changes` replaces any of its fields."""
    generator = np.random.default_rng(seed)
    points = lattice(centre, half_width, n)
    _, true = density_and_score(points, sigma)
    bend = 0.06 / sigma * np.stack([np.sin(5 * points[:, 1]), np.cos(4 * points[:, 0])], axis=1)
    density = ground(sigma, centre, half_width)
    peak = float(density.max())
    values = np.zeros(0)
    if probe is not None:
        here, score = density_and_score(np.array([probe]), sigma)
        values = np.concatenate([probe, score[0] * 1.02, score[0], np.log(here)])
    steps = np.unique(np.geomspace(1, 3412, 160).round())
    fall = 1 / (1 + steps / 60)
    measured = steps[::4]
    levels = np.array([0.5, 0.2, 0.09, 0.02, 0.004])
    frame = Frame(
        run=1,
        revision=3,
        name="crescents",
        training=True,
        step=3412,
        seconds=8.3,
        steps_per_second=412.0,
        loss=0.0123,
        loss_known=True,
        draws=4_000_000,
        objective="dsm",
        target="pooled",
        device="cpu, 1 thread",
        parameters=35_202,
        seed=7,
        sigma=sigma,
        centre=centre,
        half_width=half_width,
        learned=(true + bend).reshape(n, n, 2).astype(np.float32),
        true=true.reshape(n, n, 2).astype(np.float32),
        ground=(density / peak).astype(np.float32),
        peak=peak,
        curve_steps=steps.astype(np.float32),
        curve_seconds=(steps / 412).astype(np.float32),
        curve_loss=(0.012 + fall * generator.uniform(0.9, 1.1, steps.size)).astype(np.float32),
        error_steps=measured.astype(np.float32),
        error_seconds=(measured / 412).astype(np.float32),
        errors=(levels / (1 + measured[:, None] / 40)).astype(np.float32),
        probe=values.astype(np.float32),
        released=1,
        moving=progress < 1,
        particle_step=round(1600 * progress),
        particle_steps=1600,
        particles_revision=3,
        panes=_panes(number, progress, generator),
        pane_states=tuple(pane_state(sampler, progress) for sampler in ("ascent", "langevin", "annealed")),
        modes=_modes(number),
        particle_shown=round(1600 * progress),
    )
    return replace(frame, **changes)


def empty_frame(**changes: Any) -> Frame:  # noqa: ANN401
    """Make a frame before the first training step and before the first release."""
    nothing = np.zeros(0, np.float32)
    values: dict[str, Any] = {
        "training": False,
        "step": 0,
        "seconds": 0.0,
        "steps_per_second": 0.0,
        "loss": 0.0,
        "loss_known": False,
        "curve_steps": nothing,
        "curve_seconds": nothing,
        "curve_loss": nothing,
        "error_steps": nothing,
        "error_seconds": nothing,
        "errors": np.zeros((0, 5), np.float32),
        "released": 0,
        "moving": False,
        "particle_step": 0,
        "panes": np.zeros((3, 0, 2), np.float32),
        "pane_states": (),
        "modes": None,
    }
    return make_frame(**(values | changes))
