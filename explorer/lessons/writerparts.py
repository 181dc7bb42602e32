"""The fields of the window in which a lesson is written: a line, a text with its count, names to tick, names to list.

Each says what is wrong with it in a line below, and emits what it holds whenever the person changes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from explorer.panels.fields import Choice
from explorer.panels.icons import icon
from explorer.theme import CAPTION, CONTROL, LIGHT, UNIT, Theme, font

_ROOM = 560
"""Pixels that a row of names has at scale 1."""


def sheet(theme: Theme, scale: float) -> str:
    """What the common sheet does not say: a text that is written, not only read."""
    return (
        f"#prose {{ color: {theme.ink}; background: {theme.surface}; border: 1px solid {theme.rule};"
        f" border-radius: {round(4 * scale)}px; padding: {round(2 * scale)}px;"
        f" selection-background-color: {theme.true}; selection-color: {theme.surface}; }}"
        f'#prose:focus {{ border-color: {theme.true}; }} #prose[wrong="true"] {{ border-color: {theme.warning}; }}'
    )


class Note(QLabel):
    """The line below a field: nothing, quiet words, or what is wrong."""

    def __init__(self, usual: str = "") -> None:
        super().__init__(usual)
        self._usual = usual
        self.wrong = False
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setProperty("quiet", True)

    def placed(self) -> Note:
        """Once it has a parent: without one it would be a window."""
        self.setVisible(bool(self.text()))
        return self

    def show_line(self, line: str, *, wrong: bool) -> None:
        """Say this; "" brings the quiet words back."""
        self.setText(line or self._usual)
        self.setVisible(bool(self.text()))
        wrong = wrong and bool(line)
        if wrong != self.wrong:
            self.wrong = wrong
            self.setProperty("quiet", not wrong)
            self.style().polish(self)


class TextField(QWidget):
    """A name, a count of characters, and below them a line or some lines of text."""

    edited = Signal(str)

    def __init__(self, name: str, tip: str, longest: int, *, lines: int = 1, hint: str = "") -> None:
        super().__init__()
        self._longest, self._lines = longest, lines
        self.label, self.count, self.note = QLabel(name), QLabel(), Note(hint)
        self.count.setProperty("quiet", True)
        self.count.setAccessibleName(f"Characters of {name}")
        self.editor: QLineEdit | QPlainTextEdit
        if lines == 1:
            self.editor = QLineEdit()
            self.editor.textEdited.connect(self._edited)
        else:
            self.editor = QPlainTextEdit()
            self.editor.setObjectName("prose")
            self.editor.setTabChangesFocus(True)
            self.editor.textChanged.connect(self._edited)
        self.editor.setAccessibleName(name)
        self.editor.setToolTip(tip)
        self.editor.setProperty("wrong", False)
        self.label.setToolTip(tip)
        self.label.setBuddy(self.editor)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(UNIT)
        grid.setVerticalSpacing(UNIT // 2)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self.label, 0, 0)
        grid.addWidget(self.count, 0, 1)
        grid.addWidget(self.editor, 1, 0, 1, 2)
        grid.addWidget(self.note, 2, 0, 1, 2)
        self.note.placed()
        self._show_count()

    def text(self) -> str:
        """What is written."""
        return self.editor.text() if isinstance(self.editor, QLineEdit) else self.editor.toPlainText()

    def set_text(self, text: str) -> None:
        """Show this text; emits nothing, and leaves the cursor where the same text stands already."""
        if text != self.text():
            self.editor.blockSignals(True)
            if isinstance(self.editor, QLineEdit):
                self.editor.setText(text)
                self.editor.setCursorPosition(0)
            else:
                self.editor.setPlainText(text)
                self.editor.moveCursor(QTextCursor.MoveOperation.Start)
            self.editor.blockSignals(False)
        self._show_count()

    def set_problem(self, line: str) -> None:
        """Say what is wrong; "" for nothing."""
        self.note.show_line(line, wrong=True)
        self.editor.setAccessibleDescription(line or self.note.text())
        if self.editor.property("wrong") != bool(line):
            self.editor.setProperty("wrong", bool(line))
            self.editor.style().polish(self.editor)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        for widget in (self.label, self.editor):
            widget.setFont(font(CONTROL, scale=factor))
        for label in (self.count, self.note):
            label.setFont(font(CAPTION, scale=factor))
        if self._lines > 1:
            self.editor.setFixedHeight(round((self._lines * 18 + 14) * factor))

    def _edited(self) -> None:
        self._show_count()
        self.edited.emit(self.text())

    def _show_count(self) -> None:
        """Only where somebody may come near the end of it."""
        length = len(self.text().strip())
        self.count.setText(f"{length:,} of {self._longest:,}")
        self.count.setVisible(self._lines > 1 or length > self._longest * 3 // 4)


class Ticks(QWidget):
    """Names to tick, in columns; at most so many at once if `most` says so."""

    edited = Signal(tuple)
    """The names that are ticked, in their order."""

    def __init__(self, what: str, *, columns: int = 2, most: int = 0, hint: str = "") -> None:
        super().__init__()
        self._what, self._columns, self._most = what, columns, most
        self._factor = 1.0
        self._words: dict[str, str] = {}
        self.boxes: dict[str, QCheckBox] = {}
        self.note = Note(hint)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(2 * UNIT)
        self._grid.setVerticalSpacing(UNIT // 2)
        for column in range(columns):
            self._grid.setColumnStretch(column, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(UNIT // 2)
        layout.addLayout(self._grid)
        layout.addWidget(self.note)
        self.note.placed()

    def offer(self, names: Sequence[tuple[str, str, str]]) -> None:
        """Offer these names, each with its words and a tip."""
        if tuple(self.boxes) != tuple(name for name, _, _ in names):
            for box in self.boxes.values():
                self._grid.removeWidget(box)
                box.hide()
                box.deleteLater()
            self.boxes = {}
            for k, (name, _, _) in enumerate(names):
                box = self.boxes[name] = QCheckBox()
                box.clicked.connect(self._edited)
                box.setFont(font(CONTROL, scale=self._factor))
                self._grid.addWidget(box, k // self._columns, k % self._columns)
        for name, words, tip in names:
            self.boxes[name].setAccessibleName(f"{self._what}: {words}")
            self.boxes[name].setToolTip(tip)
        self._words = {name: words for name, words, _ in names}
        self._fit()

    def ticked(self) -> tuple[str, ...]:
        """The names that are ticked."""
        return tuple(name for name, box in self.boxes.items() if box.isChecked())

    def set_ticked(self, names: Sequence[str]) -> None:
        """Tick these; emits nothing."""
        for name, box in self.boxes.items():
            box.setChecked(name in names)
        self._limit()

    def set_problem(self, line: str) -> None:
        """Say what is wrong; "" for nothing."""
        self.note.show_line(line, wrong=True)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._factor = factor
        for box in self.boxes.values():
            box.setFont(font(CONTROL, scale=factor))
        self.note.setFont(font(CAPTION, scale=factor))
        self._fit()

    def _fit(self) -> None:
        """Words that are wider than their column end in dots; the tip has them all."""
        room = round(_ROOM / self._columns * self._factor) - round(3 * UNIT * self._factor) - 2 * UNIT
        for name, box in self.boxes.items():
            words = box.fontMetrics().elidedText(self._words[name], Qt.TextElideMode.ElideRight, room)
            box.setText(words.replace("&", "&&"))

    def _edited(self) -> None:
        self._limit()
        self.edited.emit(self.ticked())

    def _limit(self) -> None:
        """No more than are allowed."""
        full = bool(self._most) and len(self.ticked()) >= self._most
        for box in self.boxes.values():
            box.setEnabled(not full or box.isChecked())


class Names(QWidget):
    """Some of many names: those taken, each with a button that takes it out, and a list to add from."""

    edited = Signal(tuple)

    def __init__(self, what: str, names: Sequence[tuple[str, str]], verb: str) -> None:
        """`names` with their words; `verb` stands where nothing is chosen yet."""
        super().__init__()
        self._what, self._words = what, dict(names)
        self._theme, self._factor = LIGHT, 1.0
        self._taken: tuple[str, ...] = ()
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self.adder = Choice([("", verb), *names])
        self.adder.setAccessibleName(verb)
        self.adder.setToolTip(verb)
        self.adder.activated.connect(self._add)
        self.note = Note()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(UNIT // 2)
        layout.addLayout(self._rows)
        layout.addWidget(self.adder, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.note)
        self.note.placed()

    def set_names(self, names: tuple[str, ...]) -> None:
        """Show these as taken; emits nothing."""
        if names == self._taken:
            return
        self._taken = names
        while (item := self._rows.takeAt(0)) is not None:
            row = item.widget()
            if row is not None:
                row.hide()
                row.deleteLater()
        for name in names:
            self._rows.addWidget(self._row(name))

    def set_problem(self, line: str) -> None:
        """Say what is wrong; "" for nothing."""
        self.note.show_line(line, wrong=True)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.adder.ink = theme.colour("quiet")
        for button in self.findChildren(QToolButton):
            dress_close(button, theme, self._factor)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._factor = factor
        self.note.setFont(font(CAPTION, scale=factor))
        for widget in (self.adder, *self.findChildren(QLabel, "taken")):
            widget.setFont(font(CONTROL, scale=factor))
        for button in self.findChildren(QToolButton):
            dress_close(button, self._theme, factor)

    def _row(self, name: str) -> QWidget:
        words = self._words.get(name, name)
        row, label, out = QWidget(), QLabel(words), QToolButton()
        label.setObjectName("taken")
        label.setFont(font(CONTROL, scale=self._factor))
        out.setAccessibleName(f"Take out: {words}")
        out.setToolTip("Take it out")
        out.clicked.connect(partial(self._drop, name))
        dress_close(out, self._theme, self._factor)
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(label, 1)
        line.addWidget(out)
        return row

    def _add(self) -> None:
        name = self.adder.currentData()
        self.adder.setCurrentIndex(0)
        if name and name not in self._taken:
            self._hand_on((*self._taken, name))

    def _drop(self, name: str) -> None:
        self._hand_on(tuple(other for other in self._taken if other != name))

    def _hand_on(self, names: tuple[str, ...]) -> None:
        self.set_names(names)
        self.edited.emit(names)


def dress_close(button: QToolButton, theme: Theme, factor: float) -> None:
    """A small cross on a flat button."""
    side = round(12 * factor)
    button.setAutoRaise(True)
    button.setIcon(icon("close", theme, side))
    button.setIconSize(QSize(side, side))
