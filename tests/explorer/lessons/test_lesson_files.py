"""Lessons as files: what is read is what was written, and what cannot be read says where and why."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.lessons import files
from explorer.lessons.desk import opened
from explorer.lessons.files import from_json, lesson_bytes, lesson_from, read_lesson, to_json, write_lesson
from explorer.lessons.lesson import Choice, Lesson, Step
from explorer.lessons.prose import plain, rich
from tests.explorer.lessons.lessons import QUESTION, lesson, values
from trainer.errors import InputError
from trainer.projects import Project, Setup

Change = Callable[[dict[str, Any]], object]


def project() -> Project:
    weights = np.zeros((32, 32), np.float32)
    weights[4:9, 20:25] = 1
    setup = Setup(weights, "corner")
    return Project(setup, setup, sigma=0.2)


def test_a_lesson_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "four.lesson"
    write_lesson(path, lesson())
    assert read_lesson(path) == lesson()
    assert json.loads(path.read_text()) == to_json(lesson())[0]


def test_moments_of_its_own_travel_in_the_same_file(tmp_path: Path) -> None:
    own = Lesson("Own", (Step("A", "a", begin=project()), Step("B", "b"), Step("C", "c", begin=project())))
    path = tmp_path / "own.lesson"
    write_lesson(path, own)
    assert zipfile.ZipFile(path).namelist() == ["lesson.json", "01.scorex", "02.scorex"]
    read = read_lesson(path)
    assert isinstance(read.steps[2].begin, Project)
    assert np.array_equal(read.steps[2].begin.weights, project().weights)
    assert read.setup(1).name == "corner"
    assert lesson_bytes(read) == path.read_bytes()


def test_a_lesson_that_could_not_be_read_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "own.lesson"
    own = Lesson("Own", (Step("A", "a", begin=project()), Step("B", "b", begin=project())))
    write_lesson(path, own)
    before = path.read_bytes()
    for name, limit, line in (
        ("01.scorex", 100, "the moment of run 1 would need"),
        ("lesson.json", 20, "its text would need"),
    ):
        with monkeypatch.context() as changed:
            changed.setitem(files._LIMITS, name, limit)
            with pytest.raises(InputError, match=line):
                write_lesson(path, own)
    monkeypatch.setattr(files, "MOST_FILE", len(before) // 2)
    with pytest.raises(InputError, match="take fewer moments"):
        write_lesson(path, own)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_step_needs_follows_from_the_lesson_alone() -> None:
    four = lesson()
    assert [four.origin(k) for k in range(4)] == [0, 0, 0, 3]
    assert [pane.settings.source for pane in four.setup(1).scene.panes] == ["learned"] * 3
    assert [pane.settings.source for pane in four.setup(2).scene.panes] == ["true"] * 3
    assert (four.setup(2).seed, four.setup(3).seed, four.setup(3).name) == (3, 0, "ring")
    assert four.steps[0].layout(3).places[:3] == ("painting", "learned", "true")


def test_views_that_a_step_shows_get_a_place() -> None:
    step = Step("A", "a", show=("error_map", "curl"))
    places = step.layout(3).places
    assert {"error_map", "curl"} <= set(places)
    assert places[:6] == ("painting", "learned", "true", "curves", "shares", "pane1")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v.update(format="x"), "not a lesson"),
        (lambda v: v.update(version=2), "version is 2"),
        (lambda v: v.update(steps=[]), "0 of them"),
        (lambda v: v.update(colour="red"), "lesson.colour: unknown field"),
        (lambda v: v["steps"][0].pop("begin"), "begins no run"),
        (lambda v: v["steps"][1].update(title=""), "step 2: step.title"),
        (lambda v: v["steps"][1].update(text=5), "step 2: step.text"),
        (lambda v: v["steps"][0].update(show=["painting", "moon"]), "step 1: step.show: 'moon' is unknown"),
        (lambda v: v["steps"][0].update(controls="axes"), "step 1: step.controls: expected a list"),
        (lambda v: v["steps"][1].update(explain=["moon"]), "step 2: step.explain: 'moon' is unknown"),
        (lambda v: v["steps"][0].update(sigma="wide"), "step 1: step.sigma"),
        (lambda v: v["steps"][0]["begin"].update(painting="moon"), "step 1: begin.painting"),
        (lambda v: v["steps"][0]["begin"].update(fit={"objective": "x"}), "step 1: objective"),
        (lambda v: v["steps"][0].update(begin="01.scorex"), "there is no '01.scorex'"),
        (lambda v: v["steps"][2].update(change={"fit": {"kernel": "laplace"}}), "step 3: parameterisation"),
        (lambda v: v["steps"][2].update(change={"moon": 1}), "step 3: step.change.moon"),
        (lambda v: v["steps"][3].update(drawer="moon"), "step 4: layout.drawer"),
        (lambda v: v["steps"][1].update(predict=QUESTION | {"ask": ""}), "step 2: predict.ask"),
        (lambda v: v["steps"][1].update(predict=QUESTION | {"choices": []}), "0 of them; give 2 to 5"),
        (lambda v: v["steps"][1].update(predict=QUESTION | {"measure": {"quantity": "joy"}}), "measure.quantity"),
        (lambda v: v["steps"][1].update(predict=QUESTION | {"measure": {"quantity": "share", "pane": 4}}), "no pane 4"),
        (
            lambda v: v["steps"][1].update(predict=QUESTION | {"measure": {"quantity": "race_time"}}),
            "there is no racer 2",
        ),
        (lambda v: v["steps"][1].update(predict=QUESTION | {"when": {"clock": "particles", "amount": 2}}), "amount"),
    ],
)
def test_what_is_wrong_is_named_with_its_step(change: Change, words: str) -> None:
    wrong = json.loads(json.dumps(values()))
    change(wrong)
    with pytest.raises(InputError) as error:
        from_json(wrong)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_two_choices_cannot_both_be_right() -> None:
    overlap = QUESTION | {"choices": [{"text": "a", "to": 0.3}, {"text": "b", "from": 0.2}]}
    wrong = values()
    wrong["steps"][1]["predict"] = overlap
    with pytest.raises(InputError, match="'a' and 'b' can both be right"):
        from_json(wrong)


def test_the_right_choice_is_the_one_whose_range_holds_what_was_measured() -> None:
    predict = lesson().steps[1].predict
    assert predict is not None
    assert [predict.right(value) for value in (0.0, 0.15, 0.2499, 0.25, 1.0)] == [0, 1, 1, 2, 2]
    gap = replace(predict, choices=(Choice("low", high=0.1), Choice("high", low=0.9)))
    assert gap.right(0.5) is None


@given(st.binary(max_size=400))
def test_any_bytes_are_a_lesson_or_one_line(data: bytes) -> None:
    for each in (data, b"PK" + data):
        with pytest.raises(InputError) as error:
            lesson_from(each)
        assert "\n" not in str(error.value)


@given(st.data())
def test_a_damaged_zip_is_one_line_or_the_lesson(data: st.DataObject) -> None:
    own = bytearray(lesson_bytes(Lesson("Own", (Step("A", "a", begin=project()),))))
    for _ in range(data.draw(st.integers(1, 4))):
        own[data.draw(st.integers(2, len(own) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(InputError):  # anything else fails the test
        assert lesson_from(bytes(own)).title


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(1, 20):
            archive.writestr(f"{k:02}.scorex", bytes(16 * 2**20))
    with pytest.raises(InputError, match="unpacks to"):
        lesson_from(buffer.getvalue())


def test_a_moment_that_the_window_could_not_open_is_refused_with_the_file() -> None:
    setup = Setup(np.ones((8, 8), np.float32), "too small")
    small = lesson_bytes(Lesson("Own", (Step("A", "a", begin=Project(setup, setup)),)))
    with pytest.raises(InputError, match=r"01\.scorex: .*32"):
        lesson_from(small)


def test_a_formula_that_cannot_be_set_is_told_before_the_lesson_begins(tmp_path: Path) -> None:
    wrong = values()
    wrong["steps"][1]["formula"] = "\\frac{a"
    path = tmp_path / "wrong.lesson"
    path.write_text(json.dumps(wrong))
    with pytest.raises(InputError, match=r"wrong\.lesson: step 2: step\.formula: this cannot be set"):
        opened(path)


def test_files_that_are_not_there_or_cannot_be_written_say_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_lesson(tmp_path / "none.lesson")
    with pytest.raises(InputError, match="cannot be written"):
        write_lesson(tmp_path / "no folder" / "a.lesson", lesson())
    assert list(tmp_path.iterdir()) == []


def test_words_bring_no_markup_of_their_own() -> None:
    assert rich("a **b** *c* <img src=x>\n\nd") == (
        '<p style="margin: 0 0 8px 0">a <b>b</b> <i>c</i> &lt;img src=x&gt;</p><p style="margin: 0 0 0px 0">d</p>'
    )
    assert rich("p_σ, x_t and load_score") == (
        '<p style="margin: 0 0 0px 0">p<sub>σ</sub>, x<sub>t</sub> and load_score</p>'
    )
    assert plain("a **b** *c*") == "a b c"
