"""One process beside the window, and the traffic with it.

Two threads carry the pipe's traffic, so that neither side ever waits for the other: one reads events into a queue, one
writes commands from a queue. Frames come through a mailbox. No Qt here.
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
from typing import Any, Generic

from explorer.engine.codec import F
from explorer.engine.mailbox import CAPACITY, Mailbox
from explorer.engine.messages import Heartbeat, Shutdown
from explorer.engine.starting import Beginning

HANG_SECONDS = 20.0
"""A process that has been silent for so long is ended and started again."""

LOAD_SECONDS = 120.0
"""The same before its first word: from a cold disk torch takes its time to load."""


class Worker(Generic[F]):
    """A process that publishes frames of one kind; one at a time runs.

    Args:
        name: of the process.
        target: what it does, with its end of the pipe.
        kind: of its frames.
        capacity: bytes that one of them may take.
    """

    def __init__(
        self, name: str, target: Callable[[Connection], None], kind: type[F], capacity: int = CAPACITY
    ) -> None:
        self._name, self._target, self._kind, self._capacity = name, target, kind, capacity
        self._process: multiprocessing.process.BaseProcess | None = None
        self._mailbox: Mailbox | None = None
        self._reader: Thread | None = None
        self._outbox: SimpleQueue[object] = SimpleQueue()
        self._inbox: deque[Any] = deque()
        self._heard = monotonic()
        self._spoken = False

    def start(self, start: Beginning) -> None:
        """Start the process with this, the mailbox's name put in; then come the messages that wait for it."""
        self._mailbox = Mailbox.create(self._capacity)
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        waiting, self._outbox = self._outbox, SimpleQueue()
        self._outbox.put(replace(start, mailbox=self._mailbox.name))
        while not waiting.empty():
            self._outbox.put(waiting.get())
        self._process = context.Process(target=self._target, args=(theirs,), name=self._name, daemon=True)
        self._process.start()
        theirs.close()
        self._heard, self._spoken = monotonic(), False
        self._reader = Thread(target=_read, args=(ours, self._inbox), name=f"{self._name}-events", daemon=True)
        self._reader.start()
        Thread(target=_write, args=(ours, self._outbox), name=f"{self._name}-commands", daemon=True).start()

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._process.pid if self._process else None

    @property
    def exit_status(self) -> int | None:
        """What it ended with, if it has ended."""
        return self._process.exitcode if self._process else None

    def fault(self) -> str:
        """What is wrong with it, as the end of a sentence, or ""."""
        if self._process is None:
            return ""
        silent = monotonic() - self._heard
        if not self._process.is_alive():
            return "stopped"
        if silent > (HANG_SECONDS if self._spoken else LOAD_SECONDS):
            return f"did not answer for {silent:.0f} seconds"
        return ""

    def put(self, message: object) -> None:
        """Hand it something; never waits. Before it is started messages are kept for it."""
        self._outbox.put(message)

    @property
    def told(self) -> bool:
        """Whether it has said anything since the last `take`."""
        return bool(self._inbox)

    def take(self) -> list[Any]:
        """What it has said since the last call, heartbeats aside."""
        told: list[Any] = []
        while self._inbox:
            event = self._inbox.popleft()
            self._heard, self._spoken = monotonic(), True
            if not isinstance(event, Heartbeat):
                told.append(event)
        return told

    def frame(self) -> F | None:
        """Its newest frame, once."""
        return self._mailbox.read(self._kind) if self._mailbox is not None else None

    def ask_to_end(self) -> None:
        """Let it end by itself; `end` waits for it."""
        if self._process is not None:
            self._outbox.put(Shutdown())

    def end(self, grace: float) -> None:
        """Ask, wait, terminate, wait, kill; and remove the mailbox. May be called twice."""
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
            self._outbox = SimpleQueue()
        mailbox, self._mailbox = self._mailbox, None
        if mailbox is not None:
            mailbox.close()


def _read(connection: Connection, inbox: deque[Any]) -> None:
    """Carry events until the pipe closes."""
    while True:
        try:
            inbox.append(connection.recv())
        except (EOFError, OSError):
            return


def _write(connection: Connection, outbox: SimpleQueue[object]) -> None:
    """Carry messages until told to stop or the pipe closes."""
    while (message := outbox.get()) is not None:
        try:
            connection.send(message)
        except (BrokenPipeError, OSError):
            break
    connection.close()
