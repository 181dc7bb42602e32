"""What the person edits: a painting, the settings of the run and its seeds, with undo for all of it.

Edits are commands: frozen data that say what to do. Applying one returns its **inverse**, a command that brings back
exactly what was there; undo applies the inverse and keeps *its* inverse for redo, so that nothing needs to know how an
edit was made.

The painting has two layers. Tools work on the **paint**, in [0, 1]; Gaussian **components** stay objects. `weights` is
their composite, and all that the engine ever sees. What is drawn or dragged shows live and becomes one step when it
ends.

Whoever shows or forwards the document subscribes, and is told by a `Change` which part differs. An array handed out is
never written to again: a change makes another one, so that views and messages may keep what they hold.

This file imports neither Qt nor torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from explorer.brush import SIZE, Brush, Rect
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
    LoadPainting,
    PaintCommand,
    Resize,
    RestorePainting,
    RestorePatch,
    Smooth,
    Stroke,
    Weights,
    describe,
)
from explorer.history import History, Step
from explorer.holding import Holding
from explorer.paint.applying import applied
from explorer.paint.canvases import checked_paint, checked_seed, checked_setup, checked_size
from explorer.paint.cells import resampled
from explorer.paint.live import LiveStroke
from explorer.paint.symmetry import NONE, Symmetry
from trainer.components import MOST, Component, composite
from trainer.errors import InputError
from trainer.projects import Setup

FIRST = "crescents"
"""The preset of the first start."""

OWN = "painting"
"""What a painting is called once a person has painted on it."""

EVERYTHING = Change(None, **{f.name: True for f in fields(Change) if f.name not in ("rect", "live")})
"""What is told when another document takes this one's place, besides its cells."""


class Document(Holding):
    """A painting, settings and seeds, and how they came about.

    Attributes:
        path: the project's file, None before the first save.
        revision: grows by one whenever the painting differs, while something is drawn too.
    """

    def __init__(self, setup: Setup | None = None) -> None:
        """Start from `setup`, or from the first start's painting and the default settings."""
        if setup is None:
            from trainer.paintings import preset_weights

            setup = Setup(preset_weights(FIRST, SIZE), FIRST)
        self.path: Path | None = None
        self.revision = 0
        self._setup = checked_setup(setup)
        self._history = History()
        self._states = self._state = self._saved = 0
        self._live: LiveStroke | PaintCommand | ChangeComponents | None = None
        self._base = self._setup
        self._callbacks: list[Callable[[Change], None]] = []

    # --- history ---

    @property
    def changed(self) -> bool:
        """Whether there is anything unsaved; undoing back to the saved state takes it back."""
        return self._state != self._saved or self.stroking

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to undo."""
        return len(self._history) > 0 or self.stroking

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone step to take again."""
        return self._history.next is not None and not self.stroking

    @property
    def undo_text(self) -> str:
        """For the menu: "Undo stroke"."""
        if self._live is not None:
            return f"Undo {describe(_command(self._live))}"
        return f"Undo {self._history.last.text}" if self._history.last else "Undo"

    @property
    def redo_text(self) -> str:
        """For the menu: "Redo stroke"."""
        return f"Redo {self._history.next.text}" if self._history.next and not self.stroking else "Redo"

    @property
    def history_limit(self) -> int:
        """Bytes of memory that undo may take."""
        return self._history.limit

    @history_limit.setter
    def history_limit(self, limit: int) -> None:
        self._history.limit = limit

    def do(self, command: Command) -> None:
        """Apply a command as one undo step; one that changes nothing leaves no step.

        What is being drawn ends first.

        Raises:
            InputError: a painting of another shape than n x n from 32 to 256, or with values that are negative or not
                finite; more components than fit; a negative seed.
        """
        self.end_stroke()
        inverse, change = self._apply(command)
        self._record(inverse, describe(command), change)

    def undo(self) -> None:
        """Take back the last step; without one, nothing happens. What is being drawn is taken back whole."""
        before, stroking = self._state, self.stroking
        self.end_stroke()
        if self._history.last and not (stroking and self._state == before):
            step = self._history.pop()
            inverse, change = self._apply(step.command)
            self._history.push_undone(Step(inverse, step.text, self._state))
            self._state = step.state
            self._tell(replace(change, history=True))

    def redo(self) -> None:
        """Take the step that was undone last; without one, nothing happens."""
        self.end_stroke()
        if self._history.next:
            step = self._history.pop_undone()
            inverse, change = self._apply(step.command)
            self._history.push(Step(inverse, step.text, self._state))
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
        setup = checked_setup(setup)
        self._live = None
        self._setup = setup
        self.path = None if path is None else Path(path)
        self._history.clear()
        self._states += 1
        self._state = self._states
        self._saved = self._state if saved else -1
        self.revision += 1
        self._tell(replace(EVERYTHING, rect=Rect.whole(setup.weights)))

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call back after every change; the returned function ends that."""
        self._callbacks.append(callback)

        def unsubscribe() -> None:
            if callback in self._callbacks:
                self._callbacks.remove(callback)

        return unsubscribe

    # --- what is being drawn ---

    @property
    def stroking(self) -> bool:
        """Whether anything is being drawn or dragged."""
        return self._live is not None

    @property
    def beneath(self) -> Setup:
        """What there is without what is being drawn."""
        return self._base if self.stroking else self._setup

    def begin_stroke(self, brush: Brush, x: float, y: float, pressure: float = 1.0, symmetry: Symmetry = NONE) -> None:
        """Set the brush down at the plane's point (x, y); pressure in [0, 1] scales its strength."""
        self.begin(Stroke(brush, ((x, y, pressure),), symmetry))

    def begin(self, command: Stroke | Smooth) -> None:
        """Begin a stroke, of the brush or a smoothing one, at the command's first point."""
        self.end_stroke()
        live = LiveStroke(command, self.paint, self.components)
        self._live, self._base = live, self._setup
        self._show(live, live.begin())
        self._tell(Change(live=True, history=True))

    def extend_stroke(self, x: float, y: float, pressure: float = 1.0) -> None:
        """Draw on towards (x, y). Without a stroke in progress (it was undone or ended meanwhile) nothing happens."""
        if isinstance(self._live, LiveStroke):
            self._show(self._live, self._live.extend(x, y, pressure))

    def preview(self, command: PaintCommand | ChangeComponents) -> None:
        """Show what a command would do, in place of what was previewed before; `end_stroke` makes it a step.

        Raises:
            InputError: as `do`; what was previewed before stays.
        """
        if self._live is None or isinstance(self._live, LiveStroke):
            self.end_stroke()
            self._base = self._setup
        shown, self._setup = self._setup, self._base
        try:
            self._apply(command)
        finally:
            now, self._setup = self._setup, shown
        begun = self._live is None
        self._live = command
        self._replace(replace(now, name=self._base.name), live=True, history=begun)

    def end_stroke(self) -> None:
        """Make what is being drawn one undo step; what touched nothing leaves no step."""
        live = self._live
        if live is None:
            return
        if isinstance(live, LiveStroke):
            self._show(live, live.end())  # what follows tells no more than how the end differs from the beginning
        self._live, self._setup = None, self._base
        if isinstance(live, LiveStroke):
            inverse, change = self._paint_over(live.paint, live.components)
        else:
            inverse, change = self._apply(live)
        if change == Change():
            self._tell(Change(history=True))
        self._record(inverse, describe(_command(live)), change)

    def cancel_stroke(self) -> None:
        """Take what is being drawn back without a trace in the history."""
        if self._live is not None:
            self._live = None
            self._replace(self._base, live=False, history=True)

    def _show(self, live: LiveStroke, rect: Rect | None) -> None:
        """Show a stroke in the cells that have just been covered."""
        if rect is not None:
            live.paint.flags.writeable = False
            before = self.components
            self._setup = _layered(self._setup, live.paint, live.components, self.name)
            self.revision += 1
            shown = Rect.whole(live.paint) if before or live.components else rect
            self._tell(Change(shown, live=True, components=live.components != before))

    def _replace(self, setup: Setup, *, live: bool, history: bool) -> None:
        """Show another setup of the same size, telling where they differ."""
        before, self._setup = self._setup, setup
        rect = Rect.around(np.flatnonzero(setup.weights != before.weights), self.size)
        self.revision += rect is not None
        components = setup.components != before.components
        self._tell(Change(rect, live=live, components=components, name=setup.name != before.name, history=history))

    # --- applying ---

    def _apply(self, command: Command) -> tuple[Command, Change]:
        """Do it; the inverse, and what it changed."""
        now = self._setup
        match command:
            case Clear():
                return self._paint_over(np.zeros_like(self.paint), ())
            case LoadPainting(weights, name):
                return self._repaint(checked_paint(weights), (), name)
            case Resize(size):
                return self._repaint(resampled(self.paint, checked_size(size)), now.components, now.name)
            case ChangeComponents(components):
                if len(components) > MOST:
                    raise InputError(f"components: {len(components)} are too many; at most {MOST} fit a painting")
                return self._paint_over(self.paint, components)
            case RestorePatch(cells, values, name, components):
                paint = self.paint.copy()
                paint.reshape(-1)[cells] = values
                return self._repaint(paint, components, name)
            case RestorePainting(paint, name, components):
                return self._repaint(paint, components, name)
            case ChangeFit(fit):
                self._setup = replace(now, fit=fit)
                return ChangeFit(now.fit), Change(fit=fit != now.fit)
            case ChangeScene(scene):
                self._setup = replace(now, scene=scene)
                return ChangeScene(now.scene), Change(scene=scene != now.scene)
            case ChangeStop(stop):
                self._setup = replace(now, stop=stop)
                return ChangeStop(now.stop), Change(stop=stop != now.stop)
            case ChangeRace(race):
                self._setup = replace(now, race=race)
                return ChangeRace(now.race), Change(race=race != now.race)
            case ChangeSeed(seed):
                self._setup = replace(now, seed=checked_seed(seed))
                return ChangeSeed(now.seed), Change(seed=seed != now.seed)
            case ChangeParticleSeed(seed):
                self._setup = replace(now, particle_seed=checked_seed(seed))
                return ChangeParticleSeed(now.particle_seed), Change(particle_seed=seed != now.particle_seed)
            case _:
                return self._paint_over(*applied(command, self.paint, now.weights, self.components))

    def _paint_over(self, paint: Weights, components: tuple[Component, ...] | None = None) -> tuple[Command, Change]:
        """Put a person's own work in place of the present painting."""
        components = self.components if components is None else components
        same = components == self.components and np.array_equal(paint, self.paint)
        return self._repaint(paint, components, self.name if same else OWN)

    def _repaint(self, paint: Weights, components: tuple[Component, ...], name: str) -> tuple[Command, Change]:
        """Put this painting in place of the present one."""
        now, before = self._setup, self.paint
        old: Command
        if paint.shape != before.shape:
            old = RestorePainting(before, now.name, now.components)
            rect: Rect | None = Rect.whole(paint)
        else:
            cells = np.flatnonzero(paint.reshape(-1) != before.reshape(-1))
            old = RestorePatch(cells.astype(np.uint16), before.reshape(-1)[cells], now.name, now.components)
            rect = Rect.around(cells, len(paint))
            if rect is None:
                paint = before
        paint.flags.writeable = False
        other = components != now.components
        if rect is None and not other:
            self._setup = replace(now, name=name)
        else:
            self._setup = _layered(now, paint, components, name)
            if paint.shape == before.shape and (components or now.components):
                shown = Rect.around(np.flatnonzero(self._setup.weights != now.weights), len(paint))
                other = other or (rect is not None and shown is None)  # paint too faint to show beside a component
                rect = shown
            self.revision += rect is not None
        size = paint.shape != before.shape
        return old, Change(rect, size=size, components=other, name=name != now.name)

    def _record(self, inverse: Command, text: str, change: Change) -> None:
        """Remember how to take a step back, unless it changed nothing."""
        if change == Change():
            return
        self._history.forget_undone()
        self._history.push(Step(inverse, text, self._state))
        self._states += 1
        self._state = self._states
        self._tell(replace(change, history=True))

    def _tell(self, change: Change) -> None:
        for callback in tuple(self._callbacks):
            callback(change)


def _command(live: LiveStroke | PaintCommand | ChangeComponents) -> Command:
    return live.command if isinstance(live, LiveStroke) else live


def _layered(setup: Setup, paint: Weights, components: tuple[Component, ...], name: str) -> Setup:
    """The setup with this paint under these components."""
    if not components:
        return replace(setup, weights=paint, paint=None, components=(), name=name)
    weights = composite(paint, components)
    return replace(setup, weights=weights, paint=paint, components=components, name=name)
