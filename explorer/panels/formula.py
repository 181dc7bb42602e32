"""A formula, set as in a book: LaTeX to paths (ziamath), paths to a picture in the theme's ink, sharp at any scale.

ziamath takes a third of a second to import and some milliseconds a formula, so it is imported at the first formula and
pictures are kept. Its newer SVG puts glyphs into symbols, which QtSvg places wrongly: `svg2` is off.
"""

from __future__ import annotations

import warnings
from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.theme import LIGHT, Theme

SIZE = 20
"""Pixels of type at scale 1."""


@lru_cache(maxsize=256)
def outline(latex: str, ink: str) -> bytes:
    """The formula as SVG, `SIZE` pixels of type, in this colour ("#rrggbb")."""
    with warnings.catch_warnings():
        # Its fonts are found by a function that Python 3.11 calls old; that is its own affair.
        warnings.simplefilter("ignore", DeprecationWarning)
        import ziamath

        ziamath.config.svg2 = False
        return str(ziamath.Latex(latex, size=SIZE, color=ink).svg()).encode()


@lru_cache(maxsize=64)
def picture(latex: str, ink: str, scale: float, ratio: float) -> QImage:
    """The formula as a transparent picture, type `scale` times `SIZE`, at `ratio` device pixels a pixel."""
    renderer = QSvgRenderer(QByteArray(outline(latex, ink)))
    size = renderer.viewBoxF().size() * scale
    image = QImage(
        max(1, round(size.width() * ratio)), max(1, round(size.height() * ratio)), QImage.Format.Format_ARGB32
    )
    image.fill(Qt.GlobalColor.transparent)
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        renderer.render(painter, QRectF(0, 0, image.width(), image.height()))
    image.setDevicePixelRatio(ratio)
    return image


def extent(latex: str) -> tuple[float, float]:
    """Width and height of a formula in pixels at scale 1."""
    box = QSvgRenderer(QByteArray(outline(latex, LIGHT.ink))).viewBoxF()
    return box.width(), box.height()


@lru_cache(maxsize=256)
def formula_problem(latex: str) -> str:
    """Why this cannot be set as a formula, in a line; "" if it can."""
    latex = latex.strip()
    if not latex:
        return ""
    try:
        extent(latex)
    except Exception as error:  # whatever the setter stumbles over: it has an error for each thing
        return f"This cannot be set ({_reason(error)}); look for an open brace or a missing argument"
    return ""


def _reason(error: Exception) -> str:
    """The error's name in words: it says more than its message, which may be empty."""
    name = "".join(f" {c.lower()}" if c.isupper() else c for c in type(error).__name__.removesuffix("Error"))
    return name.strip()


class FormulaView(QWidget):
    """Shows one formula, made smaller where it is wider than its place."""

    def __init__(self, parent: QWidget | None = None, *, role: str = "ink") -> None:
        super().__init__(parent)
        self._latex = ""
        self._role = role
        self._extent = (0.0, 0.0)
        self._theme, self._factor = LIGHT, 1.0
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Formula")

    @property
    def latex(self) -> str:
        """What is shown."""
        return self._latex

    def set_formula(self, latex: str) -> None:
        """Show this formula; "" shows none and takes no room."""
        if latex == self._latex:
            return
        self._latex = latex
        self._extent = extent(latex) if latex else (0.0, 0.0)
        self.setAccessibleDescription(latex)
        self.setVisible(bool(latex))
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.update()

    def set_scale(self, factor: float) -> None:
        """Draw type this many times its size."""
        self._factor = factor
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """As high as the formula; as wide as there is room."""
        width, height = self._extent
        return QSize(round(width * self._factor), round(height * self._factor) + 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture at the left."""
        if not self._latex:
            return
        width, height = self._extent
        scale = min(self._factor, self.width() / max(width, 1.0))
        ink = self._theme.colour(self._role).name()
        with QPainter(self) as painter:
            image = picture(self._latex, ink, round(scale, 3), painter.device().devicePixelRatio())
            painter.drawImage(0, max(0, round((self.height() - height * scale) / 2)), image)
