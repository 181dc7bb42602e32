"""Saving what is shown: the pictures as a grid, all of them as numbers, and how they came out of noise as a film."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from explorer.engine.gallery.orders import Export
from explorer.gallery.imaging import sheet_image
from explorer.panels.asking import may_replace

if TYPE_CHECKING:
    from explorer.gallery.window import GalleryWindow

_KINDS = {
    "grid": ("Save grid", "samples.png", "Pictures (*.png)", (".png",)),
    "samples": ("Save pictures", "samples.npz", "Numbers (*.npz)", (".npz",)),
    "film": ("Save film", "emergence.mp4", "Films (*.mp4 *.gif)", (".mp4", ".gif")),
}
"""Title of the question, first name, filter and endings, by what is saved."""


class Saver:
    """Asks for names, and has the process write."""

    def __init__(self, window: GalleryWindow) -> None:
        self._window = window
        self._folder = Path.home()

    def ask(self, kind: str) -> None:
        """Ask for a file's name and write it."""
        window = self._window
        if window.desk.frame is None or not window.desk.frame.job:
            window.tell("info", "There are no pictures yet. Open an image model first.")
            return
        title, name, filters, suffixes = _KINDS[kind]
        given, _ = QFileDialog.getSaveFileName(window, title, str(self._folder / name), filters)
        if not given:
            return
        path = Path(given)
        if path.suffix.lower() not in suffixes:
            path = path.with_name(path.name + suffixes[0])
            if path.exists() and not may_replace(window, title, path):
                return
        self.save(path)

    def save(self, path: Path) -> None:
        """Have this file written; a line tells when it is."""
        self._folder = path.parent
        self._window.desk.send(Export(str(path), dark=self._window.theme.name == "dark"))

    def copy(self) -> None:
        """Copy the pictures shown."""
        frame = self._window.desk.frame
        if frame is None or not len(frame.pictures):
            self._window.tell("info", "There are no pictures yet. Open an image model first.")
            return
        QGuiApplication.clipboard().setImage(sheet_image(frame.pictures))
        self._window.tell("info", "Copied the pictures")
