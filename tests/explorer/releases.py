"""Example panes of particles in a frame, for tests of the views that show them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from explorer.engine.frames import Array, Frame, Modes, PaneState


def pane_state(sampler: str = "annealed", **changes: Any) -> PaneState:  # noqa: ANN401
    """A pane at the end of its run; `changes` replaces any of its fields."""
    state = PaneState(
        sampler=sampler,
        source="learned",
        weights_step=3412,
        step=1600,
        steps=1600,
        sigma=0.02,
        level=21,
        levels=22,
        evaluations=1601,
        table_error=0.004,
    )
    return replace(state, **changes)


def released_frame(panes: Array, states: tuple[PaneState, ...] | None = None, **changes: Any) -> Frame:  # noqa: ANN401
    """A frame over an empty ground with these particles (P, N, 2), released on the painting that it shows."""
    none = np.zeros(0, np.float32)
    samplers = ("ascent", "langevin", "annealed", "sde")
    values: dict[str, Any] = {
        "run": 1,
        "revision": 3,
        "name": "two dots",
        "training": False,
        "step": 3412,
        "seconds": 8.3,
        "steps_per_second": 0.0,
        "loss": 0.0,
        "loss_known": False,
        "draws": 0,
        "objective": "dsm",
        "target": "pooled",
        "device": "cpu, 1 thread",
        "parameters": 1,
        "seed": 0,
        "sigma": 0.1,
        "centre": (0.0, 0.0),
        "half_width": 1.25,
        "learned": none.reshape(0, 0, 2),
        "true": none.reshape(0, 0, 2),
        "ground": np.zeros((16, 16), np.float32),
        "peak": 1.0,
        "curve_steps": none,
        "curve_seconds": none,
        "curve_loss": none,
        "error_steps": none,
        "error_seconds": none,
        "errors": none.reshape(0, 5),
        "probe": none,
        "released": 1,
        "moving": False,
        "particle_step": 1600,
        "particle_steps": 1600,
        "particle_shown": 1600,
        "particles_revision": 3,
        "panes": panes,
        "pane_states": states or tuple(pane_state(samplers[i]) for i in range(len(panes))),
        "modes": None,
    }
    return Frame(**(values | changes))


def ledger_of(shares: list[list[float]], mass: tuple[float, ...] = (0.8, 0.2)) -> Modes:
    """A ledger with these shares (P, M) and bands of one hundredth either way."""
    share = np.asarray(shares, np.float32)
    count = len(mass)
    centres = np.linspace(-0.6, 0.6, count, dtype=np.float32).repeat(2).reshape(count, 2)
    return Modes(centres, np.asarray(mass, np.float32), share, share - 0.01, share + 0.01, 1 - share.sum(1))
