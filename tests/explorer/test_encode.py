"""Films and pictures as files: what they hold, and that nothing half-written is ever left."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image, ImageSequence

from explorer.export.encode import Cancelled, ExportError, check_format, check_target, open_film, write_picture
from explorer.export.gif import GifStream, blended_palette
from trainer.errors import InputError

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
SIZE = (192, 160)
PAPER, INK = (253, 252, 250), (230, 159, 0)
GROUNDS = np.linspace(PAPER, (143, 138, 126), 256).round().astype(np.uint8)
PALETTE = blended_palette(GROUNDS, [PAPER], [INK, (0, 114, 178)])


def disc(k: int) -> np.ndarray:
    """An orange disc on paper that moves two pixels a frame."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    picture = np.empty((SIZE[1], SIZE[0], 3), dtype=np.uint8)
    picture[:] = PAPER
    picture[(x - 40 - 2 * k) ** 2 + (y - 80) ** 2 < 400] = INK
    return picture


def read(path: Path) -> np.ndarray:
    """All pictures of a film, (frames, height, width, 3)."""
    command = [FFMPEG, "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, dtype=np.uint8).reshape(-1, SIZE[1], SIZE[0], 3)


def write(path: Path, frames: int = 8, fps: int = 30, comment: str = "") -> Path:
    with open_film(path, SIZE, fps, palette=PALETTE, comment=comment) as film:
        for k in range(frames):
            film.add(disc(k))
    return path


@pytest.fixture(autouse=True)
def encoders(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The encoders that a test started; all of them must have been waited for at its end."""
    started: list[subprocess.Popen[bytes]] = []

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)
            started.append(self)

    monkeypatch.setattr("explorer.export.encode.subprocess.Popen", Recorded)
    yield started
    assert [p.args for p in started if p.returncode is None] == []


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_a_film_holds_its_frames_in_their_colours_and_the_same_bytes_twice(tmp_path: Path, suffix: str) -> None:
    first, second = (write(tmp_path / f"{name}{suffix}", comment="seed 7") for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    frames = read(first)
    assert frames.shape == (8, SIZE[1], SIZE[0], 3)
    for k in (0, 7):
        error = np.abs(frames[k].astype(int) - disc(k)).max(axis=2)
        # H.264 in 4:2:0 may smear the disc's rim, and only that.
        assert np.mean(error <= 4) > 0.97
        assert error[5, 5] <= 2
        assert error[80, 40 + 2 * k] <= 3
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"a{suffix}", f"b{suffix}"]


def test_mp4_says_what_it_is(tmp_path: Path) -> None:
    comment = json.dumps({"name": "crescents", "seed": 7})
    data = write(tmp_path / "a.mp4", comment=comment).read_bytes()
    assert comment.encode() in data
    said = subprocess.run([FFMPEG, "-hide_banner", "-i", tmp_path / "a.mp4"], capture_output=True, text=True).stderr
    assert "Video: h264" in said
    assert "yuv420p(tv, bt709, progressive), 192x160" in said
    assert "30 fps" in said
    assert "creation_time" not in said
    # The index stands before the pictures, so that a film starts while it loads.
    assert data.index(b"moov") < data.index(b"mdat")


def test_gif_delays_add_up_to_the_films_length_and_it_loops_for_ever(tmp_path: Path) -> None:
    with Image.open(write(tmp_path / "a.gif", frames=31, fps=30, comment="seed 7 " * 60)) as image:
        assert image.info["loop"] == 0
        assert image.info["comment"] == b"seed 7 " * 60
        delays = [frame.info["duration"] for frame in ImageSequence.Iterator(image)]
    assert len(delays) == 31
    assert set(delays) == {30, 40}
    assert sum(delays) == 1030


def test_gif_lengthens_a_picture_that_stays() -> None:
    file = io.BytesIO()
    gif = GifStream(file, SIZE, 50, PALETTE, "")
    for k in (0, 0, 0, 0, 5, 5):
        gif.add(disc(k))
    gif.finish()
    shown, delays = [], []
    with Image.open(file) as image:
        for frame in ImageSequence.Iterator(image):
            shown.append(np.asarray(frame.convert("RGB")))
            delays.append(frame.info["duration"])
    assert delays == [80, 40]
    np.testing.assert_array_equal(shown, [disc(0), disc(5)])


def test_gif_palette_holds_the_inks_exactly_and_the_map_within_three_levels() -> None:
    assert len(PALETTE) <= 255
    colours = {tuple(int(c) for c in row) for row in PALETTE}
    assert {PAPER, INK, (0, 114, 178)} <= colours
    distance = np.abs(GROUNDS[:, None].astype(int) - PALETTE[None].astype(int)).max(axis=2).min(axis=1)
    assert distance.max() <= 3


def test_png_is_exact_and_carries_its_comment(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", disc(3), comment="seed 7, überall")
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), disc(3))
        assert image.info["Comment"] == "seed 7, überall"
    write_picture(tmp_path / "b.png", disc(3), comment="seed 7, überall")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
@pytest.mark.parametrize("before", [None, b"kept"])
def test_cancelling_leaves_everything_as_it_was(tmp_path: Path, suffix: str, before: bytes | None) -> None:
    path = tmp_path / f"a{suffix}"
    if before:
        path.write_bytes(before)

    def cancelled_film() -> None:
        with open_film(path, SIZE, 30, palette=PALETTE) as film:
            film.add(disc(0))
            raise Cancelled

    with pytest.raises(Cancelled):
        cancelled_film()
    assert [p.read_bytes() for p in tmp_path.iterdir()] == ([before] if before else [])


def test_a_killed_ffmpeg_is_one_line_and_leaves_nothing(
    tmp_path: Path, encoders: list[subprocess.Popen[bytes]]
) -> None:
    def killed_film() -> None:
        with open_film(tmp_path / "a.mp4", SIZE, 30) as film:
            film.add(disc(0))
            encoders[-1].kill()
            for k in range(200):
                film.add(disc(k))

    with pytest.raises(ExportError, match=r"a\.mp4: ffmpeg stopped: .*; nothing was written$"):
        killed_film()
    assert list(tmp_path.iterdir()) == []


FULL = """
import resource, sys
from pathlib import Path
import numpy as np
from explorer.export.encode import ExportError, open_film, write_picture
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
path, noise = Path(sys.argv[1]), np.random.default_rng(0)
try:
    if path.suffix == ".png":
        write_picture(path, noise.integers(0, 255, (160, 192, 3), dtype=np.uint8))
    else:
        grey = np.repeat(np.arange(255, dtype=np.uint8)[:, None], 3, axis=1)
        with open_film(path, (192, 160), 30, palette=grey) as film:
            for _ in range(30):
                film.add(noise.integers(0, 255, (160, 192, 3), dtype=np.uint8))
except ExportError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="files have no size limit per process there")
@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".png"])
def test_a_file_that_may_not_grow_is_one_line_and_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / f"a{suffix}")], capture_output=True, text=True, timeout=60
    )
    assert result.stderr == ""
    assert result.stdout.count("\n") == 1
    assert "File too large; nothing was written" in result.stdout
    assert list(tmp_path.iterdir()) == []


HELD = """
import subprocess, sys, time
from pathlib import Path
import numpy as np
from explorer.export.encode import open_film
class Popen(subprocess.Popen):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        Popen.last = self.pid
subprocess.Popen = Popen
with open_film(Path(sys.argv[1]), (192, 160), 30) as film:
    film.add(np.zeros((160, 192, 3), dtype=np.uint8))
    print(Popen.last, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be interrupted by a signal there")
def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HELD, str(tmp_path / "a.mp4")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    encoder = int(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=20)
    assert error.splitlines()[-1] == "KeyboardInterrupt"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(encoder, 0)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.avi", "cannot write .avi; give .mp4, .gif or .png"),
        ("a", "cannot write a file without a suffix; give .mp4, .gif or .png"),
        ("nowhere/a.mp4", "nowhere does not exist"),
        ("folder.mp4", "this is a folder"),
    ],
)
def test_a_target_that_cannot_be_is_refused_in_one_line(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(InputError, match=said) as caught:
        check_target(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="Permission denied; choose another place"):
        check_target(tmp_path / "a.mp4")


@pytest.mark.parametrize(
    ("suffix", "size", "fps", "said"),
    [
        (".mp4", (1281, 720), 30, "width 1281 is odd, MP4 needs even sides; give 1280 or 1282"),
        (".mp4", (1280, 721), 30, "height 721 is odd"),
        (".gif", (100, 160), 30, "width 100 is out of range; give 160 to 3840"),
        (".mp4", (1280, 4000), 30, "height 4000 is out of range"),
        (".mp4", (1280, 720), 61, "fps: 61 is out of range"),
        (".gif", (640, 360), 60, "fps: 60 is too fast, GIF viewers stop at 50"),
    ],
)
def test_a_format_that_cannot_be_is_refused_in_one_line(
    suffix: str, size: tuple[int, int], fps: int, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        check_format(suffix, size, fps)
    check_format(".gif", (641, 361), 50)
