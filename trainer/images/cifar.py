"""CIFAR-10's binary version: records of 3,073 bytes, one for the label and 1,024 each for red, green and blue.

Source: A. Krizhevsky, "The CIFAR-10 dataset", https://www.cs.toronto.edu/~kriz/cifar.html. Pictures are 32 x 32, row by
row from the top. Of a folder the files `data_batch_*.bin` are read, in order; `test_batch.bin` only where there is
nothing else, or by naming it, so that nobody learns from it unknowingly.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.errors import InputError
from trainer.images.fitting import check_room, chosen
from trainer.images.pictures import Pictures

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

_SHAPE = (3, 32, 32)
_RECORD = 1 + 3 * 32 * 32


def batch_files(folder: Path) -> list[Path]:
    """The folder's batches: those to train on, or else the test batch; empty if there are none.

    Raises:
        InputError: the folder holds the Python version, which is pickled.
    """
    found = sorted(folder.glob("data_batch_*.bin")) or sorted(folder.glob("test_batch.bin"))
    if not found and (folder / "data_batch_1").is_file():
        raise InputError(f"{folder}: CIFAR-10 for Python, whose pickles are never opened; fetch the binary version")
    return found


def read_cifar(files: list[Path], name: str, limit: int | None) -> Pictures:
    """The records of these files, one after the other.

    Raises:
        InputError: a file that is no whole number of records, or holds a label above 9.
    """
    counts = [_count(file) for file in files]
    places = chosen(sum(counts), limit)
    check_room(name, len(places), _SHAPE, 1)
    kept = np.empty((len(places), _RECORD), np.uint8)
    first = 0
    for file, count in zip(files, counts, strict=True):
        low, high = np.searchsorted(places, (first, first + count))
        kept[low:high] = _records(file, count)[places[low:high] - first]
        first += count
    values = np.ascontiguousarray(kept[:, 1:]).reshape(-1, *_SHAPE)
    return Pictures(name, values, 256, kept[:, 0].astype(np.int64), (), CLASSES)


def _count(file: Path) -> int:
    """How many records the file holds."""
    try:
        size = file.stat().st_size
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}); check its permissions") from None
    if not size or size % _RECORD:
        raise InputError(f"{file}: {size:,} bytes, which is no whole number of CIFAR-10's records of {_RECORD:,} bytes")
    return size // _RECORD


def _records(file: Path, count: int) -> NDArray[np.uint8]:
    """The file's records, with shape (count, 3073)."""
    try:
        records = np.memmap(file, np.uint8, "r", shape=(count, _RECORD))
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot be read ({error}); check its permissions") from None
    (wrong,) = np.nonzero(records[:, 0] >= len(CLASSES))
    if len(wrong):
        raise InputError(
            f"{file}: record {wrong[0]} has the label {records[wrong[0], 0]}; CIFAR-10's are 0 to 9, so this is "
            "another file or a damaged one"
        )
    return records
