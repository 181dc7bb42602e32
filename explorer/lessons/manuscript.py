"""What is being written: a draft, the step that is looked at, the file, and what can be undone.

Adding, removing, moving and taking are edits that return their inverse; what was typed meanwhile stays typed when they
are undone. Text has the undo of its own field. No Qt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from explorer.lessons.draft import Draft, DraftStep, draft_of
from explorer.lessons.lesson import MOST_STEPS, Lesson

Steps = tuple[DraftStep, ...]


@dataclass(frozen=True)
class Insert:
    """Put a step at this place."""

    at: int
    step: DraftStep


@dataclass(frozen=True)
class Remove:
    """Take the step at this place away."""

    at: int


@dataclass(frozen=True)
class Move:
    """Bring the step at one place to another."""

    at: int
    to: int


@dataclass(frozen=True)
class Retake:
    """Replace fields of the step at this place."""

    at: int
    values: Mapping[str, Any]


Edit = Insert | Remove | Move | Retake


def applied(steps: Steps, edit: Edit) -> tuple[Steps, Edit]:
    """The steps after an edit, and the edit that takes it back."""
    match edit:
        case Insert(at, step):
            return (*steps[:at], step, *steps[at:]), Remove(at)
        case Remove(at):
            return (*steps[:at], *steps[at + 1 :]), Insert(at, steps[at])
        case Move(at, to):
            rest = (*steps[:at], *steps[at + 1 :])
            return (*rest[:to], steps[at], *rest[to:]), Move(to, at)
        case Retake(at, values):
            before = {name: getattr(steps[at], name) for name in values}
            return (*steps[:at], replace(steps[at], **values), *steps[at + 1 :]), Retake(at, before)


class Manuscript:
    """One draft and all that is done to it.

    Attributes:
        draft: as it is now.
        selected: the place of the step that is looked at; -1 while there is none.
        path: the file that it was read from or written to last.
    """

    def __init__(self) -> None:
        self.draft = Draft()
        self.selected = -1
        self.path: Path | None = None
        self._kept: Draft | None = self.draft  # what the file holds; None if that is not known
        self._undo: list[tuple[str, Edit]] = []
        self._redo: list[tuple[str, Edit]] = []
        self._told: list[Callable[[bool], object]] = []

    def subscribe(self, told: Callable[[bool], object]) -> None:
        """Be told of every change; with True if another step is looked at, or the steps are others."""
        self._told.append(told)

    @property
    def changed(self) -> bool:
        """Whether it holds anything that its file does not."""
        return self.draft != self._kept

    @property
    def step(self) -> DraftStep | None:
        """The step that is looked at."""
        return self.draft.steps[self.selected] if self.selected >= 0 else None

    @property
    def full(self) -> bool:
        """Whether no lesson may have more steps."""
        return len(self.draft.steps) >= MOST_STEPS

    @property
    def undo_text(self) -> str:
        """What would be undone; "" for nothing."""
        return self._undo[-1][0] if self._undo else ""

    # --- the whole ---

    def begin(self, lesson: Lesson | None = None, path: Path | None = None) -> None:
        """Put this lesson, or an empty one, in place of what was written."""
        self._put(Draft() if lesson is None else draft_of(lesson), path)
        self._kept = self.draft
        self._tell(True)

    def restore(self, draft: Draft, path: Path | None) -> None:
        """Put a draft that its file does not hold in place of what was written."""
        self._put(draft, path)
        self._kept = None
        self._tell(True)

    def _put(self, draft: Draft, path: Path | None) -> None:
        self.draft, self.path, self._undo, self._redo = draft, path, [], []
        self.selected = 0 if draft.steps else -1

    def mark_kept(self, path: Path) -> None:
        """It lies in this file as it is."""
        self._kept, self.path = self.draft, path
        self._tell(False)

    def head(self, **values: str) -> None:
        """Write the lesson's own title, or the line about it."""
        self.draft = replace(self.draft, **values)  # type: ignore[arg-type]
        self._tell(False)

    def select(self, index: int) -> None:
        """Look at another step."""
        if index != self.selected and 0 <= index < len(self.draft.steps):
            self.selected = index
            self._tell(True)

    # --- the step that is looked at ---

    def write(self, **values: Any) -> None:  # noqa: ANN401 - fields of DraftStep
        """Replace fields of the step, as typing does."""
        if self.step is not None:
            step = replace(self.step, **values)
            steps = self.draft.steps
            self.draft = replace(self.draft, steps=(*steps[: self.selected], step, *steps[self.selected + 1 :]))
            self._tell(False)

    def add(self, step: DraftStep) -> None:
        """Put a step behind the one that is looked at, and look at it."""
        if not self.full:
            self._do("add", Insert(self.selected + 1, step), self.selected + 1)

    def retake(self, what: str, **values: Any) -> None:  # noqa: ANN401 - fields of DraftStep
        """Replace fields of the step in a way that can be undone as `what`."""
        if self.step is not None:
            self._do(what, Retake(self.selected, values), self.selected)

    def duplicate(self) -> None:
        """The step a second time, behind itself."""
        if self.step is not None and not self.full:
            self._do("duplicate", Insert(self.selected + 1, self.step), self.selected + 1)

    def remove(self) -> None:
        """Take the step away."""
        if self.step is not None:
            self._do("remove", Remove(self.selected), min(self.selected, len(self.draft.steps) - 2))

    def move(self, at: int, to: int) -> None:
        """Bring a step to another place, and look at it."""
        last = len(self.draft.steps) - 1
        if at != to and 0 <= at <= last and 0 <= to <= last:
            self._do("move", Move(at, to), to)

    # --- undo ---

    def undo(self) -> None:
        """Take the last edit back."""
        self._turn(self._undo, self._redo)

    def redo(self) -> None:
        """Do again what was taken back."""
        self._turn(self._redo, self._undo)

    def _turn(self, source: list[tuple[str, Edit]], target: list[tuple[str, Edit]]) -> None:
        if source:
            what, edit = source.pop()
            steps, inverse = applied(self.draft.steps, edit)
            target.append((what, inverse))
            where = edit.to if isinstance(edit, Move) else edit.at
            self._take(steps, where)

    def _do(self, what: str, edit: Edit, selected: int) -> None:
        steps, inverse = applied(self.draft.steps, edit)
        self._undo.append((what, inverse))
        self._redo = []
        self._take(steps, selected)

    def _take(self, steps: Steps, selected: int) -> None:
        self.draft = replace(self.draft, steps=steps)
        self.selected = min(max(selected, 0), len(steps) - 1)
        self._tell(True)

    def _tell(self, turned: bool) -> None:
        for told in self._told:
            told(turned)
