"""The strip under the canvas: brush or eraser, how large, how strong, and what to start from.

The two small sliders draw what they mean: a wedge that grows with the radius, a ramp that darkens with the strength.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QIcon,
    QImage,
    QKeySequence,
    QLinearGradient,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QShortcut,
)
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QSizePolicy,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from explorer.brush import Brush
from explorer.numbers import three
from explorer.panels.icons import icon
from explorer.panels.sliding import FollowingSlider
from explorer.theme import CONTROL, LIGHT, UNIT, Theme, font
from trainer.paintings import preset_names, preset_title, preset_weights

RADII = (0.02, 0.5)
"""Smallest and largest radius on the slider, in units of the plane; the slider is logarithmic."""

PLACES = 100
"""Places on each slider."""

THUMBNAIL = 40
"""Pixels along a preset's small picture."""


class BrushStrip(QWidget):
    """Brush, eraser, radius, strength, presets, and the actions `undo`, `redo` and `clear`.

    Args:
        actions: at least `undo`, `redo` and `clear`; the strip draws their icons.
    """

    changed = Signal(Brush)
    """Another brush: radius, strength or eraser changed."""
    preset_chosen = Signal(str)
    """The person wants this preset as the painting."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = {name: actions[name] for name in ("undo", "redo", "clear")}
        self._theme, self._factor = LIGHT, 1.0
        self._pictured: tuple[Theme, float] | None = None
        start = Brush()
        self.brush_button = self._tool("Brush", "Paint: adds mass (B)", "B")
        self.eraser_button = self._tool("Eraser", "Erase: takes mass away (E)", "E")
        group = QButtonGroup(self)
        for button in (self.brush_button, self.eraser_button):
            button.setCheckable(True)
            group.addButton(button)
        self.brush_button.setChecked(not start.eraser)
        self.radius = _Wedge("Radius of the brush", "smaller [, larger ]")
        self.strength = _Ramp("Strength of the brush", "weaker {, stronger }")
        self.radius.setValue(_place(start.radius))
        self.strength.setValue(round(start.strength * PLACES))
        self.presets = self._tool("Presets", "Start from a preset")
        self.list = QListWidget()
        self.list.setAccessibleName("Presets")
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._choose)
        self.list.itemActivated.connect(self._choose)
        self.menu = QMenu(self)
        entry = QWidgetAction(self.menu)
        entry.setDefaultWidget(self.list)
        self.menu.addAction(entry)
        self.menu.aboutToShow.connect(self._picture_presets)
        self.presets.setMenu(self.menu)
        self.presets.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._default_buttons = [self._acting(self._actions[name]) for name in ("undo", "redo", "clear")]
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for widget in (self.brush_button, self.eraser_button):
            layout.addWidget(widget)
        layout.addWidget(self.radius, 1)
        layout.addWidget(self.strength, 1)
        for widget in (self.presets, *self._default_buttons):
            layout.addWidget(widget)
        for keys, slider, step in (
            ("[", self.radius, -5),
            ("]", self.radius, 5),
            ("{", self.strength, -5),
            ("}", self.strength, 5),
        ):
            QShortcut(QKeySequence(keys), self, lambda s=slider, d=step: s.setValue(s.value() + d))
        self.brush_button.toggled.connect(self._tell)
        self.radius.valueChanged.connect(self._tell)
        self.strength.valueChanged.connect(self._tell)
        self.set_scale(1.0)
        self._describe()

    def brush(self) -> Brush:
        """The brush as it is set now."""
        low, high = RADII
        radius = low * (high / low) ** (self.radius.value() / PLACES)
        return Brush(float(f"{radius:.3g}"), max(self.strength.value(), 1) / PLACES, self.eraser_button.isChecked())

    def set_brush(self, brush: Brush) -> None:
        """Show this brush; emits nothing."""
        widgets = (self.brush_button, self.eraser_button, self.radius, self.strength)
        for widget in widgets:
            widget.blockSignals(True)
        (self.eraser_button if brush.eraser else self.brush_button).setChecked(True)
        self.radius.setValue(_place(brush.radius))
        self.strength.setValue(round(brush.strength * PLACES))
        for widget in widgets:
            widget.blockSignals(False)
            widget.update()
        self._describe()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = self.radius.theme = self.strength.theme = theme
        self._draw_icons()

    def set_scale(self, factor: float) -> None:
        """Draw type and icons this many times their size."""
        self._factor = self.radius.factor = self.strength.factor = factor
        size = QSize(round(16 * factor), round(16 * factor))
        for button in (self.brush_button, self.eraser_button, self.presets, *self._default_buttons):
            button.setIconSize(size)
        self._draw_icons()

    def _tool(self, name: str, tip: str, key: str = "") -> QToolButton:
        button = QToolButton()
        button.setAutoRaise(True)
        button.setAccessibleName(name)
        button.setToolTip(tip)
        if key:
            button.setShortcut(QKeySequence(key))
        return button

    def _acting(self, action: QAction) -> QToolButton:
        button = self._tool(action.text().replace("&", ""), action.toolTip())
        button.setDefaultAction(action)
        return button

    def _draw_icons(self) -> None:
        size = round(16 * self._factor)
        self.brush_button.setIcon(icon("brush", self._theme, size))
        self.eraser_button.setIcon(icon("eraser", self._theme, size))
        self.presets.setIcon(icon("presets", self._theme, size))
        for name, action in self._actions.items():
            action.setIcon(icon(name, self._theme, size))

    def _picture_presets(self) -> None:
        """Fill the list when it is first wanted in these colours and at this scale."""
        self.list.setFocus()
        if self._pictured == (self._theme, self._factor):
            return
        self._pictured = (self._theme, self._factor)
        side = round(THUMBNAIL * self._factor)
        self.list.clear()
        self.list.setIconSize(QSize(side, side))
        self.list.setFont(font(CONTROL, scale=self._factor))
        for name in preset_names():
            item = QListWidgetItem(preset_icon(name, self._theme), preset_title(name))
            item.setData(Qt.ItemDataRole.UserRole, name)
            self.list.addItem(item)
        high = self.list.sizeHintForRow(0) * self.list.count()
        self.list.setFixedSize(self.list.sizeHintForColumn(0) + 2 * UNIT, high + 2)

    def _choose(self, item: QListWidgetItem) -> None:
        # A click may both click and activate an item, as the desktop has it: the closed menu answers only once.
        if self.menu.isVisible():
            self.menu.close()
            self.preset_chosen.emit(item.data(Qt.ItemDataRole.UserRole))

    def _tell(self) -> None:
        self._describe()
        self.changed.emit(self.brush())

    def _describe(self) -> None:
        brush = self.brush()
        for slider, words in (
            (self.radius, f"radius {three(brush.radius)}"),
            (self.strength, f"strength {three(brush.strength)}"),
        ):
            slider.setAccessibleDescription(words)
            slider.setToolTip(f"{slider.accessibleName()}: {words.split()[1]} ({slider.keys})")


def preset_icon(name: str, theme: Theme) -> QIcon:
    """A preset as a small picture in the theme's density map."""
    weights = preset_weights(name, THUMBNAIL)
    pixels = theme.density_table()[(weights[::-1] * 255).round().astype("uint8")]
    image = QImage(pixels.tobytes(), THUMBNAIL, THUMBNAIL, 4 * THUMBNAIL, QImage.Format.Format_RGBA8888)
    return QIcon(QPixmap.fromImage(image.copy()))


def _place(radius: float) -> int:
    """Where a radius lies on its slider."""
    low, high = RADII
    return round(PLACES * math.log(min(max(radius, low), high) / low) / math.log(high / low))


class _Small(FollowingSlider):
    """A slider of the height of a button that draws its own meaning."""

    def __init__(self, name: str, keys: str) -> None:
        super().__init__(PLACES, UNIT / 2)
        self.keys = keys
        self.setAccessibleName(name)
        self.setSingleStep(2)
        self.setPageStep(10)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def sizeHint(self) -> QSize:
        """As small as can still be aimed at."""
        return QSize(round(32 * self.factor), round(24 * self.factor))

    def minimumSizeHint(self) -> QSize:
        """The same: tiles are narrow."""
        return QSize(round(24 * self.factor), round(24 * self.factor))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the meaning, then a handle at the value."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            k = self.factor
            area = QRectF(self.rect()).adjusted(UNIT / 2, 6 * k, -UNIT / 2, -6 * k)
            painter.setPen(Qt.PenStyle.NoPen)
            self.draw(painter, area)
            x = area.left() + area.width() * self.value() / PLACES
            handle = QRectF(x - 2.5 * k, area.top() - 2 * k, 5 * k, area.height() + 4 * k)
            painter.setPen(QPen(self.theme.colour("true" if self.hasFocus() else "ink"), 1.5))
            painter.setBrush(self.theme.colour("surface"))
            painter.drawRoundedRect(handle, 2 * k, 2 * k)

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Draw what the slider means inside this area; each kind its own."""


class _Wedge(_Small):
    """Grows to the right: size."""

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """A triangle from nothing to the full height."""
        painter.setBrush(self.theme.colour("quiet", 0.6))
        middle = QPointF(area.left(), area.center().y())
        painter.drawPolygon(QPolygonF([middle, area.topRight(), area.bottomRight()]))


class _Ramp(_Small):
    """Darkens to the right: strength."""

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """A bar from clear to full."""
        ramp = QLinearGradient(area.topLeft(), area.topRight())
        ramp.setColorAt(0, self.theme.colour("quiet", 0.08))
        ramp.setColorAt(1, self.theme.colour("quiet", 1.0))
        painter.setBrush(ramp)
        painter.drawRoundedRect(area.adjusted(0, 2, 0, -2), 2, 2)
