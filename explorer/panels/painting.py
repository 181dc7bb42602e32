"""The drawer's page on painting: the tool in hand, symmetry, Gaussians, the mass of each region, cells and files."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFileDialog, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from explorer.document import Document
from explorer.edits import Change, Resize, Smooth
from explorer.numbers import share, three
from explorer.paint.regions import THRESHOLD, Region
from explorer.paint.symmetry import MOST_FOLDS
from explorer.panels.brushes import BY_MASS
from explorer.panels.components import ComponentForm
from explorer.panels.fields import FieldRow, Spec
from explorer.panels.form import FoldingSection, Form, Section
from explorer.theme import CAPTION, CONTROL, UNIT, Theme, font
from explorer.tools.kit import TOOLS, WEIGHED, Picture, ToolKit, ToolOptions
from explorer.tools.masses import MassReadout
from explorer.tools.placing import text_picture
from trainer.errors import InputError
from trainer.paintings import read_picture

_ALL = tuple(spec.name for spec in TOOLS)
_ROWS = {
    "brush.radius": ("brush", "eraser", "line", "ellipse", "smooth", "gaussian"),
    "brush.strength": tuple(name for name in _ALL if name != "select"),
    "brush.by_mass": WEIGHED,
    "tolerance": ("fill",),
    "softness": ("smooth",),
    "stamp_width": ("stamp",),
}
"""The tools that each row of the form belongs to."""

_SPECS = (
    Spec("brush.radius", "radius", "Where the brush ends, in units of the plane: the painting is 2 wide"),
    Spec("brush.strength", "strength", "What one stroke adds, of what is missing or of all mass; a fill's weight"),
    Spec(
        "brush.by_mass",
        "strength is",
        "Flow: the part of what is missing that a stroke adds, where it passes. "
        f"A share of the mass: {BY_MASS[0].lower()}{BY_MASS[1:]} (%)",
        choices=((False, "flow"), (True, "share of the mass")),
    ),
    Spec("tolerance", "tolerance", "How much a filled cell may differ from the one pointed at, of 1"),
    Spec("softness", "width of the blur", "The standard deviation of the Gaussian, in units of the plane"),
    Spec("stamp_width", "longer side", "Of the stamp, in units of the plane: the painting is 2 wide"),
)


@dataclass(frozen=True)
class _Cells:
    """What the field for the number of cells edits."""

    cells: int


class PaintingPage(QWidget):
    """Everything about painting that the strip has no room for.

    Args:
        document: what is painted on.
        kit: the tools that the canvas uses.
        masses: the regions of the painting; counted here where none are given.
    """

    commanded = Signal(object)
    """A command for the document."""
    told = Signal(str, str)
    """A level ("warning") and a line."""
    import_wanted = Signal()
    """The person wants to import a picture or a table."""
    export_wanted = Signal()
    """The person wants the painting in a file."""

    def __init__(
        self, document: Document, kit: ToolKit, masses: MassReadout | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.document, self.kit = document, kit
        self.masses = masses or MassReadout(document, self)
        self._factor = 1.0
        self._quiet: list[QLabel] = []
        self.form = Form(kit.options, (Section("Tool", _SPECS, hint=" "),))
        self.form.edited.connect(self._options_edited)
        self.tool = self.form.sections[0]
        self.filled = self._check("filled", "Fill ellipses; their outline is drawn with the brush otherwise")
        self.lasso = self._check("follow the pointer", "Select with a lasso; a rectangle otherwise")
        self.text = QLineEdit()
        self.text.setAccessibleName("Text to stamp")
        self.text.setPlaceholderText("text to stamp")
        self.text.textEdited.connect(self._type)
        self.picture = self._button("Picture…", "Stamp a picture: white is mass")
        self.picture.clicked.connect(self._choose_picture)
        self.smooth = self._button("Smooth the whole painting", "Blur everything by this width: one step")
        self.smooth.clicked.connect(lambda: self.commanded.emit(Smooth(self.kit.options.softness)))
        self.all = self._button("All", "Select all cells (Ctrl+A)")
        self.all.clicked.connect(self.kit.select_all)
        self.delete = self._button("Delete", "Empty the selected cells (Delete)")
        self.delete.clicked.connect(self.kit.delete_wanted)
        self.gaussians = ComponentForm(document, kit)
        self.gaussians.commanded.connect(self.commanded)
        self.selecting = _row(self.all, self.delete)
        self.extras = {
            "ellipse": (self.filled,),
            "select": (self.lasso, self.selecting),
            "stamp": (self.text, self.picture),
            "smooth": (self.smooth,),
            "gaussian": (self.gaussians,),
        }
        for widgets in self.extras.values():
            for widget in widgets:
                self.tool.add(widget)
        self.symmetry = FoldingSection("Symmetry", "For brush, eraser, line, ellipse and smooth.")
        self.left_right = self._check("left and right", "Draw the mirror image in the vertical axis too")
        self.up_down = self._check("up and down", "Draw the mirror image in the horizontal axis too")
        self.folds = FieldRow(
            Spec("folds", "turns", f"Draw every stroke this many times about the origin, 1 to {MOST_FOLDS}", whole=True)
        )
        self.folds.edited.connect(self._fold)
        for widget in (self.left_right, self.up_down, self.folds):
            self.symmetry.add(widget)
        self.shares = FoldingSection(
            "Mass",
            f"Connected regions above {100 * THRESHOLD:.0f} % of the largest weight, and their shares of all mass.",
        )
        self.named = self._check("on the canvas", "Write each region's share at its place")
        self.table = QLabel()
        self.table.setAccessibleName("Shares of the regions")
        self.table.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.shares.add(self.named)
        self.shares.add(self.table)
        self.canvas = FoldingSection("Canvas")
        self.cells = FieldRow(
            Spec("cells", "cells a side", "32 to 256; the mass stays where it is", whole=True, note="32 to 256")
        )
        self.cells.edited.connect(self._resize)
        self.imports = self._button("Import…", "Paint with a picture or a table of points or weights")
        self.imports.clicked.connect(self.import_wanted)
        self.exports = self._button("Export…", "Save the painting as PNG, CSV or NPY")
        self.exports.clicked.connect(self.export_wanted)
        self.canvas.add(self.cells)
        self.canvas.add(_row(self.imports, self.exports))
        self._sections = (self.symmetry, self.shares, self.canvas)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(UNIT)
        layout.addWidget(self.form)
        for section in self._sections:
            layout.addWidget(section)
        layout.addStretch(1)
        for box, write in (
            (self.filled, lambda on: self.kit.set(filled=on)),
            (self.lasso, lambda on: self.kit.set(lasso=on)),
            (self.named, lambda on: self.kit.set(masses=on)),
            (self.left_right, lambda on: self._mirror(left_right=on)),
            (self.up_down, lambda on: self._mirror(up_down=on)),
        ):
            box.clicked.connect(write)
        kit.changed.connect(self._show_options)
        self.masses.changed.connect(self._show_masses)
        self.set_scale(1.0)
        self._show_options(kit.options)
        self._show_masses(self.masses.regions)
        self.show_document(document, Change(opened=True))

    # --- what it shows

    def show_document(self, document: Document, change: Change) -> None:
        """Show what differs in the document."""
        if change.opened or change.size:
            self.cells.set_value(document.size)
        if change.opened or change.components or change.rect is not None:
            self.gaussians.show_document()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self.form.set_theme(theme)
        self.gaussians.set_theme(theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._factor = factor
        for row in (self.folds, self.cells):
            row.set_scale(factor)
        self.table.setFont(font(CONTROL, scale=factor))
        for widget in (*self.findChildren(QCheckBox), *self.findChildren(QPushButton), self.text):
            widget.setFont(font(CONTROL, scale=factor))
        for part in (self.form, self.gaussians, *self._sections):  # their headings are buttons too
            part.set_scale(factor)
        for label in self._quiet:
            label.setFont(font(CAPTION, scale=factor))

    def _show_options(self, options: ToolOptions) -> None:
        spec = next(spec for spec in TOOLS if spec.name == options.tool)
        words = f"{spec.title} ({spec.key}). {spec.tip}."
        if options.weighing:
            words += f" {self._weighs(options)}"
        self.tool.hint.setText(words)
        if options != self.form.settings:
            self.form.set_settings(options)
        for path, tools in _ROWS.items():
            self.form.rows[path].setVisible(options.tool in tools)
        for tool, widgets in self.extras.items():
            for widget in widgets:
                widget.setVisible(options.tool == tool)
        for box, on in (
            (self.filled, options.filled),
            (self.lasso, options.lasso),
            (self.named, options.masses),
            (self.left_right, options.symmetry.left_right),
            (self.up_down, options.symmetry.up_down),
        ):
            box.setChecked(on)
        self.folds.set_value(options.symmetry.folds)

    @staticmethod
    def _weighs(options: ToolOptions) -> str:
        """What a stroke does to the mass."""
        share = f"{three(100 * options.brush.strength)} %"
        if options.tool == "eraser":
            return f"One stroke takes {share} of the mass from where it passes, or all that is there."
        return f"One stroke becomes {share} of the mass, however long it is; the rest keeps its proportions."

    def _show_masses(self, regions: tuple[Region, ...]) -> None:
        if not regions:
            self.table.setText("Nothing is painted.")
            return
        lines = [f"{share(r.share)}  at ({three(r.x)}, {three(r.y)})" for r in regions]
        rest = 1 - sum(r.share for r in regions)
        if rest >= 0.0005:
            lines.append(f"{share(rest)}  elsewhere")
        self.table.setText("\n".join(lines))

    # --- what it sets

    def _options_edited(self, options: ToolOptions) -> None:
        kept = {name: getattr(options, name) for name in ("brush", "tolerance", "softness", "stamp_width")}
        self.kit.set(**kept)

    def _mirror(self, **values: bool) -> None:
        self.kit.set(symmetry=replace(self.kit.options.symmetry, **values))

    def _fold(self) -> None:
        try:
            self.kit.set(symmetry=replace(self.kit.options.symmetry, folds=self.folds.value()))  # type: ignore[arg-type]
        except InputError as error:
            self.folds.set_error(str(error))

    def _resize(self) -> None:
        value = self.cells.value()
        if isinstance(value, int) and 32 <= value <= 256:
            self.cells.set_error("")
            if value != self.document.size:
                self.commanded.emit(Resize(value))
        else:
            self.cells.set_error(f"{value} is no number of cells; give a whole number from 32 to 256")

    def _type(self, text: str) -> None:
        picture = text_picture(text) if text.strip() else None
        self.kit.set(stamp=picture)

    def _choose_picture(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Picture to stamp", "", "Pictures (*.png *.jpg *.jpeg *.webp *.bmp)"
        )
        if path:
            self.stamp_picture(path)

    def stamp_picture(self, path: str) -> None:
        """Put a picture file into the stamp; one that cannot be read is told."""
        try:
            weights, name = read_picture(path)
        except InputError as error:
            self.told.emit("warning", str(error))
            return
        self.text.clear()
        self.kit.set(stamp=Picture(weights, name))

    def _check(self, text: str, tip: str) -> QCheckBox:
        box = QCheckBox(text)
        box.setToolTip(tip)
        box.setAccessibleName(text)
        return box

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.setAccessibleName(text)
        return button


def _row(*widgets: QWidget) -> QWidget:
    host = QWidget()
    layout = QHBoxLayout(host)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(UNIT)
    for widget in widgets:
        layout.addWidget(widget, 1)
    return host
