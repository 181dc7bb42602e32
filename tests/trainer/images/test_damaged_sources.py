"""Files cut or flipped anywhere are read or refused in one line."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.trainer.images.sourcing import cifar, idx, noise, outcome, refused
from trainer.images.sources import read_pictures


def _plain_idx(path: Path) -> None:
    path.write_bytes(idx(noise(9, 6, 5)))


def _packed_idx(path: Path) -> None:
    path.write_bytes(gzip.compress(idx(noise(9, 6, 5) // 64)))


def _npy(path: Path) -> None:
    np.save(path, noise(9, 6, 5))


def _npz(path: Path) -> None:
    np.savez_compressed(path, pictures=noise(9, 6, 5) // 64, labels=np.arange(9))


def _cifar(path: Path) -> None:
    path.write_bytes(cifar(2, 0))


FILES: dict[str, Callable[[Path], None]] = {
    "a-images-idx3-ubyte": _plain_idx,
    "a-images-idx3-ubyte.gz": _packed_idx,
    "a.npy": _npy,
    "a.npz": _npz,
    "data_batch_1.bin": _cifar,
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_anywhere_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    FILES[name](path)
    whole = path.read_bytes()
    read_pictures(path)
    for length in {*range(min(60, len(whole))), *range(0, len(whole), 7), len(whole) - 1} - {3073}:
        path.write_bytes(whole[:length])
        assert refused(path).startswith(str(path))


@pytest.mark.parametrize("name", FILES)
def test_a_file_with_a_flipped_bit_is_read_or_refused_in_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    FILES[name](path)
    whole = path.read_bytes()
    generator = np.random.default_rng(7)
    # headers lie at the beginning, and at the end of an .npz: half of the damage goes there
    ends = np.concatenate([np.arange(min(130, len(whole))), np.arange(max(0, len(whole) - 130), len(whole))])
    places = np.concatenate([generator.choice(ends, 250), generator.integers(0, len(whole), 250)])
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(damaged)
        line, size = outcome(path)
        assert "\n" not in line
        assert size <= len(whole) * 8


@pytest.mark.parametrize("form", ["png", "jpg", "gif", "bmp", "tif", "webp", "tga", "ppm"])
def test_a_damaged_picture_never_ends_the_reading_of_its_folder(tmp_path: Path, form: str) -> None:
    Image.fromarray(noise(8, 8)).save(tmp_path / "good.png")
    path = tmp_path / f"bad.{form}"
    Image.fromarray(noise(16, 16, 3)).save(path)
    whole = path.read_bytes()
    generator = np.random.default_rng(8)
    for _ in range(60):
        damaged = bytearray(whole[: int(generator.integers(len(whole) + 1))])
        for place in generator.integers(0, max(1, min(len(damaged), 80)), 2 if damaged else 0):
            damaged[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(damaged)
        pictures = read_pictures(tmp_path, size=8)
        np.testing.assert_array_equal(pictures.values[-1, 0], noise(8, 8))
        assert len(pictures) + len(pictures.skipped) == 2
