"""What tests of sources of pictures share: noise, small files, and the line with which one is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.errors import InputError
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


def idx(array: Bytes) -> bytes:
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def cifar(n: int, seed: int) -> bytes:
    return np.concatenate([noise(n, 1, seed=seed) % 10, noise(n, 3072, seed=seed)], axis=1).tobytes()
