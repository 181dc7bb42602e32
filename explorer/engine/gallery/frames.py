"""What one moment of a job shows: pictures on their way out of noise, and what is known of one of them.

A job is samples, denoising, inpainting or interpolation; all are pictures that a sampler moves. Plain values and numpy
arrays; neither torch nor Qt. No number in a frame is NaN or infinite.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from explorer.engine.frames import Array, Particles


def _none() -> Array:
    return np.zeros(0, np.float32)


def _no_pictures() -> Array:
    return np.zeros((0, 1, 1, 1), np.float32)


@dataclass(frozen=True)
class Follow:
    """One picture's way. T moments from noise to picture, m neighbours.

    Attributes:
        index: which picture of the job.
        steps, sigmas: (T,), the moments' steps and noise levels.
        noisy: (T, C, H, W), the picture then, in the units of [-1, 1].
        clean: (T, C, H, W), the model's estimate of the clean picture then, x + sigma^2 s(x, sigma).
        noise: (T, C, H, W), its estimate of the noise then, -sigma s(x, sigma), in standard deviations.
        neighbours: (m, C, H, W), the nearest training pictures, the nearest first; distances: (m,), Euclidean, of
            all values in [-1, 1]; typical: (1,), the median of the held-out pictures' distances to their nearest, or
            (0,) where it is not known.
    """

    index: int
    steps: Array
    sigmas: Array
    noisy: Array
    clean: Array
    noise: Array
    neighbours: Array = field(default_factory=_no_pictures)
    distances: Array = field(default_factory=_none)
    typical: Array = field(default_factory=_none)


@dataclass(frozen=True, kw_only=True)
class GalleryFrame:
    """Everything that one moment of the pictures shows.

    Attributes:
        model: counts models opened; 0 before the first.
        job: the number of the job that these pictures belong to, as its order says; 0 for none.
        moving: whether the sampler runs.
        step, steps: taken and to take; evaluations: of the network per picture, in the whole job.
        shown: the step shown; kept: (k,), the steps that can be shown.
        sigma: the noise level of what is shown; 0 when it is done; sigmas: (steps + 1,), those after each step.
        pictures: (N, C, H, W), in the units of [-1, 1], not cut to it.
        diverged: (N,), 1 for those that left for good.
        errors: (3,), for a picture that was given: the root mean square difference to it, in units of [-1, 1], of the
            noisy picture, of the one-step estimate of the clean one, and of what is shown, as a mean over N; or (0,).
        noisy, estimate: (1, C, H, W), the first noisy picture and its one-step estimate; or (0, 1, 1, 1).
        follow: the way of the picture that is followed; None while there is none.
        dots: the painting's particles under the same sampler at the same fraction; None where they are not wanted.
        busy: one line on what is being done when nothing moves, or "".
        writing: the name of the film that is being written beside it, and how much of it is, or "".
    """

    model: int = 0
    job: int = 0
    moving: bool = False
    step: int = 0
    steps: int = 0
    evaluations: int = 0
    shown: int = 0
    kept: Array = field(default_factory=_none)
    sigma: float = 0.0
    sigmas: Array = field(default_factory=_none)
    pictures: Array = field(default_factory=_no_pictures)
    diverged: Array = field(default_factory=_none)
    errors: Array = field(default_factory=_none)
    noisy: Array = field(default_factory=_no_pictures)
    estimate: Array = field(default_factory=_no_pictures)
    follow: Follow | None = None
    dots: Particles | None = None
    busy: str = ""
    writing: str = ""
