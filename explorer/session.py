"""The wiring between what a person edits and what the engine computes.

The document's changes become commands; the engine's events become the journal; its frames go on to whoever is connected. No
widget is known here.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from explorer.document import Document
from explorer.edits import Change
from explorer.engine.client import EngineClient
from explorer.engine.messages import (
    Applied,
    Begin,
    Command,
    Configure,
    ConfigureParticles,
    Frame,
    Notice,
    Ready,
    Release,
    Repaint,
    Reset,
)
from explorer.recipe import Recipe, Recorder

FRAME_MS = 16
_EVENTS_MS = 100
_RELEASE_MS = 300


class Session(QObject):
    """One document, one engine, and the recipe of what they did together.

    Signals:
        framed: a `Frame`, at most sixty times a second.
        noticed: level ("info", "warning", "error") and one line.
        readied: the device that computes.
    """

    framed = Signal(object)
    noticed = Signal(str, str)
    readied = Signal(str)

    def __init__(self, document: Document, device: str = "auto", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.frame: Frame | None = None
        self.engine = EngineClient(self._begin, device)
        self.recorder = Recorder(document.setup)
        self._unsubscribe = document.subscribe(self._document_changed)
        self._frames = self._timer(FRAME_MS, self._pull)
        self._frames.setTimerType(Qt.TimerType.PreciseTimer)
        self._events = self._timer(_EVENTS_MS, self._listen)
        self._release = self._timer(_RELEASE_MS, self._release_now)
        self._release.setSingleShot(True)
        self._sent = (document.revision, document.name)

    def _timer(self, milliseconds: int, slot: object) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(milliseconds)
        timer.timeout.connect(slot)
        return timer

    # --- life ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the engine and the timers."""
        self.engine.start()
        self._frames.start()
        self._events.start()

    def close(self) -> None:
        """End the engine; may be called twice."""
        for timer in (self._frames, self._events, self._release):
            timer.stop()
        self._unsubscribe()
        self.engine.close()

    def _begin(self) -> Begin:
        return Begin(self.document.setup, self.document.revision)

    # --- what goes out ------------------------------------------------------------------------------------

    def send(self, command: Command) -> None:
        """Hand a command to the engine."""
        self.engine.send(command)

    def open(self, recipe: Recipe, state: bytes | None) -> None:
        """Begin with the document as it is now, which `recipe` led to, from the weights it was saved with."""
        self._sent = (self.document.revision, self.document.name)
        self.recorder = Recorder(recipe.initial, recipe)
        self.send(Begin(self.document.setup, self.document.revision, state))

    def recipe(self) -> Recipe:
        """What determines the run so far."""
        return self.recorder.recipe(self.frame.step if self.frame else 0)

    def _document_changed(self, change: Change) -> None:
        document = self.document
        if change.opened:
            return
        if not change.live and not document.stroking and self._sent != (document.revision, document.name):
            self._sent = (document.revision, document.name)
            self.send(Repaint(document.revision, document.weights, document.name))
        if change.fit:
            self.send(Configure(document.fit))
        if change.seed:
            self.send(Reset(document.seed))
        if change.particles or change.particle_seed:
            self.send(ConfigureParticles(document.particles, document.particle_seed))
            self._release.start()

    def _release_now(self) -> None:
        """Particle settings have come to rest: show what they do, if particles were out already."""
        if self.frame is not None and self.frame.released:
            self.send(Release())

    # --- what comes in ------------------------------------------------------------------------------------

    def _pull(self) -> None:
        frame = self.engine.frame()
        if frame is not None:
            self.frame = frame
            self.framed.emit(frame)

    def _listen(self) -> None:
        for event in self.engine.events():
            match event:
                case Applied():
                    self.recorder.add(event)
                case Ready(device, facts):
                    self.recorder.facts = facts
                    self.readied.emit(device)
                case Notice(level, text):
                    self.noticed.emit(level, text)
        line = self.engine.watch()
        if line is not None:
            self.noticed.emit("error" if self.engine.gave_up else "warning", line)
