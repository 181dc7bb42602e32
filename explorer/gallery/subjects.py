"""What stands left of the pictures: nothing for samples; the given picture, noise and estimate; the board of a mask."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from explorer.engine.frames import Array
from explorer.engine.gallery.frames import GalleryFrame
from explorer.engine.gallery.orders import ModelOpened
from explorer.gallery.board import MaskBoard
from explorer.gallery.given import ROW, PictureChooser
from explorer.gallery.grid import PictureGrid
from explorer.gallery.titled import SquareBox, Titled
from explorer.panels.sigma import NoiseSlider
from explorer.theme import UNIT, Theme
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
        self.slider.setAccessibleName("Noise level to start from")
        self._grids = [PictureGrid(choosing=False) for _ in range(3)]
        self._parts = [
            Titled("Picture", SquareBox(self._grids[0]), self.chooser),
            Titled("With noise", SquareBox(self._grids[1]), _Row(self.slider)),
            Titled("One step", SquareBox(self._grids[2]), _Row(QWidget())),
        ]
        self._parts[2].setToolTip("The network's estimate of the clean picture, x + σ² s(x, σ): the posterior mean")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * UNIT)
        for part in self._parts:
            row.addWidget(part, 1)
        self.chooser.chosen.connect(self.take)
        self.slider.changed.connect(lambda _: self.changed.emit())

    def open(self, model: ModelOpened) -> None:
        """Work for this model."""
        self.picture = None
        self.slider.set_range(model.sigma_min, min(model.sigma_max, 10.0))
        self.slider.set_value(0.5)
        self.chooser.open(model)

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
        self.part = Titled("Paint what is unknown", SquareBox(self.board), self.chooser)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.part)
        self.chooser.chosen.connect(self.take)
        self.board.masked.connect(self._masked)

    def open(self, model: ModelOpened) -> None:
        """Work for this model; at first the lower half is unknown."""
        self.picture = None
        self.chooser.open(model)
        if self.picture is not None:
            self.board.fill_half("bottom")

    def take(self, picture: Array) -> None:
        """Complete this picture, (C, H, W)."""
        mask = self.board.unknown if self.picture is not None and self.picture.shape == picture.shape else None
        self.picture = picture
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
    """A widget in a row as high as a row of buttons, so that squares above such rows end alike."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self._content = content
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(content)
        self.set_scale(1.0)

    def set_theme(self, theme: Theme) -> None:
        """Hand the colours on."""
        tell(self._content, "set_theme", theme)

    def set_scale(self, factor: float) -> None:
        """Stay as high, and hand the scale on."""
        tell(self._content, "set_scale", factor)
        self.setFixedHeight(round(ROW * factor))
