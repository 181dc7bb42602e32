"""Presentation: what is shown, what is hidden, and that leaving puts everything back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMainWindow, QMenuBar, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from explorer.panels import halo as halo_module
from explorer.panels.halo import Halo
from explorer.presentation import SCALE, Presentation
from tests.explorer.hands import LEFT, Key

NAMES = ("painting", "learned", "true", "curves", "shares", "pane1", "pane2", "pane3")


class Squares:
    """A stage that remembers what it was asked to present."""

    def __init__(self) -> None:
        self.names = NAMES
        self.doubled: tuple[str, ...] = ()
        self.presented: list[tuple[str, ...]] = []

    def present(self, names: tuple[str, ...]) -> None:
        self.presented.append(names)


class Room:
    """A window with a menu, something below and something beside."""

    def __init__(self) -> None:
        self.window = QMainWindow()
        self.menu: QMenuBar = self.window.menuBar()
        self.menu.addMenu("File")
        self.below, self.beside, self.shut = QLabel("below"), QLabel("beside"), QLabel("shut")
        self.button = QPushButton("press")
        centre = QWidget()
        layout = QVBoxLayout(centre)
        for widget in (self.button, self.beside, self.shut, self.below):
            layout.addWidget(widget)
        self.shut.hide()
        self.window.setCentralWidget(centre)
        self.window.setGeometry(40, 50, 600, 400)
        self.stage, self.scales = Squares(), []
        self.show = Presentation(
            self.window,
            self.stage,
            self.scales.append,
            above=[self.menu],
            below=[self.below],
            beside=[self.beside, self.shut],
        )


@pytest.fixture
def room(qtbot: QtBot) -> Iterator[Room]:
    made = Room()
    qtbot.addWidget(made.window)
    with qtbot.waitActive(made.window):
        made.window.show()
    yield made
    made.show.leave()


def test_it_shows_the_chosen_squares_large_and_nothing_else(qtbot: QtBot, room: Room) -> None:
    with qtbot.waitSignal(room.show.changed):
        room.show.enter(("true", "learned"))
    assert room.stage.presented == [("learned", "true")]
    assert room.scales == [SCALE]
    assert not room.menu.isVisible()
    assert not room.below.isVisible()
    assert not room.beside.isVisible()
    assert room.window.windowState() & Qt.WindowState.WindowFullScreen
    qtbot.waitUntil(lambda: room.window.size() == room.window.screen().size())


def test_leaving_puts_everything_back(qtbot: QtBot, room: Room) -> None:
    before = room.window.geometry()
    room.show.enter()
    room.show.toggle()
    assert room.stage.presented == [("learned", "true"), ()]
    assert room.scales == [SCALE, 1.0]
    qtbot.waitUntil(lambda: room.window.geometry() == before)
    assert not room.window.isFullScreen()
    assert room.menu.isVisible()
    assert room.below.isVisible()
    assert room.beside.isVisible()
    assert not room.shut.isVisible()
    assert not room.show.halo.isVisible()
    room.show.leave()
    assert room.scales == [SCALE, 1.0]


def test_a_maximised_window_is_maximised_again(qtbot: QtBot, room: Room) -> None:
    room.window.showMaximized()
    room.show.enter()
    room.show.leave()
    assert room.window.isMaximized()


def test_large_squares_are_presented_and_the_last_choice_is_remembered(room: Room) -> None:
    room.stage.doubled = ("pane2", "painting")
    room.show.enter()
    assert room.show.chosen == ("painting", "pane2")
    room.show.leave()
    room.stage.doubled = ()
    room.show.enter()
    assert room.show.chosen == ("painting", "pane2")
    room.show.leave()
    room.show.enter(NAMES)
    assert room.show.chosen == NAMES[:4]


def test_keys_choose_squares_and_escape_leaves(qtbot: QtBot, room: Room) -> None:
    room.show.enter(("learned",))
    with qtbot.waitActive(room.window):
        room.window.activateWindow()
    qtbot.keyClick(room.window, Key.Key_3)
    qtbot.keyClick(room.window, Key.Key_8)
    assert room.show.chosen == ("learned", "true", "pane3")
    qtbot.keyClick(room.window, Key.Key_2)
    qtbot.keyClick(room.window, Key.Key_8)
    qtbot.keyClick(room.window, Key.Key_3)  # one always stays
    assert room.show.chosen == ("true",)
    qtbot.keyClick(room.window, Key.Key_Escape)
    assert not room.show.on
    qtbot.keyClick(room.window, Key.Key_1)
    assert room.stage.presented[-1] == ()


def test_edges_bring_the_menu_and_the_transport(qtbot: QtBot, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    at = QPoint(200, 200)
    monkeypatch.setattr(QCursor, "pos", staticmethod(lambda: room.window.mapToGlobal(at)))
    room.show.enter()
    at = QPoint(200, 2)
    qtbot.waitUntil(room.menu.isVisible)
    assert not room.below.isVisible()
    at = QPoint(200, room.menu.height() + 10)
    qtbot.wait(250)
    assert room.menu.isVisible()
    at = QPoint(200, 300)
    qtbot.waitUntil(lambda: not room.menu.isVisible())
    at = QPoint(200, room.window.height() - 2)
    qtbot.waitUntil(room.below.isVisible)
    assert not room.beside.isVisible()


def test_the_halo_follows_and_takes_no_event(qtbot: QtBot, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    at = room.button.mapTo(room.window, room.button.rect().center())
    monkeypatch.setattr(QCursor, "pos", staticmethod(lambda: room.window.mapToGlobal(at)))
    pressed: list[int] = []
    room.button.clicked.connect(lambda: pressed.append(1))
    halo = Halo(room.window)
    halo.start()
    assert halo.isVisible()
    assert halo.geometry().center() - at in (QPoint(0, 0), QPoint(-1, -1))
    under = room.window.childAt(at)
    assert under is room.button
    QTest.mousePress(room.window.windowHandle(), LEFT, pos=at)
    qtbot.waitUntil(lambda: halo.pressed)
    QTest.mouseRelease(room.window.windowHandle(), LEFT, pos=at)
    assert pressed == [1]
    qtbot.waitUntil(lambda: not halo.pressed)
    monkeypatch.setattr(halo_module, "REST", 0.05)
    qtbot.waitUntil(lambda: not halo.isVisible())
    halo.stop()
    assert QRect(halo.geometry()).width() == 2 * (halo_module.RADIUS + 4)
