"""The engine's process: it obeys commands, trains, races and measures, and publishes what it has learned.

One turn of the loop is one frame: commands first, then a little measuring, the frame itself, and training for the rest
of the time. Particles move in another process (`explorer.engine.moving`), to which a release goes as an `Order`.
"""

from __future__ import annotations

import platform
from dataclasses import replace
from multiprocessing.connection import Connection
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING

from explorer.engine.hosting import host
from explorer.engine.mailbox import Mailbox
from explorer.engine.memory import out_of_memory
from explorer.engine.messages import (
    Applied,
    Begin,
    Command,
    Event,
    Look,
    Mirror,
    MirrorNow,
    Notice,
    Ready,
    RunRace,
    SaveScore,
    SetLimits,
    Shutdown,
    Train,
    TrainSteps,
)
from explorer.engine.mirror import MirrorStore
from explorer.engine.orders import Order
from explorer.engine.pulse import Pulse
from explorer.engine.saving import save
from explorer.engine.starting import Start
from trainer.errors import InputError, TrainingError

if TYPE_CHECKING:
    from explorer.engine.simulation import Simulation

FRAME = 1 / 62
"""Seconds between two frames while the look changes, which is when every frame shows something else."""
CALM_FRAME = 1 / 24
"""The same while the fields change only because they are learned."""

_MIRROR_EVERY = 1.0
_TRAIN_SHARE = 0.6
"""Training gets at least this share of the time: frames come later rather than learning."""
_MEASURE_SHARE, _ERROR_SHARE = 0.07, 0.2
"""What measuring gets of the time while training runs: maps and distances, and the errors, of which there are few."""
_MEASURE_MOST = 0.02
_OFTEN = 3
"""With every third frame points are read anew, and the learned fields while a race runs."""


def run_engine(connection: Connection) -> None:
    """Be the engine until `Shutdown` arrives or the pipe closes; the target of the spawned process."""

    def work(start: Start) -> None:
        mailbox, store = Mailbox.attach(start.mailbox), MirrorStore.attach(start.store)
        try:
            _Engine(connection, mailbox, store, start).loop()
        finally:
            mailbox.close()
            store.close()

    host(connection, Start, work)


class _Engine:
    """The loop and its clocks."""

    def __init__(self, connection: Connection, mailbox: Mailbox, store: MirrorStore, start: Start) -> None:
        import torch

        self._connection, self._sending = connection, Lock()
        self._mailbox = mailbox
        self._store, self._slot = store, start.slot
        self._device = start.device
        self._keyframe_bytes = start.keyframe_bytes
        self._simulation = self._begin(start.begin, release=not start.released)
        self._simulation.apply(start.look)
        self._simulation.apply(RunRace(start.racing))
        self._training = start.training
        self._train_left: int | None = None
        self._alive = True
        self._changed = self._looked = True
        self._measure_left = self._race_left = 0.0
        self._refused = ""  # what could not be done last, so that it is said once
        self._turn = 0
        self._rate = 0.0
        self._rate_from = (perf_counter(), 0)
        fit = self._simulation.fit
        self._rate_from = (perf_counter(), fit.step)
        facts = {
            "torch": str(torch.__version__),  # its own type, which the window would import torch to read
            "python": platform.python_version(),
            "system": platform.platform(),
            "dtype": "float32",
            "threads": str(torch.get_num_threads()),
        }
        self._send(Ready(fit.device_name, facts))

    def _begin(self, begin: Begin, *, release: bool = True) -> Simulation:
        """A simulation of this document, from its own weights if they can be used."""
        self._era = begin.era
        from explorer.engine.simulation import Simulation

        simulation = Simulation(begin.setup, device=self._device, revision=begin.revision, live=True)
        simulation.apply(SetLimits(self._keyframe_bytes))
        if begin.state is not None:
            try:
                simulation.restore(begin.state)
            except InputError as error:
                self._send(Notice("warning", f"Training starts afresh: {error}"))
        if not release:
            simulation.hold_release()
        return simulation

    def _send(self, event: Event) -> None:
        with self._sending:
            self._connection.send(
                replace(event, era=self._era) if isinstance(event, Applied | Mirror | Order) else event
            )

    def _mirror(self, *, asked: bool = False) -> None:
        """Leave the state where the window finds it."""
        step, state = self._simulation.fit.step, self._simulation.state()
        if self._store.write(self._slot, state):
            self._send(Mirror(step, slot=self._slot, size=len(state), asked=asked))
            self._slot = 1 - self._slot
        else:
            self._send(Mirror(step, state, asked=asked))

    def _tell(self) -> None:
        """Pass on what the simulation has noted."""
        while self._simulation.events:
            self._send(self._simulation.events.popleft())

    def loop(self) -> None:
        """Turn until told to stop; a turn is a frame."""
        mirror = before = perf_counter()
        with Pulse(self._send, "One training step") as pulse:
            while self._alive:
                pulse.turn(self._simulation.fit.step)
                self._obey(wait=0.0 if self._busy else 0.1)
                began = perf_counter()
                elapsed, before = min(began - before, 0.1), began
                try:
                    self._work(began, elapsed)
                except InputError as error:  # of what is looked at, say: the run itself goes on
                    if self._refused != str(error):
                        self._refused = str(error)
                        self._send(Notice("warning", self._refused))
                now = perf_counter()
                if now - mirror > _MIRROR_EVERY and self._training:
                    self._mirror()
                    mirror = now

    def _work(self, began: float, elapsed: float) -> None:
        """Do one turn's work, which began at `began`, `elapsed` seconds after the turn before."""
        self._measure(elapsed)
        self._tell()
        if self._busy:
            self._publish()
        self._train(began)

    @property
    def _busy(self) -> bool:
        simulation = self._simulation
        return self._training or simulation.race_running or simulation.measuring or self._changed

    def _obey(self, wait: float) -> None:
        """Take every command that has arrived."""
        while self._alive and self._connection.poll(wait):
            wait = 0.0
            self._do(self._connection.recv())

    def _do(self, command: Command) -> None:
        """Do what a command says; one that cannot be done is told, and the run goes on as it was."""
        self._changed = True
        if isinstance(command, Begin):  # after which there is nothing to go on with
            self._begin_anew(command)
            return
        try:
            self._obey_one(command)
        except InputError as error:
            self._send(Notice("warning", str(error)))
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            self._send(Notice("error", "Out of memory: nothing was changed. Choose a smaller network."))

    def _begin_anew(self, begin: Begin) -> None:
        before = self._simulation
        self._simulation = self._begin(begin)
        self._simulation.apply(before.look)
        self._simulation.apply(RunRace(before.race_running))
        self._simulation.run = before.run + 1
        self._rate_from = (perf_counter(), self._simulation.fit.step)

    def _obey_one(self, command: Command) -> None:
        match command:
            case Shutdown():
                self._alive = False
            case MirrorNow():
                self._tell()
                self._mirror(asked=True)
            case Train(running):
                self._training, self._train_left = running, None
                self._rate_from = (perf_counter(), self._simulation.fit.step)
            case TrainSteps(steps):
                self._training, self._train_left = True, steps
            case SaveScore():
                self._send(save(command, self._simulation.fit))
            case _:
                if isinstance(command, SetLimits):
                    self._keyframe_bytes = command.keyframe_bytes
                self._looked = self._looked or isinstance(command, Look)
                self._simulation.apply(command)

    def _measure(self, elapsed: float) -> None:
        """Work on what is due of errors and maps, in the share of the time that they are given."""
        simulation = self._simulation
        if not simulation.measuring:
            self._measure_left = 0.0
            return
        busy = self._training or simulation.race_running
        errors = simulation.measurements.busy and not simulation.race_running
        share = _ERROR_SHARE if errors else _MEASURE_SHARE
        self._measure_left = min(self._measure_left + elapsed * (share if busy else 1.0), _MEASURE_MOST)
        while self._measure_left > 0 and simulation.measuring:
            began = perf_counter()
            done = simulation.measure(began)
            self._measure_left -= perf_counter() - began
            self._changed = True
            if done:
                break

    def _train(self, began: float) -> None:
        """Train until the next frame is due; when all else leaves too little time for that, the frame comes later."""
        other = perf_counter() - began
        frame, self._looked = (FRAME if self._looked else CALM_FRAME), False
        due = began + max(frame, min(other / (1 - _TRAIN_SHARE), other + 2 * frame))
        raced = self._race(due)
        if not self._training:
            if self._busy:
                self._connection.poll(max(0.0, began + FRAME - perf_counter()))
            return
        if raced and perf_counter() > due:
            return  # an entrant's long step has had this frame's time, and pays it back
        try:
            limit = self._train_left if self._train_left is not None else 10_000
            taken = self._simulation.train(limit, due)
        except TrainingError as error:
            self._pause_training(str(error))
            return
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            self._pause_training(
                "Out of memory: training is paused, the painting and the weights were kept. "
                "Choose a smaller batch or network."
            )
            return
        self._changed = True
        stopping = self._simulation.stopping
        if stopping.reason:
            self._send(Notice("info", stopping.reason))
            stopping.reason = ""
            self._training, self._train_left = False, None
        if self._train_left is not None:
            self._train_left -= taken
            if self._train_left <= 0:
                self._training, self._train_left = False, None

    def _race(self, due: float) -> bool:
        """Give the race its part of the time until `due`: all learn alike, and too long steps are paid back."""
        race = self._simulation.race
        if race is None or not self._simulation.race_running:
            self._race_left = 0.0
            return False
        racers = len(race.settings.entrants)
        began = perf_counter()
        self._race_left += max(0.0, due - began) * (racers / (racers + 1) if self._training else 1.0)
        if self._race_left <= 0:
            return False
        self._simulation.run_race(min(began + self._race_left, due))
        self._race_left -= perf_counter() - began
        self._changed = True
        return True

    def _pause_training(self, text: str) -> None:
        self._training, self._train_left = False, None
        self._changed = True
        self._send(Notice("error", text))

    def _publish(self) -> None:
        simulation = self._simulation
        now, step = perf_counter(), simulation.fit.step
        since, at = self._rate_from
        if now - since > 1.0 or step < at:
            self._rate = max(0, step - at) / max(now - since, 1e-6)
            self._rate_from = (now, step)
        frame = simulation.frame(
            training=self._training,
            rate=self._rate if self._training else 0.0,
            fields=not simulation.race_running or self._turn % _OFTEN == 0,
            points=self._turn % _OFTEN == 0,
        )
        self._turn += 1
        self._mailbox.write(frame)
        self._changed = False
