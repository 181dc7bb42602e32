"""The engine's process: it obeys commands, trains, moves particles, and publishes sixty frames a second at most.

One turn of the loop is one frame: commands first, then the particle steps that are due, then a little measuring, the
frame itself, and training for the rest of the time. torch is imported here and nowhere in the window's process. When
the pipe closes, the window is gone and the engine ends.
"""

from __future__ import annotations

import os
import platform
import signal
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from threading import Lock
from time import perf_counter
from traceback import format_exc
from typing import TYPE_CHECKING

from explorer.engine.mailbox import Mailbox
from explorer.engine.memory import out_of_memory
from explorer.engine.messages import (
    Applied,
    Begin,
    Command,
    Event,
    Mirror,
    MirrorNow,
    Move,
    MoveSteps,
    Notice,
    PredictLadder,
    Ready,
    Release,
    RunRace,
    SaveScore,
    Seek,
    SetLimits,
    Shutdown,
    Train,
    TrainSteps,
)
from explorer.engine.mirror import MirrorStore
from explorer.engine.pulse import Pulse
from explorer.engine.saving import save
from explorer.engine.starting import Start
from trainer.errors import InputError, TrainingError

if TYPE_CHECKING:
    from explorer.engine.simulation import Simulation

FRAME = 1 / 62
STILL_FRAME = 1 / 30
RUN_SECONDS = 7.5
"""How long a release takes from the first step to the last, if the machine keeps up."""

REFUSED = 2
"""The exit status of an engine that cannot start with what it was given."""

_MIRROR_EVERY = 1.0
_TRAIN_SHARE = 0.6
"""Training gets at least this share of the time: frames come later rather than learning."""
_MEASURE_SHARE, _ERROR_SHARE = 0.1, 0.2
"""What measuring gets of the time while training runs: maps and distances, and the errors, of which there are few."""
_MEASURE_MOST = 0.02
_MOVE_MOST, _MOVE_RACING = 0.004, 0.0015
"""Seconds that particles may take in a frame; while a race runs they come later rather than its steps."""
_FIELDS_EVERY = 6
"""While particles move, the learned field is taken anew with every sixth frame."""


def run_engine(connection: Connection) -> None:
    """Be the engine until `Shutdown` arrives or the pipe closes; the target of the spawned process.

    The first thing through the pipe is a `Start`. It holds megabytes, and whoever hands a process its arguments waits
    until the process has been loaded and reads them; the pipe has a thread of its own to wait.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        start: Start = connection.recv()
    except (EOFError, ConnectionResetError):
        return
    os.environ["OMP_NUM_THREADS"] = str(start.threads)
    import torch

    torch.set_num_threads(start.threads)
    mailbox, store = Mailbox.attach(start.mailbox), MirrorStore.attach(start.store)
    try:
        _Engine(connection, mailbox, store, start).loop()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except InputError as error:  # the settings themselves: another start would end the same way
        with suppress(OSError):
            connection.send(Notice("error", str(error)))
        raise SystemExit(REFUSED) from None
    except Exception as error:  # whatever it is, the window hears of it and starts the engine again
        words = str(error).splitlines() or [""]
        notice = Notice("warning", f"The engine met an error ({type(error).__name__}: {words[0]})", format_exc())
        with suppress(OSError):
            connection.send(notice)
        raise SystemExit(1) from None
    finally:
        mailbox.close()
        store.close()


class _Engine:
    """The loop and its clocks."""

    def __init__(self, connection: Connection, mailbox: Mailbox, store: MirrorStore, start: Start) -> None:
        import torch

        from explorer.engine.forecasts import Forecasts

        self._connection, self._sending = connection, Lock()
        self._mailbox = mailbox
        self._store, self._slot = store, start.slot
        self._device = start.device
        self._keyframe_bytes = start.keyframe_bytes
        self._forecasts = Forecasts()
        self._simulation = self._begin(start.begin)
        self._simulation.apply(start.look)
        self._simulation.apply(RunRace(start.racing))
        self._training, self._moving = start.training, start.moving
        self._train_left: int | None = None
        self._move_left: int | None = None
        self._alive = True
        self._changed = True
        self._move_due = self._measure_left = self._race_left = 0.0
        self._turn = 0
        self._rate = 0.0
        self._rate_from = (perf_counter(), 0)
        self._warned: tuple[int, tuple[str, ...]] = (0, ())  # the panes that were last said to have diverged
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

    def _begin(self, begin: Begin) -> Simulation:
        """A simulation of this document, from its own weights if they can be used."""
        self._era = begin.era
        from explorer.engine.simulation import Simulation

        simulation = Simulation(begin.setup, device=self._device, revision=begin.revision, auto_release=True)
        simulation.apply(SetLimits(self._keyframe_bytes))
        if begin.state is not None:
            try:
                simulation.restore(begin.state)
            except InputError as error:
                self._send(Notice("warning", f"Training starts afresh: {error}"))
        return simulation

    def _send(self, event: Event) -> None:
        with self._sending:
            self._connection.send(replace(event, era=self._era) if isinstance(event, Applied | Mirror) else event)

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
        with Pulse(self._send) as pulse:
            while self._alive:
                pulse.turn(self._simulation.fit.step)
                self._obey(wait=0.0 if self._busy else 0.1)
                began = perf_counter()
                elapsed, before = min(began - before, 0.1), began
                self._move(elapsed)
                self._measure(elapsed)
                self._tell()
                if self._busy:
                    self._publish()
                now = perf_counter()
                if now - mirror > _MIRROR_EVERY and self._training:
                    self._mirror()
                    mirror = now
                self._train(began)

    @property
    def _moving_now(self) -> bool:
        return self._moving and self._simulation.moving_left > 0

    @property
    def _busy(self) -> bool:
        simulation = self._simulation
        return (
            self._training
            or self._moving_now
            or simulation.race_running
            or simulation.measuring
            or self._forecasts.busy
            or self._changed
        )

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
            case Move(running):
                self._moving, self._move_left = running, None
                if running and self._simulation.moving_left == 0:
                    self._simulation.apply(Release())
            case MoveSteps(steps):
                self._moving, self._move_left = True, steps
                if self._simulation.moving_left == 0:
                    self._simulation.apply(Release())
            case Seek():
                self._moving = False
                self._simulation.apply(command)
            case SaveScore():
                self._send(save(command, self._simulation.fit))
            case PredictLadder():
                simulation = self._simulation
                self._forecasts.ask(command, simulation.density, simulation.modes_found.result())
            case _:
                if isinstance(command, SetLimits):
                    self._keyframe_bytes = command.keyframe_bytes
                self._simulation.apply(command)
                if isinstance(command, Release):
                    self._moving, self._move_left = True, None

    def _move(self, elapsed: float) -> None:
        """Take the particle steps that are due after `elapsed` seconds."""
        simulation = self._simulation
        if not self._moving_now:
            self._move_due = 0.0
            return
        if self._move_left is not None:
            taken = simulation.move(self._move_left)
            self._move_left -= taken
            if self._move_left <= 0:
                self._moving, self._move_left = False, None
        else:
            self._move_due += elapsed * simulation.moving_steps / RUN_SECONDS
            self._move_due -= simulation.move(
                int(self._move_due), perf_counter() + (_MOVE_RACING if simulation.race_running else _MOVE_MOST)
            )
            self._move_due = min(self._move_due, 8.0)
        self._changed = True

    def _measure(self, elapsed: float) -> None:
        """Work on the errors that are due, in the share of the time that they are given."""
        simulation = self._simulation
        if not simulation.measuring and not self._forecasts.busy:
            self._measure_left = 0.0
            return
        busy = self._training or simulation.race_running
        errors = simulation.measurements.busy and not simulation.race_running
        share = _ERROR_SHARE if errors else _MEASURE_SHARE
        self._measure_left = min(self._measure_left + elapsed * (share if busy else 1.0), _MEASURE_MOST)
        while self._measure_left > 0 and (simulation.measuring or self._forecasts.busy):
            began = perf_counter()
            answer = self._forecasts.work(began) if self._forecasts.busy else None
            if answer is not None:
                self._send(answer)
            done = simulation.measure(began)
            self._measure_left -= perf_counter() - began
            self._changed = True
            if done and not self._forecasts.busy:
                break

    def _train(self, began: float) -> None:
        """Train until the next frame is due; when all else leaves too little time for that, the frame comes later."""
        other = perf_counter() - began
        frame = FRAME if self._moving_now else STILL_FRAME
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
            moving=self._moving_now,
            rate=self._rate if self._training else 0.0,
            fields=not (self._moving_now or simulation.race_running) or self._turn % _FIELDS_EVERY == 0,
        )
        self._turn += 1
        self._mailbox.write(frame)
        self._changed = False
        lost = simulation.lost
        if lost and (simulation.released, lost) != self._warned:
            self._warned = simulation.released, lost
            text = (
                f"Particles left every bound and were stopped ({', '.join(lost)}): ε is too large, or the learned "
                "score is wrong where no data lie. Choose a smaller ε, or the true score to compare."
            )
            self._send(Notice("warning", text))
