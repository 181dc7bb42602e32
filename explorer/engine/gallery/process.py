"""The process that makes pictures: it runs a job at a pace that can be watched, and publishes what is seen.

A turn of the loop is a frame: orders first, then the steps that are due, then what is followed. It computes at a lower
priority than the window, and ends by itself when the pipe closes.
"""

from __future__ import annotations

from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock
from time import perf_counter

from explorer.engine.gallery.orders import (
    Export,
    FollowPicture,
    GalleryOrder,
    GalleryStart,
    Job,
    OpenModel,
    Play,
    Show,
    ShowDots,
    Steps,
    StopWriting,
)
from explorer.engine.hosting import host
from explorer.engine.mailbox import Mailbox
from explorer.engine.memory import out_of_memory
from explorer.engine.messages import Notice, Ready, Shutdown
from explorer.engine.priority import yield_to_others
from explorer.engine.pulse import Pulse
from trainer.errors import InputError

CAPACITY = 40 * 2**20
"""Bytes that a frame may take: pictures, a way of nine moments in three kinds, and dots."""

RUN_SECONDS = 6.0
"""How long a job takes from the first step to the last, if the machine keeps up."""

_FRAME = 1 / 62
_OWED_MOST = 8.0


def run_gallery(connection: Connection) -> None:
    """Make pictures until `Shutdown` arrives or the pipe closes; the target of the spawned process."""

    def work(start: GalleryStart) -> None:
        mailbox = Mailbox.attach(start.mailbox)
        try:
            _Gallery(connection, mailbox, start).loop()
        finally:
            mailbox.close()

    yield_to_others()
    host(connection, GalleryStart, work)


class _Gallery:
    """The loop and its clock."""

    def __init__(self, connection: Connection, mailbox: Mailbox, start: GalleryStart) -> None:
        from explorer.engine.gallery.studio import Studio

        self._connection, self._sending, self._mailbox = connection, Lock(), mailbox
        self._studio = Studio(start.device)
        self._studio.followed = start.followed
        self._moving = start.moving
        self._owed = 0.0
        self._left: int | None = None  # steps until the job is held; None: it runs on
        self._alive = self._changed = True
        self._begun = start
        self._pulse = Pulse(self._send, "One step of the pictures", "Choose fewer of them, or a smaller model.")

    def _send(self, event: object) -> None:
        with self._sending:
            self._connection.send(event)

    def loop(self) -> None:
        """Turn until told to stop; a turn is a frame."""
        before = perf_counter()
        with self._pulse as pulse, ExitStack() as last:
            last.callback(self._studio.films.stop)
            self._resume()
            while self._alive:
                pulse.turn(self._studio.steps - self._studio.left)
                self._obey(wait=0.0 if self._moves or self._changed or self._studio.films else 0.1)
                began = perf_counter()
                elapsed, before = min(began - before, 0.1), began
                self._move(elapsed, began + _FRAME / 2)
                self._changed |= self._studio.settle()
                self._changed |= self._film(began + _FRAME / 2)
                while self._studio.answers:
                    self._send(self._studio.answers.popleft())
                if self._changed:
                    self._publish()
                if self._moves:
                    self._connection.poll(max(0.0, began + _FRAME - perf_counter()))

    def _resume(self) -> None:
        """Do what the process before was at, if there was one."""
        start = self._begun
        self._send(Ready(start.device))
        dots = None if start.dots is None else ShowDots(start.dots)
        for order in (start.model, start.job, dots):
            if order is not None:
                self._attempt(order)
        if start.job is not None:
            self._moving = start.moving

    def _publish(self, busy: str = "") -> None:
        self._mailbox.write(self._studio.frame(moving=self._moves, busy=busy))
        self._changed = False

    @property
    def _moves(self) -> bool:
        return self._moving and self._studio.left > 0

    def _obey(self, wait: float) -> None:
        """Take every order that has arrived."""
        while self._alive and self._connection.poll(wait):
            wait = 0.0
            self._changed = True
            order = self._connection.recv()
            if isinstance(order, Shutdown):
                self._alive = False
            else:
                self._attempt(order)

    def _attempt(self, order: GalleryOrder) -> None:
        """Do this; what cannot be done is told, and all stays as it was."""
        self._pulse.hushed = isinstance(order, OpenModel)
        self._pulse.turn(0)
        try:
            self._do(order)
        except InputError as error:
            self._send(Notice("warning", str(error)))
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            self._send(Notice("error", "Out of memory: choose fewer pictures, or a smaller model."))
        finally:
            self._pulse.hushed = False
            self._pulse.turn(0)

    def _do(self, order: GalleryOrder) -> None:
        studio = self._studio
        match order:
            case OpenModel(path):
                self._publish(f"opening {Path(path).name}")
                if studio.open(order):
                    self._moving = False
            case Job():
                studio.begin(order)
                self._moving, self._left, self._owed = True, None, 1.0
            case Play(running):
                self._moving, self._left = running, None
            case Steps(count):
                past = studio.forward()
                self._moving, self._left = not past, None if past else count
            case Show(step):
                self._moving = False
                studio.show(step)
            case FollowPicture(index):
                studio.follow(index)
            case ShowDots(release):
                studio.dots(release)
            case Export():
                studio.export(order)
            case StopWriting():
                studio.films.stop()

    def _film(self, deadline: float) -> bool:
        """Write a little of a film, if one is ordered; whether there is anything new to say of it."""
        films = self._studio.films
        self._pulse.hushed = bool(films)  # its end may take long, and is no step of the pictures
        told = films.write(deadline)
        self._pulse.turn(0)
        self._pulse.hushed = False
        return told

    def _move(self, elapsed: float, deadline: float) -> None:
        """Take the steps that are due after `elapsed` seconds, as far as the deadline allows."""
        if not self._moves:
            self._owed = 0.0
            return
        if self._left is not None:
            self._left -= self._studio.move(self._left, deadline)
            if self._left <= 0:
                self._moving, self._left = False, None
        else:
            self._owed += elapsed * self._studio.steps / RUN_SECONDS
            self._owed -= self._studio.move(int(self._owed), deadline)
            self._owed = min(self._owed, _OWED_MOST)
        self._changed = True
