"""Where lessons are chosen and opened: the menu's list, files, and the panel that is made with the first of them."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from explorer.late import made
from explorer.lessons.files import SUFFIX, read_lesson
from explorer.lessons.lesson import Lesson
from explorer.lessons.panel import LessonPanel
from explorer.lessons.player import LessonPlayer
from explorer.panels.dropveil import leave_files
from explorer.panels.formula import formula_problem
from explorer.panels.noticeboard import show_folder
from explorer.places import kept_folder
from explorer.theme import Theme
from explorer.views.tile import tell
from explorer.wording import in_words
from trainer.errors import InputError

if TYPE_CHECKING:
    from explorer.lessons.keeping import DraftKeeper
    from explorer.lessons.writer import LessonWriter
    from explorer.window import MainWindow

NAVIGATION = ("lesson_next", "lesson_back", "lesson_end")
"""The actions that need a lesson."""


class LessonDesk(QObject):
    """One window's lessons."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._keeper: DraftKeeper | None = None
        self.panel = LessonPanel()
        window.put_aside(self.panel)
        self.panel.hide()
        self.set_theme(window.theme)
        self.set_scale(window.scale)
        self.player = LessonPlayer(window, self.panel)
        self.player.changed.connect(self._mark)

    @cached_property
    def writer(self) -> LessonWriter:
        """Where lessons are written."""
        from explorer.lessons.keeping import DraftKeeper
        from explorer.lessons.taking import take
        from explorer.lessons.writer import LessonWriter

        writer = LessonWriter(lambda: take(self._window), self.player.start, self._window)
        writer.set_theme(self._window.theme)
        writer.set_scale(self._window.scale)
        leave_files(writer)
        household = self._window.household
        keeper = self._keeper = DraftKeeper(writer.manuscript, self)
        keeper.failed.connect(lambda line: household.tell("warning", line))
        keeper.set_on(household.preferences.autosave)
        household.preferred.connect(lambda preferences: keeper.set_on(preferences.autosave))
        return writer

    def write(self) -> None:
        """Open the window in which lessons are written; the first time with what a crash has left behind."""
        first = not made(self, "writer")
        self.writer.open_writer()
        if first:
            self._go_on()

    def _go_on(self) -> None:
        """Go on with what was being written when a process ended; it leaves its place once it is kept in another."""
        from explorer.lessons.keeping import find_draft

        found, lines = find_draft()
        for line, details in lines:
            self.writer.say(line)
            self._tell_kept("warning", line, details)
        if found is None:
            return
        self.writer.restore(found.draft, found.path)
        if self._keeper is not None and self._keeper.secure():
            found.place.unlink(missing_ok=True)
        else:
            self._tell_kept("info", f"What was being written is also kept as {found.place}")

    def _tell_kept(self, level: str, line: str, details: str = "") -> None:
        self._window.household.tell(level, line, details, "Show folder", partial(show_folder, kept_folder()))

    def choose(self) -> None:
        """Ask for a file and play it."""
        path, _ = QFileDialog.getOpenFileName(self._window, "Open lesson", str(Path.home()), f"Lessons (*{SUFFIX})")
        if path:
            self.open(Path(path))

    def open(self, path: Path) -> None:
        """Play the lesson in this file; one that cannot be read is told in a line."""
        try:
            lesson = opened(path)
        except InputError as error:
            self._window.household.tell("error", in_words(str(error)))
            return
        if self.player.start(lesson):
            self._window.files.remember(path)

    def play(self, lesson: Lesson) -> None:
        """Play this lesson."""
        self.player.start(lesson)

    def close(self, *, keep: bool) -> None:
        """The window is closed: what is remembered of it is how it was before the lesson.

        `keep` leaves what is being written for the next start.
        """
        if made(self, "writer"):
            self.writer.end()
        if self._keeper is not None:
            self._keeper.close(keep=keep)
        self.player.arrange_as_before()

    def _mark(self) -> None:
        for name in NAVIGATION:
            self._window.actions_by_name[name].setEnabled(self.player.lesson is not None)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for part in (self.panel, *made(self, "writer")):
            tell(part, "set_theme", theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        for part in (self.panel, *made(self, "writer")):
            tell(part, "set_scale", factor)


def opened(path: str | Path) -> Lesson:
    """The lesson in a file, all of which can be shown.

    Raises:
        InputError: as `read_lesson`, or a formula that cannot be set.
    """
    lesson = read_lesson(path)
    for number, step in enumerate(lesson.steps, 1):
        problem = formula_problem(step.formula)
        if problem:
            raise InputError(f"{path}: step {number}: step.formula: {problem[:1].lower()}{problem[1:]}")
    return lesson
