"""One line of a form: a name, a field, and below them a quiet note or what is wrong with what was typed.

A field knows the path of the setting that it edits ("ladder.sigma_min") and hands on what was chosen or typed; whether
that is allowed is for the settings to say (`trainer.settings`), in the one line of their `InputError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QLineEdit, QWidget

from explorer.theme import CAPTION, CONTROL, LIGHT, UNIT, Theme, font

MISSING = "from data"
"""What an empty field of an optional number means."""


@dataclass(frozen=True)
class Spec:
    """One setting as a form shows it.

    Attributes:
        path: the field's name in its dataclass, with a dot for nested ones.
        label: its name for a person.
        tip: one line that explains it.
        choices: (value, words) to choose from; empty for a number.
        whole: a whole number.
        optional: may be left empty, which is None.
        note: quiet words below the field.
        plain: digits without grouping, for a number that is a name (a seed).
    """

    path: str
    label: str
    tip: str
    choices: tuple[tuple[str, str], ...] = ()
    whole: bool = False
    optional: bool = False
    note: str = ""
    plain: bool = False


def value_at(settings: object, path: str) -> Any:  # noqa: ANN401 - settings hold text and numbers
    """The value of a (nested) field."""
    for name in path.split("."):
        settings = getattr(settings, name)
    return settings


def with_value(settings: Any, path: str, value: object) -> Any:  # noqa: ANN401 - any frozen dataclass
    """A copy of frozen settings with one (nested) field replaced; raises what the settings raise."""
    name, _, rest = path.partition(".")
    return replace(settings, **{name: with_value(getattr(settings, name), rest, value) if rest else value})


class FieldRow(QWidget):
    """A label, an editor and a note; `edited` when the person has finished choosing or typing."""

    edited = Signal(str)
    """The path of the setting."""

    def __init__(self, spec: Spec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spec = spec
        self.label = QLabel(spec.label)
        self.editor: QLineEdit | Choice = Choice(spec.choices) if spec.choices else QLineEdit()
        self.editor.setAccessibleName(spec.label)
        self.editor.setToolTip(spec.tip)
        self.editor.setProperty("wrong", False)
        self.label.setToolTip(spec.tip)
        self.label.setBuddy(self.editor)
        self.note = QLabel(spec.note)
        self.note.setWordWrap(True)
        self.note.setProperty("quiet", True)
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.note.setVisible(bool(spec.note))
        if isinstance(self.editor, Choice):
            self.editor.activated.connect(self._finished)
        else:
            self.editor.setAlignment(Qt.AlignmentFlag.AlignRight)
            self.editor.setPlaceholderText(MISSING if spec.optional else "")
            self.editor.editingFinished.connect(self._finished)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(UNIT)
        layout.setVerticalSpacing(2)
        layout.setColumnStretch(0, 1)
        layout.addWidget(self.label, 0, 0)
        layout.addWidget(self.editor, 0, 1)
        layout.addWidget(self.note, 1, 0, 1, 2)

    def value(self) -> object:
        """What is chosen or typed: a number where it reads as one, the text itself where it does not."""
        if isinstance(self.editor, Choice):
            return self.editor.currentData()
        text = self.editor.text().strip()
        if not text and self.spec.optional:
            return None
        try:
            return int(text.replace(",", "")) if self.spec.whole else float(text.replace("−", "-"))
        except ValueError:
            return text

    def set_value(self, value: object) -> None:
        """Show this value; emits nothing and clears an error."""
        if isinstance(self.editor, Choice):
            self.editor.setCurrentIndex(self.editor.findData(value))
        else:
            self.editor.setText(str(value) if self.spec.plain else _written(value))
        self.set_error("")

    def set_error(self, line: str) -> None:
        """Say below the field what is wrong; an empty line brings the note back."""
        wrong = bool(line)
        self.note.setText(line or self.spec.note)
        self.note.setVisible(bool(self.note.text()))
        self.editor.setAccessibleDescription(line or self.spec.note)
        if self.editor.property("wrong") != wrong:
            self.editor.setProperty("wrong", wrong)
            self.note.setProperty("quiet", not wrong)
            for widget in (self.editor, self.note):
                widget.style().polish(widget)

    def error(self) -> str:
        """What is wrong with the field, or nothing."""
        return self.note.text() if self.editor.property("wrong") else ""

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self.note.setFont(font(CAPTION, scale=factor))
        for widget in (self.label, self.editor):
            widget.setFont(font(CONTROL, scale=factor))
        self.editor.setFixedWidth(round((144 if self.spec.choices else 96) * factor))

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        if isinstance(self.editor, Choice):
            self.editor.ink = theme.colour("quiet")
            self.editor.update()

    def _finished(self) -> None:
        self.edited.emit(self.spec.path)


def _written(value: object) -> str:
    """A number as a person would type it: 10,000 and 8e-5."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:g}".replace("e-0", "e-")


class Choice(QComboBox):
    """A list to choose from, with its arrow drawn in the theme's ink."""

    def __init__(self, choices: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.ink = LIGHT.colour("quiet")
        for value, words in choices:
            self.addItem(words, value)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the field, then a small arrow at its right."""
        super().paintEvent(event)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self.ink, 1.5))
            x, y = self.width() - 14, self.height() / 2
            painter.drawPolyline(QPolygonF([QPointF(x - 3.5, y - 2), QPointF(x, y + 2), QPointF(x + 3.5, y - 2)]))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the drawer, which scrolls: a setting must not change on the way."""
        event.ignore()
