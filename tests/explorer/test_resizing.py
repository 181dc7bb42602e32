"""A run with a change of the number of cells in its middle: its recipe and its file replay it exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from explorer.brush import Brush
from explorer.document import Document
from explorer.edits import Change, ChangeComponents, Resize, Stroke
from explorer.engine.messages import Applied, Command, Repaint
from explorer.recipe import Recipe, Recorder
from trainer.components import Component
from trainer.projects import read_project, write_project


def test_a_recipe_with_resizing_in_the_middle_replays_exactly(tmp_path: Path) -> None:
    document = Document()
    recorder = Recorder(Recipe(document.setup))
    sent: list[Repaint] = []

    def follow(change: Change) -> None:
        if change.rect is not None and not change.live:
            command = Repaint(document.revision, document.weights, document.name)
            sent.append(command)
            recorder.take(Applied(10 * len(sent), command))

    document.subscribe(follow)
    document.do(Stroke(Brush(), ((0.0, 0.0, 1.0), (0.4, 0.1, 1.0))))
    document.do(Resize(48))
    document.do(ChangeComponents((Component(0.3, 0.3),)))
    document.do(Stroke(Brush(eraser=True), ((0.0, 0.0, 1.0),)))
    document.do(Resize(256))
    document.undo()
    assert [len(command.weights) for command in sent] == [128, 48, 48, 48, 256, 48]
    recipe = recorder.recipe(100)
    assert recipe.final().components == ()  # a recipe knows what was learned, the composite

    path = tmp_path / "a.scorex"
    write_project(path, recipe.to_project(document.setup))
    project = read_project(path)
    again: list[tuple[int, Command]] = list(Recipe.from_project(project).commands())
    assert [step for step, _ in again] == [10, 20, 30, 40, 50, 60]
    for (_, command), expected in zip(again, sent, strict=True):
        assert isinstance(command, Repaint)
        assert command.weights.shape == expected.weights.shape
        assert command.weights.tobytes() == expected.weights.tobytes()

    opened = Document(project.setup)
    assert opened.components == document.components
    assert opened.paint.tobytes() == document.paint.tobytes()
    assert opened.weights.tobytes() == document.weights.tobytes()
    opened.do(ChangeComponents(()))
    assert np.array_equal(opened.weights, document.paint)
