"""Error map, curl and loop, difference, streamlines, texture, surface and grounds: figures, keys and mouse."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from explorer.panels.viewpage import ViewPage
from explorer.theme import DARK, LIGHT, Theme
from explorer.viewing import Viewing, ViewOptions
from explorer.views.curl import CurlView
from explorer.views.difference import DifferenceView, next_power
from explorer.views.error_map import ErrorMapView, errors_of
from explorer.views.field import FieldView
from explorer.views.ground import FLOOR, heights
from explorer.views.loops import CORNERS, circle, thinned
from explorer.views.plane import PlaneRange
from explorer.views.relief import project, relief
from explorer.views.scales import decade_scale, nice, signed_scale, signed_table
from explorer.views.streamlines import streamlines
from explorer.views.surface import SurfaceView
from explorer.views.texture import texture
from tests.explorer.frames import lattice, make_frame
from tests.explorer.mapped import mapped
from tests.explorer.pixels import draw

LEFT = Qt.MouseButton.LeftButton


def rotation(n: int) -> np.ndarray:
    x, y = lattice((0.0, 0.0), 1.0, n).T
    return np.stack([-y, x], axis=1).reshape(n, n, 2).astype(np.float32)


# --- styles


@pytest.mark.parametrize("spacing", [2.0, 4.0])
def test_streamlines_follow_the_field_and_keep_apart(spacing: float) -> None:
    lines = streamlines(rotation(40), spacing)
    radius = np.hypot(*(lines.points - 19.5).T)
    for a, b in zip(lines.starts, lines.starts[1:], strict=False):
        assert np.ptp(radius[a:b]) < 0.6  # circles stay circles, in cells
        way = np.diff(lines.points[a:b], axis=0)
        middle = (lines.points[a : b - 1] + lines.points[a + 1 : b]) / 2 - 19.5
        assert (middle[:, 0] * way[:, 1] - middle[:, 1] * way[:, 0] > 0).all()  # anticlockwise, as the field
    seeds = lines.points[(lines.starts[:-1] + lines.starts[1:]) // 2]
    assert len(seeds) > 3
    assert lines.magnitude == pytest.approx(radius / 20, abs=0.05)


def test_streamlines_of_nothing_are_none() -> None:
    assert len(streamlines(np.full((8, 8, 2), np.nan, np.float32), 2.0).points) == 0


def test_texture_is_smooth_along_the_field_and_rough_across() -> None:
    field = np.zeros((16, 16, 2), np.float32)
    field[..., 0] = 3.0
    tone = texture(field, 120)
    along, across = np.abs(np.diff(tone, axis=1)).mean(), np.abs(np.diff(tone, axis=0)).mean()
    assert across > 2 * along
    assert (texture(field, 120) == tone).all()
    assert tone.mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("style", ["arrows", "streamlines", "texture"])
def test_styles_differ_and_ask_for_what_they_need(qtbot: QtBot, style: str) -> None:
    viewing = Viewing()
    view = FieldView("learned", PlaneRange(), viewing)
    view.show_frame(mapped(make_frame()))
    before = draw(view)
    viewing.set(style=style, ground="log")
    assert view.wants == ({"log_density"} if style == "arrows" else {"fine", "log_density"})
    viewing.set(ground="density")
    assert (draw(view) == before).all() == (style == "arrows")


# --- grounds


def test_heights_of_the_grounds() -> None:
    p = np.exp(-np.array([0.0, 5.0, 10.0, 25.0, 1e4], np.float32))
    assert heights(p, "density") == pytest.approx(p)
    assert heights(p, "log") == pytest.approx([1, 1 - 5 / FLOOR, 1 - 10 / FLOOR, 0, 0], abs=1e-6)
    energy = heights(p, "energy")
    assert (np.diff(energy[:4]) > 0).all()
    assert energy[0] == 0
    assert not heights(p, "none").any()
    assert heights(np.array([np.nan], np.float32), "density")[0] == 0


def test_the_learned_log_density_is_used_and_labelled(qtbot: QtBot) -> None:
    viewing = Viewing(ViewOptions(ground="log"))
    pictures = []
    for energy in (False, True):
        views = [FieldView(role, PlaneRange(), viewing) for role in ("learned", "true")]  # type: ignore[arg-type]
        for view in views:
            view.show_frame(mapped(make_frame(), energy=energy))
        pictures.append([draw(view) for view in views])
    assert (pictures[0][0] != pictures[1][0]).any(axis=2).mean() > 0.05
    assert (pictures[0][1] == pictures[1][1]).all()


# --- difference


def test_difference_is_magnified_by_decades_and_holds_on() -> None:
    assert next_power(0, 10.0, 8.0) == 0
    assert next_power(0, 10.0, 0.08) == 2
    assert next_power(2, 10.0, 0.4) == 2  # 1.4 decades: within the hold
    assert next_power(2, 10.0, 2.0) == 1
    assert next_power(0, 10.0, 1e-9) == 3


def test_difference_shows_nothing_where_both_agree(qtbot: QtBot) -> None:
    frame = make_frame()
    view = DifferenceView(PlaneRange(), Viewing(ViewOptions(ground="none")))
    view.show_frame(replace(frame, learned=frame.true))
    assert (draw(view)[5:-5, 5:-5] == QColor(LIGHT.ground_low).getRgb()[:3]).all()
    view.show_frame(replace(frame, learned=frame.true * 1.01))
    assert "×" in view.caption()


# --- error map


def test_errors_are_what_they_say() -> None:
    frame = make_frame()
    true = frame.true
    turned = np.stack([-true[..., 1], true[..., 0]], axis=2)
    for learned, angle, ratio in ((2 * true, 0.0, 1.0), (turned, 90.0, math.sqrt(2)), (-true, 180.0, 2.0)):
        errors = errors_of(replace(frame, learned=learned))
        assert errors.angle == pytest.approx(np.full(errors.angle.shape, angle), abs=0.1)
        assert errors.absolute == pytest.approx(ratio * np.linalg.norm(true, axis=2), rel=1e-3)
        assert errors.relative == pytest.approx(errors.absolute / errors.rms, rel=1e-5)
    maps = mapped(frame).maps
    assert maps is not None
    weight = np.exp(maps.log_p)
    rms = math.sqrt((weight * np.square(maps.true).sum(2)).sum() / weight.sum())
    assert errors_of(mapped(frame)).rms == pytest.approx(rms, rel=1e-4)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda t: t.name)
def test_hatch_lies_where_no_data_are_expected(qtbot: QtBot, theme: Theme) -> None:
    frame = make_frame()
    viewing = Viewing()
    pictures = []
    for hatched in (False, True):
        viewing.set(hatched=hatched)
        view = ErrorMapView(PlaneRange(), viewing)
        view.set_theme(theme)
        view.show_frame(mapped(frame))
        pictures.append(draw(view))
    changed = (pictures[0] != pictures[1]).any(axis=2)[3:150, 3:-3]
    maps = mapped(frame).maps
    assert maps is not None
    at = ((np.arange(200) + 0.5) / 200 * 64).astype(int)
    empty = (maps.expected < 1)[::-1][np.ix_(at, at)][3:150, 3:-3]
    assert 0.15 < changed[empty].mean() < 0.5  # two of seven pixels
    assert changed[~empty].mean() < 0.03


def test_hatch_follows_the_data(qtbot: QtBot) -> None:
    frame = mapped(make_frame())
    assert frame.maps is not None
    plenty = replace(frame, maps=replace(frame.maps, expected=np.full_like(frame.maps.expected, 9.0)))
    view = ErrorMapView(PlaneRange(), Viewing())
    pictures = []
    for each in (frame, plenty, frame):
        view.show_frame(each)
        pictures.append(draw(view))
    assert not np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[0], pictures[2])


def test_error_map_reads_the_place_under_the_cursor(qtbot: QtBot) -> None:
    view = ErrorMapView(PlaneRange(), Viewing())
    view.show_frame(mapped(make_frame()))
    assert view.reading().startswith("rms |s*| = ")
    view.point_at((-0.6, -0.3))
    assert view.reading().startswith("|s − s*| ")
    assert view.reading().endswith(" drawn")


def test_scales_place_values() -> None:
    scale = decade_scale(1.0, 2)
    assert scale.place(np.array([0.0, 0.01, 0.1, 1.0, 50.0])) == pytest.approx([0, 0, 0.5, 1, 1])
    assert [words for _, words in scale.ticks] == ["≤ 0.01", "0.1", "≥ 1"]
    assert signed_scale(2.0).place(np.array([-4.0, 0.0, 1.0])) == pytest.approx([0, 0.5, 0.75])
    assert [nice(v) for v in (0.011, 0.2, 3.0, 7.0, 0.0)] == pytest.approx([0.02, 0.2, 5.0, 10.0, 1.0])


# --- curl and loop


def test_curl_map_has_the_signs_of_the_curl(qtbot: QtBot) -> None:
    frame = mapped(make_frame())
    view = CurlView(PlaneRange(), Viewing())
    assert view.wants == {"fine", "curl"}
    view.show_frame(frame)
    pixels = draw(view)[10:150, 5:-5]
    assert frame.maps is not None
    at = ((np.arange(200) + 0.5) / 200 * 64).astype(int)
    curl = frame.maps.curl[::-1][np.ix_(at, at)][10:150, 5:-5]
    warm = pixels[..., 2] > pixels[..., 1]  # the ink of errors is redder and bluer than green; olive is not
    strong = np.abs(curl) > 1.5
    assert (warm == (curl > 0))[strong].mean() > 0.99
    table = signed_table(LIGHT).astype(int)
    assert np.abs(table[0] - table[255]).max() > 60


def test_loop_by_clicks_keys_and_circles(qtbot: QtBot) -> None:
    view = CurlView(PlaneRange(), Viewing())
    qtbot.addWidget(view)
    view.resize(200, 200)
    view.show_frame(mapped(make_frame()))
    view.show()
    told: list[tuple[tuple[float, float], ...]] = []
    view.loop_changed.connect(told.append)
    qtbot.mouseClick(view, LEFT, pos=QPoint(50, 50))
    assert told == []  # the tool is not in hand
    qtbot.keyClick(view, Qt.Key.Key_L)
    for at in ((50, 50), (150, 50), (150, 120)):
        qtbot.mouseClick(view, LEFT, pos=QPoint(*at))
    assert len(told[-1]) == 3
    assert told[-1][0] == pytest.approx((-0.625, 0.625))
    view.point_at((0.0, -0.5), crosshair=True)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert told[-1][3] == (0.0, -0.5)
    qtbot.keyClick(view, Qt.Key.Key_L)
    qtbot.mousePress(view, LEFT, pos=QPoint(100, 100))
    qtbot.mouseMove(view, QPoint(120, 100))
    qtbot.mouseMove(view, QPoint(140, 100))
    qtbot.mouseRelease(view, LEFT, pos=QPoint(140, 100))
    assert len(told[-1]) == CORNERS
    assert np.hypot(*np.array(told[-1]).T) == pytest.approx(np.full(CORNERS, 0.5), abs=0.02)
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert told[-1] == ()


def test_integrals_are_shown_for_their_own_loop_only(qtbot: QtBot) -> None:
    frame = mapped(make_frame())
    loop = np.array(circle((0.0, 0.0), 0.5), np.float32)
    known = np.array([[0.0312, 2e-6, 3.0], [1e-9, 2e-8, 3.0]], np.float32)
    view = CurlView(PlaneRange(), Viewing())
    view.show_frame(replace(frame, loop=loop, loop_integrals=known))
    assert view.integrals() == ("∮ learned 0.0312 ± 2.00e-6", "∮ true 1.00e-9 ± 2.00e-8")
    view.tool.corners = circle((0.3, 0.0), 0.5)
    assert view.integrals() is None


def test_a_freehand_line_is_thinned_evenly() -> None:
    corners = np.array(thinned(list(circle((0.0, 0.0), 1.0, 400)), 64))
    gaps = np.hypot(*np.diff(corners, axis=0).T)
    assert len(corners) == 64
    assert gaps == pytest.approx(np.full(63, 2 * math.pi / 64), rel=0.02)


# --- surface


def test_relief_hides_what_lies_behind() -> None:
    x, y = lattice((0.0, 0.0), 1.0, 96).T
    tall = np.exp(-((x**2 + (y + 0.5) ** 2) / 0.02)) + 0.3 * np.exp(-((x**2 + (y - 0.5) ** 2) / 0.02))
    seen = relief(tall.reshape(96, 96), 0.0, math.radians(15), 200)
    right, up = project(0.0, -0.5, 1.0, 0.0, math.radians(15))
    row, col = round((1 - up) * 100), round((1 + right) * 100)
    assert seen.z[row + 1, col] == pytest.approx(1.0, abs=0.03)
    assert np.isnan(seen.z[row - 4, col])
    column = seen.y[:, col][np.isfinite(seen.y[:, col])]
    assert (np.diff(column) <= 1e-6).all()  # from the top down, nearer and nearer
    assert not ((column > 0.45) & (column < 0.55)).any()  # the small hill stands behind the tall one
    back = relief(tall.reshape(96, 96), math.pi, math.radians(15), 200)
    assert ((back.y > 0.45) & (back.y < 0.55) & (back.z > 0.25)).any()


def test_surface_turns_by_mouse_and_keys_and_reads_the_plane(qtbot: QtBot) -> None:
    plane = PlaneRange()
    view = SurfaceView(plane, Viewing())
    qtbot.addWidget(view)
    view.resize(200, 200)
    view.show_frame(make_frame())
    view.show()
    first = draw(view)
    azimuth = view.azimuth
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert view.azimuth == pytest.approx(azimuth + math.radians(10))
    assert (draw(view) != first).any()
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert (draw(view) == first).all()
    seen: list[tuple[float, float]] = []
    view.hovered.connect(lambda x, y: seen.append((x, y)))
    qtbot.mouseMove(view, QPoint(100, 120))
    qtbot.mouseMove(view, QPoint(101, 130))
    qtbot.waitUntil(lambda: bool(seen))
    assert max(map(abs, seen[-1])) <= plane.half_width
    assert view.reading().startswith("p_σ(")
    qtbot.mousePress(view, LEFT, pos=QPoint(100, 100))
    qtbot.mouseMove(view, QPoint(140, 100))
    qtbot.mouseRelease(view, LEFT, pos=QPoint(140, 100))
    assert view.azimuth == pytest.approx(azimuth - 0.6, abs=0.02)


# --- the drawer's page


def test_the_page_and_the_options_follow_each_other(qtbot: QtBot) -> None:
    viewing = Viewing()
    page = ViewPage(viewing)
    qtbot.addWidget(page)
    page.show()
    viewing.set(style="texture", weighted=True, hatched=False)
    assert page.rows["style"].value() == "texture"
    assert page.checks["weighted"].isChecked()
    assert not page.checks["hatched"].isChecked()
    qtbot.mouseClick(page.checks["trails"], LEFT, pos=QPoint(8, page.checks["trails"].height() // 2))
    assert viewing.options.trails
    editor = page.rows["ground"].editor
    editor.setFocus()
    qtbot.keyClick(editor, Qt.Key.Key_Down)
    page._choose("ground")
    assert viewing.options.ground == "log"
    assert all(row.editor.toolTip() for row in page.rows.values())
