"""MNIST's IDX files, plain or packed with gzip.

    byte 0, 1    zero
    byte 2       type of the numbers; 0x08, unsigned bytes, is read
    byte 3       number of dimensions: 3, (N, H, W), or 4 with channels
    4 each       the dimensions, big-endian
    then         the numbers, in row order, to the end of the file

Source: Y. LeCun, C. Cortes & C. J. C. Burges, "The MNIST database", section "File formats". Labels lie in a file of one
dimension, whose name has "labels" and "idx1" where that of the pictures has "images" and "idx3"; without it the
pictures have none. Of a folder the pictures to train on are read; those of a test set (`t10k-...`) are read by naming
their file, so that nobody learns from them unknowingly.

A header is not believed: the file must be exactly as long as it says, and no shorter than gzip can pack it, before
memory is asked for; what is unpacked stops one byte after it.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from trainer.errors import InputError
from trainer.images.arrays import channels_first
from trainer.images.fitting import check_room, chosen
from trainer.images.pictures import MOST_SIDE, Pictures

GZIP = b"\x1f\x8b"

Stream = BinaryIO | gzip.GzipFile

_BYTES = 0x08
_DEEPEST = 1032  # times that deflate can shrink anything (zlib's technical details)
_BLOCK = 1 << 22  # bytes read at a time


def is_idx(path: Path) -> bool:
    """Whether a file's name, or else its first bytes, are those of an IDX file."""
    if "ubyte" in path.name.lower() or ".idx" in path.name.lower():
        return True
    with path.open("rb") as file:
        head = file.read(4)
    return len(head) == 4 and head[:3] == b"\0\0\x08" and 1 <= head[3] <= 4


def picture_file(folder: Path) -> Path | None:
    """The folder's IDX file of pictures to train on, or the only one; None if there is none.

    Raises:
        InputError: several, and none is named as MNIST names its own.
    """
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and _named_as_pictures(file)]
    plain = {file.name.removesuffix(".gz"): file for file in reversed(files)}  # the plain file where both are there
    if not plain:
        return None
    training = [file for name, file in sorted(plain.items()) if "train" in name.lower()] or list(plain.values())
    if len(training) > 1:
        raise InputError(f"{folder}: holds {', '.join(sorted(plain)[:6])}; give the path of one of them")
    return training[0]


def _named_as_pictures(file: Path) -> bool:
    name = file.name.lower().removesuffix(".gz")
    return "images" in name and (name.endswith("ubyte") or ".idx" in name)


def read_idx(path: Path, limit: int | None) -> Pictures:
    """The pictures of an IDX file, with the labels that lie beside it.

    Raises:
        InputError: not such a file, cut, damaged, too large, or as many labels as there are not pictures.
    """
    with _opened(path) as file:
        dimensions = _header(path, file)
        if len(dimensions) == 1:
            raise InputError(f"{path}: holds labels; give the file of the pictures, such as train-images-idx3-ubyte")
        if len(dimensions) not in (3, 4) or not all(1 <= side <= MOST_SIDE for side in dimensions[1:]):
            raise InputError(f"{path}: dimensions {dimensions}; pictures are (N, H, W), of 1 to {MOST_SIDE} a side")
        places = chosen(dimensions[0], limit)
        check_room(str(path), len(places), dimensions[1:], 1)
        rows = _rows(path, file, dimensions, places)
        _check_end(path, file)
    labels = None
    beside = _labels_file(path)
    if beside is not None:
        labels = _labels(beside, path, dimensions[0])[places]
    name = path.name.removesuffix(".gz")
    return Pictures(name, np.ascontiguousarray(channels_first(rows, str(path))), 256, labels)


def _labels_file(path: Path) -> Path | None:
    name = path.name.replace("images", "labels").replace("idx3", "idx1").removesuffix(".gz")
    if name == path.name.removesuffix(".gz"):
        return None
    return next((file for file in (path.with_name(name), path.with_name(name + ".gz")) if file.is_file()), None)


def _labels(path: Path, pictures: Path, count: int) -> NDArray[np.int64]:
    with _opened(path) as file:
        dimensions = _header(path, file)
        if len(dimensions) != 1:
            raise InputError(f"{path}: dimensions {dimensions}; labels are (N,)")
        if dimensions[0] != count:
            raise InputError(
                f"{path}: {dimensions[0]:,} labels, but {pictures.name} holds {count:,} pictures; "
                "give the files that belong together"
            )
        labels = _rows(path, file, dimensions, chosen(count, None))
        _check_end(path, file)
    return labels.astype(np.int64)


# --- reading ------------------------------------------------------------------------------------------------------


@contextmanager
def _opened(path: Path) -> Iterator[Stream]:
    """The file's bytes, unpacked if gzip has packed them."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == GZIP
            file.seek(0)
            if packed:
                with gzip.GzipFile(fileobj=file) as unpacked:
                    yield unpacked
            else:
                yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: the gzip file is cut or damaged ({error}); fetch it again") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from None


def _header(path: Path, file: Stream) -> tuple[int, ...]:
    """The dimensions, after everything that can be known from the header and the file's length is known to be right."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or not 1 <= magic[3] <= 4:
        raise InputError(f"{path}: begins with {magic.hex(' ') or 'nothing'}; an IDX file of bytes with 00 00 08")
    if magic[2] != _BYTES:
        raise InputError(f"{path}: holds numbers of type 0x{magic[2]:02x}; unsigned bytes, 0x08, are read")
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise InputError(f"{path}: ends within its header; the file is cut, fetch it again")
    dimensions = struct.unpack(f">{magic[3]}I", sizes)
    if not all(dimensions):
        raise InputError(f"{path}: dimensions {dimensions}; give a file that holds something")
    promised = len(magic) + len(sizes) + math.prod(dimensions)
    size = path.stat().st_size
    if isinstance(file, gzip.GzipFile):
        if promised > _DEEPEST * size:
            raise InputError(f"{path}: its header promises {promised:,} bytes, which {size:,} packed ones cannot hold")
    elif promised != size:
        raise InputError(f"{path}: {size:,} bytes, {promised:,} expected; the file is cut or damaged, fetch it again")
    return dimensions


def _rows(path: Path, file: Stream, dimensions: tuple[int, ...], places: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The rows at these places, which rise, with shape (len(places), *dimensions[1:]); all others are read over."""
    width = math.prod(dimensions[1:])
    step = max(1, _BLOCK // width)
    kept = np.empty((len(places), width), np.uint8)
    for first in range(0, dimensions[0], step):
        count = min(step, dimensions[0] - first)
        data = file.read(count * width)
        if len(data) < count * width:
            raise InputError(f"{path}: ends after {first + len(data) // width:,} of {dimensions[0]:,}; fetch it again")
        low, high = np.searchsorted(places, (first, first + count))
        kept[low:high] = np.frombuffer(data, np.uint8).reshape(count, width)[places[low:high] - first]
    return kept.reshape(len(places), *dimensions[1:])


def _check_end(path: Path, file: Stream) -> None:
    """`InputError` if the file goes on; reading its end is also what makes gzip check its sum."""
    if file.read(1):
        raise InputError(f"{path}: goes on after what its header says; the file is damaged, fetch it again")
