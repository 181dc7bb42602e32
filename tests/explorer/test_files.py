"""What opening, dropping and saving do to the document, and what a person is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from explorer import files as module
from explorer.document import Document
from explorer.edits import ChangeSeed, Clear
from explorer.export.encode import write_picture
from explorer.files import FileDesk, read_file
from explorer.recipe import Recipe
from explorer.scores import read_score_project, score_folder
from trainer.errors import InputError
from trainer.paintings import preset_weights
from trainer.projects import Project, Setup, project_bytes, write_project
from trainer.settings import FitSettings


class Desk:
    """A desk without a window, and what it told."""

    def __init__(self) -> None:
        self.document = Document()
        self.told: list[tuple[str, str]] = []
        self.actions: dict[str, Callable[[], object]] = {}
        self.opened: list[Recipe] = []
        self.desk = FileDesk(
            None,  # type: ignore[arg-type]
            self.document,
            lambda project, recipe: self.opened.append(recipe),
            lambda: Recipe(self.document.setup).to_project(self.document.setup),
            self.tell,
        )

    def tell(self, level: str, text: str, details: str = "", action: str = "", on_action: object = None) -> None:
        self.told.append((level, text))
        if action:
            self.actions[action] = on_action  # type: ignore[assignment]


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    return Desk()


@pytest.fixture(scope="module")
def score(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A score learned from a painting of 40 x 60 cells."""
    from trainer.checkpoints import save_score
    from trainer.densities import PaintedDensity
    from trainer.fit import Fit
    from trainer.settings import LadderSettings, NetworkSettings

    weights = np.zeros((40, 60))
    weights[30:, :20] = 2.0
    weights[5, 50] = 0.5
    settings = FitSettings(batch=64, network=NetworkSettings(width=16, features=8), ladder=LadderSettings(levels=4))
    fit = Fit(PaintedDensity(weights), settings, device="cpu", seed=5)
    list(fit.run(steps=2))
    folder = tmp_path_factory.mktemp("scores") / "corner"
    save_score(folder, fit)
    return folder


def dropped(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def test_a_project_that_is_opened_or_saved_is_recent(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "a.scorex"
    desk.document.do(ChangeSeed(3))
    desk.document.path = path
    assert desk.desk.save()
    assert desk.told == [("info", "Saved a.scorex")]
    assert list(desk.actions) == ["Show folder"]
    assert desk.desk.recent.paths() == (path,)
    desk.desk.open(str(path))
    assert desk.document.seed == 3
    assert not desk.document.changed
    desk.desk.forget_recent()
    assert desk.desk.recent.paths() == ()


def test_a_dropped_picture_becomes_the_painting_and_can_be_undone(desk: Desk, tmp_path: Path) -> None:
    picture = np.zeros((64, 64), np.uint8)
    picture[:16] = 255
    path = tmp_path / "top.png"
    Image.fromarray(picture).save(path)
    before = desk.document.weights
    assert desk.desk.drop(dropped(path, tmp_path / "other.png"))
    assert desk.document.weights[100:].mean() > 0.9
    assert desk.told[-1] == ("info", "Opened top.png, the first of 2 that were dropped")
    assert desk.told[-2] == ("info", "top.png is the painting now")
    desk.document.do(ChangeSeed(9))
    desk.actions["Undo"]()  # something else was done since: the button no longer knows what to undo
    assert desk.document.seed == 9
    desk.document.undo()
    desk.actions["Undo"]()
    assert np.array_equal(desk.document.weights, before)


def carrier(path: Path, seed: int) -> Path:
    """A picture, white above and black below, with a session of this seed inside."""
    setup = Setup(preset_weights("ring", 64), "ring", seed=seed)
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:16] = 255
    write_picture(path, picture, session=project_bytes(Project(setup, setup, sigma=0.3)))
    return path


def test_a_dropped_picture_with_a_session_inside_opens_it_and_offers_the_picture(desk: Desk, tmp_path: Path) -> None:
    path = carrier(tmp_path / "top.png", 21)
    before = path.read_bytes()
    asked: list[Path] = []
    desk.desk._import = lambda path: asked.append(path) is None
    assert desk.desk.drop(dropped(path))
    assert (desk.document.seed, desk.document.name, desk.document.changed) == (21, "ring", False)
    assert asked == []
    assert desk.told == [("info", "Opened the session inside top.png. File > Import takes the picture itself.")]
    assert desk.desk.recent.paths() == (path,)
    desk.actions["Import picture"]()
    assert asked == [path]
    assert read_file(str(path)).sigma == 0.3
    assert path.read_bytes() == before


def test_a_session_from_a_picture_is_saved_beside_it_never_in_it(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = carrier(tmp_path / "top.png", 21)
    before = path.read_bytes()
    desk.desk.open(str(path))
    assert desk.document.path is None
    offered: list[str] = []

    def choose(parent: object, title: str, start: str, kinds: str) -> tuple[str, str]:
        offered.append(start)
        return start, kinds

    monkeypatch.setattr(module.QFileDialog, "getSaveFileName", choose)
    assert desk.desk.save()
    assert offered == [str(tmp_path / "top.scorex")]
    assert read_file(str(tmp_path / "top.scorex")).setup.seed == 21
    assert path.read_bytes() == before


def test_a_damaged_session_is_one_line_and_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    path = carrier(tmp_path / "top.png", 21)
    path.write_bytes(path.read_bytes()[:-100])
    before = desk.document.weights
    desk.desk.open(str(path))
    assert desk.told == [("error", f"{path}: the session inside is cut short; use another copy of the file")]
    film = tmp_path / "film.mp4"
    film.write_bytes(b"\0\0\0\x08ftyp")
    desk.desk.open(str(film))
    assert "no session inside; choose a film or picture that was exported with its session" in desk.told[-1][1]
    assert np.array_equal(desk.document.weights, before)
    assert desk.desk.recent.paths() == ()


def test_text_that_is_dragged_is_left_alone(desk: Desk) -> None:
    data = QMimeData()
    data.setText("two-moons")
    assert not desk.desk.drop(data)
    assert desk.told == []


@pytest.mark.parametrize("name", [None, "score.json", "weights.safetensors"])
def test_a_dropped_checkpoint_brings_density_settings_and_seed(desk: Desk, score: Path, name: str | None) -> None:
    from trainer.checkpoints import load_score

    assert desk.desk.drop(dropped(score / name if name else score))
    model = load_score(score)
    assert desk.document.fit == model.settings
    assert desk.document.seed == model.seed == 5
    assert desk.document.name == "corner"
    weights = desk.document.weights
    assert weights.shape == (128, 128)
    assert weights.max() == 1.0
    rows, cols = np.nonzero(weights)
    assert weights[:, :45].sum() / weights.sum() == pytest.approx(400 / 400.5, abs=1e-3)
    assert (rows.min(), rows.max(), cols.max()) == (32, 106, 108)  # 60 x 60 cells, 40 rows in their middle
    assert "density, training settings and seed 5 from corner" in desk.told[-1][1]
    assert desk.document.path is None
    assert desk.desk.recent.paths() == (score,)


def test_a_mixture_is_painted(tmp_path: Path) -> None:
    from trainer.checkpoints import save_score
    from trainer.densities import GaussianMixture, PaintedDensity
    from trainer.fit import Fit
    from trainer.settings import NetworkSettings

    means = np.array([[-0.5, 0.2], [0.4, -0.3]])
    covariances = np.array([[[0.02, 0.01], [0.01, 0.03]], [[0.01, 0.0], [0.0, 0.01]]])
    mixture = GaussianMixture([0.7, 0.3], means, covariances)
    fit = Fit(mixture, FitSettings(batch=64, network=NetworkSettings(width=16, features=8)), device="cpu", seed=0)
    list(fit.run(steps=1))
    save_score(tmp_path / "two", fit)
    weights = read_score_project(tmp_path / "two").weights
    painted = PaintedDensity(weights)
    import torch

    points = torch.tensor([[-0.5, 0.2], [0.4, -0.3], [-0.4, 0.3], [0.0, 0.0]], dtype=torch.float64)
    assert torch.allclose(painted.log_prob(points), mixture.log_prob(points), atol=0.02)


def test_a_damaged_checkpoint_is_one_line_and_changes_nothing(desk: Desk, score: Path, tmp_path: Path) -> None:
    before = desk.document.setup
    card = json.loads((score / "score.json").read_text())
    numbers = (score / "weights.safetensors").read_bytes()
    damages = [
        (card | {"format": "other"}, numbers, "not a saved score"),
        (card | {"version": 2}, numbers, "version 2"),
        (card | {"seed": -1}, numbers, "seed"),
        (card | {"settings": {"batch": 1}}, numbers, "batch"),
        (card | {"density": {"kind": "cloud"}}, numbers, "cloud"),
        (card, numbers[:100], "damaged"),
        (card, b"", "damaged"),
    ]
    for i, (values, data, words) in enumerate(damages):
        folder = tmp_path / str(i)
        folder.mkdir()
        (folder / "score.json").write_text(json.dumps(values))
        (folder / "weights.safetensors").write_bytes(data)
        desk.desk.open(str(folder))
        level, line = desk.told[-1]
        assert level == "error"
        assert words in line
        assert "\n" not in line
    (tmp_path / "0" / "score.json").write_text("{")
    with pytest.raises(InputError, match="JSON"):
        read_file(str(tmp_path / "0"))
    assert desk.document.setup is before


def test_only_folders_with_a_card_are_scores(score: Path, tmp_path: Path) -> None:
    assert score_folder(tmp_path) is None
    assert score_folder(score) == score
    with pytest.raises(InputError, match="a folder"):
        read_file(str(tmp_path))


def test_unsaved_work_is_asked_about_first(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.scorex"
    write_project(path, Project(desk.document.setup, desk.document.setup))
    desk.document.do(Clear())
    asked: list[str] = []

    def cancel(box: QMessageBox) -> QMessageBox.StandardButton:
        asked.append(box.text())
        return QMessageBox.StandardButton.Cancel

    monkeypatch.setattr(module.QMessageBox, "exec", cancel)
    desk.desk.open(str(path))
    assert len(asked) == 1
    assert not desk.document.weights.any()
    assert desk.opened == []


def test_errors_speak_the_words_of_the_screen(desk: Desk, tmp_path: Path) -> None:
    desk.desk.open(str(tmp_path / "nothing.png"))
    assert desk.told == [("error", desk.told[0][1])]
    assert "no such file" in desk.told[0][1]
