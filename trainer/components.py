r"""Gaussian components: parts of a painting that stay objects, with a place, a shape and a mass.

A component of mass m, spreads s_1, s_2 and angle a is painted on cells of width h as

    w_ij = m / h^2  b_ij / sum b,     b_ij = exp(-u_1^2 / 2 v_1 - u_2^2 / 2 v_2),     v_k = max(s_k^2 - h^2, h^2 / 16),

with (u_1, u_2) the cell's centre seen from the component's, turned by -a. The variance h^2 is taken off because the
density of a painting puts it back (a Gaussian of one cell's width about every cell), and normalising over the cells of
the square keeps all of the mass on the painting, also where a part would hang over its edge.

The **composite** of paint p in [0, 1] and components is (p + sum of components) / max(1, its largest value).

numpy only: neither torch nor Qt is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from math import cos, isfinite, radians, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.errors import InputError

MOST = 64
"""Components of one painting."""

_RANGES = {"x": (-1.0, 1.0), "y": (-1.0, 1.0), "along": (0.01, 2.0), "across": (0.01, 2.0), "angle": (-360.0, 360.0)}
_MASSES = (1e-6, 100.0)


@dataclass(frozen=True)
class Component:
    """One Gaussian.

    Attributes:
        x, y: its centre, in [-1, 1].
        along, across: its standard deviations along its two axes, in units of the plane.
        angle: of the first axis, in degrees, anticlockwise from the x axis.
        mass: the integral of its weights over the plane; paint of full strength on a unit square has mass 1.

    Raises:
        InputError: a value out of range.
    """

    x: float = 0.0
    y: float = 0.0
    along: float = 0.12
    across: float = 0.12
    angle: float = 0.0
    mass: float = 0.05

    def __post_init__(self) -> None:
        for name, (low, high) in {**_RANGES, "mass": _MASSES}.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
                raise InputError(f"{name}: {value!r:.40} is not a number; give one from {low:g} to {high:g}")
            if not low <= value <= high:
                raise InputError(f"{name}: {value:g} is out of range; give a number from {low:g} to {high:g}")

    def to_json(self) -> dict[str, float]:
        """Its values by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Component:
        """The component that `to_json` wrote.

        Raises:
            InputError: a field that is unknown or missing, or a value out of range.
        """
        names = [f.name for f in fields(cls)]
        if not isinstance(values, Mapping) or set(values) != set(names):
            raise InputError(f"component: not the fields of one; give {', '.join(names)}")
        return cls(**values)


def bump(component: Component, size: int) -> NDArray[np.float32]:
    """The weights of a component on size x size cells, read-only; they sum to mass / cell^2."""
    return _bump(component, size)


@lru_cache(maxsize=128)
def _bump(component: Component, size: int) -> NDArray[np.float32]:
    cell = 2 / size
    axis = (np.arange(size) + 0.5) * cell - 1
    x, y = axis[None, :] - component.x, axis[:, None] - component.y
    c, s = cos(radians(component.angle)), sin(radians(component.angle))
    along, across = c * x + s * y, c * y - s * x
    first, second = (max(spread**2 - cell**2, cell**2 / 16) for spread in (component.along, component.across))
    exponent = 0.5 * (np.square(along) / first + np.square(across) / second)
    weights = np.exp(exponent.min() - exponent)  # the nearest cell counts, however narrow the component
    weights[weights < 1e-9] = 0  # beyond six standard deviations nothing is left to see or to learn
    weights *= component.mass / (weights.sum() * cell**2)
    painted = weights.astype(np.float32)
    painted.flags.writeable = False
    return painted


def composite(paint: NDArray[np.float32], components: Iterable[Component]) -> NDArray[np.float32]:
    """Paint (n, n) and components as one painting with a largest value of at most 1, read-only."""
    total = paint.astype(np.float32)
    for component in components:
        total = total + bump(component, len(paint))
    total = total / max(np.float32(1), total.max())
    total.flags.writeable = False
    return total


def mass_of(paint: NDArray[np.float32], components: Iterable[Component]) -> float:
    """The mass of paint and components together, in the unit of a component's mass."""
    cell = 2 / len(paint)
    return float(paint.sum(dtype=np.float64)) * cell**2 + sum(component.mass for component in components)


def with_share(component: Component, share: float, rest: float) -> Component:
    """The component with the mass that makes it this share of a painting, the others of which have mass `rest`.

    Raises:
        InputError: a share that is not between 0 and 1, or nothing else to have a share beside.
    """
    if not 0 < share < 1:
        raise InputError(f"share: {share:g} is not between 0 and 1; give a number between")
    if rest <= 0:
        raise InputError("share: there is no other paint; whatever its mass, it is all of the painting")
    return Component(**{**component.to_json(), "mass": rest * share / (1 - share)})
