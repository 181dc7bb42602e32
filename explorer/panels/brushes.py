"""The strip under the canvas: the tool in hand, how large, how strong, and what to start from.

One button shows the tool and opens a palette of all of them; what else can be set of a tool stands in the drawer. The
two small sliders draw what they mean: a wedge that grows with the radius, a ramp that darkens with the strength;
where the strength is a share of the mass, a bar of which that part is filled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QKeySequence,
    QLinearGradient,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QMenu, QSizePolicy, QToolButton, QWidget

from explorer.brush import Brush
from explorer.numbers import three
from explorer.panels.icons import icon
from explorer.panels.presets import PresetMenu
from explorer.panels.sliding import FollowingSlider
from explorer.theme import CONTROL, LIGHT, UNIT, Theme, font
from explorer.tools.kit import TOOLS, ToolKit, ToolOptions

RADII = (0.02, 0.5)
"""Smallest and largest radius on the slider, in units of the plane; the slider is logarithmic."""

PLACES = 100
"""Places on each slider."""

BY_MASS = "A stroke adds that part of all mass, however long it is; the rest keeps its proportions"
"""What it means that the strength is a share of the mass."""

_SHORTEST = 24
"""Sliders shorter than this, in pixels, are no use."""


class BrushStrip(QWidget):
    """Tool, radius, strength, presets, and the actions `undo`, `redo` and `clear`.

    Args:
        actions: at least `undo`, `redo` and `clear`, whose icons the strip draws. Actions named "tool_brush" and so on
            (`tool_` and the name of one of `TOOLS`) fill the palette, and "by_mass" makes the strength a share of the
            mass; where they are missing the strip makes its own.
        kit: the tools that the canvas uses; one of its own without.
    """

    changed = Signal(Brush)
    """Another brush: radius, strength or eraser changed."""
    preset_chosen = Signal(str)
    """The person wants this preset as the painting."""

    def __init__(
        self, actions: Mapping[str, QAction], kit: ToolKit | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.kit = kit or ToolKit(self)
        self._actions = {name: actions[name] for name in ("undo", "redo", "clear")}
        self._theme, self._factor = LIGHT, 1.0
        self.tool_actions = self._make_tools(actions)
        self.tool_button = self._button("Tool", "")
        self.palette_menu = QMenu(self)
        self.palette_menu.setAccessibleName("Tools")
        self.palette_menu.setToolTipsVisible(True)
        self.palette_menu.addActions(list(self.tool_actions.values()))
        self.palette_menu.addSeparator()
        self.by_mass = actions.get("by_mass") or self._make_by_mass()
        self.by_mass.setCheckable(True)
        self.by_mass.triggered.connect(self.kit.weigh)
        self.palette_menu.addAction(self.by_mass)
        self.tool_button.setMenu(self.palette_menu)
        self.tool_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.radius = _Wedge("Radius of the brush", "smaller [, larger ]")
        self.strength = _Ramp(
            "Strength of the brush", "weaker {, stronger }; % makes it a share of the mass, or a flow"
        )
        self.strength.addAction(self.by_mass)
        self.strength.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.presets = self._button("Presets", "Start from a preset")
        self.menu = PresetMenu(self)
        self.menu.chosen.connect(self.preset_chosen)
        self.presets.setMenu(self.menu)
        self.presets.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._default_buttons = [self._acting(self._actions[name]) for name in ("undo", "redo", "clear")]
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.tool_button)
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
        self._shown = self.kit.brush
        self.radius.valueChanged.connect(self._slid)
        self.strength.valueChanged.connect(self._slid)
        self.kit.changed.connect(self._show)
        self.set_scale(1.0)
        self._show(self.kit.options)

    @property
    def list(self) -> QListWidget:
        """The presets, once their menu is open."""
        return self.menu.list

    def brush(self) -> Brush:
        """The brush as it is set now."""
        return self.kit.brush

    def set_brush(self, brush: Brush) -> None:
        """Show this brush; emits nothing."""
        self._shown = brush
        self.kit.set(brush=brush)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = self.radius.theme = self.strength.theme = theme
        self._draw_icons()

    def set_scale(self, factor: float) -> None:
        """Draw type and icons this many times their size."""
        self._factor = self.radius.factor = self.strength.factor = factor
        size = QSize(round(16 * factor), round(16 * factor))
        for button in (self.tool_button, self.presets, *self._default_buttons):
            button.setIconSize(size)
        self.palette_menu.setFont(font(CONTROL, scale=factor))
        self._draw_icons()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the sliders out where they would be too short to use; keys and the drawer set the brush there."""
        buttons = (self.tool_button, self.presets, *self._default_buttons)
        free = self.width() - sum(button.sizeHint().width() + 2 for button in buttons)
        for slider in (self.radius, self.strength):
            slider.setVisible(free >= 2 * _SHORTEST)

    def _make_tools(self, actions: Mapping[str, QAction]) -> dict[str, QAction]:
        """An action for every tool: those that are given, or own ones with their letters."""
        group = QActionGroup(self)
        made: dict[str, QAction] = {}
        for spec in TOOLS:
            action = actions.get(f"tool_{spec.name}")
            if action is None:
                action = QAction(spec.title, self)
                action.setShortcut(QKeySequence(spec.key))
                action.setToolTip(f"{spec.tip} ({spec.key})")
                self.addAction(action)
            action.setCheckable(True)
            group.addAction(action)
            action.triggered.connect(lambda *_, take=self.kit.take, name=spec.name: take(name))
            made[spec.name] = action
        return made

    def _make_by_mass(self) -> QAction:
        action = QAction("Strength is a share of the mass", self)
        action.setShortcut(QKeySequence("%"))
        action.setToolTip(BY_MASS)
        self.addAction(action)
        return action

    def _button(self, name: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setAutoRaise(True)
        button.setAccessibleName(name)
        button.setToolTip(tip)
        return button

    def _acting(self, action: QAction) -> QToolButton:
        button = self._button(action.text().replace("&", ""), action.toolTip())
        button.setDefaultAction(action)
        return button

    def _draw_icons(self) -> None:
        size = round(16 * self._factor)
        self.presets.setIcon(icon("presets", self._theme, size))
        for name, action in (*self.tool_actions.items(), *self._actions.items()):
            action.setIcon(icon(name, self._theme, size))
        self.tool_button.setIcon(icon(self.kit.options.tool, self._theme, size))
        self.menu.picture(self._theme, self._factor)

    def _slid(self) -> None:
        """A slider was moved: both say what the brush is now."""
        low, high = RADII
        radius = float(f"{low * (high / low) ** (self.radius.value() / PLACES):.3g}")
        strength = max(self.strength.value(), 1) / PLACES
        if self.radius.value() == _place(self.kit.brush.radius):
            radius = self.kit.brush.radius
        self.kit.set(brush=replace(self.kit.brush, radius=radius, strength=strength))

    def _show(self, options: ToolOptions) -> None:
        brush, spec = options.brush, next(spec for spec in TOOLS if spec.name == options.tool)
        weighing = self.strength.filled = options.weighing
        self.by_mass.setChecked(brush.by_mass)
        strength = f"{three(100 * brush.strength)} % of the mass" if weighing else three(brush.strength)
        for slider, place, words in (
            (self.radius, _place(brush.radius), f"radius {three(brush.radius)}"),
            (self.strength, round(brush.strength * PLACES), f"strength {strength}"),
        ):
            slider.blockSignals(True)
            slider.setValue(place)
            slider.blockSignals(False)
            slider.update()
            slider.setAccessibleDescription(words)
            slider.setToolTip(f"{slider.accessibleName()}: {words.partition(' ')[2]} ({slider.keys})")
        self.tool_actions[options.tool].setChecked(True)
        self.tool_button.setIcon(icon(options.tool, self._theme, round(16 * self._factor)))
        self.tool_button.setToolTip(f"{spec.title} ({spec.key}): {spec.tip}")
        self.tool_button.setAccessibleDescription(f"{spec.title} is in hand; opens all tools")
        if brush != self._shown:
            self._shown = brush
            self.changed.emit(brush)


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
    """Darkens to the right: strength. `filled`: it is a share of the mass, and drawn as one."""

    filled = False

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """A bar from clear to full, or one of which this part is full."""
        if self.filled:
            bar = area.adjusted(0.5, 2.5, -0.5, -2.5)
            part = QRectF(bar.left(), bar.top(), bar.width() * self.value() / PLACES, bar.height())
            painter.fillRect(part, self.theme.colour("quiet"))
            painter.setPen(QPen(self.theme.colour("quiet"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(bar)
            return
        ramp = QLinearGradient(area.topLeft(), area.topRight())
        ramp.setColorAt(0, self.theme.colour("quiet", 0.08))
        ramp.setColorAt(1, self.theme.colour("quiet", 1.0))
        painter.setBrush(ramp)
        painter.drawRoundedRect(area.adjusted(0, 2, 0, -2), 2, 2)
