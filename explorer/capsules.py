"""A session inside a picture or a film: the bytes of its project, carried where other programs pass over them.

A **capsule** is a head and a project file as `trainer.projects` writes it:

    version (1 byte) | length of the project (8 bytes, big-endian) | its SHA-256 (32 bytes) | the project

The length is held against the most that a project may have before anything is gathered, and the digest says that the
project is whole: containers but PNG have no checksum. A file that carries none is just a picture or a film.

Neither Qt nor torch is loaded.
"""

from __future__ import annotations

import hashlib
import io
import stat
import struct
from pathlib import Path
from typing import BinaryIO

from explorer.containers import MP4, SVG, container_of
from trainer.errors import InputError
from trainer.projects import LIMITS, Project, project_from, read_project

SUFFIX = ".scorex"
"""Of a project in a file of its own."""

VERSION = 1
MOST = sum(LIMITS.values())
"""Bytes that a project has at most."""

_HEAD = struct.Struct(">BQ32s")


def append(file: BinaryIO, project: bytes) -> None:
    """Put a project into an open PNG, GIF, MP4 or SVG, in place.

    Whoever calls works on a copy that takes its name when it is complete. The pictures are not touched, only what comes
    after the last one.

    Args:
        file: opened for reading and writing.
        project: what `trainer.projects.project_bytes` gives.

    Raises:
        InputError: another format, one that is cut, one that carries a session already, or a project too large.
    """
    container = container_of(file)
    end = None if container is None else container.end(file)
    if container is None or end is None:
        raise InputError("session: it fits into a whole PNG, GIF, MP4 or SVG only; export without it")
    most = min(MOST, container.most)
    if len(project) > most:
        raise InputError(f"session: {len(project):,} bytes are too many; at most {most:,} fit, export without it")
    if next(container.pieces(file), None) is not None:
        raise InputError("session: the file carries one already; export to another")
    file.seek(end)
    tail = file.read()
    file.seek(end)
    for data in container.wrapped(_HEAD.pack(VERSION, len(project), hashlib.sha256(project).digest()) + project):
        file.write(data)
    file.write(tail)
    if next(container.pieces(file), None) is None:
        raise InputError("session: the file is longer than what is searched for one; export without it")


def embed(data: bytes, project: bytes) -> bytes:
    """A picture or film with a project inside; raises as `append` does."""
    file = io.BytesIO(data)
    append(file, project)
    return file.getvalue()


def extract(path: str | Path) -> bytes | None:
    """The project that a picture or film carries; None if it carries none, or is no file of such a kind.

    Raises:
        InputError: what it carries is damaged, too large or of a later version, or the file cannot be read.
    """
    path = Path(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        with path.open("rb") as file:
            return _extract(file, str(path))
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        return None  # "no such file" is for whoever knows what was expected
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}; choose another file") from error


def _extract(file: BinaryIO, where: str) -> bytes | None:
    container = container_of(file)
    if container is None:
        return None
    gathered = bytearray()
    length, needed = None, _HEAD.size
    for data in container.pieces(file):
        gathered += data
        if length is None and len(gathered) >= _HEAD.size:
            version, length, digest = _HEAD.unpack_from(gathered)
            if version != VERSION:
                raise InputError(
                    f"{where}: the session inside is of format {version}, this program reads {VERSION}; "
                    "install a later Score Explorer"
                )
            if length > MOST:
                raise InputError(f"{where}: the session inside claims {length:,} bytes; use another copy of the file")
            needed = _HEAD.size + length
        if length is not None and len(gathered) >= needed:
            break
    if not gathered:
        return None
    if length is None or len(gathered) < needed:
        raise InputError(f"{where}: the session inside is cut short; use another copy of the file")
    project = bytes(memoryview(gathered)[_HEAD.size : needed])
    if hashlib.sha256(project).digest() != digest:
        raise InputError(f"{where}: the session inside is damaged; use another copy of the file")
    return project


def read_session(path: str | Path) -> Project | None:
    """The project that a file is, or carries inside; None for a file that may be a picture or a table to paint from.

    Raises:
        InputError: a damaged project, or a film or a drawing without one, of which no painting can be made either.
    """
    path = Path(path)
    if path.suffix.lower() == SUFFIX:
        return read_project(path)
    carried = extract(path)
    if carried is not None:
        return project_from(carried, f"{path}: the session inside")
    if path.is_file():
        with path.open("rb") as file:
            container = container_of(file)
        if container in (MP4, SVG):
            raise InputError(f"{path}: no session inside; choose a film or picture that was exported with its session")
    return None
