"""A ring around the pointer for those who sit at the back: it follows the mouse and fills while a button is pressed.

It looks where the pointer is at the pace of the screen and takes no event, so that whatever lies beneath it is used as
ever. A pointer that rests for a while has none.
"""

from __future__ import annotations

from time import monotonic

from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QCursor, QGuiApplication, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from explorer.theme import LIGHT, Theme

RADIUS = 24
"""Pixels at scale 1."""

REST = 3.0
"""Seconds after which a resting pointer's ring goes."""

_CLICK = 0.15
_LOOK_MS = 16


class Halo(QWidget):
    """Lies on its host; `start` and `stop` say whether there is a ring."""

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Pointer")
        self._theme = LIGHT
        self._at, self._moved, self._pressed = QPoint(-1, -1), 0.0, 0.0
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._follow)
        self.set_scale(1.0)
        self.hide()

    @property
    def pressed(self) -> bool:
        """Whether the ring is filled: a button is down, or was a moment ago."""
        return monotonic() - self._pressed < _CLICK

    def start(self) -> None:
        """Follow the pointer from now on."""
        self._moved = monotonic()
        self._timer.start()
        self._follow()

    def stop(self) -> None:
        """Follow it no more."""
        self._timer.stop()
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.update()

    def set_scale(self, factor: float) -> None:
        """The ring is this many times its size."""
        side = 2 * round((RADIUS + 4) * factor)
        self.resize(side, side)

    def _follow(self) -> None:
        host = self.parentWidget()
        if host is None:
            return
        at, now, before = host.mapFromGlobal(QCursor.pos()), monotonic(), self.pressed
        if QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton:
            self._pressed = self._moved = now
        if at != self._at:
            self._at, self._moved = at, now
            self.move(at - QPoint(self.width() // 2, self.height() // 2))
            self.raise_()
        self.setVisible(host.rect().contains(at) and now - self._moved < REST)
        if self.pressed != before:
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A ring that can be seen on any ground, filled while a button is pressed."""
        middle, radius = QPointF(self.width() / 2, self.height() / 2), self.width() / 2 - 4
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self.pressed:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(self._theme.colour("warning", 0.3))
                painter.drawEllipse(middle, radius, radius)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for role, width in (("surface", 5.0), ("warning", 2.5)):
                painter.setPen(QPen(self._theme.colour(role, 0.9), width))
                painter.drawEllipse(middle, radius, radius)
