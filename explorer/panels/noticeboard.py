"""What has happened since the start, as a list with details, and a report of it to copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QSpacerItem,
    QVBoxLayout,
    QWidget,
)

from explorer.notices import Notice, NoticeLog
from explorer.theme import CAPTION, CONTROL, HEADING, LIGHT, UNIT, Theme, font

WORDS = {"info": "", "warning": "Warning: ", "error": "Error: "}


class NoticeBoard(QDialog):
    """The log of one session; `facts` says what a report begins with."""

    def __init__(
        self,
        log: NoticeLog,
        facts: Callable[[], Mapping[str, str]],
        folder: Path | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """`folder` is where logs and autosaves lie, for the button that shows it."""
        super().__init__(parent)
        self._log, self._facts, self._folder = log, facts, folder
        self._notices: list[Notice] = []
        self._fitted: bool | None = None  # whether its size is that of a list
        self._theme = LIGHT
        self.setWindowTitle("What happened")
        self.heading = QLabel("What has happened since the start")
        self.nothing = QLabel("Nothing so far needs a word.")
        self.nothing.setProperty("quiet", True)
        self.list = QListWidget()
        self.list.setAccessibleName("Notices, the last one first")
        self.list.setToolTip("The last one first; choose one to see what else is known about it")
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setAccessibleName("Details")
        self.details.setToolTip("What else is known about it")
        self.copy = _button("Copy report", "Copy versions, device and the last notices, to send to somebody")
        self.show_folder = _button("Show folder", "Show where autosaves and logs lie")
        self.show_folder.setVisible(folder is not None)
        self.close_button = _button("Close", "Close (Esc)")
        self.copy.clicked.connect(self._copy)
        self.show_folder.clicked.connect(self._show_folder)
        self.close_button.clicked.connect(self.reject)
        self.list.currentRowChanged.connect(self._choose)
        buttons = QHBoxLayout()
        buttons.setSpacing(UNIT)
        buttons.addWidget(self.copy)
        buttons.addWidget(self.show_folder)
        buttons.addStretch(1)
        buttons.addWidget(self.close_button)
        layout = self._lines = QVBoxLayout(self)
        layout.setContentsMargins(3 * UNIT, 2 * UNIT, 3 * UNIT, 2 * UNIT)
        layout.setSpacing(UNIT)
        layout.addWidget(self.heading)
        layout.addWidget(self.nothing)
        layout.addWidget(self.list, 2)
        layout.addWidget(self.details, 1)
        self._space = QSpacerItem(0, 0)
        layout.addSpacerItem(self._space)
        layout.addLayout(buttons)
        self._unsubscribe = log.subscribe(lambda _: self._refresh())
        self.set_scale(1.0)

    def open_board(self) -> None:
        """Show it with everything that has happened so far."""
        self.list.setCurrentRow(-1)  # what was chosen the last time is not what is looked for now
        self.show()
        self._refresh()
        self.list.scrollToTop()
        self.raise_()
        self.activateWindow()
        (self.list if self._notices else self.close_button).setFocus()

    def end(self) -> None:
        """Listen no more; may be called twice."""
        self._unsubscribe()

    def report(self) -> str:
        """What `Copy report` copies."""
        return self._log.report(self._facts())

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self._refresh()

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self.heading.setFont(font(HEADING, scale=factor))
        for widget in (self.nothing, self.list, self.copy, self.show_folder, self.close_button):
            widget.setFont(font(CONTROL, scale=factor))
        self.details.setFont(font(CAPTION, scale=factor))
        self._factor = factor
        self._fit()

    def _fit(self) -> None:
        """Take the room that a list needs, or one line."""
        self.resize(round(640 * self._factor), round((480 if self._notices else 144) * self._factor))

    def _refresh(self) -> None:
        if not self.isVisible():
            return
        chosen = self._chosen()
        self._notices = list(reversed(self._log.notices))
        some = bool(self._notices)
        other, self._fitted = some != self._fitted, some
        self.nothing.setVisible(not some)
        self.list.setVisible(some)
        self.details.setVisible(some)
        grow = QSizePolicy.Policy.Minimum if some else QSizePolicy.Policy.Expanding
        self._space.changeSize(0, 0, QSizePolicy.Policy.Minimum, grow)
        self._lines.invalidate()
        if other:
            self._fit()
        self.list.blockSignals(True)
        self.list.clear()
        row = 0
        for i, notice in enumerate(self._notices):
            item = QListWidgetItem(f"{notice.at:%H:%M:%S}   {WORDS[notice.level]}{_rest(notice)}")
            item.setForeground(self._theme.colour("ink" if notice.shown else "quiet"))
            self.list.addItem(item)
            if chosen is not None and notice.text == chosen.text:
                row = i
        self.list.setCurrentRow(row if some else -1)
        self.list.blockSignals(False)
        self._choose(self.list.currentRow())

    def _chosen(self) -> Notice | None:
        row = self.list.currentRow()
        return self._notices[row] if 0 <= row < len(self._notices) else None

    def _choose(self, row: int) -> None:
        notice = self._notices[row] if 0 <= row < len(self._notices) else None
        text = "" if notice is None else notice.details or "Nothing else is known about it."
        if text != self.details.toPlainText():
            self.details.setPlainText(text)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.report())

    def _show_folder(self) -> None:
        show_folder(self._folder)


def show_folder(folder: Path | None) -> None:
    """Open a folder in the system's file manager, made first if it is not there."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAutoDefault(False)
    return button


def _rest(notice: Notice) -> str:
    times = f"  ({notice.count:,} times)" if notice.count > 1 else ""
    return f"{notice.text}{times}"
