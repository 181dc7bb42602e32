"""Pictures as they come out of noise, as frames of a film: a sheet of them on a quiet ground, and one line below.

Time runs evenly in the sampler's steps. The film stands still on pure noise for half a second and on the clean
pictures for one, so that both can be seen. Neither Qt nor torch: an export needs no display.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from explorer.export.encode import Picture, check_format, open_film
from explorer.numbers import three
from trainer.assets import assets
from trainer.settings import number

FIRST, LAST = 0.5, 1.0
"""Seconds for which the noise and the clean pictures stand still."""
SHORTEST, LONGEST = 0.5, 120.0
"""Seconds of the way itself."""
_MARGIN, _LINE = 24, 18
_GAP = 4
_GREYS, _LEVELS = 200, 6
"""In the palette of a GIF: greys, or levels of red, green and blue; what is left of 255 belongs to the caption."""


@dataclass(frozen=True)
class Ground:
    """Colours of a film: the ground and the ink, RGB."""

    ground: tuple[int, int, int] = (0xF6, 0xF5, 0xF1)
    ink: tuple[int, int, int] = (0x5C, 0x5C, 0x62)


LIGHT, DARK = Ground(), Ground((0x16, 0x17, 0x1A), (0xA3, 0xA5, 0xAD))


def sheet(pictures: NDArray[np.float32], size: tuple[int, int], caption: str = "", ground: Ground = LIGHT) -> Picture:
    """Pictures (N, C, H, W) in [-1, 1] as one frame of `size` (width, height), with a line below.

    Every pixel becomes a square of a whole number of pixels; pictures that are too many for that are scaled down.
    """
    width, height = size
    made = Image.new("RGB", size, ground.ground)
    count, _, rows_each, columns_each = pictures.shape
    room = max(1, width - 2 * _MARGIN), max(1, height - 2 * _MARGIN - 2 * _LINE)
    columns = max(range(1, count + 1), key=lambda n: _factor(n, count, room, rows_each, columns_each))
    values = np.clip((pictures + 1) * 127.5 + 0.5, 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
    factor = _factor(columns, count, room, rows_each, columns_each)
    whole = max(1, math.floor(factor))
    gap = _GAP if whole * columns_each >= 24 else 1
    rows = -(-count // columns)
    block = np.empty(
        (rows * (rows_each * whole + gap) - gap, columns * (columns_each * whole + gap) - gap, 3), np.uint8
    )
    block[:] = ground.ground
    for k, picture in enumerate(values):
        top, left = k // columns * (rows_each * whole + gap), k % columns * (columns_each * whole + gap)
        large = picture.repeat(whole, 0).repeat(whole, 1)
        block[top : top + large.shape[0], left : left + large.shape[1]] = large
    image = Image.fromarray(block)
    scale = min(1.0, room[0] / image.width, room[1] / image.height)
    if scale < 1:
        image = image.resize((max(1, int(image.width * scale)), max(1, int(image.height * scale))))
    made.paste(image, ((width - image.width) // 2, _MARGIN + (room[1] - image.height) // 2))
    if caption:
        draw = ImageDraw.Draw(made)
        draw.text((_MARGIN, height - _MARGIN), caption, fill=ground.ink, font=_type(), anchor="ls")
    return np.asarray(made)


def caption(name: str, sigma: float, step: int, steps: int, seed: int) -> str:
    """The line below: what moves the pictures, where it is, and from which seed."""
    level = f"σ {three(sigma)}" if sigma else "clean"
    return f"{name}  ·  seed {seed}  ·  step {step:,} of {steps:,}  ·  {level}"


def film(
    path: Path,
    steps: Sequence[int],
    at: Callable[[int], NDArray[np.float32]],
    words: Callable[[int], str],
    *,
    size: tuple[int, int] = (1280, 720),
    fps: int = 30,
    seconds: float = 8.0,
    ground: Ground = LIGHT,
) -> Generator[float, None, int]:
    """Write a film of pictures emerging, a frame each turn: yields the fraction that is written, returns the frames.

    Until it has returned there is no file; one that is closed before leaves nothing.

    Args:
        path: ends in .mp4 or .gif.
        steps: those that there are pictures of, rising.
        at: the pictures (N, C, H, W) of such a step.
        words: the line below them.
        size: width and height in pixels.
        fps: frames a second.
        seconds: of the way itself.
        ground: its colours.

    Raises:
        InputError: a size, frame rate or length that makes no film, or a file that cannot be written.
        ExportError: writing failed half-way; nothing of it is left.
    """
    number("seconds", seconds, SHORTEST, LONGEST)
    check_format(path.suffix.lower(), size, fps)
    frames = max(2, round(seconds * fps))
    played = list(_played(steps, frames, fps))
    count, total = 0, sum(copies for _, copies in played)
    palette = np.unique(np.concatenate((_colours(at(steps[0]).shape[1]), _shades(ground))), axis=0)
    with open_film(path, size, fps, palette=palette, comment="") as writer:
        for step, copies in played:
            picture = sheet(at(step), size, words(step), ground)
            for _ in range(copies):
                writer.add(picture)
                count += 1
                yield count / total
    return count


def _played(steps: Sequence[int], frames: int, fps: int) -> Iterator[tuple[int, int]]:
    """(step, for how many frames) in order: the step of each frame is the last there is, evenly in steps."""
    first, last = steps[0], steps[-1]
    wanted = np.linspace(first, last, frames)
    found = np.asarray(steps)[np.clip(np.searchsorted(steps, wanted, side="right") - 1, 0, None)]
    shown, copies = np.unique(found, return_counts=True)
    for step, times in zip(shown.tolist(), copies.tolist(), strict=True):
        still = (FIRST if step == first else 0.0) + (LAST if step == last else 0.0)
        yield step, times + round(still * fps)


def _colours(channels: int) -> NDArray[np.uint8]:
    """(n, 3) colours of the pictures in a GIF: greys, or a cube of colours."""
    if channels == 1:
        greys = np.linspace(0, 255, _GREYS).round().astype(np.uint8)
        return np.repeat(greys[:, None], 3, 1)
    levels = np.linspace(0, 255, _LEVELS).round().astype(np.uint8)
    return np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, 3)


def _shades(ground: Ground) -> NDArray[np.uint8]:
    """Colours between ground and ink, for the type."""
    part = np.linspace(0, 1, 39)[:, None]
    return (np.array(ground.ground) * (1 - part) + np.array(ground.ink) * part).round().astype(np.uint8)


def _factor(columns: int, count: int, room: tuple[int, int], height: int, width: int) -> float:
    """How much pictures can be enlarged in so many columns."""
    rows = -(-count // columns)
    return min((room[0] - _GAP * columns) / (columns * width), (room[1] - _GAP * rows) / (rows * height))


def _type() -> ImageFont.FreeTypeFont:
    """The bundled typeface."""
    return ImageFont.truetype(str(next(iter(sorted((assets() / "fonts").glob("*Regular.ttf"))))), _LINE - 3)
