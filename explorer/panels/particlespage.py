"""The drawer's page "particles": how many panes, which sampler in each, and where all of them start.

One pane is edited at a time; the row of numbers chooses it. What all panes have in common - the number of particles,
the start, the seed - stands below. Everything leaves as a command, so that undo covers it, and releases the particles
anew. The editor of the ladder shows for annealed Langevin dynamics, which goes down one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from explorer.document import Change, ChangeParticleSeed, ChangeScene, Document
from explorer.engine.frames import Frame
from explorer.panels.fields import Spec, with_value
from explorer.panels.form import FoldingSection, Form, Proposal, Section
from explorer.panels.icons import icon
from explorer.panels.ladder import LadderEditor
from explorer.panels.paneform import LADDER, SECTIONS, hidden, uses_ladder
from explorer.panels.region import RegionEditor
from explorer.panes import TITLES, one_more, pane_titles
from explorer.theme import CAPTION, CONTROL, LIGHT, UNIT, Theme, font
from trainer.errors import InputError
from trainer.scenes import MOST_PANES, REGION_SIDE, Pane, Scene, Start, StartKind, region_text
from trainer.settings import Rung, whole

LARGEST_SEED = 2**31 - 1

LATER = "A change on this page releases the particles anew."

_PATCH = region_text(row * REGION_SIDE + col for row in range(20, 27) for col in range(5, 12))
"""What is painted at first: a patch above left of the middle."""

_COMMON = Section(
    "All panes",
    (
        Spec(
            "number", "particles", "How many in each pane, to 100,000; above 20,000 their density is drawn", whole=True
        ),
        Spec(
            "kind",
            "start",
            "Where particles start. Each its own: the square, or noise for samplers that turn noise into data",
            choices=(
                ("own", "each its own"),
                ("uniform", "a square"),
                ("gaussian", "a Gaussian"),
                ("region", "a painted region"),
                ("point", "one point"),
            ),
        ),
        Spec("x", "centre, x", "Middle of the start, in the plane"),
        Spec("y", "centre, y", "Middle of the start, in the plane"),
        Spec("spread", "spread", "Standard deviation of the Gaussian, or half the square's side"),
    ),
)
_SEED = Section(
    "Seed",
    (Spec("seed", "seed", "Draws the start and the noise, the same in all panes", whole=True, plain=True),),
    folded=True,
)


@dataclass(frozen=True)
class _Common:
    """What panes have in common, for a form."""

    number: int
    kind: StartKind
    x: float
    y: float
    spread: float
    region: str

    @classmethod
    def of(cls, scene: Scene) -> _Common:
        start = scene.start
        return cls(scene.number, start.kind, *start.centre, start.spread, start.region)

    def on(self, scene: Scene) -> Scene:
        """The scene with these; `InputError` if it cannot have them."""
        start = Start(self.kind, (self.x, self.y), self.spread, self.region)
        return replace(scene if self.number == scene.number else scene.with_number(self.number), start=start)


@dataclass(frozen=True)
class _Seed:
    """A seed as settings, for a form of its own."""

    seed: int = 0

    def __post_init__(self) -> None:
        whole("seed", self.seed, 0, LARGEST_SEED)


class ParticlesPage(QWidget):
    """Panes, start, number and seed of the particles.

    Args:
        ladder: the editor of a ladder of one's own, for annealed Langevin dynamics.
        actions: "pane_add", which the page has a button for; one of its own without.
    """

    commanded = Signal(object)
    """A `ChangeScene` or a `ChangeParticleSeed`."""

    pane_chosen = Signal(int)
    """The index of the pane that is edited from now on, for the editor of the ladder."""

    def __init__(
        self,
        ladder: LadderEditor | None = None,
        actions: Mapping[str, QAction] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName("Particles")
        self._adding = (actions or {}).get("pane_add") or self._make_adding()
        self._scene, self._theme, self._factor = Scene(), LIGHT, 1.0
        self.chosen = 0
        self.ladder = ladder
        self.pane = Form(self._scene.panes[0], SECTIONS)
        self.common = Form(_Common.of(self._scene), (_COMMON,), propose=self._propose_common)
        self.seed = Form(_Seed(), (_SEED,))
        self.region = RegionEditor()
        self._say = QLabel()
        self._later = QLabel(LATER)
        for label in (self._say, self._later):
            label.setWordWrap(True)
            label.setProperty("quiet", True)
        self._say.setVisible(False)
        self.rungs = FoldingSection("Ladder")
        self.copy = QPushButton("Same as pane 1")
        self.copy.setToolTip("Give this pane the sampler and the settings of pane 1")
        self.copy.setAccessibleName("Same as pane 1")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(UNIT)
        layout.addLayout(self._pane_row())
        layout.addLayout(self._button_row())
        self.pane.sections[0].add(self.copy)
        layout.addWidget(self.pane)
        if ladder is not None:
            self.rungs.add(ladder)
            layout.addWidget(self.rungs)
            ladder.rungs_changed.connect(self._ladder_edited)
        self.common.sections[0].add(self.region)
        self.common.sections[0].add(self._say)
        for widget in (self.common, self.seed, self._later):
            layout.addWidget(widget)
        layout.addStretch(1)
        self.pane.edited.connect(self._pane_edited)
        self.common.edited.connect(self._common_edited)
        self.seed.edited.connect(lambda settings: self.commanded.emit(ChangeParticleSeed(settings.seed)))
        self.region.painted.connect(self._region_painted)
        self.copy.clicked.connect(self._copy_first)
        self._show()
        self.set_scale(1.0)

    def _pane_row(self) -> QHBoxLayout:
        """Numbers to choose a pane by."""
        row = QHBoxLayout()
        row.setSpacing(UNIT // 2)
        self._group = QButtonGroup(self)
        self.numbers: list[QToolButton] = []
        for index in range(MOST_PANES):
            button = QToolButton()
            button.setText(f"{index + 1}")
            button.setCheckable(True)
            button.clicked.connect(partial(self.choose, index))
            self._group.addButton(button)
            self.numbers.append(button)
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _button_row(self) -> QHBoxLayout:
        """The menu's action that adds a pane, in its own words, and a button that removes the chosen one."""
        row = QHBoxLayout()
        row.setSpacing(UNIT // 2)
        self.add, self.remove = QToolButton(), QToolButton()
        self.add.setDefaultAction(self._adding)
        self.add.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.add.setAccessibleName(self._adding.text().replace("&", ""))
        self.remove.setText("Remove this pane")
        self.remove.setToolTip("Remove the pane that is chosen above")
        self.remove.setAccessibleName("Remove this pane")
        self.remove.clicked.connect(self._remove_pane)
        for button in (self.add, self.remove):
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _make_adding(self) -> QAction:
        """The action for a page without a menu."""
        action = QAction("Add a pane", self)
        action.setToolTip("One more pane of particles, up to four")
        action.triggered.connect(lambda: self.commanded.emit(ChangeScene(one_more(self._scene))))
        return action

    # --- what the rest of the program calls

    def show_document(self, document: Document, change: Change) -> None:
        """Show the document's scene and seed where they have changed."""
        if document.scene != self._scene:
            added = len(document.scene.panes) == len(self._scene.panes) + 1 and not change.opened
            self._scene = document.scene
            if added:
                self.choose(len(document.scene.panes) - 1)
            else:
                self._show()
        if document.particle_seed != self.seed.settings.seed:
            self.seed.set_settings(_Seed(document.particle_seed))

    def show_frame(self, frame: Frame) -> None:
        """Put the density behind the region."""
        if self.region.isVisible():
            self.region.set_ground(frame.ground, frame.centre, frame.half_width)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for form in (self.pane, self.common, self.seed):
            form.set_theme(theme)
        self.region.set_theme(theme)
        self._theme = theme
        self._draw_icon()
        if self.ladder is not None:
            self.ladder.set_theme(theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._factor = factor
        for form in (self.pane, self.common, self.seed):
            form.set_scale(factor)
        self.region.set_scale(factor)
        self.rungs.set_scale(factor)
        if self.ladder is not None:
            self.ladder.set_scale(factor)
        for label in (self._say, self._later):
            label.setFont(font(CAPTION, scale=factor))
        for button in (*self.numbers, self.add, self.remove, self.copy):
            button.setFont(font(CONTROL, scale=factor))
        for button in self.numbers:
            button.setMinimumWidth(round(32 * factor))
        self.add.setIconSize(QSize(round(16 * factor), round(16 * factor)))
        self._draw_icon()

    def _draw_icon(self) -> None:
        """Give the action its icon, which the menu shows too."""
        self._adding.setIcon(icon("add", self._theme, round(16 * self._factor)))

    def choose(self, index: int) -> None:
        """Edit this pane from now on."""
        self.chosen = min(max(index, 0), len(self._scene.panes) - 1)
        self._show()
        self.pane_chosen.emit(self.chosen)

    # --- showing

    def _show(self) -> None:
        """Show the scene, and of its panes the chosen one."""
        panes = self._scene.panes
        self.chosen = min(self.chosen, len(panes) - 1)
        titles = pane_titles(self._scene)
        for index, button in enumerate(self.numbers):
            button.setVisible(index < len(panes))
            if index < len(panes):
                button.setToolTip(titles[index])
                button.setAccessibleName(f"Pane {index + 1}: {titles[index]}")
        self.numbers[self.chosen].setChecked(True)
        self._adding.setEnabled(len(panes) < MOST_PANES)
        self.remove.setEnabled(len(panes) > 1)
        self.copy.setVisible(self.chosen > 0)
        pane = panes[self.chosen]
        self.copy.setEnabled(pane != panes[0])
        if pane != self.pane.settings:
            self.pane.set_settings(pane)
        self._fit_pane(pane)
        common = _Common.of(self._scene)
        if common != self.common.settings:
            self.common.set_settings(common)
        self._fit_common(common)

    def _fit_pane(self, pane: Pane) -> None:
        """Show the fields that its sampler uses."""
        self.pane.set_idle({}, hidden(pane))
        section = self.pane.sections[0]
        section.title = f"Pane {self.chosen + 1}: {TITLES[pane.sampler]}"
        section.button.setText(f"{'▸' if section.folded else '▾'} {section.title}")
        self.pane.sections[SECTIONS.index(LADDER)].setVisible(uses_ladder(pane) and not pane.settings.rungs)
        if self.ladder is not None:
            self.rungs.setVisible(pane.sampler == "annealed")
            self.ladder.show_settings(pane.settings)

    def _fit_common(self, common: _Common) -> None:
        """Show what this kind of start needs."""
        placed = common.kind in ("uniform", "gaussian", "point")
        unused = set() if placed else {"x", "y"}
        if common.kind not in ("uniform", "gaussian"):
            unused.add("spread")
        self.common.set_idle({}, unused)
        self.region.setVisible(common.kind == "region")
        self.region.set_region(common.region)
        self._warn("")

    def _warn(self, line: str) -> None:
        self._say.setText(line)
        self._say.setVisible(bool(line))

    # --- edits

    def _change(self, scene: Scene) -> None:
        if scene != self._scene:
            self._scene = scene
            self._show()
            self.commanded.emit(ChangeScene(scene))

    def _pane_edited(self, pane: Pane) -> None:
        self._change(self._scene.with_pane(self.chosen, pane))

    def _ladder_edited(self, rungs: tuple[Rung, ...]) -> None:
        pane = self._scene.panes[self.chosen]
        self._change(self._scene.with_pane(self.chosen, replace(pane, settings=replace(pane.settings, rungs=rungs))))

    def _propose_common(self, common: _Common, path: str, value: object) -> Proposal:
        """Take a value over if the scene can have it; a region that was never painted begins with a patch."""
        wanted = with_value(common, path, value)
        if wanted.kind == "region" and not wanted.region:
            wanted = replace(wanted, region=_PATCH)
        wanted.on(self._scene)
        return Proposal(wanted)

    def _common_edited(self, common: _Common) -> None:
        self._change(common.on(self._scene))

    def _region_painted(self, region: str) -> None:
        try:
            start = replace(self._scene.start, region=region)
        except InputError as error:
            self._warn(str(error).partition(": ")[2] or str(error))
            return
        self._change(replace(self._scene, start=start))

    def _remove_pane(self) -> None:
        panes = self._scene.panes
        if len(panes) > 1:
            kept = tuple(pane for index, pane in enumerate(panes) if index != self.chosen)
            self.chosen = max(self.chosen - 1, 0)
            self._change(replace(self._scene, panes=kept))
            self.pane_chosen.emit(self.chosen)

    def _copy_first(self) -> None:
        self._change(self._scene.with_pane(self.chosen, self._scene.panes[0]))
