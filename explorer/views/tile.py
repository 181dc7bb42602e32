"""A tile: a title, a thin rule, a square picture, and a strip below it.

The title stands left in 16 px, a caption right of it in 12 px; the strip holds a given widget (the brush's controls, a
share bar) or, without one, the content's readout as a line of text. There are no boxes: the rule is the only line.

A content may have signals `titled(str)`, `captioned(str)` and `readout(str)`; the tile writes what they say, and puts a
readout in the caption's place while a widget occupies the strip. A click on the title, or the menu key, asks for the
menu of what can be shown here.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QEnterEvent,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

from explorer.theme import CAPTION, CONTROL, LIGHT, TITLE, UNIT, Theme, font

HEAD, FOOT = 28, 28
"""Heights of the title with its rule and of the strip below, at scale 1."""

HEAD_REST = 160
"""Milliseconds between two captions: more than six a second nobody can read."""

_GAP = UNIT // 2
"""Pixels between a square and the widget on its strip."""


class Tile(QWidget):
    """One square of the stage and what is written about it; `content` and `footer` become its children."""

    double_wanted = Signal()
    """The person wants this tile large, or small again."""
    menu_wanted = Signal(QPoint)
    """The person wants to choose what this tile shows; where on the screen."""
    touched = Signal()
    """The person has clicked on the tile or what is in it."""

    def __init__(
        self, title: str, content: QWidget, footer: QWidget | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.title = title
        self.content = content
        self.footer = footer
        self.theme = LIGHT
        self.scale = 1.0
        self._caption = ""
        self._readout = ""
        self._empty = ""
        self._cover = ""
        self._foot: int | None = None
        self._keyboard = False
        self._head_due = False
        self._head_rest = QTimer(self)
        self._head_rest.setSingleShot(True)
        self._head_rest.setInterval(HEAD_REST)
        self._head_rest.timeout.connect(self._rested)
        for part in (content, footer):
            if part is not None:
                part.setParent(self)
                part.show()
                part.installEventFilter(self)
        for name, slot in (
            ("titled", self.set_title),
            ("captioned", self.set_caption),
            ("readout", self.set_readout),
        ):
            signal = getattr(content, name, None)
            if signal is not None:
                signal.connect(slot)
        self.setAccessibleName(title)
        self.setAccessibleDescription(
            "Return makes this square large, Escape makes it small again, the menu key chooses what it shows."
        )
        if content.focusPolicy() == Qt.FocusPolicy.NoFocus:
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        announce = getattr(content, "announce", None)
        if announce is not None:
            announce()
        self._veil = _Veil(self)
        self._veil.hide()

    # --- what is written

    @property
    def caption(self) -> str:
        """The text right of the title."""
        return self._caption

    @property
    def readout(self) -> str:
        """The line on the point under the cursor."""
        return self._readout

    @property
    def empty(self) -> str:
        """What is written over a content that has nothing to show."""
        return self._empty

    def set_title(self, text: str) -> None:
        """Call the tile this."""
        if text and text != self.title:
            self.title = text
            self.setAccessibleName(text)
            self.update(0, 0, self.width(), self.head)

    def set_caption(self, text: str) -> None:
        """Write this right of the title."""
        if text != self._caption:
            self._caption = text
            self._renew_head()

    def _renew_head(self) -> None:
        """Write the head anew, but not more often than it can be read."""
        self._head_due = self._head_rest.isActive()
        if not self._head_due:
            self.update(0, 0, self.width(), self.head)
            self._head_rest.start()

    def _rested(self) -> None:
        if self._head_due:
            self._renew_head()

    def set_readout(self, text: str) -> None:
        """Write this on the strip, or in the caption's place if a widget is there; "" takes it away."""
        if text != self._readout:
            self._readout = text
            below = self.footer is None
            self.update(0, self.height() - self.foot if below else 0, self.width(), self.foot if below else self.head)

    def set_empty(self, text: str) -> None:
        """Say over the content what to do first; "" takes it away."""
        if text != self._empty:
            self._empty = text
            self._renew_veil()

    @property
    def cover(self) -> str:
        """What is written on the cover that hides the content; "" where there is none."""
        return self._cover

    def set_cover(self, text: str) -> None:
        """Hide content, caption and strip, and say why; "" shows them again."""
        if text != self._cover:
            self._cover = text
            if self.footer is not None:
                self.footer.setVisible(not text)
            self._renew_veil()
            self.update()

    def _renew_veil(self) -> None:
        self._veil.setVisible(bool(self._cover or self._empty))
        self._veil.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, not self._cover)
        self._veil.update()

    # --- what every view has

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of this theme, the content and the strip too."""
        self.theme = theme
        for part in (self.content, self.footer):
            tell(part, "set_theme", theme)
        self.update()

    def set_scale(self, scale: float) -> None:
        """Set type at this multiple of its usual size."""
        self.scale = scale
        for part in (self.content, self.footer):
            tell(part, "set_scale", scale)
        self.place()
        self.update()

    def show_frame(self, frame: object) -> None:
        """Hand the moment to the content and to the strip."""
        for part in (self.content, self.footer):
            tell(part, "show_frame", frame)

    # --- geometry

    @property
    def head(self) -> int:
        """The height of the title with its rule, in pixels."""
        return round(HEAD * self.scale)

    @property
    def foot(self) -> int:
        """The height of the strip below, in pixels."""
        return round(FOOT * self.scale) if self._foot is None else self._foot

    @property
    def foot_wanted(self) -> int:
        """The least height of the strip on which its widget is whole."""
        least = round(FOOT * self.scale)
        return least if self.footer is None else max(least, least_height(self.footer) + _GAP)

    def set_foot(self, height: int) -> None:
        """Make the strip so high, in pixels: tiles of one row agree on it."""
        if height != self._foot:
            self._foot = height
            self.place()
            self.update()

    def square(self) -> QRect:
        """Where the content is."""
        side = max(0, min(self.width(), self.height() - self.head - self.foot))
        return QRect((self.width() - side) // 2, self.head, side, side)

    def sizeHint(self) -> QSize:
        """A square of 236 pixels, and title and strip."""
        return QSize(236, 236 + self.head + self.foot)

    def minimumSizeHint(self) -> QSize:
        """The smallest size at which a picture can be read."""
        return QSize(120, 120 + self.head + self.foot)

    def place(self) -> None:
        """Put content and strip where they belong."""
        square = self.square()
        self.content.setGeometry(square)
        self._veil.setGeometry(square)
        if self.footer is not None:
            top = square.bottom() + 1 + _GAP
            self.footer.setGeometry(square.left(), top, square.width(), self.foot - _GAP)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the parts anew."""
        self.place()

    # --- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Title, caption, rule and, without a widget there, the strip's line."""
        with QPainter(self) as painter:
            square = self.square()
            rule = self.head - UNIT // 2
            line = QRect(square.left(), 0, square.width(), rule)
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.setFont(font(TITLE, bold=True, scale=self.scale))
            metrics = painter.fontMetrics()
            painter.setPen(QColor(self.theme.ink))
            title = metrics.elidedText(self.title, Qt.TextElideMode.ElideRight, line.width() - 2 * UNIT)
            painter.drawText(line, middle | Qt.AlignmentFlag.AlignLeft, title)
            used = metrics.horizontalAdvance(title)
            self._paint_arrow(painter, line.left() + used + UNIT // 2, line.center().y())
            used += round(2.5 * UNIT)
            painter.setFont(font(CAPTION, scale=self.scale))
            metrics = painter.fontMetrics()
            painter.setPen(QColor(self.theme.quiet))
            text = self._readout if self.footer is not None and self._readout else self._caption
            text = "" if self._cover else text
            # Half a number says something else: parts that have no room are left out.
            while text and metrics.horizontalAdvance(text) > line.width() - used:
                text = text.rpartition(", ")[0]
                text = text if text.count("(") == text.count(")") else text.rpartition("(")[0].rstrip(", ")
            painter.drawText(line.adjusted(used, 0, 0, 0), middle | Qt.AlignmentFlag.AlignRight, text)
            if self.footer is None and not self._cover:
                strip = QRect(square.left(), square.bottom() + 1, square.width(), round(FOOT * self.scale))
                text = metrics.elidedText(self._readout, Qt.TextElideMode.ElideMiddle, strip.width())
                painter.drawText(strip, middle | Qt.AlignmentFlag.AlignLeft, text)
            focused = self._keyboard and self.hasFocus()
            painter.setPen(QPen(QColor(self.theme.ink if focused else self.theme.rule), 2 if focused else 1))
            painter.drawLine(square.left(), rule, square.right(), rule)

    def _paint_arrow(self, painter: QPainter, x: float, y: float) -> None:
        """A small arrow behind the title: more can be shown here."""
        if not self.isWindow() and self.testAttribute(Qt.WidgetAttribute.WA_UnderMouse):
            size = UNIT / 2 * self.scale
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(self.theme.quiet), 1.5))
            down = [QPointF(x + k * size, y + (size if k == 1 else -size) / 3) for k in range(3)]
            painter.drawPolyline(down)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    # --- hands

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notice that what is in the tile was touched; it goes on to it."""
        if event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.FocusIn):
            self.touched.emit()
        return False

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show the arrow of the menu."""
        self.update(0, 0, self.width(), self.head)

    def leaveEvent(self, event: QEvent) -> None:
        """Take the arrow away."""
        self.update(0, 0, self.width(), self.head)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Ask for the menu by a click on the title."""
        self.touched.emit()
        if event.button() == Qt.MouseButton.LeftButton and self.arrow().contains(event.position().toPoint()):
            self.menu_wanted.emit(self.mapToGlobal(QPoint(self.square().left(), self.head)))
            return
        super().mousePressEvent(event)

    def arrow(self) -> QRect:
        """Where a click opens the menu: behind the title, whose own double click makes the tile large."""
        width = QFontMetrics(font(TITLE, bold=True, scale=self.scale)).horizontalAdvance(self.title)
        return QRect(self.square().left() + width, 0, 3 * UNIT, self.head)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu by the menu key; the right button does on the title and the strip, for it pans the plane."""
        if event.reason() == QContextMenuEvent.Reason.Mouse and self.square().contains(event.pos()):
            return
        self.menu_wanted.emit(self.mapToGlobal(QPoint(self.square().left(), self.head)))
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask to be large, or small again."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.double_wanted.emit()
        else:
            super().mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ask to be large with Return, unless the content used it."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat():
            self.double_wanted.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus to those who came by keyboard."""
        self._keyboard = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show that the focus has gone."""
        self.update()


class _Veil(QWidget):
    """What an empty tile says, over its content; hands reach through it, but not through a cover."""

    def __init__(self, tile: Tile) -> None:
        super().__init__(tile)
        self._tile = tile
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The text in the middle, over a wash of the theme's surface so that it can be read over anything."""
        with QPainter(self) as painter:
            tile = self._tile
            painter.setFont(font(CONTROL, scale=tile.scale))
            wrap = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignCenter
            inner = self.rect().adjusted(2 * UNIT, UNIT, -2 * UNIT, -UNIT)
            wash = tile.theme.colour("surface", 1.0 if tile.cover else 0.85)
            painter.fillRect(self.rect() if tile.cover else self.rect().adjusted(1, 1, -1, -1), wash)
            painter.setPen(QColor(tile.theme.ink))
            painter.drawText(inner, wrap, tile.cover or tile.empty)


def least_height(widget: QWidget) -> int:
    """The least height in pixels at which a widget is whole."""
    return max(widget.minimumSizeHint().height(), widget.minimumHeight())


def tell(part: object, method: str, value: object) -> None:
    """Call a method that a part may have."""
    call = getattr(part, method, None)
    if call is not None:
        call(value)
