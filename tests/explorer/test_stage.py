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
from explorer.views.stage import LATTICE, LATTICE_DOUBLED, PLACES, Stage
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
    contents: dict[str, QWidget] = {name: QWidget() for name in ("painting", "curves", "shares")}
    contents |= {name: FieldView(name, plane) for name in ("learned", "true")}
    contents |= {name: ParticleView(i, plane) for i, name in enumerate(("pane1", "pane2", "pane3"))}
    for name in PLACES:
        if name == "shares":
            stage.set_between(Strip(40))
        stage.put(name, name.capitalize(), contents[name], Strip(36) if PLACES.index(name) > 4 else None)
    return stage


def picture(stage: Stage, size: tuple[int, int]) -> np.ndarray:
    stage.resize(*size)
    image = QImage(*size, QImage.Format.Format_RGB32)
    stage.render(image)
    return np.array(image.constBits()).reshape(size[1], size[0], 4)[..., :3]


def squares(stage: Stage) -> dict[str, QRect]:
    """Where the pictures are on the stage, of the tiles that are not hidden."""
    tiles = {name: stage.tile(name) for name in PLACES if not stage.tile(name).isHidden()}
    return {name: tile.content.geometry().translated(tile.pos()) for name, tile in tiles.items()}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scale", [1.0, 1.6])
def test_eight_equal_squares_without_a_window(qtbot: QtBot, size: tuple[int, int], scale: float) -> None:
    stage = make_stage()
    stage.resize(*size)
    stage.set_scale(scale)
    stage.settle()
    places = squares(stage)
    assert tuple(places) == PLACES
    assert len({(r.width(), r.height()) for r in places.values()}) == 1
    side = places["learned"].width()
    assert side == places["learned"].height()
    assert len({r.top() for r in list(places.values())[:4]}) == 1
    assert len({r.top() for r in list(places.values())[4:]}) == 1
    area = QRect(0, 0, *size)
    tiles = [stage.tile(name).geometry() for name in PLACES]
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
    assert set(places) == {"learned", "true", "curves", "pane2", "pane3"}
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
    stage.double("pane2")
    assert stage.doubled == ("learned", "pane2")
    stage.halve()
    assert stage.doubled == ()
    assert stage.lattice == LATTICE == wanted[-1]
    assert tuple(squares(stage)) == PLACES


def test_double_click_return_and_escape(qtbot: QtBot) -> None:
    stage = make_stage()
    qtbot.addWidget(stage)
    stage.resize(1280, 650)
    stage.show()
    qtbot.mouseDClick(stage.tile("true").content, Qt.MouseButton.LeftButton)
    assert stage.doubled == ("true",)
    qtbot.keyClick(stage.tile("true").content, Qt.Key.Key_Escape)
    assert stage.doubled == ()
    qtbot.keyClick(stage.tile("pane1").content, Qt.Key.Key_Return)
    assert stage.doubled == ("pane1",)
    assert stage.tile("pane1").content.isVisible()
    assert not stage.tile("painting").isVisible()
    qtbot.keyClick(stage.tile("pane1").content, Qt.Key.Key_Return)
    assert stage.doubled == ()
    assert stage.tile("curves").focusPolicy() == Qt.FocusPolicy.TabFocus  # its content takes no focus
    qtbot.keyClick(stage.tile("curves"), Qt.Key.Key_Return)
    assert stage.doubled == ("curves",)


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
        visited.append(next(n for n in PLACES if here in (stage.tile(n), stage.tile(n).content)))
    assert visited == list(PLACES[1:])


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
        stage.exchange("true", "nowhere")
    assert stage.places == PLACES


class Wanting(QWidget):
    """A view that needs a costly part of the frame, and counts the frames that it was shown."""

    def __init__(self, *wants: str) -> None:
        super().__init__()
        self.wants = frozenset(wants)
        self.shown = 0

    def show_frame(self, frame: object) -> None:
        self.shown += 1


def test_any_view_stands_in_any_place_and_is_made_when_it_is_first_seen(qtbot: QtBot) -> None:
    made: list[str] = []

    def make(name: str) -> None:
        made.append(name)
        stage.put(name, name.capitalize(), Wanting())

    stage = Stage(make)
    told: list[tuple[str, ...]] = []
    stage.arranged.connect(lambda: told.append(stage.places))
    stage.resize(1280, 650)
    stage.arrange(PLACES)
    assert made == list(PLACES)
    squares = {name: stage.tile(name).geometry() for name in PLACES}
    stage.exchange("true", "curl")
    assert made[8:] == ["curl"]
    assert stage.names == stage.places == ("painting", "learned", "curl", *PLACES[3:])
    assert stage.tile("curl").geometry() == squares["true"]
    assert stage.tile("true").isHidden()
    stage.exchange("curl", "pane2")
    assert stage.places.index("curl") == PLACES.index("pane2")
    assert stage.tile("curl").geometry() == squares["pane2"]
    assert stage.tile("pane2").geometry() == squares["true"]
    stage.exchange("pane2", "true")
    assert made[9:] == [], "a view that has been made is kept"
    assert not stage.tile("true").isHidden()
    assert stage.tile("pane2").isHidden()
    assert told == [PLACES, *told[1:3], stage.places]


def test_a_doubled_view_that_leaves_its_half_is_no_longer_doubled(qtbot: QtBot) -> None:
    stage = make_stage()
    stage.resize(1280, 650)
    stage.double("learned")
    stage.double("true")
    stage.exchange("learned", "pane2")
    assert stage.doubled == ("true",)
    stage.exchange("true", "curves")
    assert stage.doubled == ("true",), "it stays in its half"
    assert set(stage.seen) == {"true", "painting", "pane2", "shares", "pane1"}


def test_only_what_is_seen_is_drawn_and_wanted(qtbot: QtBot) -> None:
    stage = Stage(lambda name: stage.put(name, name, Wanting(*{"true": ["curl"], "pane3": ["trails"]}.get(name, []))))
    stage.resize(1280, 650)
    stage.arrange(PLACES)
    views = {name: stage.tile(name).content for name in PLACES}
    assert stage.wants == {"curl", "trails"}
    stage.double("pane3")
    assert stage.seen == ("painting", "learned", "shares", "pane1", "pane3")
    assert stage.wants == {"trails"}
    stage.present(("learned", "true"))
    assert stage.seen == ("learned", "true")
    assert stage.wants == {"curl"}
    stage.show_frame(make_frame(number=10))
    assert [name for name, view in views.items() if view.shown] == ["learned", "true"]  # type: ignore[attr-defined]
    stage.present(())
    assert stage.seen == ("painting", "learned", "shares", "pane1", "pane3"), "as it was before"
    stage.halve()
    assert stage.wants == {"curl", "trails"}


@pytest.mark.parametrize("names", [PLACES[1:2], PLACES[1:3], PLACES[5:8], PLACES[4:8]])
def test_a_presentation_shows_some_as_large_as_they_fit(qtbot: QtBot, names: tuple[str, ...]) -> None:
    stage = make_stage()
    stage.resize(1280, 650)
    stage.settle()
    before = squares(stage)
    stage.present(names)
    places = squares(stage)
    assert tuple(places) == stage.seen == names
    assert len({(r.width(), r.height()) for r in places.values()}) == 1
    assert places[names[0]].width() == places[names[0]].height() > before[names[0]].width()
    tiles = [stage.tile(name).geometry() for name in names]
    assert all(QRect(0, 0, 1280, 650).contains(tile) for tile in tiles)
    assert not any(a.intersects(b) for i, a in enumerate(tiles) for b in tiles[:i])
    stage.present(())
    assert squares(stage) == before


def test_four_stand_two_by_two_where_the_stage_is_high(qtbot: QtBot) -> None:
    stage = make_stage()
    for size, lines in (((1280, 650), 1), ((900, 1000), 2)):
        stage.resize(*size)
        stage.present(PLACES[4:8])
        assert len({tile.top() for tile in squares(stage).values()}) == lines


def test_a_stage_dies_with_its_last_reference(qtbot: QtBot) -> None:
    stage = make_stage()
    stage.show_frame(make_frame())
    picture(stage, (1280, 650))
    watch = [weakref.ref(stage), weakref.ref(stage.tile("true").content)]
    del stage
    gc.collect()
    assert [ref() for ref in watch] == [None, None]
