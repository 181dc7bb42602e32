"""A sheet that lies over the window for a moment: it takes the keyboard, and Escape or a click beside it ends it.

It is a child of the window and no window of its own, so that it is there in full screen and needs no window manager.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from explorer.theme import LIGHT, Theme


class Overlay(QWidget):
    """Covers its host; what it shows lies in `sheet()`, the rest is veiled. Subclasses lay out and take the focus."""

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self.theme = LIGHT
        self.factor = 1.0
        self._before: QWidget | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.hide()
        host.installEventFilter(self)

    def open(self) -> None:
        """Lie over the host and take the keyboard."""
        host = self.parentWidget()
        if host is None:
            return
        if not self.isVisible():
            self._before = QApplication.focusWidget()
        self.setGeometry(host.rect())
        self.arrange()
        self.show()
        self.raise_()
        self.take_focus()

    def close_sheet(self) -> None:
        """Leave, and give the keyboard back."""
        if self.isVisible():
            before, self._before = self._before, None
            heir = before if before is not None and isValid(before) and before.isVisible() else self.window()
            heir.setFocus()  # before hiding: a hidden field would keep the keyboard where nobody else wants it
            self.hide()

    def sheet(self) -> QRect:
        """Where the sheet lies."""
        return self.rect()

    def arrange(self) -> None:
        """Lay out what stands on the sheet."""

    def take_focus(self) -> None:
        """Give the keyboard to what waits for it."""
        self.setFocus()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self.theme = theme
        self.update()

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self.factor = factor
        if self.isVisible():
            self.arrange()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep to the host's size."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            host = self.parentWidget()
            if host is not None:
                self.setGeometry(host.rect())
                self.arrange()
        return False

    def event(self, event: QEvent) -> bool:
        """Keep Escape and the arrows from the window's shortcuts while this is open."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)
            if plain:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave with Escape; no key goes to what lies beneath."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_sheet()
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Leave with a click beside the sheet."""
        if not self.sheet().contains(event.position().toPoint()):
            self.close_sheet()
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A veil over the window, and the sheet with a thin rule around it."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self.theme.colour("window", 0.6))
            painter.fillRect(self.sheet(), self.theme.colour("surface"))
            painter.setPen(self.theme.colour("rule"))
            painter.drawRect(self.sheet().adjusted(0, 0, -1, -1))
