"""How a lesson's file is called: known without reading one."""

from __future__ import annotations

from pathlib import Path

SUFFIX = ".lesson"


def is_lesson(path: str | Path) -> bool:
    """Whether a file of this name is a lesson."""
    return Path(path).suffix.lower() == SUFFIX
