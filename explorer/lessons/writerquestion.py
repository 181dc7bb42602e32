"""The question of a step: what is asked, which answers there are, what decides between them and when it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from explorer.lessons.draft import DraftQuestion, Typed
from explorer.lessons.lesson import Doing
from explorer.lessons.measures import QUANTITIES
from explorer.lessons.proofs import LONGEST
from explorer.lessons.writeranswers import Answers
from explorer.lessons.writerparts import TextField, Ticks
from explorer.panels.fields import Choice, FieldRow, Spec
from explorer.theme import CONTROL, UNIT, Theme, font
from explorer.views.tile import tell

DOINGS: tuple[tuple[Doing, str, str], ...] = (
    ("train", "train", "Training goes on"),
    ("pause", "pause training", "Training stops where it is"),
    ("reset", "learn anew", "Training starts again from a fresh network"),
    ("release", "release particles", "All particles start anew"),
    ("move", "move particles", "Particles go on moving"),
    ("hold", "hold particles", "Particles stay where they are"),
    ("race", "run the race", "The objectives race"),
    ("hold race", "hold the race", "The race stops where it is"),
    ("pictures", "open the digits", "The window of the shipped image model opens"),
)
"""What a step can do by itself: name, words, tip. In the order in which it is done."""

CLOCKS = (
    ("now", "as soon as it is known"),
    ("steps", "after training steps"),
    ("particles", "after part of the run"),
    ("race", "after steps of the race"),
)
_AMOUNTS = {
    "steps": ("training steps", "Counted from the beginning of the run"),
    "particles": ("part of the run", "From 0 to 1: the particles have taken this part of all their steps"),
    "race": ("steps of the race", "All that are in the race have taken so many"),
}
_FIRST = {"particles": 1.0, "steps": 500, "race": 500}
_NUMBERED = ("pane", "mode", "sigma", "racer", "against")
_FIELDS = (
    Spec("quantity", "measured", "What decides which answer is right",
         tuple((name, each.title) for name, each in QUANTITIES.items())),
    Spec("pane", "whose particles", "The square of particles that it is measured in", (("1", "1"),)),
    Spec("mode", "mode", "1 has the largest mass, 2 the next", whole=True),
    Spec("sigma", "at σ", "The nearest noise level that is followed is taken"),
    Spec("racer", "of", "Whose figure it is", (("1", "1"),)),
    Spec("against", "divided by that of", "Whose figure it is divided by", (("1", "1"),)),
    Spec("clock", "read", "When it is measured, once an answer has been chosen", CLOCKS),
    Spec("amount", "amount", "How much"),
    Spec("learned", "training steps first", "What is done then waits until so many have been taken", whole=True),
)  # fmt: skip
WIDE = 248
"""Pixels of a list to choose from, at scale 1."""

_CHOSEN = ("pane", "racer", "against")


class QuestionForm(QWidget):
    """Shows one question; `edited` hands on the fields that the person has changed."""

    edited = Signal(dict)

    def __init__(self) -> None:
        super().__init__()
        self._factor = 1.0
        self._question = DraftQuestion()
        self._shown: dict[str, object] = {}
        self.ask = TextField("question", "What the student is asked", LONGEST["question.ask"], lines=2)
        self.answers = Answers()
        self.rows = {spec.path: FieldRow(spec) for spec in _FIELDS}
        self.covers = Ticks("covered", columns=4, hint="Covered until an answer is chosen.")
        self.do = Ticks("done then", columns=3, hint="Done once an answer is chosen.")
        self.do.offer(DOINGS)
        self.reveal = TextField("said after", "What is said once it is known", LONGEST["question.reveal"], lines=3)
        self._captions = [QLabel("covered squares"), QLabel("done then")]
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addWidget(self.ask)
        column.addWidget(self.answers)
        for name in ("quantity", *_NUMBERED, "clock", "amount"):
            column.addWidget(self.rows[name])
        for caption, ticks in zip(self._captions, (self.covers, self.do), strict=True):
            column.addSpacing(UNIT // 2)
            column.addWidget(caption)
            column.addWidget(ticks)
        column.addWidget(self.rows["learned"])
        column.addWidget(self.reveal)
        self.ask.edited.connect(lambda text: self._hand_on(ask=text))
        self.reveal.edited.connect(lambda text: self._hand_on(reveal=text))
        self.answers.edited.connect(lambda choices: self._hand_on(choices=choices))
        self.covers.edited.connect(lambda names: self._hand_on(covers=names))
        self.do.edited.connect(lambda names: self._hand_on(do=names))
        for row in self.rows.values():
            row.edited.connect(self._row_edited)

    def set_question(self, question: DraftQuestion) -> None:
        """Show this one; emits nothing."""
        self._question = question
        self.ask.set_text(question.ask)
        self.reveal.set_text(question.reveal)
        self.answers.set_choices(question.choices)
        self.covers.set_ticked(question.covers)
        self.do.set_ticked(question.do)
        for name, row in self.rows.items():
            value = getattr(question, name)
            if name in _CHOSEN:
                self._show_chosen(name, value)
            elif isinstance(value, str) and isinstance(row.editor, QLineEdit):
                row.editor.setText(value)
            else:
                row.set_value(value)
            self._shown[name] = row.value()
        self._show_needed()

    def set_scene(self, panes: Sequence[str], racers: Sequence[str], squares: Sequence[tuple[str, str, str]]) -> None:
        """What there is to choose from in the run of the step."""
        for name, words in (("pane", panes), ("racer", racers), ("against", racers)):
            editor = self.rows[name].editor
            assert isinstance(editor, Choice)
            editor.clear()
            for number, each in enumerate(words, 1):
                editor.addItem(each, str(number))
            self._show_chosen(name, getattr(self._question, name))
            self._shown[name] = self.rows[name].value()
        self.covers.offer(squares)
        self.covers.set_ticked(self._question.covers)
        self.set_scale(self._factor)

    def field(self, name: str) -> QWidget:
        """The editor of a field of the question."""
        if name.startswith("choices."):
            _, place, end = name.split(".")
            return self.answers.rows[int(place)][0 if end == "text" else 1]
        if name in self.rows:
            return self.rows[name].editor
        if name == "ranges":
            return self.answers.rows[0][1]
        return (self.reveal if name == "reveal" else self.ask).editor

    def set_problems(self, lines: Mapping[str, str]) -> None:
        """What is wrong with which field, by the field's name within the question."""
        self.ask.set_problem(lines.get("ask", ""))
        self.reveal.set_problem(lines.get("reveal", ""))
        self.covers.set_problem(lines.get("covers", ""))
        self.do.set_problem(lines.get("do", ""))
        self.answers.set_problems(lines)
        for name, row in self.rows.items():
            if lines.get(name, "") != row.error():
                row.set_error(lines.get(name, ""))

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self.answers.set_theme(theme)
        for row in self.rows.values():
            row.set_theme(theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._factor = factor
        for part in (self.ask, self.answers, self.covers, self.do, self.reveal, *self.rows.values()):
            tell(part, "set_scale", factor)
        for caption in self._captions:
            caption.setFont(font(CONTROL, scale=factor))
        for row in self.rows.values():
            if row.spec.choices:
                row.editor.setFixedWidth(round(WIDE * factor))

    def _show_chosen(self, name: str, value: Typed) -> None:
        """Choose this number; one that there is not is listed as what it is."""
        editor = self.rows[name].editor
        assert isinstance(editor, Choice)
        if editor.findData(str(value)) < 0:
            editor.addItem(f"{value}, which there is not", str(value))
        editor.setCurrentIndex(editor.findData(str(value)))

    def _show_needed(self) -> None:
        """The fields that the quantity and the clock have, and no others."""
        known = QUANTITIES.get(self._question.quantity)
        for name in _NUMBERED:
            self.rows[name].setVisible(known is not None and name in known.of)
        clock = self._question.clock
        self.rows["amount"].setVisible(clock in _AMOUNTS)
        label, tip = _AMOUNTS.get(clock, ("amount", ""))
        row = self.rows["amount"]
        row.label.setText(label)
        row.editor.setAccessibleName(label)
        for widget in (row.label, row.editor):
            widget.setToolTip(tip)

    def _row_edited(self, name: str) -> None:
        value = self.rows[name].value()
        if value == self._shown.get(name):  # left as it was, not rounded to the digits that are shown
            return
        self._shown[name] = value
        if name in _CHOSEN:
            value = int(str(value))
        values: dict[str, Any] = {name: value}
        if name == "clock":
            values["amount"] = _FIRST.get(str(value), 0.0)
            self.rows["amount"].set_value(values["amount"])
            self._shown["amount"] = self.rows["amount"].value()
        self._question = replace(self._question, **values)
        self._show_needed()
        self.edited.emit(values)

    def _hand_on(self, **values: Any) -> None:  # noqa: ANN401 - fields of DraftQuestion
        self._question = replace(self._question, **values)
        self.edited.emit(values)
