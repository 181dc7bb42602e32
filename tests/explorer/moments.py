"""Frames in which everything that can be explained, inspected or gone back to is known."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.engine.frames import Frame, Modes, PaneState, Race, Racer
from tests.explorer.frames import density_and_score, ground, lattice

PINS = ((0.31, 0.52), (-0.7, -0.3), (0.9, -0.9))


def pin_rows(points: tuple[tuple[float, float], ...], sigma: float) -> np.ndarray:
    """(k, 11): the values of `frames.density_and_score` at these points, the learned ones bent."""
    at = np.array(points, float).reshape(-1, 2)
    p, true = density_and_score(at, sigma)
    learned = 1.1 * true + np.array([0.2, -0.1])
    rest = np.stack([np.log(p), -3.0 * p - 1, -2.5 * p - 1, 0.03 * np.ones_like(p), 40 * p], axis=1)
    return np.concatenate([at, learned, true, rest], axis=1).astype(np.float32)


def f32(*values: float) -> np.ndarray:
    """A small array of a frame."""
    return np.array(values, np.float32)


def racer(label: str, variance: float) -> Racer:
    """One of a race."""
    return Racer(
        label, 900, 4.5, 5.0, np.zeros((4, 4, 2), np.float32), f32(1, 900), f32(0.01, 4.5), f32(2, 0.7),
        f32(0.5), f32(100), f32(0.5), np.full((1, 5), 0.02, np.float32), f32(variance),
    )  # fmt: skip


def pane(sampler: str, step: int = 480, **changes: Any) -> PaneState:  # noqa: ANN401
    """One pane in the middle of its run."""
    values: dict[str, Any] = {
        "sampler": sampler, "source": "learned", "weights_step": 3000, "step": step, "steps": 1780, "sigma": 0.2,
        "level": 6, "levels": 22, "evaluations": 1781, "table_error": 0.0042,
        "ladder": np.geomspace(0.4, 0.02, 22).astype(np.float32), "distance_times": f32(0.1, 0.27),
        "distances": f32(0.5, 0.123),
    }  # fmt: skip
    return PaneState(**(values | changes))


def moment(**changes: Any) -> Frame:  # noqa: ANN401
    """A frame in the middle of training, with pins, a loop, kept steps, three panes and a race."""
    sigma = changes.get("sigma", 0.12)
    density = ground(sigma, (0.0, 0.0), 1.25)
    _, true = density_and_score(lattice((0.0, 0.0), 1.25, 12), sigma)
    true = true.reshape(12, 12, 2).astype(np.float32)
    steps = np.unique(np.geomspace(1, 8192, 100).round()).astype(np.float32)
    levels = np.array([0.5, 0.2, 0.09, 0.02, 0.004])
    values: dict[str, Any] = {
        "run": 1, "revision": 3, "name": "crescents", "training": True, "step": 8192, "seconds": 20.0,
        "steps_per_second": 412.0, "loss": 0.7654, "loss_known": True, "draws": 4_000_000, "objective": "dsm",
        "target": "single", "device": "cpu, 1 thread", "parameters": 35_202, "seed": 7, "sigma": sigma,
        "centre": (0.0, 0.0), "half_width": 1.25, "learned": true, "true": true,
        "ground": (density / density.max()).astype(np.float32), "peak": float(density.max()), "curve_steps": steps,
        "curve_seconds": steps / 412, "curve_loss": 0.7 + 3 / steps, "error_steps": steps[::4],
        "error_seconds": steps[::4] / 412, "errors": (levels / (1 + steps[::4, None] / 40)).astype(np.float32),
        "probe": pin_rows(((0.25, -0.4),), sigma)[0, :7], "released": 1, "moving": True, "particle_step": 480,
        "particle_steps": 1780, "particles_revision": 3, "panes": np.zeros((3, 10, 2), np.float32),
        "pane_states": (pane("ascent"), pane("langevin"), pane("annealed")),
        "modes": Modes(
            np.zeros((2, 2), np.float32), f32(0.8, 0.2), np.array([[0.55, 0.45]] * 2 + [[0.801, 0.198]], np.float32),
            np.array([[0.54, 0.44]] * 2 + [[0.79, 0.19]], np.float32),
            np.array([[0.56, 0.46]] * 2 + [[0.81, 0.21]], np.float32), f32(0.0, 0.003, 0.0012),
        ),
        "training_ladder": np.geomspace(2.8, 0.02, 32).astype(np.float32),
        "particle_kept": f32(0, 100, 200, 300, 400), "particle_shown": 480,
        "keyframes": f32(0, 1, 2, 4, 16, 64, 256, 1024, 4096), "keyframe_bytes": 9 * 140_000,
        "keyframe_limit": 64 * 2**20, "race": Race("steps", True, 0.1, (racer("one", 2.5), racer("two", 37.0))),
        "pins": pin_rows(PINS, sigma), "loop": np.array([[0, 0], [1, 0], [0, 1]], np.float32),
        "loop_integrals": np.array([[0.0123, 1e-6, 4.5], [1e-7, 1e-7, 4.4]], np.float32), "floor": f32(0.61),
    }  # fmt: skip
    return Frame(**(values | changes))
