"""The slider over training, beside that over the noise, and the slider over the particles' moments."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from explorer.panels.sigma import NoiseSlider
from explorer.panels.timeline import AxisPair, TrainingTimeline, past_words
from explorer.panels.transport import ACTIONS, TransportBar
from explorer.theme import DARK
from tests.explorer.hands import LEFT, Key, actions, shown
from tests.explorer.moments import f32, moment, pane


@pytest.fixture
def timeline(qtbot: QtBot) -> TrainingTimeline:
    widget = TrainingTimeline()
    widget.show_frame(moment())
    widget.host = shown(qtbot, widget)  # type: ignore[attr-defined] - keeps the window alive
    return widget


def test_keys_step_through_what_is_kept(qtbot: QtBot, timeline: TrainingTimeline) -> None:
    seen: list[int | None] = []
    timeline.step_chosen.connect(seen.append)
    timeline.setFocus()
    for key in (Key.Key_Left, Key.Key_Left, Key.Key_Right, Key.Key_Home, Key.Key_Left, Key.Key_End, Key.Key_Right):
        qtbot.keyClick(timeline._track, key)
    assert seen == [4096, 1024, 4096, 0, None]
    timeline.back()
    timeline.go_first()
    timeline.forward()
    timeline.go_live()
    assert seen[5:] == [4096, 0, 1, None]


def test_the_mouse_finds_the_nearest_kept_step(qtbot: QtBot, timeline: TrainingTimeline) -> None:
    track = timeline._track
    with qtbot.waitSignal(timeline.step_chosen) as seen:
        qtbot.mouseClick(track, LEFT, pos=QPoint(round(track.place_of(300)), 8))
    assert seen.args == [256]
    timeline.show_frame(moment(shown_step=256))
    assert timeline.badge.text() == "256"
    assert timeline.badge.toolTip() == "Shown: step 256 of 8,192, kept"
    assert timeline.live.isEnabled()
    with qtbot.waitSignal(timeline.step_chosen) as seen:
        qtbot.mouseClick(timeline.live, LEFT)
    assert seen.args == [None]
    timeline.show_frame(moment())
    assert timeline.badge.text() == "8,192"
    assert not timeline.live.isEnabled()
    assert track.value() == track.maximum()


def test_the_axis_stays_where_it_is_when_the_past_is_shown(timeline: TrainingTimeline) -> None:
    timeline.window().layout().activate()
    before = timeline._track.geometry()
    timeline.set_step(1024)
    timeline.show_frame(moment(shown_step=1024))
    timeline.window().layout().activate()
    assert timeline._track.geometry() == before


def test_a_fresh_run_has_no_past(qtbot: QtBot, timeline: TrainingTimeline) -> None:
    timeline.set_step(1024)
    with qtbot.waitSignal(timeline.step_chosen) as seen:
        timeline.show_frame(moment(run=2, step=10, keyframes=f32(0, 1, 2)))
    assert seen.args == [None]
    assert timeline.step() is None


def test_the_chosen_step_outlives_late_frames_and_gives_in_at_last(timeline: TrainingTimeline) -> None:
    timeline.back()
    for _ in range(30):
        timeline.show_frame(moment())
    assert timeline.step() == 4096
    timeline.show_frame(moment())
    assert timeline.step() is None
    assert past_words(moment()) == ""


def test_the_pair_shares_one_row_of_32_pixels(qtbot: QtBot) -> None:
    left, right = TrainingTimeline(), NoiseSlider()
    pair = AxisPair(left, right)
    pair.set_theme(DARK)
    window = shown(qtbot, pair, width=1280)
    assert pair.height() == 32
    assert abs(left.width() - right.width()) <= 1
    assert left._track.width() > 250
    with qtbot.waitSignal(right.explain_wanted) as seen:
        qtbot.mouseClick(right, LEFT, pos=right._symbol.geometry().center())
    assert seen.args == ["sigma"]
    pair.set_scale(1.6)
    assert pair.height() == 51
    assert window.isVisible()


@pytest.fixture
def bar(qtbot: QtBot) -> TransportBar:
    owner = QWidget()
    qtbot.addWidget(owner)
    widget = TransportBar(actions(owner, *ACTIONS))
    widget.show_frame(moment())
    widget.host = (owner, shown(qtbot, widget))  # type: ignore[attr-defined] - keeps the window alive
    return widget


def test_particles_are_sought_by_key_and_mouse(qtbot: QtBot, bar: TransportBar) -> None:
    seen: list[int] = []
    bar.seek.connect(seen.append)
    track = bar.track
    track.setFocus()
    for key in (Key.Key_Left, Key.Key_Left, Key.Key_Right, Key.Key_Home, Key.Key_Left, Key.Key_End):
        qtbot.keyClick(track, key)
    assert seen == [400, 300, 400, 0, 480]
    qtbot.mouseClick(track, LEFT, pos=QPoint(round(6 + (track.width() - 12) * 210 / 1780), 10))
    bar.back()
    assert seen[5:] == [200, 100]
    bar.show_frame(moment(particle_shown=100))
    assert bar.moving.text() == "t 100 of 1,780  ·  kept"


def test_the_tip_tells_every_pane(bar: TransportBar) -> None:
    states = pane("langevin", level=0, levels=1), pane("annealed", step=90, diverged=True)
    bar.show_frame(moment(pane_states=states, particle_step=500, particle_shown=500))
    assert bar.track.toolTip().splitlines() == [
        "1  langevin:  480 of 1,780  ·  σ 0.200",
        "2  annealed:  90 of 1,780  ·  σ 0.200  ·  level 7 of 22  ·  diverged",
    ]
    assert bar.moving.text() == "t 500 of 1,780  ·  diverged"
