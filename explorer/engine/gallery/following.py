"""One picture's way out of noise: moments of it, what the network sees in each, and its nearest training pictures.

The network is asked at the moments themselves, so that what is shown is what moved the picture: the clean picture that
it estimates, x + sigma^2 s(x, sigma), and the noise, -sigma s(x, sigma). Done, the picture is its own estimate.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from explorer.engine.frames import Array
from explorer.engine.gallery.frames import Follow
from explorer.engine.gallery.job import JobRun
from explorer.engine.gallery.training import Training
from trainer.images.pictures import crop
from trainer.images.restoring import padded, tweedie

COLUMNS = 9
"""Moments of the way, evenly spaced over the steps."""


class Following:
    """Follows one picture of a run; `update` after every step."""

    def __init__(self, run: JobRun, index: int, training: Training | None) -> None:
        self._run, self.index, self._training = run, index, training
        places = np.linspace(0, run.steps, min(COLUMNS, run.steps + 1)).round().astype(int)
        self._due = list(dict.fromkeys(int(place) for place in places))
        self._columns: list[tuple[int, Tensor, Tensor, Tensor]] = []
        self._near: tuple[Array, Array] | None = None

    def update(self) -> bool:
        """Ask the network at the moments that have come; whether there were any."""
        run = self._run
        kept = run.kept
        come = [at for at in self._due if at <= run.step]
        if not come:
            return False
        self._due = self._due[len(come) :]
        steps = [max((k for k in kept if k <= at), default=kept[0]) for at in come]
        noisy = torch.stack([torch.from_numpy(run.at(step)[self.index]) for step in steps])
        self._columns.extend((step, x, *self._seen(step, x)) for step, x in zip(steps, noisy, strict=True))
        if run.done and self._training is not None:
            self._near = self._training.near(noisy[-1].clamp(-1, 1))
        return True

    def _seen(self, step: int, x: Tensor) -> tuple[Tensor, Tensor]:
        """The clean picture and the noise that the network sees in x."""
        model, sigma = self._run.model, self._run.sigmas[step]
        if sigma < model.sigma_min:
            return x, torch.zeros_like(x)
        clean, noise = tweedie(model, padded(model, x)[None], sigma)
        return crop(clean[0], model.card.shape).cpu(), crop(noise[0], model.card.shape).cpu()

    def picture(self) -> Follow:
        """What is known so far."""
        steps, *parts = zip(*self._columns, strict=True)
        noisy, clean, noise = (torch.stack(part).nan_to_num(0.0).numpy() for part in parts)
        found = Follow(
            self.index,
            np.array(steps, np.float32),
            np.array([self._run.sigmas[step] for step in steps], np.float32),
            noisy,
            clean,
            noise,
        )
        if self._near is None or self._training is None:
            return found
        near, distances = self._near
        return replace(found, neighbours=near, distances=distances, typical=self._training.typical)
