"""safetensors files, read with suspicion and written to the disk for good.

A file is 8 bytes with the header's length, a JSON header {name: {dtype, shape, data_offsets}}, and the numbers. Reading
believes none of it before it is checked: the file's size, the header's length, its JSON, that each shape accounts for
its bytes and that together they account for the file. Only then is memory taken, for names, shapes and types that the
caller has asked for, and every number must be finite.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from trainer.errors import InputError

_LARGEST_HEADER = 2 << 20
_MOST_TENSORS, _MOST_SIDES = 5000, 8
_MOST_PARTS = 4 * _MOST_TENSORS
"""Objects and lists in a JSON text; a hundred thousand empty ones cost little to send and seconds to make."""
_TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
_COPY = "use another copy"


@dataclass(frozen=True)
class Entry:
    """Where a tensor lies in a file: its type and shape, and its first byte and the one after its last."""

    dtype: torch.dtype
    shape: tuple[int, ...]
    first: int
    end: int


def open_regular(path: Path, root: Path, limit: int) -> BinaryIO:
    """Open a file that must be a plain one, inside the folder `root`, of at most `limit` bytes.

    Raises:
        InputError: it is missing, something else, leads out of the folder, or is too large.
    """
    try:
        resolved = path.resolve(strict=True)
        if not resolved.is_relative_to(root.resolve()):
            raise InputError(f"{path}: is a link that leads out of the folder; copy the file itself into it")
        status = resolved.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path}: is not a file; {_COPY} of the folder")
        if status.st_size > limit:
            raise InputError(f"{path}: {status.st_size:,} bytes are too many; at most {limit:,} are read")
        return resolved.open("rb", buffering=0)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read: {reason}; {_COPY} of the folder") from error


def read_json(path: Path, root: Path, limit: int = 1 << 19) -> tuple[dict[str, Any], str]:
    """The object that a JSON file inside `root` holds, and the SHA-256 of its bytes.

    Raises:
        InputError: as `open_regular`, or it is not one JSON object of finite numbers.
    """
    with open_regular(path, root, limit) as file:
        data = _exactly(file, os.fstat(file.fileno()).st_size, path)
    try:
        values = _parsed(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is not JSON ({str(error)[:100]}); {_COPY}") from error
    if not isinstance(values, dict):
        raise InputError(f"{path}: holds no object of named fields; {_COPY}")
    return values, hashlib.sha256(data).hexdigest()


def read_header(file: BinaryIO, path: Path) -> dict[str, Entry]:
    """The checked header of an open safetensors file, in the order of the bytes.

    Raises:
        InputError: it is damaged; `path` leads the line.
    """
    size = os.fstat(file.fileno()).st_size
    if size < 8:
        raise InputError(f"{path}: {size} bytes are too few for a safetensors file; {_COPY}")
    file.seek(0)
    length = int.from_bytes(_exactly(file, 8, path), "little")
    if length > min(_LARGEST_HEADER, size - 8):
        raise InputError(f"{path}: is no safetensors file: its header would be longer than it is; {_COPY}")
    try:
        values = _parsed(_exactly(file, length, path))
        if not isinstance(values, dict):
            raise ValueError("no object")
        values.pop("__metadata__", None)
        if len(values) > _MOST_TENSORS:
            raise ValueError(f"{len(values):,} arrays")
        entries = {name: _entry(name, value) for name, value in values.items()}
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: its header is damaged ({str(error)[:120]}); {_COPY}") from error
    entries = dict(sorted(entries.items(), key=lambda item: (item[1].first, item[1].end)))
    end = 0
    for name, entry in entries.items():
        if entry.first != end:
            raise InputError(f"{path}: {_shown(name)} does not begin where the array before it ends; {_COPY}")
        end = entry.end
    if end != size - 8 - length:
        raise InputError(f"{path}: {size - 8 - length:,} bytes of numbers, {end:,} expected; {_COPY}")
    start = 8 + length
    return {name: Entry(e.dtype, e.shape, start + e.first, start + e.end) for name, e in entries.items()}


def read_tensors(file: BinaryIO, path: Path, entries: Mapping[str, Entry]) -> tuple[dict[str, Tensor], str]:
    """The tensors of a checked header as float32, all finite, and the SHA-256 of the whole file.

    They lie in memory as in the file: where an array begins, in multiples of 64 bytes, decides in which order some
    processors add, and diffusers, which maps the file into memory, is to be matched to the last bit.

    Raises:
        InputError: it ends early, or holds NaN or infinity.
    """
    size = max((entry.end for entry in entries.values()), default=0)
    data = torch.empty(size, dtype=torch.uint8)
    view = data.numpy().data
    file.seek(0)
    _fill(file, view, path)
    tensors = {}
    for name, entry in entries.items():
        part = data[entry.first : entry.end]
        if entry.first % entry.dtype.itemsize:
            part = part.clone()
        tensor = part.view(entry.dtype).reshape(entry.shape).float()
        if not bool(torch.isfinite(tensor).all()):
            raise InputError(f"{path}: {_shown(name)} holds NaN or infinity; {_COPY}")
        tensors[name] = tensor
    return tensors, hashlib.sha256(view).hexdigest()


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> str:
    """Write float32 tensors as a safetensors file, flushed to the disk, and return its SHA-256.

    Raises:
        OSError: it cannot be written.
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    first = 0
    for name, tensor in tensors.items():
        end = first + tensor.numel() * 4
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [first, end]}
        first = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    hashed = hashlib.sha256()
    with path.open("wb") as file:
        for part in (len(text).to_bytes(8, "little"), text):
            file.write(part)
            hashed.update(part)
        for tensor in tensors.values():
            numbers = tensor.detach().to("cpu", torch.float32).contiguous().reshape(-1).numpy().data.cast("B")
            file.write(numbers)
            hashed.update(numbers)
        _flush(file)
    return hashed.hexdigest()


def write_text(path: Path, text: str) -> str:
    """Write a small file, flushed to the disk, and return its SHA-256.

    Raises:
        OSError: it cannot be written.
    """
    data = text.encode()
    with path.open("wb") as file:
        file.write(data)
        _flush(file)
    return hashlib.sha256(data).hexdigest()


def _flush(file: Any) -> None:  # noqa: ANN401 - a buffered writer
    file.flush()
    os.fsync(file.fileno())


def _entry(name: str, value: object) -> Entry:
    """One entry of the header; ValueError says what is wrong with it."""
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{_shown(name)} has no dtype, shape and data_offsets")
    kind, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(kind, str) or kind not in _TYPES:
        raise ValueError(f"{_shown(name)} is of the type {_shown(kind)}, not one of {', '.join(_TYPES)}")
    if not _counts(shape) or len(shape) > _MOST_SIDES or not _counts(offsets) or len(offsets) != 2:
        raise ValueError(f"{_shown(name)} has a shape or offsets that are no whole numbers")
    dtype = _TYPES[kind]
    if offsets[1] - offsets[0] != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{_shown(name)} has bytes that its shape does not account for")
    return Entry(dtype, tuple(shape), offsets[0], offsets[1])


def _counts(values: object) -> bool:
    return isinstance(values, list) and all(type(v) is int and 0 <= v < 1 << 48 for v in values)


def _exactly(file: BinaryIO, count: int, path: Path) -> bytes:
    data = bytearray(count)
    _fill(file, memoryview(data), path)
    return bytes(data)


def _fill(file: BinaryIO, view: memoryview, path: Path) -> None:
    done = 0
    while done < len(view):
        try:
            got = file.readinto(view[done:])  # type: ignore[attr-defined]
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror or error}; {_COPY}") from error
        if not got:
            raise InputError(f"{path}: ends early; {_COPY}")
        done += got


def _parsed(data: bytes) -> Any:  # noqa: ANN401 - any JSON value
    if data.count(b"[") + data.count(b"{") > _MOST_PARTS:
        raise ValueError("more objects and lists than any such file has")
    return json.loads(data, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no finite number")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
