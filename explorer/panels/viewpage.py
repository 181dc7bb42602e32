"""The drawer's page "view": what is drawn and how, for all views at once.

It shows the window's `Viewing` and changes it; a change from elsewhere, a layout or a key, shows here too.
"""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from explorer.panels.fields import FieldRow, Spec
from explorer.panels.form import FoldingSection
from explorer.theme import CONTROL, LIGHT, UNIT, Theme, font
from explorer.viewing import Viewing, ViewOptions
from explorer.views.ground import FLOOR

STYLE = Spec(
    "style",
    "style",
    "Arrows on a lattice, evenly spaced streamlines, or noise smeared along the field (line-integral convolution)",
    choices=(("arrows", "arrows"), ("streamlines", "streamlines"), ("texture", "texture")),
)
GROUND = Spec(
    "ground",
    "ground",
    f"What lies under fields and particles. Logarithm and energy are shown over {FLOOR:g} nats; under the learned "
    "field of an energy network they are the learned ones",
    choices=(("density", "density p_σ"), ("log", "log p_σ"), ("energy", "energy −log p_σ"), ("none", "nothing")),
)
ERROR = Spec(
    "error",
    "error",
    "|s − s*| over the true score's rms at this σ, |s − s*| itself, or the angle between the two",
    choices=(("relative", "relative"), ("absolute", "absolute"), ("angle", "angle")),
)
CURL = Spec(
    "curl",
    "shown",
    "The learned score's curl with its sign, or its share of the squared Jacobian; both are 0 for a gradient",
    choices=(("curl", "curl"), ("rotational", "rotational share")),
)
WEIGHTED = ("weighted", "weighted by p_σ", "Count every place by its p_σ over the largest one in view")
HATCHED = (
    "hatched",
    "hatch where no data",
    "Diagonal lines where fewer than one training point is expected in a cell of the map",
)
TRAILS = ("trails", "trails", "Draw where particles have been in their last steps")


class ViewPage(QWidget):
    """Fields, error map, curl and particles, one line a choice."""

    def __init__(self, viewing: Viewing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewing = viewing
        self.rows: dict[str, FieldRow] = {}
        self.checks: dict[str, QCheckBox] = {}
        self.sections: list[FoldingSection] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(UNIT)
        for title, parts in (
            ("Fields", (STYLE, GROUND)),
            ("Error map", (ERROR, WEIGHTED, HATCHED)),
            ("Is it a gradient?", (CURL,)),
            ("Particles", (TRAILS,)),
        ):
            section = FoldingSection(title)
            for part in parts:
                section.add(self._row(title, part) if isinstance(part, Spec) else self._check(title, *part))
            self.sections.append(section)
            layout.addWidget(section)
        layout.addStretch(1)
        viewing.changed.connect(self.show_options)
        self.show_options(viewing.options)
        self.set_theme(LIGHT)
        self.set_scale(1.0)

    def show_options(self, options: ViewOptions) -> None:
        """Show these options; changes nothing."""
        for path, row in self.rows.items():
            row.set_value(getattr(options, path))
        for path, check in self.checks.items():
            check.setChecked(getattr(options, path))

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for row in self.rows.values():
            row.set_theme(theme)

    def set_scale(self, scale: float) -> None:
        """Type this many times its size."""
        for section in self.sections:
            section.set_scale(scale)
        for row in self.rows.values():
            row.set_scale(scale)
        for check in self.checks.values():
            check.setFont(font(CONTROL, scale=scale))

    def _row(self, title: str, spec: Spec) -> FieldRow:
        row = FieldRow(spec)
        row.editor.setAccessibleName(f"{title}: {spec.label}")
        row.edited.connect(self._choose)
        self.rows[spec.path] = row
        return row

    def _check(self, title: str, path: str, words: str, tip: str) -> QCheckBox:
        check = QCheckBox(words)
        check.setObjectName(path)
        check.setAccessibleName(f"{title}: {words}")
        check.setToolTip(tip)
        check.clicked.connect(self._tick)
        self.checks[path] = check
        return check

    def _choose(self, path: str) -> None:
        self.viewing.set(**{path: self.rows[path].value()})

    def _tick(self) -> None:
        self.viewing.set(**{path: check.isChecked() for path, check in self.checks.items()})
