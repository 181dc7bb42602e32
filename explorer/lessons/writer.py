"""The window in which a lesson is written: its steps at the left, one of them at the right, one file in the end.

The main window stays usable beside it: what it shows becomes a step by a press of a button. The writer knows the main
window by two functions alone, one that takes the present moment and one that plays a lesson from a step on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from explorer.lessons.draft import Draft, DraftQuestion, DraftStep, lesson_of
from explorer.lessons.files import read_lesson, write_lesson
from explorer.lessons.lesson import Lesson
from explorer.lessons.manuscript import Manuscript
from explorer.lessons.proofs import LONGEST, Problem, problems, setup_at
from explorer.lessons.taking import Taken
from explorer.lessons.writerfiles import ask_open, ask_save
from explorer.lessons.writerform import StepForm
from explorer.lessons.writerlist import StepList
from explorer.lessons.writerparts import TextField, sheet
from explorer.panels.asking import ask_unsaved
from explorer.panels.formula import formula_problem
from explorer.theme import CONTROL, LIGHT, UNIT, Theme, font
from explorer.wording import in_words
from trainer.assets import assets
from trainer.errors import InputError

_OTHERWISE = (
    "Only what is shown was taken: what is open now has another painting or other settings than the run of this step."
)
_RESTORED = "This was being written when the program ended. Save it, or begin another lesson with New."
_FIRST = (
    "Arrange the main window as a student is to see it: paint, choose what the squares show, release particles. "
    "Then add this moment; it becomes the first step."
)


class LessonWriter(QDialog):
    """Writes one lesson at a time; `take` is asked for the present moment, `play` plays a lesson from a step on."""

    def __init__(
        self, take: Callable[[], Taken], play: Callable[[Lesson, int], object], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._take, self._play = take, play
        self._theme, self._factor = LIGHT, 1.0
        self._told = False  # whether what is merely empty still counts as wrong: once somebody wants the whole
        self._problems: list[Problem] = []
        self.manuscript = Manuscript()
        self.title = TextField("title of the lesson", "What the lesson is called", LONGEST["title"])
        self.about = TextField("what it is about, in a line", "Shown beside its title", LONGEST["about"])
        self.steps, self.form = StepList(), StepForm()
        self.empty = QLabel(_FIRST)
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setProperty("quiet", True)
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.line.setAccessibleName("What happened last")
        self.line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.buttons: dict[str, QPushButton] = {}
        self._arrange()
        self._connect()
        self._show(True)
        self.say("")
        self.set_scale(1.0)
        if parent is not None:
            parent.installEventFilter(self)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(2 * UNIT)
        head.addWidget(self.title, 2)
        head.addWidget(self.about, 3)
        self.area = QScrollArea()
        self.area.setWidget(self.form)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.viewport().setAutoFillBackground(False)
        self.form.setAutoFillBackground(False)
        middle = QHBoxLayout()
        middle.setSpacing(3 * UNIT)
        middle.addWidget(self.steps)
        middle.addWidget(self.area, 1)
        middle.addWidget(self.empty, 1)
        foot = QHBoxLayout()
        foot.setSpacing(UNIT)
        for name, words, tip, keys, do in (
            ("new", "New", "Begin another lesson", "Ctrl+N", self.new),
            ("open", "Open…", "Go on writing a lesson", "Ctrl+O", self.choose),
            ("save", "Save", "Save the lesson", "Ctrl+S", self.save),
            ("save_as", "Save as…", "Save the lesson under another name", "Ctrl+Alt+S", self.save_as),
            ("play", "Play from here", "Play the lesson in the main window, from this step on", "F5", self.play),
            ("close", "Close", "Close", "Esc", self.reject),
        ):
            button = self.buttons[name] = QPushButton(words)
            button.setToolTip(f"{tip}  ({keys})")
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, do=do: do())
            if name != "close":  # which the dialog knows by itself
                QShortcut(QKeySequence(keys), self).activated.connect(do)
            if name == "play":
                foot.addStretch(1)
            foot.addWidget(button)
        rule = QFrame()
        rule.setObjectName("rule")
        rule.setFixedHeight(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * UNIT, 2 * UNIT, 3 * UNIT, 2 * UNIT)
        column.setSpacing(2 * UNIT)
        column.addLayout(head)
        column.addWidget(rule)
        column.addLayout(middle, 1)
        column.addWidget(self.line)
        column.addLayout(foot)

    def _connect(self) -> None:
        script = self.manuscript
        script.subscribe(self._show)
        self.title.edited.connect(lambda text: script.head(title=text))
        self.about.edited.connect(lambda text: script.head(about=text))
        self.steps.chosen.connect(script.select)
        self.steps.moved.connect(script.move)
        self.steps.wanted.connect(lambda what: {"undo": script.undo}.get(what, getattr(script, what))())
        self.steps.add_wanted.connect(self._add)
        self.steps.take_wanted.connect(self._retake)
        self.form.edited.connect(self._write)
        self.form.run_wanted.connect(self._run)
        self.form.question_wanted.connect(self._ask)
        for keys, do in (("Ctrl+Z", script.undo), ("Ctrl+Shift+Z", script.redo)):
            QShortcut(QKeySequence(keys), self).activated.connect(do)

    # --- the file ---

    def new(self) -> None:
        """Begin another lesson."""
        if self.may_leave():
            self._begin()
            self.title.editor.setFocus()

    def choose(self) -> None:
        """Ask for a lesson and go on writing it."""
        path = ask_open(self, self.manuscript.path)
        if path is not None:
            self.open_file(path)

    def open_file(self, path: Path) -> bool:
        """Go on writing the lesson in this file; False if it cannot be read or what is here shall stay."""
        try:
            lesson = read_lesson(path)
        except InputError as error:
            self.say(in_words(str(error)))
            return False
        if not self.may_leave():
            return False
        # One that the program brings is nobody's to overwrite: it is saved under another name.
        own = None if path.resolve().is_relative_to(assets().resolve()) else path
        self._begin(lesson, own)
        return True

    def save(self) -> bool:
        """Save where the lesson lies; asks for a name the first time. False when nothing was saved."""
        lesson = self._whole("saved")
        return lesson is not None and (self._write_file(lesson) if self.manuscript.path else self._save_as(lesson))

    def save_as(self) -> bool:
        """Ask for a name and save; False when nothing was saved."""
        lesson = self._whole("saved")
        return lesson is not None and self._save_as(lesson)

    def may_leave(self) -> bool:
        """Whether what is written may go: it is saved, or the person has chosen what becomes of it."""
        if not self.manuscript.changed:
            return True
        title = self.manuscript.draft.title.strip() or "the lesson"
        answer = ask_unsaved(self, "lesson", title, "what was written")
        return self.save() if answer == "save" else answer == "discard"

    def _save_as(self, lesson: Lesson) -> bool:
        chosen = ask_save(self, self.manuscript.path, lesson.title)
        return chosen is not None and self._write_file(lesson, chosen)

    def _write_file(self, lesson: Lesson, path: Path | None = None) -> bool:
        path = path or self.manuscript.path
        assert path is not None
        try:
            write_lesson(path, lesson)
        except InputError as error:
            self.say(in_words(str(error)))
            return False
        self._told = False
        self.manuscript.mark_kept(path)
        self.say(f"Saved {path.name}")
        return True

    def _whole(self, wanted: str) -> Lesson | None:
        """The lesson, if nothing is missing or wrong; else the first such thing is gone to and told."""
        self._told = True
        self._show(False)
        if self._problems:
            first = self._problems[0]
            if first.step is not None:
                self.manuscript.select(first.step)
                self._go_to(first.field)
            elif first.field in ("title", "about"):
                getattr(self, first.field).editor.setFocus()
            more = len(self._problems) - 1
            rest = f" Then {more} more." if more else ""
            self.say(f"Not {wanted} yet. {first.said}.{rest}")
            return None
        try:
            return lesson_of(self.manuscript.draft)
        except InputError as error:
            self.say(in_words(str(error)))
            return None

    def restore(self, draft: Draft, path: Path | None) -> None:
        """Go on with what was written when the program ended; `path` is the lesson's file, if it had one."""
        self._told = False
        self.manuscript.restore(draft, path)
        self.say(_RESTORED)

    def _begin(self, lesson: Lesson | None = None, path: Path | None = None) -> None:
        self._told = False
        self.manuscript.begin(lesson, path)
        self.say("")
        if lesson is not None:
            self.steps.list.setFocus()

    # --- the steps ---

    def play(self) -> None:
        """Play the lesson as it is now, from the chosen step on."""
        lesson = self._whole("played")
        if lesson is not None:
            self.say("")
            try:
                self._play(lesson, max(self.manuscript.selected, 0))
            except InputError as error:
                self.say(in_words(str(error)))

    def _add(self, run: bool) -> None:
        """The present moment as a step; the first one always begins a run."""
        script = self.manuscript
        if script.full:
            self.say("A lesson has no more steps than these.")
            return
        moment, run = self._take(), run or script.selected < 0
        script.add(DraftStep(**moment.values(run=run)))
        self._go_to("title")
        self._compare(moment, run)

    def _retake(self, run: bool) -> None:
        """The present moment in place of what the step showed."""
        moment = self._take()
        self.manuscript.retake("take", **moment.values(run=run))
        self._compare(moment, run)

    def _compare(self, moment: Taken, run: bool) -> None:
        """Say so if a student will see another run than the one that is open."""
        setup = None if run else setup_at(self.manuscript.draft, self.manuscript.selected)
        if setup is not None and not moment.belongs(setup):
            self.say(_OTHERWISE)

    def _run(self, begins: bool) -> None:
        """Let the step begin a run, with what is open now, or go on with the one before."""
        step = self.manuscript.step
        if step is None or begins == (step.begin is not None):
            return
        if begins:
            taken = self._take().values(run=True)
            self.manuscript.retake("run", **{name: taken[name] for name in ("begin", "change", "do")})
        else:
            self.manuscript.retake("run", begin=None, do=())

    def _ask(self, question: DraftQuestion | None) -> None:
        self.manuscript.retake("question", question=question)
        if question is not None:
            self._go_to("question.ask")

    def _go_to(self, field: str) -> None:
        """Let the keyboard have a field, and let it be seen once the form has settled."""
        widget = self.form.show_field(field)
        margin = self.area.viewport().height() // 3
        QTimer.singleShot(0, widget, lambda: self.area.ensureWidgetVisible(widget, 0, margin))

    def _write(self, values: dict[str, Any]) -> None:
        """Take over what was typed."""
        step = self.manuscript.step
        if step is None:
            return
        if "question" in values:
            if step.question is None:
                return
            values = {"question": replace(step.question, **values["question"])}
        self.manuscript.write(**values)

    def _show(self, turned: bool) -> None:
        """Show what has changed; `turned` if another step is looked at or the steps are others."""
        script = self.manuscript
        draft, step = script.draft, script.step
        self.say("")  # what was said was about how it was before
        if turned:
            self.title.set_text(draft.title)
            self.about.set_text(draft.about)
            self.area.setVisible(step is not None)
            self.empty.setVisible(step is None)
            if step is not None:
                self.form.set_step(step, setup_at(draft, script.selected))
        self._problems = problems(draft, formula_problem)
        shown = [each for each in self._problems if self._told or not each.missing]
        lines: dict[int | None, dict[str, str]] = {}
        for each in reversed(shown):
            lines.setdefault(each.step, {})[each.field] = each.line
        self.form.set_problems(lines.get(script.selected, {}))
        for name, field in (("title", self.title), ("about", self.about)):
            field.set_problem(lines.get(None, {}).get(name, ""))
        wrong = {place for place in lines if place is not None}
        self.steps.show_steps(draft.steps, script.selected, wrong, script.undo_text)
        name = script.path.name if script.path else draft.title.strip() or "untitled"
        self.setWindowTitle(f"{name}[*] — Write a lesson")
        self.setWindowModified(script.changed)
        self.buttons["play"].setEnabled(step is not None)

    def say(self, line: str) -> None:
        """Say what happened, at the bottom; "" takes it away."""
        self.line.setText(line)
        self.line.setVisible(bool(line))

    # --- life ---

    def open_writer(self) -> None:
        """Show it with what was written last."""
        self.show()
        self.raise_()
        self.activateWindow()

    def reject(self) -> None:
        """Close, unless what was written shall stay; what is not saved then is forgotten."""
        if self.may_leave():
            if self.manuscript.changed:
                self._begin()
            super().reject()

    def end(self) -> None:
        """Close without a question, with the main window."""
        parent = self.parentWidget()
        if parent is not None:
            parent.removeEventFilter(self)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The main window is to be closed: first ask what becomes of the lesson."""
        if watched is self.parentWidget() and event.type() == QEvent.Type.Close and not self.may_leave():
            event.ignore()
            return True
        return False

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.setStyleSheet(sheet(theme, self._factor))
        for part in (self.steps, self.form):
            part.set_theme(theme)
        self._show(False)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        if factor != self._factor or not self.isVisible():
            self.resize(round(900 * factor), round(640 * factor))
        self._factor = factor
        for part in (self.title, self.about, self.steps, self.form):
            part.set_scale(factor)
        for widget in (self.empty, self.line, *self.buttons.values()):
            widget.setFont(font(CONTROL, scale=factor))
