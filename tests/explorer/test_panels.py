"""The controls under real mouse and key events: what they emit, what they refuse, and that they let go."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from explorer.panels.drawer import SettingsDrawer
from explorer.panels.exporting import ExportDialog
from explorer.panels.fields import FieldRow
from explorer.panels.icons import DRAWINGS, icon
from explorer.panels.sigma import NoiseSlider
from explorer.panels.toasts import ToastStack
from explorer.panels.transport import ACTIONS, TransportBar
from explorer.theme import DARK, LIGHT
from tests.explorer.frames import empty_frame, make_frame
from tests.explorer.hands import LEFT, Key, actions, shown, type_into
from trainer.settings import FitSettings, ParticleSettings

# --- noise level ---


@pytest.fixture
def slider(qtbot: QtBot) -> NoiseSlider:
    widget = NoiseSlider()
    widget.set_range(0.02, 2.0)
    widget.set_ladder([2.0, 0.2, 0.02])
    widget.set_value(0.2)
    widget.host = shown(qtbot, widget)  # type: ignore[attr-defined] - keeps the window alive
    return widget


def test_slider_by_keys(qtbot: QtBot, slider: NoiseSlider) -> None:
    seen: list[float] = []
    slider.changed.connect(seen.append)
    track = slider._track
    track.setFocus()
    for key in (Key.Key_Right, Key.Key_Left, Key.Key_PageUp, Key.Key_Home, Key.Key_Home, Key.Key_Left, Key.Key_End):
        qtbot.keyClick(track, key)
    # A key press is a hundredth of the two decades, a page a tenth; pressing beyond the end says nothing.
    assert seen == pytest.approx([0.209, 0.2, 0.317, 0.02, 2.0])
    assert slider.value() == 2.0
    assert track.accessibleDescription() == "sigma = 2.00"


def test_slider_by_mouse(qtbot: QtBot, slider: NoiseSlider) -> None:
    track = slider._track
    quarter = 12 + (track.width() - 24) // 4
    with qtbot.waitSignal(slider.changed) as seen:
        qtbot.mouseClick(track, LEFT, pos=QPoint(quarter, 12))
    assert seen.args[0] == pytest.approx(0.02 * 100**0.25, rel=0.02)
    qtbot.mousePress(track, LEFT, pos=QPoint(quarter, 12))
    qtbot.mouseMove(track, QPoint(track.width() + 50, 12))
    qtbot.mouseRelease(track, LEFT)
    assert slider.value() == 2.0


def test_slider_by_typing(qtbot: QtBot, slider: NoiseSlider) -> None:
    with qtbot.waitSignal(slider.changed) as seen:
        type_into(qtbot, slider._field, "0,0537")
    assert seen.args == [0.0537]
    with qtbot.waitSignal(slider.changed) as seen:
        type_into(qtbot, slider._field, "7")
    assert seen.args == [2.0]
    for nonsense in ("much", "-1", "nan", ""):
        with qtbot.assertNotEmitted(slider.changed):
            type_into(qtbot, slider._field, nonsense)
        assert slider._field.text() == "2.00"


def test_slider_follows_the_program_silently(qtbot: QtBot, slider: NoiseSlider) -> None:
    with qtbot.assertNotEmitted(slider.changed):
        slider.set_value(0.12345)
        slider.set_range(0.02, 0.1)
    assert slider.value() == 0.1
    assert slider._field.text() == "0.100"
    with qtbot.waitSignal(slider.changed):
        slider.nudge(-3)
    assert slider.value() == pytest.approx(0.1 * 5**-0.03, rel=0.01)


# --- transport ---


def test_transport_buttons_are_the_actions(qtbot: QtBot) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    acts = actions(owner, *ACTIONS)
    bar = TransportBar(acts)
    window = shown(qtbot, bar)
    for name in ACTIONS:
        with qtbot.waitSignal(acts[name].triggered):
            qtbot.mouseClick(bar._buttons[name], LEFT)
        assert bar._buttons[name].accessibleName() == name.replace("_", " ")
        assert not acts[name].icon().isNull()
    assert window.isVisible()


def test_transport_says_where_things_are(qtbot: QtBot) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    acts = actions(owner, *ACTIONS)
    bar = TransportBar(acts)
    bar.show_frame(empty_frame())
    assert bar.training.text() == "step 0  ·  not trained yet"
    assert bar.moving.text() == "not released yet"
    waiting = acts["train"].icon().cacheKey()
    bar.show_frame(make_frame(progress=0.3, busy="growing the pool"))
    assert bar.training.text() == "step 3,412  ·  412 steps/s  ·  growing the pool"
    assert bar.moving.text() == "t 480 of 1,600"
    assert bar.track.accessibleDescription() == "480 of 1600 steps"
    assert acts["train"].icon().cacheKey() != waiting
    bar.show_frame(make_frame(training=False, steps_per_second=0.0))
    assert bar.training.text() == "step 3,412  ·  paused"


def test_every_icon_has_ink_in_both_themes(qtbot: QtBot) -> None:
    for theme in (LIGHT, DARK):
        for name in DRAWINGS:
            image = icon(name, theme, 32).pixmap(32).toImage()
            ink = sum(image.pixelColor(x, y).alpha() > 128 for x in range(32) for y in range(32))
            assert 30 < ink < 700, name


# --- drawer ---


@pytest.fixture
def drawer(qtbot: QtBot) -> SettingsDrawer:
    widget = SettingsDrawer()
    widget.host = shown(qtbot, widget, width=304)  # type: ignore[attr-defined] - keeps the window alive
    return widget


def error(row: FieldRow) -> str:
    assert row.note.isVisible() == bool(row.note.text())
    return row.error()


def test_a_number_is_taken(qtbot: QtBot, drawer: SettingsDrawer) -> None:
    with qtbot.waitSignal(drawer.fit_changed) as seen:
        type_into(qtbot, drawer.fit_rows["network.width"].editor, "64")
    assert seen.args[0].network.width == 64
    with qtbot.waitSignal(drawer.particles_changed) as seen:
        type_into(qtbot, drawer.particle_rows["number"].editor, "20,000")
    assert seen.args == [ParticleSettings(number=20_000)]
    with qtbot.assertNotEmitted(drawer.particles_changed):
        type_into(qtbot, drawer.particle_rows["number"].editor, "20000")


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("batch", "8", "batch: 8 is out of range; give a number between 16 and 65536"),
        ("batch", "1.5", "batch: '1.5' is not a whole number; give one between 16 and 65536"),
        ("learning_rate", "fast", "learning_rate: 'fast' is not a number; give one between 1e-07 and 1e+06"),
        ("network.depth", "0", "network.depth: 0 is out of range; give a number between 1 and 8"),
        ("ladder.sigma_max", "0.01", "ladder.sigma_max: 0.01 is not above the smallest level, 0.02; give a larger one"),
    ],
)
def test_a_bad_value_stays_with_its_line(qtbot: QtBot, drawer: SettingsDrawer, path: str, text: str, line: str) -> None:
    row = drawer.fit_rows[path]
    with qtbot.assertNotEmitted(drawer.fit_changed):
        type_into(qtbot, row.editor, text)
    assert error(row) == line
    assert row.editor.text() == text
    assert row.editor.accessibleDescription() == line
    drawer.set_fit(FitSettings())
    assert error(row) == ""


def test_a_waiting_value_is_taken_once_it_is_allowed(qtbot: QtBot, drawer: SettingsDrawer) -> None:
    low, high = drawer.particle_rows["sigma_min"], drawer.particle_rows["sigma_max"]
    with qtbot.assertNotEmitted(drawer.particles_changed):
        type_into(qtbot, low.editor, "2")
    assert error(low)
    with qtbot.waitSignal(drawer.particles_changed) as seen:
        type_into(qtbot, high.editor, "5")
    assert (seen.args[0].sigma_min, seen.args[0].sigma_max) == (2, 5)
    assert error(low) == ""


def test_choices_by_keyboard_and_an_empty_optional(qtbot: QtBot, drawer: SettingsDrawer) -> None:
    box = drawer.fit_rows["target"].editor
    box.setFocus()
    with qtbot.waitSignal(drawer.fit_changed) as seen:
        qtbot.keyClick(box, Key.Key_Down)
    assert seen.args[0].target == "single"
    with qtbot.waitSignal(drawer.fit_changed) as seen:
        type_into(qtbot, drawer.fit_rows["ladder.sigma_max"].editor, "3")
    assert seen.args[0].ladder.sigma_max == 3
    with qtbot.waitSignal(drawer.fit_changed) as seen:
        type_into(qtbot, drawer.fit_rows["ladder.sigma_max"].editor, "")
    assert seen.args[0].ladder.sigma_max is None


def test_seeds(qtbot: QtBot, drawer: SettingsDrawer) -> None:
    with qtbot.waitSignal(drawer.seed_changed) as seen:
        type_into(qtbot, drawer.seed_row.editor, "7")
    assert seen.args == [7]
    with qtbot.assertNotEmitted(drawer.particle_seed_changed):
        type_into(qtbot, drawer.particle_seed_row.editor, "-1")
    assert "whole number between 0 and" in error(drawer.particle_seed_row)


def test_the_document_is_shown_silently(qtbot: QtBot, drawer: SettingsDrawer) -> None:
    with (
        qtbot.assertNotEmitted(drawer.fit_changed),
        qtbot.assertNotEmitted(drawer.particles_changed),
        qtbot.assertNotEmitted(drawer.seed_changed),
    ):
        drawer.set_fit(FitSettings(target="single", batch=1024))
        drawer.set_particles(ParticleSettings(source="true", epsilon=8e-5))
        drawer.set_seed(12345)
    assert drawer.fit_rows["batch"].editor.text() == "1,024"
    assert drawer.particle_rows["epsilon"].editor.text() == "8e-5"
    assert drawer.particle_rows["source"].value() == "true"
    assert drawer.seed_row.editor.text() == "12345"


def test_every_setting_has_its_row_tip_and_name(drawer: SettingsDrawer) -> None:
    assert len({row.editor.accessibleName() for row in drawer.rows}) == len(drawer.rows) == 21
    for row in drawer.rows:
        assert row.editor.toolTip()
        assert "!" not in row.editor.toolTip()


# --- leaks ---


def _transport() -> QWidget:
    bar = TransportBar(_actions(*ACTIONS))
    bar.show_frame(make_frame(number=10))
    return bar


def _actions(*names: str) -> dict[str, QAction]:
    return {name: QAction(name) for name in names}


def _stack() -> QWidget:
    host = QWidget()
    stack = ToastStack(host)
    stack.show_message("info", "Saved")
    stack.dismiss(stack.toasts[0])
    return host


@pytest.mark.parametrize(
    "make",
    [
        NoiseSlider,
        SettingsDrawer,
        ExportDialog,
        _transport,
        _stack,
    ],
    ids=["sigma", "drawer", "exporting", "transport", "toasts"],
)
def test_panels_are_collected(qtbot: QtBot, make: Callable[[], QWidget]) -> None:
    widget = make()
    widget.show()
    widget.hide()
    gone = weakref.ref(widget)
    del widget
    gc.collect()
    assert gone() is None
