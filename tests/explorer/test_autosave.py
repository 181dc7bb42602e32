"""What is open is kept while it is unsaved, by one process in its own file, and found again after a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from explorer import autosave as module
from explorer.autosave import Autosave
from explorer.document import Document
from explorer.edits import ChangeSeed, Clear
from explorer.keeping import REST_MS
from explorer.places import autosave_folder
from explorer.recipe import Recipe
from explorer.recovery import Recovery
from trainer.errors import InputError
from trainer.projects import Project, read_project, write_project

ROOT = Path(__file__).parents[2]

Make = Callable[[Document], Autosave]


def snapshot(document: Document) -> Project:
    return Recipe(document.setup).to_project(document.setup)


@pytest.fixture
def make(qtbot: QtBot) -> Iterator[Make]:
    made: list[Autosave] = []

    def one(document: Document) -> Autosave:
        made.append(Autosave(document, lambda: snapshot(document)))
        return made[-1]

    yield one
    for each in made:
        each.close()


def files() -> list[str]:
    return sorted(path.name for path in autosave_folder().glob("*") if path.is_file())


def test_nothing_is_kept_of_what_nobody_has_changed(make: Make) -> None:
    make(Document())
    assert not autosave_folder().exists()


def test_changes_are_kept_once_they_rest(qtbot: QtBot, make: Make) -> None:
    document = Document()
    kept = make(document)
    written: list[bool] = []
    kept.saved.connect(lambda: written.append(True))
    for seed in range(1, 20):
        document.do(ChangeSeed(seed))
    qtbot.waitUntil(lambda: bool(written))
    qtbot.wait(2 * REST_MS)
    assert written == [True]
    assert kept.file is not None
    assert read_project(kept.file).setup.seed == 19
    assert f"{os.getpid()}-0.scorex" == kept.file.name


def test_what_is_saved_or_undone_is_kept_no_more(qtbot: QtBot, make: Make, tmp_path: Path) -> None:
    document = Document()
    kept = make(document)
    document.do(Clear())
    assert kept.flush()
    assert kept.file is not None
    assert kept.file.exists()
    document.undo()
    assert kept.flush()
    assert not kept.file.exists()
    document.redo()
    assert kept.flush()
    assert kept.file.exists()
    document.mark_saved(tmp_path / "a.scorex")
    assert kept.flush()
    assert files() == [kept.file.with_suffix(".lock").name]
    kept.close()
    assert files() == []


def test_a_stroke_is_kept_when_it_ends(make: Make) -> None:
    from explorer.brush import Brush

    document = Document()
    kept = make(document)
    document.begin_stroke(Brush(), 0.0, 0.0)
    document.extend_stroke(0.5, 0.5)
    assert kept.flush()
    assert kept.file is None
    document.end_stroke()
    assert kept.flush()
    assert kept.file is not None
    assert np.array_equal(read_project(kept.file).weights, document.weights)


def test_windows_of_one_process_keep_their_own(make: Make) -> None:
    one, other = Document(), Document()
    first, second = make(one), make(other)
    one.do(ChangeSeed(1))
    other.do(ChangeSeed(2))
    assert first.flush()
    assert second.flush()
    assert first.file is not None
    assert second.file is not None
    assert first.file != second.file
    assert [read_project(kept.file).setup.seed for kept in (first, second)] == [1, 2]
    assert Recovery().find() == ([], [])


def test_turned_off_it_keeps_nothing(make: Make) -> None:
    document = Document()
    kept = make(document)
    document.do(ChangeSeed(1))
    assert kept.flush()
    kept.set_on(False)
    assert kept.flush()
    assert kept.file is not None
    assert not kept.file.exists()
    document.do(ChangeSeed(2))
    assert kept.flush()
    assert not kept.file.exists()
    kept.set_on(True)
    assert kept.flush()
    assert read_project(kept.file).setup.seed == 2


def test_a_failure_is_told_once(qtbot: QtBot, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document()
    kept = make(document)
    told: list[str] = []
    kept.failed.connect(told.append)

    def full(path: Path, project: Project) -> None:
        assert threading.current_thread() is not threading.main_thread()
        raise InputError(f"{path}: cannot be written: No space left on device; nothing was changed")

    monkeypatch.setattr(module, "write_project", full)
    for seed in (1, 2, 3):
        document.do(ChangeSeed(seed))
        assert not kept.flush()
        qtbot.wait(10)
    assert len(told) == 1
    assert "No space left" in told[0]
    monkeypatch.setattr(module, "write_project", write_project)
    document.do(ChangeSeed(4))
    with qtbot.waitSignal(kept.saved):
        assert kept.flush()


def test_what_nobody_foresaw_is_told_and_the_next_change_is_kept(
    qtbot: QtBot, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = Document()
    kept = make(document)

    def broken(path: Path, project: Project) -> None:
        raise TypeError("not what it seemed")

    monkeypatch.setattr(module, "write_project", broken)
    document.do(ChangeSeed(1))
    with qtbot.waitSignal(kept.failed) as told:
        assert not kept.flush()
    assert "not what it seemed" in told.args[0]
    monkeypatch.setattr(module, "write_project", write_project)
    document.do(ChangeSeed(2))
    assert kept.flush()
    assert kept.file is not None
    assert read_project(kept.file).setup.seed == 2


def test_what_cannot_be_removed_is_told(qtbot: QtBot, make: Make) -> None:
    document = Document()
    kept = make(document)
    document.do(ChangeSeed(1))
    assert kept.flush()
    assert kept.file is not None
    kept.file.unlink()
    kept.file.mkdir()
    with qtbot.waitSignal(kept.failed) as told:
        document.undo()
        assert not kept.flush()
    assert told.args[0].startswith("What is open is kept although it need not be. ")
    kept.file.rmdir()


def test_it_ends_once(make: Make) -> None:
    document = Document()
    kept = make(document)
    document.do(ChangeSeed(1))
    kept.close(keep=True)  # which writes what is due
    assert kept.file is not None
    kept.close()
    kept.set_on(False)
    kept.set_on(True)
    assert read_project(kept.file).setup.seed == 1


# --- after a crash ---

CRASH = """
import sys, time
from PySide6.QtCore import QCoreApplication
from explorer.autosave import Autosave
from explorer.document import Document
from explorer.edits import ChangeSeed
from explorer.recipe import Recipe
application = QCoreApplication([])
document = Document()
document.path = sys.argv[1] or None
kept = Autosave(document, lambda: Recipe(document.setup).to_project(document.setup))
document.do(ChangeSeed(int(sys.argv[2])))
assert kept.flush()
print(kept.file, flush=True)
time.sleep(60)
"""


def crashed(source: str, seed: int) -> tuple[Path, subprocess.Popen[str]]:
    """A process that has kept a document and still runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", CRASH, source, str(seed)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return Path(process.stdout.readline().strip()), process


def test_a_killed_process_leaves_what_was_open(make: Make, tmp_path: Path) -> None:
    source = str(tmp_path / "moons.scorex")
    file, process = crashed(source, 42)
    assert Recovery().find() == ([], [])  # it still runs
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    (leftover,), lines = Recovery().find()
    assert lines == []
    assert (leftover.file, leftover.source, leftover.project.setup.seed) == (file, Path(source), 42)
    assert leftover.words.startswith("moons.scorex at ")
    assert Recovery().find() == ([], [])  # another instance that starts now does not offer it too
    Recovery().done(leftover)
    assert files() == []


def test_what_is_not_wanted_is_kept(tmp_path: Path) -> None:
    file, process = crashed("", 7)
    process.kill()
    process.wait()
    process.stdout.close()
    recovery = Recovery()
    (leftover,), _ = recovery.find()
    place = recovery.keep(leftover)
    assert read_project(place).setup.seed == 7
    assert place.parent == recovery.kept
    assert not file.exists()
    assert recovery.find() == ([], [])


def test_damaged_autosaves_are_set_aside_and_told(tmp_path: Path) -> None:
    folder = autosave_folder()
    folder.mkdir(parents=True)
    document = Document()
    write_project(folder / "1-0.scorex", snapshot(document))
    whole = (folder / "1-0.scorex").read_bytes()
    (folder / "2-0.scorex").write_bytes(whole[: len(whole) // 2])
    (folder / "3-0.scorex").write_bytes(b"")
    recovery = Recovery()
    (leftover,), lines = recovery.find()
    assert leftover.file.name == "1-0.scorex"
    assert leftover.source is None
    assert len(lines) == 2
    kept = sorted(path.name for path in recovery.kept.iterdir())
    assert len(kept) == 2
    assert all(any(name in line for line in lines) for name in kept)
    assert {(recovery.kept / name).read_bytes() for name in kept} == {b"", whole[: len(whole) // 2]}
    leftover.lock.unlock()


def test_what_cannot_be_moved_stays() -> None:
    folder = autosave_folder()
    folder.mkdir(parents=True)
    (folder / "2-0.scorex").write_bytes(b"damaged")
    (folder / "kept").touch()  # a file where the folder should be
    found, (line,) = Recovery().find()
    assert found == []
    assert str(folder / "2-0.scorex") in line
    assert (folder / "2-0.scorex").read_bytes() == b"damaged"
