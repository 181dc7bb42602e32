"""Undo and redo bring back every bit, subscribers are told exactly what differs, and the unsaved mark follows."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import explorer.history
from explorer.brush import SIZE, Brush, Rect
from explorer.document import Document
from explorer.edits import (
    Change,
    ChangeComponents,
    ChangeFit,
    ChangeParticleSeed,
    ChangeRace,
    ChangeScene,
    ChangeSeed,
    ChangeStop,
    Clear,
    Command,
    DeleteCells,
    Ellipse,
    Fill,
    Line,
    LoadPainting,
    MoveCells,
    Resize,
    Smooth,
    Stamp,
    Stroke,
)
from explorer.history import size
from tests.explorer.documents import Watcher, noise, panes, square, state
from trainer.components import Component
from trainer.errors import InputError
from trainer.plans import StopSettings
from trainer.projects import Setup
from trainer.settings import FitSettings


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
        ChangeScene(document.scene),
        ChangeStop(document.stop),
        ChangeRace(document.race),
        ChangeComponents(()),
        Resize(SIZE),
        Fill((-0.9, 0.9), 0.0),
        DeleteCells(np.array([0, 5], np.uint16)),
        Line(Brush(), (3.0, 3.0), (4.0, 3.0)),
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
        (ChangeScene(panes(9)), "panes", Change(scene=True, history=True)),
        (ChangeStop(StopSettings(steps=9)), "stop conditions", Change(stop=True, history=True)),
        (Line(Brush(), (-0.9, 0.9), (0.9, 0.9)), "line", None),
        (Ellipse(Brush(), (0.0, 0.0), (0.9, 0.9)), "circle", None),
        (Ellipse(Brush(), (0.0, 0.0), (0.9, 0.5), filled=False), "ellipse", None),
        (Fill((0.9, 0.9)), "fill", None),
        (Smooth(0.1), "smoothing the painting", None),
        (Smooth(0.1, Brush(), ((-0.2, 0.0, 1.0),)), "smoothing", None),
        (Stamp(noise(1)[:4, :4], (0.0, 0.0), 0.5, name="text"), "stamping text", None),
        (MoveCells(np.arange(30 * SIZE, 31 * SIZE, dtype=np.uint16), -3, 0), "moving the selection", None),
        (DeleteCells(np.arange(30 * SIZE, 31 * SIZE, dtype=np.uint16)), "deleting the selection", None),
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
    assert watcher.told[-1].rect == Rect.whole(document.weights)
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
    monkeypatch.setattr(explorer.history, "HISTORY_BYTES", 500_000)
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
        (np.zeros((64, 60)), r"painting: 64 x 60 values do not fit the canvas; give 32 x 32 to 256 x 256"),
        (np.zeros((31, 31)), r"painting: 31 x 31 values do not fit the canvas; give 32 x 32 to 256 x 256"),
        (np.zeros((257, 257)), r"painting: 257 x 257 values do not fit the canvas; give 32 x 32 to 256 x 256"),
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
        "import sys, explorer.brush, explorer.document, explorer.recipe, explorer.paint.exchange; "
        "explorer.document.Document(); "
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'torch', 'PySide6', 'pyqtgraph', 'shiboken6'}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == "[]"


def test_components_are_a_layer_of_their_own() -> None:
    document = Document(square())
    paint = document.weights
    heavy = Component(0.5, 0.5, 0.1, 0.1, 0.0, 0.2)
    document.do(ChangeComponents((heavy,), "placing a Gaussian"))
    assert document.undo_text == "Undo placing a Gaussian"
    assert np.array_equal(document.paint, paint)
    cell = (2 / SIZE) ** 2
    # A peak of 0.2 / (2 pi 0.01) = 3.2 is brighter than 1: everything is scaled by it alike.
    added = document.weights.sum() / document.weights[60, 55] * 0.5 * cell - paint.sum() * cell
    assert added == pytest.approx(0.2, rel=1e-4)
    assert document.weights.max() == 1
    document.do(Stroke(Brush(eraser=True, strength=1.0, radius=0.3), ((0.5, 0.5, 1.0),)))  # erases paint, no component
    assert not document.paint[96, 96]
    assert document.weights[96, 96] == pytest.approx(1, abs=0.01)
    document.do(Clear())
    assert document.components == ()
    assert not document.weights.any()
    document.undo()
    assert document.components == (heavy,)
    with pytest.raises(InputError, match=r"^components: 65 are too many; at most 64 fit a painting$"):
        document.do(ChangeComponents((heavy,) * 65))


def test_resizing_keeps_the_mass_the_components_and_the_way_back() -> None:
    document = Document(square())
    document.do(ChangeComponents((Component(0.5, 0.5, 0.1, 0.1, 0.0, 0.01),)))
    before, mass = state(document), document.weights.sum() * (2 / SIZE) ** 2
    watcher = Watcher(document)
    for side in (256, 48, 32):
        document.do(Resize(side))
        assert document.size == side == len(watcher.weights)
        assert document.weights.sum() * (2 / side) ** 2 == pytest.approx(mass, rel=1e-5)
        document.do(Stroke(Brush(), ((0.9, 0.9, 1.0),)))
        document.undo()
    assert document.undo_text == "Undo 32 x 32 cells"
    for _ in range(3):
        document.undo()
    assert state(document) == before
    for wrong in (31, 257, 64.0, True):
        with pytest.raises(InputError, match=r"^cells: .*; give a whole number from 32 to 256$"):
            document.do(Resize(wrong))  # type: ignore[arg-type]


def test_a_preview_tells_no_name_until_it_is_a_step() -> None:
    document = Document(square())
    watcher = Watcher(document)
    document.preview(Line(Brush(), (-0.5, 0.8), (0.5, 0.8)))
    document.preview(Line(Brush(), (-0.5, 0.8), (0.0, 0.8)))
    assert all(change.live and not change.name for change in watcher.told)
    document.cancel_stroke()
    assert not watcher.told[-1].live
    assert not watcher.told[-1].name
    assert state(document) == state(Document(square()))
    assert not document.can_undo


def test_ten_thousand_strokes_leave_the_work_of_one_what_it_was() -> None:
    """What a stroke hands to the history is the cells it changed: the bytes do not grow with what went before."""
    document = Document(square())
    rng = np.random.default_rng(0)
    taken = []
    for k in range(10_000):
        x, y = rng.uniform(-0.95, 0.95, 2)
        held = document._history.bytes
        document.do(Stroke(Brush(0.05, 0.5, eraser=k % 2 == 1), ((x, y, 1.0), (x + 0.05, y, 1.0))))
        taken.append(document._history.bytes - held)
    first, last = np.mean(taken[:500]), np.mean(taken[-500:])
    assert 0.5 < last / first < 1.5
    assert len(document._history) > 9_900  # an eraser that meets no paint leaves no step
    assert document._history.bytes < explorer.history.HISTORY_BYTES
    assert document._history.bytes == sum(size(step.command) for step in document._history._undo)
