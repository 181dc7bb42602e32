"""The wheel stands alone: in an empty environment it runs from a folder that knows nothing of the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(command: list[str | Path], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done


@pytest.mark.timeout(1500)
def test_wheel_installs_and_runs_from_anywhere(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    for shown in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        environment.pop(shown, None)
    run([sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path / "dist", ROOT], tmp_path, environment)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "trainer/_assets/presets/crescents.json" in names
    assert "trainer/_assets/fonts/OpenSans-Regular.ttf" in names
    assert "trainer/_assets/images/digits.npz" in names
    assert any(name.startswith("trainer/_assets/lessons/") for name in names)
    assert not [name for name in names if name.startswith("tests/") or "readme" in name]

    venv.create(tmp_path / "env", with_pip=True)
    scripts = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    run([scripts / "python", "-m", "pip", "install", "-q", "--no-compile", wheel], tmp_path, environment)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    version = run([scripts / "score-explorer", "--version"], elsewhere, environment)
    assert version.stdout.startswith("Score Explorer ")
    usage = run([scripts / "score-trainer", "--help"], elsewhere, environment)
    assert "fit" in usage.stdout
    assert "sample" in usage.stdout
    short = ["--seconds", "1", "--steps", "20", "--size", "640x360", "--fps", "5", "--json"]
    film = run([scripts / "score-explorer", "export", "crescents", "film.mp4", *short], elsewhere, environment)
    told = json.loads(film.stdout)
    assert told["width"] == 640
    assert (elsewhere / "film.mp4").stat().st_size == told["size_bytes"] > 10_000

    none = subprocess.run(
        [str(scripts / "score-explorer")], cwd=elsewhere, env=environment, capture_output=True, text=True, timeout=60
    )
    if sys.platform.startswith("linux"):
        assert none.returncode == 2
        assert none.stderr.count("\n") == 1
        assert "export" in none.stderr
