"""`score-trainer images`: what the commands report, write, refuse and resume."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.trainer.command_line import refused, values_of
from tests.trainer.images.small import small_checkpoint
from trainer.cli import main
from trainer.images.journal import read_journal
from trainer.images.sources import read_pictures

TRAIN = ("images", "train", "digits", "--limit", 60, "--batch", 8, "--device", "cpu")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of six steps, with two checkpoints."""
    place = tmp_path_factory.mktemp("images") / "run"
    asked = (*TRAIN, "-o", place, "--steps", 6, "--checkpoint-every", 3, "--seed", 5)
    assert main([*map(str, asked), "--json"]) == 0
    return place


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return small_checkpoint(tmp_path / "model")


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_train_reports_what_it_did(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again = values_of(capsys, *TRAIN, "-o", run, "--steps", 6, "--checkpoint-every", 3, "--seed", 5, "--resume")
    assert (again["steps"], again["pictures"], again["held_out"], again["seed"]) == (6, 48, 12, 5)
    assert again["checkpoint"] == str(run / "checkpoint-000006")
    assert again["settings"]["objective"] == "ncsn"
    assert again["ended"] == "steps"
    assert sorted(path.name for path in (run / "samples").iterdir()) == ["step-000003.png", "step-000006.png"]
    assert size_of(run / "samples" / "step-000006.png") == (8 * 33 - 1,) * 2
    lines = [line for line in read_journal(run) if "checkpoint" in line]
    assert [(line["step"], line["diverged"]) for line in lines] == [(3, 0), (6, 0)]


def test_train_stops_when_time_is_up_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "run"
    found = values_of(capsys, *TRAIN, "-o", place, "--objective", "ddpm", "--minutes", 0.01, "--keep", 1)
    assert found["ended"] == "time"
    assert found["seconds"] >= 0.6
    assert [path.name for path in place.glob("checkpoint-*")] == [Path(found["checkpoint"]).name]
    more = found["steps"] + 2
    asked = (*TRAIN, "-o", place, "--objective", "ddpm", "--steps", more, "--resume")
    assert main([*map(str, asked)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"done: {more:,} steps in ")
    assert "48 pictures learned, 12 held out\nsaved in " in out
    assert err.startswith(f"score-trainer: step {more:,}: loss ")


def test_what_could_not_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for k in range(12):
        Image.fromarray(np.full((8, 8), 20 * k, np.uint8)).save(folder / f"{k:02d}.png")
    for k in range(5):
        (folder / f"bad{k}.png").write_bytes(b"no picture")
    asked = ("images", "train", folder, "-o", tmp_path / "run", "--steps", 1, "--batch", 4, "--held-out", 0)
    assert main([*map(str, asked), "--device", "cpu", "--json"]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["pictures"], json.loads(out)["held_out"]) == (12, 0)
    assert "5 left out: " in err
    assert err.count("bad") == 3
    assert "; and 2 more" in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_ctrl_c_saves_and_ends_cleanly(tmp_path: Path) -> None:
    place = tmp_path / "run"
    asked = [sys.executable, "-m", "trainer.cli", *map(str, TRAIN), "-o", str(place), "--steps", "100000", "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        until = time.monotonic() + 120
        while not (place / "metrics.jsonl").exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0, err
    found = json.loads(out)
    assert found["ended"] == "interrupted"
    assert Path(found["checkpoint"], "trainer.json").is_file()
    assert "Traceback" not in err


def test_other_processes_keep_quiet(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.commands import images_options

    monkeypatch.setattr(images_options, "leads", lambda: False)
    asked = (*TRAIN, "-o", run, "--steps", 6, "--checkpoint-every", 3, "--seed", 5, "--resume", "--json")
    assert main([*map(str, asked)]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("command", "option"),
    [("train", "--objective"), ("sample", "--eta"), ("evaluate", "--classifier"), ("info", "--json")],
)
def test_help_needs_no_torch(command: str, option: str) -> None:
    code = (
        "import sys\nfrom trainer.cli import main\n"
        f"try:\n    main(['images', '{command}', '--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert option in done.stdout


# --- sample -------------------------------------------------------------------------------------------------------


def test_sample_writes_a_grid_and_values(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grid, values = tmp_path / "grid.png", tmp_path / "samples.npz"
    few = ("--sampler", "sde", "--diffusion-steps", 5, "--device", "cpu", "--seed", 2)
    found = values_of(capsys, "images", "sample", model, "-n", 6, *few, "-o", grid, "-o", values, "--columns", 2)
    assert (found["n"], found["evaluations"], found["shape"]) == (6, 5, [1, 8, 8])
    assert found["settings"]["diffusion_steps"] == 5
    assert found["files"] == [str(grid), str(values)]
    assert size_of(grid) == (65, 98)
    pictures = read_pictures(values)
    assert (pictures.levels, pictures.shape, len(pictures)) == (256, (1, 8, 8), 6)
    again = tmp_path / "again.npz"
    values_of(capsys, "images", "sample", model, "-n", 6, *few, "-o", again, "--batch", 4)
    assert np.abs(read_pictures(again).values.astype(int) - pictures.values).max() <= 1


def test_a_ladder_of_ones_own_gets_the_step_that_fits_it(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from trainer.annealing import langevin_step

    ladder = ("--levels", 5, "--steps", 2, "--device", "cpu")
    found = values_of(capsys, "images", "sample", model, "-n", 2, *ladder)["settings"]
    ratio = (found["sigma_max"] / found["sigma_min"]) ** 0.25
    assert found["epsilon"] == pytest.approx(langevin_step(found["sigma_min"], ratio, 2))
    assert found["fine_steps"] == 2
    found = values_of(capsys, "images", "sample", model, "-n", 2, *ladder, "--epsilon", 1e-3)["settings"]
    assert found["epsilon"] == 1e-3


# --- evaluate and info --------------------------------------------------------------------------------------------


def test_evaluate_judges_a_model_and_a_file(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    eyes, samples = tmp_path / "eyes", tmp_path / "samples.npz"
    data = ("--data", "digits", "--limit", 60, "--classifier", eyes, "--device", "cpu")
    few = ("--sampler", "ode", "--diffusion-steps", 4)
    found = values_of(capsys, "images", "evaluate", run, *data, *few)
    assert found["same_training_pictures"]
    assert found["counts"] == {"samples": 12, "train": 48, "held_out": 12}
    assert (found["sampler"], found["evaluations"], found["step"]) == ("ode", 7, 6)
    assert (eyes / "classifier.json").is_file()
    values_of(capsys, "images", "sample", run, "-n", 12, *few, "-o", samples, "--device", "cpu")
    other = values_of(capsys, "images", "evaluate", samples, *data)
    assert other["sampler"] is None
    for name in ("accuracy", "frechet", "frechet_floor", "frechet_noise", "coverage", "memorised"):
        assert other[name] == pytest.approx(found[name])
    assert main(["images", "evaluate", str(samples), *map(str, data)]) == 0
    rows = [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:6]]
    assert rows == ["samples", "floor", "held-out", "noise"]


def test_other_pictures_than_those_of_training_are_told(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ("--sampler", "ode", "--diffusion-steps", 2, "--device", "cpu", "--json")
    asked = ("images", "evaluate", run, "--data", "digits", "--limit", 70, *few)
    assert main([*map(str, asked)]) == 0
    out, err = capsys.readouterr()
    assert not json.loads(out)["same_training_pictures"]
    assert "was not trained on just these pictures (48 of digits)" in err


def test_info_says_what_a_checkpoint_is(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = values_of(capsys, "images", "info", run)
    assert found["checkpoints"] == ["checkpoint-000003", "checkpoint-000006"]
    assert (found["card"]["step"], found["card"]["seed"], found["card"]["shape"]) == (6, 5, [1, 8, 8])
    assert found["recommended"]["ode"]["evaluations"] == 79
    assert main(["images", "info", str(run)]) == 0
    assert "pictures: 8 x 8, grey, 17 levels" in capsys.readouterr().out


# --- bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--batch", 0), "--batch: 0 is out of range"),
        (("--objective", "ddpm", "--levels", 9), "--levels: has no effect on ddpm"),
        (("--held-out", 0.999), "--held-out: 0.999 of 60 pictures"),
        (("--held-out", 2), "--held-out: 2 is out of range"),
        (("--size", 0), "size"),
        (("--minutes", 0), "--minutes: 0 is out of range"),
        (("--sigma-min", 3.0, "--sigma-max", 2.0), "--sigma-max: 2 is not above"),
        (("--preset", "huge"), "--preset: invalid choice"),
    ],
)
def test_bad_training_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[Any, ...], line: str
) -> None:
    assert line in refused(capsys, *TRAIN, "-o", tmp_path / "run", *options)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("-o", "grid.jpg"), "grid.jpg: -o wants a name that ends in .png or .npz"),
        (("-o", "nowhere/grid.png"), "there is no folder"),
        (("-n", 0), "-n: 0 is out of range"),
        (("--eta", 1), "--eta: has no effect on the sampler annealed, only on ddim"),
        (("--sampler", "ode", "--start-sigma", 900), "--start-sigma: 900 is outside the model's noise levels"),
        (("--sigma-max", 5000), "--sigma-max: 5000 is out of range"),
        (("--columns", 3), "--columns: has no effect without -o grid.png"),
        (("--sampler", "mala"), "invalid choice"),
    ],
)
def test_bad_sampling_is_refused(
    model: Path, capsys: pytest.CaptureFixture[str], options: tuple[Any, ...], line: str
) -> None:
    assert line in refused(capsys, "images", "sample", model, "--device", "cpu", *options)


def test_bad_places_are_refused(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "holds a run already; resume it" in refused(capsys, *TRAIN, "-o", run, "--steps", 2)
    assert "does not exist" in refused(capsys, "images", "info", tmp_path / "none")
    assert "does not exist" in refused(capsys, "images", "evaluate", tmp_path / "none", "--data", "digits")
    larger = ("--data", "digits", "--size", 16, "--device", "cpu")
    assert "makes pictures of (1, 8, 8), but those of digits are" in refused(capsys, "images", "evaluate", run, *larger)
    assert "no such file or folder" in refused(capsys, "images", "evaluate", run, "--data", tmp_path / "none")
    nothing = ("--data", "digits", "--held-out", 0)
    assert "--held-out: 0 leaves nothing to judge by" in refused(capsys, "images", "evaluate", run, *nothing)
