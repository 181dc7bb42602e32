"""The command palette: everything that can be done, found by a few letters, from the keyboard alone.

It lists what it is given as `Entry`s: the actions of the menus with their keys and states, pages of settings, views.
Nothing is registered here; `entries_of` makes them from the registry of actions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QAction, QColor, QKeyEvent, QKeySequence, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import (
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from explorer.actions import ActionSpec
from explorer.panels.overlay import Overlay
from explorer.search import ranked
from explorer.theme import CAPTION, CONTROL, TITLE, UNIT, Theme, font

WIDTH, ROWS, ROW = 560, 11, 32
"""Pixels at scale 1, rows at once, and the height of one."""

_RECENT = 12
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class Entry:
    """One thing that can be done.

    Attributes:
        name: tells it from all others.
        text: its words.
        place: the menu or the kind of thing it is.
        key: its key, "" for none.
        tip: what it does; found by the search too.
        checked: whether it is on; None for what has no state.
        enabled: whether it can be done now.
        run: does it.
    """

    name: str
    text: str
    place: str
    run: Callable[[], object]
    key: str = ""
    tip: str = ""
    checked: bool | None = None
    enabled: bool = True


def plain(text: str) -> str:
    """A menu's text without its mnemonic and its dots."""
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&").rstrip("…")


def native(key: str) -> str:
    """A key as this system writes it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def entries_of(specs: Iterable[ActionSpec], actions: Mapping[str, QAction]) -> list[Entry]:
    """An entry for every action of the menus, as it is now."""
    found = []
    for spec in specs:
        action = actions.get(spec.name)
        if action is not None:
            key = native(spec.keys[0]) if spec.keys else ""
            checked = action.isChecked() if spec.checkable else None
            words = plain(action.text())
            found.append(
                Entry(
                    spec.name,
                    words,
                    spec.menu.replace("/", " > "),
                    action.trigger,
                    key,
                    spec.tip,
                    checked,
                    action.isEnabled(),
                )
            )
    return found


class CommandPalette(Overlay):
    """A field and a list below it, over the upper middle of the window."""

    def __init__(self, host: QWidget, entries: Callable[[], Sequence[Entry]]) -> None:
        """`entries` says what can be done whenever the palette opens."""
        super().__init__(host)
        self._entries = entries
        self._found: list[Entry] = []
        self._all: Sequence[Entry] = ()
        self.used: list[str] = []
        self.setAccessibleName("Command palette")
        self.field = QLineEdit(self)
        self.field.setPlaceholderText("Type a command, a setting or a view")
        self.field.setAccessibleName("Command")
        self.field.setToolTip("A few letters of what to do; arrows choose, Return does it, Escape leaves")
        self.list = QListWidget(self)
        self.list.setAccessibleName("Commands found")
        self.list.setToolTip("Return or a click does it")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._rows = _Rows(self)
        self.list.setItemDelegate(self._rows)
        self.field.textChanged.connect(self._search)
        self.field.installEventFilter(self)
        self.list.itemClicked.connect(lambda _: self._run())

    # --- what it does

    def open(self) -> None:
        """Show everything that can be done, what was done last first."""
        self._all = list(self._entries())
        self.field.clear()
        self._search("")
        super().open()

    @property
    def found(self) -> tuple[Entry, ...]:
        """What is listed, best first."""
        return tuple(self._found)

    def _search(self, text: str) -> None:
        by_name = {entry.name: entry for entry in self._all}
        recent = [by_name[name] for name in self.used if name in by_name]
        self._found = ranked(
            text, self._all, lambda e: f"{e.text} {e.place}", lambda e: e.tip, recent, title=lambda e: e.text
        )
        self.list.clear()
        for entry in self._found:
            item = QListWidgetItem(entry.text)
            item.setToolTip(entry.tip)
            state = {True: ", on", False: ", off", None: ""}[entry.checked]
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{entry.text}, {entry.place}{state} {entry.key}")
            self.list.addItem(item)
        if self._found:
            self.list.setCurrentRow(0)
        else:
            nothing = QListWidgetItem("Nothing is called that. Fewer letters find more.")
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(nothing)
        self.arrange()

    def _run(self) -> None:
        row = self.list.currentRow()
        if 0 <= row < len(self._found) and self._found[row].enabled:
            entry = self._found[row]
            self.used = [entry.name, *(name for name in self.used if name != entry.name)][:_RECENT]
            self.close_sheet()
            entry.run()

    # --- keys and geometry

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the arrows and Return from the field."""
        if watched is self.field:
            if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
                return self._key(event)
            return False
        return super().eventFilter(watched, event)

    def _key(self, event: QKeyEvent) -> bool:
        steps = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: ROWS - 1,
            Qt.Key.Key_PageUp: 1 - ROWS,
            Qt.Key.Key_Tab: 1,
            Qt.Key.Key_Backtab: -1,
        }
        key, count = Qt.Key(event.key()), self.list.count()
        if key in steps and count:
            row = self.list.currentRow() + steps[key]
            self.list.setCurrentRow(row % count if abs(steps[key]) == 1 else min(max(row, 0), count - 1))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._run()
        elif key == Qt.Key.Key_Escape:
            self.close_sheet()
        else:
            return key in steps
        return True

    def sheet(self) -> QRect:
        """Upper middle, as high as what is found needs."""
        wide = min(round(WIDTH * self.factor), self.width() - 2 * UNIT)
        field, row = round(44 * self.factor), round(ROW * self.factor)
        shown = min(max(1, len(self._found)), ROWS, max(1, (self.height() - field - 6 * UNIT) // row))
        return QRect((self.width() - wide) // 2, 2 * UNIT, wide, field + shown * row + 2 * UNIT)

    def arrange(self) -> None:
        """The field above, the list below."""
        sheet, high = self.sheet(), round(36 * self.factor)
        self.field.setFont(font(TITLE, scale=self.factor))
        self.field.setGeometry(sheet.left() + UNIT, sheet.top() + UNIT, sheet.width() - 2 * UNIT, high)
        top = sheet.top() + 2 * UNIT + high
        self.list.setGeometry(sheet.left() + 1, top, sheet.width() - 2, sheet.bottom() - top - 1)
        self.update()

    def take_focus(self) -> None:
        """Type at once."""
        self.field.setFocus()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        super().set_theme(theme)
        self.list.viewport().update()


class _Rows(QStyledItemDelegate):
    """A row: the mark of what is on, the words, the menu in quiet type, the key at the right."""

    def __init__(self, palette: CommandPalette) -> None:
        super().__init__(palette)
        self._palette = palette

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """As wide as the list."""
        return QSize(100, round(ROW * self._palette.factor))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        found = self._palette.found
        theme, k = self._palette.theme, self._palette.factor
        rect: QRect = option.rect
        if index.row() >= len(found):
            painter.setFont(font(CONTROL, scale=k))
            painter.setPen(QColor(theme.quiet))
            painter.drawText(rect.adjusted(round(16 * k), 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, str(index.data()))
            return
        entry = found[index.row()]
        state: QStyle.StateFlag = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(theme.selection))
        ink = QColor(theme.ink if entry.enabled else theme.quiet)
        middle = Qt.AlignmentFlag.AlignVCenter
        box = rect.adjusted(round(32 * k), 0, -round(16 * k), 0)
        if entry.checked:
            x, y = rect.left() + 16 * k, rect.center().y() + 1
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(ink, 1.75 * k))
            mark = [QPointF(x - 4 * k, y), QPointF(x - k, y + 3 * k), QPointF(x + 5 * k, y - 4 * k)]
            painter.drawPolyline(QPolygonF(mark))
        painter.setFont(font(CONTROL, scale=k))
        painter.setPen(ink)
        painter.drawText(box, middle | Qt.AlignmentFlag.AlignLeft, entry.text)
        used = painter.fontMetrics().horizontalAdvance(entry.text) + round(12 * k)
        painter.drawText(box, middle | Qt.AlignmentFlag.AlignRight, entry.key)
        painter.setFont(font(CAPTION, scale=k))
        painter.setPen(QColor(theme.quiet))
        painter.drawText(box.adjusted(used, 0, 0, 0), middle | Qt.AlignmentFlag.AlignLeft, entry.place)
