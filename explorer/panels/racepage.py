"""The drawer's page "race": who races, and whether they are aligned by steps or by seconds.

What determines the noisy points (noise, levels, batch) is the same for all and is changed for all at once; everything
else is each entrant's own, in a form that folds. The entrants are part of the document, so that undo covers them; to
start and to hold the race is not.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QToolButton, QVBoxLayout, QWidget

from explorer.document import Change, ChangeRace, Document
from explorer.engine.frames import Frame
from explorer.panels.entrants import EntrantCard, entrant_sections, shared_section
from explorer.panels.fields import FieldRow, Spec, value_at
from explorer.panels.fitform import needs
from explorer.panels.form import Form, Proposal, Propose
from explorer.panels.icons import icon
from explorer.theme import CAPTION, LIGHT, UNIT, Theme, font
from trainer.compatibility import compatible, idle
from trainer.errors import InputError
from trainer.plans import MOST_RACERS, SHARED, RaceSettings, entrants, names
from trainer.settings import FitSettings
from trainer.words import FIELDS, said

EMPTY = "Two to five ways to learn the same painting, from one seed and the same noisy points, side by side."
AGAIN = "A change of an entrant starts the race again from the seed."

_ALIGNED = Spec(
    "aligned",
    "aligned by",
    "Steps: all take as many. Seconds: all compute for as long, in which one step of some is several of others",
    choices=(("steps", "steps"), ("seconds", "seconds")),
)


def preset(base: FitSettings, objective: str, target: str = "pooled") -> FitSettings:
    """The base's settings with this objective, and with this target if it is denoising, and what they need."""
    found = compatible(base, "objective", objective).settings
    if objective == "dsm":
        return compatible(found, "target", target).settings
    if objective in ("ism", "hutchinson", "ssm", "ssm_vr"):
        return compatible(found, "weighting", "ncsn").settings
    return found


PRESETS: tuple[tuple[str, str, str], ...] = (
    ("Denoising, pooled draws", "dsm", "pooled"),
    ("Denoising, one draw", "dsm", "single"),
    ("Denoising, reference batch", "dsm", "reference"),
    ("Denoising, control variate", "dsm", "control_variate"),
    ("Explicit: the exact score (ESM)", "esm", ""),
    ("Implicit: the exact trace (ISM)", "ism", ""),
    ("Implicit: Hutchinson's trace", "hutchinson", ""),
    ("Sliced (SSM)", "ssm", ""),
    ("Sliced, variance reduced (SSM-VR)", "ssm_vr", ""),
    ("Noise prediction (DDPM)", "ddpm", ""),
)
"""What the menu adds: words, objective, target of denoising."""


class RacePage(QWidget):
    """Who races: add, copy, edit and remove entrants; start and hold the race."""

    commanded = Signal(object)
    """A `ChangeRace`."""
    run_requested = Signal(bool)
    """Whether the race is to run: the engine's `RunRace`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Race")
        self.race = RaceSettings()
        self.now = FitSettings()
        self.running = False
        self._theme, self._factor = LIGHT, 1.0
        self.cards: list[EntrantCard] = []

        self.run = QPushButton("Start")
        self.run.setToolTip("Let the race run, or hold it")
        self.run.clicked.connect(lambda: self.run_requested.emit(not self.running))
        self.end = QPushButton("End")
        self.end.setToolTip("Remove all entrants; undo brings them back")
        self.end.clicked.connect(lambda: self._change(()))
        self.add = QToolButton()
        self.add.setText("Add")
        self.add.setAccessibleName("Add an entrant")
        self.add.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.add.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.add.setMenu(self._menu())
        self.usual = QPushButton("Race three ways")
        self.usual.setToolTip("Pooled targets, one-draw targets as in textbooks, and sliced score matching")
        self.usual.clicked.connect(self._race_three)
        buttons = QHBoxLayout()
        buttons.setSpacing(UNIT)
        for widget in (self.usual, self.run, self.end):
            buttons.addWidget(widget)
        buttons.addStretch(1)
        buttons.addWidget(self.add)

        self.aligned = FieldRow(_ALIGNED)
        self.aligned.edited.connect(self._align)
        self.hint = QLabel(EMPTY)
        self.hint.setProperty("quiet", True)
        self.refusal = QLabel()
        self.refusal.setAccessibleName("Why it was refused")
        for label in (self.hint, self.refusal):
            label.setWordWrap(True)
        self.shared = Form(self.now, (shared_section(),), propose=self._propose_shared)
        self.shared.edited.connect(self._share)
        self._list = QVBoxLayout()
        self._list.setSpacing(UNIT)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(UNIT)
        layout.addWidget(self.hint)
        layout.addLayout(buttons)
        layout.addWidget(self.refusal)
        layout.addWidget(self.aligned)
        layout.addLayout(self._list)
        layout.addWidget(self.shared)
        layout.addStretch(1)
        self._show()

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        action = menu.addAction("As now")
        action.setToolTip("The settings that the painting is learned with at present")
        action.triggered.connect(lambda: self._add(self.now))
        menu.addSeparator()
        for words, objective, target in PRESETS:
            menu.addAction(words).triggered.connect(partial(self._add_preset, objective, target))
        return menu

    # --- what the rest of the program calls

    def show_document(self, document: Document, change: Change) -> None:
        """Show the document's race where it has changed."""
        self.now = document.fit
        if document.race != self.race:
            self.race = document.race
            self._show()

    def show_frame(self, frame: Frame) -> None:
        """Say whether the race runs, and what keeps an entrant from it."""
        race = frame.race
        if race is not None and race.running != self.running:
            self.running = race.running
            self._label_run()
        notes = [racer.note for racer in race.racers] if race is not None else []
        for card, note in zip(self.cards, notes, strict=False):
            card.set_note(note)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.aligned.set_theme(theme)
        self.shared.set_theme(theme)
        size = round(16 * self._factor)
        self.add.setIcon(icon("add", theme, size))
        self.add.setIconSize(QSize(size, size))
        for card in self.cards:
            card.set_theme(theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._factor = factor
        self.aligned.set_scale(factor)
        self.shared.set_scale(factor)
        for label in (self.hint, self.refusal):
            label.setFont(font(CAPTION, scale=factor))
        for button in (self.run, self.end, self.usual, self.add):
            button.setFont(font(scale=factor))
        for card in self.cards:
            card.set_scale(factor)
        self.set_theme(self._theme)

    # --- showing

    def _show(self) -> None:
        """Bring everything in line with the race."""
        racing = bool(self.race.entrants)
        self.refusal.setText("")
        self.refusal.setVisible(False)
        self.hint.setText(AGAIN if racing else EMPTY)
        self.usual.setVisible(not racing)
        for widget in (self.run, self.end, self.aligned, self.shared):
            widget.setVisible(racing)
        self.aligned.set_value(self.race.aligned)
        full = len(self.race.entrants) >= MOST_RACERS
        self.add.setEnabled(not full)
        self.add.setToolTip(f"No more than {MOST_RACERS} race" if full else "Add one more way to learn")
        while len(self.cards) > len(self.race.entrants):
            self.cards.pop().deleteLater()
        while len(self.cards) < len(self.race.entrants):
            self.cards.append(self._card(len(self.cards)))
        labels = names(self.race.entrants)
        for card, label, settings in zip(self.cards, labels, self.race.entrants, strict=True):
            card.show_settings(label, settings, removable=len(self.cards) > 2, copyable=not full)
        if racing:
            self.shared.set_settings(self.race.entrants[0])
            self.shared.set_idle(idle(self.race.entrants[0]))
        self._label_run()
        self.set_scale(self._factor)

    def _card(self, index: int) -> EntrantCard:
        card = EntrantCard(index, entrant_sections(), self._proposer(index))
        card.edited.connect(self._edit)
        card.copied.connect(self._copy)
        card.removed.connect(self._remove)
        self._list.addWidget(card)
        return card

    def _label_run(self) -> None:
        self.run.setText("Hold" if self.running else "Start")
        self.run.setAccessibleName("Hold the race" if self.running else "Start the race")

    # --- edits

    def _change(self, racers: tuple[FitSettings, ...]) -> None:
        """Let these race, or say why they cannot."""
        try:
            race = replace(self.race, entrants=racers)
        except InputError as problem:
            self.refusal.setText(_plain(problem))
            self.refusal.setVisible(True)
            return
        if not racers:
            self.run_requested.emit(False)
        self.race = race
        self._show()
        self.commanded.emit(ChangeRace(race))

    def _align(self, path: str) -> None:
        self.race = replace(self.race, aligned=self.aligned.value())  # type: ignore[arg-type]
        self.commanded.emit(ChangeRace(self.race))

    def _race_three(self) -> None:
        self._change(tuple(_adapted(each, self.now) for each in entrants()))

    def _add_preset(self, objective: str, target: str) -> None:
        self._add(preset(self.race.entrants[0] if self.race.entrants else self.now, objective, target))

    def _add(self, settings: FitSettings) -> None:
        """One more; the first one races what is learned now."""
        self._change((*(self.race.entrants or (self.now,)), settings))

    def _copy(self, index: int) -> None:
        racers = self.race.entrants
        self._change((*racers[: index + 1], racers[index], *racers[index + 1 :]))

    def _remove(self, index: int) -> None:
        racers = self.race.entrants
        self._change((*racers[:index], *racers[index + 1 :]))

    def _edit(self, index: int, settings: FitSettings) -> None:
        racers = list(self.race.entrants)
        racers[index] = settings
        self._change(tuple(racers))

    def _share(self, settings: FitSettings) -> None:
        """Give all entrants what the first one's noisy points are now made of."""
        before = self.race.entrants[0]
        changed = [path for path in SHARED if value_at(settings, path) != value_at(before, path)]
        racers = self.race.entrants
        for path in changed:
            racers = tuple(compatible(each, path, value_at(settings, path)).settings for each in racers)
        self._change(racers)

    def _proposer(self, index: int) -> Propose:
        """How the entrant with this number takes a value over."""

        def propose(settings: FitSettings, path: str, value: object) -> Proposal:
            found = compatible(settings, path, value)
            racers = list(self.race.entrants)
            racers[index] = found.settings
            RaceSettings(tuple(racers))
            return Proposal(found.settings, needs(settings, path, value, found.changed), "Apply all")

        return propose

    def _propose_shared(self, settings: FitSettings, path: str, value: object) -> Proposal:
        """Take a value over for every entrant; what it needs may differ from one to the next."""
        if not self.race.entrants:  # the last one went while this was being typed
            return Proposal(settings)
        found = [compatible(each, path, value) for each in self.race.entrants]
        RaceSettings(tuple(each.settings for each in found))
        asked: dict[str, list[str]] = {}
        for label, each in zip(names(self.race.entrants), found, strict=True):
            for name in each.changed:
                asked.setdefault(f"{FIELDS[name]}: {said(name, value_at(each.settings, name))}", []).append(label)
        parts = [
            text if len(labels) == len(found) else f"{text} (for {', '.join(labels)})" for text, labels in asked.items()
        ]
        wanted = f"{FIELDS[path].capitalize()} “{said(path, value_at(found[0].settings, path))}”"
        return Proposal(found[0].settings, f"{wanted} needs {'; '.join(parts)}." if parts else "", "Apply all")


def _adapted(settings: FitSettings, now: FitSettings) -> FitSettings:
    """These settings on the noisy points, and with the network, that training has now."""
    found = preset(now, settings.objective, settings.target)
    return compatible(found, "weighting", settings.weighting).settings


def _plain(problem: InputError) -> str:
    """The line without the name of the field in files."""
    line = str(problem)
    _, _, rest = line.partition(": ")
    return f"{rest[:1].upper()}{rest[1:]}." if line.startswith("race.") else line
