"""Messages and the export dialog under real mouse and key events."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from explorer.export.request import ExportRequest
from explorer.panels import toasts
from explorer.panels.exporting import ExportDialog
from explorer.panels.toasts import ToastStack
from tests.explorer.hands import LEFT, Key, type_into

# --- messages ---


@pytest.fixture
def host(qtbot: QtBot) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.resize(900, 600)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def test_news_leaves_and_errors_stay(qtbot: QtBot, host: QWidget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(toasts.SECONDS, "info", 0.05)
    stack = ToastStack(host)
    stack.show_message("error", "The engine ended by itself. The painting is kept.")
    stack.show_message("info", "Saved")
    qtbot.waitUntil(lambda: len(stack.toasts) == 1)
    assert stack.toasts[0].level == "error"
    assert not stack.toasts[0]._timer.isActive()
    qtbot.mouseClick(stack.toasts[0].close_button, LEFT)
    assert stack.toasts == []
    assert not stack.isVisible()


def test_messages_keep_to_the_corner(qtbot: QtBot, host: QWidget) -> None:
    stack = ToastStack(host, margin=56)
    toast = stack.show_message("error", "word " * 40, details="line\n" * 5)
    assert stack.geometry().bottomRight() == QPoint(900 - 16 - 1, 600 - 56 - 1)
    before = stack.height()
    qtbot.mouseClick(toast.open, LEFT)
    qtbot.waitUntil(lambda: stack.height() > before + 80)
    assert toast.words.height() >= toast.words.heightForWidth(toast.words.width())
    host.resize(700, 500)
    assert stack.geometry().bottomRight() == QPoint(700 - 16 - 1, 500 - 56 - 1)
    qtbot.mouseClick(toast.copy, LEFT)
    assert QGuiApplication.clipboard().text() == toast.text + "\n" + toast.details


def test_messages_do_not_pile_up(qtbot: QtBot, host: QWidget) -> None:
    stack = ToastStack(host)
    first = stack.show_message("error", "kept")
    again = [stack.show_message("warning", "the same") for _ in range(5)]
    assert len({id(toast) for toast in again}) == 1
    for i in range(6):
        stack.show_message("info", f"news {i}")
    assert [toast.text for toast in stack.toasts] == ["kept", "news 4", "news 5"]
    assert stack.toasts[0] is first
    for i in range(4):
        stack.show_message("error", f"error {i}")
    assert [toast.text for toast in stack.toasts] == ["error 1", "error 2", "error 3"]
    for i in range(2):
        stack.show_message("info", f"news {i}")
    assert [toast.text for toast in stack.toasts] == ["error 1", "error 2", "error 3", "news 1"]


def test_an_action_acts_and_closes(qtbot: QtBot, host: QWidget) -> None:
    done: list[int] = []
    stack = ToastStack(host)
    toast = stack.show_message("warning", "Loaded", action="Undo", on_action=lambda: done.append(1))
    qtbot.mouseClick(toast.action, LEFT)
    assert done == [1]
    assert stack.toasts == []


# --- export ---


@pytest.fixture
def dialog(qtbot: QtBot, tmp_path: Path) -> ExportDialog:
    widget = ExportDialog()
    qtbot.addWidget(widget)
    widget.prepare("two-moons", tmp_path / "film.mp4", steps=500, theme="dark", sigma=0.2)
    with qtbot.waitActive(widget):
        widget.show()
    return widget


def test_request_says_what_was_asked(qtbot: QtBot, dialog: ExportDialog, tmp_path: Path) -> None:
    type_into(qtbot, dialog.rows["seconds"].editor, "12.5")
    with qtbot.waitSignal(dialog.start) as seen:
        qtbot.mouseClick(dialog.go, LEFT)
    wanted = {"source": "two-moons", "out": str(tmp_path / "film.mp4"), "size": (1280, 720), "fps": 30}
    wanted |= {"seconds": 12.5, "steps": 500, "theme": "dark", "sigma": 0.2}
    request = seen.args[0]
    assert isinstance(request, ExportRequest)
    assert {name: getattr(request, name) for name in wanted} == wanted


def test_the_suffix_and_the_kind_follow_each_other(qtbot: QtBot, dialog: ExportDialog, tmp_path: Path) -> None:
    dialog.path.selectAll()
    qtbot.keyClicks(dialog.path, str(tmp_path / "a.gif"))
    assert dialog.rows["kind"].value() == ".gif"
    assert (dialog.request().size, dialog.request().fps) == ((640, 360), 20)
    box = dialog.rows["kind"].editor
    box.setFocus()
    qtbot.keyClick(box, Key.Key_Down)
    assert dialog.path.text() == str(tmp_path / "a.png")
    assert not dialog.rows["fps"].isVisible()
    assert dialog.heading.text() == "Export a picture"


def test_wrong_fields_say_so_and_nothing_starts(qtbot: QtBot, dialog: ExportDialog, tmp_path: Path) -> None:
    with qtbot.assertNotEmitted(dialog.start):
        type_into(qtbot, dialog.rows["fps"].editor, "900")
        qtbot.mouseClick(dialog.go, LEFT)
    assert "900 is out of range" in dialog.rows["fps"].error()
    type_into(qtbot, dialog.rows["fps"].editor, "30")
    dialog.rows["size"].editor.setFocus()
    qtbot.keyClick(dialog.rows["size"].editor, Key.Key_End)
    type_into(qtbot, dialog.rows["width"].editor, "1281")
    with qtbot.assertNotEmitted(dialog.start):
        qtbot.mouseClick(dialog.go, LEFT)
    assert "odd" in dialog.line.text()
    dialog.path.setText(str(tmp_path / "nowhere" / "film.mp4"))
    qtbot.mouseClick(dialog.go, LEFT)
    assert "does not exist" in dialog.line.text()


def test_the_session_goes_along_unless_it_is_told_not_to(qtbot: QtBot, dialog: ExportDialog, tmp_path: Path) -> None:
    assert dialog.inside.isChecked()
    assert dialog.weight.text() == ""
    assert dialog.request().session
    dialog.inside.setFocus()
    qtbot.keyClick(dialog.inside, Key.Key_Space)
    assert not dialog.request().session
    dialog.prepare("ring", tmp_path / "film.mp4")
    dialog.show_weight(3_041_200)
    assert dialog.inside.isChecked()
    assert dialog.weight.text() == "3.04 MB"
    dialog.prepare("ring", tmp_path / "film.mp4", session=False)
    assert not dialog.request().session
    qtbot.mouseClick(dialog.go, LEFT)
    assert not dialog.inside.isEnabled()  # while it is being made


def test_progress_cancel_and_end(qtbot: QtBot, dialog: ExportDialog) -> None:
    qtbot.mouseClick(dialog.go, LEFT)
    dialog.set_progress(30, 120, "picture 30 of 120")
    assert (dialog.bar.value(), dialog.bar.maximum(), dialog.line.text()) == (30, 120, "picture 30 of 120")
    qtbot.keyClick(dialog, Key.Key_Escape)
    assert dialog.isVisible()
    assert dialog.stop.text() == "Cancel"
    with qtbot.waitSignal(dialog.cancelled):
        qtbot.mouseClick(dialog.stop, LEFT)
    dialog.show_cancelled()
    assert dialog.line.text() == "Cancelled. Nothing was written."
    assert dialog.go.isEnabled()
    qtbot.mouseClick(dialog.go, LEFT)
    dialog.show_failed("film.mp4: the disk is full; nothing was written")
    assert "disk is full" in dialog.line.text()
    qtbot.mouseClick(dialog.go, LEFT)
    dialog.show_finished("film.mp4")
    assert not dialog.bar.isVisible()
    qtbot.keyClick(dialog, Key.Key_Escape)
    assert not dialog.isVisible()
