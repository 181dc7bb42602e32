"""Files that hold what is open and unsaved, for the case of a crash: one a document, renewed by every change.

A file is `<process>-<n>` with the suffix of its kind, in a folder of that kind. A lock that names the process keeps
windows and instances out of each other's way; a process that ends by itself removes its files, so that those of dead
ones are what a crash has left behind (`orphans`).

Changes that follow each other within a moment are written once. The window's thread only takes the snapshot; packing,
checking and the disk are a thread's business.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from threading import Condition, Thread
from time import monotonic

from PySide6.QtCore import QLockFile, QObject, QTimer, Signal

from explorer.places import autosave_folder

REST_MS = 400
"""A change is written once nothing has followed it for so long."""

LATEST = 3.0
"""Seconds after which it is written all the same."""

Write = Callable[[Path], object]
"""Writes one snapshot to a file, on another thread than the window's; raises `InputError` or `OSError`."""


class Keeper(QObject):
    """Keeps one document, of whatever kind, while it holds anything unsaved."""

    saved = Signal()
    """What was open a moment ago lies on the disk."""

    failed = Signal(str)
    """One line: it could not be written or removed. Told once, until it succeeds again."""

    _done = Signal(bool, str)

    def __init__(
        self,
        what: str,
        suffix: str,
        unsaved: Callable[[], bool],
        snapshot: Callable[[], Write],
        folder: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        """`what` it is begins a sentence; `unsaved` says whether anything is; `snapshot` takes it as it is now."""
        super().__init__(parent)
        self._what, self._suffix, self._unsaved, self._snapshot = what, suffix, unsaved, snapshot
        self._folder = folder or autosave_folder()
        self._file: Path | None = None
        self._lock: QLockFile | None = None
        self._on, self._closed, self._complained = True, False, False
        self._due: float | None = None
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._pending, self._problem = 0, ""  # jobs that are not done, and what went wrong with the last one
        self._rested = Condition()
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._save)
        self._done.connect(self._after)

    @property
    def file(self) -> Path | None:
        """Where this document is kept; None while nothing has been."""
        return self._file

    def set_on(self, on: bool) -> None:
        """Keep the document from now on, or leave it and remove what was kept."""
        if on != self._on and not self._closed:
            self._on = on
            self._timer.stop()
            if on:
                self.touch()
            else:
                self._remove()

    def flush(self, seconds: float = 10.0) -> bool:
        """Do now what is due and wait for it, so long twice; whether it was done, in time and without a fault."""
        if not self._rest(seconds):
            return False
        if self._timer.isActive():
            self._timer.stop()
            self._save()
        return self._rest(seconds) and not self._problem

    def secure(self, seconds: float = 10.0) -> bool:
        """Do now what is due; whether the document lies in its file then, so that another copy of it may go."""
        return self.flush(seconds) and self._file is not None and self._file.exists()

    def close(self, *, keep: bool = False) -> None:
        """End it; what was kept is removed, or written a last time with `keep`. May be called twice."""
        if self._closed:
            return
        self._closed = True
        if keep:
            self.flush()
        else:
            self._remove()
        self._timer.stop()
        self._on = False
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(5.0)
            self._thread = None
        if self._lock is not None:
            self._lock.unlock()
            self._lock = None

    # --- on the window's thread ---

    def touch(self) -> None:
        """Something has changed: keep it soon, or remove what was kept if nothing is unsaved any more."""
        if not self._on:
            return
        if not self._unsaved():
            self._timer.stop()
            self._due = None
            self._remove()
            return
        now = monotonic()
        self._due = self._due or now
        self._timer.start(0 if now - self._due > LATEST else REST_MS)

    def _save(self) -> None:
        """Hand a snapshot to the thread; while it still writes the one before, come again."""
        if not self._unsaved() or not self._on:
            return
        if self._pending:
            self._timer.start(REST_MS)
            return
        self._due = None
        try:
            file = self._place()
        except OSError as error:
            self._problem = f"{self._folder}: cannot be written: {error.strerror or error}"
            self._after(True, self._problem)
            return
        self._put(_Job(file, self._snapshot()))

    def _place(self) -> Path:
        """The file of this document, locked at the first time."""
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            for n in range(1000):
                file = self._folder / f"{os.getpid()}-{n}{self._suffix}"
                if file.exists():
                    continue
                lock = _lock(file)
                if lock is not None:
                    self._file, self._lock = file, lock
                    return file
            raise OSError(f"no free name among {os.getpid()}-0 to {os.getpid()}-999")
        return self._file

    def _remove(self) -> None:
        if self._file is not None:
            self._put(_Job(self._file, None))

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

    def _after(self, written: bool, problem: str) -> None:
        if problem and not self._complained:
            fault = "could not be kept for the case of a crash" if written else "is kept although it need not be"
            self.failed.emit(f"{self._what} {fault}. {problem}.")
        elif written and not problem:
            self.saved.emit()
        self._complained = bool(problem)

    # --- on its own thread ---

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            problem = ""
            try:
                job.do()
            except Exception as error:  # whatever it is, the person hears of it and the next change is kept
                problem = " ".join(str(error).split()).rstrip(".") or type(error).__name__
            with self._rested:
                self._pending -= 1
                self._problem = problem
                self._rested.notify_all()
            self._done.emit(job.write is not None, problem)


@dataclass(frozen=True)
class _Job:
    """Write a snapshot into a file, or remove the file and what lies beside it."""

    file: Path
    write: Write | None

    def do(self) -> None:
        if self.write is not None:
            self.write(self.file)
        else:
            remove(self.file)


def remove(file: Path) -> None:
    """Remove what was kept, and the card beside it if there is one."""
    for path in (file, file.with_suffix(".json")):
        path.unlink(missing_ok=True)


def orphans(folder: Path, suffix: str) -> Iterator[tuple[Path, datetime, QLockFile]]:
    """Files of this kind whose process is gone, the newest first, when each was written, and the lock that is now held.

    Each is locked while it is offered, so that two instances that start together do not offer it both.
    """
    for left in folder.glob("*.lock"):  # of files that are gone since
        if not left.with_suffix(suffix).exists() and (stale := _lock(left)) is not None:
            stale.unlock()
    for file in sorted(folder.glob(f"*{suffix}"), key=_age, reverse=True):
        lock = _lock(file)
        if lock is None:
            continue  # its process runs, or another one is offering it
        try:
            at = datetime.fromtimestamp(file.stat().st_mtime)
        except OSError:  # another instance has just dealt with it
            lock.unlock()
            continue
        yield file, at, lock


def at_words(at: datetime) -> str:
    """When something was kept: "at 12:31", with the day if that was not today."""
    return f"at {at:%H:%M}" if at.date() == datetime.now().date() else f"on {at:%d %B at %H:%M}"


def put_aside(file: Path, kept: Path) -> Path:
    """Move it into the folder of what is kept, or leave it where it is if it cannot be moved; where it lies now."""
    try:
        at = datetime.fromtimestamp(file.stat().st_mtime)
        kept.mkdir(parents=True, exist_ok=True)
        place = file.replace(kept / f"{at:%Y-%m-%d %H.%M.%S} {file.name}")
        file.with_suffix(".json").unlink(missing_ok=True)
    except OSError:
        return file
    return place


def _lock(file: Path) -> QLockFile | None:
    """The lock of a file, held from now on; None if another process holds it."""
    lock = QLockFile(str(file.with_suffix(".lock")))
    lock.setStaleLockTime(0)
    return lock if lock.tryLock(0) else None


def _age(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
