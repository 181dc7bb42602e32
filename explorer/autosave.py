"""What is open, kept after every command for the case of a crash.

Each window writes one file in the state folder: `<process>-<n>.scorex`, a project like any other, with a card beside it
that says which file it was opened from. A lock that names the process keeps windows and instances out of each other's
way; a process that ends by itself removes its files, so that those of dead ones are what a crash has left behind
(`explorer.recovery`).

Commands that follow each other within a moment are written once. The window's thread only takes the snapshot, which
copies nothing but the network's state; packing, checking and the disk are a thread's business.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from threading import Condition, Thread
from time import monotonic

from PySide6.QtCore import QLockFile, QObject, QTimer, Signal

from explorer.document import Document
from explorer.edits import Change
from explorer.places import state_folder, write_record
from trainer.errors import InputError
from trainer.projects import Project, write_project

REST_MS = 400
"""A command is written once nothing has followed it for so long."""

LATEST = 3.0
"""Seconds after which it is written all the same."""

CARD = "autosave"
VERSION = 1


def autosave_folder() -> Path:
    """Where all instances keep their autosaves."""
    return state_folder() / "autosaves"


class Autosave(QObject):
    """Keeps one document while it holds anything unsaved."""

    saved = Signal()
    """What was open a moment ago lies on the disk."""

    failed = Signal(str)
    """One line: it could not be written. Told once, until it succeeds again."""

    _written = Signal(str)

    def __init__(
        self,
        document: Document,
        snapshot: Callable[[], Project],
        folder: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        """`snapshot` gives the project as it is now, at once, on the window's thread."""
        super().__init__(parent)
        self._document, self._snapshot = document, snapshot
        self._folder = folder or autosave_folder()
        self._file: Path | None = None
        self._lock: QLockFile | None = None
        self._on, self._complained = True, False
        self._due: float | None = None
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._pending = 0
        self._rested = Condition()
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._save)
        self._written.connect(self._after)
        self._unsubscribe = document.subscribe(self._changed)

    @property
    def file(self) -> Path | None:
        """Where this document is kept; None while nothing has been."""
        return self._file

    def set_on(self, on: bool) -> None:
        """Keep the document from now on, or leave it and remove what was kept."""
        if on != self._on:
            self._on = on
            self._timer.stop()
            if on:
                self._changed(Change(history=True))
            else:
                self._remove()

    def flush(self, seconds: float = 10.0) -> bool:
        """Write now what is due and wait for it; whether it was written in time."""
        rested = self._rest(seconds)
        if rested and self._timer.isActive():
            self._timer.stop()
            self._save()
        return self._rest(seconds)

    def close(self, *, keep: bool = False) -> None:
        """End it; what was kept is removed unless `keep`. May be called twice."""
        self._timer.stop()
        self._unsubscribe()
        self._on = False
        if not keep:
            self._remove()
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(5.0)
            self._thread = None
        if self._lock is not None:
            self._lock.unlock()
            self._lock = None

    # --- on the window's thread ---

    def _changed(self, change: Change) -> None:
        if not self._on or change.live or self._document.stroking:
            return
        if not self._document.changed:
            self._timer.stop()
            self._due = None
            self._remove()
            return
        now = monotonic()
        self._due = self._due or now
        self._timer.start(0 if now - self._due > LATEST else REST_MS)

    def _save(self) -> None:
        """Hand a snapshot to the thread; while it still writes the one before, come again."""
        if not self._document.changed or not self._on:
            return
        if self._pending:
            self._timer.start(REST_MS)
            return
        self._due = None
        try:
            file = self._place()
        except OSError as error:
            self._after(f"{self._folder}: cannot be written: {error.strerror or error}")
            return
        self._put(_Write(file, self._snapshot(), str(self._document.path or "")))

    def _place(self) -> Path:
        """The file of this window, locked at the first time."""
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            for n in range(1000):
                file = self._folder / f"{os.getpid()}-{n}.scorex"
                if file.exists():
                    continue
                lock = QLockFile(str(file.with_suffix(".lock")))
                lock.setStaleLockTime(0)
                if lock.tryLock(0):
                    self._file, self._lock = file, lock
                    return file
            raise OSError(f"no free name among {os.getpid()}-0 to {os.getpid()}-999")
        return self._file

    def _remove(self) -> None:
        if self._file is not None:
            self._put(_Remove(self._file))

    def _put(self, job: _Job) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._work, name="autosave", daemon=True)
            self._thread.start()
        with self._rested:
            self._pending += 1
        self._jobs.put(job)

    def _rest(self, seconds: float) -> bool:
        """Wait until the thread has nothing to do; False if it still has."""
        with self._rested:
            return self._rested.wait_for(lambda: not self._pending, seconds)

    def _after(self, problem: str) -> None:
        if problem and not self._complained:
            self.failed.emit(f"What is open could not be kept for the case of a crash. {problem}.")
        elif not problem:
            self.saved.emit()
        self._complained = bool(problem)

    # --- on its own thread ---

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            problem = ""
            try:
                job.do()
            except (InputError, OSError) as error:
                problem = " ".join(str(error).split()).rstrip(".")
            if isinstance(job, _Write):
                self._written.emit(problem)
            with self._rested:
                self._pending -= 1
                self._rested.notify_all()


class _Write:
    """Write a snapshot, and the card beside it."""

    def __init__(self, file: Path, project: Project, source: str) -> None:
        self._file, self._project, self._source = file, project, source

    def do(self) -> None:
        write_record(self._file.with_suffix(".json"), CARD, VERSION, {"source": self._source})
        write_project(self._file, self._project)


class _Remove:
    """Remove what was kept."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def do(self) -> None:
        for path in (self._file, self._file.with_suffix(".json")):
            path.unlink(missing_ok=True)


_Job = _Write | _Remove
