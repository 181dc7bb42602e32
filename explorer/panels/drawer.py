"""The settings drawer at the window's right: how the network trains and how the particles move.

It edits copies: every valid change leaves as a whole frozen settings object, anything else stays in its field with one
line that says what would be right. What cannot be changed without a fresh network says so before it is touched.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from explorer.panels.fields import FieldRow, Spec, value_at, with_value
from explorer.theme import CAPTION, TITLE, UNIT, Theme, font
from trainer.errors import InputError
from trainer.settings import FitSettings, ParticleSettings

WIDTH = 304
"""Pixels at scale 1."""

SEED = Spec("seed", "seed", "Draws the first weights, the pool and every batch", whole=True, plain=True)
PARTICLE_SEED = Spec(
    "seed", "seed", "Draws the starting points and the noise, the same in all three panes", whole=True, plain=True
)

FIT = (
    Spec(
        "target",
        "target",
        "Pooled: the posterior mean over a growing pool of draws. One draw: −z/σ of one noisy point, as textbooks do",
        choices=(("pooled", "pooled draws"), ("single", "one draw (textbook)")),
    ),
    Spec(
        "weighting",
        "weight of σ",
        "How much each noise level counts: EDM (Karras et al. 2022), σ² (NCSN, Song & Ermon 2019), or all alike",
        choices=(("edm", "EDM"), ("ncsn", "σ² (NCSN)"), ("none", "none")),
    ),
    Spec("batch", "batch", "Noisy points in each training step", whole=True),
    Spec("learning_rate", "learning rate", "Step size of the optimiser at its largest"),
    Spec("ladder.levels", "noise levels", "Rungs of the geometric ladder that the network is trained on", whole=True),
    Spec("ladder.sigma_min", "smallest σ", "Smallest noise level of training, in units of the plane"),
    Spec(
        "ladder.sigma_max",
        "largest σ",
        "Largest noise level of training; empty: the largest distance between two points (Song & Ermon 2020)",
        optional=True,
    ),
)

NETWORK = (
    Spec("network.width", "width", "Units in each hidden layer", whole=True),
    Spec("network.depth", "depth", "Hidden layers", whole=True),
    Spec("network.features", "features", "Random Fourier features of the position", whole=True),
)

PARTICLES = (
    Spec(
        "source",
        "score",
        "What moves the particles: the network as it was when they were released, or the exact score",
        choices=(("learned", "learned"), ("true", "true (exact)")),
    ),
    Spec("number", "particles", "How many in each pane, to 20,000", whole=True),
    Spec("levels", "noise levels", "Rungs of annealed Langevin dynamics, from the largest σ down", whole=True),
    Spec("steps", "steps per level", "Langevin steps on each rung; the other panes take as many in all", whole=True),
    Spec("fine_steps", "steps, fine levels", "Langevin steps on each rung below the σ of the next line", whole=True),
    Spec("fine_below", "fine below σ", "Below it steps settle a mode's shape and move no weight between modes"),
    Spec("epsilon", "ε", "Step size at the smallest σ: x ← x + ε/2 s + √ε z (Song & Ermon 2019, Algorithm 1)"),
    Spec("sigma_min", "smallest σ", "Noise level of the last rung, of plain Langevin dynamics and of ascent"),
    Spec("sigma_max", "largest σ", "Noise level of the first rung"),
)

RESTARTS = "A change of these starts a fresh network:"
LATER = "A change of these releases the particles anew."
LARGEST_SEED = 2**31 - 1


class SettingsDrawer(QScrollArea):
    """Training and particles, one line a setting. `set_fit` and its like show the document and emit nothing."""

    fit_changed = Signal(FitSettings)
    seed_changed = Signal(int)
    particles_changed = Signal(ParticleSettings)
    particle_seed_changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Settings")
        self._factor = 1.0
        self._fit, self._particles = FitSettings(), ParticleSettings()
        self._seeds = {"fit": 0, "particles": 0}
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(2 * UNIT, UNIT, 2 * UNIT, UNIT)
        layout.setSpacing(UNIT)
        self._titles: list[QLabel] = []
        self._hints: list[QLabel] = []
        self.fit_rows = self._section(layout, "Training", FIT, self._edit_fit)
        self._hint(layout, RESTARTS)
        self.fit_rows |= {spec.path: self._row(layout, spec, self._edit_fit) for spec in NETWORK}
        self.seed_row = self._row(layout, SEED, self._edit_seed)
        layout.addSpacing(UNIT)
        self.particle_rows = self._section(layout, "Particles", PARTICLES, self._edit_particles)
        self.particle_seed_row = self._row(layout, PARTICLE_SEED, self._edit_particle_seed)
        self._hint(layout, LATER)
        layout.addStretch(1)
        self.rows = (*self.fit_rows.values(), self.seed_row, *self.particle_rows.values(), self.particle_seed_row)
        self.setWidget(body)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        body.setAutoFillBackground(False)
        self.set_fit(self._fit)
        self.set_particles(self._particles)
        self.set_seed(0)
        self.set_particle_seed(0)
        self.set_scale(1.0)

    def set_fit(self, settings: FitSettings) -> None:
        """Show these training settings; what was typed wrongly is forgotten."""
        self._fit = settings
        for path, row in self.fit_rows.items():
            row.set_value(value_at(settings, path))

    def set_particles(self, settings: ParticleSettings) -> None:
        """Show these particle settings; what was typed wrongly is forgotten."""
        self._particles = settings
        for path, row in self.particle_rows.items():
            row.set_value(value_at(settings, path))

    def set_seed(self, seed: int) -> None:
        """Show the seed of training."""
        self._seeds["fit"] = seed
        self.seed_row.set_value(seed)

    def set_particle_seed(self, seed: int) -> None:
        """Show the seed of the particles."""
        self._seeds["particles"] = seed
        self.particle_seed_row.set_value(seed)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for row in self.rows:
            row.set_theme(theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._factor = factor
        for title in self._titles:
            title.setFont(font(TITLE, bold=True, scale=factor))
        for hint in self._hints:
            hint.setFont(font(CAPTION, scale=factor))
        for row in self.rows:
            row.set_scale(factor)
        self.setFixedWidth(round(WIDTH * factor))

    def sizeHint(self) -> QSize:
        """Its fixed width; as high as there is room."""
        return QSize(round(WIDTH * self._factor), 400)

    def _section(self, layout: QVBoxLayout, name: str, specs: tuple[Spec, ...], slot: Any) -> dict[str, FieldRow]:  # noqa: ANN401 - a slot
        title = QLabel(name)
        self._titles.append(title)
        layout.addWidget(title)
        rule = QFrame()
        rule.setObjectName("rule")
        rule.setFixedHeight(1)
        layout.addWidget(rule)
        return {spec.path: self._row(layout, spec, slot) for spec in specs}

    def _hint(self, layout: QVBoxLayout, text: str) -> None:
        hint = QLabel(text)
        hint.setProperty("quiet", True)
        hint.setWordWrap(True)
        self._hints.append(hint)
        layout.addWidget(hint)

    def _row(self, layout: QVBoxLayout, spec: Spec, slot: Any) -> FieldRow:  # noqa: ANN401 - a slot
        row = FieldRow(spec)
        row.editor.setAccessibleName(f"{self._titles[-1].text()}: {spec.label}")
        row.edited.connect(slot)
        layout.addWidget(row)
        return row

    def _edit_fit(self, path: str) -> None:
        settings = _collect(self._fit, self.fit_rows, path)
        if settings != self._fit:
            self._fit = settings
            self.fit_changed.emit(settings)

    def _edit_particles(self, path: str) -> None:
        settings = _collect(self._particles, self.particle_rows, path)
        if settings != self._particles:
            self._particles = settings
            self.particles_changed.emit(settings)

    def _edit_seed(self) -> None:
        seed = _seed(self.seed_row, self._seeds["fit"])
        if seed != self._seeds["fit"]:
            self._seeds["fit"] = seed
            self.seed_changed.emit(seed)

    def _edit_particle_seed(self) -> None:
        seed = _seed(self.particle_seed_row, self._seeds["particles"])
        if seed != self._seeds["particles"]:
            self._seeds["particles"] = seed
            self.particle_seed_changed.emit(seed)


def _collect(settings: Any, rows: dict[str, FieldRow], path: str) -> Any:  # noqa: ANN401 - either kind of settings
    """The settings with the field at `path`, and every field that waited for it, taken over where they are allowed."""
    waiting = [p for p, row in rows.items() if row.error() and p != path]
    for name in (path, *waiting):
        row = rows[name]
        try:
            settings = with_value(settings, name, row.value())
        except InputError as problem:
            row.set_error(str(problem))
        else:
            row.set_value(value_at(settings, name))
    return settings


def _seed(row: FieldRow, before: int) -> int:
    """The seed typed, or the one before and a line that says what is wrong."""
    seed = row.value()
    if isinstance(seed, int) and 0 <= seed <= LARGEST_SEED:
        row.set_error("")
        return seed
    row.set_error(f"seed: {seed!r} is no seed; give a whole number between 0 and {LARGEST_SEED}")
    return before
