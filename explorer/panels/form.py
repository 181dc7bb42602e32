"""A form for frozen settings: one line a field, in sections that fold.

The form edits copies: every valid change leaves as a whole settings object, anything else stays in its field with one
line that says what would be right. Fields that stand in each other's way are taken over together: what was refused
waits, and is tried again with the next change.

A form may be told how to take a value over (`propose`): settings that go together with it, and a question to be asked
first where something else would change or be lost. Until it is answered nothing has happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from explorer.panels.fields import FieldRow, Spec, value_at, with_value
from explorer.theme import CAPTION, TITLE, UNIT, Theme, font
from explorer.wording import in_words
from trainer.errors import InputError


@dataclass(frozen=True)
class Section:
    """Some fields under one title.

    Attributes:
        title: of the section.
        specs: its fields, in order.
        hint: quiet words above them, "" for none.
        folded: whether it starts folded.
    """

    title: str
    specs: tuple[Spec, ...]
    hint: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Proposal:
    """What taking a value over would mean.

    Attributes:
        settings: all of them, with the value.
        question: to be asked first; "" if there is nothing to ask.
        verb: on the button that agrees.
    """

    settings: Any
    question: str = ""
    verb: str = "Apply"


Propose = Callable[[Any, str, object], Proposal]
"""From the settings that hold, a field's path and its value; raises `InputError` if the value cannot be had."""


def plainly(settings: Any, path: str, value: object) -> Proposal:  # noqa: ANN401 - any frozen dataclass
    """Take the value over and change nothing else."""
    return Proposal(with_value(settings, path, value))


class Form(QWidget):
    """Sections of fields for one settings object; `set_settings` shows another one and emits nothing."""

    edited = Signal(object)
    """The settings as the person has changed them."""

    def __init__(
        self,
        settings: Any,  # noqa: ANN401 - any frozen dataclass
        sections: Iterable[Section],
        parent: QWidget | None = None,
        *,
        propose: Propose = plainly,
    ) -> None:
        super().__init__(parent)
        self._propose = propose
        self._settings = settings
        self.rows: dict[str, FieldRow] = {}
        self.sections: list[FoldingSection] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(UNIT)
        for section in sections:
            body = FoldingSection(section.title, section.hint, folded=section.folded)
            for spec in section.specs:
                row = FieldRow(spec)
                row.editor.setAccessibleName(f"{section.title}: {spec.label}")
                row.edited.connect(self._edit)
                row.answered.connect(self._answer)
                self.rows[spec.path] = row
                body.add(row)
            self.sections.append(body)
            layout.addWidget(body)
        self.set_settings(settings)

    @property
    def settings(self) -> Any:  # noqa: ANN401 - as given
        """The settings as they are shown, what is wrongly typed left out."""
        return self._settings

    def set_settings(self, settings: Any) -> None:  # noqa: ANN401 - as given
        """Show these settings; what was typed wrongly is forgotten."""
        self._settings = settings
        for path, row in self.rows.items():
            row.set_value(value_at(settings, path))

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for row in self.rows.values():
            row.set_theme(theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        for section in self.sections:
            section.set_scale(factor)
        for row in self.rows.values():
            row.set_scale(factor)

    def set_idle(self, reasons: Mapping[str, str], hidden: Iterable[str] = ()) -> None:
        """Disable the fields that have no effect, each with the reason, and hide some of them altogether."""
        hidden = frozenset(hidden)
        for path, row in self.rows.items():
            row.set_idle(reasons.get(path, ""))
            row.setVisible(path not in hidden)

    def _edit(self, path: str) -> None:
        """Take over the field at `path`, and every field that waited for it, where they are allowed."""
        if self.rows[path].asking and self.rows[path].value() == value_at(self._settings, path):
            self.rows[path].set_value(value_at(self._settings, path))
            return
        settings = self._settings
        waiting = [p for p, row in self.rows.items() if row.error() and p != path]
        for name in (path, *waiting):
            row = self.rows[name]
            try:
                proposal = self._propose(settings, name, row.value())
            except InputError as problem:
                row.set_error(in_words(str(problem)))
                continue
            if proposal.question and proposal.settings != settings:
                if name == path:
                    row.ask(proposal.question, proposal.verb)
                continue
            settings = proposal.settings
            row.set_value(value_at(settings, name))
        self._take(settings)

    def _answer(self, path: str, agreed: bool) -> None:
        """Take over what was asked about, with all that it needs, or show again what holds."""
        row = self.rows[path]
        settings = self._settings
        if agreed:
            try:
                settings = self._propose(settings, path, row.value()).settings
            except InputError as problem:
                row.set_error(in_words(str(problem)))
                return
        row.set_value(value_at(settings, path))
        row.editor.setFocus()
        self._take(settings)

    def _take(self, settings: Any) -> None:  # noqa: ANN401 - as given
        """Hand these settings on if they differ, and show fields that changed along."""
        before, self._settings = self._settings, settings
        if settings == before:
            return
        for path, row in self.rows.items():
            if value_at(settings, path) != value_at(before, path):
                row.set_value(value_at(settings, path))
        self.edited.emit(settings)


class FoldingSection(QWidget):
    """A title over a thin rule that opens and folds what stands below it."""

    def __init__(self, title: str, hint: str = "", *, folded: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self.button = QPushButton()
        self.button.setObjectName("fold")
        self.button.setCheckable(True)
        self.button.setChecked(not folded)
        self.button.setAutoDefault(False)
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.toggled.connect(self._toggle)
        rule = QFrame()
        rule.setObjectName("rule")
        rule.setFixedHeight(1)
        self.hint = QLabel(hint)
        self.hint.setProperty("quiet", True)
        self.hint.setWordWrap(True)
        self.body = QWidget()
        self._rows = QVBoxLayout(self.body)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(UNIT)
        self._rows.addWidget(self.hint)
        self.hint.setVisible(bool(hint))  # once it has a parent: without one it would be a window
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(UNIT // 2)
        layout.addWidget(self.button)
        layout.addWidget(rule)
        layout.addWidget(self.body)
        self._toggle(not folded)

    def add(self, widget: QWidget) -> None:
        """Put a widget at the end of what folds."""
        self._rows.addWidget(widget)

    @property
    def folded(self) -> bool:
        """Whether only the title shows."""
        return not self.button.isChecked()

    def set_folded(self, folded: bool) -> None:
        """Fold or open it."""
        self.button.setChecked(not folded)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self.button.setFont(font(TITLE, bold=True, scale=factor))
        self.hint.setFont(font(CAPTION, scale=factor))

    def _toggle(self, shown: bool) -> None:
        self.body.setVisible(shown)
        self.button.setText(f"{'▾' if shown else '▸'} {self.title}")
        self.button.setAccessibleName(f"{self.title}, {'open' if shown else 'folded'}")
        self.button.setToolTip("Fold this section" if shown else "Open this section")
