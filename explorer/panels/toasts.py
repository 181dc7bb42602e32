"""What happened, at the bottom right, without stopping anybody: news leaves by itself, errors stay until dismissed.

No more than `MOST` stand there, or news beside so many errors; the log of what happened (`explorer.notices`) keeps all.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent, QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QToolButton, QVBoxLayout, QWidget

from explorer.panels.icons import icon
from explorer.theme import CAPTION, CONTROL, LIGHT, UNIT, Theme, font

SECONDS = {"info": 6.0, "warning": 12.0, "error": 0.0}
"""How long each level stays; 0 is until dismissed."""

WIDTH = 360
"""Pixels at scale 1."""

MOST = 3
"""Messages at once; the oldest that is not an error makes room, and the oldest error for another one."""


class Toast(QFrame):
    """One message: a mark in its level's ink, the text, an optional action, details to open and copy, and a cross."""

    dismissed = Signal(object)
    """The toast itself, when it is to go."""

    def __init__(self, level: str, text: str, details: str = "", action: str = "") -> None:
        super().__init__()
        self.level, self.text, self.details = level, text, details
        self.setObjectName("toast")
        self.setAccessibleName(f"{level}: {text}")
        self.mark = QFrame()
        self.mark.setFixedWidth(4)
        self.mark.setObjectName("news" if level == "info" else "alarm")
        self.words = QLabel(text)
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.action = self._button(action, action)
        self.open = self._button("Details", "Show what is known about it")
        self.open.setCheckable(True)
        self.copy = self._button("Copy", "Copy the message and its details")
        self.close_button = self._button("", "Dismiss")
        self.close_button.setAccessibleName("Dismiss")
        self.more = QPlainTextEdit(details)
        self.more.setReadOnly(True)
        self.more.setAccessibleName("Details")
        self.more.hide()
        self.action.setVisible(bool(action))
        self.open.setVisible(bool(details))
        self.copy.setVisible(level == "error" or bool(details))
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._leave)
        self.open.toggled.connect(self._expand)
        self.copy.clicked.connect(self._copy)
        self.close_button.clicked.connect(self._leave)
        buttons = QHBoxLayout()
        buttons.setSpacing(UNIT)
        for button in (self.action, self.open, self.copy):
            buttons.addWidget(button)
        buttons.addStretch(1)
        middle = QVBoxLayout()
        middle.setContentsMargins(UNIT, UNIT, 0, UNIT)
        middle.setSpacing(UNIT // 2)
        middle.addWidget(self.words)
        middle.addWidget(self.more)
        if action or details or level == "error":
            middle.addLayout(buttons)
        self._rows = QHBoxLayout(self)
        self._rows.setContentsMargins(0, 0, UNIT // 2, 0)
        self._rows.setSpacing(0)
        self._rows.addWidget(self.mark)
        self._rows.addLayout(middle, 1)
        self._rows.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        self.wait()

    def wait(self) -> None:
        """Count its time from now on."""
        seconds = SECONDS[self.level]
        if seconds:
            self._timer.start(round(seconds * 1000))

    def dress(self, theme: Theme, factor: float) -> None:
        """Draw in these colours at this scale."""
        self.words.setFont(font(CONTROL, scale=factor))
        self.more.setFont(font(CAPTION, scale=factor))
        self.more.setFixedHeight(round(96 * factor))
        for button in (self.action, self.open, self.copy):
            button.setFont(font(CONTROL, bold=True, scale=factor))
        self.close_button.setIcon(icon("close", theme, round(12 * factor)))
        self.close_button.setIconSize(QSize(round(12 * factor), round(12 * factor)))
        self.setFixedWidth(round(WIDTH * factor))

    def height_at(self, width: int) -> int:
        """The height that all of it needs at this width."""
        self._rows.activate()
        return self._rows.totalHeightForWidth(width)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Stay while the mouse is on it."""
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        """Leave some time after the mouse has."""
        if not self.more.isVisible():
            self.wait()

    def _button(self, text: str, tip: str) -> QToolButton:
        button = QToolButton(self)  # shown before it is laid out, it would be a window of its own
        button.setText(text)
        button.setToolTip(tip)
        button.setAutoRaise(True)
        return button

    def _expand(self, shown: bool) -> None:
        self.more.setVisible(shown)
        self._timer.stop()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(filter(None, (self.text, self.details))))

    def _leave(self) -> None:
        self.dismissed.emit(self)


class ToastStack(QWidget):
    """The messages of one window, stacked at its bottom right above `margin` pixels, and no larger than they are."""

    def __init__(self, host: QWidget, margin: int = UNIT // 2) -> None:
        super().__init__(host)
        self._theme, self._factor, self._margin = LIGHT, 1.0, margin
        self.toasts: list[Toast] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(UNIT)
        self.setAccessibleName("Messages")
        host.installEventFilter(self)
        self.hide()

    def show_message(
        self,
        level: str,
        text: str,
        details: str = "",
        action: str = "",
        on_action: Callable[[], object] | None = None,
    ) -> Toast:
        """Show a message of this level ("info", "warning", "error"); one that is there already starts its time anew."""
        for toast in self.toasts:
            if (toast.level, toast.text) == (level, text):
                toast.wait()
                return toast
        toast = Toast(level, text, details, action)
        toast.dismissed.connect(self.dismiss)
        if on_action is not None:
            toast.action.clicked.connect(on_action)
            toast.action.clicked.connect(toast._leave)
        toast.open.toggled.connect(self._place_soon)
        passing = [t for t in self.toasts if t.level != "error"]
        if len(self.toasts) >= MOST and (passing or level == "error"):
            self.dismiss(passing[0] if passing else self.toasts[0])
        self.toasts.append(toast)
        self._layout.addWidget(toast)
        toast.dress(self._theme, self._factor)
        self._place()
        return toast

    def dismiss(self, toast: Toast) -> None:
        """Take a message away."""
        if toast in self.toasts:
            self.toasts.remove(toast)
            self._layout.removeWidget(toast)
            toast.hide()
            toast.deleteLater()
            self._place()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        for toast in self.toasts:
            toast.dress(theme, self._factor)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._factor = factor
        self.set_theme(self._theme)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep to the corner when the window's size changes."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _place_soon(self) -> None:
        QTimer.singleShot(0, self, self._place)

    def _place(self) -> None:
        host = self.parentWidget()
        self.setVisible(bool(self.toasts))
        if host is None or not self.toasts:
            return
        self._layout.activate()
        wide = round(WIDTH * self._factor)
        high = sum(toast.height_at(wide) for toast in self.toasts)
        high = min(high + UNIT * (len(self.toasts) - 1), host.height() - self._margin)
        self.setGeometry(host.width() - wide - 2 * UNIT, host.height() - self._margin - high, wide, high)
        self.raise_()
