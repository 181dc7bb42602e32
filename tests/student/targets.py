"""What there is to click: actions and the way to them, controls, tiles; and where on the screen they are."""

from __future__ import annotations

import random
from collections.abc import Iterator

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QMenu,
    QMenuBar,
    QTabBar,
    QWidget,
)

from explorer.views.tile import Tile

_KINDS = (QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QTabBar)

_KEYS = {
    "Esc": "Escape",
    "Del": "Delete",
    "Ins": "Insert",
    "PgUp": "Page_Up",
    "PgDown": "Page_Down",
    "Backspace": "BackSpace",
    "Space": "space",
    "Enter": "Return",
}


def keys_of(action: QAction) -> list[str]:
    """The action's keys as `xtest.Hand.key` wants them."""
    found = []
    for sequence in action.shortcuts():
        text = sequence.toString(QKeySequence.SequenceFormat.PortableText)
        if not text or "," in text[:-1]:
            continue
        *modifiers, name = text.split("+") if not text.endswith("+") else [*text[:-1].rstrip("+").split("+"), "plus"]
        name = _KEYS.get(name, name.lower() if len(name) == 1 else name)
        found.append("+".join([*(m.lower() for m in modifiers if m), name]))
    return found


def way_to(bar: QMenuBar, action: QAction) -> list[tuple[QMenuBar | QMenu, QAction]]:
    """What to click, one after the other, to trigger an action by the menus; empty if it is in none."""

    def search(menu: QMenu) -> list[tuple[QMenuBar | QMenu, QAction]] | None:
        for each in menu.actions():
            if each is action:
                return [(menu, each)]
            inner = each.menu()
            if isinstance(inner, QMenu) and (rest := search(inner)) is not None:
                return [(menu, each), *rest]
        return None

    for top in bar.actions():
        menu = top.menu()
        if isinstance(menu, QMenu) and (rest := search(menu)) is not None:
            return [(bar, top), *rest]
    return []


def controls(root: QWidget) -> list[QWidget]:
    """Everything in `root` that a hand can use: buttons, fields, lists, and whatever takes the keyboard."""
    return [
        each
        for each in root.findChildren(QWidget)
        if each.isVisible()
        and each.isEnabled()
        and not each.visibleRegion().isEmpty()
        and not each.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        and (isinstance(each, _KINDS) or each.focusPolicy() != Qt.FocusPolicy.NoFocus)
        and not isinstance(each, QMenuBar)
    ]


def tiles(root: QWidget) -> list[Tile]:
    """The tiles that can be seen."""
    return [tile for tile in root.findChildren(Tile) if tile.isVisible() and not tile.visibleRegion().isEmpty()]


def name_of(widget: QWidget) -> str:
    """A name that tells a control from others."""
    words = widget.accessibleName() or widget.objectName()
    if not words and isinstance(widget, QAbstractButton):
        words = widget.text()
    return f"{type(widget).__name__}: {words}"


def point_in(widget: QWidget, rng: random.Random, area: QRect | None = None) -> QPoint:
    """A point of the screen where the widget can be hit."""
    box = (area or widget.visibleRegion().boundingRect()).intersected(widget.rect())
    if box.isEmpty():
        box = widget.rect()
    edge = 2 if min(box.width(), box.height()) > 8 else 0
    x = rng.randint(box.left() + edge, max(box.left() + edge, box.right() - edge))
    y = rng.randint(box.top() + edge, max(box.top() + edge, box.bottom() - edge))
    return widget.mapToGlobal(QPoint(x, y))


def wander(start: QPoint, reach: int, steps: int, rng: random.Random) -> Iterator[QPoint]:
    """A way across the screen as a hand goes it."""
    x, y = float(start.x()), float(start.y())
    dx, dy = rng.uniform(-1, 1), rng.uniform(-1, 1)
    for _ in range(steps):
        dx, dy = 0.7 * dx + 0.5 * rng.uniform(-1, 1), 0.7 * dy + 0.5 * rng.uniform(-1, 1)
        x, y = x + dx * reach / 4, y + dy * reach / 4
        yield QPoint(round(x), round(y))
