"""Reading proof of a draft: what is wrong with which field of which step, each in one line.

Fields are named by their place in the draft: "title", "question.choices.1.low". What no rule of the lesson forbids but
nobody wants, such as values for which no answer is right, is a remark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise

from explorer.glossary.tiles import ENTRIES
from explorer.lessons.draft import Draft, DraftChoice, DraftQuestion, choice_of
from explorer.lessons.lesson import MOST_CHOICES, MOST_STEPS, Beginning, Choice, Prediction, Step, altered
from explorer.lessons.measures import QUANTITIES, Measure, Moment, check_measure
from trainer.errors import InputError
from trainer.projects import Setup

LONGEST = {
    "title": 80,
    "about": 300,
    "text": 2000,
    "formula": 400,
    "question.ask": 300,
    "question.reveal": 1000,
    "choice.text": 120,
}
"""Characters that a text may have; those of `explorer.lessons.lesson`."""

_NEEDED = ("title", "text", "question.ask", "choice.text")

_WORDS = {
    "about": "line about it",
    "begin": "run",
    "change": "changed settings",
    "do": "done on entering",
    "explain": "explanations",
    "show": "squares",
    "places": "squares",
    "sigma": "noise level",
    "controls": "the student has",
    "question.ask": "question",
    "question.ranges": "answers",
    "question.amount": "when",
    "question.learned": "training steps first",
    "question.do": "done then",
    "question.reveal": "said after",
}
"""What the screen calls a field, where it is not the field's last name."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field.

    Attributes:
        step: its place from 0; None for the lesson itself.
        field: its name; line: what is wrong, as a sentence.
        missing: whether it is merely empty still.
    """

    step: int | None
    field: str
    line: str
    missing: bool = False

    @property
    def said(self) -> str:
        """Step, field and line, for a place that is not beside the field."""
        where = "Lesson" if self.step is None else f"Step {self.step + 1}"
        name = _WORDS.get(self.field, self.field.removeprefix("question."))
        if self.field.startswith("question.choices."):
            name = f"answer {int(self.field.split('.')[2]) + 1}"
        return f"{where}, {name}: {self.line[:1].lower()}{self.line[1:]}"


def problems(draft: Draft, formula: Callable[[str], str] = lambda _: "") -> list[Problem]:
    """All that keeps the draft from being a lesson, in reading order; `formula` says what is wrong with LaTeX."""
    found = [*_texts(None, {"title": draft.title, "about": draft.about})]
    if not 1 <= len(draft.steps) <= MOST_STEPS:
        found.append(
            Problem(None, "steps", f"There are {len(draft.steps)}; give 1 to {MOST_STEPS}", missing=not draft.steps)
        )
    for index in range(len(draft.steps)):
        found += step_problems(draft, index, formula)
    return found


def step_problems(draft: Draft, index: int, formula: Callable[[str], str] = lambda _: "") -> list[Problem]:
    """What is wrong with one step, in reading order."""
    step = draft.steps[index]
    found = list(_texts(index, {name: getattr(step, name) for name in ("title", "text", "formula")}))
    if step.formula and not found:
        line = formula(step.formula)
        found += [Problem(index, "formula", line)] if line else []
    if draft.origin(index) is None:
        found.append(Problem(index, "begin", "The first step begins no run; let it begin here"))
    for name in ("change", "do", "show", "places", "controls", "sigma"):
        found += _one(index, name, partial(Step, "-", "-", **{name: getattr(step, name)}))
    setup = setup_at(draft, index)
    if setup is None and draft.origin(index) is not None:
        found += _one(index, "change", lambda: _setup(draft, index))
    elif setup is not None:
        found += _one(index, "places", lambda: Step("-", "-", show=step.show, places=step.places).layout(
            len(setup.scene.panes)
        ))  # fmt: skip
    unknown = [name for name in step.explain if name not in ENTRIES and name != "loss"]
    if unknown:
        found.append(Problem(index, "explain", f"There is no explanation {unknown[0]!r:.40}; take it out"))
    if step.question is not None:
        found += _question(index, step.question, setup)
    return found


def setup_at(draft: Draft, index: int) -> Setup | None:
    """What the run of this step is; None if none begins, or changes do not fit it."""
    try:
        return _setup(draft, index)
    except InputError:
        return None


def remark(choices: tuple[DraftChoice, ...]) -> str:
    """Which values no answer is right for, in a line; "" if there are none, or ranges are wrong."""
    try:
        ranges = sorted((choice_of(DraftChoice("-", each.low, each.high)) for each in choices), key=lambda c: c.low)
    except InputError:
        return ""
    gaps = [f"below {ranges[0].low:g}"] if ranges and ranges[0].low > float("-inf") else []
    gaps += [f"from {one.high:g} to {other.low:g}" for one, other in pairwise(ranges) if one.high < other.low]
    gaps += [f"from {ranges[-1].high:g} on" if ranges and ranges[-1].high < float("inf") else ""]
    gaps = [gap for gap in gaps if gap]
    return f"No answer is right {' nor '.join(gaps)}" if gaps else ""


# --- the fields ---------------------------------------------------------------------------------------------------


def _question(index: int, question: DraftQuestion, setup: Setup | None) -> Iterator[Problem]:
    yield from _texts(index, {"question.ask": question.ask})
    if not 2 <= len(question.choices) <= MOST_CHOICES:
        yield Problem(index, "question.ranges", f"There are {len(question.choices)} answers; give 2 to {MOST_CHOICES}")
    good = []
    for k, each in enumerate(question.choices):
        place = f"question.choices.{k}"
        yield from _texts(index, {f"{place}.text": each.text})
        line = _refused(partial(choice_of, DraftChoice("-", each.low, each.high)))
        if line:
            yield Problem(index, f"{place}.low", line)
        else:
            good.append((k + 1, choice_of(DraftChoice("-", each.low, each.high))))
    yield from _overlap(index, good)
    of = QUANTITIES[question.quantity].of if question.quantity in QUANTITIES else ()
    wrong = False
    for name in ("quantity", "pane", "mode", "sigma", "racer", "against"):
        values = {"quantity": question.quantity} | ({name: getattr(question, name)} if name != "quantity" else {})
        for problem in _one(index, f"question.{name}", partial(Measure, **values)):
            wrong = True
            yield problem
    if setup is not None and not wrong:
        panes, racers = len(setup.scene.panes), len(setup.race.entrants)
        measure = Measure(**{n: getattr(question, n) for n in ("quantity", *of)})
        at = "pane" if "pane" in of else "racer"
        yield from _one(index, f"question.{at}", lambda: check_measure(measure, panes=panes, racers=racers))
    yield from _one(index, "question.amount", lambda: Moment(question.clock, question.amount))  # type: ignore[arg-type]
    for name in ("covers", "learned", "do"):
        yield from _one(index, f"question.{name}", partial(_asked, **{name: getattr(question, name)}))
    yield from _texts(index, {"question.reveal": question.reveal})


def _overlap(index: int, numbered: list[tuple[int, Choice]]) -> Iterator[Problem]:
    """The first two answers that can both be right."""
    for (k, one), (n, other) in pairwise(sorted(numbered, key=lambda pair: pair[1].low)):
        if one.high > other.low:
            first, second = sorted((k, n))
            line = f"Answers {first} and {second} can both be right; part their ranges"
            yield Problem(index, "question.ranges", line)
            return


def _asked(**values: object) -> Prediction:
    """A prediction with nothing wrong but perhaps these fields."""
    ends = (Choice("-", high=0.0), Choice("-", low=0.0))
    return Prediction("-", ends, Measure("modes"), **values)  # type: ignore[arg-type]


@lru_cache(maxsize=64)
def _begun(begin: Beginning) -> Setup:
    """Drawing a preset takes too long to be done at every letter."""
    return begin.setup()


def _setup(draft: Draft, index: int) -> Setup | None:
    origin = draft.origin(index)
    if origin is None:
        return None
    begin = draft.steps[origin].begin
    setup = _begun(begin) if isinstance(begin, Beginning) else begin.setup  # type: ignore[union-attr]
    for step in draft.steps[origin : index + 1]:
        if step.change:
            setup = altered(setup, step.change)
    return setup


def _texts(step: int | None, values: Mapping[str, str]) -> Iterator[Problem]:
    """Texts that are too short or too long."""
    for field, text in values.items():
        kind = "choice.text" if field.startswith("question.choices.") else field
        least, longest, length = int(kind in _NEEDED), LONGEST[kind], len(text.strip())
        if length < least:
            yield Problem(step, field, f"Nothing yet; give {least} to {longest:,} characters", missing=True)
        elif length > longest:
            yield Problem(step, field, f"{length:,} characters; give at most {longest:,}")


def _one(index: int, field: str, make: Callable[[], object]) -> list[Problem]:
    line = _refused(make)
    return [Problem(index, field, line)] if line else []


def _refused(make: Callable[[], object]) -> str:
    """Why this cannot be made, without the field's inner name; "" if it can."""
    try:
        make()
    except InputError as error:
        line = str(error).rpartition(": ")[2]
        return line[:1].upper() + line[1:]
    return ""
