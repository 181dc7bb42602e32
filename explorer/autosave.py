"""What is open, kept after every command for the case of a crash.

Each window writes one file (`explorer.keeping`), a project like any other, with a card beside it that says which file
it was opened from. The snapshot copies nothing but the network's state.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject

from explorer.document import Document
from explorer.edits import Change
from explorer.keeping import Keeper, Write
from explorer.places import write_record
from trainer.projects import Project, write_project

CARD, VERSION = "autosave", 1
SUFFIX = ".scorex"


class Autosave(Keeper):
    """Keeps one document while it holds anything unsaved."""

    def __init__(
        self,
        document: Document,
        snapshot: Callable[[], Project],
        folder: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        """`snapshot` gives the project as it is now, at once, on the window's thread."""
        super().__init__("What is open", SUFFIX, lambda: document.changed, self._take, folder, parent)
        self._document, self._now = document, snapshot
        self._unsubscribe = document.subscribe(self._changed)

    def close(self, *, keep: bool = False) -> None:
        """End it; what was kept is removed, or written a last time with `keep`. May be called twice."""
        self._unsubscribe()
        super().close(keep=keep)

    def _changed(self, change: Change) -> None:
        if not change.live and not self._document.stroking:
            self.touch()

    def _take(self) -> Write:
        return partial(_write, project=self._now(), source=str(self._document.path or ""))


def _write(file: Path, project: Project, source: str) -> None:
    write_record(file.with_suffix(".json"), CARD, VERSION, {"source": source})
    write_project(file, project)
