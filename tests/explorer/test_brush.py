"""What a stroke covers, held against distances to the finely sampled curve, and what it paints."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.brush import SIZE, Brush, Coverage, Rect, lay, unite
from explorer.edits import Stroke
from explorer.paint.applying import painted
from trainer.errors import InputError

CENTRES = -1 + (np.arange(SIZE) + 0.5) * (2 / SIZE)

places = st.floats(-1.3, 1.3, allow_nan=False)
brushes = st.builds(Brush, st.floats(0.002, 0.4), st.floats(0.05, 1.0), st.booleans())


def cover(brush: Brush, points: list[tuple[float, ...]]) -> np.ndarray:
    coverage = Coverage(brush)
    coverage.begin(*points[0])
    for point in points[1:]:
        coverage.extend(*point)
    coverage.end()
    return coverage.mask


def stroke_on(base: np.ndarray, brush: Brush, points: list[tuple[float, float, float]]) -> np.ndarray:
    return painted(Stroke(brush, tuple(points)), base, base)


def curve(points: np.ndarray) -> np.ndarray:
    """Sample the smooth curve of the mouse points (n, 2) finely: arcs between midpoints, straight at both ends."""
    middles = (points[:-1] + points[1:]) / 2
    t = np.linspace(0, 1, 400)[:, None]
    parts = [points[:1], points[0] + t * (middles[0] - points[0]), points[-1] + t * (middles[-1] - points[-1])]
    for a, control, b in zip(middles[:-1], points[1:-1], middles[1:], strict=True):
        parts.append((1 - t) ** 2 * a + 2 * t * (1 - t) * control + t**2 * b)
    return np.concatenate(parts)


def bell(distance: np.ndarray, brush: Brush) -> np.ndarray:
    return np.maximum(1 - (distance / max(brush.radius, 3 / SIZE)) ** 2, 0) ** 3


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(places, places), min_size=2, max_size=4),
    st.floats(0.01, 0.4),
    st.tuples(st.integers(0, 5), st.integers(0, 5)),
)
def test_coverage_is_the_bell_of_the_distance_to_the_smooth_curve(
    points: list[tuple[float, float]], r: float, first: tuple[int, int]
) -> None:
    brush = Brush(r)
    some = slice(first[0], None, 6), slice(first[1], None, 6)
    samples = curve(np.array(points))
    x, y = (grid[some][..., None] for grid in np.meshgrid(CENTRES, CENTRES))
    distance = np.hypot(x - samples[:, 0], y - samples[:, 1]).min(-1)
    # Flattening may leave the curve by 1 % of the radius, the samples by 2.6 / 800: times the bell's steepest slope.
    tolerance = 1.72 * (0.01 + 0.002 / max(r, 3 / SIZE))
    assert np.abs(cover(brush, points)[some] - bell(distance, brush)).max() < tolerance


@settings(max_examples=100, deadline=None)
@given(places, places, places, places, st.lists(st.floats(0, 1), max_size=12), brushes)
def test_a_straight_line_covers_the_same_however_it_is_sampled(
    x0: float, y0: float, x1: float, y1: float, stops: list[float], brush: Brush
) -> None:
    between = [(x0 + t * (x1 - x0), y0 + t * (y1 - y0)) for t in sorted(stops)]
    few = cover(brush, [(x0, y0), (x1, y1)])
    many = cover(brush, [(x0, y0), *between, (x1, y1)])
    assert np.abs(few - many).max() < 2e-6


def test_the_same_way_back_adds_nothing() -> None:
    brush = Brush(0.1)
    once = cover(brush, [(-0.5, -0.2), (0.5, 0.3)])
    thrice = cover(brush, [(-0.5, -0.2), (0.5, 0.3), (-0.5, -0.2), (0.5, 0.3)])
    assert np.abs(once - thrice).max() < 2e-6


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(places, places, st.floats(0, 1)), min_size=1, max_size=6), brushes)
def test_what_is_reported_holds_every_cell_that_changed(points: list[tuple[float, float, float]], brush: Brush) -> None:
    coverage = Coverage(brush)
    for i in range(len(points) + 1):
        before = coverage.mask.copy()
        move = coverage.extend if i else coverage.begin
        rect = coverage.end() if i == len(points) else move(*points[i])
        changed = coverage.mask != before
        assert (coverage.mask >= before).all()
        if rect is not None:
            assert 0 <= rect.row0 < rect.row1 <= SIZE
            assert 0 <= rect.col0 < rect.col1 <= SIZE
            changed[rect.slices] = False
        assert not changed.any()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(places, places, st.floats(0, 1)), min_size=1, max_size=6), brushes, st.integers(0, 99))
def test_painting_and_erasing_stay_between_0_and_1(
    points: list[tuple[float, float, float]], brush: Brush, seed: int
) -> None:
    base = np.random.default_rng(seed).random((SIZE, SIZE), np.float32)
    base[0], base[1] = 0, 1
    painted = stroke_on(base, brush, points)
    assert painted.dtype == np.float32
    assert painted.min() >= 0
    assert painted.max() <= 1
    assert (painted <= base).all() if brush.eraser else (painted >= base).all()


def test_figures_at_the_middle_of_a_stroke() -> None:
    base = np.full((SIZE, SIZE), 0.5, np.float32)
    y = CENTRES[40]
    line = [(-0.5, y, 1.0), (0.5, y, 1.0)]
    assert stroke_on(base, Brush(0.1, 0.6), line)[40, 64] == pytest.approx(0.5 + 0.5 * 0.6)
    assert stroke_on(base, Brush(0.1, 0.6, eraser=True), line)[40, 64] == pytest.approx(0.5 * 0.4)
    light = [(-0.5, y, 0.5), (0.5, y, 0.5)]
    assert stroke_on(base, Brush(0.1, 0.6), light)[40, 64] == pytest.approx(0.5 + 0.5 * 0.3)
    # Five cells off the middle of a radius of 6.4 cells.
    away = (1 - (5 / 6.4) ** 2) ** 3
    assert stroke_on(base, Brush(0.1, 0.6), line)[45, 64] == pytest.approx(0.5 + 0.5 * 0.6 * away, abs=1e-6)
    assert stroke_on(base, Brush(0.1, 0.6), line)[47, 64] == 0.5


def test_pressure_runs_evenly_between_two_points() -> None:
    y = CENTRES[64]
    mask = cover(Brush(0.1), [(CENTRES[20], y, 0.2), (CENTRES[60], y, 1.0)])
    assert mask[64, 20] >= 0.2
    assert mask[64, 40] == pytest.approx(0.6, abs=1e-6)
    assert mask[64, 60] == pytest.approx(1.0, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.floats(-0.9, 0.9), st.floats(-0.9, 0.9), st.floats(-0.9, 0.9), st.floats(-0.9, 0.9))
def test_a_stroke_thinner_than_a_cell_is_nowhere_lost(x0: float, y0: float, x1: float, y1: float) -> None:
    mask = cover(Brush(1e-4), [(x0, y0), (x1, y1)])
    for t in np.linspace(0, 1, 200):
        x, y = x0 + t * (x1 - x0), y0 + t * (y1 - y0)
        row, col = np.abs(CENTRES - y).argmin(), np.abs(CENTRES - x).argmin()
        # The nearest centre is at most half a diagonal away: (1 - 0.5 / 2.25)^3.
        assert mask[row, col] >= 0.47


def test_a_stroke_that_leaves_the_square_is_clipped_and_one_outside_is_nothing() -> None:
    inside = cover(Brush(0.1), [(0.0, 0.0), (0.99, 0.0)])
    beyond = cover(Brush(0.1), [(0.0, 0.0), (5.0, 0.0)])
    assert np.abs(inside - beyond)[:, :120].max() < 1e-6
    assert beyond[:, -1].max() == pytest.approx((1 - (0.5 / 6.4) ** 2) ** 3, abs=1e-6)
    coverage = Coverage(Brush(0.1))
    assert coverage.begin(1.2, 1.2) is None
    assert coverage.extend(3e300, -1.2) is None
    assert coverage.end() is None
    assert not coverage.mask.any()


def test_paint_is_laid_on_and_taken_away_by_strength_and_coverage() -> None:
    under, mask = np.array([0.0, 0.5, 1.0], np.float32), np.array([1.0, 0.5, 0.5], np.float32)
    assert lay(under, mask, Brush(0.1, 0.5)).tolist() == [0.5, 0.625, 1.0]
    assert lay(under, mask, Brush(0.1, 0.5, eraser=True)).tolist() == [0.0, 0.375, 0.75]


def test_rectangles() -> None:
    assert Rect(0, 2, 3, 4).union(Rect(1, 5, 0, 1)) == Rect(0, 5, 0, 4)
    assert unite([None, Rect(0, 2, 3, 4), None, Rect(1, 5, 0, 1)]) == Rect(0, 5, 0, 4)
    assert unite([None]) is None
    assert Rect.whole(np.zeros((32, 32))) == Rect(0, 32, 0, 32)
    assert Rect.around(np.array([5, 33, 70]), 32) == Rect(0, 3, 1, 7)
    assert Rect.around(np.array([], int), 32) is None


@pytest.mark.parametrize(
    ("field", "values"), [("radius", (0.0, 0.5)), ("radius", (float("nan"), 0.5)), ("strength", (0.1, 1.01))]
)
def test_a_brush_out_of_range_is_refused_in_one_line(field: str, values: tuple[float, float]) -> None:
    with pytest.raises(InputError, match=rf"^brush\.{field}: .* is out of range; give a number above 0, at most \d$"):
        Brush(*values)
