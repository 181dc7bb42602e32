"""The window's side of the engine: starts its two processes, speaks to them, and starts them again when they die.

The **engine** learns; the **mover** moves particles. They do not know each other: a release is an `Order` that the
engine writes and that goes on from here to the mover. So each outlives the other, and what a dead one was doing is
begun again: training from the mirrored weights, particles from the last order. No Qt here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from math import inf
from time import monotonic

import numpy as np

from explorer.engine.frames import Frame, Particles, joined
from explorer.engine.hosting import REFUSED
from explorer.engine.messages import (
    Applied,
    Begin,
    Command,
    ConfigureRace,
    Event,
    Look,
    Mirror,
    Move,
    MoveSteps,
    PredictLadder,
    Ready,
    Release,
    Repaint,
    Reset,
    RunRace,
    Seek,
    SetLimits,
    Train,
    TrainSteps,
)
from explorer.engine.mirror import MirrorStore
from explorer.engine.moving import run_mover
from explorer.engine.orders import Order, ReleaseWanted
from explorer.engine.process import run_engine
from explorer.engine.starting import MoverStart, Start
from explorer.engine.worker import Worker

_RESTARTS = 3
_WITHIN = 60.0

_FOR_MOVER = (Move, MoveSteps, Seek, PredictLadder)
_FOR_BOTH = (Begin, Repaint, Look)


class EngineClient:
    """Runs one engine and one mover. `describe` says what a fresh engine begins with: the document as it is."""

    def __init__(self, describe: Callable[[], Begin], device: str = "auto") -> None:
        self._describe = describe
        self.device = device
        """What the next processes compute on."""
        self._engine = Worker("score-engine", run_engine, Frame)
        self._mover = Worker("score-particles", run_mover, Particles)
        self._frame: Frame | None = None
        self._particles = Particles()
        self._painting = np.zeros((0, 0), np.float32)
        self._order: Order | None = None
        self._mirror: Mirror | None = None
        self._era = 0
        self._store: MirrorStore | None = None
        self._training, self._moving, self._racing = True, True, False
        self._keyframe_bytes = 64 * 2**20
        self._look = Look()
        self._deaths: deque[float] = deque(maxlen=_RESTARTS)
        self._mover_died = -inf
        self._closed = False
        self.ready = False
        self.gave_up = False

    # --- life ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start an engine on the document as it is, from the last mirrored weights if there are any.

        The mover follows when the engine has said its first word, so that the one does not keep the other waiting.
        """
        begin, mirrored = replace(self._describe(), era=self._era), self.mirrored_state()
        self._painting = begin.setup.weights
        self._store = self._store or MirrorStore.create()
        self._engine.start(
            Start(
                store=self._store.name,
                slot=1 - max(self._mirror.slot, 0) if self._mirror else 0,
                begin=begin if mirrored is None else replace(begin, state=mirrored),
                look=self._look,
                training=self._training,
                racing=self._racing,
                released=self._order is not None,
                keyframe_bytes=self._keyframe_bytes,
                device=self.device,
            )
        )
        self.ready = self.gave_up = False

    def _start_mover(self) -> None:
        """Start a mover; if there has been a release, it repeats the last one."""
        order = self._order
        begun = self._particles.released - 1 if order is not None else 0
        self._mover.start(
            MoverStart(
                painting=self._painting,
                order=order,
                released=max(begun, 0),
                look=self._look,
                moving=self._moving,
                device=self.device,
            )
        )

    @property
    def pid(self) -> int | None:
        """The engine's process."""
        return self._engine.pid

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that run: the engine, and the mover once it has been started."""
        return tuple(pid for pid in (self._engine.pid, self._mover.pid) if pid is not None)

    @property
    def order(self) -> Order | None:
        """The last release; None before the first of a document."""
        return self._order

    @property
    def racing(self) -> bool:
        """Whether the race is to run, as last asked for."""
        return self._racing

    @property
    def restored_step(self) -> int:
        """The training step that a restarted engine goes on from."""
        return self._mirror.step if self._mirror else 0

    def watch(self) -> str | None:
        """Start again what has died or hangs; returns one line that says so, or None.

        Call it several times a second.
        """
        if self._closed or self.gave_up or self._engine.pid is None:
            return None
        return self._watch_engine() or self._watch_mover()

    def _watch_engine(self) -> str | None:
        fault = self._engine.fault()
        if not fault:
            return None
        refused = self._engine.exit_status == REFUSED
        self._engine.end(grace=0.0)
        if refused and self.device not in ("auto", "cpu"):
            line = f"The device {self.device} cannot be used here; the fastest that there is computes instead."
            self.device = "auto"
            self.start()
            return line
        if refused:
            self.gave_up = True
            return "The engine cannot start like this. The painting is safe. To try once more: Train > Restart engine."
        if self._died():
            return (
                f"The engine {fault} again and again. The painting is safe. To try once more: Train > Restart engine."
            )
        self.start()
        return f"The engine {fault} and was started again from step {self.restored_step:,}. Nothing painted was lost."

    def _watch_mover(self) -> str | None:
        fault = self._mover.fault()
        if not fault:
            return None
        self._mover.end(grace=0.0)
        if self._died():
            self._engine.end(grace=0.5)
            return (
                f"What moves the particles {fault} again and again. The painting is safe. "
                "To try once more: Train > Restart engine."
            )
        again, self._mover_died = monotonic() - self._mover_died < _WITHIN, monotonic()
        if again:  # it may be their release that it dies of
            self._order, self._particles = None, Particles()
        self._start_mover()
        what = "without them. Release them anew: Shift+R." if again else "They set off as they did before."
        return f"What moves the particles {fault} and was started again{' ' if again else '. '}{what}"

    def _died(self) -> bool:
        """Count a death; whether there have been too many."""
        self.gave_up = len([t for t in self._deaths if monotonic() - t < _WITHIN]) >= _RESTARTS
        self._deaths.append(monotonic())
        return self.gave_up

    def restart(self) -> None:
        """Start everything again because the person asks for it."""
        self._end(grace=0.5)
        self._deaths.clear()
        self.start()

    def close(self) -> None:
        """End both processes and remove the shared memory, within two seconds; may be called twice."""
        if self._closed:
            return
        self._closed = True
        self._end(grace=0.8)
        if self._store is not None:
            self._store.close()

    def _end(self, grace: float) -> None:
        self._mover.ask_to_end()
        self._engine.end(grace)
        self._mover.end(grace / 4)

    # --- traffic ------------------------------------------------------------------------------------------

    def send(self, command: Command) -> None:
        """Hand a command to whom it concerns; never waits."""
        match command:
            case Train(running):
                self._training = running
            case TrainSteps():
                self._training = False
            case Move(running):
                self._moving = running
            case MoveSteps() | Seek():
                self._moving = False
            case RunRace(running):
                self._racing = running
            case ConfigureRace(settings) if not settings.entrants:
                self._racing = False
            case SetLimits(keyframe_bytes):
                self._keyframe_bytes = keyframe_bytes
            case Release():
                self._moving = True
            case Look():
                self._look = command
            case Reset():
                self._mirror = None
            case Repaint(_, weights):
                self._painting = weights
            case Begin(setup):
                self.forget()
                self._painting = setup.weights
                command = replace(command, era=self._era)
        if isinstance(command, _FOR_MOVER + _FOR_BOTH):
            self._mover.put(command)
        if not isinstance(command, _FOR_MOVER):
            self._engine.put(command)

    def frame(self) -> Frame | None:
        """The newest frame, once: what is learned and the particles, each as new as it is."""
        frame, particles = self._engine.frame(), self._mover.frame()
        if frame is None and particles is None:
            return None
        self._frame, self._particles = frame or self._frame, particles or self._particles
        return joined(self._frame, self._particles) if self._frame is not None else None

    @property
    def told(self) -> bool:
        """Whether there are events."""
        return self._engine.told or self._mover.told

    def events(self) -> list[Event]:
        """What both have said since the last call and what is not for the other."""
        told: list[Event] = []
        for event in (*self._engine.take(), *self._mover.take()):
            match event:
                case Applied(era=era) | Mirror(era=era) | Order(era=era) if era != self._era:
                    continue
                case Order():
                    self._order = event
                    self._mover.put(event)
                    continue
                case ReleaseWanted():
                    self._engine.put(Release())
                    continue
                case Mirror():
                    self._mirror = event
                case Ready():
                    self.ready = True
                    if self._mover.pid is None:
                        self._start_mover()
            told.append(event)
        return told

    def forget(self) -> None:
        """Take no more notice of what the processes still say of the document they have worked on."""
        self._era += 1
        self._mirror = self._order = None

    @property
    def mirror(self) -> Mirror | None:
        """The newest event about mirrored weights; an older one is not to be read any more."""
        return self._mirror

    def mirrored_state(self) -> bytes | None:
        """The newest mirrored weights: what a project file saves."""
        if self._mirror is None or self._store is None:
            return None
        return self._mirror.state or self._store.read(self._mirror.slot, self._mirror.size)
