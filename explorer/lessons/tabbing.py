"""The Tab key goes through a form as it is read, whenever its parts were made."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QWidget


def order_tabs(widget: QWidget) -> None:
    """Let the Tab key follow the order in which the widget's layouts hold its parts."""
    for one, other in pairwise(focusables(widget.layout())):
        QWidget.setTabOrder(one, other)


def focusables(layout: QLayout | None) -> Iterator[QWidget]:
    """What the Tab key reaches in a layout and those within it, in their order."""
    for place in range(layout.count() if layout is not None else 0):
        item = layout.itemAt(place) if layout is not None else None
        widget = item.widget() if item is not None else None
        if widget is not None and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            yield widget
        else:
            inner = item.layout() if item is not None else None
            yield from focusables(inner if widget is None else widget.layout())
