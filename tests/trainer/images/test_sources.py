"""Sources of pictures, each as a real file: what is read is what was written, and what is damaged says so in a line."""

from __future__ import annotations

import gzip
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.trainer.images.sourcing import cifar, idx, noise, refused
from trainer.images import fitting
from trainer.images.sources import read_pictures


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
