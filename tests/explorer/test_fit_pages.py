"""The drawer's pages "training" and "race" under real mouse and key events: what they ask, emit and refuse."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from explorer.document import Change, ChangeFit, ChangeRace, ChangeSeed, ChangeStop, Document
from explorer.engine.frames import Race
from explorer.panels.fields import FieldRow
from explorer.panels.form import Form
from explorer.panels.racepage import PRESETS, RacePage, preset
from explorer.panels.trainingpage import TrainingPage
from explorer.theme import DARK
from tests.explorer.hands import LEFT, Key, shown, type_into
from tests.explorer.test_race_views import moment, racer
from trainer.plans import RaceSettings, StopSettings, entrants, names
from trainer.settings import FitSettings


def choose(qtbot: QtBot, row: FieldRow, words: str) -> None:
    """Open a list and choose from it by keys."""
    assert isinstance(row.editor, QComboBox)
    index = row.editor.findText(words, Qt.MatchFlag.MatchExactly)
    assert index >= 0, words
    row.editor.setFocus()
    qtbot.keyClick(row.editor, Key.Key_Space)
    opened = row.editor.view()
    while opened.currentIndex().row() != index:
        qtbot.keyClick(opened, Key.Key_Down if opened.currentIndex().row() < index else Key.Key_Up)
    qtbot.keyClick(opened, Key.Key_Return)
    assert not opened.isVisible()


def press(qtbot: QtBot, row: FieldRow, yes: bool) -> None:
    assert row._buttons is not None
    qtbot.mouseClick(row._buttons[0 if yes else 1], LEFT)


def unfold(*forms: Form) -> None:
    for form in forms:
        for section in form.sections:
            section.set_folded(False)


class Bench:
    """A page beside a document that does what the page asks for."""

    def __init__(self, qtbot: QtBot, page: TrainingPage | RacePage) -> None:
        self.document = Document()
        self.page = page
        self.commands: list[object] = []
        page.commanded.connect(self._do)
        self.document.subscribe(lambda change: page.show_document(self.document, change))
        page.show_document(self.document, Change())
        self.host = shown(qtbot, page, width=304)

    def _do(self, command: object) -> None:
        self.commands.append(command)
        self.document.do(command)  # type: ignore[arg-type]


@pytest.fixture
def training(qtbot: QtBot) -> Bench:
    page = TrainingPage()
    bench = Bench(qtbot, page)
    unfold(page.fit, page.seed, page.stop)
    return bench


@pytest.fixture
def racing(qtbot: QtBot) -> Bench:
    return Bench(qtbot, RacePage())


def test_what_needs_nothing_holds_at_once(qtbot: QtBot, training: Bench) -> None:
    page = training.page
    assert isinstance(page, TrainingPage)
    page.show_frame(moment())
    choose(qtbot, page.fit.rows["target"], "one draw")
    type_into(qtbot, page.fit.rows["learning_rate"].editor, "0.01")
    type_into(qtbot, page.stop.rows["steps"].editor, "5000")
    type_into(qtbot, page.stop.rows["error"].editor, "0.001")
    wanted = replace(FitSettings(), target="single", learning_rate=0.01)
    assert training.document.fit == wanted
    assert training.document.stop == StopSettings(steps=5000, error=0.001)
    assert training.commands[-2:] == [ChangeStop(StopSettings(5000)), ChangeStop(StopSettings(5000, error=0.001))]
    type_into(qtbot, page.stop.rows["steps"].editor, "")
    assert training.document.stop == StopSettings(error=0.001)


def test_a_fresh_network_is_asked_for(qtbot: QtBot, training: Bench) -> None:
    page = training.page
    assert isinstance(page, TrainingPage)
    page.show_frame(moment())
    row = page.fit.rows["network.width"]
    type_into(qtbot, row.editor, "64")
    assert row.asking
    assert row.note.text() == "This starts a fresh network."
    assert training.commands == []
    press(qtbot, row, yes=False)
    assert not row.asking
    assert row.value() == 128
    assert training.commands == []
    type_into(qtbot, row.editor, "64")
    press(qtbot, row, yes=True)
    assert training.document.fit.network.width == 64
    assert not row.asking
    type_into(qtbot, page.seed.rows["seed"].editor, "5")
    assert training.document.seed == 0
    press(qtbot, page.seed.rows["seed"], yes=True)
    assert training.commands[-1] == ChangeSeed(5)
    assert training.document.seed == 5
    type_into(qtbot, page.seed.rows["seed"].editor, "many")
    assert page.seed.rows["seed"].error() == "seed: 'many' is no seed; give a whole number between 0 and 2147483647"


def test_nothing_is_asked_before_there_is_anything_to_lose(qtbot: QtBot, training: Bench) -> None:
    page = training.page
    assert isinstance(page, TrainingPage)
    type_into(qtbot, page.fit.rows["network.features"].editor, "0")
    assert training.document.fit.network.features == 0
    for path in ("network.octaves", "network.damped"):
        assert not page.fit.rows[path].editor.isEnabled()
        assert page.fit.rows[path].editor.toolTip() == "There are no Fourier features"


def test_typing_back_what_was_there_withdraws_the_question(qtbot: QtBot, training: Bench) -> None:
    page = training.page
    assert isinstance(page, TrainingPage)
    page.show_frame(moment())
    row = page.fit.rows["network.depth"]
    type_into(qtbot, row.editor, "3")
    assert row.asking
    type_into(qtbot, row.editor, "2")
    assert not row.asking
    assert row.note.isHidden()
    assert training.commands == []


def test_impossible_pairs_are_mended_in_one_click(qtbot: QtBot, training: Bench) -> None:
    page = training.page
    assert isinstance(page, TrainingPage)
    page.show_frame(moment())
    row = page.fit.rows["kernel"]
    choose(qtbot, row, "Laplace")
    assert row.note.text() == (
        "Noise “Laplace” needs target: one draw; network gives: score. This starts a fresh network."
    )
    press(qtbot, row, yes=True)
    assert training.commands == [
        ChangeFit(replace(FitSettings(), kernel="laplace", target="single", parameterisation="score"))
    ]
    assert page.fit.rows["target"].value() == "single"
    training.document.undo()
    assert page.fit.rows["kernel"].value() == "gaussian"
    assert page.fit.rows["parameterisation"].value() == "denoiser"


def test_fields_without_effect_are_out_of_the_way(qtbot: QtBot, training: Bench) -> None:
    page = training.page
    assert isinstance(page, TrainingPage)
    rows = page.fit.rows
    assert [rows[path].isVisible() for path in ("reference", "projections", "projection")] == [False] * 3
    choose(qtbot, rows["target"], "reference batch")
    assert rows["reference"].isVisible()
    choose(qtbot, rows["objective"], "sliced (SSM)")
    assert training.document.fit.objective == "ssm"
    assert [rows[path].isVisible() for path in ("reference", "projections", "projection")] == [False, True, True]
    assert not rows["target"].editor.isEnabled()
    assert rows["target"].editor.toolTip() == "Only denoising has a choice of targets"
    choose(qtbot, rows["objective"], "noise (DDPM)")
    press(qtbot, rows["objective"], yes=True)
    assert training.document.fit.schedule == "ddpm-linear"
    assert not rows["ladder.sigma_min"].editor.isEnabled()
    training.document.undo()
    assert rows["ladder.sigma_min"].editor.isEnabled()


def test_every_control_says_what_it_is(qtbot: QtBot, training: Bench) -> None:
    page = training.page
    assert isinstance(page, TrainingPage)
    from dataclasses import fields

    rows = {**page.fit.rows, **page.seed.rows, **page.stop.rows}
    top = {f.name for f in fields(FitSettings)} - {"ladder", "network"}
    assert top <= set(page.fit.rows)
    for row in rows.values():
        assert row.editor.accessibleName()
        assert row.editor.toolTip()
        assert "\n" not in row.editor.toolTip()
    page.set_theme(DARK)
    page.set_scale(1.6)


# --- race ---


def test_a_race_of_three_in_one_click(qtbot: QtBot, racing: Bench) -> None:
    page = racing.page
    assert isinstance(page, RacePage)
    assert not page.run.isVisible()
    qtbot.mouseClick(page.usual, LEFT)
    assert racing.document.race == RaceSettings(entrants())
    assert [card._name for card in page.cards] == ["pooled", "one draw", "sliced VR"]
    with qtbot.waitSignal(page.run_requested) as asked:
        qtbot.mouseClick(page.run, LEFT)
    assert asked.args == [True]
    racers = (racer("pooled"), racer("one draw", note="the loss blew up"), racer("sliced VR"))
    page.show_frame(moment(race=Race("steps", True, 0.1, racers)))
    assert page.run.text() == "Hold"
    assert page.cards[1].note.text() == "the loss blew up"
    choose(qtbot, page.aligned, "seconds")
    assert racing.document.race.aligned == "seconds"
    with qtbot.waitSignal(page.run_requested) as asked:
        qtbot.mouseClick(page.end, LEFT)
    assert asked.args == [False]
    assert racing.document.race.entrants == ()
    racing.document.undo()
    assert len(page.cards) == 3


def test_entrants_are_added_copied_and_removed(qtbot: QtBot, racing: Bench) -> None:
    page = racing.page
    assert isinstance(page, RacePage)
    menu = page.add.menu()
    assert menu is not None
    by_text = {action.text(): action for action in menu.actions() if action.text()}
    assert len(by_text) == len(PRESETS) + 1
    by_text["Implicit: the exact trace (ISM)"].trigger()
    assert names(racing.document.race.entrants) == ("pooled", "ISM")
    assert not page.cards[0].remove.isEnabled()
    by_text["As now"].trigger()
    qtbot.mouseClick(page.cards[1].copy, LEFT)
    assert names(racing.document.race.entrants) == ("pooled", "ISM", "ISM (2)", "pooled (2)")
    qtbot.mouseClick(page.cards[1].remove, LEFT)
    assert names(racing.document.race.entrants) == ("pooled", "ISM", "pooled (2)")
    by_text["Sliced (SSM)"].trigger()
    by_text["Denoising, one draw"].trigger()
    assert len(page.cards) == 5
    assert not page.add.isEnabled()
    assert not page.cards[0].copy.isEnabled()


def test_what_cannot_race_is_refused_in_a_line(qtbot: QtBot, racing: Bench) -> None:
    page = racing.page
    assert isinstance(page, RacePage)
    qtbot.mouseClick(page.usual, LEFT)
    page._add_preset("ddpm", "")
    assert page.refusal.isVisible()
    assert page.refusal.text().startswith(
        "Not all have the same noise levels: geometric ladder and DDPM, linear; they must"
    )
    assert len(racing.commands) == 1
    card = page.cards[0]
    qtbot.mouseClick(card.fold, LEFT)
    assert card.form is not None
    choose(qtbot, card.form.rows["objective"], "noise (DDPM)")
    assert card.form.rows["objective"].error().startswith("race: not all have the same noise levels")
    assert len(racing.commands) == 1


def test_an_entrant_is_edited_in_its_own_form(qtbot: QtBot, racing: Bench) -> None:
    page = racing.page
    assert isinstance(page, RacePage)
    qtbot.mouseClick(page.usual, LEFT)
    assert all(card.form is None for card in page.cards)
    qtbot.mouseClick(page.cards[0].fold, LEFT)
    form = page.cards[0].form
    assert form is not None
    assert "batch" not in form.rows
    unfold(form)
    choose(qtbot, form.rows["target"], "one draw")
    type_into(qtbot, form.rows["network.width"].editor, "64")
    race = racing.document.race
    assert (race.entrants[0].target, race.entrants[0].network.width) == ("single", 64)
    assert race.entrants[1:] == entrants()[1:]
    assert [card._name for card in page.cards] == ["one draw, width 64", "one draw, width 128", "sliced VR"]
    racing.document.undo()
    assert form.rows["network.width"].value() == 128


def test_what_all_share_is_changed_for_all(qtbot: QtBot, racing: Bench) -> None:
    page = racing.page
    assert isinstance(page, RacePage)
    qtbot.mouseClick(page.usual, LEFT)
    unfold(page.shared)
    type_into(qtbot, page.shared.rows["batch"].editor, "256")
    assert {each.batch for each in racing.document.race.entrants} == {256}
    row = page.shared.rows["kernel"]
    choose(qtbot, row, "Laplace")
    assert row.note.text() == ("Noise “Laplace” needs target: one draw (for pooled); network gives: score.")
    press(qtbot, row, yes=True)
    racers = racing.document.race.entrants
    assert {each.kernel for each in racers} == {"laplace"}
    assert [each.target for each in racers[:2]] == ["single", "single"]
    assert isinstance(racing.commands[-1], ChangeRace)


def test_a_value_typed_while_the_last_entrant_goes_changes_nothing(qtbot: QtBot, racing: Bench) -> None:
    page = racing.page
    assert isinstance(page, RacePage)
    qtbot.mouseClick(page.usual, LEFT)
    unfold(page.shared)
    row = page.shared.rows["batch"]
    assert isinstance(row.editor, QLineEdit)
    row.editor.setText("256")
    racing.document.do(ChangeRace(RaceSettings(())))
    row.edited.emit("batch")
    assert racing.document.race.entrants == ()


def test_presets_are_what_they_say() -> None:
    for words, objective, target in PRESETS:
        found = preset(FitSettings(), objective, target)
        assert found.objective == objective, words
        assert objective != "dsm" or found.target == target


def test_pages_let_go(qtbot: QtBot) -> None:
    import gc
    import weakref

    for kind in (TrainingPage, RacePage):
        host = QWidget()
        qtbot.addWidget(host)
        page = kind(host)
        gone = weakref.ref(page)
        page.deleteLater()
        del page
        qtbot.wait(1)
        gc.collect()
        assert gone() is None, kind


def test_the_present_rate_stands_below_its_field(qtbot: QtBot, training: Bench) -> None:
    page = training.page
    assert isinstance(page, TrainingPage)
    row = page.fit.rows["learning_rate"]
    assert row.note.isHidden()
    page.show_rate(1.234e-3, 1.0)
    assert row.note.text() == "now 0.00123"
    assert row.note.isVisible()
    page.show_rate(1.2e-4, 0.1)
    assert row.note.text() == "now 1.20e-4; lowered to 1/10 when the loss blew up"
    row.editor.setFocus()
    row.editor.selectAll()  # type: ignore[union-attr]
    qtbot.keyClicks(row.editor, "-3")
    qtbot.keyClick(row.editor, Key.Key_Return)
    wrong = row.error()
    assert "out of range" in wrong
    page.show_rate(1.1e-4, 0.1)
    assert row.error() == wrong  # what is wrong stays to be read
    row.set_value(0.02)
    assert row.note.text() == "now 1.10e-4; lowered to 1/10 when the loss blew up"
    page.show_rate(0.0, 1.0)
    assert row.note.isHidden()
