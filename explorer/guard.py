"""One place that hears of everything unforeseen: exceptions in slots and threads, Python's warnings, Qt's messages.

An exception in a slot ends that slot and nothing else. The person reads one line, with the traceback under "Details";
the window goes on. Warnings and Qt's messages are for the log alone. What is not Python's to catch (a fault in a
library) is written by `faulthandler` into a log that the next start offers.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from PySide6.QtCore import QMessageLogContext, QObject, Qt, QtMsgType, Signal, Slot, qInstallMessageHandler

from explorer.places import state_folder
from trainer.errors import InputError, TrainingError

Told = Callable[[str, str, str, bool], object]
"""Takes a level, one line, details, and whether it is worth a message."""


class Guard(QObject):
    """Catches what nobody else did and tells it on the window's thread. `install` once, `remove` at the end."""

    _caught = Signal(str, str, str, bool)

    def __init__(self, tell: Told, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tell = tell
        self._before: tuple[Any, Any, Any, Any] | None = None
        self._inside = threading.local()
        self._caught.connect(self._pass_on, Qt.ConnectionType.AutoConnection)

    def install(self) -> None:
        """Take over the four hooks."""
        if self._before is None:
            before = sys.excepthook, threading.excepthook, warnings.showwarning
            sys.excepthook = self._exception
            threading.excepthook = self._thread_exception
            warnings.showwarning = self._warning
            self._before = (*before, qInstallMessageHandler(self._message))

    def remove(self) -> None:
        """Give the hooks back to who had them; may be called twice."""
        if self._before is not None:
            sys.excepthook, threading.excepthook, warnings.showwarning, handler = self._before
            qInstallMessageHandler(handler)
            self._before = None

    @Slot(str, str, str, bool)
    def _pass_on(self, level: str, text: str, details: str, shown: bool) -> None:
        self._tell(level, text, details, shown)

    def _say(self, level: str, text: str, details: str, shown: bool) -> None:
        """Tell, unless telling is what has failed: then standard error is all that is left."""
        if getattr(self._inside, "busy", False):
            if sys.__stderr__ is not None:
                sys.__stderr__.write(f"{text}\n{details}\n")
            return
        self._inside.busy = True
        try:
            self._caught.emit(level, text, details, shown)
        finally:
            self._inside.busy = False

    def _exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, Exception):
            sys.__excepthook__(kind, error, trace)
            return
        level, text = line_of(error)
        self._say(level, text, "".join(traceback.format_exception(kind, error, trace)), True)

    def _thread_exception(self, args: threading.ExceptHookArgs) -> None:
        if issubclass(args.exc_type, Exception) and args.exc_value is not None:
            self._exception(args.exc_type, args.exc_value, args.exc_traceback)

    def _warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: IO[str] | None = None,
        line: str | None = None,
    ) -> None:
        where = f"{filename}:{lineno}: {category.__name__}"
        self._say("warning", str(message) or category.__name__, where, False)

    def _message(self, kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        if kind in (QtMsgType.QtFatalMsg, QtMsgType.QtCriticalMsg) and sys.__stderr__ is not None:
            sys.__stderr__.write(f"{message}\n")
        if kind != QtMsgType.QtDebugMsg:
            level = "info" if kind == QtMsgType.QtInfoMsg else "warning"
            self._say(level, message, "a message of Qt", False)


def line_of(error: BaseException) -> tuple[str, str]:
    """The level and the one line that a person reads about an exception that nobody has caught."""
    text = " ".join(str(error).split())
    if isinstance(error, InputError | TrainingError):
        return "warning", text
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return "error", f"Something went wrong in the program ({what[:160]}). The painting is kept and the window goes on."


class FaultLog:
    """The log of faults of this process, and those that ended others before; `close` removes an empty one."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or state_folder() / "faults"
        self.file = self._folder / f"{os.getpid()}.log"
        self._open: IO[str] | None = None

    def start(self) -> None:
        """Let faults of this process be written from now on; where that cannot be, they go to standard error."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._open = self.file.open("w", encoding="utf-8")
        except OSError:
            if sys.stderr is not None:
                faulthandler.enable()
            return
        faulthandler.enable(self._open)

    def earlier(self) -> list[tuple[datetime, str]]:
        """When and how processes before this one faulted, oldest first; each is told once, and its log is kept."""
        found = []
        for path in self._folder.glob("*.log"):
            if path == self.file or _alive(path.stem):
                continue
            try:
                at = datetime.fromtimestamp(path.stat().st_mtime)
                text = path.read_text(encoding="utf-8", errors="replace")[:20_000]
                if text.strip():
                    path.replace(path.with_name(f"{path.stem}-{at:%Y%m%d-%H%M%S}.told"))
                    found.append((at, text))
                else:
                    path.unlink()
            except OSError:
                continue  # another instance that starts now has just dealt with it
        return sorted(found)

    def close(self) -> None:
        """End it; may be called twice."""
        if self._open is not None:
            faulthandler.disable()
            self._open.close()
            self._open = None
            if self.file.stat().st_size == 0:
                self.file.unlink()


def _alive(pid: str) -> bool:
    """Whether a process of this number runs; True if that cannot be told."""
    if not pid.isdigit():
        return True
    if sys.platform == "win32":
        import ctypes

        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, int(pid))
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
