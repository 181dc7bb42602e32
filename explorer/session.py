"""The wiring between what a person edits and what the engine computes.

The document's changes become commands; the engine's events become the journal; its frames go on to whoever is
connected. No widget is known here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import monotonic, perf_counter, sleep

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from explorer.document import Document
from explorer.edits import Change
from explorer.engine.client import EngineClient
from explorer.engine.messages import (
    Begin,
    Command,
    Configure,
    ConfigureRace,
    ConfigureScene,
    Event,
    Frame,
    LadderPredicted,
    Mirror,
    MirrorNow,
    Notice,
    Ready,
    Release,
    Repaint,
    Reset,
    RunRace,
    StopWhen,
)
from explorer.recipe import Recipe, Recorder
from trainer.projects import Project

RATE = 60
"""Frames a second at most, unless the person prefers another number."""
_MARGIN = 1.1
"""The mailbox is looked at a little more often than that, so that no frame waits."""
_LOOK_MS = 4
_EVENTS_MS = 100
_RELEASE_MS = 300


class Session(QObject):
    """One document, one engine, and the recipe of what they did together.

    An empty painting has no density: the engine keeps what it had, and hears of the document with the next stroke.
    """

    framed = Signal(object)
    """A `Frame`, at most `RATE` times a second."""
    noticed = Signal(str, str, str)
    """A level ("info", "warning", "error"), one line, and details (or "")."""
    readied = Signal(str)
    """The device that computes."""
    predicted = Signal(object)
    """A `LadderPredicted`, the answer to a `PredictLadder`."""

    def __init__(self, document: Document, device: str = "auto", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.device = device
        self.frame: Frame | None = None
        self.engine = EngineClient(self._begin, device)
        self.recorder = Recorder(Recipe(document.setup))
        self._setup, self._revision = document.setup, document.revision
        self._waiting = False  # whether the engine hears of the document with the first stroke
        self._saved: tuple[Recipe, bytes] | None = None  # of the opened project, until the engine mirrors its own
        self._pulled = 0.0
        self._interval = 1 / (_MARGIN * RATE)
        self._unsubscribe = document.subscribe(self._document_changed)
        self._frames = self._timer(_LOOK_MS, self._pull)
        self._frames.setTimerType(Qt.TimerType.PreciseTimer)
        self._events = self._timer(_EVENTS_MS, self._listen)
        self._release = self._timer(_RELEASE_MS, self._release_now)
        self._release.setSingleShot(True)

    def _timer(self, milliseconds: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(milliseconds)
        timer.timeout.connect(slot)
        return timer

    # --- life ---------------------------------------------------------------------------------------------

    @property
    def painted(self) -> bool:
        """Whether there is any mass to learn."""
        return bool(self.document.weights.any())

    def start(self) -> None:
        """Start the engine and the timers; with nothing painted the engine waits for the first stroke."""
        self._frames.start()
        self._events.start()
        if self.painted and self.engine.pid is None:
            self.engine.start()

    def close(self) -> None:
        """End the engine; may be called twice."""
        for timer in (self._frames, self._events, self._release):
            timer.stop()
        self._unsubscribe()
        self.engine.close()

    def restart_engine(self) -> None:
        """End the engine and start it again from its last weights."""
        self.engine.restart()
        self._catch_up()

    def _begin(self) -> Begin:
        """What a fresh engine begins with: the mirrored state and its setup, or the document as the engine knows it."""
        self._take_events()  # what the engine before said last
        mirror = self.engine.mirror
        if mirror is not None:
            self.recorder.restarted(mirror.step)
        elif self._saved is not None:
            recipe, state = self._saved
            self.recorder = Recorder(recipe)
            return Begin(self._setup, self._revision, state)
        else:
            self.recorder = Recorder(Recipe(self._setup))
        return Begin(self.recorder.setup, self._revision)

    def _catch_up(self) -> None:
        """Tell a restarted engine what was edited after its state had been mirrored."""
        known, now = self.recorder.setup, self._setup
        if known.seed != now.seed:
            self.send(Reset(now.seed))
        if not np.array_equal(known.weights, now.weights):
            self.send(Repaint(self._revision, now.weights, now.name))
        if known.fit != now.fit:
            self.send(Configure(now.fit))
        if (known.scene, known.particle_seed) != (now.scene, now.particle_seed):
            self.send(ConfigureScene(now.scene, now.particle_seed))
        self.send(StopWhen(now.stop))
        if known.race != now.race:  # the recorder does not follow it; the engine runs no race that it does not have
            self.send(ConfigureRace(now.race))
            self.send(RunRace(self.engine.racing))

    def set_rate(self, frames_per_second: int) -> None:
        """Hand on so many frames a second at most."""
        self._interval = 1 / (_MARGIN * frames_per_second)

    # --- what goes out ------------------------------------------------------------------------------------

    def send(self, command: Command) -> None:
        """Hand a command to the engine."""
        if isinstance(command, Reset):
            self._saved = None
        self.engine.send(command)

    def open(self, project: Project, recipe: Recipe) -> None:
        """Begin with an opened project, which the document already holds, from the weights it was saved with.

        Before `start` it is only kept: the engine is started with it then.
        """
        document, known = self.document, self._setup
        self._saved = None if project.network is None or not self.painted else (recipe, project.network)
        self.recorder = Recorder(recipe if self._saved else Recipe(document.setup))
        self._setup, self._revision = document.setup, document.revision
        self._waiting = not self.painted
        if self._waiting:
            self._setup = replace(document.setup, weights=known.weights, name=known.name)
            self.engine.forget()
        elif self.engine.pid is not None:
            self.send(Begin(document.setup, document.revision, project.network))
        elif self._events.isActive():
            self.engine.start()

    def project(self, sigma: float, *, fresh: bool = True) -> Project:
        """The document, the recipe and the network as they are now, for a file.

        Without `fresh` nothing waits for the engine: the network is the one mirrored last, and the steps may be fewer
        than those of the moment.
        """
        mirror = self._fresh_mirror() if fresh else self.engine.mirror
        if mirror is None and self._saved is not None:
            recipe, state = self._saved
            return recipe.to_project(self.document.setup, sigma, state)
        recipe = self.recorder.recipe(mirror.step if mirror else 0)
        if recipe.journal:
            recipe = replace(recipe, steps=max(recipe.steps, recipe.journal[-1].step))
        return recipe.to_project(self.document.setup, sigma, self.engine.mirrored_state())

    def recipe(self) -> Recipe:
        """What determines the run so far."""
        return self.recorder.recipe(self.frame.step if self.frame else 0)

    def _fresh_mirror(self, seconds: float = 2.0) -> Mirror | None:
        """The engine's state at this moment; the last one it mirrored if it does not answer in time."""
        if self.engine.ready:
            self.send(MirrorNow())
            until = monotonic() + seconds
            while monotonic() < until:
                if any(isinstance(event, Mirror) and event.asked for event in self._take_events()):
                    break
                sleep(0.005)
        return self.engine.mirror

    def _document_changed(self, change: Change) -> None:
        document = self.document
        if change.opened or change.live or document.stroking:
            return
        if change.rect is not None or change.name:
            if not self.painted:
                return
            self._revision = document.revision
            if self.engine.pid is None and not self.engine.gave_up:
                self._setup = document.setup
                self.engine.start()
            elif self._waiting:
                self._saved = None
                self.send(Begin(document.setup, document.revision))
                self.recorder = Recorder(Recipe(document.setup))
            elif change.name or not np.array_equal(document.weights, self._setup.weights):
                self.send(Repaint(document.revision, document.weights, document.name))
            self._waiting = False
        if change.fit:
            self.send(Configure(document.fit))
        if change.seed:
            self.send(Reset(document.seed))
        if change.scene or change.particle_seed:
            self.send(ConfigureScene(document.scene, document.particle_seed))
            self._release.start()
        if change.stop:
            self.send(StopWhen(document.stop))
        if change.race:
            self.send(ConfigureRace(document.race))
        known = self._setup
        self._setup = document.setup
        if not self.painted:
            self._setup = replace(document.setup, weights=known.weights, name=known.name)

    def _release_now(self) -> None:
        """Particle settings have come to rest: show what they do, if particles were out already."""
        if self.frame is not None and self.frame.released:
            self.send(Release())

    # --- what comes in ------------------------------------------------------------------------------------

    def _pull(self) -> None:
        if self.engine.told:  # an order waits to go on from the one process to the other
            self._take_events()
        now = perf_counter()
        if now - self._pulled < self._interval:
            return
        frame = self.engine.frame()
        if frame is not None:
            self._pulled = max(self._pulled + self._interval, now - self._interval)  # one late does not delay the next
            self.frame = frame
            self.framed.emit(frame)

    def _listen(self) -> None:
        self._take_events()
        line = self.engine.watch()
        if line is not None:
            if not self.engine.gave_up:
                self._catch_up()
            self.noticed.emit("error" if self.engine.gave_up else "warning", line, "")

    def _take_events(self) -> list[Event]:
        events = self.engine.events()
        for event in events:
            self.recorder.take(event)
            self._tell(event)
        return events

    def _tell(self, event: Event) -> None:
        match event:
            case Mirror():
                self._saved = None
            case Ready(device, _):
                self.readied.emit(device)
            case LadderPredicted():
                self.predicted.emit(event)
            case Notice(level, text, details):
                self.noticed.emit(level, text, details)
