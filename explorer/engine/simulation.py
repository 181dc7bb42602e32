"""What one session learns: a fit, its errors, its race and what is looked at, moved forward by step numbers alone.

A `Simulation` knows no process, no clock and no window. The live engine and the exporter both drive it: commands
in, `train` and `measure`, frames out. Whatever determines the run happens at step numbers, so the same commands at the
same steps give the same frames on the same device. Particles are moved elsewhere (`explorer.engine.mover`): a release
leaves an `Order` among the events.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from time import perf_counter

import numpy as np

from explorer.engine.fields import lattice_of
from explorer.engine.freezing import freeze
from explorer.engine.history import LossHistory
from explorer.engine.keyframes import Keyframes
from explorer.engine.looking import Looking, Sight
from explorer.engine.measuring import Measurements
from explorer.engine.messages import (
    Applied,
    Command,
    Configure,
    ConfigureRace,
    ConfigureScene,
    Event,
    Frame,
    Look,
    Notice,
    Probe,
    Release,
    Repaint,
    Reset,
    RunRace,
    SetLimits,
    StopWhen,
)
from explorer.engine.orders import Order
from explorer.engine.race import RaceRun
from explorer.engine.stopping import Stopping
from explorer.recipe import same_network
from trainer.densities import PaintedDensity
from trainer.errors import InputError
from trainer.fit import Fit
from trainer.plans import RaceSettings
from trainer.projects import Setup
from trainer.settings import FitSettings

RELEASE_AFTER = 400
"""Training steps after the start or an edit at which a live run releases its particles by itself."""


class Simulation:
    """Everything that a recipe determines.

    Args:
        setup: painting, settings and seeds to begin with.
        device: what computes.
        revision: the document's, of this painting.
        live: whether particles go by themselves at a step number, and training stops by its conditions.
    """

    def __init__(self, setup: Setup, *, device: str = "auto", revision: int = 0, live: bool = False) -> None:
        self.name, self.revision = setup.name, revision
        self.scene, self.particle_seed = setup.scene, setup.particle_seed
        self.stopping = Stopping(setup.stop)
        self.events: deque[Event] = deque()
        self.run = 0
        self.looking = Looking()
        self.race: RaceRun | None = None
        self.race_running = False
        self.keyframes = Keyframes()
        self.measurements = Measurements()
        self._live = live
        self._device = device
        self._settled: tuple[object, ...] = ()
        self._turn = self._idle = 0  # whose turn it is to be worked on, and how many had nothing left to do
        self._painting = setup.weights
        self.density = PaintedDensity(setup.weights)
        self._start(setup.fit, setup.seed)
        self._forget_painting()
        if setup.race.entrants:
            self._configure_race(setup.race)

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
                self._painting = weights
                self._forget_painting()
                if self.race is not None:
                    self.race.change_density(density)
            case Configure(settings):
                if same_network(settings, self.fit.settings):
                    self.fit.change_settings(settings)
                    self._schedule()
                else:
                    self._start(settings, self.seed)
            case Reset(seed):
                self._start(self.fit.settings, seed)
                if self.race is not None:
                    self._configure_race(self.race.settings, anew=True)
            case ConfigureScene(scene, seed):
                self.scene, self.particle_seed = scene, seed
            case Release(step):
                self._release(step)
            case _:
                self._only_look(command)
                return
        self.events.append(Applied(self.fit.step, command))

    def _only_look(self, command: Command) -> None:
        """Do what a command says that does not determine the run."""
        match command:
            case Look():
                self.looking.look = command
            case Probe(point):
                self.looking.probe = point
            case StopWhen(settings):
                self.stopping = Stopping(settings)
            case ConfigureRace(settings):
                self._configure_race(settings)
            case RunRace(running):
                self.race_running = running and self.race is not None
            case SetLimits(keyframe_bytes):
                self.keyframes.set_limit(keyframe_bytes)
            case _:
                raise TypeError(f"{type(command).__name__} is not for the simulation")

    def _configure_race(self, settings: RaceSettings, *, anew: bool = False) -> None:
        if not settings.entrants:
            self.race, self.race_running = None, False
        elif anew or self.race is None or not self.race.configure(settings):
            self.race = RaceRun(settings, self.density, self.seed, self._device)

    def _start(self, settings: FitSettings, seed: int) -> None:
        """Put a fresh network in place of the present one; if that fails, the present one stays."""
        self.fit = Fit(self.density, settings, device=self._device, seed=seed)
        self.seed = seed
        self._begin_run()

    def _begin_run(self) -> None:
        self.run += 1
        self._losses = LossHistory()
        self._recent: deque[float] = deque(maxlen=50)
        self.measurements.begin_run(self.fit.step)
        self.keyframes.clear()
        self.keyframes.add(self.fit.step, self.fit.snapshot())
        self._schedule()

    def _forget_painting(self) -> None:
        """What was derived from the painting is derived again."""
        self.measurements.change_density(self.fit.step)
        self._schedule()

    def hold_release(self) -> None:
        """Release nothing by itself until something is edited: there are particles already."""
        self._release_at = -1

    def _schedule(self) -> None:
        """Count measurements, the automatic release and the stop conditions from this step on."""
        self.measurements.restart(self.fit.step)
        self._release_at = self.fit.step + RELEASE_AFTER if self._live else -1
        self.stopping.arm()

    # --- time ---------------------------------------------------------------------------------------------

    def train(self, steps: int, deadline: float | None = None) -> int:
        """Take up to `steps` training steps, fewer when the deadline (of `perf_counter`) passes; returns how many.

        Raises:
            TrainingError: when the run cannot go on.
        """
        taken = 0
        for progress in self.fit.run(steps=steps):
            taken += 1
            if math.isfinite(progress.loss):
                self._losses.add(progress.step, progress.seconds, progress.loss)
                self._recent.append(progress.loss)
            if progress.notice:
                self.events.append(Notice("warning", progress.notice))
            elif self.keyframes.due(progress.step):
                self.keyframes.add(progress.step, self.fit.snapshot())
            self.measurements.take_step(self.fit, self.density, progress.step, progress.seconds)
            if progress.step == self._release_at:
                self._release(None, automatic=True)
                self.events.append(Applied(self.fit.step, Release()))
            errors = self.measurements.latest.values()
            if self._live and self.stopping.reached(progress.step, progress.seconds, errors):
                break
            if deadline is not None and perf_counter() > deadline:
                break
        return taken

    def run_race(self, deadline: float) -> None:
        """Give the race turns until the deadline (of `perf_counter`)."""
        if self.race is not None and self.race_running:
            self.race.advance(deadline)
            while self.race.notices:
                self.events.append(Notice("warning", self.race.notices.popleft()))

    def measure(self, deadline: float | None = None) -> bool:
        """Work on errors and maps that are due, a piece at a time; True when nothing is left to do."""
        works: list[Callable[[float | None], bool]] = [self.measurements.measure]
        if self.looking.wants_maps:
            works.append(lambda until: self.looking.work_on_maps(self._sight(), self.fit, self.density, until))
        if self.race is not None:
            works.append(self.race.measure)
        moment = self._moment()
        for _ in works:  # each in turn, so that with little time none waits for another to end
            self._turn += 1
            done = works[self._turn % len(works)](deadline)
            self._idle = self._idle + 1 if done else 0
            if deadline is not None and perf_counter() > deadline:
                break
        if self._idle >= len(works):
            self._settled = moment
        return self._idle >= len(works)

    @property
    def measuring(self) -> bool:
        """Whether anything is due that has not been measured yet."""
        return (
            self.measurements.busy
            or (self.race is not None and self.race.measuring)
            or (self.looking.wants_maps and self._settled != self._moment())
        )

    def _moment(self) -> tuple[object, ...]:
        """What maps depend on."""
        return self.look, self.run, self.revision, self.fit.step

    def _release(self, step: int | None, *, automatic: bool = False) -> None:
        """Order a release on the present weights, or on those kept of a training step."""
        learned = self.fit.snapshot()
        if step is not None:
            kept = self.keyframes.at(step)
            if kept is None:
                raise InputError(f"training step {step:,}: no weights are kept of it; choose a later step")
            learned = kept
        self.events.append(
            Order(self.scene, self.particle_seed, self._painting, self.revision, freeze(learned), automatic)
        )

    # --- frames -------------------------------------------------------------------------------------------

    def frame(
        self,
        *,
        training: bool = False,
        rate: float = 0.0,
        busy: str = "",
        fields: bool = True,
        points: bool = True,
    ) -> Frame:
        """The present moment, as the live engine says it is.

        Without `fields` these stay as they were, unless at another place; so do the values at `points` that are read.
        """
        look, fit, looking = self.look, self.fit, self.looking
        sight = self._sight()
        looking.take(sight, self.density, fields)
        probe, pins = looking.points(sight, self.density, fit.points_per_block, fields and points)
        shown = looking.fields
        steps, seconds, losses = self._losses.arrays()
        error_steps, error_seconds, errors = self.measurements.history.arrays()
        race = None
        if self.race is not None and "race" in look.wants:
            race = self.race.part(lattice_of(look), sight.sigma, self.race_running, due=fields)
        return Frame(
            run=self.run,
            revision=self.revision,
            name=self.name,
            training=training,
            step=fit.step,
            seconds=fit.seconds,
            steps_per_second=rate,
            loss=float(np.mean(self._recent)) if self._recent else 0.0,
            loss_known=bool(self._recent),
            draws=fit.draws,
            objective=fit.settings.objective,
            target=fit.settings.target,
            device=fit.device_name,
            parameters=fit.parameters,
            seed=self.seed,
            sigma=sight.sigma,
            centre=look.centre,
            half_width=look.half_width,
            learned=shown.learned,
            true=shown.true,
            ground=shown.ground,
            peak=shown.peak,
            curve_steps=steps,
            curve_seconds=seconds,
            curve_loss=losses,
            error_steps=error_steps,
            error_seconds=error_seconds,
            errors=errors,
            probe=probe,
            particles_revision=self.revision,
            panes=np.zeros((len(self.scene.panes), 0, 2), np.float32),
            busy=busy,
            training_ladder=np.asarray(fit.ladder, np.float32),
            fields_version=shown.version,
            keyframes=self.keyframes.steps,
            shown_step=sight.step,
            keyframe_bytes=self.keyframes.bytes,
            keyframe_limit=self.keyframes.limit,
            maps=looking.maps,
            race=race,
            racing=self.race_running,
            pins=pins,
            loop=looking.loop,
            loop_integrals=looking.loop_integrals,
            floor=self.measurements.floor(fit),
            learning_rate=fit.learning_rate,
            lowered=fit.lowered,
        )

    @property
    def look(self) -> Look:
        """What is looked at."""
        return self.looking.look

    def _sight(self) -> Sight:
        return self.looking.sight(self.run, self.fit, self.keyframes)

    # --- mirror -------------------------------------------------------------------------------------------

    def state(self) -> bytes:
        """What a fresh engine needs to go on from here, as a safetensors blob."""
        return self.fit.state()

    def restore(self, state: bytes) -> None:
        """Go on from `state`; its painting and settings must be this simulation's."""
        self.fit.restore(state)
        self._begin_run()
