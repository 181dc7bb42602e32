"""Writing lessons: drafts and back, what is wrong with them, undo, and the window under real mouse and key events."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from explorer.glossary.tiles import ENTRIES
from explorer.layouts import PAGES, VIEWS, story_places
from explorer.lessons import writer as writing
from explorer.lessons.draft import Draft, DraftChoice, DraftQuestion, DraftStep, Typed, draft_of, lesson_of
from explorer.lessons.files import lesson_bytes, lesson_from, read_lesson, shipped
from explorer.lessons.lesson import CONTROLS, Beginning, Doing, Lesson, Step
from explorer.lessons.manuscript import Manuscript
from explorer.lessons.measures import QUANTITIES
from explorer.lessons.proofs import LONGEST, problems, remark
from explorer.lessons.taking import Taken
from explorer.lessons.writer import LessonWriter
from explorer.lessons.writeranswers import read, written
from explorer.lessons.writerfiles import file_name
from explorer.lessons.writerform import STUDENT, formula_problem, run_words
from explorer.lessons.writerquestion import CLOCKS, DOINGS
from explorer.viewing import ViewOptions
from tests.explorer.hands import LEFT, Key, type_into
from trainer.errors import InputError
from trainer.plans import RaceSettings, entrants
from trainer.projects import Project, Setup, project_bytes

SETUP = Setup(np.eye(16, dtype=np.float32), "diagonal", race=RaceSettings(entrants()))
PROJECT = Project(SETUP, SETUP, steps=412, sigma=0.3)

# --- drafts and lessons ---

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(
    str.strip
)
numbers = st.floats(-1e6, 1e6, allow_nan=False)


@st.composite
def choices(draw: st.DrawFn) -> tuple[DraftChoice, ...]:
    """Two to five answers whose ranges do not overlap; some ends open, some with gaps between."""
    ends = sorted(draw(st.lists(numbers, min_size=10, max_size=10, unique=True)))
    count = draw(st.integers(2, 5))
    ranges: list[tuple[Typed, Typed]] = [(ends[2 * k], ends[2 * k + 1]) for k in range(count)]
    if draw(st.booleans()):
        ranges[0] = None, ranges[0][1]
        ranges[-1] = ranges[-1][0], None
    return tuple(DraftChoice(draw(texts), *each) for each in draw(st.permutations(ranges)))


def some_of(names: tuple[Any, ...], most: int = 4) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(names), unique=True, max_size=most).map(tuple)


@st.composite
def questions(draw: st.DrawFn) -> DraftQuestion:
    clock = draw(st.sampled_from([name for name, _ in CLOCKS]))
    return DraftQuestion(
        ask=draw(texts),
        choices=draw(choices()),
        quantity=draw(st.sampled_from(sorted(QUANTITIES))),
        pane=draw(st.integers(1, 3)),
        mode=draw(st.integers(1, 64)),
        sigma=draw(st.floats(1e-3, 100)),
        racer=draw(st.integers(1, 2)),
        against=draw(st.integers(1, 3)),
        clock=clock,  # type: ignore[arg-type]
        amount=draw(st.floats(0, 1) if clock == "particles" else st.floats(0, 1e7)),
        covers=draw(some_of(VIEWS)),
        do=draw(some_of(get_args(Doing))),
        learned=draw(st.integers(0, 10**6)),
        reveal=draw(st.text("ab *\n", max_size=20)),
    )


@st.composite
def steps(draw: st.DrawFn, first: bool) -> DraftStep:
    begin = st.sampled_from([PROJECT, Beginning("crescents", race=RaceSettings(entrants()), seed=3)])
    return DraftStep(
        title=draw(texts),
        text=draw(texts),
        formula=draw(st.sampled_from(["", "x_{t}", r"\epsilon"])),
        explain=draw(some_of(tuple(ENTRIES))),
        begin=draw(begin if first else st.none() | begin),
        change=draw(st.sampled_from([{}, {"fit": {"target": "single"}}, {"seed": 5, "scene": {"source": "true"}}])),
        show=draw(some_of(VIEWS)),
        places=draw(st.sampled_from([(), story_places(1), VIEWS[:8]])),
        sigma=draw(st.none() | st.floats(1e-3, 100)),
        options=draw(st.builds(ViewOptions, trails=st.booleans(), style=st.sampled_from(["arrows", "streamlines"]))),
        drawer=draw(st.none() | st.sampled_from(PAGES)),
        controls=draw(some_of(CONTROLS, 5)),
        do=draw(some_of(get_args(Doing))),
        question=draw(st.none() | questions()),
    )


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    count = draw(st.integers(1, 3))
    return Draft(draw(texts), draw(st.just("") | texts), tuple(draw(steps(first=k == 0)) for k in range(count)))


def told(draft: Draft) -> Draft:
    """The draft with each project as the bytes of its file: projects themselves are equal to none but themselves."""
    plain = [replace(s, begin=project_bytes(s.begin) if isinstance(s.begin, Project) else s.begin) for s in draft.steps]  # type: ignore[arg-type]
    return replace(draft, steps=tuple(plain))


@given(drafts())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_draft_survives_lesson_and_file(draft: Draft) -> None:
    assert problems(draft) == []
    lesson = lesson_of(draft)
    assert draft_of(lesson) == draft
    assert told(draft_of(lesson_from(lesson_bytes(lesson)))) == told(draft)


def test_shipped_lessons_are_kept_as_they_are() -> None:
    for path, lesson in shipped():
        draft = draft_of(lesson)
        assert problems(draft, formula_problem) == []
        assert lesson_of(draft) == lesson
        values = json.loads(lesson_bytes(lesson_of(draft)))
        assert [step.get("begin") for step in values["steps"]] == [
            step.get("begin") for step in json.loads(path.read_bytes())["steps"]
        ]


# --- what is wrong ---

ASKED = DraftQuestion("How many?", (DraftChoice("few", None, 0.5), DraftChoice("many", 0.5, None)))
GOOD = Draft("L", "", (DraftStep("One", "first", begin=PROJECT), DraftStep("Two", "then", question=ASKED)))


Found = list[tuple[int | None, str, str]]


def wrong(step: int, **values: object) -> Found:
    steps = [replace(s, **values) if k == step else s for k, s in enumerate(GOOD.steps)]
    return [(p.step, p.field, p.line) for p in problems(replace(GOOD, steps=tuple(steps)), formula_problem)]


def asked(**values: object) -> Found:
    return wrong(1, question=replace(ASKED, **values))


@pytest.mark.parametrize(
    ("found", "fields"),
    [
        (lambda: wrong(0), []),
        (lambda: wrong(0, title=" "), [(0, "title")]),
        (lambda: wrong(1, title="x" * 81, text=""), [(1, "title"), (1, "text")]),
        (lambda: wrong(0, begin=None), [(0, "begin"), (1, "begin")]),
        (lambda: wrong(0, formula=r"\frac{a}{"), [(0, "formula")]),
        (lambda: wrong(0, show=VIEWS[:5]), [(0, "show"), (0, "places")]),
        (lambda: wrong(1, change={"fit": {"target": "none"}}), [(1, "change")]),
        (lambda: wrong(1, explain=("loss", "no such thing")), [(1, "explain")]),
        (lambda: asked(ask=""), [(1, "question.ask")]),
        (lambda: asked(choices=ASKED.choices[:1]), [(1, "question.ranges")]),
        (lambda: asked(choices=(DraftChoice("a", 0.2, "abc"), DraftChoice("", 0.5))),
         [(1, "question.choices.0.low"), (1, "question.choices.1.text")]),
        (lambda: asked(choices=(DraftChoice("a", 0.2, 0.1), DraftChoice("b", 0.5))), [(1, "question.choices.0.low")]),
        (lambda: asked(choices=(DraftChoice("a", 0.5), DraftChoice("b", None, 0.6))), [(1, "question.ranges")]),
        (lambda: asked(pane=4), [(1, "question.pane")]),
        (lambda: asked(mode="x"), [(1, "question.mode")]),
        (lambda: asked(quantity="race_error", racer=1, against=4), [(1, "question.racer")]),
        (lambda: asked(clock="particles", amount=2.0), [(1, "question.amount")]),
        (lambda: asked(learned=-1), [(1, "question.learned")]),
        (lambda: asked(reveal="x" * 1001), [(1, "question.reveal")]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_where_it_is(found: Callable[[], Found], fields: list[tuple[int, str]]) -> None:
    assert [(step, field) for step, field, _ in found()] == fields


def test_nothing_is_found_exactly_where_a_lesson_can_be_made() -> None:
    for draft in (GOOD, replace(GOOD, title=""), replace(GOOD, steps=GOOD.steps[1:]), Draft("empty")):
        try:
            lesson_of(draft)
        except InputError:
            assert problems(draft)
        else:
            assert not problems(draft)


def test_lines_are_sentences_that_say_what_would_be_right() -> None:
    assert wrong(1, title="")[0][2] == "Nothing yet; give 1 to 80 characters"
    assert asked(choices=(DraftChoice("a", 0.5), DraftChoice("b", None, 0.6)))[0][2] == (
        "Answers 1 and 2 can both be right; part their ranges"
    )
    assert "'abc' is not a number" in asked(choices=(DraftChoice("a", "abc"), DraftChoice("b", 0.5)))[0][2]
    bad = replace(GOOD, steps=(replace(GOOD.steps[0], title=""), GOOD.steps[1]))
    assert problems(bad)[0].said == "Step 1, title: nothing yet; give 1 to 80 characters"


def test_what_no_answer_covers_is_remarked() -> None:
    assert remark(ASKED.choices) == ""
    assert remark((DraftChoice("a", 0.2, 0.4), DraftChoice("b", 0.5, 0.9))) == (
        "No answer is right below 0.2 nor from 0.4 to 0.5 nor from 0.9 on"
    )
    assert remark((DraftChoice("a", "x"), DraftChoice("b"))) == ""


@pytest.mark.parametrize(("name", "longest"), [(n, LONGEST[n]) for n in ("title", "text", "formula")])
def test_lengths_are_those_of_a_lesson(name: str, longest: int) -> None:
    usual: dict[str, Any] = {"title": "t", "text": "t"}
    Step(**usual | {name: "x" * longest})
    with pytest.raises(InputError):
        Step(**usual | {name: "x" * (longest + 1)})


def test_every_doing_clock_and_control_has_words() -> None:
    assert [name for name, _, _ in DOINGS] == list(get_args(Doing))
    assert set(STUDENT) == set(CONTROLS)


@given(numbers | st.none() | st.just("abc"))
def test_limits_are_read_as_they_are_written(value: Typed) -> None:
    assert read(written(value)) == value


def test_names_of_files() -> None:
    assert file_name("Where is σ? a/b") == "where-is-σ-a-b"
    assert file_name(" ?! ") == "lesson"


def test_a_run_is_said_in_words() -> None:
    assert run_words(GOOD.steps[0], None) == "Diagonal at training step 412, without weights."
    assert run_words(DraftStep(begin=Beginning("crescents")), None) == "Crescents, with a fresh network."
    assert run_words(DraftStep(change={"fit": {}}), SETUP) == "Changes settings of the step before: fit."


# --- undo ---


@given(st.lists(st.tuples(st.sampled_from(["add", "dup", "remove", "move", "take"]), st.integers(0, 9)), max_size=12))
def test_every_edit_is_undone_and_done_again(orders: list[tuple[str, int]]) -> None:
    script = Manuscript()
    seen = [script.draft]
    for k, (order, place) in enumerate(orders):
        count = len(script.draft.steps)
        script.select(place % count if count else -1)
        before = script.draft
        match order:
            case "add":
                script.add(DraftStep(f"step {k}"))
            case "dup":
                script.duplicate()
            case "remove":
                script.remove()
            case "move":
                script.move(script.selected, (place * 7) % max(count, 1))
            case _:
                script.retake("take", sigma=float(k + 1))
        assert -1 <= script.selected < max(len(script.draft.steps), 1)
        if script.draft is not before:
            seen.append(script.draft)
    for draft in reversed(seen[:-1]):
        script.undo()
        assert script.draft == draft
    assert script.undo_text == ""
    for draft in seen[1:]:
        script.redo()
        assert script.draft == draft


def test_what_was_typed_meanwhile_stays() -> None:
    script = Manuscript()
    script.add(DraftStep("a"))
    script.add(DraftStep("b"))
    script.move(1, 0)
    script.write(text="typed after the move")
    script.undo()
    assert [step.title for step in script.draft.steps] == ["a", "b"]
    assert script.draft.steps[1].text == "typed after the move"


# --- the window ---

MOMENT = Taken(PROJECT, show=("pane2",), sigma=0.3, drawer="view", do=("pause",))


class Main(QWidget):
    """Stands for the main window: its present moment, and what it was told to play."""

    def __init__(self) -> None:
        super().__init__()
        self.moment = MOMENT
        self.played: list[tuple[Lesson, int]] = []
        self.closed = 0

    def play(self, lesson: Lesson, index: int) -> None:
        self.played.append((lesson, index))

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closed += 1
        super().closeEvent(event)


@pytest.fixture
def main(qtbot: QtBot) -> Main:
    main = Main()
    qtbot.addWidget(main, before_close_func=lambda main: [each.end() for each in main.findChildren(LessonWriter)])
    return main


@pytest.fixture
def writer(qtbot: QtBot, main: Main) -> LessonWriter:
    writer = LessonWriter(lambda: main.moment, main.play, main)
    with qtbot.waitActive(writer):
        writer.show()
    return writer


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is answered to the question about unsaved changes, in order."""
    answers: list[str] = []
    monkeypatch.setattr(writing, "ask_unsaved", lambda *_: answers.pop(0))
    return answers


def press(qtbot: QtBot, writer: LessonWriter, name: str) -> None:
    qtbot.mouseClick(writer.buttons[name], LEFT)


def prose(qtbot: QtBot, editor: QWidget, text: str) -> None:
    assert isinstance(editor, QPlainTextEdit)
    editor.setFocus()
    editor.selectAll()
    qtbot.keyClicks(editor, text)


def one_step(qtbot: QtBot, writer: LessonWriter) -> None:
    type_into(qtbot, writer.title.editor, "My lesson")
    qtbot.mouseClick(writer.steps.add, LEFT)
    type_into(qtbot, writer.form.title.editor, "First")
    prose(qtbot, writer.form.text.editor, "Some **words**.")


def test_a_lesson_is_written_saved_and_read(
    qtbot: QtBot, writer: LessonWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert writer.empty.isVisible()
    assert not writer.buttons["play"].isEnabled()
    one_step(qtbot, writer)
    assert not writer.empty.isVisible()
    qtbot.mouseClick(writer.steps.take, LEFT)
    writer.form.sections["Question"].set_folded(False)
    qtbot.mouseClick(writer.form.ask, LEFT)
    question = writer.form.question
    qtbot.waitUntil(question.answers.rows[1][0].isVisible)
    prose(qtbot, question.ask.editor, "How much?")
    for row, values in zip(question.answers.rows, (("little", "", "0.5"), ("much", "0.5", "")), strict=True):
        for editor, value in zip(row[:3], values, strict=True):
            type_into(qtbot, editor, value)
    qtbot.mouseClick(question.do.boxes["release"], LEFT)
    target = tmp_path / "mine.lesson"
    monkeypatch.setattr(writing, "ask_save", lambda *_: target)
    qtbot.keyClick(writer, Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert writer.line.text() == "Saved mine.lesson"
    assert not writer.isWindowModified()
    lesson = read_lesson(target)
    step = lesson.steps[0]
    assert (lesson.title, step.title, step.text) == ("My lesson", "First", "Some **words**.")
    assert (step.show, step.sigma, step.drawer, step.do) == (("pane2",), 0.3, "view", ("pause",))
    assert isinstance(step.begin, Project)
    assert project_bytes(step.begin) == project_bytes(PROJECT)
    assert step.predict is not None
    assert [(c.text, c.low, c.high) for c in step.predict.choices] == [
        ("little", float("-inf"), 0.5),
        ("much", 0.5, float("inf")),
    ]
    assert step.predict.do == ("release",)


def test_what_is_missing_is_told_only_when_the_whole_is_wanted(qtbot: QtBot, writer: LessonWriter, main: Main) -> None:
    type_into(qtbot, writer.title.editor, "My lesson")
    qtbot.mouseClick(writer.steps.add, LEFT)
    qtbot.mouseClick(writer.steps.add, LEFT)
    type_into(qtbot, writer.form.title.editor, "Second")
    assert not writer.form.text.note.wrong
    press(qtbot, writer, "play")
    assert main.played == []
    assert writer.line.text() == "Not played yet. Step 1, title: nothing yet; give 1 to 80 characters. Then 2 more."
    assert writer.manuscript.selected == 0
    assert QApplication.focusWidget() is writer.form.title.editor
    assert writer.form.title.note.text() == "Nothing yet; give 1 to 80 characters"
    assert not writer.steps.list.item(0).icon().isNull()
    qtbot.keyClicks(writer.form.title.editor, "First")
    assert writer.line.text() == ""
    assert not writer.form.title.note.isVisible()


def test_it_plays_from_the_chosen_step_as_it_is_now(qtbot: QtBot, writer: LessonWriter, main: Main) -> None:
    one_step(qtbot, writer)
    writer.steps.what.setCurrentIndex(1)
    qtbot.mouseClick(writer.steps.add, LEFT)
    type_into(qtbot, writer.form.title.editor, "Second")
    prose(qtbot, writer.form.text.editor, "More.")
    press(qtbot, writer, "play")
    (lesson, index), *_ = main.played
    assert (index, [step.title for step in lesson.steps]) == (1, ["First", "Second"])
    assert lesson.steps[1].begin is None
    assert lesson.steps[1].show == ("pane2",)
    assert writer.isVisible()


def test_the_list_by_keys(qtbot: QtBot, writer: LessonWriter) -> None:
    for title in "abc":
        qtbot.mouseClick(writer.steps.add, LEFT)
        type_into(qtbot, writer.form.title.editor, title)
    steps = writer.steps.list

    def titles() -> str:
        return "".join(step.title for step in writer.manuscript.draft.steps)

    alt, control = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier
    steps.setFocus()
    qtbot.keyClick(steps, Key.Key_Up, alt)
    assert titles() == "acb"
    assert steps.currentRow() == 1
    qtbot.keyClick(steps, Key.Key_D, control)
    assert titles() == "accb"
    qtbot.keyClick(steps, Key.Key_Delete)
    assert titles() == "acb"
    qtbot.keyClick(steps, Key.Key_Up, alt)
    assert titles() == "abc"
    for wanted in ("acb", "accb", "acb", "abc"):
        qtbot.keyClick(steps, Key.Key_Z, control)
        assert titles() == wanted
    qtbot.keyClick(steps, Key.Key_Z, control | Qt.KeyboardModifier.ShiftModifier)
    assert titles() == "acb"


def test_a_row_that_was_dragged_is_moved(qtbot: QtBot, writer: LessonWriter) -> None:
    for title in "abcd":
        qtbot.mouseClick(writer.steps.add, LEFT)
        type_into(qtbot, writer.form.title.editor, title)
    steps = writer.steps.list
    steps.insertItem(0, steps.takeItem(2))
    steps.tell_order()
    qtbot.waitUntil(lambda: [s.title for s in writer.manuscript.draft.steps] == ["c", "a", "b", "d"])
    assert [steps.item(k).text().split()[-1] for k in range(4)] == ["c", "a", "b", "d"]


def test_a_run_is_left_and_taken_again(qtbot: QtBot, writer: LessonWriter, main: Main) -> None:
    one_step(qtbot, writer)
    other = Project(SETUP, SETUP, steps=900)
    main.moment = Taken(other, show=("true",))
    editor = writer.form.run.editor
    editor.setCurrentIndex(1)
    editor.activated.emit(1)
    assert writer.manuscript.draft.steps[0].begin is None
    assert "begins no run" in writer.form.run.error()
    editor.setCurrentIndex(0)
    editor.activated.emit(0)
    step = writer.manuscript.draft.steps[0]
    assert step.begin is other
    assert step.show == ("pane2",)  # the run alone was taken
    writer.manuscript.undo()
    writer.manuscript.undo()
    assert writer.manuscript.draft.steps[0].begin is PROJECT


def test_a_question_shows_the_fields_that_it_has(qtbot: QtBot, writer: LessonWriter) -> None:
    one_step(qtbot, writer)
    writer.form.sections["Question"].set_folded(False)
    qtbot.mouseClick(writer.form.ask, LEFT)
    rows = writer.form.question.rows

    def shown() -> set[str]:
        return {name for name in ("pane", "mode", "sigma", "racer", "against", "amount") if rows[name].isVisible()}

    assert shown() == {"pane", "mode"}
    for quantity, fields in (("fisher", {"sigma"}), ("race_error", {"racer", "against", "sigma"}), ("modes", set())):
        editor = rows["quantity"].editor
        editor.setCurrentIndex(editor.findData(quantity))
        editor.activated.emit(0)
        assert shown() == fields
    editor = rows["clock"].editor
    editor.setCurrentIndex(editor.findData("particles"))
    editor.activated.emit(0)
    assert shown() == {"amount"}
    type_into(qtbot, rows["amount"].editor, "3")
    assert "out of range" in rows["amount"].error()
    qtbot.mouseClick(writer.form.ask_nothing, LEFT)
    assert writer.manuscript.step is not None
    assert writer.manuscript.step.question is None
    writer.manuscript.undo()
    assert writer.manuscript.step.question is not None
    assert writer.manuscript.step.question.amount == 3


def test_numbers_that_are_only_looked_at_keep_all_their_digits(qtbot: QtBot, writer: LessonWriter) -> None:
    asked = replace(ASKED, quantity="fisher", sigma=0.123456789, amount=0.0)
    writer.manuscript.begin(lesson_of(replace(GOOD, steps=(replace(GOOD.steps[0], question=asked), GOOD.steps[1]))))
    editor = writer.form.question.rows["sigma"].editor
    assert isinstance(editor, QLineEdit)
    editor.setFocus()
    qtbot.keyClick(editor, Key.Key_Tab)
    assert not writer.manuscript.changed


def test_at_most_four_squares_alone(qtbot: QtBot, writer: LessonWriter) -> None:
    one_step(qtbot, writer)
    boxes = writer.form.show_.boxes
    assert list(boxes) == list(story_places(3))
    qtbot.waitUntil(boxes["true"].isVisible)
    for name in ("painting", "learned", "true"):
        qtbot.mouseClick(boxes[name], LEFT)
    assert writer.manuscript.draft.steps[0].show == ("painting", "learned", "true", "pane2")
    assert not boxes["shares"].isEnabled()
    qtbot.mouseClick(boxes["true"], LEFT)
    assert boxes["shares"].isEnabled()


def test_a_formula_that_cannot_be_set_is_told(qtbot: QtBot, writer: LessonWriter) -> None:
    one_step(qtbot, writer)
    type_into(qtbot, writer.form.formula.editor, r"\frac{a}{")
    assert writer.form.formula.note.wrong
    assert writer.form.formula.note.text().startswith("This cannot be set")
    type_into(qtbot, writer.form.formula.editor, r"\frac{a}{b}")
    assert not writer.form.formula.note.wrong
    qtbot.waitUntil(lambda: writer.form.preview.latex == r"\frac{a}{b}")


def test_unsaved_changes_are_asked_about(
    qtbot: QtBot, writer: LessonWriter, main: Main, answers: list[str], tmp_path: Path
) -> None:
    one_step(qtbot, writer)
    answers += ["keep"] * 3
    press(qtbot, writer, "new")
    press(qtbot, writer, "close")
    path = tmp_path / "other.lesson"
    path.write_bytes(lesson_bytes(lesson_of(GOOD)))
    assert not writer.open_file(path)
    assert answers == []
    assert writer.isVisible()
    assert writer.manuscript.draft.title == "My lesson"
    main.show()
    answers += ["keep"]
    assert not main.close()
    assert main.closed == 0
    answers += ["discard"]
    assert main.close()
    assert main.closed == 1
    answers += ["discard"]
    press(qtbot, writer, "close")
    assert not writer.isVisible()
    assert writer.manuscript.draft == Draft()
    assert writer.open_file(path)
    assert writer.manuscript.path == path
    press(qtbot, writer, "close")  # nothing has changed: nothing is asked
    assert told(writer.manuscript.draft) == told(GOOD)


def test_a_shipped_lesson_is_saved_elsewhere(writer: LessonWriter) -> None:
    path, lesson = shipped()[0]
    assert writer.open_file(path)
    assert writer.manuscript.path is None
    assert lesson_of(writer.manuscript.draft) == lesson


def test_a_failed_save_keeps_everything(
    qtbot: QtBot, writer: LessonWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_step(qtbot, writer)
    monkeypatch.setattr(writing, "ask_save", lambda *_: tmp_path / "no folder" / "mine.lesson")
    press(qtbot, writer, "save")
    assert "no folder" in writer.line.text()
    assert writer.isWindowModified()
    bad = tmp_path / "bad.lesson"
    bad.write_text("nonsense")
    assert not writer.open_file(bad)
    assert "bad.lesson" in writer.line.text()
    assert writer.manuscript.draft.title == "My lesson"


def test_tab_goes_through_the_question_as_it_is_read(qtbot: QtBot, writer: LessonWriter) -> None:
    one_step(qtbot, writer)
    writer.form.sections["Question"].set_folded(False)
    qtbot.mouseClick(writer.form.ask, LEFT)
    question = writer.form.question
    qtbot.waitUntil(question.answers.rows[1][0].isVisible)
    reached = []
    for _ in range(7):
        focus = QApplication.focusWidget()
        assert focus is not None
        reached.append(focus)
        qtbot.keyClick(focus, Key.Key_Tab)
    first, second = question.answers.rows
    assert reached == [question.ask.editor, *first[:3], *second[:3]]


def test_everything_that_takes_the_keyboard_has_a_name_and_a_tip(qtbot: QtBot, writer: LessonWriter) -> None:
    one_step(qtbot, writer)
    writer.form.sections["Question"].set_folded(False)
    qtbot.mouseClick(writer.form.ask, LEFT)
    qtbot.waitUntil(writer.form.question.answers.rows[1][0].isVisible)
    focus = Qt.FocusPolicy.TabFocus
    for widget in writer.findChildren(QWidget):
        if widget.isVisible() and widget.focusPolicy() & focus and not widget.objectName().startswith("qt_"):
            named = widget.accessibleName() or getattr(widget, "text", lambda: "")()
            assert named, widget
            assert widget.toolTip(), (named, widget)
