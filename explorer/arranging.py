"""Which view stands where, put into effect: layouts chosen, saved and removed, the last one restored at the start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QInputDialog, QMainWindow

from explorer.layouts import Arrangement, Layout, on_screen, read_arrangement, write_arrangement
from explorer.panels.menus import LayoutMenu
from explorer.presentation import Squares
from explorer.viewing import Viewing
from explorer.wording import in_words
from trainer.errors import InputError

Tell = Callable[[str, str], object]


class Stage(Squares, Protocol):
    """The stage: what presentations need, and which view stands where."""

    @property
    def places(self) -> tuple[str, ...]:
        """The views in the eight places."""
        ...

    def arrange(self, names: tuple[str, ...]) -> None:
        """Put these views into the eight places."""
        ...

    def double(self, name: str) -> None:
        """Show this view large."""
        ...

    def halve(self) -> None:
        """Show all at the usual size."""
        ...


class Arranged(Protocol):
    """The part of a window that layouts are about."""

    viewing: Viewing

    @property
    def stage(self) -> Stage:
        """Where the views stand."""
        ...

    def drawer_page(self) -> str | None:
        """The page that is open."""
        ...

    def show_page(self, page: str | None) -> None:
        """Open this page of the drawer, or close it."""
        ...


class Arranger(QObject):
    """Arranges one window; `tell` takes a level and one line."""

    def __init__(self, window: QMainWindow, home: Arranged, tell: Tell) -> None:
        super().__init__(window)
        self._window, self._home, self._tell = window, home, tell
        self.arrangement, self.problems = read_arrangement()
        self.menu = LayoutMenu(lambda: self.arrangement.layouts, window)
        self.menu.chosen.connect(self.show_layout)
        self.menu.save_wanted.connect(self.ask_to_save)
        self.menu.removed.connect(self.remove)

    def layout_now(self, name: str) -> Layout:
        """The present arrangement under this name."""
        stage = self._home.stage
        return Layout(name, stage.places, stage.doubled, self._home.drawer_page(), self._home.viewing.options)

    def show_layout(self, layout: Layout) -> None:
        """Arrange the window like this."""
        stage = self._home.stage
        stage.halve()
        stage.arrange(layout.places)
        for view in layout.doubled:
            stage.double(view)
        self._home.viewing.show(layout.options)
        self._home.show_page(layout.drawer)

    def restore(self) -> None:
        """Put window and squares where they were when the window was closed, if that can still be seen."""
        self.show_layout(self.arrangement.current)
        if self.arrangement.window is not None:
            rects = [screen.availableGeometry() for screen in QGuiApplication.screens()]
            screens = [(rect.x(), rect.y(), rect.width(), rect.height()) for rect in rects]
            self._window.setGeometry(*on_screen(self.arrangement.window, screens))
        if self.arrangement.maximised:
            self._window.showMaximized()

    def remember(self) -> None:
        """Keep how the window is arranged for the next start."""
        frame = self._window.normalGeometry()
        window = (frame.x(), frame.y(), frame.width(), frame.height())
        maximised = self._window.isMaximized()
        self._keep(replace(self.arrangement, current=self.layout_now("Last"), window=window, maximised=maximised))

    def ask_to_save(self) -> None:
        """Ask for a name and keep the present arrangement under it."""
        name, agreed = QInputDialog.getText(self._window, "Save this layout", "Name of the layout")
        if agreed:
            self.save(name.strip())

    def save(self, name: str) -> None:
        """Keep the present arrangement under this name."""
        try:
            arrangement = self.arrangement.with_saved(self.layout_now(name))
        except InputError as error:
            self._tell("warning", in_words(str(error)))
            return
        if self._keep(arrangement):
            self._tell("info", f"The layout {name} is in the menu View, Layout")

    def remove(self, name: str) -> None:
        """Forget the person's layout of this name."""
        self._keep(self.arrangement.without(name))

    def _keep(self, arrangement: Arrangement) -> bool:
        self.arrangement = arrangement
        try:
            write_arrangement(arrangement)
        except InputError as error:
            self._tell("warning", f"The layouts were not kept. {error}")
            return False
        return True
