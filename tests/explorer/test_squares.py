"""The squares of a real window under real mouse and key events, and what the engine is told; no engine runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from explorer.composition import TITLES
from explorer.edits import ChangeRace, ChangeScene, ChangeStop
from explorer.engine.messages import (
    Command,
    ConfigureRace,
    ConfigureScene,
    Look,
    Move,
    Probe,
    Release,
    RunRace,
    Seek,
    StopWhen,
)
from explorer.files import read_file
from explorer.layouts import story_places
from explorer.recipe import Recipe
from explorer.session import Session
from explorer.window import MainWindow
from tests.explorer.frames import make_frame
from tests.explorer.hands import LEFT, Key
from trainer.paintings import preset_weights
from trainer.plans import RaceSettings, StopSettings, entrants
from trainer.projects import Entry, Project, Setup, read_project, write_project
from trainer.scenes import Pane, Scene, story
from trainer.settings import ParticleSettings


class Bench:
    """A window whose engine is never started, and the commands that it would have got."""

    def __init__(self, window: MainWindow, sent: list[Command]) -> None:
        self.window, self.sent = window, sent
        self.stage, self.squares = window.stage, window.squares

    def act(self, name: str) -> None:
        self.window.actions_by_name[name].trigger()

    def last(self, kind: type) -> Command:
        return next(command for command in reversed(self.sent) if isinstance(command, kind))

    @property
    def look(self) -> Look:
        look = self.last(Look)
        assert isinstance(look, Look)
        return look

    def menu(self, qtbot: QtBot) -> QMenu:
        """The menu that is open, once it is."""
        qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        return menu

    def choose(self, qtbot: QtBot, words: str) -> None:
        """Click on this line of the open menu."""
        menu = self.menu(qtbot)
        action = next(action for action in menu.actions() if action.text() == words)
        qtbot.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())


@pytest.fixture
def bench(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    sent: list[Command] = []
    monkeypatch.setattr(Session, "start", lambda self: None)
    monkeypatch.setattr(Session, "send", lambda self, command: sent.append(command))
    main = MainWindow(theme="light", device="cpu")
    qtbot.addWidget(main, before_close_func=lambda w: w.shut_down())
    main.resize(1400, 800)
    main.show()
    with qtbot.waitExposed(main):
        pass
    yield Bench(main, sent)
    main.shut_down()


def show(bench: Bench, **changes: object) -> None:
    """Let the window show a frame, as the session does."""
    ladder = np.geomspace(2, 0.02, 8, dtype=np.float32)
    bench.window.session.frame = make_frame(training_ladder=ladder, **changes)  # type: ignore[arg-type]
    bench.window.session.framed.emit(bench.window.session.frame)


def test_the_title_opens_a_menu_that_puts_any_view_into_the_place(qtbot: QtBot, bench: Bench) -> None:
    show(bench)
    tile = bench.stage.tile("true")
    words_of_title = QPoint(tile.square().left() + 12, tile.head // 2)
    qtbot.mouseDClick(tile, LEFT, pos=words_of_title)
    assert bench.stage.doubled == ("true",)
    qtbot.mouseDClick(tile, LEFT, pos=words_of_title)
    assert bench.stage.doubled == ()
    qtbot.mouseClick(tile, LEFT, pos=tile.arrow().center())
    menu = bench.menu(qtbot)
    words = [action.text() for action in menu.actions()]
    for name, title in TITLES.items():
        assert (bench.stage.tile(name).title if name in bench.stage.names else title) in words
    assert [action.text() for action in menu.actions() if action.isChecked()] == [tile.title]
    bench.choose(qtbot, TITLES["curl"])
    assert bench.stage.places == ("painting", "learned", "curl", *story_places(3)[3:])
    view = bench.window.parts.view("curl")
    assert view.isVisible()
    assert view.frame is bench.window.session.frame  # type: ignore[attr-defined]
    assert "curl" in bench.look.wants
    assert bench.squares.touched == "curl"
    qtbot.keyClick(bench.stage.tile("curl").content, Key.Key_Return)
    assert bench.stage.doubled == ("curl",)
    bench.stage.halve()
    bench.act("swap")
    bench.choose(qtbot, bench.stage.tile("pane1").title)
    places = bench.stage.places
    assert (places.index("pane1"), places.index("curl")) == (2, 5)


def test_the_engine_is_asked_for_what_is_seen_and_for_no_more(qtbot: QtBot, bench: Bench) -> None:
    without = bench.squares.look.wants
    assert without == bench.stage.wants
    assert without == {"distances"}  # of the strips below the panes
    bench.window.show_view("curl")
    assert bench.look.wants == without | {"fine", "curl"}
    bench.stage.double(next(name for name in bench.stage.seen if name != "curl" and _same_half(bench, name)))
    assert "curl" not in bench.look.wants
    bench.stage.halve()
    assert "curl" in bench.look.wants
    bench.window.resize(700, 520)
    qtbot.waitUntil(lambda: bench.look.wants == {"fine", "curl"})  # no room for a distance
    bench.window.resize(1280, 720)
    qtbot.waitUntil(lambda: "distances" in bench.look.wants)
    bench.act("trails")
    assert "trails" in bench.look.wants
    bench.act("trails")
    assert "trails" not in bench.look.wants


def _same_half(bench: Bench, name: str) -> bool:
    places = bench.stage.places
    return places.index(name) % 4 // 2 == places.index("curl") % 4 // 2


def test_a_click_on_a_field_pins_a_point_and_hovering_probes_it(qtbot: QtBot, bench: Bench) -> None:
    show(bench)
    view = bench.window.parts.view("learned")
    at = view.to_pixel(0.5, -0.25).toPoint()  # type: ignore[attr-defined]
    qtbot.mouseMove(view, at)
    qtbot.waitUntil(lambda: any(isinstance(command, Probe) for command in bench.sent))
    probe = bench.last(Probe)
    assert isinstance(probe, Probe)
    assert probe.point == pytest.approx((0.5, -0.25), abs=0.02)
    qtbot.mouseClick(view, LEFT, pos=at)
    assert np.array(bench.look.pins) == pytest.approx(np.array([[0.5, -0.25]]), abs=0.02)
    bench.window.show_view("inspector")
    inspector = bench.squares.inspector
    assert inspector.isVisible()
    assert inspector.pins == bench.look.pins
    inspector.setFocus()
    qtbot.keyClick(inspector, Key.Key_Delete)
    assert bench.look.pins == ()


def test_the_drawer_turns_to_the_page_of_the_view_that_is_touched(qtbot: QtBot, bench: Bench) -> None:
    qtbot.mouseClick(bench.window.parts.view("pane1"), LEFT)
    assert bench.squares.touched == "pane1"
    assert bench.window.drawer_page() is None, "it does not open by itself"
    bench.window.show_page("view")
    for name, page in (("pane2", "particles"), ("curves", "training"), ("painting", "painting"), ("true", "view")):
        qtbot.mouseClick(bench.window.parts.view(name), LEFT, pos=QPoint(5, 5))
        assert bench.squares.touched == name
        assert bench.window.drawer_page() == page
    bench.act("drawer")
    assert bench.window.drawer_page() is None


def test_explanations_open_beside_the_view(qtbot: QtBot, bench: Bench) -> None:
    show(bench)
    qtbot.mouseClick(bench.window.parts.view("true"), LEFT, pos=QPoint(5, 5))
    bench.act("explain")
    card = bench.window.card
    assert card.isVisible()
    assert card.entry is not None
    qtbot.keyClick(card.names, Key.Key_Escape)
    assert not card.isVisible()


def test_buttons_and_the_time_line_speak_to_the_engine(qtbot: QtBot, bench: Bench) -> None:
    keyframes = np.array([0, 1, 16, 256, 2048], np.float32)
    show(bench, keyframes=keyframes, progress=0.5, particle_kept=np.arange(0, 801, 100, dtype=np.float32))
    bench.act("train_back")
    assert bench.look.step == 2048
    bench.act("train_back")
    assert bench.look.step == 256
    show(
        bench,
        keyframes=keyframes,
        shown_step=256,
        progress=0.5,
        particle_kept=np.arange(0, 801, 100, dtype=np.float32),
    )
    bench.act("release_past")
    assert bench.last(Release) == Release(256)
    bench.act("train_live")
    assert bench.look.step is None
    bench.act("particles_release")
    assert bench.last(Release) == Release()
    bench.act("particles_play")
    assert isinstance(bench.last(Move), Move)
    bench.act("particles_back")
    assert bench.last(Seek) == Seek(700)


def test_the_race_action_makes_a_race_shows_it_and_runs_it(qtbot: QtBot, bench: Bench) -> None:
    bench.act("race")
    assert bench.window.document.race == RaceSettings(entrants())
    assert bench.last(ConfigureRace) == ConfigureRace(RaceSettings(entrants()))
    assert bench.last(RunRace) == RunRace(True)
    assert "race" in bench.stage.seen
    assert "race" in bench.look.wants
    bench.act("race")
    assert bench.last(RunRace) == RunRace(False)


# --- undo ---


def test_undo_of_a_race_and_of_a_stop_condition(qtbot: QtBot, bench: Bench) -> None:
    document, race, stop = bench.window.document, RaceSettings(entrants(), "seconds"), StopSettings(steps=9000)
    bench.window.edit(ChangeRace(race))
    bench.window.edit(ChangeStop(stop))
    assert bench.last(StopWhen) == StopWhen(stop)
    assert bench.window.actions_by_name["undo"].text() == "&Undo stop conditions"
    bench.act("undo")
    assert document.stop == StopSettings()
    assert bench.last(StopWhen) == StopWhen(StopSettings())
    assert bench.window.actions_by_name["undo"].text() == "&Undo race"
    bench.act("undo")
    assert document.race == RaceSettings()
    assert bench.last(ConfigureRace) == ConfigureRace(RaceSettings())
    assert not bench.window.actions_by_name["undo"].isEnabled()
    bench.act("redo")
    bench.act("redo")
    assert (document.race, document.stop) == (race, stop)
    assert bench.last(ConfigureRace) == ConfigureRace(race)
    assert bench.last(StopWhen) == StopWhen(stop)
    assert bench.window.pages["training"].stop.settings == stop  # type: ignore[attr-defined]


def test_undo_of_panes_brings_their_squares_back(qtbot: QtBot, bench: Bench) -> None:
    document, stage = bench.window.document, bench.stage
    before = document.scene
    bench.act("pane_add")
    assert len(document.scene.panes) == 4
    assert stage.places == story_places(4)
    assert not bench.window.actions_by_name["pane_add"].isEnabled()
    assert bench.last(ConfigureScene) == ConfigureScene(document.scene, 0)
    bench.act("undo")
    assert document.scene == before
    assert stage.places == story_places(3)
    assert bench.last(ConfigureScene) == ConfigureScene(before, 0)
    bench.act("redo")
    assert stage.places == story_places(4)
    bench.act("undo")
    bench.act("pane_remove")
    assert stage.places == story_places(2)
    bench.stage.exchange("painting", "surface")
    bench.act("undo")
    assert stage.places[0] == "surface", "an arrangement of the person's own stays"


def test_what_cannot_be_had_is_told_and_not_done(qtbot: QtBot, bench: Bench) -> None:
    show(bench)
    before = bench.window.document.scene
    page = bench.window.pages["particles"]
    bench.window.show_page("particles")
    row = page.common.rows["number"]  # type: ignore[attr-defined]
    row.editor.setFocus()
    row.editor.selectAll()
    qtbot.keyClicks(row.editor, "1000000")
    qtbot.keyClick(row.editor, Key.Key_Tab)
    assert "100000" in row.error()
    assert bench.window.document.scene == before
    bench.window.edit(ChangeScene(Scene((Pane("ode", ParticleSettings("true", 50)),))))
    assert bench.stage.places == story_places(1)
    assert bench.window.actions_by_name["source_true"].isChecked()
    assert not bench.window.actions_by_name["pane_remove"].isEnabled()


# --- files ---


def version_1(path: Path) -> None:
    """A project file as it was written before there were scenes, races and stop conditions."""
    start = Setup(preset_weights("smile", 64), "smile")
    journal = (
        Entry(3, "particles", {"settings": ParticleSettings(number=60).to_json(), "seed": 4}),
        Entry(5, "release"),
    )
    write_project(path, Project(start, start, journal, 9))
    with ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    top = json.loads(members["project.json"])
    top["version"] = 1
    for name in ("setup", "initial"):
        for key in ("scene", "stop", "race"):
            del top[name][key]
        top[name]["particles"] = ParticleSettings(number=50, epsilon=0.25).to_json()
    members["project.json"] = json.dumps(top).encode()
    with ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def test_a_file_of_version_1_opens_and_is_saved_as_it_is_now(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "old.scorex"
    version_1(path)
    bench.window.edit(ChangeScene(Scene((Pane("ode", ParticleSettings(number=50)),))))
    bench.window.document.path = None
    bench.window.adopt(read_file(str(path)), str(path))
    document = bench.window.document
    assert document.name == "smile"
    assert document.scene == Scene(story(ParticleSettings(number=50, epsilon=0.25)))
    assert (document.race, document.stop) == (RaceSettings(), StopSettings())
    assert bench.stage.places == story_places(3)
    commands = list(Recipe.from_project(read_project(path)).commands())
    assert commands == [(3, ConfigureScene(Scene(story(ParticleSettings(number=60))), 4)), (5, Release())]
    assert bench.window.files.save()
    assert read_project(path).setup.scene == document.scene
