r"""Strokes weighed: a coverage that adds, or takes, a stated share of all mass.

With paint p, components of masses c_j, cells of area h^2 and all mass M = h^2 sum p + sum c_j, a stroke of coverage m
and share a leaves

    p' = s (p + l m),   c_j' = s c_j,   l = a / (1 - a) M / (h^2 sum m),   s = 1 / max(1, max(p + l m)).

What was added is then a of the new mass, and everything that was there has kept its proportions; s alone keeps weights
within [0, 1]. On an empty painting, and with a = 1, the coverage over its maximum is all that is left.

An eraser takes a M, from where it passes and in proportion to its coverage, no cell below zero:

    p' = p (1 - min(1, u m)),   h^2 sum p min(1, u m) = a M,

or all paint that it covers, where that is less. The sum rises in u and is straight between the values 1 / m of the
cells, so that u is found exactly, by sorting. Components are objects and are not erased.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from explorer.brush import Brush
from trainer.components import Component, mass_of

Weights = NDArray[np.float32]
Components = tuple[Component, ...]

LIGHTEST = 1e-6
"""The least mass of a component: one that would become lighter stays at this."""


def weighed(paint: Weights, components: Components, mask: Weights, brush: Brush) -> tuple[Weights, Components]:
    """Paint (n, n) and components after a stroke of this coverage (n, n) that adds or takes its strength's share."""
    if brush.eraser:
        return _taken(paint, components, mask, brush.strength), components
    return _added(paint, components, mask, brush.strength)


def change_of_share(before: tuple[Weights, Components], after: tuple[Weights, Components], brush: Brush) -> float:
    """What part of the mass after it a weighed stroke has added; below 0, what part of the mass before it was taken.

    `before` and `after` are paint and components; the same paint means that the stroke has missed the painting.
    """
    if after[0] is before[0]:
        return 0.0
    whole = mass_of(*before)
    if brush.eraser:
        return mass_of(*after) / whole - 1 if whole > 0 else 0.0
    return brush.strength if whole > 0 else 1.0


def _added(paint: Weights, components: Components, mask: Weights, share: float) -> tuple[Weights, Components]:
    covered = float(mask.sum(dtype=np.float64))
    if covered <= 0:
        return paint.copy(), components
    cell = 2 / len(paint)
    whole = mass_of(paint, components) / cell**2
    if share >= 1 or whole <= 0:
        return (mask / mask.max()).astype(np.float32), ()
    total = paint + share / (1 - share) * whole / covered * mask.astype(np.float64)
    scale = 1 / max(1.0, float(total.max()))
    if scale < 1:
        components = tuple(replace(c, mass=max(c.mass * scale, LIGHTEST)) for c in components)
    return (total * scale).astype(np.float32), components


def _taken(paint: Weights, components: Components, mask: Weights, share: float) -> Weights:
    cell = 2 / len(paint)
    wanted = share * mass_of(paint, components) / cell**2
    under = np.flatnonzero((mask > 0) & (paint > 0))
    flat, cover = paint.reshape(-1)[under].astype(np.float64), mask.reshape(-1)[under].astype(np.float64)
    result = paint.copy()
    if flat.sum() <= wanted:
        result.reshape(-1)[under] = 0
        return result
    order = np.argsort(-cover, kind="stable")
    flat, cover, under = flat[order], cover[order], under[order]
    # With the first k cells emptied the rest gives u sum p m; reached[k] is the sum when the next one is empty too.
    emptied = np.concatenate([[0.0], np.cumsum(flat)[:-1]])
    rest = np.cumsum((flat * cover)[::-1])[::-1]
    reached = emptied + rest / cover
    k = min(int(np.searchsorted(reached, wanted)), len(flat) - 1)
    amount = (wanted - emptied[k]) / rest[k]
    result.reshape(-1)[under] = flat * (1 - np.minimum(1.0, amount * cover))
    return result
