"""A painting as a file that other programs read, and back.

| kind | holds |
|---|---|
| .png | 16-bit grey: luminance is mass, white the largest weight, the top row of the picture up (y = 1) |
| .csv | the weights, one row of cells a line, the first line at the bottom (y = -1); nine figures, every bit kept |
| .npy | the weights, float32 (n, n), row 0 at the bottom |

A .csv or .npy comes back bit by bit, a picture within 1/65535 of its largest weight, which becomes 1.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trainer.archives import write_whole
from trainer.errors import InputError
from trainer.paintings import fit_square, read_weights

Weights = NDArray[np.float32]

SUFFIXES = (".png", ".csv", ".npy")
"""What a painting can be exported as."""

TABLES = (".csv", ".npy")


def export_painting(path: str | Path, weights: Weights) -> None:
    """Write a painting (n, n), row 0 at the bottom, as the file's name says; whole or not at all.

    Raises:
        InputError: another kind of file, an empty painting as a picture, or a file that cannot be written.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise InputError(f"{path}: cannot tell what to write; give a name that ends in {', '.join(SUFFIXES)}")
    buffer = io.BytesIO()
    if kind == ".png":
        top = float(weights.max())
        if top <= 0:
            raise InputError(f"{path}: nothing is painted; a picture of it would be black and could not be read again")
        grey = np.round(weights[::-1].astype(np.float64) / top * 65535).astype(np.uint16)
        Image.fromarray(grey).save(buffer, "PNG")
    elif kind == ".csv":
        np.savetxt(buffer, weights, fmt="%.9g", delimiter=",")
    else:
        np.lib.format.write_array(buffer, np.ascontiguousarray(weights, np.float32), allow_pickle=False)
    write_whole(path, buffer.getvalue())


def import_painting(
    path: str | Path, size: int | None = None, as_: str | None = None, *, invert: bool = False
) -> tuple[Weights, str]:
    """A painting (size, size) in [0, 1], row 0 at the bottom, and its name, from a picture or a table.

    Weights of a table that are 1 at most keep their values; everything else is scaled to a largest weight of 1. Without
    a size, a square table of 32 to 256 rows keeps its own; everything else gets 128 cells a side.

    Raises:
        AmbiguousTable: a table of two columns, unless `as_` says "points" or "weights".
        InputError: a file that cannot be read; one line that names it.
    """
    weights, name = read_weights(path, as_, size or 128, invert=invert)
    rows, cols = weights.shape
    goal = size or (rows if rows == cols and 32 <= rows <= 256 else 128)
    if weights.shape != (goal, goal):
        area = (goal / max(rows, cols)) ** 2  # keeps weights per area: a finer grid must not look fainter
        weights = fit_square(np.asarray(weights, np.float64), goal) * area
    table = Path(path).suffix.lower() in TABLES and as_ != "points"
    top = float(weights.max())
    if not table or top > 1:
        weights = weights / top
    return weights.astype(np.float32), name


def likely_points(path: str | Path) -> bool | None:
    """Whether a table holds points: None if it can be either, False for pictures and for tables that cannot."""
    from trainer.errors import AmbiguousTable

    if Path(path).suffix.lower() not in TABLES:
        return False
    try:
        read_weights(path)
    except AmbiguousTable:
        return None
    return False
