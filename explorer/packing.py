"""Work of a fraction of a second that the window does not wait for: packing a session, encoding a picture.

Both happen inside zlib, which lets other threads of Python run. What came of it is taken up by a timer of the window's
own thread, so nothing is called from another one, and nothing at all once the window is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, QTimer

_LOOK_MS = 10


class Packer(QObject):
    """Does one piece of work at a time in a thread; the answer to an earlier one is dropped for a later one's."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(1, "packing")
        self._waiting: tuple[Future[Any], Callable[[Future[Any]], object]] | None = None
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)

    def begin(self, work: Callable[[], Any], then: Callable[[Future[Any]], object]) -> None:
        """Begin some work; `then` is called in this thread with its future once that is done."""
        if self._waiting is not None:
            self._waiting[0].cancel()
        self._waiting = (self._pool.submit(work), then)
        self._timer.start()

    def close(self) -> None:
        """Take no more work, and let the thread end."""
        self._timer.stop()
        self._waiting = None
        self._pool.shutdown(cancel_futures=True)

    def _look(self) -> None:
        if self._waiting is None or not self._waiting[0].done():
            return
        self._timer.stop()
        (future, then), self._waiting = self._waiting, None
        then(future)
