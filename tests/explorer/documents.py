"""Documents for tests: example paintings, all that undo must bring back, and a follower that hears changes alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from explorer.brush import SIZE, Rect
from explorer.document import Document
from explorer.edits import (
    Change,
    Smooth,
    Stroke,
)
from trainer.projects import Setup
from trainer.scenes import Scene, story
from trainer.settings import ParticleSettings


def square(name: str = "square") -> Setup:
    weights = np.zeros((SIZE, SIZE), np.float32)
    weights[30:90, 40:70] = 0.5
    return Setup(weights, name)


def noise(seed: int, side: int = SIZE) -> np.ndarray:
    return np.random.default_rng(seed).random((side, side), np.float32)


def panes(number: int) -> Scene:
    return Scene(story(ParticleSettings(number=number)))


def state(document: Document) -> tuple[object, ...]:
    """All that undo must bring back, bit by bit."""
    d = document
    painting = d.weights.shape, d.weights.tobytes(), d.paint.tobytes(), d.components, d.name
    return *painting, d.fit, d.scene, d.seed, d.particle_seed, d.stop, d.race


def draw(document: Document, stroke: Stroke | Smooth) -> None:
    document.begin(replace(stroke, points=stroke.points[:1]))
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
        if change.size or change.opened:
            assert change.rect == Rect.whole(document.weights)
            self.weights = np.zeros_like(document.weights)
        if change.rect is not None:
            assert document.revision > self.revision
            self.weights[change.rect.slices] = document.weights[change.rect.slices]
        self.revision = document.revision
        assert np.array_equal(self.weights, document.weights)
