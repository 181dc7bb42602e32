"""An export beside the window: a process of its own makes the film, so that neither the window nor the fit waits."""

from __future__ import annotations

import multiprocessing
from contextlib import suppress
from multiprocessing.connection import Connection
from threading import Thread

from PySide6.QtCore import QObject, QTimer, Signal

from explorer.export.request import ExportRequest, export_asked

_POLL_MS = 50


class ExportRunner(QObject):
    """Runs one export at a time.

    Signals:
        progressed: done, total, and what is being done.
        finished: the file that was written.
        failed: one line that says what happened and what was kept.
        cancelled: nothing was written.
    """

    progressed = Signal(int, int, str)
    finished = Signal(str)
    failed = Signal(str)
    cancelled = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: multiprocessing.process.BaseProcess | None = None
        self._connection: Connection | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._poll)

    @property
    def running(self) -> bool:
        """Whether a film is being made."""
        return self._process is not None

    def start(self, request: ExportRequest) -> None:
        """Begin an export.

        Raises:
            OSError: the system refuses another process; nothing runs then.
        """
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        asked, asking = context.Pipe(duplex=False)
        process = context.Process(target=export_asked, args=(theirs, asked), name="score-export", daemon=True)
        try:
            process.start()
        except BaseException:
            ours.close()
            asking.close()
            raise
        finally:
            theirs.close()
            asked.close()
        # A request holds megabytes, and whoever writes them waits until the process has been loaded and reads them.
        Thread(target=_ask, args=(asking, request), name="ask-export", daemon=True).start()
        self._connection, self._process = ours, process
        self._timer.start()

    def cancel(self) -> None:
        """Ask the export to stop; `cancelled` follows when it has removed what it had begun."""
        if self._connection is not None:
            try:
                self._connection.send("cancel")
            except OSError:
                self._end()
                self.failed.emit("The export ended by itself. Nothing was written.")

    def close(self) -> None:
        """End the export because the window closes; the closed pipe makes it clean up."""
        process = self._process
        self._end()
        if process is not None and process.is_alive():
            process.join(1.0)
            if process.is_alive():
                process.terminate()
                process.join(0.5)

    def _poll(self) -> None:
        connection = self._connection
        while connection is not None and self._connection is connection:
            try:
                if not connection.poll():
                    return
                message = connection.recv()
            except (EOFError, OSError):
                self._end()
                self.failed.emit("The export ended by itself. Nothing was written.")
                return
            kind, *values = message
            if kind == "progress":
                self.progressed.emit(*values)
                continue
            self._end()
            match kind:
                case "finished":
                    self.finished.emit(values[0])
                case "cancelled":
                    self.cancelled.emit()
                case "failed":
                    self.failed.emit(values[0])

    def _end(self) -> None:
        self._timer.stop()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._process = None


def _ask(pipe: Connection, request: ExportRequest) -> None:
    """Hand a request to a process that is being loaded; one that has ended meanwhile is seen by the runner."""
    with pipe, suppress(OSError):
        pipe.send(request)
