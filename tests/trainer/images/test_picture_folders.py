"""Folders of picture files: order, classes, sizes, modes, and what cannot be read."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.trainer.images.sourcing import noise, refused
from trainer.errors import InputError
from trainer.images import fitting
from trainer.images.sources import read_pictures


def test_a_folder_of_pictures_in_sorted_order_with_subfolders_as_classes(tmp_path: Path) -> None:
    pixels = noise(4, 8, 8, 3)
    for k, place in enumerate(["b/1.png", "b/inner/0.bmp", "a/2.png", "a/10.tif"]):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[k]).save(tmp_path / place)
    (tmp_path / "a" / ".hidden.png").write_bytes(b"no")
    (tmp_path / "notes.txt").write_text("no picture")
    pictures = read_pictures(tmp_path)
    np.testing.assert_array_equal(pictures.values, pixels[[3, 2, 0, 1]].transpose(0, 3, 1, 2))
    assert pictures.labels is not None
    assert pictures.labels.tolist() == [0, 0, 1, 1]
    assert (pictures.classes, pictures.levels, pictures.skipped) == (("a", "b"), 256, ())
    Image.fromarray(pixels[0]).save(tmp_path / "z.png")
    assert read_pictures(tmp_path).labels is None


def test_what_cannot_be_read_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    Image.fromarray(noise(8, 8)).save(tmp_path / "good.png")
    whole = (tmp_path / "good.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[:60])
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "void.gif").touch()
    Image.new("L", (8, 8)).save(tmp_path / "post.eps")
    huge = struct.pack(">II", 60_000, 60_000) + whole[24:29]
    (tmp_path / "huge.png").write_bytes(whole[:16] + huge + struct.pack(">I", zlib.crc32(b"IHDR" + huge)) + whole[33:])
    pictures = read_pictures(tmp_path)
    np.testing.assert_array_equal(pictures.values[0, 0], noise(8, 8))
    assert [line.split(": ")[0] for line in pictures.skipped] == [
        "cut.png",
        "huge.png",
        "post.eps",
        "text.jpg",
        "void.gif",
    ]
    assert "damaged" in pictures.skipped[0]
    assert pictures.skipped[1] == "huge.png: more than 50 million pixels"
    assert pictures.skipped[2:] == tuple(
        f"{name}: not a picture that can be read" for name in ("post.eps", "text.jpg", "void.gif")
    )
    (tmp_path / "good.png").unlink()
    assert "none of its 5 pictures can be read: cut.png: damaged" in refused(tmp_path)


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    assert "holds no pictures" in refused(tmp_path)


def test_mixed_sizes_need_a_size(tmp_path: Path) -> None:
    Image.fromarray(noise(8, 12)).save(tmp_path / "a.png")
    Image.fromarray(noise(40, 20)).save(tmp_path / "b.png")
    assert refused(tmp_path).endswith("pictures of 8 to 20 pixels a side; say which size, such as --size 8")
    pictures = read_pictures(tmp_path, size=8)
    np.testing.assert_array_equal(pictures.values[0, 0], noise(8, 12)[:, 2:10])
    expected = Image.fromarray(noise(40, 20)[10:30]).resize((8, 8), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(pictures.values[1, 0], np.asarray(expected))


def test_reduction_does_not_alias(tmp_path: Path) -> None:
    columns = np.arange(64)
    stripes = np.broadcast_to(255 * (columns % 2), (64, 64))  # every eighth column alone would be all black
    ramp = np.broadcast_to(3 * columns, (64, 64))
    np.save(tmp_path / "a.npy", np.stack([stripes, ramp]).astype(np.uint8))
    small = read_pictures(tmp_path / "a.npy", size=8).values[:, 0].astype(int)
    assert np.abs(small[0][:, 1:-1] - 127.5).max() <= 1
    inner = np.arange(2, 6)  # where the kernel, four reduced pixels wide, sees the ramp alone
    assert np.abs(small[1][:, 2:6] - 3 * (8 * inner + 3.5)).max() <= 0.5


def test_arrays_and_picture_files_are_made_alike(tmp_path: Path) -> None:
    pixels = noise(3, 30, 21, 3)
    np.save(tmp_path / "a.npy", pixels)
    (tmp_path / "folder").mkdir()
    for k, picture in enumerate(pixels):
        Image.fromarray(picture).save(tmp_path / "folder" / f"{k}.png")
    for colour in ("grey", "rgb"):
        for size in (7, 21, 33):
            from_array = read_pictures(tmp_path / "a.npy", size=size, colour=colour)  # type: ignore[arg-type]
            from_files = read_pictures(tmp_path / "folder", size=size, colour=colour)  # type: ignore[arg-type]
            np.testing.assert_array_equal(from_array.values, from_files.values)


def test_sixteen_bits_are_reduced_at_their_own_depth(tmp_path: Path) -> None:
    deep = np.random.default_rng(3).integers(0, 65_536, (2, 16, 16)).astype(np.uint16)
    np.save(tmp_path / "a.npy", deep)
    pictures = read_pictures(tmp_path / "a.npy", size=8)
    assert pictures.values.dtype == np.uint16
    expected = Image.fromarray(deep[0].astype(np.float32)).resize((8, 8), Image.Resampling.BICUBIC)
    assert np.abs(pictures.values[0, 0] - np.clip(np.asarray(expected), 0, 65_535)).max() <= 0.5


def test_picture_modes(tmp_path: Path) -> None:
    """One pixel's worth of each: the closed form beside what is read."""

    def read(picture: Image.Image, name: str = "a.png", **options: object) -> tuple[int, ...]:
        for file in tmp_path.iterdir():
            file.unlink()
        picture.save(tmp_path / name, **options)  # type: ignore[arg-type]
        return tuple(read_pictures(tmp_path).values[0, :, 0, 0].tolist())

    assert read(Image.new("RGBA", (4, 4), (200, 100, 50, 51))) == (40, 20, 10)  # 51 / 255 = 1 / 5
    assert read(Image.new("LA", (4, 4), (200, 51))) == (40,)
    assert read(Image.new("L", (4, 4), 9)) == (9,)
    assert read(Image.new("1", (4, 4), 1)) == (255,)
    assert read(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "a.tif") == (255, 0, 0)
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    assert read(palette) == (10, 20, 30)
    assert read(palette, transparency=1) == (0, 0, 0)
    assert read(Image.fromarray(np.full((4, 4), 257 * 77, np.uint16))) == (77,)
    assert read(Image.fromarray(np.full((4, 4), 257 * 77, np.int32)), "a.tif") == (77,)
    assert read(Image.fromarray(np.full((4, 4), 0.2, np.float32)), "a.tif") == (51,)
    with pytest.raises(InputError, match=r"values outside 0 \.\. 1"):
        read(Image.fromarray(np.full((4, 4), 1.5, np.float32)), "a.tif")


def test_the_orientation_of_a_camera_is_applied(tmp_path: Path) -> None:
    upright = noise(8, 8, 3)
    picture = Image.fromarray(np.rot90(upright))  # a quarter turn to the left, which tag 6 says to turn back
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_pictures(tmp_path).values[0], upright.transpose(2, 0, 1))


def test_grey_and_coloured_pictures_together_are_coloured_unless_asked(tmp_path: Path) -> None:
    Image.fromarray(noise(8, 8)).save(tmp_path / "a.png")
    Image.fromarray(noise(8, 8, 3)).save(tmp_path / "b.png")
    mixed, grey = read_pictures(tmp_path), read_pictures(tmp_path, colour="grey")
    assert mixed.shape == (3, 8, 8)
    np.testing.assert_array_equal(mixed.values[0], np.repeat(noise(8, 8)[None], 3, axis=0))
    luma = np.rint(noise(8, 8, 3) @ [0.299, 0.587, 0.114])
    assert np.abs(grey.values[1, 0] - luma).max() <= 1
    np.testing.assert_array_equal(grey.values[0, 0], noise(8, 8))


def test_a_folder_beyond_the_memory_is_refused_by_its_headers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for k in range(3):
        Image.new("L", (64, 64)).save(tmp_path / f"{k}.png")
    monkeypatch.setattr(fitting, "MOST_BYTES", 64 * 64 * 2)
    assert "3 pictures of 1 x 64 x 64 take" in refused(tmp_path)
    assert len(read_pictures(tmp_path, limit=2)) == 2
    assert read_pictures(tmp_path, size=32).shape == (1, 32, 32)
