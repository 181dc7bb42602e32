"""What one step of a lesson says, shows, leaves to the student and asks: the form beside the list of steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from explorer.composition import PANE_VIEWS, TITLES
from explorer.glossary.tiles import ENTRIES
from explorer.layouts import story_places
from explorer.lessons.draft import DraftQuestion, DraftStep
from explorer.lessons.lesson import CONTROLS, MOST_SHOWN, Beginning, Control
from explorer.lessons.proofs import LONGEST
from explorer.lessons.tabbing import order_tabs
from explorer.lessons.writerparts import Names, TextField, Ticks
from explorer.lessons.writerquestion import DOINGS, WIDE, QuestionForm
from explorer.panels.fields import FieldRow, Spec
from explorer.panels.form import FoldingSection
from explorer.panels.formula import FormulaView, formula_problem
from explorer.panes import pane_names, pane_titles
from explorer.theme import CONTROL, UNIT, Theme, font
from explorer.views.tile import tell
from trainer.plans import names
from trainer.projects import Setup
from trainer.scenes import Scene

STUDENT: dict[Control, tuple[str, str]] = {
    "menus": ("menus", "The menu bar"),
    "tools": ("brushes and presets", "The strip below the painting"),
    "axes": ("the two sliders", "Training step and noise level, between the rows of squares"),
    "bar": ("the bar below", "Train, step, reset; particles"),
    "drawer": ("the settings", "The drawer at the right"),
}
"""The controls in a lecturer's words."""

BEGINS, GOES_ON = "begins", "goes on"

_RUN = Spec(
    "run",
    "run",
    "Whether a student's run begins here, from what was open when the moment was taken",
    ((BEGINS, "begins here"), (GOES_ON, "goes on with the step before")),
)
_PAUSE_MS = 200
"""A formula is set once nobody has typed for so long."""


class StepForm(QWidget):
    """Shows one step; `edited` hands on the fields that the person has changed, the other signals what is wanted."""

    edited = Signal(dict)
    run_wanted = Signal(bool)
    """Whether the step is to begin a run."""
    question_wanted = Signal(object)
    """A first `DraftQuestion`, or None for none."""

    def __init__(self) -> None:
        super().__init__()
        self._step: DraftStep | None = None
        self.title = TextField("title", "What the step is called", LONGEST["title"])
        self.text = TextField(
            "text",
            "What is said beside the squares",
            LONGEST["text"],
            lines=7,
            hint="**bold**, *italic*; an empty line begins a paragraph.",
        )
        self.formula = TextField("formula", "LaTeX, without dollars; may be left empty", LONGEST["formula"])
        self.preview = FormulaView()
        self.preview.hide()
        self.run = FieldRow(_RUN)
        self.do = Ticks("on entering", columns=3, hint="Done when a student comes to this step.")
        self.do.offer(DOINGS)
        self.show_ = Ticks(
            "squares", columns=4, most=MOST_SHOWN, hint="Up to four alone and large; none ticked shows all eight."
        )
        self.controls = Ticks("the student has", columns=3)
        self.controls.offer([(name, *STUDENT[name]) for name in CONTROLS])
        self.explain = Names(
            "explanations", [(each.name, each.title) for each in ENTRIES.values()], "Offer an explanation…"
        )
        self.question = QuestionForm()
        self.ask, self.ask_nothing = QPushButton("Ask a question"), QPushButton("Ask nothing")
        self.ask.setToolTip("Let the student predict before the squares open")
        self.ask_nothing.setToolTip("Take the question out of this step")
        for button in (self.ask, self.ask_nothing):
            button.setAutoDefault(False)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(lambda: self._preview(self.formula.text()))
        self._arrange()
        self._connect()

    def _arrange(self) -> None:
        asking = QWidget()
        row = QHBoxLayout(asking)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(self.ask)
        row.addWidget(self.ask_nothing)
        parts: tuple[tuple[str, tuple[QWidget, ...]], ...] = (
            ("Words", (self.title, self.text, self.formula, self.preview)),
            ("Run", (self.run, self.do)),
            ("Squares", (self.show_,)),
            ("What the student has", (self.controls,)),
            ("Explanations", (self.explain,)),
            ("Question", (self.question, asking)),
        )
        self.sections = {title: FoldingSection(title, folded=title == "Question") for title, _ in parts}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, UNIT, 0)
        column.setSpacing(2 * UNIT)
        for title, widgets in parts:
            for widget in widgets:
                self.sections[title].add(widget)
            column.addWidget(self.sections[title])
        column.addStretch(1)

    def _connect(self) -> None:
        self.title.edited.connect(lambda text: self.edited.emit({"title": text}))
        self.text.edited.connect(lambda text: self.edited.emit({"text": text}))
        self.formula.edited.connect(lambda text: self.edited.emit({"formula": text}))
        self.formula.edited.connect(lambda _: self._pause.start())
        self.run.edited.connect(lambda _: self.run_wanted.emit(self.run.value() == BEGINS))
        self.do.edited.connect(lambda names_: self.edited.emit({"do": names_}))
        self.show_.edited.connect(lambda names_: self.edited.emit({"show": names_}))
        self.controls.edited.connect(lambda names_: self.edited.emit({"controls": names_}))
        self.explain.edited.connect(lambda names_: self.edited.emit({"explain": names_}))
        self.question.edited.connect(lambda values: self.edited.emit({"question": values}))
        self.ask.clicked.connect(lambda: self.question_wanted.emit(DraftQuestion()))
        self.ask_nothing.clicked.connect(lambda: self.question_wanted.emit(None))

    # --- showing ---

    def set_step(self, step: DraftStep, setup: Setup | None) -> None:
        """Show this step, whose run is set up like this; emits nothing."""
        before, self._step = self._step, step
        self.title.set_text(step.title)
        self.text.set_text(step.text)
        self.formula.set_text(step.formula)
        self._preview(step.formula)
        self.run.set_value(BEGINS if step.begin is not None else GOES_ON)
        self.run.set_note(run_words(step, setup))
        self.do.set_ticked(step.do)
        squares = squares_of(step, setup)
        self.show_.offer(squares)
        self.show_.set_ticked(step.show)
        self.controls.set_ticked(step.controls)
        self.explain.set_names(step.explain)
        asks = step.question is not None
        self.question.setVisible(asks)
        self.ask.setVisible(not asks)
        self.ask_nothing.setVisible(asks)
        if step.question is not None:
            panes = pane_titles(setup.scene) if setup is not None else ()
            racers = names(setup.race.entrants) if setup is not None else ()
            self.question.set_question(step.question)
            self.question.set_scene(panes, racers, squares)
        if before is None or asks != (before.question is not None):
            self.sections["Question"].set_folded(not asks)
        order_tabs(self)

    def take(self, step: DraftStep) -> None:
        """The step is this now, as the person has typed it; nothing is shown anew."""
        self._step = step

    def set_problems(self, lines: Mapping[str, str]) -> None:
        """Say beside each field what is wrong with it."""
        for name in ("title", "text", "formula", "do", "controls", "explain"):
            getattr(self, name).set_problem(lines.get(name, ""))
        self.show_.set_problem(lines.get("show", "") or lines.get("places", ""))
        line = lines.get("begin", "") or lines.get("change", "")
        if line != self.run.error():
            self.run.set_error(line)
        inner = "question."
        self.question.set_problems({n.removeprefix(inner): v for n, v in lines.items() if n.startswith(inner)})

    def show_field(self, field: str) -> QWidget:
        """Open the section of a field and let the keyboard have it; what has it then is returned."""
        inner = field.removeprefix("question.")
        if field != inner:
            section, widget = "Question", self.question.field(inner)
        else:
            section, widget = {
                "title": ("Words", self.title.editor),
                "text": ("Words", self.text.editor),
                "formula": ("Words", self.formula.editor),
                "explain": ("Explanations", self.explain.adder),
            }.get(field, ("Run", self.run.editor))
        self.sections[section].set_folded(False)
        widget.setFocus()
        return widget

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for part in (self.preview, self.run, self.explain, self.question):
            part.set_theme(theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        parts = (self.title, self.text, self.formula, self.preview, self.run, self.do, self.show_, self.controls)
        for part in (*parts, self.explain, self.question, *self.sections.values()):
            tell(part, "set_scale", factor)
        for button in (self.ask, self.ask_nothing):
            button.setFont(font(CONTROL, scale=factor))
        self.run.editor.setFixedWidth(round(WIDE * factor))

    def _preview(self, latex: str) -> None:
        """Set the formula, or none while it cannot be set."""
        latex = latex.strip()
        self.preview.set_formula("" if formula_problem(latex) else latex)
        self.preview.setVisible(bool(self.preview.latex))


def run_words(step: DraftStep, setup: Setup | None) -> str:
    """What the run of a step begins with, or how it differs from the step before, in a line."""
    if isinstance(step.begin, Beginning):
        return f"{_named(step.begin.painting)}, with a fresh network."
    if step.begin is not None:
        weights = "with its weights" if step.begin.network is not None else "without weights"
        return f"{_named(step.begin.name)} at training step {step.begin.steps:,}, {weights}."
    changed = ", ".join(sorted(step.change))
    if changed:
        return f"Changes settings of the step before: {changed}."
    return "" if setup is None else f"{_named(setup.name)}, as the step before left it."


def _named(name: str) -> str:
    return name[:1].upper() + name[1:]


def squares_of(step: DraftStep, setup: Setup | None) -> list[tuple[str, str, str]]:
    """The views that stand in the eight places of a step, and those shown besides: name, words, tip."""
    scene = setup.scene if setup is not None else Scene()
    views: Sequence[str] = step.places or story_places(len(scene.panes))
    question = step.question
    more = (*step.show, *(question.covers if question is not None else ()))
    views = (*views, *(view for view in dict.fromkeys(more) if view not in views))
    whole = TITLES | dict(zip(PANE_VIEWS, pane_titles(scene), strict=False))
    short = TITLES | dict(zip(PANE_VIEWS, map(_named, pane_names(scene)), strict=False))
    return [(view, short.get(view, view), whole.get(view, view)) for view in views]
