"""Pictures as files: a grid of them as PNG, all of them as NPZ.

A grid is filled row by row, with a line of one pixel between pictures, and pictures smaller than a thumbnail are
enlarged by a whole factor, so that their pixels stay square and sharp.
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from trainer.archives import write_whole
from trainer.errors import InputError
from trainer.images.pictures import quantised

THUMBNAIL = 32
"""Pixels on a side that a picture has at least in a grid."""
LINE = 96
"""The grey of the lines between pictures, of 0 .. 255."""


def grid(pictures: Tensor | NDArray[Any], columns: int | None = None) -> NDArray[np.uint8]:
    """Pictures (N, C, H, W) in [-1, 1] side by side: (height, width) bytes if they are grey, else (height, width, 3).

    Args:
        pictures: on any device; values outside the interval are cut off.
        columns: None for as many as rows.

    Raises:
        InputError: no pictures, or no column.
    """
    values = np.asarray(pictures.detach().float().cpu() if isinstance(pictures, Tensor) else pictures, np.float32)
    if values.ndim != 4 or not len(values) or values.shape[1] not in (1, 3):
        raise InputError(f"pictures: shape {values.shape}; give (N, C, H, W), N >= 1, C = 1 or 3")
    columns = math.ceil(math.sqrt(len(values))) if columns is None else columns
    if columns < 1:
        raise InputError(f"columns: {columns}; give at least 1")
    factor = max(1, math.ceil(THUMBNAIL / max(values.shape[2:])))
    tiles = quantised(values, 256).transpose(0, 2, 3, 1).repeat(factor, 1).repeat(factor, 2)  # (N, H, W, C)
    count, height, width, channels = tiles.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    sheet = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, channels), LINE, np.uint8)
    for k, tile in enumerate(tiles):
        top, left = k // columns * (height + 1), k % columns * (width + 1)
        sheet[top : top + height, left : left + width] = tile
    return sheet[..., 0] if channels == 1 else sheet


def png_bytes(image: NDArray[np.uint8]) -> bytes:
    """An image (H, W) or (H, W, 3) as PNG."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def write_grid(path: str | Path, pictures: Tensor | NDArray[Any], columns: int | None = None) -> None:
    """Write `grid` as a PNG file, whole or not at all; `InputError` if it cannot be."""
    write_whole(path, png_bytes(grid(pictures, columns)))


def write_samples(path: str | Path, pictures: Tensor, levels: int) -> None:
    """Write pictures (N, C, H, W) in [-1, 1] as an .npz that `read_pictures` reads; whole or not at all.

    The file holds `pictures`, the whole numbers that the values stand for, and `levels`, how many of them there are.

    Raises:
        InputError: the file cannot be written.
    """
    buffer = io.BytesIO()
    values = quantised(pictures.detach().float().cpu().numpy(), levels)
    np.savez_compressed(buffer, pictures=values, levels=np.int64(levels))
    write_whole(path, buffer.getvalue())
