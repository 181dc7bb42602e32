"""The settings of what is made: sampler, its steps, number and seed, as one form at the side.

Until a person changes them the settings are those that the model's own noise levels and the sampler recommend; what
was changed is taken back by `recommend`. Everything is checked by the settings themselves and, for noise levels,
against what the model knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from explorer.engine.gallery.frames import GalleryFrame
from explorer.engine.gallery.orders import ModelOpened
from explorer.panels.fields import Spec, with_value
from explorer.panels.form import Form, Proposal, Section
from explorer.panels.paneform import PANE, hidden
from explorer.panes import TITLES
from explorer.theme import CAPTION, CONTROL, TITLE, UNIT, Theme, font
from trainer.errors import InputError
from trainer.scenes import Pane
from trainer.settings import ParticleSettings, choice, whole

WIDTH = 320
"""Pixels of the panel at scale 1."""

LARGEST_SEED = 2**31 - 1
MOST = 1024
"""Pictures of one job."""

_UNUSED = frozenset({"settings.source", "settings.vp_schedule"})
_START = "settings.start_sigma"
_OF_FLOW = tuple(
    replace(spec, missing="largest") if spec.path == _START else spec
    for spec in PANE.specs
    if spec.path.startswith("settings.") and spec.path not in _UNUSED
)


@dataclass(frozen=True)
class Making:
    """What the form edits.

    Attributes:
        sampler, settings: what moves the pictures, and how.
        count: pictures; seed, second_seed: of all noise, and of an interpolation's other end.
    """

    sampler: str = "ode"
    settings: ParticleSettings = field(default_factory=ParticleSettings)
    count: int = 64
    seed: int = 0
    second_seed: int = 1

    def __post_init__(self) -> None:
        choice("sampler", self.sampler, tuple(TITLES))
        whole("number", self.count, 1, MOST)
        whole("seed", self.seed, 0, LARGEST_SEED)
        whole("second seed", self.second_seed, 0, LARGEST_SEED)


_LADDER = (
    Spec("settings.levels", "noise levels", "Rungs of the geometric ladder, from the largest σ down", whole=True),
    Spec("settings.steps", "steps per level", "Langevin steps on each rung", whole=True),
)


_SAMPLERS = ("annealed", "pc", "sde", "ode", "ddpm", "ddim")
_SECTIONS = (
    Section(
        "Sampler",
        (
            Spec(
                "sampler",
                "sampler",
                "What makes pictures of noise: the same samplers that move the dots",
                choices=tuple((name, TITLES[name]) for name in _SAMPLERS),
            ),
            *_LADDER,
            *_OF_FLOW,
        ),
    ),
    Section(
        "Pictures",
        (
            Spec("count", "number", f"How many, to {MOST:,}", whole=True),
            Spec("seed", "seed", "Draws all noise; the same seed makes the same pictures", whole=True, plain=True),
            Spec("second_seed", "second seed", "Makes the other end", whole=True, plain=True),
        ),
    ),
)


class MakingPanel(QWidget):
    """The form, what is known of the model above it, and the button that takes recommended settings."""

    edited = Signal(object)
    """The `Making` as the person has changed it."""

    def __init__(self) -> None:
        super().__init__()
        self._model: ModelOpened | None = None
        self._making = Making()
        self._counts = {"samples": 64, "denoise": 9, "inpaint": 9, "interpolate": 9}
        self._mode = "samples"
        self._costed = 0  # the job whose cost is shown
        self.form = Form(self._making, _SECTIONS, propose=self._propose)
        self.form.edited.connect(self._changed)
        self.heading = QLabel("No image model")
        self.facts = QLabel("File > Open image model")
        for label in (self.heading, self.facts):
            label.setWordWrap(True)
        self.facts.setProperty("quiet", True)
        self.recommend_button = QPushButton("Recommended settings")
        self.recommend_button.setToolTip("Take the settings that suit model and sampler")
        self.recommend_button.setAutoDefault(False)
        self.recommend_button.clicked.connect(self.recommend)
        self.cost = QLabel("")
        self.cost.setProperty("quiet", True)
        self.cost.setWordWrap(True)
        rule = QFrame()
        rule.setObjectName("rule")
        rule.setFixedHeight(1)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(2 * UNIT, UNIT, 2 * UNIT, 2 * UNIT)
        column.setSpacing(UNIT)
        for widget in (self.heading, self.facts, rule, self.form, self.recommend_button, self.cost):
            column.addWidget(widget)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inner)
        whole_panel = QVBoxLayout(self)
        whole_panel.setContentsMargins(0, 0, 0, 0)
        whole_panel.addWidget(area)
        self.set_scale(1.0)
        self._show()

    @property
    def making(self) -> Making:
        """The settings now."""
        return self._making

    @property
    def model(self) -> ModelOpened | None:
        """Whose settings they are."""
        return self._model

    @property
    def own_settings(self) -> ParticleSettings | None:
        """The settings if they differ from the recommended ones, else None."""
        recommended = self._recommended(self._making.sampler)
        return None if recommended == self._making.settings else self._making.settings

    def open(self, model: ModelOpened, *, anew: bool = True) -> None:
        """Show this model, with the settings recommended for it; those that there are stay unless it begins `anew`."""
        self._model = model
        sampler = self._making.sampler if self._making.sampler in model.recommended else "annealed"
        if anew:
            self._making = replace(self._making, sampler=sampler, settings=self._recommended(sampler))
        self.heading.setText(model.name)
        kind = {"ncsn": "noise-conditional score network", "ddpm": "diffusion model (DDPM)"}[model.objective]
        channels, height, width = model.shape
        lines = [
            f"{kind}, {width} × {height} {'grey' if channels == 1 else 'colour'}, {model.parameters:,} parameters",
            f"σ {model.sigma_max:.3g} to {model.sigma_min:.3g}" + (f", step {model.step:,}" if model.step else ""),
            *(f"{name} {value}" for name, value in model.facts if name == "trained on"),
        ]
        self.facts.setText("\n".join(lines))
        self.facts.setToolTip("\n".join((model.folder, *(f"{name}: {value}" for name, value in model.facts))))
        self._show()

    def set_mode(self, mode: str) -> None:
        """Show what this mode needs; each has a number of pictures of its own."""
        if mode in self._counts:
            self._counts[self._mode] = self._making.count
            self._mode = mode
            self._making = replace(self._making, count=self._counts[mode])
            self._show()

    def recommend(self) -> None:
        """Take the recommended settings."""
        self._take(replace(self._making, settings=self._recommended(self._making.sampler)))

    def next_seed(self) -> None:
        """Take the next seed."""
        self._take(replace(self._making, seed=(self._making.seed + 1) % LARGEST_SEED))

    def show_frame(self, frame: GalleryFrame) -> None:
        """Say what the frame's job costs, once a job."""
        if not frame.job or frame.job == self._costed:
            return
        self._costed = frame.job
        begin = f" from σ {frame.sigmas[0]:.3g}" if self._mode == "denoise" else ""
        levels = f" at {len(np.unique(frame.sigmas[frame.sigmas > 0])):,} noise levels"
        each = f"{frame.evaluations:,} network evaluations a picture"
        self.cost.setText(f"{frame.steps:,} steps{begin}{levels}, {each}")

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self.form.set_theme(theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self.form.set_scale(factor)
        self.heading.setFont(font(TITLE, bold=True, scale=factor))
        self.facts.setFont(font(CAPTION, scale=factor))
        self.cost.setFont(font(CAPTION, scale=factor))
        self.recommend_button.setFont(font(CONTROL, scale=factor))
        self.setFixedWidth(round(WIDTH * factor))

    def _recommended(self, sampler: str) -> ParticleSettings:
        known: Mapping[str, ParticleSettings] = {} if self._model is None else self._model.recommended
        return known.get(sampler, self._making.settings)

    def _propose(self, making: Making, path: str, value: object) -> Proposal:
        """A value taken over, with what goes together with it; no start is the one recommended."""
        if path == _START and value is None:
            value = self._recommended(making.sampler).start_sigma
        changed: Making = with_value(making, path, value)
        if path == "sampler":
            changed = replace(changed, settings=self._recommended(changed.sampler))
        if path == "settings.steps":
            changed = replace(changed, settings=replace(changed.settings, fine_steps=changed.settings.steps))
        self._check(changed, path)
        return Proposal(changed)

    def _check(self, making: Making, path: str) -> None:
        """Refuse noise levels that the model does not know."""
        if self._model is None or not path.endswith(("sigma", "sigma_min", "sigma_max")):
            return
        low, high = self._model.sigma_min, self._model.sigma_max
        sigma = getattr(making.settings, path.rpartition(".")[2])
        if sigma is not None and not low * (1 - 1e-6) <= sigma <= high * (1 + 1e-6):
            raise InputError(f"σ: {sigma:g} is outside what the model knows; give {low:.4g} to {high:.4g}")

    def _changed(self, making: Making) -> None:
        self._take(making)

    def _take(self, making: Making) -> None:
        if making != self._making:
            self._making = making
            self._show()
            self.edited.emit(making)

    def _show(self) -> None:
        """Show the settings, and only the fields that the sampler uses."""
        making = self._making
        self.form.set_settings(making)
        unused = hidden(Pane(making.sampler, making.settings))  # type: ignore[arg-type]  # checked by Making
        second = () if self._mode == "interpolate" else ("second_seed",)
        given = (_START, "settings.sigma_max") if self._mode == "denoise" else ()  # by the slider
        self.form.set_idle({}, {*unused, *second, *given})
        self.form.setEnabled(self._model is not None)
        changed = self.own_settings is not None
        self.recommend_button.setEnabled(self._model is not None and changed)
