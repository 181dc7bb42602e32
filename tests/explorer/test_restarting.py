"""What is refused, and what a restarted engine goes on with: race, panes and look, as the person left them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Event as Flag

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from explorer.document import Document
from explorer.edits import ChangeRace, ChangeScene
from explorer.engine import pulse
from explorer.engine.messages import Configure, Event, Frame, Heartbeat, Look, Notice, Release, RunRace, Train
from explorer.engine.simulation import Simulation
from explorer.session import Session
from trainer.plans import RaceSettings, entrants
from trainer.projects import Setup
from trainer.scenes import Pane, Scene
from trainer.settings import FitSettings, LadderSettings, ParticleSettings

KILL = signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM


@pytest.fixture
def session(qtbot: QtBot) -> Iterator[Session]:
    session = Session(Document(), "cpu")
    session.start()
    try:
        yield session
    finally:
        session.close()


def wait(qtbot: QtBot, session: Session, condition: Callable[[Frame], bool]) -> Frame:
    qtbot.waitUntil(lambda: session.frame is not None and condition(session.frame), timeout=60_000)
    assert session.frame is not None
    return session.frame


def test_a_restarted_engine_goes_on_with_race_panes_and_look(qtbot: QtBot, session: Session) -> None:
    told: list[str] = []
    session.noticed.connect(lambda level, text, details: told.append(text))
    wait(qtbot, session, lambda frame: frame.step > 0)
    settings = ParticleSettings(number=64, levels=2, steps=4, fine_steps=2)
    session.document.do(ChangeScene(Scene((Pane("ode", settings), Pane("mala", replace(settings, source="true"))))))
    session.document.do(ChangeRace(RaceSettings(entrants())))
    session.send(RunRace(True))
    session.send(Look(sigma=0.3, wants=frozenset({"race"})))
    wait(qtbot, session, lambda frame: frame.race is not None and frame.racing)
    qtbot.waitUntil(lambda: session.engine.mirror is not None, timeout=60_000)
    os.kill(session.engine.pid or 0, KILL)
    qtbot.waitUntil(lambda: any("started again" in text for text in told), timeout=10_000)
    session.frame = None
    frame = wait(
        qtbot, session, lambda frame: frame.racing and frame.race is not None and frame.race.racers[0].step > 0
    )
    assert frame.race is not None
    assert len(frame.race.racers) == 3
    assert frame.sigma == pytest.approx(0.3)
    session.send(Release())
    frame = wait(qtbot, session, lambda frame: bool(frame.pane_states))
    assert [state.sampler for state in frame.pane_states] == ["ode", "mala"]


def test_a_race_taken_away_does_not_start_by_itself_with_the_next(qtbot: QtBot, session: Session) -> None:
    wait(qtbot, session, lambda frame: frame.step > 0)
    session.document.do(ChangeRace(RaceSettings(entrants())))
    session.send(RunRace(True))
    wait(qtbot, session, lambda frame: frame.racing)
    session.document.do(ChangeRace(RaceSettings()))
    wait(qtbot, session, lambda frame: not frame.racing)
    session.document.do(ChangeRace(RaceSettings(entrants())))
    assert not session.engine.racing


def test_what_the_engine_refuses_is_told_and_it_goes_on(qtbot: QtBot, session: Session) -> None:
    told: list[tuple[str, str]] = []
    session.noticed.connect(lambda level, text, details: told.append((level, text)))
    wait(qtbot, session, lambda frame: frame.step > 0)
    pid = session.engine.pid
    session.send(Release(-1))
    session.send(Configure(FitSettings(ladder=LadderSettings(sigma_min=1e-4))))
    qtbot.waitUntil(lambda: len(told) == 2, timeout=60_000)
    assert all(level == "warning" and "\n" not in text for level, text in told)
    session.send(Train(False))
    wait(qtbot, session, lambda frame: not frame.training)
    assert session.engine.pid == pid


def test_a_long_step_is_told_once_and_the_engine_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "LONG", 0.0)
    monkeypatch.setattr(pulse, "EVERY", 0.01)
    sent: list[Event] = []
    enough = Flag()

    def send(event: Event) -> None:
        sent.append(event)
        if len(sent) > 5:
            enough.set()

    with pulse.Pulse(send, "One training step") as beating:
        beating.turn(7)
        assert enough.wait(30)
    told = [event.text for event in sent if isinstance(event, Notice)]
    assert len(told) == 1
    assert told[0].startswith("One training step has taken more than")
    assert "Restart engine" in told[0]
    assert Heartbeat(7) in sent


def test_a_closed_pipe_ends_the_pulse() -> None:
    def send(event: Event) -> None:
        raise BrokenPipeError

    with pulse.Pulse(send, "One training step") as beating:
        beating._thread.join(30)
        assert not beating._thread.is_alive()


def test_a_past_field_is_shown_at_noise_that_it_knows() -> None:
    simulation = Simulation(Setup(np.ones((32, 32), np.float32), "square"), device="cpu")
    past = simulation.fit.sigma_max
    simulation.apply(Configure(FitSettings(ladder=LadderSettings(sigma_max=3 * past))))
    assert simulation.fit.sigma_max == pytest.approx(3 * past)
    simulation.apply(Look(step=0, sigma=3 * past))
    frame = simulation.frame()
    assert frame.shown_step == 0
    assert frame.sigma == pytest.approx(past)
