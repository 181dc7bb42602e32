"""Where the tiles of a film stand: few and large squares in as many columns and rows as make them largest.

While the network learns: two large fields, and beside them painting and curves in a column. While particles move: one
to four panes in one row, or in two where the page is nearly square; the ledger joins them where that costs the panes
nothing, and a single pane wherever there is room beside or below it.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect

from explorer.views.tile import FOOT, HEAD

LINE = 40
"""Height at scale 1 of the line of facts."""

_BAR, _TALL = 46, 84
"""Heights at scale 1 of a share bar under a pane, and of a share bar and two lines."""

_CHART, _CHART_PIXELS = 170, 190
"""The least sides at which a chart can be read: at scale 1, and in pixels at any scale."""

_ALONE = 0.75
"""A single pane gives up this share of its side at most for the ledger."""

Places = tuple[QRect | None, ...]


@dataclass(frozen=True)
class Arrangement:
    """Where the tiles of each act go, in reading order; the last of an act, its chart, is None without room.

    Attributes:
        learning: the places of painting, both fields, and the curves.
        sampling: the places of the panes, and of the ledger.
    """

    learning: Places
    sampling: Places

    @property
    def margin(self) -> int:
        """From the page's left edge to the leftmost tile of all."""
        return min(rect.left() for rect in self.learning + self.sampling if rect is not None)


@dataclass(frozen=True)
class _Page:
    """What all places on a page are reckoned from, in pixels."""

    width: int
    room: int
    gap: int
    head: int
    strip: int
    bar: int
    tall: int

    def side(self, columns: int, rows: int) -> int:
        """Of the largest squares of which so many fit."""
        beneath = self.tall if rows == 1 else self.bar
        wide = (self.width - (columns + 1) * self.gap) // columns
        return min(wide, (self.room - (rows + 1) * self.gap) // rows - self.head - beneath)

    def best(self, count: int) -> tuple[int, int]:
        """The side and the number of columns at which `count` squares are largest."""
        return max((self.side(columns, -(-count // columns)), columns) for columns in range(1, count + 1))

    def grid(self, count: int, columns: int, side: int, beneath: int, top: int | None = None) -> Places:
        """`count` squares, a short last row in the middle; the whole in the middle unless `top` says otherwise."""
        rows = -(-count // columns)
        tall = self.head + side + beneath
        if top is None:
            top = (self.room - rows * tall - (rows - 1) * self.gap) // 2
        places = []
        for k in range(count):
            row, column = divmod(k, columns)
            there = min(columns, count - row * columns)
            left = (self.width - there * side - (there - 1) * self.gap) // 2
            places.append(QRect(left + column * (side + self.gap), top + row * (tall + self.gap), side, tall))
        return tuple(places)


def arrange(width: int, height: int, scale: float, panes: int = 3) -> Arrangement:
    """Place the tiles of both acts, the second of so many panes, on a page of this size above its line of facts."""
    head, strip, bar, tall = (round(h * scale) for h in (HEAD, FOOT, _BAR, _TALL))
    page = _Page(width, height - round(LINE * scale), round(16 * min(scale, 1.5)), head, strip, bar, tall)
    learning, top = _learning(page, scale)
    return Arrangement(learning, _sampling(page, panes, top))


def _sampling(page: _Page, panes: int, top: int | None) -> Places:
    """The panes and the ledger; one row of panes begins where the fields begin, so that titles stay where they are."""
    side, columns = page.best(panes)
    with_ledger, wider = page.best(panes + 1)
    count = panes
    if with_ledger >= (side if panes > 1 else _ALONE * side):
        count, side, columns = panes + 1, with_ledger, wider
    if columns < count:
        places = page.grid(count, columns, side, page.bar)
    else:
        least = (page.room - page.head - side - page.tall) // 2
        places = page.grid(count, columns, side, page.tall, least if top is None else min(least, top))
    return places if count > panes else (*places, None)


def _learning(page: _Page, scale: float) -> tuple[Places, int | None]:
    """The four tiles of the first act, and the height at which they begin, None where they stand two by two."""
    three, quad = page.side(3, 1), page.side(2, 2)
    if quad > three:
        return page.grid(4, 2, quad, page.bar), None
    # Two large fields, and beside them a column of two small tiles, as high as the fields with title and strip.
    more = page.head + page.gap - page.strip
    small = (page.width - 4 * page.gap - 2 * more) // 5
    large = min(2 * small + more, page.room - 2 * page.gap - page.head - page.strip)
    small = (large - more) // 2
    if small < max(_CHART * scale, _CHART_PIXELS):
        top = (page.room - page.head - three - page.tall) // 2
        return (*page.grid(3, 3, three, page.strip, top), None), top
    left = (page.width - 2 * large - small - 2 * page.gap) // 2
    top = (page.room - page.head - max(large + page.strip, three + page.tall)) // 2
    tall = page.head + large + page.strip
    fields = (QRect(left + small + page.gap + i * (large + page.gap), top, large, tall) for i in range(2))
    height = page.head + small
    upper, lower = (QRect(left, top + j * (height + page.gap), small, height) for j in range(2))
    return (upper, *fields, lower), top
