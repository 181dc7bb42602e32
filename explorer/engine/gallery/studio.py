"""What makes pictures: the model that is open, the job that runs on it, and what is followed of it.

A `Studio` knows no process and no clock: orders in, `move` and `settle`, `GalleryFrame` out.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np

from explorer.engine.frames import Particles
from explorer.engine.gallery.films import Films
from explorer.engine.gallery.following import Following
from explorer.engine.gallery.frames import GalleryFrame
from explorer.engine.gallery.job import JobRun
from explorer.engine.gallery.orders import Export, Exported, GalleryAnswer, Job, ModelOpened, ModelRefused, OpenModel
from explorer.engine.gallery.training import Training, training_of
from explorer.engine.messages import Notice
from explorer.engine.mover import Mover
from explorer.engine.orders import Order
from trainer.devices import choose_device
from trainer.errors import InputError, TrainingError
from trainer.images.checkpoints import load_image_model, newest
from trainer.images.models import ImageScore
from trainer.images.sampling import IMAGE_SAMPLERS, recommended

_DOTS_MOST = 0.03
"""Seconds that particles beside the pictures may take of one turn."""


class Studio:
    """One model after another, one job after another.

    Args:
        device: what computes.

    Attributes:
        followed: which picture's way is shown; -1 for none.
        answers: what the window is to be told.
        films: those that are being written.
    """

    def __init__(self, device: str = "auto") -> None:
        self.followed = -1
        self.answers: deque[GalleryAnswer | Notice] = deque()
        self._device = str(choose_device(device))
        self._model: ImageScore | None = None
        self._models = 0
        self._training: Training | None = None
        self._run: JobRun | None = None
        self._following: Following | None = None
        self._dots: Mover | None = None
        self._warned = 0
        self.films = Films(self.answers.append)

    # --- orders -------------------------------------------------------------------------------------------

    def open(self, order: OpenModel) -> bool:
        """Open a model, or say why it cannot be: the one before stays then, with its job; whether it is open."""
        try:
            folder = newest(Path(order.path))
            model = load_image_model(folder, self._device)
        except InputError as error:
            self.answers.append(ModelRefused(order.path, str(error)))
            return False
        self._model, self._models = model, self._models + 1
        self._run = self._following = self._training = None
        try:
            if order.training or model.card.data.source:
                self._training = training_of(model.card, order.training)
        except InputError as error:
            if order.training:
                self.answers.append(Notice("warning", str(error)))
        self.answers.append(self._opened(order, folder, model))
        return True

    def _opened(self, order: OpenModel, folder: Path, model: ImageScore) -> ModelOpened:
        card, training = model.card, self._training
        parameters = sum(p.numel() for p in model.unet.parameters())
        data = card.data
        return ModelOpened(
            path=order.path,
            folder=str(folder),
            name=folder.parent.name if folder.name.startswith("checkpoint-") else folder.name,
            objective=card.objective,
            shape=card.shape,
            levels=card.levels,
            sigma_min=model.sigma_min,
            sigma_max=model.sigma_max,
            step=card.step,
            parameters=parameters,
            facts=(
                ("trained on", f"{data.count:,} of {data.name}" if data.count else data.name or "pictures not named"),
                ("made by", card.command or "a command not named"),
                *((name.replace("_", " "), f"{value:.4g}") for name, value in sorted(card.metrics.items())),
            ),
            source=(order.training or data.source) if training is not None else "",
            data=None if training is None else (training.name, training.count),
            same_data=training is not None and training.same,
            recommended={name: recommended(model, name) for name in IMAGE_SAMPLERS},
            device=str(model.device),
        )

    def begin(self, job: Job) -> None:
        """Begin this job.

        Raises:
            InputError: no model is open, or the job does not fit it; the job before stays.
        """
        if self._model is None:
            raise InputError("no image model is open; open one first")
        self._run = JobRun(self._model, job)
        self.followed = min(self.followed, job.count - 1)
        self._follow()
        self._place_dots()

    def follow(self, index: int) -> None:
        """Show this picture's way from now on; -1 for none."""
        if index != self.followed:
            self.followed = index
            self._follow()

    def _follow(self) -> None:
        run = self._run
        at = self.followed
        follows = run is not None and 0 <= at < run.job.count
        self._following = Following(run, at, self._training) if run is not None and follows else None

    def show(self, step: int) -> None:
        """Show the last kept step that is not after this one."""
        if self._run is not None:
            self._run.show(step)
            self._place_dots()

    def forward(self) -> bool:
        """Show the kept moment after the one shown; False if that is the newest."""
        run = self._run
        later = [] if run is None else [step for step in run.kept if step > run.shown]
        if later:
            self.show(later[0])
        return bool(later)

    def dots(self, order: Order | None) -> None:
        """Let these particles run beside the pictures; None for none."""
        self._dots = None
        if order is not None:
            self._dots = Mover(self._device)
            self._dots.release(order)
            self._place_dots()

    # --- files --------------------------------------------------------------------------------------------

    def export(self, order: Export) -> None:
        """Write the pictures shown, or have `films` write how they emerged; an answer says what came of it."""
        from explorer.engine.gallery.exporting import write_still

        path = Path(order.path)
        try:
            if self._run is None:
                raise InputError("there are no pictures yet; make some first")
            if order.moves:
                self.films.order(order, self._run)
            else:
                self.answers.append(Exported(order.path, write_still(path, self._run)))
        except (InputError, TrainingError, OSError, RuntimeError) as error:
            self.answers.append(Exported(order.path, str(error), failed=True))

    # --- time ---------------------------------------------------------------------------------------------

    @property
    def left(self) -> int:
        """Steps that the job has not taken."""
        return 0 if self._run is None else self._run.steps - self._run.step

    @property
    def steps(self) -> int:
        """Steps of the job in all."""
        return 0 if self._run is None else self._run.steps

    def move(self, steps: int, deadline: float | None = None) -> int:
        """Take up to so many steps, fewer when the deadline (of `perf_counter`) passes; how many were taken."""
        run = self._run
        if run is None:
            return 0
        run.show(run.step)
        taken = run.move(steps, deadline)
        if taken:
            self._place_dots()
            self._warn(run)
        return taken

    def _warn(self, run: JobRun) -> None:
        gone = int(run.diverged.sum())
        if gone and run.job.number != self._warned:
            self._warned = run.job.number
            self.answers.append(
                Notice(
                    "warning",
                    f"{gone} of {run.job.count} pictures left every bound: choose a smaller ε, more steps, "
                    "or the recommended settings.",
                )
            )

    def _place_dots(self) -> None:
        """Bring the particles to the fraction of their run at which the pictures are that are shown."""
        run, dots = self._run, self._dots
        if run is None or dots is None:
            return
        wanted = self._wanted(run, dots)
        if wanted > _taken(dots):
            dots.move(wanted - _taken(dots), perf_counter() + _DOTS_MOST)
        else:
            dots.show(wanted)

    @staticmethod
    def _wanted(run: JobRun, dots: Mover) -> int:
        """The step of the particles at the fraction of the run that is shown."""
        return round(dots.steps * run.shown / run.steps)

    def settle(self) -> bool:
        """Do what is due besides steps: one picture's way, and particles that lag behind; whether anything was."""
        run, dots = self._run, self._dots
        lag = run is not None and dots is not None and self._wanted(run, dots) > _taken(dots)
        if lag:
            self._place_dots()
        return (self._following is not None and self._following.update()) or lag

    # --- what is shown ------------------------------------------------------------------------------------

    def frame(self, *, moving: bool = False, busy: str = "") -> GalleryFrame:
        """The present moment; `moving` says whether the sampler runs."""
        run = self._run
        if run is None:
            return GalleryFrame(model=self._models, busy=busy, writing=self.films.words)
        return GalleryFrame(
            model=self._models,
            job=run.job.number,
            moving=moving,
            step=run.step,
            steps=run.steps,
            evaluations=run.evaluations,
            shown=run.shown,
            kept=np.asarray(run.kept, np.float32),
            sigma=run.sigmas[run.shown],
            sigmas=np.asarray(run.sigmas, np.float32),
            pictures=run.pictures(),
            diverged=run.diverged,
            errors=run.all_errors(),
            noisy=run.noisy,
            estimate=run.estimate,
            follow=self._following.picture() if self._following is not None else None,
            dots=self._particles(),
            busy=busy,
            writing=self.films.words,
        )

    def _particles(self) -> Particles | None:
        """The particles as they are shown: that they have been further on says nothing of the pictures' run."""
        if self._dots is None:
            return None
        found = self._dots.particles()
        return replace(found, particle_step=found.particle_shown)


def _taken(dots: Mover) -> int:
    """Steps that the particles shown have taken."""
    return dots.steps - dots.left
