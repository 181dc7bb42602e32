"""Qt's application: made once, given its typeface and colours, and ended cleanly by every way out."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from explorer import __version__
from explorer.engine.memory import share_heap
from explorer.guard import FaultLog
from explorer.notices import Notice
from explorer.preferences import read_preferences
from explorer.theme import font
from trainer.assets import assets

if TYPE_CHECKING:
    from explorer.lessons.lesson import Lesson

SWITCH = 0.001
"""Seconds that the window waits for a thread that packs an autosave; Python's own 0.005 is a third of a frame."""


def make_application(arguments: list[str] | None = None) -> QApplication:
    """The application object with the program's name, icon and typeface."""
    application = QApplication(arguments or ["score-explorer"])
    application.setApplicationName("score-explorer")
    application.setApplicationDisplayName("Score Explorer")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName("score-explorer")
    application.setWindowIcon(QIcon(str(assets() / "icons" / "score-explorer.png")))
    application.setStyle("Fusion")
    application.setFont(font())
    return application


def run(file: str | None, *, theme: str | None, device: str | None, verbose: bool = False) -> int:
    """Open the window on `file` and stay until it is closed; returns the exit status.

    `theme` and `device` hold for this start in place of the preferred ones. `verbose` prints every notice.

    Raises:
        InputError: when `file` cannot be opened; no window has been shown then.
    """
    from explorer.files import read_file
    from explorer.gallery.folders import image_folder
    from explorer.lessons.names import is_lesson
    from explorer.window import MainWindow

    share_heap()
    sys.setswitchinterval(SWITCH)
    faults = FaultLog()
    earlier = faults.earlier()
    faults.start()
    model = image_folder(Path(file)) if file is not None else None
    lesson = _lesson(file) if file is not None and is_lesson(file) else None
    opened = read_file(file) if file is not None and model is None and lesson is None else None
    preferences, problems = read_preferences()
    application = make_application()
    window = MainWindow(preferences, theme=theme, device=device)
    household = window.household
    if verbose:
        household.log.subscribe(_print)
    if file is not None and opened is not None:
        window.adopt(opened, file)
    application.aboutToQuit.connect(window.shut_down)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: application.exit())
    heartbeat = QTimer()
    heartbeat.timeout.connect(_let_python_run)
    heartbeat.start(200)
    household.arranger.restore()
    window.show()
    QTimer.singleShot(0, window, lambda: household.start(problems, earlier, ask=file is None))
    if model is not None:
        QTimer.singleShot(0, window, lambda: window.gallery.open(model))
    if lesson is not None:
        QTimer.singleShot(0, window, lambda: window.lessons.play(lesson))
    status = application.exec()
    window.shut_down()
    faults.close()
    return status


def _lesson(file: str) -> Lesson:
    from explorer.lessons.desk import opened

    return opened(file)


def _print(notice: Notice) -> None:
    print(f"{notice.level}: {notice.line}", file=sys.stderr)
    if notice.details:
        print(notice.details, file=sys.stderr)


def _let_python_run() -> None:
    """Ctrl+C reaches Python only when it runs now and then."""
