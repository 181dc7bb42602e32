"""What is asked about the file of a lesson that is written: which to open, and where to save."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from explorer.lessons.names import SUFFIX
from explorer.panels.asking import may_replace

_KINDS = f"Lessons (*{SUFFIX})"


def ask_open(parent: QWidget, near: Path | None) -> Path | None:
    """Which lesson to go on writing; None for none."""
    folder = near.parent if near is not None else Path.home()
    path, _ = QFileDialog.getOpenFileName(parent, "Open a lesson to write on", str(folder), _KINDS)
    return Path(path) if path else None


def ask_save(parent: QWidget, path: Path | None, title: str) -> Path | None:
    """Where to save a lesson of this title; None for nowhere."""
    start = path or Path.home() / f"{file_name(title)}{SUFFIX}"
    name, _ = QFileDialog.getSaveFileName(parent, "Save lesson", str(start), _KINDS)
    if not name:
        return None
    chosen = Path(name)
    if chosen.suffix.lower() != SUFFIX:
        chosen = chosen.with_name(chosen.name + SUFFIX)
        if chosen.exists() and not may_replace(parent, "Save lesson", chosen):
            return None
    return chosen


def file_name(title: str) -> str:
    """A lesson's title as a file may be called."""
    name = "".join(c if c.isalnum() or c in "-_" else " " for c in title)
    return "-".join(name.lower().split()) or "lesson"
