"""What a crash has left behind: autosaves whose process is gone.

They are offered at the next start, the newest first, in one question. Whatever becomes of them, nothing is deleted that
was not restored: those that a person does not want are kept in a folder of their own, and those that cannot be read are
set aside there too. Each is locked while it is offered, so that two instances that start together do not offer it both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QLockFile

from explorer.autosave import CARD, VERSION, autosave_folder
from explorer.places import read_record
from explorer.recipe import Recipe
from trainer.errors import InputError
from trainer.projects import Project, read_project


@dataclass(frozen=True, eq=False)
class Leftover:
    """One document that was open when its process ended.

    Attributes:
        file: the autosave.
        project: what it holds.
        source: the project file that it was opened from, None if it was never saved.
        at: when it was written.
    """

    file: Path
    project: Project
    source: Path | None
    at: datetime
    lock: QLockFile = field(repr=False)

    @property
    def words(self) -> str:
        """What it is and when it was kept: "two-moons, 12:31", with the day if that was not today."""
        today = self.at.date() == datetime.now().date()
        when = f"{self.at:%H:%M}" if today else f"{self.at:%d %B, %H:%M}"
        return f"{self.source.name if self.source else self.project.name}, {when}"


class Recovery:
    """Finds leftovers, and does with each what the person decides."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or autosave_folder()
        self.kept = self.folder / "kept"

    def find(self) -> tuple[list[Leftover], list[str]]:
        """What can be restored, newest first, and one line for each autosave that was set aside as damaged."""
        found, lines = [], []
        for file in sorted(self.folder.glob("*.scorex"), key=_age, reverse=True):
            lock = QLockFile(str(file.with_suffix(".lock")))
            lock.setStaleLockTime(0)
            if not lock.tryLock(0):
                continue  # its process runs, or another one is offering it
            try:
                at = datetime.fromtimestamp(file.stat().st_mtime)
            except OSError:  # another instance has just dealt with it
                lock.unlock()
                continue
            try:
                project = read_project(file)
                Recipe.from_project(project)
            except InputError as error:
                reason = str(error).removeprefix(f"{file}: ")
                place = self._set_aside(file)
                lock.unlock()
                lines.append(f"An autosave of {at:%H:%M} cannot be read ({reason}). It is kept as {place}")
                continue
            values, _ = read_record(file.with_suffix(".json"), CARD, VERSION)
            source = values.get("source")
            path = Path(source) if isinstance(source, str) and source else None
            found.append(Leftover(file, project, path, at, lock))
        return found, lines

    def done(self, leftover: Leftover) -> None:
        """It was restored and is kept elsewhere by now: remove it."""
        for path in (leftover.file, leftover.file.with_suffix(".json")):
            path.unlink(missing_ok=True)
        leftover.lock.unlock()

    def keep(self, leftover: Leftover) -> Path:
        """It was not wanted: move it out of the way; where it lies now."""
        place = self._set_aside(leftover.file)
        leftover.lock.unlock()
        return place

    def _set_aside(self, file: Path) -> Path:
        """Where it lies now: in the folder of what is kept, or where it was if it cannot be moved."""
        try:
            at = datetime.fromtimestamp(file.stat().st_mtime)
            self.kept.mkdir(parents=True, exist_ok=True)
            place = file.replace(self.kept / f"{at:%Y-%m-%d %H.%M.%S} {file.stem}.scorex")
            file.with_suffix(".json").unlink(missing_ok=True)
        except OSError:
            return file
        return place


def _age(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
