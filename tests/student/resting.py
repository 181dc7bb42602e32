"""A rest: all is put away, a fresh document learns for a while, and what the program holds then is noted.

What it holds while somebody works depends on what is open; at rest it is the same each time, unless it leaks.
"""

from __future__ import annotations

import os

from PySide6.QtWidgets import QApplication, QDialog, QMainWindow

from explorer.document import Document
from explorer.engine.memory import give_back
from explorer.engine.messages import Train
from explorer.late import made
from explorer.layouts import BUILT_IN
from explorer.preferences import Preferences
from explorer.window import MainWindow
from tests.student.acts import Act
from tests.student.processes import resident
from tests.student.record import Record
from tests.student.xtest import Hand
from trainer.projects import Project

REST = 30.0
"""Seconds from a fresh document to the look at what the program holds."""


def rest(window: MainWindow, record: Record, hand: Hand) -> Act:
    """Rest once; the record gets the resident memory of window, engine and mover in MiB."""
    record.say("resting")
    hand.let_go()
    for _ in range(20):
        popup, modal = QApplication.activePopupWidget(), QApplication.activeModalWidget()
        if popup is not None:
            popup.close()
        elif isinstance(modal, QDialog):
            modal.reject()
        else:
            break
        yield 200
    put_away(window)
    yield round(1000 * REST)
    give_back()
    held = (os.getpid(), *window.session.engine.pids)
    record.write("rest", **dict(zip(("window", "engine", "mover"), map(resident, held), strict=False)))


def put_away(window: MainWindow) -> None:
    """Close all that is open, and have the first start's document, layout and preferences again."""
    household = window.household
    if household.presentation.on:
        household.presentation.leave()
    if made(window, "lessons"):
        window.lessons.player.end()
    if window.isFullScreen():
        window.actions_by_name["full_screen"].trigger()
    for each in QApplication.topLevelWidgets():
        if each.isVisible() and each is not window and isinstance(each, QDialog | QMainWindow):
            each.close()
    household.prefer(Preferences())
    household.arranger.show_layout(BUILT_IN[0])
    window.resize(1280, 720)
    window.plane.reset()
    window.squares.set_look(pins=(), loop=(), followed=-1)
    setup = Document().setup
    window.files.adopt(Project(setup, setup), None)
    window.session.send(Train(True))
