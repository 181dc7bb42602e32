"""The preferences as a dialog: every choice holds at once, and there is nothing to confirm."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QDialog, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from explorer.colours import ERROR_MAPS, GROUND_MAPS
from explorer.panels.fields import FieldRow, Spec, with_value
from explorer.preferences import Preferences
from explorer.theme import CONTROL, HEADING, TITLE, UNIT, Theme, font
from explorer.wording import in_words
from trainer.errors import InputError

SECTIONS: tuple[tuple[str, tuple[Spec, ...]], ...] = (
    (
        "Look",
        (
            Spec(
                "theme",
                "colours",
                "Light, dark, or as the system is",
                (("system", "as the system"), ("light", "light"), ("dark", "dark")),
            ),
            Spec("font_size", "type, per cent", "Size of all type, from 80 to 200 per cent", whole=True),
            Spec("ground_map", "density", "Colours of densities; all keep their order for colour-blind eyes",
                 tuple(GROUND_MAPS.items())),
            Spec("error_map", "error", "Colours of the error map; all keep their order for colour-blind eyes",
                 tuple(ERROR_MAPS.items())),
        ),
    ),
    (
        "Speed and memory",
        (
            Spec("fps", "frames per second", "The window is drawn at most so often, from 10 to 120", whole=True),
            Spec(
                "device",
                "device",
                "What trains",
                (("auto", "the fastest"), ("cpu", "CPU"), ("cuda", "CUDA"), ("mps", "MPS")),
                note="Holds when the engine is started next.",
            ),
            Spec("history_mb", "undo, MiB", "Memory that undo may take, from 16 to 4,096 MiB", whole=True),
            Spec(
                "keyframes_mb",
                "past steps, MiB",
                "Memory for the weights of past steps, from 16 to 8,192 MiB",
                whole=True,
            ),
        ),
    ),
)  # fmt: skip

SWITCHES = (
    ("autosave", "keep what is open after every change", "What is open can be restored after a crash"),
    (
        "reduced_motion",
        "reduce motion",
        "Squares are renewed four times a second: particles jump, nothing streams",
    ),
    (
        "session_inside",
        "session inside what is exported",
        "A film, picture or panel carries its session and opens again in Score Explorer",
    ),
)


class PreferencesDialog(QDialog):
    """Edits a copy; every allowed change leaves as a whole."""

    edited = Signal(object)
    """The `Preferences` that hold from now on."""

    def __init__(self, preferences: Preferences, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self.setWindowTitle("Preferences")
        self.heading = QLabel("Preferences")
        self._titles: list[QLabel] = []
        self.rows: dict[str, FieldRow] = {}
        self.switches: dict[str, QCheckBox] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * UNIT, 2 * UNIT, 3 * UNIT, 2 * UNIT)
        layout.setSpacing(UNIT)
        layout.addWidget(self.heading)
        for title, specs in SECTIONS:
            self._title(layout, title)
            for spec in specs:
                row = FieldRow(spec)
                row.edited.connect(self._edit)
                self.rows[spec.path] = row
                layout.addWidget(row)
        self._title(layout, "Behaviour")
        for name, words, tip in SWITCHES:
            switch = QCheckBox(words)
            switch.setToolTip(tip)
            switch.setAccessibleName(words)
            switch.clicked.connect(lambda on, n=name: self._take(replace(self._preferences, **{n: on})))
            self.switches[name] = switch
            layout.addWidget(switch)
        layout.addStretch(1)
        self.defaults = QPushButton("Defaults")
        self.defaults.setToolTip("Put everything back to what it was at the first start")
        self.close_button = QPushButton("Close")
        self.close_button.setToolTip("Close (Esc)")
        buttons = QHBoxLayout()
        buttons.setSpacing(UNIT)
        buttons.addWidget(self.defaults)
        buttons.addStretch(1)
        buttons.addWidget(self.close_button)
        layout.addLayout(buttons)
        for button in (self.defaults, self.close_button):
            button.setAutoDefault(False)
        self.defaults.clicked.connect(lambda: self._take(Preferences()))
        self.close_button.clicked.connect(self.reject)
        self.set_preferences(preferences)
        self.set_scale(1.0)

    @property
    def preferences(self) -> Preferences:
        """As they are shown, what is wrongly typed left out."""
        return self._preferences

    def set_preferences(self, preferences: Preferences) -> None:
        """Show these; emits nothing."""
        self._preferences = preferences
        for name, row in self.rows.items():
            row.set_value(getattr(preferences, name))
        for name, switch in self.switches.items():
            switch.setChecked(getattr(preferences, name))

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for row in self.rows.values():
            row.set_theme(theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self.heading.setFont(font(HEADING, scale=factor))
        for title in self._titles:
            title.setFont(font(TITLE, bold=True, scale=factor))
        widgets: list[QWidget] = [*self.switches.values(), self.defaults, self.close_button]
        for widget in widgets:
            widget.setFont(font(CONTROL, scale=factor))
        for row in self.rows.values():
            row.set_scale(factor)
        self.setMinimumWidth(round(400 * factor))

    def _title(self, layout: QVBoxLayout, words: str) -> None:
        title = QLabel(words)
        rule = QFrame()
        rule.setObjectName("rule")
        rule.setFixedHeight(1)
        self._titles.append(title)
        layout.addSpacing(UNIT)
        layout.addWidget(title)
        layout.addWidget(rule)

    def _edit(self, name: str) -> None:
        try:
            changed = with_value(self._preferences, name, self.rows[name].value())
        except InputError as problem:
            self.rows[name].set_error(in_words(str(problem)))
            return
        self.rows[name].set_value(getattr(changed, name))
        self._take(changed, shown=False)

    def _take(self, preferences: Preferences, *, shown: bool = True) -> None:
        if shown:
            before, self._preferences = self._preferences, preferences
            self.set_preferences(preferences)
        else:
            before, self._preferences = self._preferences, preferences
        if preferences != before:
            self.edited.emit(preferences)
