"""The window's side of the process that makes pictures: starts it, speaks to it, starts it again when it dies.

What a dead process was doing is done again: the model is opened, the last job begun. A job that kills its process
twice within a minute is not begun a third time, and neither is a model opened that does. No Qt here.
"""

from __future__ import annotations

from collections import deque
from time import monotonic

from explorer.engine.gallery.frames import GalleryFrame
from explorer.engine.gallery.orders import (
    FollowPicture,
    GalleryAnswer,
    GalleryOrder,
    GalleryStart,
    Job,
    ModelOpened,
    ModelRefused,
    OpenModel,
    Play,
    Show,
    ShowDots,
    Steps,
)
from explorer.engine.gallery.process import CAPACITY, run_gallery
from explorer.engine.hosting import REFUSED
from explorer.engine.messages import Notice, Ready
from explorer.engine.orders import Order
from explorer.engine.worker import Worker

_RESTARTS = 3
_WITHIN = 60.0


class GalleryClient:
    """Runs one process that makes pictures.

    Args:
        device: what it computes on.

    Attributes:
        ready: whether it has said its first word.
        gave_up: whether it died so often that it is not started again.
    """

    def __init__(self, device: str = "auto") -> None:
        self.device = device
        self._worker = Worker("score-pictures", run_gallery, GalleryFrame, CAPACITY)
        self._model: OpenModel | None = None
        self._job: Job | None = None
        self._before: tuple[OpenModel | None, Job | None] | None = None  # while another model is being opened
        self._dots: Order | None = None
        self._moving, self._followed = True, -1
        self._deaths: deque[float] = deque(maxlen=_RESTARTS)
        self._closed = False
        self.ready = self.gave_up = False

    def start(self) -> None:
        """Start the process, with the model and the job that there are."""
        self.ready = self.gave_up = False
        self._worker.start(
            GalleryStart(
                model=self._model,
                job=self._job,
                moving=self._moving,
                followed=self._followed,
                dots=self._dots,
                device=self.device,
            )
        )

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._worker.pid

    def send(self, order: GalleryOrder) -> None:
        """Hand it an order; never waits."""
        match order:
            case OpenModel():
                self._before = self._before or (self._model, self._job)
                self._model, self._job = order, None
            case Job():
                self._job, self._moving = order, True
            case Play(running):
                self._moving = running
            case Steps() | Show():
                self._moving = False
            case FollowPicture(index):
                self._followed = index
            case ShowDots(release):
                self._dots = release
        self._worker.put(order)

    def frame(self) -> GalleryFrame | None:
        """Its newest frame, once."""
        return self._worker.frame()

    def answers(self) -> list[GalleryAnswer | Notice]:
        """What it has said since the last call."""
        told: list[GalleryAnswer | Notice] = []
        for event in self._worker.take():
            if isinstance(event, Ready):
                self.ready = True
                continue
            if isinstance(event, ModelOpened | ModelRefused) and self._model and self._model.path == event.path:
                if isinstance(event, ModelRefused):  # the one before stays
                    self._model, job = self._before or (None, None)
                    self._job = self._job or job
                self._before = None
            told.append(event)
        return told

    def watch(self) -> str | None:
        """Start it again if it has died or hangs; returns one line that says so, or None. Call it often."""
        fault = self._worker.fault()
        if self._closed or self.gave_up or not fault:
            return None
        refused = self._worker.exit_status == REFUSED
        self._worker.end(grace=0.0)
        recent = [at for at in self._deaths if monotonic() - at < _WITHIN]
        self._deaths.append(monotonic())
        if refused or len(recent) >= _RESTARTS - 1:
            self.gave_up = True
            return f"What makes the pictures {fault} again and again. Open a model to try once more."
        if recent:  # it may be its job that it dies of
            self._job = None
        self.start()
        begun = "It began its job anew." if self._job is not None else "Choose what to make anew."
        return f"What makes the pictures {fault} and was started again. {begun}"

    def revive(self) -> None:
        """Start it again because the person asks for it, if it was given up."""
        if self.gave_up:
            self._deaths.clear()
            self._job = None
            self.start()

    def close(self) -> None:
        """End the process within a second; may be called twice."""
        if not self._closed:
            self._closed = True
            self._worker.end(grace=0.8)
