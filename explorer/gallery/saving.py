"""Saving what is shown: the pictures as a grid, all of them as numbers, and how they came out of noise as a film.

A film is written beside all else. Its size and length are asked for first; a window that is closed meanwhile asks, too.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QFileDialog, QMessageBox

from explorer.engine.gallery.orders import Export
from explorer.gallery.imaging import sheet_image
from explorer.panels.asking import may_replace

if TYPE_CHECKING:
    from explorer.gallery.filmdialog import FilmDialog
    from explorer.gallery.window import GalleryWindow

_KINDS = {
    "grid": ("Save grid", "samples", "Pictures", ".png"),
    "samples": ("Save pictures", "samples", "Numbers", ".npz"),
    "film": ("Save film", "emergence", "Films", ""),
}
"""Title of the question, first name, filter's words and ending, by what is saved; a film's ending is asked for."""


class Saver:
    """Asks for names, and has the process write."""

    def __init__(self, window: GalleryWindow) -> None:
        self._window = window
        self._folder = Path.home()

    @cached_property
    def films(self) -> FilmDialog:
        """Where size and length of a film are asked for."""
        from explorer.gallery.filmdialog import FilmDialog

        return FilmDialog(self._window)

    def ask(self, kind: str) -> None:
        """Ask for a file's name and write it."""
        window = self._window
        if window.desk.frame is None or not window.desk.frame.job:
            window.tell("info", "There are no pictures yet. Open an image model first.")
            return
        title, name, kinds, suffix = _KINDS[kind]
        if kind == "film":
            self.films.dress(window.theme, window.scale)
            if self.films.exec() != QDialog.DialogCode.Accepted:
                return
            suffix = self.films.suffix
        start = self._folder / f"{name}{suffix}"
        given, _ = QFileDialog.getSaveFileName(window, title, str(start), f"{kinds} (*{suffix})")
        if not given:
            return
        path = Path(given)
        if path.suffix.lower() != suffix:
            path = path.with_name(path.name + suffix)
            if path.exists() and not may_replace(window, title, path):
                return
        self.save(path)

    def save(self, path: Path) -> None:
        """Have this file written; a line tells when it is."""
        self._folder = path.parent
        order = Export(str(path), dark=self._window.theme.name == "dark")
        if order.moves:
            size, fps, seconds = self.films.asked()
            order = replace(order, size=size, fps=fps, seconds=seconds)
        self._window.desk.export(order)

    def may_leave(self) -> bool:
        """Whether the window may go: nothing is being written, or the person would rather not wait for it."""
        writing = self._window.desk.writing
        if not writing:
            return True
        question = QMessageBox(self._window)
        question.setIcon(QMessageBox.Icon.Question)
        question.setWindowTitle("A film is being written")
        question.setText(f"{writing} is written so far.")
        question.setInformativeText("Without the rest there is no film.")
        stop = question.addButton("Stop it", QMessageBox.ButtonRole.DestructiveRole)
        wait = question.addButton("Go on writing", QMessageBox.ButtonRole.RejectRole)
        question.setDefaultButton(wait)
        question.exec()
        question.deleteLater()
        return question.clickedButton() is stop

    def copy(self) -> None:
        """Copy the pictures shown."""
        frame = self._window.desk.frame
        if frame is None or not len(frame.pictures):
            self._window.tell("info", "There are no pictures yet. Open an image model first.")
            return
        QGuiApplication.clipboard().setImage(sheet_image(frame.pictures))
        self._window.tell("info", "Copied the pictures")
