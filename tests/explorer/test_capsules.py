"""Sessions inside films and pictures: other programs see what they saw, damaged files are one line and never a hang."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageSequence
from PySide6.QtCore import QByteArray
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from pytestqt.qtbot import QtBot

from explorer import containers
from explorer.capsules import append, embed, extract, read_session
from explorer.export.encode import open_film, write_picture
from trainer.errors import InputError
from trainer.paintings import preset_weights
from trainer.projects import Project, Setup, project_bytes, write_project

RNG = np.random.default_rng(3)
KINDS = (".png", ".gif", ".mp4", ".svg")
PICTURES = RNG.integers(0, 200, (5, 160, 176, 3), dtype=np.uint8) // 40 * 40
SESSION = project_bytes(Project(Setup(preset_weights("ring", 32), "ring"), Setup(preset_weights("ring", 32), "ring")))
DRAWING = b"""<?xml version="1.0"?>
<!DOCTYPE svg>
<svg width="40" height="40" xmlns="http://www.w3.org/2000/svg"><rect width="20" height="30" fill="#e69f00"/></svg>
"""


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A file of each kind without a session."""
    folder = tmp_path_factory.mktemp("plain")
    palette = np.unique(PICTURES.reshape(-1, 3), axis=0)
    for kind in (".gif", ".mp4"):
        with open_film(folder / f"a{kind}", (176, 160), 20, palette=palette) as film:
            for picture in PICTURES:
                film.add(picture)
    write_picture(folder / "a.png", PICTURES[0], comment="seed 7")
    (folder / "a.svg").write_bytes(DRAWING)
    return {kind: (folder / f"a{kind}").read_bytes() for kind in KINDS}


def on_disk(tmp_path: Path, kind: str, data: bytes) -> Path:
    path = tmp_path / f"film{kind}"
    path.write_bytes(data)
    return path


def outcome(path: Path) -> bytes | str | None:
    """What is extracted, or the one line that says why it cannot be."""
    try:
        return extract(path)
    except InputError as error:
        line = str(error)
    assert "\n" not in line
    assert line.startswith(f"{path}: ")
    return line


# --- what other programs see


def by_ffmpeg(path: Path) -> NDArray[np.uint8]:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "warning", "-xerror", "-i", path, "-f", "rawvideo", "-pix_fmt"]
    done = subprocess.run([*command, "rgb24", "-"], capture_output=True, check=True)
    assert done.stderr == b""
    return np.frombuffer(done.stdout, np.uint8)


def by_pillow(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as film:
        return np.stack([np.asarray(picture.convert("RGB")) for picture in ImageSequence.Iterator(film)])


def by_qt(path: Path) -> NDArray[np.uint8]:
    image = QImage(str(path)).convertToFormat(QImage.Format.Format_RGBA8888)
    assert not image.isNull()
    return np.array(image.constBits(), np.uint8)


def by_qt_svg(path: Path) -> NDArray[np.uint8]:
    renderer = QSvgRenderer(QByteArray(path.read_bytes()))
    assert renderer.isValid()
    image = QImage(40, 40, QImage.Format.Format_RGBA8888)
    image.fill(0)
    with QPainter(image) as painter:
        renderer.render(painter)
    return np.array(image.constBits(), np.uint8)


@pytest.mark.parametrize(
    ("kind", "reader"),
    [(".png", by_ffmpeg), (".png", by_pillow), (".png", by_qt), (".gif", by_ffmpeg), (".gif", by_pillow),
     (".gif", by_qt), (".mp4", by_ffmpeg), (".svg", by_qt_svg)],
)  # fmt: skip
def test_other_programs_see_the_same_pictures(
    qtbot: QtBot, tmp_path: Path, plain: dict[str, bytes], kind: str, reader: Callable[[Path], NDArray[np.uint8]]
) -> None:
    session = RNG.bytes(2_500_000)  # more than one chunk of a PNG
    before = reader(on_disk(tmp_path, kind, plain[kind]))
    path = on_disk(tmp_path, kind, embed(plain[kind], session))
    assert np.array_equal(reader(path), before)
    assert before.max() > 0
    assert extract(path) == session


def test_a_png_is_whole_by_its_own_checksums_and_keeps_its_text(tmp_path: Path, plain: dict[str, bytes]) -> None:
    path = on_disk(tmp_path, ".png", embed(plain[".png"], SESSION))
    with Image.open(path) as picture:
        picture.verify()
    with Image.open(path) as picture:
        picture.load()
        assert picture.text["Comment"] == "seed 7"
        assert [kind for kind, *_ in picture.private_chunks] == [b"scEx"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [0, 1, 254, 255, 256, 2**20 - 41, 2**20 - 40, 3 * 2**20 + 5])
def test_sessions_of_any_size_come_back(tmp_path: Path, plain: dict[str, bytes], kind: str, size: int) -> None:
    session = RNG.bytes(size)
    assert extract(on_disk(tmp_path, kind, embed(plain[kind], session))) == session


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_without_a_session_has_none_whatever_its_name(
    tmp_path: Path, plain: dict[str, bytes], kind: str
) -> None:
    assert extract(on_disk(tmp_path, kind, plain[kind])) is None
    assert extract(on_disk(tmp_path, ".dat", embed(plain[kind], SESSION))) == SESSION


def test_what_is_no_file_holds_none(tmp_path: Path) -> None:
    assert extract(tmp_path) is None
    assert extract(tmp_path / "none.png") is None
    assert extract("a\0b.png") is None
    assert extract(on_disk(tmp_path, ".png", b"")) is None
    assert extract(on_disk(tmp_path, ".png", b"text")) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(path := tmp_path / "film.mp4")
    assert extract(path) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_session_and_a_cut_file_are_refused(plain: dict[str, bytes], kind: str) -> None:
    with pytest.raises(InputError, match="carries one already"):
        embed(embed(plain[kind], SESSION), SESSION)
    with pytest.raises(InputError, match="a whole PNG, GIF, MP4 or SVG"):
        embed(plain[kind][: len(plain[kind]) // 2], SESSION)
    with pytest.raises(InputError, match="a whole PNG, GIF, MP4 or SVG"):
        embed(b"BM" + plain[kind], SESSION)


def test_a_session_too_large_for_a_drawing_is_refused() -> None:
    with pytest.raises(InputError, match="at most 33,554,432 fit"):
        embed(DRAWING, bytes(2**25 + 1))


# --- projects


@pytest.mark.parametrize("kind", KINDS)
def test_a_carried_project_reads_as_its_file_does(tmp_path: Path, plain: dict[str, bytes], kind: str) -> None:
    setup = Setup(preset_weights("two-moons", 64), "two-moons", seed=11, particle_seed=12)
    project = Project(setup, setup, steps=40, sigma=0.3, facts={"device": "cpu"})
    write_project(tmp_path / "a.scorex", project)
    assert project_bytes(project) == (tmp_path / "a.scorex").read_bytes()
    for path in (tmp_path / "a.scorex", on_disk(tmp_path, kind, embed(plain[kind], project_bytes(project)))):
        found = read_session(path)
        assert found is not None
        assert (found.steps, found.sigma, found.setup.seed, found.facts) == (40, 0.3, 11, {"device": "cpu"})
        assert np.array_equal(found.weights, setup.weights)


def test_a_film_without_a_session_is_told_and_a_picture_is_left_to_be_painted(
    tmp_path: Path, plain: dict[str, bytes]
) -> None:
    for kind in (".mp4", ".svg"):
        with pytest.raises(InputError, match="no session inside; choose a film or picture that was exported with"):
            read_session(on_disk(tmp_path, kind, plain[kind]))
    assert read_session(on_disk(tmp_path, ".png", plain[".png"])) is None
    assert read_session(on_disk(tmp_path, ".gif", plain[".gif"])) is None


def test_a_carried_thing_that_is_no_project_is_one_line(tmp_path: Path, plain: dict[str, bytes]) -> None:
    with pytest.raises(InputError, match=r"the session inside: not a project or damaged \(File is not a zip file\)"):
        read_session(on_disk(tmp_path, ".mp4", embed(plain[".mp4"], b"not a zip")))


# --- damage


@pytest.mark.parametrize("kind", KINDS)
def test_every_truncation_is_none_or_one_line(tmp_path: Path, plain: dict[str, bytes], kind: str) -> None:
    data = embed(plain[kind], SESSION)
    start = len(data) - len(SESSION) - 200 if kind != ".svg" else len(DRAWING) - 8
    whole = {".png": len(data) - 16, ".gif": len(data) - 2, ".mp4": len(data), ".svg": len(data) - 40}[kind]
    for size in sorted({*range(0, len(data), max(1, len(data) // 150)), *range(len(data) - 60, len(data))}):
        found = outcome(on_disk(tmp_path, kind, data[:size]))
        if size < start:
            assert found is None, size
        elif size < whole and not isinstance(found, bytes):
            assert found is None or "cut short" in str(found), size
        assert found in (None, SESSION) or isinstance(found, str)
    assert outcome(on_disk(tmp_path, kind, data)) == SESSION


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), min_size=1, max_size=4))
def test_flipped_bits_never_give_another_session(
    tmp_path: Path, plain: dict[str, bytes], kind: str, flips: list[tuple[float, int]]
) -> None:
    data = bytearray(embed(plain[kind], SESSION))
    for place, bit in flips:
        data[int(place * len(data))] ^= 1 << bit
    found = outcome(on_disk(tmp_path, kind, bytes(data)))
    assert found in (None, SESSION) or isinstance(found, str)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tail=st.binary(max_size=400), cut=st.floats(0, 1))
def test_garbage_after_a_cut_is_none_or_one_line(
    tmp_path: Path, plain: dict[str, bytes], kind: str, tail: bytes, cut: float
) -> None:
    data = embed(plain[kind], SESSION)
    found = outcome(on_disk(tmp_path, kind, data[: int(cut * len(data))] + tail))
    assert found in (None, SESSION) or isinstance(found, str)


def test_a_flipped_bit_in_the_session_is_called_damage(tmp_path: Path, plain: dict[str, bytes]) -> None:
    for kind in (".png", ".gif", ".mp4"):
        data = bytearray(embed(plain[kind], SESSION))
        data[len(data) - len(SESSION) // 2] ^= 4
        assert "damaged; use another copy" in str(outcome(on_disk(tmp_path, kind, bytes(data))))


# --- ill will


def head(version: int = 1, length: int = 100) -> bytes:
    return struct.pack(">BQ32s", version, length, bytes(32))


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_that_claims_too_much_or_is_of_tomorrow_is_refused(
    tmp_path: Path, plain: dict[str, bytes], kind: str
) -> None:
    container = containers.container_of(io.BytesIO(plain[kind]))
    assert container is not None
    end = container.end(io.BytesIO(plain[kind]))
    for payload, said in (
        (head(length=2**63) + b"x", "claims 9,223,372,036,854,775,808 bytes"),
        (head(version=9), "is of format 9, this program reads 1; install a later"),
        (head() + b"x" * 99, "cut short"),
        (head() + b"x" * 100, "damaged"),
        (b"\1\2\3", "cut short"),
    ):
        data = plain[kind][:end] + b"".join(container.wrapped(payload)) + plain[kind][end:]
        assert said in str(outcome(on_disk(tmp_path, kind, data)))


def test_lengths_that_lead_out_of_the_file_are_not_followed(tmp_path: Path, plain: dict[str, bytes]) -> None:
    png, mp4 = plain[".png"], plain[".mp4"]
    uuid = b"uuid" + containers.MP4_NAME
    for kind, data in (
        (".png", png[:33] + struct.pack(">I", 2**31 - 1) + b"scEx"),
        (".png", png[:33] + struct.pack(">I", 2**32 - 1) + b"IDAT" + bytes(50)),
        (".mp4", mp4 + struct.pack(">I", 2**32 - 1) + uuid),
        (".mp4", mp4 + struct.pack(">I4sQ", 1, b"uuid", 2**64 - 1) + containers.MP4_NAME),
        (".mp4", mp4 + struct.pack(">I4sQ", 1, b"free", 2**63) + b"rest"),
        (".mp4", mp4 + struct.pack(">I", 7) + uuid),
        (".mp4", mp4 + struct.pack(">I4sQ", 1, b"uuid", 3) + containers.MP4_NAME),
        (".mp4", mp4 + struct.pack(">I", 9) + uuid),
    ):
        assert extract(on_disk(tmp_path, kind, data)) is None


def test_nothing_is_put_behind_a_box_without_an_end(plain: dict[str, bytes]) -> None:
    for tail in (struct.pack(">I4s", 0, b"mdat") + bytes(40), bytes(3)):
        with pytest.raises(InputError, match="whole"):
            embed(plain[".mp4"] + tail, SESSION)


class Endless(io.RawIOBase):
    """A file that goes on for ever: a beginning, and then the same bytes again and again."""

    def __init__(self, beginning: bytes, again: bytes) -> None:
        self.beginning, self.again, self.at = beginning, again, 0

    def read(self, size: int = -1) -> bytes:
        head = self.beginning[self.at : self.at + size]
        skip = max(0, self.at - len(self.beginning)) % len(self.again)
        count = size // len(self.again) + 2
        self.at += size
        return (head + (self.again * count)[skip : skip + size - len(head)])[:size]

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset if whence == 0 else self.at + offset if whence == 1 else 2**60
        return self.at

    def tell(self) -> int:
        return self.at


@pytest.mark.parametrize(
    ("kind", "size", "again"),
    [(".png", 33, struct.pack(">I4sI", 0, b"tEXt", 0)), (".gif", None, b"!\xfe\0"), (".gif", None, b"!\xfe\1a\1a\1a\0"),
     (".mp4", None, struct.pack(">I4s", 8, b"free")), (".svg", -8, b"<a/>"), (".svg", -8, b"<!-- -->")],
)  # fmt: skip
def test_a_file_that_never_ends_is_left_after_some_steps(
    plain: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, kind: str, size: int | None, again: bytes
) -> None:
    for name in ("_MOST_CHUNKS", "_MOST_BLOCKS", "_MOST_BOXES", "_MOST_ELEMENTS"):
        monkeypatch.setattr(containers, name, 5_000)
    monkeypatch.setattr(containers, "_MOST_SVG", 2**22)
    beginning = plain[kind][:size]
    if kind == ".gif":
        beginning = beginning[: 13 + 768]
    file = Endless(beginning, again)
    container = containers.container_of(file)  # type: ignore[arg-type]
    assert container is not None
    assert list(container.pieces(file)) == []  # type: ignore[arg-type]
    assert file.at < 2**23 or kind == ".png"


def test_a_session_in_blocks_of_one_byte_ends_too(plain: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "_MOST_BLOCKS", 5_000)
    file = Endless(plain[".gif"][: 13 + 768] + b"!\xff\x0b" + containers.GIF_NAME, b"\1a")
    assert len(list(containers.GIF.pieces(file))) == 10_000  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        b'<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><svg>%s</svg>',
        b'<!DOCTYPE svg [<!ENTITY b SYSTEM "file:///etc/passwd">]><svg>%s</svg>',
    ],
)
def test_entities_are_not_expanded(tmp_path: Path, text: bytes) -> None:
    part = b'<session xmlns="urn:score-explorer:session"><part>&b;</part></session>'
    assert extract(on_disk(tmp_path, ".svg", text % part)) is None


def test_a_part_of_a_drawing_has_a_longest_length(tmp_path: Path) -> None:
    session = (
        b'<svg><session xmlns="urn:score-explorer:session"><part>' + b"A" * (7 * 2**20) + b"</part></session></svg>"
    )
    assert extract(on_disk(tmp_path, ".svg", session)) is None


def test_a_tag_has_a_longest_length(tmp_path: Path) -> None:
    short, long = (DRAWING.replace(b"<rect", b'<image href="%s"/><rect' % (b"A" * 2**n)) for n in (22, 24))
    assert extract(on_disk(tmp_path, ".svg", embed(short, SESSION))) == SESSION
    with pytest.raises(InputError, match="longer than what is searched"):
        embed(long, SESSION)


def test_other_prefixes_of_the_namespace_are_read(tmp_path: Path, plain: dict[str, bytes]) -> None:
    data = embed(plain[".svg"], SESSION).replace(b"<session xmlns=", b"<s:session xmlns:s=")
    for name in (b"<part>", b"</part>", b"</session>"):
        data = data.replace(name, name.replace(b"part", b"s:part").replace(b"session", b"s:session"))
    assert extract(on_disk(tmp_path, ".svg", data.replace(b"\n", b"\r\n"))) == SESSION


def test_a_film_of_gigabytes_is_not_read_into_memory(tmp_path: Path, plain: dict[str, bytes]) -> None:
    path = tmp_path / "long.mp4"
    with path.open("wb+") as file:
        file.write(plain[".mp4"] + struct.pack(">I4sQ", 1, b"mdat", 5 * 2**30))
        file.truncate(len(plain[".mp4"]) + 5 * 2**30)  # no disk is used for what was never written
        tracemalloc.start()
        try:
            append(file, SESSION)
            file.flush()
            assert extract(path) == SESSION
            assert tracemalloc.get_traced_memory()[1] < 2**20
        finally:
            tracemalloc.stop()


def test_the_reader_loads_neither_torch_nor_qt() -> None:
    code = "import sys, explorer.capsules; print({'torch', 'PySide6', 'PIL'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
