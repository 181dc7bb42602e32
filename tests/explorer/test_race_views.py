"""The race on the stage: squares that fit, inks that differ, curves on their own scales, and what can be read."""

from __future__ import annotations

import csv
import io
from dataclasses import MISSING, fields, replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QRegion, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from explorer.colours import contrast
from explorer.engine.frames import Frame, Race, Racer
from explorer.engine.messages import EXTENT
from explorer.tables import csv_text
from explorer.theme import DARK, LIGHT
from explorer.viewing import Viewing
from explorer.views.plane import PlaneRange
from explorer.views.race import RaceView
from explorer.views.race_curves import RaceCurvesView, loss_scale, pixel_means
from explorer.views.racers import common_levels, error_curve, ink, sentence
from tests.explorer.frames import density_and_score, ground, lattice
from tests.explorer.hands import Key
from tests.explorer.pixels import inked


def moment(**changes: Any) -> Frame:  # noqa: ANN401
    """A frame in the middle of training, without particles; `changes` replaces any of its fields."""
    values: dict[str, Any] = {}
    for f in fields(Frame):
        if f.default is MISSING and f.default_factory is MISSING:
            plain = {"int": 1, "float": 1.0, "bool": True, "str": "crescents"}
            values[f.name] = plain.get(str(f.type), np.zeros(0, np.float32))
    _, true = density_and_score(lattice((0.0, 0.0), EXTENT, 20), 0.12)
    field = true.reshape(20, 20, 2).astype(np.float32)
    density = ground(0.12, (0.0, 0.0), EXTENT)
    values |= {
        "sigma": 0.12,
        "step": 400,
        "centre": (0.0, 0.0),
        "half_width": EXTENT,
        "true": field,
        "learned": field,
        "ground": (density / density.max()).astype(np.float32),
        "errors": np.zeros((0, 5), np.float32),
        "panes": np.zeros((3, 0, 2), np.float32),
        "pane_states": (),
        "modes": None,
    }
    return Frame(**(values | changes))


def racer(label: str, *, fall: float = 1.0, level: float = 0.0, floor: float | None = 0.0, note: str = "") -> Racer:
    """A racer whose error falls as (step / 50)^-fall and whose loss comes down to `level`."""
    steps = np.arange(1, 401, dtype=np.float32)
    at = np.array([50, 100, 200, 400], np.float32)
    errors = np.outer((at / 50) ** -fall, [0.4, 0.2, 0.1, 0.02, 0.0]).astype(np.float32)
    field = moment().true
    return Racer(
        label=label,
        step=400,
        seconds=0.8,
        milliseconds=2.0,
        learned=np.zeros((0, 0, 2), np.float32) if note else 0.9 * field,
        curve_steps=steps,
        curve_seconds=steps / 500,
        curve_loss=(level + 1 / steps).astype(np.float32),
        floor=np.array([] if floor is None else [floor], np.float32),
        error_steps=at,
        error_seconds=at / 500,
        errors=errors,
        variance=np.array([3.25], np.float32),
        note=note,
    )


def race_frame(count: int = 3, **changes: Any) -> Frame:  # noqa: ANN401
    racers = (
        racer("pooled", fall=2.0),
        racer("one draw", level=0.6, floor=0.6),
        racer("sliced VR", fall=0.5, level=-0.6, floor=-0.6),
        racer("reference", floor=None),
        racer("exact score", note="training stopped at step 10: the loss blew up 12 times"),
    )
    return moment(race=Race("steps", True, 0.12, racers[:count]), **changes)


def picture(view: RaceView | RaceCurvesView, side: int) -> np.ndarray:
    view.resize(side, side)
    image = QImage(side, side, QImage.Format.Format_RGB32)
    image.fill(view.theme.colour("window"))
    view.render(image, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)  # without the program's background
    return np.asarray(image.constBits()).reshape(side, side, 4)[..., 2::-1].astype(int)


@pytest.mark.parametrize("side", [236, 480])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_squares_are_equal_and_inside(qtbot: QtBot, side: int, count: int) -> None:
    view = RaceView(PlaneRange())
    qtbot.addWidget(view)
    view.show_frame(race_frame(count))
    pixels = picture(view, side)
    squares = view.layout_squares()
    assert len(squares) == count + 1
    assert len({(square.width(), square.height()) for square in squares}) == 1
    assert squares[0].width() > side / 4
    for square in squares:
        assert view.rect().contains(square.adjusted(0, 0, 0, view._lines()))
        assert not any(square.intersects(other) for other in squares if other is not square)
    blue, orange = (inked(pixels, view.theme.colour(role)) for role in ("true", "learned"))
    first, second = squares[0], squares[1]
    assert blue[first.top() : first.bottom(), first.left() : first.right()].sum() > 100
    assert orange[second.top() : second.bottom(), second.left() : second.right()].sum() > 100
    assert orange[first.top() : first.bottom(), first.left() : first.right()].sum() == 0


def test_only_the_square_that_changed_is_drawn_again(qtbot: QtBot) -> None:
    view = RaceView(PlaneRange())
    qtbot.addWidget(view)
    frame = race_frame(3)
    view.show_frame(frame)
    picture(view, 300)
    kept = [square.image.cacheKey() for square in view._squares]
    view.show_frame(race_frame(3))
    picture(view, 300)
    assert [square.image.cacheKey() for square in view._squares] == kept
    frame = race_frame(3)
    assert frame.race is not None
    frame.race.racers[1].learned[:] += 1
    view.show_frame(frame)
    picture(view, 300)
    now = [square.image.cacheKey() for square in view._squares]
    assert [a == b for a, b in zip(now, kept, strict=True)] == [True, True, False, True]


def test_hover_reads_the_square_and_the_wheel_zooms_there(qtbot: QtBot) -> None:
    plane = PlaneRange()
    view = RaceView(plane)
    qtbot.addWidget(view)
    view.resize(480, 480)
    view.show()
    view.show_frame(race_frame(3))
    said: list[str] = []
    view.readout.connect(said.append)
    view.announce()
    assert said[-1].startswith("half-length arrow: |s| = ")
    square = view.layout_squares()[2]
    with qtbot.waitSignal(view.hovered) as seen:
        qtbot.mouseMove(view, square.center())
    assert seen.args == pytest.approx([0.0, 0.0], abs=0.02)
    assert said[-1].startswith("one draw: s = (")
    corner = QPointF(square.topLeft())
    turn = QWheelEvent(
        corner,
        QPointF(view.mapToGlobal(corner)),
        QPoint(),
        QPoint(0, 480),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, turn)
    assert plane.half_width == pytest.approx(0.625)
    assert plane.centre == pytest.approx((-0.625, 0.625))
    qtbot.keyClick(view, Key.Key_Home)
    assert plane.half_width == 1.25


def test_words_say_all(qtbot: QtBot) -> None:
    view = RaceView(PlaneRange())
    qtbot.addWidget(view)
    captions: list[str] = []
    view.captioned.connect(captions.append)
    view.show_frame(race_frame(5))
    assert captions == ["σ 0.120 · by steps"]
    lines = view.text().splitlines()
    mean = three_of((0.4 * 0.2 * 0.1 * 0.02) ** 0.25 / 64)
    assert lines[0] == (
        f"pooled: step 400; 2.00 ms per step; Fisher error {mean} (mean over 4 noise levels); "
        "own loss 0.00255, floor 0; gradient variance 3.25 of its squared mean"
    )
    assert "floor not known" in lines[3]
    assert lines[4] == "exact score: stands still. training stopped at step 10: the loss blew up 12 times"
    empty = RaceView(PlaneRange())
    qtbot.addWidget(empty)
    empty.show_frame(moment())
    assert empty.text() == ""
    assert empty.layout_squares() == []
    picture(empty, 236)


def three_of(value: float) -> str:
    from explorer.numbers import three

    return three(value)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_shades_differ_in_grey(theme: Any) -> None:  # noqa: ANN401
    shades = [np.array(ink(theme, k).getRgb()[:3]) for k in range(3)]
    pairs = [(a, b) for i, a in enumerate(shades) for b in shades[i + 1 :]]
    assert min(float(contrast(a, b)) for a, b in pairs) > 1.15
    assert ink(theme, 0).name() == theme.learned


def test_levels_that_are_common_make_the_mean() -> None:
    frame = race_frame(2)
    assert frame.race is not None
    assert common_levels(frame.race) == [0, 1, 2, 3]
    first = frame.race.racers[0]
    assert error_curve(first, [2]).tolist() == pytest.approx([0.1, 0.025, 0.00625, 0.0015625])
    assert error_curve(first, []).size == 0
    assert "at σ 0.1" in sentence(first, [2])


def test_scales_of_losses() -> None:
    falling = np.geomspace(1, 3e-4, 100)
    assert loss_scale(falling, 0.0) == (True, -4.0, 0.0)
    assert loss_scale(falling, None)[0]
    logarithmic, low, high = loss_scale(0.6 + falling, 0.6)
    assert not logarithmic
    assert low < 0.6 < high < 1.2
    assert loss_scale(falling - 0.6, -0.6)[1] < -0.6
    x, y = pixel_means(np.array([0.2, 0.4, 7.5]), np.array([1.0, 3.0, 5.0]))
    assert x.tolist() == pytest.approx([0.3, 7.5])
    assert y.tolist() == [2.0, 5.0]


def test_curves_by_keys_and_by_options(qtbot: QtBot) -> None:
    viewing = Viewing()
    view = RaceCurvesView(viewing)
    qtbot.addWidget(view)
    view.resize(400, 400)
    view.show_frame(race_frame(3))
    view.show()
    qtbot.keyClick(view, Key.Key_T)
    assert viewing.options.in_seconds
    assert view.in_seconds
    viewing.set(in_seconds=False)
    assert not view.in_seconds
    seen = []
    for _ in range(5):
        qtbot.keyClick(view, Key.Key_S)
        seen.append(view.levels())
    assert seen == [[0], [1], [2], [3], [0, 1, 2, 3]]
    qtbot.mouseClick(view._which, Qt.MouseButton.LeftButton)
    assert view._which.text() == "σ 0.02"


@pytest.mark.parametrize("side", [236, 480])
def test_every_curve_and_its_floor_are_drawn(qtbot: QtBot, side: int) -> None:
    view = RaceCurvesView()
    qtbot.addWidget(view)
    view.show_frame(race_frame(4))
    pixels = picture(view, side)
    upper, lowers = view.areas()
    assert len(lowers) == 4
    assert all(view.rect().toRectF().contains(area) for area in (upper, *lowers))
    assert upper.bottom() < lowers[0].top()
    for k, area in enumerate(lowers):
        inside = pixels[
            round(area.top()) + 1 : round(area.bottom()) - 1, round(area.left()) + 2 : round(area.right()) - 2
        ]
        assert inked(inside, ink(view.theme, k)).sum() > 10, k
    # The dashed floor of one draw crosses its plot from one side to the other, with gaps.
    area = lowers[1]
    _, low, high = loss_scale(np.asarray(view.race.racers[1].curve_loss, float), 0.6)  # type: ignore[union-attr]
    row = round(area.bottom() - (0.6 - low) / (high - low) * area.height())
    line = inked(
        pixels[row - 1 : row + 1, round(area.left()) + 2 : round(area.right()) - 2], view.theme.colour("ink"), 160
    )
    drawn = line.any(axis=0)
    assert 0.3 < drawn.mean() < 0.9


def test_the_table_holds_every_curve(qtbot: QtBot) -> None:
    view = RaceCurvesView()
    qtbot.addWidget(view)
    view.show_frame(race_frame(2))
    rows = list(csv.DictReader(io.StringIO(csv_text(view.table()))))
    assert len(rows) == 2 * (400 + 4)
    assert {row["racer"] for row in rows} == {"pooled", "one draw"}
    measured = [row for row in rows if row["relative Fisher error at sigma 0.1"]]
    assert [row["step"] for row in measured] == ["50", "100", "200", "400"] * 2
    assert float(measured[1]["relative Fisher error at sigma 0.1"]) == pytest.approx(0.025)
    assert measured[0]["relative Fisher error at sigma 1"] == ""
    assert float(rows[0]["own loss"]) == 1.0
    assert float(rows[-2]["floor of own loss"]) == pytest.approx(0.6)


def test_an_empty_plot_says_when_its_first_point_comes(qtbot: QtBot) -> None:
    view = RaceCurvesView()
    qtbot.addWidget(view)
    view.resize(400, 400)
    nothing = np.zeros(0, np.float32)
    early = replace(
        racer("pooled"), step=7, errors=np.zeros((0, 5), np.float32), error_steps=nothing, error_seconds=nothing
    )
    none = replace(early, step=0, curve_steps=nothing, curve_seconds=nothing, curve_loss=nothing)
    for running, one, words in (
        (False, none, "Start the race to see who learns fastest"),
        (True, none, "The first point comes with the first step"),
        (True, early, "The first error is measured at step 50"),
        (True, replace(early, step=50), "Measuring the error"),
    ):
        view.show_frame(moment(race=Race("steps", running, 0.12, (one, replace(one, label="single")))))
        assert view.waiting() == words
        written = _written(view)
        assert written == [words], written
    view.show_frame(race_frame(2))
    assert _written(view) == []
    view.show_frame(moment())
    assert _written(view) == ["Choose two to five ways to learn on the drawer’s page “Race”"]


def _written(view: RaceCurvesView) -> list[str]:
    """What the view says in its empty plots while it is painted."""
    found: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(view, "say", lambda painter, text, area=None: found.append(text))
        view.grab()
    return found
