"""The window's side of the engine: starts it, speaks to it, starts it again when it dies, and ends it in time.

Two threads carry the pipe's traffic, so that neither side ever waits for the other: one reads events into a queue, one
writes commands from a queue. The window takes both at its own pace with `frame()` and `events()`. No Qt here.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from time import monotonic

from explorer.engine.mailbox import Mailbox
from explorer.engine.messages import (
    Applied,
    Begin,
    Command,
    ConfigureRace,
    Event,
    Frame,
    Heartbeat,
    Look,
    Mirror,
    Move,
    MoveSteps,
    Ready,
    Release,
    Reset,
    RunRace,
    Seek,
    SetLimits,
    Shutdown,
    Train,
    TrainSteps,
)
from explorer.engine.mirror import MirrorStore
from explorer.engine.process import REFUSED, run_engine
from explorer.engine.starting import Start

HANG_SECONDS = 20.0
"""An engine that has been silent for so long is ended and started again."""

LOAD_SECONDS = 120.0
"""The same before its first word: from a cold disk torch takes its time to load."""

_RESTARTS = 3
_WITHIN = 60.0


class EngineClient:
    """Runs one engine at a time. `describe` says what a fresh engine begins with: the document as it is now."""

    def __init__(self, describe: Callable[[], Begin], device: str = "auto") -> None:
        self._describe = describe
        self.device = device
        """What the next engine computes on."""
        self._mailbox: Mailbox | None = None
        self._process: multiprocessing.process.BaseProcess | None = None
        self._reader: Thread | None = None
        self._outbox: SimpleQueue[Start | Command | None] = SimpleQueue()
        self._inbox: deque[Event] = deque()
        self._mirror: Mirror | None = None
        self._era = 0
        self._store: MirrorStore | None = None
        self._training, self._moving, self._racing = True, True, False
        self._keyframe_bytes = 64 * 2**20
        self._look = Look()
        self._heard = monotonic()
        self._deaths: deque[float] = deque(maxlen=_RESTARTS)
        self._closed = False
        self.ready = False
        self.gave_up = False

    # --- life ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start an engine on the document as it is, from the last mirrored weights if there are any."""
        begin, mirrored = replace(self._describe(), era=self._era), self.mirrored_state()
        self._mailbox = Mailbox.create()
        self._store = self._store or MirrorStore.create()
        start = Start(
            mailbox=self._mailbox.name,
            store=self._store.name,
            slot=1 - max(self._mirror.slot, 0) if self._mirror else 0,
            begin=begin if mirrored is None else replace(begin, state=mirrored),
            look=self._look,
            training=self._training,
            moving=self._moving,
            racing=self._racing,
            keyframe_bytes=self._keyframe_bytes,
            device=self.device,
        )
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._outbox = SimpleQueue()
        self._outbox.put(start)
        self._process = context.Process(target=run_engine, args=(theirs,), name="score-engine", daemon=True)
        self._process.start()
        theirs.close()
        self._heard = monotonic()
        self.ready = self.gave_up = False
        self._reader = Thread(target=_read, args=(ours, self._inbox), name="engine-events", daemon=True)
        self._reader.start()
        Thread(target=_write, args=(ours, self._outbox), name="engine-commands", daemon=True).start()

    @property
    def pid(self) -> int | None:
        """The engine's process."""
        return self._process.pid if self._process else None

    @property
    def racing(self) -> bool:
        """Whether the race is to run, as last asked for."""
        return self._racing

    @property
    def restored_step(self) -> int:
        """The training step that a restarted engine goes on from."""
        return self._mirror.step if self._mirror else 0

    def watch(self) -> str | None:
        """Start the engine again if it has died or hangs; returns one line that says so, or None.

        Call it several times a second.
        """
        if self._closed or self.gave_up or self._process is None:
            return None
        silent = monotonic() - self._heard
        alive = self._process.is_alive()
        if alive and silent < (HANG_SECONDS if self.ready else LOAD_SECONDS):
            return None
        refused = not alive and self._process.exitcode == REFUSED
        what = f"did not answer for {silent:.0f} seconds" if alive else "stopped"
        self._end(grace=0.0)
        recent = [t for t in self._deaths if monotonic() - t < _WITHIN]
        if refused:
            self.gave_up = True
            return "The engine cannot start like this. The painting is safe. To try once more: Train > Restart engine."
        if len(recent) >= _RESTARTS:
            self.gave_up = True
            return f"The engine {what} again and again. The painting is safe. To try once more: Train > Restart engine."
        self._deaths.append(monotonic())
        self.start()
        return f"The engine {what} and was started again from step {self.restored_step:,}. Nothing painted was lost."

    def restart(self) -> None:
        """Start the engine again because the person asks for it."""
        self._end(grace=0.5)
        self._deaths.clear()
        self.start()

    def close(self) -> None:
        """End the engine and remove the shared memory, within two seconds; may be called twice."""
        if self._closed:
            return
        self._closed = True
        self._end(grace=0.8)
        if self._store is not None:
            self._store.close()

    def _end(self, grace: float) -> None:
        """Ask, wait, terminate, wait, kill."""
        process, self._process = self._process, None
        if process is not None:
            if grace:
                self._outbox.put(Shutdown())
                process.join(grace)
            if process.is_alive():
                process.terminate()
                process.join(0.5)
            if process.is_alive():
                process.kill()
                process.join(0.5)
            if not process.is_alive():
                process.close()
                if self._reader is not None:
                    self._reader.join(0.5)
            self._outbox.put(None)
        mailbox, self._mailbox = self._mailbox, None
        if mailbox is not None:
            mailbox.close()

    # --- traffic ------------------------------------------------------------------------------------------

    def send(self, command: Command) -> None:
        """Hand a command to the engine; never waits."""
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
            case Begin():
                self.forget()
                command = replace(command, era=self._era)
        self._outbox.put(command)

    def frame(self) -> Frame | None:
        """The newest frame, once."""
        return self._mailbox.read() if self._mailbox is not None else None

    def events(self) -> list[Event]:
        """What the engine has said since the last call, heartbeats aside."""
        told: list[Event] = []
        while self._inbox:
            event = self._inbox.popleft()
            self._heard = monotonic()
            match event:
                case Heartbeat():
                    continue
                case Applied(era=era) | Mirror(era=era) if era != self._era:
                    continue
                case Mirror():
                    self._mirror = event
                case Ready():
                    self.ready = True
            told.append(event)
        return told

    def forget(self) -> None:
        """Take no more notice of what the engine still says of the document it has worked on."""
        self._era += 1
        self._mirror = None

    @property
    def mirror(self) -> Mirror | None:
        """The newest event about mirrored weights; an older one is not to be read any more."""
        return self._mirror

    def mirrored_state(self) -> bytes | None:
        """The newest mirrored weights: what a project file saves."""
        if self._mirror is None or self._store is None:
            return None
        return self._mirror.state or self._store.read(self._mirror.slot, self._mirror.size)


def _read(connection: Connection, inbox: deque[Event]) -> None:
    """Carry events until the pipe closes."""
    while True:
        try:
            inbox.append(connection.recv())
        except (EOFError, OSError):
            return


def _write(connection: Connection, outbox: SimpleQueue[Start | Command | None]) -> None:
    """Carry commands until told to stop or the pipe closes."""
    while (command := outbox.get()) is not None:
        try:
            connection.send(command)
        except (BrokenPipeError, OSError):
            break
    connection.close()
