"""Menus whose lines are known only when they open: the recent files and the layouts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from explorer.layouts import BUILT_IN, Layout
from explorer.recent import labels

_DIGITS = 9


def _literal(text: str) -> str:
    """Text for a menu, in which an ampersand is no mnemonic."""
    return text.replace("&", "&&")


class RecentMenu(QMenu):
    """Opens one of the files opened last."""

    chosen = Signal(str)
    """The file."""

    cleared = Signal()

    def __init__(self, paths: Callable[[], tuple[Path, ...]], parent: QWidget | None = None) -> None:
        super().__init__("Open &recent", parent)
        self._paths = paths
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """Make the lines anew."""
        self.clear()
        paths = self._paths()
        for i, (path, words) in enumerate(zip(paths, labels(paths), strict=True)):
            mnemonic = f"&{i + 1}  " if i < _DIGITS else "    "
            action = self.addAction(mnemonic + _literal(words))
            action.setToolTip(str(path))
            action.triggered.connect(lambda _=False, p=str(path): self.chosen.emit(p))
        if paths:
            self.addSeparator()
        clear = self.addAction("&Clear this list" if paths else "No files so far")
        clear.setToolTip("Forget these names; the files stay")
        clear.setEnabled(bool(paths))
        clear.triggered.connect(lambda: self.cleared.emit())


class LayoutMenu(QMenu):
    """Chooses, saves and removes layouts."""

    chosen = Signal(object)
    """The `Layout`."""

    save_wanted = Signal()
    removed = Signal(str)
    """The name of a layout of the person's own."""

    def __init__(self, layouts: Callable[[], tuple[Layout, ...]], parent: QWidget | None = None) -> None:
        super().__init__("&Layout", parent)
        self._layouts = layouts
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """Make the lines anew."""
        self.clear()
        layouts = self._layouts()
        for i, layout in enumerate(layouts):
            mnemonic = f"&{i + 1}  " if i < _DIGITS else "    "
            action = self.addAction(mnemonic + _literal(layout.name))
            action.setToolTip("Show the squares like this")
            action.triggered.connect(lambda _=False, chosen=layout: self.chosen.emit(chosen))
        self.addSeparator()
        save = self.addAction("&Save this layout…")
        save.setToolTip("Keep the present arrangement under a name")
        save.triggered.connect(lambda: self.save_wanted.emit())
        own = [layout for layout in layouts if layout not in BUILT_IN]
        remove = self.addMenu("&Remove")
        remove.setEnabled(bool(own))
        for layout in own:
            remove.addAction(_literal(layout.name)).triggered.connect(
                lambda _=False, name=layout.name: self.removed.emit(name)
            )
