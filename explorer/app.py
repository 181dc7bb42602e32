"""Qt's application: made once, given its typeface and colours, and ended cleanly by every way out."""

from __future__ import annotations

import faulthandler
import signal
import sys

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from explorer import __version__
from explorer.theme import font
from trainer.assets import assets


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


def run(file: str | None, *, theme: str, device: str) -> int:
    """Open the window on `file` and stay until it is closed; returns the exit status.

    Raises:
        InputError: when `file` cannot be opened; no window has been shown then.
    """
    from explorer.files import read_file
    from explorer.window import MainWindow

    if sys.stderr is not None:
        faulthandler.enable()
    opened = read_file(file) if file is not None else None
    application = make_application()
    window = MainWindow(theme=theme, device=device)
    if file is not None and opened is not None:
        window.adopt(opened, file)
    application.aboutToQuit.connect(window.shut_down)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: application.exit())
    heartbeat = QTimer()
    heartbeat.timeout.connect(_let_python_run)
    heartbeat.start(200)
    window.show()
    status = application.exec()
    window.shut_down()
    return status


def _let_python_run() -> None:
    """Ctrl+C reaches Python only when it runs now and then."""
