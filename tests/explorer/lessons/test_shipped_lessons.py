"""The lessons that the program brings: sixteen, in the order of the story, each whole and within its bounds.

What their questions measure is another matter, which takes the engine: `python -m tests.benchmarks.lessons`.
"""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from pytestqt.qtbot import QtBot

from explorer.glossary import entry
from explorer.lessons.files import lesson_bytes, lesson_from, shipped
from explorer.lessons.lesson import CONTROLS, Lesson, Prediction, Step
from explorer.lessons.measures import QUANTITIES
from explorer.lessons.prose import plain
from explorer.panels.formula import extent
from trainer.scenes import MOST_PANES

TITLES = (
    "Score",
    "Energy and force",
    "Explicit score matching",
    "Implicit score matching",
    "Sliced score matching",
    "Denoising score matching",
    "Which noise level",
    "Other noise",
    "Langevin dynamics",
    "Why plain Langevin fails",
    "Noise is the cure",
    "NCSN: one network, a ladder",
    "Practical recommendations",
    "Diffusion",
    "SDE and ODE",
    "Uses",
)

MOST_WORDS, MOST_REVEALED = 75, 60
LONGEST_CHOICE = 34
"""Characters of a choice: a button has one line."""
WIDEST = 430.0
"""Pixels of a formula at scale 1: the panel shows it at two thirds of its size then."""

LESSONS = [pytest.param(lesson, id=path.stem) for path, lesson in shipped()]
STEPS = [
    pytest.param(lesson, k, id=f"{path.stem}-{k + 1}") for path, lesson in shipped() for k in range(len(lesson.steps))
]
QUESTIONS = [
    pytest.param(step, step.predict, id=f"{path.stem}-{k + 1}")
    for path, lesson in shipped()
    for k, step in enumerate(lesson.steps)
    if step.predict is not None
]


def test_sixteen_in_the_order_of_the_story() -> None:
    assert tuple(lesson.title for _, lesson in shipped()) == TITLES
    assert [path.stem[:3] for path, _ in shipped()] == [f"{k:02}-" for k in range(1, 17)]
    assert len({lesson.about for _, lesson in shipped()}) == len(TITLES) == len(set(TITLES))


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_is_its_own_file(lesson: Lesson) -> None:
    path = next(path for path, other in shipped() if other is lesson)
    data = path.read_bytes()
    assert lesson_from(data) == lesson
    assert lesson_bytes(lesson) == data


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_is_short_and_asks_something(lesson: Lesson) -> None:
    assert 3 <= len(lesson.steps) <= 6
    assert 10 <= len(lesson.about) <= 110
    assert "\n" not in lesson.about
    assert any(step.predict for step in lesson.steps)
    assert len({step.title for step in lesson.steps}) == len(lesson.steps)
    assert lesson.steps[-1].controls == CONTROLS, "the last step gives everything back"
    assert all(step.controls != CONTROLS for step in lesson.steps[:-1])


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_race_runs_on_into_another_run(lesson: Lesson) -> None:
    for step in lesson.steps:
        if step.begin is not None:
            assert {"race", "hold race"} & set(step.do)


@pytest.mark.parametrize(("lesson", "index"), STEPS)
def test_words_fit_and_links_lead_somewhere(lesson: Lesson, index: int) -> None:
    step = lesson.steps[index]
    assert len(plain(step.text).split()) <= MOST_WORDS
    assert not {"!", "let's", "Let's"} & set(step.text.replace("!", " ! ").split())
    assert step.text.count("**") % 2 == 0
    assert 1 <= len(step.explain) <= 3
    for name in step.explain:
        assert entry(name).title


@pytest.mark.parametrize(("lesson", "index"), STEPS)
def test_formulas_can_be_set(qtbot: QtBot, lesson: Lesson, index: int) -> None:
    formula = lesson.steps[index].formula
    if formula:
        width, height = extent(formula)
        assert 20 < width <= WIDEST
        assert 10 < height <= 120


@pytest.mark.parametrize(("lesson", "index"), STEPS)
def test_panes_that_are_shown_are_there(lesson: Lesson, index: int) -> None:
    step = lesson.steps[index]
    panes = len(lesson.setup(index).scene.panes)
    missing = {f"pane{k}" for k in range(panes + 1, MOST_PANES + 1)}
    assert not missing & {*step.show, *step.places}
    if {"race", "race_curves"} & {*step.show, *step.places}:
        assert lesson.setup(index).race.entrants


@pytest.mark.parametrize(("_", "predict"), QUESTIONS)
def test_one_choice_is_right_whatever_is_measured(_: Step, predict: Prediction) -> None:
    ranges = sorted((choice.low, choice.high) for choice in predict.choices)
    assert ranges[0][0] == -math.inf
    assert ranges[-1][1] == math.inf
    for (_, high), (low, _) in pairwise(ranges):
        assert high == low
    for value in (-1e9, -1.0, 0.0, 1e-9, 0.2, 1.0, 17.0, 1e9):
        assert predict.right(value) is not None


@pytest.mark.parametrize(("step", "predict"), QUESTIONS)
def test_what_is_covered_is_shown_and_words_fit(step: Step, predict: Prediction) -> None:
    assert predict.covers
    assert set(predict.covers) <= set(step.show)
    assert max(len(choice.text) for choice in predict.choices) <= LONGEST_CHOICE
    assert len(plain(predict.reveal).split()) <= MOST_REVEALED
    assert predict.reveal
    assert predict.ask.endswith("?")


@pytest.mark.parametrize(("step", "predict"), QUESTIONS)
def test_a_question_waits_for_what_decides_it(step: Step, predict: Prediction) -> None:
    of, clock = QUANTITIES[predict.measure.quantity].of, predict.when.clock
    if "pane" in of:
        assert clock == "particles"
        assert {"release", "move"} <= set(predict.do)
    elif "racer" in of:
        assert clock == "race"
        assert "race" in predict.do
    else:
        assert clock == "steps"
        assert "train" in step.do or step.begin is None
