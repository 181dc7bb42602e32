"""What both fields say at one point, with all that follows from it: the lines of the inspector.

From x, sigma, the two scores and the columns `INSPECTED` follow the difference |s_theta - s|, the same over |s|, the
angle between the two, and the denoised points x + sigma^2 s (Tweedie's formula). A hovered point may come with its
scores and log p alone: what it lacks is None. Plain numbers; no Qt.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from explorer.engine.frames import INSPECTED, Array
from explorer.numbers import three

_DIVERGENCES = INSPECTED.index("learned_divergence")


@dataclass(frozen=True)
class Reading:
    """All quantities at a point. Pairs are learned and true.

    Attributes:
        x, y: the point; sigma: the noise level.
        score_x, score_y, size: the scores and their lengths.
        gap, relative, angle: |s_theta - s|, that over |s| (None where |s| is 0), and the angle between them in degrees
            (None where one of them is 0).
        log_p: log p_sigma.
        denoised_x, denoised_y: x + sigma^2 s.
        divergence, curl: None where not known; the true curl is 0.
        expected: how many training points are expected in a cell; None where not known.
    """

    x: float
    y: float
    sigma: float
    score_x: tuple[float, float]
    score_y: tuple[float, float]
    size: tuple[float, float]
    gap: float
    relative: float | None
    angle: float | None
    log_p: float
    denoised_x: tuple[float, float]
    denoised_y: tuple[float, float]
    divergence: tuple[float, float] | None
    curl: tuple[float, float] | None
    expected: float | None


def read(values: Array, sigma: float) -> Reading | None:
    """A reading of a row of `Frame.pins`, (11,), or of `Frame.probe`, (7,) or (11,); None of an empty one."""
    if values.size < _DIVERGENCES:
        return None
    x, y, lx, ly, tx, ty, log_p, *more = (float(value) for value in values)
    learned, true, square = math.hypot(lx, ly), math.hypot(tx, ty), sigma * sigma
    gap = math.hypot(lx - tx, ly - ty)
    turn = math.degrees(math.atan2(abs(lx * ty - ly * tx), lx * tx + ly * ty))
    return Reading(
        x=x,
        y=y,
        sigma=sigma,
        score_x=(lx, tx),
        score_y=(ly, ty),
        size=(learned, true),
        gap=gap,
        relative=gap / true if true > 0 else None,
        angle=turn if learned > 0 and true > 0 else None,
        log_p=log_p,
        denoised_x=(x + square * lx, x + square * tx),
        denoised_y=(y + square * ly, y + square * ty),
        divergence=(more[0], more[1]) if more else None,
        curl=(more[2], 0.0) if more else None,
        expected=more[3] if more else None,
    )


@dataclass(frozen=True)
class Line:
    """One line: its words, the glossary entry that explains it, and its fields of `Reading`, paired or single."""

    words: str
    entry: str
    field: str
    unit: str = ""


PAIRED = (
    Line("score, x", "score", "score_x"),
    Line("score, y", "score", "score_y"),
    Line("length |s|", "score", "size"),
    Line("denoised, x", "denoised", "denoised_x"),
    Line("denoised, y", "denoised", "denoised_y"),
    Line("divergence", "divergence", "divergence"),
    Line("curl", "curl", "curl"),
)
"""Quantities that each field has."""

SINGLE = (
    Line("difference", "difference", "gap"),
    Line("relative", "difference", "relative"),
    Line("angle", "angle", "angle", "°"),
    Line("log p", "log_p", "log_p"),
    Line("expected points", "expected", "expected"),
)
"""Quantities of the two fields together, or of the truth."""

HEADER = (
    "point",
    "x",
    "y",
    "sigma",
    *(f"{whose}_{line.field}" for line in PAIRED for whose in ("learned", "true")),
    *(line.field for line in SINGLE),
)
"""The columns of a table of readings."""


def said(reading: Reading | None, line: Line) -> tuple[str, ...]:
    """The line's values as they are written, one or two; "-" for what is not known."""
    value = getattr(reading, line.field) if reading is not None else None
    values = value if isinstance(value, tuple) else (value,) * (2 if line in PAIRED else 1)
    return tuple("-" if each is None else three(each) + line.unit for each in values)


def row(name: str, reading: Reading) -> list[str]:
    """The reading as a row under `HEADER`, numbers in full precision; empty where not known."""
    numbers: list[float | None] = [reading.x, reading.y, reading.sigma]
    for line in PAIRED:
        numbers += getattr(reading, line.field) or (None, None)
    numbers += [getattr(reading, line.field) for line in SINGLE]
    return [name, *("" if number is None else f"{number:.7g}" for number in numbers)]


def as_text(readings: Iterable[tuple[str, Reading]]) -> str:
    """Readings as lines of text, a block a point."""
    blocks = []
    for name, reading in readings:
        place = f"{name}: x = {three(reading.x)}, y = {three(reading.y)}, sigma = {three(reading.sigma)}"
        pairs = [
            f"  {line.words:16}learned {learned:>10}   true {true:>10}"
            for line in PAIRED
            for learned, true in [said(reading, line)]
        ]
        singles = [f"  {line.words:16}{said(reading, line)[0]}" for line in SINGLE]
        blocks.append("\n".join([place, *pairs, *singles]))
    return "\n\n".join(blocks)
