"""What the person edits: a painting, the settings of the run and its seeds, with undo for all of it.

Edits are commands: frozen data that say what to do. Applying one returns its **inverse**, a command that brings back
exactly what was there; undo applies the inverse and keeps *its* inverse for redo, so that nothing needs to know how an
edit was made. The inverse of whatever touches the painting is a `RestorePatch` of the cells that it changed.

Whoever shows or forwards the document subscribes, and is told by a `Change` which part differs. An array handed out as
`weights` is never written to again: a change makes another one, so that views and messages may keep what they hold.

This file imports neither Qt nor torch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from explorer.brush import SIZE, WHOLE, Brush, Coverage, Rect, paint, stroke_on
from explorer.edits import (
    Change,
    ChangeFit,
    ChangeParticles,
    ChangeParticleSeed,
    ChangeSeed,
    Clear,
    Command,
    LoadPainting,
    RestorePatch,
    Stroke,
    Weights,
    describe,
)
from trainer.errors import InputError
from trainer.projects import Setup
from trainer.settings import FitSettings, ParticleSettings

__all__ = [
    "Change",
    "ChangeFit",
    "ChangeParticleSeed",
    "ChangeParticles",
    "ChangeSeed",
    "Clear",
    "Command",
    "Document",
    "LoadPainting",
    "RestorePatch",
    "Stroke",
]

FIRST = "crescents"
"""The preset of the first start."""

OWN = "painting"
"""What a painting is called once a person has painted on it."""

HISTORY_BYTES = 256 * 2**20
"""Undo forgets its oldest steps beyond this much memory: some 20,000 ordinary strokes."""


@dataclass(frozen=True)
class _Step:
    """One undo step: how to take it, its name, and the token of the state that it leads to."""

    command: Command
    text: str
    state: int


class Document:
    """A painting, settings and seeds, and how they came about.

    Attributes:
        path: the project's file, None before the first save.
        revision: grows by one whenever the painting differs, within a stroke too.
    """

    def __init__(self, setup: Setup | None = None) -> None:
        """Start from `setup`, or from the first start's painting and the default settings."""
        if setup is None:
            from trainer.paintings import preset_weights

            setup = Setup(preset_weights(FIRST, SIZE), FIRST)
        self.path: Path | None = None
        self.revision = 0
        self._setup = replace(setup, weights=_painting(setup.weights))
        self._undo: deque[_Step] = deque()
        self._redo: list[_Step] = []
        self._states = self._state = self._saved = 0
        self._bytes = 0
        self._stroke: _Live | None = None
        self._callbacks: list[Callable[[Change], None]] = []

    # --- what it holds ---

    @property
    def weights(self) -> Weights:
        """(SIZE, SIZE) float32 in [0, 1], read-only, row 0 at the bottom; shows a stroke while it is drawn."""
        return self._setup.weights

    @property
    def name(self) -> str:
        """What is painted, for captions: a preset or a file, or `OWN`."""
        return self._setup.name

    @property
    def fit(self) -> FitSettings:
        """The settings of training."""
        return self._setup.fit

    @property
    def particles(self) -> ParticleSettings:
        """The settings of the particles."""
        return self._setup.particles

    @property
    def seed(self) -> int:
        """What the network is drawn from."""
        return self._setup.seed

    @property
    def particle_seed(self) -> int:
        """What the particles' start and noise are drawn from."""
        return self._setup.particle_seed

    @property
    def setup(self) -> Setup:
        """All of the above as one value: what a recipe starts from and a project keeps."""
        return self._setup

    # --- history ---

    @property
    def changed(self) -> bool:
        """Whether there is anything unsaved; undoing back to the saved state takes it back."""
        return self._state != self._saved or self._stroke is not None

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to undo."""
        return bool(self._undo) or self._stroke is not None

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone step to take again."""
        return bool(self._redo) and self._stroke is None

    @property
    def undo_text(self) -> str:
        """For the menu: "Undo stroke"."""
        if self._stroke is not None:
            return f"Undo {describe(self._stroke.command)}"
        return f"Undo {self._undo[-1].text}" if self._undo else "Undo"

    @property
    def redo_text(self) -> str:
        """For the menu: "Redo stroke"."""
        return f"Redo {self._redo[-1].text}" if self.can_redo else "Redo"

    def do(self, command: Command) -> None:
        """Apply a command as one undo step; one that changes nothing leaves no step.

        A stroke in progress ends first.

        Raises:
            InputError: a painting of another shape, or with values that are negative or not finite; a negative seed.
        """
        self.end_stroke()
        inverse, change = self._apply(command)
        self._record(inverse, describe(command), change)

    def undo(self) -> None:
        """Take back the last step; without one, nothing happens. A stroke in progress is taken back whole."""
        before, stroking = self._state, self.stroking
        self.end_stroke()
        if self._undo and not (stroking and self._state == before):
            step = self._undo.pop()
            self._bytes -= _size(step.command)
            inverse, change = self._apply(step.command)
            self._redo.append(_Step(inverse, step.text, self._state))
            self._state = step.state
            self._tell(replace(change, history=True))

    def redo(self) -> None:
        """Take the step that was undone last; without one, nothing happens."""
        self.end_stroke()
        if self._redo:
            step = self._redo.pop()
            inverse, change = self._apply(step.command)
            self._push(_Step(inverse, step.text, self._state))
            self._state = step.state
            self._tell(replace(change, history=True))

    def mark_saved(self, path: str | Path) -> None:
        """The document as it is now lies in this file."""
        self.path = Path(path)
        self._saved = self._state
        self._tell(Change(history=True))

    def open(self, setup: Setup, path: str | Path | None = None, *, saved: bool = True) -> None:
        """Put another document in this one's place, with an empty history; subscribers stay.

        `saved=False` is for one that was recovered and lies in no file yet.

        Raises:
            InputError: a painting that does not fit the canvas.
        """
        setup = replace(setup, weights=_painting(setup.weights))
        self._stroke = None
        self._setup = setup
        self.path = None if path is None else Path(path)
        self._undo.clear()
        self._redo.clear()
        self._bytes = 0
        self._states += 1
        self._state = self._states
        self._saved = self._state if saved else -1
        self.revision += 1
        self._tell(Change(WHOLE, False, True, True, True, True, True, True, True))

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call back after every change; the returned function ends that."""
        self._callbacks.append(callback)

        def unsubscribe() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return unsubscribe

    # --- a stroke in progress ---

    @property
    def stroking(self) -> bool:
        """Whether a stroke is in progress."""
        return self._stroke is not None

    def begin_stroke(self, brush: Brush, x: float, y: float, pressure: float = 1.0) -> None:
        """Set the brush down at the plane's point (x, y); pressure in [0, 1] scales its strength."""
        self.end_stroke()
        self._stroke = _Live(brush, self._setup.weights, x, y, pressure)
        self._spread(self._stroke.coverage.begin(x, y, pressure))
        self._tell(Change(live=True, history=True))

    def extend_stroke(self, x: float, y: float, pressure: float = 1.0) -> None:
        """Draw on towards (x, y). Without a stroke in progress (it was undone or ended meanwhile) nothing happens."""
        if self._stroke is not None:
            self._stroke.points.append((x, y, pressure))
            self._spread(self._stroke.coverage.extend(x, y, pressure))

    def end_stroke(self) -> None:
        """Make the stroke in progress one undo step; one that touched nothing leaves no step."""
        live = self._stroke
        if live is not None:
            self._spread(live.coverage.end(), tell=False)
            self._stroke = None
            painted = self._setup.weights
            self._setup = replace(self._setup, weights=live.base)
            inverse, change = self._paint_over(painted)
            if change == Change():
                self._tell(Change(history=True))
            self._record(inverse, describe(live.command), change)

    def cancel_stroke(self) -> None:
        """Take the stroke in progress back without a trace in the history."""
        live = self._stroke
        if live is not None:
            self._stroke = None
            self._setup = replace(self._setup, weights=live.base)
            self.revision += 1
            self._tell(Change(live.rect, history=True))

    def _spread(self, rect: Rect | None, tell: bool = True) -> None:
        """Show the stroke in progress in the rectangle that its coverage has just grown in."""
        live = self._stroke
        if live is not None and rect is not None:
            weights = self._setup.weights.copy()
            weights[rect.slices] = paint(live.base, live.coverage, rect)
            weights.flags.writeable = False
            self._setup = replace(self._setup, weights=weights)
            live.rect = rect.union(live.rect)
            if tell:
                self.revision += 1
                self._tell(Change(rect, live=True))

    # --- applying ---

    def _apply(self, command: Command) -> tuple[Command, Change]:
        """Do it; the inverse, and what it changed."""
        now = self._setup
        match command:
            case Stroke(brush, points):
                return self._paint_over(stroke_on(now.weights, brush, points))
            case Clear():
                return self._paint_over(np.zeros((SIZE, SIZE), np.float32))
            case LoadPainting(weights, name):
                return self._repaint(_painting(weights), name)
            case RestorePatch(cells, values, name):
                painted = now.weights.copy()
                painted.reshape(-1)[cells] = values
                return self._repaint(painted, name)
            case ChangeFit(fit):
                self._setup = replace(now, fit=fit)
                return ChangeFit(now.fit), Change(fit=fit != now.fit)
            case ChangeParticles(particles):
                self._setup = replace(now, particles=particles)
                return ChangeParticles(now.particles), Change(particles=particles != now.particles)
            case ChangeSeed(seed):
                self._setup = replace(now, seed=_seed(seed))
                return ChangeSeed(now.seed), Change(seed=seed != now.seed)
            case ChangeParticleSeed(seed):
                self._setup = replace(now, particle_seed=_seed(seed))
                return ChangeParticleSeed(now.particle_seed), Change(particle_seed=seed != now.particle_seed)

    def _paint_over(self, weights: Weights) -> tuple[Command, Change]:
        """Put a person's own work in place of the present painting."""
        same = np.array_equal(weights, self._setup.weights)
        return self._repaint(weights, self._setup.name if same else OWN)

    def _repaint(self, weights: Weights, name: str) -> tuple[Command, Change]:
        """Put this painting in place of the present one."""
        now = self._setup
        cells = np.flatnonzero(weights.reshape(-1) != now.weights.reshape(-1))
        rect = Rect.around(cells)
        if rect is None:
            weights = now.weights
        else:
            weights.flags.writeable = False
            self.revision += 1
        old = RestorePatch(cells.astype(np.uint16), now.weights.reshape(-1)[cells], now.name)
        self._setup = replace(now, weights=weights, name=name)
        return old, Change(rect, name=name != now.name)

    def _record(self, inverse: Command, text: str, change: Change) -> None:
        """Remember how to take a step back, unless it changed nothing."""
        if change == Change():
            return
        self._redo.clear()
        self._push(_Step(inverse, text, self._state))
        self._states += 1
        self._state = self._states
        self._tell(replace(change, history=True))

    def _push(self, step: _Step) -> None:
        self._undo.append(step)
        self._bytes += _size(step.command)
        while self._bytes > HISTORY_BYTES and len(self._undo) > 1:
            self._bytes -= _size(self._undo.popleft().command)

    def _tell(self, change: Change) -> None:
        for callback in tuple(self._callbacks):
            callback(change)


class _Live:
    """A stroke in progress, and the painting beneath it."""

    def __init__(self, brush: Brush, base: Weights, x: float, y: float, pressure: float) -> None:
        self.base = base
        self.coverage = Coverage(brush)
        self.points = [(x, y, pressure)]
        self.rect: Rect | None = None

    @property
    def command(self) -> Stroke:
        return Stroke(self.coverage.brush, tuple(self.points))


def _painting(weights: NDArray[np.floating]) -> Weights:
    """A read-only copy of a painting for the canvas: float32, its maximum at most 1."""
    array = np.asarray(weights)
    if array.shape != (SIZE, SIZE):
        shape = " x ".join(str(n) for n in array.shape)
        raise InputError(f"painting: {shape} values do not fit the canvas; give {SIZE} x {SIZE}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all() or (array < 0).any():
        raise InputError("painting: some weights are negative or not finite; give numbers of 0 or more")
    painting = (array / max(1.0, array.max())).astype(np.float32) + np.float32(0)  # -0 becomes 0
    painting.flags.writeable = False
    return painting


def _seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise InputError(f"seed: {seed!r} is not a seed; give a whole number from 0 to {2**63 - 1}")
    return seed


def _size(command: Command) -> int:
    """The memory that a command in the history holds, roughly."""
    return 500 + (command.cells.nbytes + command.values.nbytes if isinstance(command, RestorePatch) else 0)
