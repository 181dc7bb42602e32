"""Where a chart's axes end and its labels stand: logarithmic ranges, decades, heights that keep their distance."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def axis_range(first: float, last: float) -> tuple[float, float]:
    """Decades from the first point to the last: the left end a whole decade, the right end 1, 2 or 5 of a decade."""
    low = math.floor(math.log10(max(first, 1e-3)))
    power = math.floor(math.log10(max(last, 1e-3)))
    steps = (math.log10(digit) + power for digit in (1, 2, 5, 10))
    high = next((end for end in steps if 10**end >= last * (1 - 1e-9)), power + 1.0)
    return float(low), max(high, low + 1.0)


def decades(values: Floats) -> tuple[int, int]:
    """The whole decades around the positive values, at least one; 1 to 10 where there are none."""
    known = values[values > 0]
    if not known.size:
        return 0, 1
    low = math.floor(math.log10(known.min()) + 1e-9)
    high = math.ceil(math.log10(known.max()) - 1e-9)
    return low, max(high, low + 1)


def spread(wanted: list[float], gap: float, top: float, bottom: float) -> list[float]:
    """Heights as near as possible to those wanted, at least `gap` apart, between top and bottom."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    places = list(wanted)
    edge = top - gap
    for i in order:
        places[i] = edge = max(places[i], edge + gap)
    edge = bottom + gap
    for i in reversed(order):
        places[i] = edge = min(places[i], edge - gap)
    return places


def log_points(at: Floats, values: Floats, span: tuple[float, float], pixels: float) -> tuple[Floats, Floats]:
    """Decimal logarithms (k,), (k,) of the points that are positive on both axes.

    Of more points than two for each of the `pixels` across `span`, the last in every half pixel stays.
    """
    keep = (at > 0) & (values > 0)
    x, y = np.log10(at[keep]), np.log10(values[keep])
    if x.size > 2 * pixels:
        low, high = span
        column = np.round((x - low) / (high - low) * pixels * 2)
        wanted = np.append(column[1:] != column[:-1], True)
        x, y = x[wanted], y[wanted]
    return x, y


def tick_name(value: float) -> str:
    """A number on an axis, thousands from one thousand on: 1, 100, 1k, 10k."""
    return f"{value:g}" if value < 1000 else f"{value / 1000:g}k"
