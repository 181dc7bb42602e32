"""Files dragged over the window: a veil says what will be opened, wherever they are let go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QColor, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QMainWindow, QPlainTextEdit, QWidget

from explorer.theme import HEADING, LIGHT, Theme, font


class DropVeil(QWidget):
    """Lies over the window while files are dragged over it; the window hands its drag events on to it."""

    def __init__(
        self, window: QMainWindow, files: Callable[[QMimeData], list[Path]], drop: Callable[[QMimeData], object]
    ) -> None:
        """`files` says which files are dragged, `drop` opens them. Fields of text `leave_files` to the window."""
        super().__init__(window)
        self._files, self._drop = files, drop
        self._theme, self._factor, self._words = LIGHT, 1.0, ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("Open what is dropped")
        self.hide()
        window.setAcceptDrops(True)
        leave_files(window)

    def enter(self, event: QDragEnterEvent) -> None:
        """Take files and say which."""
        paths = self._files(event.mimeData())
        if paths:
            event.acceptProposedAction()
            self._words = f"Open {paths[0].name}"
            host = self.parentWidget()
            if host is not None:
                self.setGeometry(host.rect())
            self.show()
            self.raise_()

    def leave(self, event: QDragLeaveEvent) -> None:
        """They are dragged away again."""
        self.hide()

    def drop(self, event: QDropEvent) -> None:
        """Open them."""
        self.hide()
        if self._files(event.mimeData()):
            event.acceptProposedAction()
            self._drop(event.mimeData())

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._factor = factor

    def paintEvent(self, event: QPaintEvent) -> None:
        """The window's colour, nearly covering, and the words in its middle."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self._theme.colour("surface", 0.9))
            painter.setPen(QColor(self._theme.ink))
            painter.setFont(font(HEADING, bold=True, scale=self._factor))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(32, 0, -32, 0), flags, self._words)


def leave_files(widget: QWidget) -> None:
    """Let the fields of text in this widget leave dragged files to the window."""
    for kind in (QLineEdit, QPlainTextEdit):
        for field in widget.findChildren(kind):
            field.setAcceptDrops(False)
