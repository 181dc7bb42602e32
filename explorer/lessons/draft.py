"""A lesson while it is being written: anything may still be missing or wrong.

A `Draft` holds what was typed and taken; `draft_of` makes one of a lesson and `lesson_of` a lesson of one, each the
other's inverse wherever nothing is wrong. What is wrong, `explorer.lessons.proofs` says field by field.

Plain values; no Qt, no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from explorer.lessons.lesson import CONTROLS, Beginning, Choice, Control, Doing, Lesson, Prediction, Step
from explorer.lessons.measures import Clock, Measure, Moment
from explorer.viewing import ViewOptions
from trainer.errors import InputError
from trainer.projects import Project

Typed = float | str | None
"""A number, or what was typed in place of one; None for a field that is left empty."""

_INFINITE = float("inf")


@dataclass(frozen=True)
class DraftChoice:
    """One answer and its range; an end that is None is open."""

    text: str = ""
    low: Typed = None
    high: Typed = None


@dataclass(frozen=True)
class DraftQuestion:
    """A question, all on one level: fields as in `Prediction`, `Measure` (quantity to against) and `Moment`."""

    ask: str = ""
    choices: tuple[DraftChoice, ...] = (DraftChoice(), DraftChoice())
    quantity: str = "share"
    pane: Typed = 1
    mode: Typed = 1
    sigma: Typed = 0.1
    racer: Typed = 1
    against: Typed = 2
    clock: Clock = "now"
    amount: Typed = 0.0
    covers: tuple[str, ...] = ()
    do: tuple[Doing, ...] = ()
    learned: Typed = 0
    reveal: str = ""


@dataclass(frozen=True)
class DraftStep:
    """A step; its fields are those of `Step`, with `question` in place of `predict`."""

    title: str = ""
    text: str = ""
    formula: str = ""
    explain: tuple[str, ...] = ()
    begin: Beginning | Project | None = None
    change: Mapping[str, Any] = field(default_factory=dict)
    show: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    sigma: float | None = None
    options: ViewOptions = field(default_factory=ViewOptions)
    drawer: str | None = None
    controls: tuple[Control, ...] = CONTROLS
    do: tuple[Doing, ...] = ()
    question: DraftQuestion | None = None


@dataclass(frozen=True)
class Draft:
    """A lesson's words about itself, and its steps."""

    title: str = ""
    about: str = ""
    steps: tuple[DraftStep, ...] = ()

    def origin(self, index: int) -> int | None:
        """The step, this or an earlier one, at which the run of a step begins; None if none does."""
        return next((k for k in range(index, -1, -1) if self.steps[k].begin is not None), None)


_MEASURE = tuple(each.name for each in fields(Measure))
_PLAIN = tuple(each.name for each in fields(DraftStep) if each.name != "question")


# --- from a lesson ------------------------------------------------------------------------------------------------


def draft_of(lesson: Lesson) -> Draft:
    """The lesson as a draft, nothing of it changed."""
    return Draft(lesson.title, lesson.about, tuple(map(_draft_step, lesson.steps)))


def _draft_step(step: Step) -> DraftStep:
    question = None if step.predict is None else _draft_question(step.predict)
    return DraftStep(**{name: getattr(step, name) for name in _PLAIN}, question=question)


def _draft_question(predict: Prediction) -> DraftQuestion:
    return DraftQuestion(
        ask=predict.ask,
        choices=tuple(DraftChoice(each.text, _finite(each.low), _finite(each.high)) for each in predict.choices),
        **{name: getattr(predict.measure, name) for name in _MEASURE},
        clock=predict.when.clock,
        amount=predict.when.amount,
        covers=predict.covers,
        do=predict.do,
        learned=predict.learned,
        reveal=predict.reveal,
    )


def _finite(value: float) -> float | None:
    return None if abs(value) == _INFINITE else value


# --- to a lesson --------------------------------------------------------------------------------------------------


def lesson_of(draft: Draft) -> Lesson:
    """The lesson that was written.

    Raises:
        InputError: something is missing or wrong; the line names the step and the field.
    """
    steps = []
    for number, step in enumerate(draft.steps, 1):
        try:
            steps.append(_step(step))
        except InputError as error:
            raise InputError(f"step {number}: {error}") from error
    return Lesson(draft.title, tuple(steps), draft.about)


def _step(step: DraftStep) -> Step:
    predict = None if step.question is None else prediction_of(step.question)
    return Step(**{name: getattr(step, name) for name in _PLAIN}, predict=predict)


def prediction_of(question: DraftQuestion) -> Prediction:
    """The question as a lesson has it; raises as `lesson_of`."""
    return Prediction(
        ask=question.ask,
        choices=tuple(map(choice_of, question.choices)),
        measure=Measure(**{name: getattr(question, name) for name in _MEASURE}),
        when=Moment(question.clock, question.amount),  # type: ignore[arg-type]  # which refuses what is no number
        covers=question.covers,
        do=question.do,
        learned=question.learned,  # type: ignore[arg-type]
        reveal=question.reveal,
    )


def choice_of(choice: DraftChoice) -> Choice:
    """The answer as a lesson has it; raises as `lesson_of`."""
    ends = {"low": choice.low, "high": choice.high}
    for name, words in (("low", "from"), ("high", "to")):
        if isinstance(ends[name], str):
            raise InputError(f"choice.{name}: {words} {ends[name]!r:.40} is not a number; give one, or nothing")
    return Choice(choice.text, **{name: float(end) for name, end in ends.items() if end is not None})
