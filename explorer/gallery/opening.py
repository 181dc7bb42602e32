"""The pictures' window as the main window knows it: made when an image model is opened, gone when it is closed.

What the main window lends it: its look, its list of recent files, its log of what happened, and the painting's
particles.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from explorer.engine.gallery.orders import ShowDots
from explorer.engine.orders import Order
from explorer.gallery.folders import SHIPPED, shipped
from explorer.gallery.window import GalleryWindow
from explorer.theme import Theme
from trainer.scenes import Pane, Scene

if TYPE_CHECKING:
    from explorer.window import MainWindow

DOTS = 2000
"""Particles beside the pictures, at most."""


class Gallery(QObject):
    """Opens, dresses and closes the pictures' window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._home = window
        self.window: GalleryWindow | None = None

    def open(self, folder: Path) -> None:
        """Open the image model in this folder."""
        self._shown().open(folder)

    def open_shipped(self) -> None:
        """Open the first of the models that the program brings."""
        self.open(shipped(SHIPPED[0][0]))

    def choose(self) -> None:
        """Ask for a folder and open it."""
        folder = QFileDialog.getExistingDirectory(self._home, "Open image model", str(Path.home()))
        if folder:
            self.open(Path(folder))

    def may_leave(self) -> bool:
        """Whether the window may go, if there is one: it asks where a film is being written."""
        return self.window is None or self.window.saver.may_leave()

    def close(self) -> None:
        """Close the window, if there is one, without a question."""
        if self.window is not None:
            self.window.shut_down()
            self.window.close()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        if self.window is not None:
            self.window.set_theme(theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        if self.window is not None:
            self.window.set_scale(factor)

    def _shown(self) -> GalleryWindow:
        """The window, in front."""
        home = self._home
        if self.window is None:
            window = self.window = GalleryWindow(home.session.device, home.files.recent)
            window.set_scale(home.scale)
            window.set_theme(home.theme)
            window.dots_wanted.connect(self._lend_dots)
            window.told.connect(home.household.log.add)
            window.closed.connect(self._forget)
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()
        return self.window

    def _forget(self) -> None:
        if self.window is not None:
            self.window.deleteLater()
            self.window = None

    def _lend_dots(self, on: bool) -> None:
        """Hand the painting's particles to the window: the last release, moved by the pictures' sampler."""
        window = self.window
        if window is None:
            return
        order = self._home.session.engine.order if on else None
        if on and order is None:
            window.tell("info", "Dots are lent by the painting: release its particles once, with Shift+R there.")
        window.stage.show_plane(self._home.session.frame)
        window.desk.send(ShowDots(None if order is None else _with_sampler(order, window.panel.making.sampler)))


def _with_sampler(order: Order, sampler: str) -> Order:
    """The release with one pane, of this sampler: its settings are those of a pane that has it, or the first pane's."""
    panes = order.scene.panes
    pane = next((each for each in panes if each.sampler == sampler), panes[0])
    settings = replace(pane.settings, number=min(pane.settings.number, DOTS))
    return replace(order, scene=Scene((Pane(sampler, settings),), order.scene.start))  # type: ignore[arg-type]
