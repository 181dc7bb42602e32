"""Views of the plane: where things are drawn, how arrows and particles turn into pixels."""

from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.engine.messages import EXTENT
from explorer.theme import DARK, LIGHT, Theme
from explorer.views.arrows import CLASSES, FULL, arrow_segments, half_length_score
from explorer.views.field import FieldView
from explorer.views.particles import ParticleView
from explorer.views.plane import CLOSEST, LIMIT, PlaneRange, PlaneView
from explorer.views.square import SquareView
from explorer.views.surface import SurfaceView
from tests.explorer.frames import empty_frame, make_frame
from tests.explorer.hands import Key
from tests.explorer.pixels import draw, flat_frame, inked

WHOLE = ((0.0, 0.0), 1.0)


def wheel(view: PlaneView, at: QPointF, turn: int) -> None:
    event = QWheelEvent(
        at,
        view.mapToGlobal(at),
        QPoint(),
        QPoint(0, turn),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)


# --- range and mapping


def test_range_stays_within_limits() -> None:
    plane = PlaneRange()
    plane.zoom(1e-6)
    assert plane.half_width == LIMIT
    assert plane.centre == (0.0, 0.0)
    plane.zoom(1e9)
    assert plane.half_width == CLOSEST
    plane.pan(100.0, -100.0)
    assert plane.centre == pytest.approx((LIMIT - CLOSEST, CLOSEST - LIMIT))
    plane.reset()
    assert (plane.centre, plane.half_width) == ((0.0, 0.0), EXTENT)


def test_range_tells_only_of_changes(qtbot: QtBot) -> None:
    plane = PlaneRange()
    told: list[int] = []
    plane.changed.connect(lambda: told.append(1))
    plane.reset()
    assert told == []
    plane.zoom(2.0)
    assert told == [1]


def test_zoom_keeps_the_point() -> None:
    plane = PlaneRange()
    plane.zoom(2.5, (0.4, -0.3))
    (cx, cy), h = plane.centre, plane.half_width
    assert h == pytest.approx(EXTENT / 2.5)
    assert ((0.4 - cx) / h, (-0.3 - cy) / h) == pytest.approx((0.4 / EXTENT, -0.3 / EXTENT))


@pytest.mark.parametrize("size", [(236, 236), (301, 240), (120, 400)])
def test_mapping_round_trip(qtbot: QtBot, size: tuple[int, int]) -> None:
    plane = PlaneRange()
    view = ParticleView(0, plane)
    view.resize(*size)
    plane.show((0.3, -0.2), 0.7)
    for x, y in ((0.3, -0.2), (-0.4, 0.5), (1.0, -0.9)):
        assert view.to_plane(view.to_pixel(x, y)) == pytest.approx((x, y))
    square = view.square()
    assert square.width() == square.height() == min(size)
    corner = view.to_pixel(0.3 - 0.7, -0.2 + 0.7)
    assert (corner.x(), corner.y()) == pytest.approx((square.left(), square.top()))
    across = view.to_pixel(0.4, 0.0).x() - view.to_pixel(0.3, 0.0).x()
    up = view.to_pixel(0.0, 0.3).y() - view.to_pixel(0.0, 0.4).y()
    assert across == pytest.approx(up)


def test_wheel_zooms_at_the_cursor_in_all_views(qtbot: QtBot) -> None:
    plane = PlaneRange()
    views = [FieldView("learned", plane), ParticleView(1, plane)]
    for view in views:
        qtbot.addWidget(view)
        view.resize(200, 200)
    at = QPointF(150.0, 60.0)
    before = views[0].to_plane(at)
    wheel(views[0], at, 240)
    assert plane.half_width == pytest.approx(EXTENT / math.sqrt(2))
    for view in views:
        assert view.to_plane(at) == pytest.approx(before)


def test_drag_pans_with_the_hand(qtbot: QtBot) -> None:
    plane = PlaneRange()
    plane.show((0.0, 0.0), 0.5)
    view = FieldView("true", plane)
    qtbot.addWidget(view)
    view.resize(200, 200)
    view.show()
    held = view.to_plane(QPointF(100, 100))
    qtbot.mousePress(view, Qt.MouseButton.RightButton, pos=QPoint(100, 100))
    qtbot.mouseMove(view, QPoint(140, 80))
    qtbot.mouseRelease(view, Qt.MouseButton.RightButton, pos=QPoint(140, 80))
    assert view.to_plane(QPointF(140, 80)) == pytest.approx(held)


def test_keyboard_reads_and_moves_the_plane(qtbot: QtBot) -> None:
    plane = PlaneRange()
    view = FieldView("learned", plane)
    qtbot.addWidget(view)
    view.resize(200, 200)
    view.show()
    with qtbot.waitSignal(view.hovered) as seen:
        qtbot.keyClick(view, Qt.Key.Key_Right)
    assert seen.args == pytest.approx([EXTENT / 20, 0.0])
    qtbot.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    assert plane.centre[1] > 0
    assert plane.half_width == pytest.approx(EXTENT / 1.25)
    with qtbot.waitSignal(view.left):
        qtbot.keyClick(view, Qt.Key.Key_Escape)
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert plane.half_width == EXTENT


def test_hover_and_leave(qtbot: QtBot) -> None:
    view = FieldView("true", PlaneRange())
    qtbot.addWidget(view)
    view.resize(200, 200)
    view.show()
    seen: list[tuple[float, float]] = []
    view.hovered.connect(lambda x, y: seen.append((x, y)))
    qtbot.mouseMove(view, QPoint(60, 50))
    qtbot.mouseMove(view, QPoint(150, 50))
    qtbot.waitUntil(lambda: bool(seen) and seen[-1] == pytest.approx((EXTENT / 2, EXTENT / 2)))
    with qtbot.waitSignal(view.left):
        QApplication.sendEvent(view, QEvent(QEvent.Type.Leave))


# --- ground


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda t: t.name)
def test_ground_lies_where_its_range_lies(qtbot: QtBot, theme: Theme) -> None:
    ground = np.zeros((8, 8), np.float32)
    ground[0:2, 6:8] = 1.0  # below right: x in [.5, 1], y in [-1, -.5] of the range
    plane = PlaneRange()
    view = ParticleView(0, plane)
    view.set_theme(theme)
    view.show_frame(empty_frame(ground=ground, centre=(0.0, 0.0), half_width=1.0))
    plane.show((0.0, 0.0), 2.0)
    pixels = draw(view)
    low, high = (np.array(QColor(c).getRgb()[:3]) for c in (theme.ground_low, theme.ground_high))
    rows, cols = np.nonzero(((pixels - low) / (high - low)).mean(axis=-1) > 0.5)
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == pytest.approx((125, 149, 125, 149), abs=1)
    assert inked(pixels[10:60, 10:60], QColor(theme.ground_low), 3).all()


def test_ground_without_a_number_is_drawn_as_empty(qtbot: QtBot) -> None:
    view = ParticleView(0, PlaneRange())
    view.show_frame(empty_frame(ground=np.full((8, 8), np.nan, np.float32)))
    assert inked(draw(view)[5:-5, 5:-5], QColor(LIGHT.ground_low), 3).all()


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda t: t.name)
def test_text_is_legible(theme: Theme) -> None:
    """Contrast of at least 4.5 to 1 (WCAG 2.1, 1.4.3) for every ink that text is written in."""

    def luminance(name: str) -> float:
        parts = np.array(QColor(name).getRgbF()[:3])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    for ink, paper in ((theme.ink, theme.window), (theme.ink, theme.surface), (theme.quiet, theme.window)):
        dark, light = sorted((luminance(ink), luminance(paper)))
        assert (light + 0.05) / (dark + 0.05) >= 4.5


# --- arrows


def test_half_length_score_is_the_lower_quartile() -> None:
    magnitudes = np.arange(1.0, 102.0, dtype=np.float32)
    field = np.stack([magnitudes, np.zeros_like(magnitudes)], axis=1)[None]
    assert half_length_score(field) == 26.0
    assert half_length_score(np.zeros((4, 4, 2), np.float32)) == 1.0
    assert half_length_score(np.full((4, 4, 2), np.nan, np.float32)) == 1.0


def test_arrows_point_along_the_field_and_obey_the_rule() -> None:
    field = np.zeros((4, 4, 2), np.float32)
    field[1, 2] = (0.0, 5.0)  # up in the plane, at x = .25, y = -.25
    field[3, 0] = (-15.0, 0.0)
    field[0, 0] = (np.nan, 1.0)
    segments, starts = arrow_segments(field, 5.0, *WHOLE, (100.0, 100.0, 100.0))
    assert len(segments) == 6
    assert starts[0] == 0
    assert starts[-1] == 6
    up, left = segments[0], segments[3]
    cell = 50.0
    assert up[:2] == pytest.approx([125.0, 125.0 + FULL * cell / 4])
    assert up[2:] == pytest.approx([125.0, 125.0 - FULL * cell / 4])  # smaller y is higher on the screen
    assert left[:2] == pytest.approx([25.0 + FULL * cell * 0.375, 25.0])
    assert left[2:] == pytest.approx([25.0 - FULL * cell * 0.375, 25.0])
    assert (segments[1:3, 2:] == up[2:]).all()  # both sides of the head end at the tip
    assert (segments[1:3, 1] > up[3]).all()
    classes = np.searchsorted(starts, [0, 3], side="right") - 1
    assert classes.tolist() == [CLASSES // 2, 3 * CLASSES // 4]


def test_arrows_on_the_screen_point_along_the_field(qtbot: QtBot) -> None:
    """The head is the thicker end: ink of an arrow to the right leans right of its cell's middle."""
    true = np.zeros((4, 4, 2), np.float32)
    true[..., 0] = 8.0
    frame = flat_frame(true=true, learned=-true)
    for role, sign in (("true", 1), ("learned", -1)):
        view = FieldView(role, PlaneRange())  # type: ignore[arg-type]
        view.show_frame(frame)
        marks = inked(draw(view), LIGHT.colour(role), 200)[50:100, 50:100]
        rows, cols = np.nonzero(marks)
        assert rows.mean() == pytest.approx(24.5, abs=1.0)
        tip = sign * (cols - 24.5) > 3
        assert np.ptp(rows[tip]) > np.ptp(rows[sign * (cols - 24.5) < -6]) + 2


def test_both_fields_have_one_scale(qtbot: QtBot) -> None:
    """Equal fields are drawn by equal pixels but for their colour, whatever the learned one is elsewhere."""
    frame = make_frame(n=20)
    learned = frame.true.copy()
    learned[10:] *= 3.0
    shapes = []
    for role in ("learned", "true"):
        view = FieldView(role, PlaneRange())  # type: ignore[arg-type]
        view.show_frame(replace(frame, learned=learned, ground=np.zeros((8, 8), np.float32)))
        pixels = draw(view, 240)
        background = np.array(QColor(LIGHT.ground_low).getRgb()[:3])
        shapes.append(np.abs(pixels - background).sum(axis=-1) > 30)
    below = slice(122, 238)  # rows 0 to 9 of the field, from the bottom
    assert shapes[0][below].mean() > 0.05
    assert (shapes[0][below] == shapes[1][below]).mean() > 0.99
    assert shapes[0][:118].sum() > 1.1 * shapes[1][:118].sum()


def test_fields_read_out_the_probe(qtbot: QtBot) -> None:
    frame = make_frame(probe=(0.25, -0.5))
    views = [FieldView("learned", PlaneRange()), FieldView("true", PlaneRange())]
    for view in views:
        view.show_frame(make_frame())
        assert view.reading().startswith("half-length arrow: |s| = ")
        with qtbot.waitSignal(view.readout):
            view.show_frame(frame)
        assert view.reading().startswith("s(0.250, −0.500) = (")
    assert views[0].reading() != views[1].reading()
    assert "σ 0.120" in views[0].caption()


def test_a_field_without_numbers_draws_nothing(qtbot: QtBot) -> None:
    nan = np.full((20, 20, 2), np.nan, np.float32)
    view = FieldView("learned", PlaneRange())
    view.show_frame(flat_frame(learned=nan, true=nan))
    assert not inked(draw(view)[2:-2, 2:-2], LIGHT.colour("learned")).any()


def test_arrows_follow_each_frame_and_the_range(qtbot: QtBot) -> None:
    plane = PlaneRange()
    view = FieldView("true", plane)
    true = np.zeros((4, 4, 2), np.float32)
    true[..., 0] = 8.0
    pictures = []
    for sign in (1, -1):
        view.show_frame(flat_frame(true=sign * true))
        pictures.append(draw(view))
    plane.show((0.1, 0.0), 1.0)
    pictures.append(draw(view))
    assert (pictures[0] != pictures[1]).any()
    assert (pictures[1] != pictures[2]).any()


# --- life and repeatability


def test_a_frame_is_drawn_the_same_twice(qtbot: QtBot) -> None:
    frame = make_frame(progress=0.7)
    for make in (lambda: FieldView("learned", PlaneRange()), lambda: ParticleView(1, PlaneRange())):
        pictures = []
        for _ in range(2):
            view = make()
            view.show_frame(frame)
            pictures.append(draw(view))
        assert (pictures[0] == pictures[1]).all()


def test_views_die_with_their_last_reference(qtbot: QtBot) -> None:
    plane = PlaneRange()
    views: list[PlaneView] = [FieldView("true", plane), ParticleView(0, plane)]
    for view in views:
        view.show_frame(make_frame())
        draw(view)
    watch = [weakref.ref(view) for view in views]
    del view
    views.clear()
    gc.collect()
    assert [ref() for ref in watch] == [None, None]
    plane.zoom(2.0)


@pytest.mark.parametrize("make", [lambda r: PlaneView(r, "Plane", ""), SurfaceView])
def test_every_square_zooms_pans_and_shows_who_has_the_keyboard(
    qtbot: QtBot, make: Callable[[PlaneRange], SquareView]
) -> None:
    """Flat or as a surface; at the first side the surface is seen from a corner, so only the way's length is alike."""
    shared = PlaneRange()
    view = make(shared)
    qtbot.addWidget(view)
    view.resize(200, 200)
    view.show()
    home = shared.half_width
    qtbot.keyClick(view, Key.Key_Plus)
    assert shared.half_width == pytest.approx(home / 1.25)
    qtbot.keyClick(view, Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert math.hypot(*shared.centre) == pytest.approx(home / 1.25 / 5)
    qtbot.keyClick(view, Key.Key_Home)
    assert (shared.centre, shared.half_width) == ((0.0, 0.0), home)
    QApplication.sendEvent(view, QFocusEvent(QEvent.Type.FocusIn, Qt.FocusReason.MouseFocusReason))
    by_mouse = view._keyboard
    QApplication.sendEvent(view, QFocusEvent(QEvent.Type.FocusIn, Qt.FocusReason.TabFocusReason))
    assert (by_mouse, view._keyboard) == (False, True)
    view.say()
    said: list[str] = []
    view.captioned.connect(said.append)
    view.say()
    view.announce()
    view.say()
    assert said == [view.caption()]  # what has not changed is said to a fresh listener only
