"""What a hand does with what it sees: controls, tiles, keys, the window's size, files let go over it.

An act is a generator that yields how many milliseconds to wait before it goes on.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QWidget

from explorer.window import MainWindow
from tests.student.record import Record
from tests.student.targets import controls, name_of, point_in, tiles, wander
from tests.student.xtest import DOWN, LEFT, MIDDLE, RIGHT, UP, Hand

Act = Iterator[int]

VALUES = ("0.1", "1e-3", "50", "abc", "-1", "1e99", "", "0", "512", "nan", "20000", "3", "0.05", "7", "1", "256", "2.5")
"""What is typed into fields."""

LOOSE_KEYS = (
    *("Tab", "shift+Tab", "Up", "Down", "Left", "Right", "ctrl+Left", "shift+Up", "Home", "End", "Return", "space"),
    *("Escape", "plus", "minus", "bracketleft", "bracketright", "b", "e", "t", "Delete", "Page_Up", "Page_Down"),
)

SIZES = ((1280, 720), (1600, 1000), (1100, 640), (800, 600), (1440, 900), (1280, 720))


class Acts:
    """The acts on a window, with this hand. `folder` holds what can be opened, and takes what is saved."""

    def __init__(self, window: MainWindow, record: Record, rng: random.Random, folder: Path, hand: Hand) -> None:
        self._window, self._record, self._rng, self._folder, self._hand = window, record, rng, folder, hand
        self.seen: Counter[str] = Counter()
        self._numbers = 0

    # --- controls

    def use_control(self, root: QWidget | None = None) -> Act:
        every = controls(root or self._window)
        if not every:
            return
        some = self._rng.sample(every, min(6, len(every)))
        chosen = min(some, key=lambda each: self.seen[name_of(each)])
        name = name_of(chosen)
        self.seen[name] += 1
        self._record.say(f"control {name}")
        at = point_in(chosen, self._rng)
        if isinstance(chosen, QLineEdit) or isinstance(chosen.focusProxy(), QLineEdit):
            yield from self.type_into(chosen, self._value_for(name))
        elif isinstance(chosen, QComboBox):
            self._hand.click(at.x(), at.y())
            yield 120
            self._hand.key("Home")
            for _ in range(self._rng.randrange(max(1, chosen.count()))):
                self._hand.key("Down")
                yield 20
            self._hand.key(self._rng.choice(("Return", "Return", "Escape")))
        elif isinstance(chosen, QAbstractButton):
            self._hand.click(at.x(), at.y())
        else:
            yield from self._drag(at, max(chosen.width(), chosen.height()))
            if self._rng.random() < 0.4:
                for _ in range(self._rng.randint(1, 5)):
                    self._hand.key(self._rng.choice(LOOSE_KEYS))
                    yield 20
        yield 100

    def use_drawer(self) -> Act:
        """Some controls of the page of settings that is open, wherever it is scrolled to."""
        drawer = self._window.drawer
        at = drawer.mapToGlobal(QPoint(drawer.width() // 2, drawer.height() // 2))
        self._hand.move(at.x(), at.y())
        turn = self._rng.choice((UP, DOWN, DOWN))
        for _ in range(self._rng.randint(0, 10)):
            self._hand.button(turn, True)
            self._hand.button(turn, False)
            yield 10
        for _ in range(5):
            if not drawer.isVisible() or QApplication.activeModalWidget() or QApplication.activePopupWidget():
                return
            yield from self.use_control(drawer)

    def _value_for(self, name: str) -> str:
        if "File" in name or "Folder" in name:
            return str(self.new_path(".png"))
        return self._rng.choice(VALUES)

    def type_into(self, field: QWidget, text: str) -> Act:
        at = point_in(field, self._rng)
        self._hand.click(at.x(), at.y())
        yield 60
        self._hand.key("ctrl+a")
        self._hand.write(text)
        yield 60
        self._hand.key(self._rng.choice(("Return", "Tab", "Return", "Escape")))
        yield 60

    # --- tiles and keys

    def use_tile(self) -> Act:
        there = tiles(self._window)
        if not there:
            return
        tile = self._rng.choice(there)
        self._record.say(f"tile {tile.title}")
        at = point_in(tile.content, self._rng)
        how = self._rng.random()
        if how < 0.62:
            yield from self._drag(at, tile.content.width(), self._rng.choices((LEFT, RIGHT, MIDDLE), (8, 1, 1))[0])
        elif how < 0.72:
            self._hand.move(at.x(), at.y())
            for _ in range(self._rng.randint(1, 6)):
                number = self._rng.choice((UP, DOWN))
                self._hand.button(number, True)
                self._hand.button(number, False)
                yield 15
        elif how < 0.80:
            head = tile.mapToGlobal(QPoint(tile.width() // 3, 10))
            self._hand.click(head.x(), head.y(), LEFT, self._rng.choice((1, 2, 2)))
        elif how < 0.86:
            self._hand.click(at.x(), at.y(), RIGHT)
        elif how < 0.92:
            head = tile.mapToGlobal(QPoint(self._rng.randint(2, max(3, tile.width() - 2)), 10))
            self._hand.click(head.x(), head.y(), self._rng.choice((LEFT, RIGHT)))
        else:
            for point in wander(at, tile.width(), 12, self._rng):
                self._hand.move(point.x(), point.y())
                yield 16
            self._hand.click(*self._hand_at(at))
        yield 80

    def _hand_at(self, at: QPoint) -> tuple[int, int]:
        return at.x(), at.y()

    def _drag(self, at: QPoint, reach: int, button: int = LEFT) -> Act:
        modifier = self._rng.choice(("shift", "ctrl", "alt", *(["", ""] * 4)))
        if modifier:
            self._hand.hold(modifier, True)
        self._hand.move(at.x(), at.y())
        self._hand.button(button, True)
        for point in wander(at, max(20, reach // 2), self._rng.randint(2, 18), self._rng):
            self._hand.move(point.x(), point.y())
            yield 14
        self._hand.button(button, False)
        if modifier:
            self._hand.hold(modifier, False)
        yield 30

    def strike(self) -> Act:
        self._record.say("loose keys")
        for _ in range(self._rng.randint(1, 8)):
            self._hand.key(self._rng.choice(LOOSE_KEYS))
            yield 25

    def resize(self) -> Act:
        size = self._rng.choice(SIZES)
        self._record.say(f"resize to {size}")
        if not self._window.isFullScreen():
            self._hand.resize(int(self._window.winId()), *size)
        yield 300

    def drop(self) -> Act:
        """A file let go over the window; there is no file manager on a bare display, so the event is made here."""
        path = self._rng.choice(self.files())
        self._record.say(f"drop {path.name}")
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        where = QPointF(self._rng.uniform(0, self._window.width()), self._rng.uniform(0, self._window.height()))
        actions, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
        QTimer.singleShot(
            0,
            self._window,
            lambda: QApplication.sendEvent(
                self._window, QDropEvent(where, actions, data, Qt.MouseButton.LeftButton, none)
            ),
        )
        yield 300

    def files(self) -> list[Path]:
        return sorted(path for path in self._folder.iterdir() if not path.name.startswith("."))

    def new_path(self, suffix: str) -> Path:
        if self._rng.random() < 0.1:
            return self._folder / "nowhere" / f"a{suffix}"  # a folder that is not there
        self._numbers = (self._numbers + 1) % 12
        return self._folder / f"saved{self._numbers}{suffix}"
