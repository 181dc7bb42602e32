"""One line of a form: a name, a field, and below them a quiet note or what is wrong with what was typed.

A field knows the path of the setting that it edits ("ladder.sigma_min") and hands on what was chosen or typed; whether
that is allowed is for the settings to say (`trainer.settings`), in the one line of their `InputError`. A choice with
consequences can ask first: the field keeps what was chosen, and two buttons below it take it over or leave it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from explorer.theme import CAPTION, CONTROL, LIGHT, UNIT, Theme, font

_ARROW, _SLACK = 44, 8
"""Pixels that a list of choices needs beside its words, and how many of them may be missing."""

MISSING = "from data"
"""What an empty field of an optional number means."""


@dataclass(frozen=True)
class Spec:
    """One setting as a form shows it.

    Attributes:
        path: the field's name in its dataclass, with a dot for nested ones.
        label: its name for a person.
        tip: one line that explains it.
        choices: (value, words) to choose from, a value being text or a truth; empty for a number.
        whole: a whole number.
        optional: may be left empty, which is None.
        note: quiet words below the field.
        plain: digits without grouping, for a number that is a name (a seed).
        missing: what an empty field says that may be left empty.
    """

    path: str
    label: str
    tip: str
    choices: tuple[tuple[str | bool, str], ...] = ()
    whole: bool = False
    optional: bool = False
    note: str = ""
    plain: bool = False
    missing: str = MISSING


def dialog_column(dialog: QDialog, heading: QLabel, rows: Iterable[FieldRow]) -> QVBoxLayout:
    """The layout of a dialog that asks: its heading and its rows, and room for what is added below."""
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(3 * UNIT, 2 * UNIT, 3 * UNIT, 2 * UNIT)
    layout.setSpacing(UNIT)
    for widget in (heading, *rows):
        layout.addWidget(widget)
    return layout


def value_at(settings: object, path: str) -> Any:  # noqa: ANN401 - settings hold text and numbers
    """The value of a (nested) field."""
    for name in path.split("."):
        settings = getattr(settings, name)
    return settings


def with_value(settings: Any, path: str, value: object) -> Any:  # noqa: ANN401 - any frozen dataclass
    """A copy of frozen settings with one (nested) field replaced; raises what the settings raise."""
    name, _, rest = path.partition(".")
    return replace(settings, **{name: with_value(getattr(settings, name), rest, value) if rest else value})


class FieldRow(QWidget):
    """A label, an editor and a note; `edited` when the person has finished choosing or typing."""

    edited = Signal(str)
    """The path of the setting."""
    answered = Signal(str, bool)
    """The path of the setting, and whether what was asked is to be done."""

    def __init__(self, spec: Spec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spec = spec
        self.label = QLabel(spec.label)
        self.editor: QLineEdit | Choice = Choice(spec.choices) if spec.choices else QLineEdit()
        self.editor.setAccessibleName(spec.label)
        self.editor.setToolTip(spec.tip)
        self.editor.setProperty("wrong", False)
        self.label.setToolTip(spec.tip)
        self.label.setBuddy(self.editor)
        self.note = QLabel(spec.note)
        self.note.setWordWrap(True)
        self.note.setProperty("quiet", True)
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        if isinstance(self.editor, Choice):
            self.editor.activated.connect(self._finished)
        else:
            self.editor.setAlignment(Qt.AlignmentFlag.AlignRight)
            self.editor.setPlaceholderText(spec.missing if spec.optional else "")
            self.editor.editingFinished.connect(self._finished)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(UNIT)
        layout.setVerticalSpacing(2)
        layout.setColumnStretch(0, 1)
        layout.addWidget(self.label, 0, 0)
        layout.addWidget(self.editor, 0, 1)
        layout.addWidget(self.note, 1, 0, 1, 2)
        self.note.setVisible(bool(spec.note))
        self._usual = spec.note
        self._buttons: tuple[QPushButton, QPushButton] | None = None
        self._factor = 1.0

    def value(self) -> object:
        """What is chosen or typed: a number where it reads as one, the text itself where it does not."""
        if isinstance(self.editor, Choice):
            return self.editor.currentData()
        text = self.editor.text().strip()
        if not text and self.spec.optional:
            return None
        try:
            return int(text.replace(",", "")) if self.spec.whole else float(text.replace("−", "-"))
        except ValueError:
            return text

    def set_value(self, value: object) -> None:
        """Show this value; emits nothing and clears an error."""
        if isinstance(self.editor, Choice):
            self.editor.setCurrentIndex(self.editor.findData(value))
        else:
            self.editor.setText(str(value) if self.spec.plain else _written(value))
        self.set_error("")

    def set_note(self, text: str) -> None:
        """Say this below the field from now on, except while an error or a question stands there."""
        before, self._usual = self._usual, text
        if text != before and self.note.text() == before:
            self.note.setText(text)
            self.note.setVisible(bool(text))
            self.editor.setAccessibleDescription(text)

    def set_error(self, line: str) -> None:
        """Say below the field what is wrong; an empty line brings the note back."""
        wrong = bool(line)
        self._hide_buttons()
        self.note.setText(line or self._usual)
        self.note.setVisible(bool(self.note.text()))
        self.editor.setAccessibleDescription(line or self._usual)
        if self.editor.property("wrong") != wrong:
            self.editor.setProperty("wrong", wrong)
            self.note.setProperty("quiet", not wrong)
            for widget in (self.editor, self.note):
                widget.style().polish(widget)

    def ask(self, question: str, verb: str) -> None:
        """Ask below the field before what was chosen is taken over; `answered` brings the answer."""
        self.set_error("")
        self.note.setText(question)
        self.note.setVisible(True)
        self.editor.setAccessibleDescription(question)
        yes, no = self._buttons or self._make_buttons()
        yes.setText(verb)
        yes.setAccessibleName(f"{verb}: {self.spec.label}")
        no.setAccessibleName(f"Keep: {self.spec.label}")
        for button in (yes, no):
            button.setVisible(True)

    @property
    def asking(self) -> bool:
        """Whether it waits for an answer."""
        return self._buttons is not None and not self._buttons[0].isHidden()

    def set_idle(self, reason: str) -> None:
        """Disable the field, and say why in its tooltip; an empty reason enables it again."""
        self.editor.setEnabled(not reason)
        for widget in (self.label, self.editor):
            widget.setToolTip(reason or self.spec.tip)
        if self.label.property("quiet") != bool(reason):
            self.label.setProperty("quiet", bool(reason))
            self.label.style().polish(self.label)

    def error(self) -> str:
        """What is wrong with the field, or nothing."""
        return self.note.text() if self.editor.property("wrong") else ""

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._factor = factor
        self.note.setFont(font(CAPTION, scale=factor))
        for button in self._buttons or ():
            button.setFont(font(CAPTION, scale=factor))
        for widget in (self.label, self.editor):
            widget.setFont(font(CONTROL, scale=factor))
        usual, wide = (144, 176) if self.spec.choices else (96, 96)
        cramped = self.editor.sizeHint().width() > (usual + _SLACK) * factor
        self.editor.setFixedWidth(round((wide if cramped else usual) * factor))

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        if isinstance(self.editor, Choice):
            self.editor.ink = theme.colour("quiet")
            self.editor.update()

    def _finished(self) -> None:
        self.edited.emit(self.spec.path)

    def _make_buttons(self) -> tuple[QPushButton, QPushButton]:
        """The two answers; they stand below the question from its first time on."""
        yes, no = QPushButton(), QPushButton("Keep")
        no.setToolTip("Leave everything as it is")
        row = QHBoxLayout()
        row.setSpacing(UNIT)
        row.addStretch(1)
        for button, answer in ((no, False), (yes, True)):
            button.setFont(font(CAPTION, scale=self._factor))
            button.clicked.connect(partial(self.answered.emit, self.spec.path, answer))
            button.setAutoDefault(False)
            row.addWidget(button)
        layout = self.layout()
        assert isinstance(layout, QGridLayout)
        layout.addLayout(row, 2, 0, 1, 2)
        for one, other in ((self.editor, yes), (yes, no)):
            QWidget.setTabOrder(one, other)
        self._buttons = yes, no
        return self._buttons

    def _hide_buttons(self) -> None:
        for button in self._buttons or ():
            button.setVisible(False)


def _written(value: object) -> str:
    """A number as a person would type it: 10,000 and 8e-5."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:g}".replace("e-0", "e-")


class Choice(QComboBox):
    """A list to choose from, with its arrow drawn in the theme's ink."""

    def __init__(self, choices: Sequence[tuple[str | bool, str]]) -> None:
        super().__init__()
        self.ink = LIGHT.colour("quiet")
        for value, words in choices:
            self.addItem(words, value)

    def sizeHint(self) -> QSize:
        """As wide as the longest choice and the arrow."""
        hint = super().sizeHint()
        longest = max((self.fontMetrics().horizontalAdvance(self.itemText(k)) for k in range(self.count())), default=0)
        return QSize(max(hint.width(), longest + _ARROW), hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the field, then a small arrow at its right."""
        super().paintEvent(event)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self.ink, 1.5))
            x, y = self.width() - 14, self.height() / 2
            painter.drawPolyline(QPolygonF([QPointF(x - 3.5, y - 2), QPointF(x, y + 2), QPointF(x + 3.5, y - 2)]))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the drawer, which scrolls: a setting must not change on the way."""
        event.ignore()
