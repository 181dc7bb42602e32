"""Rows of pictures under common columns: one picture's way out of noise, moment by moment.

Every row has its name at the left, every column its noise level above; the column of what is shown is marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from explorer.engine.frames import Array
from explorer.gallery.imaging import noise_pixels, pixels, to_image
from explorer.theme import CAPTION, LIGHT, UNIT, Theme, font

COLUMNS = 9
"""Columns that there is room for, at least."""
_GAP = 6


@dataclass(frozen=True)
class StripRow:
    """One row: its name, its pictures (T, C, H, W), and what they are."""

    label: str
    pictures: Array
    kind: Literal["picture", "noise"] = "picture"


class FilmStrip(QWidget):
    """Rows of pictures; a click on a column, or the arrows, ask for that moment."""

    step_chosen = Signal(int)
    """The column that the person wants to see."""

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self._factor = 1.0
        self._rows: tuple[StripRow, ...] = ()
        self._heads: tuple[str, ...] = ()
        self._marked = -1
        self._images: list[list[QImage]] = []
        self._seen: tuple[object, ...] = ()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(120)
        self.setAccessibleName("From noise to picture")

    def show_rows(self, rows: Sequence[StripRow], heads: Sequence[str], marked: int = -1) -> None:
        """Show these rows; `heads` stand above the columns, `marked` is the one shown elsewhere."""
        seen = (marked, *heads, *((row.label, row.pictures.tobytes()) for row in rows))
        if seen == self._seen:
            return
        self._seen = seen
        self._rows, self._heads, self._marked = tuple(rows), tuple(heads), marked
        self._images = [self._of(row) for row in rows]
        words = "; ".join(f"{row.label}: {len(row.pictures)} pictures" for row in rows)
        self.setAccessibleDescription(words)
        self.update()

    def _of(self, row: StripRow) -> list[QImage]:
        values = noise_pixels(row.pictures, self.theme) if row.kind == "noise" else pixels(row.pictures)
        return [to_image(each) for each in values]

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self.theme = theme
        self._images = [self._of(row) for row in self._rows]
        self.update()

    def set_scale(self, factor: float) -> None:
        """Set type this many times its size."""
        self._factor = factor
        self.update()

    def sizeHint(self) -> QSize:
        """Little: what room there is, is shared out by those who place it."""
        return QSize(320, 120)

    # --- geometry -------------------------------------------------------------------------------------------

    def _measures(self) -> tuple[int, int, int, int]:
        """The width of the labels, the height of a line of type, and a picture's side and columns' pitch."""
        label, line = round(64 * self._factor), round(18 * self._factor)
        rows = max(len(self._rows), 1)
        high = (self.height() - line - _GAP * rows) // rows
        wide = (self.width() - label) // max(COLUMNS, len(self._heads))
        side = max(8, min(high, wide - _GAP))
        return label, line, side, min(wide, 2 * side)

    def _column_at(self, x: float) -> int:
        label, _, _, pitch = self._measures()
        column = int((x - label) // pitch)
        return column if 0 <= column < len(self._heads) and x >= label else -1

    # --- hands ----------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Ask for the moment of the column."""
        column = self._column_at(event.position().x())
        if column >= 0:
            self.step_chosen.emit(column)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ask for the moment before or after."""
        moves = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        key = Qt.Key(event.key())
        if key in moves and self._heads:
            now = self._marked if self._marked >= 0 else len(self._heads) - 1
            self.step_chosen.emit(max(0, min(now + moves[key], len(self._heads) - 1)))
        else:
            super().keyPressEvent(event)

    # --- painting -------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Heads, labels, pictures and captions."""
        with QPainter(self) as painter:
            painter.setFont(font(CAPTION, scale=self._factor))
            label, line, side, pitch = self._measures()
            centre = Qt.AlignmentFlag.AlignCenter
            if 0 <= self._marked < len(self._heads):
                high = line + len(self._rows) * (side + _GAP)
                column = QRect(label + self._marked * pitch - _GAP // 2, 0, side + _GAP, high)
                painter.fillRect(column, self.theme.colour("selection"))
            painter.setPen(QColor(self.theme.quiet))
            for k, head in enumerate(self._heads):
                painter.drawText(QRect(label + k * pitch - _GAP, 0, side + 2 * _GAP, line), centre, head)
            y = line
            for row, images in zip(self._rows, self._images, strict=True):
                painter.setPen(QColor(self.theme.quiet))
                middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
                painter.drawText(QRect(0, y, label - UNIT, side), middle, row.label)
                for k, image in enumerate(images):
                    self._paint_picture(painter, image, QRect(label + k * pitch, y, side, side))
                y += side + _GAP
            if self.hasFocus():
                painter.setPen(QPen(self.theme.colour("true"), 2))
                painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    def _paint_picture(self, painter: QPainter, image: QImage, room: QRect) -> None:
        """The picture as large as fits, by a whole factor where it is smaller than its room."""
        scale = min(room.width() / image.width(), room.height() / image.height())
        scale = float(int(scale)) if scale >= 1 else scale
        size = QSize(max(1, int(image.width() * scale)), max(1, int(image.height() * scale)))
        place = QRect(room.topLeft(), size)
        place.moveCenter(room.center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < 1)
        painter.drawImage(place, image)
        painter.setPen(QPen(QColor(self.theme.rule), 1))
        painter.drawRect(place.adjusted(-1, -1, 0, 0))
