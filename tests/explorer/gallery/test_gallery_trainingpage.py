"""The page that watches a run: a real one that trains meanwhile, and what is drawn of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from explorer.gallery.curve import RunCurve, axis_upwards, running_mean
from explorer.gallery.runparts import Sheet
from explorer.gallery.trainingpage import CATCH_UP_MS, EVERY_MS, TrainingPage
from explorer.numbers import three
from explorer.theme import DARK, LIGHT
from tests.explorer.gallery.journals import ROOT, checkpoint, line, write
from trainer.images.grids import write_grid
from trainer.images.journal import append_line


def shown(qtbot: QtBot, folder: Path | None = None) -> TrainingPage:
    """A page on the screen."""
    page = TrainingPage()
    qtbot.addWidget(page)
    page.resize(900, 560)
    if folder is not None:
        page.watch(folder)
    with qtbot.waitExposed(page):
        page.show()
    return page


def cells(page: TrainingPage) -> list[list[str]]:
    """What the table says, its heading first."""
    table = page.table
    items = [table.headerItem(), *(table.topLevelItem(k) for k in range(table.topLevelItemCount()))]
    return [[item.text(k) for k in range(table.columnCount())] for item in items if item is not None]


def test_a_run_is_followed_while_it_trains(qtbot: QtBot, tmp_path: Path) -> None:
    """Its first checkpoint is opened as it appears, its curves are those of its journal, and its end is noticed."""
    page = shown(qtbot, tmp_path)
    page.follow.setChecked(True)
    found: list[Path] = []
    page.newest.connect(found.append)
    assert page.empty.isVisible()
    with subprocess.Popen([sys.executable, "-m", "tests.trainer.images.train_nothing", str(tmp_path), "14"], cwd=ROOT):
        qtbot.waitUntil(lambda: page.state.text() == "ended at step 14", timeout=60_000)
    assert not page.empty.isVisible()
    assert [path.name for path in found][-1] == "checkpoint-000014"
    assert page.table.chosen == tmp_path / "checkpoint-000014"
    page.look()
    steps = [item[0] for item in cells(page)]
    assert steps == ["step", "14", "7"]
    values = page._reader.run.curves["loss"]  # type: ignore[union-attr]
    assert len(values) == 14
    assert page.curves["loss"].text().startswith(f"now {three(values[-1])}, ")


def test_without_a_run_it_says_how_to_begin_one(qtbot: QtBot, tmp_path: Path) -> None:
    page = shown(qtbot)
    assert page.empty.isVisible()
    assert "score-trainer images train digits -o FOLDER" in page.empty.text()
    folder = tmp_path / "a run & more"
    page.watch(folder)
    assert f"-o '{tmp_path}/a run &amp; more'" in page.empty.text()
    folder.mkdir()
    write(folder, 10)
    page.look()
    assert not page.empty.isVisible()


def test_a_chosen_checkpoint_stands_for_its_run(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = checkpoint(tmp_path, 10)
    page = shown(qtbot)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(path))
    page.choose.click()
    assert page.folder == tmp_path
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")  # thought better of
    page.choose.click()
    assert page.folder == tmp_path


def test_the_table_shows_the_figures_and_keeps_the_choice(qtbot: QtBot, tmp_path: Path) -> None:
    write(tmp_path, 10)
    first = checkpoint(tmp_path, 10, loss=0.25, seconds=61.0)
    second = checkpoint(tmp_path, 20, loss=0.125, seconds=600.0, coverage=0.9375)
    page = shown(qtbot, tmp_path)
    assert cells(page) == [
        ["step", "loss", "time", "coverage", "diverged"],
        ["20", "0.125", "10 min", "0.938", "1"],
        ["10", "0.250", "61 s", "", "1"],
    ]
    opened: list[Path] = []
    page.open_wanted.connect(opened.append)
    page.open.click()
    assert opened == [second]
    QTest.keyClick(page.table, Qt.Key.Key_Down)
    QTest.keyClick(page.table, Qt.Key.Key_Return)
    assert opened == [second, first]
    third = checkpoint(tmp_path, 30)
    page.look()
    assert page.table.chosen == first
    QTest.keyClick(page.table, Qt.Key.Key_Home)
    assert page.table.chosen == third
    fourth = checkpoint(tmp_path, 40)
    page.look()
    assert page.table.chosen == fourth  # who looks at the newest goes on looking at the newest


def test_new_checkpoints_are_opened_only_if_asked_for(qtbot: QtBot, tmp_path: Path) -> None:
    checkpoint(tmp_path, 10)
    page = shown(qtbot)
    found: list[Path] = []
    page.newest.connect(found.append)
    page.follow.setChecked(True)
    page.watch(tmp_path)
    assert found == []  # it was there before
    second = checkpoint(tmp_path, 20)
    page.look()
    page.look()
    assert found == [second]
    page.follow.setChecked(False)
    checkpoint(tmp_path, 30)
    page.look()
    page.follow.setChecked(True)
    page.look()
    assert found == [second]


def test_it_looks_while_it_is_seen_or_follows(qtbot: QtBot, tmp_path: Path) -> None:
    page = shown(qtbot, tmp_path)
    assert page._timer.isActive()
    page.hide()
    assert not page._timer.isActive()
    page.follow.setChecked(True)
    page.show()
    page.hide()
    assert page._timer.isActive()
    page.stop()
    assert not page._timer.isActive()


def test_a_long_journal_is_caught_up_with_soon(qtbot: QtBot, tmp_path: Path) -> None:
    for step in range(1, 13_001):
        append_line(tmp_path, line(step))
    page = shown(qtbot)
    page.watch(tmp_path)
    assert page._timer.interval() == CATCH_UP_MS
    qtbot.waitUntil(lambda: page._reader.run.steps[-1:] == [13_000], timeout=5000)  # type: ignore[union-attr]
    assert page._timer.interval() == EVERY_MS


def test_the_newest_samples_are_shown_and_shown_again(qtbot: QtBot, tmp_path: Path) -> None:
    write(tmp_path, 10)
    place = tmp_path / "samples"
    place.mkdir()
    path = place / "step-000010.png"
    path.write_bytes(b"no picture")
    page = shown(qtbot, tmp_path)
    assert not page.samples.there
    for value in (-1.0, 1.0):
        write_grid(path, np.full((4, 1, 8, 8), value, np.float32))
        page.look()
        image = page.samples.grab().toImage()
        assert image.pixelColor(image.width() // 2 - 8, 8) == QColor("black" if value < 0 else "white")


def test_pixels_of_samples_stay_alike(qtbot: QtBot, tmp_path: Path) -> None:
    """A picture 7 pixels wide on 100: no column is wider than another by more than its blurred edges."""
    image = QImage(7, 7, QImage.Format.Format_Grayscale8)
    for x in range(7):
        for y in range(7):
            image.setPixelColor(x, y, QColor("white" if x % 2 else "black"))
    image.save(str(tmp_path / "a.png"))
    sheet = Sheet()
    qtbot.addWidget(sheet)
    sheet.setMinimumSize(1, 1)
    sheet.resize(100, 100)
    sheet.show_file((tmp_path / "a.png", 0))
    drawn = sheet.grab().toImage()
    row = np.array([drawn.pixelColor(x, 50).valueF() for x in range(100)])
    weights = [row[round(k * 100 / 7) : round((k + 1) * 100 / 7)].mean() for k in range(7)]
    assert np.abs(np.array(weights) - [0, 1, 0, 1, 0, 1, 0]).max() < 0.08


def test_the_curve_goes_through_its_values(qtbot: QtBot) -> None:
    """Where the line is drawn tells the values, on an axis that ends at 0.1 and 1; a gap is left empty."""
    curve = RunCurve("Loss", "learned", log=True, smooth=False)
    qtbot.addWidget(curve)
    curve.resize(400, 200)
    steps = list(range(0, 1001, 10))
    values = [10 ** -(step / 1000) for step in steps]
    values[40:60] = [float("nan")] * 20
    curve.show_curve(steps, values, ())
    image = curve.grab().toImage()
    plot = curve._plot(curve._scale())
    ink = QColor(LIGHT.learned)

    def heights(step: float) -> list[float]:
        x = round(plot.left() + plot.width() * step / 1000)
        near = [image.pixelColor(x, y) for y in range(image.height())]
        distance = [abs(c.red() - ink.red()) + abs(c.green() - ink.green()) + abs(c.blue() - ink.blue()) for c in near]
        return [(plot.bottom() - y - 0.5) / plot.height() for y, each in enumerate(distance) if each < 120]

    for step in (100, 300, 700, 900):
        assert np.mean(heights(step)) == pytest.approx(1 - step / 1000, abs=0.015)
    assert heights(500) == []
    assert curve.text() == "now 0.100, from 0.100 to 1.00"


def test_a_curve_tells_the_value_and_the_checkpoint_under_the_mouse(qtbot: QtBot) -> None:
    curve = RunCurve("Loss", "learned", log=True, smooth=False)
    qtbot.addWidget(curve)
    curve.resize(400, 200)
    assert curve.hint(100) == ""
    curve.show_curve([0, 500, 1000], [1.0, 0.5, 0.25], (500,))
    plot = curve._plot(curve._scale())
    assert curve.hint(plot.center().x()) == "step 500: 0.500\ncheckpoint at step 500"
    assert curve.hint(plot.right()) == "step 1,000: 0.250"


@pytest.mark.parametrize(
    ("values", "log", "low", "high", "names"),
    [
        ([0.11, 0.53], True, 0.1, 1.0, ["0.1", "0.2", "0.5", "1"]),
        ([0.2, 0.2], True, 0.2, 0.5, ["0.2", "0.5"]),
        ([2e-5, 3e3], True, 2e-5, 5e3, ["0.0001", "0.01", "1", "100"]),
        ([1e-5, 1e-3], True, 1e-5, 1e-3, ["1e-5", "0.0001", "0.001"]),
        ([-1.0, 3.0], True, -1.0, 3.0, ["−1", "0", "1", "2", "3"]),
        ([0.0, 0.001], False, 0.0, 0.001, ["0", "0.0005", "0.001"]),
        ([0.0, 0.0], False, 0.0, 1.0, ["0", "1"]),
        ([500.0, 1230.0], False, 0.0, 1500.0, ["0", "500", "1k", "1.5k"]),
        ([-3.0, -1.0], False, -3.0, 0.0, ["−3", "−2", "−1", "0"]),
    ],
)
def test_axes_end_at_round_values(values: list[float], log: bool, low: float, high: float, names: list[str]) -> None:
    scale = axis_upwards(np.array(values), 5 if names[0] != "0" else 4, logarithmic=log)
    assert scale.low == pytest.approx(low)
    assert scale.high == pytest.approx(high)
    assert [text for _, text in scale.ticks] == names
    assert scale.logarithmic == (log and min(values) > 0)


@pytest.mark.parametrize(("rate", "said"), [(0.001, "0.001"), (2e-5, "2e-5"), (1.23e-4, "1.23e-4"), (1.0, "1")])
def test_a_learning_rate_is_said_as_it_was_set(qtbot: QtBot, tmp_path: Path, rate: float, said: str) -> None:
    append_line(tmp_path, line(10, learning_rate=rate))
    page = shown(qtbot, tmp_path)
    assert page.titled["learning_rate"]._caption == said


def test_the_running_mean() -> None:
    """It leaves a straight line straight but for the last few, quietens noise, keeps gaps, and needs enough values."""
    assert running_mean(np.ones(39), logarithmic=False) is None
    straight = np.arange(400.0)
    mean = running_mean(straight, logarithmic=False)
    assert mean is not None
    np.testing.assert_allclose(mean[:390], straight[:390], rtol=1e-12, atol=1e-9)
    assert mean[-1] == pytest.approx(np.mean(straight[-11:]))
    falling = np.exp(-straight / 50)
    mean = running_mean(falling, logarithmic=True)
    assert mean is not None
    np.testing.assert_allclose(mean[:390], falling[:390], rtol=1e-9)
    noise = np.random.default_rng(0).normal(size=400)
    noise[100:110] = np.nan
    mean = running_mean(noise, logarithmic=False)
    assert mean is not None
    assert np.array_equal(np.isnan(mean), np.isnan(noise))
    assert np.nanstd(mean) < np.nanstd(noise) / 3


@pytest.mark.parametrize(("factor", "wide", "high"), [(1.0, 900, 480), (1.6, 1200, 720)])
def test_it_fits_a_small_window(qtbot: QtBot, tmp_path: Path, factor: float, wide: int, high: int) -> None:
    write(tmp_path, 10)
    page = shown(qtbot, tmp_path)
    page.set_theme(DARK)
    page.set_scale(factor)
    least = page.minimumSizeHint()
    assert least.width() <= wide
    assert least.height() <= high
