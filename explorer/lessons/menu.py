"""The shipped lessons in the menu and in the palette. They are read when somebody first looks there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction

if TYPE_CHECKING:
    from explorer.lessons.lesson import Lesson
    from explorer.panels.palette import Entry
    from explorer.window import MainWindow


def fill_menu(window: MainWindow) -> None:
    """Put the shipped lessons at the head of the menu."""
    from explorer.lessons.files import shipped

    menu = window.menus["Lesson"]
    first = menu.actions()[0]
    for number, (_, lesson) in enumerate(shipped(), 1):
        action = QAction(f"{number}   {lesson.title}".replace("&", "&&"), menu)
        action.setToolTip(lesson.about)
        action.triggered.connect(partial(_play, window, lesson))
        menu.insertAction(first, action)
    menu.insertSeparator(first)


def lesson_entries(window: MainWindow) -> list[Entry]:
    """The shipped lessons for the palette."""
    from explorer.lessons.files import shipped
    from explorer.panels.palette import Entry

    return [
        Entry(f"lesson: {path.stem}", lesson.title, "Lesson", partial(_play, window, lesson))
        for path, lesson in shipped()
    ]


def _play(window: MainWindow, lesson: Lesson, _: bool = False) -> None:
    window.lessons.play(lesson)
