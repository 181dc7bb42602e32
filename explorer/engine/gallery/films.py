"""Films that are written while the pictures move: one after the other, a frame at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from explorer.engine.gallery.job import JobRun
from explorer.engine.gallery.orders import Export, Exported
from explorer.engine.memory import out_of_memory
from trainer.errors import InputError, TrainingError

if TYPE_CHECKING:
    from explorer.engine.gallery.exporting import Writing


class Films:
    """Those that are ordered and not written yet.

    Args:
        answer: is told what came of each.
    """

    def __init__(self, answer: Callable[[Exported], object]) -> None:
        self._answer = answer
        self._waiting: deque[tuple[Export, Writing]] = deque()
        self._done = 0.0

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return bool(self._waiting)

    @property
    def words(self) -> str:
        """What is being written and how much of it is, or ""."""
        return f"{Path(self._waiting[0][0].path).name}: {self._done:.0%}" if self._waiting else ""

    def order(self, order: Export, run: JobRun) -> None:
        """Have a film written of what the job has made until now."""
        from explorer.engine.gallery.exporting import write_film

        self._waiting.append((order, write_film(order, run)))

    def write(self, deadline: float) -> bool:
        """Write a frame, and more until the deadline; whether there is anything new to say."""
        before = self.words
        while self._waiting:
            order, frames = self._waiting[0]
            try:
                self._done = next(frames)
            except StopIteration as end:
                self._end(Exported(order.path, end.value))
            except (InputError, TrainingError, OSError, RuntimeError, MemoryError) as error:
                line = "out of memory; choose a smaller film" if out_of_memory(error) else str(error)
                self._end(Exported(order.path, line, failed=True))
            if perf_counter() > deadline:
                break
        return self.words != before

    def stop(self) -> None:
        """Leave nothing of any of them."""
        while self._waiting:
            order, frames = self._waiting[0]
            name = Path(order.path).name
            try:
                frames.close()
            except (OSError, RuntimeError) as error:
                # It could not be ended, a full disk for one; what there was of it is taken away all the same.
                self._end(Exported(order.path, f"{name} is not written: {error}", failed=True))
            else:
                self._end(Exported(order.path, f"Stopped: {name} is not written"))

    def _end(self, answer: Exported) -> None:
        self._waiting.popleft()
        self._done = 0.0
        self._answer(answer)
