"""Parts that are made when they are needed, and what the window shows until the engine's first frame."""

from __future__ import annotations

import builtins
from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from explorer.brush import Brush
from explorer.edits import Clear
from explorer.late import AfterPaint, Late, made
from explorer.layouts import PAGES
from explorer.qt import load_qt
from explorer.session import Session
from explorer.theme import DARK
from explorer.window import MainWindow
from tests.explorer.frames import make_frame


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    """A window whose engine is never started, not shown yet."""
    monkeypatch.setattr(Session, "start", lambda self: None)
    main = MainWindow(theme="dark", device="cpu")
    qtbot.addWidget(main, before_close_func=lambda w: w.shut_down())
    yield main
    main.shut_down()


def test_a_part_is_made_once_and_everybody_hears_of_it() -> None:
    asked: list[str] = []
    heard: list[tuple[str, int]] = []
    parts = Late({"a": lambda: asked.append("a") or 1, "b": lambda: asked.append("b") or 2})
    assert (list(parts), len(parts), asked, parts.made) == (["a", "b"], 2, [], {})
    assert parts["b"] == parts["b"] == 2
    parts.each(lambda name, part: heard.append((name, part)))
    assert heard == [("b", 2)]
    assert parts["a"] == 1
    assert (asked, heard, parts.made) == (["b", "a"], [("b", 2), ("a", 1)], {"b": 2, "a": 1})
    with pytest.raises(KeyError):
        parts["c"]


def test_works_wait_for_the_painting_and_for_each_other(qtbot: QtBot) -> None:
    done: list[str] = []
    widget = QWidget()
    qtbot.addWidget(widget)
    after = AfterPaint(widget, [lambda: done.append("first"), lambda: after.stop(), lambda: done.append("never")])
    after.start()
    assert done == []
    widget.show()
    qtbot.waitUntil(lambda: done == ["first"])
    qtbot.wait(30)
    assert done == ["first"]


def test_works_are_done_in_a_window_that_nobody_paints(qtbot: QtBot) -> None:
    done: list[int] = []
    widget = QWidget()
    qtbot.addWidget(widget)
    AfterPaint(widget, [lambda: done.append(1)]).start()
    qtbot.waitUntil(lambda: done == [1])


def test_pages_are_there_when_they_are_asked_for_and_soon_after_the_start(qtbot: QtBot, window: MainWindow) -> None:
    assert window.pages.made == {}
    window.show_page("race")
    assert list(window.pages.made) == ["race"]
    page = window.pages["race"]
    assert page.parentWidget() is not None
    window.show()
    qtbot.waitUntil(lambda: set(window.pages.made) == set(PAGES))
    assert page.isVisible()
    assert window.drawer.page == "race"


def test_dialogs_take_the_colours_and_the_size_that_hold_when_they_are_made(window: MainWindow) -> None:
    household = window.household
    assert made(household, "board", "dialog", "palette", "sheet") == ()
    household.set_scale(1.5)
    assert (household.palette.theme, household.palette.factor) == (DARK, 1.5)
    assert made(household, "board", "dialog", "palette", "sheet") == (household.palette,)


def test_planes_stand_on_the_painting_until_the_first_frame(window: MainWindow) -> None:
    stage = window.stage
    planes = [name for name in stage.names if name not in ("painting", "curves", "shares")]
    assert planes == ["learned", "true", "pane1", "pane2", "pane3"]
    for name in planes:
        assert stage.tile(name).empty
        picture = stage.tile(name).content.ground.image((0.0, 0.0, 1.0), 64, DARK)  # type: ignore[attr-defined]
        grey = np.asarray(picture.constBits()).reshape(64, 64, 4)
        assert np.ptp(grey[..., 1]) > 64, "the crescents"
    window.session.frame = make_frame(released=True, training_ladder=np.geomspace(2, 0.02, 8, dtype=np.float32))
    window.session.framed.emit(window.session.frame)
    assert [stage.tile(name).empty for name in planes] == [""] * 5
    window.show_view("difference")
    assert stage.tile("difference").empty == ""


def test_without_a_painting_nothing_is_promised(qtbot: QtBot, window: MainWindow) -> None:
    window.edit(Clear())
    assert stage_words(window) == {"painting": "Paint something, or choose a preset"}


def test_a_cleared_painting_says_what_the_other_squares_go_on_with(qtbot: QtBot, window: MainWindow) -> None:
    window.session.frame = make_frame(training_ladder=np.geomspace(2, 0.02, 8, dtype=np.float32))
    window.session.framed.emit(window.session.frame)
    assert "painting before" not in window.state.text()
    window.edit(Clear())
    assert "go on with the painting before" in stage_words(window)["painting"]
    assert "still the painting before" in window.state.text()
    window.document.begin_stroke(Brush(), 0.0, 0.0)
    window.document.extend_stroke(0.3, 0.3)
    window.session.framed.emit(window.session.frame)
    assert "painting" not in stage_words(window), "nothing lies over what is being painted"
    assert "still the painting before" in window.state.text(), "of which the engine has not heard"
    window.document.end_stroke()
    assert "painting before" not in window.state.text()


def stage_words(window: MainWindow) -> dict[str, str]:
    tiles = {name: window.stage.tile(name).empty for name in window.stage.names}
    return {name: words for name, words in tiles.items() if words}


def test_qt_is_loaded_without_its_hook() -> None:
    before = builtins.__import__
    load_qt()
    assert builtins.__import__ is before
