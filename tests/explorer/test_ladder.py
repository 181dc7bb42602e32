"""The ladder editor under real mouse and key events, and the engine's answers to what it asks."""

from __future__ import annotations

import math
from dataclasses import replace
from time import perf_counter

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from explorer.engine.forecasts import Forecasts
from explorer.ladders import (
    LadderPredicted,
    Outlook,
    PredictLadder,
    Rungs,
    added,
    between,
    relative_step,
    removed,
    rungs_of,
    with_epsilon,
    with_sigma,
    with_steps,
)
from explorer.panels.ladder import REST, LadderEditor
from explorer.theme import DARK, LIGHT
from tests.explorer.hands import LEFT, Key, shown, type_into
from tests.trainer.particles import far_modes
from trainer.langevin import noise_levels
from trainer.modes import find_modes
from trainer.predictions import predict
from trainer.settings import ParticleSettings, Rung

RUNGS = (Rung(0.8, 20, 0.2), Rung(0.2, 100, 0.01), Rung(0.02, 10, 6e-5))
OWN = ParticleSettings(rungs=RUNGS)
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def editor(qtbot: QtBot) -> LadderEditor:
    widget = LadderEditor(OWN)
    widget.host = shown(qtbot, widget, width=272)  # type: ignore[attr-defined] - keeps the window alive
    return widget


def _heard(editor: LadderEditor) -> list[Rungs]:
    ladders: list[Rungs] = []
    editor.rungs_changed.connect(ladders.append)
    return ladders


def _asked(qtbot: QtBot, editor: LadderEditor) -> PredictLadder:
    with qtbot.waitSignal(editor.prediction_wanted) as asked:
        pass
    question = asked.args[0]
    assert isinstance(question, PredictLadder)
    return question


def _drag(qtbot: QtBot, widget: QWidget, start: QPointF, end: QPointF) -> None:
    qtbot.mousePress(widget, LEFT, pos=start.toPoint())
    for part in (0.3, 0.7, 1.0):
        qtbot.mouseMove(widget, (start + (end - start) * part).toPoint())
    qtbot.mouseRelease(widget, LEFT, pos=end.toPoint())


# --- edits ---


@pytest.mark.parametrize(
    "settings", [ParticleSettings(), ParticleSettings(levels=1, sigma_max=0.02), ParticleSettings(levels=40), OWN]
)
def test_the_ladder_is_the_samplers(settings: ParticleSettings) -> None:
    rungs, levels = rungs_of(settings), noise_levels(settings)
    assert [r.steps for r in rungs] == [level.steps for level in levels]
    assert [r.sigma for r in rungs] == pytest.approx([level.sigma for level in levels], rel=1e-12)
    assert [r.epsilon for r in rungs] == pytest.approx([level.alpha for level in levels], rel=1e-12)


def test_levels_never_meet_and_keep_their_relative_step() -> None:
    for sigma in (1e-6, 0.019, 0.1, 0.9, 50.0):
        moved = with_sigma(RUNGS, 1, sigma)
        assert 0.0202 <= moved[1].sigma <= 0.8 / 1.01 + 1e-12
        assert relative_step(moved[1]) == pytest.approx(relative_step(RUNGS[1]))
        ParticleSettings(rungs=moved)
    assert with_steps(RUNGS, 0, 1e9)[0].steps == 10_000
    assert with_steps(RUNGS, 0, -3)[0].steps == 1
    assert with_epsilon(RUNGS, 2, 0)[2].epsilon == 1e-12


def test_levels_are_added_in_order_and_removed_but_for_the_last() -> None:
    ladder, index = added(RUNGS, 0.1)
    assert index == 2
    assert [r.sigma for r in ladder] == [0.8, 0.2, 0.1, 0.02]
    assert ladder[2].steps == 100
    assert ladder[2].epsilon == pytest.approx(0.0025)
    assert added(RUNGS, 0.2001) == (RUNGS, 1)
    assert removed(ladder, 2) == RUNGS
    assert removed(RUNGS[:1], 0) == RUNGS[:1]
    assert between(RUNGS, 0) == pytest.approx(0.4)
    assert between(RUNGS, 2) < 0.02


# --- hands ---


def test_dragging_a_level_moves_sigma_and_steps(qtbot: QtBot, editor: LadderEditor) -> None:
    ladders, axis = _heard(editor), editor.axis
    questions: list[PredictLadder] = []
    editor.prediction_wanted.connect(questions.append)
    editor.rungs_changed.connect(lambda _: asked.append(len(questions)))
    asked: list[int] = []
    start = axis.point_of(1)
    aim = QPointF((start.x() + axis.point_of(2).x()) / 2, axis.point_of(2).y())
    _drag(qtbot, axis, start, aim)
    assert len(ladders) == 1  # one edit, however far the hand went
    rung = ladders[0][1]
    assert rung.sigma == pytest.approx(math.sqrt(0.2 * 0.02), rel=0.06)
    assert rung.steps == pytest.approx(10, abs=2)
    assert relative_step(rung) == pytest.approx(relative_step(RUNGS[1]), rel=1e-6)
    assert editor.fields["steps"].line.text() == str(rung.steps)
    assert questions[-1].settings.rungs == ladders[0]
    assert asked == [len(questions)]  # it was asked before it was said that anything has changed


def test_predictions_follow_the_hand_one_at_a_time(qtbot: QtBot, editor: LadderEditor) -> None:
    first = _asked(qtbot, editor)
    editor.show_prediction(LadderPredicted(first.number, steps=130))
    ladders, axis = _heard(editor), editor.axis
    questions: list[PredictLadder] = []
    editor.prediction_wanted.connect(questions.append)
    at = axis.point_of(1).toPoint()
    qtbot.mousePress(axis, LEFT, pos=at)
    qtbot.mouseMove(axis, at + QPoint(0, 20))
    qtbot.waitUntil(lambda: len(questions) == 1)  # while the button is still held
    assert questions[0].settings.rungs == axis.rungs
    qtbot.mouseMove(axis, at + QPoint(0, 30))
    assert "predicting" in editor.errors.text()
    qtbot.wait(2 * REST)
    assert len(questions) == 1  # the answer is still to come
    editor.show_prediction(LadderPredicted(questions[0].number, steps=60, variance_error=0.1, weight_error=0.1))
    assert editor.errors.text().startswith("60 steps. Predicted errors")
    qtbot.waitUntil(lambda: len(questions) == 2)
    assert questions[1].settings.rungs == axis.rungs
    assert ladders == []  # nothing is released while the hand moves
    qtbot.mouseRelease(axis, LEFT, pos=at + QPoint(0, 30))
    assert ladders == [axis.rungs]
    assert len(questions) == 2  # what was asked is the ladder that it has become


def test_a_click_on_a_level_changes_nothing(qtbot: QtBot, editor: LadderEditor) -> None:
    ladders = _heard(editor)
    qtbot.mouseClick(editor.axis, LEFT, pos=editor.axis.point_of(2).toPoint())
    assert editor.axis.selected == 2
    assert ladders == []


def test_dragging_below_moves_the_step_size(qtbot: QtBot, editor: LadderEditor) -> None:
    ladders, axis = _heard(editor), editor.axis
    start = axis.point_of(0, "epsilon")
    _drag(qtbot, axis, start, start + QPointF(0, -20))
    assert ladders[0][0].steps == 20
    assert ladders[0][0].sigma == pytest.approx(0.8, rel=0.03)
    assert relative_step(ladders[0][0]) > 2 * relative_step(RUNGS[0])


def test_double_click_adds_and_delete_removes(qtbot: QtBot, editor: LadderEditor) -> None:
    ladders, axis = _heard(editor), editor.axis
    place = QPoint(round((axis.point_of(0).x() + axis.point_of(1).x()) / 2), round(axis.point_of(1).y() - 20))
    qtbot.mouseDClick(axis, LEFT, pos=place)
    assert len(ladders[-1]) == 4
    assert ladders[-1][1].sigma == pytest.approx(0.4, rel=0.05)
    assert axis.selected == 1
    axis.setFocus()
    qtbot.keyClick(axis, Key.Key_Delete)
    assert ladders[-1] == RUNGS
    qtbot.mouseDClick(axis, LEFT, pos=axis.point_of(1).toPoint())
    assert len(ladders) == 2  # a double click on a level adds none


def test_keys_reach_everything(qtbot: QtBot, editor: LadderEditor) -> None:
    ladders, axis = _heard(editor), editor.axis
    axis.setFocus()
    qtbot.keyClick(axis, Key.Key_Left)
    assert axis.selected == 1
    qtbot.keyClick(axis, Key.Key_Up)
    assert ladders[-1][1].steps == 105
    qtbot.keyClick(axis, Key.Key_Right, SHIFT)
    assert ladders[-1][1].sigma == pytest.approx(0.21)
    qtbot.keyClick(axis, Key.Key_Down, SHIFT)
    assert relative_step(ladders[-1][1]) == pytest.approx(relative_step(RUNGS[1]) / 1.05)
    qtbot.keyClick(axis, Key.Key_Insert)
    assert len(ladders[-1]) == 4
    qtbot.keyClick(axis, Key.Key_Home)
    assert axis.selected == 3
    qtbot.keyClick(axis, Key.Key_End)
    assert axis.selected == 0
    assert "level 1 of 4: sigma = 0.800, 20 steps" in axis.text()


def test_numbers_are_typed_or_refused_in_one_line(qtbot: QtBot, editor: LadderEditor) -> None:
    ladders = _heard(editor)
    type_into(qtbot, editor.fields["steps"].line, "1,200")
    assert ladders[-1][0].steps == 1200
    type_into(qtbot, editor.fields["epsilon"].line, "0.1")
    assert ladders[-1][0].epsilon == 0.1
    type_into(qtbot, editor.fields["sigma"].line, "0.1")
    assert len(ladders) == 2
    assert editor.wrong.isVisible()
    assert editor.wrong.text() == "sigma: 0.1 would meet or pass the next level; give up to 0.202"
    type_into(qtbot, editor.fields["sigma"].line, "much")
    assert editor.wrong.text() == "sigma: 'much' is no number; give one between 0.001 and 10"
    type_into(qtbot, editor.fields["sigma"].line, "0.5")
    assert ladders[-1][0].sigma == 0.5
    assert not editor.wrong.isVisible()


def test_back_to_the_geometric_ladder(qtbot: QtBot, editor: LadderEditor) -> None:
    ladders = _heard(editor)
    qtbot.mouseClick(editor.geometric, LEFT)
    assert ladders == [()]
    assert editor.axis.rungs == rungs_of(ParticleSettings())
    assert not editor.geometric.isEnabled()
    assert _asked(qtbot, editor).settings == ParticleSettings()


# --- predictions ---


def test_a_prediction_is_shown_and_an_older_one_passed_over(qtbot: QtBot, editor: LadderEditor) -> None:
    question = _asked(qtbot, editor)
    levels = (Outlook(0.8, "stable", 0.1), Outlook(0.2, "diverges", 2.5, "too long"), Outlook(0.02, "stable", 0.1))
    editor.show_prediction(LadderPredicted(question.number - 1, levels, 130, 0.5, 0.4))
    assert "0.400" not in editor.errors.text()
    editor.show_prediction(LadderPredicted(question.number, levels, 130, 0.5, 0.123, 0.15))
    assert editor.errors.text() == (
        "130 steps. Predicted errors: variance 50 %, weights 0.123; shares freeze at σ = 0.150"
    )
    assert editor.flags.text() == "too long"
    assert [editor.axis.unstable(i) for i in range(3)] == [False, True, False]
    editor.axis.select(1)
    assert editor.axis.text().endswith("diverges")
    editor.axis.setFocus()
    qtbot.keyClick(editor.axis, Key.Key_Up)
    assert not editor.axis.unstable(1)  # it was said of another ladder
    assert "predicting" in editor.errors.text()
    assert not editor.flags.isVisible()


def test_a_flag_is_drawn_in_the_warnings_ink(qtbot: QtBot, editor: LadderEditor) -> None:
    def warned() -> int:
        picture = editor.axis.grab().toImage()
        ink = LIGHT.colour("warning")
        place = editor.axis.point_of(1)
        near = ((round(place.x()) + dx, round(place.y()) + dy) for dx in range(-8, 9) for dy in range(-8, 9))
        return sum(picture.pixelColor(x, y).rgb() == ink.rgb() for x, y in near)

    question = _asked(qtbot, editor)
    assert warned() == 0
    levels = tuple(Outlook(r.sigma, "overshoots" if r.sigma == 0.2 else "stable", 1.2, "why") for r in RUNGS)
    editor.show_prediction(LadderPredicted(question.number, levels, 130, 0.5, 0.1))
    assert warned() > 8


def test_recommending_asks_inline_and_takes_the_answer(qtbot: QtBot, editor: LadderEditor) -> None:
    ladders = _heard(editor)
    _asked(qtbot, editor)
    qtbot.mouseClick(editor.recommend, LEFT)
    assert editor.seek.isVisible()
    type_into(qtbot, editor.weights.line, "7")
    qtbot.mouseClick(editor.seek, LEFT)
    assert editor.errors.text().startswith("weights within: 7 is out of range")
    type_into(qtbot, editor.weights.line, "0.05")
    with qtbot.waitSignal(editor.prediction_wanted) as asked:
        qtbot.mouseClick(editor.seek, LEFT)
    question = asked.args[0]
    assert (question.weight_error, question.variance_error) == (0.05, 0.1)
    found = (Rung(0.5, 50, 0.05), Rung(0.02, 5, 1e-4))
    levels = tuple(Outlook(rung.sigma, "stable", 0.1) for rung in found)
    editor.show_prediction(LadderPredicted(question.number, levels, 55, 0.09, 0.04, 0.5, found, ("because.",)))
    assert ladders == [found]
    assert editor.reasons.text() == "because."
    assert editor.fields["sigma"].line.text() == "0.500"
    editor.show_settings(replace(OWN, rungs=found))
    assert editor.errors.text().startswith("55 steps")  # the document's echo asks for nothing again


def test_it_draws_in_both_themes_and_large(qtbot: QtBot, editor: LadderEditor) -> None:
    for theme, scale in ((DARK, 1.0), (LIGHT, 1.6)):
        editor.set_theme(theme)
        editor.set_scale(scale)
        picture = editor.axis.grab().toImage()
        assert picture.width() >= 200
    assert editor.axis.sizeHint().width() == round(264 * 1.6)


# --- the engine's side ---


def test_the_engine_answers_in_pieces_what_the_library_says() -> None:
    density = far_modes()
    modes, forecasts = find_modes(density), Forecasts()
    forecasts.ask(PredictLadder(OWN, 1), density, modes)
    forecasts.ask(PredictLadder(ParticleSettings(), 2), density, modes)  # the newest question counts
    pieces, answer = 0, None
    while answer is None:
        answer = forecasts.work(perf_counter())
        pieces += 1
    expected = predict(density, ParticleSettings())
    assert pieces > 20
    assert not forecasts.busy
    assert answer.number == 2
    assert (answer.weight_error, answer.variance_error) == (expected.weight_error, expected.variance_error)
    assert len(answer.levels) == 22
    assert forecasts.work(perf_counter()) is None


def test_the_engine_says_why_a_level_is_unstable_and_what_to_do() -> None:
    density, forecasts = far_modes(), Forecasts()
    bad = ParticleSettings(rungs=(Rung(0.4, 10, 0.02), Rung(0.1, 10, 0.2)))
    forecasts.ask(PredictLadder(bad, 3), density, find_modes(density))
    answer = forecasts.work(math.inf)
    assert answer is not None
    assert [level.verdict for level in answer.levels] == ["stable", "diverges"]
    v = 0.125**2 + 0.1**2
    assert f"h = ε/2 is {0.1 / v:.3g} times" in answer.levels[1].reason
    assert answer.levels[1].reason.endswith(f"Take ε below {2 * v:.2g}.")
    assert math.isnan(answer.weight_error)


def test_the_engine_finds_a_ladder_or_says_that_there_is_none() -> None:
    density, forecasts = far_modes(), Forecasts()
    modes = find_modes(density)
    forecasts.ask(PredictLadder(OWN, 4, weight_error=0.05, variance_error=0.3), density, modes)
    answer = forecasts.work(math.inf)
    assert answer is not None
    assert answer.weight_error <= 0.05
    assert answer.variance_error <= 0.3
    assert answer.found[-1].sigma == OWN.sigma_min
    assert sum(rung.steps for rung in answer.found) == answer.steps
    assert predict(density, replace(OWN, rungs=answer.found)).weight_error == pytest.approx(answer.weight_error)
    assert any("says nothing" in reason for reason in answer.reasons)
    forecasts.ask(PredictLadder(replace(OWN, sigma_min=9.0, sigma_max=10.0), 5, 0.02, 0.1), density, modes)
    refused = forecasts.work(math.inf)
    assert refused is not None
    assert refused.problem.startswith("sigma_min")
