"""Colours, type and spacing: the one place that says what things look like, in light and in dark.

Colour has meaning, one each, from the palette of Okabe & Ito (2008): learned is orange, true is blue, error is reddish
purple, particles are bluish green, a warning is vermillion. These inks are for marks; text is always the theme's ink.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication

from explorer.colours import table
from trainer.assets import assets

UNIT = 8
"""Every distance is a multiple of this many pixels (or half of it inside a control)."""

CAPTION, CONTROL, TITLE, HEADING = 12, 13, 16, 22
"""Sizes of type in pixels at scale 1."""


@dataclass(frozen=True)
class Theme:
    """One set of colours. `ground_low` to `ground_high` is the sequential map of a density.

    `ground_map` and `error_map` name maps of `explorer.colours` that a person has put in place of the theme's own.
    """

    name: str
    window: str
    surface: str
    ink: str
    quiet: str
    rule: str
    ground_low: str
    ground_high: str
    learned: str
    true: str
    error: str
    particles: str
    warning: str
    selection: str
    ground_map: str = "theme"
    error_map: str = "theme"

    def colour(self, role: str, alpha: float = 1.0) -> QColor:
        """The colour of a role (a field's name), with an opacity from 0 to 1."""
        colour = QColor(getattr(self, role))
        colour.setAlphaF(alpha)
        return colour

    def density_table(self) -> NDArray[np.uint8]:
        """The density's map as (256, 4) RGBA bytes: linear in luminance between the theme's ground and its high end."""
        return table(self.ground_map, self.ground_low, self.ground_high, whole=False)

    def error_table(self) -> NDArray[np.uint8]:
        """The error map's colours as (256, 4) RGBA bytes, from the theme's ground to the ink of errors."""
        return table(self.error_map, self.ground_low, self.error, whole=True)

    def with_maps(self, ground: str, error: str) -> Theme:
        """The same theme with these colour maps."""
        return replace(self, ground_map=ground, error_map=error)


LIGHT = Theme(
    name="light",
    window="#f6f5f1",
    surface="#fdfcfa",
    ink="#1c1c1e",
    quiet="#5c5c62",
    rule="#d6d3cb",
    ground_low="#fdfcfa",
    ground_high="#8f8a7e",
    learned="#e69f00",
    true="#0072b2",
    error="#cc79a7",
    particles="#009e73",
    warning="#d55e00",
    selection="#dce9f2",
)

DARK = Theme(
    name="dark",
    window="#16171a",
    surface="#1d1e22",
    ink="#ececee",
    quiet="#a3a5ad",
    rule="#35373e",
    ground_low="#1d1e22",
    ground_high="#8a8d98",
    learned="#e69f00",
    true="#56b4e9",
    error="#cc79a7",
    particles="#1fc29a",
    warning="#ff7f3f",
    selection="#253645",
)


def system_theme() -> Theme:
    """The theme that the desktop asks for."""
    return DARK if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else LIGHT


@cache
def _family() -> str:
    """The bundled typeface's name, once it is loaded into the running application."""
    family = ""
    for path in sorted((assets() / "fonts").glob("*.ttf")):
        ident = QFontDatabase.addApplicationFont(str(path))
        families = QFontDatabase.applicationFontFamilies(ident)
        family = family or (families[0] if families else "")
    return family


def font(pixels: int = CONTROL, *, bold: bool = False, scale: float = 1.0) -> QFont:
    """The bundled open sans with tabular digits, `pixels` tall at scale 1 (presentation: 1.6)."""
    return QFont(_font(max(1, round(pixels * scale)), bold))


@cache
def _font(pixels: int, bold: bool) -> QFont:
    result = QFont(_family())
    result.setPixelSize(pixels)
    result.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    result.setFeature(QFont.Tag("tnum"), 1)
    return result
