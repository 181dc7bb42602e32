"""Frames into files: MP4 by ffmpeg, GIF and PNG by Pillow; a file appears whole or not at all.

Every writer works on a temporary file in the target's own folder, which is synchronised and then put in the target's
place by one `os.replace`. Whatever ends the writing early (a full disk, a killed ffmpeg, a cancelled export, any
exception) removes the temporary file and leaves a target that was there before exactly as it was.

Nothing written depends on the clock, on file names or on a random number: the same frames give the same bytes.

MP4 is H.264 at constant rate factor 18 in 4:2:0, which every player shows; 4:2:0 stores colour for blocks of 2x2
pixels, so both sides must be even. RGB becomes Y'CbCr by the matrix of ITU-R BT.709, and the file says so: players
otherwise guess the matrix from the height of the picture, and the inks shift.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from explorer.capsules import append
from explorer.export.gif import GIF_MAX_FPS, GifStream
from trainer.errors import InputError

Picture = NDArray[np.uint8]
"""(height, width, 3) RGB, top row first."""

SUFFIXES = (".mp4", ".gif", ".png")

MIN_SIDE, MAX_SIDE = 160, 3840
MIN_FPS, MAX_FPS = 1, 60

_BT709 = "range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"

_PATIENCE = 120.0
"""Seconds that ffmpeg may take to finish a film after its last frame."""


class ExportError(RuntimeError):
    """An export that broke off while it was written: one line with the file and the reason."""


class Cancelled(Exception):  # noqa: N818 - it is a person's wish, not an error
    """The export was called off; nothing of it is left."""


class FrameWriter(Protocol):
    """Takes the pictures of a film one after the other."""

    def add(self, picture: Picture) -> None:
        """Append one picture of the size that the writer was opened with."""


def check_target(path: Path) -> str:
    """The suffix of a file that can be written here; `InputError` says what is wrong with it otherwise."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: cannot write {suffix or 'a file without a suffix'}; give .mp4, .gif or .png")
    probe = _beside(path)
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            path.lstat()
        if path.is_dir():
            raise InputError(f"{path}: this is a folder; give the name of a file in it")
        if not path.parent.is_dir():
            raise InputError(f"{path}: the folder {path.parent} does not exist; make it first or choose another")
        probe.open("xb").close()
        probe.unlink()
    except OSError as error:  # permissions, a name too long, a full disk, a folder that takes no files
        raise InputError(f"{path}: {error.strerror or error}; choose another place or name") from error
    return suffix


def check_format(suffix: str, size: tuple[int, int], fps: int) -> None:
    """Refuse a size (width, height) or a frame rate that this kind of file cannot hold, with one `InputError`."""
    for side, pixels in zip(("width", "height"), size, strict=True):
        if not MIN_SIDE <= pixels <= MAX_SIDE:
            raise InputError(f"size: {side} {pixels} is out of range; give {MIN_SIDE} to {MAX_SIDE} pixels")
        if suffix == ".mp4" and pixels % 2:
            raise InputError(f"size: {side} {pixels} is odd, MP4 needs even sides; give {pixels - 1} or {pixels + 1}")
    if not MIN_FPS <= fps <= MAX_FPS:
        raise InputError(f"fps: {fps} is out of range; give {MIN_FPS} to {MAX_FPS} frames per second")
    if suffix == ".gif" and fps > GIF_MAX_FPS:
        raise InputError(f"fps: {fps} is too fast, GIF viewers stop at {GIF_MAX_FPS}; give {GIF_MAX_FPS} or less")


@contextmanager
def open_film(
    path: Path,
    size: tuple[int, int],
    fps: int,
    *,
    palette: NDArray[np.uint8] | None = None,
    comment: str = "",
    session: Callable[[], bytes] = bytes,
) -> Iterator[FrameWriter]:
    """A writer of pictures of `size` (width, height); the file is at `path` once the block has ended without error.

    Args:
        path: ends in .mp4 or .gif.
        size: width and height in pixels.
        fps: pictures per second.
        palette: (n, 3) colours of a GIF, n <= 255; required there.
        comment: kept in the file's metadata.
        session: asked after the last picture for the project that the file is to carry; nothing for none.

    Raises:
        InputError: for a file, a size or a frame rate that cannot be written.
        ExportError: when writing fails half-way.
    """
    suffix = check_target(path)
    check_format(suffix, size, fps)
    if suffix == ".png":
        raise InputError(f"{path}: a PNG holds one picture; give .mp4 or .gif for a film")
    with _atomic(path) as temporary:
        if suffix == ".gif":
            if palette is None:
                raise ValueError("a GIF needs the palette of its pictures")
            with _one_line(path), temporary.open("wb") as file:
                gif = GifStream(file, size, fps, palette, comment)
                yield gif
                gif.finish()
            _carry(path, temporary, session())
        else:
            film = _Mp4(path, temporary, size, fps, comment)
            try:
                yield film
                film.finish()
            finally:
                film.reap()
            _carry(path, temporary, session())


def write_picture(path: Path, picture: Picture, *, comment: str = "", session: bytes = b"") -> None:
    """Write one PNG; `comment` becomes its iTXt entry "Comment", `session` is the project that it carries.

    Raises as `open_film` does.
    """
    check_target(path)
    info = PngInfo()
    info.add_text("Software", "Score Explorer")
    if comment:
        info.add_itxt("Comment", comment)
    with _atomic(path) as temporary:
        with _one_line(path), temporary.open("wb") as file:
            Image.fromarray(picture).save(file, format="PNG", pnginfo=info, compress_level=6)
        _carry(path, temporary, session)


def _carry(path: Path, temporary: Path, session: bytes) -> None:
    """Put the project into the file that is about to be at `path`."""
    if session:
        with _one_line(path), temporary.open("rb+") as file:
            append(file, session)


def _beside(path: Path) -> Path:
    """A name in the same folder that nothing has, with the suffix that says what to encode."""
    return path.with_name(f".{path.stem[:40]}.{secrets.token_hex(4)}.part{path.suffix}")


@contextmanager
def _atomic(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place if the block succeeds and vanishes otherwise."""
    path = path.resolve()
    temporary = _beside(path)
    with _one_line(path):
        temporary.open("xb").close()
    try:
        yield temporary
        with _one_line(path):
            if path.exists():
                temporary.chmod(path.stat().st_mode & 0o777)
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def _one_line(path: Path) -> Iterator[None]:
    """Say in one line what the system refused."""
    try:
        yield
    except OSError as error:
        raise ExportError(f"{path}: {error.strerror or error}; nothing was written") from error


class _Mp4:
    """An ffmpeg that encodes beside us: pictures go down its pipe while the next ones are painted."""

    def __init__(self, path: Path, temporary: Path, size: tuple[int, int], fps: int, comment: str) -> None:
        self._path = path
        self._shape = (size[1], size[0], 3)
        try:
            program = imageio_ffmpeg.get_ffmpeg_exe()
        except RuntimeError as error:
            raise ExportError(f"{path}: ffmpeg is missing; install imageio-ffmpeg again or export a GIF") from error
        command = [program, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-y"]
        command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}", "-r", str(fps), "-i", "pipe:0"]
        command += ["-an", "-vf", f"scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,setparams={_BT709}"]
        command += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-g", str(10 * fps)]
        # No version strings and no creation time; the index in front, so that a film starts while it is still loading.
        command += ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-movflags", "+faststart"]
        if comment:
            command += ["-metadata", f"comment={comment}"]
        # An error log in a file rather than a pipe can never fill up and stop the encoder.
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `reap`
        try:
            self._process = subprocess.Popen(
                [*command, str(temporary)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                # Ctrl-C in a terminal reaches the whole foreground group: ending the encoder is our decision.
                start_new_session=sys.platform != "win32",
                creationflags=_NO_WINDOW,
                # SIGXFSZ stays ignored as in Python, so that a full quota is an error message and not a silent death.
                restore_signals=False,
            )
        except OSError as error:
            self._log.close()
            raise ExportError(f"{path}: cannot start ffmpeg ({error.strerror}); export a GIF instead") from error

    def add(self, picture: Picture) -> None:
        """Hand one picture to the encoder; waits while the encoder is behind."""
        if picture.shape != self._shape or picture.dtype != np.uint8:
            raise ValueError(f"expected uint8 {self._shape}, got {picture.dtype} {picture.shape}")
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(np.ascontiguousarray(picture).data)
        except OSError as error:
            raise self._failure() from error

    def finish(self) -> None:
        """Let the encoder end and make sure that it is content."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except OSError as error:
            raise self._failure() from error
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise ExportError(f"{self._path}: ffmpeg did not finish; nothing was written") from error
        if self._process.returncode != 0:
            raise self._failure()

    def reap(self) -> None:
        """Leave no process behind, whatever happened."""
        if self._process.poll() is None:
            self._process.kill()
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        self._process.wait()
        self._log.close()

    def _failure(self) -> ExportError:
        try:
            self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.seek(0)
        lines = [line.strip() for line in self._log.read().decode(errors="replace").splitlines() if line.strip()]
        # ffmpeg begins its lines with the address of what speaks: "[out#0/mp4 @ 0x55e6...] ".
        reason = re.sub(r"^\[.*?\] ", "", lines[-1]) if lines else f"it ended with status {self._process.returncode}"
        return ExportError(f"{self._path}: ffmpeg stopped: {reason}; nothing was written")


_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
