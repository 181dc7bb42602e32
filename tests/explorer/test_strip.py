"""The strip, the painting page and the import dialog under real mouse and key events."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QCheckBox, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from explorer.brush import Brush
from explorer.document import Document
from explorer.edits import ChangeComponents, Clear, LoadPainting, Resize, Smooth
from explorer.paint.exchange import export_painting
from explorer.paint.symmetry import Symmetry
from explorer.panels.brushes import BrushStrip
from explorer.panels.importing import ImportDialog
from explorer.panels.painting import PaintingPage
from explorer.tools.kit import TOOLS, ToolKit
from explorer.views.canvas import Canvas
from explorer.views.plane import PlaneRange
from tests.explorer.hands import LEFT, Key, actions, shown, type_into
from trainer.components import Component, mass_of
from trainer.paintings import preset_names


@pytest.fixture
def strip(qtbot: QtBot) -> BrushStrip:
    owner = QWidget()
    qtbot.addWidget(owner)
    widget = BrushStrip(actions(owner, "undo", "redo", "clear"))
    widget.host = (owner, shown(qtbot, widget, width=230))  # type: ignore[attr-defined] - keeps the window alive
    return widget


def test_strip_fits_the_smallest_tile(strip: BrushStrip) -> None:
    assert strip.window().minimumSizeHint().width() <= 230
    assert strip.radius.width() >= 24
    places = [w.geometry() for w in (*strip.findChildren(QToolButton), strip.radius, strip.strength)]
    assert len(places) == 7
    assert all(p.left() >= 0 and p.right() < 230 for p in places)
    assert not any(p.intersects(q) for i, p in enumerate(places) for q in places[:i])


def test_the_tool_in_hand_by_menu_and_by_letter(qtbot: QtBot, strip: BrushStrip) -> None:
    strip.palette_menu.popup(strip.mapToGlobal(QPoint(0, 0)))
    line = strip.palette_menu.actionGeometry(strip.tool_actions["line"]).center()
    qtbot.mouseClick(strip.palette_menu, LEFT, pos=line)
    assert strip.kit.options.tool == "line"
    assert strip.tool_actions["line"].isChecked()
    assert strip.tool_button.toolTip() == "Line (L): Drag from end to end; Shift keeps to 45 degrees"
    with qtbot.waitSignal(strip.changed) as seen:
        qtbot.keyClick(strip.window(), Key.Key_E)
    assert seen.args[0].eraser
    with qtbot.waitSignal(strip.changed) as seen:
        qtbot.keyClick(strip.window(), Key.Key_B)
    assert seen.args == [strip.brush()]
    assert not strip.brush().eraser
    for spec in TOOLS:
        assert strip.tool_actions[spec.name].shortcut().toString() == spec.key


def test_given_actions_fill_the_palette(qtbot: QtBot) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    given = actions(owner, "undo", "redo", "clear", "by_mass", *(f"tool_{spec.name}" for spec in TOOLS))
    widget = BrushStrip(given)
    qtbot.addWidget(widget)
    *tools, line, by_mass = widget.palette_menu.actions()
    assert tools == [given[f"tool_{spec.name}"] for spec in TOOLS]
    assert line.isSeparator()
    assert by_mass == given["by_mass"]
    given["tool_fill"].trigger()
    assert widget.kit.options.tool == "fill"
    assert not widget.actions()


def test_radius_and_strength(qtbot: QtBot, strip: BrushStrip) -> None:
    assert (strip.brush().radius, strip.brush().strength) == pytest.approx((Brush().radius, Brush().strength), rel=0.02)
    strip.radius.setFocus()
    with qtbot.waitSignal(strip.changed) as seen:
        qtbot.keyClick(strip.radius, Key.Key_End)
    assert seen.args[0].radius == 0.5
    with qtbot.waitSignal(strip.changed) as seen:
        qtbot.keyClick(strip.window(), Key.Key_BracketLeft)
    assert seen.args[0].radius == pytest.approx(0.5 * 25**-0.05, rel=0.01)
    qtbot.mouseClick(strip.strength, LEFT, pos=QPoint(0, 10))
    assert strip.brush().strength == 0.01
    with qtbot.assertNotEmitted(strip.changed):
        strip.set_brush(Brush(0.1, 0.5, eraser=True))
    assert strip.brush() == Brush(0.1, 0.5, eraser=True)
    keys = "weaker {, stronger }; % makes it a share of the mass, or a flow"
    assert strip.strength.toolTip() == f"Strength of the brush: 0.500 ({keys})"


def test_a_preset_is_chosen_from_pictures(qtbot: QtBot, strip: BrushStrip) -> None:
    strip.menu.popup(strip.mapToGlobal(QPoint(0, 0)))
    assert strip.list.count() == len(preset_names())
    assert not strip.list.item(0).icon().isNull()
    with qtbot.waitSignal(strip.preset_chosen) as seen:
        qtbot.mouseClick(strip.list.viewport(), LEFT, pos=strip.list.visualItemRect(strip.list.item(2)).center())
    assert seen.args == [preset_names()[2]]
    assert not strip.menu.isVisible()
    strip.menu.popup(strip.mapToGlobal(QPoint(0, 0)))
    strip.list.setCurrentRow(1)
    with qtbot.waitSignal(strip.preset_chosen) as seen:
        qtbot.keyClick(strip.list, Key.Key_Return)
    assert seen.args == [preset_names()[1]]


def test_a_strip_is_collected(qtbot: QtBot) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    widget = BrushStrip(actions(owner, "undo", "redo", "clear"))
    widget.show()
    widget.hide()
    gone = weakref.ref(widget)
    del widget
    gc.collect()
    assert gone() is None


# --- the page


class Desk:
    """A document, its canvas and its page, wired as the window wires them."""

    def __init__(self, qtbot: QtBot) -> None:
        self.document = Document()
        self.kit = ToolKit()
        self.canvas = Canvas(self.document, PlaneRange(1.0), self.kit)
        qtbot.addWidget(self.canvas)
        self.page = PaintingPage(self.document, self.kit, self.canvas.masses)
        self.commands: list[object] = []
        self.page.commanded.connect(self.commands.append)
        self.page.commanded.connect(self.document.do)
        self.document.subscribe(lambda change: self.page.show_document(self.document, change))
        self.host = shown(qtbot, self.page, width=272)


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    return Desk(qtbot)


def test_every_tool_shows_its_own_settings_and_fits_the_drawer(desk: Desk) -> None:
    rows = {
        "brush": {"brush.radius", "brush.strength", "brush.by_mass"},
        "fill": {"brush.strength", "brush.by_mass", "tolerance"},
        "smooth": {"brush.radius", "brush.strength", "softness"},
        "stamp": {"brush.strength", "brush.by_mass", "stamp_width"},
        "select": set(),
    }
    for spec in TOOLS:
        desk.kit.take(spec.name)
        assert desk.page.tool.hint.text().startswith(f"{spec.title} ({spec.key}).")
        assert desk.page.minimumSizeHint().width() <= 272
        if spec.name in rows:
            assert {path for path, row in desk.page.form.rows.items() if row.isVisibleTo(desk.page)} == rows[spec.name]
    for control in (*desk.page.findChildren(QCheckBox), *desk.page.findChildren(QPushButton)):
        assert control.accessibleName()
        assert control.toolTip()


def test_fields_and_boxes_set_the_tools(qtbot: QtBot, desk: Desk) -> None:
    type_into(qtbot, desk.page.form.rows["brush.radius"].editor, "0.2")
    assert desk.kit.brush.radius == 0.2
    type_into(qtbot, desk.page.form.rows["brush.radius"].editor, "9")
    assert "out of range" in desk.page.form.rows["brush.radius"].error()
    assert desk.kit.brush.radius == 0.2
    desk.page.left_right.click()
    type_into(qtbot, desk.page.folds.editor, "6")
    assert desk.kit.options.symmetry == Symmetry(True, False, 6)
    type_into(qtbot, desk.page.folds.editor, "60")
    assert "from 1 to 12" in desk.page.folds.error()
    desk.kit.take("eraser")
    assert desk.kit.options.brush == Brush(0.2, 0.6, eraser=True)
    desk.kit.take("stamp")
    qtbot.keyClicks(desk.page.text, "Hi")
    assert desk.kit.options.stamp is not None
    desk.kit.take("smooth")
    desk.page.smooth.click()
    assert desk.commands == [Smooth(0.03)]
    assert desk.document.undo_text == "Undo smoothing the painting"


def test_the_number_of_cells_is_typed(qtbot: QtBot, desk: Desk) -> None:
    type_into(qtbot, desk.page.cells.editor, "64")
    assert desk.commands == [Resize(64)]
    type_into(qtbot, desk.page.cells.editor, "16")
    assert desk.page.cells.error() == "16 is no number of cells; give a whole number from 32 to 256"
    desk.document.undo()
    assert desk.page.cells.value() == 128
    assert len(desk.commands) == 1


def test_a_gaussians_numbers_and_its_share(qtbot: QtBot, desk: Desk) -> None:
    desk.kit.take("gaussian")
    form = desk.page.gaussians
    assert form.none.isVisible()
    assert not form.form.isVisible()
    desk.document.do(ChangeComponents((Component(0.0, 0.5),)))
    desk.kit.choose(0)
    assert form.form.isVisible()
    type_into(qtbot, form.form.rows["x"].editor, "-0.5")
    type_into(qtbot, form.form.rows["angle"].editor, "30")
    type_into(qtbot, form.share.editor, "0.5")
    (component,) = desk.document.components
    assert (component.x, component.y, component.angle) == (-0.5, 0.5, 30)
    assert component.mass / mass_of(desk.document.paint, (component,)) == pytest.approx(0.5)
    type_into(qtbot, form.share.editor, "1")
    assert "share: 1 is not between 0 and 1" in form.share.error()
    type_into(qtbot, form.form.rows["along"].editor, "0")
    assert "out of range" in form.form.rows["along"].error()
    assert desk.document.components == (component,)
    desk.document.undo()
    assert form.share.value() == pytest.approx(desk.document.components[0].mass / 0.21, rel=0.5)
    form.delete.click()
    assert desk.document.components == ()


def test_the_table_lists_shares_and_says_when_nothing_is_painted(qtbot: QtBot, desk: Desk) -> None:
    assert desk.page.table.text().splitlines()[0].startswith("0.800  at (−0.")
    assert desk.page.table.text().splitlines()[1].startswith("0.200  at (0.")
    with qtbot.waitSignal(desk.canvas.masses.changed):
        desk.document.do(Clear())
    assert desk.page.table.text() == "Nothing is painted."


def test_a_picture_for_the_stamp_and_one_that_is_none(qtbot: QtBot, desk: Desk, tmp_path: Path) -> None:
    Image.new("L", (600, 300), 200).save(tmp_path / "wide.png")
    desk.page.stamp_picture(str(tmp_path / "wide.png"))
    stamp = desk.kit.options.stamp
    assert stamp is not None
    assert (stamp.weights.shape, stamp.name, stamp.weights.min()) == ((128, 256), "wide", 1)
    with qtbot.waitSignal(desk.page.told) as told:
        desk.page.stamp_picture(str(tmp_path / "none.png"))
    assert "no such file" in told.args[1]
    assert desk.kit.options.stamp is stamp


# --- the dialog


def test_a_picture_is_previewed_inverted_and_imported(qtbot: QtBot, tmp_path: Path) -> None:
    pixels = np.full((80, 80), 255, np.uint8)
    pixels[:40, :40] = 0  # a black square at the upper left
    Image.fromarray(pixels).save(tmp_path / "square.png")
    dialog = ImportDialog(tmp_path / "square.png", 96)
    qtbot.addWidget(dialog)
    with qtbot.waitActive(dialog):
        dialog.show()
    assert dialog.painting is not None
    assert dialog.painting[90, 5] == 0
    assert dialog.line.text().startswith("96 x 96 cells, 75 % of them painted.")
    assert not dialog.kind.isVisible()
    dialog.invert.click()
    assert dialog.line.text().startswith("96 x 96 cells, 25 % of them painted.")
    type_into(qtbot, dialog.cells.editor, "20")
    assert dialog.line.text() == "cells: 20; give a whole number from 32 to 256"
    assert not dialog.ok.isEnabled()
    type_into(qtbot, dialog.cells.editor, "40")
    with qtbot.waitSignal(dialog.commanded) as seen:
        qtbot.mouseClick(dialog.ok, LEFT)
    (command,) = seen.args
    assert isinstance(command, LoadPainting)
    assert (command.name, command.weights.shape) == ("square", (40, 40))
    assert command.weights[20:, :20].min() == 1
    assert command.weights.sum() == 400
    document = Document()
    document.do(command)
    assert document.size == 40
    document.undo()
    assert document.size == 128


def test_two_columns_ask_what_they_are(qtbot: QtBot, tmp_path: Path) -> None:
    np.save(tmp_path / "two.npy", np.abs(np.random.default_rng(0).normal(size=(400, 2))))
    dialog = ImportDialog(tmp_path / "two.npy", 64)
    qtbot.addWidget(dialog)
    with qtbot.waitActive(dialog):
        dialog.show()
    assert dialog.kind.isVisible()
    assert not dialog.invert.isVisible()
    assert dialog.painting is not None
    points = np.count_nonzero(dialog.painting)
    dialog.kind.editor.setFocus()
    qtbot.keyClick(dialog.kind.editor, Key.Key_Down)
    assert dialog.kind.value() == "weights"
    assert np.count_nonzero(dialog.painting) != points


def test_an_export_comes_back_through_the_dialog_with_its_own_cells(qtbot: QtBot, tmp_path: Path) -> None:
    painting = np.random.default_rng(0).random((72, 72), np.float32) * np.float32(0.5)
    export_painting(tmp_path / "mine.csv", painting)
    dialog = ImportDialog(tmp_path / "mine.csv", 128)
    qtbot.addWidget(dialog)
    assert dialog.cells.value() == 72
    assert dialog.painting is not None
    assert dialog.painting.tobytes() == painting.tobytes()


def test_a_file_that_cannot_be_read_says_why(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"nothing")
    dialog = ImportDialog(tmp_path / "a.png", 128)
    qtbot.addWidget(dialog)
    assert "not a picture" in dialog.line.text()
    assert not dialog.ok.isEnabled()
