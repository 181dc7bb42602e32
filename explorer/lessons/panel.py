"""The lesson's words beside the squares: what this step says, its formula, its question, and the way on and back."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from explorer.glossary import entry
from explorer.lessons.lesson import Lesson, Step
from explorer.lessons.prose import plain, rich
from explorer.lessons.question import QuestionBox
from explorer.panels.formula import FormulaView
from explorer.panels.icons import icon
from explorer.theme import CAPTION, CONTROL, HEADING, LIGHT, UNIT, Theme, font

WIDTH = 328
"""Pixels at scale 1."""

_TEXT = 14
"""Pixels of type: read from a little further off than a control."""


class LessonPanel(QFrame):
    """Shows one step; says what the person wants."""

    next_wanted = Signal()
    back_wanted = Signal()
    closed = Signal()
    chosen = Signal(int)
    """The place of the choice taken in answer to the question."""
    explain_wanted = Signal(str)
    """The name of a glossary entry."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("lesson")
        self.setAccessibleName("Lesson")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._theme, self._factor = LIGHT, 1.0
        self.place, self.title, self.text, self.count = QLabel(), QLabel(), QLabel(), QLabel()
        for label in (self.title, self.text):
            label.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.place.setProperty("quiet", True)
        self.count.setProperty("quiet", True)
        self.count.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.close_button = QToolButton()
        self.close_button.setAutoRaise(True)
        self.close_button.setAccessibleName("End the lesson")
        self.close_button.setToolTip("End the lesson; what was open before comes back")
        self.close_button.clicked.connect(self.closed)
        self.formula = FormulaView()
        self.question = QuestionBox()
        self.question.chosen.connect(self.chosen)
        self.links = QWidget()
        self._links = QVBoxLayout(self.links)
        self._links.setContentsMargins(0, 0, 0, 0)
        self._links.setSpacing(0)
        self.back, self.next = QPushButton("Back"), QPushButton("Next")
        self.back.setToolTip("The step before  (Page Up)")
        self.next.setToolTip("The next step  (Page Down)")
        self.next.setDefault(True)
        self.back.clicked.connect(self.back_wanted)
        self.next.clicked.connect(self.next_wanted)
        self._arrange()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.set_scale(1.0)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.place, 1)
        head.addWidget(self.close_button)
        body = QWidget()
        body.setObjectName("words")
        words = QVBoxLayout(body)
        words.setContentsMargins(0, 0, UNIT, 0)
        words.setSpacing(round(1.5 * UNIT))
        for widget in (self.title, self.text, self.formula, self.question, self.links):
            words.addWidget(widget)
        words.addStretch(1)
        self.area = QScrollArea()
        self.area.setWidget(body)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        foot = QHBoxLayout()
        foot.addWidget(self.back)
        foot.addWidget(self.count, 1)
        foot.addWidget(self.next)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * UNIT, UNIT, UNIT, 2 * UNIT)
        column.setSpacing(UNIT)
        column.addLayout(head)
        column.addWidget(self.area, 1)
        column.addLayout(foot)

    def show_step(self, lesson: Lesson, index: int) -> None:
        """Say this step."""
        step, last = lesson.steps[index], index + 1 == len(lesson.steps)
        self.place.setText(lesson.title)
        self.title.setText(step.title)
        self.text.setText(rich(step.text))
        self.formula.set_formula(step.formula)
        self.question.show_prediction(step.predict)
        self._offer(step)
        self.count.setText(f"{index + 1} of {len(lesson.steps)}")
        self.back.setEnabled(index > 0)
        self.next.setText("End" if last else "Next")
        self.next.setToolTip("End the lesson" if last else "The next step  (Page Down)")
        self.area.verticalScrollBar().setValue(0)
        self.setAccessibleDescription(f"{step.title}. {plain(step.text)}")

    def _offer(self, step: Step) -> None:
        """What can be explained, a line each."""
        while (item := self._links.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for name in step.explain:
            known = entry(name)
            link = QToolButton()
            link.setText(f"Explain: {known.title}")
            link.setToolTip(known.line)
            link.setAutoRaise(True)
            link.setObjectName("fold")
            link.setFont(font(CAPTION, scale=self._factor))
            link.clicked.connect(partial(self.explain_wanted.emit, name))
            self._links.addWidget(link)
        self.links.setVisible(bool(step.explain))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Right and Left go on and back; a digit takes that choice."""
        key = event.key()
        if key == Qt.Key.Key_Right:
            self.next_wanted.emit()
        elif key == Qt.Key.Key_Left:
            self.back_wanted.emit()
        elif not self.answer(key - Qt.Key.Key_1):
            super().keyPressEvent(event)

    def answer(self, place: int) -> bool:
        """Take this choice, if there is a question that waits for one and has it; whether it was taken."""
        question = self.question
        waits = question.answer is None and 0 <= place < len(question.choices)
        if waits:
            question.choices[place].click()
        return waits

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.setStyleSheet(
            f"#lesson {{ background: {theme.surface}; border: none; border-right: 1px solid {theme.rule}; }}"
            "#words { background: transparent; } #answer { text-align: left; }"
            f"#answer:checked {{ background: {theme.selection}; border-color: {theme.quiet}; }}"
        )
        for part in (self.formula, self.question):
            part.set_theme(theme)
        self._draw_icon()

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._factor = factor
        self.place.setFont(font(CAPTION, scale=factor))
        self.count.setFont(font(CAPTION, scale=factor))
        self.title.setFont(font(HEADING, bold=True, scale=factor))
        self.text.setFont(font(_TEXT, scale=factor))
        for button in (self.back, self.next):
            button.setFont(font(CONTROL, scale=factor))
        for part in (self.formula, self.question):
            part.set_scale(factor)
        for link in self.links.findChildren(QToolButton):
            link.setFont(font(CAPTION, scale=factor))
        self.setFixedWidth(round(WIDTH * factor))
        self._draw_icon()

    def _draw_icon(self) -> None:
        side = round(14 * self._factor)
        self.close_button.setIcon(icon("close", self._theme, side))
        self.close_button.setIconSize(QSize(side, side))
