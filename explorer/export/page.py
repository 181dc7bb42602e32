"""The page of a film: three squares of the plane, a chart, and a line of facts, large enough to be read on a slide.

A film shows in turn what the window shows at once. While the network learns: painting, learned score, true score, and
how wrong. While particles move, and at the end: ascent, Langevin, annealed Langevin, and the shares. Squares are as
large as the format allows: three in a row over the chart or two by two, whichever makes them larger; a chart that would
be too small to read gives way.

Everything is drawn from one frame at device-pixel ratio 1, so that the same frame gives the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QRegion
from PySide6.QtWidgets import QWidget

from explorer.engine.messages import PANES, Array, Frame
from explorer.export.gif import blended_palette
from explorer.export.run import SEPARATOR
from explorer.theme import CONTROL, TITLE, Theme, font
from explorer.views.curves import CurvesView
from explorer.views.field import FieldView
from explorer.views.ledger import LedgerView
from explorer.views.particles import ParticleView
from explorer.views.plane import PlaneRange, PlaneView
from explorer.views.sharebar import ShareBar
from explorer.views.tile import HEAD, Tile

Act = Literal["learning", "sampling"]

_FOOT = 44
"""Height at scale 1 of what stands under a square: a share bar, or one line."""

_LINE = 40
"""Height at scale 1 of the line of facts."""

_CHART = 104
"""The least height at scale 1 at which a chart can be read."""


@dataclass(frozen=True)
class Arrangement:
    """Where tiles go: the squares' tiles in reading order, and the chart's, which is None where it has no room."""

    squares: tuple[QRect, ...]
    chart: QRect | None


def type_scale(width: int, height: int) -> float:
    """The scale of type on a page: 1.2 at 1280x720, in proportion, and never too small to read."""
    return max(0.8, 1.2 * min(width / 1280, height / 720, (width * height / (1280 * 720)) ** 0.5))


def arrange(width: int, height: int, scale: float) -> Arrangement:
    """Place three squares and a chart on a page of this size, above its line of facts."""
    gap = round(16 * min(scale, 1.5))
    head, foot = round(HEAD * scale), round(_FOOT * scale)
    room = height - round(_LINE * scale) - gap
    chart = round(_CHART * scale)
    across = min((width - 4 * gap) // 3, room - head - foot)
    row = min(across, room - head - foot - gap - head - chart)
    quad = min((width - 3 * gap) // 2, (room - gap) // 2 - head - foot)
    if quad > max(row, 0.75 * across):
        tall = head + quad + foot
        left, top = (width - 2 * quad - gap) // 2, (height - round(_LINE * scale) - 2 * tall - gap) // 2
        cells = [QRect(left + i * (quad + gap), top + j * (tall + gap), quad, tall) for j in range(2) for i in range(2)]
        return Arrangement(tuple(cells[:3]), cells[3].adjusted(0, 0, 0, -foot))
    with_chart = row >= 0.8 * across
    side = row if with_chart else across
    tall = head + side + foot
    left = (width - 3 * side - 2 * gap) // 2
    top = gap if with_chart else (height - round(_LINE * scale) - tall) // 2
    squares = tuple(QRect(left + i * (side + gap), top, side, tall) for i in range(3))
    below = QRect(left, top + tall + gap // 2, 3 * side + 2 * gap, room - top - tall - gap // 2)
    return Arrangement(squares, below if with_chart else None)


def film_palette(theme: Theme) -> NDArray[np.uint8]:
    """The colours of a page (n, 3), n <= 255: the theme's inks, papers and map, and their blends."""
    inks, papers = (
        [QColor(getattr(theme, role)).getRgb()[:3] for role in roles]
        for roles in (
            ("ink", "quiet", "learned", "true", "particles", "error", "warning"),
            ("window", "surface", "rule"),
        )
    )
    return blended_palette(theme.density_table()[:, :3], papers, inks)


class Sheet(QWidget):
    """A page whose picture is made in memory; subclasses place tiles on it above the line of facts."""

    def __init__(self, width: int, height: int, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.scale = type_scale(width, height)
        self.line = round(_LINE * self.scale)
        self._image = QImage(width, height, QImage.Format.Format_RGB32)
        self.resize(width, height)

    def picture(self, words: tuple[str, str]) -> NDArray[np.uint8]:
        """What the page shows now (height, width, 3); `words` stand left and right on the line of facts."""
        self._image.fill(QColor(self.theme.window))
        painter = QPainter(self._image)
        self.render(painter, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
        self._write(painter, *words)
        painter.end()
        pixels = np.frombuffer(self._image.constBits(), dtype=np.uint8)
        pixels = pixels.reshape(self.height(), self._image.bytesPerLine() // 4, 4)
        # Format_RGB32 is B, G, R, unused in memory wherever Qt runs on a little-endian machine.
        return np.ascontiguousarray(pixels[:, : self.width(), 2::-1])

    def _write(self, painter: QPainter, left: str, right: str) -> None:
        """The line of facts: what goes on, in bold, and the numbers that belong to it."""
        margin = round(16 * min(self.scale, 1.5))
        box = QRectF(margin, self.height() - self.line, self.width() - 2 * margin, self.line)
        painter.setPen(QPen(QColor(self.theme.rule), 1))
        painter.drawLine(QPoint(margin, round(box.top())), QPoint(self.width() - margin - 1, round(box.top())))
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.setFont(font(TITLE, bold=True, scale=self.scale))
        painter.setPen(QColor(self.theme.ink))
        painter.drawText(box, middle | Qt.AlignmentFlag.AlignLeft, left)
        box.setLeft(box.left() + painter.fontMetrics().horizontalAdvance(left) + margin)
        painter.setFont(font(CONTROL, scale=self.scale))
        painter.setPen(QColor(self.theme.quiet))
        # What does not fit goes from the left: the facts stand in the order of their weight from the right.
        facts = right.split(SEPARATOR)
        while len(facts) > 1 and painter.fontMetrics().horizontalAdvance(SEPARATOR.join(facts)) > box.width():
            facts.pop(0)
        painter.drawText(box, middle | Qt.AlignmentFlag.AlignRight, SEPARATOR.join(facts))


class FilmPage(Sheet):
    """The page that films are drawn on."""

    def __init__(self, width: int, height: int, theme: Theme) -> None:
        super().__init__(width, height, theme)
        plane = PlaneRange(parent=self)
        self._painting = PaintingView(plane)
        fields = FieldView("learned", plane), FieldView("true", plane)
        titles = ("Ascent, no noise", "Langevin", "Annealed Langevin")
        self._acts: dict[Act, tuple[Tile, ...]] = {
            "learning": (
                _Plate("Painting", self._painting, None, self),
                _Plate("Learned score", fields[0], None, self),
                _Plate("True score", fields[1], None, self),
                _Panel("How wrong", CurvesView(), None, self),
            ),
            "sampling": (
                *(_Plate(titles[k], ParticleView(k, plane), ShareBar(PANES[k]), self) for k in range(3)),
                _Panel("Shares", LedgerView(), None, self),
            ),
        }
        self._act: Act | None = None
        self._place = arrange(width, height, self.scale)
        for tile in self.findChildren(Tile):
            tile.set_theme(theme)
            tile.set_scale(self.scale)
            tile.hide()

    @property
    def lattice(self) -> int:
        """How many arrows along a side suit the size of the fields."""
        side = self._place.squares[0].width()
        return 20 if side < 300 else min(max(24, side // 64 * 4), 40)

    def show_painting(self, weights: Array, name: str) -> None:
        """Show this painting from now on."""
        self._painting.show_painting(weights, name)

    def draw(self, act: Act, frame: Frame, words: tuple[str, str]) -> NDArray[np.uint8]:
        """The picture (height, width, 3) of a frame in an act."""
        if act != self._act:
            for tile in self._acts.get(self._act, ()) if self._act else ():
                tile.hide()
            for tile, rect in zip(self._acts[act], (*self._place.squares, self._place.chart), strict=True):
                if rect is not None:
                    tile.setGeometry(rect)
                    tile.show()
            self._act = act
        for tile in self._acts[act]:
            if not tile.isHidden():
                tile.show_frame(frame)
        return self.picture(words)


class PaintingView(PlaneView):
    """A painting as it is, with the edge of its square; nobody paints on a film."""

    def __init__(self, plane_range: PlaneRange, parent: QWidget | None = None) -> None:
        super().__init__(plane_range, "Painting", "", parent)
        self._name = ""

    def show_painting(self, weights: Array, name: str) -> None:
        """Show these weights, row 0 at the bottom, over the data's square."""
        self._name = name
        peak = float(weights.max(initial=0.0))
        self.ground.show(weights / peak if peak > 0 else weights, (0.0, 0.0), 1.0)
        self.say()
        self.update()

    def show_frame(self, frame: Frame) -> None:
        """Stay: a frame holds the density at a noise level, not the painting."""

    def caption(self) -> str:
        """What is painted."""
        return self._name

    def paint_marks(self, painter: QPainter, square: QRect) -> None:
        """The edge of the painting."""
        painter.setPen(QPen(QColor(self.theme.rule), 1, Qt.PenStyle.DotLine))
        low, high = self.to_pixel(-1, -1), self.to_pixel(1, 1)
        painter.drawRect(QRect(round(low.x()), round(high.y()), round(high.x() - low.x()), round(low.y() - high.y())))


class _Plate(Tile):
    """A tile as wide as its square, with room for a share bar under it."""

    def square(self) -> QRect:
        return QRect(0, round(HEAD * self.scale), self.width(), self.width())

    def place(self) -> None:
        super().place()
        if self.footer is not None:
            top = self.square().bottom() + 1
            self.footer.setGeometry(0, top, self.width(), self.height() - top)


class _Panel(Tile):
    """A tile whose content takes all of its area below the title."""

    def square(self) -> QRect:
        head = round(HEAD * self.scale)
        return QRect(0, head, self.width(), max(0, self.height() - head))
