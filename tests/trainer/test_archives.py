"""Archives: what a zip claims is held against limits before it is unpacked, and a failed save changes nothing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.archives import array_bytes, array_from, read_archive, write_archive
from trainer.errors import InputError

MEMBERS = {"a.json": b"{}" * 500, "b.npy": array_bytes(np.arange(600, dtype=np.float32))}
LIMITS = {"a.json": 1_000, "b.npy": 10_000, "c.bin": 5}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "a.scorex"
    write_archive(path, MEMBERS)
    return path


def test_members_come_back_and_equal_ones_make_equal_files(saved: Path) -> None:
    assert read_archive(saved, LIMITS) == MEMBERS
    write_archive(saved.with_name("b.scorex"), MEMBERS)
    assert saved.with_name("b.scorex").read_bytes() == saved.read_bytes()
    assert [p.name for p in sorted(saved.parent.iterdir())] == ["a.scorex", "b.scorex"]


# --- reading ------------------------------------------------------------------------------------------------------


def test_a_bomb_is_refused_by_its_directory_before_anything_is_unpacked(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_archive(saved, {"a.json": bytes(10_000_000)})
    assert saved.stat().st_size < 50_000

    def unpack(*_: object) -> bytes:
        raise AssertionError("unpacked before the sizes were checked")

    monkeypatch.setattr(zipfile.ZipFile, "read", unpack)
    with pytest.raises(InputError, match=r"a\.scorex: a\.json unpacks to 10000000 bytes; at most 1000 are allowed$"):
        read_archive(saved, {**LIMITS, "c.bin": 10_000_000})


def test_a_bomb_that_understates_its_size_is_cut_off_there(saved: Path) -> None:
    true_size = 10_000_001
    write_archive(saved, {"a.json": bytes(true_size)})
    data = saved.read_bytes()
    assert data.count(true_size.to_bytes(4, "little")) == 2
    saved.write_bytes(data.replace(true_size.to_bytes(4, "little"), (900).to_bytes(4, "little")))
    with pytest.raises(InputError, match=r"a\.scorex: not a project or damaged \(Bad CRC-32 for file 'a\.json'\); "):
        read_archive(saved, {**LIMITS, "c.bin": 10_000_000})


def test_a_file_larger_than_all_limits_is_not_even_opened(saved: Path) -> None:
    saved.write_bytes(bytes(11_006))
    with pytest.raises(InputError, match=r"a\.scorex: 11006 bytes are too many for a project; choose a \.scorex file$"):
        read_archive(saved, LIMITS)


@pytest.mark.parametrize("name", ["../a.json", "/etc/passwd", "a.json/", "A.JSON", "..\\a.json", ""])
def test_a_name_that_is_not_expected(saved: Path, name: str) -> None:
    write_archive(saved, {**MEMBERS, name: b""})
    with pytest.raises(InputError, match=r"a\.scorex: holds '.*', which no project has; use another copy of the file$"):
        read_archive(saved, LIMITS)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_comes_twice(saved: Path) -> None:
    with zipfile.ZipFile(saved, "a") as archive:
        archive.writestr("a.json", "{}")
    with pytest.raises(InputError, match=r"a\.scorex: holds a\.json twice; use another copy of the file$"):
        read_archive(saved, LIMITS)


def test_a_packing_that_we_do_not_use(saved: Path) -> None:
    with zipfile.ZipFile(saved, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.json", "{}")
    with pytest.raises(InputError, match=r"a\.scorex: a\.json is encrypted or packed in an unknown way; "):
        read_archive(saved, LIMITS)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 127), st.integers(0, 255)), min_size=1, max_size=4))
def test_any_damaged_array_header_is_one_line_or_an_array_of_all_its_bytes(changes: list[tuple[int, int]]) -> None:
    data = bytearray(array_bytes(np.ones((3, 4), np.float32)))
    for place, value in changes:
        data[place] = value
    try:
        size, line = array_from(bytes(data), "x.npy").size, "x.npy: "
    except InputError as error:
        size, line = 12, str(error)
    assert size == 12
    assert line.startswith("x.npy: ")
    assert "\n" not in line


# --- writing ------------------------------------------------------------------------------------------------------

FULL = """
import os, signal, sys
from trainer.archives import write_archive
from trainer.errors import InputError
if sys.argv[2] == "limited":
    import resource
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write_archive(sys.argv[1], {"a.bin": os.urandom(100_000)})
except InputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="files have no size limit per process there")
@pytest.mark.parametrize("before", [b"before", None])
def test_a_file_that_may_not_grow_is_one_line_and_changes_nothing(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "a.scorex"
    if before is not None:
        path.write_bytes(before)
    command = [sys.executable, "-c", FULL, str(path), "limited"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert result.stderr == ""
    assert result.stdout == f"{path}: cannot be written: File too large; nothing was changed, choose another place\n"
    assert [p.read_bytes() for p in tmp_path.iterdir()] == ([] if before is None else [before])


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a file system of its own")
def test_a_full_disk_is_one_line_and_changes_nothing(tmp_path: Path) -> None:
    """On a real file system of 64 KiB, in a mount namespace that ends with the command."""
    script = (
        'mount -t tmpfs -o size=64k tmpfs "$1" || exit 77; printf before > "$1/a.scorex"; '
        '"$2" -c "$3" "$1/a.scorex" unlimited; ls -A "$1"; cat "$1/a.scorex"'
    )
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", str(tmp_path), sys.executable, FULL]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("no unshare here")
    if result.returncode == 77 or result.stderr.startswith("unshare"):
        pytest.skip("no mounts allowed here")
    assert result.stderr == ""
    assert result.stdout.splitlines() == [
        f"{tmp_path / 'a.scorex'}: cannot be written: No space left on device; "
        "nothing was changed, choose another place",
        "a.scorex",
        "before",
    ]


def test_no_such_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.scorex: cannot be written: No such file or directory; "):
        write_archive(tmp_path / "none" / "a.scorex", MEMBERS)
    (tmp_path / "folder.scorex").mkdir()
    with pytest.raises(InputError, match=r"folder\.scorex: cannot be written: "):
        write_archive(tmp_path / "folder.scorex", MEMBERS)
    assert [p.name for p in tmp_path.iterdir()] == ["folder.scorex"]


def test_an_interrupted_save_leaves_the_file_of_before(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_archive(saved, {"c.bin": b"12345"})
    assert read_archive(saved, LIMITS) == MEMBERS
    assert list(saved.parent.iterdir()) == [saved]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions and links are others there")
def test_a_replaced_file_keeps_its_permissions_and_a_link_its_target(saved: Path) -> None:
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(saved.stat().st_mode) == 0o666 & ~umask
    saved.chmod(0o640)
    link = saved.with_name("link.scorex")
    link.symlink_to(saved)
    write_archive(link, {"c.bin": b"12345"})
    assert link.is_symlink()
    assert stat.S_IMODE(saved.stat().st_mode) == 0o640
    assert read_archive(saved, LIMITS) == {"c.bin": b"12345"}
    assert sorted(p.name for p in saved.parent.iterdir()) == ["a.scorex", "link.scorex"]
