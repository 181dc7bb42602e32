"""A lesson in the window: what each step shows, hides, does and measures, and that all comes back at its end.

No engine runs: frames are handed to the window as the session hands them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from explorer.brush import Brush
from explorer.edits import ChangeFit, ChangeScene, LoadPainting, Stroke
from explorer.engine.messages import Command, ConfigureScene, Release, Train
from explorer.layouts import read_arrangement
from explorer.lessons.files import from_json, write_lesson
from explorer.lessons.lesson import Lesson
from explorer.lessons.player import COVERED, LessonPlayer, differences
from explorer.session import Session
from explorer.window import MainWindow
from tests.explorer.frames import make_frame
from tests.explorer.hands import LEFT, Key
from tests.explorer.lessons.lessons import lesson, values
from trainer.plans import RaceSettings, entrants


class Room:
    """A window that plays a lesson, and the commands that its engine would have got."""

    def __init__(self, window: MainWindow, sent: list[Command]) -> None:
        self.window, self.sent = window, sent
        self.stage = window.stage

    @property
    def player(self) -> LessonPlayer:
        return self.window.lessons.player

    @property
    def question(self) -> Any:  # noqa: ANN401
        return self.window.lessons.panel.question

    def act(self, name: str) -> None:
        self.window.actions_by_name[name].trigger()

    def show(self, **changes: Any) -> None:  # noqa: ANN401
        """Let the window show a frame of the present document."""
        ladder = np.geomspace(2, 0.02, 8, dtype=np.float32)
        revision = self.window.document.revision
        usual: dict[str, Any] = {"training_ladder": ladder, "revision": revision, "particles_revision": revision}
        self.window.session.frame = make_frame(**(usual | changes))
        self.window.session.framed.emit(self.window.session.frame)

    def count(self, kind: type) -> int:
        return sum(isinstance(command, kind) for command in self.sent)


@pytest.fixture
def room(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    sent: list[Command] = []
    monkeypatch.setattr(Session, "start", lambda self: None)
    monkeypatch.setattr(Session, "send", lambda self, command: sent.append(command))
    main = MainWindow(theme="light", device="cpu")
    qtbot.addWidget(main, before_close_func=lambda w: w.shut_down())
    main.resize(1280, 720)
    main.show()
    with qtbot.waitExposed(main):
        pass
    yield Room(main, sent)
    main.shut_down()


def test_a_step_shows_what_it_says_and_hides_the_rest(room: Room) -> None:
    room.show()
    room.window.lessons.play(lesson())
    assert room.stage.seen == ("painting", "learned")
    assert room.window.document.name == "crescents"
    assert room.window.document.seed == 3
    assert room.window.slider.value() == pytest.approx(0.3, rel=0.02)
    assert not room.window.menuBar().isVisible()
    assert not room.window.transport.isVisible()
    assert not room.window.strip.isVisible()
    assert room.window.axes.isVisible()
    assert room.sent[-1] == Train(True)
    panel = room.window.lessons.panel
    assert panel.isVisible()
    assert (panel.title.text(), panel.count.text()) == ("Look", "1 of 4")
    room.act("lesson_next")
    assert room.window.menuBar().isVisible()
    assert len(room.stage.seen) == 8


def test_what_is_to_be_predicted_is_covered_until_the_choice_and_measured_after(qtbot: QtBot, room: Room) -> None:
    room.window.lessons.play(lesson())
    room.show(step=20)
    room.player.next()
    tiles = [room.stage.tile(name) for name in ("pane2", "shares")]
    assert {tile.cover for tile in tiles} == {COVERED}
    assert all(tile.childAt(tile.square().center()) is not tile.content for tile in tiles)
    assert room.stage.tile("pane1").cover == ""
    room.show(step=30)
    assert room.question.value is None  # nobody has chosen
    before = room.count(Release)
    qtbot.keyClick(room.window.lessons.panel, Key.Key_2)
    assert {tile.cover for tile in tiles} == {""}
    assert room.count(Release) == before  # the network has not learned enough
    assert room.question.line.text() == "Learning first: step 30 of 400"
    room.show(step=500, released=1)
    assert room.count(Release) == before + 1
    room.show(step=510, released=1, progress=1.0)
    assert room.question.value is None  # of the release before
    room.show(step=520, released=2, progress=0.5)
    assert room.question.bar.value() == 500
    room.show(step=600, released=2, progress=1.0)
    assert room.question.value == pytest.approx(0.449)
    assert (room.question.answer, room.question.right) == (1, 2)
    assert "share of mode 2, Langevin" in room.question.line.text()
    assert "Otherwise" in room.question.line.text()
    assert "<b>gap</b>" in room.question.reveal.text()
    room.show(step=700, released=2, progress=1.0)
    qtbot.mouseClick(room.question.choices[0], LEFT)
    assert room.question.answer == 1  # the first choice counts


def test_frames_of_another_run_do_not_answer(room: Room) -> None:
    room.window.lessons.play(lesson())
    room.player.next()
    room.question.choices[2].click()
    old = room.window.document.revision - 1
    room.show(step=900, released=2, revision=old, particles_revision=old)
    assert room.count(Release) == 0
    room.show(step=900, released=2)
    room.show(step=910, released=3, particles_revision=old)
    assert room.question.value is None
    room.show(step=910, released=3)
    assert room.question.value == pytest.approx(0.449)
    assert "As you said" in room.question.line.text()


def test_a_race_answers_only_when_it_is_the_steps_own(room: Room) -> None:
    plan = values()
    plan["steps"][0]["begin"]["race"] = RaceSettings(entrants()[:2]).to_json()
    plan["steps"][1]["predict"] |= {
        "measure": {"quantity": "race_time"},
        "when": {"clock": "race", "amount": 10},
        "do": ["race"],
        "learned": 0,
    }
    room.window.lessons.play(from_json(plan))
    room.player.next()
    room.question.choices[0].click()
    from explorer.engine.frames import Race
    from tests.explorer.lessons.test_measures import racer

    others = Race("steps", True, 0.1, (racer("pooled", 0.2, 6, None), racer("sliced", 0.1, 2, None)))
    room.show(race=others)
    assert room.question.value is None
    own = Race("steps", True, 0.1, (racer("pooled", 0.2, 6, None), racer("one draw", 0.1, 2, None)))
    room.show(race=own)
    assert room.question.value == pytest.approx(3)


def test_steps_change_what_differs_and_begin_what_is_another_run(room: Room) -> None:
    window = room.window
    window.lessons.play(lesson())
    room.player.next()
    began = window.document.revision
    room.player.next()
    assert isinstance(room.sent[-1], ConfigureScene)
    assert {pane.settings.source for pane in window.document.scene.panes} == {"true"}
    room.player.back()
    assert {pane.settings.source for pane in window.document.scene.panes} == {"learned"}
    assert window.document.revision == began
    room.player.next()
    room.player.next()
    assert window.document.name == "ring"
    assert window.viewing.options.style == "texture"
    room.player.back()  # into the run before, as it was at that step
    assert window.document.name == "crescents"
    assert {pane.settings.source for pane in window.document.scene.panes} == {"true"}
    assert window.viewing.options.style == "arrows"


def test_differences_are_commands() -> None:
    four = lesson()
    assert differences(four.setup(0), four.setup(1)) == []
    assert [type(each) for each in differences(four.setup(1), four.setup(2))] == [ChangeScene]
    kinds = [type(each) for each in differences(four.setup(2), four.setup(3))]
    assert kinds[:2] == [LoadPainting, ChangeScene]
    plan = values()
    plan["steps"][2]["change"] = {"fit": {"target": "single", "ladder": {"levels": 8}}}
    fit = from_json(plan).setup(2).fit
    assert (fit.target, fit.ladder.levels, fit.ladder.sigma_min) == ("single", 8, 0.02)
    assert [type(each) for each in differences(four.setup(1), from_json(plan).setup(2))] == [ChangeFit]


def test_what_was_open_comes_back(room: Room, tmp_path: Path) -> None:
    window = room.window
    window.edit(LoadPainting(np.eye(64, dtype=np.float32), "own"))
    window.document.mark_saved(tmp_path / "own.scorex")
    window.stage.double("true")
    places, weights = window.stage.places, window.document.weights.copy()
    window.lessons.play(lesson())
    room.player.next()
    room.act("lesson_end")
    assert room.player.lesson is None
    assert np.array_equal(window.document.weights, weights)
    assert window.document.path == tmp_path / "own.scorex"
    assert not window.document.changed
    assert (window.stage.places, window.stage.doubled) == (places, ("true",))
    assert window.menuBar().isVisible()
    assert window.strip.isVisible()
    assert not window.lessons.panel.isVisible()
    assert all(window.stage.tile(name).cover == "" for name in window.stage.names)
    assert not window.actions_by_name["lesson_next"].isEnabled()


def test_unsaved_work_is_asked_about_first(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    window = room.window
    window.edit(Stroke(Brush(), ((0.0, 0.0, 1.0),)))
    weights = window.document.weights.copy()
    buttons = QMessageBox.StandardButton
    monkeypatch.setattr(QMessageBox, "exec", lambda self: buttons.Cancel)
    window.lessons.play(lesson())
    assert room.player.lesson is None
    assert window.document.changed
    monkeypatch.setattr(QMessageBox, "exec", lambda self: buttons.Discard)
    window.lessons.play(lesson())
    assert room.player.lesson is not None
    room.player.end()
    assert np.array_equal(window.document.weights, weights)
    assert window.document.changed


def test_the_last_step_ends_the_lesson_and_another_can_follow(qtbot: QtBot, room: Room) -> None:
    window = room.window
    window.lessons.play(lesson())
    panel = window.lessons.panel
    for _ in range(3):
        qtbot.keyClick(panel, Key.Key_Right)
    assert panel.next.text() == "End"
    window.lessons.play(Lesson("Short", lesson().steps[:1]))
    assert (room.player.index, panel.next.text()) == (0, "End")
    qtbot.mouseClick(panel.next, LEFT)
    assert room.player.lesson is None
    assert window.document.name == "crescents"


def test_a_presentation_shows_the_steps_squares(qtbot: QtBot, room: Room) -> None:
    window = room.window
    window.lessons.play(lesson())
    window.household.presentation.enter()
    assert window.household.presentation.chosen == ("painting", "learned")
    assert window.lessons.panel.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_PageDown)
    step = room.player.step
    assert step is not None
    assert step.predict is not None
    shown = set(step.predict.covers)  # the step leaves open what is shown
    assert set(window.household.presentation.chosen) == shown == set(window.stage.seen)
    qtbot.keyClick(window, Qt.Key.Key_2)  # answers, and turns no square
    assert room.question.answer == 1
    assert set(window.household.presentation.chosen) == shown
    qtbot.keyClick(window, Qt.Key.Key_1)  # nothing waits for an answer any more
    assert set(window.household.presentation.chosen) == shown | {window.stage.names[0]}
    qtbot.keyClick(window, Qt.Key.Key_PageUp)
    wide = window.lessons.panel.width()
    window.household.presentation.leave()
    assert wide == round(1.6 * window.lessons.panel.width())
    assert window.stage.seen == ("painting", "learned")
    assert not window.menuBar().isVisible()
    assert not window.transport.isVisible()


def test_lessons_are_opened_dropped_and_chosen(room: Room, tmp_path: Path) -> None:
    path = tmp_path / "four.lesson"
    write_lesson(path, lesson())
    room.window.files.open(str(path))
    assert room.player.lesson == lesson()
    assert path in room.window.files.recent.paths()
    broken = tmp_path / "broken.lesson"
    broken.write_text("{")
    room.window.files.open(str(broken))
    assert room.player.lesson == lesson()
    last = room.window.household.log.notices[-1]
    assert last.level == "error"
    assert "broken.lesson" in last.line


def test_the_menu_and_the_palette_have_the_shipped_ones(room: Room) -> None:
    from explorer.lessons.files import shipped

    menu = room.window.menus["Lesson"]
    menu.aboutToShow.emit()
    menu.aboutToShow.emit()
    words = [action.text() for action in menu.actions()]
    assert words[: len(shipped())] == [f"{k}   {each.title}" for k, (_, each) in enumerate(shipped(), 1)]
    menu.actions()[0].trigger()
    assert room.player.lesson == shipped()[0][1]


def test_a_window_closed_within_a_lesson_remembers_how_it_was_before(room: Room) -> None:
    room.window.stage.double("true")
    places = room.window.stage.places
    plan = values()
    plan["steps"][0]["show"] = ["error_map"]
    room.window.lessons.play(from_json(plan))
    assert room.window.stage.places != places
    room.window.shut_down()
    kept, problems = read_arrangement()
    assert problems == ()
    assert (kept.current.places, kept.current.doubled) == (places, ("true",))


def test_a_lesson_step_of_a_project_brings_its_weights(room: Room) -> None:
    room.window.lessons.play(lesson())
    own = replace(room.window.quick_snapshot(), sigma=0.5)
    first = replace(lesson().steps[0], begin=own, sigma=None)
    room.player.end()
    room.window.lessons.play(Lesson("Own", (first,)))
    assert room.window.document.seed == 3
