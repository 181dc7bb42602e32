"""The controls under real mouse and key events: what they emit, what they refuse, and that they let go."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from explorer.document import Change, ChangeScene, ChangeSeed, Document
from explorer.late import Late
from explorer.layouts import VIEWS
from explorer.panels.drawer import TITLES, Drawer, page_of
from explorer.panels.exporting import ExportDialog
from explorer.panels.fields import FieldRow
from explorer.panels.form import FoldingSection
from explorer.panels.icons import DRAWINGS, icon
from explorer.panels.ladder import LadderEditor
from explorer.panels.painting import PaintingPage
from explorer.panels.particlespage import ParticlesPage
from explorer.panels.racepage import RacePage
from explorer.panels.sigma import NoiseSlider
from explorer.panels.toasts import ToastStack
from explorer.panels.trainingpage import TrainingPage
from explorer.panels.transport import ACTIONS, TransportBar
from explorer.panels.viewpage import ViewPage
from explorer.theme import DARK, LIGHT
from explorer.tools.kit import ToolKit
from explorer.viewing import Viewing
from tests.explorer.frames import empty_frame, make_frame
from tests.explorer.hands import LEFT, Key, actions, shown, type_into
from trainer.scenes import Scene, story
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


def test_slider_of_one_level(qtbot: QtBot, slider: NoiseSlider) -> None:
    slider.set_range(0.3, 0.3)
    slider.set_ladder((0.3,))
    slider.show()
    slider.grab()
    assert slider.value() == 0.3
    slider.nudge(3)
    assert slider.value() == 0.3
    slider.set_range(0.02, 3.0)
    slider.set_value(0.1)
    assert slider.value() == 0.1


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
    assert bar.training.text() == "step 3,412  ·  training  ·  growing the pool"
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


def make_drawer() -> Drawer:
    """The pages that the window's drawer has, without a document."""
    viewing, document = Viewing(), Document()
    kit = ToolKit()
    pages: dict[str, Callable[[], QWidget]] = {
        "training": TrainingPage,
        "race": RacePage,
        "particles": lambda: ParticlesPage(LadderEditor(document.scene.panes[0].settings)),
        "view": lambda: ViewPage(viewing),
        "painting": lambda: PaintingPage(document, kit),
    }
    drawer = Drawer(Late(pages))
    drawer.kept = viewing, kit, document  # type: ignore[attr-defined] - they live as long as the pages
    return drawer


@pytest.fixture
def drawer(qtbot: QtBot) -> Drawer:
    widget = make_drawer()
    widget.host = shown(qtbot, widget, width=312)  # type: ignore[attr-defined] - keeps the window alive
    for page in widget.pages.values():
        for section in page.findChildren(FoldingSection):
            section.set_folded(False)
    return widget


def training(drawer: Drawer) -> TrainingPage:
    page = drawer.pages["training"]
    assert isinstance(page, TrainingPage)
    return page


def particles(drawer: Drawer) -> ParticlesPage:
    page = drawer.pages["particles"]
    assert isinstance(page, ParticlesPage)
    drawer.turn("particles")
    return page


def error(row: FieldRow) -> str:
    assert row.note.isVisible() == bool(row.note.text())
    return row.error()


def test_tabs_turn_the_page(qtbot: QtBot, drawer: Drawer) -> None:
    assert drawer.page == "training"
    for name, page in drawer.pages.items():
        tab = next(t for t in drawer.findChildren(QToolButton) if t.accessibleName() == f"Settings: {TITLES[name]}")
        with qtbot.waitSignal(drawer.turned) as seen:
            qtbot.mouseClick(tab, LEFT)
        assert seen.args == [name]
        assert drawer.page == name
        assert page.isVisible()
        assert [other for other, each in drawer.pages.items() if each.isVisible()] == [name]
        assert page.width() <= drawer.width() - 16, "nothing may be cut off at the right"


def test_every_view_has_a_page() -> None:
    assert set(map(page_of, VIEWS)) == {"training", "race", "particles", "view", "painting"}
    assert page_of("pane4") == page_of("shares") == "particles"


def test_a_number_is_taken(qtbot: QtBot, drawer: Drawer) -> None:
    page = training(drawer)
    with qtbot.waitSignal(page.commanded) as seen:
        type_into(qtbot, page.fit.rows["network.width"].editor, "64")
    assert seen.args[0].settings.network.width == 64
    page = particles(drawer)
    with qtbot.waitSignal(page.commanded) as seen:
        type_into(qtbot, page.common.rows["number"].editor, "20,000")
    assert seen.args == [ChangeScene(Scene().with_number(20_000))]
    with qtbot.assertNotEmitted(page.commanded):
        type_into(qtbot, page.common.rows["number"].editor, "20000")


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("batch", "8", "batch: 8 is out of range; give a number between 16 and 65536"),
        ("batch", "1.5", "batch: '1.5' is not a whole number; give one between 16 and 65536"),
        ("learning_rate", "fast", "learning rate: 'fast' is not a number; give one between 1e-07 and 1e+06"),
        ("network.depth", "0", "hidden layers: 0 is out of range; give a number between 1 and 8"),
        ("ladder.sigma_max", "wide", "largest σ: 'wide' is not a number; give one between 0.0001 and 100"),
    ],
)
def test_a_bad_value_stays_with_its_line(qtbot: QtBot, drawer: Drawer, path: str, text: str, line: str) -> None:
    page = training(drawer)
    row = page.fit.rows[path]
    with qtbot.assertNotEmitted(page.commanded):
        type_into(qtbot, row.editor, text)
    assert error(row) == line
    assert row.editor.text() == text
    assert row.editor.accessibleDescription() == line
    page.fit.set_settings(FitSettings())
    assert error(row) == ""


def test_what_needs_another_value_asks_before_it_takes_both(qtbot: QtBot, drawer: Drawer) -> None:
    page = training(drawer)
    row = page.fit.rows["ladder.sigma_max"]
    with qtbot.assertNotEmitted(page.commanded):
        type_into(qtbot, row.editor, "0.01")
    assert row.asking
    assert row.note.text() == "Largest σ “0.01” needs smallest σ: 0.001."
    assert page.fit.settings == FitSettings()


def test_a_waiting_value_is_taken_once_it_is_allowed(qtbot: QtBot, drawer: Drawer) -> None:
    page = particles(drawer)
    qtbot.mouseClick(page.numbers[2], LEFT)
    low, high = page.pane.rows["settings.sigma_min"], page.pane.rows["settings.sigma_max"]
    with qtbot.assertNotEmitted(page.commanded):
        type_into(qtbot, low.editor, "2")
    assert error(low)
    with qtbot.waitSignal(page.commanded) as seen:
        type_into(qtbot, high.editor, "5")
    settings = seen.args[0].scene.panes[2].settings
    assert (settings.sigma_min, settings.sigma_max) == (2, 5)
    assert error(low) == ""


def test_choices_by_keyboard_and_an_empty_optional(qtbot: QtBot, drawer: Drawer) -> None:
    page = training(drawer)
    box = page.fit.rows["target"].editor
    box.setFocus()
    with qtbot.waitSignal(page.commanded) as seen:
        qtbot.keyClick(box, Key.Key_Down)
    assert isinstance(box, QComboBox)
    assert seen.args[0].settings.target == box.itemData(1) != FitSettings().target
    with qtbot.waitSignal(page.commanded) as seen:
        type_into(qtbot, page.fit.rows["ladder.sigma_max"].editor, "3")
    assert seen.args[0].settings.ladder.sigma_max == 3
    with qtbot.waitSignal(page.commanded) as seen:
        type_into(qtbot, page.fit.rows["ladder.sigma_max"].editor, "")
    assert seen.args[0].settings.ladder.sigma_max is None


def test_seeds(qtbot: QtBot, drawer: Drawer) -> None:
    page = training(drawer)
    with qtbot.waitSignal(page.commanded) as seen:
        type_into(qtbot, page.seed.rows["seed"].editor, "7")
    assert seen.args == [ChangeSeed(7)]
    page = particles(drawer)
    with qtbot.assertNotEmitted(page.commanded):
        type_into(qtbot, page.seed.rows["seed"].editor, "-1")
    assert "between 0 and" in error(page.seed.rows["seed"])


def test_the_document_is_shown_silently(qtbot: QtBot, drawer: Drawer) -> None:
    page, moving = training(drawer), particles(drawer)
    scene = Scene(story(ParticleSettings(source="true", epsilon=8e-5)))
    document = Document(
        replace(Document().setup, fit=FitSettings(target="single", batch=1024), scene=scene, seed=12345)
    )
    with qtbot.assertNotEmitted(page.commanded), qtbot.assertNotEmitted(moving.commanded):
        for each in (page, moving):
            each.show_document(document, Change(opened=True))
    assert page.fit.rows["batch"].editor.text() == "1,024"
    assert moving.pane.rows["settings.epsilon"].editor.text() == "8e-5"
    assert moving.pane.rows["settings.source"].value() == "true"
    assert page.seed.rows["seed"].editor.text() == "12345"


def test_every_control_has_its_tip_and_name(drawer: Drawer) -> None:
    for name, page in drawer.pages.items():
        rows = page.findChildren(FieldRow)
        names = [row.editor.accessibleName() for row in rows]
        assert all(names)
        assert len(set(names)) == len(names), name
        for row in rows:
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
        ExportDialog,
        _transport,
        _stack,
    ],
    ids=["sigma", "exporting", "transport", "toasts"],
)
def test_panels_are_collected(qtbot: QtBot, make: Callable[[], QWidget]) -> None:
    widget = make()
    widget.show()
    widget.hide()
    gone = weakref.ref(widget)
    del widget
    gc.collect()
    assert gone() is None


def test_the_drawer_and_its_pages_go_with_it(qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    drawer = make_drawer()
    drawer.setParent(host)
    gone = [weakref.ref(drawer), *map(weakref.ref, drawer.pages.values())]
    drawer.deleteLater()
    del drawer
    qtbot.wait(1)
    gc.collect()
    assert [each() for each in gone] == [None] * 6
