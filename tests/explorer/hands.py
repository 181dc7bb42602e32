"""What tests of controls share: a shown window, and typing as a hand does it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from explorer.panels.style import sheet
from explorer.theme import LIGHT

Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton


def actions(parent: QWidget, *names: str) -> dict[str, QAction]:
    return {name: QAction(name.replace("_", " "), parent) for name in names}


def shown(qtbot: QtBot, *widgets: QWidget, width: int = 900) -> QWidget:
    """The widgets in a window of their own that is really shown and has the keyboard."""
    host = QWidget()
    qtbot.addWidget(host)
    host.setStyleSheet(sheet(LIGHT))
    layout = QVBoxLayout(host)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget)
    host.resize(width, host.sizeHint().height())
    with qtbot.waitActive(host):
        host.show()
    return host


def type_into(qtbot: QtBot, field: QWidget, text: str) -> None:
    """Replace what stands in a field and leave it."""
    assert isinstance(field, QLineEdit)
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, text) if text else qtbot.keyClick(field, Key.Key_Delete)
    qtbot.keyClick(field, Key.Key_Tab)
