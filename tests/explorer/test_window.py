"""The real window with its real engine: painted on by real events, closed at any moment."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from explorer.actions import SPECS
from explorer.edits import ChangeScene
from explorer.engine.client import EngineClient
from explorer.engine.messages import INSPECTED
from explorer.files import read_file
from explorer.panels.importing import ImportDialog
from explorer.theme import DARK, LIGHT
from explorer.window import MainWindow
from trainer.projects import read_project

WAIT = 60_000


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    main = MainWindow(theme="light", device="cpu")
    qtbot.addWidget(main, before_close_func=lambda w: w.shut_down())
    main.show()
    with qtbot.waitExposed(main):
        pass
    yield main
    began = monotonic()
    main.shut_down()
    assert monotonic() - began < 2.5


def wait_for_step(qtbot: QtBot, window: MainWindow, step: int) -> None:
    qtbot.waitUntil(lambda: window.session.frame is not None and window.session.frame.step >= step, timeout=WAIT)


def paint_line(qtbot: QtBot, window: MainWindow, start: tuple[float, float], end: tuple[float, float]) -> None:
    canvas = window.parts.canvas

    def pixel(t: float) -> QPoint:
        x, y = (a + (b - a) * t for a, b in zip(start, end, strict=True))
        return canvas.to_pixel(x, y).toPoint()

    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=pixel(0))
    for i in range(1, 6):
        qtbot.mouseMove(canvas, pixel(i / 5))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=pixel(1))


def test_painting_while_it_trains_is_learned_without_a_reset(qtbot: QtBot, window: MainWindow) -> None:
    wait_for_step(qtbot, window, 200)
    before = window.document.weights.copy()
    window.actions_by_name["clear"].trigger()
    assert not window.document.weights.any()
    assert "Paint" in window.stage.tile("painting").empty
    paint_line(qtbot, window, (-0.6, 0.5), (0.6, 0.5))
    assert window.document.weights.any()
    assert window.stage.tile("painting").empty == ""
    revision, run = window.document.revision, window.session.frame.run
    qtbot.waitUntil(lambda: window.session.frame.revision == revision, timeout=WAIT)
    assert window.session.frame.run == run
    at = window.session.frame.step
    assert at >= 200
    wait_for_step(qtbot, window, at + 400)

    def measured() -> list[float]:
        frame = window.session.frame
        return [row[2] for step, row in zip(frame.error_steps, frame.errors, strict=True) if step > at + 390 and row[2]]

    qtbot.waitUntil(lambda: bool(measured()), timeout=WAIT)
    assert measured()[-1] < 0.05
    window.actions_by_name["undo"].trigger()
    window.actions_by_name["undo"].trigger()
    assert np.array_equal(window.document.weights, before)
    window.actions_by_name["redo"].trigger()
    assert not window.document.weights.any()
    window.actions_by_name["undo"].trigger()
    qtbot.waitUntil(lambda: window.session.frame.revision == window.document.revision, timeout=WAIT)


def test_particles_tell_the_story_by_themselves(qtbot: QtBot, window: MainWindow) -> None:
    """Nothing is touched but the number of particles: they are released, and the ledger separates the three."""
    window.edit(ChangeScene(window.document.scene.with_number(2000)))
    frame = lambda: window.session.frame  # noqa: E731
    qtbot.waitUntil(lambda: frame() is not None and frame().released > 0, timeout=WAIT)
    qtbot.waitUntil(lambda: frame().particle_step == frame().particle_steps, timeout=3 * WAIT)
    modes = frame().modes
    assert modes.mass == pytest.approx([0.8, 0.2], abs=0.005)
    ascent, langevin, annealed = modes.share[:, 1]
    assert ascent > 0.3
    assert langevin > 0.3
    assert abs(annealed - 0.2) < 0.05
    held = frame().panes.copy()
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: frame().released > 1 and frame().particle_step > 0, timeout=WAIT)
    assert not np.array_equal(held, frame().panes)


def test_keys_train_pause_step_and_reset(qtbot: QtBot, window: MainWindow) -> None:
    wait_for_step(qtbot, window, 30)
    frame = lambda: window.session.frame  # noqa: E731
    window.stage.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not frame().training, timeout=WAIT)
    step = frame().step
    qtbot.keyClick(window, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: frame().step == step + 1, timeout=WAIT)
    qtbot.keyClick(window, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: frame().step == 0, timeout=WAIT)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    wait_for_step(qtbot, window, 10)
    assert window.actions_by_name["train"].isChecked()


def test_hover_shows_both_scores(qtbot: QtBot, window: MainWindow) -> None:
    wait_for_step(qtbot, window, 30)
    view = window.parts.view("learned")
    view.hovered.emit(0.25, 0.5)
    at = pytest.approx([0.25, 0.5])
    qtbot.waitUntil(lambda: window.session.frame.probe[:2].tolist() == at, timeout=WAIT)
    assert window.session.frame.probe.size == len(INSPECTED)


def test_sigma_zoom_and_doubling_reach_the_engine(qtbot: QtBot, window: MainWindow) -> None:
    wait_for_step(qtbot, window, 10)
    window.slider.changed.emit(0.5)
    window.plane.zoom(0.5, (0.2, 0.2))
    window.stage.double("learned")
    frame = lambda: window.session.frame  # noqa: E731
    qtbot.waitUntil(lambda: frame().sigma == pytest.approx(0.5) and frame().learned.shape[0] >= 32, timeout=WAIT)
    assert frame().half_width == pytest.approx(window.plane.half_width)
    assert frame().centre == pytest.approx(window.plane.centre)


def test_killed_engine_is_told_and_nothing_painted_is_lost(qtbot: QtBot, window: MainWindow) -> None:
    wait_for_step(qtbot, window, 50)
    paint_line(qtbot, window, (-0.8, -0.8), (0.8, -0.8))
    painted = window.document.weights.copy()
    qtbot.waitUntil(lambda: window.session.engine.mirror is not None, timeout=WAIT)
    pid = window.session.engine.pid
    began = monotonic()
    os.kill(pid, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
    qtbot.waitUntil(lambda: any("started again" in toast.text for toast in window.toasts.toasts), timeout=2000)
    assert monotonic() - began < 2.0
    window.session.frame = None
    qtbot.waitUntil(lambda: window.session.frame is not None, timeout=WAIT)
    assert window.session.frame.step > 0
    assert np.array_equal(window.document.weights, painted)
    qtbot.waitUntil(lambda: window.session.frame.revision == window.document.revision, timeout=WAIT)


def test_saved_project_opens_with_weights_and_journal(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for_step(qtbot, window, 100)
    paint_line(qtbot, window, (0.0, -0.8), (0.0, 0.8))
    qtbot.waitUntil(lambda: window.session.frame.revision == window.document.revision, timeout=WAIT)
    path = tmp_path / "lecture.scorex"
    window.document.path = path
    assert window.document.changed
    assert window.files.save()
    assert not window.document.changed
    project = read_project(path)
    assert np.array_equal(project.weights, window.document.weights)
    assert [entry.kind for entry in project.journal if entry.kind == "repaint"] == ["repaint"]
    assert project.network is not None
    assert project.steps >= 100
    monkeypatch.setattr(QMessageBox, "exec", lambda self: QMessageBox.StandardButton.Discard)
    window.actions_by_name["new"].trigger()
    qtbot.waitUntil(lambda: window.session.frame.step < 100, timeout=WAIT)
    window.files.open(str(path))
    qtbot.waitUntil(lambda: window.session.frame.step >= project.steps, timeout=WAIT)
    assert np.array_equal(window.document.weights, project.weights)


def test_project_given_at_the_start_goes_on_from_its_weights_and_may_be_saved_at_once(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for_step(qtbot, window, 300)
    path = tmp_path / "lecture.scorex"
    window.document.path = path
    assert window.files.save()
    window.shut_down()
    project = read_project(path)
    started: list[EngineClient] = []
    start = EngineClient.start
    monkeypatch.setattr(EngineClient, "start", lambda self: (started.append(self), start(self)))
    main = MainWindow(theme="light", device="cpu")
    qtbot.addWidget(main, before_close_func=lambda w: w.shut_down())
    main.adopt(read_file(str(path)), str(path))
    assert not started
    main.show()
    qtbot.waitUntil(lambda: bool(started), timeout=WAIT)
    assert not main.session.engine.ready
    assert main.document.path == path
    assert main.files.save()
    again = read_project(path)
    assert (again.network, again.steps, len(again.journal)) == (project.network, project.steps, len(project.journal))
    qtbot.waitUntil(lambda: main.session.frame is not None, timeout=WAIT)
    assert main.session.frame.step >= project.steps
    assert len(started) == 1
    qtbot.waitUntil(lambda: main.session.engine.ready, timeout=WAIT)
    # A value of one of torch's own types would make the window import torch.
    assert {type(fact) for fact in main.session.recorder.recipe(0).facts.values()} == {str}


def test_bad_file_is_one_line_and_changes_nothing(window: MainWindow, tmp_path: Path) -> None:
    bad = tmp_path / "bad.scorex"
    bad.write_text("not a zip")
    before = window.document.weights
    window.files.open(str(bad))
    assert window.document.weights is before
    told = window.toasts.toasts[-1].text
    assert "bad.scorex" in told
    assert "\n" not in told


def test_unsaved_changes_are_asked_about(qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def cancel(box: QMessageBox) -> QMessageBox.StandardButton:
        asked.append(box.text())
        return QMessageBox.StandardButton.Cancel

    monkeypatch.setattr(QMessageBox, "exec", cancel)
    window.actions_by_name["clear"].trigger()
    assert window.isWindowModified()
    assert not window.close()
    assert window.isVisible()
    assert len(asked) == 1
    window.document.undo()
    assert window.close()
    assert len(asked) == 1


def test_colours_follow_the_choice(window: MainWindow) -> None:
    window.actions_by_name["theme_dark"].trigger()
    assert window.theme == DARK
    assert window.stage.theme == DARK
    window.actions_by_name["theme_light"].trigger()
    assert window.stage.theme == LIGHT


def test_every_action_has_words_and_every_key_is_one_actions(window: MainWindow) -> None:
    keys = [key for spec in SPECS for key in spec.keys]
    assert len(keys) == len(set(keys))
    for name, action in window.actions_by_name.items():
        assert action.toolTip(), name
        assert action.text(), name


def test_usable_at_1280_by_720(qtbot: QtBot, window: MainWindow) -> None:
    window.resize(1280, 720)
    qtbot.waitUntil(lambda: window.width() == 1280)
    assert window.minimumSizeHint().width() <= 1280
    assert window.minimumSizeHint().height() <= 720
    window.actions_by_name["drawer"].trigger()
    assert window.drawer.isVisible()
    sides = {window.stage.tile(name).square().width() for name in window.stage.names}
    assert len(sides) == 1
    assert sides.pop() >= 190


def test_closing_while_the_engine_loads_ends_at_once(qtbot: QtBot) -> None:
    main = MainWindow(theme="light", device="cpu")
    qtbot.addWidget(main)
    main.show()
    with qtbot.waitExposed(main):
        pass
    qtbot.wait(50)
    pid = main.session.engine.pid
    began = monotonic()
    assert main.close()
    assert monotonic() - began < 2.0
    assert main.session.engine.pid is None
    if pid is not None and sys.platform == "linux":
        assert not Path(f"/proc/{pid}").exists()


def test_export_from_the_window_writes_the_run_and_cancel_leaves_nothing(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    wait_for_step(qtbot, window, 30)
    window.actions_by_name["train"].trigger()
    window.films.offer(".mp4", window.theme, 0.1)
    dialog, out = window.films.dialog, tmp_path / "film.mp4"
    assert dialog.isVisible()
    dialog.path.setText(str(out))
    for name, value in (
        ("size", "custom"),
        ("width", 320),
        ("height", 180),
        ("fps", 5),
        ("seconds", 1.0),
        ("steps", 20),
    ):
        dialog.rows[name].set_value(value)
    with qtbot.waitSignal(window.films.runner.finished, timeout=2 * WAIT):
        dialog.go.click()
    assert out.stat().st_size > 5_000
    assert str(out) in dialog.line.text()
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]

    dialog.path.setText(str(tmp_path / "long.mp4"))
    dialog.rows["seconds"].set_value(60.0)
    dialog.go.click()
    qtbot.waitUntil(lambda: dialog.bar.value() > 0, timeout=2 * WAIT)
    with qtbot.waitSignal(window.films.runner.cancelled, timeout=WAIT):
        dialog.stop.click()
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_dropping_a_picture_makes_it_the_painting_once_it_is_agreed(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    from PIL import Image
    from PySide6.QtCore import QMimeData, QUrl
    from PySide6.QtGui import QDropEvent

    picture = np.zeros((64, 64), np.uint8)
    picture[:16] = 255
    path = tmp_path / "top.png"
    Image.fromarray(picture).save(path)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(10, 10),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    agreed: list[Path] = []

    def agree() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, ImportDialog)
        agreed.append(dialog.path)
        qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)

    QTimer.singleShot(200, window, agree)
    window.dropEvent(event)
    assert agreed == [path]
    assert window.document.weights[100:].mean() > 0.9
    assert window.document.weights[:90].max() == 0
