"""The import dialog: what a picture or a table would make of the painting, before it does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QFileDialog, QLabel, QVBoxLayout, QWidget

from explorer.brush import LARGEST_SIZE, SMALLEST_SIZE
from explorer.edits import LoadPainting, Weights
from explorer.paint.exchange import SUFFIXES, TABLES, export_painting, import_painting, likely_points
from explorer.panels.asking import plain
from explorer.panels.fields import FieldRow, Spec
from explorer.theme import CAPTION, CONTROL, LIGHT, UNIT, Theme, font
from trainer.errors import InputError

IMPORTS = "Pictures and tables (*.png *.jpg *.jpeg *.webp *.bmp *.gif *.tif *.tiff *.csv *.npy)"
EXPORTS = ("Picture (*.png)", "Table (*.csv)", "Array (*.npy)")
_SIDE = 288


class ImportDialog(QDialog):
    """Shows a file as a painting; accepted, it emits the command that loads it.

    Args:
        path: the file.
        size: the cells a side of the present painting, which a picture gets too.
    """

    commanded = Signal(object)
    """A `LoadPainting`."""

    def __init__(self, path: str | Path, size: int, theme: Theme = LIGHT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.path = Path(path)
        self.painting: Weights | None = None
        self.name = self.path.stem
        self._size = size
        self.setWindowTitle(f"Import {self.path.name}")
        self.preview = Preview(theme)
        self.cells = FieldRow(Spec("cells", "cells a side", "Of the painting, 32 to 256", whole=True, note="32 to 256"))
        self.invert = QCheckBox("black is mass (invert)")
        self.invert.setToolTip("For drawings in black on white")
        self.kind = FieldRow(
            Spec(
                "kind",
                "Its rows are",
                "What the two columns hold",
                (("points", "points (x, y)"), ("weights", "weights")),
            )
        )
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.line.setAccessibleName("What would be imported")
        self.line.setMinimumHeight(round(2.5 * CONTROL))
        buttons = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(buttons.Ok | buttons.Cancel)
        self.ok = self.buttons.button(buttons.Ok)
        self.ok.setText("Import")
        plain(self.buttons.buttons())
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * UNIT, 2 * UNIT, 2 * UNIT, 2 * UNIT)
        layout.setSpacing(UNIT)
        for widget in (self.preview, self.line, self.cells, self.invert, self.kind, self.buttons):
            layout.addWidget(widget)
        for row in (self.cells, self.kind):
            row.set_scale(1.0)
        self.line.setFont(font(CAPTION))
        self.invert.setFont(font(CONTROL))
        table = self.path.suffix.lower() in TABLES
        self.invert.setVisible(not table)
        self.kind.set_value("points")
        self._ambiguous, cells = self._first_look(table)
        self.kind.setVisible(self._ambiguous)
        self.cells.set_value(cells)
        self.cells.edited.connect(self.refresh)
        self.invert.toggled.connect(self.refresh)
        self.kind.edited.connect(self.refresh)
        self.refresh()

    def _first_look(self, table: bool) -> tuple[bool, int]:
        """Whether the table can be either, and how many cells to begin with."""
        try:
            ambiguous = likely_points(self.path) is None
            if table and not ambiguous:
                return False, len(import_painting(self.path)[0])
        except InputError:
            return False, self._size  # the line says what is wrong, with every look
        return ambiguous, self._size

    def refresh(self, _: object = None) -> None:
        """Read the file as it is to be read now, and show it."""
        size = self.cells.value()
        try:
            if not isinstance(size, int) or not SMALLEST_SIZE <= size <= LARGEST_SIZE:
                raise InputError(f"cells: {size!r}; give a whole number from {SMALLEST_SIZE} to {LARGEST_SIZE}")
            as_ = str(self.kind.value()) if self._ambiguous else None
            self.painting, self.name = import_painting(self.path, size, as_, invert=self.invert.isChecked())
            painted = np.count_nonzero(self.painting) / self.painting.size
            self.line.setText(
                f"{size} x {size} cells, {100 * painted:.0f} % of them painted. Undo brings the present one back."
            )
        except InputError as error:
            self.painting = None
            self.line.setText(str(error))
        self.preview.show_painting(self.painting)
        self.ok.setEnabled(self.painting is not None)

    def accept(self) -> None:
        """Load it."""
        if self.painting is not None:
            self.commanded.emit(LoadPainting(self.painting, self.name))
            super().accept()


class Preview(QWidget):
    """A painting through the theme's density map."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._image = QImage()
        self.setAccessibleName("Preview")
        self.setFixedSize(QSize(_SIDE, _SIDE))

    def show_painting(self, painting: Weights | None) -> None:
        """Show this, or nothing."""
        self._image = QImage()
        if painting is not None:
            pixels = self.theme.density_table()[(painting[::-1] * 255).round().astype(np.uint8)]
            rows, cols = painting.shape
            self._image = QImage(pixels.tobytes(), cols, rows, 4 * cols, QImage.Format.Format_RGBA8888).copy()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The painting, and a thin rule about it."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.fillRect(self.rect(), QColor(self.theme.ground_low))
            if not self._image.isNull():
                painter.drawImage(self.rect(), self._image)
            painter.setPen(QColor(self.theme.rule))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))


def choose_import(parent: QWidget, size: int, theme: Theme, start: str = "") -> LoadPainting | None:
    """Ask for a file and how to read it; the command that loads it, None if the person left."""
    path, _ = QFileDialog.getOpenFileName(parent, "Import", start, IMPORTS)
    return ask_import(parent, path, size, theme) if path else None


def ask_import(parent: QWidget, path: str, size: int, theme: Theme) -> LoadPainting | None:
    """Ask how to read this file."""
    dialog = ImportDialog(path, size, theme, parent)
    commands: list[LoadPainting] = []
    dialog.commanded.connect(commands.append)
    dialog.exec()
    dialog.deleteLater()
    return commands[0] if commands else None


def choose_export(parent: QWidget, weights: Weights, name: str) -> Path | None:
    """Ask for a place and write the painting there; where it was written, None if the person left.

    Raises:
        InputError: it cannot be written there.
    """
    path, kind = QFileDialog.getSaveFileName(parent, "Export painting", f"{name}.png", ";;".join(EXPORTS))
    if not path:
        return None
    target = Path(path)
    if target.suffix.lower() not in SUFFIXES:
        target = target.with_name(target.name + SUFFIXES[EXPORTS.index(kind) if kind in EXPORTS else 0])
    export_painting(target, weights)
    return target
