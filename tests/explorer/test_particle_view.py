"""Panes of particles: dots at their places, heaps that can be seen, and counts of what has left the view."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from explorer.theme import LIGHT
from explorer.viewing import Viewing
from explorer.views.outside import Outside, count_outside
from explorer.views.particles import ParticleView
from explorer.views.plane import PlaneRange
from explorer.views.splat import CROWD, Splat, find_heaps, ink_table
from tests.explorer.pixels import draw, inked
from tests.explorer.releases import pane_state, released_frame

WHOLE = ((0.0, 0.0), 1.0)


def test_particles_outside_are_counted_by_edge() -> None:
    points = np.array(
        [[0, 0], [1, 1], [-1.5, 0], [-9, 3], [1.2, 0.9], [0.5, -4], [0, 2], [0, 3], [0, 4], [np.nan, 0]], np.float32
    )
    outside = count_outside(points, *WHOLE)
    assert outside == Outside(left=2, right=1, bottom=1, top=3)
    assert outside.total == 7
    assert count_outside(points[:2], *WHOLE) == Outside()
    assert count_outside(points, (0.0, 2.0), 10.0) == Outside()


def test_the_view_writes_what_is_outside(qtbot: QtBot) -> None:
    panes = np.zeros((3, 40, 2), np.float32)
    panes[1, :12, 0] = 5.0
    plane = PlaneRange()
    view = ParticleView(1, plane)
    view.show_frame(released_frame(panes))
    assert view.outside == Outside(right=12)
    with_count = draw(view)
    plane.show((0.0, 0.0), 1.0)
    view.show_frame(released_frame(np.zeros((3, 40, 2), np.float32)))
    assert view.outside == Outside()
    edge = (slice(85, 115), slice(165, 197))
    assert inked(with_count[edge], QColor(LIGHT.ink)).sum() >= 5
    assert not inked(draw(view)[edge], QColor(LIGHT.ink)).any()


@pytest.mark.parametrize("ratio", [1, 2])
def test_a_particle_is_drawn_at_its_place(qtbot: QtBot, ratio: int) -> None:
    panes = np.zeros((3, 1, 2), np.float32)
    panes[0, 0] = (0.5, -0.75)
    view = ParticleView(0, PlaneRange())
    view.show_frame(released_frame(panes))
    place = view.to_pixel  # after the resize in draw
    rows, cols = np.nonzero(inked(draw(view, 200, ratio)[:, : 190 * ratio], LIGHT.colour("particles"), 120))
    at = place(0.5, -0.75)
    assert (cols.mean() / ratio, rows.mean() / ratio) == pytest.approx((at.x(), at.y()), abs=1.0)
    assert len(rows) >= 3 * ratio**2


def test_overlap_darkens_and_every_dot_counts() -> None:
    ink = ink_table(QColor("#009e73"), 10_000)
    splat = Splat(20)
    x = np.array([5.0, 12.0, 12.0, 12.0], np.float32)
    splat.draw(x, np.full(4, 10.0, np.float32), 2, ink)
    pixels = np.asarray(splat.image.constBits()).view(np.uint32).reshape(20, 20)
    assert (pixels > 0).sum() == 8
    alone, thrice = pixels[pixels > 0].min() >> 24, pixels.max() >> 24
    assert alone == pytest.approx(0.34 * 255, abs=1)
    assert thrice == pytest.approx((1 - 0.66**3) * 255, abs=1)
    splat.draw(x[:1], x[:1], 2, ink)
    assert (pixels > 0).sum() == 4


def test_a_collapse_is_visible(qtbot: QtBot) -> None:
    """10,000 particles in one point are a disc; a heap of a fifth has a fifth of the area."""
    x = np.r_[np.full(8000, 40.0), np.full(2000, 160.0)].astype(np.float32)
    heaps = find_heaps(x, x, 200, 4, 10_000)
    assert heaps == pytest.approx(np.array([[40.0, 40.0, 0.8], [160.0, 160.0, 0.2]]))
    panes = np.zeros((3, 10_000, 2), np.float32)
    panes[0, :8000] = (-0.8, 0.0)
    panes[0, 8000:] = (0.8, 0.0)
    view = ParticleView(0, PlaneRange())
    view.show_frame(released_frame(panes))
    marks = inked(draw(view, 600)[200:400], LIGHT.colour("particles"))
    areas = marks[:, :300].sum(), marks[:, 300:].sum()
    assert areas[0] == pytest.approx(math.pi * (0.026 * 600) ** 2 * 0.8, rel=0.15)
    assert areas[0] / areas[1] == pytest.approx(4.0, rel=0.15)


def test_particles_that_are_not_finite_are_not_drawn(qtbot: QtBot) -> None:
    panes = np.full((3, 100, 2), np.nan, np.float32)
    panes[2, 0] = (np.inf, 0.0)
    view = ParticleView(2, PlaneRange())
    view.show_frame(released_frame(panes))
    assert not inked(draw(view), LIGHT.colour("particles")).any()
    assert view.outside == Outside()


def test_badges_say_what_moves_the_particles(qtbot: QtBot) -> None:
    view = ParticleView(2, PlaneRange())
    frame = released_frame(np.zeros((3, 10, 2), np.float32))
    view.show_frame(frame)
    assert view.source()[0] == "learned score, step 3,412, table error 0.4 %"
    assert view.caption() == "σ 0.0200"
    assert view.title() == "Annealed Langevin"
    assert view.plates() == ()
    states = (*frame.pane_states[:2], replace(frame.pane_states[2], source="true", diverged=True))
    view.show_frame(replace(frame, pane_states=states, revision=9, particle_shown=700))
    assert view.source()[0] == "true score, table error 0.4 %"
    assert [words for words, _ in view.plates()] == [
        "painting changed since",
        "diverged: ε is too large",
        "earlier: 700 of 1,600",
    ]
    view.show_frame(replace(frame, released=0))
    assert view.source() == ()
    assert view.caption() == ""


def test_a_pane_that_is_not_there_or_cannot_run_says_so(qtbot: QtBot) -> None:
    view = ParticleView(1, PlaneRange())
    view.show_frame(released_frame(np.zeros((1, 10, 2), np.float32)))
    assert view.invitation() == "No pane 2 yet: Sample > Add a pane fills this square"
    assert not inked(draw(view), LIGHT.colour("particles")).any()
    note = "particles.start_sigma: at 1 the density is far from Gaussian"
    states = (pane_state(), pane_state("sde", note=note, steps=0, step=0))
    view.show_frame(released_frame(np.zeros((2, 10, 2), np.float32), states))
    assert view.invitation() == "starting σ: at 1 the density is far from Gaussian"
    assert view.source() == ()


def test_a_crowd_is_drawn_as_its_density(qtbot: QtBot) -> None:
    points = np.zeros((1, CROWD + 1, 2), np.float32)
    points[0, : CROWD // 2] = (-0.6, 0.6)
    points[0, CROWD // 2 :, 0] = np.linspace(-1, 1, CROWD - CROWD // 2 + 1)
    view = ParticleView(0, PlaneRange())
    view.show_frame(released_frame(points[:, :CROWD]))
    assert not view.crowded
    view.show_frame(released_frame(points))
    assert view.plates() == ((f"density of {CROWD + 1:,}, log scale", "particles"),)
    draw(view, 240)
    image = view._splat.image
    alpha = np.asarray(image.constBits()).view(np.uint32).reshape(image.height(), image.width()) >> 24
    at = view.to_pixel(-0.6, 0.6)
    assert alpha.max() == alpha[round(at.y()), round(at.x())] == 255
    row = alpha[118:122].max(0)[30:210]
    # 10,001 over 192 cells are 52 in each, weighted 2 x (1 + 2 + 1) times; the heap's 10,000 are weighted 4 times.
    assert np.median(row) == pytest.approx(255 * np.log1p(8 * 52) / np.log1p(4 * 10_000), rel=0.08)


def test_a_click_follows_the_nearest_particle(qtbot: QtBot) -> None:
    points = np.array([[[0.5, 0.5], [-0.5, 0.0], [-0.5, 0.5]]], np.float32)
    view = ParticleView(0, PlaneRange())
    qtbot.addWidget(view)
    view.resize(250, 250)
    view.show_frame(released_frame(points))
    with qtbot.waitExposed(view):
        view.show()
    at = view.to_pixel(-0.5, 0.0).toPoint()
    with qtbot.waitSignal(view.followed) as seen:
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=at + QPoint(3, -3))
    assert seen.args == [1]
    with qtbot.waitSignal(view.followed) as seen:
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(125, 230))
    assert seen.args == [-1]
    with qtbot.assertNotEmitted(view.followed):
        qtbot.mouseClick(view, Qt.MouseButton.RightButton, pos=at)
        view.forget_point()
        qtbot.keyClick(view, Qt.Key.Key_Escape)
    path = np.array([[0.0, -1.0], [-0.5, 0.0]], np.float32)
    view.show_frame(released_frame(points, (pane_state(path=path),)))
    view.forget_point()
    with qtbot.waitSignal(view.followed) as seen:
        qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert seen.args == [-1]


def test_the_followed_way_is_drawn(qtbot: QtBot) -> None:
    points = np.full((1, 1, 2), 0.9, np.float32)
    path = np.array([[-1.0, -1.0], [-1.0, 0.5]], np.float32)
    view = ParticleView(0, PlaneRange())
    view.show_frame(released_frame(points, (pane_state(path=path, table_error=0.0),)))
    ink = inked(draw(view, 250), QColor(LIGHT.ink), 400)
    x, top, bottom = view.to_pixel(-1.0, 0.0).x(), view.to_pixel(0, 0.4).y(), view.to_pixel(0, -0.8).y()
    assert ink[round(top) : round(bottom), round(x) - 2 : round(x) + 2].any(1).mean() > 0.95


def test_trails_are_drawn_where_they_are_wanted(qtbot: QtBot) -> None:
    viewing = Viewing()
    view = ParticleView(0, PlaneRange(), viewing)
    trail = np.zeros((9, 1, 2), np.float32)
    trail[:, 0, 0] = np.linspace(-0.8, 0.8, 9)
    frame = released_frame(np.full((1, 1, 2), 0.9, np.float32), (pane_state(trail=trail),))
    view.show_frame(frame)
    assert view.wants == frozenset()
    row = slice(123, 128)
    assert not inked(draw(view, 250)[row], LIGHT.colour("particles"), 250).any()
    viewing.set(trails=True)
    assert view.wants == {"trails"}
    drawn = inked(draw(view, 250)[row], LIGHT.colour("particles"), 250).any(0)
    assert drawn[130:200].mean() > 0.9
    assert not drawn[:40].any()
