"""Films of pictures coming out of noise: frames, their times, and sizes that cannot be."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from explorer.export.pictures import DARK, LIGHT, _played, caption, film, sheet
from trainer.errors import InputError


def at(step: int) -> NDArray[np.float32]:
    """Nine pictures, all of one grey that rises with the step."""
    return np.full((9, 1, 8, 8), step / 10 - 1, np.float32)


def written(pieces: Generator[float, None, int]) -> tuple[list[float], int]:
    """All that a film tells while it is written, and how many frames it has."""
    told = []
    while True:
        try:
            told.append(next(pieces))
        except StopIteration as end:
            return told, end.value


def test_a_sheet_holds_every_picture_by_whole_pixels() -> None:
    values = np.arange(4, dtype=np.float32).reshape(4, 1, 1, 1) / 2 - 0.75
    made = sheet(np.broadcast_to(values, (4, 1, 8, 8)).copy(), (400, 300), "", DARK)
    assert made.shape == (300, 400, 3)
    greys, counts = np.unique(made[..., 0], return_counts=True)
    sizes = dict(zip(greys.tolist(), counts.tolist(), strict=True))
    areas = [sizes[round((value + 1) * 127.5)] for value in values.ravel()]
    assert len(set(areas)) == 1
    assert areas[0] % 64 == 0
    assert made[0, 0].tolist() == list(DARK.ground)
    assert sheet(np.zeros((1, 3, 500, 500), np.float32), (320, 240)).shape == (240, 320, 3)
    plain, told = (sheet(at(0), (400, 300), words) for words in ("", caption("DDIM", 0.5, 3, 20, 7)))
    changed = np.argwhere((plain != told).any(-1))
    assert len(changed) > 100
    assert changed[:, 0].min() > 300 - 50


def test_time_runs_evenly_in_steps_and_stands_still_at_both_ends() -> None:
    played = list(_played([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 110, 20))
    assert [step for step, _ in played] == list(range(11))
    assert played[0][1] == pytest.approx(10 + 11, abs=1)
    assert {number for _, number in played[1:-1]} <= {10, 11}
    assert played[-1][1] == 20 + 1
    assert sum(number for _, number in played) == 110 + 10 + 20
    few = list(_played([0, 50, 100], 10, 10))
    assert [step for step, _ in few] == [0, 50, 100]


@pytest.mark.parametrize("name", ["a.mp4", "a.gif"])
def test_a_film_shows_what_there_was(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    steps = list(range(0, 21, 2))
    told, count = written(film(path, steps, at, lambda step: f"step {step}", size=(320, 240), fps=10, seconds=2))
    assert told == pytest.approx([frame / count for frame in range(1, count + 1)])
    assert count == 20 + 5 + 10
    if name.endswith("gif"):
        with Image.open(path) as made:
            first = np.asarray(made.convert("RGB"))
            made.seek(getattr(made, "n_frames", 1) - 1)
            last = np.asarray(made.convert("RGB"))
    else:
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-f", "rawvideo"]
        data = subprocess.run([*command, "-pix_fmt", "rgb24", "-"], check=True, capture_output=True).stdout
        frames = np.frombuffer(data, np.uint8).reshape(-1, 240, 320, 3)
        assert len(frames) == count
        first, last = frames[0], frames[-1]
    middle = np.s_[60:140, 100:220]
    assert np.median(first[middle]) < 12
    assert np.median(last[middle]) > 250
    assert np.abs(first[2, 2].astype(int) - LIGHT.ground).max() < 6


def test_colours_survive_a_gif(tmp_path: Path) -> None:
    colours = np.array([[1, -1, -1], [-1, 1, -1], [-1, -1, 1]], np.float32)
    pictures = np.broadcast_to(colours[:, :, None, None], (3, 3, 8, 8)).copy()
    written(film(tmp_path / "a.gif", [0, 1], lambda _: pictures, lambda _: "", size=(320, 240), fps=5, seconds=1))
    with Image.open(tmp_path / "a.gif") as made:
        shown = {tuple(colour) for colour in np.asarray(made.convert("RGB")).reshape(-1, 3).tolist()}
    assert {(255, 0, 0), (0, 255, 0), (0, 0, 255)} <= shown


@pytest.mark.parametrize(
    ("name", "changes"),
    [("a.mp4", {"size": (321, 240)}), ("a.mp4", {"fps": 0}), ("a.gif", {"seconds": 0.1}), ("no/a.mp4", {})],
)
def test_films_that_cannot_be_leave_nothing(tmp_path: Path, name: str, changes: dict[str, object]) -> None:
    with pytest.raises(InputError):
        written(film(tmp_path / name, [0, 1], at, lambda _: "", **changes))  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.mp4", "a.gif"])
def test_a_film_that_is_stopped_leaves_nothing(tmp_path: Path, name: str) -> None:
    pieces = film(tmp_path / name, range(30), at, lambda _: "", size=(320, 240), fps=10, seconds=3)
    assert next(pieces) < next(pieces) < 0.1
    assert [path.suffix for path in tmp_path.iterdir()] == [path.suffix for path in [tmp_path / name]]
    pieces.close()
    assert not list(tmp_path.iterdir())
