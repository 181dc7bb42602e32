"""How numbers are said: three significant figures, thin grouping by commas, powers of ten set as powers of ten."""

from __future__ import annotations

import math


def three(value: float) -> str:
    """Three significant figures, trailing zeros kept so that the digits do not jump: 0.120, 1.00, 12.3, 1,230.

    Below 0.001 and from a million on, the figures and a power of ten: "1.23e-5".
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "-"
    figures, _, exponent = f"{abs(value):.2e}".partition("e")
    power = int(exponent)
    sign = "−" if value < 0 else ""
    if not -3 <= power < 6:
        return f"{sign}{figures}e{power}"
    if power >= 2:
        return f"{sign}{round(float(figures) * 10**power):,}"
    return f"{sign}{float(figures) * 10.0**power:.{2 - power}f}"


def share(value: float) -> str:
    """A fraction of all particles, to a thousandth: 0.803."""
    return f"{value:.3f}"
