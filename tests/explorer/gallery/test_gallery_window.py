"""The pictures' window with its real process: every mode by real events, files opened and saved, a process killed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QSize, Qt, QTimer, QUrl
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from explorer.engine.gallery.frames import GalleryFrame
from explorer.engine.gallery.orders import Steps
from explorer.engine.messages import Move, Train
from explorer.files import dropped_files
from explorer.gallery.board import SIZES
from explorer.gallery.folders import SHIPPED, shipped
from explorer.gallery.window import GalleryWindow
from explorer.panels.fields import with_value
from explorer.theme import DARK
from explorer.window import MainWindow
from tests.trainer.images.small import made_elsewhere, small_checkpoint
from trainer.images.sources import read_pictures

WAIT = 90_000


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[GalleryWindow]:
    gallery = GalleryWindow("cpu")
    qtbot.addWidget(gallery, before_close_func=lambda w: w.shut_down())
    gallery.show()
    with qtbot.waitExposed(gallery):
        pass
    yield gallery
    gallery.shut_down()


def frame_of(window: GalleryWindow) -> GalleryFrame:
    assert window.desk.frame is not None
    return window.desk.frame


def done(window: GalleryWindow, after: int = 0) -> bool:
    """Whether a job later than `after` has ended."""
    frame = window.desk.frame
    return frame is not None and frame.job > after and frame.step == frame.steps


def wait_for_job(qtbot: QtBot, window: GalleryWindow, after: int = 0) -> GalleryFrame:
    """The last frame of a job later than `after`, whose steps are asked for at once: at its own pace it takes 6 s."""
    qtbot.waitUntil(lambda: window.desk.frame is not None and window.desk.frame.job > after, timeout=WAIT)
    window.desk.send(Steps(frame_of(window).steps))
    qtbot.waitUntil(lambda: done(window, after), timeout=WAIT)
    return frame_of(window)


def told(window: GalleryWindow) -> str:
    return " | ".join(toast.text for toast in window.toasts.toasts)


def test_every_mode_by_its_key(qtbot: QtBot, window: GalleryWindow, tmp_path: Path) -> None:
    window.open(shipped(SHIPPED[0][0]))
    frame = wait_for_job(qtbot, window)
    assert frame.pictures.shape == (64, 1, 8, 8)
    assert window.windowTitle() == "Pictures: digits-ncsn"
    window.stage.grid.setFocus()
    qtbot.keyClick(window.stage.grid, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: frame_of(window).follow is not None, timeout=WAIT)
    assert window.stage.grid.index == 0
    qtbot.waitUntil(lambda: window.stage.sample is not None, timeout=WAIT)
    sample = window.stage.sample

    window.actions_by_name["mode_denoise"].trigger()
    job = frame_of(window).job
    frame = wait_for_job(qtbot, window, job)
    assert frame.pictures.shape == (9, 1, 8, 8)
    assert frame.errors[1] < frame.errors[0]
    window.stage.denoise.chooser.sample.click()
    np.testing.assert_array_equal(window.stage.denoise.picture, sample)
    frame = wait_for_job(qtbot, window, frame.job)

    window.actions_by_name["mode_inpaint"].trigger()
    frame = wait_for_job(qtbot, window, frame.job)
    board = window.stage.inpaint.board
    assert board.unknown.sum() == 32
    window.actions_by_name["mask_clear"].trigger()
    middle = board.rect().center()
    qtbot.mousePress(board, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(board, middle + QPoint(20, 0))
    qtbot.mouseRelease(board, Qt.MouseButton.LeftButton, pos=middle + QPoint(20, 0))
    painted = int(board.unknown.sum())
    assert 0 < painted < 32
    qtbot.waitUntil(lambda: done(window, frame.job), timeout=WAIT)
    picture = window.stage.inpaint.picture
    assert picture is not None
    known = ~board.unknown
    np.testing.assert_allclose(frame_of(window).pictures[0][:, known], picture[:, known], atol=1e-3)
    job = frame_of(window).job
    window.actions_by_name["mask_undo"].trigger()
    assert not board.unknown.any()

    window.actions_by_name["mode_interpolate"].trigger()
    frame = wait_for_job(qtbot, window, job)
    assert frame.pictures.shape == (9, 1, 8, 8)
    apart = np.square(frame.pictures[1:] - frame.pictures[:-1]).mean((1, 2, 3))
    assert apart.max() < np.square(frame.pictures[-1] - frame.pictures[0]).mean()


def test_scrubbing_stepping_and_settings(qtbot: QtBot, window: GalleryWindow, tmp_path: Path) -> None:
    window.open(small_checkpoint(tmp_path / "model"))
    frame = wait_for_job(qtbot, window)
    window.bar.axis.setFocus()
    qtbot.keyClick(window.bar.axis, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: frame_of(window).shown == 0, timeout=WAIT)
    assert frame_of(window).sigma == pytest.approx(8.0, rel=1e-3)
    window.actions_by_name["step"].trigger()
    qtbot.waitUntil(lambda: frame_of(window).shown == 1, timeout=WAIT)
    window.actions_by_name["back"].trigger()
    qtbot.waitUntil(lambda: frame_of(window).shown == 0, timeout=WAIT)
    qtbot.keyClick(window.bar.axis, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: frame_of(window).shown == frame.steps, timeout=WAIT)

    row = window.panel.form.rows["count"]
    row.editor.setText("5")  # type: ignore[union-attr]  # a field of text
    row.edited.emit("count")
    qtbot.waitUntil(lambda: len(frame_of(window).pictures) == 5, timeout=WAIT)
    row = window.panel.form.rows["settings.start_sigma"]
    row.editor.setText("900")  # type: ignore[union-attr]
    row.edited.emit("settings.start_sigma")
    assert "outside what the model knows" in row.error()
    before = wait_for_job(qtbot, window).pictures.copy()
    window.actions_by_name["next_seed"].trigger()
    assert window.panel.making.seed == 1
    qtbot.waitUntil(lambda: done(window) and not np.array_equal(frame_of(window).pictures, before), timeout=WAIT)


def test_every_action_can_be_triggered_before_a_model_is_open(
    qtbot: QtBot, window: GalleryWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    for name, action in window.actions_by_name.items():
        if name not in ("close", "full_screen"):
            action.trigger()
            action.trigger()
    assert window.panel.isVisible()
    window.actions_by_name["settings"].trigger()
    assert not window.panel.isVisible()


def test_models_made_elsewhere_open_and_what_does_not_says_why(
    qtbot: QtBot, window: GalleryWindow, tmp_path: Path
) -> None:
    window.open(tmp_path)
    assert "holds no image model" in told(window)
    elsewhere = made_elsewhere(tmp_path / "ddpm", "ddpm")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(elsewhere / "unet" / "config.json"))])
    window.drop(dropped_files(data))
    wait_for_job(qtbot, window)
    assert window.desk.model is not None
    assert window.desk.model.objective == "ddpm"
    weights = elsewhere / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with qtbot.waitSignal(window.desk.refused, timeout=WAIT):
        window.open(elsewhere)
    assert "diffusion_pytorch_model.safetensors" in told(window)
    assert window.desk.model is not None
    assert window.recent.paths() == (elsewhere,)


def test_a_folder_refused_leaves_the_model_before_even_to_a_process_that_is_killed(
    qtbot: QtBot, window: GalleryWindow, tmp_path: Path
) -> None:
    window.open(small_checkpoint(tmp_path / "model"))
    frame = wait_for_job(qtbot, window)
    window.panel.form.edited.emit(with_value(window.panel.making, "settings.diffusion_steps", 100))
    qtbot.waitUntil(lambda: frame_of(window).job > frame.job and frame_of(window).moving, timeout=WAIT)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "model_index.json").write_text("no")
    with qtbot.waitSignal(window.desk.refused, timeout=WAIT):
        window.open(tmp_path / "bad")
    qtbot.waitUntil(lambda: done(window, frame.job), timeout=WAIT)  # nobody has stopped it
    assert "step 100 of 100" in window.bar.words.text()
    process = window.desk.client.pid
    assert process is not None
    with qtbot.waitSignal(window.desk.died, timeout=WAIT):
        os.kill(process, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
    window.desk.frame = None
    assert wait_for_job(qtbot, window).pictures.shape == frame.pictures.shape


def test_a_window_that_writes_asks_before_it_closes(qtbot: QtBot, window: GalleryWindow, tmp_path: Path) -> None:
    window.open(small_checkpoint(tmp_path / "model"))
    wait_for_job(qtbot, window)
    window.saver.films.rows["seconds"].set_value(60.0)
    window.saver.save(tmp_path / "long.mp4")
    assert "writing long.mp4: 0%" in window.state.text()
    window.set_mode("denoise")  # no picture is chosen: frames of the samples are not looked at any more
    qtbot.waitUntil(lambda: window.desk.writing.partition(": ")[2] > "1%", timeout=WAIT)
    asked: list[str] = []

    def wait_for_it() -> None:
        question = QApplication.activeModalWidget()
        assert isinstance(question, QMessageBox)
        asked.append(question.text())
        next(button for button in question.buttons() if button.text() == "Go on writing").click()

    QTimer.singleShot(0, wait_for_it)
    assert not window.close()
    assert window.isVisible()
    assert "long.mp4" in asked[0]
    with qtbot.waitSignal(window.desk.exported, timeout=WAIT) as done:
        window.actions_by_name["stop_writing"].trigger()
    assert "Stopped" in done.args[0].line
    assert not window.actions_by_name["stop_writing"].isEnabled()
    assert "writing" not in window.state.text()
    assert window.close()
    assert len(asked) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def test_a_film_that_dies_with_its_process_is_told(qtbot: QtBot, window: GalleryWindow, tmp_path: Path) -> None:
    window.open(small_checkpoint(tmp_path / "model"))
    wait_for_job(qtbot, window)
    window.saver.films.rows["seconds"].set_value(60.0)
    window.saver.save(tmp_path / "lost.gif")
    process = window.desk.client.pid
    assert process is not None
    with qtbot.waitSignal(window.desk.exported, timeout=WAIT) as done:
        os.kill(process, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
    assert done.args[0].failed
    assert "lost.gif: not written" in told(window)
    assert not window.desk.writing
    assert window.saver.may_leave()


def test_files_are_saved_and_a_picture_is_brought_in(
    qtbot: QtBot, window: GalleryWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.actions_by_name["save_grid"].trigger()
    assert "no pictures yet" in told(window)
    window.open(small_checkpoint(tmp_path / "model"))
    wait_for_job(qtbot, window)

    def ask_for_a_film() -> None:
        rows, go = window.saver.films.rows, window.saver.films.go
        assert window.saver.films.isVisible()
        rows["kind"].set_value(".gif")
        for name, bad, good in (("seconds", 200.0, 1.0), ("fps", 0, 12)):
            rows[name].set_value(bad)
            go.click()
            assert "out of range" in rows[name].error()
            rows[name].set_value(good)
        rows["size"].set_value("640 x 360")
        go.click()

    for action, name in (("save_grid", "grid.png"), ("save_samples", "all.npz"), ("save_film", "film")):
        if action == "save_film":
            QTimer.singleShot(0, ask_for_a_film)
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, n=name: (str(tmp_path / n), ""))
        with qtbot.waitSignal(window.desk.exported, timeout=WAIT) as answer:
            window.actions_by_name[action].trigger()
        assert not answer.args[0].failed, answer.args[0].line
    with Image.open(tmp_path / "film.gif") as film:
        assert film.size == (640, 360)
        assert film.info["duration"] == pytest.approx(1000 * (0.5 + 1 / 12), abs=10)  # the noise, standing still
    assert len(read_pictures(tmp_path / "all.npz")) == 64
    window.set_mode("inpaint")
    assert window.stage.inpaint.picture is None
    qtbot.wait(200)  # frames of the samples may be on their way
    assert window.desk.frame is None
    assert not len(window.stage.grid._pixels)
    assert window.bar.words.text() == "nothing is running"
    window.actions_by_name["play"].trigger()
    assert not window.actions_by_name["play"].isChecked()
    window.stage.inpaint.chooser.take_file(tmp_path / "grid.png")
    assert window.stage.inpaint.picture is not None
    assert window.stage.inpaint.picture.shape == (1, 8, 8)
    (tmp_path / "bad.png").write_bytes(b"no")
    window.stage.inpaint.chooser.take_file(tmp_path / "bad.png")
    assert "bad.png" in told(window)


def test_a_killed_process_is_started_again_and_makes_the_same_pictures(
    qtbot: QtBot, window: GalleryWindow, tmp_path: Path
) -> None:
    window.open(shipped(SHIPPED[0][0]))
    wait_for_job(qtbot, window)
    window.set_mode("inpaint")
    subject = window.stage.inpaint
    subject.chooser.next.click()
    subject.board.fill_half("left")
    window.panel.form.edited.emit(with_value(window.panel.making, "settings.diffusion_steps", 25))
    qtbot.waitUntil(lambda: frame_of(window).steps == 25 and done(window), timeout=WAIT)
    picture, before = subject.picture, frame_of(window).pictures.copy()
    process = window.desk.client.pid
    assert process is not None
    with qtbot.waitSignal(window.desk.noticed, timeout=WAIT) as notice:
        os.kill(process, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
    assert "was started again" in notice.args[1]
    assert window.bar.words.text() == "starting again"
    window.desk.frame = None
    after = wait_for_job(qtbot, window)
    np.testing.assert_allclose(after.pictures, before, atol=1e-6)
    assert window.desk.client.pid != process
    assert subject.picture is picture
    assert subject.board.unknown[:, :4].all()
    assert subject.board.unknown.sum() == 32
    assert window.panel.making.settings.diffusion_steps == 25


def test_another_checkpoint_of_a_run_takes_settings_and_pictures_over(
    qtbot: QtBot, window: GalleryWindow, tmp_path: Path
) -> None:
    first, second = (small_checkpoint(tmp_path / "run" / f"checkpoint-{step:06d}") for step in (20, 40))
    window.open(first)
    frame = wait_for_job(qtbot, window)
    window.set_mode("denoise")
    picture = np.linspace(-1, 1, 64, dtype=np.float32).reshape(1, 8, 8)
    window.stage.denoise.take(picture)
    window.stage.denoise.slider.set_value(0.2)
    window.panel.form.edited.emit(with_value(window.panel.making, "settings.diffusion_steps", 25))
    frame = wait_for_job(qtbot, window, frame.job)
    with qtbot.waitSignal(window.desk.opened, timeout=WAIT):
        window.open(second)
    frame = wait_for_job(qtbot, window, frame.job)
    assert window.stage.denoise.picture is picture
    assert window.stage.denoise.slider.value() == 0.2
    assert window.panel.making.settings.diffusion_steps == 25
    assert frame.sigmas[0] == pytest.approx(0.2)
    with qtbot.waitSignal(window.desk.opened, timeout=WAIT):
        window.open(small_checkpoint(tmp_path / "other", "ddpm"))
    assert window.stage.denoise.picture is None
    assert not any(len(grid._pixels) for grid in window.stage.denoise._grids)  # nothing of the model before is left
    assert window.panel.making.settings.diffusion_steps != 25


def test_the_window_stays_as_large_and_the_keyboard_is_never_lost(qtbot: QtBot, window: GalleryWindow) -> None:
    window.resize(window.minimumSizeHint().expandedTo(QSize(1100, 640)))
    before = window.size()
    window.stage.grid.setFocus()
    for mode in ("training", "samples", "inpaint", "training", "denoise", "training", "interpolate"):
        window.actions_by_name[f"mode_{mode}"].trigger()
        qtbot.wait(20)
        assert window.size() == before, mode
        assert window.focusWidget().isVisibleTo(window), mode


def test_the_ladder_and_the_mask_can_be_seen_and_changed_by_mouse(qtbot: QtBot, window: GalleryWindow) -> None:
    window.open(shipped(SHIPPED[0][0]))
    wait_for_job(qtbot, window)
    assert window.panel.cost.text().startswith("40 steps at 40 noise levels")
    assert "40 noise levels" in window.bar.axis.accessibleDescription()
    window.set_mode("inpaint")
    board, size = window.stage.inpaint.board, window.stage.inpaint.brush_size
    for part, radius in ((1, SIZES[1]), (0, SIZES[0])):
        at = QPoint(round(part * (size.width() - 1)), size.height() // 2)
        qtbot.mouseClick(size, Qt.MouseButton.LeftButton, pos=at)
        assert board.brush.radius == pytest.approx(radius, rel=0.2)
    qtbot.keyClick(board, Qt.Key.Key_BracketRight)
    assert size.value() > 0
    assert window.actions_by_name["mask_invert"] in window.stage.inpaint.masks.menu().actions()


def test_the_main_window_opens_it_lends_dots_and_closes_it(qtbot: QtBot) -> None:
    main = MainWindow(theme="light", device="cpu")
    qtbot.addWidget(main, before_close_func=lambda w: w.shut_down())
    main.show()
    qtbot.waitUntil(lambda: main.session.frame is not None and main.session.frame.released > 0, timeout=WAIT)
    for command in (Train(False), Move(False)):  # the processors are wanted for the pictures
        main.session.send(command)
    main.files.open(str(shipped(SHIPPED[0][0])))
    gallery = main.gallery.window
    assert gallery is not None
    qtbot.waitUntil(lambda: gallery.desk.frame is not None and gallery.desk.frame.step > 0, timeout=WAIT)
    gallery.actions_by_name["dots"].trigger()
    qtbot.waitUntil(lambda: gallery.desk.frame is not None and gallery.desk.frame.dots is not None, timeout=WAIT)
    qtbot.waitUntil(lambda: frame_of(gallery).dots.pane_states[0].step > 0, timeout=WAIT)  # type: ignore[union-attr]
    moved = frame_of(gallery).dots.pane_states[0]  # type: ignore[union-attr]
    assert moved.sampler == gallery.panel.making.sampler
    assert gallery.stage.dots.isVisible()
    gallery.tell("warning", "Something of the pictures")
    assert main.household.log.notices[-1].text == "Something of the pictures"
    main.household.change(theme="dark")
    assert gallery.theme.name == DARK.name
    main.set_scale(1.6)
    gallery.close()
    assert main.gallery.window is None
    main.actions_by_name["pictures"].trigger()
    assert main.gallery.window is not None
    process = main.gallery.window.desk.client
    main.shut_down()
    assert process.pid is None
