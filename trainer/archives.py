"""A zip of named members, read with suspicion and written all or nothing.

Reading trusts nothing that the file says about itself before it is checked: names and sizes come from the zip's
directory and are held against the caller's limits before a byte is unpacked, no member is ever written to disk, arrays
are float32 NPY whose shape must account for every byte, and pickled objects are refused.

Writing goes to a temporary file in the target's folder that is flushed to the disk before it takes the target's name.
Whatever fails on the way, the target is what it was before, and the temporary file is gone.
"""

from __future__ import annotations

import ast
import io
import math
import operator
import os
import secrets
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from trainer.errors import InputError

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Members carry this date, so that equal contents make equal files."""


def read_archive(path: str | Path, limits: Mapping[str, int]) -> dict[str, bytes]:
    """The members of a zip; `limits` names each one that may occur, and the most bytes that it may unpack to.

    Raises:
        InputError: no such file, not a zip, a damaged one, or one that holds something else.
    """
    path = Path(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path}: not a file; choose a .scorex file")
        if status.st_size > sum(limits.values()):
            raise InputError(f"{path}: {status.st_size} bytes are too many for a project; choose a .scorex file")
        with path.open("rb") as file:
            return _members(file, str(path), limits)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}; choose a .scorex file") from error


def archive_from(data: bytes, where: str, limits: Mapping[str, int]) -> dict[str, bytes]:
    """As `read_archive`, of a zip that lies in memory; `where` leads the line of an error."""
    return _members(io.BytesIO(data), where, limits)


def _members(file: IO[bytes], where: str, limits: Mapping[str, int]) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
            _check_directory(where, infos, limits)
            return {info.filename: archive.read(info) for info in infos}
    except zipfile.BadZipFile as error:
        raise InputError(f"{where}: not a project or damaged ({error}); choose a .scorex file") from error
    except (zlib.error, struct.error, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{where}: damaged ({_line(error)}); use another copy of the file") from error


def _check_directory(where: str, infos: list[zipfile.ZipInfo], limits: Mapping[str, int]) -> None:
    """Refuse a directory that lists anything but the named members, each once and within its limit."""
    seen: set[str] = set()
    for info in infos:
        name = info.filename
        if name not in limits:
            raise InputError(f"{where}: holds {name[:80]!r}, which no project has; use another copy of the file")
        if name in seen:
            raise InputError(f"{where}: holds {name} twice; use another copy of the file")
        if info.file_size > limits[name]:
            raise InputError(f"{where}: {name} unpacks to {info.file_size} bytes; at most {limits[name]} are allowed")
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{where}: {name} is encrypted or packed in an unknown way; save it without")
        seen.add(name)


def write_archive(path: str | Path, members: Mapping[str, bytes]) -> None:
    """Write the members as a zip, whole or not at all; equal members make equal files.

    A file that is replaced hands on its permissions, a link its target.

    Raises:
        InputError: the file cannot be written; what was there before is unchanged.
    """
    write_whole(path, archive_bytes(members))


def archive_bytes(members: Mapping[str, bytes]) -> bytes:
    """The members as a zip; equal members make equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = 0o644 << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED, 3)
    return buffer.getvalue()


def write_whole(path: str | Path, data: bytes | memoryview) -> None:
    """Write a file, whole or not at all; one that is replaced hands on its permissions, a link its target.

    Raises:
        InputError: the file cannot be written; what was there before is unchanged.
    """
    try:
        _replace(Path(path).resolve(), data)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written: {error.strerror or error}; nothing was changed, choose another place"
        ) from error


def _replace(target: Path, data: bytes | memoryview) -> None:
    """Let `target` hold the data, or stay as it is."""
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    temporary = target.with_name(f".{target.name[:60]}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def array_bytes(array: NDArray[np.floating]) -> bytes:
    """The array as NPY, float32, little-endian."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(array, "<f4"), (1, 0), allow_pickle=False)
    return buffer.getvalue()


def array_from(data: bytes, where: str) -> NDArray[np.float32]:
    """The read-only float32 array that NPY bytes hold, of any shape, all finite.

    Raises:
        InputError: not NPY, another type, a shape that its bytes do not fill, NaN or infinity; `where` leads the line.
    """
    start = 10 + int.from_bytes(data[8:10], "little")
    try:
        if data[:8] != b"\x93NUMPY\x01\x00":
            raise ValueError("no NPY 1.0 header")
        header = ast.literal_eval(data[10:start].decode("latin-1").strip())
        kind, columns_first, shape = (header[key] for key in ("descr", "fortran_order", "shape"))
        size = math.prod(operator.index(side) for side in shape) * 4
    except (ValueError, KeyError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise InputError(f"{where}: damaged NPY ({_line(error)}); a float32 array belongs there") from error
    if kind != "<f4" or columns_first is not False:
        raise InputError(f"{where}: holds {str(kind)[:20]!r} values; a float32 array in row order belongs there")
    if size != len(data) - start or any(side < 0 for side in shape):
        raise InputError(f"{where}: {len(data) - start} bytes of values, {size} expected; the file is cut or damaged")
    array = np.frombuffer(data, "<f4", offset=start).reshape(shape).astype(np.float32, copy=False)
    if not np.isfinite(array).all():
        raise InputError(f"{where}: holds NaN or infinity; all values must be finite")
    return array


def _line(error: BaseException) -> str:
    """An error's text on one line."""
    return " ".join(str(error).split())[:120] or type(error).__name__
