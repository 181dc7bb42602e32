"""What the window can show, as a row of buttons."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from explorer.gallery.actions import MODES
from explorer.theme import CONTROL, UNIT, font


class ModeRow(QWidget):
    """A button for each mode, side by side."""

    def __init__(self, actions: Mapping[str, QAction]) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(UNIT, UNIT // 2, 2 * UNIT, UNIT // 2)
        row.setSpacing(UNIT // 2)
        self._buttons = []
        for name, title, _ in MODES:
            button = QToolButton()
            button.setDefaultAction(actions[f"mode_{name}"])
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            button.setText(title)
            button.setAccessibleName(title)
            self._buttons.append(button)
            row.addWidget(button)
        row.addStretch(1)
        self.set_scale(1.0)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        for button in self._buttons:
            button.setFont(font(CONTROL, scale=factor))
