"""A heading over a widget of any shape: title, quiet words at the right, a thin rule, as the squares of the plane have.

The words are those of the widget's own `captioned` signal, if it has one.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from explorer.theme import CAPTION, LIGHT, TITLE, UNIT, Theme, font
from explorer.views.tile import HEAD, tell


class Titled(QWidget):
    """A heading, `content` below it, and `footer` at the bottom, as wide as the content."""

    def __init__(self, title: str, content: QWidget, footer: QWidget | None = None) -> None:
        super().__init__()
        self.content, self.footer = content, footer
        self._title, self._caption = title, ""
        self._theme, self._scale = LIGHT, 1.0
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, HEAD, 0, 0)
        self._layout.setSpacing(UNIT // 2)
        self._layout.addWidget(content, 1)
        if footer is not None:
            self._layout.addWidget(footer)
        self._veil = _Veil(self, content)
        self.setAccessibleName(title)

    def set_title(self, text: str) -> None:
        """Call it this."""
        if text != self._title:
            self._title = text
            self.setAccessibleName(text)
            self.update()

    def set_caption(self, text: str) -> None:
        """Write this right of the title; parts that have no room are left out from the end."""
        if text != self._caption:
            self._caption = text
            self.update()

    def set_empty(self, text: str) -> None:
        """Say over the content what to do first; "" takes it away."""
        self._veil.say(text)

    def set_theme(self, theme: Theme) -> None:
        """Take these colours, content and footer too."""
        self._theme = theme
        for part in (self.content, self.footer, self._veil):
            tell(part, "set_theme", theme)
        self.update()

    def set_scale(self, scale: float) -> None:
        """Set type this many times its size."""
        self._scale = scale
        self._layout.setContentsMargins(0, round(HEAD * scale), 0, 0)
        for part in (self.content, self.footer, self._veil):
            tell(part, "set_scale", scale)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The title, what is said of it, and the rule."""
        with QPainter(self) as painter:
            rule = round(HEAD * self._scale) - UNIT // 2
            line = QRect(0, 0, self.width(), rule)
            painter.setFont(font(TITLE, bold=True, scale=self._scale))
            painter.setPen(QColor(self._theme.ink))
            title = painter.fontMetrics().elidedText(self._title, Qt.TextElideMode.ElideRight, line.width())
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, title)
            used = painter.fontMetrics().horizontalAdvance(title) + 2 * UNIT
            painter.setFont(font(CAPTION, scale=self._scale))
            painter.setPen(QColor(self._theme.quiet))
            text = self._caption
            while text and painter.fontMetrics().horizontalAdvance(text) > line.width() - used:
                text = text.rpartition("  ·  ")[0]
            painter.drawText(
                line.adjusted(used, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text
            )
            painter.setPen(QPen(QColor(self._theme.rule), 1))
            painter.drawLine(0, rule, self.width(), rule)


class SquareBox(QWidget):
    """Holds a widget as the largest square in its middle, at its top."""

    def __init__(self, content: QWidget, least: int = 120) -> None:
        super().__init__()
        self.content, self._least = content, least
        content.setParent(self)

    def resizeEvent(self, event: object) -> None:
        """Place the square."""
        side = min(self.width(), self.height())
        self.content.setGeometry((self.width() - side) // 2, 0, side, side)

    def sizeHint(self) -> QSize:
        """Little: what room there is, is shared out by those who place it."""
        return QSize(self._least, self._least)

    def minimumSizeHint(self) -> QSize:
        """The smallest square at which something can be seen."""
        return QSize(self._least, self._least)

    def set_theme(self, theme: Theme) -> None:
        """Hand the colours on."""
        tell(self.content, "set_theme", theme)

    def set_scale(self, scale: float) -> None:
        """Hand the scale on."""
        tell(self.content, "set_scale", scale)


class _Veil(QWidget):
    """What an empty part says, over it; hands reach through it."""

    def __init__(self, parent: QWidget, over: QWidget) -> None:
        super().__init__(parent)
        self._text, self._theme, self._scale = "", LIGHT, 1.0
        self._over = over
        over.installEventFilter(self)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def say(self, text: str) -> None:
        """Write this; "" shows nothing."""
        self._text = text
        self.setVisible(bool(text))
        self.setGeometry(self._over.geometry())
        self.raise_()
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay over what is covered."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self.setGeometry(self._over.geometry())
        return False

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.update()

    def set_scale(self, scale: float) -> None:
        """Set type this many times its size."""
        self._scale = scale

    def paintEvent(self, event: QPaintEvent) -> None:
        """The words in the middle."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self._theme.colour("surface", 0.85))
            painter.setFont(font(scale=self._scale))
            painter.setPen(QColor(self._theme.ink))
            wrap = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignCenter
            painter.drawText(self.rect().adjusted(2 * UNIT, UNIT, -2 * UNIT, -UNIT), wrap, self._text)
