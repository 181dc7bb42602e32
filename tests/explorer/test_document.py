"""Undo and redo bring back every bit, subscribers are told exactly what differs, and the unsaved mark follows."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import explorer.document
from explorer.brush import SIZE, WHOLE, Brush
from explorer.document import (
    Change,
    ChangeFit,
    ChangeParticles,
    ChangeParticleSeed,
    ChangeSeed,
    Clear,
    Command,
    Document,
    LoadPainting,
    Stroke,
)
from trainer.errors import InputError
from trainer.projects import Setup
from trainer.settings import FitSettings, ParticleSettings


def square(name: str = "square") -> Setup:
    weights = np.zeros((SIZE, SIZE), np.float32)
    weights[30:90, 40:70] = 0.5
    return Setup(weights, name)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((SIZE, SIZE), np.float32)


def state(document: Document) -> tuple[object, ...]:
    """All that undo must bring back, bit by bit."""
    d = document
    return d.weights.tobytes(), d.name, d.fit, d.particles, d.seed, d.particle_seed


places = st.floats(-1.2, 1.2, allow_nan=False)
points = st.lists(st.tuples(places, places, st.floats(0, 1)), min_size=1, max_size=5)
brushes = st.builds(Brush, st.floats(0.005, 0.3), st.floats(0.1, 1.0), st.booleans())
strokes = st.builds(lambda brush, through: Stroke(brush, tuple(through)), brushes, points)
commands = st.one_of(
    strokes,
    st.just(Clear()),
    st.builds(lambda seed, name: LoadPainting(noise(seed), name), st.integers(0, 3), st.sampled_from(["a", "b"])),
    st.builds(lambda batch: ChangeFit(FitSettings(batch=batch)), st.integers(16, 20)),
    st.builds(lambda number: ChangeParticles(ParticleSettings(number=number)), st.integers(1, 5)),
    st.builds(ChangeSeed, st.integers(0, 3)),
    st.builds(ChangeParticleSeed, st.integers(0, 3)),
)
deeds = st.one_of(
    commands,
    strokes.map(lambda stroke: ("live", stroke)),
    strokes.map(lambda stroke: ("cancel", stroke)),
    strokes.map(lambda stroke: ("undo within", stroke)),
    st.sampled_from(["undo", "redo", "save"]),
)


def draw(document: Document, stroke: Stroke) -> None:
    document.begin_stroke(stroke.brush, *stroke.points[0])
    for point in stroke.points[1:]:
        document.extend_stroke(*point)


class Watcher:
    """Follows a document by what it is told alone."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.weights = document.weights.copy()
        self.revision = document.revision
        self.told: list[Change] = []
        document.subscribe(self)

    def __call__(self, change: Change) -> None:
        document = self.document
        self.told.append(change)
        assert document.revision >= self.revision
        if change.rect is not None:
            assert document.revision > self.revision
            self.weights[change.rect.slices] = document.weights[change.rect.slices]
        self.revision = document.revision
        assert np.array_equal(self.weights, document.weights)


@settings(max_examples=60, deadline=None)
@given(st.lists(deeds, max_size=14))
def test_undo_and_redo_of_anything(sequence: list[object]) -> None:
    document = Document(square())
    watcher = Watcher(document)
    past, future, saved = [state(document)], [], state(document)
    for deed in sequence:
        before = state(document)
        match deed:
            case "undo":
                document.undo()
                if len(past) > 1:
                    future.append(past.pop())
            case "redo":
                document.redo()
                if future:
                    past.append(future.pop())
            case "save":
                document.mark_saved("project.scorex")
                saved = state(document)
                assert not document.changed
            case ("cancel", Stroke() as stroke):
                draw(document, stroke)
                document.cancel_stroke()
            case ("undo within", Stroke() as stroke):
                draw(document, stroke)
                document.undo()
                document.extend_stroke(0.0, 0.0)
                if (after := state_after(before, stroke)) != before:
                    future = [after]
            case ("live", Stroke() as stroke):
                draw(document, stroke)
                document.end_stroke()
                if state(document) != before:
                    past.append(state(document))
                    future.clear()
                    assert state(document) == state_after(before, stroke)
            case command:
                document.do(command)
                if state(document) != before:
                    past.append(state(document))
                    future.clear()
        assert state(document) == past[-1]
        assert document.can_undo == (len(past) > 1)
        assert document.can_redo == bool(future)
        assert np.array_equal(watcher.weights, document.weights)
        assert not document.weights.flags.writeable
        if not document.changed:
            assert state(document) == saved
    end, reached = state(document), len(past)
    for _ in range(reached - 1):
        document.undo()
    assert state(document) == past[0] == state(Document(square()))
    assert not document.can_undo
    for expected in past[1:]:
        document.redo()
        assert state(document) == expected
    assert state(document) == end


def state_after(before: tuple[object, ...], stroke: Stroke) -> tuple[object, ...]:
    """Apply the whole stroke at once."""
    weights = np.frombuffer(before[0], np.float32).reshape(SIZE, SIZE)  # type: ignore[call-overload]
    document = Document(Setup(weights, *before[1:]))  # type: ignore[arg-type]
    document.do(stroke)
    return state(document)


def test_a_stroke_shows_live_and_is_one_step() -> None:
    document = Document(square())
    start = document.weights
    watcher = Watcher(document)
    document.begin_stroke(Brush(0.1), -0.8, -0.8)
    shown = document.weights
    assert shown[12, 12] > 0.5
    for x in np.linspace(-0.8, 0.8, 50):
        document.extend_stroke(x, -0.8)
    assert all(change.live for change in watcher.told)
    # A step of 0.033 with a reach of 0.1 concerns some 16 cells each way, not the canvas.
    assert max((c.rect.row1 - c.rect.row0) * (c.rect.col1 - c.rect.col0) for c in watcher.told if c.rect) <= 14 * 17
    assert document.stroking
    assert document.changed
    assert document.undo_text == "Undo stroke"
    document.end_stroke()
    last = watcher.told[-1]
    assert not last.live
    assert last.rect is not None
    assert last.rect.col1 - last.rect.col0 > 100
    assert document.name == "painting"
    assert shown is not document.weights
    assert shown[12, 100] == 0
    document.undo()
    assert np.array_equal(document.weights, start)
    assert document.name == "square"
    assert document.redo_text == "Redo stroke"
    assert not document.can_undo


def test_undo_while_a_stroke_is_drawn_takes_it_back_and_the_rest_of_the_drag_is_ignored() -> None:
    document = Document(square())
    before = state(document)
    document.begin_stroke(Brush(), 0.0, 0.9)
    document.extend_stroke(0.5, 0.9)
    document.undo()
    document.extend_stroke(0.9, 0.9)
    document.end_stroke()
    assert state(document) == before
    document.redo()
    assert state(document) != before


def test_a_cancelled_stroke_keeps_what_can_be_redone() -> None:
    document = Document(square())
    document.do(Clear())
    cleared = state(document)
    document.undo()
    document.begin_stroke(Brush(), 0.0, 0.0)
    document.cancel_stroke()
    assert not document.stroking
    document.redo()
    assert state(document) == cleared


def test_what_changes_nothing_leaves_no_step() -> None:
    document = Document(square())
    revision = document.revision
    for command in (
        Stroke(Brush(eraser=True), ((-0.9, -0.9, 1.0),)),
        Stroke(Brush(), ((5.0, 5.0, 1.0),)),
        LoadPainting(document.weights, "square"),
        ChangeFit(FitSettings()),
        ChangeParticles(ParticleSettings()),
        ChangeSeed(0),
        ChangeParticleSeed(0),
    ):
        document.do(command)
    assert document.revision == revision
    assert not document.can_undo
    assert not document.changed
    assert (document.undo_text, document.redo_text, document.name) == ("Undo", "Redo", "square")


@pytest.mark.parametrize(
    ("command", "text", "change"),
    [
        (Stroke(Brush(), ((0.0, 0.9, 1.0),)), "stroke", None),
        (Stroke(Brush(eraser=True), ((-0.2, 0.0, 1.0),)), "erasing", None),
        (Clear(), "clear", None),
        (LoadPainting(noise(1), "spiral"), "loading spiral", None),
        (ChangeFit(FitSettings(batch=64)), "training settings", Change(fit=True, history=True)),
        (ChangeParticles(ParticleSettings(number=9)), "particle settings", Change(particles=True, history=True)),
        (ChangeSeed(5), "training seed", Change(seed=True, history=True)),
        (ChangeParticleSeed(5), "particle seed", Change(particle_seed=True, history=True)),
    ],
)
def test_each_command_has_its_name_and_tells_what_it_changed(
    command: Command, text: str, change: Change | None
) -> None:
    document = Document(square())
    watcher = Watcher(document)
    document.do(command)
    assert document.undo_text == f"Undo {text}"
    (told,) = watcher.told
    if change is None:
        assert told.rect is not None
        assert not told.live
        assert told.name
        told = replace(told, rect=None, name=False)
    assert told == (change or Change(history=True))
    document.undo()
    assert document.redo_text == f"Redo {text}"
    assert state(document) == state(Document(square()))


def test_the_unsaved_mark_survives_undo_and_is_lost_with_the_saved_state() -> None:
    document = Document(square())
    document.do(ChangeSeed(1))
    document.mark_saved("a.scorex")
    assert document.path == Path("a.scorex")
    document.do(ChangeSeed(2))
    assert document.changed
    document.undo()
    assert not document.changed
    document.undo()
    assert document.changed
    document.redo()
    assert not document.changed
    document.undo()
    document.do(ChangeSeed(1))  # as saved by its value, but by another way: the saved state cannot be undone to
    assert document.changed


def test_opening_another_document_forgets_the_history_and_keeps_the_subscribers() -> None:
    document = Document(square())
    watcher = Watcher(document)
    document.do(Clear())
    revision = document.revision
    document.begin_stroke(Brush(), 0.0, 0.0)
    document.open(Setup(noise(2), "noise", seed=4), "noise.scorex")
    assert watcher.told[-1].opened
    assert watcher.told[-1].rect == WHOLE
    assert document.revision > revision
    assert (document.name, document.seed, document.path) == ("noise", 4, Path("noise.scorex"))
    assert (document.can_undo, document.can_redo, document.changed, document.stroking) == (False,) * 4
    document.open(square(), saved=False)
    assert document.changed
    assert document.path is None


def test_the_callback_ends_when_it_is_told_to() -> None:
    document = Document(square())
    told: list[Change] = []
    end = document.subscribe(told.append)
    document.do(Clear())
    end()
    document.undo()
    assert len(told) == 1


def test_history_is_bounded_and_what_is_left_still_undoes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorer.document, "HISTORY_BYTES", 500_000)
    document = Document(square())
    states = []
    for k in range(30):
        states.append(state(document))
        document.do(LoadPainting(noise(k), f"noise {k}"))
    steps = 0
    while document.can_undo:
        document.undo()
        steps += 1
        assert state(document) == states[-steps]
    assert steps == 5  # 16,384 cells at 6 bytes each
    assert document.changed  # the state of before is out of reach
    for _ in range(3):  # taking steps to and fro costs no further ones
        while document.can_redo:
            document.redo()
        assert document.name == "noise 29"
        while document.can_undo:
            document.undo()
        assert document.name == "noise 24"


def test_a_stroke_costs_the_memory_of_the_cells_that_it_changed() -> None:
    document = Document(square())
    rng = np.random.default_rng(0)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(200):
        x, y = rng.uniform(-0.9, 0.9, 2)
        document.do(Stroke(Brush(0.08, 0.05), ((x, y, 1.0), (-x, -y, 1.0))))
    grown = (tracemalloc.get_traced_memory()[0] - before) / 200
    tracemalloc.stop()
    assert grown < 10_000  # a copy of the painting is 65,536


def test_the_first_start_shows_the_crescents() -> None:
    document = Document()
    assert document.name == "crescents"
    assert document.weights.max() == 1
    assert not document.changed


@pytest.mark.parametrize(
    ("weights", "line"),
    [
        (np.zeros((64, 64)), r"painting: 64 x 64 values do not fit the canvas; give 128 x 128"),
        (np.full((SIZE, SIZE), np.nan), r"painting: some weights are negative or not finite; give .*"),
        (np.full((SIZE, SIZE), -1.0), r"painting: some weights are negative or not finite; give .*"),
    ],
)
def test_a_wrong_painting_is_refused_and_nothing_is_touched(weights: np.ndarray, line: str) -> None:
    document = Document(square())
    before = state(document)
    for act in (lambda: document.do(LoadPainting(weights, "x")), lambda: document.open(Setup(weights, "x"))):
        with pytest.raises(InputError, match=f"^{line}$"):
            act()
    assert state(document) == before
    assert not document.can_undo


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, True])
def test_a_wrong_seed_is_refused(seed: int) -> None:
    document = Document(square())
    for command in (ChangeSeed(seed), ChangeParticleSeed(seed)):
        with pytest.raises(InputError, match=r"^seed: .* is not a seed; give a whole number from 0 to \d+$"):
            document.do(command)
    assert not document.can_undo


def test_brighter_than_1_is_scaled() -> None:
    document = Document(Setup(np.full((SIZE, SIZE), 8.0, np.float32), "bright"))
    assert document.weights.max() == 1


def test_document_brush_and_recipe_load_neither_qt_nor_torch() -> None:
    code = (
        "import sys, explorer.brush, explorer.document, explorer.recipe; explorer.document.Document(); "
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'torch', 'PySide6', 'pyqtgraph', 'shiboken6'}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == "[]"
