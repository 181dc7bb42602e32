"""Pictures in numpy's files: one array in a .npy, or one among others in an .npz.

**Shape.** (N, H, W) is grey. Of four dimensions, the last is the channels if it is 1 or 3, otherwise the second is.

**Values.** Unsigned bytes have 256 levels, 16-bit numbers 65,536, truth values two; other whole numbers 256 or 65,536,
whichever holds them all. Floats lie in [0, 1] if none is negative, otherwise in [-1, 1]; the interval is cut into 256
equal parts, which gives v back from v / 255 as well as from (v + 1/2) / 256. Floats that are whole numbers 0 .. 255
count as such. Other floats are refused.

**Names** in an .npz: pictures, images, x, x_train, train_images, samples, data or arr_0; or the only array of three or
more dimensions. Labels are the whole numbers under labels, y, y_train, train_labels or arr_1, with shape (N,) or
(N, 1). `levels`, a single whole number, says how many levels the values have where it is neither 256 nor 65,536.

Headers are read and held against the file's length before memory is asked for; nothing is unpickled.
"""

from __future__ import annotations

import math
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from trainer.errors import InputError
from trainer.images.fitting import check_room, chosen
from trainer.images.pictures import MOST_LEVELS, MOST_SIDE, Pictures, Values, kind, quantised

NPY = b"\x93NUMPY"

_LABELS = {
    "pictures": "labels",
    "images": "labels",
    "x": "y",
    "x_train": "y_train",
    "train_images": "train_labels",
    "samples": "labels",
    "data": "labels",
    "arr_0": "arr_1",
}
"""Where the pictures are looked for, in this order, and their labels beside them."""

_MOST_MEMBERS = 1000
_BLOCK = 1 << 22  # numbers converted at a time
_FAULTS = (
    OSError,
    ValueError,
    SyntaxError,
    TypeError,
    OverflowError,
    EOFError,
    MemoryError,
    RecursionError,
    RuntimeError,
    NotImplementedError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
    tokenize.TokenError,
)


@dataclass(frozen=True)
class _Header:
    """What the header of an NPY file says of its array, and where the numbers begin."""

    shape: tuple[int, ...]
    columns_first: bool
    dtype: np.dtype[Any]
    start: int

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def order(self) -> Literal["F", "C"]:
        return "F" if self.columns_first else "C"


def read_npy(path: Path, limit: int | None) -> Pictures:
    """The pictures of a .npy file.

    Raises:
        InputError: not such a file, cut, damaged, too large, or no pictures in it.
    """
    where = str(path)
    with _faults(where), path.open("rb") as file:
        header = _read_header(where, file, path.stat().st_size)
        _check_numbers(where, header)
        array = np.memmap(file, header.dtype, "r", header.start, header.shape, header.order)
        values, levels, _ = _pictures(where, array, None, limit)
    return Pictures(path.stem, values, levels)


def read_npz(path: Path, limit: int | None) -> Pictures:
    """The pictures of an .npz file, and their labels; `InputError` as `read_npy`."""
    where = str(path)
    with _faults(where), zipfile.ZipFile(path) as archive:
        members = _members(where, archive, path.stat().st_size)
        headers: dict[str, _Header] = {}
        for name, member in members.items():
            with archive.open(member) as file:
                headers[name] = _read_header(f"{where}: {name}", file, member.file_size)
        name = _picture_name(where, headers)
        levels = None
        if "levels" in headers:
            if math.prod(headers["levels"].shape) != 1 or headers["levels"].dtype.kind not in "iu":
                raise InputError(f"{where}: levels: not a whole number; give one, such as numpy.uint16(256)")
            levels = int(_read(where, archive, members["levels"], headers["levels"]).reshape(()))
            if not 2 <= levels <= MOST_LEVELS:
                raise InputError(f"{where}: levels: {levels}; give 2 to {MOST_LEVELS:,}")
        array = _read(where, archive, members[name], headers[name])
        values, levels, places = _pictures(f"{where}: {name}", array, levels, limit)
        labels = None
        beside = _labels_name(where, headers, name)
        if beside is not None:
            whole = _read(where, archive, members[beside], headers[beside]).reshape(-1)
            if whole.min() < 0 or int(whole.max()) > np.iinfo(np.int64).max:
                raise InputError(f"{where}: {beside}: {whole.min()} .. {whole.max()}; labels are 0, 1, 2, ...")
            labels = whole.astype(np.int64)[places]
    return Pictures(path.stem, values, levels, labels)


def channels_first(array: NDArray[Any], where: str) -> NDArray[Any]:
    """Pictures (N, H, W), (N, H, W, C) or (N, C, H, W) as a view (N, C, H, W); `InputError` if they are none."""
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and array.shape[3] in (1, 3):
        array = array.transpose(0, 3, 1, 2)
    if array.ndim != 4 or array.shape[1] not in (1, 3) or not len(array):
        raise InputError(f"{where}: shape {array.shape}; give (N, H, W), (N, H, W, C) or (N, C, H, W), C = 1 or 3")
    if not all(1 <= side <= MOST_SIDE for side in array.shape[2:]):
        raise InputError(f"{where}: pictures of {array.shape[2]} x {array.shape[3]}; give 1 to {MOST_SIDE} a side")
    return array


# --- values -------------------------------------------------------------------------------------------------------


def _pictures(
    where: str, array: NDArray[Any], levels: int | None, limit: int | None
) -> tuple[Values, int, NDArray[np.int64]]:
    """(values (n, C, H, W), how many levels they have, their places in the array)."""
    array = channels_first(array, where)
    places = chosen(len(array), limit)
    check_room(where, len(places), array.shape[1:], min(array.dtype.itemsize, 2) if array.dtype.kind in "iu" else 1)
    if len(places) < len(array):
        array = array[places]
    low, high = array.min(), array.max()
    if array.dtype.kind != "f":
        levels = levels or _levels_of(where, array.dtype, int(low), int(high))
        if not 0 <= low <= high < levels:
            raise InputError(f"{where}: values {low} .. {high}; {levels} levels are 0 .. {levels - 1}")
        return np.ascontiguousarray(array, kind(levels)), levels, places
    if not np.isfinite([low, high]).all():
        raise InputError(f"{where}: contains NaN or infinity; give finite values")
    unit = 0 <= low <= high <= 1
    if not unit and not -1 <= low <= high <= 1:
        if levels is None and 0 <= low <= high <= 255 and all((part == np.rint(part)).all() for part in _parts(array)):
            return np.ascontiguousarray(array, np.uint8), 256, places
        raise InputError(f"{where}: floats {low:g} .. {high:g}; give bytes, or floats in [0, 1] or [-1, 1]")
    levels = levels or 256
    values = np.empty(array.shape, kind(levels))
    for part, target in zip(_parts(array), _parts(values), strict=True):
        x = part.astype(np.float64)
        target[:] = quantised(2 * x - 1 if unit else x, levels)
    return values, levels, places


def _parts(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Views of the array, some pictures each, so that no second copy of it is made at once."""
    step = max(1, _BLOCK // math.prod(array.shape[1:]))
    return (array[first : first + step] for first in range(0, len(array), step))


def _levels_of(where: str, dtype: np.dtype[Any], low: int, high: int) -> int:
    """How many levels whole numbers of this type, low .. high, have."""
    if dtype.kind == "b":
        return 2
    if dtype == np.uint8 or (dtype != np.uint16 and low >= 0 and high <= 255):
        return 256
    if low >= 0 and high < MOST_LEVELS:
        return MOST_LEVELS
    raise InputError(f"{where}: whole numbers {low} .. {high}; give 0 .. 255 or 0 .. 65535")


# --- files --------------------------------------------------------------------------------------------------------


def _read_header(where: str, file: IO[bytes], size: int) -> _Header:
    """The header of NPY data of `size` bytes, which must be what the header says."""
    if file.read(len(NPY)) != NPY:
        raise InputError(f"{where}: not an array that numpy has saved, whatever its name says")
    version = tuple(file.read(2))
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise InputError(f"{where}: a header of version {version}; save a plain array with numpy.save")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy warns of headers that its first versions wrote
        shape, columns_first, dtype = readers[version](file)
    header = _Header(shape, columns_first, dtype, file.tell())
    if any(side < 0 for side in shape) or (header.start + header.bytes != size and not dtype.hasobject):
        raise InputError(
            f"{where}: {size:,} bytes, {header.start + header.bytes:,} expected; the file is cut or damaged"
        )
    return header


def _check_numbers(where: str, header: _Header) -> None:
    """`InputError` unless the array holds real numbers of at most eight bytes."""
    if header.dtype.hasobject:
        raise InputError(f"{where}: holds Python objects, which are never opened; save a plain array of numbers")
    if header.dtype.kind not in "biuf" or header.dtype.itemsize > 8:
        raise InputError(f"{where}: holds {header.dtype} values; save an array of bytes or of floats")


def _members(where: str, archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """The arrays of an .npz by name, none of which claims what it cannot be."""
    infos = archive.infolist()
    if len(infos) > _MOST_MEMBERS:
        raise InputError(f"{where}: {len(infos):,} arrays; give at most {_MOST_MEMBERS:,}")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.filename.removesuffix(".npy")
        if name == info.filename or name in members or info.compress_size > size:
            raise InputError(f"{where}: {info.filename[:60]!r} does not belong there; save it with numpy.savez")
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{where}: {name[:60]} is encrypted or packed in an unknown way; save it with numpy.savez")
        members[name] = info
    return members


def _picture_name(where: str, headers: dict[str, _Header]) -> str:
    """The name of the array that holds the pictures."""
    many = [name for name, header in headers.items() if len(header.shape) >= 3]
    found = [name for name in _LABELS if name in many][:1] or (many if len(many) == 1 else [])
    if not found:
        held = ", ".join(f"{name[:40]} {header.shape}" for name, header in list(headers.items())[:6]) or "no arrays"
        raise InputError(f"{where}: holds {held}; name the one of the pictures 'pictures', with shape (N, H, W[, C])")
    return found[0]


def _labels_name(where: str, headers: dict[str, _Header], pictures: str) -> str | None:
    """The name of the array that holds the labels; None if there is none."""
    name = _LABELS.get(pictures, "labels")
    if name not in headers:
        return None
    header, count = headers[name], headers[pictures].shape[0]
    if header.dtype.kind in "iu" and header.shape in ((count,), (count, 1)):
        return name
    if name == "arr_1":  # which says nothing of being labels
        return None
    raise InputError(f"{where}: {name}: {header.dtype} of shape {header.shape}; labels are whole numbers, ({count},)")


def _read(where: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, header: _Header) -> NDArray[Any]:
    """The array of a member, whose header is known to fit."""
    _check_numbers(f"{where}: {member.filename}", header)
    if header.bytes > 1100 * member.compress_size + 4096:  # deflate shrinks by 1032 at most
        raise InputError(
            f"{where}: {member.filename}: {header.bytes:,} bytes, which {member.compress_size:,} packed ones cannot "
            "hold; the file is damaged"
        )
    check_room(f"{where}: {member.filename}", 1, header.shape, header.dtype.itemsize)
    with archive.open(member) as file:
        file.read(header.start)
        data = bytearray(header.bytes)
        filled = 0
        while count := file.readinto(memoryview(data)[filled:]):  # type: ignore[attr-defined]
            filled += count
        if filled < header.bytes or file.read(1):
            raise InputError(f"{where}: {member.filename} is cut or damaged; save it again")
    return np.frombuffer(data, header.dtype).reshape(header.shape, order=header.order)


@contextmanager
def _faults(where: str) -> Iterator[None]:
    """Whatever numpy and zipfile make of a damaged file as one line."""
    try:
        yield
    except InputError:
        raise
    except PermissionError as error:
        raise InputError(f"{where}: cannot be read ({error.strerror}); check its permissions") from None
    except _FAULTS as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{where}: cut or damaged ({reason}); save it again with numpy") from None
