"""The window in which a lesson is written, under real mouse and key events."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from explorer.layouts import story_places
from explorer.lessons import writer as writing
from explorer.lessons.draft import Draft, lesson_of
from explorer.lessons.files import lesson_bytes, read_lesson, shipped
from explorer.lessons.lesson import Lesson
from explorer.lessons.taking import Taken
from explorer.lessons.writer import LessonWriter
from tests.explorer.hands import LEFT, Key, type_into
from tests.explorer.lessons.lecturer import ASKED, GOOD, PROJECT, SETUP, one_step, press, prose
from trainer.projects import Project, project_bytes

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
    for held, to, wanted in ((2, 0, "cabd"), (3, 2, "cadb"), (2, 3, "cabd")):
        steps.blockSignals(True)
        steps.insertItem(to, steps.takeItem(held))
        steps.blockSignals(False)
        steps.tell_order(held)
        qtbot.waitUntil(lambda wanted=wanted: "".join(s.title for s in writer.manuscript.draft.steps) == wanted)
        assert "".join(steps.item(k).text().split()[-1] for k in range(4)) == wanted
        assert writer.manuscript.selected == steps.currentRow() == to


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


def test_a_step_that_shows_another_run_than_the_open_one_says_so(
    qtbot: QtBot, writer: LessonWriter, main: Main
) -> None:
    one_step(qtbot, writer)
    writer.steps.what.setCurrentIndex(1)
    qtbot.mouseClick(writer.steps.add, LEFT)
    assert writer.line.text() == ""
    flipped = replace(SETUP, weights=SETUP.weights[::-1].copy())
    main.moment = Taken(Project(flipped, flipped), show=("true",))
    qtbot.mouseClick(writer.steps.take, LEFT)
    assert writer.line.text().startswith("Only what is shown was taken")
    assert writer.manuscript.draft.steps[1].show == ("true",)
    writer.steps.what.setCurrentIndex(0)
    qtbot.mouseClick(writer.steps.take, LEFT)
    assert writer.line.text() == ""


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
    assert [step.title for step in writer.manuscript.draft.steps] == ["One", "Two"]


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
