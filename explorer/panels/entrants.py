"""One entrant of a race in the drawer: its mark and name, buttons to copy and remove it, and a form that folds.

The form is made when it is opened for the first time: five of them at once would be a hundred fields that nobody looks
at.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from explorer.panels.fitform import NETWORK, NOISE, TRAINING, WEIGHTS, hidden, spec
from explorer.panels.form import Form, Propose, Section
from explorer.panels.icons import icon
from explorer.theme import CAPTION, LIGHT, UNIT, Theme, font
from explorer.views.racers import paint_mark
from trainer.compatibility import idle
from trainer.plans import SHARED
from trainer.settings import FitSettings


def entrant_sections() -> tuple[Section, ...]:
    """Everything that an entrant has for itself: all fields of training but those that all must share."""
    sections = (TRAINING, NOISE, WEIGHTS, NETWORK)
    own = (Section(each.title, tuple(s for s in each.specs if s.path not in SHARED), "", True) for each in sections)
    found = [each for each in own if each.specs]
    first = found[0]
    return (Section(first.title, first.specs), *found[1:])


def shared_section() -> Section:
    """What all must share, since it makes their noisy points."""
    return Section(
        "The same for all", tuple(spec(path) for path in SHARED), "These make the noisy points of every batch.", True
    )


class _Mark(QWidget):
    """The mark that the entrant has in the views of the race."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index
        self.theme = LIGHT
        self.setFixedSize(12, 12)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it in its own shade."""
        with QPainter(self) as painter:
            paint_mark(painter, self.theme, self.index, QPointF(self.width() / 2, self.height() / 2), self.width() / 3)


class EntrantCard(QWidget):
    """One entrant: `edited`, `copied` and `removed` carry its number."""

    edited = Signal(int, object)
    """The entrant's number and its `FitSettings` as the person has changed them."""
    copied = Signal(int)
    removed = Signal(int)

    def __init__(
        self, index: int, sections: tuple[Section, ...], propose: Propose, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.index = index
        self.settings = FitSettings()
        self.form: Form | None = None
        self._sections, self._propose = sections, propose
        self._theme, self._factor = LIGHT, 1.0
        self._name = ""
        self.mark = _Mark(index)
        self.fold = QToolButton()
        self.fold.setObjectName("fold")
        self.fold.setCheckable(True)
        self.fold.setAutoRaise(True)
        self.fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fold.setToolTip("Show or fold its settings")
        self.fold.toggled.connect(self._open)
        self.copy = QToolButton()
        self.copy.clicked.connect(lambda: self.copied.emit(self.index))
        self.remove = QToolButton()
        self.remove.clicked.connect(lambda: self.removed.emit(self.index))
        head = QHBoxLayout()
        head.setSpacing(UNIT // 2)
        head.addWidget(self.mark)
        head.addWidget(self.fold)
        head.addStretch(1)
        head.addWidget(self.copy)
        head.addWidget(self.remove)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setVisible(False)
        self._body = QVBoxLayout(self)
        self._body.setContentsMargins(0, 0, 0, 0)
        self._body.setSpacing(UNIT // 2)
        self._body.addLayout(head)
        self._body.addWidget(self.note)

    def show_settings(self, name: str, settings: FitSettings, *, removable: bool, copyable: bool) -> None:
        """Show this entrant; what was typed wrongly is forgotten if it is another one."""
        self._name = name
        if settings != self.settings or self.form is None:
            self.settings = settings
            if self.form is not None:
                self.form.set_settings(settings)
        self._show_idle()
        self.remove.setEnabled(removable)
        self.remove.setToolTip(f"Remove {name}" if removable else "A race needs two; “End” removes both")
        self.copy.setEnabled(copyable)
        self.copy.setToolTip(f"Add a copy of {name}")
        self.remove.setAccessibleName(f"Remove {name}")
        self.copy.setAccessibleName(f"Copy {name}")
        self._label()

    def set_note(self, note: str) -> None:
        """Say why it does not run, or nothing."""
        if note != self.note.text():
            self.note.setText(note)
            self.note.setVisible(bool(note))

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = self.mark.theme = theme
        size = round(14 * self._factor)
        for button, drawing in ((self.copy, "duplicate"), (self.remove, "close")):
            button.setIcon(icon(drawing, theme, size))
            button.setIconSize(QSize(size, size))
        self.mark.update()
        if self.form is not None:
            self.form.set_theme(theme)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._factor = factor
        self.mark.setFixedSize(round(12 * factor), round(12 * factor))
        self.fold.setFont(font(scale=factor, bold=True))
        self.note.setFont(font(CAPTION, scale=factor))
        if self.form is not None:
            self.form.set_scale(factor)
            for section in self.form.sections:  # one step below the drawer's own titles
                section.button.setFont(font(scale=factor, bold=True))
        self.set_theme(self._theme)

    def _label(self) -> None:
        opened = self.fold.isChecked()
        self.fold.setText(f"{'▾' if opened else '▸'} {self._name}")
        self.fold.setAccessibleName(f"{self._name}, {'open' if opened else 'folded'}")

    def _open(self, opened: bool) -> None:
        if opened and self.form is None:
            self.form = Form(self.settings, self._sections, propose=self._propose)
            self.form.setContentsMargins(2 * UNIT, 0, 0, UNIT)
            self.form.edited.connect(self._edit)
            self._body.addWidget(self.form)
            self._show_idle()
            self.set_scale(self._factor)
        if self.form is not None:
            self.form.setVisible(opened)
        self._label()

    def _edit(self, settings: FitSettings) -> None:
        self.settings = settings
        self._show_idle()
        self.edited.emit(self.index, settings)

    def _show_idle(self) -> None:
        if self.form is not None:
            self.form.set_idle(idle(self.form.settings), hidden(self.form.settings))
