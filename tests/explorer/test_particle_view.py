"""Panes of particles: dots at their places, heaps that can be seen, and counts of what has left the view."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from explorer.theme import LIGHT
from explorer.views.particles import Outside, ParticleView, Splat, count_outside, find_heaps, ink_table
from explorer.views.plane import PlaneRange
from tests.explorer.frames import empty_frame, make_frame
from tests.explorer.pixels import draw, flat_frame, inked

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
    view.show_frame(make_frame(panes=panes))
    assert view.outside == Outside(right=12)
    with_count = draw(view)
    plane.show((0.0, 0.0), 1.0)
    view.show_frame(make_frame(panes=np.zeros((3, 40, 2), np.float32)))
    assert view.outside == Outside()
    edge = (slice(85, 115), slice(165, 197))
    assert inked(with_count[edge], QColor(LIGHT.ink)).sum() >= 5
    assert not inked(draw(view)[edge], QColor(LIGHT.ink)).any()


@pytest.mark.parametrize("ratio", [1, 2])
def test_a_particle_is_drawn_at_its_place(qtbot: QtBot, ratio: int) -> None:
    panes = np.zeros((3, 1, 2), np.float32)
    panes[0, 0] = (0.5, -0.75)
    view = ParticleView(0, PlaneRange())
    view.show_frame(flat_frame(panes=panes, particle_source="true"))
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
    view.show_frame(flat_frame(panes=panes))
    marks = inked(draw(view, 600)[200:400], LIGHT.colour("particles"))
    areas = marks[:, :300].sum(), marks[:, 300:].sum()
    assert areas[0] == pytest.approx(math.pi * (0.026 * 600) ** 2 * 0.8, rel=0.15)
    assert areas[0] / areas[1] == pytest.approx(4.0, rel=0.15)


def test_particles_that_are_not_finite_are_not_drawn(qtbot: QtBot) -> None:
    panes = np.full((3, 100, 2), np.nan, np.float32)
    panes[2, 0] = (np.inf, 0.0)
    view = ParticleView(2, PlaneRange())
    view.show_frame(flat_frame(panes=panes))
    assert not inked(draw(view), LIGHT.colour("particles")).any()
    assert view.outside == Outside()


def test_badges_say_what_moves_the_particles(qtbot: QtBot) -> None:
    view = ParticleView(2, PlaneRange())
    frame = make_frame()
    view.show_frame(frame)
    assert view.source()[0] == "learned score, step 3,412, table error 0.4 %"
    assert view.caption() == "σ 0.0200"
    assert not view.stale
    view.show_frame(replace(frame, particle_source="true", revision=9))
    assert view.source()[0] == "true score, table error 0.4 %"
    assert view.stale
    view.show_frame(empty_frame())
    assert view.source() == ()
    assert view.caption() == ""
