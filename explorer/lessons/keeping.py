"""A lesson that is written, kept after every change for the case of a crash (`explorer.keeping`).

The file has the form of a lesson's, with the question as it was typed: what is missing or wrong in a draft stays so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QLockFile, QObject

from explorer.keeping import Keeper, Write, orphans, put_aside, remove
from explorer.lessons.draft import Draft, DraftChoice, DraftQuestion, DraftStep
from explorer.lessons.files import packed, step_json, step_values, unpacked
from explorer.lessons.lesson import MOST_CHOICES, MOST_STEPS
from explorer.lessons.manuscript import Manuscript
from explorer.lessons.names import DRAFT, draft_folder
from explorer.places import autosave_folder
from trainer.archives import write_whole
from trainer.errors import InputError
from trainer.projects import Project, project_bytes
from trainer.settings import known

_FORMAT = "score-explorer draft"


class DraftKeeper(Keeper):
    """Keeps what is written while its file does not hold it."""

    def __init__(self, manuscript: Manuscript, parent: QObject | None = None) -> None:
        super().__init__(DRAFT, lambda: manuscript.changed, self._take, draft_folder(), parent)
        self._manuscript = manuscript
        self._packed: dict[int, tuple[Project, bytes]] = {}  # moments are many and never change: each is packed once
        manuscript.subscribe(lambda turned: self.touch())

    def _take(self) -> Write:
        script = self._manuscript
        return partial(self._write, draft=script.draft, source=str(script.path or ""))

    def _write(self, file: Path, draft: Draft, source: str) -> None:
        used: dict[int, tuple[Project, bytes]] = {}

        def pack(project: Project) -> bytes:
            known_one = self._packed.get(id(project))
            used[id(project)] = known_one or (project, project_bytes(project))
            return used[id(project)][1]

        write_whole(file, draft_bytes(draft, source, pack))
        self._packed = used


class FoundDraft:
    """What a dead process was writing, and the lesson's own file; `done` once it is kept elsewhere."""

    def __init__(self, file: Path, lock: QLockFile) -> None:
        self._file, self._lock = file, lock
        self.draft, self.path = draft_from(file.read_bytes())

    def done(self) -> None:
        """Remove the file."""
        remove(self._file)
        self._lock.unlock()


def find_draft() -> tuple[FoundDraft | None, list[str]]:
    """The newest one, if there is any, and a line for each that cannot be read and was put aside."""
    lines: list[str] = []
    for file, at, lock in orphans(draft_folder(), DRAFT):
        try:
            return FoundDraft(file, lock), lines
        except (InputError, OSError) as error:
            place = put_aside(file, autosave_folder() / "kept")
            lock.unlock()
            lines.append(f"A lesson that was written at {at:%H:%M} cannot be read ({error}). It is kept as {place}")
    return None, lines


# --- the file -----------------------------------------------------------------------------------------------------


def draft_bytes(draft: Draft, source: str = "", pack: Callable[[Project], bytes] = project_bytes) -> bytes:
    """The file of this draft; `source` is the lesson's own file, or "".

    Raises:
        InputError: it would be too large to be read.
    """
    projects: dict[str, Project] = {}
    steps = []
    for step in draft.steps:
        values = step_json(step, projects)
        if step.question is not None:
            values["question"] = asdict(step.question)
        steps.append(values)
    head = {"format": _FORMAT, "title": draft.title, "about": draft.about, "source": source}
    return packed({**head, "steps": steps}, projects, pack)


def draft_from(data: bytes) -> tuple[Draft, Path | None]:
    """The draft that these bytes of a file are, and the lesson's own file.

    Raises:
        InputError: no draft, or a damaged one.
    """
    values, projects = unpacked(data)
    if not isinstance(values, dict) or values.get("format") != _FORMAT:
        raise InputError(f"draft: its format must be {_FORMAT!r}")
    title, about, source = (_text(values.get(name)) for name in ("title", "about", "source"))
    records = values.get("steps")
    if not isinstance(records, list) or len(records) > MOST_STEPS:
        raise InputError(f"draft.steps: expected a list of at most {MOST_STEPS}")
    steps = tuple(_step(record, projects) for record in records)
    return Draft(title, about, steps), Path(source) if source else None


def _step(record: object, projects: Mapping[str, Project]) -> DraftStep:
    given = step_values(DraftStep, record, projects)
    for name in ("title", "text", "formula"):
        given[name] = _text(given.get(name, ""))
    if given.get("question") is not None:
        given["question"] = _question(given["question"])
    return DraftStep(**given)


def _question(values: object) -> DraftQuestion:
    given = known(DraftQuestion, values, "question.")
    choices = given.pop("choices", None)
    if not isinstance(choices, list) or len(choices) > MOST_CHOICES:
        raise InputError(f"question.choices: expected a list of at most {MOST_CHOICES}")
    usual = DraftQuestion()
    made = {name: _alike(getattr(usual, name), value) for name, value in given.items()}
    return DraftQuestion(**made, choices=tuple(_choice(each) for each in choices))


def _choice(values: object) -> DraftChoice:
    given = known(DraftChoice, values, "choice.")
    ends = {name: _alike(0.0, given.get(name)) for name in ("low", "high")}
    return DraftChoice(_text(given.get("text")), **ends)


def _alike(usual: object, value: object) -> Any:  # noqa: ANN401 - a field's value
    """The value of a field that usually holds such a thing: a text, names, or what was typed for a number."""
    if isinstance(usual, str):
        return _text(value)
    if isinstance(usual, tuple):
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise InputError(f"question: expected a list of names, got {type(value).__name__}")
        return tuple(value)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float | str)):
        raise InputError(f"question: expected a number, got {type(value).__name__}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InputError(f"draft: expected text, got {type(value).__name__}")
    return value
