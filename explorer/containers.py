"""Where PNG, GIF, MP4 and SVG let a file carry bytes that other programs pass over.

| format | place | source |
|---|---|---|
| PNG | ancillary, private, safe-to-copy chunks `scEx` before IEND, at most 1 MiB each | PNG (W3C), sections 5.4, 14 |
| GIF | an application extension `ScoreExp1.0` before the trailer, in blocks of 255 bytes | GIF89a, section 26 |
| MP4 | a top-level `uuid` box after all others, which moves nothing that an index points at | ISO 14496-12, 4.2, 11.1 |
| SVG | elements of a namespace of their own in a last `<metadata>`, base64 | SVG 1.1, section 21 |

Long payloads are cut: libpng warns of chunks over 8 MB, and libxml2 refuses text nodes over 10 MB.

Nothing in a file is believed. Reading goes from one length to the next, never holds more than a piece, takes a bounded
number of steps, and ends quietly where a length leads out of the file: whether what was found is whole is for
`explorer.capsules` to say. XML with entities of its own is read no further.
"""

from __future__ import annotations

import base64
import binascii
import struct
import xml.parsers.expat
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import BinaryIO

PIECE = 2**20
"""Bytes of a payload handed on at a time, and of a PNG chunk."""

PNG_KIND = b"scEx"
GIF_NAME = b"ScoreExp1.0"
MP4_NAME = bytes.fromhex("a3c1f0575c0b4e0f9d5e736578706c72")
"""The box's UUID, of version 4."""
SVG_SPACE = "urn:score-explorer:session"

_MOST_CHUNKS, _MOST_BOXES, _MOST_BLOCKS, _MOST_ELEMENTS = 200_000, 100_000, 2_000_000, 1_000_000
"""Steps that are followed in a PNG, an MP4, a GIF and an SVG: what a person has made has fewer."""

_MOST_SVG, _MOST_TAG = 2**26, 2**23
"""Bytes that are read of an SVG, and of one tag in it: expat begins a tag anew with every piece until it is whole."""
_PART = 3 * PIECE
"""Bytes that one element of an SVG holds; base64 makes a third more of them."""


@dataclass(frozen=True)
class Container:
    """A format of file.

    Attributes:
        name: as a person calls it.
        pieces: the payload's bytes, piece by piece; nothing where none is, less than all where the file is cut.
        end: where a payload goes: the offset of what must stay last; None in a file that is not whole.
        wrapped: a payload as it lies in the file.
        most: bytes of the largest payload that fits.
    """

    name: str
    pieces: Callable[[BinaryIO], Iterator[bytes]]
    end: Callable[[BinaryIO], int | None]
    wrapped: Callable[[bytes], Iterator[bytes]]
    most: int = 2**30


def container_of(file: BinaryIO) -> Container | None:
    """The format of an open file by its first bytes, whatever it is called; None for any other."""
    file.seek(0)
    head = file.read(64)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if head[4:8] == b"ftyp":
        return MP4
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"<?xml", b"<svg", b"<!")):
        return SVG
    return None


def _some(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The next `size` bytes, or what there is of them, in pieces."""
    while size > 0 and (data := file.read(min(size, PIECE))):
        size -= len(data)
        yield data


def _cut(payload: bytes, size: int) -> Iterator[memoryview]:
    view = memoryview(payload)
    return (view[k : k + size] for k in range(0, len(view), size))


# --- PNG --------------------------------------------------------------------------------------------------------


def _png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """(kind, offset of the chunk, length of its data), IEND last; the file stands at the data."""
    at = 8
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head)
        yield kind, at, length
        if kind == b"IEND" or length >= 2**31:
            return
        at += 12 + length


def _png_pieces(file: BinaryIO) -> Iterator[bytes]:
    for kind, _, length in _png_chunks(file):
        if kind == PNG_KIND:
            yield from _some(file, length)


def _png_end(file: BinaryIO) -> int | None:
    return next((at for kind, at, _ in _png_chunks(file) if kind == b"IEND"), None)


def _png_wrapped(payload: bytes) -> Iterator[bytes]:
    for data in _cut(payload, PIECE):
        yield struct.pack(">I", len(data)) + PNG_KIND
        yield bytes(data)
        yield struct.pack(">I", zlib.crc32(data, zlib.crc32(PNG_KIND)))


# --- GIF --------------------------------------------------------------------------------------------------------


def _gif_blocks(file: BinaryIO) -> Iterator[tuple[str, int]]:
    """("ours", offset) with the file at our extension's blocks, and at last ("end", offset of the trailer)."""
    steps = iter(repeat(None, _MOST_BLOCKS))
    file.seek(10)
    _gif_colours(file, file.read(3)[:1])
    for _ in steps:
        at, kind = file.tell(), file.read(1)
        if kind == b";":
            yield "end", at
            return
        if kind == b",":
            _gif_colours(file, file.read(9)[8:])
            file.seek(1, 1)  # the width of the codes
        elif kind != b"!":
            return
        elif file.read(1) == b"\xff":
            size = file.read(1)
            if file.read(size[0] if size else 0) == GIF_NAME:
                start = file.tell()
                yield "ours", at
                file.seek(start)
        for _ in steps:
            size = file.read(1)
            if not size or size == b"\0":
                break
            file.seek(size[0], 1)


def _gif_colours(file: BinaryIO, flags: bytes) -> None:
    """Go past the table of colours that these flags announce."""
    if flags and flags[0] & 0x80:
        file.seek(3 << (flags[0] & 7) + 1, 1)


def _gif_pieces(file: BinaryIO) -> Iterator[bytes]:
    steps = range(2 * _MOST_BLOCKS)
    for what, _ in _gif_blocks(file):
        for _ in steps if what == "ours" else ():
            size = file.read(1)
            if not size or size == b"\0":
                break
            yield file.read(size[0])


def _gif_end(file: BinaryIO) -> int | None:
    return next((at for what, at in _gif_blocks(file) if what == "end"), None)


def _gif_wrapped(payload: bytes) -> Iterator[bytes]:
    yield b"!\xff" + bytes([len(GIF_NAME)]) + GIF_NAME
    for data in _cut(payload, 255 * 256):
        yield b"".join(bytes([len(block)]) + block for block in map(bytes, _cut(bytes(data), 255)))
    yield b"\0"


# --- MP4 --------------------------------------------------------------------------------------------------------


def _mp4_boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """(kind, bytes of its contents, offset after it) of every top-level box; the file stands at the contents."""
    end, at = file.seek(0, 2), 0
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        size, kind = struct.unpack(">I4s", head)
        used = 8
        if size == 1:
            used, long = 16, file.read(8)
            size = int.from_bytes(long) if len(long) == 8 else 0
        elif size == 0:
            size = end - at
        if size < used:
            return
        at += size
        yield kind, size - used, at
        if at > end:
            return


def _mp4_pieces(file: BinaryIO) -> Iterator[bytes]:
    for kind, size, _ in _mp4_boxes(file):
        if kind == b"uuid" and size >= len(MP4_NAME) and file.read(len(MP4_NAME)) == MP4_NAME:
            yield from _some(file, size - len(MP4_NAME))


def _mp4_end(file: BinaryIO) -> int | None:
    """The file's end, if the last box ends there and says so: one without a length would swallow what follows."""
    after, last = 0, 0
    for _, _, at in _mp4_boxes(file):
        last, after = after, at
    if after == 0 or after != file.seek(0, 2):
        return None
    file.seek(last)
    return None if file.read(4) == b"\0\0\0\0" else after


def _mp4_wrapped(payload: bytes) -> Iterator[bytes]:
    yield struct.pack(">I4s16s", 24 + len(payload), b"uuid", MP4_NAME)
    yield payload


# --- SVG --------------------------------------------------------------------------------------------------------


class _Stop(Exception):  # noqa: N818 - reading has come to where it goes no further
    pass


def _svg_pieces(file: BinaryIO) -> Iterator[bytes]:
    parser = xml.parsers.expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    found: list[bytes] = []
    text: list[str] = []
    held = elements = 0
    inside = False

    def begin(name: str, _: object) -> None:
        nonlocal inside, held, elements
        elements += 1
        if elements > _MOST_ELEMENTS:
            raise _Stop
        inside, held = name == f"{SVG_SPACE} part", 0
        text.clear()

    def characters(data: str) -> None:
        nonlocal held
        if inside:
            held += len(data)
            if held > 2 * _PART:
                raise _Stop
            text.append(data)

    def end(name: str) -> None:
        nonlocal inside
        if inside:
            inside = False
            found.append(base64.b64decode("".join(text).encode("ascii", "replace")))

    def refuse(*_: object) -> None:
        raise _Stop

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler, parser.EntityDeclHandler = characters, refuse
    file.seek(0)
    fed = 0
    for data in _some(file, _MOST_SVG):
        fed += len(data)
        try:
            parser.Parse(data, False)
        except (xml.parsers.expat.ExpatError, _Stop, binascii.Error):
            yield from found
            return
        yield from found
        found.clear()
        if fed - parser.CurrentByteIndex > _MOST_TAG:
            return


def _svg_end(file: BinaryIO) -> int | None:
    size = file.seek(0, 2)
    start = max(0, size - 4096)
    file.seek(start)
    place = file.read(4096).rfind(b"</svg>")
    return None if place < 0 else start + place


def _svg_wrapped(payload: bytes) -> Iterator[bytes]:
    yield f'<metadata><session xmlns="{SVG_SPACE}">\n'.encode()
    for data in _cut(payload, _PART):
        yield b"<part>\n" + base64.encodebytes(data) + b"</part>\n"
    yield b"</session></metadata>\n"


PNG = Container("picture", _png_pieces, _png_end, _png_wrapped)
GIF = Container("film", _gif_pieces, _gif_end, _gif_wrapped)
MP4 = Container("film", _mp4_pieces, _mp4_end, _mp4_wrapped)
SVG = Container("drawing", _svg_pieces, _svg_end, _svg_wrapped, most=_MOST_SVG // 2)
