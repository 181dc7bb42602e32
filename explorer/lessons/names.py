"""How files of lessons are called, and where those being written are kept: known without reading one."""

from __future__ import annotations

from pathlib import Path

from explorer.places import autosave_folder

SUFFIX = ".lesson"
DRAFT = ".draft"


def draft_folder() -> Path:
    """Where all instances keep the lessons that are written."""
    return autosave_folder() / "lessons"


def is_lesson(path: str | Path) -> bool:
    """Whether a file of this name is a lesson."""
    return Path(path).suffix.lower() == SUFFIX
