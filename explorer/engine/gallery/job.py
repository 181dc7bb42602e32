"""One job as it runs: pictures that a sampler moves, the moments that are kept of them, and one picture's way.

Kept moments are what a person scrubs through and what a film is made of. They are stored in half precision, at evenly
spaced steps; when they would take more than `KEPT_BYTES` every second one goes and the spacing doubles. The first and
the last step are always there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from explorer.engine.frames import Array
from explorer.engine.gallery.orders import Job
from trainer.errors import InputError
from trainer.images.models import ImageModel, ImageScore
from trainer.images.pictures import crop
from trainer.images.restoring import Blend, Inpainted, Observed, noised, settings_from, tweedie
from trainer.images.sampling import Moment, emerging, evaluations, levels_by_step, recommended
from trainer.noise import Noise
from trainer.settings import ParticleSettings

KEPT_BYTES = 192 * 2**20
"""Memory for kept moments."""
FRAME_VALUES = 3 * 2**20
"""Numbers that the pictures of a job may have in all: they must fit into a frame."""


class JobRun:
    """Runs a job step by step.

    Args:
        model: whose score.
        job: what to make.

    Attributes:
        settings: those that the job runs with; sigmas: the noise level after each step, 0, 1, ... steps.
        step, steps: taken and to take; evaluations: of the network per picture in the whole job.
        errors: root mean square differences of noisy pictures and one-step estimates to the one given; None if none is.
        noisy, estimate: (1, C, H, W), the first of both; or (0, 1, 1, 1).
        shown: the step that is shown.

    Raises:
        InputError: the job's settings, picture or mask do not fit the model.
    """

    def __init__(self, model: ImageScore, job: Job) -> None:
        if job.count * int(np.prod(model.card.shape)) > FRAME_VALUES:
            most = FRAME_VALUES // int(np.prod(model.card.shape))
            raise InputError(f"number: {job.count} pictures of this size are too many; give at most {most}")
        self.job, self.model = job, model
        self.settings = _settings(model, job)
        self.sigmas = levels_by_step(model, job.sampler, self.settings)
        self.steps = len(self.sigmas) - 1
        self.evaluations = evaluations(model, job.sampler, self.settings)
        self.errors: tuple[float, float] | None = None
        self.noisy: Array = np.zeros((0, 1, 1, 1), np.float32)
        self.estimate = self.noisy
        self._moments = self._begin()
        self._kept = _Kept()
        self._now = self._take()
        self.shown = 0

    def _begin(self) -> Iterator[Moment]:
        job, model = self.job, self.model
        ids = torch.arange(job.count)
        noise = Noise(job.seed, model.device)
        if job.kind == "denoise":
            clean = _given(model, job.picture)
            start = noised(model, clean, self.sigmas[0], job.count, noise)
            noisy = crop(start, model.card.shape).cpu()
            estimate = crop(tweedie(model, start, self.sigmas[0])[0], model.card.shape).cpu()
            self.errors = _difference(noisy, clean), _difference(estimate, clean)
            self.noisy, self.estimate = noisy[:1].numpy(), estimate[:1].numpy()
            given = Observed(model, start, self.sigmas[0]) if job.sampler == "annealed" else model
            return self._run(given, ids, noise, start)
        if job.kind == "inpaint":
            unknown = torch.from_numpy(np.asarray(job.mask) > 0)
            if tuple(unknown.shape) != model.card.shape[1:]:
                raise InputError(f"mask: {tuple(unknown.shape)} pixels; give {model.card.shape[1:]}, as the pictures")
            inpainted = Inpainted(model, _given(model, job.picture), unknown)
            return inpainted.finished(self._run(inpainted, ids, noise, None))
        if job.kind == "interpolate":
            second = Noise(job.second_seed, model.device)
            return self._run(model, ids, Blend(noise, second, job.count), None)
        return self._run(model, ids, noise, None)

    def _run(self, model: ImageModel, ids: Tensor, noise: Noise, start: Tensor | None) -> Iterator[Moment]:
        return emerging(
            model, ids, sampler=self.job.sampler, settings=self.settings, seed=self.job.seed, noise=noise, start=start
        )

    # --- time ---------------------------------------------------------------------------------------------

    @property
    def step(self) -> int:
        """Steps taken."""
        return self._now.step

    @property
    def done(self) -> bool:
        """Whether the last step was taken."""
        return self.step >= self.steps

    def move(self, steps: int, deadline: float | None = None) -> int:
        """Take up to so many steps, fewer when the deadline (of `perf_counter`) passes, at least one; how many."""
        taken = 0
        while taken < steps and not self.done:
            self._now = self._take()
            self.shown = self.step
            taken += 1
            if deadline is not None and perf_counter() > deadline:
                break
        return taken

    def _take(self) -> Moment:
        moment = next(self._moments)
        x = moment.x.cpu()
        self._kept.add(moment.step, x, last=moment.step == self.steps)
        return moment._replace(x=x, diverged=moment.diverged.cpu())

    # --- what is shown ------------------------------------------------------------------------------------

    @property
    def kept(self) -> list[int]:
        """The steps that can be shown."""
        return self._kept.steps if self._kept.steps[-1] == self.step else [*self._kept.steps, self.step]

    def show(self, step: int) -> None:
        """Show the last kept moment that is not after this step."""
        kept = self.kept
        self.shown = kept[max(bisect_right(kept, step) - 1, 0)]

    def pictures(self) -> Array:
        """What is shown, (N, C, H, W) float32."""
        return self.at(self.shown)

    def at(self, step: int) -> Array:
        """A kept step's pictures, (N, C, H, W) float32."""
        found: Array = self._at(step).float().numpy()
        return found

    def _at(self, step: int) -> Tensor:
        return self._now.x if step == self.step else self._kept.at(step)

    def moments(self) -> dict[int, Tensor]:
        """The pictures (N, C, H, W) by step, of all steps that can be shown now; what is done later leaves them be."""
        return {step: self._at(step) for step in self.kept}

    @property
    def diverged(self) -> Array:
        """(N,), 1 for pictures that have left for good."""
        gone: Array = self._now.diverged.float().numpy()
        return gone

    def all_errors(self) -> Array:
        """(3,): root mean square differences to the given picture; (0,) if there is none. See `GalleryFrame`."""
        if self.errors is None:
            return np.zeros(0, np.float32)
        shown = torch.from_numpy(self.pictures()).clamp(-1, 1)
        return np.array([*self.errors, _difference(shown, _given(self.model, self.job.picture))], np.float32)


class _Kept:
    """Moments in half precision, evenly spaced, within a stated memory."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self._moments: list[Tensor] = []
        self._every = 1

    def add(self, step: int, x: Tensor, *, last: bool) -> None:
        """Keep this step if it is due, or the last."""
        if step % self._every and not last:
            return
        self.steps.append(step)
        self._moments.append(x.clamp(-6e4, 6e4).half())
        while len(self.steps) > 3 and len(self.steps) * self._moments[0].nbytes > KEPT_BYTES:
            self._every *= 2
            stay = [k for k, at in enumerate(self.steps) if at % self._every == 0 or (last and at == step)]
            self.steps = [self.steps[k] for k in stay]
            self._moments = [self._moments[k] for k in stay]

    def at(self, step: int) -> Tensor:
        """The pictures of a step that is kept."""
        return self._moments[self.steps.index(step)]


def _settings(model: ImageScore, job: Job) -> ParticleSettings:
    if job.kind == "denoise":
        return settings_from(model, job.sampler, job.sigma, job.settings)
    return job.settings or recommended(model, job.sampler)


def _given(model: ImageScore, picture: Array) -> Tensor:
    """The given picture as a tensor, checked."""
    if tuple(picture.shape) != model.card.shape:
        raise InputError(f"picture: {tuple(picture.shape)}; give {model.card.shape}, as the model makes them")
    return torch.from_numpy(np.array(picture, np.float32)).clamp(-1, 1)


def _difference(pictures: Tensor, clean: Tensor) -> float:
    """The root mean square difference of pictures (N, C, H, W) to one."""
    return float((pictures - clean).square().mean().sqrt())
