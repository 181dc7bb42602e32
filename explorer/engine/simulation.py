"""What one session computes: a fit, its errors and its particles, moved forward by step numbers alone.

A `Simulation` knows no process, no clock and no window. The live engine and the exporter both drive it: commands
in, `train` and `move`, frames out. Whatever determines the run happens at step numbers, so the same commands at the
same steps give the same frames on the same device.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import numpy as np
import torch

from explorer.engine.history import ErrorHistory, LossHistory, next_measurement
from explorer.engine.messages import (
    ERROR_SIGMAS,
    Applied,
    Array,
    Command,
    Configure,
    ConfigureParticles,
    Event,
    Frame,
    Look,
    Modes,
    Notice,
    Probe,
    Release,
    Repaint,
    Reset,
)
from explorer.engine.particles import ParticleRun
from trainer.densities import PaintedDensity
from trainer.fit import Fit
from trainer.kernels import GAUSSIAN
from trainer.metrics import FisherProbe
from trainer.models import ScoreModel, TrueScore
from trainer.modes import find_modes
from trainer.samplers import within
from trainer.settings import FitSettings, ParticleSettings

GROUND = 192
"""The density behind the fields is drawn on this many cells a side."""

RELEASE_AFTER = 400
"""Training steps after the start or an edit at which a live run releases its particles by itself."""


class Simulation:
    """Everything that a recipe determines. `auto_release` lets particles go by themselves, at a step number."""

    def __init__(
        self,
        weights: Array,
        name: str = "painting",
        fit: FitSettings | None = None,
        particles: ParticleSettings | None = None,
        seed: int = 0,
        particle_seed: int = 0,
        *,
        device: str = "auto",
        revision: int = 0,
        auto_release: bool = False,
    ) -> None:
        self.name, self.revision = name, revision
        self.particle_seed = particle_seed
        self.fit_settings = fit or FitSettings()
        self.particle_settings = particles or ParticleSettings()
        self.events: deque[Event] = deque()
        self.run = 0
        self.released = 0
        self.look = Look()
        self._learned = np.zeros((0, 0, 2), np.float32)
        self._learned_at = -1
        self._fields_version = 0
        self._particles: ParticleRun | None = None
        self._finder = ThreadPoolExecutor(1, "modes")
        self._auto = auto_release
        self._device = device
        self._probe: tuple[float, float] | None = None
        self.density = PaintedDensity(weights)
        self._start(self.fit_settings, seed)
        self._forget_painting()

    # --- commands -----------------------------------------------------------------------------------------

    def apply(self, command: Command) -> None:
        """Do what a command says; those that determine the run leave an `Applied` event.

        Raises:
            InputError: when its values cannot be used; the run goes on as it was.
        """
        match command:
            case Repaint(revision, weights, name):
                density = PaintedDensity(weights)
                self.fit.change_density(density)
                self.density, self.revision, self.name = density, revision, name
                self._forget_painting()
            case Configure(settings):
                if settings.network == self.fit_settings.network:
                    self.fit.change_settings(settings)
                    self.fit_settings = settings
                    self._schedule()
                else:
                    self._start(settings, self.seed)
            case Reset(seed):
                self._start(self.fit_settings, seed)
            case ConfigureParticles(settings, seed):
                self.particle_settings, self.particle_seed = settings, seed
            case Release():
                self._release()
            case Look():
                self.look = command
                return
            case Probe(point):
                self._probe = point
                return
            case _:
                raise TypeError(f"{type(command).__name__} is for the engine's process, not for the simulation")
        self.events.append(Applied(self.fit.step, command))

    def _start(self, settings: FitSettings, seed: int) -> None:
        """Put a fresh network in place of the present one; if that fails, the present one stays."""
        self.fit = Fit(self.density, settings, device=self._device, seed=seed)
        self.fit_settings, self.seed = settings, seed
        self._begin_run()

    def _begin_run(self) -> None:
        self.run += 1
        self._losses = LossHistory()
        self._errors = ErrorHistory()
        self._recent: deque[float] = deque(maxlen=50)
        self._edited_at = self.fit.step
        self._schedule()

    def _forget_painting(self) -> None:
        """What was derived from the painting is derived again; its modes at once, beside the training."""
        self._modes_found = self._finder.submit(find_modes, self.density)
        self._probes: dict[float, FisherProbe] = {}
        self._still: tuple[object, Array, Array, float] | None = None
        self._edited_at = self.fit.step
        self._schedule()

    def _schedule(self) -> None:
        """Count measurements and the automatic release from this step on."""
        self._edited_at = self.fit.step
        self._jobs: deque[tuple[int, float, int, ScoreModel]] = deque()
        self._measuring: Iterator[None] | None = None
        self._measure_at = self.fit.step + next_measurement(0)
        self._release_at = self.fit.step + RELEASE_AFTER if self._auto else -1

    # --- time ---------------------------------------------------------------------------------------------

    def train(self, steps: int, deadline: float | None = None) -> int:
        """Take up to `steps` training steps, fewer when the deadline (of `perf_counter`) passes; returns how many.

        Raises:
            TrainingError: when the run cannot go on.
        """
        taken = 0
        for progress in self.fit.run(steps=steps):
            taken += 1
            self._losses.add(progress.step, progress.seconds, progress.loss)
            self._recent.append(progress.loss)
            if progress.notice:
                self.events.append(Notice("warning", progress.notice))
            if progress.step == self._measure_at:
                self._queue_measurement(progress.step, progress.seconds)
            if progress.step == self._release_at:
                self.apply(Release())
            if deadline is not None and perf_counter() > deadline:
                break
        return taken

    def _queue_measurement(self, step: int, seconds: float) -> None:
        model = self.fit.snapshot()
        self._jobs.extend((step, seconds, level, model) for level in range(len(ERROR_SIGMAS)))
        self._measure_at = self._edited_at + next_measurement(step - self._edited_at)

    def measure(self, deadline: float | None = None) -> bool:
        """Work on the errors that are due, a piece at a time; True when nothing is left to do."""
        while self._jobs:
            self._measuring = self._measuring or self._measure(*self._jobs[0])
            for _ in self._measuring:
                if deadline is not None and perf_counter() > deadline:
                    return False
            self._measuring = None
            self._jobs.popleft()
        return True

    @property
    def measuring(self) -> bool:
        """Whether errors are due that have not been measured yet."""
        return bool(self._jobs)

    def _measure(self, step: int, seconds: float, level: int, model: ScoreModel) -> Iterator[None]:
        """Measure one error, of the weights as they were at `step`."""
        sigma = ERROR_SIGMAS[level]
        if model.sigma_min <= sigma <= model.sigma_max:
            probe = self._probes.setdefault(sigma, FisherProbe(self.density, sigma))
            self._errors.add(step, seconds, level, (yield from probe.measure(model)))

    def move(self, steps: int, deadline: float | None = None) -> int:
        """Take up to `steps` particle steps; returns how many were taken."""
        run = self._particles
        return run.move(steps, deadline) if run is not None else 0

    @property
    def moving_left(self) -> int:
        """Particle steps that the present release has not taken yet."""
        run = self._particles
        return 0 if run is None or run.done else run.steps - run.step

    @property
    def moving_steps(self) -> int:
        """Particle steps of the present release in all."""
        return self._particles.steps if self._particles else 0

    @property
    def diverged(self) -> bool:
        """Whether particles of the present release have left the range of numbers."""
        return self._particles is not None and self._particles.diverged

    def _release(self) -> None:
        model: ScoreModel
        if self.particle_settings.source == "true":
            model = TrueScore(self.density, GAUSSIAN, self.fit.device)
        else:
            model = self.fit.snapshot()
        settings = within(self.particle_settings, model)
        if settings != self.particle_settings:
            known = f"{model.sigma_min:.3g} to {model.sigma_max:.3g}"
            self.events.append(Notice("info", f"The particles' ladder was cut to the noise levels learned: {known}"))
        self._particles = ParticleRun(model, settings, self.particle_seed)
        self._mode_map = self._modes_found
        self._particles_revision = self.revision
        self._ledger_at = -1
        self._weights_step = self.fit.step
        self.released += 1

    # --- frames -------------------------------------------------------------------------------------------

    def frame(
        self,
        *,
        training: bool = False,
        moving: bool = False,
        rate: float = 0.0,
        busy: str = "",
        fields: bool = True,
    ) -> Frame:
        """The present moment. `training`, `moving`, `rate` and `busy` are the live engine's to say.

        `fields=False` repeats the fields of the frame before, unless they would show another painting, place or noise.
        """
        sigma = min(max(self.look.sigma, self.fit.sigma_min), self.fit.sigma_max)
        true, ground, peak = self._truth(sigma, fields)
        steps, seconds, losses = self._losses.arrays()
        error_steps, error_seconds, errors = self._errors.arrays()
        run = self._particles
        empty = np.zeros(0, np.float32)
        return Frame(
            run=self.run,
            revision=self.revision,
            name=self.name,
            training=training,
            step=self.fit.step,
            seconds=self.fit.seconds,
            steps_per_second=rate,
            loss=float(np.mean(self._recent)) if self._recent else 0.0,
            loss_known=bool(self._recent),
            draws=self.fit.draws,
            objective=self.fit_settings.objective,
            target=self.fit_settings.target,
            device=self.fit.device_name,
            parameters=self.fit.parameters,
            seed=self.seed,
            sigma=sigma,
            centre=self.look.centre,
            half_width=self.look.half_width,
            learned=self._learned,
            true=true,
            ground=ground,
            peak=peak,
            curve_steps=steps,
            curve_seconds=seconds,
            curve_loss=losses,
            error_steps=error_steps,
            error_seconds=error_seconds,
            errors=errors,
            probe=self._probed(sigma) if self._probe else empty,
            released=self.released,
            moving=moving,
            particle_step=run.step if run else 0,
            particle_steps=run.steps if run else 0,
            particle_level=run.level if run else 0,
            particle_sigma=run.levels[run.level].sigma if run else 0.0,
            particle_source=run.settings.source if run else self.particle_settings.source,
            particle_weights_step=self._weights_step if run else 0,
            table_error=run.table_error if run else 0.0,
            particles_revision=self._particles_revision if run else self.revision,
            panes=run.panes() if run else np.zeros((3, 0, 2), np.float32),
            modes=self._ledger(run) if run else None,
            ladder=np.array([level.sigma for level in run.levels], np.float32) if run else empty,
            busy=busy,
            training_ladder=np.asarray(self.fit.ladder, np.float32),
            fields_version=self._fields_version,
        )

    def _lattice(self) -> torch.Tensor:
        """The cell centres of the range that is looked at, (n * n, 2)."""
        n, half, (cx, cy) = self.look.lattice, self.look.half_width, self.look.centre
        side = ((torch.arange(n, dtype=torch.float32) + 0.5) / n * 2 - 1) * half
        y, x = torch.meshgrid(side + cy, side + cx, indexing="ij")
        return torch.stack([x.ravel(), y.ravel()], 1)

    def _truth(self, sigma: float, fields: bool) -> tuple[Array, Array, float]:
        """The true field, the density scaled to 1, and its maximum; kept until painting, sigma or range change.

        The learned field is taken anew then too, and whenever `fields` says so and there is anything new to see.
        """
        look = self.look
        key = (self.revision, self.run, sigma, look.lattice, look.centre, look.half_width)
        if self._still is None or self._still[0] != key or (fields and self._learned_at != self.fit.step):
            n = look.lattice
            learned = self.fit.score(self._lattice().to(self.fit.device), sigma).reshape(n, n, 2)
            self._learned = learned.to("cpu", torch.float32).numpy()
            self._learned_at = self.fit.step
            self._fields_version += 1
        if self._still is None or self._still[0] != key:
            field = np.asarray(self.density.score_lattice(look.centre, look.half_width, look.lattice, sigma))
            ground = np.asarray(self.density.density_lattice(look.centre, look.half_width, GROUND, sigma))
            peak = float(ground.max())
            scaled = ground / peak if peak > 0 else ground
            self._still = (key, field.astype(np.float32), scaled.astype(np.float32), peak)
        return self._still[1:]

    def _probed(self, sigma: float) -> Array:
        """What the two scores and the density are at the probed point, (7,)."""
        x = torch.tensor([self._probe], dtype=torch.float64)
        learned = self.fit.score(x.to(self.fit.device, torch.float32), sigma).to("cpu", torch.float64)
        true, log_p = self.density.score(x, sigma), self.density.log_prob(x, sigma)
        return torch.cat([x[0], learned[0], true[0], log_p]).to(torch.float32).numpy()

    def _ledger(self, run: ParticleRun) -> Modes:
        """The ledger of the panes against the density they were released on, renewed sixty times a run."""
        due = self._ledger_at < 0 or run.done or run.step - self._ledger_at >= max(1, run.steps // 60)
        if due and run.step != self._ledger_at:
            self._modes = run.modes(self._mode_map.result())
            self._ledger_at = run.step
        return self._modes

    # --- mirror -------------------------------------------------------------------------------------------

    def state(self) -> bytes:
        """What a fresh engine needs to go on from here, as a safetensors blob."""
        return self.fit.state()

    def restore(self, state: bytes) -> None:
        """Go on from `state`; its painting and settings must be this simulation's."""
        self.fit.restore(state)
        self._begin_run()
