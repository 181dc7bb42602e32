"""Frames of any scene: what tests of films, pictures and tables draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from explorer.engine.messages import Frame, Modes, PaneState
from tests.explorer import frames
from tests.explorer.moments import moment
from trainer.scenes import Pane, Scene


def scene_of(*samplers: str, number: int = 300) -> Scene:
    """A scene with these samplers and the default settings."""
    return Scene(tuple(Pane(sampler) for sampler in samplers)).with_number(number)  # type: ignore[arg-type]


def scene_frame(scene: Scene, *, step: int = 1780, seed: int = 0) -> Frame:
    """A frame at the end of a release of this scene; every pane has its own shares."""
    generator = np.random.default_rng(seed)
    count, number = len(scene.panes), scene.number
    shares = np.stack([np.linspace(0.55, 0.8, count), np.linspace(0.45, 0.2, count)], axis=1)
    panes = np.stack([frames.draw(number, 0.02, (a, b), generator) for a, b in shares]).astype(np.float32)
    centres, _ = frames._arcs()
    band = 0.05 * np.ones_like(shares)
    arrays = (centres[[11, 36]], np.array([0.8, 0.2]), shares, shares - band, shares + band, np.zeros(count))
    states = tuple(
        PaneState(
            sampler=pane.sampler,
            source=pane.settings.source,
            weights_step=3412,
            step=step,
            steps=step,
            sigma=0.02,
            level=0,
            levels=1,
            evaluations=step,
            table_error=0.004,
            distance_times=np.array([0.0, 0.5, 1.0], np.float32),
            distances=np.array([1.0, 0.3, 0.1 * (k + 1)], np.float32),
        )
        for k, pane in enumerate(scene.panes)
    )
    plain = moment(step=3412)
    return replace(
        plain,
        panes=panes,
        pane_states=states,
        modes=Modes(*(array.astype(np.float32) for array in arrays)),
        particle_step=step,
        particle_steps=step,
        particle_shown=step,
    )
