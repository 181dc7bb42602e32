"""A lesson written and played beside the main window, whose present moment becomes a step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from explorer.lessons import writer as writing
from explorer.lessons.taking import take
from explorer.session import Session
from explorer.window import MainWindow
from tests.explorer.hands import LEFT, type_into
from tests.explorer.lessons.lecturer import one_step, press, prose


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
