"""Lesson files (`.lesson`): one file holds the whole lesson.

The shipped ones are JSON. A lesson whose steps begin from moments that somebody made, with painting, settings and
weights, is a zip of `lesson.json` and a project for each of these moments (`trainer.projects`); which of the two a file
is, its first bytes say. Choices have "from" and "to" for their range; a step's "begin" is an object, or the name of a
project in the file. Numbers, names and sizes are checked before anything is made of them; nothing is ever executed.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.lessons.lesson import CONTROLS, MOST_STEPS, Beginning, Choice, Lesson, Prediction, Step
from explorer.lessons.measures import Measure, Moment
from explorer.lessons.names import SUFFIX as SUFFIX
from explorer.paint.canvases import checked_setup
from explorer.recipe import Recipe
from explorer.viewing import ViewOptions
from trainer.archives import archive_bytes, archive_from, write_whole
from trainer.assets import assets
from trainer.errors import InputError
from trainer.plans import RaceSettings, StopSettings
from trainer.projects import MEBIBYTE, Project, project_bytes, project_from
from trainer.scenes import Scene
from trainer.settings import FitSettings, known

if TYPE_CHECKING:
    from explorer.lessons.draft import DraftStep

FORMAT, VERSION = "score-explorer lesson", 1

_TEXT = "lesson.json"
MOST_FILE = 256 * MEBIBYTE
_MOST_TEXT, _MOST_PROJECT = 2 * MEBIBYTE, 64 * MEBIBYTE
_LIMITS = {_TEXT: _MOST_TEXT, **{f"{k:02}.scorex": _MOST_PROJECT for k in range(1, MOST_STEPS + 1)}}


# --- reading and writing ------------------------------------------------------------------------------------------


def read_lesson(path: str | Path) -> Lesson:
    """The lesson in a file.

    Raises:
        InputError: no lesson, a damaged one, or one of a later version; one line names file, step and field.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise InputError(f"{path}: no such file; choose a {SUFFIX} file")
        if path.stat().st_size > MOST_FILE:
            raise InputError(f"{path}: too large for a lesson; choose a {SUFFIX} file")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}; choose a {SUFFIX} file") from error
    try:
        return lesson_from(data)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def lesson_from(data: bytes) -> Lesson:
    """The lesson that these bytes of a file are; raises as `read_lesson`, without the file's name."""
    return from_json(*unpacked(data))


def unpacked(data: bytes) -> tuple[object, dict[str, Project]]:
    """The values in these bytes of a file, and the projects beside them, by their names there.

    Raises:
        InputError: neither JSON nor a zip of it, or a damaged one.
    """
    projects: dict[str, Project] = {}
    if data.startswith(b"PK"):
        members = _members(data)
        data = members.pop(_TEXT)
        projects = {name: _project(member, name) for name, member in members.items()}
    if len(data) > _MOST_TEXT:
        raise InputError(f"lesson: its text is too large; at most {_MOST_TEXT:,} bytes are read")
    try:
        values = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"lesson: not a lesson or damaged ({reason}); choose a {SUFFIX} file") from error
    return values, projects


def _members(data: bytes) -> dict[str, bytes]:
    """What lies in the zip, its text among it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"lesson: damaged ({reason}); use another copy of the file") from error
    if size > MOST_FILE:
        raise InputError(f"lesson: unpacks to {size:,} bytes; at most {MOST_FILE:,} are allowed")
    members = archive_from(data, "lesson", _LIMITS)
    if _TEXT not in members:
        raise InputError(f"lesson: {_TEXT} is missing; use another copy of the file")
    return members


def _project(data: bytes, name: str) -> Project:
    """A project that the window can open: what it refuses then would come in the middle of a lesson."""
    project = project_from(data, name)
    try:
        checked_setup(project.setup)
        Recipe.from_project(project)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    return project


def write_lesson(path: str | Path, lesson: Lesson) -> None:
    """Save a lesson: the file holds all of it, or is what it was before.

    Raises:
        InputError: the file cannot be written, or would be too large to be read.
    """
    write_whole(path, lesson_bytes(lesson))


def lesson_bytes(lesson: Lesson) -> bytes:
    """The file of this lesson; equal lessons make equal files.

    Raises:
        InputError: it would be too large to be read.
    """
    return packed(*to_json(lesson))


def packed(
    values: Mapping[str, Any], projects: Mapping[str, Project], pack: Callable[[Project], bytes] = project_bytes
) -> bytes:
    """These values as a file, with the projects that they name, each packed by `pack`.

    Raises:
        InputError: it would be too large to be read.
    """
    text = (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode(errors="backslashreplace")
    members = {_TEXT: text} | {name: pack(project) for name, project in projects.items()}
    for name, data in members.items():
        if len(data) > _LIMITS[name]:
            what = "its text" if name == _TEXT else f"the moment of run {int(name[:2])}"
            raise InputError(f"lesson: {what} would need {len(data):,} bytes; at most {_LIMITS[name]:,} fit a lesson")
    made = archive_bytes(members) if projects else text
    size = max(len(made), sum(map(len, members.values())))
    if size > MOST_FILE:
        raise InputError(f"lesson: {size:,} bytes would be too many; at most {MOST_FILE:,} fit: take fewer moments")
    return made


@cache
def shipped() -> tuple[tuple[Path, Lesson], ...]:
    """The lessons that the program brings, in their order."""
    return tuple((path, read_lesson(path)) for path in sorted((assets() / "lessons").glob(f"*{SUFFIX}")))


# --- JSON ---------------------------------------------------------------------------------------------------------


def from_json(values: object, projects: Mapping[str, Project] | None = None) -> Lesson:
    """Rebuild a lesson from `to_json`'s values; `InputError` names a field that is missing, unknown or wrong."""
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise InputError(f"lesson: not a lesson; its format must be {FORMAT!r}")
    if values.get("version") != VERSION:
        version = values.get("version")
        raise InputError(f"lesson: its format version is {version!r:.20}, and this program reads {VERSION}")
    given = known(Lesson, {k: v for k, v in values.items() if k not in ("format", "version")}, "lesson.")
    steps = []
    for number, record in enumerate(_records(given.get("steps"), "lesson.steps"), 1):
        try:
            steps.append(_step(record, projects or {}))
        except InputError as error:
            raise InputError(f"step {number}: {error}") from error
    return Lesson(given.get("title", ""), tuple(steps), given.get("about", ""))


def to_json(lesson: Lesson) -> tuple[dict[str, Any], dict[str, Project]]:
    """The lesson as plain JSON values, and the projects that these name."""
    projects: dict[str, Project] = {}
    steps = []
    for step in lesson.steps:
        values = step_json(step, projects)
        if step.predict is not None:
            values["predict"] = _prediction_json(step.predict)
        steps.append(values)
    head = {"format": FORMAT, "version": VERSION, "title": lesson.title, "about": lesson.about}
    return {**head, "steps": steps}, projects


def step_json(step: Step | DraftStep, projects: dict[str, Project]) -> dict[str, Any]:
    """A step without its question as plain JSON values; a project that it begins from is added to `projects`."""
    values = {f.name: getattr(step, f.name) for f in fields(step) if f.name not in ("predict", "question")}
    values = {name: _plain(value) for name, value in values.items() if value not in ("", (), {}, None)}
    if isinstance(step.begin, Project):
        values["begin"] = f"{len(projects) + 1:02}.scorex"
        projects[values["begin"]] = step.begin
    elif step.begin is not None:
        values["begin"] = _beginning_json(step.begin)
    if step.options == ViewOptions():
        values.pop("options", None)
    else:
        values["options"] = step.options.to_json()
    values["controls"] = list(step.controls)
    if step.controls == CONTROLS:
        del values["controls"]
    return values


def _step(record: object, projects: Mapping[str, Project]) -> Step:
    given = step_values(Step, record, projects)
    if given.get("predict") is not None:
        given["predict"] = _prediction(given["predict"])
    return Step(**given)


def step_values(kind: type, record: object, projects: Mapping[str, Project]) -> dict[str, Any]:
    """The fields of a step of this kind in such values, but for its question, which is left as it stands there.

    Raises:
        InputError: a field that is unknown or of the wrong kind.
    """
    given = known(kind, record, "step.")
    for name in ("title", "text"):
        given.setdefault(name, "")
    for name in ("explain", "show", "places", "controls", "do"):
        if name in given:
            given[name] = _names(given[name], f"step.{name}")
    begin = given.get("begin")
    if isinstance(begin, str):
        if begin not in projects:
            raise InputError(f"step.begin: there is no {begin!r:.40} in this file; give a painting, or its project")
        given["begin"] = projects[begin]
    elif begin is not None:
        given["begin"] = _beginning(begin)
    if "change" in given and not isinstance(given["change"], Mapping):
        raise InputError("step.change: expected an object of named fields")
    if "options" in given:
        given["options"] = ViewOptions.from_json(given["options"])
    return given


def _beginning(values: object) -> Beginning:
    given = known(Beginning, values, "begin.")
    given.setdefault("painting", "")
    makers: dict[str, Callable[[Any], object]] = {
        "fit": FitSettings.from_json,
        "scene": Scene.from_json,
        "stop": StopSettings.from_json,
        "race": RaceSettings.from_json,
    }
    for name, make in makers.items():
        if name in given:
            given[name] = make(given[name])
    return Beginning(**given)


def _beginning_json(begin: Beginning) -> dict[str, Any]:
    usual = Beginning(begin.painting)
    values: dict[str, Any] = {"painting": begin.painting}
    for name in ("fit", "scene", "stop", "race"):
        if getattr(begin, name) != getattr(usual, name):
            values[name] = getattr(begin, name).to_json()
    return values | {name: getattr(begin, name) for name in ("seed", "particle_seed") if getattr(begin, name)}


def _prediction(values: object) -> Prediction:
    given = known(Prediction, values, "predict.")
    given.setdefault("ask", "")
    choices = []
    for record in _records(given.get("choices"), "predict.choices"):
        if not isinstance(record, Mapping) or not set(record) <= {"text", "from", "to"}:
            raise InputError("predict.choices: give each its text, and from and to for its range")
        limits = {"low": record.get("from"), "high": record.get("to")}
        for name, value in limits.items():
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise InputError(f"choice.{name}: {value!r:.40} is not a number")
        choices.append(Choice(record.get("text", ""), **{k: float(v) for k, v in limits.items() if v is not None}))
    given["choices"] = tuple(choices)
    given["measure"] = Measure(**{"quantity": ""} | known(Measure, given.get("measure", {}), "measure."))
    given["when"] = Moment(**known(Moment, given.get("when", {}), "when."))
    for name in ("covers", "do"):
        given[name] = _names(given.get(name, []), f"predict.{name}")
    return Prediction(**given)


def _prediction_json(predict: Prediction) -> dict[str, Any]:
    choices = []
    for each in predict.choices:
        limits = {"from": each.low, "to": each.high}
        choices.append({"text": each.text} | {k: v for k, v in limits.items() if abs(v) != float("inf")})
    usual = Measure(predict.measure.quantity)
    measure = {k: v for k, v in asdict(predict.measure).items() if k == "quantity" or v != getattr(usual, k)}
    values: dict[str, Any] = {"ask": predict.ask, "choices": choices, "measure": measure, "when": asdict(predict.when)}
    values |= {"covers": list(predict.covers), "do": list(predict.do)}
    values |= {"learned": predict.learned, "reveal": predict.reveal}
    return {name: value for name, value in values.items() if value not in ("", [], 0)}


def _plain(value: object) -> object:
    """A tuple as a list, anything else as it is."""
    return list(value) if isinstance(value, tuple) else value


def _records(value: object, name: str) -> list[object]:
    if not isinstance(value, list):
        raise InputError(f"{name}: expected a list")
    return value


def _names(value: object, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InputError(f"{name}: expected a list of names")
    return tuple(value)
