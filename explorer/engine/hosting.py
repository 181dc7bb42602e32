"""What both processes of the engine do around their work: begin with what the pipe holds, and end with one line.

The first thing through the pipe is what to start with. It holds megabytes, and whoever hands a process its arguments
waits until the process has been loaded and reads them; the pipe has a thread of its own to wait. When the pipe closes,
the window is gone and the process ends. torch is imported here and nowhere in the window's process.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from traceback import format_exc
from typing import TypeVar

from explorer.engine.memory import share_heap
from explorer.engine.messages import Notice
from explorer.engine.starting import Beginning
from trainer.errors import InputError

REFUSED = 2
"""The exit status of a process that cannot start with what it was given."""


_B = TypeVar("_B", bound=Beginning)


def host(connection: Connection, kind: type[_B], work: Callable[[_B], None]) -> None:
    """Receive what to start with, work until that ends, and say in one line what went wrong if anything did."""
    share_heap()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        start = connection.recv()
    except (EOFError, ConnectionResetError):
        return
    assert isinstance(start, kind)
    os.environ["OMP_NUM_THREADS"] = str(start.threads)
    import torch

    torch.set_num_threads(start.threads)
    with _told(connection, start.called):
        work(start)


@contextmanager
def _told(connection: Connection, called: str) -> Iterator[None]:
    """The window hears of what ends the work, and starts it again unless that would end the same way."""
    try:
        yield
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except InputError as error:  # the settings themselves: another start would end the same way
        with suppress(OSError):
            connection.send(Notice("error", str(error)))
        raise SystemExit(REFUSED) from None
    except Exception as error:  # whatever it is, the window hears of it and starts the process again
        words = str(error).splitlines() or [""]
        notice = Notice("warning", f"{called} met an error ({type(error).__name__}: {words[0]})", format_exc())
        with suppress(OSError):
            connection.send(notice)
        raise SystemExit(1) from None
