"""The stage: eight equal squares in two rows, the noise level between them, and up to two squares doubled.

Read left to right, top then bottom: what was painted, what was learned, what is true, how wrong; then, whose particles
are right. The side of a square is the largest whole number of pixels that fits both ways; what is left over goes into
the gutters, in steps of 8, and then evenly around the block.

A doubled tile takes the four places of its half (left or right) of the block, so that its height is that of two rows:
big = 2 side + a title + a strip + a gap. The other half stays as it was, or holds a doubled tile of its own: both
fields, or two panes of particles, large and side by side. The row of the noise level then moves below.

The layout is plain arithmetic in `settle`, done at every resize: a stage that is never shown, as in a film, lies
exactly like one in a window.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from explorer.engine.messages import Frame
from explorer.theme import LIGHT, UNIT, Theme
from explorer.views.tile import FOOT, HEAD, Tile, least_height, tell

TILES = ("painting", "learned", "true", "error", "shares", "ascent", "langevin", "annealed")
"""The tiles' names, in reading order."""

FIELDS = ("learned", "true")
"""The tiles that show arrows."""

LATTICE, LATTICE_DOUBLED = 20, 32
"""Arrows along a side of a field, and at least so many when a field is doubled."""

_COLUMNS = 4
_GUTTER, _WIDEST_GUTTER = 2 * UNIT, 4 * UNIT
_BETWEEN = 32
"""The least height of the row between at scale 1."""


class Stage(QWidget):
    """Holds the tiles. Put tiles and the row between in reading order: it is the order of the keyboard's focus."""

    lattice_wanted = Signal(int)
    """So many arrows along a side suit the size at which fields are shown now."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = LIGHT
        self.scale = 1.0
        self._tiles: dict[str, Tile] = {}
        self._between: QWidget | None = None
        self._doubled: dict[int, str] = {}
        self._lattice = LATTICE
        self.setAccessibleName("Stage")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    # --- what is on it

    def put(self, name: str, title: str, content: QWidget, footer: QWidget | None = None) -> Tile:
        """Make a tile in the place of this name (one of `TILES`) out of any widget, and a strip below it.

        Raises:
            KeyError: there is no place of this name.
        """
        if name not in TILES:
            raise KeyError(name)
        old = self._tiles.pop(name, None)
        if old is not None:
            old.hide()
            old.deleteLater()
        tile = Tile(title, content, footer, self)
        tile.set_theme(self.theme)
        tile.set_scale(self.scale)
        tile.double_wanted.connect(self._on_double_wanted)
        self._tiles[name] = tile
        self.settle()
        return tile

    def set_between(self, widget: QWidget) -> None:
        """Put this widget into the row between the two rows of tiles: the slider of the noise level."""
        self._between = widget
        widget.setParent(self)
        widget.show()
        self.settle()

    def tile(self, name: str) -> Tile:
        """The tile of this name; `KeyError` if nothing was put there."""
        return self._tiles[name]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the tiles that are there, in reading order."""
        return tuple(name for name in TILES if name in self._tiles)

    # --- what every view has

    def show_frame(self, frame: Frame) -> None:
        """Hand the moment to every tile."""
        for tile in self._tiles.values():
            tile.show_frame(frame)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of this theme, everything on the stage too."""
        self.theme = theme
        for tile in self._tiles.values():
            tile.set_theme(theme)
        tell(self._between, "set_theme", theme)
        self.update()

    def set_scale(self, scale: float) -> None:
        """Set type at this multiple of its usual size; presentation uses 1.6."""
        self.scale = scale
        for tile in self._tiles.values():
            tile.set_scale(scale)
        tell(self._between, "set_scale", scale)
        self.settle()

    # --- doubling

    @property
    def doubled(self) -> tuple[str, ...]:
        """The names of the doubled tiles: none, one, or one in each half."""
        return tuple(name for _, name in sorted(self._doubled.items()))

    def double(self, name: str) -> None:
        """Show this tile doubled; one that was doubled in the same half becomes small."""
        self._doubled[_half(name)] = name
        self.settle()

    def halve(self, name: str | None = None) -> None:
        """Show this tile, or all, at the usual size."""
        for half in [h for h, n in self._doubled.items() if name in (None, n)]:
            del self._doubled[half]
        self.settle()

    def toggle(self, name: str) -> None:
        """Double a tile, or make it small again."""
        if name in self.doubled:
            self.halve(name)
        else:
            self.double(name)

    def _on_double_wanted(self) -> None:
        tile = self.sender()
        for name, known in self._tiles.items():
            if known is tile:
                self.toggle(name)
                return

    # --- geometry

    def sizeHint(self) -> QSize:
        """The stage of the smallest window that everything is designed for."""
        return QSize(1264, 640)

    def minimumSizeHint(self) -> QSize:
        """Squares of about 120 pixels."""
        return QSize(640, 420)

    def settle(self) -> None:
        """Lay everything out for the present size, at once."""
        head = round(HEAD * self.scale)
        feet = [self._foot(line) for line in (0, 1)]
        row = 0
        if self._between is not None:
            row = max(round(_BETWEEN * self.scale), least_height(self._between))
        # Two rows are 2 side + rest high; a doubled tile's own title and strip leave it a square of 2 side + more.
        rest = 2 * head + sum(feet) + UNIT
        # Both doubled tiles take the higher of their rows' strips, so that their squares are equal.
        foot = max((feet[_line(name)] for name in self._doubled.values()), default=0)
        more = rest - head - foot
        width, height = self.width() - 2 * UNIT, self.height() - 2 * UNIT
        gaps = 3 - len(self._doubled)
        high = (height - rest - (row + UNIT if row else 0)) // 2
        wide = (width - gaps * _GUTTER - len(self._doubled) * more) // _COLUMNS
        side = max(1, min(high, wide))
        columns = _COLUMNS * side + len(self._doubled) * more
        gutter = min(_WIDEST_GUTTER, max(_GUTTER, (width - columns) // gaps // UNIT * UNIT))
        block = QRect(0, 0, columns + gaps * gutter, 2 * side + rest + (row + UNIT if row else 0))
        block.moveTo(max(0, (self.width() - block.width()) // 2), max(0, (self.height() - block.height()) // 2))
        tops = [block.top(), block.top() + head + side + feet[0] + UNIT]
        if self._between is not None:
            self._between.setGeometry(block.left(), block.bottom() + 1 - row, block.width(), row)
            if not self._doubled:
                self._between.move(block.left(), tops[1])
                tops[1] += row + UNIT
        left = block.left()
        for half in (0, 1):
            chosen = self._doubled.get(half)
            for name in (n for n in self.names if _half(n) == half):
                tile, line = self._tiles[name], _line(name)
                tile.set_foot(foot if name == chosen else feet[line])
                if chosen is None:
                    across = TILES.index(name) % 2 * (side + gutter)
                    tile.setGeometry(left + across, tops[line], side, head + side + feet[line])
                elif name == chosen:
                    tile.setGeometry(left, block.top(), 2 * side + more, 2 * side + rest)
                tile.place()
                tile.setVisible(chosen in (None, name))
            left += (2 * side + gutter if chosen is None else 2 * side + more) + gutter
        self._tell_lattice()
        self.update()

    def _foot(self, line: int) -> int:
        """The height that the strips of a row need."""
        wanted = [tile.foot_wanted for name, tile in self._tiles.items() if _line(name) == line]
        return max(wanted, default=round(FOOT * self.scale))

    def _tell_lattice(self) -> None:
        sides = [self._tiles[n].square().width() for n in self.doubled if n in FIELDS and n in self._tiles]
        lattice = LATTICE
        if sides:
            lattice = min(max(LATTICE_DOUBLED, max(sides) // 64 * 4), 64)
        if lattice != self._lattice:
            self._lattice = lattice
            self.lattice_wanted.emit(lattice)

    @property
    def lattice(self) -> int:
        """How many arrows along a side suit the present layout."""
        return self._lattice

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay everything out anew."""
        self.settle()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The theme's window colour behind everything."""
        with QPainter(self) as painter:
            painter.fillRect(event.rect(), QColor(self.theme.window))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Make doubled tiles small again with Escape."""
        if event.key() == Qt.Key.Key_Escape and self._doubled:
            self.halve()
        else:
            super().keyPressEvent(event)


def _line(name: str) -> int:
    """0 for the tiles of the upper row, 1 for those of the lower."""
    return TILES.index(name) // _COLUMNS


def _half(name: str) -> int:
    """0 for the tiles of the left half, 1 for those of the right."""
    return TILES.index(name) % _COLUMNS // 2
