"""The drawer's page of particles: panes come and go, fields follow the sampler, a region is painted, all undoable."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from explorer.document import ChangeParticleSeed, ChangeScene, Document
from explorer.panels.ladder import LadderEditor
from explorer.panels.particlespage import ParticlesPage
from explorer.panels.region import RegionEditor
from explorer.panes import one_more
from explorer.theme import LIGHT
from tests.explorer.hands import LEFT, Key, shown, type_into
from trainer.scenes import REGION_SIDE, region_cells, region_text
from trainer.settings import Rung


@pytest.fixture
def page(qtbot: QtBot) -> Iterator[ParticlesPage]:
    """A shown page on a document that it edits."""
    page, document = ParticlesPage(LadderEditor()), Document()
    page.commanded.connect(document.do)
    document.subscribe(lambda change: page.show_document(document, change))
    page.setProperty("document", document)
    host = shown(qtbot, page, width=288)
    yield page
    host.close()


def document(page: ParticlesPage) -> Document:
    return page.property("document")


def pick(qtbot: QtBot, editor: object, value: str) -> None:
    """Choose by keyboard, as a hand does."""
    assert isinstance(editor, QComboBox)
    editor.setFocus()
    here, there = editor.currentIndex(), editor.findData(value)
    for _ in range(abs(there - here)):
        qtbot.keyClick(editor, Key.Key_Down if there > here else Key.Key_Up)


def test_panes_are_added_changed_and_removed(qtbot: QtBot, page: ParticlesPage) -> None:
    before = document(page).scene
    qtbot.mouseClick(page.numbers[1], LEFT)
    qtbot.mouseClick(page.add, LEFT)
    assert [pane.sampler for pane in document(page).scene.panes] == ["ascent", "langevin", "annealed", "sde"]
    assert document(page).scene.panes[3].settings == before.panes[2].settings
    assert page.chosen == 3
    assert not page.add.isEnabled()
    pick(qtbot, page.pane.rows["sampler"].editor, "ode")
    assert document(page).scene.panes[3].sampler == "ode"
    qtbot.mouseClick(page.copy, LEFT)
    assert document(page).scene.panes[3] == document(page).scene.panes[0]
    qtbot.mouseClick(page.remove, LEFT)
    assert document(page).scene == before
    for _ in range(2):
        qtbot.mouseClick(page.remove, LEFT)
    assert len(document(page).scene.panes) == 1
    assert not page.remove.isEnabled()
    while document(page).can_undo:
        document(page).undo()
    assert document(page).scene == before
    assert [button.isVisible() for button in page.numbers] == [True, True, True, False]


def test_adding_a_pane_is_one_act_in_menu_and_page(qtbot: QtBot) -> None:
    action, holder = QAction("&Add a pane"), Document()
    action.setToolTip("One more pane of particles, up to four")
    page = ParticlesPage(LadderEditor(), {"pane_add": action})
    action.triggered.connect(lambda: holder.do(ChangeScene(one_more(holder.scene))))
    holder.subscribe(lambda change: page.show_document(holder, change))
    host = shown(qtbot, page, width=288)
    page.set_theme(LIGHT)
    assert page.add.defaultAction() is action
    assert (page.add.text(), page.add.toolTip()) == ("Add a pane", action.toolTip())
    assert page.add.icon().cacheKey() == action.icon().cacheKey()
    assert not action.icon().isNull()
    qtbot.mouseClick(page.add, LEFT)
    assert [pane.sampler for pane in holder.scene.panes] == ["ascent", "langevin", "annealed", "sde"]
    assert page.chosen == 3
    assert not action.isEnabled()
    assert one_more(holder.scene) == holder.scene
    holder.undo()
    assert action.isEnabled()
    assert page.add.geometry().right() < page.remove.geometry().left()
    assert page.remove.geometry().right() < host.width()


def test_only_fields_that_the_sampler_uses_are_there(qtbot: QtBot, page: ParticlesPage) -> None:
    rows = page.pane.rows
    assert rows["settings.epsilon"].isVisible()
    assert not rows["settings.eta"].isVisible()
    assert not page.ladder.isVisible()
    pick(qtbot, rows["sampler"].editor, "ddim")
    assert rows["settings.eta"].isVisible()
    assert not rows["settings.epsilon"].isVisible()
    assert not page.pane.sections[1].isVisible()
    qtbot.mouseClick(page.numbers[2], LEFT)
    assert page.ladder.isVisible()
    assert page.pane.sections[0].title == "Pane 3: Annealed Langevin"


def test_settings_are_typed_and_refused(qtbot: QtBot, page: ParticlesPage) -> None:
    type_into(qtbot, page.common.rows["number"].editor, "50,000")
    assert document(page).scene.number == 50_000
    type_into(qtbot, page.common.rows["number"].editor, "100001")
    assert "100000" in page.common.rows["number"].error()
    assert document(page).scene.number == 50_000
    type_into(qtbot, page.pane.rows["settings.epsilon"].editor, "4e-4")
    assert [pane.settings.epsilon for pane in document(page).scene.panes] == [4e-4, 9e-5, 9e-5]


def test_a_seed_is_a_command_of_its_own(qtbot: QtBot, page: ParticlesPage) -> None:
    page.seed.sections[0].set_folded(False)
    with qtbot.waitSignal(page.commanded) as seen:
        type_into(qtbot, page.seed.rows["seed"].editor, "42")
    assert seen.args == [ChangeParticleSeed(42)]


def test_a_ladder_goes_to_the_chosen_pane(qtbot: QtBot, page: ParticlesPage) -> None:
    qtbot.mouseClick(page.numbers[2], LEFT)
    rungs = (Rung(0.5, 100, 1e-3), Rung(0.02, 50, 1e-4))
    page.ladder.rungs_changed.emit(rungs)
    assert [pane.settings.rungs for pane in document(page).scene.panes] == [(), (), rungs]
    assert not page.pane.rows["settings.epsilon"].isVisible()


def test_a_region_is_painted_and_erased(qtbot: QtBot, page: ParticlesPage) -> None:
    pick(qtbot, page.common.rows["kind"].editor, "region")
    assert document(page).scene.start.kind == "region"
    assert page.region.isVisible()
    before = set(region_cells(document(page).scene.start.region))
    cell = page.region.width() / REGION_SIDE
    at = QPoint(round(20.5 * cell), round((REGION_SIDE - 1 - 10 + 0.5) * cell))
    with qtbot.waitSignal(page.commanded) as seen:
        qtbot.mouseClick(page.region, LEFT, pos=at)
    assert isinstance(seen.args[0], ChangeScene)
    added = set(region_cells(document(page).scene.start.region)) - before
    assert added == {row * REGION_SIDE + col for row in (10, 11) for col in (20, 21)}
    qtbot.mouseClick(page.region, Qt.MouseButton.RightButton, pos=at)
    assert set(region_cells(document(page).scene.start.region)) == before


def test_an_empty_region_is_refused(qtbot: QtBot, page: ParticlesPage) -> None:
    pick(qtbot, page.common.rows["kind"].editor, "region")
    kept = document(page).scene
    page.region.cells[:] = False
    page.region.setFocus()
    qtbot.keyClick(page.region, Key.Key_Space)
    assert region_cells(document(page).scene.start.region) == (16 * REGION_SIDE + 16,)
    qtbot.keyClick(page.region, Key.Key_Space)
    assert "paint where particles shall start" in page._say.text()
    document(page).undo()
    assert document(page).scene == kept


def test_the_keyboard_paints(qtbot: QtBot) -> None:
    editor = RegionEditor()
    host = shown(qtbot, editor)
    editor.setFocus()
    for key in (Key.Key_Right, Key.Key_Up, Key.Key_Up):
        qtbot.keyClick(editor, key)
    with qtbot.waitSignal(editor.painted) as seen:
        qtbot.keyClick(editor, Key.Key_Space)
    assert seen.args == [region_text([18 * REGION_SIDE + 17])]
    host.close()
