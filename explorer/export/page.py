"""The page of a film: few and large squares of the plane, and a line of facts, to be read on a slide.

A film shows in turn what the window shows at once. While the network learns: painting, learned score, true score, and
how wrong; the two fields are the largest. While particles move, and at the end: the panes of the scene, each over its
shares. `explorer.export.arrangement` says where they stand. On a page that is too small for a chart to be read there is
none.

Everything is drawn from one frame at device-pixel ratio 1, so that the same frame gives the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QRegion, QResizeEvent
from PySide6.QtWidgets import QWidget

from explorer.engine.messages import Array, Frame, Modes
from explorer.export.arrangement import LINE, Places, arrange
from explorer.export.gif import blended_palette
from explorer.export.words import WAYS, film_titles
from explorer.numbers import share
from explorer.theme import CONTROL, TITLE, Theme, font
from explorer.views.chart import Chart
from explorer.views.curves import CurvesView
from explorer.views.field import FieldView
from explorer.views.ledger import LedgerView, rows
from explorer.views.particles import ParticleView
from explorer.views.plane import PlaneRange, PlaneView
from explorer.views.sharebar import ShareBar
from explorer.views.tile import Tile
from trainer.scenes import Scene

Act = Literal["learning", "sampling"]

Words = tuple[str, Sequence[str]]
"""What stands left on the line of facts, in bold; and what stands right, from long to short: the first that fits."""


def farthest_share(modes: Modes, pane: int) -> tuple[str, str]:
    """The mode whose share in this pane is farthest from its mass: the share, its band, the truth; and without band."""
    every = rows(modes)
    row = max(every, key=lambda row: abs(float(row.share[pane]) - row.mass))
    band = f"{share(float(row.low[pane]))} to {share(float(row.high[pane]))}"
    found, truth = f"{row.name}: {share(float(row.share[pane]))}", f"truth {share(row.mass)}"
    return f"{found} ({band}), {truth}", f"{found}, {truth}"


def type_scale(width: int, height: int) -> float:
    """The scale of type on a page: 1.2 at 1280x720, in proportion, and readable unless the page itself is tiny."""
    least = min(0.8, min(width, height) / 450)
    return max(least, 1.2 * min(1.25 * width / 1280, 1.25 * height / 720, (width * height / (1280 * 720)) ** 0.5))


def film_palette(theme: Theme) -> NDArray[np.uint8]:
    """Return the colours of a page (n, 3), n <= 255: the theme's inks, papers and map, and their blends."""

    def colours(*roles: str) -> list[tuple[int, int, int]]:
        every = (QColor(getattr(theme, role)) for role in roles)
        return [(colour.red(), colour.green(), colour.blue()) for colour in every]

    inks = colours("ink", "quiet", "learned", "true", "particles", "error", "warning")
    return blended_palette(theme.density_table()[:, :3], colours("window", "surface", "rule"), inks)


class Sheet(QWidget):
    """A page whose picture is made in memory; subclasses place tiles on it above the line of facts."""

    def __init__(self, width: int, height: int, theme: Theme, scale: float) -> None:
        super().__init__()
        self.theme = theme
        self.scale = scale
        self.line = round(LINE * self.scale)
        self.margin = round(16 * min(scale, 1.5))
        self._image = QImage(width, height, QImage.Format.Format_RGB32)
        self.resize(width, height)

    def picture(self, words: Words) -> NDArray[np.uint8]:
        """What the page shows now (height, width, 3); `words` stand on the line of facts."""
        self._image.fill(QColor(self.theme.window))
        # A painter that an error leaves open outlives what it paints on: hence `with`, here and in paint events.
        with QPainter(self._image) as painter:
            self.render(painter, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
            self._write(painter, *words)
        image = self._image.convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(self.height(), image.bytesPerLine())
        # Qt pads each row to a multiple of four bytes; the copy outlives the image.
        return rows[:, : 3 * self.width()].reshape(self.height(), self.width(), 3).copy()

    def _write(self, painter: QPainter, left: str, facts: Sequence[str]) -> None:
        """The line of facts: what goes on, in bold, and the numbers that belong to it."""
        margin = self.margin
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
        metrics = painter.fontMetrics()
        fitting = (line for line in facts if metrics.horizontalAdvance(line) <= box.width())
        line = next(fitting, metrics.elidedText(facts[-1], Qt.TextElideMode.ElideLeft, round(box.width())))
        painter.drawText(box, middle | Qt.AlignmentFlag.AlignRight, line)


class FilmPage(Sheet):
    """The page that films are drawn on."""

    def __init__(self, width: int, height: int, theme: Theme, scene: Scene) -> None:
        super().__init__(width, height, theme, type_scale(width, height))
        plane = PlaneRange(parent=self)
        self._painting = PaintingView(plane)
        fields = FieldView("learned", plane), FieldView("true", plane)
        self._acts: dict[Act, tuple[Tile, ...]] = {
            "learning": (
                Tile("Painting", self._painting, parent=self),
                Tile("Learned score", fields[0], parent=self),
                Tile("True score, exact", fields[1], parent=self),
                Tile("How wrong", _Curves(), parent=self),
            ),
            "sampling": (
                *(
                    Tile(title, ParticleView(k, plane), _Verdict(k, pane.sampler), self)
                    for k, (title, pane) in enumerate(zip(film_titles(scene), scene.panes, strict=True))
                ),
                Tile("Shares", LedgerView(), parent=self),
            ),
        }
        self._act: Act | None = None
        places = arrange(width, height, self.scale, len(scene.panes))
        self.margin = places.margin
        self._places: dict[Act, Places] = {"learning": places.learning, "sampling": places.sampling}
        for act, tiles in self._acts.items():
            for tile, rect in zip(tiles, self._places[act], strict=True):
                tile.set_theme(theme)
                tile.set_scale(self.scale)
                if rect is not None:
                    tile.set_foot(max(0, rect.height() - tile.head - rect.width()))
                    tile.setGeometry(rect)
                tile.hide()

    @property
    def lattice(self) -> int:
        """How many arrows along a side suit the size of the fields."""
        field = self._places["learning"][1]
        side = field.width() if field else 0
        return 20 if side < 300 else min(max(24, side // 64 * 4), 40)

    def show_painting(self, weights: Array, name: str) -> None:
        """Show this painting from now on."""
        self._painting.show_painting(weights, name)

    def draw(self, act: Act, frame: Frame, words: Words) -> NDArray[np.uint8]:
        """The picture (height, width, 3) of a frame in an act."""
        shown = [tile for tile, rect in zip(self._acts[act], self._places[act], strict=True) if rect is not None]
        if act != self._act:
            for tile in self._acts["sampling" if act == "learning" else "learning"]:
                tile.hide()
            for tile in shown:
                tile.show()
            self._act = act
        for tile in shown:
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
        self.captioned.emit(name)
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


class _Curves(CurvesView):
    """The curves without advice to press keys."""

    def say(self, painter: QPainter, text: str, area: QRectF | None = None) -> None:
        """Say nothing."""


class _Verdict(Chart):
    """What stands under a pane: its share bar, the share that is farthest from the truth, and how the sampler moves."""

    def __init__(self, pane: int, sampler: str) -> None:
        super().__init__()
        self._pane = pane
        self._way = WAYS[sampler]
        self._bar = ShareBar(pane, self)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        super().set_theme(theme)
        self._bar.set_theme(theme)

    def set_scale(self, factor: float) -> None:
        """Draw type and marks this many times their size."""
        super().set_scale(factor)
        self._bar.set_scale(factor)

    def show_frame(self, frame: Frame) -> None:
        """Draw this frame's shares."""
        super().show_frame(frame)
        self._bar.show_frame(frame)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the bar the upper part."""
        self._bar.setGeometry(0, 0, self.width(), self._bar.minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Write both lines under the bar."""
        top, tall = self._bar.height(), (self.height() - self._bar.height()) / 2
        if tall < CONTROL * self.factor:
            return
        with QPainter(self) as painter:
            modes = self.frame.modes if self.frame is not None else None
            if modes is not None:
                long, short = farthest_share(modes, self._pane)
                text = long if self.advance(long, CONTROL) <= self.width() else short
                self.write(painter, QRectF(0, top, self.width(), tall), text, pixels=CONTROL)
            box = QRectF(0, top + tall, self.width(), tall)
            self.write(painter, box, self._way, pixels=CONTROL, role="quiet")
