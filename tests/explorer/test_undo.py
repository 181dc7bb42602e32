"""Undo over random sequences of every command there is returns to the identical document, bit by bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from explorer.brush import SIZE, Brush
from explorer.document import Document
from explorer.edits import (
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
from explorer.paint.symmetry import Symmetry
from tests.explorer.documents import Watcher, draw, noise, panes, square, state
from trainer.components import Component
from trainer.plans import RaceSettings, StopSettings, entrants
from trainer.projects import Setup
from trainer.settings import FitSettings

places = st.floats(-1.2, 1.2, allow_nan=False)
points = st.lists(st.tuples(places, places, st.floats(0, 1)), min_size=1, max_size=5)
brushes = st.builds(Brush, st.floats(0.005, 0.3), st.floats(0.1, 1.0), st.booleans(), st.booleans())
weighing = brushes.map(lambda brush: replace(brush, by_mass=True))
symmetries = st.builds(Symmetry, st.booleans(), st.booleans(), st.integers(1, 3))
strokes = st.builds(lambda brush, through, also: Stroke(brush, tuple(through), also), brushes, points, symmetries)
softenings = st.builds(
    lambda width, brush, through: Smooth(width, replace(brush, eraser=False), tuple(through)),
    st.floats(0.01, 0.2),
    brushes,
    points,
)
pairs = st.tuples(places, places)
components = st.lists(
    st.builds(
        Component,
        st.floats(-1, 1),
        st.floats(-1, 1),
        st.floats(0.01, 0.5),
        st.floats(0.01, 0.5),
        st.floats(-180, 180),
        st.floats(0.001, 1),
    ),
    max_size=2,
).map(lambda found: ChangeComponents(tuple(found)))
some_cells = st.integers(0, 5).map(lambda k: np.arange(40 * k, 40 * k + 90, dtype=np.uint16))
drags = st.one_of(
    st.builds(Line, brushes, pairs, pairs, symmetries),
    st.builds(Ellipse, brushes, pairs, st.tuples(st.floats(0, 1), st.floats(0, 1)), st.booleans(), symmetries),
    st.builds(lambda at, width, brush: Stamp(noise(9)[:7, :5], at, width, brush), pairs, st.floats(0.05, 1), brushes),
    st.builds(MoveCells, some_cells, st.integers(-20, 20), st.integers(-20, 20)),
    components,
)
commands = st.one_of(
    strokes,
    softenings,
    drags,
    st.builds(Fill, pairs, st.floats(0, 1, width=32), st.floats(0, 1), st.none() | weighing),
    st.builds(Smooth, st.floats(0.01, 0.2)),
    st.builds(DeleteCells, some_cells),
    st.builds(Resize, st.sampled_from([32, 48, 100, 128, 256])),
    st.just(Clear()),
    st.builds(
        lambda seed, name, side: LoadPainting(noise(seed, side), name),
        st.integers(0, 3),
        st.sampled_from(["a", "b"]),
        st.sampled_from([32, SIZE]),
    ),
    st.builds(lambda batch: ChangeFit(FitSettings(batch=batch)), st.integers(16, 20)),
    st.builds(lambda number: ChangeScene(panes(number)), st.integers(1, 5)),
    st.builds(lambda steps: ChangeStop(StopSettings(steps=steps)), st.integers(1, 5)),
    st.builds(lambda n: ChangeRace(RaceSettings(entrants()[:n])), st.integers(2, 3)),
    st.builds(ChangeSeed, st.integers(0, 3)),
    st.builds(ChangeParticleSeed, st.integers(0, 3)),
)
deeds = st.one_of(
    commands,
    (strokes | softenings).map(lambda stroke: ("live", stroke)),
    (strokes | softenings).map(lambda stroke: ("cancel", stroke)),
    (strokes | softenings).map(lambda stroke: ("undo within", stroke)),
    st.lists(drags, min_size=1, max_size=3).map(lambda shown: ("preview", *shown)),
    st.lists(drags, min_size=1, max_size=3).map(lambda shown: ("preview and cancel", *shown)),
    st.sampled_from(["undo", "redo", "save"]),
)


@settings(max_examples=150, deadline=None)
@example([ChangeComponents((Component(along=0.5, across=0.5, mass=1.0),)), Fill((0.0, 1.0), 1e-38, 0.0)])
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
            case ("preview", *shown):
                for command in shown:
                    document.preview(command)
                    assert document.stroking
                document.end_stroke()
                if state(document) != before:
                    past.append(state(document))
                    future.clear()
                    assert state(document) == state_after(before, shown[-1])
            case ("preview and cancel", *shown):
                for command in shown:
                    document.preview(command)
                document.cancel_stroke()
            case ("cancel", stroke):
                draw(document, stroke)
                document.cancel_stroke()
            case ("undo within", stroke):
                draw(document, stroke)
                document.undo()
                document.extend_stroke(0.0, 0.0)
                if (after := state_after(before, stroke)) != before:
                    future = [after]
            case ("live", stroke):
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


def state_after(before: tuple[object, ...], command: Command) -> tuple[object, ...]:
    """Apply the whole command at once."""
    shape, weights, paint, held, name, fit, scene, seed, particle_seed, stop, race = before
    layers = [np.frombuffer(data, np.float32).reshape(shape) for data in (weights, paint)]  # type: ignore[call-overload]
    setup = Setup(layers[0], name, fit, scene, seed, particle_seed, stop, race, held, layers[1])  # type: ignore[arg-type]
    document = Document(setup)
    assert state(document) == before
    document.do(command)
    return state(document)
