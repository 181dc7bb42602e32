"""Tools as functions of arrays: symmetry, shapes, regions, smoothing, cells, and files that come back as they went."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from explorer.brush import Brush
from explorer.edits import DeleteCells, Ellipse, Fill, Line, MoveCells, Smooth, Stamp, Stroke
from explorer.paint.applying import painted
from explorer.paint.cells import inside_polygon, moved, resampled, shifted, stamp_mask
from explorer.paint.exchange import export_painting, import_painting, likely_points
from explorer.paint.regions import flooded, label, regions
from explorer.paint.shapes import ellipse_mask, spanned, straight
from explorer.paint.smoothing import smoothed
from explorer.paint.symmetry import NONE, Symmetry
from trainer.errors import AmbiguousTable, InputError
from trainer.paintings import preset_weights

SIZE = 64
EMPTY = np.zeros((SIZE, SIZE), np.float32)
places = st.floats(-1.1, 1.1)


def noise(size: int = SIZE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((size, size), np.float32)


# --- symmetry


@pytest.mark.parametrize(
    ("symmetry", "count"),
    [
        (NONE, 1),
        (Symmetry(left_right=True), 2),
        (Symmetry(True, True), 4),
        (Symmetry(folds=5), 5),
        (Symmetry(True, False, 5), 10),
        (Symmetry(True, True, 5), 20),
        (Symmetry(True, True, 4), 8),
        (Symmetry(False, True, 12), 24),
    ],
)
def test_the_images_are_the_whole_group_each_once(symmetry: Symmetry, count: int) -> None:
    images = np.array(symmetry.images()).reshape(-1, 2, 2)
    assert len(images) == count
    assert np.allclose(images[0], np.eye(2))
    assert np.allclose(images @ images.transpose(0, 2, 1), np.eye(2))
    products = (images[:, None] @ images[None]).reshape(-1, 4)
    away = np.abs(products[:, None] - images.reshape(1, -1, 4)).max(-1).min(1)
    assert away.max() < 1e-9  # closed under products


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(places, places), min_size=1, max_size=4), st.booleans(), st.booleans(), st.booleans())
def test_a_stroke_with_mirrors_and_quarter_turns_is_its_own_image(
    points: list[tuple[float, float]], x: bool, y: bool, turned: bool
) -> None:
    stroke = Stroke(Brush(0.15), tuple((*p, 1.0) for p in points), Symmetry(x, y, 4 if turned else 1))
    result = painted(stroke, EMPTY, EMPTY)
    alone = painted(Stroke(stroke.brush, stroke.points), EMPTY, EMPTY)
    assert (result >= alone).all()
    for image, on in ((result[:, ::-1], x), (result[::-1], y), (np.rot90(result), turned)):
        assert not on or np.abs(image - result).max() < 1e-5


def test_a_wrong_number_of_turns_is_refused() -> None:
    for folds in (0, 13, 2.0, True):
        with pytest.raises(InputError, match=r"^symmetry\.folds: .*; give a whole number from 1 to 12$"):
            Symmetry(folds=folds)  # type: ignore[arg-type]


# --- shapes


def test_a_filled_ellipse_has_its_area_and_an_outline_lies_on_it() -> None:
    centre, radii = (0.1, -0.2), (0.6, 0.3)
    filled = ellipse_mask(Brush(), centre, radii, True, SIZE, NONE)
    assert filled.sum() * (2 / SIZE) ** 2 == pytest.approx(np.pi * 0.6 * 0.3, rel=0.01)
    assert filled[25, 35] == 1
    ring = ellipse_mask(Brush(0.1), centre, radii, False, SIZE, NONE)
    axis = (np.arange(SIZE) + 0.5) * 2 / SIZE - 1
    norm = np.hypot((axis[None] - 0.1) / 0.6, (axis[:, None] + 0.2) / 0.3)
    assert ring[np.abs(norm - 1) < 0.03].min() > 0.8
    assert ring[norm < 0.6].max() == 0
    mirrored = ellipse_mask(Brush(), centre, radii, True, SIZE, Symmetry(left_right=True, folds=4))
    assert np.abs(np.rot90(mirrored) - mirrored).max() < 1e-5
    assert painted(Ellipse(Brush(0.1, 0.5), centre, radii), EMPTY, EMPTY).max() == 0.5


def test_a_line_is_the_straight_stroke() -> None:
    line = painted(Line(Brush(0.1), (-0.5, 0.1), (0.6, 0.4)), EMPTY, EMPTY)
    stroke = painted(Stroke(Brush(0.1), ((-0.5, 0.1, 1.0), (0.6, 0.4, 1.0))), EMPTY, EMPTY)
    assert np.array_equal(line, stroke)


def test_shift_keeps_lines_to_45_degrees_and_ellipses_round() -> None:
    assert straight((0, 0), (1.0, 0.3)) == (1.0, 0)
    assert straight((0, 0), (0.2, -1.0)) == (0, -1.0)
    assert straight((0.5, 0), (-0.5, 0.8)) == pytest.approx((-0.4, 0.9))
    assert spanned((0, 0), (0.6, -0.8), circle=True) == ((0, 0), (1.0, 1.0))
    assert spanned((0, 0), (0.6, -0.8), circle=False) == ((0.3, -0.4), (0.3, 0.4))


# --- regions


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 0.95), st.integers(1, 20), st.integers(1, 20), st.booleans())
def test_labels_agree_with_scipy(seed: int, density: float, rows: int, cols: int, corners: bool) -> None:
    mask = np.random.default_rng(seed).random((rows, cols)) < density
    expected, count = ndimage.label(mask, np.ones((3, 3)) if corners else None)
    found = label(mask, corners=corners)
    assert found.max() == count
    assert np.array_equal(found > 0, mask)
    assert len(set(zip(found.flat, expected.flat, strict=True))) == count + (not mask.all())


def test_a_winding_region_is_one() -> None:
    spiral = preset_weights("spiral", 256) > 0.1
    assert label(spiral, corners=True).max() == ndimage.label(spiral, np.ones((3, 3)))[1]


def test_the_crescents_hold_what_the_first_start_says() -> None:
    large, small = regions(preset_weights("crescents", 128))
    assert (large.share, small.share) == pytest.approx((0.8, 0.2), abs=1e-3)
    assert large.x < 0 < small.x
    assert large.y < 0 < small.y
    assert regions(EMPTY) == ()
    faint = EMPTY.copy()
    faint[10, 10], faint[40, 40] = 1.0, 0.009
    assert [r.share for r in regions(faint)] == pytest.approx([1 / 1.009])
    assert (regions(faint)[0].x, regions(faint)[0].y) == pytest.approx((-1 + 21 / 64, -1 + 21 / 64))


def test_fill_floods_what_hangs_together_and_differs_little() -> None:
    base = EMPTY.copy()
    base[:, 20:24] = 0.5
    assert flooded(base, 5, 5, 0.1).sum() == 20 * SIZE
    assert flooded(base, 5, 5, 0.5).all()
    result = painted(Fill((0.9, 0.0), 0.7, 0.1), base, base)
    assert (result[:, 24:] == np.float32(0.7)).all()
    assert np.array_equal(result[:, :24], base[:, :24])
    wall = EMPTY.copy()  # the composite closes a wall that the paint has not
    wall[30] = 1
    assert painted(Fill((0.0, -0.9), 1.0, 0.1), EMPTY, wall).sum() == 30 * SIZE


# --- smoothing and cells


def test_smoothing_keeps_the_mass_and_is_the_gaussian() -> None:
    base = noise()
    soft = smoothed(base, 0.1)
    assert soft.sum(dtype=float) == pytest.approx(base.sum(dtype=float), rel=1e-6)
    expected = ndimage.gaussian_filter(base.astype(float), 0.1 * SIZE / 2, mode="reflect", truncate=8)
    assert np.abs(soft - expected).max() < 1e-5
    assert painted(Smooth(0.1), base, base).std() < 0.3 * base.std()
    local = painted(Smooth(0.1, Brush(0.3, 1.0), ((-0.5, -0.5, 1.0),)), base, base)
    assert np.array_equal(local[32:], base[32:])
    assert local[16, 16] == pytest.approx(soft[16, 16], abs=0.02)


@settings(max_examples=30, deadline=None)
@given(st.integers(32, 96), st.integers(32, 96), st.integers(0, 99))
def test_another_number_of_cells_keeps_the_mass_and_its_place(n: int, m: int, seed: int) -> None:
    base = noise(n, seed)
    other = resampled(base, m)
    assert other.shape == (m, m)
    assert other.sum(dtype=float) / m**2 == pytest.approx(base.sum(dtype=float) / n**2, rel=1e-5)
    x, y = ((np.arange(k) + 0.5) * 2 / k - 1 for k in (n, m))
    assert (other.sum(0) @ y) / other.sum() == pytest.approx((base.sum(0) @ x) / base.sum(), abs=1e-3)
    assert other.max() <= 1
    assert np.abs(resampled(resampled(base, 2 * n), n) - base).max() < 1e-6


def test_moving_lifts_adds_and_loses_what_leaves() -> None:
    base = EMPTY.copy()
    base[10, 10], base[12, 13], base[63, 0] = 0.75, 0.5, 0.25
    cells = np.array([10 * SIZE + 10, 63 * SIZE], np.uint16)
    result = moved(base, cells, 2, 3)
    assert result[10, 10] == 0
    assert result[12, 13] == 1  # 0.75 on 0.5
    assert result.sum() == 1
    assert shifted(cells, 2, 3, SIZE).tolist() == [12 * SIZE + 13]
    again = painted(MoveCells(cells, 4, 3, base), result, result)
    assert (again[14, 13], again[12, 13]) == (0.75, 0.5)  # carried on from where it floated
    assert painted(DeleteCells(cells), base, base).sum() == 0.5


def test_a_lasso_holds_the_centres_inside() -> None:
    triangle = np.array([(-1, -1), (1, -1), (-1, 1)])
    rows, cols = np.divmod(inside_polygon(triangle, SIZE).astype(int), SIZE)
    assert len(rows) == SIZE * (SIZE - 1) / 2
    assert (rows + cols < SIZE - 1).all()


def test_a_stamp_lies_upright_at_its_place_with_its_size() -> None:
    picture = np.zeros((2, 4), np.float32)
    picture[1, 0] = 1  # the upper left
    mask = stamp_mask(picture, (0.5, -0.5), 0.5, SIZE)
    assert mask.sum() * (2 / SIZE) ** 2 == pytest.approx(0.125**2)
    rows, cols = np.nonzero(mask)
    assert (cols.min(), cols.max(), rows.min(), rows.max()) == (40, 43, 16, 19)
    taken = painted(Stamp(picture, (0.5, -0.5), 0.5, Brush(strength=1.0, eraser=True)), mask, mask)
    assert not taken.any()
    assert stamp_mask(picture, (5, 5), 0.5, SIZE).sum() == 0


# --- files


@pytest.mark.parametrize("side", [32, 100, 128, 256])
@pytest.mark.parametrize("suffix", [".csv", ".npy"])
def test_tables_come_back_bit_by_bit(tmp_path: Path, side: int, suffix: str) -> None:
    painting = noise(side) * np.float32(0.6)
    export_painting(tmp_path / f"mine{suffix}", painting)
    again, name = import_painting(tmp_path / f"mine{suffix}")
    assert name == "mine"
    assert again.tobytes() == painting.tobytes()


def test_a_picture_comes_back_within_its_levels(tmp_path: Path) -> None:
    painting = preset_weights("crescents", 96)
    export_painting(tmp_path / "mine.png", painting)
    again, _ = import_painting(tmp_path / "mine.png", 96)
    assert np.abs(again - painting).max() < 0.51 / 65535
    with Image.open(tmp_path / "mine.png") as picture:
        pixels = np.asarray(picture)
    assert pixels.shape == (96, 96)
    assert (pixels[: 96 // 2, 48:].sum(), pixels.max()) == (pytest.approx(0.2 * pixels.sum(), rel=0.01), 65535)


def test_row_0_of_a_table_is_the_bottom(tmp_path: Path) -> None:
    painting = EMPTY.copy()
    painting[0, 5] = 1
    export_painting(tmp_path / "a.csv", painting)
    assert (tmp_path / "a.csv").read_text().splitlines()[0].split(",")[5] == "1"


def test_what_cannot_be_exported_says_so_and_writes_nothing(tmp_path: Path) -> None:
    for name, line in (("a.txt", r"cannot tell what to write; give .*\.npy$"), ("a.png", r"nothing is painted; .*")):
        with pytest.raises(InputError, match=line):
            export_painting(tmp_path / name, EMPTY)
    with pytest.raises(InputError, match=r"cannot be written"):
        export_painting(tmp_path / "none" / "a.npy", EMPTY)
    assert not list(tmp_path.iterdir())


def test_a_coarser_import_is_no_fainter_and_points_ask(tmp_path: Path) -> None:
    export_painting(tmp_path / "a.npy", np.full((128, 128), 0.5, np.float32))
    assert import_painting(tmp_path / "a.npy", 32)[0].max() == pytest.approx(0.5)
    assert import_painting(tmp_path / "a.npy", 256)[0].max() == pytest.approx(0.5)
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(500, 2)))
    assert likely_points(tmp_path / "points.npy") is None
    assert likely_points(tmp_path / "a.npy") is False
    with pytest.raises(AmbiguousTable):
        import_painting(tmp_path / "points.npy")
    weights, _ = import_painting(tmp_path / "points.npy", 64, "points")
    assert (weights.shape, weights.max()) == ((64, 64), 1)
