"""A frame as bytes: a JSON table of contents, then the arrays, each aligned to 16 bytes.

The table holds the plain fields as they nest, and in an array's place its number and shape. Which class a nested part
has follows from the field that holds it. Nothing is pickled. The arrays of an unpacked frame are parts of the bytes in
which it came, and cannot be written to.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

from explorer.engine.frames import Array

_ALIGN = 16
_LENGTH = 4
_SHAPE = "shape"

F = TypeVar("F")
"""What one process publishes: a dataclass of plain values, arrays and parts that are dataclasses."""


class FrameTooLarge(ValueError):  # noqa: N818 - it names what happened
    """The frame does not fit into the buffer."""


def pack(frame: object, buffer: memoryview) -> int:
    """Write the frame into `buffer` and return how many bytes it took.

    Raises:
        FrameTooLarge: when the buffer is too small; nothing usable has been written then.
    """
    arrays: list[Array] = []
    head = json.dumps(_flat(frame, arrays), separators=(",", ":")).encode()
    offset = _aligned(_LENGTH + len(head))
    total = offset + sum(_aligned(array.nbytes) for array in arrays)
    if total > len(buffer):
        raise FrameTooLarge(f"a frame of {total:,} bytes does not fit into {len(buffer):,}")
    buffer[:_LENGTH] = len(head).to_bytes(_LENGTH, "little")
    buffer[_LENGTH : _LENGTH + len(head)] = head
    for array in arrays:
        np.frombuffer(buffer, np.float32, array.size, offset)[:] = array.ravel()
        offset += _aligned(array.nbytes)
    return total


def unpack(data: bytes, kind: type[F]) -> F:
    """The frame of this kind that `pack` wrote."""
    length = int.from_bytes(data[:_LENGTH], "little")
    head = json.loads(data[_LENGTH : _LENGTH + length])
    reader = _Reader(data, _aligned(_LENGTH + length))
    frame: F = reader.part(kind, head)
    return frame


def _flat(value: Any, arrays: list[Array]) -> Any:  # noqa: ANN401 - what a frame's fields hold
    """The value with its arrays moved to the list, in the order of the fields."""
    if isinstance(value, np.ndarray):
        arrays.append(np.ascontiguousarray(value, dtype=np.float32))
        return {_SHAPE: value.shape}
    if is_dataclass(value):
        return {f.name: _flat(getattr(value, f.name), arrays) for f in fields(value)}
    if isinstance(value, tuple):
        return [_flat(each, arrays) for each in value]
    return value


class _Reader:
    """Takes the arrays in the order in which they were packed."""

    def __init__(self, data: bytes, offset: int) -> None:
        self._data = data
        self._offset = offset

    def part(self, cls: type, values: dict[str, Any]) -> Any:  # noqa: ANN401 - an instance of cls
        kinds = _kinds(cls)
        return cls(**{name: self._value(kinds[name], value) for name, value in values.items()})

    def _value(self, kind: Any, value: Any) -> Any:  # noqa: ANN401 - what a frame's fields hold
        if isinstance(value, list):
            return tuple(self._value(get_args(kind)[0], each) for each in value)
        if not isinstance(value, dict):
            return value
        if is_dataclass(kind):
            return self.part(kind, value)  # type: ignore[arg-type]  # a class: hints hold no instances
        array: Array = np.ndarray(value[_SHAPE], np.float32, self._data, self._offset)
        self._offset += _aligned(array.nbytes)
        return array


@cache
def _kinds(cls: type) -> dict[str, Any]:
    """The types of a part's fields; that of an optional part is the part's."""

    def bare(kind: Any) -> Any:  # noqa: ANN401 - a type
        return next(k for k in get_args(kind) if k is not type(None)) if get_origin(kind) is UnionType else kind

    return {name: bare(kind) for name, kind in get_type_hints(cls).items()}


def _aligned(size: int) -> int:
    return -(-size // _ALIGN) * _ALIGN
