"""What is this? A card beside the thing that was asked about: its quantities, and for one of them the formula.

The card is a child of the window, so that it is there in full screen. It lists the quantities of a square; the one
chosen is said in a line, set as a formula, set again with the numbers of the frame, and traced to its source.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from explorer.engine.frames import Frame
from explorer.glossary import Entry
from explorer.panels.formula import FormulaView
from explorer.panels.icons import icon
from explorer.theme import CAPTION, CONTROL, LIGHT, TITLE, UNIT, Theme, font

RENEW = 500
"""Milliseconds between changes of the numbers: faster cannot be read."""

_WIDTH, _NAMES, _HEIGHT = 760, 208, 264


class ExplainCard(QFrame):
    """Explains the quantities of a square; Escape, its cross or a click elsewhere on the window closes it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setObjectName("explain")
        self.setAccessibleName("Explanation")
        self._theme, self._factor = LIGHT, 1.0
        self._entries: tuple[Entry, ...] = ()
        self._frame: Frame | None = None
        self._asked: QWidget | None = None
        self._before: QWidget | None = None
        self.names = QListWidget()
        self.names.setAccessibleName("Quantities")
        self.names.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.names.currentRowChanged.connect(self._choose)
        self.title, self.line, self.source = QLabel(), QLabel(), QLabel()
        self.line.setWordWrap(True)
        self.source.setWordWrap(True)
        self.source.setProperty("quiet", True)
        self.formula, self.numbers = FormulaView(), FormulaView()
        self.formula.setAccessibleName("Formula")
        self.numbers.setAccessibleName("The formula's numbers now")
        self.now = QLabel("Now")
        self.now.setProperty("quiet", True)
        self.close_button = QToolButton()
        self.close_button.setAutoRaise(True)
        self.close_button.setAccessibleName("Close the explanation")
        self.close_button.setToolTip("Close (Escape)")
        self.close_button.clicked.connect(self.close_card)
        self._timer = QTimer(self, singleShot=True, interval=RENEW)
        self._timer.timeout.connect(self._renew)
        self._arrange()
        window.installEventFilter(self)
        self.hide()
        self.set_theme(LIGHT)
        self.set_scale(1.0)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.close_button)
        right = QVBoxLayout()
        right.setSpacing(UNIT)
        right.addLayout(head)
        for widget in (self.line, self.formula, self.now, self.numbers):
            right.addWidget(widget)
        right.addStretch(1)
        right.addWidget(self.source)
        row = QHBoxLayout(self)
        row.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        row.setSpacing(2 * UNIT)
        row.addWidget(self.names)
        row.addLayout(right, 1)

    @property
    def entry(self) -> Entry | None:
        """The quantity that is explained."""
        row = self.names.currentRow()
        return self._entries[row] if 0 <= row < len(self._entries) else None

    def show_for(
        self, widget: QWidget, entries: Sequence[Entry], frame: Frame | None = None, *, first: str = ""
    ) -> None:
        """Explain these quantities beside a widget of the same window, `first` (an entry's name) at once."""
        if not entries:
            return
        if not self.isVisible():
            self._before = QApplication.focusWidget()
        self._asked, self._frame, self._entries = widget, frame, tuple(entries)
        self.names.blockSignals(True)
        self.names.clear()
        self.names.addItems([entry.title for entry in entries])
        names = [entry.name for entry in entries]
        self.names.setCurrentRow(names.index(first) if first in names else 0)
        self.names.blockSignals(False)
        self._choose()
        self._place()
        self.show()
        self.raise_()
        self.names.setFocus()

    def show_frame(self, frame: Frame) -> None:
        """Bring the numbers up to this frame, at most twice a second."""
        self._frame = frame
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def close_card(self) -> None:
        """Go, and give the keyboard back."""
        if self.isVisible():
            self._timer.stop()
            self.hide()
            before, self._before = self._before, None
            if before is not None and before.isVisible():
                before.setFocus()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        for part in (self.formula, self.numbers):
            part.set_theme(theme)
        self.setStyleSheet(f"#explain {{ background: {theme.surface}; border: 1px solid {theme.quiet}; }}")
        self._draw_icon()

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._factor = factor
        for part in (self.formula, self.numbers):
            part.set_scale(factor)
        self.title.setFont(font(TITLE, bold=True, scale=factor))
        self.names.setFont(font(CONTROL, scale=factor))
        self.line.setFont(font(CONTROL, scale=factor))
        for label in (self.source, self.now):
            label.setFont(font(CAPTION, scale=factor))
        self.names.setFixedWidth(round(_NAMES * factor))
        self._draw_icon()
        if self.isVisible():
            self._place()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close with Escape."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_card()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Keep keys from the window's shortcuts while the card has the keyboard."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay within the window when it changes its size; close with a click beside the card."""
        if self.isVisible():
            if event.type() == QEvent.Type.Resize:
                self._place()
            elif event.type() == QEvent.Type.MouseButtonPress:
                self.close_card()
        return False

    def _choose(self) -> None:
        entry = self.entry
        if entry is None:
            return
        self.title.setText(entry.title)
        self.line.setText(entry.line)
        self.source.setText(entry.source)
        self.formula.set_formula(entry.formula)
        self._renew()

    def _renew(self) -> None:
        """Set the frame's numbers."""
        entry = self.entry
        latex = entry.numbered(self._frame) if entry is not None else ""
        self.numbers.set_formula(latex)
        self.now.setVisible(bool(latex))

    def _place(self) -> None:
        """Beside the thing asked about, below it where there is room, whole within the window."""
        window, asked = self.parentWidget(), self._asked
        if window is None:
            return
        inner = window.rect().adjusted(UNIT, UNIT, -UNIT, -UNIT)
        width, height = round(_WIDTH * self._factor), round(_HEIGHT * self._factor)
        self.resize(min(width, inner.width()), min(height, inner.height()))
        if asked is None:
            self.move(inner.center() - self.rect().center())
            return
        corner = asked.mapTo(window, QPoint(0, 0)) if window.isAncestorOf(asked) else inner.topLeft()
        right, left = corner.x() + asked.width() + UNIT, corner.x() - self.width() - UNIT
        if right + self.width() <= inner.right():
            x, y = right, corner.y()
        elif left >= inner.left():
            x, y = left, corner.y()
        else:
            x, below = corner.x(), corner.y() + asked.height() + UNIT
            y = below if below + self.height() <= inner.bottom() else corner.y() - self.height() - UNIT
        x = min(max(x, inner.left()), inner.right() + 1 - self.width())
        y = min(max(y, inner.top()), inner.bottom() + 1 - self.height())
        self.move(x, y)

    def _draw_icon(self) -> None:
        self.close_button.setIcon(icon("close", self._theme, round(16 * self._factor)))
