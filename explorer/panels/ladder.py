"""The ladder editor: levels as points on a logarithmic axis, and what they will do before any particle moves.

The axis takes the hands (`explorer.panels.ladder_axis`), fields below it take exact numbers of the chosen level. The
engine predicts; the editor shows the newest answer and passes over answers to older questions.

While a level is dragged the editor asks every `REST` milliseconds at most, and not before the question before has its
answer. When the hand lets go it asks for the ladder as it is now, and only then says that it was edited: the prediction
is under way before any particle is released. Another ladder that is shown is asked for once it has come to rest.
"""

from __future__ import annotations

import math
from dataclasses import replace

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from explorer.ladders import (
    LadderPredicted,
    PredictLadder,
    Rungs,
    rungs_of,
    with_epsilon,
    with_sigma,
    with_steps,
)
from explorer.numbers import three
from explorer.panels.ladder_axis import LadderAxis
from explorer.theme import CAPTION, CONTROL, UNIT, Theme, font
from trainer.errors import InputError
from trainer.settings import ParticleSettings, number, whole

REST = 200
"""Milliseconds between two questions while a hand moves, and of rest before one where a ladder is shown."""

_FLAGS = 2
"""Unstable levels whose reason is written out."""
_PRECISION = 0.003
"""The error of the weights below which a prediction says no more (`trainer.ladders`)."""


class LadderEditor(QWidget):
    """The ladder of one pane's settings; `show_settings` shows another one and emits no edit."""

    rungs_changed = Signal(object)
    """The ladder as the person has made it, a tuple of `Rung`s; empty for the geometric one of the settings' fields."""
    prediction_wanted = Signal(object)
    """A `PredictLadder` for the engine; hand its `LadderPredicted` to `show_prediction`."""

    def __init__(self, settings: ParticleSettings | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.settings = settings or ParticleSettings()
        self._asked, self._answered = 0, 0
        self._asked_for: Rungs = ()
        self._searching = -1
        self.axis = LadderAxis()
        self.axis.moved.connect(self._dragged)
        self.axis.edited.connect(self._edited)
        self.axis.chosen.connect(self._fill)
        self.fields = {
            "sigma": _Field("σ", "Noise level of the chosen level, in units of the plane"),
            "steps": _Field("steps", "Langevin steps at the chosen level"),
            "epsilon": _Field("ε", "Step size at the chosen level: x + ε/2 s + √ε z"),
        }
        for name, field in self.fields.items():
            field.line.setAccessibleName(f"Chosen level: {name}")
            field.line.editingFinished.connect(lambda name=name: self._typed(name))
        self.wrong = _Words("What is wrong with what was typed")
        self.errors = _Words("Predicted errors")
        self.flags = _Words("Unstable levels")
        self.reasons = _Words("Why this ladder")
        self.reasons.setProperty("quiet", True)
        self.geometric = QPushButton("Geometric")
        self.geometric.setToolTip("Back to the geometric ladder of the settings above")
        self.geometric.clicked.connect(self._forget)
        self.recommend = QPushButton("Recommend")
        self.recommend.setCheckable(True)
        self.recommend.setToolTip("Find the smallest ladder for the errors that you allow")
        self.recommend.toggled.connect(self._open)
        self.weights = _Field("weights within", "Largest error of a mode's share that is allowed, 0.001 to 0.5")
        self.variance = _Field("variance within", "Relative error of the modes' variance that is allowed, 0.005 to 1")
        self.weights.line.setText("0.02")
        self.variance.line.setText("0.1")
        self.seek = QPushButton("Find the smallest ladder")
        self.seek.setToolTip("Replace the ladder by the one with the fewest steps for these errors")
        self.seek.clicked.connect(self._search)
        for button in (self.geometric, self.recommend, self.seek):
            button.setAccessibleName(button.text())
        for field in (self.weights, self.variance):
            field.line.setAccessibleName(f"Predicted error: {field.label.text()}")
            field.line.returnPressed.connect(self._search)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST)
        self._rest.timeout.connect(self.ask)
        self._lay_out()
        self.set_scale(1.0)
        self.show_settings(self.settings)

    def show_settings(self, settings: ParticleSettings) -> None:
        """Show the ladder of these settings, and ask for its prediction if it is another one."""
        rungs = rungs_of(settings)
        self.settings = settings
        self.geometric.setEnabled(bool(settings.rungs))
        if rungs == self.axis.rungs:
            return
        self.axis.show_rungs(rungs)
        self._fill()
        self._wait()

    def show_prediction(self, event: LadderPredicted) -> None:
        """Show the answer to the newest question; others are passed over."""
        if event.number != self._asked:
            return
        self._answered = event.number
        self._pace()
        searched = event.number == self._searching
        self._searching = -1
        self.seek.setEnabled(True)
        if event.problem:
            self.errors.setText(event.problem)
            return
        if searched and event.found:
            self.reasons.setText("\n\n".join(event.reasons))
            self.reasons.show()
            changed = event.found != self.axis.rungs
            self._asked_for = event.found
            self.axis.show_rungs(event.found)
            self._fill()
            if changed:
                self._emit(event.found)
                self._rest.stop()
        self.axis.show_outlooks(event.levels)
        self.errors.setText(_errors(event))
        flagged = [level.reason for level in event.levels if level.reason]
        more = f"\nand {len(flagged) - _FLAGS} more levels." if len(flagged) > _FLAGS else ""
        self.flags.setText("\n".join(flagged[:_FLAGS]) + more)
        self.flags.setVisible(bool(flagged))

    def ask(self) -> None:
        """Ask for the prediction of the ladder now, without waiting."""
        self._rest.stop()
        self._asked += 1
        self._asked_for = self.axis.rungs
        self._searching = -1
        self.seek.setEnabled(True)
        self.prediction_wanted.emit(PredictLadder(self._now(), self._asked))

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self.axis.set_theme(theme)
        self.flags.setStyleSheet(f"border-left: 3px solid {theme.warning}; padding-left: {UNIT}px;")

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self.axis.set_scale(factor)
        for field in (*self.fields.values(), self.weights, self.variance):
            field.set_scale(factor)
        for words in (self.wrong, self.errors, self.flags, self.reasons):
            words.setFont(font(CAPTION, scale=factor))
        for button in (self.geometric, self.recommend, self.seek):
            button.setFont(font(CONTROL, scale=factor))

    # --- edits --------------------------------------------------------------------------------------------

    def _now(self) -> ParticleSettings:
        geometric = rungs_of(replace(self.settings, rungs=()))
        return replace(self.settings, rungs=() if self.axis.rungs == geometric else self.axis.rungs)

    def _dragged(self, rungs: Rungs) -> None:
        self._fill()
        if self._answered < self._asked or not self.errors.text():
            self._say_predicting()
        self._pace()

    def _edited(self, rungs: Rungs) -> None:
        self._fill()
        if rungs != self._asked_for:
            self._say_predicting()
            self.ask()
        self._emit(rungs)

    def _pace(self) -> None:
        """Ask soon, if the hand has moved on since the last question and that has its answer."""
        if self.axis.rungs != self._asked_for and self._answered == self._asked and not self._rest.isActive():
            self._rest.start()

    def _emit(self, rungs: Rungs) -> None:
        self.geometric.setEnabled(True)
        self.rungs_changed.emit(rungs)

    def _forget(self) -> None:
        self.reasons.hide()
        self.show_settings(replace(self.settings, rungs=()))
        self.rungs_changed.emit(())

    def _typed(self, name: str) -> None:
        """Take what was typed for the chosen level; what cannot be taken stays in its field, with one line."""
        text, index, rungs = self.fields[name].line.text(), self.axis.selected, self.axis.rungs
        if text == self._shown(name):
            return
        try:
            if name == "sigma":
                value = _read("sigma", text, 1e-3, 10)
                changed = with_sigma(rungs, index, value)
                held = changed[index].sigma
                if held != value:
                    raise InputError(f"sigma: {value:g} would meet or pass the next level; give up to {held:.3g}")
            elif name == "steps":
                changed = with_steps(rungs, index, _read("steps", text, 1, 10_000, as_whole=True))
            else:
                changed = with_epsilon(rungs, index, _read("epsilon", text, 1e-12, 1000))
        except InputError as problem:
            self.wrong.setText(str(problem))
            self.wrong.show()
            self.fields[name].set_wrong(True)
            return
        self.axis.show_rungs(changed)
        self._edited(changed)

    def _fill(self, _: int = 0) -> None:
        """Bring the fields to the chosen level."""
        for name, field in self.fields.items():
            field.line.setText(self._shown(name))
            field.set_wrong(False)
        self.wrong.hide()

    def _shown(self, name: str) -> str:
        rung = self.axis.rungs[self.axis.selected]
        return f"{rung.steps:,}" if name == "steps" else three(getattr(rung, name))

    # --- questions ----------------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Pass over what was asked before, and ask when the ladder has come to rest."""
        self._asked += 1
        self._searching = -1
        self.seek.setEnabled(True)
        self._say_predicting()
        self._rest.start()

    def _say_predicting(self) -> None:
        """Say that the prediction shown is of another ladder."""
        self.errors.setText(f"{_total(self.axis.rungs)}, predicting")
        self.flags.hide()

    def _open(self, shown: bool) -> None:
        self._request.setVisible(shown)
        if shown:
            self.weights.line.setFocus()

    def _search(self) -> None:
        try:
            weights = _read("weights within", self.weights.line.text(), 0.001, 0.5)
            variance = _read("variance within", self.variance.line.text(), 0.005, 1)
        except InputError as problem:
            self.errors.setText(str(problem))
            return
        self._rest.stop()
        self._asked += 1
        self._searching = self._asked
        self._asked_for = self.axis.rungs
        self.seek.setEnabled(False)
        self.errors.setText("looking for the smallest ladder")
        self.prediction_wanted.emit(PredictLadder(self._now(), self._asked, weights, variance))

    def _lay_out(self) -> None:
        level = QHBoxLayout()
        level.setSpacing(UNIT)
        for field in self.fields.values():
            level.addWidget(field, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(UNIT)
        buttons.addWidget(self.geometric, 1)
        buttons.addWidget(self.recommend, 1)
        self._request = QWidget()
        request = QGridLayout(self._request)
        request.setContentsMargins(0, 0, 0, 0)
        request.setSpacing(UNIT)
        request.addWidget(self.weights, 0, 0)
        request.addWidget(self.variance, 0, 1)
        request.addWidget(self.seek, 1, 0, 1, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(UNIT)
        layout.addWidget(self.axis, 1)
        layout.addLayout(level)
        layout.addWidget(self.wrong)
        layout.addWidget(self.errors)
        layout.addWidget(self.flags)
        layout.addLayout(buttons)
        layout.addWidget(self._request)
        layout.addWidget(self.reasons)
        for hidden in (self.wrong, self.flags, self._request, self.reasons):
            hidden.hide()


class _Field(QWidget):
    """A line to type into, with its name above."""

    def __init__(self, name: str, tip: str) -> None:
        super().__init__()
        self.label = QLabel(name)
        self.line = QLineEdit()
        self.line.setMinimumWidth(0)
        for widget in (self.label, self.line):
            widget.setToolTip(tip)
        self.label.setBuddy(self.line)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.label)
        layout.addWidget(self.line)

    def set_wrong(self, wrong: bool) -> None:
        """Mark the line as one that was not taken."""
        if bool(self.line.property("wrong")) != wrong:
            self.line.setProperty("wrong", wrong)
            self.line.style().polish(self.line)

    def set_scale(self, factor: float) -> None:
        """Type this many times its size."""
        self.label.setFont(font(CAPTION, scale=factor))
        self.line.setFont(font(CONTROL, scale=factor))


class _Words(QLabel):
    """Words that wrap."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setWordWrap(True)


def _errors(event: LadderPredicted) -> str:
    """Both predicted errors, in one line or two."""
    if not math.isfinite(event.variance_error) or not math.isfinite(event.weight_error):
        return f"{event.steps:,} steps; particles fly off: no prediction"
    frozen = "" if not math.isfinite(event.freezes_at) else f"; shares freeze at σ = {three(event.freezes_at)}"
    weights = f"{event.weight_error:.3f}" if event.weight_error >= _PRECISION else f"below {_PRECISION:g}"
    return (
        f"{event.steps:,} steps. Predicted errors: variance {100 * event.variance_error:.3g} %, "
        f"weights {weights}{frozen}"
    )


def _total(rungs: Rungs) -> str:
    return f"{sum(rung.steps for rung in rungs):,} steps"


def _read(name: str, text: str, low: float, high: float, *, as_whole: bool = False) -> float:
    """The number that was typed, in [low, high]; raises `InputError` with the line that says what would be right."""
    plain = text.strip().replace(",", "").replace("−", "-") if as_whole else text.strip().replace(",", ".")
    try:
        value = int(plain) if as_whole else float(plain)
    except ValueError:
        raise InputError(f"{name}: {text.strip()!r} is no number; give one between {low:g} and {high:g}") from None
    if as_whole:
        whole(name, value, int(low), int(high))
    else:
        number(name, value, low, high)
    return value
