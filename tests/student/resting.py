"""A rest: all is put away, a fresh document learns for a while, and what the program holds then is noted.

What it holds while somebody works depends on what is open; at rest it is the same each time, unless it leaks.
"""

from __future__ import annotations

import os

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QMainWindow, QMessageBox
from shiboken6 import isValid

from explorer.document import Document
from explorer.engine.memory import give_back
from explorer.engine.messages import Move, Train
from explorer.late import made
from explorer.layouts import BUILT_IN
from explorer.preferences import Preferences
from explorer.window import MainWindow
from tests.student.acts import Act
from tests.student.processes import resident
from tests.student.record import Record
from tests.student.xtest import Hand
from trainer.projects import Project

REST = 65.0
"""Seconds from a fresh document to the look at what the program holds: all processes give back memory once a minute."""


def rest(window: MainWindow, record: Record, hand: Hand) -> Act:
    """Rest once; the record gets the resident memory of window, engine and mover in MiB."""
    record.say("resting")
    hand.let_go()
    yield from answer()
    yield from close_others(window)
    put_away(window)
    yield round(1000 * REST)
    give_back()
    held = (os.getpid(), *window.session.engine.pids)
    record.write("rest", **dict(zip(("window", "engine", "mover"), map(resident, held), strict=False)))


def answer() -> Act:
    """Leave every menu and question that waits: without saving, or else unanswered."""
    for _ in range(20):
        popup, modal = QApplication.activePopupWidget(), QApplication.activeModalWidget()
        if popup is not None:
            popup.close()
        elif isinstance(modal, QMessageBox) and (lost := _without_saving(modal)) is not None:
            lost.click()
        elif isinstance(modal, QDialog):
            modal.reject()
        else:
            return
        yield 200


def _without_saving(question: QMessageBox) -> QAbstractButton | None:
    """The button that lets what is unsaved go."""
    destructive = QMessageBox.ButtonRole.DestructiveRole
    return next((each for each in question.buttons() if question.buttonRole(each) == destructive), None)


def close_others(window: MainWindow) -> Act:
    """Close every window but the main one; one that asks first gets its answer, so none is closed from here itself."""
    for each in QApplication.topLevelWidgets():
        if isValid(each) and each.isVisible() and each is not window and isinstance(each, QDialog | QMainWindow):
            QTimer.singleShot(0, each, each.close)
            yield 200
            yield from answer()


def put_away(window: MainWindow) -> None:
    """Have the first start's document, layout and preferences again."""
    household = window.household
    if household.presentation.on:
        household.presentation.leave()
    if made(window, "lessons"):
        window.lessons.player.end()
    if window.isFullScreen():
        window.actions_by_name["full_screen"].trigger()
    household.prefer(Preferences())
    household.arranger.show_layout(BUILT_IN[0])
    window.resize(1280, 720)
    window.plane.reset()
    window.squares.set_look(pins=(), loop=(), followed=-1)
    setup = Document().setup
    window.files.adopt(Project(setup, setup), None)
    for command in (Train(True), Move(True)):
        window.session.send(command)
