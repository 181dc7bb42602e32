"""Films, pictures and panels that open again: which session they carry, and that it goes on as the run would have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from explorer.capsules import extract, read_session
from explorer.cli import main
from explorer.engine.messages import Configure, ConfigureScene, Repaint, Reset
from explorer.engine.simulation import Simulation
from explorer.export.request import ExportRequest, export
from explorer.recipe import Recipe, to_entry
from explorer.window import MainWindow
from trainer.components import Component
from trainer.paintings import preset_weights
from trainer.projects import Project, Setup, project_bytes, write_project
from trainer.scenes import Scene, story
from trainer.settings import FitSettings, NetworkSettings, ParticleSettings

WAIT = 60_000
FIT = FitSettings(network=NetworkSettings(width=16, depth=1, features=8))
SCENE = Scene(story(ParticleSettings(number=100, levels=4, steps=3, fine_steps=2)))
SETUP = Setup(preset_weights("crescents", 64), "crescents", FIT, SCENE, seed=5, particle_seed=6)


def made(out: Path, source: str | Recipe | Project, **changes: object) -> Project | None:
    """Export at a small size; the session that the file carries."""
    request = ExportRequest(source, str(out), size=(320, 240), fps=5, seconds=1.0, device="cpu")
    result = export(replace(request, **changes), lambda *_: None, lambda: False)
    inside = extract(out)
    assert result.session_bytes == len(inside or b"")
    return None if inside is None else read_session(out)


def carried(out: Path, source: str | Recipe | Project, **changes: object) -> Project:
    project = made(out, source, **changes)
    assert project is not None
    return project


def trained(setup: Setup, steps: int, state: bytes | None = None) -> Simulation:
    """A run that takes so many steps, from its beginning or from a state."""
    torch.set_num_threads(1)
    simulation = Simulation(setup, device="cpu")
    if state is not None:
        simulation.restore(state)
    simulation.train(steps)
    return simulation


def equal(one: Simulation, other: Simulation) -> bool:
    """Whether both go on alike, bit for bit; how long they took does not matter."""
    one.fit.seconds = other.fit.seconds = 0.0
    return one.state() == other.state()


# --- which session a film carries


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".png"])
def test_a_film_opens_at_its_end_and_goes_on_as_the_run_would_have(tmp_path: Path, suffix: str) -> None:
    project = carried(tmp_path / f"a{suffix}", Recipe(SETUP, (), 30), sigma=0.25)
    assert (project.steps, project.sigma, project.setup.seed, project.setup.particle_seed) == (30, 0.25, 5, 6)
    assert [(entry.step, entry.kind) for entry in project.journal] == [(30, "release")]
    assert project.facts["device"].startswith("cpu")
    assert np.array_equal(project.weights, SETUP.weights)
    assert project.setup.fit == FIT
    reopened, straight = trained(project.setup, 7, project.network), trained(SETUP, 37)
    assert reopened.fit.step == straight.fit.step == 37
    assert equal(reopened, straight)
    assert not equal(reopened, trained(SETUP, 36))


def test_a_whole_project_is_carried_as_it_was_saved(tmp_path: Path) -> None:
    network = carried(tmp_path / "first.png", Recipe(SETUP, (), 20)).network
    gaussian = Component(0.3, 0.2, 0.2, 0.1, 30.0)
    setup = replace(SETUP, components=(gaussian,), paint=SETUP.weights)
    project = Project(setup, SETUP, (), 20, {"device": "another"}, 0.4, network)
    write_project(tmp_path / "a.scorex", project)
    for source in (project, str(tmp_path / "a.scorex")):
        carried(tmp_path / "a.gif", source)
        assert extract(tmp_path / "a.gif") == (tmp_path / "a.scorex").read_bytes() == project_bytes(project)
    # A film of the film is the same film.
    carried(tmp_path / "b.gif", str(tmp_path / "a.gif"))
    assert (tmp_path / "b.gif").read_bytes() == (tmp_path / "a.gif").read_bytes()
    # Fewer steps: what the film shows at its end, with the Gaussians that are still the person's to move.
    part = carried(tmp_path / "c.gif", project, steps=12)
    assert (part.steps, part.sigma, part.setup.components) == (12, 0.4, (gaussian,))
    assert equal(trained(part.setup, 0, part.network), trained(SETUP, 12))
    assert carried(tmp_path / "d.gif", project, seed=8).setup.seed == 8


def test_a_film_of_a_journal_carries_what_was_done_at_the_steps_of_the_last_network(tmp_path: Path) -> None:
    painting = preset_weights("ring", 64)
    wide = replace(FIT, network=NetworkSettings(width=24, depth=1, features=8))
    again = replace(SETUP.scene, panes=SETUP.scene.panes[:2])
    commands = [
        (4, Repaint(1, painting, "ring"), SETUP),
        (10, Configure(wide), replace(SETUP, weights=painting, name="ring")),
        (6, ConfigureScene(again, 3), SETUP),
        (8, Reset(9), SETUP),
        (5, Repaint(2, SETUP.weights, "back"), replace(SETUP, weights=painting)),
    ]
    recipe = Recipe(SETUP, tuple(to_entry(*command) for command in commands), 11)
    # The counter read 4, 10, then began again: 6, 8, and again: 5, 11. That is 18 + 11 steps in all.
    project = carried(tmp_path / "a.gif", recipe, steps=29)
    assert (project.steps, project.setup.name, project.setup.seed) == (11, "back", 9)
    assert [(entry.step, entry.kind) for entry in project.journal] == [(5, "repaint"), (11, "release")]
    assert (project.initial.name, project.initial.fit, project.initial.scene) == ("ring", wide, again)
    replayed = trained(project.initial, 5)
    replayed.apply(Repaint(2, SETUP.weights, "back"))
    replayed.train(6)
    assert equal(trained(project.setup, 0, project.network), replayed)


@pytest.mark.parametrize("suffix", [".gif", ".png"])
def test_without_a_session_the_file_shows_the_same_and_holds_none(tmp_path: Path, suffix: str) -> None:
    paths = [tmp_path / f"{name}{suffix}" for name in "ab"]
    assert made(paths[0], Recipe(SETUP, (), 12), session=False) is None
    assert made(paths[1], Recipe(SETUP, (), 12)) is not None
    shown = []
    for path in paths:
        with Image.open(path) as film:
            shown.append([np.asarray(picture.convert("RGB")) for picture in ImageSequence.Iterator(film)])
    assert len(shown[0]) > 0
    assert all(np.array_equal(*pair) for pair in zip(*shown, strict=True))


def test_the_command_takes_a_film_and_can_leave_the_session_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = carried(tmp_path / "a.gif", Recipe(SETUP, (), 15), sigma=0.2)
    size = ["--size", "320x240", "--fps", "5", "--seconds", "1"]
    assert main(["export", str(tmp_path / "a.gif"), str(tmp_path / "b.png"), *size]) == 0
    assert " MB of it the session) in " in capsys.readouterr().err
    assert extract(tmp_path / "b.png") == extract(tmp_path / "a.gif") == project_bytes(project)
    assert main(["export", str(tmp_path / "b.png"), str(tmp_path / "c.png"), "--no-session", *size]) == 0
    assert "session" not in capsys.readouterr().err
    assert extract(tmp_path / "c.png") is None
    broken = (tmp_path / "b.png").read_bytes()[:-40]
    (tmp_path / "b.png").write_bytes(broken)
    assert main(["export", str(tmp_path / "b.png"), str(tmp_path / "d.png"), *size]) == 2
    assert capsys.readouterr().err.strip().endswith("the session inside is cut short; use another copy of the file")


# --- the window


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    main = MainWindow(theme="light", device="cpu")
    qtbot.addWidget(main, before_close_func=lambda w: w.shut_down())
    main.show()
    with qtbot.waitExposed(main):
        pass
    yield main
    main.shut_down()


def drop(window: MainWindow, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    left, plain = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(10, 10), Qt.DropAction.CopyAction, data, left, plain))


def test_a_panel_dropped_on_the_window_is_its_session_again(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    qtbot.waitUntil(lambda: window.session.frame is not None and window.session.frame.step >= 60, timeout=WAIT)
    window.actions_by_name["train"].trigger()
    qtbot.waitUntil(lambda: not window.session.frame.training, timeout=WAIT)
    step, seed = window.session.frame.step, window.document.seed
    window.slider.set_value(0.3)
    window.squares.set_look(sigma=0.3)
    for kind in ("PNG, twice as large (*.png)", "SVG (*.svg)"):
        path = tmp_path / f"panel{kind[-5:-1]}"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, p=path, k=kind, **__: (str(p), k))
        window.actions_by_name["export_panel"].trigger()
        project = read_session(path)
        assert project is not None
        assert (project.steps, round(project.sigma, 6)) == (step, 0.3)
        assert project.network is not None

    window.actions_by_name["copy_picture"].trigger()
    clipboard = QGuiApplication.clipboard().mimeData()
    assert not clipboard.imageData().isNull()  # at once
    told = "Copied the squares as a picture, with the session inside"
    qtbot.waitUntil(lambda: window.household.log.notices[-1].text == told, timeout=WAIT)
    clipboard = QGuiApplication.clipboard().mimeData()
    (tmp_path / "pasted.png").write_bytes(clipboard.data("image/png").data())
    assert read_session(tmp_path / "pasted.png").steps == step
    assert QImage(str(tmp_path / "pasted.png")).size() == clipboard.imageData().size()

    monkeypatch.setattr(QMessageBox, "exec", lambda self: QMessageBox.StandardButton.Discard)
    window.actions_by_name["new"].trigger()
    qtbot.waitUntil(lambda: window.session.frame.step < step, timeout=WAIT)
    window.slider.set_value(0.1)
    drop(window, tmp_path / "panel.png")
    qtbot.waitUntil(lambda: window.session.frame.step >= step, timeout=WAIT)
    assert round(window.slider.value(), 6) == 0.3
    assert window.document.seed == seed
    assert window.document.path is None
    assert window.files.recent.paths()[0] == tmp_path / "panel.png"


def test_the_preference_holds_for_dialog_panel_and_clipboard(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.household.show_preferences()
    switch = window.household.dialog.switches["session_inside"]
    assert switch.isChecked()
    window.films.offer(".png", window.theme, 0.1)
    assert window.films.dialog.inside.isChecked()
    qtbot.waitUntil(lambda: window.films.dialog.weight.text().endswith(" MB"), timeout=WAIT)
    window.films.offer(".png", window.theme, 1e9)
    qtbot.waitUntil(lambda: not window.films.dialog.inside.isChecked(), timeout=WAIT)
    assert "noise level" in window.films.dialog.line.text()
    switch.click()
    assert not window.household.preferences.session_inside
    window.films.offer(".png", window.theme, 0.1)
    assert not window.films.dialog.inside.isChecked()
    path = tmp_path / "panel.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(path), "PNG, twice as large (*.png)"))
    window.actions_by_name["export_panel"].trigger()
    assert extract(path) is None
    window.actions_by_name["copy_picture"].trigger()
    (tmp_path / "pasted.png").write_bytes(QGuiApplication.clipboard().mimeData().data("image/png").data())
    assert extract(tmp_path / "pasted.png") is None


def test_what_is_copied_elsewhere_meanwhile_stays(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: window.session.frame is not None and window.session.frame.step >= 5, timeout=WAIT)
    window.actions_by_name["copy_picture"].trigger()
    QGuiApplication.clipboard().setText("something else")
    qtbot.waitUntil(lambda: window.exports._packer._waiting is None, timeout=WAIT)
    assert QGuiApplication.clipboard().text() == "something else"
    assert not any("Copied" in notice.text for notice in window.household.log.notices)
