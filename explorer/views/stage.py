"""The stage: eight equal squares in two rows, the noise level between them, and up to two squares doubled.

Read left to right, top then bottom: what was painted, what was learned, what is true, how wrong; then, whose particles
are right. The side of a square is the largest whole number of pixels that fits both ways; what is left over goes into
the gutters, in steps of 8, and then evenly around the block.

A doubled tile takes the four places of its half (left or right) of the block, so that its height is that of two rows:
big = 2 side + a title + a strip + a gap. The other half stays as it was, or holds a doubled tile of its own: both
fields, or two panes of particles, large and side by side. The row of the noise level then moves below.

Any view can stand in any place: `arrange` says which, and views that stand nowhere are kept, unseen. A presentation
shows one to four of them alone, as large as they fit.

The layout is plain arithmetic in `settle`, done at every resize: a stage that is never shown, as in a film, lies
exactly like one in a window.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from explorer.engine.frames import same_learning
from explorer.engine.messages import Frame, Want
from explorer.theme import LIGHT, UNIT, Theme
from explorer.views.tile import FOOT, HEAD, Tile, least_height, tell

PLACES = ("painting", "learned", "true", "curves", "shares", "pane1", "pane2", "pane3")
"""The eight views of the story, in reading order."""

FIELDS = ("learned", "true", "difference")
"""The views that show arrows."""

LATTICE, LATTICE_DOUBLED = 20, 32
"""Arrows along a side of a field, and at least so many when a field is doubled."""

_COLUMNS = 4
_GUTTER, _WIDEST_GUTTER = 2 * UNIT, 4 * UNIT
_LEAST_HALF = 480
"""The least width of half the row between at scale 1 under a presentation's tiles."""
_BETWEEN = 32
"""The least height of the row between at scale 1."""


class Stage(QWidget):
    """Holds the tiles, each with a view, and says which of them are seen."""

    lattice_wanted = Signal(int)
    """So many arrows along a side suit the size at which fields are shown now."""
    arranged = Signal()
    """Other views are seen than before, or in other places."""
    touched = Signal(str)
    """The person has clicked on this view."""
    menu_wanted = Signal(str, QPoint)
    """The person wants to choose what stands in this view's place; where on the screen."""

    def __init__(self, make: Callable[[str], object] | None = None, parent: QWidget | None = None) -> None:
        """`make` puts a view that is to be seen for the first time; without it only views that were put can be seen."""
        super().__init__(parent)
        self._make = make
        self._places: tuple[str, ...] = PLACES
        self._presented: tuple[str, ...] = ()
        self.theme = LIGHT
        self.scale = 1.0
        self._tiles: dict[str, Tile] = {}
        self._between: QWidget | None = None
        self._doubled: dict[int | None, str] = {}
        self._shown: tuple[tuple[str, ...], Frame] | None = None
        self._lattice = LATTICE
        self._arranging = False
        self.setAccessibleName("Stage")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    # --- what is on it

    def put(self, name: str, title: str, content: QWidget, footer: QWidget | None = None) -> Tile:
        """Make a tile of this name out of any widget, and a strip below it; it is seen where `arrange` says."""
        old = self._tiles.pop(name, None)
        if old is not None:
            old.hide()
            old.deleteLater()
        tile = Tile(title, content, footer, self)
        tile.set_theme(self.theme)
        tile.set_scale(self.scale)
        tile.double_wanted.connect(self._on_double_wanted)
        tile.touched.connect(self._on_touched)
        tile.menu_wanted.connect(self._on_menu_wanted)
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
        """The names of the views that stand in a place, in reading order."""
        return tuple(name for name in self._places if name in self._tiles)

    @property
    def places(self) -> tuple[str, ...]:
        """The view in each of the eight places, in reading order."""
        return self._places

    def arrange(self, names: tuple[str, ...]) -> None:
        """Put these views, eight different ones, into the places in reading order; the order of focus follows.

        Raises:
            KeyError: a view that there is not.
        """
        self._arranging = True
        try:
            for name in names:
                if name not in self._tiles and self._make is not None:
                    self._make(name)
        finally:
            self._arranging = False
        for name in names:
            self._tiles[name].raise_()
        self._places = names
        self._doubled = {half: name for half, name in self._doubled.items() if self._half_of(name) == half}
        for before, after in pairwise(self.names):
            QWidget.setTabOrder(_last_in(self._tiles[before]), _first_in(self._tiles[after]))
        self.settle()
        self.arranged.emit()

    def exchange(self, name: str, other: str) -> None:
        """Put the view `other` into the place of `name`; if it stands elsewhere, the two change places."""
        swap = {name: other, other: name}
        self.arrange(tuple(swap.get(each, each) for each in self._places))

    def present(self, names: tuple[str, ...]) -> None:
        """Show these, one to four, alone and large; () shows all again as they were."""
        self._presented = tuple(name for name in self.names if name in names)
        self.settle()
        self.arranged.emit()

    @property
    def seen(self) -> tuple[str, ...]:
        """The names of the views that can be seen now."""
        if self._presented:
            return self._presented
        return tuple(name for name in self.names if self._doubled.get(self._half_of(name)) in (None, name))

    @property
    def wants(self) -> frozenset[Want]:
        """The costly parts of a frame that the views to be seen show."""
        return frozenset[Want]().union(*(getattr(self._tiles[name].content, "wants", ()) for name in self.seen))

    # --- what every view has

    def show_frame(self, frame: Frame) -> None:
        """Hand the moment to every view that can be seen, and for which it is another one."""
        seen, before = self.seen, self._shown
        self._shown = seen, frame
        learned = before is None or before[0] != seen or not same_learning(before[1], frame)
        for name in seen:
            if learned or getattr(self._tiles[name].content, "shows_particles", False):
                self._tiles[name].show_frame(frame)

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
        half = self._half_of(name)
        if half is not None:
            self._doubled[half] = name
            self.settle()
            self.arranged.emit()

    def halve(self, name: str | None = None) -> None:
        """Show this tile, or all, at the usual size."""
        for half in [h for h, n in self._doubled.items() if name in (None, n)]:
            del self._doubled[half]
        self.settle()
        self.arranged.emit()

    def toggle(self, name: str) -> None:
        """Double a tile, or make it small again."""
        if name in self.doubled:
            self.halve(name)
        else:
            self.double(name)

    def _on_double_wanted(self) -> None:
        if not self._presented:
            self.toggle(self._sender())

    def _on_touched(self) -> None:
        self.touched.emit(self._sender())

    def _on_menu_wanted(self, at: QPoint) -> None:
        self.menu_wanted.emit(self._sender(), at)

    def _sender(self) -> str:
        """The name of the tile whose signal is being handled."""
        tile = self.sender()
        return next(name for name, known in self._tiles.items() if known is tile)

    # --- geometry

    def sizeHint(self) -> QSize:
        """The stage of the smallest window that everything is designed for."""
        return QSize(1264, 640)

    def minimumSizeHint(self) -> QSize:
        """Squares of about 120 pixels."""
        return QSize(640, 420)

    def settle(self) -> None:
        """Lay everything out for the present size, at once; not while views are made that are to be arranged."""
        if self._arranging:
            return
        for name, tile in self._tiles.items():
            if name not in (self._presented or self.names):
                tile.hide()
        if self._presented:
            self._settle_presented()
            return
        head = round(HEAD * self.scale)
        feet = [self._foot(line) for line in (0, 1)]
        row = 0
        if self._between is not None:
            row = max(round(_BETWEEN * self.scale), least_height(self._between))
        # Two rows are 2 side + rest high; a doubled tile's own title and strip leave it a square of 2 side + more.
        rest = 2 * head + sum(feet) + UNIT
        # Both doubled tiles take the higher of their rows' strips, so that their squares are equal.
        foot = max((feet[self._line_of(name)] for name in self._doubled.values()), default=0)
        more = rest - head - foot
        width, height = self.width() - 2 * UNIT, self.height() - 2 * UNIT
        gaps = 3 - len(self._doubled)
        high = (height - rest - (row + UNIT if row else 0)) // 2
        wide = (width - gaps * _GUTTER - len(self._doubled) * more) // _COLUMNS
        side = max(1, min(high, wide))
        columns = _COLUMNS * side + len(self._doubled) * more
        gutter = min(_WIDEST_GUTTER, max(_GUTTER, (width - columns) // gaps // UNIT * UNIT))
        tell(self._between, "set_gutter", gutter)
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
            for name in (n for n in self.names if self._half_of(n) == half):
                tile, line = self._tiles[name], self._line_of(name)
                tile.set_foot(foot if name == chosen else feet[line])
                if chosen is None:
                    across = self._places.index(name) % 2 * (side + gutter)
                    tile.setGeometry(left + across, tops[line], side, head + side + feet[line])
                elif name == chosen:
                    tile.setGeometry(left, block.top(), 2 * side + more, 2 * side + rest)
                tile.place()
                tile.setVisible(chosen in (None, name))
            left += (2 * side + gutter if chosen is None else 2 * side + more) + gutter
        self._tell_lattice()
        self.update()

    def _line_of(self, name: str) -> int:
        """0 for a view of the upper row, 1 for one of the lower."""
        return self._places.index(name) // _COLUMNS

    def _half_of(self, name: str) -> int | None:
        """0 for a view of the left half, 1 for one of the right, None for one that stands nowhere."""
        return self._places.index(name) % _COLUMNS // 2 if name in self._places else None

    def _foot(self, line: int) -> int:
        """The height that the strips of a row need."""
        wanted = [self._tiles[name].foot_wanted for name in self.names if self._line_of(name) == line]
        return max(wanted, default=round(FOOT * self.scale))

    def _settle_presented(self) -> None:
        """Side by side, or four two by two where they are larger so, with the row between below them."""
        names = self._presented
        row = 0
        if self._between is not None:
            row = max(round(_BETWEEN * self.scale), least_height(self._between)) + UNIT
        tiles = [self._tiles[name] for name in names]
        head, foot = round(HEAD * self.scale), max(tile.foot_wanted for tile in tiles)

        def fits(cols: int) -> int:
            """The side of a square in so many columns."""
            lines = -(-len(names) // cols)
            high = (self.height() - 2 * UNIT - row - (lines - 1) * UNIT) // lines - head - foot
            wide = (self.width() - 2 * UNIT - (cols - 1) * _GUTTER) // cols
            return max(1, min(high, wide))

        cols = max((len(names), 2) if len(names) == 4 else (len(names),), key=fits)
        lines, side = -(-len(names) // cols), fits(cols)
        left = (self.width() - cols * side - (cols - 1) * _GUTTER) // 2
        tall = head + side + foot
        top = max(0, (self.height() - row - lines * tall - (lines - 1) * UNIT) // 2)
        for i, tile in enumerate(tiles):
            tile.set_foot(foot)
            x, y = left + i % cols * (side + _GUTTER), top + i // cols * (tall + UNIT)
            tile.setGeometry(x, y, side, tall)
            tile.place()
            tile.show()
        if self._between is not None:
            tell(self._between, "set_gutter", _GUTTER)
            wide = max(cols * side + (cols - 1) * _GUTTER, min(self.width() - 2 * UNIT, 2 * _LEAST_HALF))
            below = top + lines * tall + (lines - 1) * UNIT + UNIT // 2
            self._between.setGeometry((self.width() - wide) // 2, below, wide, row - UNIT)
        self._tell_lattice()
        self.update()

    def _tell_lattice(self) -> None:
        large = self._presented or self.doubled
        sides = [self._tiles[n].square().width() for n in large if n in FIELDS and n in self._tiles]
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


def _first_in(tile: Tile) -> QWidget:
    """What the keyboard comes to first in a tile."""
    return tile.content if tile.content.focusPolicy() != Qt.FocusPolicy.NoFocus else tile


def _last_in(tile: Tile) -> QWidget:
    """What the keyboard comes to last in a tile."""
    parts = tile.footer.findChildren(QWidget) if tile.footer is not None else []
    able = [part for part in parts if part.focusPolicy() & Qt.FocusPolicy.TabFocus]
    return able[-1] if able else _first_in(tile)
