"""The middle of the pictures' window: the subject, the pictures, the dots beside them, and one picture's way.

    subject | pictures | dots
    ------------------------------
    the way of the picture chosen

The subject depends on the mode (`explorer.gallery.subjects`); dots are there when they are wanted. A run in training
takes the whole place.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from explorer.engine.frames import Array, Frame, joined
from explorer.engine.gallery.frames import Follow, GalleryFrame
from explorer.engine.gallery.orders import ModelOpened
from explorer.gallery.grid import NOTHING, PictureGrid
from explorer.gallery.strip import FilmStrip, StripRow
from explorer.gallery.subjects import DenoiseSubject, InpaintSubject
from explorer.gallery.titled import SquareBox, Titled
from explorer.gallery.trainingpage import TrainingPage
from explorer.numbers import three
from explorer.panes import TITLES
from explorer.theme import CAPTION, UNIT, Theme, font
from explorer.views.particles import ParticleView
from explorer.views.plane import PlaneRange

_TITLES = {
    "samples": "Samples",
    "denoise": "Brought back",
    "inpaint": "Completed",
    "interpolate": "Between two seeds",
}
"""What the pictures are called in each mode."""

FIRST = "File > Open image model, or drop a folder here"
"""What to do before there is a model."""
_NO_DATA = "Its training pictures are not known. File > Training pictures says where they lie."


class GalleryStage(QWidget):
    """The middle of the window.

    Attributes:
        sample: the last clean picture chosen under Samples, (C, H, W); None before there is one.
    """

    step_wanted = Signal(int)
    """The person wants to see this step."""

    def __init__(self) -> None:
        super().__init__()
        self.sample: Array | None = None
        self._mode = "samples"
        self._data = False
        self._frame: GalleryFrame | None = None
        self._plane: Frame | None = None
        self._dotted = False
        self.grid, self.strip = PictureGrid(), FilmStrip()
        self.pictures = Titled("Samples", self.grid)
        self.pictures.setToolTip("Values beyond black and white are cut off")
        self.way = Titled("From noise to picture", self.strip)
        self.neighbours = PictureGrid(choosing=False)
        self.distance = QLabel("")
        self.distance.setProperty("quiet", True)
        self.distance.setWordWrap(True)
        self.near = Titled("Nearest training pictures", self.neighbours, self.distance)
        self.near.setToolTip("Is it a copy? Euclidean distances over all values in [-1, 1]")
        self.denoise, self.inpaint = DenoiseSubject(), InpaintSubject()
        self.dots_view = ParticleView(0, PlaneRange(parent=self))
        self.dots = Titled("Dots", SquareBox(self.dots_view))
        self.training = TrainingPage()
        for part in (self.denoise, self.inpaint, self.dots, self.training):
            part.hide()  # before a layout counts its width
        self._making = QWidget()
        self._row = QHBoxLayout()
        self._row.setSpacing(2 * UNIT)
        for part, stretch in ((self.denoise, 3), (self.inpaint, 1), (self.pictures, 1), (self.dots, 1)):
            self._row.addWidget(part, stretch)
        column = QVBoxLayout(self._making)
        column.setContentsMargins(2 * UNIT, UNIT, 2 * UNIT, UNIT)
        column.setSpacing(UNIT)
        column.addLayout(self._row, 5)
        self._below = QWidget()
        below = QHBoxLayout(self._below)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(2 * UNIT)
        below.addWidget(self.way, 3)
        below.addWidget(self.near, 1)
        column.addWidget(self._below, 4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._making)
        layout.addWidget(self.training)
        self.grid.readout.connect(lambda _: self._caption())
        self.grid.chosen.connect(lambda _: self._caption())
        self.strip.step_chosen.connect(self._column_chosen)
        self.say(FIRST)
        self._show_way(None)
        self.set_mode("samples")

    def open(self, model: ModelOpened, *, anew: bool = True) -> None:
        """Work for this model; pictures and mask of the one before stay unless it is to begin `anew`."""
        self._data = model.data is not None
        if anew:
            self.sample = None
        self.denoise.open(model, anew=anew)
        self.inpaint.open(model, anew=anew)
        self.say("")

    def subject(self, mode: str) -> DenoiseSubject | InpaintSubject:
        """Where this mode's picture stands."""
        return self.denoise if mode == "denoise" else self.inpaint

    def set_mode(self, mode: str) -> None:
        """Show what this mode needs."""
        self._mode = mode
        seen = {
            self._making: mode != "training",
            self.training: mode == "training",
            self.denoise: mode == "denoise",
            self.inpaint: mode == "inpaint",
            self.dots: self._dotted and mode == "samples",
        }
        for part in sorted(seen, key=seen.__getitem__):  # room is made before it is taken: the window does not grow
            part.setVisible(seen[part])
        self.pictures.set_title(_TITLES.get(mode, ""))

    def take_focus(self) -> None:
        """Give the keyboard to what the mode is about."""
        places = {"inpaint": self.inpaint.board, "training": self.training.choose}
        places.get(self._mode, self.grid).setFocus()

    def show_strip(self, on: bool) -> None:
        """Show the way of the picture chosen, or not."""
        self._below.setVisible(on)

    def show_dots(self, on: bool) -> None:
        """Show the dots beside samples, or not."""
        self._dotted = on
        self.dots.setVisible(on and self._mode == "samples")

    def show_plane(self, frame: Frame | None) -> None:
        """What the dots lie on: the painting, as the main window's engine last showed it."""
        self._plane = frame

    def say(self, text: str) -> None:
        """Say over the pictures what to do first; "" takes it away."""
        self.pictures.set_empty(text)

    # --- frames -------------------------------------------------------------------------------------------

    def show_frame(self, frame: GalleryFrame) -> None:
        """Show this moment."""
        self._frame = frame
        if not frame.job:
            return
        self.grid.show_pictures(frame.pictures, frame.diverged)
        self._caption()
        self._show_way(frame.follow)
        if self._mode == "denoise" and len(frame.errors):
            self.denoise.show_frame(frame)
        if frame.dots is not None and self._plane is not None:
            self._show_dots(frame)
        if self._mode == "samples" and frame.shown == frame.steps and 0 <= self.grid.index < len(frame.pictures):
            self.sample = np.clip(frame.pictures[self.grid.index], -1, 1)

    def show_nothing(self) -> None:
        """Show no pictures, as long as what is to be made of them is not known."""
        self._frame = None
        self.grid.show_pictures(*NOTHING)
        self.pictures.set_caption("")
        self._show_way(None)

    def _caption(self) -> None:
        frame = self._frame
        if frame is None or not frame.job:
            return
        parts = []
        if len(frame.errors) == 3:
            parts.append(f"rms error {frame.errors[2]:.3f}")
        parts.append(f"σ {three(frame.sigma)}" if frame.sigma else "clean")
        parts.append(f"{len(frame.pictures):,} pictures" if len(frame.pictures) > 1 else "1 picture")
        self.pictures.set_caption("  ·  ".join(parts))

    def _show_way(self, follow: Follow | None) -> None:
        if follow is None:
            self.way.set_title("Way of one picture")
            self.way.set_empty("Choose a picture to see its way out of noise")
            self.strip.show_rows((), ())
            self._no_neighbours("Choose a picture first")
            return
        self.way.set_empty("")
        self.way.set_title(f"Number {follow.index + 1}, from noise to picture")
        rows = [
            StripRow("picture", follow.noisy),
            StripRow("estimate", follow.clean),
            StripRow("noise", follow.noise, "noise"),
        ]
        heads = [f"σ {three(float(sigma))}" if sigma else "clean" for sigma in follow.sigmas]
        shown = self._frame.shown if self._frame is not None else -1
        marked = [k for k, step in enumerate(follow.steps) if step <= shown]
        self._show_near(follow)
        self.strip.show_rows(rows, heads, marked[-1] if marked else -1)

    def _show_near(self, follow: Follow) -> None:
        """The training pictures nearest to the one that is followed, once it is clean."""
        if not len(follow.neighbours):
            self._no_neighbours("Found when the picture is clean" if self._data else _NO_DATA)
            return
        self.near.set_empty("")
        self.neighbours.show_pictures(follow.neighbours, np.zeros(len(follow.neighbours), np.float32))
        typical = f"; held-out pictures, median: {three(float(follow.typical[0]))}" if follow.typical.size else ""
        self.distance.setText(f"nearest {three(float(follow.distances[0]))} away{typical}")
        self.distance.show()

    def _no_neighbours(self, why: str) -> None:
        """Say why there are none; those of the picture before are not left to be taken for this one's."""
        self.neighbours.show_pictures(*NOTHING)
        self.distance.hide()
        self.near.set_empty(why)

    def _column_chosen(self, column: int) -> None:
        follow = self._frame.follow if self._frame is not None else None
        if follow is not None and 0 <= column < len(follow.steps):
            self.step_wanted.emit(int(follow.steps[column]))

    def _show_dots(self, frame: GalleryFrame) -> None:
        """Draw the particles on the painting's ground."""
        assert frame.dots is not None
        assert self._plane is not None
        self.dots_view.show_frame(joined(self._plane, frame.dots))
        state = frame.dots.pane_states[0] if frame.dots.pane_states else None
        if state is not None:
            source = "exact score" if state.source == "true" else f"score learned in {state.weights_step:,} steps"
            level = f"σ {three(state.sigma)}" if state.step < state.steps else "clean"
            self.dots.set_caption("  ·  ".join((level, source)))
            self.dots.set_title(f"Dots, {TITLES.get(state.sampler, state.sampler)}")

    # --- colours and sizes --------------------------------------------------------------------------------

    def _parts(self) -> tuple[QWidget, ...]:
        return self.pictures, self.way, self.near, self.denoise, self.inpaint, self.dots, self.training

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for part in self._parts():
            part.set_theme(theme)  # type: ignore[attr-defined]  # every part has it

    def set_scale(self, factor: float) -> None:
        """Set type this many times its size."""
        self.distance.setFont(font(CAPTION, scale=factor))
        for part in self._parts():
            part.set_scale(factor)  # type: ignore[attr-defined]  # every part has it
