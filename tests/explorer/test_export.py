"""Films and pictures from a preset, a project or a recipe: what they show, that they repeat, and how they end early."""

from __future__ import annotations

import json
import multiprocessing
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from explorer.cli import main
from explorer.engine.messages import Repaint
from explorer.export.encode import Cancelled
from explorer.export.replay import read_script
from explorer.export.request import DEFAULT_STEPS, ExportRequest, export, export_process
from explorer.export.runner import ExportRunner
from explorer.recipe import Recipe, to_entry
from explorer.views.field import FieldView
from trainer.errors import InputError
from trainer.paintings import preset_weights
from trainer.projects import Setup, write_project
from trainer.scenes import Pane, Scene, story
from trainer.settings import FitSettings, NetworkSettings, ParticleSettings

PARTICLES = ParticleSettings(number=200, levels=4, steps=3, fine_steps=2)
FIT = FitSettings(network=NetworkSettings(width=16, depth=1, features=8))
SETUP = Setup(preset_weights("crescents"), "crescents", FIT, Scene(story(PARTICLES)), seed=5, particle_seed=6)
RECIPE = Recipe(SETUP, (), steps=30)


def request(out: Path, source: str | Recipe = RECIPE, **changes: object) -> ExportRequest:
    return replace(ExportRequest(source, str(out), size=(320, 240), fps=5, seconds=2.0, device="cpu"), **changes)


def silent(done: int, total: int, what: str) -> None:
    """Take a report of progress."""


def never() -> bool:
    return False


def read(path: Path) -> np.ndarray:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, dtype=np.uint8).reshape(-1, 240, 320, 3)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a folder of its own."""
    folder = tmp_path / "projects"
    folder.mkdir()
    write_project(folder / "a.scorex", RECIPE.to_project(SETUP, sigma=0.2))
    return folder / "a.scorex"


# --- the run that an export shows


def test_a_preset_has_the_default_settings() -> None:
    script = read_script(ExportRequest("far-modes", "a.mp4"))
    assert (script.initial.name, script.initial.seed, script.steps) == ("far-modes", 0, DEFAULT_STEPS)
    assert script.cues == ()
    assert script.sigma == 0.1


def test_a_project_keeps_its_seeds_steps_and_sigma_unless_told(project: Path) -> None:
    script = read_script(ExportRequest(str(project), "a.mp4"))
    assert (script.initial.seed, script.initial.particle_seed, script.steps, script.sigma) == (5, 6, 30, 0.2)
    script = read_script(ExportRequest(str(project), "a.mp4", seed=9, steps=4))
    assert (script.initial.seed, script.initial.particle_seed, script.steps) == (9, 9, 4)


def test_a_journal_is_replayed_up_to_the_last_step() -> None:
    other = preset_weights("far-modes")
    journal = tuple(to_entry(at, Repaint(at, other, "far-modes"), SETUP) for at in (10, 20))
    script = read_script(ExportRequest(Recipe(SETUP, journal, 25), "a.mp4", steps=15))
    assert [at for at, _ in script.cues] == [10]
    assert script.steps == 15


def test_readings_that_fall_back_go_on_from_where_the_counter_began_again() -> None:
    other = preset_weights("far-modes")
    journal = tuple(to_entry(at, Repaint(at, other, "far-modes"), SETUP) for at in (10, 30, 5, 7))
    assert [at for at, _ in read_script(ExportRequest(Recipe(SETUP, journal, 9), "a.mp4")).cues] == [10, 30, 35, 37]


def test_an_empty_painting_is_refused() -> None:
    empty = Recipe(replace(SETUP, weights=np.zeros((128, 128), np.float32)))
    with pytest.raises(InputError, match="nothing is painted"):
        read_script(ExportRequest(empty, "a.mp4"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"seconds": 0.5}, "give 1 to 600"), ({"steps": -1}, "give 0 to 1000000"), ({"seed": -1}, "seed: -1")],
)
def test_numbers_out_of_range_are_refused(changes: dict[str, float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        replace(ExportRequest("crescents", "a.mp4"), **changes)


# --- films


def test_a_film_of_any_scene_is_made(tmp_path: Path) -> None:
    settings = replace(PARTICLES, diffusion_steps=8)
    scene = Scene(tuple(Pane(sampler, settings) for sampler in ("sde", "annealed", "ddim", "langevin")))
    result = export(request(tmp_path / "a.mp4", Recipe(replace(SETUP, scene=scene), (), 20)), silent, never)
    assert list(result.ledger) == ["sde", "annealed", "ddim", "langevin"]
    alone = Recipe(replace(SETUP, scene=Scene((Pane("ode", settings),))), (), 20)
    assert list(export(request(tmp_path / "b.png", alone), silent, never).ledger) == ["ode"]


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_two_runs_give_the_same_film(tmp_path: Path, suffix: str) -> None:
    told: list[tuple[int, int, str]] = []
    films = [tmp_path / f"{name}{suffix}" for name in "ab"]
    results = [export(request(film), lambda *values: told.append(values), never) for film in films]
    assert films[0].read_bytes() == films[1].read_bytes()
    assert told[:10] == [(k + 1, 10, "learning" if k < 4 else "sampling") for k in range(10)]
    result = results[0]
    assert (result.width, result.height, result.frames, result.steps) == (320, 240, 10, 30)
    assert result.size_bytes == films[0].stat().st_size
    assert set(result.errors) == {"0.02", "0.05", "0.1", "0.3", "1"}
    assert all(0 < error < 10 for error in result.errors.values())
    assert set(result.ledger) == {"ascent", "langevin", "annealed"}
    for pane in result.ledger.values():
        assert sum(mode["mass"] for mode in pane["modes"]) == pytest.approx(1, abs=0.01)
        assert sum(mode["share"] for mode in pane["modes"]) + pane["elsewhere"] == pytest.approx(1, abs=0.01)
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"a{suffix}", f"b{suffix}"]


def test_a_film_shows_orange_and_blue_arrows_then_green_particles(tmp_path: Path) -> None:
    export(request(tmp_path / "a.mp4"), silent, never)
    frames = read(tmp_path / "a.mp4").astype(int)
    assert len(frames) == 10
    red, green, blue = frames[..., 0], frames[..., 1], frames[..., 2]
    orange = ((red - blue > 60) & (red > green)).sum(axis=(1, 2))
    sky = ((blue - red > 60) & (blue > green)).sum(axis=(1, 2))
    leaf = ((green - red > 60) & (green > blue)).sum(axis=(1, 2))
    assert min(sky[:4]) > 200
    assert orange[3] > 100
    assert max(leaf[:4]) < 20
    assert max(orange[4:]) < 20
    assert min(leaf[4:]) > 200


def test_a_gif_says_where_it_comes_from(tmp_path: Path) -> None:
    export(request(tmp_path / "a.gif"), silent, never)
    with Image.open(tmp_path / "a.gif") as image:
        origin = json.loads(image.info["comment"])
        durations = [frame.info["duration"] for frame in ImageSequence.Iterator(image)]
    assert (origin["painting"], origin["seed"], origin["steps"]) == ("crescents", 5, 30)
    assert [pane["settings"]["number"] for pane in origin["scene"]["panes"]] == [200] * 3
    assert origin["torch"] == torch.__version__
    assert sum(durations) == 2000


def test_a_repaint_in_the_journal_shows_in_the_film(tmp_path: Path) -> None:
    entry = to_entry(15, Repaint(1, preset_weights("far-modes"), "far-modes"), SETUP)
    export(request(tmp_path / "a.gif", Recipe(SETUP, (entry,), 30), seconds=4.0), silent, never)
    export(request(tmp_path / "b.gif", seconds=4.0), silent, never)
    with Image.open(tmp_path / "a.gif") as one, Image.open(tmp_path / "b.gif") as two:
        pairs = zip(ImageSequence.Iterator(one), ImageSequence.Iterator(two), strict=True)
        same = [np.array_equal(a.convert("RGB"), b.convert("RGB")) for a, b in pairs]
    assert same[0]
    assert not same[-1]


def test_a_picture_repeats_and_says_where_it_comes_from(tmp_path: Path) -> None:
    for name in "ab":
        result = export(request(tmp_path / f"{name}.png", size=(641, 361), theme="dark"), silent, never)
    assert (result.frames, result.width, result.height) == (1, 641, 361)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (641, 361)
        assert json.loads(image.info["Comment"])["seed"] == 5
        assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > 100


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.png"])
def test_cancelling_leaves_everything_as_it_was(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"kept")
    asked = 0

    def soon() -> bool:
        nonlocal asked
        asked += 1
        return asked > 2

    with pytest.raises(Cancelled):
        export(request(tmp_path / name), silent, soon)
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"kept"]


def test_an_error_while_drawing_ends_the_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("arrows")

    monkeypatch.setattr(FieldView, "show_frame", broken)
    with pytest.raises(ZeroDivisionError, match="arrows"):
        export(request(tmp_path / "a.mp4"), silent, never)
    assert list(tmp_path.iterdir()) == []


# --- the command


def command(*words: object) -> list[str]:
    options = ["--size", "320x240", "--fps", "5", "--seconds", "2"]
    return ["export", *(str(word) for word in words), *options]


def test_the_command_prints_one_json_object(tmp_path: Path, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command(project, tmp_path / "a.gif"), "--json", "--steps", "12"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["path"] == str(tmp_path / "a.gif")
    assert (values["width"], values["height"], values["frames"], values["steps"]) == (320, 240, 10, 12)
    assert values["size_bytes"] == (tmp_path / "a.gif").stat().st_size
    assert values["seconds_taken"] > 0
    assert set(values["ledger"]["annealed"]["modes"][0]) == {"centre", "mass", "share", "low", "high"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing", "a.mp4"), "nothing: neither a file nor a preset; give a .scorex project, a picture or one of"),
        (("crescents", "a.avi"), "cannot write .avi"),
        (("crescents", "nowhere/a.mp4"), "nowhere does not exist"),
        (("crescents", "/proc/a.png"), "choose another place or name"),
        (("crescents", f"{'a' * 300}.mp4"), "File name too long; choose another place or name"),
        (("crescents", "a.mp4", "--size", "321x240"), "width 321 is odd"),
        (("crescents", "a.mp4", "--size", "80x80"), "width 80 is out of range"),
        (("crescents", "a.mp4", "--fps", "0"), "fps: 0 is out of range"),
        (("crescents", "a.gif", "--fps", "60"), "GIF viewers stop at 50"),
        (("crescents", "a.mp4", "--seconds", "nan"), "seconds: nan is out of range"),
        (("crescents", "a.mp4", "--steps", "-3"), "steps: -3 is out of range"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", *words, "--json"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert said in output.err
    assert list(tmp_path.iterdir()) == []


def test_a_size_that_is_none_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["export", "crescents", "a.mp4", "--size", "large"])
    assert "'large' is not a size; give width x height in pixels" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="signals and a bare environment are POSIX matters")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_in_a_bare_environment_it_leaves_nothing(tmp_path: Path, project: Path, number: int) -> None:
    arguments = [sys.executable, "-m", "explorer.cli", "export", str(project), str(tmp_path / "a.mp4")]
    arguments += ["--size", "320x240", "--seconds", "600", "--json"]
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        arguments, cwd=root, env={}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    output, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert output == ""
    assert error.splitlines()[-1] == "score-explorer export: cancelled; nothing was written"
    assert [p.name for p in tmp_path.iterdir()] == ["projects"]


def test_the_command_loads_neither_torch_nor_qt() -> None:
    code = """
import sys
import explorer.export.command
print([name for name in sys.modules if name.split(".")[0] in ("torch", "PySide6")])
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


# --- the process beside the window


class Beside:
    """An export in a process of its own, and the window's end of the pipe."""

    def __init__(self, wanted: ExportRequest) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=export_process, args=(theirs, wanted), daemon=True)
        self.process.start()
        theirs.close()

    def until(self, kind: str) -> tuple[object, ...]:
        """The first message of this kind; those before it are progress."""
        while self.connection.poll(60):
            message = self.connection.recv()
            if message[0] == kind and (kind != "progress" or message[1] > 0):
                return message
            assert message[0] == "progress"
        raise AssertionError(f"no message {kind!r}")

    def end(self) -> int | None:
        self.process.join(30)
        code = self.process.exitcode
        self.connection.close()
        self.process.close()
        return code


def test_a_process_tells_how_far_it_is_and_when_it_is_done(tmp_path: Path) -> None:
    beside = Beside(request(tmp_path / "a.gif"))
    assert beside.until("progress")[2:] in ((10, "learning"), (10, "sampling"))
    assert beside.until("finished") == ("finished", str(tmp_path / "a.gif"))
    assert beside.end() == 0
    assert (tmp_path / "a.gif").stat().st_size > 1000


def test_a_process_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    beside = Beside(request(tmp_path / "a.gif", "nothing"))
    kind, line = beside.until("failed")
    assert kind == "failed"
    assert str(line).startswith("nothing: neither a file nor a preset")
    assert beside.end() == 0


def test_a_process_stops_at_the_word_cancel_and_when_the_window_is_gone(tmp_path: Path) -> None:
    long = request(tmp_path / "a.mp4", seconds=600.0, fps=60)
    told, left = Beside(long), Beside(replace(long, out=str(tmp_path / "b.mp4")))
    told.until("progress")
    left.until("progress")
    assert len(list(tmp_path.iterdir())) == 2
    told.connection.send("cancel")
    assert told.until("cancelled") == ("cancelled",)
    assert told.end() == 0
    left.connection.close()
    assert left.end() == 0
    assert list(tmp_path.iterdir()) == []


def test_a_runner_whose_process_cannot_start_does_not_run(qtbot: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise OSError("no more processes")

    runner = ExportRunner()
    monkeypatch.setattr("multiprocessing.context.SpawnProcess.start", refuse)
    with pytest.raises(OSError, match="no more processes"):
        runner.start(ExportRequest("crescents", "a.mp4"))
    assert not runner.running
    runner.close()
