"""The drawer's page "training": what is minimised, by which network, on which noise, and when to stop.

The few settings that matter lie open, the rest folds. What can change while the network learns does so at once; what
needs a fresh network, or other settings along with it, asks in the row itself before anything happens.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from explorer.document import Change, ChangeFit, ChangeSeed, ChangeStop, Document
from explorer.engine.frames import Frame
from explorer.numbers import three
from explorer.panels.fields import Spec
from explorer.panels.fitform import NETWORK, NOISE, TRAINING, WEIGHTS, hidden, propose
from explorer.panels.form import Form, Proposal, Section
from explorer.theme import CAPTION, UNIT, Theme, font
from trainer.compatibility import idle
from trainer.errors import InputError
from trainer.plans import StopSettings
from trainer.settings import FitSettings, whole

LARGEST_SEED = 2**31 - 1

_SEED = Section(
    "Seed",
    (Spec("seed", "seed", "Draws the first weights, the pool and every batch", whole=True, plain=True),),
    "Another seed draws a fresh network.",
    folded=True,
)
_STOP = Section(
    "Stop by itself",
    (
        Spec("steps", "steps", "Pause at this step", whole=True, optional=True, missing="never"),
        Spec("seconds", "seconds", "Pause after this much time spent in steps", optional=True, missing="never"),
        Spec(
            "error",
            "Fisher error",
            "Pause once the relative Fisher error E|s_θ − s|²/E|s|² is below this at every σ that is followed",
            optional=True,
            missing="never",
        ),
    ),
    "Pauses at the first that is reached; empty fields do not count.",
    folded=True,
)


@dataclass(frozen=True)
class _Seed:
    """A seed as settings, for a form of its own."""

    seed: int = 0

    def __post_init__(self) -> None:
        whole("seed", self.seed, 0, LARGEST_SEED)


class TrainingPage(QWidget):
    """All training settings, the seed and the stop conditions of a document."""

    commanded = Signal(object)
    """A `ChangeFit`, `ChangeSeed` or `ChangeStop`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Training")
        self._trained = False
        self.fit = Form(FitSettings(), (TRAINING, NOISE, WEIGHTS, NETWORK), propose=self._propose)
        self.seed = Form(_Seed(), (_SEED,), propose=self._propose_seed)
        self.stop = Form(StopSettings(), (_STOP,))
        self._note = QLabel()
        self._note.setProperty("quiet", True)
        self._note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(UNIT)
        for widget in (self.fit, self.seed, self.stop, self._note):
            layout.addWidget(widget)
        layout.addStretch(1)
        self.fit.edited.connect(self._fit_edited)
        self.seed.edited.connect(self._seed_edited)
        self.stop.edited.connect(self._stop_edited)
        self._show_idle()
        self.set_scale(1.0)

    # --- what the rest of the program calls

    def show_document(self, document: Document, change: Change) -> None:
        """Show the document's settings where they have changed."""
        if document.fit != self.fit.settings:
            self.fit.set_settings(document.fit)
            self._show_idle()
        if document.seed != self.seed.settings.seed:
            self.seed.set_settings(_Seed(document.seed))
        if document.stop != self.stop.settings:
            self.stop.set_settings(document.stop)

    def show_frame(self, frame: Frame) -> None:
        """Know whether there are weights to lose, and say how the settings of now turn out."""
        self._trained = frame.step > 0
        text = f"{frame.parameters:,} weights · {frame.draws:,} draws seen" if frame.parameters else ""
        if text != self._note.text():
            self._note.setText(text)
        self.show_rate(frame.learning_rate, frame.lowered)

    def show_rate(self, rate: float, lowered: float) -> None:
        """Say below the learning rate what it is at this step, and whether a failed step has lowered it.

        Args:
            rate: of the next step; 0 if it is not known.
            lowered: what undone steps have multiplied it by, 1 if there were none.
        """
        self.fit.rows["learning_rate"].set_note(rate_words(rate, lowered))

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for form in (self.fit, self.seed, self.stop):
            form.set_theme(theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._note.setFont(font(CAPTION, scale=factor))
        for form in (self.fit, self.seed, self.stop):
            form.set_scale(factor)

    # --- edits

    def _propose(self, settings: FitSettings, path: str, value: object) -> Proposal:
        return propose(settings, path, value, trained=self._trained)

    def _propose_seed(self, settings: _Seed, path: str, value: object) -> Proposal:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InputError(f"seed: {value!r} is no seed; give a whole number between 0 and {LARGEST_SEED}")
        return Proposal(_Seed(value), "This starts a fresh network." if self._trained else "")

    def _show_idle(self) -> None:
        self.fit.set_idle(idle(self.fit.settings), hidden(self.fit.settings))

    def _fit_edited(self, settings: FitSettings) -> None:
        self._show_idle()
        self.commanded.emit(ChangeFit(settings))

    def _seed_edited(self, settings: _Seed) -> None:
        self.commanded.emit(ChangeSeed(settings.seed))

    def _stop_edited(self, settings: StopSettings) -> None:
        self.commanded.emit(ChangeStop(settings))


def rate_words(rate: float, lowered: float) -> str:
    """The present learning rate in words; arguments as in `TrainingPage.show_rate`."""
    if rate <= 0:
        return ""
    words = f"now {three(rate)}"
    return words if lowered >= 1 else f"{words}; lowered to 1/{1 / lowered:,.0f} when the loss blew up"
