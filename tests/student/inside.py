"""The window's process: the program as a person starts it, with a student at its hands.

    python -m tests.student.inside FOLDER SECONDS SEED KILL_EVERY

Loads neither Qt nor torch by itself: the engine's process imports this module again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> int:
    """Run the program until the student closes it; the program's exit status."""
    import gc
    import random
    import threading
    from multiprocessing import active_children
    from multiprocessing.shared_memory import SharedMemory

    from PySide6.QtGui import QShowEvent

    from explorer.cli import main as program
    from explorer.window import MainWindow
    from tests.student.record import Record
    from tests.student.student import Student

    folder, seconds, seed, kill_every = Path(arguments[0]), float(arguments[1]), int(arguments[2]), float(arguments[3])
    record = Record(folder / "record.jsonl")
    shown, made = MainWindow.showEvent, SharedMemory.__init__
    students: list[Student] = []
    segments: list[str] = []

    def with_student(window: MainWindow, event: QShowEvent) -> None:
        shown(window, event)
        if not students:
            start = window.household.start

            def start_and_listen(*problems: Sequence[Any], ask: bool) -> None:
                start(*problems, ask=ask)
                record.hook(window)  # above the program's own hooks, which hand nothing on

            window.household.start = start_and_listen  # type: ignore[method-assign]
            files = folder / "files"
            students.append(Student(window, record, random.Random(seed), files, seconds, kill_every))

    def noted(segment: SharedMemory, name: str | None = None, create: bool = False, size: int = 0) -> None:
        made(segment, name, create, size)
        segments.append(segment.name)

    MainWindow.showEvent = with_student  # type: ignore[method-assign]
    SharedMemory.__init__ = noted  # type: ignore[method-assign]
    status = program(["--device", "cpu", "--theme", "light"])
    students.clear()
    gc.collect()
    for child in active_children():  # the system takes its time to free an engine that was just killed
        child.join(5)
    record.write(
        "ended",
        status=status,
        threads=sorted(t.name for t in threading.enumerate() if t is not threading.main_thread()),
        children=[child.pid for child in active_children()],
        segments=segments,
    )
    record.close()
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
