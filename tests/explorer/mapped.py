"""Maps as an engine would send them, over the example frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from explorer.engine.messages import Frame, Maps
from tests.explorer.frames import density_and_score, lattice


def make_maps(frame: Frame, n: int = 64, version: int = 1, draws: int = 4096, *, energy: bool = False) -> Maps:
    """Maps of a frame: truth, and a learned score that differs from it by a known bend with a known curl."""
    points = lattice(frame.centre, frame.half_width, n)
    p, true = density_and_score(points, frame.sigma)
    size = 0.06 / frame.sigma
    bend = size * np.stack([np.sin(5 * points[:, 1]), np.cos(4 * points[:, 0])], axis=1)
    curl = size * (-4 * np.sin(4 * points[:, 0]) - 5 * np.cos(5 * points[:, 1]))
    log_p = np.log(np.maximum(p, 1e-300))
    learned_log_p = np.maximum(log_p, -60) + 0.3 * np.sin(6 * points[:, 0]) if energy else np.zeros(0)

    def square(values: np.ndarray, *parts: int) -> np.ndarray:
        return values.reshape(n if values.size else 0, -1, *parts).astype(np.float32)

    expected = draws * p * (2 * frame.half_width / n) ** 2
    return Maps(
        version,
        frame.step,
        frame.sigma,
        frame.centre,
        frame.half_width,
        (true + bend).reshape(n, n, 2).astype(np.float32),
        true.reshape(n, n, 2).astype(np.float32),
        square(log_p),
        square(expected),
        square(curl),
        square(np.square(curl) / (np.square(curl) + 1e4)),
        square(learned_log_p) if energy else np.zeros((0, 0), np.float32),
    )


def mapped(frame: Frame, **options: object) -> Frame:
    """The frame with its maps."""
    return replace(frame, maps=make_maps(frame, **options))  # type: ignore[arg-type]
