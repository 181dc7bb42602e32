"""The menu bar, built from the registry of actions, with the device, the speed and the seed at its right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QGuiApplication
from PySide6.QtWidgets import QLabel, QMainWindow, QMenu

from explorer.actions import EXCLUSIVE, SPECS, ActionSpec
from explorer.theme import CAPTION, CONTROL, UNIT, font


def build_menus(
    window: QMainWindow,
    actions: Mapping[str, QAction],
    specs: Iterable[ActionSpec] = SPECS,
    exclusive: Iterable[tuple[str, ...]] = EXCLUSIVE,
) -> dict[str, QMenu]:
    """Fill the window's menu bar; the menus by the names that specs give them."""
    bar = window.menuBar()
    bar.setNativeMenuBar(QGuiApplication.platformName() == "cocoa")
    menus: dict[str, QMenu] = {}
    for spec in specs:
        menu = _menu(window, menus, spec.menu)
        if spec.name:
            menu.addAction(actions[spec.name])
        else:
            menu.addSeparator()
    for names in exclusive:
        group = QActionGroup(window)
        for name in names:
            group.addAction(actions[name])
    window.addActions(list(actions.values()))  # keys live on when the bar is hidden
    return menus


def _menu(window: QMainWindow, menus: dict[str, QMenu], path: str) -> QMenu:
    """The menu of this path, made if need be, inside the one that its path begins with."""
    if path not in menus:
        outer, _, name = path.rpartition("/")
        menu = _menu(window, menus, outer).addMenu(f"&{name}") if outer else window.menuBar().addMenu(f"&{name}")
        menu.setToolTipsVisible(True)
        menus[path] = menu
    return menus[path]


class StateLine(QLabel):
    """What computes, how fast, and from which seed, in the bar's corner."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__("engine is loading")
        self._bar = window.menuBar()
        self.setAccessibleName("Device, speed and seed")
        self.setContentsMargins(UNIT, 0, 2 * UNIT, 0)
        self.set_scale(1.0)

    def say(self, text: str) -> None:
        """Write this, if it is not there already."""
        if text != self.text():
            self.setText(text)
            self.setAccessibleDescription(text)
            self._bar.setCornerWidget(self, Qt.Corner.TopRightCorner)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self.setFont(font(CAPTION, scale=factor))
        self._bar.setFont(font(CONTROL, scale=factor))
        self.setMinimumHeight(0)
        self.setMinimumHeight(self._bar.sizeHint().height())
        self._bar.setCornerWidget(self, Qt.Corner.TopRightCorner)
