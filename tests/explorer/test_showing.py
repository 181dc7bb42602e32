"""What the window tells its squares and actions besides frames: the past field, and what the document is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from explorer.document import ChangeFit
from explorer.engine.messages import Command, Release
from explorer.session import Session
from explorer.views.distances import DistancesView
from explorer.window import MainWindow
from tests.explorer.frames import make_frame
from trainer.compatibility import compatible

Bench = tuple[MainWindow, list[Command]]


@pytest.fixture
def bench(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A window whose engine is never started, and the commands that it would have got."""
    sent: list[Command] = []
    monkeypatch.setattr(Session, "start", lambda self: None)
    monkeypatch.setattr(Session, "send", lambda self, command: sent.append(command))
    window = MainWindow(theme="light", device="cpu")
    qtbot.addWidget(window, before_close_func=lambda w: w.shut_down())
    with qtbot.waitExposed(window):
        window.show()
    yield window, sent
    window.shut_down()


def test_only_a_past_field_can_be_released_into(bench: Bench) -> None:
    window, sent = bench
    action = window.actions_by_name["release_past"]
    assert not action.isEnabled()
    action.trigger()
    for step, enabled in ((-1, False), (100, True), (-1, False)):
        frame = make_frame(training_ladder=np.array([2.0, 0.02], np.float32), shown_step=step)
        window.session.framed.emit(frame)
        assert action.isEnabled() == enabled
    assert not [command for command in sent if isinstance(command, Release)]


def test_distances_know_the_noise_whenever_they_are_made(bench: Bench) -> None:
    window, _ = bench
    laplace = compatible(window.document.fit, "kernel", "laplace").settings
    window.document.do(ChangeFit(laplace))
    view = window.parts.view("distances")
    assert isinstance(view, DistancesView)
    assert view.waiting().endswith("not for Laplace noise")
    window.document.undo()
    assert view.waiting() == "Release the particles to see how near they come to the truth"
