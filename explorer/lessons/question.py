"""A question in a lesson: its choices, how far the run is, what was measured, and which choice that makes right."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from explorer.lessons.lesson import Prediction
from explorer.lessons.prose import rich
from explorer.numbers import three
from explorer.panels.icons import blank, icon
from explorer.theme import CONTROL, LIGHT, UNIT, Theme, font


class QuestionBox(QWidget):
    """Shows one prediction at a time; `chosen` is emitted once for each."""

    chosen = Signal(int)
    """The place of the choice, from 0."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._factor = LIGHT, 1.0
        self._predict: Prediction | None = None
        self.answer: int | None = None
        self.right: int | None = None
        self.value: float | None = None
        self.ask, self.line, self.reveal = QLabel(), QLabel(), QLabel()
        for label in (self.ask, self.line, self.reveal):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.RichText)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.bar.setAccessibleName("How much of the run is done")
        self.choices: list[QPushButton] = []
        self._rows = QVBoxLayout()
        self._rows.setSpacing(UNIT // 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addWidget(self.ask)
        column.addLayout(self._rows)
        for widget in (self.bar, self.line, self.reveal):
            column.addWidget(widget)
        self.set_scale(1.0)

    def show_prediction(self, predict: Prediction | None) -> None:
        """Ask this; None asks nothing."""
        self._predict = predict
        self.answer = self.right = self.value = None
        for button in self.choices:
            self._rows.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.choices = [self._choice(k, each.text) for k, each in enumerate(predict.choices)] if predict else []
        for button in self.choices:
            self._rows.addWidget(button)
        self.ask.setText(rich(f"**{predict.ask}**") if predict else "")
        self.line.setText("What do you expect? The squares open when you have chosen." if predict else "")
        self.reveal.setText("")
        self.reveal.hide()
        self.bar.hide()
        self.setVisible(predict is not None)
        self._dress()

    def show_waiting(self, words: str) -> None:
        """What the answer waits for."""
        if words != self.line.text():
            self.line.setText(words)

    def show_progress(self, done: float) -> None:
        """How much of the way to the measurement is done, from 0 to 1."""
        if self.answer is not None and self.value is None:
            self.bar.setValue(round(1000 * done))

    def show_result(self, value: float, what: str) -> None:
        """So much was measured, and of what."""
        if self._predict is None:
            return
        self.value, self.right = value, self._predict.right(value)
        self.bar.hide()
        verdict = "None of these" if self.right is None else "As you said" if self.right == self.answer else "Otherwise"
        self.line.setText(rich(f"{verdict}: **{three(value)}**, {what}, measured here."))
        self.reveal.setText(rich(self._predict.reveal))
        self.reveal.setVisible(bool(self._predict.reveal))
        self._dress()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self._dress()

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self._factor = factor
        for label in (self.ask, self.line, self.reveal):
            label.setFont(font(CONTROL, scale=factor))
        self._dress()

    def _choice(self, place: int, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setCheckable(True)
        button.setObjectName("answer")
        button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        button.setToolTip("Choose this")
        button.clicked.connect(lambda: self._take(place))
        return button

    def _take(self, place: int) -> None:
        """The first click counts; what is taken cannot be taken back before the answer shows."""
        if self.answer is None:
            self.answer = place
            self.line.setText("Measured in a moment")
            self.bar.setValue(0)
            self.bar.show()
            self._dress()
            self.chosen.emit(place)
        for k, button in enumerate(self.choices):
            button.setChecked(k == self.answer)

    def _dress(self) -> None:
        """Marks and words of the choices as they are now."""
        side = round(14 * self._factor)
        for k, button in enumerate(self.choices):
            button.setFont(font(CONTROL, bold=k == self.right, scale=self._factor))
            mark = "check" if k == self.right else "close" if self.value is not None and k == self.answer else ""
            button.setIcon(icon(mark, self._theme, side) if mark else blank(side))
            button.setIconSize(QSize(side, side))
            said = ", your choice" if k == self.answer else ""
            button.setAccessibleName(f"{button.text()}{said}{', right' if k == self.right else ''}")
            button.setChecked(k == self.answer)
