"""Lessons while they are written: drafts and back, what is wrong with them, and every edit undone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer.glossary.tiles import ENTRIES
from explorer.layouts import PAGES, VIEWS, story_places
from explorer.lessons.draft import Draft, DraftChoice, DraftQuestion, DraftStep, Typed, draft_of, lesson_of
from explorer.lessons.files import lesson_bytes, lesson_from, shipped
from explorer.lessons.keeping import draft_bytes, draft_from
from explorer.lessons.lesson import CONTROLS, Beginning, Doing, Step
from explorer.lessons.manuscript import Manuscript
from explorer.lessons.measures import QUANTITIES
from explorer.lessons.proofs import LONGEST, problems, remark
from explorer.lessons.writeranswers import read, written
from explorer.lessons.writerfiles import file_name
from explorer.lessons.writerform import STUDENT, run_words
from explorer.lessons.writerquestion import CLOCKS, DOINGS
from explorer.panels.formula import formula_problem
from explorer.viewing import ViewOptions
from tests.explorer.lessons.lecturer import ASKED, GOOD, PROJECT, SETUP, told
from trainer.errors import InputError
from trainer.plans import RaceSettings, entrants

# --- drafts and lessons ---

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(
    str.strip
)
numbers = st.floats(-1e6, 1e6, allow_nan=False)


@st.composite
def choices(draw: st.DrawFn) -> tuple[DraftChoice, ...]:
    """Two to five answers whose ranges do not overlap; some ends open, some with gaps between."""
    ends = sorted(draw(st.lists(numbers, min_size=10, max_size=10, unique=True)))
    count = draw(st.integers(2, 5))
    ranges: list[tuple[Typed, Typed]] = [(ends[2 * k], ends[2 * k + 1]) for k in range(count)]
    if draw(st.booleans()):
        ranges[0] = None, ranges[0][1]
        ranges[-1] = ranges[-1][0], None
    return tuple(DraftChoice(draw(texts), *each) for each in draw(st.permutations(ranges)))


def some_of(names: tuple[Any, ...], most: int = 4) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(names), unique=True, max_size=most).map(tuple)


@st.composite
def questions(draw: st.DrawFn) -> DraftQuestion:
    clock = draw(st.sampled_from([name for name, _ in CLOCKS]))
    return DraftQuestion(
        ask=draw(texts),
        choices=draw(choices()),
        quantity=draw(st.sampled_from(sorted(QUANTITIES))),
        pane=draw(st.integers(1, 3)),
        mode=draw(st.integers(1, 64)),
        sigma=draw(st.floats(1e-3, 100)),
        racer=draw(st.integers(1, 2)),
        against=draw(st.integers(1, 3)),
        clock=clock,  # type: ignore[arg-type]
        amount=draw(st.floats(0, 1) if clock == "particles" else st.floats(0, 1e7)),
        covers=draw(some_of(VIEWS)),
        do=draw(some_of(get_args(Doing))),
        learned=draw(st.integers(0, 10**6)),
        reveal=draw(st.text("ab *\n", max_size=20)),
    )


@st.composite
def steps(draw: st.DrawFn, first: bool) -> DraftStep:
    begin = st.sampled_from([PROJECT, Beginning("crescents", race=RaceSettings(entrants()), seed=3)])
    return DraftStep(
        title=draw(texts),
        text=draw(texts),
        formula=draw(st.sampled_from(["", "x_{t}", r"\epsilon"])),
        explain=draw(some_of(tuple(ENTRIES))),
        begin=draw(begin if first else st.none() | begin),
        change=draw(st.sampled_from([{}, {"fit": {"target": "single"}}, {"seed": 5, "scene": {"source": "true"}}])),
        show=draw(some_of(VIEWS)),
        places=draw(st.sampled_from([(), story_places(1), VIEWS[:8]])),
        sigma=draw(st.none() | st.floats(1e-3, 100)),
        options=draw(st.builds(ViewOptions, trails=st.booleans(), style=st.sampled_from(["arrows", "streamlines"]))),
        drawer=draw(st.none() | st.sampled_from(PAGES)),
        controls=draw(some_of(CONTROLS, 5)),
        do=draw(some_of(get_args(Doing))),
        question=draw(st.none() | questions()),
    )


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    count = draw(st.integers(1, 3))
    return Draft(draw(texts), draw(st.just("") | texts), tuple(draw(steps(first=k == 0)) for k in range(count)))


@given(drafts())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_draft_survives_lesson_and_file(draft: Draft) -> None:
    assert problems(draft) == []
    lesson = lesson_of(draft)
    assert draft_of(lesson) == draft
    assert told(draft_of(lesson_from(lesson_bytes(lesson)))) == told(draft)


@given(drafts(), st.sampled_from(["", "one", "\ud800", None, 3.5]), st.sampled_from(["", "/a/b.lesson"]))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_draft_in_which_anything_is_missing_or_wrong_survives_its_file(
    draft: Draft, typed: Typed, source: str
) -> None:
    asked = DraftQuestion(pane=typed, amount=typed, choices=(DraftChoice("", typed, typed),))
    unfinished = DraftStep(text=typed if isinstance(typed, str) else "", question=asked, controls=())
    draft = replace(draft, title="", steps=(*draft.steps, unfinished, DraftStep()))
    found, path = draft_from(draft_bytes(draft, source))
    assert told(found) == told(draft)
    assert path == (Path(source) if source else None)


@pytest.mark.parametrize(
    "damage",
    [
        {"format": "another"},
        {"title": 3},
        {"steps": "none"},
        {"steps": [{}] * 65},
        {"steps": [{"begin": "01.scorex"}]},
        {"steps": [{"question": {"choices": [{"text": 1}]}}]},
        {"steps": [{"question": {"choices": [], "pane": [1]}}]},
        {"steps": [{"question": {"choices": [], "covers": [1]}}]},
        {"steps": [{"question": {"choices": [], "colour": 1}}]},
    ],
)
def test_a_damaged_draft_is_refused_in_one_line(damage: dict[str, Any]) -> None:
    values = json.loads(draft_bytes(Draft("x"))) | damage
    with pytest.raises(InputError) as refused:
        draft_from(json.dumps(values).encode())
    assert "\n" not in str(refused.value)


def test_shipped_lessons_are_kept_as_they_are() -> None:
    for path, lesson in shipped():
        draft = draft_of(lesson)
        assert problems(draft, formula_problem) == []
        assert lesson_of(draft) == lesson
        values = json.loads(lesson_bytes(lesson_of(draft)))
        assert [step.get("begin") for step in values["steps"]] == [
            step.get("begin") for step in json.loads(path.read_bytes())["steps"]
        ]


# --- what is wrong ---

Found = list[tuple[int | None, str, str]]


def wrong(step: int, **values: object) -> Found:
    steps = [replace(s, **values) if k == step else s for k, s in enumerate(GOOD.steps)]
    return [(p.step, p.field, p.line) for p in problems(replace(GOOD, steps=tuple(steps)), formula_problem)]


def asked(**values: object) -> Found:
    return wrong(1, question=replace(ASKED, **values))


@pytest.mark.parametrize(
    ("found", "fields"),
    [
        (lambda: wrong(0), []),
        (lambda: wrong(0, title=" "), [(0, "title")]),
        (lambda: wrong(1, title="x" * 81, text=""), [(1, "title"), (1, "text")]),
        (lambda: wrong(0, begin=None), [(0, "begin"), (1, "begin")]),
        (lambda: wrong(0, formula=r"\frac{a}{"), [(0, "formula")]),
        (lambda: wrong(0, show=VIEWS[:5]), [(0, "show"), (0, "places")]),
        (lambda: wrong(1, change={"fit": {"target": "none"}}), [(1, "change")]),
        (lambda: wrong(1, explain=("loss", "no such thing")), [(1, "explain")]),
        (lambda: asked(ask=""), [(1, "question.ask")]),
        (lambda: asked(choices=ASKED.choices[:1]), [(1, "question.ranges")]),
        (lambda: asked(choices=(DraftChoice("a", 0.2, "abc"), DraftChoice("", 0.5))),
         [(1, "question.choices.0.low"), (1, "question.choices.1.text")]),
        (lambda: asked(choices=(DraftChoice("a", 0.2, 0.1), DraftChoice("b", 0.5))), [(1, "question.choices.0.low")]),
        (lambda: asked(choices=(DraftChoice("a", 0.5), DraftChoice("b", None, 0.6))), [(1, "question.ranges")]),
        (lambda: asked(pane=4), [(1, "question.pane")]),
        (lambda: asked(mode="x"), [(1, "question.mode")]),
        (lambda: asked(quantity="race_error", racer=1, against=4), [(1, "question.racer")]),
        (lambda: asked(clock="particles", amount=2.0), [(1, "question.amount")]),
        (lambda: asked(learned=-1), [(1, "question.learned")]),
        (lambda: asked(reveal="x" * 1001), [(1, "question.reveal")]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_where_it_is(found: Callable[[], Found], fields: list[tuple[int, str]]) -> None:
    assert [(step, field) for step, field, _ in found()] == fields


def test_nothing_is_found_exactly_where_a_lesson_can_be_made() -> None:
    for draft in (GOOD, replace(GOOD, title=""), replace(GOOD, steps=GOOD.steps[1:]), Draft("empty")):
        try:
            lesson_of(draft)
        except InputError:
            assert problems(draft)
        else:
            assert not problems(draft)


def test_lines_are_sentences_that_say_what_would_be_right() -> None:
    assert wrong(1, title="")[0][2] == "Nothing yet; give 1 to 80 characters"
    assert asked(choices=(DraftChoice("a", 0.5), DraftChoice("b", None, 0.6)))[0][2] == (
        "Answers 1 and 2 can both be right; part their ranges"
    )
    assert "'abc' is not a number" in asked(choices=(DraftChoice("a", "abc"), DraftChoice("b", 0.5)))[0][2]
    bad = replace(GOOD, steps=(replace(GOOD.steps[0], title=""), GOOD.steps[1]))
    assert problems(bad)[0].said == "Step 1, title: nothing yet; give 1 to 80 characters"


def test_what_no_answer_covers_is_remarked() -> None:
    assert remark(ASKED.choices) == ""
    assert remark((DraftChoice("a", 0.2, 0.4), DraftChoice("b", 0.5, 0.9))) == (
        "No answer is right below 0.2 nor from 0.4 to 0.5 nor from 0.9 on"
    )
    assert remark((DraftChoice("a", "x"), DraftChoice("b"))) == ""


@pytest.mark.parametrize(("name", "longest"), [(n, LONGEST[n]) for n in ("title", "text", "formula")])
def test_lengths_are_those_of_a_lesson(name: str, longest: int) -> None:
    usual: dict[str, Any] = {"title": "t", "text": "t"}
    Step(**usual | {name: "x" * longest})
    with pytest.raises(InputError):
        Step(**usual | {name: "x" * (longest + 1)})


def test_every_doing_clock_and_control_has_words() -> None:
    assert [name for name, _, _ in DOINGS] == list(get_args(Doing))
    assert set(STUDENT) == set(CONTROLS)


@given(numbers | st.none() | st.just("abc"))
def test_limits_are_read_as_they_are_written(value: Typed) -> None:
    assert read(written(value)) == value


def test_names_of_files() -> None:
    assert file_name("Where is σ? a/b") == "where-is-σ-a-b"
    assert file_name(" ?! ") == "lesson"


def test_a_run_is_said_in_words() -> None:
    assert run_words(GOOD.steps[0], None) == "Diagonal at training step 412, without weights."
    assert run_words(DraftStep(begin=Beginning("crescents")), None) == "Crescents, with a fresh network."
    assert run_words(DraftStep(change={"fit": {}}), SETUP) == "Changes settings of the step before: fit."


# --- undo ---


@given(st.lists(st.tuples(st.sampled_from(["add", "dup", "remove", "move", "take"]), st.integers(0, 9)), max_size=12))
def test_every_edit_is_undone_and_done_again(orders: list[tuple[str, int]]) -> None:
    script = Manuscript()
    seen = [script.draft]
    for k, (order, place) in enumerate(orders):
        count = len(script.draft.steps)
        script.select(place % count if count else -1)
        before = script.draft
        match order:
            case "add":
                script.add(DraftStep(f"step {k}"))
            case "dup":
                script.duplicate()
            case "remove":
                script.remove()
            case "move":
                script.move(script.selected, (place * 7) % max(count, 1))
            case _:
                script.retake("take", sigma=float(k + 1))
        assert -1 <= script.selected < max(len(script.draft.steps), 1)
        if script.draft is not before:
            seen.append(script.draft)
    for draft in reversed(seen[:-1]):
        script.undo()
        assert script.draft == draft
    assert script.undo_text == ""
    for draft in seen[1:]:
        script.redo()
        assert script.draft == draft


def test_what_was_typed_meanwhile_stays() -> None:
    script = Manuscript()
    script.add(DraftStep("a"))
    script.add(DraftStep("b"))
    script.move(1, 0)
    script.write(text="typed after the move")
    script.undo()
    assert [step.title for step in script.draft.steps] == ["a", "b"]
    assert script.draft.steps[1].text == "typed after the move"
