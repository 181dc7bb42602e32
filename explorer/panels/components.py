"""The Gaussian components as a list and, for the chosen one, its numbers."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from explorer.document import Document
from explorer.edits import ChangeComponents
from explorer.panels.fields import Choice, FieldRow, Spec
from explorer.panels.form import Form, Section
from explorer.theme import CONTROL, UNIT, Theme, font
from explorer.tools.kit import ToolKit
from trainer.components import Component, mass_of, with_share
from trainer.errors import InputError

_SPECS = (
    Spec("x", "Centre x", "Of the Gaussian, from -1 to 1"),
    Spec("y", "Centre y", "Of the Gaussian, from -1 to 1"),
    Spec("along", "Spread s₁", "Standard deviation along its first axis, in units of the plane"),
    Spec("across", "Spread s₂", "Standard deviation along its second axis, in units of the plane"),
    Spec("angle", "Angle", "Of the first axis, in degrees anticlockwise from the x axis"),
    Spec("mass", "Mass", "The integral of its weights over the plane; full paint on a unit square has mass 1"),
)


class ComponentForm(QWidget):
    """Which component, and its centre, spreads, angle, mass and share."""

    commanded = Signal(object)
    """A `ChangeComponents`."""

    def __init__(self, document: Document, kit: ToolKit, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document, self.kit = document, kit
        self.none = QLabel("Click on the painting to place one.")
        self.none.setWordWrap(True)
        self.choice = Choice(())
        self.choice.setAccessibleName("Gaussian")
        self.choice.setToolTip("The Gaussian whose numbers stand below (N on the canvas: the next one)")
        self.choice.activated.connect(lambda index: self.kit.choose(index))
        self.form = Form(Component(), (Section("Gaussian", _SPECS),))
        self.form.sections[0].button.hide()
        self.form.edited.connect(self._edited)
        self.share = FieldRow(Spec("share", "Share", "Its part of all the mass that is painted, between 0 and 1"))
        self.share.edited.connect(self._share_edited)
        self.delete = QPushButton("Delete this Gaussian")
        self.delete.setAccessibleName("Delete this Gaussian")
        self.delete.setToolTip("Take it off the painting (Delete)")
        self.delete.clicked.connect(self.kit.delete_wanted)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(UNIT)
        for widget in (self.none, self.choice, self.form, self.share, self.delete):
            layout.addWidget(widget)
        kit.component_chosen.connect(self.show_document)
        self.show_document()

    def show_document(self, _: object = None) -> None:
        """Show the components as they are now."""
        components, index = self.document.components, self.kit.component
        if self.choice.count() != len(components):
            self.choice.clear()
            for k in range(len(components)):
                self.choice.addItem(f"Gaussian {k + 1} of {len(components)}")
        self.choice.setVisible(bool(components))
        chosen = index is not None and index < len(components)
        self.choice.setCurrentIndex(index if chosen and index is not None else -1)
        self.none.setVisible(not chosen)
        for widget in (self.form, self.share, self.delete):
            widget.setVisible(chosen)
        if chosen and index is not None:
            component = components[index]
            if self.form.settings != component:
                self.form.set_settings(component)
            whole = mass_of(self.document.paint, components)
            self.share.set_value(float(f"{component.mass / whole:.3g}"))

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self.form.set_theme(theme)
        self.choice.ink = theme.colour("quiet")

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self.form.set_scale(factor)
        self.share.set_scale(factor)
        for widget in (self.none, self.choice, self.delete):
            widget.setFont(font(CONTROL, scale=factor))

    def _edited(self, component: Component) -> None:
        index = self.kit.component
        if index is not None and index < len(self.document.components):
            components = list(self.document.components)
            components[index] = component
            self.commanded.emit(ChangeComponents(tuple(components), "shaping a Gaussian"))

    def _share_edited(self) -> None:
        index, value = self.kit.component, self.share.value()
        if index is None or index >= len(self.document.components):
            return
        component = self.document.components[index]
        rest = mass_of(self.document.paint, self.document.components) - component.mass
        try:
            if not isinstance(value, float):
                raise InputError(f"share: {value!r} is not a number; give one between 0 and 1")
            changed = with_share(component, value, rest)
        except InputError as error:
            self.share.set_error(str(error))
            return
        if abs(changed.mass - component.mass) > 0.002 * component.mass:
            self._edited(replace(component, mass=changed.mass))
