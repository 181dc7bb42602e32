"""Opening and saving, with the questions that go with them.

A project brings its settings, journal and network, and so does a film or picture that carries one inside; any other
picture, a table or a preset brings a painting only; the folder of a trained score brings its density, its training
settings and its seed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from explorer.capsules import SUFFIX as SUFFIX
from explorer.capsules import read_session
from explorer.document import Document
from explorer.edits import LoadPainting
from explorer.gallery.folders import image_folder
from explorer.lessons.names import is_lesson
from explorer.panels.asking import ask_unsaved, may_replace, plain
from explorer.panels.noticeboard import show_folder
from explorer.recent import RecentFiles
from explorer.recipe import Recipe
from explorer.scores import read_score_project, score_folder
from explorer.wording import in_words
from trainer.errors import AmbiguousTable, InputError
from trainer.paintings import preset_names, read_painting
from trainer.projects import Project, Setup, write_project
from trainer.words import said

_OPENS = (
    "All that can be opened (*.scorex *.mp4 *.gif *.png *.svg *.jpg *.jpeg *.bmp *.webp *.csv *.npy *.lesson);;"
    "Projects (*.scorex);;Lessons (*.lesson);;Films and pictures with a session inside (*.mp4 *.gif *.png *.svg)"
)
_PAINTABLE = (".png", ".gif")

Tell = Callable[..., object]
"""Takes a level and one line, and by name `details`, `action` (words of a button) and `on_action` (what it does)."""


def read_file(source: str, as_: str | None = None) -> Project:
    """What a file, a score's folder or a preset's name holds, as a project; without a journal unless it is a project.

    Raises:
        AmbiguousTable: a table of two columns, unless `as_` says what it is.
        InputError: a file that cannot be read.
    """
    path = Path(source)
    project = None if source in preset_names() else read_session(path)
    if project is not None:
        return project
    folder = score_folder(path)
    if folder is not None:
        return read_score_project(folder)
    weights, name = read_painting(source, as_)
    setup = Setup(weights, name)
    return Project(setup, setup)


def dropped_files(data: QMimeData) -> list[Path]:
    """The files and folders of this machine among what is dragged."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


class FileDesk:
    """Asks, opens and saves on behalf of a window. `tell` shows one line at a level, with a button if it is given one.

    `import_picture` is asked first about anything that brings a painting only; where it returns False, or is not given,
    the file becomes the painting at once. `open_model` takes the folder of an image model, `open_lesson` a lesson.
    """

    def __init__(
        self,
        window: QWidget,
        document: Document,
        opened: Callable[[Project, Recipe], None],
        snapshot: Callable[[], Project],
        tell: Tell,
        recent: RecentFiles | None = None,
        import_picture: Callable[[Path], bool] | None = None,
        open_model: Callable[[Path], object] | None = None,
        open_lesson: Callable[[Path], object] | None = None,
    ) -> None:
        self._window = window
        self._document = document
        self._opened = opened
        self._snapshot = snapshot
        self._tell = tell
        self._import = import_picture
        self._open_model = open_model
        self._open_lesson = open_lesson
        self.recent = recent or RecentFiles()
        self._carrier: Path | None = None
        """The film or picture that the document was opened from: a project is saved beside it, not in it."""

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

    def drop(self, data: QMimeData) -> bool:
        """Open the first file or folder dropped; False if none is there."""
        paths = dropped_files(data)
        if paths:
            self.open(str(paths[0]))
            if len(paths) > 1:
                self._tell("info", f"Opened {paths[0].name}, the first of {len(paths)} that were dropped")
        return bool(paths)

    def open(self, path: str) -> None:
        """Open a file: a project, alone or inside, or a score's folder replaces the document; all else is painted."""
        if is_lesson(path) and self._open_lesson is not None:
            self._open_lesson(Path(path))
            return
        try:
            project = read_session(path)
            if project is not None:
                self._open_session(project, Path(path))
                return
            folder = score_folder(Path(path))
            if folder is not None:
                self._open_score(folder)
                return
            model = image_folder(Path(path))
            if model is not None and self._open_model is not None:
                self._open_model(model)
                return
            if self._import is not None and self._import(Path(path)):
                return
            found = self._read(path)
            if found is not None:
                self._document.do(LoadPainting(found.weights, found.name))
                self.remember(path)
                step = self._document.undo_text
                self._tell(
                    "info",
                    f"{Path(path).name} is the painting now",
                    action="Undo",
                    on_action=lambda: self._undo_only(step),
                )
        except InputError as error:
            self._tell("error", in_words(str(error)))

    def _open_session(self, project: Project, path: Path) -> None:
        if not self.may_leave():
            return
        own = path.suffix.lower() == SUFFIX
        self.adopt(project, path if own else None)
        self.remember(path)
        if own:
            return
        self._carrier = path
        paint = self._import if path.suffix.lower() in _PAINTABLE else None
        itself = ". File > Import takes the picture itself." if paint is not None else ""
        self._tell(
            "info",
            f"Opened the session inside {path.name}{itself}",
            action="Import picture" if paint is not None else "",
            on_action=None if paint is None else lambda: paint(path),
        )

    def _undo_only(self, step: str) -> None:
        """Undo this step, unless something else was done since."""
        if self._document.undo_text == step:
            self._document.undo()

    def _open_score(self, folder: Path) -> None:
        project = read_score_project(folder)
        if not self.may_leave():
            return
        self.adopt(project, None)
        self.remember(folder)
        fit = project.setup.fit
        self._tell(
            "info",
            f"Took density, training settings and seed {project.setup.seed} from {project.name}. "
            "Training begins from a fresh network; the trained weights stay in the folder.",
            details=f"{folder}\nobjective: {said('objective', fit.objective)}\ntarget: {said('target', fit.target)}\n"
            f"batch: {fit.batch:,}\nlearning rate: {fit.learning_rate:g}",
        )

    def remember(self, path: str | Path) -> None:
        """Put a file at the head of the recent ones."""
        try:
            self.recent.add(path)
        except InputError as error:
            self._tell("warning", f"The list of recent files was not kept. {error}")

    def forget_recent(self) -> None:
        """Clear the list of recent files."""
        try:
            self.recent.clear()
        except InputError as error:
            self._tell("warning", f"The list of recent files was not cleared. {error}")

    def adopt(self, project: Project, path: Path | None, *, saved: bool = True) -> None:
        """Put a project in place of the present document; `saved=False` if it lies in no file as it is.

        Raises:
            InputError: its journal cannot be followed; the present document stays.
        """
        try:
            recipe = Recipe.from_project(project)
        except InputError as error:
            raise InputError(f"{path or project.name}: {error}") from error
        self._carrier = None
        self._document.open(project.setup, path, saved=saved)
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
            plain(question.buttons())
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
        beside = self._carrier.with_suffix(SUFFIX) if self._carrier else Path.home() / f"{self._document.name}{SUFFIX}"
        start = self._document.path or beside
        path, _ = QFileDialog.getSaveFileName(self._window, "Save project", str(start), f"Projects (*{SUFFIX})")
        if not path:
            return False
        chosen = Path(path)
        if chosen.suffix.lower() != SUFFIX:
            chosen = chosen.with_name(chosen.name + SUFFIX)
            if chosen.exists() and not may_replace(self._window, "Save project", chosen):
                return False
        return self._write(chosen)

    def _write(self, path: Path) -> bool:
        try:
            write_project(path, self._snapshot())
        except InputError as error:
            self._tell("error", in_words(str(error)))
            return False
        self._document.mark_saved(path)
        self.remember(path)
        self._tell("info", f"Saved {path.name}", action="Show folder", on_action=lambda: show_folder(path.parent))
        return True

    def may_leave(self) -> bool:
        """Whether the present document may go: it is saved, or the person has chosen what becomes of it."""
        if not self._document.changed:
            return True
        answer = ask_unsaved(self._window, "changes", self._document.name, "what was painted and set")
        return self.save() if answer == "save" else answer == "discard"
