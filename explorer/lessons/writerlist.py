"""The steps of a lesson in a list: chosen, moved by hand or by key, added from the present moment, removed."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QDropEvent, QIcon, QKeyEvent, QTransform
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from explorer.lessons.draft import DraftStep
from explorer.panels.fields import Choice
from explorer.panels.icons import icon
from explorer.theme import CONTROL, LIGHT, UNIT, Theme, font

WIDTH = 264
"""Pixels at scale 1."""

_PLACE = Qt.ItemDataRole.UserRole
_TOOLS = (
    ("up", "Move up", "Bring the step further up  (Alt+Up)"),
    ("down", "Move down", "Bring the step further down  (Alt+Down)"),
    ("duplicate", "Duplicate", "The step a second time  (Ctrl+D)"),
    ("remove", "Remove", "Take the step away  (Delete)"),
    ("undo", "Undo", "Undo  (Ctrl+Z)"),
)
_ICONS = {"duplicate": "duplicate", "remove": "close", "undo": "undo"}
_TURNS = {"up": -90, "down": 90}


class _List(QListWidget):
    """A list whose rows are dragged; what was dragged where is told, and the rows follow from that."""

    dragged = Signal(int, int)
    pressed_key = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Steps")
        self.setToolTip("Drag a step, or Alt+Up and Alt+Down, to move it")
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)

    def dropEvent(self, event: QDropEvent) -> None:
        """Say where a row has gone; on the way no other one is chosen."""
        held = self.currentItem().data(_PLACE) if self.currentItem() is not None else 0
        self.blockSignals(True)
        super().dropEvent(event)
        self.blockSignals(False)
        self.tell_order(held)

    def tell_order(self, held: int) -> None:
        """Tell the one move that the rows have made, if they have made one; rather one of the step that was held."""
        order = [self.item(row).data(_PLACE) for row in range(self.count())]
        if sorted(order) != list(range(len(order))):
            return
        for at in sorted(order, key=lambda place: place != held):
            rest = [place for place in order if place != at]
            if rest == sorted(rest) and order.index(at) != at:
                QTimer.singleShot(0, self, partial(self.dragged.emit, at, order.index(at)))
                return

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move, duplicate or remove the step by key."""
        alt = event.modifiers() == Qt.KeyboardModifier.AltModifier
        names = {Qt.Key.Key_Up: "up", Qt.Key.Key_Down: "down"} if alt else {Qt.Key.Key_Delete: "remove"}
        if event.key() == Qt.Key.Key_D and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.pressed_key.emit("duplicate")
        elif event.key() in names:
            self.pressed_key.emit(names[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)


class StepList(QWidget):
    """The list and its buttons; says what is wanted."""

    chosen = Signal(int)
    moved = Signal(int, int)
    wanted = Signal(str)
    """"duplicate", "remove" or "undo"."""
    add_wanted = Signal(bool)
    take_wanted = Signal(bool)
    """Whether the run is taken with what is shown."""

    def __init__(self) -> None:
        super().__init__()
        self._theme, self._factor = LIGHT, 1.0
        self.list = _List()
        self.list.currentRowChanged.connect(lambda row: self.chosen.emit(row) if row >= 0 else None)
        self.list.dragged.connect(self.moved)
        self.list.pressed_key.connect(self._do)
        self.tools: dict[str, QToolButton] = {}
        row = QHBoxLayout()
        row.setSpacing(0)
        for name, words, tip in _TOOLS:
            button = self.tools[name] = QToolButton()
            button.setAutoRaise(True)
            button.setAccessibleName(words)
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, n=name: self._do(n))
            if name == "undo":
                row.addStretch(1)
            row.addWidget(button)
        self.what = Choice([("run", "with the run that is open"), ("shown", "only what is shown")])
        self.what.setAccessibleName("What is added or taken")
        self.what.setToolTip(
            "With the run the step begins from what is open: painting, settings, weights. "
            "Otherwise the run of the step before goes on."
        )
        self.add, self.take = QPushButton("Add this moment"), QPushButton("Take this moment")
        self.add.setToolTip("A new step that shows what the main window shows now")
        self.take.setToolTip("Let the chosen step show what the main window shows now")
        self.add.clicked.connect(lambda: self.add_wanted.emit(self._with_run()))
        self.take.clicked.connect(lambda: self.take_wanted.emit(self._with_run()))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        for widget in (self.add, self.take, self.what):
            column.addWidget(widget)
        for press in (self.add, self.take):
            press.setAutoDefault(False)
        self.set_scale(1.0)

    def show_steps(self, steps: tuple[DraftStep, ...], selected: int, wrong: Collection[int], undo: str) -> None:
        """Show these; emits nothing. Steps that go on with the one before stand further in; `wrong` ones are marked."""
        self.list.blockSignals(True)
        while self.list.count() > len(steps):
            self.list.takeItem(self.list.count() - 1)
        while self.list.count() < len(steps):
            self.list.addItem(QListWidgetItem())
        for place, step in enumerate(steps):
            item = self.list.item(place)
            indent = "" if step.begin is not None else "      "
            item.setText(f"{indent}{place + 1}   {step.title.strip() or 'Untitled'}")
            item.setData(_PLACE, place)
            item.setForeground(self._theme.colour("ink" if step.title.strip() else "quiet"))
            bad = place in wrong
            item.setIcon(icon("warning", self._theme, self._side) if bad else QIcon())
            item.setToolTip(f"Step {place + 1}{': something is missing or wrong' if bad else ''}")
        self.list.setCurrentRow(selected)
        self.list.blockSignals(False)
        some = selected >= 0
        for name, possible in (
            ("up", selected > 0),
            ("down", some and selected + 1 < len(steps)),
            ("duplicate", some),
            ("remove", some),
            ("undo", bool(undo)),
        ):
            self.tools[name].setEnabled(possible)
        self.take.setEnabled(some)
        self.tools["undo"].setToolTip(f"Undo: {undo}  (Ctrl+Z)" if undo else "Nothing to undo")

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.what.ink = theme.colour("quiet")
        self._draw_icons()

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._factor = factor
        for widget in (self.list, self.add, self.take, self.what):
            widget.setFont(font(CONTROL, scale=factor))
        self.setFixedWidth(round(WIDTH * factor))
        self._draw_icons()

    @property
    def _side(self) -> int:
        return round(14 * self._factor)

    def _with_run(self) -> bool:
        return bool(self.what.currentData() == "run")

    def _do(self, name: str) -> None:
        row = self.list.currentRow()
        if name in _TURNS:
            self.moved.emit(row, row + (1 if name == "down" else -1))
        else:
            self.wanted.emit(name)

    def _draw_icons(self) -> None:
        side = self._side
        self.list.setIconSize(QSize(side, side))
        for name, button in self.tools.items():
            drawn = icon(_ICONS.get(name, "play"), self._theme, side)
            button.setIcon(_turned(drawn, _TURNS[name], side) if name in _TURNS else drawn)
            button.setIconSize(QSize(side, side))


def _turned(drawn: QIcon, degrees: int, side: int) -> QIcon:
    """An icon by so many degrees further round."""
    turned = QIcon()
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Disabled):
        for density in (1, 2):
            picture = drawn.pixmap(QSize(side, side), float(density), mode)
            turned.addPixmap(picture.transformed(QTransform().rotate(degrees)), mode)
    return turned
