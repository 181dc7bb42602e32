"""The student who clicks everything: one act after the other, chosen by a seeded generator, on the real window.

An act is a generator that yields how many milliseconds to wait; between two of its steps the window lives on, whatever
dialog or menu is open. Actions are taken from a shuffled pack that holds every action of the registry, so that none is
missed; in between come controls, tiles, keys, sizes and files. In the first minutes it mostly looks around. Whatever
asks to leave is answered with Cancel.
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from pathlib import Path
from time import monotonic

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLineEdit, QMainWindow, QMenu, QMessageBox, QWidget

from explorer.late import made
from explorer.window import MainWindow
from tests.student.acts import Act, Acts
from tests.student.record import Record, pictures_pid
from tests.student.resting import rest
from tests.student.targets import keys_of, way_to
from tests.student.xtest import Hand

LEAVING = ("quit",)
"""Actions that end the program: they are done only while something is unsaved, and their question gets Cancel."""


_LOOK_AROUND, _LOOK_ON = 240.0, 480.0
"""For so many seconds it mostly goes through actions, views and pages, and on until each action has been done once, for
so many at most: what is made on demand is made early."""


class Student(QObject):
    """Acts on a window until its time is over, then closes it.

    Args:
        window: the program's own.
        record: where to write what happens.
        rng: decides everything.
        folder: what dialogs for files are answered with lies there.
        seconds: how long.
        kill_every: seconds between two kills, of the engine and of the mover in turns.
    """

    def __init__(
        self, window: MainWindow, record: Record, rng: random.Random, folder: Path, seconds: float, kill_every: float
    ) -> None:
        super().__init__(window)
        self._window, self._record, self._rng = window, record, rng
        self._hand = Hand()
        self._acts = Acts(window, record, rng, folder, self._hand)
        self._began = monotonic()
        self._end = self._began + seconds
        self._kills = 0
        self._kill_every, self._kill_at = kill_every, monotonic() + kill_every
        self._rested = False  # since the last kill
        self._sample_at = 0.0
        self._act: Act | None = None
        self._pack: list[QAction] = []
        self._packs = 0  # how many were begun
        self._asked: Counter[int] = Counter()
        self._called: Counter[str] = Counter()
        self._leaving = self._ending = False
        self.acts = 0
        window.installEventFilter(self)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._go)
        self._timer.start(3000)

    # --- the loop

    def _go(self) -> None:
        """One step of the present act, or a new act."""
        self._timer.start(2000)  # should this step fail, the next one comes all the same
        now = monotonic()
        if now > self._sample_at:
            self._sample_at = now + 30
            self._record.holding(self._window)
        wait = 40
        try:
            if self._act is None:
                if now > min(self._kill_at, self._end) and not self._rested:
                    self._rested = True
                    self._act = rest(self._window, self._record, self._hand)
                elif now > self._end:
                    self._finish()
                    return
                elif now > self._kill_at:
                    self._kill_at, self._rested = now + self._kill_every, False
                    self._kill()
            if self._act is None:
                self._record.meet(self._window)
                self._act = self._choose()
                self.acts += 1
            wait = next(self._act)
        except StopIteration:
            self._act = None
        except RuntimeError as error:  # a widget that has gone while the hand was on its way to it
            if "already deleted" not in str(error):
                raise
            self._act = None
        self._timer.start(wait)

    def _choose(self) -> Act:
        if QApplication.focusWindow() is None and QApplication.activePopupWidget() is None:
            (QApplication.activeModalWidget() or self._window).activateWindow()  # there is no window manager
        popup, modal = QApplication.activePopupWidget(), QApplication.activeModalWidget()
        if popup is not None:
            return self._in_popup(popup)
        if modal is not None:
            return self._in_dialog(modal)
        others = [
            each
            for each in QApplication.topLevelWidgets()
            if isinstance(each, QDialog) and each.isVisible() and each is not self._window
        ]
        if others and self._rng.random() < 0.6:
            return self._in_dialog(self._rng.choice(others))
        self._leaving = False
        gallery = self._gallery()
        if gallery is not None:
            front = gallery if self._rng.random() < 0.4 else self._window
            front.raise_()
            front.activateWindow()
            if front is gallery:
                return self._in_gallery(gallery)
        acts = (
            self._by_action,
            self._acts.use_control,
            self._acts.use_tile,
            self._by_palette,
            self._in_drawer,
            self._acts.strike,
            self._acts.resize,
            self._acts.drop,
        )
        looking_around = monotonic() - self._began < (_LOOK_AROUND if self._packs > 1 else _LOOK_ON)
        weights = (60, 6, 6, 40, 10, 2, 1, 1) if looking_around else (26, 22, 20, 6, 16, 6, 2, 2)
        return self._rng.choices(acts, weights)[0]()

    def _gallery(self) -> QMainWindow | None:
        """The pictures' window, if it is open."""
        opened = made(self._window, "gallery")
        return self._window.gallery.window if opened else None

    def _in_gallery(self, gallery: QMainWindow) -> Act:
        """A control of the pictures' window, or one of its actions."""
        yield 60
        if self._rng.random() < 0.6:
            yield from self._acts.use_control(gallery)
            return
        actions = [a for a in gallery.findChildren(QAction) if a.objectName() and a.isEnabled()]
        action = min(self._rng.sample(actions, 6), key=lambda each: self._called[f"pictures: {each.objectName()}"])
        self._called[f"pictures: {action.objectName()}"] += 1
        yield from self._trigger(gallery, action, "pictures: ")

    # --- actions

    def _by_action(self) -> Act:
        if not self._pack:
            self._packs += 1
            self._pack = [a for a in self._window.findChildren(QAction) if a.objectName() and not a.isSeparator()]
            self._rng.shuffle(self._pack)
        action = self._pack.pop()
        name = action.objectName()
        if name in LEAVING:
            if not self._window.document.changed:
                self._pack.insert(0, action)
                yield from self._acts.use_tile()
                return
            self._leaving = True
        yield from self._trigger(self._window, action)

    def _trigger(self, window: QMainWindow, action: QAction, where: str = "") -> Act:
        """Do an action of a window by one of its keys or through its menus."""
        keys, way = keys_of(action), way_to(window.menuBar(), action)
        choices = [each for each in ("key", "menu") if (keys if each == "key" else way)]
        how = self._rng.choice(choices) if choices else "none"
        self._record.say(f"{where}action {action.objectName()} by {how}")
        if how == "key":
            self._hand.key(self._rng.choice(keys))
        elif how == "menu":
            for container, each in way:
                if container.isVisible() and container.actionGeometry(each).isValid():
                    at = container.mapToGlobal(container.actionGeometry(each).center())
                    self._hand.click(at.x(), at.y())
                    yield 130
        yield 150

    def _in_drawer(self) -> Act:
        """A page of settings, and what is on it."""
        if self._window.drawer_page() is None or self._rng.random() < 0.4:
            yield from self._by_palette(("Settings",))
        if self._window.drawer_page() is not None:
            yield from self._acts.use_drawer()

    def _by_palette(self, places: tuple[str, ...] = ("View", "Settings", "Layout", "Open recent")) -> Act:
        """A view, a page of settings or a layout, which no action is, by its words in the command palette."""
        palette = self._window.household.palette
        self._hand.key("ctrl+shift+p")
        yield 200
        entries = [each for each in palette.found if each.place in places]
        if not palette.isVisible() or not entries:
            return
        entry = min(self._rng.sample(entries, min(3, len(entries))), key=lambda each: self._called[each.name])
        self._called[entry.name] += 1
        self._record.say(f"palette {entry.name}")
        self._hand.write("".join(letter for letter in entry.text if letter.isascii()))
        yield 200
        self._hand.key("Return")
        yield 200

    # --- what opens

    def _in_popup(self, popup: QWidget) -> Act:
        if isinstance(popup, QMenu) and self._rng.random() < 0.6:
            usable = [a for a in popup.actions() if a.isEnabled() and a.isVisible() and not a.isSeparator()]
            if usable:
                action = self._rng.choice(usable)
                self._record.say(f"menu item {action.text()}")
                if action.objectName() in LEAVING:
                    self._hand.key("Escape")
                else:
                    at = popup.mapToGlobal(popup.actionGeometry(action).center())
                    self._hand.click(at.x(), at.y())
                yield 150
                return
        self._hand.key("Escape")
        yield 80

    def _in_dialog(self, dialog: QWidget) -> Act:
        asked = self._asked[id(dialog)] = self._asked[id(dialog)] + 1
        self._record.say(f"dialog {type(dialog).__name__} {dialog.windowTitle()!r}")
        if isinstance(dialog, QFileDialog):
            yield from self._answer_files(dialog, asked)
        elif isinstance(dialog, QMessageBox):
            yield from self._answer(dialog)
        elif asked > 12 or self._rng.random() < 0.12:
            self._asked[id(dialog)] = 0
            self._hand.key("Escape")
            yield 120
            if asked > 24:
                dialog.close()
        else:
            yield from self._acts.use_control(dialog)
        yield 80

    def _answer(self, box: QMessageBox) -> Act:
        buttons = box.buttons()
        cancel = box.button(QMessageBox.StandardButton.Cancel)
        if self._ending:
            button = box.button(QMessageBox.StandardButton.Discard) or buttons[-1]
        elif self._leaving and cancel is not None:
            button = cancel
        else:
            button = self._rng.choice(buttons)
        if button is None or not button.isVisible():
            self._hand.key("Escape")
        else:
            at = button.mapToGlobal(button.rect().center())
            self._hand.click(at.x(), at.y())
        yield 150

    def _answer_files(self, dialog: QFileDialog, asked: int) -> Act:
        field = dialog.findChild(QLineEdit, "fileNameEdit")
        if asked > 3 or field is None or self._rng.random() < 0.3:
            self._hand.key("Escape")
            yield 200
            if asked > 6:
                dialog.reject()
            return
        if dialog.acceptMode() == QFileDialog.AcceptMode.AcceptOpen:
            path = self._rng.choice(self._acts.files())
        else:
            words = dialog.selectedNameFilter()
            suffix = words.partition("*")[2].rstrip(")").split()[0] if "*." in words else ""
            path = self._acts.new_path(suffix)
        at = field.mapToGlobal(field.rect().center())
        self._hand.click(at.x(), at.y())
        yield 80
        self._hand.key("ctrl+a")
        self._hand.write(str(path))
        yield 150
        self._hand.key("Return")
        yield 300

    # --- ends

    def _kill(self) -> None:
        pids = [*self._window.session.engine.pids, *pictures_pid(self._window)]
        if pids:
            pid = pids[self._kills % len(pids)]
            self._kills += 1
            self._record.write("killed", pid=pid)
            os.kill(pid, signal.SIGKILL)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let nothing close the window without a question before the time is over."""
        if event.type() == QEvent.Type.Close and not self._ending and not self._window.document.changed:
            self._record.write("held", text="the window was to close")
            event.ignore()
            return True
        return False

    def _finish(self) -> None:
        """Close what is open, then the window, and answer its question."""
        if self._ending:
            modal = QApplication.activeModalWidget()
            if isinstance(modal, QMessageBox):
                self._act = self._answer(modal)
            self._timer.start(200)
            return
        self._hand.let_go()
        popup, modal = QApplication.activePopupWidget(), QApplication.activeModalWidget()
        if popup is not None:
            popup.close()
        elif isinstance(modal, QDialog):
            modal.reject()
        else:
            self._ending = True
            self._record.write(
                "reached", actions=dict(self._record.reached), acts=self.acts, controls=len(self._acts.seen)
            )
            names = [a.objectName() for a in self._window.findChildren(QAction) if a.objectName()]
            self._record.write("missed", actions=sorted(set(names) - set(self._record.reached)))
            self._record.write(
                "met", met={kind: sorted(n for n, k in c.items() if k) for kind, c in self._record.met.items()}
            )
            self._record.write("used", controls=dict(self._acts.seen))
            self._record.holding(self._window)
            self._record.doing = "closing"
            QTimer.singleShot(0, self._window, self._close)
        self._timer.start(200)

    def _close(self) -> None:
        if self._window.close():
            self._timer.stop()
            self._hand.close()
