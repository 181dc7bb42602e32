"""One picture file, of any format that Pillow reads, as C x size x size bytes.

* The camera's EXIF orientation is applied first.
* What is transparent lies on black: v = alpha times colour.
* Sixteen-bit grey is brought to 256 levels, v / 257; 32-bit floats must lie in [0, 1] and are multiplied by 255.
  Sixteen-bit colour comes from Pillow with eight bits. For more than 256 levels, give an array.
* Of a film its first picture is taken.
* Then `trainer.images.fitting` makes it grey or coloured, square, and as large as is wanted.

A file is an attacker's until it is decoded: more than 50 million pixels are refused by the header, before anything is
unpacked, and PostScript is not opened, because Pillow would have another program run it. Whatever is wrong with a file
raises `Unreadable` with the reason; the reader of the folder counts it and goes on.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from trainer.images.fitting import Colour, resized_plane

MOST_PIXELS = 50_000_000

_GREY_MODES = ("1", "L", "LA", "La")


class Unreadable(ValueError):  # noqa: N818 - it names what the file is
    """A file that is no picture, or a damaged one; the message is the reason."""


@dataclass(frozen=True)
class Header:
    """What a picture's header says: the side of the square in its middle, in pixels, and whether it has colours."""

    side: int
    coloured: bool


def read_header(file: Path | IO[bytes]) -> Header:
    """The header alone, nothing decoded; `Unreadable` if there is none."""
    with _opened(file) as picture:
        deep = picture.mode.startswith(("I", "F"))
        return Header(min(picture.size), not deep and picture.mode not in _GREY_MODES)


def read_picture(file: Path | IO[bytes], size: int, colour: Colour) -> NDArray[np.uint8]:
    """The picture, uint8 with shape (1, size, size) or (3, size, size); `Unreadable` says why it cannot be read."""
    from PIL import Image, ImageOps

    with _opened(file) as picture:
        upright = ImageOps.exif_transpose(picture)
        if upright.mode.startswith(("I", "F")):
            grey = Image.fromarray(_deep(upright))
            plane = resized_plane(grey, size, 256).astype(np.uint8)[None]
            return plane if colour == "grey" else np.repeat(plane, 3, axis=0)
        if upright.has_transparency_data:
            upright = upright.convert("RGBA")
            black = Image.new("RGBA", upright.size, (0, 0, 0, 255))
            upright = Image.alpha_composite(black, upright)
        values = resized_plane(upright.convert("L" if colour == "grey" else "RGB"), size, 256)
        return values[None] if colour == "grey" else np.ascontiguousarray(values.transpose(2, 0, 1))


def _deep(picture: Any) -> NDArray[np.float32]:  # noqa: ANN401 - a Pillow picture
    """A picture of 16-bit whole numbers or of floats as floats 0 .. 255, with shape (height, width)."""
    values = np.asarray(picture, np.float32)
    most, factor = (1.0, 255.0) if picture.mode.startswith("F") else (65535.0, 1 / 257)
    if not (values.min() >= 0 and values.max() <= most):
        raise Unreadable(f"values outside 0 .. {most:g}")
    return values * np.float32(factor)


@contextmanager
def _opened(file: Path | IO[bytes]) -> Iterator[Any]:
    """A Pillow picture whose header is read; every fault of the file, also in the caller's block, is `Unreadable`."""
    from PIL import Image, UnidentifiedImageError

    too_large = f"more than {MOST_PIXELS // 10**6} million pixels"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large and of odd files, which are refused or read here
            with Image.open(file, formats=_formats()) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise Unreadable(too_large)
                yield picture
    except Unreadable:
        raise
    except Image.DecompressionBombError:
        raise Unreadable(too_large) from None
    except UnidentifiedImageError:
        raise Unreadable("not a picture that can be read") from None
    except Exception as error:  # Pillow's readers raise what their formats' oddities make of them
        reason = " ".join((getattr(error, "strerror", None) or str(error)).split())[:120]
        raise Unreadable(f"damaged or closed to reading ({reason or type(error).__name__})") from None


@cache
def _formats() -> tuple[str, ...]:
    """All formats that Pillow opens by itself."""
    from PIL import Image

    Image.init()
    return tuple(sorted(name for name in Image.OPEN if name != "EPS"))


@cache
def picture_suffixes() -> frozenset[str]:
    """The file name endings, with their dot, that pictures have."""
    from PIL import Image

    Image.init()
    return frozenset(Image.registered_extensions())
