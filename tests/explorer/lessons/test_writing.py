"""A lesson written and played beside the main window, whose present moment becomes a step."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QLockFile
from pytestqt.qtbot import QtBot

from explorer.lessons import keeping
from explorer.lessons import writer as writing
from explorer.lessons.draft import Draft, DraftQuestion, DraftStep
from explorer.lessons.keeping import draft_bytes, draft_from
from explorer.lessons.names import DRAFT, draft_folder
from explorer.lessons.taking import take
from explorer.places import autosave_folder
from explorer.session import Session
from explorer.window import MainWindow
from tests.explorer.hands import LEFT, type_into
from tests.explorer.lessons.lecturer import one_step, press, prose, told
from trainer.errors import InputError


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    """The real one; its engine is never started."""
    monkeypatch.setattr(Session, "start", lambda self: None)
    monkeypatch.setattr(Session, "send", lambda self, command: None)
    main = MainWindow(theme="dark", device="cpu")
    qtbot.addWidget(main, before_close_func=lambda w: w.shut_down())
    with qtbot.waitExposed(main):
        main.show()
    yield main
    main.shut_down()


def left(number: int, data: bytes) -> Path:
    """A file as a process leaves it that was ended while a lesson was written."""
    file = draft_folder() / f"{number}-0{DRAFT}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    os.utime(file, (number, datetime(2024, 1, number).timestamp()))
    return file


def drafts() -> list[Path]:
    return sorted(draft_folder().glob(f"*{DRAFT}"))


def test_what_is_written_is_kept_until_it_lies_in_a_file(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.actions_by_name["lesson_write"].trigger()
    writer = window.lessons.writer
    assert drafts() == []
    one_step(qtbot, writer)
    qtbot.waitUntil(lambda: len(drafts()) == 1)
    qtbot.waitUntil(lambda: told(draft_from(drafts()[0].read_bytes())[0]) == told(writer.manuscript.draft))
    monkeypatch.setattr(writing, "ask_save", lambda *_: tmp_path / "mine.lesson")
    assert writer.save()
    qtbot.waitUntil(lambda: drafts() == [])
    type_into(qtbot, writer.title.editor, "Another title")
    qtbot.waitUntil(lambda: len(drafts()) == 1)
    assert draft_from(drafts()[0].read_bytes())[1] == tmp_path / "mine.lesson"
    window.household.change(autosave=False)
    qtbot.waitUntil(lambda: drafts() == [])
    window.household.change(autosave=True)
    qtbot.waitUntil(lambda: len(drafts()) == 1)
    type_into(qtbot, writer.title.editor, "The last title")
    window.shut_down(keep=True)
    assert draft_from(drafts()[0].read_bytes())[0].title == "The last title"


def test_a_window_that_closes_leaves_nothing(qtbot: QtBot, window: MainWindow) -> None:
    window.actions_by_name["lesson_write"].trigger()
    one_step(qtbot, window.lessons.writer)
    qtbot.waitUntil(lambda: len(drafts()) == 1)
    window.shut_down(keep=False)
    assert list(draft_folder().iterdir()) == []


UNFINISHED = Draft("On modes", steps=(DraftStep("First", question=DraftQuestion("Which?", pane="one")),))


def test_only_what_lies_elsewhere_leaves_its_place(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise InputError(f"{path}: cannot be written: No space left on device; nothing was changed")

    monkeypatch.setattr(keeping, "write_whole", full)
    data = draft_bytes(UNFINISHED)
    left(1, data)
    window.actions_by_name["lesson_write"].trigger()
    assert window.lessons.writer.manuscript.draft == UNFINISHED
    (place,) = (autosave_folder() / "kept").iterdir()
    assert place.read_bytes() == data
    assert any(str(place) in notice.text for notice in window.household.log.notices)
    assert drafts() == []


def test_one_that_is_being_written_is_nobody_elses(window: MainWindow) -> None:
    file = left(1, draft_bytes(UNFINISHED))
    lock = QLockFile(str(file.with_suffix(".lock")))
    assert lock.tryLock(0)
    window.household.start(ask=True)
    assert window.toasts.toasts == []
    window.actions_by_name["lesson_write"].trigger()
    assert window.lessons.writer.manuscript.draft == Draft()
    assert file.exists()
    lock.unlock()


def test_a_damaged_one_is_told_where_it_was_looked_for(window: MainWindow) -> None:
    left(1, b"PK damaged")
    lock = "import os, sys; from PySide6.QtCore import QLockFile; l = QLockFile(sys.argv[1]); l.tryLock(0); os._exit(0)"
    subprocess.run([sys.executable, "-c", lock, str(draft_folder() / "7-0.lock")], check=True)
    assert (draft_folder() / "7-0.lock").exists()
    window.actions_by_name["lesson_write"].trigger()
    assert "is damaged; it is kept as " in window.lessons.writer.line.text()
    assert list(draft_folder().iterdir()) == []


def test_what_was_being_written_is_gone_on_with(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    draft = UNFINISHED
    file = left(5, draft_bytes(draft, str(tmp_path / "modes.lesson")))
    damaged = left(6, b"PK damaged")
    window.household.start(ask=True)
    toast = window.toasts.toasts[-1]
    assert toast.text.startswith("A lesson was being written on 06 January at ")
    qtbot.mouseClick(toast.action, LEFT)
    writer = window.lessons.writer
    assert writer.isVisible()
    assert (writer.manuscript.draft, writer.manuscript.path) == (draft, tmp_path / "modes.lesson")
    assert writer.line.text().startswith("This was being written when the program ended.")
    assert writer.manuscript.changed
    assert not file.exists()
    assert not damaged.exists()
    assert draft_from(drafts()[0].read_bytes()) == (draft, tmp_path / "modes.lesson")
    assert [path.read_bytes() for path in (autosave_folder() / "kept").iterdir()] == [b"PK damaged"]
    assert any("is damaged; it is kept as " in notice.text for notice in window.household.log.notices)


def test_the_present_moment_is_taken_whole(window: MainWindow) -> None:
    window.slider.set_value(0.4)
    window.viewing.set(trails=True)
    window.stage.exchange("curves", "curl")
    window.show_page("particles")
    window.stage.double("learned")
    moment = take(window)
    assert moment.show == ("learned",)
    assert moment.places == window.stage.places
    assert moment.sigma == window.slider.value() == pytest.approx(0.4, rel=0.1)
    assert (moment.options.trails, moment.drawer) == (True, "particles")
    assert np.array_equal(moment.project.setup.weights, window.document.weights)
    window.stage.double("true")
    window.stage.present(("learned", "curl", "pane1"))
    assert take(window).show == ("learned", "curl", "pane1")
    assert not {"begin", "do", "change"} & set(moment.values(run=False))
    assert moment.values(run=True)["begin"] is moment.project


def test_it_is_written_and_played_beside_the_window(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.actions_by_name["lesson_write"].trigger()
    writer = window.lessons.writer
    one_step(qtbot, writer)
    window.stage.double("true")
    writer.steps.what.setCurrentIndex(1)
    qtbot.mouseClick(writer.steps.add, LEFT)
    type_into(qtbot, writer.form.title.editor, "Second")
    prose(qtbot, writer.form.text.editor, "More.")
    press(qtbot, writer, "play")
    player = window.lessons.player
    assert (player.index, player.step and player.step.title) == (1, "Second")
    assert window.stage.seen == ("true",)
    assert writer.isVisible()
    asked = ["keep", "discard"]
    monkeypatch.setattr(writing, "ask_unsaved", lambda *_: asked.pop(0))
    assert not window.close()
    assert window.isVisible()
    assert window.close()
    assert not writer.isVisible()
