"""What a crash has left behind: autosaves whose process is gone.

They are offered at the next start, the newest first, in one question. Whatever becomes of them, nothing is deleted that
was not restored: those that a person does not want are kept in a folder of their own, and those that cannot be read are
set aside there too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QLockFile

from explorer.autosave import CARD, SUFFIX, VERSION
from explorer.keeping import at_words, orphans, put_aside, remove
from explorer.places import autosave_folder, read_record
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
        """What it is and when it was kept, as in "two-moons at 12:31"."""
        return f"{self.source.name if self.source else self.project.name} {at_words(self.at)}"


class Recovery:
    """Finds leftovers, and does with each what the person decides."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or autosave_folder()
        self.kept = self.folder / "kept"

    def find(self) -> tuple[list[Leftover], list[str]]:
        """What can be restored, newest first, and one line for each autosave that was set aside as damaged."""
        found, lines = [], []
        for file, at, lock in orphans(self.folder, SUFFIX):
            try:
                project = read_project(file)
                Recipe.from_project(project)
            except InputError as error:
                reason = str(error).removeprefix(f"{file}: ")
                place = put_aside(file, self.kept)
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
        remove(leftover.file)
        leftover.lock.unlock()

    def keep(self, leftover: Leftover) -> Path:
        """It was not wanted: move it out of the way; where it lies now."""
        place = put_aside(leftover.file, self.kept)
        leftover.lock.unlock()
        return place
