"""Opening and saving, with the questions that go with them.

A project brings its settings, journal and network; a picture, a table or a preset brings a painting only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from explorer.document import Document
from explorer.edits import LoadPainting
from explorer.recipe import Recipe
from trainer.errors import AmbiguousTable, InputError
from trainer.paintings import read_painting
from trainer.projects import Project, Setup, read_project, write_project

SUFFIX = ".scorex"
_OPENS = "All that can be opened (*.scorex *.png *.jpg *.jpeg *.bmp *.gif *.webp *.csv *.npy);;Projects (*.scorex)"


def read_file(source: str, as_: str | None = None) -> Project:
    """What a file (or a preset's name) holds, as a project; one without a journal if it is a painting only.

    Raises:
        AmbiguousTable: a table of two columns, unless `as_` says what it is.
        InputError: a file that cannot be read.
    """
    if Path(source).suffix.lower() == SUFFIX:
        return read_project(source)
    weights, name = read_painting(source, as_)
    setup = Setup(weights, name)
    return Project(setup, setup)


class FileDesk:
    """Asks, opens and saves on behalf of a window. `tell` shows one line at a level."""

    def __init__(
        self,
        window: QWidget,
        document: Document,
        opened: Callable[[Project, Recipe], None],
        snapshot: Callable[[], Project],
        tell: Callable[[str, str], None],
    ) -> None:
        self._window = window
        self._document = document
        self._opened = opened
        self._snapshot = snapshot
        self._tell = tell

    def new(self) -> None:
        """Put the first painting in place of the present document."""
        if self.may_leave():
            setup = Document().setup
            self.adopt(Project(setup, setup), None)

    def choose(self) -> None:
        """Ask for a file and open it."""
        start = str(self._document.path.parent if self._document.path else Path.home())
        path, _ = QFileDialog.getOpenFileName(self._window, "Open", start, _OPENS)
        if path:
            self.open(path)

    def open(self, path: str) -> None:
        """Open a file: a project replaces the document, anything else becomes its painting and can be undone."""
        try:
            project = self._read(path)
            if project is None:
                return
            if Path(path).suffix.lower() != SUFFIX:
                self._document.do(LoadPainting(project.weights, project.name))
                return
            if self.may_leave():
                self.adopt(project, Path(path))
        except InputError as error:
            self._tell("error", str(error))

    def adopt(self, project: Project, path: Path | None) -> None:
        """Put a project in place of the present document.

        Raises:
            InputError: its journal cannot be followed; the present document stays.
        """
        try:
            recipe = Recipe.from_project(project)
        except InputError as error:
            raise InputError(f"{path or project.name}: {error}") from error
        self._document.open(project.setup, path)
        self._opened(project, recipe)

    def _read(self, path: str) -> Project | None:
        try:
            return read_file(path)
        except AmbiguousTable:
            question = QMessageBox(self._window)
            question.setWindowTitle("Open")
            question.setText(f"{Path(path).name} has two columns.")
            question.setInformativeText("Are its rows points of the plane, or is it a table of weights?")
            points = question.addButton("Points", QMessageBox.ButtonRole.AcceptRole)
            weights = question.addButton("Weights", QMessageBox.ButtonRole.AcceptRole)
            question.addButton(QMessageBox.StandardButton.Cancel)
            question.exec()
            chosen = question.clickedButton()
            if chosen not in (points, weights):
                return None
            return read_file(path, "points" if chosen is points else "weights")

    def save(self) -> bool:
        """Save where the document lies; asks for a name the first time. False when nothing was saved."""
        return self._write(self._document.path) if self._document.path else self.save_as()

    def save_as(self) -> bool:
        """Ask for a name and save; False when nothing was saved."""
        start = self._document.path or Path.home() / f"{self._document.name}{SUFFIX}"
        path, _ = QFileDialog.getSaveFileName(self._window, "Save project", str(start), f"Projects (*{SUFFIX})")
        if not path:
            return False
        chosen = Path(path)
        if chosen.suffix.lower() != SUFFIX:
            chosen = chosen.with_name(chosen.name + SUFFIX)
            if chosen.exists() and not self._may_replace(chosen):
                return False
        return self._write(chosen)

    def _may_replace(self, path: Path) -> bool:
        """Ask about a file that the dialog has not asked about: its name was completed afterwards."""
        question = QMessageBox(self._window)
        question.setWindowTitle("Save project")
        question.setText(f"{path.name} is there already.")
        replace = question.addButton("Replace", QMessageBox.ButtonRole.AcceptRole)
        question.addButton(QMessageBox.StandardButton.Cancel)
        question.exec()
        return question.clickedButton() is replace

    def _write(self, path: Path) -> bool:
        try:
            write_project(path, self._snapshot())
        except InputError as error:
            self._tell("error", str(error))
            return False
        self._document.mark_saved(path)
        self._tell("info", f"Saved {path.name}")
        return True

    def may_leave(self) -> bool:
        """Whether the present document may go: it is saved, or the person has chosen what becomes of it."""
        if not self._document.changed:
            return True
        question = QMessageBox(self._window)
        question.setIcon(QMessageBox.Icon.Question)
        question.setWindowTitle("Unsaved changes")
        question.setText(f"Save the changes to {self._document.name}?")
        question.setInformativeText("Without saving, what was painted and set since the last save is lost.")
        buttons = QMessageBox.StandardButton
        question.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
        question.setDefaultButton(buttons.Save)
        answer = question.exec()
        if answer == buttons.Save:
            return self.save()
        return answer == buttons.Discard
