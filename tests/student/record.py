"""What goes wrong inside the window's process, and what it holds, one JSON line each: read by whoever started it."""

from __future__ import annotations

import json
import sys
import threading
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TextIO

from PySide6.QtCore import QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QDialog, QMenu

from explorer.late import made
from explorer.window import MainWindow

_HARMLESS = ("This plugin does not support", "propagateSizeHints", "Unable to detect a launcher")
"""Complaints about a display without a window manager and a machine without a browser of folders."""


class Record:
    """Hears of exceptions, warnings, Qt's messages and notices; `hook` it once the window has put its own hooks in."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1, encoding="utf-8")
        self._began = monotonic()
        self._lock = threading.Lock()
        self.doing = "starting"
        self.reached: Counter[str] = Counter()
        self.met: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """Views, pages, samplers, objectives, dialogs and whatever else was seen, by kind, how often."""

    def write(self, kind: str, **values: object) -> None:
        """One line."""
        line = {"kind": kind, "at": round(monotonic() - self._began, 2), "doing": self.doing, **values}
        with self._lock:
            self._file.write(json.dumps(line, default=str) + "\n")

    def say(self, words: str) -> None:
        """What is being done from now on."""
        self.doing = words

    def hook(self, window: MainWindow) -> None:
        """Listen, and hand on to who listened before."""
        for holder, name in ((sys, "excepthook"), (threading, "excepthook"), (sys, "unraisablehook")):
            setattr(holder, name, self._chained(getattr(holder, name), name))
        before = warnings.showwarning

        def warned(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            self.write("warning", text=f"{category.__name__}: {message} ({filename}:{lineno})")
            before(message, category, filename, lineno, file, line)

        warnings.showwarning = warned
        messages: Callable[..., object] | None = None

        def told(level: QtMsgType, context: QMessageLogContext, text: str) -> None:
            if level != QtMsgType.QtDebugMsg and not any(word in text for word in _HARMLESS):
                self.write("qt", level=level.name, text=text, trace="".join(traceback.format_stack(limit=12)))
            if messages is not None:
                messages(level, context, text)

        messages = qInstallMessageHandler(told)
        window.session.noticed.connect(self._noticed)
        for action in window.findChildren(QAction):
            if action.objectName():
                action.triggered.connect(partial(self._count, action.objectName()))

    def _count(self, name: str, checked: bool = False) -> None:
        self.reached[name] += 1

    def _noticed(self, level: str, text: str, details: str) -> None:
        kind = "exception" if "Traceback" in details else "notice"
        self.write(kind, level=level, text=text, trace=details)

    def _chained(self, before: Callable[..., object], name: str) -> Callable[..., None]:
        """A hook that notes the exception and calls the one before: that of threads takes one argument."""

        def hook(*args: object) -> None:
            value = args[1] if len(args) > 1 else getattr(args[0], "exc_value", None)
            lines = traceback.format_exception(value) if isinstance(value, BaseException) else [repr(value)]
            self.write("exception", level=name, text=repr(value), trace="".join(lines))
            before(*args)

        return hook

    def meet(self, window: MainWindow) -> None:
        """Note what is on the screen and in the document."""
        document, met = window.document, self.met
        met["views"].update(window.stage.seen)
        met["panes"][str(len(document.scene.panes))] += 1
        met["samplers"].update(pane.sampler for pane in document.scene.panes)
        met["sources"].update(pane.settings.source for pane in document.scene.panes)
        met["starts"][document.scene.start.kind] += 1
        met["objectives"][document.fit.objective] += 1
        met["targets"][document.fit.target] += 1
        met["kernels"][document.fit.kernel] += 1
        met["schedules"][document.fit.schedule] += 1
        met["racers"][str(len(document.race.entrants))] += 1
        met["drawer"][window.drawer_page() or "closed"] += 1
        met["cells"][str(document.size)] += 1
        met["scale"][f"{window.scale:g}"] += 1
        if made(window, "lessons") and window.lessons.player.lesson is not None:
            met["lessons"][window.lessons.player.lesson.title] += 1
        for on, name in (
            (window.isFullScreen(), "full screen"),
            (window.household.presentation.on, "presentation"),
            (window.squares.look.step is not None, "past field"),
            (bool(window.squares.look.pins), "pins"),
            (bool(window.squares.look.loop), "loop"),
            (window.squares.look.followed >= 0, "followed particle"),
            (window.viewing.options.trails, "trails"),
        ):
            met["states"][name] += on
        frame = window.session.frame
        if frame is not None:
            met["states"]["race running"] += frame.race is not None and frame.race.running
            met["states"]["past particles"] += frame.particle_shown < frame.particle_step
            met["notes"].update(state.note for state in frame.pane_states if state.note)
            met["diverged"].update(state.sampler for state in frame.pane_states if state.diverged)
        for each in QApplication.topLevelWidgets():
            if each.isVisible() and isinstance(each, QDialog | QMenu):
                met["dialogs"][f"{type(each).__name__} {each.windowTitle()}".strip()] += 1

    def holding(self, window: MainWindow) -> None:
        """What the process holds now."""
        document = window.document
        self.write(
            "holding",
            widgets=len(QApplication.allWidgets()),
            tops=sorted(type(each).__name__ for each in QApplication.topLevelWidgets()),
            timers=len(window.findChildren(QTimer)),
            threads=sorted(thread.name for thread in threading.enumerate()),
            panes=[pane.sampler for pane in document.scene.panes],
            number=document.scene.number,
            engine=window.session.engine.pids,
            pictures=pictures_pid(window),
            step=window.session.frame.step if window.session.frame else 0,
        )

    def close(self) -> None:
        """Write no more."""
        self._file.close()


def pictures_pid(window: MainWindow) -> tuple[int, ...]:
    """The process of the pictures' window, if there is one."""
    gallery = window.gallery.window if made(window, "gallery") else None
    pid = gallery.desk.client.pid if gallery is not None else None
    return () if pid is None else (pid,)
