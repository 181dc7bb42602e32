"""A lesson that is written, kept after every change for the case of a crash (`explorer.keeping`).

The file has the form of a lesson's, with the question as it was typed: what is missing or wrong in a draft stays so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

from PySide6.QtCore import QObject

from explorer.keeping import Keeper, Write, at_words, orphans, put_aside
from explorer.layouts import PAGES
from explorer.lessons.draft import Draft, DraftChoice, DraftQuestion, DraftStep
from explorer.lessons.files import MOST_FILE, packed, step_json, step_values, unpacked
from explorer.lessons.lesson import MOST_CHOICES, MOST_STEPS
from explorer.lessons.manuscript import Manuscript
from explorer.lessons.measures import QUANTITIES, Clock
from explorer.lessons.names import DRAFT, draft_folder
from explorer.places import kept_folder
from trainer.archives import write_whole
from trainer.errors import InputError
from trainer.projects import Project, project_bytes
from trainer.settings import MOST_SIGMA, choice, known, number

_FORMAT, _VERSION = "score-explorer draft", 1


class DraftKeeper(Keeper):
    """Keeps what is written while its file does not hold it."""

    def __init__(self, manuscript: Manuscript, parent: QObject | None = None) -> None:
        super().__init__("The lesson", DRAFT, lambda: manuscript.changed, self._take, draft_folder(), parent)
        self._manuscript = manuscript
        self._seen: tuple[Draft, Path | None, bool] = (manuscript.draft, manuscript.path, manuscript.changed)
        self._packed: dict[int, tuple[Project, bytes]] = {}  # moments never change: each is packed once
        manuscript.subscribe(lambda turned: self._look())

    def _look(self) -> None:
        """Another step that is only looked at changes nothing."""
        script = self._manuscript
        before, self._seen = self._seen, (script.draft, script.path, script.changed)
        if self._seen[0] is not before[0] or self._seen[1:] != before[1:]:
            self.touch()

    def _take(self) -> Write:
        script = self._manuscript
        return partial(self._write, draft=script.draft, source=str(script.path or ""))

    def _write(self, file: Path, draft: Draft, source: str) -> None:
        used: dict[int, tuple[Project, bytes]] = {}

        def pack(project: Project) -> bytes:
            used[id(project)] = self._packed.get(id(project)) or (project, project_bytes(project))
            return used[id(project)][1]

        try:
            write_whole(file, draft_bytes(draft, source, pack))
        finally:
            self._packed = used


@dataclass(frozen=True, eq=False)
class FoundDraft:
    """What a dead process was writing.

    Attributes:
        draft: as it was last.
        path: the lesson's own file, if it had one.
        place: where it is kept now, out of the way.
    """

    draft: Draft
    path: Path | None
    place: Path


def find_draft() -> tuple[FoundDraft | None, list[tuple[str, str]]]:
    """The newest one, if there is any, and a line with details for each newer one that cannot be read.

    Each is put aside first, so that none that does harm is met twice.
    """
    lines: list[tuple[str, str]] = []
    for file, at, lock in orphans(draft_folder(), DRAFT):
        place = put_aside(file, kept_folder())
        lock.unlock()
        try:
            if place.stat().st_size > MOST_FILE:
                raise InputError("it is too large")
            return FoundDraft(*draft_from(place.read_bytes()), place), lines
        except (InputError, OSError) as error:
            lines.append(
                (f"A lesson that was being written {at_words(at)} is damaged; it is kept as {place}", str(error))
            )
    return None, lines


# --- the file -----------------------------------------------------------------------------------------------------


def draft_bytes(draft: Draft, source: str = "", pack: Callable[[Project], bytes] = project_bytes) -> bytes:
    """The file of this draft; `source` is the lesson's own file, or "".

    Raises:
        InputError: it would be too large to be read.
    """
    projects: dict[str, Project] = {}
    steps = [
        step_json(step, projects) | ({} if step.question is None else {"question": asdict(step.question)})
        for step in draft.steps
    ]
    head = {"format": _FORMAT, "version": _VERSION, "title": draft.title, "about": draft.about, "source": source}
    return packed({**head, "steps": steps}, projects, pack)


def draft_from(data: bytes) -> tuple[Draft, Path | None]:
    """The draft that these bytes of a file are, and the lesson's own file.

    Raises:
        InputError: no draft, or a damaged one.
    """
    values, projects = unpacked(data)
    if not isinstance(values, dict) or values.get("format") != _FORMAT:
        raise InputError(f"draft: its format must be {_FORMAT!r}")
    version = values.get("version")
    if version != _VERSION:
        raise InputError(f"draft: its format version is {version!r:.20}, and this program reads {_VERSION}")
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
    if given.get("sigma") is not None:
        number("step.sigma", given["sigma"], 0.0, MOST_SIGMA)
    if given.get("drawer") is not None:
        choice("step.drawer", given["drawer"], PAGES)
    return DraftStep(**given)


def _question(values: object) -> DraftQuestion:
    given = known(DraftQuestion, values, "question.")
    choices = given.pop("choices", None)
    if not isinstance(choices, list) or len(choices) > MOST_CHOICES:
        raise InputError(f"question.choices: expected a list of at most {MOST_CHOICES}")
    usual = DraftQuestion()
    made = {name: _alike(getattr(usual, name), value) for name, value in given.items()}
    choice("question.quantity", made.get("quantity", usual.quantity), tuple(QUANTITIES))
    choice("question.clock", made.get("clock", usual.clock), get_args(Clock))
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
