"""Presentation: the chosen squares alone, large type, the whole screen, a ring around the pointer.

Menu and transport are hidden until the mouse goes to the upper or the lower edge. Escape or F5 leaves, and everything
is as it was before: the window's state and place, what was visible, what was large, the scale of type.

The stage must offer `names` (the squares there are, in reading order), `doubled`, and `present(names)`, which shows one
to four of them alone and as large as they go, or all of them again as they were when it is given none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from PySide6.QtCore import QObject, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QCursor, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from explorer.panels.halo import Halo

SCALE = 1.6
"""Type is so many times its size."""

MOST = 4
"""Squares at once."""

FIRST = ("learned", "true")
"""What is shown where nothing was chosen."""

_EDGE, _AWAY, _LOOK_MS = 6, 32, 100


class Squares(Protocol):
    """What the stage offers."""

    @property
    def names(self) -> tuple[str, ...]:
        """The squares there are, in reading order."""
        ...

    @property
    def doubled(self) -> tuple[str, ...]:
        """Those that are large."""
        ...

    def present(self, names: tuple[str, ...]) -> None:
        """Show these alone; () shows all again as they were."""
        ...


class Presentation(QObject):
    """Enters and leaves. `set_scale` takes the factor of the window's type, 1 being what it was before.

    Attributes:
        answer: is offered the place of a digit that was pressed (0 for 1) before the squares are; whether it took it.
    """

    changed = Signal(bool)
    """Whether a presentation is on."""

    def __init__(
        self,
        window: QMainWindow,
        stage: Squares,
        set_scale: Callable[[float], object],
        *,
        above: Sequence[QWidget] = (),
        below: Sequence[QWidget] = (),
        beside: Sequence[QWidget] = (),
    ) -> None:
        """`above` shows at the upper edge (the menu bar), `below` at the lower (the transport), `beside` not at all."""
        super().__init__(window)
        self._window, self._stage, self._set_scale = window, stage, set_scale
        self._above, self._below, self._beside = tuple(above), tuple(below), tuple(beside)
        self._on = False
        self._seen: dict[QWidget, bool] = {}
        self._state = Qt.WindowState.WindowNoState
        self._place = QRect()
        self._chosen: tuple[str, ...] = ()
        self.answer: Callable[[int], bool] = lambda _: False
        self.halo = Halo(window)
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._keys = [self._key("Esc", self.leave)]
        self._keys += [self._key(str(n + 1), partial(self._digit, n)) for n in range(8)]

    @property
    def on(self) -> bool:
        """Whether a presentation is on."""
        return self._on

    @property
    def chosen(self) -> tuple[str, ...]:
        """The squares that are shown, in reading order."""
        return self._chosen

    def toggle(self) -> None:
        """Enter or leave."""
        self.leave() if self._on else self.enter()

    def enter(self, names: Sequence[str] = ()) -> None:
        """Begin with these squares, with those that are large, or with those of the last time."""
        if self._on:
            return
        there = self._stage.names
        wanted = tuple(names) or self._stage.doubled or self._chosen or FIRST
        chosen = tuple(name for name in there if name in wanted)[:MOST] or there[:1]
        self._on = True
        self._state, self._place = self._window.windowState(), self._window.geometry()
        self._seen = {part: part.isVisibleTo(self._window) for part in (*self._above, *self._below, *self._beside)}
        for part in self._seen:
            part.hide()
        self._set_scale(SCALE)
        self.show(chosen)
        self._window.showFullScreen()
        handle = self._window.windowHandle()
        if handle is not None:  # where there is no window manager, nobody else makes it as large as the screen
            handle.setGeometry(self._window.screen().geometry())
        for key in self._keys:
            key.setEnabled(True)
        self.halo.set_scale(SCALE)
        self.halo.start()
        self._timer.start()
        self.changed.emit(True)

    def leave(self) -> None:
        """End, and put everything back."""
        if not self._on:
            return
        self._on = False
        self._timer.stop()
        self.halo.stop()
        for key in self._keys:
            key.setEnabled(False)
        self._stage.present(())
        self._set_scale(1.0)
        self._window.setWindowState(self._state)
        self._window.show()
        if not self._state & (Qt.WindowState.WindowMaximized | Qt.WindowState.WindowFullScreen):
            self._window.setGeometry(self._place)
        for part, seen in self._seen.items():
            part.setVisible(seen)
        self.changed.emit(False)

    def _digit(self, place: int) -> None:
        if not self.answer(place):
            self.turn(place)

    def turn(self, place: int) -> None:
        """Show or hide the square in this place (0 is the first); one always stays, and at most four."""
        there = self._stage.names
        if not self._on or place >= len(there):
            return
        name = there[place]
        wanted = set(self._chosen) ^ {name}
        if 1 <= len(wanted) <= MOST:
            self.show(tuple(other for other in there if other in wanted))

    def show(self, names: tuple[str, ...]) -> None:
        """Show these squares, one to four."""
        self._chosen = names
        self._stage.present(names)

    def _look(self) -> None:
        """Show what is hidden at an edge while the mouse is there."""
        if QApplication.activePopupWidget() is not None:
            return
        at = self._window.mapFromGlobal(QCursor.pos())
        inside = self._window.rect().contains(at)
        for parts, distance in ((self._above, at.y()), (self._below, self._window.height() - 1 - at.y())):
            for part in parts:
                if not self._seen.get(part, False):
                    continue
                near = inside and distance <= (part.height() + _AWAY if part.isVisible() else _EDGE)
                if near != part.isVisible():
                    part.setVisible(near)

    def _key(self, key: str, do: Callable[[], object]) -> QShortcut:
        shortcut = QShortcut(QKeySequence(key), self._window)
        shortcut.setEnabled(False)
        shortcut.activated.connect(do)
        return shortcut
