"""GIF as a stream: one global palette, only what changed, and delays that add up.

A GIF holds at most 256 colours and counts its delays in hundredths of a second. The palette is fixed before the first
picture (the theme's inks and their blends are known), so pictures are written as they come and nothing is held in
memory. Each picture stores the rectangle that changed, with the pixels in it that did not change transparent; a picture
that equals the one before only lengthens it. At 30 pictures a second the delays go 3, 4, 3, 3, 4, 3, ...: picture k
starts at round(100 k / fps), so that a film of 20 seconds lasts 20 seconds. Pillow does the LZW compression.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

GIF_MAX_FPS = 50
"""Viewers slow down anything shorter than two hundredths of a second."""

_TRANSPARENT = 255
_MAX_DELAY = 65_535


def blended_palette(
    grounds: NDArray[np.uint8], papers: Sequence[tuple[int, int, int]], inks: Sequence[tuple[int, int, int]]
) -> NDArray[np.uint8]:
    """At most 255 colours (n, 3) for pictures that are drawn with `inks` on `papers` and on a density's map.

    Antialiased edges are blends of an ink with what lies under it, so each ink brings a ramp towards the first paper
    and shorter ones towards the middle and the upper end of the map `grounds` (256, 3); the map itself takes the rest.
    """
    paper = np.array(papers[0], dtype=float)
    colours = [*map(tuple, papers), *inks]
    ends = [(paper, 8), (grounds[128].astype(float), 4), (grounds[255].astype(float), 4)]
    for ink in inks:
        for under, steps in ends:
            for k in range(1, steps):
                blend = under + (np.array(ink, dtype=float) - under) * k / steps
                colours.append(tuple(int(c) for c in blend.round()))
    colours = list(dict.fromkeys(tuple(int(c) for c in colour) for colour in colours))[: _TRANSPARENT - 32]
    places = np.linspace(0, 255, _TRANSPARENT - len(colours)).round().astype(int)
    colours += [tuple(int(c) for c in colour) for colour in grounds[places]]
    return np.array(list(dict.fromkeys(colours)), dtype=np.uint8)


class GifStream:
    """Writes pictures (height, width, 3) to an open file; `finish` writes the last one and the end."""

    def __init__(
        self, file: IO[bytes], size: tuple[int, int], fps: int, palette: NDArray[np.uint8], comment: str
    ) -> None:
        if len(palette) > _TRANSPARENT:
            raise ValueError(f"a palette holds at most {_TRANSPARENT} colours, got {len(palette)}")
        self._file = file
        self._shape = (size[1], size[0], 3)
        self._fps = fps
        self._palette = palette
        # Colour 0xRRGGBB -> its place in the palette; filled in as colours turn up, 255 where not yet known.
        self._places = np.full(1 << 24, _TRANSPARENT, dtype=np.uint8)
        self._count = 0
        self._begun = 0
        self._shown: NDArray[np.uint8] | None = None
        self._pending: NDArray[np.uint8] | None = None
        table = np.zeros((256, 3), dtype=np.uint8)
        table[: len(palette)] = palette
        file.write(b"GIF89a" + struct.pack("<HHBBB", size[0], size[1], 0xF7, 0, 0) + table.tobytes())
        file.write(b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", 0) + b"\0")
        if comment:
            text = comment.encode()
            blocks = [text[k : k + 255] for k in range(0, len(text), 255)]
            file.write(b"!\xfe" + b"".join(bytes([len(b)]) + b for b in blocks) + b"\0")

    def add(self, picture: NDArray[np.uint8]) -> None:
        """Append one picture (height, width, 3)."""
        if picture.shape != self._shape or picture.dtype != np.uint8:
            raise ValueError(f"expected uint8 {self._shape}, got {picture.dtype} {picture.shape}")
        indices = self._quantise(picture)
        if self._pending is None:
            self._pending = indices
        elif not np.array_equal(indices, self._pending) or self._delay() >= _MAX_DELAY - 100:
            self._write_pending()
            self._pending = indices
        self._count += 1

    def finish(self) -> None:
        """Write what is still waiting, and the trailer."""
        if self._pending is not None:
            self._write_pending()
        self._file.write(b";")

    def _delay(self) -> int:
        """Hundredths of a second from the start of the pending picture to the start of the next."""
        return round(100 * self._count / self._fps) - self._begun

    def _quantise(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        r, g, b = (picture[..., c].astype(np.int32) for c in range(3))
        packed = (r << 16) | (g << 8) | b
        indices = self._places[packed]
        unknown = np.unique(packed[indices == _TRANSPARENT])
        if len(unknown):
            colours = np.stack([unknown >> 16, (unknown >> 8) & 255, unknown & 255], axis=1).astype(np.float32)
            palette = self._palette.astype(np.float32)
            # |c - p|^2 up to |c|^2, in slices that stay in the cache; the eye weighs green most and blue least.
            weights = np.sqrt(np.array([0.30, 0.59, 0.11], dtype=np.float32))
            colours, palette = colours * weights, palette * weights
            for k in range(0, len(colours), 4096):
                distance = (palette**2).sum(1) - 2 * colours[k : k + 4096] @ palette.T
                self._places[unknown[k : k + 4096]] = distance.argmin(1)
            indices = self._places[packed]
        return indices

    def _write_pending(self) -> None:
        assert self._pending is not None
        image, left, top = self._pending, 0, 0
        if self._shown is not None:
            changed = self._pending != self._shown
            rows, cols = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
            # A picture that waited too long to be merged may equal the one before: one transparent pixel then.
            top, bottom = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 1)
            left, right = (int(cols[0]), int(cols[-1]) + 1) if len(cols) else (0, 1)
            box = slice(top, bottom), slice(left, right)
            image = np.where(changed[box], self._pending[box], _TRANSPARENT).astype(np.uint8)
        delay = self._delay()
        # Graphic control: keep what is drawn (disposal 1), index 255 transparent.
        self._file.write(b"!\xf9\x04" + struct.pack("<BHB", 0x05, delay, _TRANSPARENT) + b"\0")
        parts = GifImagePlugin.getdata(Image.fromarray(image), (left, top))
        self._file.write(b"".join(parts))
        self._shown = self._pending
        self._begun += delay
