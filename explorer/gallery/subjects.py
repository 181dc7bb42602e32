"""What stands left of the pictures: nothing for samples; the given picture, noise and estimate; the board of a mask."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QSlider, QToolButton, QVBoxLayout, QWidget

from explorer.engine.frames import Array
from explorer.engine.gallery.frames import GalleryFrame
from explorer.engine.gallery.orders import ModelOpened
from explorer.gallery.board import MaskBoard
from explorer.gallery.brushsize import BrushSize
from explorer.gallery.given import INVITATION, ROW, PictureChooser
from explorer.gallery.grid import NOTHING, PictureGrid
from explorer.gallery.titled import SquareBox, Titled
from explorer.panels.sigma import NoiseSlider
from explorer.theme import CONTROL, UNIT, Theme, font
from explorer.views.tile import tell

_NO_MARKS = np.zeros(1, np.float32)


class DenoiseSubject(QWidget):
    """A picture, what noise makes of it, and the clean picture that the network estimates in one step."""

    changed = Signal()
    """Another picture, or another noise level."""

    def __init__(self) -> None:
        super().__init__()
        self.picture: Array | None = None
        self.chooser = PictureChooser()
        self.slider = NoiseSlider()
        _rename(self.slider)
        self._grids = [PictureGrid(choosing=False) for _ in range(3)]
        self._parts = [
            Titled("Picture", SquareBox(self._grids[0]), self.chooser),
            Titled("With noise", SquareBox(self._grids[1]), _Row(self.slider)),
            Titled("One step", SquareBox(self._grids[2]), _Row(QWidget())),
        ]
        unit = "rms error: root mean square difference to the picture, of pixel values from black −1 to white 1"
        self._parts[1].setToolTip(unit)
        estimate = "The network's estimate of the clean picture, x + σ² s(x, σ): the posterior mean"
        self._parts[2].setToolTip(f"{estimate}\n{unit}")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * UNIT)
        for part in self._parts:
            row.addWidget(part, 1)
        self.chooser.chosen.connect(self.take)
        self.slider.changed.connect(lambda _: self.changed.emit())

    def open(self, model: ModelOpened, *, anew: bool = True) -> None:
        """Work for this model; picture and noise level stay unless it is to begin `anew`."""
        self.slider.set_range(model.sigma_min, min(model.sigma_max, 10.0))
        if anew:
            self.picture = None
            self.slider.set_value(0.5)
            for grid, part in zip(self._grids, self._parts, strict=True):
                grid.show_pictures(*NOTHING)
                part.set_caption("")
        self.chooser.open(model)
        if self.picture is None:
            self._parts[0].set_empty(INVITATION)
            self.chooser.take_first()

    def take(self, picture: Array) -> None:
        """Restore this picture, (C, H, W)."""
        self.picture = picture
        self._grids[0].show_pictures(picture[None], _NO_MARKS)
        self._parts[0].set_empty("")
        self.changed.emit()

    def show_frame(self, frame: GalleryFrame) -> None:
        """Show what the noise made of it, the estimate, and how far both are from the picture."""
        self._grids[1].show_pictures(frame.noisy, _NO_MARKS)
        self._grids[2].show_pictures(frame.estimate, _NO_MARKS)
        if len(frame.errors) == 3:
            self._parts[1].set_caption(f"rms error {frame.errors[0]:.3f}")
            self._parts[2].set_caption(f"rms error {frame.errors[1]:.3f}")

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for part in self._parts:
            part.set_theme(theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        for part in self._parts:
            part.set_scale(factor)


class InpaintSubject(QWidget):
    """A picture on which the person paints what is unknown."""

    changed = Signal()
    """Another picture, or another mask."""

    def __init__(self) -> None:
        super().__init__()
        self.picture: Array | None = None
        self.chooser = PictureChooser()
        self.board = MaskBoard()
        self.brush_size = BrushSize(self.board)
        self.masks = QToolButton()
        self.masks.setText("Mask")
        self.masks.setToolTip("Halves, all the other pixels, none, and strokes taken back")
        self.masks.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._hands = _Row(self.chooser, self.brush_size, self.masks)
        self.part = Titled("Paint what is unknown", SquareBox(self.board), self._hands)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.part)
        self.chooser.chosen.connect(self.take)
        self.board.masked.connect(self._masked)

    def open(self, model: ModelOpened, *, anew: bool = True) -> None:
        """Work for this model; picture and mask stay unless it is to begin `anew`: then the lower half is unknown."""
        if anew:
            self.picture = None
            self.board.forget()
            self.part.set_caption("")
        self.chooser.open(model)
        if self.picture is None:
            self.part.set_empty(INVITATION)
            self.chooser.take_first()
            if self.picture is not None:
                self.board.fill_half("bottom")

    def take(self, picture: Array) -> None:
        """Complete this picture, (C, H, W)."""
        mask = self.board.unknown if self.picture is not None and self.picture.shape == picture.shape else None
        self.picture = picture
        self.part.set_empty("")
        self.board.show_picture(picture)
        if mask is not None:
            self.board.set_mask(mask)
        self._masked()

    def _masked(self) -> None:
        unknown = int(self.board.unknown.sum())
        self.part.set_caption(f"{unknown:,} of {self.board.unknown.size:,} pixels")
        self.changed.emit()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self.part.set_theme(theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self.part.set_scale(factor)


class _Row(QWidget):
    """Widgets in a row as high as a row of buttons, so that squares above such rows end alike; the first is widest."""

    def __init__(self, first: QWidget, *others: QWidget) -> None:
        super().__init__()
        self._parts = (first, *others)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(UNIT // 2)
        for part in self._parts:
            row.addWidget(part, 1 if part is first else 0)
        self.set_scale(1.0)

    def set_theme(self, theme: Theme) -> None:
        """Hand the colours on."""
        for part in self._parts:
            tell(part, "set_theme", theme)

    def set_scale(self, factor: float) -> None:
        """Stay as high, and hand the scale on."""
        for part in self._parts:
            tell(part, "set_scale", factor)
            if isinstance(part, QToolButton):
                part.setFont(font(CONTROL, scale=factor))
        self.setFixedHeight(round(ROW * factor))


def _rename(slider: NoiseSlider) -> None:
    """Say of a slider that was made for fields of the plane what it is here: the noise of a picture."""
    unit = "standard deviation in units of pixel values, black −1 to white 1"
    tip = f"Noise level to start from: {unit}"
    for track in slider.findChildren(QSlider):
        track.setAccessibleName("Noise level to start from")
        track.setToolTip(tip)
    for field in slider.findChildren(QLineEdit):
        field.setAccessibleName("Noise level to start from, typed")
    for label in slider.findChildren(QLabel):
        label.setToolTip(tip)
