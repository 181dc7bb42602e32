"""The picture that is restored: where it comes from, and what stands beside it.

It may be one of the training pictures, one of the samples, or any file that holds a picture: that is cut to the square
in its middle, brought to the model's size and, for a grey model, made grey.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QWidget

from explorer.engine.frames import Array
from explorer.engine.gallery.orders import ModelOpened
from explorer.theme import CONTROL, UNIT, font
from trainer.errors import InputError
from trainer.images.decoding import Unreadable, picture_suffixes, read_picture
from trainer.images.pictures import scaled
from trainer.images.sources import read_pictures

ROW = 36
"""Pixels that a row of buttons below a picture takes at scale 1."""

INVITATION = "Open a picture, or drop one here"
"""What to do while there is no picture."""


class PictureChooser(QWidget):
    """Three buttons below a picture: the next training picture, the chosen sample, any file."""

    chosen = Signal(object)
    """The picture, (C, H, W) float32 in [-1, 1]."""
    sample_wanted = Signal()
    """The person wants the sample that is chosen."""
    refused = Signal(str)
    """One line on why a file cannot be taken."""

    def __init__(self) -> None:
        super().__init__()
        self._model: ModelOpened | None = None
        self._values: Array | None = None
        self._place = -1
        self.next = _button("Next", "Take the next of the training pictures")
        self.sample = _button("Sample", "Take the sample that is chosen under Samples")
        self.file = _button("Open…", "Take a picture from a file")
        self.next.clicked.connect(self.take_next)
        self.sample.clicked.connect(self.sample_wanted)
        self.file.clicked.connect(self._ask)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(UNIT // 2)
        self.setStyleSheet(f"QPushButton {{ padding-left: {UNIT}px; padding-right: {UNIT}px; }}")  # they stand close
        for button in (self.next, self.sample, self.file):
            row.addWidget(button, 1)

    def open(self, model: ModelOpened) -> None:
        """Take pictures for this model from now on; where its training pictures are the same, after the last taken."""
        if self._model is None or model.source != self._model.source or model.shape != self._model.shape:
            self._values, self._place = None, -1
        self._model = model
        self.next.setEnabled(model.data is not None)

    def take_first(self) -> None:
        """Hand on the first training picture, if they are there."""
        self._place = -1
        if self._model is not None and self._model.data is not None:
            self.take_next()

    def take_next(self) -> None:
        """Hand on the next training picture."""
        try:
            values = self._pictures()
        except InputError as error:
            self.refused.emit(str(error))
            return
        if values is not None and len(values):
            self._place = (self._place + 1) % len(values)
            self.chosen.emit(values[self._place])

    def _pictures(self) -> Array | None:
        """The training pictures, read when the first is wanted."""
        model = self._model
        if self._values is None and model is not None and model.source:
            _, height, width = model.shape
            pictures = read_pictures(model.source, limit=500)
            if pictures.shape != model.shape:
                colour = "grey" if model.shape[0] == 1 else "rgb"
                size = height if height == width else None
                pictures = read_pictures(model.source, limit=500, size=size, colour=colour)  # type: ignore[arg-type]
            self._values = np.asarray(scaled(pictures.values, pictures.levels), np.float32)
        return self._values

    def take_file(self, path: Path) -> None:
        """Hand on the picture in a file."""
        if self._model is None:
            return
        channels, height, width = self._model.shape
        try:
            values = read_picture(path, max(height, width), "grey" if channels == 1 else "rgb")
        except Unreadable as error:
            self.refused.emit(f"{path.name}: {error}; choose another picture")
            return
        top, left = (values.shape[1] - height) // 2, (values.shape[2] - width) // 2
        part = values[:, top : top + height, left : left + width]
        self.chosen.emit(np.asarray(scaled(part, 256), np.float32))

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        for button in (self.next, self.sample, self.file):
            button.setFont(font(CONTROL, scale=factor))
        self.setFixedHeight(round(ROW * factor))

    def _ask(self) -> None:
        suffixes = " ".join(f"*{suffix}" for suffix in sorted(picture_suffixes()))
        path, _ = QFileDialog.getOpenFileName(self, "Open a picture", str(Path.home()), f"Pictures ({suffixes})")
        if path:
            self.take_file(Path(path))


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAutoDefault(False)
    return button
