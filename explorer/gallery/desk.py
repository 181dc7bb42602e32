"""The wiring between the pictures' window and the process that computes for it; no widget is known here.

One job runs at a time and each has a number, so that a late frame of the job before is not taken for this one's.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from explorer.engine.gallery.client import GalleryClient
from explorer.engine.gallery.frames import GalleryFrame
from explorer.engine.gallery.orders import (
    Export,
    Exported,
    GalleryOrder,
    Job,
    ModelOpened,
    ModelRefused,
    OpenModel,
    Play,
    StopWriting,
)
from explorer.engine.messages import Notice

_FRAMES_MS = 12
_ANSWERS_MS = 80


class GalleryDesk(QObject):
    """One process that makes pictures, and what it says.

    Attributes:
        model: the open model, as it was told; None before the first.
        frame: the newest frame of the present job.
        opening: the folder that is being opened, or "".
    """

    framed = Signal(object)
    """A `GalleryFrame` of the present job."""
    opened = Signal(object)
    """A `ModelOpened`, unless it is the one that is open already, in a process that was started again."""
    refused = Signal(str, str)
    """The folder that cannot be opened, and why in one line."""
    exported = Signal(object)
    """An `Exported`."""
    wrote = Signal()
    """`writing` says something else than before."""
    died = Signal(bool)
    """The process has died; whether it was given up, and not started again."""
    noticed = Signal(str, str, str)
    """A level ("info", "warning", "error"), one line, and details (or "")."""

    def __init__(self, device: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.client = GalleryClient(device)
        self.model: ModelOpened | None = None
        self.frame: GalleryFrame | None = None
        self.opening = ""
        self._number = 0
        self._films: list[str] = []  # ordered, and not answered yet
        self._told = ""
        self._resuming = False
        self._frames = QTimer(self, interval=_FRAMES_MS)
        self._frames.timeout.connect(self._pull)
        self._answers = QTimer(self, interval=_ANSWERS_MS)
        self._answers.timeout.connect(self._listen)

    def start(self) -> None:
        """Start the process and the timers."""
        if self.client.pid is None:
            self.client.start()
            self._frames.start()
            self._answers.start()

    def close(self) -> None:
        """End the process; may be called twice."""
        self._frames.stop()
        self._answers.stop()
        self.client.close()

    def open(self, folder: Path, training: str = "") -> None:
        """Open a model; `opened` or `refused` tells what came of it."""
        self.opening = str(folder)
        self.send(OpenModel(str(folder), training))

    def begin(self, job: Job) -> None:
        """Begin this job under a number of its own."""
        self._number += 1
        self.send(replace(job, number=self._number))

    def rest(self) -> None:
        """Hold the job, and show no more of it: what is wanted now cannot be begun yet."""
        self._number += 1
        self.frame = None
        self.send(Play(False))

    def send(self, order: GalleryOrder) -> None:
        """Hand the process an order; never waits. One that was given up is started once more for it."""
        if self.client.gave_up:
            self.client.revive()
        self.client.send(order)

    def export(self, order: Export) -> None:
        """Have a file written; `exported` tells what came of it."""
        if order.moves:
            self._films.append(order.path)
            self.wrote.emit()
        self.send(order)

    def stop_writing(self) -> None:
        """Leave nothing of the films that are ordered; `exported` tells of each."""
        if self._films:
            self.send(StopWriting())

    @property
    def writing(self) -> str:
        """The film that is being written and how much of it is, or "" where none is ordered that is not written."""
        return (self._told or f"{Path(self._films[0]).name}: 0%") if self._films else ""

    def _pull(self) -> None:
        frame = self.client.frame()
        if frame is not None and frame.writing != self._told:
            self._told = frame.writing
            self.wrote.emit()
        if frame is not None and frame.job in (0, self._number):
            self.frame = frame
            self.framed.emit(frame)

    def _listen(self) -> None:
        for answer in self.client.answers():
            match answer:
                case ModelOpened():
                    again = self._resuming and answer == self.model
                    self.model, self.opening, self._resuming = answer, "", False
                    if not again:  # a process that was started again goes on with the job by itself
                        self.opened.emit(answer)
                case ModelRefused(path, line):
                    self.opening = ""
                    self.refused.emit(path, line)
                case Exported():
                    self._export_ended(answer)
                case Notice(level, text, details):
                    self.noticed.emit(level, text, details)
        fault = self.client.watch()
        if fault is not None:
            self.opening, self._resuming = "", True
            for path in tuple(self._films):
                self._export_ended(Exported(path, f"{path}: not written, what wrote it stopped; save it again", True))
            self.noticed.emit("warning", fault, "")
            self.died.emit(self.client.gave_up)

    def _export_ended(self, answer: Exported) -> None:
        if answer.path in self._films:
            self._films.remove(answer.path)
            self._told = ""
            self.wrote.emit()
        self.exported.emit(answer)
