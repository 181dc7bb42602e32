"""The log, the report, the four hooks and the log of faults."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer, qWarning
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from explorer.guard import FaultLog, Guard, line_of
from explorer.notices import MOST, NoticeLog
from explorer.panels.noticeboard import NoticeBoard
from explorer.places import state_folder
from explorer.theme import UNIT
from tests.explorer.hands import LEFT, Key
from trainer.errors import InputError

ROOT = Path(__file__).parents[2]
Told = list[tuple[str, str, str, bool]]


def ticking() -> NoticeLog:
    moments = iter(datetime(2026, 1, 1, 12, 0) + timedelta(seconds=i) for i in range(10_000))
    return NoticeLog(lambda: next(moments))


def test_the_same_notice_counts_on() -> None:
    log = ticking()
    log.add("info", "Saved a.scorex")
    log.add("error", "It broke", "first")
    log.add("info", "Saved a.scorex")
    again = log.add("error", "It broke", "second")
    assert [notice.text for notice in log.notices] == ["Saved a.scorex", "It broke"]
    assert (again.count, again.details) == (2, "second")
    assert again.line == "12:00:03  It broke  (2 times)"


def test_the_log_is_bounded() -> None:
    log = ticking()
    for i in range(MOST + 50):
        log.add("info", f"news {i}", "x" * 50_000)
    assert len(log.notices) == MOST
    assert log.notices[0].text == "news 50"
    assert max(len(notice.details) for notice in log.notices) == 20_000


def test_the_report_holds_facts_and_details() -> None:
    log = ticking()
    log.add("warning", "The engine\nstopped", "exit code -9\nsignal 9")
    assert log.report({"torch": "2.9", "device": "cpu"}).splitlines() == [
        "torch: 2.9",
        "device: cpu",
        "",
        "What happened, the last 30 at most:",
        "[warning] 12:00:00  The engine stopped",
        "    exit code -9",
        "    signal 9",
    ]


@pytest.fixture
def told(qtbot: QtBot) -> Iterator[Told]:
    """What a guard has caught while it held the hooks."""
    found: Told = []
    guard = Guard(lambda *what: found.append(what))
    hooks = sys.excepthook, threading.excepthook, warnings.showwarning
    guard.install()
    yield found
    guard.remove()
    assert hooks == (sys.excepthook, threading.excepthook, warnings.showwarning)


def test_an_exception_in_a_slot_is_one_line_and_the_window_goes_on(qtbot: QtBot, told: Told) -> None:
    def broken() -> None:
        raise ZeroDivisionError("division by zero")

    button = QPushButton("x")
    qtbot.addWidget(button)
    button.clicked.connect(broken)
    button.clicked.connect(lambda: done.append(1))
    done: list[int] = []
    qtbot.mouseClick(button, LEFT)
    ((level, text, details, shown),) = told
    assert (level, shown, done) == ("error", True, [1])
    assert "ZeroDivisionError: division by zero" in text
    assert "\n" not in text
    assert "Traceback" in details
    assert "def broken" not in text


def test_bad_input_in_a_slot_is_its_own_line(qtbot: QtBot, told: Told) -> None:
    def refuse() -> None:
        raise InputError("batch: 3 is out of range; give a number between 16 and 65536")

    QTimer.singleShot(0, refuse)
    qtbot.waitUntil(lambda: bool(told))
    assert told[0][:2] == ("warning", "batch: 3 is out of range; give a number between 16 and 65536")


def test_threads_warnings_and_qt_are_heard_on_the_windows_thread(qtbot: QtBot) -> None:
    where: list[tuple[str, bool, threading.Thread]] = []
    guard = Guard(lambda level, text, details, shown: where.append((text, shown, threading.current_thread())))
    guard.install()
    try:
        thread = threading.Thread(target=lambda: [].pop())
        thread.start()
        thread.join()
        assert where == []
        qtbot.waitUntil(lambda: bool(where))
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = guard._warning  # catch_warnings has put its own back
            warnings.warn("careful", UserWarning, stacklevel=1)
        qWarning("from Qt")
    finally:
        guard.remove()
    assert [text for text, _, _ in where[1:]] == ["careful", "from Qt"]
    assert "IndexError" in where[0][0]
    assert [shown for _, shown, _ in where] == [True, False, False]
    assert {thread for _, _, thread in where} == {threading.main_thread()}


def test_a_failure_in_telling_ends_on_standard_error(qtbot: QtBot, capsys: pytest.CaptureFixture[str]) -> None:
    calls: list[str] = []

    def tell(level: str, text: str, details: str, shown: bool) -> None:
        calls.append(text)
        raise RuntimeError("telling failed")

    guard = Guard(tell)
    guard.install()
    try:
        sys.excepthook(ValueError, ValueError("first"), None)
    finally:
        guard.remove()
    assert len(calls) == 1


def test_lines_say_what_was_kept() -> None:
    level, text = line_of(KeyError("weights\nlost"))
    assert level == "error"
    assert text.endswith("The painting is kept and the window goes on.")
    assert "\n" not in text


def test_the_board_shows_and_copies(qtbot: QtBot) -> None:
    log = ticking()
    board = NoticeBoard(log, lambda: {"device": "cpu"})
    qtbot.addWidget(board)
    log.add("info", "Saved a.scorex")
    with qtbot.waitActive(board):
        board.open_board()
    log.add("error", "It broke", "Traceback: here")
    assert [board.list.item(i).text() for i in range(2)] == [
        "12:00:01   Error: It broke",
        "12:00:00   Saved a.scorex",
    ]
    assert board.details.toPlainText() == "Nothing else is known about it."  # the choice stays where it was
    board.list.setFocus()
    qtbot.keyClick(board.list, Key.Key_Up)
    assert board.details.toPlainText() == "Traceback: here"
    qtbot.mouseClick(board.copy, LEFT)
    assert QGuiApplication.clipboard().text() == board.report()
    assert "device: cpu" in board.report()
    qtbot.keyClick(board, Key.Key_Escape)
    assert not board.isVisible()
    board.end()
    log.add("info", "later")


def test_an_empty_board_is_one_line(qtbot: QtBot) -> None:
    log = ticking()
    board = NoticeBoard(log, lambda: {"device": "cpu"})
    qtbot.addWidget(board)
    with qtbot.waitActive(board):
        board.open_board()
    boxes = (board.list, board.details)
    assert board.nothing.isVisible()
    assert not any(box.isVisible() for box in boxes)
    assert board.nothing.y() - board.heading.geometry().bottom() <= 2 * UNIT  # it stands below the heading
    qtbot.keyClick(board, Key.Key_Escape)
    assert not board.isVisible()
    board.open_board()
    log.add("warning", "step 31: the loss blew up")
    assert not board.nothing.isVisible()
    assert all(box.isVisible() for box in boxes)
    board.end()


# --- faults ---


def test_a_fault_is_offered_at_the_next_start() -> None:
    code = (
        "from explorer.guard import FaultLog\nimport faulthandler\n"
        "log = FaultLog()\nlog.start()\nfaulthandler._sigsegv()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode != 0
    ((at, text),) = FaultLog().earlier()
    assert "Segmentation fault" in text
    assert datetime.now() - at < timedelta(minutes=5)
    assert FaultLog().earlier() == []
    assert [path.suffix for path in (state_folder() / "faults").iterdir()] == [".told"]


def test_a_process_that_ends_well_leaves_no_log() -> None:
    import faulthandler

    enabled = faulthandler.is_enabled()
    code = "from explorer.guard import FaultLog\nlog = FaultLog()\nlog.start()\nlog.close()\nlog.close()\n"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    assert list((state_folder() / "faults").iterdir()) == []
    running = state_folder() / "faults" / f"{os.getppid()}.log"
    running.write_text("of a process that runs")
    assert FaultLog().earlier() == []
    assert running.exists()
    assert faulthandler.is_enabled() == enabled
