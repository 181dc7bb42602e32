"""A run read from its folder while it is written: whole, cut, replaced, damaged, silent, ended."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from explorer.gallery.runs import _LATEST, _MOST_POINTS, _PIECE, CURVES, RunReader, card_metrics
from tests.explorer.gallery.journals import ROOT, checkpoint, line, write
from trainer.images.journal import METRICS, append_line, cut_journal


def aged(folder: Path, seconds: float) -> None:
    """As if nothing had been written for so long."""
    then = time.time() - seconds
    os.utime(folder / METRICS, (then, then))


def test_only_what_was_appended_is_read(tmp_path: Path) -> None:
    write(tmp_path, 10, 20)
    reader = RunReader(tmp_path)
    assert reader.look()
    first = reader.run
    assert first.steps == [10, 20]
    assert not reader.look()
    write(tmp_path, 30)
    assert reader.look()
    assert reader.run is first
    assert first.steps == [10, 20, 30]
    assert first.seconds == [10.0, 20.0, 30.0]
    assert first.curves["loss"] == [1 / 11, 1 / 21, 1 / 31]
    assert {name: len(values) for name, values in first.curves.items()} == dict.fromkeys(CURVES, 3)


def test_a_line_that_is_being_written_waits(tmp_path: Path) -> None:
    write(tmp_path, 10)
    whole = json.dumps(line(20)).encode() + b"\n"
    reader = RunReader(tmp_path)
    for part in (whole[:9], whole[9:40], whole[40:-1]):
        with (tmp_path / METRICS).open("ab") as file:
            file.write(part)
        reader.look()
        assert reader.run.steps == [10]
    with (tmp_path / METRICS).open("ab") as file:
        file.write(b"\n")
    reader.look()
    assert reader.run.steps == [10, 20]
    assert reader.run.damaged == 0


def test_damaged_lines_are_counted_and_left_out(tmp_path: Path) -> None:
    bad = (
        b"nonsense",
        b"\xff\xfe\x00",
        b"[1, 2]",
        b'{"loss": 1}',
        b'{"step": true}',
        json.dumps(line(-5)).encode(),
        json.dumps(line(15, loss="low")).encode(),
        json.dumps(line(15, loss=None)).encode(),
        json.dumps(line(15, loss=math.nan)).encode(),
        json.dumps(line(15, gradient=10**400)).encode(),
        json.dumps(line(15, learning_rate=math.inf)).encode(),
        b"[" * 100_000,
    )
    write(tmp_path, 10)
    with (tmp_path / METRICS).open("ab") as file:
        file.write(b"\n".join(bad) + b"\n")
    write(tmp_path, 20)
    reader = RunReader(tmp_path)
    reader.look()
    assert reader.run.steps == [10, 20]
    assert reader.run.damaged == len(bad)
    assert f"{len(bad)} damaged lines left out" in reader.run.state


def test_a_gradient_that_overflowed_is_a_gap(tmp_path: Path) -> None:
    write(tmp_path, 10)
    append_line(tmp_path, line(20, gradient=None))
    reader = RunReader(tmp_path)
    reader.look()
    assert reader.run.steps == [10, 20]
    assert math.isnan(reader.run.curves["gradient"][1])
    assert reader.run.damaged == 0


def test_a_resumed_run_starts_over_where_it_was_cut(tmp_path: Path) -> None:
    write(tmp_path, 10, 20)
    checkpoint(tmp_path, 20, asked=40)
    write(tmp_path, 30, 40)
    reader = RunReader(tmp_path)
    reader.look()
    assert reader.run.steps == [10, 20, 30, 40]
    cut_journal(tmp_path, 20)
    append_line(tmp_path, line(30, loss=0.7))
    assert reader.look()
    assert reader.run.steps == [10, 20, 30]
    assert reader.run.curves["loss"][-1] == 0.7
    assert reader.run.goal == 40  # read from the checkpoint once more


@pytest.mark.parametrize("later", [(10,), (10, 20, 30), (10, 20, 30, 40, 50)])
def test_another_journal_under_the_same_name_is_read_anew(tmp_path: Path, later: tuple[int, ...]) -> None:
    """Shorter, as long, and longer than what was read, in the same file."""
    write(tmp_path, 10, 20, 30)
    reader = RunReader(tmp_path)
    reader.look()
    text = "".join(json.dumps(line(step, loss=3.25)) + "\n" for step in later)
    (tmp_path / METRICS).write_text(text)
    assert reader.look()
    assert reader.run.steps == list(later)
    assert set(reader.run.curves["loss"]) == {3.25}


def test_a_journal_that_is_deleted_is_forgotten(tmp_path: Path) -> None:
    write(tmp_path, 10)
    reader = RunReader(tmp_path)
    reader.look()
    (tmp_path / METRICS).unlink()
    assert reader.look()
    assert reader.run.steps == []
    assert reader.run.phase == "nothing"
    assert not reader.look()


def test_a_long_journal_is_read_in_pieces_and_thinned_evenly(tmp_path: Path) -> None:
    count = 5 * _MOST_POINTS + 7
    text = "".join(json.dumps(line(step)) + "\n" for step in range(1, count + 1))
    (tmp_path / METRICS).write_text(text)
    reader, looks = RunReader(tmp_path), 1
    reader.look()
    while reader.behind:
        reader.look()
        looks += 1
    assert looks == math.ceil(len(text) / _PIECE) > 1
    steps = reader.run.steps
    assert steps[0] == 1
    assert steps[-1] == count
    assert _MOST_POINTS / 2 < len(steps) <= _MOST_POINTS
    assert {late - early for early, late in pairwise(steps[:-1])} == {8}
    assert reader.run.curves["loss"] == [1 / (1 + step) for step in steps]
    assert reader.run.damaged == 0


def test_a_line_without_end_is_one_damaged_line(tmp_path: Path) -> None:
    write(tmp_path, 10)
    with (tmp_path / METRICS).open("ab") as file:
        file.write(b"x" * (3 * _PIECE) + b"\n")
    write(tmp_path, 20)
    reader = RunReader(tmp_path)
    reader.look()
    while reader.behind:
        reader.look()
    assert reader.run.steps == [10, 20]
    assert reader.run.damaged == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / METRICS)
    (tmp_path / "samples").mkdir()
    os.mkfifo(tmp_path / "samples" / "step-000010.png")
    (tmp_path / "checkpoint-000010").mkdir()
    os.mkfifo(tmp_path / "checkpoint-000010" / "trainer.json")
    reader = RunReader(tmp_path)
    assert not reader.look()
    assert reader.run.samples is None
    assert reader.run.phase == "nothing"


def test_states(tmp_path: Path) -> None:
    reader = RunReader(tmp_path / "run")
    assert not reader.look()
    assert reader.run.state == "nothing was written yet"
    reader = RunReader(tmp_path)
    write(tmp_path, 10, 20)
    reader.look()
    assert reader.run.state == "step 20  ·  running"
    checkpoint(tmp_path, 20, asked=3020)
    write(tmp_path, 30)
    reader.look()
    assert reader.run.left == pytest.approx(2990)
    assert reader.run.state == "step 30 of 3,020  ·  running  ·  about 50 min left"
    aged(tmp_path, 600)
    reader.look()
    assert reader.run.state == "step 30 of 3,020  ·  silent for 10 min"
    checkpoint(tmp_path, 40, asked=3020)
    aged(tmp_path, 600)
    reader.look()
    assert reader.run.state == "stopped at step 40"
    write(tmp_path, 3020)
    checkpoint(tmp_path, 3020, asked=3020)
    reader.look()
    assert reader.run.state == "ended at step 3,020"


def test_a_slow_run_is_silent_later(tmp_path: Path) -> None:
    for step in range(1, 5):
        append_line(tmp_path, line(step, seconds=100.0 * step))
    aged(tmp_path, 200)
    reader = RunReader(tmp_path)
    reader.look()
    assert reader.run.phase == "running"
    aged(tmp_path, 301)
    reader.look()
    assert reader.run.phase == "silent"


def test_a_run_that_goes_beyond_what_was_asked_for_has_not_ended(tmp_path: Path) -> None:
    write(tmp_path, 10, 20)
    checkpoint(tmp_path, 20, asked=20)
    reader = RunReader(tmp_path)
    reader.look()
    assert reader.run.phase == "ended"
    write(tmp_path, 30)
    reader.look()
    assert reader.run.state == "step 30  ·  running"


def test_a_run_of_so_many_minutes_has_no_goal(tmp_path: Path) -> None:
    write(tmp_path, 10, 20)
    checkpoint(tmp_path, 20, asked=10**8)
    reader = RunReader(tmp_path)
    reader.look()
    assert reader.run.state == "step 20  ·  running"


def test_the_time_left_follows_the_latest_pace(tmp_path: Path) -> None:
    for step in range(1, 101):
        append_line(tmp_path, line(step, seconds=10.0 * min(step, 50) + max(0, step - 50)))
    checkpoint(tmp_path, 100, asked=200)
    reader = RunReader(tmp_path)
    reader.look()
    assert _LATEST < 50
    assert reader.run.left == pytest.approx(100)


def test_checkpoints_and_samples(tmp_path: Path) -> None:
    write(tmp_path, 10)
    first = checkpoint(tmp_path, 10, loss=0.25, seconds=9.0)
    (tmp_path / "checkpoint-000020").mkdir()  # without a card: none
    (tmp_path / ".checkpoint-000030.ab.part").mkdir()
    (tmp_path / "samples").mkdir()
    for step in (5, 10, 40):  # the last is of a run that this one was before it was resumed
        (tmp_path / "samples" / f"step-{step:06d}.png").write_bytes(b"")
    reader = RunReader(tmp_path)
    reader.look()
    assert reader.run.checkpoints == [(10, first)]
    assert reader.run.figures == {10: {"diverged": 1.0}}
    assert reader.run.samples is not None
    assert reader.run.samples[0].name == "step-000010.png"
    assert card_metrics(first) == {"loss": 0.25, "seconds": 9.0}
    assert not reader.look()
    os.utime(tmp_path / "samples" / "step-000010.png", ns=(1, 1))  # drawn again
    assert reader.look()
    second = checkpoint(tmp_path, 50)
    assert reader.look()
    assert reader.run.checkpoints == [(10, first), (50, second)]
    assert reader.run.samples[0].name == "step-000040.png"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "[" * 100_000, '{"metrics": [1]}', '{"metrics": {"a": "b", "c": NaN, "d": true, "e": 1e999}}'],
)
def test_a_card_that_cannot_be_read_says_nothing(tmp_path: Path, text: str) -> None:
    write(tmp_path, 10)
    path = checkpoint(tmp_path, 10)
    (path / "trainer.json").write_text(text)
    assert card_metrics(path) == {}
    reader = RunReader(tmp_path)
    reader.look()
    assert reader.run.goal == 0


def test_neither_torch_nor_qt_is_needed() -> None:
    script = (
        "import sys; import explorer.gallery.runs\n"
        "print([name for name in ('torch', 'PySide6', 'diffusers') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert found.stdout.strip() == "[]"
