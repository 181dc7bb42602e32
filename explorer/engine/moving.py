"""The mover's process: it moves particles, measures their distance to the truth, and publishes what is seen.

One turn of the loop is one frame, of sixty a second: commands first, then the steps that are due, a little measuring,
and the frame. It runs beside the engine, not in it, at a lower priority: a step of training never waits for particles,
nor they for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING

from explorer.engine.hosting import host
from explorer.engine.mailbox import Mailbox
from explorer.engine.memory import out_of_memory
from explorer.engine.messages import (
    Begin,
    Command,
    Event,
    Look,
    Move,
    MoveSteps,
    Notice,
    PredictLadder,
    Repaint,
    Seek,
    Shutdown,
)
from explorer.engine.orders import Order, ReleaseWanted
from explorer.engine.priority import yield_to_others
from explorer.engine.pulse import Pulse
from explorer.engine.starting import MoverStart
from trainer.errors import InputError

if TYPE_CHECKING:
    from explorer.engine.mover import Mover

FRAME = 1 / 62
RUN_SECONDS = 7.5
"""How long a release takes from the first step to the last, if the machine keeps up."""

_MOVE_SHARE = 0.55
"""What moving gets of a frame's time; measuring and the frame itself have the rest."""
_LEAST = 0.6
"""A frame that makes up for a late one takes at least this part of a frame's time."""
_MEASURE_MOST = 0.004
_REST = 0.003
"""Seconds left to the frame itself."""
_OWED_MOST = 8.0
"""Steps that are made up for at most when the machine does not keep up."""


def run_mover(connection: Connection) -> None:
    """Move particles until `Shutdown` arrives or the pipe closes; the target of the spawned process."""

    def work(start: MoverStart) -> None:
        mailbox = Mailbox.attach(start.mailbox)
        try:
            _Moving(connection, mailbox, start).loop()
        finally:
            mailbox.close()

    yield_to_others()  # before it loads, which is much of what it does in the first seconds
    host(connection, MoverStart, work)


class _Moving:
    """The loop and its clock."""

    def __init__(self, connection: Connection, mailbox: Mailbox, start: MoverStart) -> None:
        from explorer.engine.mover import Mover

        self._connection, self._sending = connection, Lock()
        self._mailbox = mailbox
        self._mover: Mover = Mover(start.device)
        self._mover.see(start.look)
        self._moving = start.moving
        self._left: int | None = None  # steps until particles are held; None: they move on
        self._owed = 0.0
        self._asked = False  # whether a release was asked for that has not come
        self._alive = self._changed = True
        self._mover.paint(start.painting)
        self._mover.released = start.released
        if start.order is not None:
            self._attempt(partial(self._mover.release, start.order))

    def _send(self, event: Event) -> None:
        with self._sending:
            self._connection.send(event)

    def loop(self) -> None:
        """Turn until told to stop; a turn is a frame."""
        before = due = perf_counter()
        with Pulse(self._send, "One particle step") as pulse:
            while self._alive:
                pulse.turn(self._mover.released)
                self._obey(wait=0.0 if self._busy else 0.1)
                began = perf_counter()
                elapsed, before = min(began - before, 0.1), began
                due = max(due + FRAME, began + _LEAST * FRAME)  # one late frame does not delay the next
                self._move(elapsed, began + _MOVE_SHARE * (due - began))
                if self._mover.measuring:
                    self._mover.measure(min(due - _REST, perf_counter() + _MEASURE_MOST))
                    self._changed = True
                while self._mover.events:
                    self._send(self._mover.events.popleft())
                if self._changed:
                    self._mailbox.write(self._mover.particles(moving=self._moves))
                    self._changed = False
                if self._busy:
                    self._connection.poll(max(0.0, due - perf_counter()))

    @property
    def _moves(self) -> bool:
        return self._moving and self._mover.left > 0

    @property
    def _busy(self) -> bool:
        return self._moves or self._changed or self._mover.measuring

    def _obey(self, wait: float) -> None:
        """Take every command that has arrived."""
        while self._alive and self._connection.poll(wait):
            wait = 0.0
            self._changed = True
            self._attempt(partial(self._do, self._connection.recv()))

    def _attempt(self, work: Callable[[], None]) -> None:
        """Do this; what cannot be done is told, and the particles go on as they were."""
        try:
            work()
        except InputError as error:
            self._send(Notice("warning", str(error)))
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            self._send(Notice("error", "Out of memory: nothing was released. Choose fewer particles."))

    def _do(self, command: Command | Order) -> None:
        mover = self._mover
        match command:
            case Shutdown():
                self._alive = False
            case Begin(setup):
                mover.forget()
                mover.paint(setup.weights)
            case Repaint(_, weights):
                mover.paint(weights)
            case Order():
                asked, self._asked = self._asked, False
                mover.release(command)
                if not command.automatic and not asked:
                    self._moving, self._left = True, None
            case Look():
                mover.see(command)
            case Move(running):
                self._moving, self._left = running, None
                self._want(running)
            case MoveSteps(steps):
                self._moving, self._left = True, steps
                self._want(True)
            case Seek(step):
                self._moving = False
                mover.show(step)
            case PredictLadder():
                mover.predict(command)

    def _want(self, running: bool) -> None:
        """Ask for a release where particles are to move and none can."""
        if running and self._mover.left == 0:
            self._asked = True
            self._send(ReleaseWanted())

    def _move(self, elapsed: float, deadline: float) -> None:
        """Take the steps that are due after `elapsed` seconds, as far as the deadline allows."""
        if not self._moves:
            self._owed = 0.0
            return
        if self._left is not None:
            self._left -= self._mover.move(self._left, deadline)
            if self._left <= 0:
                self._moving, self._left = False, None
        else:
            self._owed += elapsed * self._mover.steps / RUN_SECONDS
            self._owed -= self._mover.move(int(self._owed), deadline)
            self._owed = min(self._owed, _OWED_MOST)
        self._changed = True
