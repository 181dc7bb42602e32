"""A frame as bytes: a JSON table of contents, then the arrays, each aligned to 16 bytes.

The table holds the plain fields and the shape of every array. Nothing is pickled, and `unpack` copies, so that the
buffer may be overwritten as soon as it returns.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import numpy as np

from explorer.engine.messages import Frame, Modes

_ALIGN = 16
_LENGTH = 4


class FrameTooLarge(ValueError):  # noqa: N818 - it names what happened
    """The frame does not fit into the buffer."""


def pack(frame: Frame, buffer: memoryview) -> int:
    """Write the frame into `buffer` and return how many bytes it took.

    Raises:
        FrameTooLarge: when the buffer is too small; nothing usable has been written then.
    """
    values: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    for name, value in _items(frame):
        if isinstance(value, np.ndarray):
            arrays[name] = np.ascontiguousarray(value, dtype=np.float32)
        else:
            values[name] = value
    shapes = {name: array.shape for name, array in arrays.items()}
    head = json.dumps({"values": values, "arrays": shapes}, separators=(",", ":")).encode()
    offset = _aligned(_LENGTH + len(head))
    total = offset + sum(_aligned(array.nbytes) for array in arrays.values())
    if total > len(buffer):
        raise FrameTooLarge(f"a frame of {total:,} bytes does not fit into {len(buffer):,}")
    buffer[:_LENGTH] = len(head).to_bytes(_LENGTH, "little")
    buffer[_LENGTH : _LENGTH + len(head)] = head
    for array in arrays.values():
        np.frombuffer(buffer, np.float32, array.size, offset)[:] = array.ravel()
        offset += _aligned(array.nbytes)
    return total


def unpack(buffer: memoryview | bytes) -> Frame:
    """The frame that `pack` wrote, with arrays of its own."""
    length = int.from_bytes(bytes(buffer[:_LENGTH]), "little")
    head = json.loads(bytes(buffer[_LENGTH : _LENGTH + length]))
    offset = _aligned(_LENGTH + length)
    values: dict[str, Any] = head["values"]
    modes: dict[str, np.ndarray] = {}
    for name, shape in head["arrays"].items():
        size = int(np.prod(shape, dtype=np.int64))
        array = np.frombuffer(buffer, np.float32, size, offset).reshape(shape).copy()
        offset += _aligned(array.nbytes)
        if name.startswith("modes."):
            modes[name.removeprefix("modes.")] = array
        else:
            values[name] = array
    values["centre"] = tuple(values["centre"])
    return Frame(**values, modes=Modes(**modes) if modes else None)


def _items(frame: Frame) -> list[tuple[str, Any]]:
    """The frame's fields, with those of its ledger spelled out."""
    items = [(f.name, getattr(frame, f.name)) for f in fields(frame) if f.name != "modes"]
    if frame.modes is not None:
        items += [(f"modes.{f.name}", getattr(frame.modes, f.name)) for f in fields(frame.modes)]
    return items


def _aligned(size: int) -> int:
    return -(-size // _ALIGN) * _ALIGN
