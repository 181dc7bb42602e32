"""The drawer at the window's right: one page at a time of what can be set, behind a row of names.

The pages are panels of their own, made when they are first turned to; the drawer shows, scrolls and scales them. While
it is open it follows the hand: a click on a square turns to the page of what stands there.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from explorer.late import Late
from explorer.theme import CONTROL, LIGHT, UNIT, Theme, font
from explorer.views.tile import tell

WIDTH = 312
"""Pixels at scale 1."""

TITLES = {
    "training": "Training",
    "race": "Race",
    "particles": "Particles",
    "view": "View",
    "painting": "Painting",
}
"""The pages' names, in order."""

_PAGES = {"painting": "painting", "curves": "training", "shares": "particles", "distances": "particles"}


def page_of(view: str) -> str:
    """The page that belongs to a view on the stage."""
    if view.startswith("pane"):
        return "particles"
    return "race" if view.startswith("race") else _PAGES.get(view, "view")


class Drawer(QWidget):
    """Pages by name."""

    turned = Signal(str)
    """The page that is shown now."""

    def __init__(self, pages: Late[QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Settings")
        self.setObjectName("drawer")
        self.pages = pages
        self._theme, self._factor = LIGHT, 1.0
        self._tabs: dict[str, QToolButton] = {}
        self._areas: dict[str, QScrollArea] = {}
        self._stack = QStackedWidget()
        group = QButtonGroup(self)
        row = QHBoxLayout()
        row.setContentsMargins(UNIT, UNIT // 2, UNIT, 0)
        row.setSpacing(0)
        for name in pages:
            tab = QToolButton()
            tab.setText(TITLES[name])
            tab.setToolTip(f"Settings: {TITLES[name].lower()}")
            tab.setAccessibleName(f"Settings: {TITLES[name]}")
            tab.setCheckable(True)
            tab.setAutoRaise(True)
            tab.setObjectName("tab")
            tab.clicked.connect(lambda _=False, n=name: self.turn(n))
            group.addButton(tab)
            row.addWidget(tab)
            self._tabs[name] = tab
        row.addStretch(1)
        rule = QFrame()
        rule.setObjectName("rule")
        rule.setFixedHeight(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(rule)
        layout.addWidget(self._stack, 1)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.set_scale(1.0)
        self._tabs[next(iter(pages))].setChecked(True)
        pages.each(self._take)

    def _take(self, name: str, page: QWidget) -> None:
        """Put a page into its place, in the colours and at the scale of the others."""
        tell(page, "set_theme", self._theme)
        tell(page, "set_scale", self._factor)
        body = QWidget()
        body.setAutoFillBackground(False)
        column = QVBoxLayout(body)
        column.setContentsMargins(2 * UNIT, UNIT, 2 * UNIT, UNIT)
        column.addWidget(page)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidget(body)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.viewport().setAutoFillBackground(False)
        self._areas[name] = area
        self._stack.addWidget(area)

    @property
    def page(self) -> str:
        """The name of the page that is shown."""
        return next(name for name, tab in self._tabs.items() if tab.isChecked())

    def turn(self, name: str) -> None:
        """Show this page."""
        self._tabs[name].setChecked(True)
        self._need()
        self.turned.emit(name)

    def _need(self) -> None:
        """Show the page whose name is marked, whether it was there before or not."""
        self.pages[self.page]
        self._stack.setCurrentWidget(self._areas[self.page])

    def showEvent(self, event: QShowEvent) -> None:
        """Have a page to show."""
        self._need()
        super().showEvent(event)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        for page in self.pages.made.values():
            tell(page, "set_theme", theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._factor = factor
        for tab in self._tabs.values():
            tab.setFont(font(CONTROL, scale=factor))
        for page in self.pages.made.values():
            tell(page, "set_scale", factor)
        self.setFixedWidth(round(WIDTH * factor))

    def sizeHint(self) -> QSize:
        """Its fixed width; as high as there is room."""
        return QSize(round(WIDTH * self._factor), 400)
