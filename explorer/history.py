"""Steps to undo and to redo, within a stated memory.

A step is the command that takes it, and the token of the state that it leads to: two states are the same exactly if
their tokens are. Undo forgets its oldest steps beyond `HISTORY_BYTES`; looking after that costs work on the step that
comes and the steps that go, never on those that stay.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from explorer.edits import Command, RestorePainting, RestorePatch

HISTORY_BYTES = 256 * 2**20
"""Undo forgets its oldest steps beyond this much memory: some 20,000 ordinary strokes."""


@dataclass(frozen=True)
class Step:
    """One step: how to take it, its name, and the token of the state that it leads to."""

    command: Command
    text: str
    state: int


class History:
    """Two stacks of steps.

    Attributes:
        bytes: the memory that the steps to undo hold, roughly.
        limit: the most that they may hold.
    """

    def __init__(self) -> None:
        self._undo: deque[Step] = deque()
        self._redo: list[Step] = []
        self.bytes = 0
        self.limit = HISTORY_BYTES

    def __len__(self) -> int:
        return len(self._undo)

    @property
    def last(self) -> Step | None:
        """The step that undo would take."""
        return self._undo[-1] if self._undo else None

    @property
    def next(self) -> Step | None:
        """The step that redo would take."""
        return self._redo[-1] if self._redo else None

    def clear(self) -> None:
        """Forget everything."""
        self._undo.clear()
        self._redo.clear()
        self.bytes = 0

    def forget_undone(self) -> None:
        """Something else was done: what was undone cannot be taken again."""
        self._redo.clear()

    def push(self, step: Step) -> None:
        """Have this step to undo next; the oldest go where memory asks for it."""
        self._undo.append(step)
        self.bytes += size(step.command)
        while self.bytes > self.limit and len(self._undo) > 1:
            self.bytes -= size(self._undo.popleft().command)

    def pop(self) -> Step:
        """Take the last step off."""
        step = self._undo.pop()
        self.bytes -= size(step.command)
        return step

    def push_undone(self, step: Step) -> None:
        """Have this step to redo next."""
        self._redo.append(step)

    def pop_undone(self) -> Step:
        """Take the next step to redo off."""
        return self._redo.pop()


def size(command: Command) -> int:
    """The memory that a command in the history holds, roughly."""
    match command:
        case RestorePatch(cells=cells, values=values, components=components):
            return 500 + cells.nbytes + values.nbytes + 200 * len(components)
        case RestorePainting(paint=paint, components=components):
            return 500 + paint.nbytes + 200 * len(components)
    return 500
