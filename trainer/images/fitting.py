"""How a picture of any shape becomes one of the shape that is wanted: colour, then a square, then its size.

1. **Colour.** Grey is the luma of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B of the values as stored; red, green and
   blue from grey are three copies.
2. **Square.** The largest square in the middle; of an odd rest, one pixel more is cut at the right and at the bottom.
3. **Size.** Pillow's bicubic resampling, whose kernel widens with the reduction, so that nothing aliases: what Parmar,
   Zhang & Zhu (2022, "On Aliased Resizing and Surprising Subtleties in GAN Evaluation") find to be right. Smaller
   pictures are enlarged by the same kernel.

`chosen` says which pictures a limit keeps, and `check_room` how much memory may be taken.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from trainer.errors import InputError
from trainer.images.pictures import MOST_SIDE, Values

Colour = Literal["grey", "rgb"]

MOST_BYTES = 4 << 30
"""What the pictures of a source may take in memory."""

_LUMA = (19595, 38470, 7471)  # of 65536, as Pillow rounds the coefficients


def check_wishes(size: int | None, colour: str | None, limit: int | None) -> None:
    """`InputError` unless size is 1 to 1024 pixels, colour "grey" or "rgb", limit at least 1, or each of them None."""
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= MOST_SIDE):
        raise InputError(f"size: {size!r}; give a whole number of pixels between 1 and {MOST_SIDE}")
    if colour not in (None, "grey", "rgb"):
        raise InputError(f'colour: {colour!r} is unknown; choose "grey" or "rgb"')
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise InputError(f"limit: {limit!r}; give a whole number of pictures, at least 1")


def check_room(where: str, count: int, shape: tuple[int, ...], itemsize: int) -> None:
    """`InputError` if so many pictures of this shape need more than `MOST_BYTES`; `where` leads its line."""
    needed = count * math.prod(shape) * itemsize
    if needed > MOST_BYTES:
        sides = " x ".join(map(str, shape))
        raise InputError(
            f"{where}: {count:,} pictures of {sides} take {needed / 2**30:,.1f} GB, at most {MOST_BYTES / 2**30:g} GB "
            "are allowed; give --limit or a smaller --size"
        )


def chosen(count: int, limit: int | None) -> NDArray[np.int64]:
    """The places of `limit` out of `count` pictures, evenly spaced, so that a sorted source keeps all its labels."""
    kept = count if limit is None else min(limit, count)
    return np.arange(kept, dtype=np.int64) * count // max(kept, 1)


def coloured(values: Values, colour: Colour | None) -> Values:
    """Values (N, C, H, W) as grey, C = 1, or as red, green and blue, C = 3; None leaves them."""
    channels = values.shape[1]
    if colour == "rgb" and channels == 1:
        return np.repeat(values, 3, axis=1)
    if colour == "grey" and channels == 3:
        grey = np.empty((len(values), 1, *values.shape[2:]), values.dtype)
        for source, target in zip(values, grey, strict=True):
            weighted = sum(weight * plane.astype(np.uint64) for weight, plane in zip(_LUMA, source, strict=True))
            target[0] = (weighted + 32768) >> 16
        return grey
    return values


def resized(values: Values, size: int | None, levels: int) -> Values:
    """Values (N, C, H, W) as squares in the middle, (N, C, size, size); None leaves them."""
    height, width = values.shape[2:]
    if size is None or (height, width) == (size, size):
        return values
    from PIL import Image  # which a program that starts does without

    squares = np.empty((*values.shape[:2], size, size), values.dtype)
    for picture, square in zip(values, squares, strict=True):
        for plane, target in zip(picture, square, strict=True):
            target[:] = resized_plane(Image.fromarray(_plane(plane)), size, levels)
    return squares


def _plane(plane: NDArray[Any]) -> NDArray[Any]:
    """A plane as Pillow resamples it: bytes as they are, 16 bits as floats, which it would not resample otherwise."""
    return np.ascontiguousarray(plane if plane.dtype == np.uint8 else plane.astype(np.float32))


def resized_plane(picture: Any, size: int, levels: int) -> NDArray[Any]:  # noqa: ANN401 - a Pillow picture
    """The middle square of a Pillow picture of mode L, RGB or F at the size, whole numbers (size, size[, 3])."""
    from PIL import Image

    square = middle_square(picture)
    if square.size != (size, size):
        square = square.resize((size, size), Image.Resampling.BICUBIC)
    values = np.asarray(square)
    if values.dtype == np.uint8:
        return np.minimum(values, levels - 1)
    return np.clip(np.rint(values), 0, levels - 1).astype(np.uint16)


def middle_square(picture: Any) -> Any:  # noqa: ANN401 - a Pillow picture
    """The largest square in the middle of a Pillow picture."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture if picture.width == picture.height else picture.crop((left, top, left + side, top + side))
