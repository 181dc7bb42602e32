"""Sources of pictures, each as a real file: what is read is what was written, and what is damaged says so in a line."""

from __future__ import annotations

import gzip
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from trainer.errors import InputError
from trainer.images import fitting
from trainer.images.pictures import scaled
from trainer.images.sources import read_pictures

Bytes = NDArray[np.uint8]


def noise(*shape: int, seed: int = 0) -> Bytes:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def refused(path: Path | str, **wishes: int | str) -> str:
    """The one line with which a source is refused."""
    with pytest.raises(InputError) as error:
        read_pictures(path, **wishes)  # type: ignore[arg-type]
    line = str(error.value)
    assert "\n" not in line
    assert len(line) < 700
    return line


def outcome(path: Path) -> tuple[str, int]:
    """(the line with which a source is refused, or nothing; how many numbers were read)."""
    try:
        return "", read_pictures(path).values.size
    except InputError as error:
        return str(error), 0


# --- digits -------------------------------------------------------------------------------------------------------


def test_the_shipped_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    theirs, ours = load_digits(), read_pictures("digits")
    np.testing.assert_array_equal(ours.values[:, 0], theirs.images)
    np.testing.assert_array_equal(ours.labels, theirs.target)
    assert (ours.name, ours.shape, len(ours), ours.levels) == ("digits", (1, 8, 8), 1797, 17)


def test_digits_need_neither_scikit_learn_nor_torch_nor_datasets() -> None:
    code = (
        "import sys\n"
        "from trainer.images.sources import read_pictures\n"
        "assert len(read_pictures('digits', limit=500)) == 500\n"
        "print(sorted({'torch', 'sklearn', 'datasets', 'pyarrow', 'PySide6'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_digits_can_be_enlarged_and_coloured_within_their_levels() -> None:
    large = read_pictures("digits", size=16, colour="rgb", limit=20)
    assert large.shape == (3, 16, 16)
    assert large.levels == 17
    assert large.values.max() <= 16
    np.testing.assert_array_equal(large.values[:, 0], large.values[:, 2])


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"size": 0}, "size: 0; give a whole number of pixels between 1 and 1024"),
        ({"size": 2000}, "size: 2000"),
        ({"limit": 0}, "limit: 0; give a whole number of pictures, at least 1"),
        ({"colour": "red"}, "colour: 'red' is unknown"),
    ],
)
def test_wishes_that_make_no_sense(wishes: dict[str, int | str], said: str) -> None:
    assert refused("digits", **wishes).startswith(said)


# --- paths --------------------------------------------------------------------------------------------------------


def test_what_is_no_source(tmp_path: Path) -> None:
    assert "no such file or folder; give digits, a folder" in refused(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    assert "an empty folder" in refused(tmp_path / "empty")
    (tmp_path / "nothing.npy").touch()
    assert "the file is empty" in refused(tmp_path / "nothing.npy")
    (tmp_path / "a.txt").write_text("hello there")
    assert "cannot tell what this is" in refused(tmp_path / "a.txt")
    (tmp_path / "cifar").mkdir()
    (tmp_path / "cifar" / "data_batch_1").write_bytes(b"\x80\x02")
    assert "whose pickles are never opened; fetch the binary version" in refused(tmp_path / "cifar")


# --- IDX ----------------------------------------------------------------------------------------------------------


def idx(array: Bytes) -> bytes:
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    """A folder like MNIST's, its test set packed."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    for part, seed, n in (("train", 0, 60), ("t10k", 1, 20)):
        pack = gzip.compress if part == "t10k" else bytes
        end = ".gz" if part == "t10k" else ""
        (folder / f"{part}-images-idx3-ubyte{end}").write_bytes(pack(idx(noise(n, 28, 20, seed=seed))))
        (folder / f"{part}-labels-idx1-ubyte{end}").write_bytes(pack(idx(noise(n, seed=seed) % 10)))
    return folder


def test_idx_plain_packed_and_as_a_folder(mnist: Path) -> None:
    for source, n, seed in ((mnist, 60, 0), (mnist / "t10k-images-idx3-ubyte.gz", 20, 1)):
        pictures = read_pictures(source)
        assert pictures.shape == (1, 28, 20)
        np.testing.assert_array_equal(pictures.values[:, 0], noise(n, 28, 20, seed=seed))
        np.testing.assert_array_equal(pictures.labels, noise(n, seed=seed) % 10)
    assert read_pictures(mnist).name == "mnist"


def test_a_limit_takes_pictures_evenly_with_their_labels(mnist: Path) -> None:
    few = read_pictures(mnist, limit=7)
    places = [0, 8, 17, 25, 34, 42, 51]
    np.testing.assert_array_equal(few.values[:, 0], noise(60, 28, 20)[places])
    np.testing.assert_array_equal(few.labels, (noise(60) % 10)[places])
    assert len(read_pictures(mnist, limit=1000)) == 60


def test_idx_without_labels_has_none(mnist: Path) -> None:
    (mnist / "train-labels-idx1-ubyte").unlink()
    assert read_pictures(mnist).labels is None


def test_idx_that_contradicts_itself(mnist: Path, tmp_path: Path) -> None:
    images, labels = mnist / "train-images-idx3-ubyte", mnist / "train-labels-idx1-ubyte"
    assert "holds labels; give the file of the pictures" in refused(labels)
    labels.write_bytes(idx(noise(59) % 10))
    assert "59 labels, but train-images-idx3-ubyte holds 60 pictures" in refused(images)
    whole = images.read_bytes()
    images.write_bytes(whole + b"\0")
    assert "33,617 bytes, 33,616 expected" in refused(images)
    images.write_bytes(b"\0\0\x0d" + whole[3:])
    assert "numbers of type 0x0d" in refused(images)
    images.write_bytes(b"\x89PNG" + whole[4:])
    assert "begins with 89 50 4e 47" in refused(images)
    images.write_bytes(idx(np.zeros((0, 28, 28), np.uint8)))
    assert "dimensions (0, 28, 28)" in refused(images)
    (tmp_path / "ubyte.gz").write_bytes(gzip.compress(whole + b"more"))
    assert "goes on after what its header says" in refused(tmp_path / "ubyte.gz")


def test_gzip_that_promises_or_holds_more_than_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = tmp_path / "bomb-images-idx3-ubyte.gz"
    bomb.write_bytes(gzip.compress(b"\0\0\x08\x03" + struct.pack(">3I", 0xFFFFFFFF, 1000, 1000)))
    assert "promises 4,294,967,295,000,016 bytes, which" in refused(bomb)
    bomb.write_bytes(gzip.compress(b"\0\0\x08\x03" + struct.pack(">3I", 10, 8, 8) + bytes(30_000_000)))
    assert "goes on after what its header says" in refused(bomb)
    monkeypatch.setattr(fitting, "MOST_BYTES", 1000)
    bomb.write_bytes(gzip.compress(idx(noise(16, 8, 8))))
    assert "16 pictures of 8 x 8 take" in refused(bomb)
    assert "give --limit or a smaller --size" in refused(bomb)
    assert len(read_pictures(bomb, limit=15)) == 15


# --- CIFAR-10 -----------------------------------------------------------------------------------------------------


def cifar(n: int, seed: int) -> bytes:
    return np.concatenate([noise(n, 1, seed=seed) % 10, noise(n, 3072, seed=seed)], axis=1).tobytes()


def test_cifar_batches_in_order_and_the_test_batch_by_name(tmp_path: Path) -> None:
    for k in (1, 2):
        (tmp_path / f"data_batch_{k}.bin").write_bytes(cifar(5, k))
    (tmp_path / "test_batch.bin").write_bytes(cifar(4, 9))
    pictures = read_pictures(tmp_path)
    expected = np.concatenate([noise(5, 3072, seed=k) for k in (1, 2)]).reshape(10, 3, 32, 32)
    np.testing.assert_array_equal(pictures.values, expected)
    np.testing.assert_array_equal(pictures.labels, np.concatenate([noise(5, 1, seed=k) % 10 for k in (1, 2)])[:, 0])
    assert pictures.classes[3] == "cat"
    np.testing.assert_array_equal(read_pictures(tmp_path, limit=4).values, expected[[0, 2, 5, 7]])
    test = read_pictures(tmp_path / "test_batch.bin")
    np.testing.assert_array_equal(test.values.reshape(4, -1), noise(4, 3072, seed=9))


def test_cifar_that_is_something_else(tmp_path: Path) -> None:
    path = tmp_path / "data_batch_1.bin"
    path.write_bytes(cifar(3, 0)[:-1])
    assert "9,218 bytes, which is no whole number of CIFAR-10's records" in refused(tmp_path)
    path.write_bytes(cifar(2, 0) + bytes([77]) + bytes(3072))
    assert "record 2 has the label 77" in refused(path)


# --- numpy --------------------------------------------------------------------------------------------------------


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


# --- damage -------------------------------------------------------------------------------------------------------


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


# --- folders of pictures ------------------------------------------------------------------------------------------


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


# --- Hugging Face -------------------------------------------------------------------------------------------------


def test_a_dataset_folder_without_the_package_says_which_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train"]}')
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert refused(tmp_path).endswith("needs the package datasets: pip install 'score-explorer[datasets]'")


@pytest.mark.parametrize("layout", ["one", "splits", "parquet"])
def test_a_dataset_folder(tmp_path: Path, layout: str) -> None:
    datasets = pytest.importorskip("datasets")
    pixels = noise(5, 9, 8, 3)
    pictures = [Image.fromarray(picture) for picture in pixels]
    features = datasets.Features({"label": datasets.ClassLabel(names=["x", "y"]), "image": datasets.Image()})
    table = datasets.Dataset.from_dict({"image": pictures, "label": [0, 1, 1, 0, 1]}, features=features)
    path = tmp_path / "set"
    if layout == "one":
        table.save_to_disk(str(path))
    elif layout == "splits":
        datasets.DatasetDict({"test": table.select([0]), "train": table}).save_to_disk(str(path))
    else:
        (path / "data").mkdir(parents=True)
        table.to_parquet(str(path / "data" / "train-00000-of-00001.parquet"))
        table.select([0]).to_parquet(str(path / "data" / "test-00000-of-00001.parquet"))
    read = read_pictures(path, size=8)
    np.testing.assert_array_equal(read.values, pixels[:, :8].transpose(0, 3, 1, 2))
    assert read.labels is not None
    assert read.labels.tolist() == [0, 1, 1, 0, 1]
    assert (read.name, read.classes) == ("set", ("x", "y"))
    for file in path.rglob("*.*"):
        if file.suffix in (".arrow", ".parquet") and "test" not in str(file.relative_to(path)):
            file.write_bytes(file.read_bytes()[:100])
    assert "cannot be opened as a dataset" in refused(path)


def test_a_row_of_a_dataset_that_is_no_picture_is_named(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    Image.fromarray(noise(8, 8)).save(tmp_path / "a.png")
    good = {"bytes": (tmp_path / "a.png").read_bytes(), "path": None}
    rows = [{"bytes": b"no", "path": None}, good, {"bytes": None, "path": str(tmp_path / "a.png")}]
    features = datasets.Features({"image": datasets.Image(decode=False)})
    (tmp_path / "set").mkdir()
    table = datasets.Dataset.from_dict({"image": rows}, features=features)
    import pyarrow.parquet

    pyarrow.parquet.write_table(table.data.table, tmp_path / "set" / "a.parquet")
    read = read_pictures(tmp_path / "set")
    np.testing.assert_array_equal(read.values[0, 0], noise(8, 8))
    assert read.skipped == ("row 0: not a picture that can be read", "row 2: holds no bytes of a picture")
