"""The answers to a question in the window in which it is written: rows of words and of the range that makes them right.

Ranges are half open: an answer is right from its first limit on, to below the second one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from explorer.lessons.draft import DraftChoice, Typed
from explorer.lessons.lesson import MOST_CHOICES
from explorer.lessons.proofs import LONGEST, remark
from explorer.lessons.writerparts import Note, dress_close
from explorer.theme import CAPTION, CONTROL, LIGHT, UNIT, Theme, font


class Answers(QWidget):
    """Two to five answers in rows: words, and the range of what is measured that makes them right."""

    edited = Signal(tuple)

    def __init__(self) -> None:
        super().__init__()
        self._theme, self._factor = LIGHT, 1.0
        self._choices: tuple[DraftChoice, ...] = ()
        self._lines: dict[str, str] = {}
        self.rows: list[tuple[QLineEdit, QLineEdit, QLineEdit, QToolButton]] = []
        self._captions = [QLabel("answer"), QLabel("right from"), QLabel("to below")]
        for caption in self._captions:
            caption.setProperty("quiet", True)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(UNIT)
        self._grid.setVerticalSpacing(UNIT // 2)
        self._grid.setColumnStretch(0, 1)
        for place, caption in enumerate(self._captions):
            self._grid.addWidget(caption, 0, place)
        self.note = Note()
        self.more = QPushButton("Add an answer")
        self.more.setToolTip(f"One more answer, up to {MOST_CHOICES}")
        self.more.setAutoDefault(False)
        self.more.clicked.connect(self._add)
        foot = QHBoxLayout()
        foot.setSpacing(UNIT)
        foot.addWidget(self.note, 1)
        foot.addWidget(self.more)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        column.addLayout(self._grid)
        column.addLayout(foot)
        self.note.placed()

    def set_choices(self, choices: tuple[DraftChoice, ...]) -> None:
        """Show these answers; emits nothing."""
        before, self._choices = self._choices, choices
        if len(choices) != len(self.rows):
            self._make(len(choices))
        if choices == before and self.rows:
            return
        for row, each in zip(self.rows, choices, strict=True):
            if row[0].text() != each.text:
                row[0].setText(each.text)
            for editor, end in zip(row[1:3], (each.low, each.high), strict=True):
                if read(editor.text()) != end:
                    editor.setText(written(end))
        self.more.setEnabled(len(choices) < MOST_CHOICES)
        for *_, out in self.rows:
            out.setEnabled(len(choices) > 2)
        self._tell()

    def set_problems(self, lines: Mapping[str, str]) -> None:
        """What is wrong, by fields of the question."""
        self._lines = dict(lines)
        for k, (text, low, high, _) in enumerate(self.rows):
            wrong = lines.get(f"choices.{k}.low", "")
            mark(text, lines.get(f"choices.{k}.text", ""))
            for editor in (low, high):
                mark(editor, wrong)
        self._tell()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        for *_, out in self.rows:
            dress_close(out, theme, self._factor)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._factor = factor
        for label in (*self._captions, self.note):
            label.setFont(font(CAPTION, scale=factor))
        self.more.setFont(font(CAPTION, scale=factor))
        for *editors, out in self.rows:
            for editor in editors:
                editor.setFont(font(CONTROL, scale=factor))
            for editor in editors[1:]:
                editor.setFixedWidth(round(72 * factor))
            dress_close(out, self._theme, factor)

    def _tell(self) -> None:
        """The first thing that is wrong; where nothing is, what no answer covers."""
        numbered = ((k, name) for k in range(len(self.rows)) for name in ("text", "low"))
        wrong = [
            f"Answer {k + 1}: {line[:1].lower()}{line[1:]}"
            for k, name in numbered
            if (line := self._lines.get(f"choices.{k}.{name}", ""))
        ]
        line = next(iter(wrong), "") or self._lines.get("ranges", "")
        self.note.show_line(line or remark(self._choices), wrong=bool(line))

    def _make(self, number: int) -> None:
        """So many rows."""
        while len(self.rows) > number:
            for widget in self.rows.pop():
                self._grid.removeWidget(widget)
                widget.hide()
                widget.deleteLater()
        for k in range(len(self.rows), number):
            text, low, high, out = QLineEdit(), QLineEdit(), QLineEdit(), QToolButton()
            text.setMaxLength(4 * LONGEST["choice.text"])
            for editor, name, tip in (
                (text, f"Answer {k + 1}", "What the student can choose"),
                (low, f"Answer {k + 1} is right from", "Right if at least so much is measured; empty for no limit"),
                (high, f"Answer {k + 1} is right to below", "Right if less is measured; empty for no limit"),
            ):
                editor.setAccessibleName(name)
                editor.setToolTip(tip)
                editor.setProperty("wrong", False)
                editor.textEdited.connect(self._typed)
            low.setPlaceholderText("no limit")
            high.setPlaceholderText("no limit")
            out.setAccessibleName(f"Take answer {k + 1} out")
            out.setToolTip("Take this answer out")
            out.clicked.connect(partial(self._drop, k))
            row = text, low, high, out
            for place, part in enumerate(row):
                self._grid.addWidget(part, k + 1, place)
            self.rows.append(row)
        self.set_scale(self._factor)

    def _typed(self) -> None:
        self._hand_on(
            tuple(DraftChoice(t.text(), read(low.text()), read(high.text())) for t, low, high, _ in self.rows)
        )

    def _add(self) -> None:
        self._hand_on((*self._choices, DraftChoice()))
        self.rows[-1][0].setFocus()

    def _drop(self, place: int) -> None:
        self._hand_on((*self._choices[:place], *self._choices[place + 1 :]))

    def _hand_on(self, choices: tuple[DraftChoice, ...]) -> None:
        self.set_choices(choices)
        self.edited.emit(choices)


def written(value: Typed) -> str:
    """A limit as it stands in its field."""
    return "" if value is None else value if isinstance(value, str) else repr(value).removesuffix(".0")


def read(text: str) -> Typed:
    """What stands in a limit's field: a number where it reads as one, the text where it does not, None for nothing."""
    text = text.strip().replace("−", "-")
    try:
        return float(text) if text else None
    except ValueError:
        return text


def mark(editor: QLineEdit, line: str) -> None:
    """Draw a field as wrong, or not, and say why to a screen reader."""
    editor.setAccessibleDescription(line)
    if editor.property("wrong") != bool(line):
        editor.setProperty("wrong", bool(line))
        editor.style().polish(editor)
