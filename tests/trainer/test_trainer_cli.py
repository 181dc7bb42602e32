"""The command line as a whole: what fit and sample report, bad input, help and interruption."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.trainer.command_line import refused, values_of
from trainer.cli import main
from trainer.settings import FitSettings

SIGMAS = {"0.02", "0.05", "0.1", "0.3", "1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A score saved after a few steps of training."""
    place = tmp_path_factory.mktemp("cli") / "score"
    assert main(["fit", "far-modes", "--steps", "60", "--device", "cpu", "-o", str(place), "--json"]) == 0
    return place


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def test_fit_reports_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = values_of(capsys, "fit", "two-moons", "--steps", 80, "--seed", 3, "--device", "cpu")
    assert found["steps"] == 80
    assert found["steps_per_second"] == pytest.approx(80 / found["seconds"])
    assert found["device"].startswith("cpu")
    assert found["parameters"] > 10_000
    assert set(found["relative_fisher_error"]) == SIGMAS
    assert 0 < found["relative_fisher_error"]["0.3"] < 0.2
    assert (found["seed"], found["folder"]) == (3, None)
    assert FitSettings.from_json(found["settings"]) == FitSettings()
    assert found["floor"] == 0 < found["loss"]


def test_fit_stops_after_the_seconds_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    found = values_of(capsys, "fit", "ring", "--seconds", 0.3, "--device", "cpu")
    assert found["seconds"] >= 0.3
    assert found["steps"] >= 1


def test_a_painting_of_one_dot_has_no_large_noise_level(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = np.zeros((128, 128))
    weights[64, 64] = 1
    np.save(tmp_path / "dot.npy", weights)
    saved = tmp_path / "dot"
    fit = ("fit", tmp_path / "dot.npy", "--as", "weights", "--steps", 20, "--device", "cpu", "-o", saved)
    assert values_of(capsys, *fit)["relative_fisher_error"]["1"] is None
    assert main(["sample", str(saved), "--sampler", "langevin", "-n", "50", "--device", "cpu", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "the ladder was cut" in err
    assert json.loads(out)["settings"]["sigma_max"] < 0.4


def test_text_is_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "far-modes", "--steps", "2", "--device", "cpu"]) == 0
    assert "relative Fisher error" in capsys.readouterr().out
    assert main(["sample", str(folder), "--sampler", "ascent", "-n", "100", "--device", "cpu"]) == 0
    assert "true mass" in capsys.readouterr().out


def test_sample_writes_points_and_counts_them(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "points.npy"
    args = ("sample", folder, "-n", 500, "--seed", 4, "--device", "cpu", "-o", file)
    found = values_of(capsys, *args)
    points = np.load(file, allow_pickle=False)
    assert (points.shape, points.dtype) == ((500, 2), np.float32)
    assert names(tmp_path) == ["points.npy"]
    assert found["n"] == 500
    modes = found["ledger"]["modes"]
    assert [set(mode) for mode in modes] == [{"centre", "true_mass", "share", "low", "high"}] * 2
    assert [mode["true_mass"] for mode in modes] == pytest.approx([0.8, 0.2], abs=1e-3)
    assert sum(mode["share"] for mode in modes) + found["ledger"]["elsewhere"] == pytest.approx(1)
    assert all(mode["low"] < mode["share"] < mode["high"] for mode in modes)
    again = values_of(capsys, *args)  # the same seed gives the same points, and an earlier file is replaced
    assert np.array_equal(np.load(file), points)
    assert again["ledger"] == found["ledger"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["fit", "no-such-preset"], "no-such-preset"),
        (["fit", "no-such-file.png"], "no-such-file.png"),
        (["fit", "ring", "--target", "both"], "--target"),
        (["fit", "ring", "--objective", "nce"], "--objective"),
        (["fit", "ring", "--steps", "0"], "--steps"),
        (["fit", "ring", "--steps", "many"], "--steps"),
        (["fit", "ring", "--steps", "5", "--seconds", "1"], "--seconds"),
        (["fit", "ring", "--seconds", "nan"], "--seconds"),
        (["fit", "ring", "--seed", "-1"], "--seed"),
        (["fit", "ring", "--threads", "0"], "--threads"),
        (["fit", "ring", "--device", "tpu"], "--device"),
        (["fit"], "DENSITY"),
        (["sample", "no-such-folder"], "no-such-folder"),
        (["sample", "x", "-n", "0"], "-n"),
        (["sample", "x", "--sampler", "gibbs"], "--sampler"),
        (["sample", "x", "-o", "points.txt"], "points.txt"),
        (["sample", "x", "-o", "no-such-folder/points.npy"], "no-such-folder"),
        (["recommend"], "DENSITY"),
        (["recommend", "no-such-preset"], "no-such-preset"),
        (["compare", "ring", "--seconds", "0"], "--seconds"),
        ([], "COMMAND"),
        (["paint"], "paint"),
    ],
)
def test_bad_input_is_one_line_and_status_2(args: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said in refused(capsys, *args)


def test_a_name_that_the_system_refuses_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "choose another place" in refused(capsys, "recommend", "x" * 5000)


def test_a_folder_of_something_else_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("chapter one")
    assert "something other" in refused(capsys, "fit", "ring", "--steps", "1", "-o", tmp_path)
    assert "is a file" in refused(capsys, "fit", "ring", "--steps", "1", "-o", tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "chapter one"
    assert names(tmp_path) == ["thesis.txt"]


def test_a_write_that_fails_leaves_nothing_behind(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trainer.archives.os.fsync", full)
    file = tmp_path / "points.npy"
    assert "No space left" in refused(capsys, "sample", folder, "-n", "10", "--device", "cpu", "-o", file)
    assert names(tmp_path) == []


def test_what_cannot_be_written_is_refused_before_anything_is_computed(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(dir: Path) -> None:  # noqa: A002 - as tempfile calls it
        tried.append(dir)
        raise PermissionError(13, "Permission denied")

    tried: list[Path] = []
    monkeypatch.setattr("trainer.commands.console.tempfile.TemporaryFile", closed)
    monkeypatch.setattr("trainer.fit.Fit.run", lambda *_, **__: pytest.fail("trained"))
    monkeypatch.setattr("trainer.checkpoints.load_score", lambda *_, **__: pytest.fail("loaded"))
    for place in (tmp_path / "out", tmp_path / "a" / "b" / "out"):
        line = refused(capsys, "fit", "ring", "--steps", "5", "--device", "cpu", "-o", place)
        assert line == f"score-trainer: {place}: cannot be written: Permission denied; choose another place\n"
    line = refused(capsys, "sample", folder, "-o", tmp_path / "x.npy")
    assert line.endswith("x.npy: cannot be written: Permission denied; choose another place\n")
    assert tried == [tmp_path, tmp_path, tmp_path]
    assert names(tmp_path) == []


def test_a_link_stays_one_and_what_it_leads_to_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "far").mkdir()
    score, drawn = tmp_path / "score", tmp_path / "drawn.npy"
    score.symlink_to(tmp_path / "far" / "score", target_is_directory=True)
    drawn.symlink_to(tmp_path / "far" / "drawn.npy")
    for _ in range(2):
        values_of(capsys, "fit", "ring", "--steps", 2, "--device", "cpu", "-o", score, "--force")
        values_of(capsys, "sample", score, "-n", 10, "--steps", 1, "--device", "cpu", "-o", drawn)
    assert score.is_symlink()
    assert drawn.is_symlink()
    assert names(tmp_path) == ["drawn.npy", "far", "score"]
    assert names(tmp_path / "far") == ["drawn.npy", "score"]
    assert np.load(tmp_path / "far" / "drawn.npy").shape == (10, 2)


def test_ctrl_c_while_the_program_is_being_read_is_one_line() -> None:
    code = (
        "import sys\n"
        "class Hand:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'trainer.commands.fit':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Hand())\n"
        "from trainer.cli import main\n"
        "sys.exit(main(['fit', 'ring']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert (done.stdout, done.stderr) == ("", "score-trainer: stopped by the keyboard; nothing was written\n")


def test_ctrl_c_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: object, **kwargs: object) -> Iterator[None]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("trainer.fit.Fit.run", interrupted)
    assert main(["fit", "ring", "--steps", "5", "--device", "cpu", "-o", str(tmp_path / "out")]) == 130
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("command", "option"),
    [("fit", "--target"), ("sample", "--ode-method"), ("compare", "--objectives"), ("recommend", "--json")],
)
def test_help_needs_no_torch(command: str, option: str) -> None:
    code = (
        "import sys\nfrom trainer.cli import main\n"
        f"try:\n    main(['{command}', '--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert option in done.stdout


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("score-trainer 0.")
