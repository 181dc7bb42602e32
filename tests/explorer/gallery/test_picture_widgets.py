"""Grid, strip, board and bar of the pictures' window: what is drawn is what was given, and hands are obeyed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from explorer.engine.frames import Array
from explorer.gallery.bar import _marks, rungs
from explorer.gallery.board import MaskBoard
from explorer.gallery.folders import SHIPPED, image_folder, is_run, shipped
from explorer.gallery.grid import PictureGrid
from explorer.gallery.imaging import noise_pixels, pixels, sheet_image
from explorer.gallery.strip import FilmStrip, StripRow
from explorer.theme import DARK, LIGHT
from tests.explorer.pixels import of_colour, picture
from tests.trainer.images.small import made_elsewhere, small_checkpoint

NONE = np.zeros(9, np.float32)


def noise(count: int, channels: int = 1, side: int = 8) -> Array:
    return np.random.default_rng(0).uniform(-1, 1, (count, channels, side, side)).astype(np.float32)


def test_pixels_are_the_values_and_noise_is_told_by_its_sign() -> None:
    values = np.array([-1, 0, 1, 5], np.float32).reshape(4, 1, 1, 1)
    assert pixels(values)[:, 0, 0, 0].tolist() == [0, 128, 255, 255]
    assert pixels(noise(2, 3)).shape == (2, 8, 8, 3)
    below, none, above = noise_pixels(np.array([-9, 0, 9], np.float32).reshape(3, 1, 1, 1), LIGHT)[:, 0, 0]
    assert below.tolist() == list(QColor(LIGHT.true).getRgb()[:3])
    assert none.tolist() == list(QColor(LIGHT.ground_low).getRgb()[:3])
    assert above.tolist() == list(QColor(LIGHT.learned).getRgb()[:3])
    assert sheet_image(noise(9)).width() >= 400


@pytest.mark.parametrize(("count", "channels", "side"), [(1, 1, 8), (9, 3, 32), (64, 1, 8), (1000, 1, 8)])
def test_every_picture_of_a_grid_has_a_place_of_its_own(qtbot: QtBot, count: int, channels: int, side: int) -> None:
    grid = PictureGrid()
    qtbot.addWidget(grid)
    grid.resize(400, 300)
    grid.show_pictures(noise(count, channels, side), np.zeros(count, np.float32))
    cells = [grid._place.cell(k) for k in range(count)]
    assert all(grid.rect().contains(cell) for cell in cells)
    assert all(grid._place.at(cell.center()) == k for k, cell in enumerate(cells))
    assert len({(cell.x(), cell.y()) for cell in cells}) == count


def test_a_grid_draws_its_pictures_sharp(qtbot: QtBot) -> None:
    grid = PictureGrid()
    qtbot.addWidget(grid)
    grid.resize(200, 200)
    values = np.where(np.indices((8, 8)).sum(0) % 2, 1.0, -1.0).astype(np.float32)[None, None]
    grid.show_pictures(values, np.zeros(1, np.float32))
    drawn = picture(grid, QColor(LIGHT.window))
    cell = grid._place.cell(0)
    inside = drawn[cell.top() : cell.bottom() + 1, cell.left() : cell.right() + 1]
    assert set(np.unique(inside)) == {0, 255}
    assert (inside == 255).mean() == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize(("count", "side", "room"), [(64, 32, 460), (16, 64, 500), (64, 8, 300), (9, 32, 200)])
def test_pictures_fill_most_of_the_room(qtbot: QtBot, count: int, side: int, room: int) -> None:
    grid = PictureGrid()
    qtbot.addWidget(grid)
    grid.resize(room, room)
    grid.show_pictures(noise(count, 3, side), np.zeros(count, np.float32))
    whole = grid._place.whole
    assert grid.rect().contains(whole)
    assert whole.width() >= 0.75 * room


def test_the_choice_moves_by_mouse_and_keys_and_what_diverged_is_crossed(qtbot: QtBot) -> None:
    grid = PictureGrid()
    qtbot.addWidget(grid)
    grid.resize(300, 300)
    grid.show_pictures(noise(9), NONE)
    seen: list[int] = []
    grid.chosen.connect(seen.append)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_End, Qt.Key.Key_Home, Qt.Key.Key_Left):
        qtbot.keyClick(grid, key)
    qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, pos=grid._place.cell(5).center())
    qtbot.keyClick(grid, Qt.Key.Key_Escape)
    assert seen == [0, 1, 4, 8, 0, 5, -1]
    assert "9 pictures" in grid.accessibleDescription()
    before = of_colour(picture(grid, QColor("white")), QColor(LIGHT.warning)).sum()
    gone = NONE.copy()
    gone[2] = 1
    grid.show_pictures(noise(9), gone)
    assert before == 0
    assert of_colour(picture(grid, QColor("white")), QColor(LIGHT.warning)).sum() > 20
    grid.choose(8)
    grid.show_pictures(noise(3), np.zeros(3, np.float32))
    assert grid.index == 2


def test_a_strip_asks_for_the_moment_that_is_clicked(qtbot: QtBot) -> None:
    strip = FilmStrip()
    qtbot.addWidget(strip)
    strip.resize(700, 240)
    rows = [StripRow("picture", noise(9)), StripRow("noise", 3 * noise(9), "noise")]
    strip.show_rows(rows, [f"σ {k}" for k in range(9)], 4)
    seen: list[int] = []
    strip.step_chosen.connect(seen.append)
    label, _, side, pitch = strip._measures()
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(label + 6 * pitch + side // 2, 60))
    qtbot.keyClick(strip, Qt.Key.Key_Left)
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(5, 60))
    assert seen == [6, 3]
    for theme in (LIGHT, DARK):
        strip.set_theme(theme)
        drawn = picture(strip, QColor(theme.window))
        assert of_colour(drawn, QColor(theme.selection)).any()


def test_a_mask_is_painted_taken_away_and_undone(qtbot: QtBot) -> None:
    board = MaskBoard()
    qtbot.addWidget(board)
    board.resize(320, 320)
    board.show_picture(noise(1, 1, 16)[0])
    changes: list[int] = []
    board.masked.connect(lambda: changes.append(int(board.unknown.sum())))
    qtbot.mousePress(board, Qt.MouseButton.LeftButton, pos=QPoint(50, 160))
    qtbot.mouseMove(board, QPoint(270, 160))
    qtbot.mouseRelease(board, Qt.MouseButton.LeftButton, pos=QPoint(270, 160))
    painted = board.unknown.copy()
    assert painted[7:9, 4:12].all()
    assert not painted[:4].any()
    qtbot.mouseClick(board, Qt.MouseButton.RightButton, pos=QPoint(160, 160))
    assert board.unknown.sum() < painted.sum()
    board.undo()
    np.testing.assert_array_equal(board.unknown, painted)
    board.redo()
    board.undo()
    board.undo()
    assert not board.unknown.any()
    qtbot.keyClick(board, Qt.Key.Key_Up)
    qtbot.keyClick(board, Qt.Key.Key_Return)
    assert board.unknown.any()
    qtbot.keyClick(board, Qt.Key.Key_Delete)
    assert not board.unknown.any()
    radius = board.brush.radius
    qtbot.keyClick(board, Qt.Key.Key_BracketRight)
    assert board.brush.radius > radius
    for side, place in (("left", np.s_[:, :8]), ("bottom", np.s_[8:])):
        board.fill_half(side)
        assert board.unknown[place].all()
        assert board.unknown.sum() == 128
    board.invert()
    assert board.unknown[:8].all()
    assert len(changes) == 11
    drawn = picture(board, QColor("white"))
    green = drawn[..., 1].astype(int) - drawn[..., 0]
    assert green[:150].mean() > green[170:].mean() + 20


def test_a_mask_on_an_oblong_picture(qtbot: QtBot) -> None:
    board = MaskBoard()
    qtbot.addWidget(board)
    board.resize(320, 320)
    board.show_picture(noise(1, 1, 16)[0][:, :8])
    assert board.unknown.shape == (8, 16)
    qtbot.mouseClick(board, Qt.MouseButton.LeftButton, pos=QPoint(170, 170))
    assert board.unknown[3:5, 7:9].any()
    assert not board.unknown[:, :5].any()


def test_noise_levels_on_the_axis_stand_where_the_steps_pass_them() -> None:
    sigmas = [*np.geomspace(8, 0.04, 101).tolist(), 0.0]
    marks = {text: place for place, text in _marks(sigmas)}
    assert marks["σ 8.00"] == 0
    assert marks["clean"] == 1
    assert sigmas[round(marks["1"] * 101)] == pytest.approx(1, rel=0.06)
    assert {"5", "2", "1", "0.5", "0.2", "0.1", "0.05"} <= set(marks)


def test_a_rung_of_the_ladder_begins_where_the_noise_level_changes() -> None:
    assert rungs([4.0, 4.0, 4.0, 2.0, 2.0, 1.0, 1.0, 0.0]) == [0, 3 / 7, 5 / 7]
    assert rungs([]) == []


def test_folders_of_image_models_are_told_by_their_files(tmp_path: Path) -> None:
    model = small_checkpoint(tmp_path / "run" / "checkpoint-000020")
    assert image_folder(model) == model
    assert image_folder(model / "unet" / "config.json") == model
    assert image_folder(model / "trainer.json") == model
    assert image_folder(tmp_path / "run") == tmp_path / "run"
    assert is_run(tmp_path / "run")
    assert not is_run(model)
    elsewhere = made_elsewhere(tmp_path / "elsewhere")
    assert image_folder(elsewhere) == elsewhere
    flat = tmp_path / "flat"
    (elsewhere / "unet").rename(flat)
    assert image_folder(flat) == flat
    assert image_folder(tmp_path) is None
    assert image_folder(tmp_path / "nothing") is None
    (tmp_path / "notes.txt").write_text("no")
    assert image_folder(tmp_path / "notes.txt") is None
    for name, _ in SHIPPED:
        assert image_folder(shipped(name)) == shipped(name)
        assert sum(file.stat().st_size for file in shipped(name).rglob("*")) < 4 * 2**20
