"""Every key on one sheet, by menu and by view, from the same registry that the menus are made of.

Typing filters it. It is drawn in as many columns as fit, and at the scale of the window: in a presentation it can be
read from the back of a room.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QScrollArea, QWidget

from explorer.actions import ActionSpec
from explorer.panels.overlay import Overlay
from explorer.panels.palette import native, plain
from explorer.theme import CONTROL, HEADING, LIGHT, TITLE, UNIT, Theme, font

ViewKey = tuple[str, str, str]
"""Where a key works, the key as it is written, and what it does."""

_ROW, _HEAD, _GAP, _COLUMN, _KEYS = 19, 32, 8, 304, 96


@dataclass(frozen=True)
class KeyGroup:
    """The keys of one menu or one kind of view: (keys, what they do) each."""

    title: str
    rows: tuple[tuple[str, str], ...]


def key_groups(specs: Iterable[ActionSpec], view_keys: Iterable[ViewKey] = ()) -> tuple[KeyGroup, ...]:
    """All keys, menus first in their order, then the places of `view_keys` in theirs."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for spec in specs:
        if spec.name and spec.keys:
            keys = ", ".join(native(key) for key in spec.keys)
            groups.setdefault(spec.menu.replace("/", " > "), []).append((keys, plain(spec.text)))
    for where, key, what in view_keys:
        groups.setdefault(where, []).append((key, what))
    return tuple(KeyGroup(title, tuple(rows)) for title, rows in groups.items())


def matching(groups: Iterable[KeyGroup], query: str) -> tuple[KeyGroup, ...]:
    """The keys in whose line, or whose group's title, every word typed is found."""
    words = query.lower().split()
    found = []
    for group in groups:
        rows = tuple(row for row in group.rows if all(w in f"{group.title} {row[0]} {row[1]}".lower() for w in words))
        if rows:
            found.append(KeyGroup(group.title, rows))
    return tuple(found)


class KeySheet(Overlay):
    """The sheet; `open` shows it with everything on it."""

    def __init__(self, host: QWidget, specs: Iterable[ActionSpec], view_keys: Iterable[ViewKey] = ()) -> None:
        super().__init__(host)
        self._groups = key_groups(specs, view_keys)
        self.setAccessibleName("Keys")
        self.field = QLineEdit(self)
        self.field.setPlaceholderText("Filter")
        self.field.setAccessibleName("Filter keys")
        self.field.setToolTip("A key or a word of what it does; Escape leaves")
        self.field.textChanged.connect(self._filter)
        self.body = _Columns()
        self.area = QScrollArea(self)
        self.area.setWidget(self.body)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.body.show_groups(self._groups)

    @property
    def shown(self) -> tuple[KeyGroup, ...]:
        """What stands on the sheet."""
        return self.body.groups

    def open(self) -> None:
        """Show every key."""
        self.field.clear()
        super().open()

    def _filter(self, text: str) -> None:
        self.body.show_groups(matching(self._groups, text))
        self.arrange()

    def sheet(self) -> QRect:
        """Nearly the whole window."""
        return self.rect().adjusted(2 * UNIT, 2 * UNIT, -2 * UNIT, -2 * UNIT)

    def arrange(self) -> None:
        """The title and the field above, the columns below."""
        sheet, k = self.sheet(), self.factor
        high = round(32 * k)
        self.field.setFont(font(CONTROL, scale=k))
        wide = round(240 * k)
        self.field.setGeometry(sheet.right() - wide - 2 * UNIT, sheet.top() + 2 * UNIT, wide, high)
        top = sheet.top() + 3 * UNIT + high
        self.area.setGeometry(sheet.left() + 3 * UNIT, top, sheet.width() - 5 * UNIT, sheet.bottom() - top - UNIT)
        self.body.settle(self.area.width() - 2 * UNIT, self.area.height(), k)
        self.update()

    def take_focus(self) -> None:
        """Type at once."""
        self.field.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll with the arrows; leave with Escape or the sheet's own key."""
        bar, page = self.area.verticalScrollBar(), self.area.viewport().height()
        steps = {Qt.Key.Key_Down: 40, Qt.Key.Key_Up: -40, Qt.Key.Key_PageDown: page, Qt.Key.Key_PageUp: -page}
        key = Qt.Key(event.key())
        if key in steps:
            bar.setValue(bar.value() + steps[key])
            event.accept()
        elif key == Qt.Key.Key_F1:
            self.close_sheet()
        else:
            super().keyPressEvent(event)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        super().set_theme(theme)
        self.body.theme = theme
        self.body.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The veil, the sheet, its title."""
        super().paintEvent(event)
        with QPainter(self) as painter:
            painter.setFont(font(HEADING, bold=True, scale=self.factor))
            painter.setPen(QColor(self.theme.ink))
            box = self.sheet().adjusted(3 * UNIT, 2 * UNIT, 0, 0)
            box.setHeight(round(32 * self.factor))
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, "Keys")


class _Columns(QWidget):
    """Groups one below the other in even columns."""

    def __init__(self) -> None:
        super().__init__()
        self.theme = LIGHT
        self.groups: tuple[KeyGroup, ...] = ()
        self._factor, self._across, self._columns = 1.0, 400, 1
        self._placed: list[list[KeyGroup]] = []
        self.setAccessibleName("Keys")

    def show_groups(self, groups: tuple[KeyGroup, ...]) -> None:
        """Show these."""
        self.groups = groups
        words = "; ".join(f"{g.title}: " + ", ".join(f"{keys} {what}" for keys, what in g.rows) for g in groups)
        self.setAccessibleDescription(words or "No key is found")

    def settle(self, wide: int, high: int, factor: float) -> None:
        """Lay the groups out for this width, in columns that are as even as whole groups allow."""
        self._factor, self._across = factor, wide
        heights = [self._height(group) for group in self.groups]
        # As few as show everything at once: the wider a column, the more of its words are whole.
        most = max(1, wide // round(_COLUMN * factor))
        count = min(most, max(1, -(-sum(heights) * 5 // (4 * max(high, 1)))))
        tallest = max([-(-sum(heights) // count), *heights], default=0)
        columns: list[list[KeyGroup]] = _fill(self.groups, heights, tallest)
        while len(columns) > count:
            tallest += round(_ROW * factor)
            columns = _fill(self.groups, heights, tallest)
        self._placed = columns
        self._columns = count
        used = max((sum(self._height(group) for group in column) for column in columns), default=0)
        self.setFixedSize(wide, max(used, min(high, 40)))
        self.update()

    @property
    def column_width(self) -> int:
        """Pixels that a row has for its key and its words."""
        return self._across // self._columns - 3 * UNIT

    def _height(self, group: KeyGroup) -> int:
        return round((_HEAD + _ROW * len(group.rows) + _GAP) * self._factor)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Titles over thin rules, keys left, what they do right of them."""
        k = self._factor
        row, head = round(_ROW * k), round(_HEAD * k)
        left_edge, middle = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignVCenter
        bold, usual, title = font(CONTROL, bold=True, scale=k), font(CONTROL, scale=k), font(TITLE, bold=True, scale=k)
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(self.theme.surface))
            painter.setPen(QColor(self.theme.ink))
            if not self.groups:
                painter.setFont(usual)
                painter.drawText(self.rect(), middle | left_edge, "No key is found. Clear the filter to see all.")
            step = self._across // self._columns
            for column, groups in enumerate(self._placed):
                x, y, wide = column * step, 0, self.column_width
                for group in groups:
                    painter.setFont(title)
                    painter.setPen(QColor(self.theme.ink))
                    painter.drawText(QRect(x, y, wide, head - UNIT), middle | left_edge, group.title)
                    painter.fillRect(x, y + head - UNIT, wide, 1, QColor(self.theme.rule))
                    y += head - UNIT // 2
                    for (key, what), start in zip(group.rows, starts(group, wide, k), strict=True):
                        painter.setFont(bold)
                        painter.drawText(QRect(x, y, start, row), middle | left_edge, key)
                        painter.setFont(usual)
                        box = QRect(x + start, y, wide - start, row)
                        words = QFontMetrics(usual).elidedText(what, Qt.TextElideMode.ElideRight, box.width())
                        painter.drawText(box, middle | left_edge, words)
                        y += row
                    y += round(_GAP * k) + UNIT // 2


def starts(group: KeyGroup, wide: int, scale: float) -> list[int]:
    """Where the words of each row begin, in pixels from its left edge.

    They stand below each other right of the longest key, but further left where that leaves the longest words no room;
    a long key then pushes its own words to the right.
    """
    bold, usual = QFontMetrics(font(CONTROL, bold=True, scale=scale)), QFontMetrics(font(CONTROL, scale=scale))
    keys = [bold.horizontalAdvance(key) + 2 * UNIT for key, _ in group.rows]
    words = max(usual.horizontalAdvance(what) for _, what in group.rows)
    column = max(round(_KEYS * scale), min(max(keys), wide - words))
    return [max(column, key) for key in keys]


def _fill(groups: tuple[KeyGroup, ...], heights: list[int], tallest: int) -> list[list[KeyGroup]]:
    """The groups in columns of at most this height, each in the first that has room for it."""
    columns: list[list[KeyGroup]] = [[]]
    used = [0]
    for group, height in zip(groups, heights, strict=True):
        place = next((k for k, taken in enumerate(used) if not taken or taken + height <= tallest), len(columns))
        if place == len(columns):
            columns.append([])
            used.append(0)
        columns[place].append(group)
        used[place] += height
    return columns
