"""The engine's pulse: a thread that beats while the main thread computes, so that slow is not taken for dead.

One training step can be made as long as one likes: 65,536 points with a thousand directions each, or a network that is
a thousand wide. torch lets other threads run meanwhile, so the pulse goes on, and says once what takes so long. What
holds the interpreter itself, and a process that is stopped, have no pulse; the window then starts the engine again.

Once a minute it also hands freed memory back to the system.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event as Flag
from threading import Thread
from time import perf_counter
from typing import Self

from explorer.engine.memory import give_back
from explorer.engine.messages import Event, Heartbeat, Notice

EVERY = 0.25
"""Seconds between two beats."""

LONG = 10.0
"""Seconds of one turn after which the person is told."""

REMEDY = "Choose a smaller batch, fewer directions, particles or units, then Train > Restart engine."

_TIDY = 60.0
"""Seconds between two times that freed memory is given back."""

_SILENT = 60.0
"""Seconds until the person is told again."""


class Pulse:
    """Beats while it is entered as a context; nothing is sent after it.

    Args:
        send: takes the beats, on the pulse's thread; an OSError from it, a closed pipe, ends the pulse.
        what: what takes so long, at the beginning of a sentence.
        remedy: what to do about it, a sentence.

    Attributes:
        hushed: whether what is done now may take its time, so that nothing is said.
    """

    def __init__(self, send: Callable[[Event], None], what: str, remedy: str = REMEDY) -> None:
        self._send, self._what, self._remedy = send, what, remedy
        self.hushed = False
        self._turn = (perf_counter(), 0)
        self._told = -_SILENT
        self._ended = Flag()
        self._thread = Thread(target=self._beat, name="pulse", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._ended.set()
        self._thread.join()

    def turn(self, step: int) -> None:
        """A turn begins, at this step."""
        self._turn = (perf_counter(), step)

    def _beat(self) -> None:
        tidied = perf_counter()
        while not self._ended.wait(EVERY):
            (began, step), now = self._turn, perf_counter()
            if now - tidied > _TIDY:
                tidied = now
                give_back()
            try:
                self._send(Heartbeat(step))
                if not self.hushed and now - began > LONG and now - self._told > _SILENT:
                    self._told = now
                    self._send(
                        Notice(
                            "warning",
                            f"{self._what} has taken more than {LONG:.0f} seconds so far. {self._remedy}",
                        )
                    )
            except OSError:  # the window is gone: the main thread finds that out by itself
                return
