"""The stage: equal squares on whole pixels, doubling, and a layout that needs no window."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from explorer.theme import DARK
from explorer.views.field import FieldView
from explorer.views.particles import ParticleView
from explorer.views.plane import PlaneRange
from explorer.views.stage import LATTICE, LATTICE_DOUBLED, TILES, Stage
from explorer.views.tile import Tile
from tests.explorer.frames import empty_frame, make_frame

SIZES = [(1280, 650), (1016, 650), (1904, 1000), (1280, 720), (720, 480)]


class Strip(QWidget):
    """A widget of a given height, for the strips and the row between."""

    def __init__(self, height: int) -> None:
        super().__init__()
        self.setMinimumHeight(height)


def make_stage() -> Stage:
    plane = PlaneRange()
    stage = Stage()
    contents: dict[str, QWidget] = {name: QWidget() for name in ("painting", "error", "shares")}
    contents |= {name: FieldView(name, plane) for name in ("learned", "true")}
    contents |= {name: ParticleView(i, plane) for i, name in enumerate(("ascent", "langevin", "annealed"))}
    for name in TILES:
        if name == "shares":
            stage.set_between(Strip(40))
        stage.put(name, name.capitalize(), contents[name], Strip(36) if TILES.index(name) > 4 else None)
    return stage


def picture(stage: Stage, size: tuple[int, int]) -> np.ndarray:
    stage.resize(*size)
    image = QImage(*size, QImage.Format.Format_RGB32)
    stage.render(image)
    return np.array(image.constBits()).reshape(size[1], size[0], 4)[..., :3]


def squares(stage: Stage) -> dict[str, QRect]:
    """Where the pictures are on the stage, of the tiles that are not hidden."""
    tiles = {name: stage.tile(name) for name in TILES if not stage.tile(name).isHidden()}
    return {name: tile.content.geometry().translated(tile.pos()) for name, tile in tiles.items()}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scale", [1.0, 1.6])
def test_eight_equal_squares_without_a_window(qtbot: QtBot, size: tuple[int, int], scale: float) -> None:
    stage = make_stage()
    stage.resize(*size)
    stage.set_scale(scale)
    stage.settle()
    places = squares(stage)
    assert tuple(places) == TILES
    assert len({(r.width(), r.height()) for r in places.values()}) == 1
    side = places["learned"].width()
    assert side == places["learned"].height()
    assert len({r.top() for r in list(places.values())[:4]}) == 1
    assert len({r.top() for r in list(places.values())[4:]}) == 1
    area = QRect(0, 0, *size)
    tiles = [stage.tile(name).geometry() for name in TILES]
    assert all(area.contains(tile) for tile in tiles)
    assert not any(a.intersects(b) for i, a in enumerate(tiles) for b in tiles[:i])
    assert places["true"].left() - places["learned"].right() - 1 >= 16


def test_squares_are_large_enough_at_the_design_size(qtbot: QtBot) -> None:
    stage = make_stage()
    stage.resize(1280, 650)
    stage.settle()
    assert squares(stage)["learned"].width() >= 220


@pytest.mark.parametrize("size", SIZES[:4])
def test_doubling_fills_a_half(qtbot: QtBot, size: tuple[int, int]) -> None:
    stage = make_stage()
    stage.resize(*size)
    stage.settle()
    before = squares(stage)["learned"].width()
    wanted: list[int] = []
    stage.lattice_wanted.connect(wanted.append)
    stage.double("learned")
    places = squares(stage)
    assert set(places) == {"learned", "true", "error", "langevin", "annealed"}
    assert places["learned"].width() >= 2 * places["true"].width()
    assert places["learned"].width() > 1.9 * before
    assert wanted == [stage.lattice]
    assert stage.lattice >= LATTICE_DOUBLED
    stage.double("true")
    both = squares(stage)
    assert set(both) == {"learned", "true"}
    assert both["learned"].size() == both["true"].size()
    assert both["learned"].right() < both["true"].left()
    assert all(QRect(0, 0, *size).contains(stage.tile(name).geometry()) for name in both)
    stage.double("langevin")
    assert stage.doubled == ("learned", "langevin")
    stage.halve()
    assert stage.doubled == ()
    assert stage.lattice == LATTICE == wanted[-1]
    assert tuple(squares(stage)) == TILES


def test_double_click_return_and_escape(qtbot: QtBot) -> None:
    stage = make_stage()
    qtbot.addWidget(stage)
    stage.resize(1280, 650)
    stage.show()
    qtbot.mouseDClick(stage.tile("true").content, Qt.MouseButton.LeftButton)
    assert stage.doubled == ("true",)
    qtbot.keyClick(stage.tile("true").content, Qt.Key.Key_Escape)
    assert stage.doubled == ()
    qtbot.keyClick(stage.tile("ascent").content, Qt.Key.Key_Return)
    assert stage.doubled == ("ascent",)
    assert stage.tile("ascent").content.isVisible()
    assert not stage.tile("painting").isVisible()
    qtbot.keyClick(stage.tile("ascent").content, Qt.Key.Key_Return)
    assert stage.doubled == ()
    assert stage.tile("error").focusPolicy() == Qt.FocusPolicy.TabFocus  # its content takes no focus
    qtbot.keyClick(stage.tile("error"), Qt.Key.Key_Return)
    assert stage.doubled == ("error",)


def test_focus_goes_in_reading_order(qtbot: QtBot) -> None:
    stage = make_stage()
    qtbot.addWidget(stage)
    stage.resize(1280, 650)
    stage.show()
    first = stage.tile("learned").content
    first.setFocus()
    assert stage.focusWidget() is first
    visited = ["learned"]
    for _ in range(6):
        stage.focusNextChild()
        here = stage.focusWidget()
        visited.append(next(n for n in TILES if here in (stage.tile(n), stage.tile(n).content)))
    assert visited == list(TILES[1:])


def test_rendering_is_the_same_every_time(qtbot: QtBot) -> None:
    frame = make_frame(progress=0.6)
    pictures = []
    for _ in range(2):
        stage = make_stage()
        stage.set_theme(DARK)
        stage.show_frame(frame)
        pictures.append(picture(stage, (1280, 720)))
    assert (pictures[0] == pictures[1]).all()
    assert len(np.unique(pictures[0][..., 1])) > 100
    stage.show_frame(empty_frame())
    assert (picture(stage, (1280, 720)) != pictures[0]).any()


def test_an_empty_tile_says_what_to_do(qtbot: QtBot) -> None:
    tile = Tile("Painting", QWidget())
    tile.resize(236, 292)
    image = QImage(tile.size(), QImage.Format.Format_RGB32)

    def middle() -> np.ndarray:
        image.fill(Qt.GlobalColor.white)
        tile.render(image)
        return np.array(image.constBits()).reshape(292, 236, 4)[130:160, 40:200, :3]

    before = middle()
    tile.set_empty("Paint something")
    assert (middle() != before).sum() > 100
    tile.set_empty("")
    assert (middle() == before).all()


def test_a_caption_reaches_the_tile(qtbot: QtBot) -> None:
    stage = make_stage()
    stage.show_frame(make_frame(sigma=0.3))
    assert stage.tile("learned").caption == "σ 0.300"
    assert stage.tile("true").readout.startswith("half-length arrow")
    replaced = stage.put("true", "True score", stage_content := FieldView("true", PlaneRange()))
    assert stage.tile("true") is replaced
    assert replaced.content is stage_content
    with pytest.raises(KeyError):
        stage.put("nowhere", "", QWidget())


def test_a_stage_dies_with_its_last_reference(qtbot: QtBot) -> None:
    stage = make_stage()
    stage.show_frame(make_frame())
    picture(stage, (1280, 650))
    watch = [weakref.ref(stage), weakref.ref(stage.tile("true").content)]
    del stage
    gc.collect()
    assert [ref() for ref in watch] == [None, None]
