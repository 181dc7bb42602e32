"""A folder of pictures, its subfolders included: every file whose name ends as a picture's does, in sorted order.

Where no picture lies in the folder itself and they lie in two or more of its subfolders, the subfolders' names are the
classes, in sorted order. Hidden files and folders are passed over, and links to folders are not followed.

Files are read one by one with `trainer.images.decoding`. One that cannot be read is passed over too, and said in
`Pictures.skipped` with its reason. If no size is asked for, the pictures keep the size that they have, which must then
be the same square for all once they are cut; if no colour is asked for, they are coloured if any of them is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np

from trainer.errors import InputError
from trainer.images.decoding import Header, Unreadable, picture_suffixes, read_header, read_picture
from trainer.images.fitting import Colour, check_room, chosen
from trainer.images.pictures import Pictures

Opener = Callable[[], Path | BytesIO]
"""Gives the file of one picture, or raises `Unreadable`."""

_TOLD = 3  # skipped files in the line of an error


def read_folder(path: Path, size: int | None, colour: Colour | None, limit: int | None) -> Pictures:
    """The pictures of a folder.

    Raises:
        InputError: no picture in it, none that can be read, several sizes and no `size`, or too many for the memory.
    """
    files = _picture_files(path)
    if not files:
        raise InputError(f"{path}: holds no pictures; give a folder of .png, .jpg or other picture files")
    parts = [file.relative_to(path).parts for file in files]
    classes = tuple(sorted({part[0] for part in parts if len(part) > 1}))
    labelled = len(classes) > 1 and all(len(part) > 1 for part in parts)
    number = {name: k for k, name in enumerate(classes)}
    labels = [number[part[0]] for part in parts] if labelled else None
    names = ["/".join(part) for part in parts]
    openers: list[Opener] = [lambda file=file: file for file in files]  # type: ignore[misc]
    return gather(path, names, openers, labels, classes if labelled else (), size, colour, limit)


def gather(
    path: Path,
    names: Sequence[str],
    openers: Sequence[Opener],
    labels: Sequence[int] | None,
    classes: tuple[str, ...],
    size: int | None,
    colour: Colour | None,
    limit: int | None,
) -> Pictures:
    """The pictures that `openers` open, and whose `names` lead the lines of those that cannot be read.

    Headers are read before any picture is, so that memory is asked for once and only if there is enough.

    Raises:
        InputError: as `read_folder`.
    """
    skipped: dict[int, str] = {}
    headers: dict[int, Header] = {}
    for k in chosen(len(openers), limit).tolist():
        try:
            headers[k] = read_header(openers[k]())
        except Unreadable as error:
            skipped[k] = f"{names[k]}: {error}"
    if not headers:
        raise _none(path, skipped)
    sides = {header.side for header in headers.values()}
    if size is None and len(sides) > 1:
        raise InputError(
            f"{path}: pictures of {min(sides)} to {max(sides)} pixels a side; say which size, such as "
            f"--size {min(64, max(8, min(sides)))}"
        )
    side = size or sides.pop()
    tint: Colour = colour or ("rgb" if any(header.coloured for header in headers.values()) else "grey")
    shape = (1 if tint == "grey" else 3, side, side)
    check_room(str(path), len(headers), shape, 1)
    values = np.empty((len(headers), *shape), np.uint8)
    read: list[int] = []
    for k in headers:
        try:
            values[len(read)] = read_picture(openers[k](), side, tint)
        except Unreadable as error:
            skipped[k] = f"{names[k]}: {error}"
        else:
            read.append(k)
    if not read:
        raise _none(path, skipped)
    return Pictures(
        name=path.resolve().name,
        values=values[: len(read)],
        levels=256,
        labels=None if labels is None else np.array(labels, np.int64)[read],
        skipped=tuple(skipped[k] for k in sorted(skipped)),
        classes=classes,
    )


def _picture_files(path: Path) -> list[Path]:
    """All files below the folder that are named like pictures, sorted by folder and name."""
    suffixes = picture_suffixes()
    found: list[Path] = []
    try:
        for folder, inner, files in os.walk(path, onerror=_raise):
            inner[:] = [name for name in inner if not name.startswith(".")]
            for name in files:
                file = Path(folder, name)
                if not name.startswith(".") and file.suffix.lower() in suffixes and file.is_file():
                    found.append(file)
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror}); check its permissions") from None
    return sorted(found, key=lambda file: file.relative_to(path).parts)


def _raise(error: OSError) -> None:
    raise error


def _none(path: Path, skipped: dict[int, str]) -> InputError:
    told = "; ".join([skipped[k] for k in sorted(skipped)][:_TOLD])
    more = len(skipped) - _TOLD
    rest = f"; and {more:,} more" if more > 0 else ""
    return InputError(f"{path}: none of its {len(skipped):,} pictures can be read: {told}{rest}")
