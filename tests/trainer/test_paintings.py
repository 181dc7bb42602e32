"""Presets, pictures and tables: what they become, and one clear line for each that cannot be read."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainer.assets import assets
from trainer.drawing import draw
from trainer.errors import InputError
from trainer.paintings import (
    count_points,
    fit_square,
    image_weights,
    preset_components,
    preset_names,
    preset_title,
    preset_weights,
    read_painting,
    read_weights,
)


def refuses(words: str) -> pytest.RaisesExc[InputError]:
    return pytest.RaisesExc(InputError, match=words, check=lambda e: "\n" not in str(e) and len(str(e)) < 500)


# --- presets ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", preset_names())
@pytest.mark.parametrize("size", [1, 7, 32, 128])
def test_every_preset_is_a_painting_at_every_size(name: str, size: int) -> None:
    weights = preset_weights(name, size)
    assert weights.shape == (size, size)
    assert weights.dtype == np.float32
    assert weights.max() == 1
    assert weights.min() >= 0
    assert preset_title(name)


def test_every_shipped_file_is_a_preset() -> None:
    assert sorted(path.stem for path in (assets() / "presets").glob("*.json")) == sorted(preset_names())
    assert preset_names()[0] == "crescents"


def _parts(weights: np.ndarray) -> list[np.ndarray]:
    """The occupied cells (row, col) of each connected part, largest mass first."""
    left = {(int(i), int(j)) for i, j in zip(*weights.nonzero(), strict=True)}
    parts = []
    while left:
        edge, part = [left.pop()], []
        while edge:
            i, j = edge.pop()
            part.append((i, j))
            near = {(i + a, j + b) for a in (-1, 0, 1) for b in (-1, 0, 1)} & left
            left -= near
            edge += near
        parts.append(np.array(part))
    return sorted(parts, key=lambda p: -weights[p[:, 0], p[:, 1]].sum())


def test_crescents_are_two_far_thin_parts_of_mass_08_and_02() -> None:
    weights = preset_weights("crescents").astype(np.float64)
    large, small = _parts(weights)
    total = weights.sum()
    assert weights[tuple(large.T)].sum() / total == pytest.approx(0.8, abs=1e-6)
    assert weights[tuple(small.T)].sum() / total == pytest.approx(0.2, abs=1e-6)
    gap = np.sqrt(((large[:, None] - small[None]) ** 2).sum(-1)).min() * 2 / 128
    assert gap > 1
    for part in (large, small):
        occupied = {tuple(cell) for cell in part.tolist()}
        thickness = 1
        while any(all((i + a, j + b) in occupied for a in range(thickness) for b in range(thickness)) for i, j in part):
            thickness += 1
        assert gap > 8 * thickness * 2 / 128  # no square of an eighth of the gap fits into it


def test_far_modes_are_those_of_the_ncsn_figure() -> None:
    components = preset_components("far-modes")
    assert components is not None
    weights, means, covariances = components
    np.testing.assert_array_equal(weights, [0.8, 0.2])
    np.testing.assert_array_equal(means, [[5 / 8, 5 / 8], [-5 / 8, -5 / 8]])
    np.testing.assert_array_equal(covariances, [np.eye(2) / 64] * 2)
    painted = preset_weights("far-modes").astype(np.float64)
    assert painted[:64, :64].sum() / painted.sum() == pytest.approx(0.2, abs=1e-6)
    assert preset_components("spiral") is None


def test_shapes_cover_their_area() -> None:
    size, area = 256, (2 / 256) ** 2
    disc = draw([{"shape": "ellipse", "centre": [0.1, -0.2], "radii": [0.5, 0.5]}], size)
    assert disc.sum() * area == pytest.approx(np.pi / 4, rel=1e-3)
    box = draw([{"shape": "box", "low": [-0.5, -0.25], "high": [0.5, 0.25], "shade": 0.5}], size)
    assert box.sum() * area == pytest.approx(0.25, rel=1e-6)
    ring = draw([{"shape": "arc", "centre": [0, 0], "radius": 0.6, "angles": [0, 360], "width": 0.1}], size)
    assert ring.sum() * area == pytest.approx(2 * np.pi * 0.6 * 0.1, rel=5e-3)
    line = {"shape": "stroke", "points": [[0.2, 0.0], [0.8, 0.0]], "width": 0.08}
    one, four = draw([line], size), draw([{**line, "copies": 4}], size)
    assert four.sum() == pytest.approx(4 * one.sum(), rel=1e-3)
    np.testing.assert_allclose(four, np.rot90(four), atol=1e-9)


def test_paintings_import_no_torch() -> None:
    code = "import sys, trainer.paintings as p; p.preset_weights('crescents'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- pictures -----------------------------------------------------------------------------------------------------


def test_the_top_of_a_picture_is_up_and_white_is_mass(tmp_path: Path) -> None:
    pixels = np.zeros((64, 64), np.uint8)
    pixels[:8] = 255  # a white band at the top
    Image.fromarray(pixels).save(tmp_path / "band.png")
    weights = image_weights(tmp_path / "band.png", 32)
    assert weights.dtype == np.float32
    assert (weights[-4:] == 1).all()
    assert not weights[:-4].any()
    inverted = image_weights(tmp_path / "band.png", 32, invert=True)
    assert not inverted[-4:].any()
    assert (inverted[:-4] == 1).all()


def test_opacity_multiplies_and_aspect_is_kept(tmp_path: Path) -> None:
    pixels = np.full((20, 80, 4), 255, np.uint8)
    pixels[:, 40:, 3] = 51
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    weights = image_weights(tmp_path / "wide.png", 80)
    assert weights[30:50, :40] == pytest.approx(1)
    assert weights[30:50, 40:] == pytest.approx(0.2)
    assert weights[:30].max() == weights[50:].max() == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_every_kind_of_pixel(tmp_path: Path, mode: str, suffix: str) -> None:
    ramp = np.repeat(np.arange(0, 256, 2, dtype=np.uint8)[None], 128, axis=0)
    deep = mode == "I;16"
    picture = Image.fromarray(ramp.astype(np.uint16) * 257) if deep else Image.fromarray(ramp).convert(mode)
    path = tmp_path / f"ramp{suffix}"
    try:
        picture.save(path)
    except OSError:
        pytest.skip(f"{suffix} holds no {mode}")
    weights = image_weights(path, 64)
    assert weights[:, 48:].mean() > 0.7
    assert weights[:, :16].mean() < 0.3


def _png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return start + struct.pack(">I", 1000) + b"IDAT"


@pytest.mark.parametrize("side", [(10_000, 10_000), (8000, 8000), (60_000, 60_000), (2, 2_000_000_000)])
def test_a_huge_picture_is_refused_by_its_header(tmp_path: Path, side: tuple[int, int]) -> None:
    (tmp_path / "huge.png").write_bytes(_png_header(*side) + bytes(200))
    with refuses(r"huge\.png: has more than 50 million pixels"):
        image_weights(tmp_path / "huge.png")


def test_files_that_are_no_pictures(tmp_path: Path) -> None:
    good = tmp_path / "good.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200), dtype=np.uint8)).save(good)
    data = good.read_bytes()
    bad = {
        "text.png": (b"this is only text\n", "not a picture"),
        "empty.png": (b"", "the file is empty"),
        "cut.png": (data[: len(data) // 2], "a damaged picture"),
        "header.png": (data[:40], "a damaged picture|not a picture"),
        "flipped.png": (data[:5000] + bytes(3000) + data[8000:], "a damaged picture"),
        "text.jpg": (b"\xff\xd8\xff\xe0 nothing", "a damaged picture|not a picture"),
        "script.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
    }
    for name, (content, words) in bad.items():
        (tmp_path / name).write_bytes(content)
        with refuses(f"{name}: ({words})"):
            read_painting(tmp_path / name)
    Image.new("L", (9, 9)).save(tmp_path / "black.png")
    with refuses(r"black\.png: all black"):
        read_painting(tmp_path / "black.png")
    Image.new("L", (9, 9), 255).save(tmp_path / "white.png")
    with refuses(r"white\.png: all white"):
        read_painting(tmp_path / "white.png", invert=True)
    with refuses('a picture holds weights; "points" is for'):
        read_painting(good, as_="points")


# --- tables -------------------------------------------------------------------------------------------------------


def test_fitting_keeps_mass_place_and_aspect() -> None:
    rng = np.random.default_rng(0)
    for shape, size in (((7, 5), 16), ((128, 128), 32), ((30, 200), 64), ((1, 1), 3), ((50, 50), 50)):
        weights = rng.random(shape)
        fitted = fit_square(weights, size)
        assert fitted.shape == (size, size)
        assert fitted.sum() == pytest.approx(weights.sum())
        for axis in (0, 1):
            longer = max(shape)
            at = (np.arange(shape[axis]) - (shape[axis] - 1) / 2) * 2 / longer
            to = (np.arange(size) - (size - 1) / 2) * 2 / size
            before = (weights.sum(1 - axis) * at).sum() / weights.sum()
            after = (fitted.sum(1 - axis) * to).sum() / fitted.sum()
            assert after == pytest.approx(before, abs=1 / size)
    np.testing.assert_allclose(fit_square(np.eye(4), 4), np.eye(4))


def test_points_are_counted_where_they_lie() -> None:
    counts = count_points(np.array([[-1, -1], [1, 1], [0.99, 0.99], [0.01, -0.01]]), 4, "here")
    assert counts.sum() == 4
    assert counts[0, 0] == 1
    assert counts[3, 3] == 2
    assert counts[1, 2] == 1


def test_points_outside_the_square_are_fitted_with_one_factor() -> None:
    counts = count_points(np.array([[100.0, 5.0], [300.0, 5.0], [200.0, 55.0], [200.0, -45.0]]), 200, "here")
    row, col = counts.nonzero()
    x, y = (col - 99.5) / 100, (row - 99.5) / 100
    assert (x.min(), x.max()) == pytest.approx((-0.9, 0.9), abs=0.011)
    assert (y.min(), y.max()) == pytest.approx((-0.45, 0.45), abs=0.011)
    assert count_points(np.array([[1e300, -1e300]]), 8, "here").sum() == 1
    assert count_points(np.array([[1e308, -1e308], [-1e308, 1e308]]), 8, "here").sum() == 2


def test_tables(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("# a comment\n0,0,1\n\n0,2,0\n", encoding="utf-8-sig")
    weights, name = read_weights(tmp_path / "w.csv")
    assert name == "w"
    np.testing.assert_array_equal(weights, [[0, 0, 1], [0, 2, 0]])
    fitted, _ = read_painting(tmp_path / "w.csv", size=3)
    assert fitted.shape == (3, 3)
    assert fitted.max() == 1
    (tmp_path / "one.csv").write_text("0.5\n")
    assert read_weights(tmp_path / "one.csv")[0].shape == (1, 1)
    for kind in (np.uint8, np.float16, np.float32, bool, ">f8"):
        np.save(tmp_path / "k.npy", np.eye(4).astype(kind))
        np.testing.assert_array_equal(read_weights(tmp_path / "k.npy")[0], np.eye(4))
    np.save(tmp_path / "fortran.npy", np.asfortranarray(np.arange(6.0).reshape(2, 3)))
    np.testing.assert_array_equal(read_weights(tmp_path / "fortran.npy")[0], [[0, 1, 2], [3, 4, 5]])
    np.save(tmp_path / "pairs.npy", np.array([[0.1, 0.2], [0.3, 0.4]]))
    assert read_weights(tmp_path / "pairs.npy", as_="weights")[0].shape == (2, 2)
    assert read_weights(tmp_path / "pairs.npy", as_="points", size=16)[0].sum() == 2
    assert read_painting("ring", size=32)[1] == "ring"


def _save(path: Path, array: object) -> None:
    np.save(path, array, allow_pickle=True)  # type: ignore[arg-type]


def test_tables_that_cannot_be_read(tmp_path: Path) -> None:
    texts = {
        "letters.csv": ("1,2,3\n4,five,6\n", "line 2: 'five' is not a number"),
        "heading.csv": ("x,y\n1,2\n", "line 1: 'x' is not a number"),
        "ragged.csv": ("1,2,3\n4,5\n", "line 2: 2 numbers where line 1 has 3"),
        "hole.csv": ("1,,3\n4,5,6\n", "line 1: '' is not a number"),
        "blank.csv": ("\n\n# nothing\n", "holds no numbers"),
        "nan.csv": ("1,nan,2\n", "contains NaN"),
        "negative.csv": ("1,-1,2\n", "negative"),
        "zero.csv": ("0,0,0\n", "all weights are zero"),
        "pairs.csv": ("1,2\n3,4\n", r"shape \(2, 2\) can be either; say --as"),
        "empty.csv": ("", "the file is empty"),
    }
    for name, (text, words) in texts.items():
        (tmp_path / name).write_text(text)
        with refuses(f"{name}: .*{words}"):
            read_painting(tmp_path / name)
    (tmp_path / "binary.csv").write_bytes(bytes(range(128, 256)))
    with refuses(r"binary\.csv: not a text file"):
        read_painting(tmp_path / "binary.csv")

    arrays = {
        "objects.npy": (np.array([{"a": 1}], dtype=object), "holds Python objects"),
        "strings.npy": (np.array([["a", "b"]]), "not numbers"),
        "complex.npy": (np.ones((3, 3), complex), "not numbers"),
        "cube.npy": (np.ones((3, 3, 3)), r"shape \(3, 3, 3\)"),
        "line.npy": (np.ones(3), r"shape \(3,\)"),
        "inf.npy": (np.full((3, 3), np.inf), "infinity"),
        "wide.npy": (np.ones((3, 2000)), "cells along each side"),
        "none.npy": (np.ones((0, 3)), "damaged|cells along each side"),
    }
    for name, (array, words) in arrays.items():
        _save(tmp_path / name, array)
        with refuses(f"{name}: .*({words})"):
            read_painting(tmp_path / name)
    _save(tmp_path / "triples.npy", np.ones((5, 3)))
    with refuses(r"triples\.npy: shape \(5, 3\); points are an \(N, 2\) array"):
        read_painting(tmp_path / "triples.npy", as_="points")
    _save(tmp_path / "nan.npy", np.full((5, 2), np.nan))
    with refuses(r"nan\.npy: contains NaN"):
        read_painting(tmp_path / "nan.npy", as_="points")


def test_damaged_npy_files(tmp_path: Path) -> None:
    np.save(tmp_path / "good.npy", np.ones((50, 50)))
    data = (tmp_path / "good.npy").read_bytes()

    def header(text: str) -> bytes:
        return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()

    bad = {
        "cut.npy": data[:-100],
        "start.npy": data[:9],
        "long.npy": b"\x93NUMPY\x02\x00" + struct.pack("<I", 0xFFFFFFF0) + b"{" * 100,
        "huge.npy": header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 3), }\n") + bytes(80),
        "overflow.npy": header("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "9" * 30 + ", 3), }\n")
        + bytes(80),
        "negative.npy": header("{'descr': '<f8', 'fortran_order': False, 'shape': (-4, 3), }\n") + bytes(80),
        "code.npy": header("{'descr': __import__('os').abort(), 'fortran_order': False, 'shape': (1, 3), }\n"),
        "nest.npy": header("(" * 3000 + "\n"),
        "dtype.npy": header("{'descr': 'nonsense', 'fortran_order': False, 'shape': (1, 3), }\n") + bytes(80),
    }
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
        with refuses(f"{name}: a damaged .npy file"):
            read_painting(tmp_path / name)
    (tmp_path / "text.npy").write_text("1,2,3")
    with refuses(r"text\.npy: not a \.npy file"):
        read_painting(tmp_path / "text.npy")


def test_sources_that_do_not_exist(tmp_path: Path) -> None:
    with refuses("^two-suns: unknown preset; known are crescents, two-moons"):
        read_painting("two-suns")
    with refuses("^two-suns: unknown preset"):
        preset_weights("two-suns")
    with refuses(r"gone\.png: no such file"):
        read_painting(tmp_path / "gone.png")
    with refuses("a folder"):
        read_painting(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    with refuses(r"notes\.txt: cannot tell what this is"):
        read_painting(tmp_path / "notes.txt")
    with refuses("^as: 'dots' is unknown"):
        read_painting("ring", as_="dots")
    for size in (0, -1, 1025, 12.5, True):
        with refuses("^size: "):
            preset_weights("ring", size)  # type: ignore[arg-type]
