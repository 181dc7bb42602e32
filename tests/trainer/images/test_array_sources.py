"""Pictures in .npy and .npz: what is read is what was written, by shape, type and name."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.trainer.images.sourcing import noise, refused
from trainer.images import fitting
from trainer.images.pictures import scaled
from trainer.images.sources import read_pictures

GREY, RGB = noise(6, 5, 4), noise(6, 5, 4, 3)


@pytest.mark.parametrize(
    ("array", "values", "levels"),
    [
        (GREY, GREY[:, None], 256),
        (RGB, RGB.transpose(0, 3, 1, 2), 256),
        (RGB.transpose(0, 3, 1, 2), RGB.transpose(0, 3, 1, 2), 256),
        (np.asfortranarray(RGB), RGB.transpose(0, 3, 1, 2), 256),
        (GREY[..., None], GREY[:, None], 256),
        (GREY > 99, (GREY > 99)[:, None], 2),
        (GREY.astype(np.uint16) * 257, GREY.astype(np.uint16)[:, None] * 257, 65_536),
        (GREY.astype(">u2") * 257, GREY.astype(np.uint16)[:, None] * 257, 65_536),
        (GREY.astype(np.int64), GREY[:, None], 256),
        (GREY.astype(np.int32) + 1000, GREY.astype(np.uint16)[:, None] + 1000, 65_536),
        (GREY / 255, GREY[:, None], 256),
        (GREY.astype(np.float32) / 127.5 - 1, GREY[:, None], 256),
        (scaled(GREY, 256), GREY[:, None], 256),
        (GREY.astype(np.float16), GREY[:, None], 256),
    ],
    ids=lambda value: f"{value.dtype}{value.shape}" if isinstance(value, np.ndarray) else str(value),
)
def test_arrays_by_shape_and_type(tmp_path: Path, array: np.ndarray, values: np.ndarray, levels: int) -> None:
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", data=array)
    for path in (tmp_path / "a.npy", tmp_path / "a.npz"):
        pictures = read_pictures(path)
        np.testing.assert_array_equal(pictures.values, values)
        assert pictures.levels == levels
        np.testing.assert_array_equal(read_pictures(path, limit=2).values, values[[0, 3]])


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((4, 64)), "give (N, H, W)"),
        (np.zeros((0, 8, 8)), "give (N, H, W)"),
        (np.zeros((2, 8, 8, 4), np.uint8), "C = 1 or 3"),
        (np.full((2, 8, 8), np.nan), "contains NaN or infinity"),
        (np.full((2, 8, 8), 0.5) * [[[9]]], "floats 4.5 .. 4.5; give bytes, or floats in [0, 1] or [-1, 1]"),
        (np.full((2, 8, 8), -5), "whole numbers -5 .. -5"),
        (np.full((2, 8, 8), 70_000), "whole numbers 70000 .. 70000"),
        (np.full((2, 8, 8), 1j), "complex128"),
        (np.full((2, 8, 8), "a"), "<U1"),
        (np.zeros((2, 8, 1025), np.uint8), "pictures of 8 x 1025"),
        (np.array([[[{}]]]), "Python objects, which are never opened"),
    ],
    ids=str,
)
def test_arrays_that_are_no_pictures(tmp_path: Path, array: np.ndarray, said: str) -> None:
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", pictures=array)
    assert said in refused(tmp_path / "a.npy")
    line = refused(tmp_path / "a.npz")
    assert said in line or "holds pictures" in line


def test_npz_finds_pictures_labels_and_levels_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    labels = np.arange(6)
    np.savez(path, x_test=GREY[:2], x_train=GREY, y_train=labels[:, None].astype(np.uint8), y_test=labels[:2])
    pictures = read_pictures(path, limit=3)
    np.testing.assert_array_equal(pictures.values[:, 0], GREY[::2])
    np.testing.assert_array_equal(pictures.labels, [0, 2, 4])
    np.savez(path, anything=GREY // 16, levels=16, labels=labels)
    pictures = read_pictures(path)
    assert pictures.levels == 16
    np.testing.assert_array_equal(pictures.labels, labels)
    np.savez(path, pictures=scaled(GREY // 16, 16), levels=16)
    np.testing.assert_array_equal(read_pictures(path).values[:, 0], GREY // 16)
    np.savez(path, GREY, np.zeros((2, 2)))
    assert read_pictures(path).labels is None


def test_npz_that_contradicts_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, a=GREY, b=GREY)
    assert "holds a (6, 5, 4), b (6, 5, 4); name the one of the pictures 'pictures'" in refused(path)
    np.savez(path, pictures=GREY, labels=np.arange(5))
    assert "labels are whole numbers, (6,)" in refused(path)
    np.savez(path, pictures=GREY, labels=np.full(6, -1))
    assert "labels are 0, 1, 2" in refused(path)
    np.savez(path, pictures=GREY, levels=16)
    assert "16 levels are 0 .. 15" in refused(path)
    np.savez(path, pictures=GREY, levels=1)
    assert "levels: 1; give 2 to 65,536" in refused(path)


def test_array_headers_that_promise_more_than_there_is(tmp_path: Path) -> None:
    def header(*shape: int) -> bytes:
        text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}".encode().ljust(117) + b"\n"
        return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text

    path = tmp_path / "a.npy"
    path.write_bytes(header(10**9, 900, 900) + bytes(100))
    assert "228 bytes, 6,480,000,000,000,128 expected; the file is cut or damaged" in refused(path)
    path.write_bytes(header(-1, 8, 8) + bytes(100))
    assert "the file is cut or damaged" in refused(path)
    for length in (0xFFFF, 200):
        path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", length) + b"(" * length)
        assert "cut or damaged" in refused(path)


def test_an_npz_that_unpacks_to_more_than_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, pictures=np.zeros((1000, 64, 64), np.uint8))
    assert path.stat().st_size < 10_000
    assert len(read_pictures(path)) == 1000
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("pictures.npy", b"hello")
    assert "not an array that numpy has saved" in refused(path)
    np.savez_compressed(path, pictures=np.zeros((1000, 64, 64), np.uint8))
    data = path.read_bytes()
    size = struct.pack("<I", 1000 * 64 * 64 + 128)
    assert data.count(size) >= 1
    path.write_bytes(data.replace(size, struct.pack("<I", 0xFFFFFFF0)))
    assert "expected; the file is cut or damaged" in refused(path)
    path.write_bytes(data)
    monkeypatch.setattr(fitting, "MOST_BYTES", 4_000_000)
    assert "take 0.0 GB, at most 0.0037" in refused(path)


def test_arrays_beyond_the_memory_name_limit_and_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "MOST_BYTES", 100)
    np.save(tmp_path / "a.npy", GREY)
    assert refused(tmp_path / "a.npy").endswith("are allowed; give --limit or a smaller --size")
    assert len(read_pictures(tmp_path / "a.npy", limit=5)) == 5
    assert refused(tmp_path / "a.npy", limit=5, size=8).endswith("give --limit or a smaller --size")
